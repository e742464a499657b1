#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_live.py - what is sent arrives and is analysed as from a file; what is lost is counted

Network namespaces of the tests' own, a pair of interfaces in each, whose other end a trace is sent from.
"""
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import time

import zb

SENDER = pathlib.Path(__file__).resolve().parent / "send_pcap.py"
PPS = 4000
WAIT_S = zb.WAIT_S
CAP_NET_RAW, CAP_SYS_PTRACE = 13, 19
SET_UP = ("for of in all default; do echo 1 >/proc/sys/net/ipv6/conf/$of/disable_ipv6; done; "
          "ip link add zba type veth peer name zbb && ip link set zba up mtu 1600 && ip link set zbb up mtu 1600 && ip link set lo up")

# What setsockopt() and getsockopt() answer where TPACKET_V3 is not known.
OLD_KERNEL = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
static int refused(int level, int option, const void *value)
{
	if (level != SOL_PACKET || (option != PACKET_VERSION && option != PACKET_HDRLEN) ||
	    *(const int *)value != TPACKET_V3)
		return 0;
	errno = EINVAL;
	return 1;
}
int setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
	int (*next)(int, int, int, const void *, socklen_t) = dlsym(RTLD_NEXT, "setsockopt");
	return refused(level, option, value) ? -1 : next(fd, level, option, value, len);
}
int getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
	int (*next)(int, int, int, void *, socklen_t *) = dlsym(RTLD_NEXT, "getsockopt");
	return refused(level, option, value) ? -1 : next(fd, level, option, value, len);
}
"""


def tagged(trace, path, vlan):
    """The trace with a VLAN tag in each Ethernet frame."""
    data = trace.read_bytes()
    out, at = [data[:24]], 24
    while at < len(data):
        seconds, micros, cap, wire = struct.unpack_from("<IIII", data, at)
        frame = data[at + 16:at + 16 + cap]
        frame = frame[:12] + struct.pack(">HH", 0x8100, vlan) + frame[12:]
        out.append(struct.pack("<IIII", seconds, micros, cap + 4, wire + 4) + frame)
        at += 16 + cap
    path.write_bytes(b"".join(out))
    return path


class Live(zb.LiveCase):
    preload = None

    def setUp(self):
        super().setUp()
        if os.getuid() != 0 or shutil.which("ip") is None:
            self.skipTest("needs root and ip, for network namespaces")
        self.space = f"zbe2e{os.getpid()}"
        made = subprocess.run(["ip", "netns", "add", self.space], capture_output=True, text=True, check=False)
        if made.returncode != 0:
            self.skipTest(f"no network namespaces here: {made.stderr.strip()}")
        self.addCleanup(subprocess.run, ["ip", "netns", "del", self.space], check=False)
        made = subprocess.run(self.inside("sh", "-c", SET_UP), capture_output=True, text=True, check=False)
        if made.returncode != 0:
            self.skipTest(f"no pair of interfaces: {made.stderr.strip()}")

    def inside(self, *command):
        # A sanitizer wants to come first, and says so; what is put before it here is no concern of its.
        asan = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        preload = (["env", f"LD_PRELOAD={self.preload}", f"ASAN_OPTIONS={asan.lstrip(':')}"]
                   if self.preload is not None else [])
        return ["ip", "netns", "exec", self.space, *preload, *map(str, command)]

    def send(self, path, pps=PPS):
        subprocess.run(self.inside(sys.executable, SENDER, "zba", path, pps), check=True, timeout=zb.TIMEOUT_S)

    def assert_complete(self, path, packets, *args):
        """The trace arrives as it is in the file, and the run ends by itself."""
        run = self.start(*args, "--count", packets, "--duration", WAIT_S)
        self.send(path)
        self.finish(run)
        result = self.result()
        self.assert_device_adds_up(result, packets)
        self.assertEqual(result["totals"]["pkts_proc"], packets)
        self.assertEqual(zb.connections(self.out / "conn.log"), self.expected(path))
        self.assert_nothing_left()

    def test_iface(self):
        """AF_PACKET, one worker."""
        trace = self.trace("--packets", 2000)
        self.assert_complete(trace.path, trace.packets, "--iface", "zbb")

    def test_iface_workers(self):
        """Several workers share an interface by flow."""
        if zb.cpus(2) is None:
            self.skipTest("needs two CPUs")
        trace = self.trace("--packets", 2000)
        for fanout in ("hash", "ebpf"):
            with self.subTest(fanout=fanout):
                shutil.rmtree(self.out, ignore_errors=True)
                self.assert_complete(trace.path, trace.packets, "--iface", "zbb", "--fanout", fanout, "--cores",
                                     ",".join(map(str, zb.cpus(2))))

    def test_iface_vlan(self):
        """The tag that the kernel takes out is there again."""
        trace = self.trace("--packets", 2000)
        path = tagged(trace.path, self.dir / "vlan.pcap", 291)
        self.assert_complete(path, trace.packets, "--iface", "zbb")
        rows = zb.rows(self.out / "conn.log")
        self.assertEqual({row["vlan"] for row in rows if "vlan" in row} or {291}, {291})

    def test_both_ends(self):
        """Two interfaces in one run: each packet is seen on its way out and on its way in."""
        trace = self.trace("--packets", 2000)
        run = self.start("--iface", "zba", "zbb", "--count", 2 * trace.packets, "--duration", WAIT_S)
        self.send(trace.path)
        self.finish(run)
        self.assert_device_adds_up(self.result(), 2 * trace.packets)
        for device in self.result()["input"]["devices"]:
            self.assertEqual(device["pkts_read"], trace.packets)

    def assert_overload(self, *args, need=1):
        """A worker that stands still loses packets, and every one of them is counted."""
        trace = self.trace("--packets", 20000)
        run = self.start(*args)
        os.kill(run.pid, signal.SIGSTOP)
        self.send(trace.path, 0)
        os.kill(run.pid, signal.SIGCONT)
        time.sleep(0.5)
        run.send_signal(signal.SIGINT)
        self.finish(run, 3)
        result = self.result()
        self.assert_device_adds_up(result, trace.packets)
        self.assertGreaterEqual(result["totals"]["pkts_dropped"], need)
        self.assertTrue(any("dropped for want of room" in n for n in result["verdict"]["notes"]))

    def test_iface_overload(self):
        self.assert_overload("--iface", "zbb", "--ring-size", "1M")

    def test_pcap(self):
        """By libpcap, as asked for; the tag of a VLAN too."""
        trace = self.trace("--packets", 2000)
        path = tagged(trace.path, self.dir / "vlan.pcap", 291)
        self.assert_complete(path, trace.packets, "--iface", "pcap:zbb")
        self.assertEqual(self.result()["input"]["devices"][0]["driver"], "libpcap")

    def test_pcap_overload(self):
        self.assert_overload("--iface", "pcap:zbb", "--ring-size", "1M")

    def test_pcap_both_ends(self):
        trace = self.trace("--packets", 2000)
        run = self.start("--iface", "pcap:zba", "zbb", "--count", 2 * trace.packets, "--duration", WAIT_S)
        self.send(trace.path)
        self.finish(run)
        self.assert_device_adds_up(self.result(), 2 * trace.packets)
        for device in self.result()["input"]["devices"]:
            self.assertEqual(device["pkts_read"], trace.packets)

    def test_kernel_without_the_ring(self):
        """Where AF_PACKET has no third version of its ring, libpcap is taken, and that is said."""
        compiler = shutil.which("cc")
        if compiler is None:
            self.skipTest("needs cc, for a library that takes the ring away")
        (self.dir / "old.c").write_text(OLD_KERNEL, encoding="ascii")
        subprocess.run([compiler, "-shared", "-fPIC", "-o", self.dir / "old.so", self.dir / "old.c"], check=True)
        self.preload = self.dir / "old.so"
        trace = self.trace("--packets", 2000)
        run = self.start("--iface", "zbb", "--count", trace.packets, "--duration", WAIT_S)
        self.send(trace.path)
        self.assertIn("--iface zbb", self.finish(run, both=True)[1])
        self.assert_device_adds_up(self.result(), trace.packets)
        self.assertEqual(self.result()["input"]["devices"][0]["driver"], "libpcap")

    def test_port_af_packet(self):
        trace = self.trace("--packets", 2000)
        self.assert_complete(trace.path, trace.packets, "--port", "net_af_packet0,iface=zbb,framecnt=16384")

    def test_port_af_packet_overload(self):
        self.assert_overload("--port", "net_af_packet0,iface=zbb")

    def test_port_divided(self):
        """One queue for two workers: a thread divides it, and says so."""
        if zb.cpus(2) is None:
            self.skipTest("needs two CPUs")
        trace = self.trace("--packets", 2000)
        self.assert_complete(trace.path, trace.packets, "--port", "net_af_packet0,iface=zbb,framecnt=16384", "--cores",
                             ",".join(map(str, zb.cpus(2))))
        result = self.result()
        self.assertIn("software", result["input"]["devices"][0]["mode"])
        self.assertTrue(any("a thread of its own" in n for n in result["verdict"]["notes"]))
        self.assertTrue(all(lcore["pkts_proc"] > 0 for lcore in result["lcores"]))

    def skip_without_af_xdp(self):
        run = subprocess.run(self.inside(*self.command("--port", "net_af_xdp0,iface=zbb", "--duration", 0.1, "--out",
                                                       self.dir / "try")), cwd=self.dir, text=True,
                             stdin=subprocess.DEVNULL, capture_output=True, timeout=zb.TIMEOUT_S, check=False)
        if run.returncode == 2:
            self.skipTest(f"no AF_XDP here: {run.stderr.strip()}")

    def test_port_af_xdp(self):
        self.skip_without_af_xdp()
        trace = self.trace("--packets", 1500)  # no more than its rings hold
        self.assert_complete(trace.path, trace.packets, "--port", "net_af_xdp0,iface=zbb")

    def test_port_af_xdp_overload(self):
        self.skip_without_af_xdp()
        self.assert_overload("--port", "net_af_xdp0,iface=zbb")

    def test_port_leaves_the_interface_as_it_was(self):
        """Neither promiscuous mode nor a program stays behind."""
        self.skip_without_af_xdp()
        for device in ("net_af_packet0", "net_af_xdp0"):
            shutil.rmtree(self.out, ignore_errors=True)
            self.finish(self.start("--port", f"{device},iface=zbb", "--duration", 1))
            shown = subprocess.run(self.inside("ip", "link", "show", "zbb"), capture_output=True, text=True,
                                   check=True).stdout
            self.assertNotIn("PROMISC", shown)
            self.assertNotIn("xdp", shown)

    def test_silence(self):
        """Without packets, time goes by all the same."""
        self.finish(self.start("--iface", "zbb", "--duration", 2))
        result = self.result()
        self.assert_law_holds(result)
        self.assertEqual(result["totals"]["pkts_link"], 0)
        self.assertGreaterEqual(len(zb.rows(self.out / "stats.log")), 2 * 2)

    def test_time_outs_without_packets(self):
        """A connection whose time is over is logged although nothing more comes."""
        path = self.dir / "one.pcap"
        syn = bytes.fromhex("ffffffffffff020000000001" "0800" "4500002800000000400600000a0000010a000002"
                            "04d2005000000001000000005002200000000000")
        path.write_bytes(zb.PCAP_HEADER + zb.record(syn + bytes(6)))
        run = self.start("--iface", "zbb", "-C", "--duration", WAIT_S)
        self.send(path)
        log, deadline = self.out / "conn.log", time.monotonic() + WAIT_S
        while time.monotonic() < deadline and not (log.exists() and log.stat().st_size != 0):
            time.sleep(0.2)
        self.assertIsNone(run.poll(), "it should still be running")
        self.assertEqual(len(zb.rows(log)), 1)
        run.send_signal(signal.SIGINT)
        self.finish(run, 3)

    def capabilities(self, pid):
        """Of all threads: their effective sets, and their users."""
        found, users = set(), set()
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            for line in (task / "status").read_text(encoding="utf-8").splitlines():
                if line.startswith("CapEff:"):
                    found.add(int(line.split()[1], 16))
                if line.startswith("Uid:"):
                    users.add(int(line.split()[2]))
        return found, users

    def test_rights_are_dropped(self):
        """No thread keeps the right to capture or to trace others."""
        run = self.start("--iface", "zbb", "--duration", WAIT_S)
        caps, users = self.capabilities(run.pid)
        run.send_signal(signal.SIGINT)
        self.finish(run, 3)
        self.assertEqual(users, {0})
        for cap in caps:
            self.assertFalse(cap & (1 << CAP_NET_RAW | 1 << CAP_SYS_PTRACE), f"{cap:x}")

    def test_user(self):
        """All threads become another user, who owns the results."""
        self.dir.chmod(0o755)
        trace = self.trace("--packets", 2000)
        run = self.start("--iface", "zbb", "--user", "nobody", "--duration", WAIT_S, "--count", trace.packets)
        caps, users = self.capabilities(run.pid)
        self.send(trace.path)
        self.finish(run)
        self.assertNotIn(0, users)
        self.assertEqual(len(users), 1)
        for cap in caps:
            self.assertFalse(cap & 1 << CAP_NET_RAW, f"{cap:x}")
        self.assertEqual(self.out.stat().st_uid, users.pop())
        self.assert_device_adds_up(self.result(), trace.packets)

    def test_filter(self):
        """What does not match is counted, and is neither analysed nor lost."""
        trace = self.trace("--packets", 2000)
        run = self.start("--iface", "zbb", "--filter", "udp", "--duration", WAIT_S)
        self.send(trace.path)
        run.send_signal(signal.SIGINT)
        self.finish(run, 3)
        result = self.result()
        self.assert_device_adds_up(result, trace.packets)
        self.assertGreater(result["totals"]["pkts_filtered"], 0)
        self.assertGreater(result["totals"]["pkts_proc"], 0)
        self.assertEqual({row["proto"] for row in zb.rows(self.out / "conn.log")}, {"udp"})


class WithoutRights(zb.Case):
    def test_port_pcap(self):
        """A device that needs no rights: a file by libpcap, divided among workers where there are two."""
        trace = self.trace("--packets", 2000)
        cores = ",".join(map(str, zb.cpus(2) or zb.cpus(1)))
        self.assert_done(self.zbench("--port", f"net_pcap0,rx_pcap={trace.path}", "--cores", cores, "--count",
                                     trace.packets, "--duration", WAIT_S, "--metrics", "off"))
        result = self.result()
        self.assert_law_holds(result)
        self.assertEqual(result["totals"]["pkts_proc"], trace.packets)
        self.assertEqual(result["input"]["kind"], "port")
        self.assert_nothing_left()

    def test_port_null(self):
        """Two devices at once that never run dry."""
        self.assert_done(self.zbench("--port", "net_null0,size=100", "--port", "net_null1", "--duration", 0.5, "--metrics", "off"))
        result = self.result()
        self.assert_law_holds(result)
        for device in result["input"]["devices"]:
            self.assertGreater(device["pkts_read"], 0)
            self.assertEqual(device["pkts_read"], device["pkts_device"])
        self.assertEqual(result["totals"]["pkts_proc"], sum(d["pkts_read"] for d in result["input"]["devices"]))

    def test_filter_on_a_trace(self):
        """The same rows as those of the packets that match; the rest is filtered, in closed and open loop."""
        trace = self.trace("--packets", 20000)
        chosen = "udp or (vlan and udp)"
        self.assert_done(self.zbench("--pcap", trace.path))
        udp = [row for row in zb.connections(self.out / "conn.log").elements() if row[4] == "udp"]
        for rate in ((), ("--rate", "100kpps", "--rx-desc", 32768)):
            self.assert_done(self.zbench("--pcap", trace.path, "--filter", chosen, *rate))
            result = self.result()
            self.assert_law_holds(result)
            totals = result["totals"]
            self.assertEqual(totals["pkts_proc"] + totals["pkts_filtered"], trace.packets)
            self.assertEqual(sorted(zb.connections(self.out / "conn.log").elements()), sorted(udp))

    def test_wrong_words(self):
        trace = self.trace("--packets", 20000)
        for args, words in (
                (("--pcap", trace.path, "--filter", "tcp prot 80"), ("--filter tcp prot 80", "syntax error")),
                (("--iface", "zbnone"), ("--iface zbnone", "no such interface")),
                (("--iface", "lo", "--pcap", trace.path), ("one of --pcap",)),
                (("--iface", "lo", "lo"), ("--iface lo", "twice")),
                (("--iface", "pcap:zbnone"), ("--iface pcap:zbnone",)),
                (("--iface", "lo", "--loop", 2), ("--loop", "trace")),
                (("--iface", "lo", "--rx-desc", 1024), ("--rx-desc", "--ring-size")),
                (("--port", "net_null0", "--fanout", "cpu"), ("--fanout", "--iface")),
                (("--port", "net_nothing0"), ("net_nothing0",)),
                (("--port", "net_pcap0,rx_pcap=/nothing/there.pcap"), ("--port net_pcap0", "no such device")),
                (("--pcap", trace.path, "--user", "nobody"), ("--user",)),
                (("--iface", "lo", "--user", "zb-nobody"), ("--user zb-nobody", "no such user")),
        ):
            with self.subTest(args=args):
                self.assert_refused(self.zbench(*args), *words)

    def test_no_right_to_capture(self):
        """Said in one line, with what to do."""
        if os.getuid() == 0:
            def drop():
                os.setgroups([])
                os.setresuid(65534, 65534, 65534)
        else:
            drop = None
        binary = self.dir / "zbench"
        shutil.copy(zb.BINARY, binary)
        binary.chmod(0o755)
        self.dir.chmod(0o777)
        run = self.zbench(command=[binary, "--iface", "lo", "--duration", "1", "--out", self.out], preexec_fn=drop)
        self.assert_refused(run, "--iface lo", "CAP_NET_RAW")


if __name__ == "__main__":
    zb.main()

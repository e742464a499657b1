#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_gen_send.py - what zbench gen sends arrives, is what it should be, and is counted as it was

Over veth in network namespaces of the test's own (root needed), and into DPDK devices that need nothing. The
machine may be busy: rates are low and --lag-max is long where everything has to arrive.
"""
import ctypes
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import time
import unittest

import zb

PATIENT = ("--lag-max", "30")
ETH_P_ALL = 3
CLONE_NEWNET = 0x40000000
SO_RCVBUFFORCE = 33
LIBC = ctypes.CDLL(None, use_errno=True)


def pcap_packets(path):
    """Bytes of the packets of a pcap file, in order."""
    data, at = path.read_bytes(), 24
    packets = []
    while at < len(data):
        cap_len = struct.unpack_from("<I", data, at + 8)[0]
        packets.append(data[at + 16:at + 16 + cap_len])
        at += 16 + cap_len
    return packets


def digests(packets):
    return sorted(hashlib.sha256(p).digest() for p in packets)


class Send(zb.Case):
    def send(self, *options, status=0, prefix=()):
        """Runs gen, gives its certificate; stderr must be silent."""
        path = self.dir / "c.json"
        run = self.zbench(command=[*prefix, *self.command("gen", "--json", path, *options)])
        self.assert_done(run, status)
        self.assertEqual(run.err, "")
        self.assert_nothing_left()
        certificate = json.loads(path.read_text(encoding="utf-8"))
        self.assert_law(certificate)
        return certificate

    def assert_law(self, c):
        self.assertEqual(c["residual"], 0)
        for unit in ("pkts", "bytes"):
            self.assertEqual(c["scheduled"][unit], c["sent"][unit] + c["unsent"][unit])


class Devices(Send):
    def test_template_into_null_is_counted(self):
        """A count is kept exactly, and the device agrees."""
        for options in (["--size", 64], ["--size", 200, "--flows", 1000], ["--packets", 500]):
            c = self.send("--port", "net_null0", "--count", 12345, *options)
            self.assertEqual(c["sent"]["pkts"], 12345)
            self.assertEqual(c["device"]["pkts"], 12345)

    def test_rate_is_kept(self):
        """So many packets as rate and duration say, each with a lag, none early."""
        c = self.send("--port", "net_null0", "--size", 64, "--rate", "20kpps", "--duration", "0.5", *PATIENT)
        self.assertEqual(c["scheduled"]["pkts"], 10000)
        self.assertEqual(c["sent"]["pkts"], 10000)
        self.assertEqual(sum(t["pkts"] for t in c["timeline"]), 10000)
        self.assertGreaterEqual(c["lag"]["p50_ns"], 0)
        self.assertGreaterEqual(c["elapsed_s"], 0.4999)
        self.assertEqual(c["asked"]["rate"], "20kpps")

    def test_profile_arrives_whole(self):
        """What a file device receives is what gen writes with the same seed."""
        out, written = self.dir / "sent.pcap", self.dir / "written.pcap"
        c = self.send("--port", f"net_pcap0,tx_pcap={out}", "--packets", 3000, "--seed", 7)
        self.assert_done(self.zbench(command=self.command("gen", "--packets", 3000, "--seed", 7, "--out", written)))
        self.assertEqual(c["sent"]["pkts"], 3000)
        self.assertEqual(pcap_packets(out), pcap_packets(written))

    def test_on_the_fly_is_what_gen_writes(self):
        """Made while it is sent, whether written into the device's buffers or copied: the same packets."""
        out, written = self.dir / "sent.pcap", self.dir / "written.pcap"
        for options in (["--packets", 3000], ["--profile", "campus", "--packets", 3000, "--tap", "loss=5%"],
                        ["--packets", 3000, "--attack", "syn-flood=20%"]):
            run = self.zbench(command=self.command("gen", *options, "--seed", 7, "--out", written))
            self.assert_done(run)
            want = pcap_packets(written)
            c = self.send("--port", f"net_pcap0,tx_pcap={out}", "--on-the-fly", *options, "--seed", 7)
            self.assertEqual(c["sent"]["pkts"], len(want))
            self.assertEqual(pcap_packets(out), want)
            self.assertGreater(c["sessions"]["begun"], 0)

    def test_on_the_fly_has_no_end(self):
        """More packets than ten thousand sessions have; none comes twice."""
        out = self.dir / "sent.pcap"
        c = self.send("--port", f"net_pcap0,tx_pcap={out}", "--on-the-fly", "--profile", "flood", "--count", 30000)
        self.assertEqual(c["sent"]["pkts"], 30000)
        self.assertEqual(c["sessions"]["begun"], 30000)
        self.assertEqual(len({p[26:36] for p in pcap_packets(out)}), 30000)

    def test_on_the_fly_with_what_is_not_made_is_refused(self):
        """Nothing is made of a template or a trace."""
        for options in (["--size", 64], ["--same-flows"]):
            run = self.zbench("gen", "--port", "net_null0", "--on-the-fly", *options)
            self.assert_refused(run, "--on-the-fly")

    def test_full_device_ends_on_time(self):
        """A device that takes no more does not stretch the run: the rest is unsent, exit status 1."""
        begin = time.monotonic()
        c = self.send("--port", "net_ring0", "--size", 64, "--rate", "1Mpps", "--duration", 1, status=1)
        self.assertLess(time.monotonic() - begin, 60)
        self.assertEqual(c["scheduled"]["pkts"], 1000000)
        self.assertLess(c["sent"]["pkts"], 20000)
        self.assertGreater(c["unsent"]["late_pkts"], 900000)

    def test_certificate_in_folder(self):
        """--out names the folder that the certificate goes into."""
        run = self.zbench("gen", "--port", "net_null0", "--size", 64, "--count", 10)
        self.assert_done(run)
        c = json.loads((self.out / "certificate.json").read_text(encoding="utf-8"))
        self.assertEqual(c["sent"]["pkts"], 10)
        self.assertRegex(run.out, r"(?m)^sent +10 +640 ")

    def test_signal_ends_it_in_good_order(self):
        """SIGINT: the certificate covers what was due until then; exit status 3."""
        path = self.dir / "c.json"
        run = subprocess.Popen(self.command("gen", "--port", "net_null0", "--size", 64, "--rate", "1kpps",
                                            "--duration", 3600, "--json", path, *PATIENT),
                               stdout=subprocess.PIPE, text=True)
        time.sleep(2)
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=zb.TIMEOUT_S)
        if run.returncode == -signal.SIGINT:
            self.skipTest("the signal came before the run had begun: the machine is busy")
        self.assertEqual(run.returncode, 3)
        c = json.loads(path.read_text(encoding="utf-8"))
        self.assertEqual(c["status"], "interrupted")
        self.assert_law(c)

    def test_bad_usage_is_refused(self):
        """One line, exit status 2, nothing started."""
        for options, *words in (
                (["--port", "net_null0", "--iface", "lo"], "--port", "--iface"),
                (["--port", "net_null0", "--rate", "fast"], "--rate fast"),
                (["--port", "net_null0", "--size", 64, "--rate", "1x"], "--rate 1x"),
                (["--port", "net_null0", "--packets", 100, "--rate", "9Tbps"], "--rate 9Tbps"),
                (["--port", "net_null0", "--size", 10], "--size 10"),
                (["--port", "net_null0", "--core", "0-999"], "--core"),
                (["--port", "net_pcap0,tx_pcap=/nonexistent/a", "--size", 64], "net_pcap0"),
                (["--port", "fe:1f.7", "--size", 64], "fe:1f.7"),
                (["--iface", "nosuchif0", "--size", 64], "nosuchif0")):
            self.assert_refused(self.zbench(command=self.command("gen", *options)), *words)


@unittest.skipUnless(os.geteuid() == 0 and shutil.which("ip"), "network namespaces need root and ip")
class Veth(Send):
    def setUp(self):
        super().setUp()
        self.ns = f"zb-send-{os.getpid()}"
        made = subprocess.run(["ip", "netns", "add", self.ns], capture_output=True, text=True, check=False)
        if made.returncode != 0:
            self.skipTest(f"no network namespace: {made.stderr.strip()}")
        self.addCleanup(subprocess.run, ["ip", "netns", "del", self.ns], check=True)
        quiet = [*self.prefix, "sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6"]
        made = subprocess.run(quiet, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            self.skipTest(f"no network namespace: {made.stderr.strip()}")
        self.inside("ip", "link", "add", "zb0", "type", "veth", "peer", "name", "zb1")
        for name in ("zb0", "zb1"):
            self.inside("ip", "link", "set", name, "up")

    @property
    def prefix(self):
        return ["ip", "netns", "exec", self.ns]

    def inside(self, *words):
        return subprocess.run([*self.prefix, *words], capture_output=True, text=True, check=True).stdout

    def counter(self, name, what):
        return int(self.inside("cat", f"/sys/class/net/{name}/statistics/{what}"))

    def listen(self):
        """A raw socket on the other end, whose buffer holds all that a test sends."""
        here = os.open("/proc/self/ns/net", os.O_RDONLY)
        there = os.open(f"/run/netns/{self.ns}", os.O_RDONLY)
        try:
            self.assertEqual(LIBC.setns(there, CLONE_NEWNET), 0)
            s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 256 << 20)
            s.bind(("zb1", 0))
        finally:
            LIBC.setns(here, CLONE_NEWNET)
            os.close(here)
            os.close(there)
        s.setblocking(False)
        self.addCleanup(s.close)
        return s

    @staticmethod
    def received(s):
        packets = []
        try:
            while True:
                packets.append(s.recv(65536))
        except BlockingIOError:
            return packets

    def test_trace_arrives_complete(self):
        """Every packet of a trace once, byte for byte; VLAN tags apart, which the socket takes out."""
        self.check_arrival("--iface", "zb0")
        self.check_arrival("--port", "net_af_packet0,iface=zb0")

    def check_arrival(self, *where):
        trace = self.trace("--packets", 2000, "--seed", 3)
        s = self.listen()
        self.send(*where, "--pcap", trace.path, "--rate", "20kpps", *PATIENT, prefix=self.prefix)
        sent = [p[:12] + p[16:] if p[12:14] == b"\x81\x00" else p for p in pcap_packets(trace.path)]
        self.assertEqual(digests(self.received(s)), digests(sent))

    def test_on_the_fly_arrives(self):
        """Through a ring of the kernel each frame is copied; all of them arrive."""
        s = self.listen()
        c = self.send("--iface", "zb0", "--on-the-fly", "--packets", 2000, "--rate", "20kpps", *PATIENT,
                      prefix=self.prefix)
        self.assertEqual(c["sent"]["pkts"], 2000)
        self.assertEqual(len(self.received(s)), 2000)

    def test_counts_are_those_of_the_kernel(self):
        """Sent by the certificate is sent by the interface, and received at the other end."""
        for where in (["--iface", "zb0"], ["--port", "net_af_packet0,iface=zb0"]):
            sent, got = self.counter("zb0", "tx_packets"), self.counter("zb1", "rx_packets")
            c = self.send(*where, "--size", 64, "--flows", 100, "--count", 5000, "--rate", "50kpps", *PATIENT,
                          prefix=self.prefix)
            self.assertEqual(c["sent"]["pkts"], 5000)
            self.assertEqual(self.counter("zb0", "tx_packets") - sent, 5000)
            self.assertEqual(self.counter("zb1", "rx_packets") - got, 5000)
            self.assertEqual(c["device"]["pkts"], 5000)

    def test_too_high_a_rate_is_not_stretched(self):
        """More than any kernel sends: it ends on time, and what is missing is counted."""
        before = self.counter("zb0", "tx_packets")
        c = self.send("--iface", "zb0", "--size", 64, "--rate", "100Mpps", "--duration", 1, status=1,
                      prefix=self.prefix)
        self.assertEqual(c["scheduled"]["pkts"], 100000000)
        self.assertGreater(c["unsent"]["pkts"], 50000000)
        self.assertEqual(self.counter("zb0", "tx_packets") - before, c["sent"]["pkts"])
        self.assertLess(c["elapsed_s"], 20)

    def test_frames_beyond_the_mtu_are_unsent(self):
        """An interface with a smaller MTU: those that fit go, the others are counted."""
        self.inside("ip", "link", "set", "zb0", "mtu", "600")
        c = self.send("--iface", "zb0", "--packets", 1000, "--rate", "20kpps", *PATIENT, status=1,
                      prefix=self.prefix)
        self.assertGreater(c["unsent"]["size_pkts"], 0)
        self.assertEqual(c["unsent"]["size_pkts"], c["unsent"]["pkts"])
        self.assertEqual(c["device"]["pkts"], c["sent"]["pkts"])

    def test_interface_that_is_down_is_refused(self):
        """It says so, and what to do."""
        self.inside("ip", "link", "set", "zb0", "down")
        run = self.zbench(command=[*self.prefix, *self.command("gen", "--iface", "zb0", "--size", 64)])
        self.assert_refused(run, "zb0", "ip link set zb0 up")

    def test_interface_that_goes_away_breaks_the_run_off(self):
        """The certificate is written, the exit status is 3."""
        path = self.dir / "c.json"
        run = subprocess.Popen([*self.prefix, *self.command("gen", "--iface", "zb0", "--size", 64, "--rate", "1kpps",
                                                            "--duration", 60, "--json", path, *PATIENT)],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(2)
        self.inside("ip", "link", "del", "zb0")
        _, err = run.communicate(timeout=zb.TIMEOUT_S)
        if run.returncode == 2:
            self.skipTest("the interface was gone before the run had begun: the machine is busy")
        self.assertEqual(run.returncode, 3, err)
        self.assertTrue(re.match(r"zbench: zb0: \S", err), err)
        self.assertEqual(json.loads(path.read_text(encoding="utf-8"))["status"], "broken")


if __name__ == "__main__":
    zb.main()

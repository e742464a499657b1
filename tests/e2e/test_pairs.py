#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_pairs.py - what one zbench sends another one takes, over devices that are memory which both share

What there is no room for is the sender's to say: it is unsent. So that nothing is lost when either side leaves, the
sender stays until the receiver has left, or long enough for it to have read all.
"""
import json
import pathlib
import re
import socket
import subprocess
import time

import zb

PATIENT = ("--lag-max", 30)  # the machine may be busy
FLOOD = "50Mpps"  # which no worker can take
LONG = 100  # frames of five buffers; a ring has 1024
SO_ACCEPTCON = 1 << 16  # of the kernel's net.h


class PairCase(zb.LiveCase):
    def setUp(self):
        super().setUp()
        two = zb.cpus(2) or zb.cpus(1) * 2
        self.core, self.sender_core = two

    def socket(self):
        return self.dir / "socket"

    def gen(self, port, *args):
        """Starts a sender."""
        gen = subprocess.Popen(
            self.inside(*self.command("gen", "--port", port, "--json", self.dir / "c.json", "--core", self.sender_core,
                                      *args)),
            cwd=self.dir, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=zb.SANITIZED)
        self.addCleanup(lambda: gen.poll() is None and gen.kill())
        return gen

    def listens(self):
        """Whether who comes to the socket is heard: it has a name before it is listened at."""
        found = [line.split() for line in pathlib.Path("/proc/net/unix").read_text("utf-8").splitlines()[1:]]
        return any(fields[-1] == str(self.socket()) and int(fields[3], 16) & SO_ACCEPTCON for fields in found)

    def wait_for_socket(self, gen):
        deadline = time.monotonic() + zb.WAIT_S
        while not self.listens():
            if gen.poll() is not None or time.monotonic() > deadline:
                self.finish(gen, None)
                self.fail("the sender does not listen at a socket")
            time.sleep(0.02)

    def certificate(self):
        c = json.loads((self.dir / "c.json").read_text(encoding="utf-8"))
        self.assertEqual(c["residual"], 0)
        return c

    def assert_trace_arrives(self, receiver, sender, *args, sender_first=False):
        """All of it, and the receiver leaves first."""
        trace = self.trace("--packets", 2000)
        wanted = ("--port", receiver, "--cores", self.core, "--count", trace.packets, "--duration", zb.WAIT_S, *args)
        sent = (sender, "--pcap", trace.path, "--rate", "4kpps", "--linger", zb.WAIT_S, *PATIENT)
        if sender_first:
            gen = self.gen(*sent)
            self.wait_for_socket(gen)
            run = self.start(*wanted)
        else:
            run, gen = self.start(*wanted), self.gen(*sent)
        self.finish(run)
        self.finish(gen)
        result, c = self.result(), self.certificate()
        self.assert_device_adds_up(result, trace.packets)
        self.assertEqual(result["totals"]["pkts_proc"], trace.packets)
        self.assertEqual(result["totals"]["bytes_link"], trace.bytes)
        self.assertEqual(c["sent"]["pkts"], trace.packets)
        # What waited for the receiver comes at once; rows of less than a microsecond have no bytes, as Zeek's.
        but = ("orig_bytes", "resp_bytes") if sender_first else ()
        self.assertEqual(zb.connections(self.out / "conn.log", but), self.expected(trace.path, but))
        self.assert_nothing_left()

    def assert_flood_adds_up(self, receiver, sender, *args):
        """What the sender says it sent is what the receiver's device counted; and the sender leaves first."""
        run = self.start("--port", receiver, "--cores", self.core, *args)
        gen = self.gen(sender, "--size", 200, "--flows", 1000, "--rate", FLOOD, "--duration", 1, "--linger", 2)
        self.finish(gen, 1)
        run.send_signal(2)
        self.finish(run, 3)
        c = self.certificate()
        self.assertGreater(c["unsent"]["pkts"], 0)
        self.assertGreater(c["sent"]["pkts"], 0)
        self.assert_device_adds_up(self.result(), c["sent"]["pkts"])
        self.assertEqual(c["device"]["pkts"], c["sent"]["pkts"])
        self.assert_nothing_left()


class Pairs(PairCase):
    def memif(self, role):
        return f"net_memif0,role={role},socket={self.socket()},socket-abstract=no"

    def test_memif(self):
        self.assert_trace_arrives(self.memif("server"), self.memif("client"))

    def test_memif_server_sends(self):
        self.assert_trace_arrives(self.memif("client"), self.memif("server"), sender_first=True)

    def test_memif_flood(self):
        self.assert_flood_adds_up(self.memif("server"), self.memif("client"))

    def test_memif_long_frames(self):
        """Frames of several buffers, there and here: no more of them than a ring has room for. Of a full one, DPDK's
        driver hands over the beginning of a frame, and then the whole of it again."""
        run = self.start("--port", self.memif("server"), "--cores", self.core, "--count", LONG, "--duration", zb.WAIT_S)
        self.finish(self.gen(self.memif("client"), "--size", 9000, "--count", LONG, "--rate", "1kpps", "--linger",
                             zb.WAIT_S, *PATIENT))
        self.finish(run)
        result = self.result()
        self.assert_device_adds_up(result, LONG)
        self.assertEqual(result["totals"]["bytes_link"], LONG * 9000)
        self.assertEqual(result["input"]["devices"][0]["segmented"], LONG)

    def test_vhost(self):
        self.assert_trace_arrives(f"net_vhost0,iface={self.socket()}", f"virtio_user0,path={self.socket()}")

    def test_vhost_sends(self):
        self.assert_trace_arrives(f"virtio_user0,path={self.socket()}", f"net_vhost0,iface={self.socket()}",
                                  sender_first=True)

    def test_vhost_flood(self):
        self.assert_flood_adds_up(f"net_vhost0,iface={self.socket()}", f"virtio_user0,path={self.socket()}")

    def test_memif_unmaps_late(self):
        """What DPDK's driver unmaps with is ours, which waits (tests/unit/test_memif_unmap.c)."""
        bindings = self.dir / "bindings"
        env = {**zb.SANITIZED, "LD_BIND_NOW": "1", "LD_DEBUG": "bindings", "LD_DEBUG_OUTPUT": str(bindings)}
        self.assert_done(self.zbench("--port", self.memif("server"), "--duration", 0.1, env=env))
        text = "".join(f.read_text("utf-8") for f in self.dir.glob("bindings.*"))
        bound = re.findall(r"binding file \S*librte_net_memif\S* \[0\] to (\S+) \[0\]: normal symbol `munmap'", text)
        self.assertEqual([pathlib.Path(to).name for to in bound], ["zbench"])

    def test_memif_slow_server(self):
        """A client waits for a server that takes its time, and comes back to one that turned it away."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
            server.bind(str(self.socket()))
            server.listen()
            server.settimeout(zb.WAIT_S)
            gen = self.gen(self.memif("client"), "--count", 1)
            for _ in range(2):
                client, _address = server.accept()
                with client:
                    client.settimeout(1)
                    with self.assertRaises(TimeoutError, msg="the client left"):
                        client.recv(1)
            gen.kill()
            self.finish(gen, None)

    def test_nobody_there(self):
        """Said in one line."""
        for port in (self.memif("client"), f"virtio_user0,path={self.socket()}"):
            with self.subTest(port=port):
                self.assert_refused(self.zbench("--port", port, "--duration", 1), f"--port {port.split(',')[0]}",
                                    self.socket())


if __name__ == "__main__":
    zb.main()

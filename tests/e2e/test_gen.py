#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_gen.py - zbench gen writes what it says, the same for the same seed, and other programs can read it"""
import hashlib
import shutil
import struct
import subprocess

import zb

CHECK_ALL = [option for layer in ("ip", "tcp", "udp") for option in ("-o", f"{layer}.check_checksum:TRUE")]


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def count(path):
    """(packets, bytes) of a pcap file, as its records say."""
    data = path.read_bytes()
    at, packets, total = 24, 0, 0
    while at < len(data):
        _, _, cap_len, wire_len = struct.unpack_from("<IIII", data, at)
        at += 16 + cap_len
        packets += 1
        total += wire_len
    return packets, total


class Gen(zb.Case):
    def gen(self, name, *options):
        path = self.dir / name
        run = self.zbench(command=self.command("gen", "--out", path, *options))
        self.assert_done(run)
        self.assertEqual(run.err, "")
        return path

    def test_says_what_it_wrote(self):
        """The packets and bytes it names are those in the file."""
        trace = self.trace("--packets", 5000)
        self.assertEqual(count(trace.path), (trace.packets, trace.bytes))
        self.assertEqual(trace.packets, 5000)

    def test_same_seed_same_bytes(self):
        """A seed stands for the bytes of a trace; another seed stands for others."""
        a = self.gen("a.pcap", "--sessions", 300, "--seed", 5)
        b = self.gen("b.pcap", "--sessions", 300, "--seed", 5)
        c = self.gen("c.pcap", "--sessions", 300, "--seed", 6)
        self.assertEqual(digest(a), digest(b))
        self.assertNotEqual(digest(a), digest(c))

    def test_flood_has_so_many_flows(self):
        """As many flows as asked for, one packet each."""
        trace = self.trace("--profile", "flood", "--flows", 20000, "--duration", 2)
        self.assertEqual((trace.packets, trace.sessions), (20000, 20000))

    def test_another_program_finds_no_fault(self):
        """tshark finds nothing malformed and no wrong checksum."""
        if shutil.which("tshark") is None:
            self.skipTest("there is no tshark")
        path = self.gen("a.pcap", "--sessions", 1000)
        said = subprocess.run(["tshark", "-r", path, *CHECK_ALL, "-q", "-z", "expert,warn"], text=True,
                              capture_output=True, check=True, timeout=zb.TIMEOUT_S).stdout
        self.assertIn("Warns", said)  # resets are there, and are what a warning is about
        self.assertNotIn("Errors", said)
        self.assertNotRegex(said, "(?i)malformed|checksum|not captured")

    def test_unwritable_file_is_refused(self):
        """A file that cannot be created is one line and exit status 2."""
        run = self.zbench(command=self.command("gen", "--out", self.dir / "no" / "a.pcap"))
        self.assert_refused(run, "a.pcap", "No such file")

    def test_full_disk_leaves_no_file(self):
        """A trace that could not be completed says so and does not end with success."""
        run = self.zbench(command=self.command("gen", "--out", "/dev/full", "--sessions", 100))
        self.assert_done(run, 3)
        self.assertEqual(len(run.err.splitlines()), 1, run.err)


if __name__ == "__main__":
    zb.main()

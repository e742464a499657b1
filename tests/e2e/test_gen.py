#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_gen.py - zbench gen writes what it says, the same for the same seed, and other programs can read it"""
import hashlib
import re
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


def records(path):
    """(time in units of the file, captured, wire length) of each packet."""
    data = path.read_bytes()
    at = 24
    while at < len(data):
        seconds, rest, cap_len, wire_len = struct.unpack_from("<IIII", data, at)
        at += 16 + cap_len
        yield seconds * 1000000 + rest, cap_len, wire_len


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

    def test_quic_can_be_opened(self):
        """tshark opens the Initial packets of every QUIC session and finds hellos of TLS; the engine names the service."""
        path = self.gen("q.pcap", "--profile", self.profile("duration: 3s\nstreams:\n"
                        "  - {kind: sessions, rate: 100, mix: [{kind: quic, requests: 1-3, size: 1-20k}]}\n"))
        self.assert_done(self.zbench("--pcap", path))
        rows = zb.rows(self.out / "conn.log")
        self.assertEqual({(row["service"], row["conn_state"]) for row in rows}, {("quic", "SF")})
        if shutil.which("tshark") is None:
            self.skipTest("there is no tshark")
        for kind, name in ((1, "tls.handshake.extensions_server_name"), (2, "tls.handshake.ciphersuite")):
            said = subprocess.run(["tshark", "-r", path, *CHECK_ALL, "-Y", f"quic and tls.handshake.type == {kind}", "-T",
                                   "fields", "-e", name], text=True, capture_output=True, check=True,
                                  timeout=zb.TIMEOUT_S).stdout.splitlines()
            self.assertEqual(len(said), len(rows))
            self.assertTrue(all(said))
        said = subprocess.run(["tshark", "-r", path, *CHECK_ALL, "-q", "-z", "expert,warn"], text=True,
                              capture_output=True, check=True, timeout=zb.TIMEOUT_S).stdout
        self.assertNotRegex(said, "(?i)Errors|malformed|checksum|not captured")

    def profile(self, text):
        path = self.dir / "my.yaml"
        path.write_text(text, encoding="ascii")
        return path

    def test_profiles_in_yaml_are_without_fault(self):
        """Of every profile that comes with the program, other programs find nothing malformed, no wrong checksum."""
        for name in ("campus", "connections", "imix", "microburst", "onoff"):
            path = self.gen(f"{name}.pcap", "--profile", name, "--packets", 20000)
            self.assertEqual(count(path)[0], 20000)
            if shutil.which("tcpdump") is not None:
                run = subprocess.run(["tcpdump", "-nvvr", path], text=True, capture_output=True, check=True,
                                     timeout=zb.TIMEOUT_S)
                # Bytes of payload are printed too, so only what tcpdump itself says in such words counts.
                wrong = re.search(r"\(incorrect|bad (udp )?cksum|\[bad|truncated", run.stdout + run.stderr)
                self.assertIsNone(wrong, name)
            if shutil.which("tshark") is not None:
                said = subprocess.run(["tshark", "-r", path, *CHECK_ALL, "-q", "-z", "expert,warn"], text=True,
                                      capture_output=True, check=True, timeout=zb.TIMEOUT_S).stdout
                self.assertNotRegex(said, "(?i)Errors|malformed|checksum|not captured")
        if shutil.which("tcpdump") is None and shutil.which("tshark") is None:
            self.skipTest("there is neither tcpdump nor tshark")

    def test_profile_of_ones_own(self):
        """A file is read by its path; its bytes are the seed's; its engine finds the sessions it says."""
        path = self.profile("duration: 5s\nstreams:\n"
                            "  - {kind: sessions, rate: 40, mix: [{kind: http, requests: 2, size: 5k}]}\n")
        a = self.gen("a.pcap", "--profile", path)
        b = self.gen("b.pcap", "--profile", path)
        self.assertEqual(digest(a), digest(b))
        self.assert_done(self.zbench("--pcap", a))
        rows = zb.rows(self.out / "conn.log")
        self.assertEqual(len(rows), 200)
        self.assertEqual({row["service"] for row in rows}, {"http"})
        self.assertEqual(len(zb.rows(self.out / "http.log")), 400)

    def test_bad_profile_names_file_line_and_key(self):
        """A mistake in a profile is one line, exit status 2, and no file."""
        path = self.profile("streams:\n  - kind: packets\n    sizes: 20\n")
        run = self.zbench(command=self.command("gen", "--out", self.dir / "a.pcap", "--profile", path))
        self.assert_refused(run, "my.yaml: line 3: sizes: 20: ")
        self.assertFalse((self.dir / "a.pcap").exists())
        run = self.zbench(command=self.command("gen", "--out", self.dir / "a.pcap", "--profile", "ofice"))
        self.assert_refused(run, "--profile ofice", "office")
        run = self.zbench(command=self.command("gen", "--out", self.dir / "a.pcap", "--profile", "no.yaml"))
        self.assert_refused(run, "no.yaml", "No such file")

    def test_tap_says_what_it_did(self):
        """What a tap lost and duplicated is what is missing and too much; what it did to a trace is the same."""
        whole = self.gen("whole.pcap", "--packets", 20000)
        path = self.dir / "tapped.pcap"
        words = ("--tap", "loss=2%,burst=3,duplicate=1%,reorder=1%,snaplen=100,skew=2")
        run = self.zbench(command=self.command("gen", "--pcap", whole, "--out", path, *words))
        self.assert_done(run)
        said = {word: int(number) for number, word in re.findall(r"tap: (\d+) (\w+)", run.out)}
        self.assertGreater(said["lost"], 0)
        self.assertGreater(said["reordered"], 0)
        self.assertEqual(count(path)[0], 20000 - said["lost"] + said["duplicated"])
        cut = 0
        for _, cap_len, wire_len in records(path):
            self.assertLessEqual(cap_len, 100)
            cut += cap_len < wire_len
        self.assertEqual(cut, said["cut"])
        times = [time for time, _, _ in records(path)]
        self.assertEqual(times, sorted(times))
        again = self.gen("again.pcap", "--packets", 20000, *words)
        self.assertEqual(count(again), count(path))

    def test_tap_of_nothing_changes_nothing(self):
        """A trace that is passed on is the same, packet by packet."""
        whole = self.gen("whole.pcap", "--packets", 3000, "--ns")
        same = self.gen("same.pcap", "--pcap", whole, "--ns")
        self.assertEqual(whole.read_bytes()[24:], same.read_bytes()[24:])

    def test_engine_finds_the_loss_that_was(self):
        """Bytes that conn.log misses are bytes that the tap lost: none without it, nearly all with it."""
        whole = self.gen("whole.pcap", "--profile", self.profile(
            "streams:\n  - {kind: sessions, at_once: 5, mix: [{kind: file, size: 1M, rtt: 5ms, bandwidth: 20Mbps}]}\n"),
            "--packets", 30000)
        lossy = self.dir / "lossy.pcap"
        run = self.zbench(command=self.command("gen", "--pcap", whole, "--out", lossy, "--tap", "loss=1%"))
        self.assert_done(run)
        lost = int(re.search(r"(\d+) bytes\n$", run.out).group(1))
        missed = []
        for path in (whole, lossy):
            self.assert_done(self.zbench("--pcap", path))
            missed.append(sum(row.get("missed_bytes", 0) for row in zb.rows(self.out / "conn.log")))
            shutil.rmtree(self.out)
        self.assertEqual(missed[0], 0)
        self.assertLess(missed[1], lost)
        self.assertGreater(missed[1], lost * 0.8)

    def test_trace_is_not_written_over_itself(self):
        """What is read is not what is written; a trace takes none of a profile's options."""
        whole = self.gen("whole.pcap", "--packets", 100)
        before = digest(whole)
        run = self.zbench(command=self.command("gen", "--pcap", whole, "--out", whole))
        self.assert_refused(run, "--out", "the trace that is read")
        self.assertEqual(digest(whole), before)
        run = self.zbench(command=self.command("gen", "--pcap", whole, "--out", "x", "--sessions", 3))
        self.assert_refused(run, "--sessions", "--pcap")
        run = self.zbench(command=self.command("gen", "--out", "x", "--tap", "loss=2"))
        self.assert_refused(run, "--tap: loss=2: give a percentage")

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

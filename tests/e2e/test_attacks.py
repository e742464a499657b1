#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_attacks.py - every attack of zbench gen moves the figures it names, and its law holds

What must move is read from `zbench gen --explain`. A counter or a gauge has moved when it is more than in clean traffic
of as many packets; a weird, a state of conn.log, a letter of its history and rows of a log have when there are some.
"""
import json
import re
import shutil
import subprocess

import zb

PACKETS = 10000
DEAR = {"http-gzip-bomb": 500}  # millions of cycles a packet: fewer of them
PIECES = 8000
# In one connection, or, where there are fewer, in one datagram or file.
LINEAR = dict.fromkeys(("hole", "acked-hole", "tiny-reverse", "tiny-odd", "retransmit", "overlap", "http-header-bomb",
                        "http-long-line", "http-chunks", "http-multipart", "smtp-endless-line", "ftp-commands",
                        "pop3-commands", "irc-lines", "mqtt-publish", "tls-fragments"), 10 * PIECES)
LINEAR |= {"frag-tiny": 8190, "http-ranges": 4 * PIECES}
TOO_MANY_CYCLES = 2000000  # a piece
WRONG_SUMS = ("decoy", "bad-headers", "weird-flood")  # on purpose
FEW = ("slow-names",)  # slow ones, with a row for each of few packets


def names(case):
    said = case.zbench(command=case.command("gen", "--list"))
    case.assert_done(said)
    return [line.split()[0] for line in said.out.split("\n\n", maxsplit=1)[0].splitlines()[1:]]


class Figures:
    """What a run says about itself, by the names that --explain uses."""

    def __init__(self, folder):
        with open(folder / "result.json", encoding="utf-8") as f:
            self.result = json.load(f)
        self.folder = folder
        self.totals = self.result["totals"]

    def rows(self, log):
        path = self.folder / f"{log}.log"
        return zb.rows(path) if path.exists() else []

    def of(self, name):
        kind, _, what = name.partition(":")
        if kind == "weird":
            return sum(row["name"] == what for row in self.rows("weird"))
        if kind == "conn_state":
            return sum(row["conn_state"] == what for row in self.rows("conn"))
        if kind == "history":
            return sum(what in row.get("history", "") for row in self.rows("conn"))
        if kind == "rows":
            return self.totals["log_rows"].get(what, 0)
        if name.startswith("fate_"):
            return self.totals["fates"][name.removeprefix("fate_")]
        if name.startswith("stage_"):
            return self.totals["stage_cycles"][name.removeprefix("stage_").removesuffix("_cycles")]
        if name in self.totals["gauge_peaks"]:
            return self.totals["gauge_peaks"][name]
        return self.totals[name]


class Attacks(zb.Case):
    def run_over(self, *source):
        self.assert_done(self.zbench(*source, "--stats-interval", "1ms", "--cores", zb.cpus(1)[0],
                                     "--sample-hz", 0, "--prealloc", 0))
        figures = Figures(self.out)
        self.assert_law_holds(figures.result)
        self.assertEqual(figures.totals["log_rows_lost"], 0)
        return figures

    def explain(self, name):
        said = self.zbench(command=self.command("gen", "--explain", name))
        self.assert_done(said)
        return said.out

    def gen(self, *options):
        path = self.dir / "attack.pcap"
        run = self.zbench(command=self.command("gen", "--out", path, *options))
        self.assert_done(run)
        self.assertEqual(run.err, "")
        return path

    def run_attack(self, spec, packets=PACKETS):
        return self.run_over("--attack", spec, "--count", packets)

    def test_each_moves_what_it_names(self):
        clean = self.run_over("--pcap", self.trace("--packets", PACKETS).path)
        unmoved = []
        for name in names(self):
            moves = re.search(r"^  moves +(.*)$", self.explain(name), re.MULTILINE).group(1).split()
            attack = self.run_attack(name, DEAR.get(name, PACKETS))
            for figure in moves:
                plain = ":" not in figure and not figure.startswith("stage_")
                least = clean.of(figure) if plain and name not in FEW else 0
                if attack.of(figure) <= least:
                    unmoved.append(f"{name}: {figure} is {attack.of(figure)}, in clean traffic {clean.of(figure)}")
        self.assertEqual(unmoved, [])

    def test_four_times_the_pieces(self):
        """What comes in many pieces, in one connection or datagram, costs about four times for four times of them."""
        print()
        for name, pieces in LINEAR.items():
            few, many = (self.run_attack(f"{name},pieces={pieces}", n)
                         .totals["busy_cycles"] for n in (PIECES, 4 * PIECES))
            print(f"    {name:20} {few / PIECES:8.0f} cycles a piece; 4 times as many: {many / few:5.1f} times the cycles")
            self.assertLess(many / (4 * PIECES), TOO_MANY_CYCLES, name)

    def test_share_of_a_mix(self):
        """The share of an attack is that of all packets, and the clean packets are those of the profile alone."""
        figures = self.run_over("--pcap", self.gen("--profile", "office", "--packets", 10000, "--attack",
                                                   "syn-flood=10%"))
        mixed = [row for row in figures.rows("conn") if row["id.resp_h"] == "198.19.0.1"]
        self.assertEqual(figures.totals["pkts_proc"], 10000)
        self.assertEqual(sum(row["orig_pkts"] for row in mixed), 1000)
        clean = self.run_over("--pcap", self.gen("--profile", "office", "--packets", 9000))
        self.assertEqual(sorted(figures.totals["log_rows"][log] for log in ("dns", "http", "ssl", "files")),
                         sorted(clean.totals["log_rows"][log] for log in ("dns", "http", "ssl", "files")))

    def test_another_program_finds_no_fault(self):
        """tshark finds no wrong checksum where none is wrong on purpose."""
        if shutil.which("tshark") is None:
            self.skipTest("there is no tshark")
        if zb.sanitized():
            self.skipTest("the bytes are those that the program without sanitizers makes")
        path = self.dir / "all.pcap"
        with open(path, "wb") as f:
            f.write(zb.PCAP_HEADER)
            for name in names(self):
                if name not in WRONG_SUMS:
                    f.write(self.gen("--attack", name, "--packets", 200).read_bytes()[len(zb.PCAP_HEADER):])
        checks = [word for layer in ("ip", "tcp", "udp") for word in ("-o", f"{layer}.check_checksum:TRUE")]
        said = subprocess.run(["tshark", "-r", path, *checks, "-q", "-z", "expert,error"], text=True,
                              capture_output=True, check=True, timeout=zb.TIMEOUT_S).stdout
        self.assertNotRegex(said, r"(?i)checksum +(ip|tcp|udp|icmp)")

    def test_bad_specs_are_refused(self):
        """One line, and status 2."""
        for words, said in ((("--attack", "syn-flod"), "did you mean syn-flood"),
                            (("--attack", "hole,pieces=0"), "from 1 to"),
                            (("--attack", "hole,piece=3"), "no parameter piece"),
                            (("--attack", "hole,pieces"), "NAME=VALUE"),
                            (("--attack", "hole=100%"), "share"),
                            (("--attack", "hole=60%", "--attack", "overlap=60%"), "120 %"),
                            (("--attack", "hole=60%", "--attack", "overlap"), "overlap"),
                            (("--attack", "hole", "--profile", "office"), "share")):
            self.assert_refused(self.zbench(command=self.command("gen", "--out", self.dir / "a.pcap", *words)), said)
        self.assert_refused(self.zbench(command=self.command("gen", "--explain", "nothing")), "nothing")


if __name__ == "__main__":
    zb.main()

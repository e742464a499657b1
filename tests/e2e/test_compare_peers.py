#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_compare_peers.py - tools/compare-peers refuses what cannot work before it installs anything, and adds up right

What it measures needs the network once, and is not tested here.
"""
import gzip
import importlib.machinery
import importlib.util
import os
import pathlib
import sys

import zb

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "tools" / "compare-peers"
NOBODY = 65534


def load():
    """The script as a module."""
    sys.dont_write_bytecode = True
    loader = importlib.machinery.SourceFileLoader("compare_peers", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("compare_peers", loader))
    loader.exec_module(module)
    return module


def one_round(suricata_s, zbench_s, analysing_pps, cycles):
    return {"suricata": {"wall_s": suricata_s + 1, "net_s": suricata_s, "cpu_s": suricata_s, "packets": 1000},
            "zbench": {"wall_s": zbench_s * 2, "net_s": zbench_s, "cpu_s": zbench_s, "packets": 1000,
                       "analysing_s": 1000 / analysing_pps, "analysing_pps": analysing_pps, "unhashed_pps": 2 * analysing_pps,
                       "cycles_per_pkt": cycles, "cycles_per_pkt_by_stage": {"rx": cycles / 4, "stream": 0}}}


class ComparePeers(zb.Case):
    def run_script(self, *args, **popen):
        return self.zbench(command=[sys.executable, str(SCRIPT), "--root", str(self.dir / "peers"),
                                    *map(str, args)], **popen)

    def refuse(self, *args, words=(), **popen):
        """Exit status 2 and one line with these words; the folder for the peers is not even made."""
        run = self.run_script(*args, **popen)
        self.assert_done(run, 2)
        self.assertRegex(run.err, r"\Acompare-peers: [^\n]+\n\Z")
        for word in words:
            self.assertIn(str(word), run.err)
        self.assertFalse((self.dir / "peers").exists())

    def test_help_fits_a_screen(self):
        run = self.run_script("--help")
        self.assert_done(run)
        lines = run.out.splitlines()
        self.assertLessEqual(len(lines), 30)
        self.assertLessEqual(max(map(len, lines)), 110)

    def test_help_names_every_option(self):
        run = self.run_script("--help")
        for option in ("--trace", "--peer", "--pairs", "--cpu", "--zbench", "--root", "--json"):
            self.assertIn(f"  {option} ", run.out)

    def test_unknown_option(self):
        self.refuse("--colour", words=["--colour", "--help"])

    def test_unknown_peer(self):
        self.refuse("--peer", "nobody", words=["--peer", "nobody", "suricata"])

    def test_no_rounds(self):
        self.refuse("--pairs", 0, words=["--pairs"])

    def test_cpu_that_is_not_there(self):
        self.refuse("--cpu", 100000, words=["--cpu 100000"])

    def test_zbench_that_is_not_there(self):
        self.refuse("--zbench", self.dir / "none", words=["--zbench"])

    def test_folder_of_json_that_is_not_there(self):
        self.refuse("--json", self.dir / "none" / "out.json", words=["--json"])

    def test_trace_that_is_not_there(self):
        self.refuse("--trace", self.dir / "none.pcap", words=["--trace", "none.pcap"])

    def test_compressed_trace(self):
        """zbench reads it, the peers do not."""
        packed = self.dir / "packed.pcap"
        packed.write_bytes(gzip.compress(self.trace("--sessions", 10).path.read_bytes()))
        self.refuse("--trace", packed, words=["compressed"])

    def test_ordinary_user(self):
        def become_nobody():
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)

        if os.geteuid() != 0:
            self.refuse(words=["root"])
            return
        os.chmod(self.dir, 0o755)
        try:
            readable = self.run_script("--help", preexec_fn=become_nobody).status == 0
        except PermissionError:
            readable = False
        if not readable:
            self.skipTest("an ordinary user can read neither this checkout nor this Python")
        self.refuse(words=["root"], preexec_fn=become_nobody)

    def test_medians_and_ratios(self):
        """Rates are of wall time less start-up; the ratio is that of the medians, with the rounds' spread."""
        raw = {"bytes": 99000, "rounds": [one_round(10, 2, 1000, 400), one_round(20, 1, 4000, 500),
                                          one_round(5, 4, 2000, 600)]}
        module = load()
        summary = module.summarise(raw, ["suricata", "zbench"])
        self.assertEqual(summary["pps"]["suricata"], {"median": 100, "min": 50, "max": 200})
        self.assertEqual(summary["pps"]["zbench"], {"median": 500, "min": 250, "max": 1000})
        self.assertEqual(summary["analysing_pps"]["median"], 2000)
        self.assertEqual(summary["ratio_analysing"]["suricata"],
                         {"of_medians": 20, "min": 10, "max": 80, "rounds": [10, 80, 10]})
        self.assertEqual(summary["ratio_process"]["suricata"],
                         {"of_medians": 5, "min": 1.25, "max": 20, "rounds": [5, 20, 1.25]})
        self.assertEqual(summary["cycles_per_pkt_by_stage"], {"rx": 125, "stream": 0})
        self.assertEqual(summary["busy_ratio"]["zbench"], 0.5)
        lines = list(module.table(summary, {"suricata": "7.0.10"}))
        self.assertIn("cycles per packet: 500 (rx 125)", lines)
        self.assertNotIn("note", "".join(lines))

    def test_peer_that_read_less(self):
        """A peer that did not see all packets is not compared in silence."""
        raw = {"bytes": 99000, "rounds": [one_round(10, 2, 1000, 400)]}
        raw["rounds"][0]["suricata"]["packets"] = 900
        module = load()
        lines = list(module.table(module.summarise(raw, ["suricata", "zbench"]), {"suricata": "7.0.10"}))
        self.assertTrue(lines[-1].startswith("note: suricata read 900 packets, zbench 1000"))

    def test_trace_too_small_to_time(self):
        """Not a rate from nothing, let alone a negative one."""
        module = load()
        with self.assertRaises(module.Stop):
            module.summarise({"bytes": 99, "rounds": [one_round(-0.01, 2, 1000, 400)]}, ["suricata", "zbench"])


if __name__ == "__main__":
    zb.main()

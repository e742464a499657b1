#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_compare_gen.py - tools/compare-gen says how it is used, refuses what it cannot do, and measures"""
import json
import os
import pathlib
import subprocess
import unittest

import zb

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "compare-gen"


class CompareGen(zb.Case):
    def tool(self, *words):
        return self.zbench(command=[TOOL, *map(str, words)])

    def test_help_is_its_description(self):
        """--help names every option."""
        run = self.tool("--help")
        self.assert_done(run)
        for option in ("--zbench", "--rounds", "--seconds", "--cpu", "--size", "--only", "--json"):
            self.assertIn(option, run.out)

    def test_what_it_cannot_do_is_refused(self):
        """One line, exit status 2."""
        for words in (["--only", "moon"], ["--zbench", "/nonexistent/zbench"]):
            run = self.tool(*words)
            self.assert_done(run, 2)
            self.assertEqual(len(run.err.splitlines()), 1, run.err)

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_pacing_is_measured(self):
        """Each rate has a row, and a mean that is not above what was asked for."""
        if zb.cpus(2) is None:
            self.skipTest("needs two CPUs")
        run = self.tool("--zbench", zb.BINARY, "--only", "pace", "--seconds", 1, "--json", self.dir / "c.json")
        self.assert_done(run)
        rows = json.loads((self.dir / "c.json").read_text(encoding="utf-8"))["pacing"]
        self.assertEqual([row["asked"] for row in rows[:4]], [10000, 100000, 1000000, 10000000])
        for row in rows:
            self.assertLess(row["pps"], row["asked"] * 1.001)


if __name__ == "__main__":
    zb.main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_self_cost.py - --self-cost tells what each kind of measuring costs, on the screen and in result.json

What it costs is no matter for a test: it hangs on the machine. That it is told is.
"""
import json
import re

import zb

KINDS = {"stage cycle marks": "marks_pct", "statistics every interval": "statistics_pct",
         "sampling at 99 Hz": "sampling_99hz_pct", "sampling at 999 Hz": "sampling_999hz_pct",
         "heap profile (--heap)": "heap_pct", "all of the defaults": "defaults_pct"}
ROW = re.compile(r"^(\S.*?) +(-?[0-9.]+) % +([0-9.]+)  (-?[0-9.]+) \.\. (-?[0-9.]+) %$", re.M)


class SelfCost(zb.Case):
    def test_each_kind_is_told(self):
        path = self.trace("--packets", 20000).path
        run = self.zbench("--pcap", path, "--self-cost", "--cost-pairs", 5,
                          "--cores", ",".join(map(str, zb.cpus(1))))
        self.assert_done(run)
        self.assertIn(": 5 pairs of slices of 0.1 s, off and on in turn\n", run.out)
        with open(self.out / "result.json", encoding="utf-8") as f:
            result = json.load(f)
        rows = {m[0]: [float(v) for v in m[1:]] for m in ROW.findall(run.out)}
        # The heap can be profiled where jemalloc is.
        self.assertEqual(set(rows) | {"heap profile (--heap)"}, set(KINDS))
        self.assertEqual(set(result["self_cost"]), {KINDS[name] for name in rows})
        for name, (median, sure, low, high) in rows.items():
            self.assertAlmostEqual(result["self_cost"][KINDS[name]], median, delta=0.0051)
            self.assertTrue(low <= median <= high, name)
            self.assertAlmostEqual(sure, 1.82 * (high - low) / 5 ** 0.5, delta=0.02)
        # The run proper is one pass over the trace, with nothing of the above in it.
        self.assertEqual(result["totals"]["pkts_proc"], 20000)

    def test_what_does_not_fit(self):
        path = self.trace("--packets", 100).path
        for options, said in ((("--cost-pairs", 9), "--cost-pairs: of --self-cost; give it, too"),
                              (("--self-cost", "--cost-pairs", 3), "--cost-pairs")):
            run = self.zbench("--pcap", path, *options)
            self.assertEqual(run.status, 2)
            self.assertIn(said, run.err)
            self.assertEqual(len(run.err.splitlines()), 1)


if __name__ == "__main__":
    zb.main()

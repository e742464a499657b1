#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_flame_files.py - a run leaves a flame graph per lcore, folded and drawn, of the work that was done"""
import gzip
import re
import xml.etree.ElementTree

import zb


class FlameFiles(zb.Case):
    def test_folded_and_svg(self):
        trace = self.trace("--packets", 20000)
        cpu = zb.cpus(1)[0]
        self.assert_done(self.zbench("--pcap", trace.path, "--cores", cpu, "--duration", 3, "--logs", "none"))
        samples = self.result()["profile"]["samples"]
        self.assertGreater(samples, 0)

        folded = (self.out / "flame" / f"lcore-{cpu}.folded").read_text(encoding="utf-8")
        total = 0
        for line in folded.splitlines():
            stack = re.fullmatch(r"(\S.*) (\d+)", line)
            self.assertIsNotNone(stack, line)
            self.assertTrue(all(stack.group(1).split(";")), line)
            total += int(stack.group(2))
        self.assertEqual(total, samples)
        self.assertIn("zb_", folded)

        self.assertEqual(self.sampled(), samples)

        svg = xml.etree.ElementTree.parse(self.out / "flame" / f"lcore-{cpu}.svg").getroot()
        self.assertEqual(svg.tag, "{http://www.w3.org/2000/svg}svg")
        drawn = "".join(svg.itertext())
        self.assertIn("zb_", drawn)

    def sampled(self):
        """The samples on a CPU in flame/samples.gz, whose lines are checked on the way."""
        with gzip.open(self.out / "flame" / "samples.gz", "rt", encoding="utf-8") as f:
            lines = f.read().splitlines()
        self.assertEqual([lines[0], lines[-1]], ["zbench-samples 1", "end"])
        stacks = sum(line.split(" ")[0] == "s" for line in lines)
        total = 0
        for line in lines:
            if not line.startswith("t "):
                continue
            _, lane, state, *found = line[2:].split(" ")
            self.assertEqual(lane, "0")
            self.assertIn(state, ("0", "1", "2"))
            for one in found:
                stack, _, weight = one.partition("*")
                self.assertLess(int(stack), stacks)
                total += int(weight or 1) if state == "0" else 0
        self.assertTrue(any(line.startswith("v ") for line in lines))
        return total

    def test_sampling_off_leaves_none(self):
        trace = self.trace("--packets", 5000)
        self.assert_done(self.zbench("--pcap", trace.path, "--sample-hz", 0))
        self.assertEqual(zb.listing(self.out / "flame"), [])
        self.assertEqual(self.result()["profile"].get("samples", 0), 0)


if __name__ == "__main__":
    zb.main()

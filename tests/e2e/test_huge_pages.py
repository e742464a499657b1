#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_huge_pages.py - runs with huge pages and without, and leaves none behind"""
import subprocess

import zb


class HugePages(zb.Case):
    def run_once(self):
        trace = self.trace("--packets", 5000)
        self.assert_done(self.zbench("--pcap", trace.path))
        result = self.result()
        self.assert_law_holds(result)
        self.assertEqual(result["totals"]["pkts_proc"], trace.packets)
        self.assert_nothing_left()

    def test_without(self):
        if zb.free_huge_pages() != 0:
            zb.set_huge_pages(self, 0)
        self.assertEqual(zb.free_huge_pages(), 0)
        self.run_once()

    def test_with(self):
        zb.set_huge_pages(self, 128)
        free = zb.free_huge_pages()
        self.run_once()
        self.assertEqual(zb.free_huge_pages(), free)

    def test_few_for_many(self):
        """Programs that start at the same time, with huge pages for some of them, all run."""
        trace = self.trace("--packets", 1000)
        zb.set_huge_pages(self, 2)
        for _ in range(3):
            running = [subprocess.Popen(self.command("run", "--pcap", trace.path, "--logs", "none", "--out",
                                                     self.dir / f"out{i}"), stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True) for i in range(6)]
            for program in running:
                _, err = program.communicate(timeout=zb.TIMEOUT_S)
                self.assertEqual((program.returncode, err), (0, ""))


if __name__ == "__main__":
    zb.main()

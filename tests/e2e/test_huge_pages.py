#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_huge_pages.py - runs with huge pages and without, and leaves none behind"""
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


if __name__ == "__main__":
    zb.main()

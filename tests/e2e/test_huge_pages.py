#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_huge_pages.py - runs with huge pages and without, and leaves none behind"""
import pathlib

import zb

POOL = pathlib.Path("/proc/sys/vm/nr_hugepages")


def free_pages():
    for line in pathlib.Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("HugePages_Free:"):
            return int(line.split()[1])
    return 0


class HugePages(zb.Case):
    def reserve(self, pages):
        """Sets the machine's pool for the test; puts it back afterwards."""
        try:
            before = POOL.read_text(encoding="ascii")
            POOL.write_text(f"{pages}\n", encoding="ascii")
        except OSError as e:
            self.skipTest(f"may not change the pool of huge pages: {e}")
        self.addCleanup(POOL.write_text, before, encoding="ascii")
        if free_pages() < pages:
            self.skipTest(f"the machine has no {pages} huge pages to spare")

    def run_once(self):
        trace = self.trace("--packets", 5000)
        self.assert_done(self.zbench("--pcap", trace.path))
        result = self.result()
        self.assert_law_holds(result)
        self.assertEqual(result["totals"]["pkts_proc"], trace.packets)
        self.assert_nothing_left()

    def test_without(self):
        if free_pages() != 0:
            self.reserve(0)
        self.assertEqual(free_pages(), 0)
        self.run_once()

    def test_with(self):
        self.reserve(128)
        free = free_pages()
        self.run_once()
        self.assertEqual(free_pages(), free)


if __name__ == "__main__":
    zb.main()

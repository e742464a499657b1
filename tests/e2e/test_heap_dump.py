#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_heap_dump.py - --heap final leaves a dump that jeprof reads"""
import shutil
import subprocess
import unittest

import zb


class HeapDump(zb.Case):
    @unittest.skipIf(shutil.which("jeprof") is None, "there is no jeprof")
    def test_jeprof_reads_it(self):
        trace = self.trace("--sessions", 5000)
        run = self.zbench("--pcap", trace.path, "--heap", "final")
        if run.status == 2 and "no heap profiler" in run.err:
            self.assert_refused(run, "--heap")
            self.skipTest("built without jemalloc")
        self.assert_done(run)
        dumps = sorted((self.out / "heap").iterdir())
        self.assertTrue(dumps, "no dump in heap/")
        dump = next(d for d in dumps if d.read_bytes().startswith(b"heap_v2/"))
        said = subprocess.run(["jeprof", "--text", zb.BINARY, dump], text=True, capture_output=True, check=True,
                              timeout=zb.TIMEOUT_S).stdout
        self.assertRegex(said, r"(?m)^Total: [0-9.]+ [kMG]?B")
        self.assertIn("zb_", said)

    def test_off_leaves_none(self):
        trace = self.trace("--sessions", 100)
        self.assert_done(self.zbench("--pcap", trace.path, "--heap", "off"))
        self.assertEqual(zb.listing(self.out / "heap"), [])


if __name__ == "__main__":
    zb.main()

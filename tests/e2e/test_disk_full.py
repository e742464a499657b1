#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_disk_full.py - a full disk costs log rows, never the run: said once, counted, exit status 1"""
import os
import subprocess

import zb


class DiskFull(zb.Case):
    def check(self):
        """conn.log has been linked to where there is little or no room."""
        trace = self.trace("--sessions", 5000)
        run = self.zbench("--pcap", trace.path)
        self.assert_done(run, 1)
        said = [line for line in run.err.splitlines() if "No space left" in line]
        self.assertEqual(len(said), 1, run.err)
        self.assertIn("conn.log", said[0])
        result = self.result()
        self.assert_law_holds(result)
        self.assertEqual(result["totals"]["pkts_proc"], trace.packets)
        self.assertGreater(result["totals"]["log_rows_failed"], 0)
        log = result["logs"]["conn"]
        self.assertGreater(log["rows_failed"], 0)
        self.assertIn("No space left", log["error"])
        return log["rows"], log["rows_failed"]

    def test_no_room_at_all(self):
        self.out.mkdir()
        os.symlink("/dev/full", self.out / "conn.log")
        written, failed = self.check()
        self.assertEqual(written, 0)
        self.assertGreater(failed, 3000)

    def test_disk_fills_up_on_the_way(self):
        if os.getuid() != 0:
            self.skipTest("needs root, to mount a small disk")
        small = self.dir / "small"
        small.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], text=True,
                                 capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest(f"cannot mount: {mounted.stderr}")
        self.addCleanup(subprocess.run, ["umount", small], check=True)
        self.out.mkdir()
        os.symlink(small / "conn.log", self.out / "conn.log")
        self.check()
        self.assertGreater((small / "conn.log").stat().st_size, 0)


if __name__ == "__main__":
    zb.main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_nothing_left.py - a run leaves its folder and nothing else: no files, no processes, and latest points at it"""
import os

import zb


class NothingLeft(zb.Case):
    def test_only_the_folder_stays(self):
        trace = self.trace("--packets", 5000)
        run = self.zbench("--pcap", trace.path)
        self.assert_done(run)
        self.assert_nothing_left()
        self.assertEqual([name for name in os.listdir(self.dir) if not name.startswith("zbench-out")], ["out"])
        for name in ("result.json", "conn.log", "stats.log", "lcore.log"):
            self.assertGreater((self.out / name).stat().st_size, 0, name)
        self.assertEqual([name for name in os.listdir(self.out) if "tmp" in name or name.startswith(".")], [])

    def test_latest_points_at_the_newest(self):
        trace = self.trace("--packets", 5000)
        for _ in range(2):
            self.assert_done(self.zbench(command=self.command("--pcap", trace.path)))
        folder = self.dir / "zbench-out"
        runs = [path for path in folder.iterdir() if path.name != "latest"]
        self.assertEqual(len(runs), 2)
        newest = max(runs, key=lambda path: (path / "result.json").stat().st_mtime_ns)
        self.assertEqual((folder / "latest").resolve(), newest.resolve())


if __name__ == "__main__":
    zb.main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_signals.py - a run that is stopped keeps what it has measured, complete up to there, and says so"""
import signal
import subprocess
import time

import zb


class Signals(zb.Case):
    def stop_with(self, number):
        trace = self.trace("--packets", 20000)
        command = self.command("--pcap", trace.path, "--duration", 60, "--stats-interval", "200ms", "--out",
                               self.out)
        with subprocess.Popen(command, cwd=self.dir, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as process:
            self.addCleanup(process.kill)
            deadline = time.monotonic() + zb.TIMEOUT_S / 2
            conn_log = self.out / "conn.log"
            while not (conn_log.exists() and conn_log.stat().st_size > 0):
                self.assertIsNone(process.poll(), "ended by itself")
                self.assertLess(time.monotonic(), deadline, "no row of conn.log was written")
                time.sleep(0.05)
            process.send_signal(number)
            out, err = process.communicate(timeout=50)
        self.assert_done(zb.Result(process.returncode, out, err), 3)
        result = self.result()
        self.assertEqual(result["verdict"]["status"], "interrupted")
        self.assert_law_holds(result)
        self.assertGreater(result["totals"]["pkts_proc"], 0)
        self.assertEqual(len(zb.rows(conn_log)), result["totals"]["log_rows"]["conn"])
        whole = [row for row in zb.rows(self.out / "stats.log") if row["peer"] == "zbench"]
        self.assertEqual(sum(row["pkts_proc"] for row in whole), result["totals"]["pkts_proc"])
        self.assert_nothing_left()

    def ask_for_dump(self, *options):
        """SIGUSR2 while a run lasts; returns what it said, and its process."""
        command = self.command("--pcap", self.trace("--packets", 20000).path, "--duration", 60, "--logs", "stats", *options,
                               "--out", self.out)
        with subprocess.Popen(command, cwd=self.dir, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as process:
            self.addCleanup(process.kill)
            deadline = time.monotonic() + zb.TIMEOUT_S / 2
            stats = self.out / "stats.log"
            while not (stats.exists() and stats.stat().st_size > 0) and process.poll() is None:
                self.assertLess(time.monotonic(), deadline, "no row of stats.log was written")
                time.sleep(0.05)
            process.send_signal(signal.SIGUSR2)
            while process.poll() is None and options and not list((self.out / "heap").glob("*.m0.heap")):
                self.assertLess(time.monotonic(), deadline, "no dump was written")
                time.sleep(0.05)
            time.sleep(0.2)
            self.assertIn(process.poll(), (None, 2), "SIGUSR2 ended the run")
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=50)
        return zb.Result(process.returncode, out, err)

    def test_dump_when_asked(self):
        run = self.ask_for_dump("--heap", "final")
        if run.status == 2 and "no heap profiler" in run.err:
            self.skipTest("built without jemalloc")
        self.assert_done(run, 3)
        names = sorted(d.name.split(".", 2)[2] for d in (self.out / "heap").iterdir())
        self.assertEqual(names, ["0.m0.heap", "1.f.heap"])
        text = next((self.out / "heap").glob("*.m0.heap")).read_text(encoding="utf-8")
        self.assertTrue(text.startswith("heap_v2/"))
        self.assertIn("\nMAPPED_LIBRARIES:\n", text)

    def test_no_profile_to_dump_is_said(self):
        run = self.ask_for_dump()
        self.assert_done(run, 3)
        self.assertIn("--heap final", run.err)
        self.assertFalse((self.out / "heap").exists())

    def test_interrupt(self):
        self.stop_with(signal.SIGINT)

    def test_terminate(self):
        self.stop_with(signal.SIGTERM)


if __name__ == "__main__":
    zb.main()

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

    def test_interrupt(self):
        self.stop_with(signal.SIGINT)

    def test_terminate(self):
        self.stop_with(signal.SIGTERM)


if __name__ == "__main__":
    zb.main()

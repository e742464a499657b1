#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_top.py - zbench top follows a run by its folder, its process or as the newest one, and ends with it"""
import os
import re
import shutil
import signal
import subprocess
import time

import zb

WAIT_S = 60
LINE = re.compile(r" *(\d+|all) +(\d+) +([\d.]+) +([\d.]+|-) +(\d+) +(\d+) +([\d.]+) +([\d.]+) +(\d+|-) +(\d+) +(\d+)")


class Top(zb.Case):
    def start(self, *args, out=True):
        """A run that would take minutes if nobody stopped it, from the time that it has figures."""
        trace = self.trace("--packets", 20000)
        run = subprocess.Popen(self.command("--pcap", trace.path, "--rate", "20kpps", "--duration", 300, "--sample-hz", 0,
                                            *args, *(("--out", self.out) if out else ())),
                               cwd=self.dir, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True)
        self.addCleanup(self.end, run)
        log = (self.out if out else self.dir / "zbench-out" / "latest") / "lcore.log"
        deadline = time.monotonic() + WAIT_S
        while not log.exists():
            self.assertIsNone(run.poll())
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        return run

    @staticmethod
    def end(run):
        if run.poll() is None:
            run.kill()
        run.communicate()

    def top(self, *args, status=0):
        run = subprocess.run(self.command("top", *args), cwd=self.dir, stdin=subprocess.DEVNULL, text=True,
                             capture_output=True, timeout=zb.TIMEOUT_S, check=False)
        self.assertEqual(run.returncode, status, run.stderr)
        return run.stdout if status == 0 else run.stderr

    def lines(self, text):
        """{lcore: its figures}"""
        found = {m.group(1): m.groups()[1:] for m in map(LINE.fullmatch, text.splitlines()) if m}
        self.assertIn("all", found, text)
        return found

    def test_by_folder_and_process(self):
        cores = list(map(str, zb.cpus(2) or zb.cpus(1)))
        for form in ("json", "zeek"):
            shutil.rmtree(self.out, ignore_errors=True)
            run = self.start("--cores", ",".join(cores), "--log-format", form)
            for what in (self.out, run.pid):
                text = self.top("--once", what)
                self.assertEqual(set(self.lines(text)), {*cores, "all"})
                self.assertIn("running", text.splitlines()[0])
                self.assertIn(f"process {run.pid}: CPU ", text)
                self.assertRegex(text, r"since the beginning: link \d+, analysed \d+, dropped \d+ \(")
            run.send_signal(signal.SIGINT)
            run.communicate(timeout=zb.TIMEOUT_S)
            totals = self.result()["totals"]
            text = self.top(self.out)  # ends by itself
            self.assertIn("over", text.splitlines()[0])
            self.assertIn(f"link {totals['pkts_link']}, analysed {totals['pkts_proc']}, "
                          f"dropped {totals['pkts_dropped']} ", text)

    def test_newest_until_its_end(self):
        run = self.start(out=False)
        top = subprocess.Popen(self.command("top", "--interval", "200ms"), cwd=self.dir, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end, top)
        for line in top.stdout:
            if line.startswith("since the beginning"):
                break
        self.assertIsNone(run.poll())
        run.send_signal(signal.SIGTERM)
        run.communicate(timeout=zb.TIMEOUT_S)
        text, err = top.communicate(timeout=zb.TIMEOUT_S)
        self.assertEqual((top.returncode, err), (0, ""))
        self.assertIn("zbench-out/latest: over", text)
        self.assertIn("results  zbench-out/latest/result.json", text)
        self.assertNotIn("\033", text)

    def test_run_that_is_killed(self):
        """Without a result, but gone."""
        run = self.start()
        top = subprocess.Popen(self.command("top", run.pid), cwd=self.dir, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end, top)
        self.assertIn("running", top.stdout.readline())
        run.kill()
        run.communicate()
        text, _ = top.communicate(timeout=zb.TIMEOUT_S)
        self.assertEqual(top.returncode, 0)
        self.assertIn(": over\n", text)
        self.assertNotIn("results", text)

    def test_nothing_to_watch(self):
        for args, word in ((("--once",), "zbench-out/latest"), (("nonesuch",), "nonesuch"), (("a", "b"), "b"),
                           ((2 ** 22 + 1,), str(2 ** 22 + 1)), ((str(self.dir),), "lcore"),
                           (("--interval", "0"), "--interval"), ((os.getpid(),), str(os.getpid()))):
            err = self.top(*args, status=2)
            self.assertEqual(len(err.splitlines()), 1, err)
            self.assertIn(word, err)


if __name__ == "__main__":
    zb.main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_verdict.py - a run ends with the right word for what it shows, and with evidence for it

Nothing here depends on how fast the machine is, or on what else it does: faults are far beyond their thresholds, counts are
exact, and a machine that disturbs a clean run may say so.
"""
import zb

NAMES = {"keeping-up", "overloaded", "pathological-traffic", "uneven-load", "state-growth", "leak", "log-writer-behind",
         "noisy-host", "undecided"}


class Verdict(zb.Case):
    def judge(self, *options, status=0):
        run = self.zbench(*options)
        self.assert_done(run, status)
        verdict = self.result()["verdict"]
        self.assert_sound(verdict, run.out)
        return verdict

    def assert_sound(self, verdict, out):
        """Evidence for all that is said, in the file and on the terminal."""
        for found in [verdict, *verdict["also"]]:
            self.assertIn(found["name"], NAMES)
            self.assertTrue(0 <= found["confidence"] < 1)
            self.assertGreaterEqual(len(found["because"]), 1)
            for reason in found["because"]:
                self.assertEqual(set(reason), {"what", "value", "threshold", "unit", "see"})
        last = out[out.rindex("\nverdict  "):].splitlines()[1:]
        self.assertTrue(last[0].startswith(f"verdict  {verdict['name']}"))
        self.assertTrue(any(line.startswith("because  ") for line in last))
        self.assertLessEqual(len(last), 8)

    def names(self, verdict):
        return [verdict["name"], *(found["name"] for found in verdict["also"])]

    def assert_calm(self, verdict):
        """Kept up; a disturbed machine may have the first word."""
        self.assertIn(self.names(verdict), [["keeping-up"], ["noisy-host", "keeping-up"]], verdict)

    def slow(self):
        """20 minutes of packet time: longer than nearly all state may live."""
        return self.trace("--sessions", 4000, "--duration", 1200).path

    def test_clean_traffic_raises_no_alarm(self):
        for options in (["--packets", 60000], ["--profile", "campus", "--sessions", 1500],
                        ["--profile", "imix", "--packets", 60000], ["--profile", "onoff", "--packets", 60000]):
            with self.subTest(options=options):
                self.assert_calm(self.judge("--pcap", self.trace(*options).path))
        self.assert_calm(self.judge("--pcap", self.slow()))

    def test_open_loop_far_below_what_is_possible(self):
        """A machine that takes the CPU away may still lose packets: then it says that it was the machine."""
        verdict = self.judge("--pcap", self.trace("--packets", 5000).path, "--rate", "5kpps", "--rx-desc", 8192)
        self.assertIn(verdict["name"], ("keeping-up", "noisy-host"))

    def test_overload(self):
        """A rate that nothing can take, with normal cost; most packets are lost."""
        verdict = self.judge("--pcap", self.trace("--packets", 60000).path, "--rate", "100Mpps", "--loop", 5)
        self.assertEqual(verdict["name"], "overloaded")
        self.assertNotIn("pathological-traffic", self.names(verdict))

    def test_leak(self):
        self.need_heap_profiler()
        self.assert_calm(self.judge("--pcap", self.slow(), "--heap", "8M"))
        verdict = self.judge("--pcap", self.slow(), "--fault", "http-retain", "--heap", "8M")
        self.assertEqual(verdict["name"], "leak")
        self.assertEqual(verdict["culprit"]["function"], "fault_http_retain")

    def test_state_that_grows(self):
        verdict = self.judge("--pcap", self.slow(), "--fault", "timer-leak")
        self.assertEqual(verdict["name"], "state-growth")
        self.assertEqual(verdict["culprit"]["kind"], "timer_bytes")
        verdict = self.judge("--pcap", self.slow(), "--fault", "conn-noexpire", "--memcap", "1G")
        self.assertEqual(verdict["name"], "state-growth")
        self.assertEqual(verdict["culprit"]["kind"], "connections")

    def test_pathological_cost(self):
        """Thousands of flows with two hashes: each look-up compares with half of them."""
        trace = self.trace("--profile", "flood", "--flows", 8000)
        verdict = self.judge("--pcap", trace.path, "--fault", "slow-hash:1", "--loop", 2)
        if not verdict["cost_judged"]:
            self.skipTest("built with sanitizers, or without optimisation")
        self.assertEqual(verdict["name"], "pathological-traffic")
        self.assertEqual(verdict["culprit"]["stage"], "flow")

    def test_pathological_amplification(self):
        attack = self.dir / "attack.pcap"
        self.zbench(command=self.command("gen", "--attack", "syn-flood", "--packets", 20000, "--out", attack))
        verdict = self.judge("--pcap", attack)
        self.assertEqual(verdict["name"], "pathological-traffic")
        self.assertTrue(any(reason["unit"] == "new flows a packet" for reason in verdict["because"]))

    def test_uneven_load(self):
        cpus = zb.cpus(2)
        if cpus is None:
            self.skipTest("needs two CPUs")
        verdict = self.judge("--pcap", self.trace("--packets", 60000).path, "--cores", ",".join(map(str, cpus)), "--fault",
                             "one-core-hot")
        self.assertEqual(verdict["name"], "uneven-load")

    def test_log_writer_behind(self):
        trace = self.trace("--profile", "flood", "--flows", 60000)
        verdict = self.judge("--pcap", trace.path, "--logs-drop", "--fault", "log-stall:3000", status=1)
        self.assertIn("log-writer-behind", self.names(verdict))

    def test_nothing_is_claimed_without_evidence(self):
        self.assertEqual(self.judge("--pcap", self.trace("--sessions", 3).path)["name"], "undecided")
        verdict = self.judge("--pcap", self.trace("--packets", 60000).path, "--engine", "touch")
        self.assertEqual(verdict["name"], "undecided")


if __name__ == "__main__":
    zb.main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_notes.py - a run says what a person would otherwise take for granted: shed state, files of an earlier run"""
import os
import subprocess
import sys

import zb


class Notes(zb.Case):
    def test_disturbed_worker_is_told(self):
        cpu = zb.cpus(1)[0]
        trace = self.trace("--packets", 20000)
        spin = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        self.addCleanup(spin.wait)
        self.addCleanup(spin.kill)
        os.sched_setaffinity(spin.pid, {cpu})
        self.assert_done(self.zbench("--pcap", trace.path, "--cores", cpu, "--duration", 2, "--logs", "none"))
        notes = self.result()["verdict"]["notes"]
        self.assertTrue(any(f"the worker's CPU {cpu} was taken away for" in note for note in notes), notes)
        noise = self.result()["host_noise"]
        self.assertFalse(noise["clean"])
        self.assertGreater(noise["lost_ms"], 100)
        self.assertGreater(noise["lcores"][0]["gaps"]["count"], 0)
        self.assertEqual(sum(noise["lcores"][0]["gaps"]["by_2_to_ns"]), noise["lcores"][0]["gaps"]["count"])

    def test_shed_connections_are_told(self):
        trace = self.trace("--profile", "flood", "--flows", 5000)
        self.assert_done(self.zbench("--pcap", trace.path, "--flows-max", 256))
        result = self.result()
        evicted = result["totals"]["conns_evicted"]
        self.assertGreater(evicted, 4000)
        self.assertTrue(any(note.startswith(f"{evicted} connections were ended early")
                            for note in result["verdict"]["notes"]), result["verdict"]["notes"])
        self.assertEqual(result["totals"]["log_rows"]["conn"], 5000)
        self.assertEqual(result["totals"]["residual_pkts"], 0)

    def test_wrong_checksums_are_told(self):
        def told(*options):
            self.assert_done(self.zbench("--pcap", trace.path, *options))
            return [note for note in self.result()["verdict"]["notes"] if "wrong checksum" in note]
        trace = self.trace("--attack", "decoy", "--packets", 2000)
        note, = told()
        wrong = self.result()["totals"]["fates"]["bad_transport_checksum"]
        self.assertTrue(note.startswith(f"{100 * wrong / 2000:.0f} % of the packets"), note)
        self.assertIn("-C", note)
        self.assertEqual(told("-C"), [])
        trace = self.trace("--packets", 2000)
        self.assertEqual(told(), [])

    def test_folder_used_again_holds_only_the_new_run(self):
        trace = self.trace("--packets", 2000)
        self.assert_done(self.zbench("--pcap", trace.path))
        self.assertIn("conn.log", zb.listing(self.out))
        self.assert_done(self.zbench("--pcap", trace.path, "--logs", "none"))
        self.assertEqual([name for name in zb.listing(self.out) if name.endswith(".log")], [])
        self.assertEqual(self.result()["totals"]["log_rows"].get("conn", 0), 0)


if __name__ == "__main__":
    zb.main()

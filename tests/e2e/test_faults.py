#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_faults.py - faults that are switched on on purpose show where they should, and rows stay what they are"""
import zb


class Faults(zb.Case):
    def run_with(self, fault, *options):
        """The result; fault None: without."""
        trace = self.trace("--packets", 40000)
        words = [] if fault is None else ["--fault", fault]
        self.assert_done(self.zbench("--pcap", trace.path, *words, *options))
        return self.result()

    def conn_rows(self):
        """Connections without their uids, which a run chooses."""
        return sorted(str({k: v for k, v in row.items() if k != "uid"}) for row in zb.rows(self.out / "conn.log"))

    def top(self, result):
        return result["memory"]["heap_top"][0]["function"]

    def test_result_and_notes_say_so(self):
        result = self.run_with("timer-leak,spin:dns=100")
        self.assertEqual(result["input"]["faults"], "timer-leak,spin:dns=100")
        self.assertTrue(any("timer-leak,spin:dns=100" in note for note in result["verdict"]["notes"]))
        self.assertIsNone(self.run_with(None)["input"]["faults"])

    def test_rows_are_the_same(self):
        self.run_with(None)
        clean = self.conn_rows()
        for fault in ("http-retain", "timer-leak", "log-stall:1", "spin:http=2000", "slow-hash"):
            with self.subTest(fault=fault):
                self.run_with(fault)
                self.assertEqual(self.conn_rows(), clean)

    def test_leaks_are_the_first_holder(self):
        self.need_heap_profiler()
        for fault, holder in (("http-retain", "fault_http_retain"), ("timer-leak", "fault_timer_leak")):
            with self.subTest(fault=fault):
                result = self.run_with(fault, "--heap", "final", "--loop", "4")
                self.assertEqual(self.top(result), holder)

    def test_timers_pile_up(self):
        gauges = self.run_with("timer-leak")["totals"]["gauge_peaks"]
        clean = self.run_with(None)["totals"]["gauge_peaks"]
        self.assertGreater(gauges["active_timers"], clean["active_timers"] + 30000)
        self.assertGreater(gauges["timer_bytes"], clean["timer_bytes"] + 30000 * 96)

    def growth(self, fault):
        """Judged over 20 minutes of packet time, longer than nearly all state may live; without rows, which on a busy
        machine wait for their writer, and then are what grows most."""
        trace = self.trace("--sessions", 4000, "--duration", 1200)
        words = [] if fault is None else ["--fault", fault]
        self.assert_done(self.zbench("--pcap", trace.path, "--heap", "final", "--logs", "none", *words))
        return self.result()["memory"]["growth"]

    def kinds(self, growth, name):
        return [kind for kind, judged in growth["kinds"].items() if judged["class"] == name]

    def test_growth_is_judged(self):
        self.need_heap_profiler()
        cases = {
            None: ([], "plateau", "plateau"),
            "http-retain": ([], "leak", "plateau"),
            "timer-leak": (["timer_bytes"], "plateau", "plateau"),
            "conn-noexpire": ([], "plateau", "no expiry"),
        }
        for fault, (kinds, uncounted, connections) in cases.items():
            with self.subTest(fault=fault):
                growth = self.growth(fault)
                self.assertEqual(self.kinds(growth, "no expiry"), kinds)
                self.assertEqual(growth["uncounted"]["class"], uncounted)
                self.assertEqual(growth["connections"]["class"], connections)
                self.assertLessEqual(growth["points"], 512)
                if fault in ("http-retain", "timer-leak"):
                    self.assertEqual(growth["growers"][0]["function"], "fault_" + fault.replace("-", "_"))

    def test_connections_stay(self):
        kept = self.run_with("conn-noexpire", "--loop", "3")["totals"]
        clean = self.run_with(None, "--loop", "3")["totals"]
        self.assertEqual(kept["conns_expired"], 0)
        self.assertGreater(clean["conns_expired"], 0)
        self.assertGreater(kept["gauge_peaks"]["active_udp_conns"], 2 * clean["gauge_peaks"]["active_udp_conns"])
        self.assertEqual(kept["udp_conns"], clean["udp_conns"])

    def test_one_core_takes_all(self):
        cpus = zb.cpus(2)
        if cpus is None:
            self.skipTest("needs two CPUs")
        result = self.run_with("one-core-hot", "--cores", ",".join(map(str, cpus)))
        self.assertEqual([lcore["pkts_proc"] for lcore in result["lcores"]], [40000, 0])
        self.assert_law_holds(result)

    def test_stalled_writer_costs_rows_or_time(self):
        """200 rows of 1 MiB of buffers go a long way: a writer that stands still for a minute keeps none of the rest."""
        trace = self.trace("--profile", "flood", "--flows", 60000)
        run = self.zbench("--pcap", trace.path, "--logs-drop", "--fault", "log-stall:2000")
        self.assert_done(run, 1)
        self.assertGreater(self.result()["totals"]["log_rows_lost"], 0)
        self.assert_law_holds(self.result())

    def test_list(self):
        run = self.zbench(command=self.command("run", "--fault", "help"))
        self.assert_done(run)
        for word in ("http-retain", "conn-noexpire", "timer-leak", "log-stall", "spin:NAME", "slow-hash",
                     "one-core-hot", "websocket"):
            self.assertIn(word, run.out)

    def test_bad_lists(self):
        trace = self.trace("--sessions", 10)
        for fault, words in (("http-retian", ["http-retain"]), ("nonsense-xyz", ["--fault help"]), ("spin", ["spin:"]),
                             ("spin:nothing", ["spin:"]), ("spin:dns=x", ["x"]), ("slow-hash:32", ["32"]),
                             ("log-stall:0", ["0"]), ("timer-leak:3", ["parameter"]), ("one-core-hot", ["--cores"])):
            with self.subTest(fault=fault):
                self.assert_refused(self.zbench("--pcap", trace.path, "--cores", zb.cpus(1)[0], "--fault", fault),
                                    "--fault", *words)


if __name__ == "__main__":
    zb.main()

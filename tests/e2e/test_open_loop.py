#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_open_loop.py - --rate: offered on time, dropped when the queue is full, and all of it accounted for"""
import zb


class OpenLoop(zb.Case):
    def paced(self, *options, packets=20000, status=0):
        trace = self.trace("--packets", packets)
        cpus = zb.cpus(1)
        run = self.zbench("--pcap", trace.path, "--cores", cpus[0], *options)
        self.assert_done(run, status)
        result = self.result()
        self.assert_law_holds(result)
        self.assertEqual(result["totals"]["pkts_queued"], 0)
        return trace, result, run

    def test_own_timing_arrives_complete_with_the_same_rows(self):
        """At a rate that leaves time, an open loop analyses what a closed one does."""
        trace, result, _ = self.paced("--rate", "100x", "--rx-desc", 1 << 20, "--logs-block")
        if result["totals"]["pkts_unsent"]:
            self.skipTest("somebody took the feeder's CPU away for more than 100 ms")
        rows = sorted(zb.rows(self.out / "conn.log"), key=lambda row: (row["ts"], row["id.orig_p"]))
        self.assertEqual(result["totals"]["pkts_proc"], trace.packets)
        self.assertEqual(result["totals"]["pkt_lag"]["count"], trace.packets)
        self.assertEqual(result["input"]["rate"], "100x")
        self.assert_done(self.zbench("--pcap", trace.path, "--cores", zb.cpus(1)[0]))
        closed = sorted(zb.rows(self.out / "conn.log"), key=lambda row: (row["ts"], row["id.orig_p"]))
        for row in rows + closed:
            del row["uid"]
        self.assertEqual(rows, closed)

    def test_duration_offers_exactly_what_is_due(self):
        _, result, _ = self.paced("--rate", "50kpps", "--duration", "0.5s", "--rx-desc", 1 << 20)
        totals = result["totals"]
        self.assertEqual(totals["pkts_offered"], 25000)
        self.assertEqual(totals["pkts_proc"] + totals["pkts_unsent"], 25000)

    def test_overload_drops_and_says_where(self):
        """A queue of 64 at a rate that no worker takes: lost packets are drops, the first one is described."""
        _, result, run = self.paced("--rate", "100Mpps", "--rx-desc", 64, "--logs", "stats")
        totals = result["totals"]
        self.assertGreater(totals["pkts_dropped"], 0)
        self.assertEqual(totals["pkts_link"], totals["pkts_proc"] + totals["pkts_dropped"])
        drop = result["lcores"][0]["first_drop"]
        self.assertIn(drop["stage"], ("rx", "decode", "flow", "conn", "stream", "log", "expire", "idle"))
        self.assertIn("found a full receive queue", run.out)
        self.assertIn("lag ", run.out)
        rows = [row for row in zb.rows(self.out / "stats.log") if row["peer"] == "zbench"]
        self.assertEqual(sum(row["pkts_dropped"] for row in rows), totals["pkts_dropped"])

    def test_passes_bring_new_flows(self):
        trace, result, _ = self.paced("--rate", "400kpps", "--loop", 3, "--rx-desc", 1 << 20)
        self.assertEqual(result["totals"]["pkts_offered"], 3 * trace.packets)

    def test_no_packet_twice_under_loss(self):
        """Whatever is lost, what is analysed plus what is lost is what was offered, on each lcore."""
        cpus = zb.cpus(2)
        if cpus is None:
            self.skipTest("needs 2 CPUs")
        trace = self.trace("--packets", 20000)
        run = self.zbench("--pcap", trace.path, "--cores", ",".join(map(str, cpus)), "--rate", "20Mpps",
                          "--rx-desc", 256, "--loop", 5, "--logs", "none")
        self.assert_done(run)
        result = self.result()
        self.assert_law_holds(result)
        self.assertEqual(result["totals"]["pkts_offered"], 5 * trace.packets)
        for lcore in result["lcores"]:
            self.assertEqual(lcore["pkts_offered"], lcore["pkts_proc"] + lcore["pkts_dropped"] + lcore["pkts_unsent"])

    def test_bad_values_are_refused(self):
        trace = self.trace("--packets", 1000)
        for options, word in ((("--rate", "fast"), "--rate fast"), (("--rate", "0x"), "--rate 0x"),
                              (("--rate", "1x", "--rx-desc", "100"), "--rx-desc 100"),
                              (("--gen-cores", "0"), "--gen-cores"),
                              (("--rate", "1x", "--gen-cores", zb.cpus(1)[0], "--cores", zb.cpus(1)[0]), "--gen-cores")):
            self.assert_refused(self.zbench("--pcap", trace.path, *options), word)


if __name__ == "__main__":
    zb.main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_accounting.py - every packet and byte is accounted for, on each core, in each interval, and in total"""
import zb

DELTAS = ("pkts_proc", "bytes_recv", "pkts_dropped", "pkts_link", "tcp_conns", "udp_conns", "icmp_conns")


class Accounting(zb.Case):
    def account(self, cores, *options, loops=1):
        trace = self.trace("--packets", 20000)
        cpus = zb.cpus(cores)
        if cpus is None:
            self.skipTest(f"needs {cores} CPUs")
        self.assert_done(self.zbench("--pcap", trace.path, "--cores", ",".join(map(str, cpus)), *options))
        result = self.result()
        totals = result["totals"]
        self.assert_law_holds(result)
        self.assertEqual(totals["pkts_offered"], loops * trace.packets)
        self.assertEqual(totals["pkts_proc"], loops * trace.packets)
        self.assertEqual(totals["bytes_recv"], loops * trace.bytes)
        self.assertEqual([lcore["cpu"] for lcore in result["lcores"]], cpus)
        for name in ("pkts_offered", "pkts_link", "pkts_proc", "pkts_dropped", "bytes_link", "bytes_recv"):
            self.assertEqual(sum(lcore[name] for lcore in result["lcores"]), totals[name], name)
        return totals

    def assert_stats_agree(self, totals):
        """The deltas of stats.log sum to the totals, as seen on the whole and on the lcores."""
        rows = zb.rows(self.out / "stats.log")
        whole = [row for row in rows if row["peer"] == "zbench"]
        lcores = [row for row in rows if row["peer"].startswith("lcore-")]
        self.assertEqual(len(whole) + len(lcores), len(rows))
        self.assertTrue(whole)
        for name in DELTAS:
            total = sum(row.get(name, 0) for row in whole)
            self.assertEqual(total, sum(row.get(name, 0) for row in lcores), name)
            if name in totals:
                self.assertEqual(total, totals[name], name)

    def test_one_core(self):
        self.assert_stats_agree(self.account(1))

    def test_two_cores(self):
        totals = self.account(2)
        self.assert_stats_agree(totals)
        self.assertTrue(all(lcore["pkts_proc"] > 0 for lcore in self.result()["lcores"]))

    def test_several_passes(self):
        self.assert_stats_agree(self.account(1, "--loop", 7, loops=7))

    def test_short_intervals(self):
        """However fine the intervals are, nothing falls between them."""
        totals = self.account(1, "--stats-interval", "10ms", "--loop", 7, loops=7)
        self.assert_stats_agree(totals)

    def test_rows_in_files_are_those_counted(self):
        totals = self.account(1)
        self.assertEqual(len(zb.rows(self.out / "conn.log")), totals["log_rows"]["conn"])


if __name__ == "__main__":
    zb.main()

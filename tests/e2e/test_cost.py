#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_cost.py - result.json says which analyzers, connections and hosts the cycles went to"""
import json
import re

import zb

PLACES = ("conn", "stream", "log", "conn.log", "http", "dns", "tls", "files")


class Cost(zb.Case):
    def cost(self, *options):
        run = self.zbench(*options, "--sample-hz", 0, "--prealloc", 0)
        self.assert_done(run)
        with open(self.out / "result.json", encoding="utf-8") as f:
            return json.load(f)["cost"], run.out

    def test_clean_traffic(self):
        """Every part of the engine has its share; together they are no more than all."""
        path = self.trace("--packets", 20000).path
        cost, said = self.cost("--pcap", path, "--loop", 20, "--cores", ",".join(map(str, zb.cpus(1))))
        for place in PLACES:
            self.assertGreater(cost["places"][place]["share"], 0, place)
        self.assertLessEqual(sum(p["share"] for p in cost["places"].values()), 1.0001)
        for place in cost["places"].values():
            self.assertLessEqual(place["longest_cycles"], place["calls"] * place["cycles_per_call"] + 1)
        shares = [p["share"] for p in cost["places"].values()]
        self.assertEqual(shares, sorted(shares, reverse=True))
        self.assertRegex(said, r"(?m)^cycles +[a-z.]+ [0-9.]+ %, ")
        for c in cost["connections"]:
            self.assertLessEqual(c["error"], c["share"])
            self.assertRegex(c["uid"], "^C[0-9A-Za-z]+$")

    def test_expensive_connection_is_named(self):
        """One connection whose packets cost thousands of times as much as others leads all lists."""
        path = self.dir / "bomb.pcap"
        self.assert_done(self.zbench(command=self.command(
            "gen", "--out", path, "--packets", 10000, "--attack", "http-gzip-bomb=1%")))
        cost, said = self.cost("--pcap", path)
        self.assertIn(next(iter(cost["places"])), ("http", "files"))
        first = cost["connections"][0]
        self.assertTrue(first["orig_h"].startswith("198.19.") or first["resp_h"].startswith("198.19."), first)
        self.assertGreater(cost["originators"][0]["share"], 0.5)
        self.assertIn(f"originator {cost['originators'][0]['host']}", said)
        with open(self.out / "conn.log", encoding="utf-8") as f:
            uids = {json.loads(line)["uid"] for line in f}
        self.assertIn(first["uid"], uids)

    def test_packets_of_the_dearest(self):
        """Each in a pcap of its own: all packets of one connection, which a run over them alone finds again."""
        path = self.dir / "bomb.pcap"
        self.assert_done(self.zbench(command=self.command(
            "gen", "--out", path, "--packets", 10000, "--attack", "http-gzip-bomb=1%")))
        cost, said = self.cost("--pcap", path, "--capture-worst", 3, "--cores", ",".join(map(str, zb.cpus(1))))
        rows = {row["uid"]: row for row in zb.rows(self.out / "conn.log")}
        worst = self.out / "worst"
        self.assertEqual(sorted(str(f.relative_to(self.out)) for f in worst.iterdir()),
                         sorted(c["pcap"] for c in cost["connections"][:3]))
        self.assertNotIn("pcap", cost["connections"][3])
        self.assertFalse(any(c["pcap_cut"] for c in cost["connections"][:3]))
        self.assertIn(f"{cost['connections'][0]['pcap']}: {cost['connections'][0]['pcap_pkts']} packets", said)
        first = cost["connections"][0]
        kept = (self.out / first["pcap"]).read_bytes()
        whole = rows[first["uid"]]
        self.assertEqual(whole["orig_pkts"] + whole["resp_pkts"], first["pcap_pkts"])
        again = self.dir / "again.pcap"
        again.write_bytes(kept)
        self.cost("--pcap", again)
        (row,) = zb.rows(self.out / "conn.log")
        for name in ("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "orig_bytes", "resp_bytes", "history"):
            self.assertEqual(row[name], whole[name])
        # That run has left none of the files of the one before.
        self.assertEqual(list(worst.iterdir()), [])

    def test_worst_seconds(self):
        """Seconds in which packets were lost are told: where the cycles went, in which function, for whom."""
        path = self.trace("--packets", 30000, "--duration", 3).path
        run = self.zbench("--pcap", path, "--rate", "1x", "--rx-desc", 64, "--fault", "spin:dns=3000000", "--sample-hz", 999)
        self.assert_done(run)
        told = json.loads((self.out / "result.json").read_text(encoding="utf-8"))["worst_seconds"]
        self.assertIn(len(told), range(2, 6))
        # A machine that is busy with other things adds seconds in which packets were late.
        lost = [second["pkts_dropped"] for second in told if second["why"] == "lost"]
        self.assertEqual(told[0]["why"], "lost")
        self.assertLessEqual({second["why"] for second in told}, {"lost", "late"})
        self.assertEqual(lost, sorted(lost, reverse=True))
        first = told[0]
        self.assertGreater(first["to_s"] - first["from_s"], 0.9)
        self.assertEqual((first["stage"], first["place"], first["function"]), ("stream", "dns", "fault_spin"))
        self.assertRegex(first["connection"], r"^C\w+, .*:53/udp$")
        self.assertIn(f"{first['pkts_dropped']} of {first['pkts_link']} packets were lost", run.out)
        flame = re.search(r"zbench (flame \S+@[0-9.]+-[0-9.]+ --lcore \d+)", run.out).group(1)
        said = self.zbench(command=self.command(*flame.split(), "--format", "folded", "-o", "-"))
        self.assert_done(said)
        self.assertIn("fault_spin", said.out)

    def test_packets_are_of_a_trace(self):
        trace = self.trace("--packets", 1000)
        self.assert_refused(self.zbench("--pcap", trace.path, "--loop", 2, "--capture-worst", 1), "--same-flows")
        self.assert_refused(self.zbench("--iface", "lo", "--capture-worst", 1), "--capture-worst")

    def test_touch_has_none(self):
        """Where nothing is analysed nothing is told."""
        self.assert_done(self.zbench("--pcap", self.trace("--packets", 1000).path, "--engine", "touch"))
        with open(self.out / "result.json", encoding="utf-8") as f:
            self.assertNotIn("cost", json.load(f))


if __name__ == "__main__":
    zb.main()

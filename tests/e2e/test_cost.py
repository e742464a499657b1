#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_cost.py - result.json says which analyzers, connections and hosts the cycles went to"""
import json

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

    def test_touch_has_none(self):
        """Where nothing is analysed nothing is told."""
        self.assert_done(self.zbench("--pcap", self.trace("--packets", 1000).path, "--engine", "touch"))
        with open(self.out / "result.json", encoding="utf-8") as f:
            self.assertNotIn("cost", json.load(f))


if __name__ == "__main__":
    zb.main()

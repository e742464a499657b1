#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_conn_log.py - conn.log says the same whatever the number of cores and the format"""
import zb


def canonical(rows):
    """Rows without what differs from run to run, in an order of their own."""
    def value(v):
        return round(v, 6) if isinstance(v, float) else tuple(v) if isinstance(v, list) else v

    return sorted((sorted((k, value(v)) for k, v in row.items() if k != "uid") for row in rows), key=repr)


class ConnLog(zb.Case):
    def conns(self, *options, read=zb.rows):
        trace = self.trace("--sessions", 1500)
        self.assert_done(self.zbench("--pcap", trace.path, *options))
        return read(self.out / "conn.log")

    def test_one_and_two_cores_agree(self):
        cpus = zb.cpus(2)
        if cpus is None:
            self.skipTest("needs two CPUs")
        one = canonical(self.conns("--cores", cpus[0]))
        two = canonical(self.conns("--cores", f"{cpus[0]},{cpus[1]}"))
        self.assertGreater(len(one), 1000)
        self.assertEqual(len(one), len(two))
        self.assertEqual([a for a, b in zip(one, two) if a != b], [b for a, b in zip(one, two) if a != b])

    def test_formats_agree(self):
        json_rows = canonical(self.conns("--log-format", "json"))
        zeek_rows = canonical(self.conns("--log-format", "zeek", read=zb.zeek_rows))
        self.assertEqual(len(json_rows), len(zeek_rows))
        self.assertEqual([a for a, b in zip(json_rows, zeek_rows) if a != b],
                         [b for a, b in zip(json_rows, zeek_rows) if a != b])

    def test_every_connection_has_its_own_uid(self):
        uids = [row["uid"] for row in self.conns()]
        self.assertEqual(len(uids), len(set(uids)))
        for uid in uids:
            self.assertRegex(uid, r"\AC[0-9A-Za-z]+\Z")

    def test_what_was_generated_is_what_is_seen(self):
        """The kinds of session of the generator appear as their connection states."""
        rows = self.conns()
        states = {row.get("conn_state") for row in rows if row["proto"] == "tcp"}
        self.assertLessEqual({"SF", "S0", "REJ"}, states)
        self.assertTrue(states & {"RSTO", "RSTR"}, states)
        self.assertLessEqual({"tcp", "udp", "icmp"}, {row["proto"] for row in rows})
        self.assertTrue(any(":" in row["id.orig_h"] for row in rows), "no IPv6")
        finished = [row for row in rows if row["conn_state"] == "SF" and row["proto"] == "tcp"]
        self.assertTrue(all(row["missed_bytes"] == 0 for row in finished if "missed_bytes" in row))


if __name__ == "__main__":
    zb.main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_damaged_trace.py - a trace that ends badly is analysed up to there, with a warning and a mark in the result"""
import struct

import zb


class DamagedTrace(zb.Case):
    def check(self, data, packets):
        path = self.dir / "damaged.pcap"
        path.write_bytes(data)
        run = self.zbench("--pcap", path)
        self.assert_done(run)
        warnings = [line for line in run.err.splitlines() if "damaged.pcap" in line]
        self.assertEqual(len(warnings), 1, run.err)
        self.assertTrue(warnings[0].startswith("zbench: warning: "), run.err)
        result = self.result()
        self.assertIs(result["input"]["cut"], True)
        self.assertEqual(result["totals"]["pkts_proc"], packets)
        self.assert_law_holds(result)

    def good(self):
        trace = self.trace("--packets", 1000)
        return trace.path.read_bytes()

    def last_record(self, data):
        at = last = 24
        while at < len(data):
            last = at
            at += 16 + struct.unpack_from("<I", data, at + 8)[0]
        return last

    def test_whole_trace_is_not_cut(self):
        self.assert_done(self.zbench("--pcap", self.trace("--packets", 1000).path))
        self.assertIs(self.result()["input"]["cut"], False)

    def test_ends_inside_a_packet(self):
        data = self.good()
        self.check(data[:-5], 999)

    def test_ends_inside_a_record_header(self):
        data = self.good()
        self.check(data[:self.last_record(data) + 7], 999)

    def test_record_longer_than_the_file(self):
        self.check(self.good() + zb.record(b"x" * 60, length=5000), 1000)

    def test_record_longer_than_any_packet(self):
        self.check(self.good() + zb.record(b"x" * 300000), 1000)


if __name__ == "__main__":
    zb.main()

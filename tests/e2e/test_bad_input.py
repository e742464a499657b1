#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_bad_input.py - what cannot be analysed is refused: one line, exit status 2, nothing left behind"""
import os
import struct
import unittest

import zb


class BadInput(zb.Case):
    def refuse(self, data, *words, name="bad.pcap"):
        path = self.dir / name
        path.write_bytes(data)
        self.assert_refused(self.zbench("--pcap", path), name, *words)

    def test_no_such_file(self):
        self.assert_refused(self.zbench("--pcap", self.dir / "none.pcap"), "none.pcap", "No such file")

    def test_one_of_several_is_missing(self):
        good = self.trace("--sessions", 10).path
        self.assert_refused(self.zbench("--pcap", good, self.dir / "none.pcap"), "none.pcap")

    def test_folder(self):
        (self.dir / "folder").mkdir()
        self.assert_refused(self.zbench("--pcap", self.dir / "folder"), "folder")

    @unittest.skipIf(os.getuid() == 0, "root may read everything")
    def test_may_not_read(self):
        path = self.dir / "secret.pcap"
        path.write_bytes(zb.PCAP_HEADER)
        path.chmod(0)
        self.assert_refused(self.zbench("--pcap", path), "secret.pcap", "ermission")

    def test_empty_file(self):
        self.refuse(b"", "empty")

    def test_no_packet(self):
        self.refuse(zb.PCAP_HEADER)

    def test_not_a_trace(self):
        self.refuse(b"Not a trace, but a letter to a friend.\n" * 100)

    def test_cut_file_header(self):
        self.refuse(zb.PCAP_HEADER[:11])

    def test_unsupported_link_type_is_named(self):
        link_type = struct.pack("<I", 147)
        self.refuse(zb.PCAP_HEADER[:20] + link_type + zb.record(b"x" * 60), "147")

    def test_first_record_longer_than_the_file(self):
        self.refuse(zb.PCAP_HEADER + zb.record(b"x" * 60, length=1000))

    def test_first_record_longer_than_any_packet(self):
        self.refuse(zb.PCAP_HEADER + zb.record(b"x" * 300000))

    def test_more_than_memory_holds(self):
        """A trace that cannot fit is refused before it is loaded."""
        path = self.dir / "huge.pcap"
        path.write_bytes(zb.PCAP_HEADER + zb.record(b"x" * 60))
        try:
            os.truncate(path, 1 << 40)
        except OSError as e:
            self.skipTest(f"no sparse file of 1 TiB here: {e}")
        self.assert_refused(self.zbench("--pcap", path), "huge.pcap", "memory")


if __name__ == "__main__":
    zb.main()

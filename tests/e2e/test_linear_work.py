#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_linear_work.py - four times the pieces cost about four times the work, whatever they are pieces of

Each attack is one connection (or a few datagrams) that arrives in N pieces and in 4 N. What is printed is how many times
the cycles of the second are those of the first: 4 would be linear, 16 quadratic. On a machine that does other things as
well the figures say little, so it fails only where a piece takes a hundred times the cycles that it may.
"""
import struct

import zb
from test_bounds import ACK, ORIG, PSH, RESP, Talk, dns_message, ip, udp

PIECES = 8000
TOO_MANY_CYCLES = 2000000  # a piece


def fragments(n):
    """Datagrams of 8 bytes a fragment, last fragment first, the one in front missing."""
    for i in range(n):
        at = 8000 - i % 8000
        yield ip(17, ORIG, RESP, b"12345678", ident=i // 8000, fragment=at | (0x2000 if i % 8000 else 0))


def stream(port, answer=b""):
    talk = Talk(0, port)
    if answer:
        talk.say(1, answer)
    return talk


def tcp_holes(n, step):
    """Bytes beyond a hole, every second one; from the front (step 2) or from behind (-2)."""
    talk = stream(80)
    talk.say(0, b"GET / HTTP/1.1\r\n")
    talk.packets.append(talk.packet(1, ACK))
    offsets = range(2, 2 * n + 2, 2)
    return talk.packets + [talk.packet(0, PSH | ACK, b"x", skip=at) for at in (offsets if step > 0 else offsets[::-1])]


def in_order(port, piece, n, head=b"", side=0, answer=b""):
    """What a side says, piece after piece."""
    talk = stream(port, answer)
    if head:
        talk.say(side, head)
    for i in range(n):
        talk.say(side, piece.replace(b"NUMBER", b"%08d" % i))
    return talk.packets


def file_pieces(n):
    """Ranges of one resource, every second 10 bytes of it, from behind."""
    talk = stream(80)
    for i in range(n):
        at = 20 * (n - i)
        talk.say(0, b"GET /f HTTP/1.1\r\nHost: h\r\nRange: bytes=%d-%d\r\n\r\n" % (at, at + 9))
        talk.say(1, b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes %d-%d/%d\r\nContent-Length: 10\r\n\r\n"
                 b"0123456789" % (at, at + 9, 20 * n + 20))
    return talk.packets


def dns_pending(n):
    """Queries of one flow that nobody answers."""
    return [udp(ORIG, 5000, RESP, 53, dns_message(i & 0xFFFF, b"q%d.example" % i)) for i in range(n)]


def smb_header(length):
    return struct.pack(">I", length) + b"\xfeSMB\x40\0\0\0" + b"\0" * 4 + b"\3\0\1\0" + b"\0" * 48


def dce_fragment(flags, body):
    return struct.pack("<BBBBIHHI", 5, 0, 0, flags, 0x10, 24 + len(body), 0, 1) + struct.pack("<IHH", 9, 0, 1) + body


ATTACKS = {
    "fragments": fragments,
    "tcp_holes_rising": lambda n: tcp_holes(n, 2),
    "tcp_holes_falling": lambda n: tcp_holes(n, -2),
    "tcp_bytes": lambda n: in_order(4444, b"x", n),
    "file_ranges": file_pieces,
    "dns_pending": dns_pending,
    "http_pipelined": lambda n: in_order(80, b"GET /NUMBER HTTP/1.1\r\nHost: h\r\n\r\n", n),
    "http_headers": lambda n: in_order(80, b"X-NUMBER: y\r\n", n, head=b"GET / HTTP/1.1\r\n"),
    "http_folded": lambda n: in_order(80, b" yyyyyy\r\n", n, head=b"GET / HTTP/1.1\r\nX: y\r\n"),
    "http_line_bytes": lambda n: in_order(80, b"y", n, head=b"GET /"),
    "http_chunks": lambda n: in_order(80, b"1\r\ny\r\n", n, side=1, head=b"HTTP/1.1 200 OK\r\n"
                                      b"Transfer-Encoding: chunked\r\n\r\n"),
    "ssh_lines": lambda n: in_order(22, b"not a banner\r\n", n, side=1),
    "smtp_lines": lambda n: in_order(25, b"NOOP\r\n", n, answer=b"220 mail ESMTP\r\n"),
    "smb_messages": lambda n: in_order(445, smb_header(64), n),
    "smb_bytes": lambda n: in_order(445, b"\0", n, head=smb_header(64)[:20]),
    "dce_fragments": lambda n: in_order(135, dce_fragment(0, b"z" * 16), n, head=dce_fragment(1, b"z" * 16)),
    "tls_records": lambda n: in_order(443, b"\x16\3\1\0\1\0", n, head=b"\x16\3\1\0\4\1\0\xff\xff"),
    "tls_alerts": lambda n: in_order(443, b"\x15\3\1\0\2\1\0", n, head=b"\x16\3\1\0\4\1\0\xff\xff"),
    "mysql_bytes": lambda n: in_order(3306, b"8", n, side=1, head=b"\xff\x0f\0\0\n"),
}


class LinearWork(zb.Case):
    def cycles(self, packets):
        path = self.dir / "pieces.pcap"
        with open(path, "wb") as f:
            f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))  # raw IP
            for i, packet in enumerate(packets):
                f.write(struct.pack("<IIII", 1 + i // 1000000, i % 1000000, len(packet), len(packet)))
                f.write(packet)
        self.assert_done(self.zbench("--pcap", path, "-C", "--cores", zb.cpus(1)[0], "--sample-hz", 0))
        return self.result()["totals"]["busy_cycles"]

    def test_four_times_the_pieces(self):
        print()
        for name, attack in ATTACKS.items():
            few, many = (self.cycles(attack(n)) for n in (PIECES, 4 * PIECES))
            print(f"    {name:20} {few / PIECES:8.0f} cycles a piece; 4 times as many: {many / few:5.1f} times the cycles")
            self.assertLess(many / (4 * PIECES), TOO_MANY_CYCLES, name)


if __name__ == "__main__":
    zb.main()

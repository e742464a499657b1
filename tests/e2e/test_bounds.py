#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_bounds.py - traffic made to fill one kind of state stays within its limit, and what follows is analysed

Each flood would hold far more than its limit if it could; a DNS exchange follows when all of it has timed out.
"""
import struct

import zb

LIMIT = 64 << 10
FLOOD = 3000  # connections, datagrams, ...: each holds 30 bytes or more
LATER_S = 1000  # longer than any time-out

SYN, ACK, PSH = 2, 16, 8

# Gauges of lcore.log, by how their names begin.
STATE = ("conn_", "flow_table_", "timer_bytes", "history_", "stream_bytes", "reassem_", "dns_bytes", "http_",
         "tls_bytes", "analyzer_bytes", "file_bytes", "tunnel_bytes", "known_bytes", "weird_bytes")


def address(n):
    return struct.pack("!I", n)


def ip(proto, src, dst, payload, ident=0, fragment=0):
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), ident & 0xFFFF, fragment, 64, proto, 0)
    return head + address(src) + address(dst) + payload


def udp(src, sport, dst, dport, payload):
    return ip(17, src, dst, struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload)


def tcp(src, sport, dst, dport, seq, ack, flags, payload=b""):
    head = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, 5 << 4, flags, 65000, 0, 0)
    return ip(6, src, dst, head + payload)


ORIG, RESP = 0x0A000001, 0xC0000201


class Talk:
    """A TCP connection of its own: established, then what is said."""

    def __init__(self, number, port, resp=RESP):
        self.ends = [(ORIG + number // 50000, 10000 + number % 50000), (resp, port)]
        self.seq = [1000, 5000]
        self.packets = [self.packet(0, SYN), self.packet(1, SYN | ACK), self.packet(0, ACK)]

    def packet(self, side, flags, payload=b"", skip=0):
        ack = self.seq[1 - side] if flags & ACK else 0
        made = tcp(*self.ends[side], *self.ends[1 - side], self.seq[side] + skip, ack, flags, payload)
        self.seq[side] += 1 if flags & SYN else 0 if skip else len(payload)
        return made

    def say(self, side, payload, skip=0):
        """skip: bytes before it that never come."""
        self.packets.append(self.packet(side, PSH | ACK, payload, skip))
        return self


def dns_message(ident, name, answer=False):
    question = b"".join(bytes([len(part)]) + part for part in name.split(b".")) + b"\0\0\1\0\1"
    message = struct.pack("!HHHHHH", ident, 0x8180 if answer else 0x0100, 1, 1 if answer else 0, 0, 0) + question
    return message + (b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\1\2\3\4" if answer else b"")


def talks(port, *said):
    """FLOOD connections to port on which the originator (0) or the responder (1) says these things."""
    for i in range(FLOOD):
        talk = Talk(i, port)
        for side, payload, *skip in said:
            talk.say(side, payload.replace(b"NUMBER", b"%06d" % i), *skip)
        yield from talk.packets


def later():
    """What comes when everything else has timed out: bursts in which that is ended, some each, then DNS."""
    for i in range(500):
        yield LATER_S + i / 50, udp(ORIG + 9, 5000, RESP + 9, 9, b"x")
    yield LATER_S + 11, udp(ORIG + 1, 5353, RESP + 1, 53, dns_message(7, b"after.example"))
    yield LATER_S + 11.5, udp(RESP + 1, 53, ORIG + 1, 5353, dns_message(7, b"after.example", True))


class Bounds(zb.Case):
    def write(self, flood):
        path = self.dir / "flood.pcap"
        with open(path, "wb") as f:
            f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))  # raw IP
            timed = [(1 + i / 1e5, packet) for i, packet in enumerate(flood)]
            for seconds, packet in timed + list(later()):
                f.write(struct.pack("<IIII", int(seconds), round(seconds % 1 * 1e6), len(packet), len(packet)))
                f.write(packet)
        return path

    def run_flood(self, flood, *options):
        path = self.write(flood)
        self.assert_done(self.zbench("--pcap", path, "-C", "--stats-interval", "10ms", "--cores", zb.cpus(1)[0],
                                     "--sample-hz", 0, *options))
        result = self.result()
        self.assert_law_holds(result)
        answered = [row for row in zb.rows(self.out / "dns.log") if row.get("query") == "after.example"]
        self.assertEqual([row.get("answers") for row in answered], [["1.2.3.4"]])
        return result

    def bound(self, kind, gauge, flood, limit=LIMIT):
        result = self.run_flood(flood, "--limit", f"{kind}={limit}")
        lcore = result["lcores"][0]
        self.assertGreater(lcore[f"{kind}_shed"], 0)
        self.assertLessEqual(lcore["gauge_peaks"][gauge], limit)
        self.assertGreater(lcore["gauge_peaks"][gauge], limit // 4)

    def test_stream(self):
        self.bound("stream", "stream_bytes", talks(80, (0, b"GET ")))

    def test_tcp_data(self):
        self.bound("tcp_data", "reassem_tcp_bytes", talks(80, (0, b"GET / HTTP/1.1\r\n"), (0, b"y" * 500, 9)))

    def test_frag(self):
        self.bound("frag", "reassem_frag_bytes",
                   (ip(17, ORIG + i, RESP, b"z" * 400, ident=i, fragment=0x2000) for i in range(FLOOD)))

    def test_probe(self):
        self.bound("probe", "reassem_unknown_bytes", talks(4444, (0, b"\1unheard of" * 20)))

    def test_dns(self):
        self.bound("dns", "dns_bytes", (udp(ORIG, 10000 + i, RESP, 53, dns_message(i, b"q%d.example" % i))
                                        for i in range(FLOOD)))

    def test_http(self):
        self.bound("http", "http_bytes", talks(80, (0, b"GET /NUMBER HTTP/1.1\r\nHost: " + b"h" * 300)))

    def test_tls(self):
        self.bound("tls", "tls_bytes", talks(443, (0, b"\x16\3\1\x10\0\1\0\x0f\xfc\3\3" + b"r" * 600)))

    def test_analyzer(self):
        self.bound("analyzer", "analyzer_bytes", talks(3306, (1, b"\x23\0\0\0\n8.0")))

    def test_file(self):
        body = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"b" * 300
        self.bound("file", "file_bytes", talks(80, (0, b"GET /NUMBER HTTP/1.1\r\nHost: h\r\n\r\n"), (1, body)))

    def test_file_data(self):
        head = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5000-5499/9000\r\nContent-Length: 500\r\n\r\n"
        self.bound("file_data", "reassem_file_bytes",
                   talks(80, (0, b"GET /NUMBER HTTP/1.1\r\nHost: h\r\nRange: bytes=5000-5499\r\n\r\n"),
                         (1, head + b"b" * 500)))

    def test_tunnel(self):
        inner = udp(1, 2, 3, 4, b"inner")
        self.bound("tunnel", "tunnel_bytes", (ip(4, ORIG + i, RESP, inner) for i in range(FLOOD)), limit=4 * LIMIT)

    def test_known(self):
        self.bound("known", "known_bytes", (packet for i in range(2 * FLOOD)
                                            for packet in Talk(i, 80, resp=0x0A800000 + i).packets), limit=16 << 10)

    def cap(self, flood, cap=16 << 20):
        """All state together stays near the cap."""
        result = self.run_flood(flood, "--memcap", cap)
        self.assertGreater(result["totals"]["conns_evicted"], 0)
        within = ("conn_reserved_bytes", "log_buffer_bytes")  # what conn_bytes is part of; no state of the traffic
        state = max(sum(n for gauge, n in row.items() if gauge.startswith(STATE) and gauge not in within)
                    for row in zb.rows(self.out / "lcore.log"))
        self.assertLess(state, cap * 5 // 4)

    def test_cap_with_flows_without_number(self):
        """The oldest are ended."""
        self.cap(packet for i in range(40000)
                 for packet in (udp(ORIG + i, 1000, RESP, 53, dns_message(i & 0xFFFF, b"flood.example")),
                                tcp(ORIG + i, 1000, RESP, 80, 1, 0, SYN)))

    def test_cap_when_those_ended_hold_little(self):
        """Many attempts that hold nothing and would be ended first do not let others hold more and more."""
        def flood():
            for i in range(20000):
                yield tcp(ORIG + i, 1000, RESP, 81, 1, 0, SYN)
            yield from talks(4444, (0, b"\1unheard of" * 90))
            yield from talks(80, (0, b"GET /NUMBER HTTP/1.1\r\n"), (0, b"y" * 1400, 9), (0, b"y" * 1400, 1500))
        self.cap(flood())


if __name__ == "__main__":
    zb.main()

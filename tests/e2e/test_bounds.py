#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_bounds.py - traffic made to fill one kind of state stays within its limit, and the rest is analysed

Each flood would hold far more than its limit if it could. Connections of another kind are in front of it, in the middle
of it, and behind it, when all of it has timed out: those must be logged right.
"""
import struct

import zb

LIMIT = 64 << 10
FLOOD = 3000  # connections, datagrams, ...: each holds 30 bytes or more
LATER_S = 1000  # longer than any time-out

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16

# Gauges of lcore.log, by how their names begin.
STATE = ("conn_", "flow_table_", "timer_bytes", "history_", "stream_bytes", "reassem_", "dns_bytes", "http_",
         "tls_bytes", "analyzer_bytes", "file_bytes", "tunnel_bytes", "known_bytes", "expect_bytes",
         "dhcp_bytes", "weird_bytes")
CAP = 16 << 20


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
        self.seq[side] += 1 if flags & (SYN | FIN) else 0 if skip else len(payload)
        return made

    def say(self, side, payload, skip=0):
        """skip: bytes before it that never come."""
        self.packets.append(self.packet(side, PSH | ACK, payload, skip))
        return self


def dns_message(ident, name, answer=False):
    question = b"".join(bytes([len(part)]) + part for part in name.split(b".")) + b"\0\0\1\0\1"
    message = struct.pack("!HHHHHH", ident, 0x8180 if answer else 0x0100, 1, 1 if answer else 0, 0, 0) + question
    return message + (b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\1\2\3\4" if answer else b"")


def talks(port, *said, number=FLOOD):
    """Connections to port on which the originator (0) or the responder (1) says these things."""
    for i in range(number):
        talk = Talk(i, port)
        for side, payload, *skip in said:
            talk.say(side, payload.replace(b"NUMBER", b"%06d" % i), *skip)
        yield from talk.packets


GOOD = 0x0A0A0A00  # who is no part of the flood


def web(number, resp=RESP + 1):
    """The packets of a whole HTTP transaction, closed by both sides."""
    talk = Talk(0, 80, resp)
    talk.ends[0] = (GOOD + number, 4000 + number)
    talk.packets = [talk.packet(0, SYN), talk.packet(1, SYN | ACK), talk.packet(0, ACK)]
    talk.say(0, b"GET /good%d HTTP/1.1\r\nHost: good.example\r\n\r\n" % number)
    talk.say(1, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
    return talk.packets + [talk.packet(0, FIN | ACK), talk.packet(1, FIN | ACK), talk.packet(0, ACK)]


def asked(number):
    """A DNS query and its answer."""
    name = b"good%d.example" % number
    return [udp(GOOD + number, 5353, RESP + 1, 53, dns_message(7, name)),
            udp(RESP + 1, 53, GOOD + number, 5353, dns_message(7, name, True))]


def later():
    """What comes when everything else has timed out: bursts in which that is ended, some each."""
    for i in range(500):
        yield LATER_S + i / 50, udp(ORIG + 9, 5000, RESP + 9, 9, b"x")
    yield from ((LATER_S + 11 + i / 10, packet) for i, packet in enumerate(asked(3) + web(3)))


class Bounds(zb.Case):
    def write(self, flood, step_s=1e-5):
        path = self.dir / "flood.pcap"
        flood = list(flood)
        half = len(flood) // 2
        timed = [(0.5 + i / 100, packet) for i, packet in enumerate(asked(1) + web(1))]
        at = 1.0
        for part, step in ((flood[:half], step_s), (asked(2) + web(2), max(step_s, 1e-5)), (flood[half:], step_s)):
            for packet in part:
                timed.append((at, packet))
                at += step
        with open(path, "wb") as f:
            f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))  # raw IP
            for seconds, packet in timed + list(later()):
                f.write(struct.pack("<IIII", int(seconds), round(seconds % 1 * 1e6), len(packet), len(packet)))
                f.write(packet)
        return path

    def run_flood(self, flood, *options, step_s=1e-5):
        path = self.write(flood, step_s)
        self.assert_done(self.zbench("--pcap", path, "-C", "--stats-interval", "10ms", "--cores", zb.cpus(1)[0],
                                     "--sample-hz", 0, *options))
        result = self.result()
        self.assert_law_holds(result)
        return result

    def rows(self, log):
        return zb.rows(self.out / f"{log}.log")

    def check_good(self, middle=True):
        """The connections that are no part of the flood; middle: also those that came while it was at its worst."""
        dns = {row["query"]: row.get("answers") for row in self.rows("dns") if "good" in row.get("query", "")}
        web = {row["uri"]: row.get("status_code") for row in self.rows("http") if "/good" in row.get("uri", "")}
        for number in (1, 2, 3) if middle else (1, 3):
            self.assertEqual(dns[f"good{number}.example"], ["1.2.3.4"])
            self.assertEqual(web[f"/good{number}"], 200)
        good = [row for row in self.rows("conn") if row["id.orig_h"].startswith("10.10.10.")]
        tcp = [(row["conn_state"], row["orig_bytes"], row["resp_bytes"], row["missed_bytes"])
               for row in good if row["proto"] == "tcp"]
        self.assertEqual(tcp, [("SF", 43, 43, 0)] * 3)
        self.assertEqual([row["conn_state"] for row in good if row["proto"] == "udp"], ["SF"] * 3)

    def bound(self, kind, gauge, flood, limit=LIMIT, middle=True):
        result = self.run_flood(flood, "--limit", f"{kind}={limit}")
        lcore = result["lcores"][0]
        self.assertGreater(lcore[f"{kind}_shed"], 0)
        self.assertLessEqual(lcore["gauge_peaks"][gauge], limit)
        self.assertGreater(lcore["gauge_peaks"][gauge], limit // 4)
        self.check_good(middle)
        return lcore

    def test_stream(self):
        self.bound("stream", "stream_bytes", talks(80, (0, b"GET ")), middle=False)

    def test_tcp_data(self):
        self.bound("tcp_data", "reassem_tcp_bytes", talks(80, (0, b"GET / HTTP/1.1\r\n"), (0, b"y" * 500, 9)))

    def test_frag(self):
        self.bound("frag", "reassem_frag_bytes",
                   (ip(17, ORIG + i, RESP, b"z" * 400, ident=i, fragment=0x2000) for i in range(FLOOD)))

    def test_probe(self):
        self.bound("probe", "reassem_unknown_bytes", talks(4444, (0, b"\1unheard of" * 20)))

    def test_dns(self):
        self.bound("dns", "dns_bytes", (udp(ORIG, 10000 + i, RESP, 53, dns_message(i, b"q%d.example" % i))
                                        for i in range(FLOOD)), middle=False)

    def test_http(self):
        self.bound("http", "http_bytes", talks(80, (0, b"GET /NUMBER HTTP/1.1\r\nHost: " + b"h" * 300)), middle=False)

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
        self.bound("tunnel", "tunnel_bytes", (ip(4, ORIG + i, RESP, inner) for i in range(FLOOD)))

    def test_known(self):
        self.bound("known", "known_bytes", (packet for i in range(2 * FLOOD)
                                            for packet in Talk(i, 80, resp=0x0A800000 + i).packets), limit=16 << 10)

    def test_history(self):
        """FINs beyond the first are counted for each connection."""
        def flood():
            for i in range(FLOOD):
                talk = Talk(i, 81)
                yield from talk.packets + [talk.packet(0, FIN | ACK) for _ in range(3)]
        self.bound("history", "history_bytes", flood())

    def test_weird(self):
        """What has just been logged and is not to be offered again within a millisecond: a table of one size."""
        result = self.run_flood((tcp(ORIG + i, 1000, RESP, 81, 1, 0, SYN, b"early") for i in range(30000)), step_s=1e-8)
        self.assertGreater(result["totals"]["weird_shed"], 0)
        self.assertEqual(result["lcores"][0]["gauge_peaks"]["weird_bytes"], 256 << 10)
        self.check_good()

    def test_limit_of_nothing(self):
        """Less than any table needs is refused; the least that is taken works."""
        run = self.zbench("--pcap", self.write([]), "--limit", "tunnel=1")
        self.assertEqual(run.status, 2)
        self.assertIn("--limit tunnel=1", run.err)
        kinds = ("stream", "tcp_data", "frag", "probe", "dns", "http", "tls", "analyzer", "file", "file_data", "tunnel",
                 "known", "history", "expect", "dhcp")
        self.run_flood(talks(80, (0, b"GET /NUMBER HTTP/1.1\r\n\r\n"), (1, b"y" * 500), number=200),
                       *(word for kind in kinds for word in ("--limit", f"{kind}=4K")))

    def test_flows_max(self):
        result = self.run_flood((tcp(ORIG + i, 1000, RESP, 81, 1, 0, SYN) for i in range(20000)), "--flows-max", 1000)
        lcore = result["lcores"][0]
        self.assertLessEqual(lcore["gauge_peaks"]["active_tcp_conns"], 1000)
        self.assertGreater(lcore["conns_evicted"], 18000)
        self.assertEqual(lcore["conns_capped"], 0)
        self.assertTrue(any("--flows-max 1000 is too low" in note for note in result["verdict"]["notes"]))
        self.assertFalse(any("--memcap" in note for note in result["verdict"]["notes"]))
        self.check_good()

    def test_timers(self):
        """Connections that replace each other leave nothing on the timer wheel."""
        result = self.run_flood(tcp(ORIG, 1000, RESP, 81, i * 7, 0, SYN) for i in range(250000))
        self.assertGreater(result["totals"]["tcp_conns"], 250000)
        self.assertLess(result["lcores"][0]["gauge_peaks"]["timer_bytes"], 512 << 10)
        self.check_good()

    def test_expect(self):
        self.bound("expect", "expect_bytes",
                   (packet for i in range(FLOOD)
                    for packet in Talk(i, 21).say(0, b"PORT 10,%d,%d,3,4,5\r\n" % (i >> 8, i & 255)).packets))

    def test_dhcp(self):
        rest = b"\0" * 228 + b"\x63\x82\x53\x63\x35\1\1\xff"
        self.bound("dhcp", "dhcp_bytes", (udp(ORIG, 68, RESP, 67, b"\1\1\6\0" + struct.pack("!I", i) + rest)
                                          for i in range(FLOOD)))

    def cap(self, flood, shed=None):
        """All state together stays near the cap; shed: what is given up instead of connections."""
        result = self.run_flood(flood, "--memcap", CAP)
        totals = result["totals"]
        self.assertEqual(totals["conns_capped"], totals["conns_evicted"])
        if shed is not None:
            self.assertGreater(totals[shed], 0)
            self.assertEqual(totals["conns_capped"], 0)
        else:
            self.assertGreater(totals["conns_capped"], 0)
            self.assertTrue(any("beyond --memcap" in note for note in result["verdict"]["notes"]))
        # What conn_bytes is part of, and what has one size from the start.
        apart = ("conn_reserved_bytes", "weird_bytes")
        state = max(sum(n for gauge, n in row.items()
                        if gauge.startswith((*STATE, "expect_bytes")) and gauge not in apart)
                    for row in self.rows("lcore"))
        self.assertGreater(state, CAP // 8 if shed is not None else CAP // 2)
        self.assertLessEqual(state, CAP * 9 // 8)
        self.check_good(middle=shed is not None)

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

    def test_cap_with_tcp_data(self):
        self.cap(talks(80, (0, b"GET / HTTP/1.1\r\n"), *[(0, b"y" * 1400, 9 + 1400 * i) for i in range(4)],
                       number=2 * FLOOD))

    def test_cap_with_http(self):
        self.cap(talks(80, (0, b"GET /NUMBER HTTP/1.1\r\nHost: " + b"h" * 1300), number=3 * FLOOD))

    def test_cap_with_tls(self):
        self.cap(talks(443, (0, b"\x16\3\1\x10\0\1\0\x0f\xfc\3\3" + b"r" * 1300), number=3 * FLOOD))

    def test_cap_with_files(self):
        body = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"b" * 300
        self.cap(talks(80, (0, b"GET /NUMBER HTTP/1.1\r\nHost: h\r\n\r\n"), (1, body), number=2 * FLOOD))

    def test_cap_with_fragments(self):
        self.cap((ip(17, ORIG + i, RESP, b"z" * 1200, ident=i, fragment=0x2000) for i in range(4 * FLOOD)),
                 shed="frag_shed")

    def test_cap_with_tunnels(self):
        inner = udp(1, 2, 3, 4, b"inner")
        self.cap((ip(4, ORIG + i, RESP, inner) for i in range(30000)), shed="tunnel_shed")


if __name__ == "__main__":
    zb.main()

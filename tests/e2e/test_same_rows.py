#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_same_rows.py - all logs have the same rows whatever the burst and the number of cores

Rows are compared without their order, without ids of connections and files, which each worker counts for itself, and
without the worker's name. Besides generated sessions there is what is hard to spread over cores: tunnels with and
without a say in what is inside, fragments in any order, data connections that an FTP session announced, and oddities,
hosts and services that are logged once although several workers find them.
"""
import itertools
import json
import struct

import zb
from test_bounds import ACK, FIN, ORIG, PSH, RESP, SYN, Talk, dns_message, ip, tcp, udp

IDS = {"uid", "uids", "fuid", "orig_fuids", "resp_fuids", "fuids", "cert_chain_fuids", "client_cert_chain_fuids",
       "conn_uids", "parent_fuid", "tunnel_parents", "peer"}
# Logs of the run itself.
OWN = {"stats.log", "lcore.log", "prof.log", "telemetry.log"}
HOSTS = 12
SECONDS = 2e-4  # between packets: bursts end anywhere among what belongs together

PAUSE_S = 60


def ethernet(packet):
    return b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0" + packet


def ip6(src, dst, payload, proto=17):
    return struct.pack("!IHBB", 6 << 28, len(payload), proto, 64) + src + dst + payload


def closed(talk):
    return talk.packets + [talk.packet(0, FIN | ACK), talk.packet(1, FIN | ACK), talk.packet(0, ACK)]


def between(client, number, port, resp=RESP):
    """A connection from a client's port to a service."""
    talk = Talk(number, port, resp)
    talk.ends[0] = (client, 20000 + number)
    talk.packets = [talk.packet(0, SYN), talk.packet(1, SYN | ACK), talk.packet(0, ACK)]
    return talk


def web(client, number, resp=RESP):
    talk = between(client, number, 80, resp)
    talk.say(0, b"GET /%d HTTP/1.1\r\nHost: same.example\r\n\r\n" % number)
    return closed(talk.say(1, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsame rows"))


def dns(client, number, resp=RESP + 1):
    name = b"n%d.same.example" % number
    return [udp(client, 30000 + number, resp, 53, dns_message(number, name)),
            udp(resp, 53, client, 30000 + number, dns_message(number, name, True))]


def inside(n, kind):
    """Packets for a kind of tunnel; two tunnels of a kind carry the same flows."""
    client = ORIG + 0x1000 * kind + n // 2
    return dns(client, n // 2) + web(client, n // 2, RESP + 9)


def teredo(n):
    a, b = (b"\x20\1\0\0" + bytes([k, n]) * 6 for k in (1, 2))
    query = struct.pack("!HHHH", 9000 + n, 53, 8 + 30, 0) + dns_message(n, b"inner.same.ex").ljust(30, b"\0")
    return [udp(ORIG + n, 3500, RESP + 20, 3544, ip6(a, b, query)),
            udp(RESP + 20, 3544, ORIG + n, 3500, ip6(b, a, query))]


def tunnels(n):
    src, dst = ORIG + n, RESP + 20 + n % 3
    for p, vxlan, geneve in zip(inside(n, 1), inside(n, 2), inside(n, 3)):
        yield ip(4, src, dst, p)
        yield ip(47, src, dst, b"\0\0\x08\0" + p)
        yield udp(src, 40000 + n, dst, 4789, b"\x08\0\0\0\0\0\x2a\0" + ethernet(vxlan))
        yield udp(src, 40000 + n, dst, 6081, b"\0\0\x65\x58\0\0\x2a\0" + ethernet(geneve))
        yield udp(src, 2152, dst, 2152, struct.pack("!BBHI", 0x30, 255, len(p), 7 + n) + p)
    yield from teredo(n)


def fragments(n):
    """A datagram in order, one in reverse, one whose end never comes, and one that begins late."""
    for ident, order in enumerate(((0, 1, 2), (2, 1, 0), (0, 1), (1, 2))):
        whole = udp(ORIG + n, 1000 + ident, RESP, 53, dns_message(n, b"f%d.same.example" % ident).ljust(92, b"\0"))[20:]
        parts = [whole[:32], whole[32:64], whole[64:]]
        for k in order:
            yield ip(17, ORIG + n, RESP, parts[k], 100 * n + ident, (0x2000 if k < 2 else 0) | k * 4)


def ftp(n):
    """Two transfers: the server connects to what PORT names, the client to what the reply to PASV names."""
    client, server = ORIG + n, RESP + 40 + n % 4
    numbers = [",".join(map(str, struct.pack("!I", host))).encode() for host in (client, server)]
    talk = between(client, n, 21, server)
    talk.say(1, b"220 ready\r\n").say(0, b"USER same\r\n").say(1, b"331 word?\r\n").say(0, b"PASS rows\r\n")
    talk.say(1, b"230 in\r\n").say(0, b"PORT %s,100,%d\r\n" % (numbers[0], n)).say(1, b"200 good\r\n")
    talk.say(0, b"RETR one.txt\r\n").say(1, b"150 comes\r\n")
    active = between(server, n, 25600 + n, client)
    active.say(0, b"first file %d\n" % n)
    yield from talk.packets
    yield from closed(active)
    talk.packets = []
    talk.say(1, b"226 done\r\n").say(0, b"PASV\r\n").say(1, b"227 at (%s,101,%d)\r\n" % (numbers[1], n))
    talk.say(0, b"STOR two.txt\r\n").say(1, b"150 go\r\n")
    yield from talk.packets
    passive = between(client, 500 + n, 25856 + n, server).say(0, b"second file %d\n" % n)
    yield from closed(passive)
    talk.packets = []
    yield from closed(talk.say(1, b"226 done\r\n"))


def odd(n):
    """The same host does odd things in many connections: each is logged once for a while."""
    for k in range(3):
        yield tcp(ORIG, 1000 + n, RESP + k, 81, 1, 0, SYN, b"early")
        yield tcp(ORIG, 1000 + n, RESP + k, 81, 1, 0, SYN | FIN)
        yield udp(ORIG + k, 1100 + n, RESP, 53, b"no DNS at all")[:30]
        yield ip(99, ORIG + k, RESP + n, b"unheard of")
        yield tcp(ORIG + n, 1200 + k, RESP, 82, 5, 5, PSH | ACK, b"in the middle")


def finger(n):
    """What is odd at the end of a connection, which comes when it has been closed for a while."""
    return closed(between(ORIG + n, n, 79).say(0, b"no end of line"))


def dhcp(n):
    """A lease, over two connections; and the same transaction again, while it is remembered or not."""
    leased, mac = b"\x0a\0\1" + bytes([n]), b"\2\0\0\0\0" + bytes([n])
    message = struct.pack("!4BII4s4s8s6s", 1, 1, 6, 0, n, 0, b"", leased, b"", mac)
    message += b"\0" * 202 + b"\x63\x82\x53\x63\x35\1"
    for kind in (1, 3):
        yield udp(0, 68, 0xFFFFFFFF, 67, message + bytes([kind, 255]))
        yield udp(RESP + 60 + n % 3, 67, 0xFFFFFFFF, 68, message + bytes([kind + 1 + kind // 3, 255]))


def interleaved(makers):
    """One packet of each in turn, so that what one client does spans many bursts."""
    for turn in itertools.zip_longest(*makers):
        yield from (packet for packet in turn if packet is not None)


def by_hand():
    """None: a pause."""
    yield from interleaved(finger(n) for n in range(HOSTS))
    yield None
    yield from interleaved(dhcp(n) for n in range(HOSTS))
    yield None
    for kind in (fragments, ftp, tunnels, odd, dhcp):
        yield from interleaved(kind(n) for n in range(HOSTS))
    yield from interleaved([*(kind(n) for kind in (ftp, tunnels, fragments, odd) for n in range(HOSTS, 2 * HOSTS)),
                            *(web(ORIG + n, n, RESP + n % 2) for n in range(4 * HOSTS)),
                            *(dns(ORIG + n, n) for n in range(4 * HOSTS))])


def canonical(path):
    """Of ids that are lists, their number counts."""
    return sorted(json.dumps({k: len(v) if k in IDS else v for k, v in row.items()
                              if k not in IDS or isinstance(v, list)}) for row in zb.rows(path))


class SameRows(zb.Case):
    def logs(self, path, *options):
        out = self.dir / f"out{len(list(self.dir.iterdir()))}"
        command = self.command("--pcap", path, "-C", "--sample-hz", 0, "--log-format", "json", *options, "--out", out)
        self.assert_done(self.zbench(command=command))
        return {log.name: canonical(log) for log in out.glob("*.log") if log.name not in OWN}

    def check(self, path, *expected):
        one, *two = zb.cpus(2) or zb.cpus(1)
        first = self.logs(path, "--cores", one)
        for log in expected:
            self.assertTrue(first.get(f"{log}.log"), f"the trace is no test of {log}.log")
        both = f"{one},{two[0]}" if two else None
        settings = [("--cores", one, "--burst", 1), ("--cores", one, "--burst", 7)]
        settings += [("--cores", both), ("--cores", both, "--burst", 1), ("--cores", both, "--burst", 7)] if two else []
        for options in settings:
            with self.subTest(options=options):
                other = self.logs(path, *options)
                self.assertEqual(set(first), set(other))
                for log, rows in first.items():
                    self.assertEqual(rows, other[log], log)
        if not two:
            self.skipTest("bursts agree; two cores need two CPUs")

    def test_generated(self):
        self.check(self.trace("--sessions", 3000).path, "conn", "dns", "http", "ssl", "files", "known_hosts",
                   "known_services")

    def test_by_hand(self):
        path = self.dir / "hand.pcap"
        with open(path, "wb") as f:
            f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))  # raw IP
            now = 1
            for packet in by_hand():
                now += SECONDS if packet else PAUSE_S
                if packet:
                    f.write(struct.pack("<IIII", int(now), int(now % 1 * 1e6), len(packet), len(packet)) + packet)
        self.check(path, "conn", "dns", "http", "files", "ftp", "dhcp", "tunnel", "known_hosts", "known_services",
                   "weird")


if __name__ == "__main__":
    zb.main()

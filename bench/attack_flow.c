/* SPDX-License-Identifier: Apache-2.0 */
/* attack_flow.c - kind A: what fills flow tables and timers */
#include <stdio.h>

#include "bench/attack_priv.h"

#define PORT_PARAM(def)                                     \
	{                                                   \
		"port", def, 1, 65535, "port of the victim" \
	}
#define S_NS 1000000000ull

static void flags_from(struct zb_attack_gen *g, uint64_t n, uint8_t flags)
{
	uint64_t dice = zb_at_dice(g, n);
	struct zb_at_seg s = {
		.flow = zb_at_spoofed(g, n, (uint16_t)g->param[0]),
		.seq = (uint32_t)dice,
		.ack = flags & AT_ACK ? (uint32_t)(dice >> 32) : 0,
		.window = 64240,
		.flags = flags,
	};

	zb_at_tcp(g, &s, NULL, 0);
}

static void syn_flood(struct zb_attack_gen *g, uint64_t n)
{
	flags_from(g, n, AT_SYN);
}

static void stray_ack(struct zb_attack_gen *g, uint64_t n)
{
	flags_from(g, n, AT_ACK);
}

/* From a likely server to a random host, so that it looks like a response. */
static void stray_synack(struct zb_attack_gen *g, uint64_t n)
{
	struct zb_at_flow f = zb_at_spoofed(g, n, (uint16_t)g->param[0]);
	struct zb_at_seg s = {
		.flow = {f.dst, f.src, f.dport, f.sport},
		.seq = (uint32_t)zb_at_dice(g, n),
		.ack = 1,
		.window = 64240,
		.flags = AT_SYN | AT_ACK,
	};

	zb_at_tcp(g, &s, NULL, 0);
}

static void udp_spray(struct zb_attack_gen *g, uint64_t n)
{
	struct zb_at_flow f = zb_at_spoofed(g, n, (uint16_t)g->param[0]);
	uint64_t dice[64];

	for (unsigned i = 0; i < 64; i++)
		dice[i] = zb_at_dice(g, n * 64 + i);
	zb_at_udp(g, &f, dice, g->param[1]);
}

static void icmp_sweep(struct zb_attack_gen *g, uint64_t n)
{
	struct zb_at_flow f = zb_at_spoofed(g, n, 0);

	f = (struct zb_at_flow){ZB_AT_VICTIM, f.src, 7, 0};
	zb_at_echo(g, &f, 1);
}

/* Each port of a host, then the next host; answered: a RST for every SYN. */
static void port_scan(struct zb_attack_gen *g, uint64_t n)
{
	uint64_t ports = g->param[0], probe = g->param[1] != 0 ? n / 2 : n;
	struct zb_at_seg s = {
		.flow = {ZB_AT_SOURCES + 1, ZB_AT_SOURCES | ((probe / ports + 2) & 0x7fffff), 40000,
			 (uint16_t)(1 + probe % ports)},
		.seq = (uint32_t)zb_at_dice(g, probe),
		.window = 1024,
		.flags = AT_SYN,
	};

	if (g->param[1] != 0 && n % 2 == 1) {
		s.flow = (struct zb_at_flow){s.flow.dst, s.flow.src, s.flow.dport, s.flow.sport};
		s.ack = s.seq + 1;
		s.seq = 0;
		s.flags = AT_RST | AT_ACK;
	}
	zb_at_tcp(g, &s, NULL, 0);
}

/*
 * Every tuple has the same XOR of its 16-bit words, and with it the same hash by XOR folding and
 * the same symmetric Toeplitz hash, whose key repeats every 16 bits.
 */
static void hash_collide(struct zb_attack_gen *g, uint64_t n)
{
	struct zb_at_flow f = zb_at_spoofed(g, n, 0);
	uint32_t x = f.src ^ f.dst;

	f.sport = (uint16_t)zb_at_dice(g, n) | 1024;
	f.dport = (uint16_t)(f.sport ^ (x >> 16) ^ x ^ 0xbeef);
	zb_at_udp(g, &f, "collide", 7);
}

/* Connections one and all open first; then they take turns with a byte each. */
static void slow_drip(struct zb_attack_gen *g, uint64_t n)
{
	uint64_t conns = g->param[0], open = 3 * conns,
		 conn = n < open ? n / 3 : (n - open) % conns;
	uint32_t byte = n < open ? 0 : (uint32_t)((n - open) / conns);
	struct zb_at_seg s = {
		.flow = zb_at_spoofed(g, conn, 80),
		.seq = 1000 + byte + (n >= open || n % 3 == 2),
		.ack = 5001,
		.window = 65000,
		.flags = n >= open    ? AT_ACK | AT_PSH
			 : n % 3 == 2 ? AT_ACK
				      : AT_SYN,
	};

	if (n < open && n % 3 == 0)
		s.ack = 0;
	if (n < open && n % 3 == 1) {
		s.flow = (struct zb_at_flow){s.flow.dst, s.flow.src, s.flow.dport, s.flow.sport};
		s.seq = 5000;
		s.ack = 1001;
		s.flags |= AT_ACK;
	}
	if (n == open) /* from here on, each has its turn once in `every` seconds */
		g->gap_ns = g->param[1] * S_NS / conns;
	zb_at_tcp(g, &s, "x", n >= open);
}

/* The same addresses and ports: SYN, SYN-ACK, FIN, FIN, and again. */
static void reuse_storm(struct zb_attack_gen *g, uint64_t n)
{
	static const uint8_t flags[4] = {AT_SYN, AT_SYN | AT_ACK, AT_FIN | AT_ACK, AT_FIN | AT_ACK};
	uint64_t round = n / 4;
	unsigned step = n % 4, side = step % 2;
	uint32_t base = (uint32_t)zb_at_dice(g, round), peer = base * 3;
	struct zb_at_flow f = zb_at_spoofed(g, round % g->param[1], (uint16_t)g->param[0]);
	struct zb_at_seg s = {
		.flow = f,
		.seq = (side == 0 ? base : peer) + (step >= 2),
		.ack = step == 0   ? 0
		       : side == 0 ? peer + 1
				   : base + 1 + (step == 3),
		.window = 65000,
		.flags = flags[step],
	};

	if (side == 1)
		s.flow = (struct zb_at_flow){f.dst, f.src, f.dport, f.sport};
	zb_at_tcp(g, &s, NULL, 0);
}

/* Bursts of flows, then packet time jumps, so that all of them are due at once. */
static void timer_backlog(struct zb_attack_gen *g, uint64_t n)
{
	struct zb_at_flow f = zb_at_spoofed(g, n, 9);

	if (n > 0 && n % g->param[0] == 0)
		g->pause_ns = g->param[1] * S_NS;
	zb_at_udp(g, &f, "late", 4);
}

/* Time stamps that run back, stand, jump a year ahead, or are near zero. */
static void clock_trouble(struct zb_attack_gen *g, uint64_t n)
{
	static const int64_t year_ns = 365ll * 86400 * 1000000000, back_ns = 10ll * 1000000000;
	struct zb_at_flow f = zb_at_spoofed(g, n / 4, 9);

	if (n % g->param[0] == g->param[0] - 1) {
		uint64_t kind = n / g->param[0] % 4;

		g->off_ns = kind == 0	? -back_ns
			    : kind == 1 ? -(int64_t)(g->gap_ns)
			    : kind == 2 ? -year_ns
					: (int64_t)(back_ns * 6);
	}
	zb_at_udp(g, &f, "when", 4);
}

const struct zb_attack zb_attack_flow[] = {
	{.name = "syn-flood",
	 .id = "A1",
	 .sends = "SYNs from spoofed addresses to one port, never answered",
	 .exhausts = "flow table, memory of connections, timers, log rows",
	 .guard = "an attempt lives 5 s; --flows-max ends the oldest; --memcap",
	 .moves = "active_tcp_conns tcp_conns conn_bytes timers conn_state:S0",
	 .params = {PORT_PARAM(443)},
	 .frame = syn_flood},
	{.name = "stray-ack",
	 .id = "A2",
	 .sends = "pure ACKs of connections that nobody has seen (backscatter)",
	 .exhausts = "flow table: each stays 300 s, sixty times a SYN's time",
	 .guard = "--flows-max ends the one that would time out first; --memcap",
	 .moves = "active_tcp_conns conn_bytes conn_state:OTH history:A",
	 .params = {PORT_PARAM(443)},
	 .frame = stray_ack},
	{.name = "stray-synack",
	 .id = "A2",
	 .sends = "SYN-ACKs from a likely server's port to random hosts",
	 .exhausts = "flow table: each is turned round and stays as half a connection",
	 .guard = "--flows-max; --memcap",
	 .moves = "active_tcp_conns conn_bytes history:^",
	 .params = {PORT_PARAM(443)},
	 .frame = stray_synack},
	{.name = "udp-spray",
	 .id = "A3",
	 .sends = "UDP flows of one packet with random addresses, ports, content",
	 .exhausts = "flow table for 60 s each, protocol detection",
	 .guard = "--flows-max; --memcap",
	 .moves = "active_udp_conns udp_conns conn_bytes conn_state:S0",
	 .params = {PORT_PARAM(4444), {"bytes", 64, 0, 512, "payload"}},
	 .frame = udp_spray},
	{.name = "icmp-sweep",
	 .id = "A4",
	 .sends = "echo requests to every address of a network, never answered",
	 .exhausts = "flow table for 60 s each",
	 .guard = "--flows-max; --memcap",
	 .moves = "active_icmp_conns icmp_conns conn_state:OTH",
	 .frame = icmp_sweep},
	{.name = "port-scan",
	 .id = "A5",
	 .sends = "one source asks every port of host after host",
	 .exhausts = "flow table, log rows",
	 .guard = "no table by source; a rejected connection lives 5 s",
	 .moves = "tcp_conns rows:conn conn_state:REJ",
	 .params = {{"ports", 1000, 1, 65535, "ports of a host"},
		    {"answered", 1, 0, 1, "1: with a RST; 0: not at all"}},
	 .frame = port_scan},
	{.name = "hash-collide",
	 .id = "A6",
	 .sends = "tuples that collide under XOR folding and symmetric Toeplitz",
	 .exhausts = "look-ups, where the hash has no key: a chain grows with every flow",
	 .guard = "keys are hashed with a secret of the run; a bucket splits as it fills",
	 .moves = "active_udp_conns udp_conns",
	 .frame = hash_collide},
	{.name = "slow-drip",
	 .id = "A7",
	 .sends = "many connections that say one byte in minutes each",
	 .exhausts = "flow table, for as long as it goes on; cache misses",
	 .guard = "--flows-max; --memcap",
	 .moves = "active_tcp_conns active_timers conn_bytes",
	 .params = {{"conns", 100000, 1, 10000000, "connections"},
		    {"every", 250, 1, 3600, "seconds between the bytes of one"}},
	 .frame = slow_drip},
	{.name = "reuse-storm",
	 .id = "A8",
	 .sends = "the same addresses and ports open and close, again and again",
	 .exhausts = "making and ending of connections, log rows",
	 .guard = "a new one takes the place of the closed one; weirds are suppressed",
	 .moves = "tcp_conns rows:conn conn_state:SF",
	 .params = {PORT_PARAM(80), {"tuples", 1, 1, 65536, "different addresses"}},
	 .frame = reuse_storm},
	{.name = "timer-backlog",
	 .id = "A9",
	 .sends = "bursts of flows, then packet time jumps beyond their time-outs",
	 .exhausts = "the budget of expirations",
	 .guard = "256 connections a burst time out at most; their rows keep their times",
	 .moves = "conns_expired active_timers timers",
	 .params = {{"burst", 5000, 1, 10000000, "flows"}, {"jump", 120, 1, 86400, "seconds"}},
	 .frame = timer_backlog},
	{.name = "clock-trouble",
	 .id = "A10",
	 .sends = "time stamps that run back, stand still or jump ahead",
	 .exhausts = "correctness: timers that never or always fire",
	 .guard = "engine time does not run back",
	 .moves = "udp_conns conns_expired",
	 .params = {{"every", 100, 1, 1000000, "packets between two wrong ones"}},
	 .frame = clock_trouble},
};
ZB_ATTACK_COUNT(flow)

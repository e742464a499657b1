/* SPDX-License-Identifier: Apache-2.0 */
/* attack_tcp.c - kind B: what is hard to put together again */
#include <string.h>

#include "bench/attack_priv.h"

#define HTTP_BEGIN "GET / HTTP/1.1\r\n"
#define P_PIECES(n)                                                   \
	{                                                             \
		"pieces", n, 1, 100000000, "segments of a connection" \
	}

/* A piece of len bytes at an offset of its own. */
static int say_at(struct zb_attack_gen *g, int64_t skip, int byte, size_t len)
{
	zb_at_msg(g);
	zb_at_add_fill(g, byte, len);
	g->talk.said.apart = true;
	g->talk.said.skip = skip;
	return zb_at_say(g, 0);
}

/* The other side acknowledges what there is; more: also bytes that never were in order. */
static int say_ack(struct zb_attack_gen *g, uint32_t more)
{
	zb_at_msg(g);
	g->talk.said.ack_add = more;
	return zb_at_say(g, 1);
}

static int hole_unacked(struct zb_attack_gen *g, uint64_t nr)
{
	if (nr >= g->param[0])
		return 0;
	return say_at(g, 1 + (int64_t)(nr * g->param[1]), 'y', g->param[1]);
}

static int hole_acked(struct zb_attack_gen *g, uint64_t nr)
{
	if (nr == 0)
		return zb_at_say_text(g, 0, HTTP_BEGIN);
	if (nr == 1)
		return say_ack(g, 0);
	if (nr >= g->param[0] + 2)
		return 0;
	return say_at(g, 1 + (int64_t)((nr - 2) * g->param[1]), 'y', g->param[1]);
}

static int tiny_segments(struct zb_attack_gen *g, uint64_t nr)
{
	if (nr >= g->param[0])
		return 0;
	return zb_at_say_text(g, 0, nr == 0 ? "GET /" : "y");
}

/* Every second byte beyond a hole, from behind; then the bytes between, and all of it at once. */
static int tiny_reverse(struct zb_attack_gen *g, uint64_t nr)
{
	int64_t half = (int64_t)g->param[0] / 2 + 1, i = (int64_t)nr - 2;

	if (nr == 0)
		return zb_at_say_text(g, 0, HTTP_BEGIN "X: ");
	if (nr == 1)
		return say_ack(g, 0);
	if (i < half)
		return say_at(g, 2 * (half - i) - 1, 'r', 1);
	if (i < 2 * half)
		return say_at(g, 2 * (2 * half - 1 - i), 'r', 1);
	return 0;
}

/* The same from the front: odd bytes first. */
static int tiny_odd(struct zb_attack_gen *g, uint64_t nr)
{
	int64_t half = (int64_t)g->param[0] / 2 + 1, i = (int64_t)nr - 2;

	if (nr == 0)
		return zb_at_say_text(g, 0, HTTP_BEGIN "X: ");
	if (nr == 1)
		return say_ack(g, 0);
	if (i < half)
		return say_at(g, 2 * i + 1, 'o', 1);
	if (i < 2 * half)
		return say_at(g, 2 * (i - half), 'o', 1);
	return 0;
}

static int retransmit(struct zb_attack_gen *g, uint64_t nr)
{
	uint64_t times = g->param[1], piece = nr / times;

	if (piece >= g->param[0])
		return 0;
	zb_at_msg(g);
	zb_at_add_text(g, "X-%06u: ", (unsigned)(piece % 1000000));
	zb_at_add_fill(g, 't', 90);
	zb_at_add(g, "\r\n", 2);
	g->talk.said.apart = nr % times != times - 1;
	return zb_at_say(g, 0);
}

/* The same bytes twice with different content, beyond a hole and in order. */
static int overlap(struct zb_attack_gen *g, uint64_t nr)
{
	if (nr >= 4 * g->param[0])
		return 0;
	switch (nr % 4) {
	case 0: return say_at(g, 100, 'a', 200);
	case 1: return say_at(g, 50, 'b', 200);
	case 2: /* the hole is filled, and what follows is there already */
		zb_at_msg(g);
		zb_at_add_fill(g, 'c', 300);
		return zb_at_say(g, 0);
	default: return say_at(g, -300, 'd', 300);
	}
}

static int one_sided(struct zb_attack_gen *g, uint64_t nr)
{
	if (nr >= g->param[0])
		return 0;
	zb_at_msg(g);
	zb_at_add_text(g, "GET /%u HTTP/1.1\r\nHost: h.example\r\n\r\n", (unsigned)nr);
	return zb_at_say(g, 0);
}

static int say_flags(struct zb_attack_gen *g, uint64_t nr, uint8_t flags)
{
	if (nr >= g->param[0])
		return 0;
	zb_at_msg(g);
	g->talk.said.apart = true;
	g->talk.said.flags = flags;
	return zb_at_say(g, 0);
}

static int fin_storm(struct zb_attack_gen *g, uint64_t nr)
{
	return say_flags(g, nr, AT_FIN);
}

static int rst_storm(struct zb_attack_gen *g, uint64_t nr)
{
	return say_flags(g, nr, AT_RST);
}

/* The window is shut, opened, and taken back further than what was sent. */
static int window_games(struct zb_attack_gen *g, uint64_t nr)
{
	static const uint16_t windows[4] = {65000, 1, 32000, 100}; /* 1 stands for none */

	if (nr >= g->param[0])
		return 0;
	if (nr % 2 == 0)
		return zb_at_say_text(g, 0, "w");
	zb_at_msg(g);
	g->talk.said.window = windows[nr / 2 % 4];
	return zb_at_say(g, 1);
}

static int urgent(struct zb_attack_gen *g, uint64_t nr)
{
	if (nr >= g->param[0])
		return 0;
	zb_at_msg(g);
	zb_at_add_text(g, nr == 0 ? HTTP_BEGIN : "X-U: %06u\r\n", (unsigned)(nr % 1000000));
	g->talk.said.flags = AT_URG;
	g->talk.said.urgent = (uint16_t)zb_at_dice(g, nr);
	return zb_at_say(g, 0);
}

/* A SYN with another initial sequence number inside the connection. */
static int syn_again(struct zb_attack_gen *g, uint64_t nr)
{
	if (nr >= 2 * g->param[0])
		return 0;
	if (nr % 2 == 0)
		return zb_at_say_text(g, 0, "s");
	zb_at_msg(g);
	g->talk.said.apart = true;
	g->talk.said.flags = AT_SYN;
	g->talk.said.skip = (int64_t)(zb_at_dice(g, nr) & 0xffffff) + 100000;
	return zb_at_say(g, 0);
}

/* Data a gigabyte ahead, which the other side then acknowledges. */
static int seq_jump(struct zb_attack_gen *g, uint64_t nr)
{
	const uint32_t jump = 1u << 30;

	switch (nr) {
	case 0: return zb_at_say_text(g, 0, HTTP_BEGIN);
	case 1: return say_ack(g, 0);
	case 2: return say_at(g, jump, 'j', 100);
	case 3: return say_ack(g, jump + 100);
	default: return 0;
	}
}

/* Resets and FINs that the receiver ignores, since their checksums are wrong. */
static int decoy(struct zb_attack_gen *g, uint64_t nr)
{
	if (nr >= 2 * g->param[0])
		return 0;
	zb_at_msg(g);
	if (nr % 2 == 0) {
		zb_at_add(g, nr == 0 ? "GET /" : "d", nr == 0 ? 5 : 1);
		return zb_at_say(g, 0);
	}
	g->talk.said.apart = true;
	g->talk.said.bad_sum = true;
	g->talk.said.flags = nr % 4 == 1 ? AT_RST : AT_FIN;
	return zb_at_say(g, 0);
}

static int half_closed(struct zb_attack_gen *g, uint64_t nr)
{
	if (nr >= g->param[0])
		return 0;
	if (nr == 0) {
		zb_at_msg(g);
		g->talk.said.flags = AT_FIN;
		return zb_at_say(g, 0);
	}
	return zb_at_say_text(g, 1, "still here\r\n");
}

#define TALK(function) .frame = zb_at_talk, .say = function
#define P_BYTES(n)                                       \
	{                                                \
		"bytes", n, 1, ZB_AT_MSS, "of a segment" \
	}

const struct zb_attack zb_attack_tcp[] = {
	{.name = "hole",
	 .id = "B1",
	 .sends = "data beyond a first byte that never comes, never acknowledged",
	 .exhausts = "memory of TCP reassembly",
	 .guard = "16 KiB beyond a hole without any ACK; --limit tcp_data; --memcap",
	 .moves = "reassem_tcp_bytes weird:above_hole_data_without_any_acks",
	 .port = 80,
	 .params = {P_PIECES(14), P_BYTES(1400)},
	 TALK(hole_unacked)},
	{.name = "acked-hole",
	 .id = "B2",
	 .sends = "one byte is acknowledged, the next never comes, and data follow",
	 .exhausts = "memory of TCP reassembly: megabytes of each connection",
	 .guard = "10 MiB without a further ACK; --limit tcp_data gives the hole up; --memcap",
	 .moves = "reassem_tcp_bytes",
	 .port = 80,
	 .params = {P_PIECES(1000), P_BYTES(1400)},
	 TALK(hole_acked)},
	{.name = "tiny-segments",
	 .id = "B3",
	 .sends = "every byte in a segment of its own, in order",
	 .exhausts = "cycles per byte",
	 .guard = "what is in order is passed on at once; nothing of it is kept",
	 .moves = "stage_stream_cycles history:D",
	 .port = 80,
	 .ack_every = 64,
	 .params = {P_PIECES(10000)},
	 TALK(tiny_segments)},
	{.name = "tiny-reverse",
	 .id = "B4",
	 .sends = "bytes beyond a hole, the last one first, each second one, then the rest",
	 .exhausts = "look-ups among blocks, their descriptors",
	 .guard = "blocks are found by their place; --limit tcp_data",
	 .moves = "reassem_tcp_bytes",
	 .port = 80,
	 .params = {P_PIECES(10000)},
	 TALK(tiny_reverse)},
	{.name = "tiny-odd",
	 .id = "B4",
	 .sends = "bytes beyond a hole, odd ones first, then the even ones",
	 .exhausts = "look-ups among blocks, their descriptors",
	 .guard = "blocks are found by their place; --limit tcp_data",
	 .moves = "reassem_tcp_bytes",
	 .port = 80,
	 .params = {P_PIECES(10000)},
	 TALK(tiny_odd)},
	{.name = "retransmit",
	 .id = "B5",
	 .sends = "every segment several times",
	 .exhausts = "cycles per byte that is new",
	 .guard = "what was delivered is cut off before anything else",
	 .moves = "history:T",
	 .port = 4444,
	 .ack_every = 64,
	 .params = {P_PIECES(1000), {"times", 10, 2, 1000, "each segment"}},
	 TALK(retransmit)},
	{.name = "overlap",
	 .id = "B6",
	 .sends = "the same bytes with different content, beyond a hole and in order",
	 .exhausts = "correctness: which of the two the receiver has taken",
	 .guard = "what came first stays",
	 .moves = "history:T reassem_tcp_bytes",
	 .port = 4444,
	 .ack_every = 8,
	 .params = {P_PIECES(100)},
	 TALK(overlap)},
	{.name = "one-sided",
	 .id = "B7",
	 .sends = "requests of connections of which the answers take another way",
	 .exhausts = "requests that wait for their answers",
	 .guard = "100 requests wait; 16 KiB without any ACK",
	 .moves = "http_bytes active_tcp_conns",
	 .port = 80,
	 .one_sided = true,
	 .params = {P_PIECES(50)},
	 TALK(one_sided)},
	{.name = "fin-storm",
	 .id = "B11",
	 .sends = "FINs of one connection",
	 .exhausts = "cycles, weirds",
	 .guard = "counted: one weird for each thousand in a second",
	 .moves = "weird:FIN_storm history:F",
	 .port = 4444,
	 .params = {P_PIECES(5000)},
	 TALK(fin_storm)},
	{.name = "rst-storm",
	 .id = "B11",
	 .sends = "RSTs of one connection",
	 .exhausts = "cycles, weirds",
	 .guard = "counted: one weird for each thousand in a second",
	 .moves = "weird:RST_storm history:R",
	 .port = 4444,
	 .params = {P_PIECES(5000)},
	 TALK(rst_storm)},
	{.name = "window-games",
	 .id = "B12",
	 .sends = "a window that is shut, opened and taken back",
	 .exhausts = "time in the table, weirds",
	 .guard = "weirds are suppressed per connection",
	 .moves = "history:w weird:window_recision",
	 .port = 4444,
	 .params = {P_PIECES(200)},
	 TALK(window_games)},
	{.name = "urgent",
	 .id = "B13",
	 .sends = "urgent data, with pointers anywhere",
	 .exhausts = "correctness: which byte the receiver leaves out",
	 .guard = "urgent data are data, as in Zeek",
	 .moves = "history:D http_bytes",
	 .port = 80,
	 .ack_every = 64,
	 .params = {P_PIECES(200)},
	 TALK(urgent)},
	{.name = "syn-again",
	 .id = "B14",
	 .sends = "SYNs with other sequence numbers inside a connection with data",
	 .exhausts = "correctness: which stream is meant",
	 .guard = "a connection keeps its sequence numbers; weirds are suppressed",
	 .moves = "weird:SYN_inside_connection history:S",
	 .port = 4444,
	 .params = {P_PIECES(100)},
	 TALK(syn_again)},
	{.name = "seq-jump",
	 .id = "B15",
	 .sends = "data a gigabyte ahead, which is then acknowledged",
	 .exhausts = "windows that slide; sizes that never were",
	 .guard = "nothing is kept for a gap; missed_bytes tells it",
	 .moves = "history:G",
	 .port = 80,
	 TALK(seq_jump)},
	{.name = "decoy",
	 .id = "B16",
	 .sends = "RSTs and FINs with wrong checksums between data",
	 .exhausts = "correctness: the connection goes on",
	 .guard = "packets with a wrong checksum change nothing",
	 .moves = "fate_bad_transport_checksum history:C weird:bad_TCP_checksum",
	 .port = 80,
	 .ack_every = 64,
	 .params = {P_PIECES(100)},
	 TALK(decoy)},
	{.name = "half-closed",
	 .id = "B17",
	 .sends = "connections of which one side has closed, and the other talks on",
	 .exhausts = "flow table, until nothing more is said",
	 .guard = "inactivity ends it; --flows-max; --memcap",
	 .moves = "active_tcp_conns conn_state:S2",
	 .port = 4444,
	 .params = {P_PIECES(10)},
	 TALK(half_closed)},
};
ZB_ATTACK_COUNT(tcp)

/* SPDX-License-Identifier: Apache-2.0 */
/* attack_dns.c - kind E8: DNS messages */
#include <string.h>

#include "bench/attack_priv.h"

#define TYPE_A	   1u
#define TYPE_CNAME 5u
#define TYPE_TXT   16u
#define TYPE_ANY   255u
#define RESPONSE   0x8180u
#define NX	   0x8183u
#define POINTER	   0xc00cu /* to the name of the question */

static void add_name(struct zb_attack_gen *g, const char *name)
{
	while (*name != '\0') {
		size_t n = strcspn(name, ".");

		zb_at_add_be(g, n, 1);
		zb_at_add(g, name, n);
		name += n + (name[n] == '.');
	}
	zb_at_add_be(g, 0, 1);
}

/* Header and question; counts of questions and answers are the caller's. */
static void add_head(struct zb_attack_gen *g, unsigned id, unsigned flags, unsigned questions,
		     unsigned answers)
{
	zb_at_msg(g);
	zb_at_add_be(g, id, 2);
	zb_at_add_be(g, flags, 2);
	zb_at_add_be(g, questions, 2);
	zb_at_add_be(g, answers, 2);
	zb_at_add_be(g, 0, 4);
}

static void add_question(struct zb_attack_gen *g, const char *name, unsigned type)
{
	add_name(g, name);
	zb_at_add_be(g, type, 2);
	zb_at_add_be(g, 1, 2);
}

static void add_rr(struct zb_attack_gen *g, unsigned type, size_t len)
{
	zb_at_add_be(g, POINTER, 2);
	zb_at_add_be(g, type, 2);
	zb_at_add_be(g, 1, 2);
	zb_at_add_be(g, 60, 4);
	zb_at_add_be(g, len, 2);
}

/* The message as a datagram: a query, or the answer of the victim. */
static void send(struct zb_attack_gen *g, struct zb_at_flow f, bool answer)
{
	if (answer)
		f = (struct zb_at_flow){f.dst, f.src, f.dport, f.sport};
	zb_at_udp(g, &f, g->msg, g->msg_len);
}

/* A name that points at itself, at a chain of pointers, and beyond. */
static void pointer_loop(struct zb_attack_gen *g, uint64_t n)
{
	add_head(g, (unsigned)n, 0x0100, 1, 0);
	if (n % 2 == 0) {
		zb_at_add(g, "\1a\xc0\x0c", 4); /* to the label in front of it */
	} else {
		for (unsigned i = 0; i < 100; i++) /* each to the one behind it */
			zb_at_add_be(g, 0xc000u | (14 + 2 * i), 2);
		zb_at_add_be(g, 0, 1);
	}
	zb_at_add_be(g, TYPE_A << 16 | 1, 4);
	send(g, zb_at_spoofed(g, n, 53), false);
}

/* Every name is asked for once, and there is none of them. */
static void water_torture(struct zb_attack_gen *g, uint64_t n)
{
	char name[64] = "";
	uint64_t dice = zb_at_dice(g, n / 2);

	for (unsigned i = 0; i < 12; i++, dice >>= 5)
		name[i] = "abcdefghijklmnopqrstuvwxyz234567"[dice & 31];
	strcpy(name + 12, ".victim.example");
	add_head(g, (unsigned)(n / 2), n % 2 == 0 ? 0x0100 : NX, 1, 0);
	add_question(g, name, TYPE_A);
	send(g, zb_at_spoofed(g, n / 2 % 64, 53), n % 2 == 1);
}

/* A small question, and an answer as large as a datagram. */
static void any(struct zb_attack_gen *g, uint64_t n)
{
	add_head(g, (unsigned)(n / 2), n % 2 == 0 ? 0x0100 : RESPONSE, 1, n % 2 == 0 ? 0 : 5);
	add_question(g, "amplify.example", TYPE_ANY);
	for (unsigned i = 0; n % 2 == 1 && i < 5; i++) {
		add_rr(g, TYPE_TXT, 256);
		zb_at_add_be(g, 255, 1);
		zb_at_add_fill(g, 'a', 255);
	}
	send(g, zb_at_spoofed(g, n / 2, 53), n % 2 == 1);
}

/* Queries of one flow, and answers whose ids are those of none of them. */
static void pending(struct zb_attack_gen *g, uint64_t n)
{
	uint64_t round = n / 2;
	char name[32] = "q0000000.example";

	for (unsigned i = 0; i < 7; i++, round /= 10)
		name[7 - i] = (char)('0' + round % 10);
	/* ids of queries are even, those of answers odd */
	add_head(g, (unsigned)n, n % 2 == 0 ? 0x0100 : NX, 1, 0);
	add_question(g, name, TYPE_A);
	send(g, zb_at_spoofed(g, n / g->param[0], 53), n % 2 == 1);
}

/* Over TCP: a length in front, which is filled in by the one who says it. */
static int say_tcp(struct zb_attack_gen *g)
{
	uint32_t len = g->msg_len;

	zb_at_add_be(g, 0, 2);
	memmove(g->msg + 2, g->msg, len);
	zb_at_patch_be(g, 0, len, 2);
	return zb_at_say(g, 1);
}

static int say_query(struct zb_attack_gen *g, uint64_t nr, unsigned type)
{
	add_head(g, (unsigned)(nr / 2), 0x0100, 1, 0);
	add_question(g, "large.example", type);
	say_tcp(g);
	g->talk.said.side = 0;
	return 1;
}

/* An answer of one record with 63 KiB of text. */
static int text_tcp(struct zb_attack_gen *g, uint64_t nr)
{
	if (nr >= 2 * g->param[0])
		return 0;
	if (nr % 2 == 0)
		return say_query(g, nr, TYPE_TXT);
	add_head(g, (unsigned)(nr / 2), RESPONSE, 1, 1);
	add_question(g, "large.example", TYPE_TXT);
	add_rr(g, TYPE_TXT, 252 * 256);
	for (unsigned i = 0; i < 252; i++) {
		zb_at_add_be(g, 255, 1);
		zb_at_add_fill(g, 't', 255);
	}
	return say_tcp(g);
}

/* As many answers as fit 64 KiB, though the count says 65,535; their names are one pointer each. */
static int answers(struct zb_attack_gen *g, uint64_t nr)
{
	if (nr >= 2 * g->param[0])
		return 0;
	if (nr % 2 == 0)
		return say_query(g, nr, TYPE_A);
	add_head(g, (unsigned)(nr / 2), RESPONSE, 1, 0xffff);
	add_question(g, "large.example", TYPE_A);
	while (g->msg_len < 65500) {
		add_rr(g, TYPE_A, 4);
		zb_at_add_be(g, 0x01020304, 4);
	}
	return say_tcp(g);
}

/* Each answer's name and alias lead over a chain of pointers to 250 letters. */
static int names(struct zb_attack_gen *g, uint64_t nr)
{
	uint32_t chain, at;

	if (nr >= 2 * g->param[0])
		return 0;
	if (nr % 2 == 0)
		return say_query(g, nr, TYPE_CNAME);
	add_head(g, (unsigned)(nr / 2), RESPONSE, 1, 4000);
	at = g->msg_len;
	for (unsigned i = 0; i < 3; i++) {
		zb_at_add_be(g, 63, 1);
		zb_at_add_fill(g, 'n', 63);
	}
	zb_at_add_be(g, 0, 1);
	zb_at_add_be(g, TYPE_CNAME << 16 | 1, 4);
	chain = at;
	while (g->msg_len < 65400) {
		uint32_t next;

		zb_at_add_be(g, 0xc000u | at, 2);
		zb_at_add_be(g, TYPE_CNAME << 16 | 1, 4);
		zb_at_add_be(g, 60, 4);
		zb_at_add_be(g, 4, 2);
		next = g->msg_len;
		zb_at_add(g, "\1c", 2);
		zb_at_add_be(g, 0xc000u | chain, 2);
		if (next < 0x3f00 && next % 8 != 0)
			chain = next;
	}
	return say_tcp(g);
}

#define TCP_53 .port = 53, .frame = zb_at_talk, .ack_every = 16
#define P_ROUNDS                                                      \
	{                                                             \
		"rounds", 20, 1, 100000000, "queries of a connection" \
	}

const struct zb_attack zb_attack_dns[] = {
	{.name = "dns-pointer-loop",
	 .id = "E8",
	 .sends = "names that point at themselves, and chains of pointers",
	 .exhausts = "cycles in reading a name",
	 .guard = "20 pointers, none of them forward",
	 .moves = "weirds udp_conns",
	 .frame = pointer_loop},
	{.name = "dns-text",
	 .id = "E8",
	 .sends = "answers over TCP with 63 KiB of text",
	 .exhausts = "log rows of that size, memory of a message",
	 .guard = "4,096 bytes of an answer, 24 KiB of a row",
	 .moves = "rows:dns dns_bytes",
	 .params = {P_ROUNDS},
	 TCP_53,
	 .say = text_tcp},
	{.name = "dns-answers",
	 .id = "E8",
	 .sends = "messages over TCP that announce 65,535 answers and hold 4,000",
	 .exhausts = "cycles and memory per message",
	 .guard = "100 answers of a row; the rest is read over",
	 .moves = "rows:dns dns_requests",
	 .params = {P_ROUNDS},
	 TCP_53,
	 .say = answers},
	{.name = "dns-names",
	 .id = "E8",
	 .sends = "4,000 aliases a message, each a chain of pointers to long names",
	 .exhausts = "cycles per message, if each name is copied out for the log",
	 .guard = "20 pointers a name, 100 answers of a row",
	 .moves = "rows:dns dns_requests",
	 .params = {P_ROUNDS},
	 TCP_53,
	 .say = names},
	{.name = "dns-water-torture",
	 .id = "E8",
	 .sends = "queries for names of which none occurs twice, all answered NXDOMAIN",
	 .exhausts = "tables by name; log rows",
	 .guard = "there is no table by name",
	 .moves = "rows:dns dns_requests",
	 .frame = water_torture},
	{.name = "dns-any",
	 .id = "E8",
	 .sends = "small queries for ANY with answers of 1,300 bytes",
	 .exhausts = "log rows",
	 .guard = "100 answers and 24 KiB of a row",
	 .moves = "rows:dns active_udp_conns",
	 .frame = any},
	{.name = "dns-pending",
	 .id = "E8",
	 .sends = "queries of one flow, and answers with ids of none of them",
	 .exhausts = "memory of queries that wait",
	 .guard = "51 ids, 51 queries an id, 512 KiB of a connection; --limit dns",
	 .moves = "dns_bytes rows:dns",
	 .params = {{"packets", 1000, 2, 100000000, "of a flow"}},
	 .frame = pending},
};
ZB_ATTACK_COUNT(dns)

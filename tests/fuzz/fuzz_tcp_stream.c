/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_tcp_stream.c - any segments of one TCP connection, held against a plain model of what must
 * be heard
 *
 * The first four bytes are the originator's first number and the limit of memory; then come
 * segments of eight bytes:
 *
 *     flags and side | captured whole? content | seq (2) | ack (2) | length (2)
 *
 * The model remembers the first copy of every byte. What is heard must be those copies, in order
 * and once, with gaps only for what never came or came after it was acknowledged; what can be heard
 * must have been; and all memory must come back.
 *
 *     fuzz_tcp_stream -max_len=2048 tests/fuzz/corpus/tcp_stream
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/registry.h"
#include "pipeline/session.h"
#include "pipeline/tcp_seq.h"
#include "tests/fuzz/row_catch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define START_NS (1700000000 * ZB_SEC_NS)
#define ROOM	 (1u << 18) /* positions that the model knows: 64 Ki, and the longest payload */
#define NEVER	 0xffff

struct side {
	uint16_t first[ROOM]; /* copy of each byte, or NEVER */
	uint64_t pos;	      /* of what is heard next */
	uint64_t top;	      /* behind the last copy: what is beyond was never touched */
};

struct listener {
	struct zb_analyzer a;
};

static struct zb_registry registry;
static struct zb_weird weird;
static struct zb_lcore_stat stat;
static struct zb_delivery_list list;
static struct side sides[2];
static bool is_strict; /* no FIN, RST, or second SYN has confused the numbers */

/* The sides of the model keep their places when roles are swapped. */
static unsigned place_of(const struct zb_conn *c, unsigned side)
{
	return side ^ !(c->flags & ZB_CONN_ORIG_IS_A);
}

static void hear_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct side *s = &sides[place_of(zb_analyzer_conn(a), side)];

	for (size_t i = 0; i < n; i++, s->pos++)
		must(s->pos < ROOM ? s->first[s->pos] == d[i] : !is_strict);
}

static void hear_gap(struct zb_analyzer *a, unsigned side, uint64_t n)
{
	struct side *s = &sides[place_of(zb_analyzer_conn(a), side)];

	must(n != 0);
	for (uint64_t i = 0; is_strict && i < n && s->pos + i < ROOM; i++)
		must(s->first[s->pos + i] == NEVER);
	s->pos += n;
}

static void hear_fin(struct zb_analyzer *a, unsigned side)
{
	(void)a;
	(void)side;
}

static const struct zb_analyzer_def listener_def = {
	.name = "listener",
	.state_bytes = sizeof(struct listener),
	.mem = ZB_MEM_analyzer,
	.data = hear_data,
	.gap = hear_gap,
	.fin = hear_fin,
};

static void model(struct side *s, uint64_t pos, uint64_t acked, const uint8_t *d, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (pos + i >= acked && pos + i >= s->pos && pos + i < ROOM &&
		    s->first[pos + i] == NEVER) {
			s->first[pos + i] = d[i];
			s->top = s->top > pos + i ? s->top : pos + i + 1;
		}
}

static void play(struct zb_analysis *an, struct zb_conn *c, const uint32_t isn[2],
		 const uint8_t *in)
{
	unsigned side = in[0] >> 7;
	uint16_t seq = (uint16_t)(in[2] << 8 | in[3]), ack = (uint16_t)(in[4] << 8 | in[5]);
	struct zb_tcp_seg s = {.ts_ns = an->now_ns += 1000,
			       .seq = isn[side] + seq,
			       .ack = isn[!side] + ack,
			       .len = (uint32_t)(in[6] << 8 | in[7]),
			       .flags = in[0] & 0x1f,
			       .side = (uint8_t)zb_conn_side(c, side == 0),
			       .window = 1000,
			       .wscale = -1};
	uint8_t *d = malloc(s.len + !s.len);
	struct zb_pkt p = {.data = d,
			   .ts_ns = s.ts_ns,
			   .tcp_flags = s.flags,
			   .payload_len = s.len,
			   .payload_cap = in[1] & 1 ? s.len / 2 : s.len};
	struct zb_tcp_step step;

	must(d != NULL);
	memset(d, in[1], s.len);
	if (s.flags & (ZB_TCP_FIN | ZB_TCP_RST | ZB_TCP_SYN))
		is_strict = false;
	weird.now_ns = s.ts_ns;
	zb_tcp_update(c, &s, &weird, &step);
	if (!(s.flags & ZB_TCP_RST) && p.payload_cap == s.len && !step.is_before_start) {
		struct zb_endpoint *e = &c->end[step.side];

		model(&sides[side], step.seq, zb_seq_wide(e->ack_seq, e->ack_wraps) - e->start_seq,
		      d, s.len);
	}
	zb_tcp_stream_segment(an, &list, c, &p, &step);
	zb_session_run(&list);
	free(d);
}

/* What is held must fit what was heard, and nothing may wait that could be heard. */
static void check(const struct zb_conn *c)
{
	const struct zb_session *s = zb_session_of(c);

	for (unsigned i = 0; i < 2; i++) {
		const struct zb_tcp_half *h = &s->half[place_of(c, i)];

		if (h->is_given_up)
			continue;
		must(h->next == sides[i].pos);
		must(h->unacked >= -1);
		if (is_strict && h->unacked >= 0 && h->next < ROOM)
			must(sides[i].first[h->next] == NEVER);
	}
}

static void begin(struct zb_analysis *an, struct zb_conn *c)
{
	struct zb_session *s;
	struct listener *l;

	c->key = (struct zb_flow_key){.a = {10, 0, 0, 1},
				      .b = {192, 0, 2, 1},
				      .port_a = 40000,
				      .port_b = 50000,
				      .proto = IPPROTO_TCP,
				      .ip_version = 4};
	c->flags = ZB_CONN_ORIG_IS_A;
	c->first_ns = an->now_ns = START_NS;
	s = zb_session_get(an, c);
	l = zb_mem_get(&an->mem, ZB_MEM_analyzer, sizeof(*l));
	must(s != NULL && l != NULL);
	l->a.def = &listener_def;
	l->a.branch = &s->root;
	s->root.first = &l->a;
	s->root.probing = false; /* it would keep what is heard, and look for nothing */
	for (unsigned i = 0; i < 2; i++) {
		sides[i].pos = 1;
		memset(sides[i].first, NEVER & 0xff, sides[i].top * sizeof(sides[i].first[0]));
		sides[i].top = 0;
	}
	is_strict = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct zb_analysis an;
	struct zb_conn c = {0};
	uint32_t isn[2] = {0, 5000};
	size_t at = 4;

	if (size < at)
		return 0;
	an = (struct zb_analysis){
		.weird = &weird, .stat = &stat, .registry = &registry, .secret = 1};
	list.an = &an;
	zb_mem_init(&an.mem, NULL);
	if (data[3] & 1)
		an.mem.limit[ZB_MEM_tcp_data] = data[3] * 64u;
	isn[0] = (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | data[2];
	if (weird.seen.seen == NULL) {
		must(zb_weird_init(&weird, NULL, "fuzz", 1) == 0);
		sides[0].top = sides[1].top = ROOM;
	}
	begin(&an, &c);
	for (; at + 8 <= size; at += 8) {
		play(&an, &c, isn, data + at);
		check(&c);
	}
	zb_session_end(&c);
	zb_conn_rare_free(&c);
	for (unsigned kind = 0; kind < ZB_MEM_NR; kind++)
		must(an.mem.bytes[kind] == 0);
	return 0;
}

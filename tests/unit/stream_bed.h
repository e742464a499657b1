/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_bed.h - one TCP connection whose stream is listened to, and all that is heard, for tests
 *
 * The byte that a side has at a position is known (sb_byte()), so that whatever is heard is checked
 * against its position. Include after cmocka.h.
 */
#ifndef ZB_TESTS_UNIT_STREAM_BED_H
#define ZB_TESTS_UNIT_STREAM_BED_H

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/registry.h"
#include "pipeline/session.h"
#include "pipeline/tcp_seq.h"

#define SB_START_NS (1700000000 * ZB_SEC_NS)

/* What was heard from a side. */
struct sb_heard {
	uint64_t pos; /* where the next byte stands */
	uint64_t bytes, missing;
	unsigned pieces, gaps, fins;
};

struct stream_bed {
	struct zb_lcore_stat stat;
	struct zb_weird w;
	struct zb_analysis an;
	struct zb_registry registry; /* no analyzers */
	struct zb_delivery_list list;
	struct zb_conn c;
	uint32_t isn[2]; /* by the sides of the beginning */
	struct sb_heard heard[2];
	uint64_t now_ns;
};

struct sb_listener {
	struct zb_analyzer a;
	struct stream_bed *bed;
};

static inline uint8_t sb_byte(unsigned side, uint64_t pos)
{
	return (uint8_t)((pos * 0x9e3779b1u >> 16) ^ (side ? 0x5a : 0));
}

static inline void sb_hear_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct sb_heard *h = &((struct sb_listener *)a)->bed->heard[side];

	for (size_t i = 0; i < n; i++)
		if (d[i] != sb_byte(side, h->pos + i))
			fail_msg("side %u: wrong byte at %llu", side,
				 (unsigned long long)(h->pos + i));
	h->pos += n;
	h->bytes += n;
	h->pieces++;
}

static inline void sb_hear_gap(struct zb_analyzer *a, unsigned side, uint64_t n)
{
	struct sb_heard *h = &((struct sb_listener *)a)->bed->heard[side];

	h->pos += n;
	h->missing += n;
	h->gaps++;
}

static inline void sb_hear_fin(struct zb_analyzer *a, unsigned side)
{
	((struct sb_listener *)a)->bed->heard[side].fins++;
}

static const struct zb_analyzer_def sb_listener_def = {
	.name = "listener",
	.state_bytes = sizeof(struct sb_listener),
	.mem = ZB_MEM_analyzer,
	.data = sb_hear_data,
	.gap = sb_hear_gap,
	.fin = sb_hear_fin,
};

static inline void sb_open(struct stream_bed *b, uint32_t isn_orig, uint32_t isn_resp)
{
	memset(b, 0, sizeof(*b));
	assert_int_equal(zb_weird_init(&b->w, NULL, "bed", 1), 0);
	zb_mem_init(&b->an.mem, NULL);
	b->an.weird = &b->w;
	b->an.stat = &b->stat;
	b->an.registry = &b->registry;
	b->an.secret = 0x1234567890abcdefu;
	b->list.an = &b->an;
	b->c.key = (struct zb_flow_key){.a = {10, 0, 0, 1},
					.b = {192, 0, 2, 1},
					.port_a = 40000,
					.port_b = 50000,
					.proto = IPPROTO_TCP,
					.ip_version = 4};
	b->c.flags = ZB_CONN_ORIG_IS_A;
	b->now_ns = b->c.first_ns = SB_START_NS;
	b->isn[0] = isn_orig;
	b->isn[1] = isn_resp;
	b->heard[0].pos = b->heard[1].pos = 1;
}

/* From now on somebody listens; before that, nothing may have been heard by anybody. */
static inline void sb_listen(struct stream_bed *b)
{
	struct zb_session *s = zb_session_get(&b->an, &b->c);
	struct sb_listener *l = zb_mem_get(&b->an.mem, ZB_MEM_analyzer, sizeof(*l));

	assert_non_null(s);
	assert_non_null(l);
	l->a.def = &sb_listener_def;
	l->a.branch = &s->root;
	l->bed = b;
	s->root.first = &l->a;
}

/*
 * A segment from side, at a position, with n bytes of which cap were captured, that acknowledges
 * the other side up to a position.
 */
static inline void sb_cut(struct stream_bed *b, unsigned side, uint8_t flags, uint64_t pos,
			  uint64_t ack, uint32_t n, uint32_t cap)
{
	uint64_t first = pos + !!(flags & ZB_TCP_SYN);
	struct zb_tcp_seg s = {.ts_ns = b->now_ns += 1000000,
			       .seq = b->isn[side] + (uint32_t)pos,
			       .ack = b->isn[!side] + (uint32_t)ack,
			       .len = n,
			       .flags = flags,
			       .side = (uint8_t)side,
			       .window = 1000,
			       .wscale = -1};
	uint8_t *d = malloc(cap + !cap); /* of its own, so that reading past it is found */
	struct zb_pkt p = {.data = d,
			   .ts_ns = s.ts_ns,
			   .tcp_flags = flags,
			   .payload_len = n,
			   .payload_cap = cap};
	struct zb_tcp_step step;

	assert_non_null(d);
	for (uint32_t i = 0; i < cap; i++)
		d[i] = sb_byte(side, first + i);
	b->an.now_ns = b->w.now_ns = s.ts_ns;
	zb_tcp_update(&b->c, &s, &b->w, &step);
	zb_tcp_stream_segment(&b->an, &b->list, &b->c, &p, &step);
	zb_session_run(&b->list);
	free(d);
}

static inline void sb_seg(struct stream_bed *b, unsigned side, uint8_t flags, uint64_t pos,
			  uint64_t ack, uint32_t n)
{
	sb_cut(b, side, flags, pos, ack, n, n);
}

static inline void sb_data(struct stream_bed *b, unsigned side, uint64_t pos, uint32_t n)
{
	sb_seg(b, side, ZB_TCP_ACK, pos, 1, n);
}

static inline void sb_ack(struct stream_bed *b, unsigned side, uint64_t pos, uint64_t ack)
{
	sb_seg(b, side, ZB_TCP_ACK, pos, ack, 0);
}

static inline void sb_handshake(struct stream_bed *b)
{
	sb_seg(b, ZB_ORIG, ZB_TCP_SYN, 0, 0, 0);
	sb_seg(b, ZB_RESP, ZB_TCP_SYN | ZB_TCP_ACK, 0, 1, 0);
	sb_ack(b, ZB_ORIG, 1, 1);
}

static inline struct zb_tcp_half *sb_half(struct stream_bed *b, unsigned side)
{
	return &zb_session_of(&b->c)->half[side];
}

static inline void sb_close(struct stream_bed *b)
{
	zb_session_end(&b->c);
	for (unsigned kind = 0; kind < ZB_MEM_NR; kind++)
		assert_int_equal(b->an.mem.bytes[kind], 0);
	zb_conn_rare_free(&b->c);
	zb_weird_fini(&b->w);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* test_filter.c - an expression chooses packets, and what it does not choose is counted */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include "capture/filter.h"

#define FRAME 60

/* Ethernet, IPv4, TCP or UDP from 192.0.2.1 to 192.0.2.2:port. */
static void make_frame(uint8_t *f, uint8_t proto, uint16_t port)
{
	memset(f, 0, FRAME);
	f[12] = 8;
	f[14] = 0x45;
	f[17] = FRAME - 14;
	f[22] = 64;
	f[23] = proto;
	memcpy(f + 26, "\300\0\2\1\300\0\2\2", 8);
	f[36] = (uint8_t)(port >> 8);
	f[37] = (uint8_t)port;
	f[46] = 0x50;
}

static struct zb_pkt pkt_of(const uint8_t *data, uint32_t len, uint8_t link)
{
	return (struct zb_pkt){.data = data, .cap_len = len, .wire_len = len, .link = link};
}

/* The same words choose the same packet, whatever it is wrapped in. */
static void match_ethernet_and_raw_agree(void **state)
{
	struct zb_filter *f;
	uint8_t frame[FRAME];
	struct zb_pkt eth = pkt_of(frame, FRAME, ZB_LINK_ETHERNET),
		      raw = pkt_of(frame + 14, FRAME - 14, ZB_LINK_RAW_IP);

	(void)state;
	assert_int_equal(zb_filter_compile("tcp port 80", &f), 0);
	make_frame(frame, 6, 80);
	assert_true(zb_filter_match(f, &eth));
	assert_true(zb_filter_match(f, &raw));
	make_frame(frame, 6, 81);
	assert_false(zb_filter_match(f, &eth));
	make_frame(frame, 17, 80);
	assert_false(zb_filter_match(f, &raw));
	zb_filter_free(f);
}

/* What a link does not have is true for none of its packets. */
static void match_word_of_another_link_is_false(void **state)
{
	struct zb_filter *f;
	uint8_t frame[FRAME];
	struct zb_pkt eth = pkt_of(frame, FRAME, ZB_LINK_ETHERNET),
		      raw = pkt_of(frame + 14, FRAME - 14, ZB_LINK_RAW_IP);

	(void)state;
	make_frame(frame, 6, 80);
	assert_int_equal(zb_filter_compile("ether src 0:0:0:0:0:0", &f), 0);
	assert_true(zb_filter_match(f, &eth));
	assert_false(zb_filter_match(f, &raw));
	zb_filter_free(f);
}

/* A packet that was cut before what is asked for does not match, and nothing beyond is read. */
static void match_snapped_packet_is_false(void **state)
{
	struct zb_filter *f;
	uint8_t frame[FRAME];
	struct zb_pkt p = pkt_of(frame, FRAME, ZB_LINK_ETHERNET);

	(void)state;
	make_frame(frame, 6, 80);
	p.cap_len = 30;
	assert_int_equal(zb_filter_compile("tcp port 80", &f), 0);
	assert_false(zb_filter_match(f, &p));
	zb_filter_free(f);
}

static void compile_wrong_expression_is_refused(void **state)
{
	struct zb_filter *f;

	(void)state;
	assert_int_equal(zb_filter_compile("tcp prot 80", &f), -EINVAL);
	assert_int_equal(zb_filter_compile("host no.such.host.invalid", &f), -EINVAL);
}

/* A source of nr packets, every third of which is to port 80; every fourth is a shadow. */
struct fake {
	struct zb_source base;
	struct zb_rxq rxq;
	uint8_t frames[64][FRAME];
	uint64_t at, nr;
	bool closed;
};

static uint16_t fake_burst(struct zb_rxq *q, struct zb_pkt *pkts, uint16_t n, uint64_t until_ns)
{
	struct fake *s = q->priv;
	uint16_t got = 0;

	(void)until_ns;
	q->done = s->at == s->nr;
	for (; got < n && s->at < s->nr; s->at++, got++) {
		make_frame(s->frames[got], 6, s->at % 3 == 0 ? 80 : 443);
		pkts[got] = pkt_of(s->frames[got], FRAME, ZB_LINK_ETHERNET);
		pkts[got].ts_ns = s->at;
		pkts[got].flags = s->at % 4 == 0 ? ZB_PKT_INNER_ONLY : 0;
	}
	q->queued = s->nr - s->at;
	return got;
}

static void fake_ledger(const struct zb_rxq *q, struct zb_rxq_ledger *out)
{
	*out = (struct zb_rxq_ledger){.link_pkts = ((struct fake *)q->priv)->at};
}

static struct zb_rxq *fake_queue(struct zb_source *s, uint32_t i)
{
	(void)i;
	return &((struct fake *)s)->rxq;
}

static void fake_close(struct zb_source *s)
{
	((struct fake *)s)->closed = true;
}

/* What matches comes in order; the rest is counted, shadows excepted; the end is passed on. */
static void source_hands_out_matches_and_counts_the_rest(void **state)
{
	static const struct zb_rxq_ops ops = {.burst = fake_burst, .ledger = fake_ledger};
	static const struct zb_source_ops source_ops = {.queue = fake_queue, .close = fake_close};
	static struct fake s = {.base = {&source_ops},
				.rxq = {.ops = &ops, .priv = &s},
				.nr = 1200};
	struct zb_pkt pkts[64];
	struct zb_rxq_ledger l;
	struct zb_filter *f;
	struct zb_source *out;
	uint64_t next = 0;

	(void)state;
	assert_int_equal(zb_filter_compile("port 80", &f), 0);
	assert_int_equal(zb_filter_source(f, &s.base, 1, &out), 0);
	assert_ptr_equal(zb_filter_inner(out), &s.base);
	assert_ptr_equal(zb_filter_inner(&s.base), &s.base);
	struct zb_rxq *q = zb_source_queue(out, 0);

	while (!q->done) {
		uint16_t n = zb_rxq_burst(q, pkts, 7, UINT64_MAX);

		for (uint16_t i = 0; i < n; i++, next += 3) {
			assert_int_equal(pkts[i].ts_ns, next);
			assert_int_equal(pkts[i].data[37], 80);
		}
	}
	assert_int_equal(next, 1200);
	q->ops->ledger(q, &l);
	assert_int_equal(l.link_pkts, 1200);
	/* 800 do not match, a quarter of which are shadows. */
	assert_int_equal(l.filtered_pkts, 600);
	assert_int_equal(l.filtered_bytes, 600 * FRAME);
	zb_source_close(out);
	assert_true(s.closed);
	zb_filter_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(match_ethernet_and_raw_agree),
		cmocka_unit_test(match_word_of_another_link_is_false),
		cmocka_unit_test(match_snapped_packet_is_false),
		cmocka_unit_test(compile_wrong_expression_is_refused),
		cmocka_unit_test(source_hands_out_matches_and_counts_the_rest),
	};

	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}

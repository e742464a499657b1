/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flow_bed.h - the stages from decode to conn around a set of connections, one packet at a time,
 * for tests
 *
 * Include after cmocka.h.
 */
#ifndef ZB_TESTS_UNIT_FLOW_BED_H
#define ZB_TESTS_UNIT_FLOW_BED_H

#include <stdlib.h>

#include "frame_build.h"
#include "pipeline/conn_update.h"
#include "pipeline/decode.h"

#define BED_START_NS (1700000000 * ZB_SEC_NS)
#define BED_SECRET   0x1234567890abcdefu

struct bed {
	struct zb_conn_set set;
	struct zb_weird w;
	struct zb_decoder d;
	struct zb_lcore_stat stat;
	struct zb_analysis an;
	struct zb_delivery_list deliveries;
};

static inline void bed_open(struct bed *b, uint32_t conns_max)
{
	memset(b, 0, sizeof(*b));
	assert_int_equal(
		zb_conn_set_init(&b->set, conns_max, 0, BED_SECRET, BED_START_NS, &b->stat), 0);
	assert_int_equal(zb_weird_init(&b->w, NULL, "bed", BED_SECRET), 0);
	assert_int_equal(zb_analysis_init(&b->an, &(struct zb_analysis_conf){.stat = &b->stat,
									     .weird = &b->w,
									     .secret = BED_SECRET}),
			 0);
	b->deliveries.an = &b->an;
	b->d = (struct zb_decoder){.weird = &b->w, .fate = b->stat.fate, .secret = BED_SECRET};
}

static inline void bed_close(struct bed *b)
{
	uint32_t cursor = 0;

	do {
		for (uint32_t i = 0; i < b->set.finished_nr; i++)
			zb_session_end(zb_conn_at(&b->set.pool, b->set.finished[i]));
		zb_conn_set_release(&b->set);
	} while (zb_conn_set_drain(&b->set, &cursor));
	assert_int_equal(b->an.mem.bytes[ZB_MEM_stream], 0);
	zb_analysis_fini(&b->an);
	assert_int_equal(b->set.pool.used, 0);
	assert_int_equal(b->set.table.entry_nr, 0);
	assert_int_equal(b->set.wheel.count, 0);
	zb_flow_table_check(&b->set.table);
	zb_weird_fini(&b->w);
	zb_conn_set_fini(&b->set);
}

/* Takes a whole Ethernet frame through the stages; the connection it went to, or NULL. */
static inline struct zb_conn *bed_frame(struct bed *b, const uint8_t *frame, uint32_t len,
					uint64_t ts_ns)
{
	static struct zb_burst burst;
	struct zb_pkt *p = &burst.pkts[0];
	const struct zb_flow_key *key = &burst.keys[0];
	struct zb_conn *c;

	*p = (struct zb_pkt){.data = frame,
			     .ts_ns = ts_ns,
			     .cap_len = len,
			     .wire_len = len,
			     .link = ZB_LINK_ETHERNET};
	burst.pkt_nr = 1;
	zb_decode_burst(&b->d, &burst);
	if (burst.live_nr == 0)
		return NULL;
	b->w.now_ns = ts_ns;
	c = zb_conn_for_packet(&b->set, zb_conn_set_find(&b->set, key, (uint32_t)p->hash), p, key,
			       &b->w);
	if (c != NULL)
		zb_conn_packet(&b->set, c, p, &b->an, &b->deliveries);
	zb_session_run(&b->deliveries);
	return c;
}

static inline struct zb_conn *bed_packet(struct bed *b, const struct fb_spec *s, uint64_t ts_ns)
{
	uint8_t frame[FB_MAX];

	return bed_frame(b, frame, fb_ether(frame, s), ts_ns);
}

/* The packet the other way; sequence numbers are the caller's. */
static inline struct fb_spec bed_reply(const struct fb_spec *s)
{
	struct fb_spec r = *s;

	r.src = s->dst;
	r.dst = s->src;
	r.sport = s->dport;
	r.dport = s->sport;
	return r;
}

#endif

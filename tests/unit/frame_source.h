/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame_source.h - a receive queue of frames made on the fly, for tests of the engine
 *
 * Frames live until the next burst, as a contract of the queue has it: what is read later is
 * overwritten.
 */
#ifndef ZB_TESTS_UNIT_FRAME_SOURCE_H
#define ZB_TESTS_UNIT_FRAME_SOURCE_H

#include "capture/packet.h"
#include "frame_build.h"
#include "profiler/lcore_stat.h"

struct fs_frame {
	uint64_t ts_ns;
	uint32_t len;
	uint8_t data[FB_MAX];
};

struct frame_source {
	/* Makes frame i, the same each time it is asked. */
	void (*make)(uint64_t i, struct fs_frame *f);
	uint64_t nr;	  /* frames in all */
	uint64_t stop_at; /* sets *stop once this many are out; 0: never */
	bool *stop;
	unsigned empty_polls; /* polls without a packet before each burst */

	struct zb_rxq rxq;
	uint64_t at, bytes, newest_ns;
	unsigned polls;
	struct fs_frame buf[ZB_BURST_MAX];
};

static inline uint16_t fs_burst(struct zb_rxq *q, struct zb_pkt *pkts, uint16_t n,
				uint64_t until_ns)
{
	struct frame_source *s = q->priv;
	uint16_t got = 0;

	memset(s->buf, 0xee, sizeof(s->buf));
	if (s->at == s->nr)
		q->done = true;
	if (s->polls++ < s->empty_polls)
		return 0;
	s->polls = 0;
	for (; got < n && s->at < s->nr; got++, s->at++) {
		struct fs_frame *f = &s->buf[got];

		s->make(s->at, f);
		if (f->ts_ns >= until_ns)
			break;
		s->newest_ns = f->ts_ns > s->newest_ns ? f->ts_ns : s->newest_ns;
		pkts[got] = (struct zb_pkt){
			.data = f->data, .ts_ns = f->ts_ns, .cap_len = f->len, .wire_len = f->len};
		pkts[got].late = zb_late_code(s->newest_ns - f->ts_ns);
		s->bytes += f->len;
	}
	if (s->stop_at != 0 && s->at >= s->stop_at)
		__atomic_store_n(s->stop, true, __ATOMIC_RELAXED);
	return got;
}

static inline uint64_t fs_next_ns(const struct zb_rxq *q)
{
	const struct frame_source *s = q->priv;
	struct fs_frame f;

	if (s->at == s->nr)
		return 0;
	s->make(s->at, &f);
	return f.ts_ns;
}

static inline void fs_ledger(const struct zb_rxq *q, struct zb_rxq_ledger *out)
{
	const struct frame_source *s = q->priv;

	*out = (struct zb_rxq_ledger){.offered_pkts = s->at,
				      .offered_bytes = s->bytes,
				      .link_pkts = s->at,
				      .link_bytes = s->bytes};
}

static inline void fs_open(struct frame_source *s, void (*make)(uint64_t, struct fs_frame *),
			   uint64_t nr)
{
	static const struct zb_rxq_ops ops = {.burst = fs_burst,
					      .next_ns = fs_next_ns,
					      .ledger = fs_ledger};

	memset(s, 0, sizeof(*s));
	s->make = make;
	s->nr = nr;
	s->rxq = (struct zb_rxq){.ops = &ops, .priv = s};
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * send_loop_priv.h - what the two ways of sending share: traces and streams, frame by frame, and
 * templates, of which a burst is as good as a number
 */
#ifndef ZB_BENCH_SEND_LOOP_PRIV_H
#define ZB_BENCH_SEND_LOOP_PRIV_H

#include <rte_cycles.h>

#include "bench/send_loop.h"

/* send_window.c, send_template.c: as fast as the device takes them, and by the schedule. */
void zb_send_window_closed(struct zb_send_loop *l);
void zb_send_window_open(struct zb_send_loop *l);
void zb_send_template_closed(struct zb_send_loop *l);
void zb_send_template_open(struct zb_send_loop *l);

/* send_stream.c: how many frames there is room for now, at most n; none while a device is full. */
uint16_t zb_send_stream_room(struct zb_send_loop *l, uint16_t n);
/* Makes the next frame in place i of that room, and frames[i] and ts_ns[i]; false: it is over. */
bool zb_send_stream_make(struct zb_send_loop *l, uint32_t i);
/* Makes one that is not to be sent. */
bool zb_send_stream_pass_by(struct zb_send_loop *l, uint32_t *len, uint64_t *ts_ns);

/* Until ticks, or stop. */
void zb_send_wait(struct zb_send_loop *l, uint64_t ticks);
/* The end of an open loop, whose last departure was at ticks. */
void zb_send_end(struct zb_send_loop *l, uint64_t ticks);

static inline uint64_t zb_send_now(const struct zb_send_loop *l)
{
	return rte_rdtsc() - l->start_tsc;
}

/* Relaxed: a burst more or less does not matter. */
static inline bool zb_send_stopped(const struct zb_send_loop *l)
{
	return __atomic_load_n(&l->stop, __ATOMIC_RELAXED) || l->q->error != 0;
}

/* Frames that may still be scheduled. */
static inline uint64_t zb_send_left(const struct zb_send_loop *l)
{
	return l->count_max != 0 ? l->count_max - l->scheduled.pkts : UINT64_MAX;
}

static inline void zb_send_add(struct zb_send_count *c, uint64_t pkts, uint64_t bytes)
{
	c->pkts += pkts;
	c->bytes += bytes;
}

static inline void zb_send_gone(struct zb_send_loop *l, uint64_t pkts, uint64_t bytes)
{
	zb_send_add(&l->sent, pkts, bytes);
	__atomic_store_n(&l->sent_now, l->sent.pkts, __ATOMIC_RELAXED);
}

/*
 * The time before which frames are given up, when the next one is too late; else 0. An eighth of
 * the bound goes with it: else the next look at the clock would find the next frame too late, and
 * the one after that, and none would ever be sent.
 */
static inline uint64_t zb_send_hopeless(const struct zb_send_loop *l, uint64_t now)
{
	uint64_t limit;

	if (now <= zb_pace_due(&l->schedule) + l->lag_max_ticks)
		return 0;
	limit = now - (l->lag_max_ticks - l->lag_max_ticks / 8);
	return l->duration_ticks != 0 && limit > l->duration_ticks ? l->duration_ticks : limit;
}

#endif

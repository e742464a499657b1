/* SPDX-License-Identifier: Apache-2.0 */
/*
 * send_template.c - sends a template, or the flows made from it
 *
 * All frames have one length, so at any rate they are due evenly, and what is due, given up or late
 * follows from the schedule of the next one and a number. Nothing here is done packet by packet but
 * what makes flows differ.
 */
#include "bench/send_loop_priv.h"

#include <rte_branch_prediction.h>

#define FIXED_ONE 18446744073709551616.0 /* 2^64 */

/* The next frame's number goes on by n. */
static void next_flows(struct zb_send_loop *l, uint64_t n)
{
	uint64_t nr = l->source->flow_nr;

	l->flow += n;
	if (unlikely(l->flow >= nr))
		l->flow = nr == 1 ? 0 : l->flow % nr;
}

static void set_flows(struct zb_send_loop *l, uint16_t n)
{
	const struct zb_send_source *s = l->source;
	uint64_t f = l->flow;

	for (uint16_t i = 0; i < n; i++) {
		zb_send_set_flow(s, l->bufs[i], f);
		f = f + 1 < s->flow_nr ? f + 1 : 0;
	}
}

/* Offers n frames to the device; returns how many it took. */
static uint16_t offer(struct zb_send_loop *l, uint16_t n)
{
	bool same = l->source->kind == ZB_SEND_SAME;
	uint16_t got = zb_txq_reserve(l->q, same ? NULL : l->bufs, n), sent = 0;

	if (!same)
		set_flows(l, got);
	if (got > 0)
		sent = zb_txq_commit(l->q, got);
	if (unlikely(sent < n))
		l->full_bursts++;
	next_flows(l, sent);
	return sent;
}

void zb_send_template_closed(struct zb_send_loop *l)
{
	uint64_t end = l->duration_ticks != 0 ? l->duration_ticks : UINT64_MAX;
	uint64_t len = l->source->template_len;

	while (!zb_send_stopped(l) && zb_send_now(l) < end) {
		uint64_t room = zb_send_left(l);
		uint16_t sent;

		if (room == 0)
			break;
		sent = offer(l, room < l->burst_max ? (uint16_t)room : l->burst_max);
		zb_send_add(&l->scheduled, sent, sent * len);
		zb_send_gone(l, sent, sent * len);
	}
	l->end_ticks = zb_send_now(l);
}

/* Frames due before ticks, as far as the run goes. */
static uint64_t due_before(const struct zb_send_loop *l, uint64_t ticks)
{
	uint64_t n = zb_pace_before(&l->schedule, ticks), left = zb_send_left(l);

	return n < left ? n : left;
}

static void pass(struct zb_send_loop *l, struct zb_send_count *c, uint64_t n)
{
	uint64_t bytes = n * l->source->template_len;

	zb_pace_skip(&l->schedule, n);
	zb_send_add(&l->scheduled, n, bytes);
	zb_send_add(c, n, bytes);
}

/* Sends up to n frames that are due; returns when they left, or 0. */
static uint64_t send_due(struct zb_send_loop *l, uint16_t n, double step)
{
	uint16_t sent = offer(l, n);
	uint64_t now;

	if (unlikely(sent == 0))
		return 0;
	now = zb_send_now(l);
	zb_depart_add_even(&l->lag, now, (double)(now - zb_pace_due(&l->schedule)), step, sent);
	pass(l, &l->sent, sent);
	__atomic_store_n(&l->sent_now, l->sent.pkts, __ATOMIC_RELAXED);
	return now;
}

/* How many of a burst are due, one at least being so; never one too many. */
static uint16_t burst_due(const struct zb_send_loop *l, uint64_t now, double inverse)
{
	double more = (double)(now - zb_pace_due(&l->schedule)) * inverse;
	uint64_t left = zb_send_left(l);
	uint16_t n = more < l->burst_max ? (uint16_t)more : l->burst_max;

	/* A fraction of a tick of the schedule is not in more: the last frame may be too early. */
	n = n == 0 ? 1 : n;
	return left < n ? (uint16_t)left : n;
}

void zb_send_template_open(struct zb_send_loop *l)
{
	uint64_t end = l->duration_ticks != 0 ? l->duration_ticks : UINT64_MAX, last = 0;
	double step, inverse;

	/* Bits a second are packets a second here. */
	l->schedule.per_pkt += l->schedule.per_byte * l->source->template_len;
	l->schedule.per_byte = 0;
	step = (double)l->schedule.per_pkt / FIXED_ONE;
	inverse = 1 / step;
	while (!zb_send_stopped(l)) {
		uint64_t due = zb_pace_due(&l->schedule), now = zb_send_now(l), left;

		if (due >= end || zb_send_left(l) == 0)
			break;
		if (now < due) {
			zb_send_wait(l, due < end ? due : end);
			continue;
		}
		if (unlikely(now - due > l->lag_max_ticks)) {
			uint64_t n = due_before(l, zb_send_hopeless(l, now));

			next_flows(l, n);
			pass(l, &l->unsent_late, n);
			continue;
		}
		/* A burst at the end of the run must not reach beyond it. */
		left = send_due(l, burst_due(l, now < end ? now : end - 1, inverse), step);
		last = left > last ? left : last;
	}
	if (zb_send_stopped(l)) {
		uint64_t now = zb_send_now(l);

		pass(l, &l->unsent_late, due_before(l, now < end ? now : end));
	}
	zb_send_end(l, last);
}

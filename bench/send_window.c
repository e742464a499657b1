/* SPDX-License-Identifier: Apache-2.0 */
/*
 * send_window.c - sends the frames of a trace, or of a stream
 *
 * They go through a window of one burst: it is filled with the next frames and the times at which
 * they are due, and emptied from the front.
 */
#include "bench/send_loop_priv.h"

#include <rte_branch_prediction.h>

#define PASS_BY_MAX 65536u /* frames given up between two looks at the clock */

/* The window's first n frames are done with; returns their bytes. */
static uint64_t leave(struct zb_send_loop *l, uint32_t n)
{
	uint64_t bytes = 0;

	for (uint32_t i = l->head; i < l->head + n; i++)
		bytes += l->frames[i].len;
	l->head += n;
	return bytes;
}

/* Is the next frame still within the run? Ends the schedule otherwise. */
static bool within(struct zb_send_loop *l)
{
	bool late = l->rate.kind != ZB_PACE_MAX && l->duration_ticks != 0 &&
		    zb_pace_due(&l->schedule) >= l->duration_ticks;

	if (late || zb_send_left(l) == 0)
		l->over = true;
	return !l->over;
}

/* Puts frame i of those just taken where it belongs in the window, or nowhere. */
static void place(struct zb_send_loop *l, uint32_t i)
{
	const struct zb_tx_frame *f = &l->frames[i];
	uint32_t len = f->len;

	zb_send_add(&l->scheduled, 1, len);
	if (unlikely(len > l->len_max || len < ZB_TX_FRAME_MIN)) {
		zb_send_add(&l->unsent_size, 1, len);
	} else {
		l->due[l->nr] = zb_pace_due(&l->schedule);
		if (i != l->nr)
			l->frames[l->nr] = *f;
		l->nr++;
	}
	zb_pace_next(&l->schedule, len);
}

/* Frames beyond the end stay behind; nobody takes any after them. */
static void fill_from_trace(struct zb_send_loop *l, uint16_t n, bool timed)
{
	n = zb_tx_trace_take(l->source->frames, l->frames, l->ts_ns, n);
	for (uint16_t i = 0; i < n; i++) {
		if (timed)
			zb_pace_at(&l->schedule, l->ts_ns[i]);
		if (!within(l))
			return;
		place(l, i);
	}
}

/* A frame that finds no place in the window leaves its own to the next one. */
static void fill_from_stream(struct zb_send_loop *l, uint16_t n, bool timed)
{
	n = zb_send_stream_room(l, n);
	while (l->nr < n && within(l)) {
		if (!zb_send_stream_make(l, l->nr)) {
			l->over = true;
			return;
		}
		if (timed)
			zb_pace_at(&l->schedule, l->ts_ns[l->nr]);
		if (within(l))
			place(l, l->nr);
	}
}

static void fill(struct zb_send_loop *l)
{
	bool timed = l->rate.kind == ZB_PACE_TIMES;
	uint64_t room = zb_send_left(l);
	uint16_t n = room < l->burst_max ? (uint16_t)room : l->burst_max;

	l->head = l->nr = 0;
	if (!within(l))
		return;
	if (l->source->kind == ZB_SEND_TRACE)
		fill_from_trace(l, n, timed);
	else
		fill_from_stream(l, n, timed);
}

/* Offers the window's first n frames to the device; returns how many it took. */
static uint16_t offer(struct zb_send_loop *l, uint16_t n)
{
	const struct zb_tx_frame *frames = l->frames + l->head;
	uint16_t sent =
		l->in_place ? zb_txq_commit_frames(l->q, frames, n) : zb_txq_burst(l->q, frames, n);

	if (unlikely(sent < n))
		l->full_bursts++;
	return sent;
}

/* What is left in the window: due_nr frames of it are unsent, the rest was never scheduled. */
static void break_off(struct zb_send_loop *l, uint16_t due_nr)
{
	uint64_t pkts;

	zb_send_add(&l->unsent_late, due_nr, leave(l, due_nr));
	pkts = l->nr - l->head;
	l->scheduled.pkts -= pkts;
	l->scheduled.bytes -= leave(l, (uint32_t)pkts);
}

void zb_send_window_closed(struct zb_send_loop *l)
{
	uint64_t end = l->duration_ticks != 0 ? l->duration_ticks : UINT64_MAX;

	while (!zb_send_stopped(l) && zb_send_now(l) < end) {
		uint16_t sent;

		if (l->head == l->nr) {
			if (l->over)
				break;
			fill(l);
			continue;
		}
		sent = offer(l, (uint16_t)(l->nr - l->head));
		if (sent > 0)
			zb_send_gone(l, sent, leave(l, sent));
	}
	l->end_ticks = zb_send_now(l);
	break_off(l, 0);
}

/* The schedule is so late that frames need not come into the window at all. */
static void pass_by(struct zb_send_loop *l, uint64_t limit)
{
	for (uint32_t i = 0; i < PASS_BY_MAX && zb_pace_due(&l->schedule) < limit && within(l);
	     i++) {
		uint64_t ts_ns;
		uint32_t len;

		if (l->source->kind == ZB_SEND_TRACE) {
			zb_tx_trace_pass_by(l->source->frames, &len, &ts_ns);
		} else if (!zb_send_stream_pass_by(l, &len, &ts_ns)) {
			l->over = true;
			return;
		}
		if (l->rate.kind == ZB_PACE_TIMES)
			zb_pace_at(&l->schedule, ts_ns);
		if (!within(l))
			return;
		zb_pace_next(&l->schedule, len);
		zb_send_add(&l->scheduled, 1, len);
		zb_send_add(&l->unsent_late, 1, len);
	}
}

static void give_up_late(struct zb_send_loop *l, uint64_t now)
{
	uint32_t n = 0;

	while (l->head + n < l->nr && l->due[l->head + n] + l->lag_max_ticks < now)
		n++;
	if (n == 0)
		return;
	zb_send_add(&l->unsent_late, n, leave(l, n));
	if (l->in_place)
		l->q->ops->put_back(l->q, (uint16_t)n);
}

static uint16_t due_now(const struct zb_send_loop *l, uint64_t now)
{
	uint32_t i = l->head;

	while (i < l->nr && l->due[i] <= now)
		i++;
	return (uint16_t)(i - l->head);
}

/* Sends what of the window is due; waits when nothing is. Returns when the last one left, or 0. */
static uint64_t work_window(struct zb_send_loop *l)
{
	uint64_t now = zb_send_now(l);
	uint16_t n, sent;

	give_up_late(l, now);
	n = due_now(l, now);
	if (n == 0) {
		if (l->head < l->nr)
			zb_send_wait(l, l->due[l->head]);
		return 0;
	}
	sent = offer(l, n);
	if (sent == 0)
		return 0;
	now = zb_send_now(l);
	zb_depart_add(&l->lag, now, l->due + l->head, sent);
	zb_send_gone(l, sent, leave(l, sent));
	return now;
}

void zb_send_window_open(struct zb_send_loop *l)
{
	uint64_t last = 0;

	while (!zb_send_stopped(l)) {
		if (l->head < l->nr) {
			uint64_t left = work_window(l);

			last = left > last ? left : last;
		} else if (l->over) {
			break;
		} else {
			pass_by(l, zb_send_hopeless(l, zb_send_now(l)));
			fill(l);
		}
	}
	zb_send_end(l, last);
	break_off(l, due_now(l, zb_send_now(l)));
}

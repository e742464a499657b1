/* SPDX-License-Identifier: Apache-2.0 */
/* send_loop.c - begins and ends a sender's loop, and waits for it; see send_loop.h */
#include "bench/send_loop_priv.h"

#include <rte_branch_prediction.h>
#include <rte_pause.h>

#define GAP_MIN_S   5e-6
#define PAUSE_TICKS 4000u /* a frame due later than this can wait for a pause */

static void note_gap(struct zb_send_loop *l, uint64_t ticks)
{
	l->gaps++;
	l->gap_ticks += ticks;
	if (ticks > l->gap_max_ticks)
		l->gap_max_ticks = ticks;
}

void zb_send_wait(struct zb_send_loop *l, uint64_t ticks)
{
	uint64_t begin = zb_send_now(l), before = begin, now;

	do {
		now = zb_send_now(l);
		if (unlikely(now - before > l->gap_min_ticks))
			note_gap(l, now - before);
		before = now;
		if (now < ticks && ticks - now > PAUSE_TICKS)
			rte_pause();
	} while (now < ticks && !zb_send_stopped(l));
	l->waited_ticks += now - begin;
}

/* A run lasts until its last frame's time is over, which is when the next one's would begin. */
void zb_send_end(struct zb_send_loop *l, uint64_t ticks)
{
	uint64_t end = zb_pace_due(&l->schedule);

	if (l->duration_ticks != 0 && end > l->duration_ticks)
		end = l->duration_ticks;
	if (zb_send_stopped(l))
		end = zb_send_now(l);
	l->end_ticks = ticks > end ? ticks : end;
}

void zb_send_loop_run(struct zb_send_loop *l)
{
	bool window = l->source->kind >= ZB_SEND_TRACE, open = l->rate.kind != ZB_PACE_MAX;

	zb_pace_init(&l->schedule, &l->rate, l->tsc_hz);
	zb_depart_init(&l->lag);
	l->gap_min_ticks = (uint64_t)(GAP_MIN_S * l->tsc_hz);
	l->start_tsc = rte_rdtsc();
	if (window && open)
		zb_send_window_open(l);
	else if (window)
		zb_send_window_closed(l);
	else if (open)
		zb_send_template_open(l);
	else
		zb_send_template_closed(l);
}

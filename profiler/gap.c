/* SPDX-License-Identifier: Apache-2.0 */
/* gap.c - see gap.h */
#include "profiler/gap.h"

#define FIRST_BITS 16 /* the first bucket ends at 2^16 ns */

uint64_t zb_gap_bucket_end_ns(unsigned bucket)
{
	return bucket + 1 < ZB_GAP_BUCKETS ? 1ull << (FIRST_BITS + bucket) : UINT64_MAX;
}

void zb_gap_note(struct zb_gap *g, uint64_t ns)
{
	unsigned bits = ns != 0 ? 64 - (unsigned)__builtin_clzll(ns) : 0;
	unsigned bucket = bits > FIRST_BITS ? bits - FIRST_BITS : 0;

	g->n[bucket < ZB_GAP_BUCKETS ? bucket : ZB_GAP_BUCKETS - 1]++;
	g->total_ns += ns;
	g->max_ns = ns > g->max_ns ? ns : g->max_ns;
}

void zb_gap_add(struct zb_gap *dst, const struct zb_gap *src)
{
	for (unsigned i = 0; i < ZB_GAP_BUCKETS; i++)
		dst->n[i] += src->n[i];
	dst->total_ns += src->total_ns;
	dst->max_ns = src->max_ns > dst->max_ns ? src->max_ns : dst->max_ns;
}

uint64_t zb_gap_count(const struct zb_gap *g)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < ZB_GAP_BUCKETS; i++)
		n += g->n[i];
	return n;
}

void zb_gap_watch_init(struct zb_gap_watch *w, double tsc_hz)
{
	*w = (struct zb_gap_watch){.min_tsc = UINT64_MAX};
	if (!(tsc_hz > 0))
		return;
	w->ns_per_tsc = 1e9 / tsc_hz;
	w->min_tsc = (uint64_t)(ZB_GAP_MIN_NS * tsc_hz / 1e9);
}

void zb_gap_watch_begin(struct zb_gap_watch *w, uint64_t now_tsc)
{
	w->tsc = w->begin_tsc = now_tsc;
	zb_own_time_arm();
	w->cpu_ns = w->begin_cpu_ns = zb_own_time_ns();
}

void zb_gap_watch_skip(struct zb_gap_watch *w, uint64_t tsc)
{
	w->begin_tsc += tsc;
	w->tsc += tsc;
}

struct zb_gap_time zb_gap_watch_refresh(struct zb_gap_watch *w, uint64_t busy_tsc, uint64_t pkts,
					uint64_t now_tsc)
{
	if (w->min_tsc == UINT64_MAX)
		return (struct zb_gap_time){0};
	if (pkts != 0)
		w->pkt_tsc_x4 = 4 * (busy_tsc / pkts);
	w->tsc = now_tsc;
	w->cpu_ns = zb_own_time_ns();
	return (struct zb_gap_time){
		.passed_ns = (uint64_t)((double)(now_tsc - w->begin_tsc) * w->ns_per_tsc),
		.cpu_ns = w->cpu_ns - w->begin_cpu_ns,
	};
}

uint64_t zb_gap_ask(struct zb_gap_watch *w, uint64_t now_tsc)
{
	zb_own_time_arm(); /* before the clock is read: what comes between is seen next time */
	w->seen = false;
	if (w->min_tsc == UINT64_MAX)
		return 0;

	uint64_t cpu_ns = zb_own_time_ns(), on_ns = cpu_ns - w->cpu_ns;
	double on_tsc = (double)on_ns / w->ns_per_tsc, passed_tsc = (double)(now_tsc - w->tsc);

	w->tsc = now_tsc;
	w->cpu_ns = cpu_ns;
	return passed_tsc > on_tsc ? (uint64_t)(passed_tsc - on_tsc) : 0;
}

void zb_gap_note_tsc(const struct zb_gap_watch *w, struct zb_gap *g, uint64_t tsc)
{
	if (tsc >= w->min_tsc)
		zb_gap_note(g, (uint64_t)((double)tsc * w->ns_per_tsc));
}

uint64_t zb_gap_look(struct zb_gap_watch *w, struct zb_gap *g, uint64_t turn_tsc, bool worked,
		     uint64_t now_tsc)
{
	uint64_t off_tsc = zb_gap_ask(w, now_tsc);

	/* What was lost in turns before this one is not this one's. */
	if (!worked || off_tsc > turn_tsc)
		off_tsc = turn_tsc;
	if (off_tsc < w->min_tsc)
		return 0;
	zb_gap_note_tsc(w, g, off_tsc);
	return off_tsc;
}

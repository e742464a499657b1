/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gap.h - times at which a worker's poll loop stood still although it had nothing to do with its
 * work
 *
 * The loop reads the time-stamp counter at the end of every turn anyway. A turn is looked at more
 * closely when it took longer than ZB_GAP_MIN_NS and the kernel has left a trace of having taken
 * the CPU away (own_time.h), or, where it leaves none, more than four times what its packets cost
 * on average: then the thread's CPU clock tells how much of it the thread spent off the CPU, and
 * that is the gap. A turn without any work that takes so long is a gap as a whole, whatever the
 * clock says: a hypervisor, or firmware, may have stopped the CPU unseen. What a busy turn spent on
 * the CPU counts as work, so an expensive packet is no gap.
 *
 * Threading: one writer, the worker; copies taken by it are consistent.
 * Units:     _tsc TSC cycles, _ns nanoseconds.
 */
#ifndef ZB_PROFILER_GAP_H
#define ZB_PROFILER_GAP_H

#include <stdbool.h>
#include <stdint.h>

#include "profiler/own_time.h"

#define ZB_GAP_MIN_NS  50000u
#define ZB_GAP_BUCKETS 16 /* below 2^16 ns, below 2^17, ..., 2^30 and more (1.07 s) */

struct zb_gap {
	uint64_t n[ZB_GAP_BUCKETS];
	uint64_t total_ns, max_ns;
};

/* Upper end of a bucket in ns; UINT64_MAX: the last one. */
uint64_t zb_gap_bucket_end_ns(unsigned bucket);
void zb_gap_note(struct zb_gap *g, uint64_t ns);
void zb_gap_add(struct zb_gap *dst, const struct zb_gap *src);
uint64_t zb_gap_count(const struct zb_gap *g);

/* What a worker knows of its turns. */
struct zb_gap_watch {
	uint64_t min_tsc;		  /* shorter turns are of no interest; UINT64_MAX: off */
	uint64_t pkt_tsc_x4;		  /* four times the average cost of a packet */
	uint64_t tsc, cpu_ns;		  /* at the last look at the thread's CPU clock */
	uint64_t begin_tsc, begin_cpu_ns; /* at zb_gap_watch_begin() */
	double ns_per_tsc;
	bool seen; /* the CPU was taken away since the last look: somebody else has asked */
};

/* tsc_hz 0: nothing is watched. */
void zb_gap_watch_init(struct zb_gap_watch *w, double tsc_hz);

/* From now on, on the thread that is watched. */
void zb_gap_watch_begin(struct zb_gap_watch *w, uint64_t now_tsc);

/* Time that was nobody's work and is not to count, by now over. */
void zb_gap_watch_skip(struct zb_gap_watch *w, uint64_t tsc);

/* Time since zb_gap_watch_begin(), and how much of it the thread had a CPU. */
struct zb_gap_time {
	uint64_t passed_ns, cpu_ns; /* 0: not known */
};

/* Tells that, and brings the average up to date: busy cycles and packets since the run began. */
struct zb_gap_time zb_gap_watch_refresh(struct zb_gap_watch *w, uint64_t busy_tsc, uint64_t pkts,
					uint64_t now_tsc);

/*
 * A turn that took longer than it should have. worked: it did something besides polling. Returns
 * what of it was a gap, in cycles.
 */
uint64_t zb_gap_look(struct zb_gap_watch *w, struct zb_gap *g, uint64_t turn_tsc, bool worked,
		     uint64_t now_tsc);

/* What the thread was off the CPU since the last look, in cycles. */
uint64_t zb_gap_ask(struct zb_gap_watch *w, uint64_t now_tsc);

/* The same, for next to nothing, as far as the kernel leaves a trace of it: after every stage. */
static inline uint64_t zb_gap_taken(struct zb_gap_watch *w, uint64_t now_tsc)
{
	return __builtin_expect(w->seen || !zb_own_time_undisturbed(), 0) ? zb_gap_ask(w, now_tsc)
									  : 0;
}

/* A gap that was found so. */
void zb_gap_note_tsc(const struct zb_gap_watch *w, struct zb_gap *g, uint64_t tsc);

/* After every turn: how long it took, for how many packets. Returns what of it was a gap. */
static inline uint64_t zb_gap_turn(struct zb_gap_watch *w, struct zb_gap *g, uint64_t turn_tsc,
				   uint32_t pkts, bool worked, uint64_t now_tsc)
{
	if (__builtin_expect(turn_tsc > w->min_tsc, 0) &&
	    (turn_tsc > w->pkt_tsc_x4 * pkts || w->seen || !zb_own_time_undisturbed()))
		return zb_gap_look(w, g, turn_tsc, worked, now_tsc);
	return 0;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sample_times.h - when each stack was sampled: bounded, and coarser the longer a run lasts
 *
 * Time is cut into columns, first of ZB_COLUMN_NS. Samples of one column, lane, state and stack are
 * one entry. When all entries are taken, columns are joined in pairs (20 ms become 40 ms) until at
 * most half of the entries are left: no sample is lost, only its time gets less exact. Columns are
 * ZB_COLUMN_NS times a power of two, so that from 20 ms on fifty of them make a heat map's column
 * of 1 s, 2 s, 4 s ...
 *
 * Threading: one thread at a time.
 * Ownership: the caller's memory; zb_sample_times_fini() frees what at points to.
 */
#ifndef ZB_PROFILER_SAMPLE_TIMES_H
#define ZB_PROFILER_SAMPLE_TIMES_H

#include <stdint.h>

#define ZB_COLUMN_NS	    1250000u   /* 20 ms / 2^4 */
#define ZB_SAMPLE_TIMES_MAX (1u << 21) /* entries of a run; 48 MiB, taken as they are needed */

/* What a thread was doing. Running: weight is samples. Off the CPU: weight is microseconds. */
enum zb_cpu_state {
	ZB_CPU_ON,
	ZB_CPU_WAITING,	  /* it gave the CPU away */
	ZB_CPU_PREEMPTED, /* the CPU was taken away from it */
	ZB_CPU_STATE_NR
};

struct zb_sample_at {
	uint64_t weight;
	uint32_t column;
	uint32_t stack;
	uint16_t lane;
	uint8_t state; /* enum zb_cpu_state */
};

struct zb_sample_times {
	struct zb_sample_at *at; /* sorted by column, lane, state, stack up to settled */
	uint32_t nr, settled, room, max;
	uint64_t column_ns;
};

/* max entries, at least 2. */
void zb_sample_times_init(struct zb_sample_times *t, uint32_t max);
void zb_sample_times_fini(struct zb_sample_times *t);

/*
 * Adds weight to a stack at time_ns since the beginning. 0 or -ENOMEM. -ENOSPC: so many different
 * stacks that not even one column holds them; the sample is not kept.
 */
int zb_sample_times_add(struct zb_sample_times *t, uint64_t time_ns, struct zb_sample_at s);

/* Sorts all entries; to be called before at is read. */
void zb_sample_times_settle(struct zb_sample_times *t);

/* Makes columns at least column_ns wide, as if they had been full. */
void zb_sample_times_widen(struct zb_sample_times *t, uint64_t column_ns);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * off_cpu.h - how long a thread was off the CPU, from the records of its switches
 *
 * One per thread. A switch away is two records: a sample with the stack, then the switch itself,
 * which says whether the thread went by itself. The switch back may come from another CPU's ring,
 * and be read before the switch away is.
 *
 * Threading: one thread at a time.
 * Units:     _ns are CLOCK_MONOTONIC.
 */
#ifndef ZB_PROFILER_OFF_CPU_H
#define ZB_PROFILER_OFF_CPU_H

#include <stdbool.h>
#include <stdint.h>

#include "profiler/sample_times.h"

struct zb_switch;

/* All zero to begin with. */
struct zb_off_cpu {
	uint64_t out_ns; /* 0: on a CPU, or not known */
	uint64_t in_ns;	 /* of a switch back that was read too early; 0: none */
	uint32_t stack;	 /* where it went away */
	bool has_stack, preempted;
};

struct zb_off_time {
	uint64_t from_ns;
	struct zb_sample_at at; /* stack, state, weight in us */
};

/* The stack of the switch that follows. */
void zb_off_cpu_stack(struct zb_off_cpu *o, uint32_t stack);

/* True: a time off the CPU is complete, and *out is filled; lane is the caller's to set. */
bool zb_off_cpu_switch(struct zb_off_cpu *o, const struct zb_switch *s, struct zb_off_time *out);

/* What is still off the CPU at the end of all; as above. */
bool zb_off_cpu_end(struct zb_off_cpu *o, uint64_t now_ns, struct zb_off_time *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host_noise.h - what the machine did to the workers: waiting for a CPU, steal, interrupts, clock
 *
 * Read from /proc and /sys while the workers run; what the poll loop saw of it is in gap.h. Values
 * are sums since zb_noise_begin(). What the kernel does not tell stays 0, and has_ says so.
 *
 * Threading: one thread, the reporter.
 * Ownership: the caller's memory.
 */
#ifndef ZB_PROFILER_HOST_NOISE_H
#define ZB_PROFILER_HOST_NOISE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "neighbours.h"

struct zb_noise_sum {
	bool has_wait, has_stat;
	uint64_t wait_ns;	   /* ready to run, but another thread had the CPU (schedstat) */
	uint64_t steal_ns, irq_ns; /* of the CPU: taken by a hypervisor; hard and soft interrupts */
	uint64_t others_ns;	   /* of the CPU: used by threads other than the worker */
	uint64_t khz_min, khz_max; /* the CPU's clock, when asked; 0: not known */
};

struct zb_noise_lcore {
	unsigned cpu;
	pid_t tid;
	struct zb_noise_sum sum;
	struct zb_neighbour neighbour[ZB_NEIGHBOURS_MAX]; /* at the end: who else used the CPU */
	unsigned neighbour_nr;
	/* At the begin. */
	uint64_t wait0, run0, steal0, irq0, used0;
};

/*
 * Begins: every lcore's cpu and tid are set. root is put before /proc and /sys ("" but for tests).
 */
void zb_noise_begin(struct zb_noise_lcore *l, unsigned nr, const char *root);

/* Brings the sums up to date: some ten small files for each lcore at most. */
void zb_noise_poll(struct zb_noise_lcore *l, unsigned nr, const char *root);

#endif

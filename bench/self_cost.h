/* SPDX-License-Identifier: Apache-2.0 */
/*
 * self_cost.h - measures what the instrumentation itself costs, on this trace and machine
 *
 * Each kind is switched off and on in turn, over the same trace, A B B A ..., logs formatted but
 * not written. The cost is the median over pairs of 1 - pps(on) / pps(off).
 *
 * Threading: main only.
 */
#ifndef ZB_BENCH_SELF_COST_H
#define ZB_BENCH_SELF_COST_H

#include "bench/run_job.h"

/* Prints the table and adds the figures to the job's costs. 0 or -errno, said. */
int zb_self_cost(struct zb_run_job *j);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * self_cost.h - measures what the instrumentation itself costs, on this trace and machine
 *
 * Each kind is switched off and on in turn within one run over the trace, in short slices: two
 * slices that follow each other see the same machine, which two runs do not. The cost is the median
 * over pairs of 1 - pps(on) / pps(off). Logs are formatted and not written.
 *
 * Threading: main only.
 */
#ifndef ZB_BENCH_SELF_COST_H
#define ZB_BENCH_SELF_COST_H

#include "bench/run_job.h"

/* Prints the table and adds the figures to the job's costs. 0 or -errno, said. */
int zb_self_cost(struct zb_run_job *j);

#endif

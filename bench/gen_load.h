/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_load.h - traffic that is made on the spot, loaded as if it came from a file
 *
 * Threading: main only.
 * Errors:    0 or -errno, said.
 */
#ifndef ZB_BENCH_GEN_LOAD_H
#define ZB_BENCH_GEN_LOAD_H

#include "bench/gen_job.h"
#include "capture/trace.h"

/*
 * Writes what made asks for to a file in memory, and loads that as load says; its paths are set
 * here. option names the traffic in messages: "--synth". What a tap did is printed. -ENODATA: no
 * packet came of it.
 */
int zb_gen_load(const struct zb_gen_job_conf *made, const char *option, struct zb_trace_conf *load,
		struct zb_trace **out);

#endif

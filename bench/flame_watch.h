/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flame_watch.h - zbench flame -p PID | -C CPU: samples a process or a CPU for a while
 *
 * Threading: main only.
 */
#ifndef ZB_BENCH_FLAME_WATCH_H
#define ZB_BENCH_FLAME_WATCH_H

#include "bench/flame_source.h"
#include "bench/options.h"
#include "profiler/watch.h"

struct zb_flame_watch {
	struct zb_watch_conf watch;
	double duration_s;  /* 0: until the process ends, or a signal */
	bool keep;	    /* the samples themselves, in a folder */
	const char *folder; /* NULL: one with a default name */
};

/*
 * Samples, says how it went, and fills a source as if it had been opened, to be closed by the
 * caller. Exit status; everything is said.
 */
int zb_flame_watch(const struct zb_flame_watch *conf, struct zb_flame_source *out);

#endif

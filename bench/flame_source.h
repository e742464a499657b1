/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flame_source.h - what a person names to zbench flame: a run, or a file, and a range of its time
 *
 * SOURCE is a run's folder, its samples.gz, or a file of folded stacks; with times, SOURCE@FROM-TO
 * is a part of it.
 *
 * Threading: main only.
 */
#ifndef ZB_BENCH_FLAME_SOURCE_H
#define ZB_BENCH_FLAME_SOURCE_H

#include <limits.h>

#include "profiler/export.h"

struct zb_flame_source {
	const char *arg;       /* as given */
	char path[PATH_MAX];   /* without the range */
	char folder[PATH_MAX]; /* where pictures of a run go; "": not a run */
	struct zb_samples *samples;
	struct zb_samples_cut cut;
	bool has_times, has_range;
};

/* -EINVAL or another error, said. */
int zb_flame_source_open(const char *arg, struct zb_flame_source *out);
void zb_flame_source_close(struct zb_flame_source *src);

/* Keeps the samples of one CPU's thread only. -EINVAL, said: there is none. */
int zb_flame_source_lcore(struct zb_flame_source *src, unsigned cpu);

/* "lcore 2, 10 s to 20 s, off the CPU" or "all lcores"; what of the whole it is. */
void zb_flame_source_words(const struct zb_flame_source *src, char *buf, size_t buf_size);

/* How much is in the cut: the sum of the weights. */
uint64_t zb_flame_source_weight(const struct zb_flame_source *src);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export.h - samples, or a part of them, in the forms that other programs read
 *
 * Threading: one thread at a time.
 * Errors:    0 or -errno of the stream; -ENOMEM.
 */
#ifndef ZB_PROFILER_EXPORT_H
#define ZB_PROFILER_EXPORT_H

#include <stdio.h>
#include "profiler/folded.h"
#include "profiler/samples.h"

/* Which samples. A column of time belongs to a range when its beginning does. */
struct zb_samples_cut {
	uint64_t from_ns, to_ns; /* [from, to) from the beginning */
	uint32_t lane;		 /* ZB_SAMPLES_NONE: all */
	unsigned states;	 /* bits 1 << enum zb_cpu_state */
	bool by_thread;		 /* folded: stacks begin with "name/tid" */
};

#define ZB_CUT_ON  (1u << ZB_CPU_ON)
#define ZB_CUT_OFF (1u << ZB_CPU_WAITING | 1u << ZB_CPU_PREEMPTED)
#define ZB_CUT_ALL ((struct zb_samples_cut){0, UINT64_MAX, ZB_SAMPLES_NONE, ZB_CUT_ON, false})

static inline uint64_t zb_samples_time(const struct zb_samples *s, const struct zb_sample_at *a)
{
	return a->column * s->times.column_ns;
}

static inline bool zb_samples_in(const struct zb_samples *s, const struct zb_samples_cut *cut,
				 const struct zb_sample_at *a)
{
	uint64_t at = zb_samples_time(s, a);

	return (cut->states >> a->state & 1) != 0 && at >= cut->from_ns && at < cut->to_ns &&
	       (cut->lane == ZB_SAMPLES_NONE || cut->lane == a->lane);
}

/* What one of a weight is in nanoseconds; 1 when that is not known. */
static inline uint64_t zb_samples_weight_ns(const struct zb_samples *s, enum zb_cpu_state state)
{
	if (s->period_ns == 0)
		return 1;
	return state == ZB_CPU_ON ? s->period_ns : 1000;
}

/*
 * Folded stacks; the first frame is the thread's name where samples are of several programs, then
 * [waiting] or [preempted] for those off the CPU.
 */
int zb_export_folded(const struct zb_samples *s, const struct zb_samples_cut *cut, FILE *out);
/* The same, added to lines, where those of others may be already. */
int zb_export_fold(const struct zb_samples *s, const struct zb_samples_cut *cut,
		   struct zb_folded *lines);

/*
 * What perf script prints: one event for each sample, spread evenly over its column. -EFBIG: more
 * than ZB_EXPORT_EVENTS_MAX.
 */
#define ZB_EXPORT_EVENTS_MAX (1u << 30)
int zb_export_perf(const struct zb_samples *s, const struct zb_samples_cut *cut, FILE *out);

/* A gzip'd profile.proto of pprof's: samples and CPU time, or off the CPU events and delay. */
int zb_export_pprof(const struct zb_samples *s, const struct zb_samples_cut *cut, FILE *out);

/* The same of a heap, where times and weights of samples do not matter. */
struct zb_pprof_heap {
	const double *bytes, *objects; /* of each stack; they may have shrunk */
	uint64_t rate;		       /* average bytes between two samples */
	uint64_t time_ns;	       /* Unix time */
};
int zb_export_pprof_heap(const struct zb_samples *s, const struct zb_pprof_heap *heap, FILE *out);

/* A string of JSON, with its quotes. -ENOMEM. */
int zb_export_json_text(FILE *out, const char *text);

/*
 * A page by itself: a heat map with the figures of the workers below, and the flame graph of the
 * range that is selected. It asks nobody for anything. Columns are of 20 ms, or wider when the page
 * would exceed ZB_HEATMAP_BYTES_MAX otherwise.
 */
#define ZB_HEATMAP_BYTES_MAX 5000000u
struct zb_heatmap_conf {
	const char *title, *subtitle;
	const char *source; /* what zbench flame would be given for the same samples */
};
int zb_export_heatmap(const struct zb_samples *s, const struct zb_heatmap_conf *conf, FILE *out);

/* A file for speedscope: a sampled profile for each lane, in order of time, in nanoseconds. */
int zb_export_speedscope(const struct zb_samples *s, const struct zb_samples_cut *cut,
			 const char *name, FILE *out);

#endif

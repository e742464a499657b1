/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lag.h - a histogram of times: how late packets were, from nanoseconds to minutes
 *
 * Log-linear, as HdrHistogram's: each power of two has 8 buckets, so that a percentile read from it
 * is at most 12.5 % too high and never too low. Fixed size, nothing is ever lost.
 *
 * Threading: one writer; a copy taken by the writer is consistent.
 */
#ifndef ZB_PROFILER_LAG_H
#define ZB_PROFILER_LAG_H

#include <stdint.h>

#define ZB_LAG_SUB_BITS 3
#define ZB_LAG_OCTAVES	36 /* the last bucket begins at 2^38 - 2^35 ns, 4 minutes */
#define ZB_LAG_BUCKETS	((ZB_LAG_OCTAVES + 1) << ZB_LAG_SUB_BITS)

struct zb_lag {
	uint64_t n[ZB_LAG_BUCKETS];
	uint64_t max_ns;
};

/* The bucket of a time: 0 to 7 ns have one each, what is beyond the last one is in it. */
static inline unsigned zb_lag_bucket(uint64_t ns)
{
	unsigned octave, bucket;

	if (ns < 1u << ZB_LAG_SUB_BITS)
		return (unsigned)ns;
	octave = 63 - (unsigned)__builtin_clzll(ns) - ZB_LAG_SUB_BITS;
	bucket = ((octave + 1) << ZB_LAG_SUB_BITS) +
		 (unsigned)(ns >> octave & ((1u << ZB_LAG_SUB_BITS) - 1));
	return bucket < ZB_LAG_BUCKETS ? bucket : ZB_LAG_BUCKETS - 1;
}

static inline void zb_lag_note(struct zb_lag *l, uint64_t ns)
{
	l->n[zb_lag_bucket(ns)]++;
	l->max_ns = ns > l->max_ns ? ns : l->max_ns;
}

uint64_t zb_lag_count(const struct zb_lag *l);

/*
 * The time that a share (0 to 1) of all does not exceed, in ns: the upper end of its bucket, at
 * most max_ns; 0 when there is none.
 */
uint64_t zb_lag_at(const struct zb_lag *l, double share);

/* Adds src to dst. */
void zb_lag_add(struct zb_lag *dst, const struct zb_lag *src);

#endif

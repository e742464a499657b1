/* SPDX-License-Identifier: Apache-2.0 */
/*
 * depart.h - how late packets left, in constant memory: a histogram, and the mean over the run
 *
 * The histogram is log-linear, as HdrHistogram's: 32 steps for each doubling, so that a percentile
 * is at most 3 % too high and never too low. Over time the run is cut into at most 64 slices of
 * equal length, which double when there would be more.
 *
 * Threading: one writer; read it when that is done.
 * Units:     ticks of the time-stamp counter.
 */
#ifndef ZB_BENCH_DEPART_H
#define ZB_BENCH_DEPART_H

#include <stdint.h>

#define ZB_DEPART_STEP_BITS 5
#define ZB_DEPART_STEPS	    (1u << ZB_DEPART_STEP_BITS)
#define ZB_DEPART_BUCKETS   ((64 - ZB_DEPART_STEP_BITS + 1) * ZB_DEPART_STEPS)
#define ZB_DEPART_SLICES    64u

struct zb_depart_slice {
	uint64_t pkts, sum, max;
};

struct zb_depart {
	uint64_t pkts, max;
	long double sum;
	uint32_t slice_nr;
	unsigned slice_shift; /* a slice is 2^slice_shift ticks long */
	struct zb_depart_slice slice[ZB_DEPART_SLICES];
	uint64_t bucket[ZB_DEPART_BUCKETS];
};

void zb_depart_init(struct zb_depart *l);

/* Values below 32 have a bucket each; above, the highest 6 bits say which. */
static inline uint32_t zb_depart_bucket(uint64_t v)
{
	unsigned shift;

	if (v < ZB_DEPART_STEPS)
		return (uint32_t)v;
	shift = 63u - (unsigned)__builtin_clzll(v) - ZB_DEPART_STEP_BITS;
	return (shift << ZB_DEPART_STEP_BITS) + (uint32_t)(v >> shift);
}

/* n packets left at ticks, which were due at due[]. */
void zb_depart_add(struct zb_depart *l, uint64_t ticks, const uint64_t *due, uint32_t n);

/*
 * The same for n packets that were due evenly, step ticks apart, the first of them lag ticks ago:
 * costs what their buckets cost, not what the packets would.
 */
void zb_depart_add_even(struct zb_depart *l, uint64_t ticks, double lag, double step, uint32_t n);

/* The lag that at least the share (0 to 1) of packets did not exceed; 0 when there are none. */
uint64_t zb_depart_percentile(const struct zb_depart *l, double share);
double zb_depart_mean(const struct zb_depart *l);

/* Mean of the first and of the last tenth of the time that has packets. */
void zb_depart_ends(const struct zb_depart *l, double *first, double *last);

#endif

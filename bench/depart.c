/* SPDX-License-Identifier: Apache-2.0 */
/* depart.c - the histogram of lags, and their mean over time; see depart.h */
#include "bench/depart.h"

#include <math.h>
#include <string.h>

#define SLICE_SHIFT_MIN 20 /* half a millisecond at 2 GHz */

void zb_depart_init(struct zb_depart *l)
{
	memset(l, 0, sizeof(*l));
	l->slice_shift = SLICE_SHIFT_MIN;
}

/* Two neighbours become one. */
static void widen(struct zb_depart *l)
{
	for (uint32_t i = 0; i < ZB_DEPART_SLICES / 2; i++) {
		const struct zb_depart_slice *a = &l->slice[2 * i], *b = a + 1;

		l->slice[i] = (struct zb_depart_slice){a->pkts + b->pkts, a->sum + b->sum,
						       a->max > b->max ? a->max : b->max};
	}
	memset(&l->slice[ZB_DEPART_SLICES / 2], 0, sizeof(l->slice) / 2);
	l->slice_nr = (l->slice_nr + 1) / 2;
	l->slice_shift++;
}

static struct zb_depart_slice *slice_at(struct zb_depart *l, uint64_t ticks)
{
	while ((ticks >> l->slice_shift) >= ZB_DEPART_SLICES)
		widen(l);
	if ((ticks >> l->slice_shift) >= l->slice_nr)
		l->slice_nr = (uint32_t)(ticks >> l->slice_shift) + 1;
	return &l->slice[ticks >> l->slice_shift];
}

static void count(struct zb_depart *l, uint64_t ticks, uint64_t sum, uint64_t max, uint32_t n)
{
	struct zb_depart_slice *s = slice_at(l, ticks);

	s->pkts += n;
	s->sum += sum;
	if (max > s->max)
		s->max = max;
	l->pkts += n;
	l->sum += (long double)sum;
	if (max > l->max)
		l->max = max;
}

void zb_depart_add(struct zb_depart *l, uint64_t ticks, const uint64_t *due, uint32_t n)
{
	uint64_t sum = 0, max = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint64_t lag = ticks > due[i] ? ticks - due[i] : 0;

		l->bucket[zb_depart_bucket(lag)]++;
		sum += lag;
		max = lag > max ? lag : max;
	}
	count(l, ticks, sum, max, n);
}

/* The smallest value of a bucket. */
static uint64_t bucket_begin(uint32_t i)
{
	if (i < ZB_DEPART_STEPS)
		return i;
	return (uint64_t)((i & (ZB_DEPART_STEPS - 1)) | ZB_DEPART_STEPS)
	       << ((i >> ZB_DEPART_STEP_BITS) - 1);
}

void zb_depart_add_even(struct zb_depart *l, uint64_t ticks, double lag, double step, uint32_t n)
{
	double inverse = 1 / step, last = lag - step * (n - 1);
	uint32_t left = n;

	/* Rounding may put the last one a hair before its time. */
	last = last > 0 ? last : 0;
	count(l, ticks, (uint64_t)((lag + last) * n / 2), (uint64_t)lag, n);
	while (left > 0) {
		uint32_t b = zb_depart_bucket((uint64_t)lag), k = left;
		double within = (lag - (double)bucket_begin(b)) * inverse;

		if (within + 1 < k)
			k = (uint32_t)within + 1;
		l->bucket[b] += k;
		left -= k;
		lag -= step * k;
		lag = lag > 0 ? lag : 0;
	}
}

/* The largest value of a bucket. */
static uint64_t bucket_end(uint32_t i)
{
	unsigned shift = i >> ZB_DEPART_STEP_BITS;

	if (shift == 0)
		return i;
	shift--;
	return ((uint64_t)((i & (ZB_DEPART_STEPS - 1)) | ZB_DEPART_STEPS) << shift) +
	       ((1ull << shift) - 1);
}

uint64_t zb_depart_percentile(const struct zb_depart *l, double share)
{
	uint64_t want = (uint64_t)ceil(share * (double)l->pkts), seen = 0;

	if (l->pkts == 0)
		return 0;
	want = want == 0 ? 1 : want > l->pkts ? l->pkts : want;
	for (uint32_t i = 0; i < ZB_DEPART_BUCKETS; i++) {
		seen += l->bucket[i];
		if (seen >= want)
			return bucket_end(i) < l->max ? bucket_end(i) : l->max;
	}
	return l->max;
}

double zb_depart_mean(const struct zb_depart *l)
{
	return l->pkts > 0 ? (double)(l->sum / (long double)l->pkts) : 0;
}

static double mean_of(const struct zb_depart *l, uint32_t from, uint32_t to)
{
	double pkts = 0, sum = 0;

	for (uint32_t i = from; i < to; i++) {
		pkts += (double)l->slice[i].pkts;
		sum += (double)l->slice[i].sum;
	}
	return pkts > 0 ? sum / pkts : 0;
}

void zb_depart_ends(const struct zb_depart *l, double *first, double *last)
{
	uint32_t begin = 0, end = l->slice_nr, tenth;

	while (begin < end && l->slice[begin].pkts == 0)
		begin++;
	while (end > begin && l->slice[end - 1].pkts == 0)
		end--;
	tenth = (end - begin + 9) / 10;
	*first = mean_of(l, begin, begin + tenth);
	*last = mean_of(l, end - tenth, end);
}

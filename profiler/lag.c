/* SPDX-License-Identifier: Apache-2.0 */
/* lag.c - see lag.h */
#include <math.h>

#include "profiler/lag.h"

uint64_t zb_lag_count(const struct zb_lag *l)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < ZB_LAG_BUCKETS; i++)
		n += l->n[i];
	return n;
}

/* The largest time that is in a bucket. */
static uint64_t upper_ns(unsigned bucket)
{
	unsigned octave = bucket >> ZB_LAG_SUB_BITS, sub = bucket & ((1u << ZB_LAG_SUB_BITS) - 1);

	if (octave == 0)
		return bucket;
	return (((uint64_t)(1u << ZB_LAG_SUB_BITS) + sub + 1) << (octave - 1)) - 1;
}

uint64_t zb_lag_at(const struct zb_lag *l, double share)
{
	uint64_t all = zb_lag_count(l), below = 0, wanted;

	if (all == 0)
		return 0;
	wanted = (uint64_t)ceil(share * (double)all);
	wanted = wanted == 0 ? 1 : wanted > all ? all : wanted;
	for (unsigned i = 0; i < ZB_LAG_BUCKETS - 1; i++) {
		below += l->n[i];
		if (below >= wanted)
			return upper_ns(i) < l->max_ns ? upper_ns(i) : l->max_ns;
	}
	return l->max_ns;
}

void zb_lag_add(struct zb_lag *dst, const struct zb_lag *src)
{
	for (unsigned i = 0; i < ZB_LAG_BUCKETS; i++)
		dst->n[i] += src->n[i];
	dst->max_ns = src->max_ns > dst->max_ns ? src->max_ns : dst->max_ns;
}

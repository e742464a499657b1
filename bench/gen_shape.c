/* SPDX-License-Identifier: Apache-2.0 */
/* gen_shape.c - draws from what a profile says */
#include "bench/gen_math.h"
#include "bench/gen_shape.h"

/* 0..n-1 of up to 2^40; n at least 1. */
static uint64_t below(struct zb_gen_rand *r, uint64_t n)
{
	return (uint64_t)((unsigned __int128)zb_gen_rand_u64(r) * n >> 64);
}

static uint64_t draw_tail(const struct zb_gen_dist_part *p, struct zb_gen_rand *r)
{
	uint64_t lo = zb_gen_log2_q32(p->lo), span = zb_gen_log2_q32(p->hi) - lo;
	uint64_t v = zb_gen_pow2_40((40ull << 32) - lo - below(r, span + 1));

	return v < p->lo ? p->lo : v > p->hi ? p->hi : v;
}

uint64_t zb_gen_dist_draw(const struct zb_gen_dist *d, struct zb_gen_rand *r)
{
	const struct zb_gen_dist_part *p = d->parts;

	if (d->part_nr > 1)
		p += zb_gen_pick_draw(&d->pick, r);
	if (p->lo == p->hi)
		return p->lo;
	return p->tail ? draw_tail(p, r) : p->lo + below(r, p->hi - p->lo + 1);
}

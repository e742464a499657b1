/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_pick.h - one of n things, each as often as its weight says, in constant time
 *
 * Walker's alias method in integers: a slot for each thing, whose threshold says when its alias is
 * meant instead.
 *
 * Threading: one that is made is only read.
 * Errors:    0 or -errno.
 */
#ifndef ZB_BENCH_GEN_PICK_H
#define ZB_BENCH_GEN_PICK_H

#include "bench/gen_rand.h"

#define ZB_GEN_PICK_MAX	  (1u << 20)   /* things */
#define ZB_GEN_WEIGHT_MAX (1ull << 40) /* of a thing */

struct zb_gen_slot {
	uint32_t keep; /* fraction of 2^32 of the draws that stay here */
	uint32_t alias;
};

struct zb_gen_pick {
	uint32_t nr;
	struct zb_gen_slot *slots;
};

/* -EINVAL: none, too many, a weight too large, or all 0; -ENOMEM. */
int zb_gen_pick_init(struct zb_gen_pick *p, const uint64_t *weights, uint32_t nr);
/* Weights 1, 1/2^s, 1/3^s, ...; s in millionths, 0: all the same. */
int zb_gen_pick_init_zipf(struct zb_gen_pick *p, uint32_t nr, uint64_t s_millionths);
/* Zeroed or initialised. */
void zb_gen_pick_fini(struct zb_gen_pick *p);

static inline uint32_t zb_gen_pick_draw(const struct zb_gen_pick *p, struct zb_gen_rand *r)
{
	uint64_t dice = zb_gen_rand_u64(r);
	uint32_t i = (uint32_t)((dice >> 32) * p->nr >> 32);

	return (uint32_t)dice <= p->slots[i].keep ? i : p->slots[i].alias;
}

#endif

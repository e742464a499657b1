/* SPDX-License-Identifier: Apache-2.0 */
/* gen_pick.c - builds the slots of the alias method */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/gen_math.h"
#include "bench/gen_pick.h"

#define MILLION 1000000u

/*
 * share[i] is what is left of thing i, where `full` fills a slot. Things that do not fill their
 * slot are filled up by those that overflow; small[] and large[] are the two ends of one array.
 */
static void fill_slots(struct zb_gen_pick *p, uint64_t *share, uint64_t full, uint32_t *work)
{
	uint32_t small = 0, large = p->nr;

	for (uint32_t i = 0; i < p->nr; i++) {
		p->slots[i] = (struct zb_gen_slot){UINT32_MAX, i};
		if (share[i] < full)
			work[small++] = i;
		else
			work[--large] = i;
	}
	while (small > 0 && large < p->nr) {
		uint32_t i = work[--small], big = work[large];
		unsigned __int128 part = (unsigned __int128)share[i] << 32;

		p->slots[i] = (struct zb_gen_slot){(uint32_t)(part / full), big};
		share[big] -= full - share[i];
		if (share[big] < full) {
			work[small++] = big;
			large++;
		}
	}
}

int zb_gen_pick_init(struct zb_gen_pick *p, const uint64_t *weights, uint32_t nr)
{
	uint64_t total = 0, *share;
	uint32_t *work;

	memset(p, 0, sizeof(*p));
	if (nr == 0 || nr > ZB_GEN_PICK_MAX)
		return -EINVAL;
	for (uint32_t i = 0; i < nr; i++) {
		if (weights[i] > ZB_GEN_WEIGHT_MAX)
			return -EINVAL;
		total += weights[i];
	}
	if (total == 0)
		return -EINVAL;
	p->nr = nr;
	p->slots = malloc(nr * sizeof(p->slots[0]));
	share = malloc(nr * sizeof(share[0]));
	work = malloc(nr * sizeof(work[0]));
	if (p->slots != NULL && share != NULL && work != NULL) {
		/* 2^40 * 2^20 fits; so does the total */
		for (uint32_t i = 0; i < nr; i++)
			share[i] = weights[i] * nr;
		fill_slots(p, share, total, work);
	} else {
		zb_gen_pick_fini(p);
	}
	free(share);
	free(work);
	return p->slots != NULL ? 0 : -ENOMEM;
}

int zb_gen_pick_init_zipf(struct zb_gen_pick *p, uint32_t nr, uint64_t s_millionths)
{
	uint64_t *weights;
	int ret;

	memset(p, 0, sizeof(*p));
	if (nr == 0 || nr > ZB_GEN_PICK_MAX || s_millionths > 10ull * MILLION)
		return -EINVAL;
	weights = malloc(nr * sizeof(weights[0]));
	if (weights == NULL)
		return -ENOMEM;
	zb_gen_math_init();
	for (uint32_t i = 0; i < nr; i++)
		weights[i] = zb_gen_pow2_40(zb_gen_log2_q32(i + 1) * s_millionths / MILLION);
	ret = zb_gen_pick_init(p, weights, nr);
	free(weights);
	return ret;
}

void zb_gen_pick_fini(struct zb_gen_pick *p)
{
	free(p->slots);
	memset(p, 0, sizeof(*p));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* sketch.c - see sketch.h */
#include "profiler/sketch.h"

#include <stdlib.h>
#include <string.h>

#define STEP  8 /* hashes compared at a time, without a branch between them */
#define LANES 4
_Static_assert(ZB_SKETCH_NR % STEP == 0 && ZB_SKETCH_NR % LANES == 0, "whole steps");

/* Without a branch, nor a loop that the compiler would not take apart. */
static bool any_of_step(const uint64_t h[static STEP], uint64_t hash)
{
	return (h[0] == hash) | (h[1] == hash) | (h[2] == hash) | (h[3] == hash) | (h[4] == hash) |
	       (h[5] == hash) | (h[6] == hash) | (h[7] == hash);
}

/* The counter of a key, or ZB_SKETCH_NR. */
static uint32_t find(const struct zb_sketch *s, uint64_t hash, const uint8_t *key)
{
	for (uint32_t i = 0; i < s->nr; i += STEP) {
		bool any = any_of_step(&s->hash[i], hash);

		for (uint32_t j = i; any && j < i + STEP && j < s->nr; j++)
			if (s->hash[j] == hash && memcmp(s->key[j], key, ZB_SKETCH_KEY) == 0)
				return j;
	}
	return ZB_SKETCH_NR;
}

/*
 * The first of the smallest. In LANES that know nothing of each other, or each comparison would
 * wait for the one before.
 */
static uint32_t smallest(const struct zb_sketch *s)
{
	uint64_t least[LANES];
	uint32_t at[LANES];

	for (uint32_t j = 0; j < LANES; j++) {
		least[j] = s->weight[j];
		at[j] = j;
	}
	for (uint32_t i = LANES; i < ZB_SKETCH_NR; i += LANES) {
		for (uint32_t j = 0; j < LANES; j++) {
			uint64_t w = s->weight[i + j];

			at[j] = w < least[j] ? i + j : at[j];
			least[j] = w < least[j] ? w : least[j];
		}
	}
	for (uint32_t j = 1; j < LANES; j++) {
		if (least[j] < least[0] || (least[j] == least[0] && at[j] < at[0])) {
			least[0] = least[j];
			at[0] = at[j];
		}
	}
	return at[0];
}

/* A counter for a key that has none; what it held before becomes its error. */
static uint32_t take(struct zb_sketch *s, uint64_t hash, const uint8_t *key)
{
	uint32_t i = s->nr < ZB_SKETCH_NR ? s->nr++ : smallest(s);

	s->hash[i] = hash;
	s->error[i] = s->weight[i];
	memcpy(s->key[i], key, ZB_SKETCH_KEY);
	return i;
}

void zb_sketch_add(struct zb_sketch *s, uint64_t hash, const uint8_t *key, uint64_t weight)
{
	uint32_t i = find(s, hash, key);

	if (i == ZB_SKETCH_NR)
		i = take(s, hash, key);
	s->weight[i] += weight;
	s->total += weight;
}

/* What a key that is not in a sketch may have weighed. */
static uint64_t unseen(const struct zb_sketch *s)
{
	return s->nr < ZB_SKETCH_NR ? 0 : s->weight[smallest(s)];
}

static struct zb_sketch_entry entry_of(const struct zb_sketch *s, uint32_t i)
{
	struct zb_sketch_entry e = {.weight = s->weight[i], .error = s->error[i]};

	memcpy(e.key, s->key[i], sizeof(e.key));
	return e;
}

static int heavier(const void *a, const void *b)
{
	const struct zb_sketch_entry *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight < y->weight ? 1 : -1;
	return memcmp(x->key, y->key, ZB_SKETCH_KEY);
}

uint32_t zb_sketch_top(const struct zb_sketch *s, struct zb_sketch_entry *out, uint32_t n)
{
	struct zb_sketch_entry all[ZB_SKETCH_NR];

	for (uint32_t i = 0; i < s->nr; i++)
		all[i] = entry_of(s, i);
	qsort(all, s->nr, sizeof(all[0]), heavier);
	n = n < s->nr ? n : s->nr;
	memcpy(out, all, n * sizeof(*out));
	return n;
}

struct both {
	uint64_t hash;
	struct zb_sketch_entry e;
};

static int heavier_of_both(const void *a, const void *b)
{
	return heavier(&((const struct both *)a)->e, &((const struct both *)b)->e);
}

void zb_sketch_merge(struct zb_sketch *dst, const struct zb_sketch *src)
{
	struct both all[2 * ZB_SKETCH_NR];
	uint64_t unseen_dst = unseen(dst), unseen_src = unseen(src);
	uint32_t nr = 0;

	for (uint32_t i = 0; i < dst->nr; i++) {
		uint32_t j = find(src, dst->hash[i], dst->key[i]);
		bool there = j != ZB_SKETCH_NR;

		all[nr] = (struct both){.hash = dst->hash[i], .e = entry_of(dst, i)};
		all[nr].e.weight += there ? src->weight[j] : unseen_src;
		all[nr++].e.error += there ? src->error[j] : unseen_src;
	}
	for (uint32_t j = 0; j < src->nr; j++) {
		if (find(dst, src->hash[j], src->key[j]) != ZB_SKETCH_NR)
			continue;
		all[nr] = (struct both){.hash = src->hash[j], .e = entry_of(src, j)};
		all[nr].e.weight += unseen_dst;
		all[nr++].e.error += unseen_dst;
	}
	qsort(all, nr, sizeof(all[0]), heavier_of_both);
	dst->nr = nr < ZB_SKETCH_NR ? nr : ZB_SKETCH_NR;
	for (uint32_t i = 0; i < dst->nr; i++) {
		dst->hash[i] = all[i].hash;
		dst->weight[i] = all[i].e.weight;
		dst->error[i] = all[i].e.error;
		memcpy(dst->key[i], all[i].e.key, ZB_SKETCH_KEY);
	}
	dst->total += src->total;
}

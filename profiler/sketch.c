/* SPDX-License-Identifier: Apache-2.0 */
/* sketch.c - see sketch.h */
#include "profiler/sketch.h"

#include <stdlib.h>
#include <string.h>

#define GROUPS (ZB_SKETCH_NR / ZB_SKETCH_GROUP)
_Static_assert(ZB_SKETCH_NR % ZB_SKETCH_GROUP == 0, "whole groups");

static uint16_t mark_of(uint64_t hash)
{
	return (uint16_t)(hash >> 48);
}

/* Without a branch, so that many are compared at a time. */
static bool any_marked(const struct zb_sketch *s, uint16_t mark)
{
	uint16_t any = 0;

	for (uint32_t i = 0; i < ZB_SKETCH_NR; i++)
		any |= (uint16_t)(s->mark[i] == mark);
	return any != 0;
}

/* The counter of a key, or ZB_SKETCH_NR. */
static uint32_t find(const struct zb_sketch *s, uint16_t mark, const uint8_t *key)
{
	if (!any_marked(s, mark))
		return ZB_SKETCH_NR;
	for (uint32_t i = 0; i < s->nr; i++)
		if (s->mark[i] == mark && memcmp(s->key[i], key, ZB_SKETCH_KEY) == 0)
			return i;
	return ZB_SKETCH_NR;
}

/* Where the first of the smallest of n is. */
static uint32_t first_least(const uint64_t *w, uint32_t n)
{
	uint32_t at = 0;

	for (uint32_t i = 1; i < n; i++)
		at = w[i] < w[at] ? i : at;
	return at;
}

/* The first of the smallest counters. */
static uint32_t smallest(const struct zb_sketch *s)
{
	uint32_t first = first_least(s->least, GROUPS) * ZB_SKETCH_GROUP;

	return first + first_least(&s->weight[first], ZB_SKETCH_GROUP);
}

static void set_weight(struct zb_sketch *s, uint32_t i, uint64_t weight)
{
	uint32_t group = i / ZB_SKETCH_GROUP;
	const uint64_t *w = &s->weight[group * ZB_SKETCH_GROUP];
	bool was_least = s->weight[i] == s->least[group];

	s->weight[i] = weight;
	if (was_least)
		s->least[group] = w[first_least(w, ZB_SKETCH_GROUP)];
}

/* A counter for a key that has none; what it held before becomes its error. */
static uint32_t take(struct zb_sketch *s, uint16_t mark, const uint8_t *key)
{
	uint32_t i = s->nr < ZB_SKETCH_NR ? s->nr++ : smallest(s);

	s->mark[i] = mark;
	s->error[i] = s->weight[i];
	memcpy(s->key[i], key, ZB_SKETCH_KEY);
	return i;
}

void zb_sketch_add(struct zb_sketch *s, uint64_t hash, const uint8_t *key, uint64_t weight)
{
	uint16_t mark = mark_of(hash);
	uint32_t i = find(s, mark, key);

	if (i == ZB_SKETCH_NR)
		i = take(s, mark, key);
	set_weight(s, i, s->weight[i] + weight);
	s->total += weight;
}

/* Errors, marks and keys of counters that are not in use count for nothing. */
void zb_sketch_clear(struct zb_sketch *s)
{
	s->total = 0;
	s->nr = 0;
	memset(s->weight, 0, sizeof(s->weight));
	memset(s->least, 0, sizeof(s->least));
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

/* By insertion: most are lighter than the last of the few that are asked for. */
uint32_t zb_sketch_top(const struct zb_sketch *s, struct zb_sketch_entry *out, uint32_t n)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; n != 0 && i < s->nr; i++) {
		if (nr == n && s->weight[i] < out[n - 1].weight)
			continue;

		struct zb_sketch_entry e = entry_of(s, i);
		uint32_t at = nr;

		while (at > 0 && heavier(&e, &out[at - 1]) < 0)
			at--;
		if (at == n)
			continue;
		nr += nr < n;
		memmove(&out[at + 1], &out[at], (nr - 1 - at) * sizeof(*out));
		out[at] = e;
	}
	return nr;
}

struct both {
	uint16_t mark;
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
		uint32_t j = find(src, dst->mark[i], dst->key[i]);
		bool there = j != ZB_SKETCH_NR;

		all[nr] = (struct both){.mark = dst->mark[i], .e = entry_of(dst, i)};
		all[nr].e.weight += there ? src->weight[j] : unseen_src;
		all[nr++].e.error += there ? src->error[j] : unseen_src;
	}
	for (uint32_t j = 0; j < src->nr; j++) {
		if (find(dst, src->mark[j], src->key[j]) != ZB_SKETCH_NR)
			continue;
		all[nr] = (struct both){.mark = src->mark[j], .e = entry_of(src, j)};
		all[nr].e.weight += unseen_dst;
		all[nr++].e.error += unseen_dst;
	}
	qsort(all, nr, sizeof(all[0]), heavier_of_both);
	dst->nr = nr < ZB_SKETCH_NR ? nr : ZB_SKETCH_NR;
	for (uint32_t i = 0; i < dst->nr; i++) {
		dst->mark[i] = all[i].mark;
		set_weight(dst, i, all[i].e.weight);
		dst->error[i] = all[i].e.error;
		memcpy(dst->key[i], all[i].e.key, ZB_SKETCH_KEY);
	}
	dst->total += src->total;
}

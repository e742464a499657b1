/* SPDX-License-Identifier: Apache-2.0 */
/* flow_table.c - linear hashing over cache-line buckets; see flow_table.h */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/flow_table.h"

#define SEG_BUCKETS (1u << ZB_FLOW_SEG_SHIFT)
#define SEG_BYTES   (SEG_BUCKETS * sizeof(struct zb_flow_bucket))
#define START_LEVEL 10 /* 1024 buckets: 64 KiB touched for a small trace */

static void bucket_clear(struct zb_flow_bucket *b)
{
	b->count = 0;
	b->overflow = ZB_FLOW_NONE;
}

/* Entries the table may hold before it splits again: three quarters of the primary slots. */
static uint32_t split_threshold(uint32_t bucket_nr)
{
	return (uint32_t)((uint64_t)bucket_nr * ZB_FLOW_SLOTS * 3 / 4);
}

/* A function of its own, so that heap profiles show what grew. */
static __attribute__((noinline)) int zb_flow_table_grow(struct zb_flow_bucket **seg,
							uint32_t *seg_nr)
{
	void *p;

	if (*seg_nr == ZB_FLOW_SEGS_MAX)
		return -ENOMEM;
	/* 2 MiB aligned, so that the kernel can back it with a huge page. */
	if (posix_memalign(&p, SEG_BYTES, SEG_BYTES) != 0)
		return -ENOMEM;
	seg[(*seg_nr)++] = p;
	return 0;
}

int zb_flow_table_init(struct zb_flow_table *t)
{
	memset(t, 0, sizeof(*t));
	t->seg = calloc(ZB_FLOW_SEGS_MAX, sizeof(*t->seg));
	t->over_seg = calloc(ZB_FLOW_SEGS_MAX, sizeof(*t->over_seg));
	if (t->seg == NULL || t->over_seg == NULL || zb_flow_table_grow(t->seg, &t->seg_nr) < 0) {
		zb_flow_table_fini(t);
		return -ENOMEM;
	}
	t->mask = (1u << START_LEVEL) - 1;
	t->bucket_nr = t->mask + 1;
	t->split_at = split_threshold(t->bucket_nr);
	t->over_free = ZB_FLOW_NONE;
	for (uint32_t i = 0; i < t->bucket_nr; i++)
		bucket_clear(zb_flow_bucket_at(t, i));
	return 0;
}

void zb_flow_table_fini(struct zb_flow_table *t)
{
	for (uint32_t i = 0; i < t->seg_nr; i++)
		free(t->seg[i]);
	for (uint32_t i = 0; i < t->over_seg_nr; i++)
		free(t->over_seg[i]);
	free(t->seg);
	free(t->over_seg);
	memset(t, 0, sizeof(*t));
}

uint32_t zb_flow_next(const struct zb_flow_table *t, uint32_t hash, struct zb_flow_pos *pos)
{
	for (;;) {
		const struct zb_flow_bucket *b = pos->bucket;
		uint32_t found = zb_flow_slots(b, hash) >> pos->slot << pos->slot;

		if (found != 0) {
			pos->slot = (uint32_t)__builtin_ctz(found) + 1;
			return b->id[pos->slot - 1];
		}
		if (b->overflow == ZB_FLOW_NONE) {
			pos->slot = ZB_FLOW_SLOTS;
			return ZB_FLOW_NONE;
		}
		pos->bucket = zb_flow_overflow_at(t, b->overflow);
		pos->slot = 0;
	}
}

/* Takes an overflow bucket from the free list, or makes one; ZB_FLOW_NONE when memory is out. */
static uint32_t overflow_get(struct zb_flow_table *t)
{
	uint32_t i = t->over_free;

	if (i != ZB_FLOW_NONE) {
		t->over_free = zb_flow_overflow_at(t, i)->overflow;
	} else {
		if (t->over_nr == t->over_seg_nr * SEG_BUCKETS &&
		    zb_flow_table_grow(t->over_seg, &t->over_seg_nr) < 0)
			return ZB_FLOW_NONE;
		i = t->over_nr++;
	}
	bucket_clear(zb_flow_overflow_at(t, i));
	return i;
}

static void overflow_put(struct zb_flow_table *t, uint32_t i)
{
	zb_flow_overflow_at(t, i)->overflow = t->over_free;
	t->over_free = i;
}

static int chain_add(struct zb_flow_table *t, struct zb_flow_bucket *b, uint32_t hash, uint32_t id)
{
	while (b->count == ZB_FLOW_SLOTS) {
		if (b->overflow == ZB_FLOW_NONE) {
			uint32_t o = overflow_get(t);

			if (o == ZB_FLOW_NONE)
				return -ENOMEM;
			b->overflow = o;
		}
		b = zb_flow_overflow_at(t, b->overflow);
	}
	b->hash[b->count] = hash;
	b->id[b->count] = id;
	b->count++;
	return 0;
}

/*
 * Moves the entries of chain old that now belong to the new bucket. Both chains are rebuilt from a
 * copy of old's links; freed overflow buckets are enough for both, so nothing can fail once the new
 * bucket exists.
 */
static void chain_split(struct zb_flow_table *t, struct zb_flow_bucket *old,
			struct zb_flow_bucket *fresh, uint32_t bit)
{
	struct zb_flow_bucket src = *old;
	int ret = 0;

	bucket_clear(old);
	bucket_clear(fresh);
	for (;;) {
		uint32_t next = src.overflow;

		for (uint32_t i = 0; i < src.count; i++)
			ret |= chain_add(t, src.hash[i] & bit ? fresh : old, src.hash[i],
					 src.id[i]);
		assert(ret == 0);
		if (next == ZB_FLOW_NONE)
			break;
		src = *zb_flow_overflow_at(t, next);
		overflow_put(t, next);
	}
	(void)ret;
}

/*
 * The chain's overflow buckets are given back one ahead of need only if there is always one free: k
 * full buckets split into two chains need at most k + 1 buckets, of which two are primary.
 */
static void split_one(struct zb_flow_table *t)
{
	uint32_t b = t->bucket_nr;

	if (b == t->seg_nr * SEG_BUCKETS && zb_flow_table_grow(t->seg, &t->seg_nr) < 0)
		return; /* chains get longer; the next insertion tries again */
	t->bucket_nr++;
	t->split_at = split_threshold(t->bucket_nr);
	chain_split(t, zb_flow_bucket_at(t, t->split), zb_flow_bucket_at(t, b), t->mask + 1);
	if (++t->split > t->mask) {
		t->mask = t->mask * 2 + 1;
		t->split = 0;
	}
}

int zb_flow_insert(struct zb_flow_table *t, uint32_t hash, uint32_t id)
{
	int ret = chain_add(t, zb_flow_bucket_at(t, zb_flow_bucket_of(t, hash)), hash, id);

	if (ret < 0)
		return ret;
	t->entry_nr++;
	if (t->entry_nr > t->split_at)
		split_one(t);
	return 0;
}

bool zb_flow_remove(struct zb_flow_table *t, uint32_t hash, uint32_t id)
{
	struct zb_flow_bucket *b = zb_flow_bucket_at(t, zb_flow_bucket_of(t, hash)), *last,
			      *prev = NULL;

	for (;;) {
		for (uint32_t found = zb_flow_slots(b, hash); found != 0; found &= found - 1) {
			uint32_t i = (uint32_t)__builtin_ctz(found);

			if (b->id[i] == id) {
				/* The hole is filled with the last entry of the chain. */
				for (last = b; last->overflow != ZB_FLOW_NONE;) {
					prev = last;
					last = zb_flow_overflow_at(t, last->overflow);
				}
				last->count--;
				b->hash[i] = last->hash[last->count];
				b->id[i] = last->id[last->count];
				if (last->count == 0 && prev != NULL) {
					overflow_put(t, prev->overflow);
					prev->overflow = ZB_FLOW_NONE;
				}
				t->entry_nr--;
				return true;
			}
		}
		if (b->overflow == ZB_FLOW_NONE)
			return false;
		prev = b;
		b = zb_flow_overflow_at(t, b->overflow);
	}
}

uint64_t zb_flow_table_bytes(const struct zb_flow_table *t)
{
	return ((uint64_t)t->seg_nr + t->over_seg_nr) * SEG_BYTES +
	       2 * ZB_FLOW_SEGS_MAX * sizeof(void *);
}

/* How often id stands in the chain that begins at b. */
static uint32_t times_in_chain(const struct zb_flow_table *t, const struct zb_flow_bucket *b,
			       uint32_t id)
{
	uint32_t n = 0;

	for (;; b = zb_flow_overflow_at(t, b->overflow)) {
		for (uint32_t i = 0; i < b->count; i++)
			n += b->id[i] == id;
		if (b->overflow == ZB_FLOW_NONE)
			return n;
	}
}

void zb_flow_table_check(const struct zb_flow_table *t)
{
	uint64_t entries = 0, overflows = 0;

	assert(t->bucket_nr == t->mask + 1 + t->split);
	for (uint32_t b = 0; b < t->bucket_nr; b++) {
		const struct zb_flow_bucket *first = zb_flow_bucket_at(t, b), *p = first;

		for (;;) {
			assert(p->count <= ZB_FLOW_SLOTS);
			assert(p->overflow == ZB_FLOW_NONE || p->count == ZB_FLOW_SLOTS);
			for (uint32_t i = 0; i < p->count; i++) {
				assert(zb_flow_bucket_of(t, p->hash[i]) == b);
				assert(times_in_chain(t, first, p->id[i]) == 1);
			}
			entries += p->count;
			if (p->overflow == ZB_FLOW_NONE)
				break;
			p = zb_flow_overflow_at(t, p->overflow);
			assert(p->count > 0);
			overflows++;
		}
	}
	assert(entries == t->entry_nr);
	for (uint32_t o = t->over_free; o != ZB_FLOW_NONE; o = zb_flow_overflow_at(t, o)->overflow)
		overflows++;
	assert(overflows == t->over_nr);
	(void)entries, (void)overflows, (void)times_in_chain;
}

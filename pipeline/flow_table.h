/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flow_table.h - finds the connection of a flow key; one table per lcore; grows without stopping
 *
 * Linear hashing: buckets of one cache line split one at a time, a split now and then with an
 * insertion, so that no insertion ever waits for a rehash. A bucket holds seven (hash, id) pairs;
 * what does not fit chains to overflow buckets of the same shape. The table knows ids and hashes;
 * keys live in the connections.
 *
 *     bucket  [ hash x 7 | overflow | id x 7 | count ]   64 bytes
 *
 * At the load at which it splits a flow costs 64 / (7 * 0.75) = 12 bytes.
 *
 * Threading: only the lcore that created a table may call into it.
 * Ownership: the table owns its buckets, in segments of 2 MiB taken from the thread's arena.
 * Errors:    0 or -errno.
 */
#ifndef ZB_PIPELINE_FLOW_TABLE_H
#define ZB_PIPELINE_FLOW_TABLE_H

#include <assert.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#define ZB_FLOW_SLOTS 7
#ifndef ZB_FLOW_SEG_SHIFT      /* fuzzers have it small */
#define ZB_FLOW_SEG_SHIFT 15   /* buckets in a segment: 32 Ki, 2 MiB */
#define ZB_FLOW_SEGS_MAX  4096 /* 134 M buckets: more than 2^29 flows */
#endif
#define ZB_FLOW_NONE UINT32_MAX /* no connection, no bucket */

struct zb_flow_bucket {
	alignas(64) uint32_t hash[ZB_FLOW_SLOTS];
	uint32_t overflow; /* index of an overflow bucket, or ZB_FLOW_NONE */
	uint32_t id[ZB_FLOW_SLOTS];
	uint32_t count; /* slots used, from the front */
};

struct zb_flow_table {
	struct zb_flow_bucket **seg;	  /* primary buckets */
	struct zb_flow_bucket **over_seg; /* overflow buckets */
	uint32_t mask;			  /* 2^level - 1 */
	uint32_t split;			  /* buckets below it are split already */
	uint32_t bucket_nr;		  /* mask + 1 + split */
	uint32_t entry_nr;
	uint32_t split_at;	     /* entries beyond which the next insertion splits a bucket */
	uint32_t over_nr, over_free; /* overflow buckets ever made; head of the free ones */
	uint32_t seg_nr, over_seg_nr;
};

/* Starts with one segment's first buckets. -ENOMEM. */
int zb_flow_table_init(struct zb_flow_table *t);
void zb_flow_table_fini(struct zb_flow_table *t);

static inline uint32_t zb_flow_bucket_of(const struct zb_flow_table *t, uint32_t hash)
{
	uint32_t b = hash & t->mask, is_split = b < t->split;

	/*
	 * A bucket that was split has half its entries one level up. No branch: which it is has no
	 * pattern.
	 */
	return b | (hash & (t->mask + 1) & -is_split);
}

static inline struct zb_flow_bucket *zb_flow_bucket_at(const struct zb_flow_table *t, uint32_t b)
{
	return &t->seg[b >> ZB_FLOW_SEG_SHIFT][b & ((1u << ZB_FLOW_SEG_SHIFT) - 1)];
}

static inline struct zb_flow_bucket *zb_flow_overflow_at(const struct zb_flow_table *t, uint32_t b)
{
	return &t->over_seg[b >> ZB_FLOW_SEG_SHIFT][b & ((1u << ZB_FLOW_SEG_SHIFT) - 1)];
}

static inline void zb_flow_prefetch(const struct zb_flow_table *t, uint32_t hash)
{
	__builtin_prefetch(zb_flow_bucket_at(t, zb_flow_bucket_of(t, hash)));
}

/*
 * The first id whose hash is equal, or ZB_FLOW_NONE. The caller compares keys; when they differ
 * (two keys with one 32-bit hash) it goes on with zb_flow_next().
 */
struct zb_flow_pos {
	const struct zb_flow_bucket *bucket;
	uint32_t slot;
};
uint32_t zb_flow_next(const struct zb_flow_table *t, uint32_t hash, struct zb_flow_pos *pos);

/*
 * Slots of a bucket that hold hash, as a set of bits. All are compared at once: which slot it is
 * has no pattern either, and a loop that ends there costs a misprediction each.
 */
static inline uint32_t zb_flow_slots(const struct zb_flow_bucket *b, uint32_t hash)
{
	typedef uint32_t four __attribute__((vector_size(16)));
	const four *h = (const four *)(const void *)b->hash, wanted = {hash, hash, hash, hash};
	four low = (four)(h[0] == wanted) & (four){1, 2, 4, 8},
	     high = (four)(h[1] == wanted) & (four){16, 32, 64, 0}, both = low | high;

	static_assert(ZB_FLOW_SLOTS == 7, "two vectors, the last lane is no hash");
	return (both[0] | both[1] | both[2] | both[3]) & ((1u << b->count) - 1);
}

static inline uint32_t zb_flow_first(const struct zb_flow_table *t, uint32_t hash,
				     struct zb_flow_pos *pos)
{
	const struct zb_flow_bucket *b = zb_flow_bucket_at(t, zb_flow_bucket_of(t, hash));
	uint32_t found = zb_flow_slots(b, hash);

	pos->bucket = b;
	if (__builtin_expect(found == 0, 0)) {
		pos->slot = ZB_FLOW_SLOTS;
		return b->overflow != ZB_FLOW_NONE ? zb_flow_next(t, hash, pos) : ZB_FLOW_NONE;
	}
	pos->slot = (uint32_t)__builtin_ctz(found) + 1;
	return b->id[pos->slot - 1];
}

/* Adds id under hash. -ENOMEM: the table is as it was. */
int zb_flow_insert(struct zb_flow_table *t, uint32_t hash, uint32_t id);

/* Removes id; false when it is not there. */
bool zb_flow_remove(struct zb_flow_table *t, uint32_t hash, uint32_t id);

uint64_t zb_flow_table_bytes(const struct zb_flow_table *t);

/*
 * Asserts every invariant: each entry in the bucket of its hash, counts, no id twice in a chain, no
 * bucket lost. Slow.
 */
void zb_flow_table_check(const struct zb_flow_table *t);

#endif

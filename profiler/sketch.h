/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sketch.h - the heaviest of very many, in bounded memory: which flows and hosts cost most
 *
 * Space-Saving (Metwally, Agrawal, El Abbadi: Efficient Computation of Frequent and Top-k Elements
 * in Data Streams, 2005): a fixed number of counters; who has none takes the smallest over, with
 * its weight as the error. So a weight is never too small, and too large by its error at most; who
 * weighs more than total / ZB_SKETCH_NR is there for certain.
 *
 * Threading: one at a time.
 * Ownership: a plain struct, zeroed to begin with.
 * Units:     weight is whatever was added, cycles here.
 */
#ifndef ZB_PROFILER_SKETCH_H
#define ZB_PROFILER_SKETCH_H

#include <stdbool.h>
#include <stdint.h>

#define ZB_SKETCH_NR	128
#define ZB_SKETCH_GROUP 8  /* counters, whose smallest is known */
#define ZB_SKETCH_KEY	48 /* bytes of a key; shorter ones are filled up with zeros */

struct zb_sketch_entry {
	uint64_t weight, error;
	uint8_t key[ZB_SKETCH_KEY];
};

struct zb_sketch {
	uint64_t total;		     /* of all weights ever added */
	uint32_t nr;		     /* counters in use */
	uint16_t mark[ZB_SKETCH_NR]; /* of each key's hash: all are looked through */
	uint64_t least[ZB_SKETCH_NR / ZB_SKETCH_GROUP]; /* weight in each group */
	uint64_t weight[ZB_SKETCH_NR], error[ZB_SKETCH_NR];
	uint8_t key[ZB_SKETCH_NR][ZB_SKETCH_KEY];
};

/*
 * Adds weight to a key, of which hash is a good hash; key has ZB_SKETCH_KEY bytes. Some fifty
 * comparisons, and lines of memory that are rarely cached: for samples, not for every packet.
 */
void zb_sketch_add(struct zb_sketch *s, uint64_t hash, const uint8_t *key, uint64_t weight);

/* Forgets all. */
void zb_sketch_clear(struct zb_sketch *s);

/* Adds all of src to dst, errors too: the sketch of both. */
void zb_sketch_merge(struct zb_sketch *dst, const struct zb_sketch *src);

/* The n heaviest, heaviest first; returns how many there are. */
uint32_t zb_sketch_top(const struct zb_sketch *s, struct zb_sketch_entry *out, uint32_t n);

#endif

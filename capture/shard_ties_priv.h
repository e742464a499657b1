/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shard_ties_priv.h - flows that must go to one shard although their own hashes differ
 *
 * Union-find over flows: a flow is known by its key, 64 bits that depend on what its hash depends
 * on. A group goes by the hash of one of its flows, the same one for all; a flow that was never
 * tied goes by its own.
 *
 * Threading: one thread.
 * Bounds:    2^22 flows of 24 bytes; ties of further ones are counted and forgotten.
 */
#ifndef ZB_CAPTURE_SHARD_TIES_PRIV_H
#define ZB_CAPTURE_SHARD_TIES_PRIV_H

#include <stdbool.h>
#include <stdint.h>

struct zb_tied_flow {
	uint64_t key;
	uint32_t hash;
	uint32_t to; /* index of another one of its group, nearer to the one that speaks for all */
};

struct zb_ties {
	struct zb_tied_flow *flow;
	uint32_t *slot; /* index + 1, by key; 0: free. Twice as many as there is room for flows */
	uint32_t nr, max;
	uint64_t shed;
};

/* All zero is empty. */
void zb_ties_fini(struct zb_ties *t);

/* -ENOMEM, not said. */
int zb_ties_add(struct zb_ties *t, const struct zb_tied_flow *a, const struct zb_tied_flow *b);

/* The hash that the flow goes by. */
uint32_t zb_ties_hash(struct zb_ties *t, uint64_t key, uint32_t hash);

#endif

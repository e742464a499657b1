/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn_pool.h - connections in chunks of 2 MiB, named by a 32-bit id
 *
 * Chunks come from malloc, that is from the lcore's arena, so that the allocator's profile shows
 * them. They are kept for reuse until the pool goes.
 *
 * Threading: one lcore.
 */
#ifndef ZB_PIPELINE_CONN_POOL_H
#define ZB_PIPELINE_CONN_POOL_H

#include "pipeline/conn.h"

#ifndef ZB_CONN_CHUNK_SHIFT    /* fuzzers have it small, so that the pool grows */
#define ZB_CONN_CHUNK_SHIFT 13 /* 8192 connections, 2 MiB */
#define ZB_CONN_CHUNKS_MAX  65536
#endif

struct zb_conn_pool {
	struct zb_conn **chunk;
	uint32_t chunk_nr;
	uint32_t used;	/* connections in use */
	uint32_t fresh; /* ids below it have been handed out at least once */
	uint32_t free;	/* head of the free list (through pool_next), or UINT32_MAX */
	uint32_t max;	/* connections at most */
};

int zb_conn_pool_init(struct zb_conn_pool *p, uint32_t conns_max);
void zb_conn_pool_fini(struct zb_conn_pool *p);

static inline struct zb_conn *zb_conn_at(const struct zb_conn_pool *p, uint32_t id)
{
	return &p->chunk[id >> ZB_CONN_CHUNK_SHIFT][id & ((1u << ZB_CONN_CHUNK_SHIFT) - 1)];
}

/* A zeroed connection and its id; NULL at the limit or when memory is out. */
struct zb_conn *zb_conn_pool_get(struct zb_conn_pool *p, uint32_t *id);
void zb_conn_pool_put(struct zb_conn_pool *p, uint32_t id);

static inline uint64_t zb_conn_pool_bytes(const struct zb_conn_pool *p)
{
	return ((uint64_t)p->chunk_nr << ZB_CONN_CHUNK_SHIFT) * sizeof(struct zb_conn);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcp_stream_store.h - what one side has sent beyond a hole: pieces of its stream, none of which
 * overlap
 *
 * The first copy of a byte wins, as in Zeek. Pieces are linked in order and indexed by a tree whose
 * shape is random, so that no order of arrival, however malicious, costs more than O(log n) a
 * piece.
 *
 * Threading: one lcore.
 * Ownership: memory is ZB_MEM_tcp_data; a piece that was taken out is the caller's.
 * Units:     seq is the position of a byte in the stream, from the SYN at 0.
 */
#ifndef ZB_PIPELINE_TCP_STREAM_STORE_H
#define ZB_PIPELINE_TCP_STREAM_STORE_H

#include <stdbool.h>

#include "pipeline/mem.h"

/* Of one side, bookkeeping included; above Zeek's own limit for payload, which thus comes first. */
#define ZB_TCP_STORE_BYTES_MAX (12u << 20)

struct zb_tcp_piece {
	struct zb_tcp_piece *left, *right; /* in the tree */
	struct zb_tcp_piece *next;	   /* in order */
	uint64_t seq;
	uint32_t rank;		       /* random; a parent's is not below its children's */
	uint32_t n : 31, has_data : 1; /* without data it only says that they were there */
	uint8_t data[];
};

struct zb_tcp_store {
	struct zb_tcp_piece *root, *first, *last;
	uint64_t payload; /* bytes of the stream in pieces, with or without data */
	uint64_t random;
	uint32_t bytes; /* of memory */
};

/* NULL: memory is out, or its limit. seed must be unknown to those who send the data. */
struct zb_tcp_store *zb_tcp_store_create(struct zb_mem *mem, uint64_t seed);
void zb_tcp_store_destroy(struct zb_mem *mem, struct zb_tcp_store *s);

/*
 * Adds what is not there yet of the n bytes at seq; d NULL: remembers only that they came. False:
 * no room for all of it, some may have been added.
 */
bool zb_tcp_store_add(struct zb_mem *mem, struct zb_tcp_store *s, uint64_t seq, const uint8_t *d,
		      uint32_t n);

/* Takes the first piece out; there must be one. */
struct zb_tcp_piece *zb_tcp_store_take(struct zb_tcp_store *s);

/* Bytes to give back for a piece. */
static inline uint32_t zb_tcp_piece_bytes(const struct zb_tcp_piece *p)
{
	return (uint32_t)sizeof(*p) + (p->has_data ? p->n : 0);
}

static inline uint64_t zb_tcp_piece_end(const struct zb_tcp_piece *p)
{
	return p->seq + p->n;
}

#endif

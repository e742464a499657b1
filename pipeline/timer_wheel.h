/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timer_wheel.h - hierarchical timer wheel for connection deadlines
 *
 * Five levels of 256 slots; a slot of the lowest level is 2^28 ns (0.27 s), so the levels reach 69
 * s, 5 h, 52 days, 36 years and all of 64-bit time. A slot is a stack of chunks of connection ids:
 * adding touches one hot line, and when a slot comes up its connections are prefetched ahead, where
 * a linked list would miss the cache at every one. A connection knows its slot; an id in any other
 * slot is stale and skipped, so removing costs nothing; before stale ids would take more memory
 * than the others, they are swept out. The wheel may run late, never early: deadlines that move
 * later are found out when the old slot comes up and the connection is put where it belongs now.
 * Empty stretches are skipped by bitmaps, so that a jump of years in packet time costs a few
 * hundred steps. (Varghese, Lauck: Hashed and Hierarchical Timing Wheels, 1987)
 *
 * Threading: one lcore.
 * Ownership: the wheel owns its chunks; connections are the pool's.
 */
#ifndef ZB_PIPELINE_TIMER_WHEEL_H
#define ZB_PIPELINE_TIMER_WHEEL_H

#include "pipeline/conn_pool.h"

#define ZB_WHEEL_TICK_SHIFT 28
#define ZB_WHEEL_SLOTS	    256
#define ZB_WHEEL_LEVELS	    5
#define ZB_WHEEL_CHUNK_IDS  61

struct zb_wheel_chunk {
	alignas(64) struct zb_wheel_chunk *next;
	uint32_t n;
	uint32_t id[ZB_WHEEL_CHUNK_IDS];
};
static_assert(sizeof(struct zb_wheel_chunk) == 256, "four cache lines");
static_assert(ZB_WHEEL_TICK_SHIFT + 8 * ZB_WHEEL_LEVELS > 64, "the top level never wraps");

struct zb_timer_wheel {
	struct zb_conn_pool *pool;
	uint64_t tick;	/* every slot before this tick has been emptied */
	uint32_t count; /* timers pending */
	uint64_t id_nr; /* ids in slots, stale ones among them */
	uint32_t sweep; /* the slot to be swept next */
	uint32_t block_nr;
	struct zb_wheel_chunk *free;
	struct zb_wheel_chunk **block; /* chunks are taken from malloc in blocks of 64 KiB */
	struct zb_wheel_chunk *head[ZB_WHEEL_LEVELS * ZB_WHEEL_SLOTS];
	uint64_t map[ZB_WHEEL_LEVELS][ZB_WHEEL_SLOTS / 64];
};

void zb_wheel_init(struct zb_timer_wheel *w, struct zb_conn_pool *pool, uint64_t now_ns);
void zb_wheel_fini(struct zb_timer_wheel *w);

/* -ENOMEM: the connection is not on the wheel. */
int zb_wheel_add(struct zb_timer_wheel *w, uint32_t id, uint64_t deadline_ns);
void zb_wheel_remove(struct zb_timer_wheel *w, uint32_t id);

/*
 * Moves a pending timer to an earlier deadline, unless its slot comes up soon enough or memory is
 * out.
 */
void zb_wheel_hasten(struct zb_timer_wheel *w, uint32_t id, uint64_t deadline_ns);

/*
 * Takes up to max connections whose deadline is at or before now_ns off the wheel, into ids;
 * returns how many. max of them: call again. Connections whose deadline has moved are put back (or,
 * when memory is out, returned as though they were due).
 */
uint32_t zb_wheel_advance(struct zb_timer_wheel *w, uint64_t now_ns, uint32_t *ids, uint32_t max);

/* The pending connection whose slot comes up first, or UINT32_MAX: what to shed at the limit. */
uint32_t zb_wheel_first(struct zb_timer_wheel *w);

/* Every deadline before this has come up. */
static inline uint64_t zb_wheel_passed_ns(const struct zb_timer_wheel *w)
{
	return w->tick == 0 ? 0 : (w->tick - 1) << ZB_WHEEL_TICK_SHIFT;
}

uint64_t zb_wheel_bytes(const struct zb_timer_wheel *w);

#endif

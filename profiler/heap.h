/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heap.h - jemalloc: one arena per worker, sampled heap profile, dumps that jeprof reads, top holders
 *
 * jemalloc is linked in with profiling compiled in; profiling itself is started by zb_heap_start(). Built
 * without jemalloc (sanitizers), every call works and reports that there is none.
 *
 * Threading: zb_heap_arena_use() from the thread that shall use the arena; the rest from main.
 */
#ifndef ZB_PROFILER_HEAP_H
#define ZB_PROFILER_HEAP_H

#include <stdbool.h>
#include <stdint.h>
#include "symbols.h"

bool zb_heap_available(void);	 /* jemalloc is linked */
bool zb_heap_can_profile(void);	 /* ... and has profiling compiled in and enabled at start-up */

/* Creates an arena of its own; *arena is its index. 0, -ENOTSUP without jemalloc, or -errno. */
int zb_heap_arena_create(unsigned *arena);
/* All later mallocs of the calling thread come from arena, by-passing the thread cache's old content. */
int zb_heap_arena_use(unsigned arena);

struct zb_heap_stat {
	uint64_t allocated, active, resident, retained, mapped; /* bytes */
};
int zb_heap_arena_stat(unsigned arena, struct zb_heap_stat *out); /* -ENOTSUP without jemalloc */
int zb_heap_total_stat(struct zb_heap_stat *out);

/* Starts or stops recording allocations (average sample_bytes apart; fixed at start-up: 512 KiB). */
int zb_heap_start(void);
int zb_heap_stop(void);

/* Writes a dump to path (jemalloc's heap_v2 text, readable by jeprof). */
int zb_heap_dump(const char *path);

/* One function and the live bytes allocated below it, unbiased as jemalloc's documents say. */
struct zb_heap_holder {
	char function[128];  /* nearest caller that is ours: first frame outside the allocator and libc */
	uint64_t bytes, objects;
	double share;	     /* of all live sampled bytes, 0..1 */
};

/* Reads a dump of this very process and fills at most max holders, largest first; returns how many, or
 * -errno (-EINVAL: not a heap_v2 dump). *total_bytes may be NULL. */
int zb_heap_top(const char *path, struct zb_symbols *syms, struct zb_heap_holder *out, unsigned max,
		uint64_t *total_bytes);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heap.h - jemalloc: one arena per worker, sampled heap profile, dumps for jeprof, top holders
 *
 * jemalloc is linked in with profiling compiled in; profiling itself is started by zb_heap_start().
 * Built without jemalloc (sanitizers), every call works and reports that there is none.
 *
 * Threading: zb_heap_arena_use() and zb_heap_warm() from the thread that shall use the arena; the
 *            rest, where nothing else is said, from main.
 * Errors:    0 or -errno, -ENOTSUP without jemalloc (or, where profiling is asked for, without it).
 *            On error the result is untouched. Nothing is said; the caller knows what for.
 */
#ifndef ZB_PROFILER_HEAP_H
#define ZB_PROFILER_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "symbols.h"

bool zb_heap_available(void);	/* jemalloc is linked */
bool zb_heap_can_profile(void); /* ... with profiling compiled in and enabled at start-up */

/* Creates an arena of its own; *arena is its index. -ENOMEM. */
int zb_heap_arena_create(unsigned *arena);

/*
 * All later mallocs of the calling thread come from arena, by-passing the thread cache's old
 * content. -EINVAL: there is no such arena.
 */
int zb_heap_arena_use(unsigned arena);

/*
 * Takes bytes of memory from the kernel and leaves them, touched but unused, to the calling
 * thread's arena: what it allocates next costs no page fault. They go back to the kernel as all
 * unused memory does, ten seconds later. -ENOMEM. Without jemalloc it is up to malloc whether
 * anything is kept.
 */
int zb_heap_warm(size_t bytes);

/*
 * free() of what was allocated with n bytes, n > 0 (malloc, calloc, realloc): who knows the size
 * spares the allocator to look it up. Any thread.
 */
void zb_heap_free(void *p, size_t n);

/*
 * Where the calling thread's count of bytes ever allocated stands; other threads may peek at it
 * while the thread lives. NULL without jemalloc.
 */
const uint64_t *zb_heap_thread_allocated(void);

/*
 * What the calling thread has allocated and not freed, whoever may have freed it: exact as long as
 * memory is freed by the thread that took it. _open() on that thread; _live() from it too.
 */
struct zb_heap_thread {
	const uint64_t *allocated, *freed; /* NULL: without jemalloc */
};
void zb_heap_thread_open(struct zb_heap_thread *t);

/* Bytes; 0 without jemalloc. */
static inline uint64_t zb_heap_thread_live(const struct zb_heap_thread *t)
{
	return t->allocated != NULL && *t->allocated > *t->freed ? *t->allocated - *t->freed : 0;
}

struct zb_heap_stat {
	uint64_t allocated, active, resident, retained, mapped; /* bytes */
};

int zb_heap_arena_stat(unsigned arena, struct zb_heap_stat *out); /* -EINVAL: no such arena */
int zb_heap_total_stat(struct zb_heap_stat *out);

/*
 * The same for nr arenas at once. Each call makes jemalloc add up all arenas (64 of them: 0.4 ms),
 * so who wants several asks for them together. On error out may be filled in part.
 */
int zb_heap_arena_stats(const unsigned *arena, unsigned nr, struct zb_heap_stat *out);

/*
 * Lets a thread of jemalloc's give unused memory back to the kernel, so that workers need not. Call
 * it when main sits on its cores: the thread inherits them. Without it the memory goes back all the
 * same, on whatever thread allocates or frees.
 */
int zb_heap_background_start(void);

/* Starts or stops recording allocations (average distance fixed at start-up: 512 KiB). */
int zb_heap_start(void);
int zb_heap_stop(void);

/* How the calling thread is called in dumps. -EINVAL: no plain text. */
int zb_heap_thread_name(const char *name);

/* Writes a dump to path (jemalloc's heap_v2 text, readable by jeprof). -EIO: the disk is full. */
int zb_heap_dump(const char *path);

/* One function and the live bytes allocated below it, unbiased as jemalloc's documents say. */
struct zb_heap_holder {
	char function[128]; /* nearest caller: first frame outside the allocator and libc */
	uint64_t bytes, objects;
	double share; /* of all live sampled bytes, 0..1 */
};

/*
 * Reads a dump of this very process and fills at most max holders, largest first; returns how many,
 * or -errno (-EINVAL: not a whole heap_v2 dump). *total_bytes may be NULL. Needs no jemalloc.
 */
int zb_heap_top(const char *path, struct zb_symbols *syms, struct zb_heap_holder *out, unsigned max,
		uint64_t *total_bytes);

/*
 * The functions whose live bytes grew most between two dumps; bytes and objects are the growth. One
 * and the same dump: since the begin.
 */
int zb_heap_growth(const char *first, const char *last, struct zb_symbols *syms,
		   struct zb_heap_holder *out, unsigned max);

#endif

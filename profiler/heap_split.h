/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heap_split.h - takes a heap dump apart by the threads that allocated
 *
 * A dump (jemalloc's heap_v2 text) has beside the sums of all threads those of each. What a thread
 * holds becomes a dump of its own that jeprof reads: its sums are in place of all threads', stacks
 * that it has nothing of are left out.
 *
 * Threading: one thread at a time.
 * Errors:    0 or -errno, unsaid. -EINVAL: no heap_v2 dump; -EIO: not all could be written.
 */
#ifndef ZB_PROFILER_HEAP_SPLIT_H
#define ZB_PROFILER_HEAP_SPLIT_H

#include <stdbool.h>
#include <stdio.h>

struct zb_heap_part {
	const char *thread; /* as zb_heap_thread_name() has it */
	FILE *out;	    /* the caller opens and closes it */
	bool found;	    /* the dump has this thread; else nothing was written */
	unsigned long id;   /* of the thread in the dump */
};

/* Reads the dump once, for all parts. Of threads that share a name the first is taken. */
int zb_heap_split(FILE *dump, struct zb_heap_part *parts, unsigned part_nr);

#endif

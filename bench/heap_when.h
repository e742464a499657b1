/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heap_when.h - when heap dumps are due: --heap off|final|BYTES|growth=BYTES|growth=Nx|every=S,...
 *
 * Kinds are jemalloc's, as in the names of its dumps: 'i' by interval, of allocation or of time;
 * 'u' the heap has grown; 'm' asked for; 'f' at the end.
 *
 * Threading: main only.
 */
#ifndef ZB_BENCH_HEAP_WHEN_H
#define ZB_BENCH_HEAP_WHEN_H

#include <stdbool.h>
#include <stdint.h>

struct zb_heap_when {
	bool on;	     /* there is one at the end, at least */
	uint64_t allocated;  /* bytes of allocation between two; 0: not by that */
	uint64_t grown;	     /* bytes of live heap more than in the last one; 0: ... */
	double grown_factor; /* the same as a factor above 1; 0: ... */
	double every_s;	     /* seconds between two; 0: ... */
};

/* -EINVAL: said, naming --heap. */
int zb_heap_when_parse(const char *text, struct zb_heap_when *out);

/* True when how large the live heap is matters. */
static inline bool zb_heap_when_grown(const struct zb_heap_when *w)
{
	return w->grown != 0 || w->grown_factor > 0;
}

/* How things are, and how they were when the last dump was written. */
struct zb_heap_now {
	uint64_t allocated; /* bytes ever */
	uint64_t live;	    /* bytes; 0: not known */
	double s;	    /* since the beginning */
};

struct zb_heap_due {
	uint64_t allocated; /* the next one is due then */
	uint64_t live_mark; /* when the last one was due, or at the beginning */
	double s;
	bool begun;
};

/* The kind of dump that is due now, or 0. Of the one that was, the next is counted on. */
char zb_heap_when_due(const struct zb_heap_when *w, struct zb_heap_due *due,
		      const struct zb_heap_now *now);

#endif

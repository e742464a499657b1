/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mem_track.h - how memory went over a run: a bounded number of points, evenly apart in time
 *
 * When all points are taken, every other one goes and the rest stand twice as far apart: a run of
 * days has as many as one of a minute.
 *
 * Threading: one thread at a time.
 */
#ifndef ZB_PROFILER_MEM_TRACK_H
#define ZB_PROFILER_MEM_TRACK_H

#include <stdint.h>

#include "profiler/heap.h"

#define ZB_MEM_TRACK_MAX     512u /* an even number */
#define ZB_MEM_TRACK_EVERY_S 0.25

struct zb_mem_point {
	double s;		  /* since the beginning */
	struct zb_heap_stat heap; /* of all arenas; zeroes without jemalloc */
	uint64_t state_bytes;	  /* all gauges that are bytes */
	uint64_t conns;		  /* in memory */
};

struct zb_mem_track {
	struct zb_mem_point point[ZB_MEM_TRACK_MAX];
	unsigned nr;
	double every_s; /* 0: none yet */
	double next_s;	/* the next point is due then */
};

/* Adds a point when one is due. */
void zb_mem_track_add(struct zb_mem_track *t, const struct zb_mem_point *p);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * neighbours.h - which other threads used a worker's CPU
 *
 * Every thread of the machine is looked at twice, before and after: what its CPU time grew by, and
 * on which CPU it was last. So it is an estimate: a thread that moved counts where it ended, one
 * that has gone by then counts nowhere.
 *
 * Threading: one thread.
 * Errors:    what cannot be read is left out.
 */
#ifndef ZB_PROFILER_NEIGHBOURS_H
#define ZB_PROFILER_NEIGHBOURS_H

#include <stdint.h>
#include <sys/types.h>

#define ZB_NEIGHBOURS_MAX 3    /* named for each CPU */
#define ZB_THREADS_MAX	  8192 /* looked at; a machine with more is looked at in part */

struct zb_neighbour {
	char name[20];
	pid_t tid;
	uint64_t ms;
};

struct zb_threads; /* opaque: CPU time of all threads at one moment */

/* NULL: memory is out, or /proc cannot be read. root: "" but for tests. */
struct zb_threads *zb_threads_look(const char *root);
void zb_threads_free(struct zb_threads *t);

/*
 * Those that were last on cpu, are not self, and used most CPU time from before to after, most
 * first; returns how many, at most ZB_NEIGHBOURS_MAX.
 */
unsigned zb_neighbours(const struct zb_threads *before, const struct zb_threads *after,
		       unsigned cpu, pid_t self, struct zb_neighbour *out);

#endif

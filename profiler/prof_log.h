/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prof_log.h - prof.log: what Zeek's policy/misc/profiling writes, from the workers' snapshots
 *
 * Plain text, a block of lines every 15 seconds of packet time, of all workers together: memory,
 * CPU time, connections, the matrix of TCP states, timers by type; every 20th block also tables.
 * One more block shows the state when the last packet has been analysed.
 *
 * Two variants: as Zeek writes it, byte for byte (strict), or mended: a newline after the line
 * Comm, the names of tables, what the allocator has given out, and no first line of timers that are
 * late since the epoch.
 *
 * Threading: the reporter thread only.
 * Ownership: conf is copied.
 * Errors:    0 or -errno. A write error is said once on stderr; the run goes on.
 */
#ifndef ZB_PROFILER_PROF_LOG_H
#define ZB_PROFILER_PROF_LOG_H

#include "lcore_stat.h"
#include "log_set.h"

#define ZB_PROF_INTERVAL_S 15.0

struct zb_prof_log_conf {
	const char *path;
	unsigned lcore_nr;
	double stats_interval_s; /* packet time between snapshots */
	bool strict;
	const struct zb_log_set *logs; /* whose writer is the one thread there is; NULL: idle */
};

struct zb_prof_log; /* opaque */

/* The file is made with the first block. */
int zb_prof_log_create(const struct zb_prof_log_conf *conf, struct zb_prof_log **out);

/* Takes the next snapshot of lcore i, whose intervals must not decrease. */
void zb_prof_log_take(struct zb_prof_log *p, unsigned i, const struct zb_snapshot *snap);

/* Lcore i has analysed its last packet: the state that it then had. */
void zb_prof_log_end(struct zb_prof_log *p, unsigned i, const struct zb_lcore_stat *stat);

/* Writes what is still held back, closes the file; p may be NULL. */
void zb_prof_log_destroy(struct zb_prof_log *p);

#endif

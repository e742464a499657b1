/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stat_blocks.h - sums of all lcores as of the same packet time, however far apart they run
 *
 * What prof.log and telemetry.log are written from. A block covers several statistics intervals; it
 * is given out once every lcore has passed it. Block 0 is that of the first packets, the last one
 * that of the end; a block in which no lcore reported is left out.
 *
 * Threading: the reporter thread only.
 * Errors:    0 or -errno.
 */
#ifndef ZB_PROFILER_STAT_BLOCKS_H
#define ZB_PROFILER_STAT_BLOCKS_H

#include "profiler/lcore_stat.h"

struct zb_stat_blocks; /* opaque */

struct zb_stat_blocks_conf {
	unsigned lcore_nr;
	double block_s;		 /* packet time of a block */
	double stats_interval_s; /* packet time between snapshots */
	/*
	 * A block is complete. now sums counters, gauges, log rows, timers and TCP states; its
	 * times are the latest of any lcore, its lag the newest; the rest is 0. peak: of each
	 * gauge, the sum of the lcores' peaks so far.
	 */
	void (*write)(void *arg, const struct zb_lcore_stat *now, const uint64_t *peak);
	void *arg;
};

int zb_stat_blocks_create(const struct zb_stat_blocks_conf *conf, struct zb_stat_blocks **out);

/* Takes the next snapshot of lcore i, whose intervals must not decrease. */
void zb_stat_blocks_take(struct zb_stat_blocks *b, unsigned i, const struct zb_snapshot *snap);

/* Lcore i has nothing more to report: the state that it had at the end. */
void zb_stat_blocks_end(struct zb_stat_blocks *b, unsigned i, const struct zb_lcore_stat *stat);

/* Gives out what is still held back, and frees; b may be NULL. */
void zb_stat_blocks_destroy(struct zb_stat_blocks *b);

#endif

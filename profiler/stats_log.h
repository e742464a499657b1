/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats_log.h - turns snapshots into rows of stats.log (Zeek's Stats::Info) and lcore.log
 *
 * Takes the workers' snapshots in any order and writes, per interval, one stats.log row for each
 * lcore that has news (peer "lcore-N") and one for the whole (peer "zbench"), as deltas; and one
 * lcore.log row per lcore, as absolute counters. A row for the whole is written once every lcore
 * has passed the interval, so that the deltas of all rows sum to the totals. mem is the peak
 * resident size in MiB, as Zeek's.
 *
 * An lcore has passed interval k with its first snapshot of interval k or later. Row k of the whole
 * has the deltas of exactly the snapshots of interval k, and as levels the sum of each lcore's
 * newest up to k. An lcore that is silent holds rows of the whole back, but at most
 * ZB_STATS_LOG_HELD_MAX; what it reports after that comes in a later row. A row that finds no log
 * buffer is not lost: the next one of its peer covers both. An lcore that has seen no packet has no
 * news.
 *
 * In lcore.log busy_ratio, cycles_per_pkt and burst_fill_mean are of the time since the lcore's
 * previous row. Rows wait in the ports' buffers: whoever wants them in the files soon calls
 * zb_log_flush().
 *
 * Threading: the reporter thread only.
 */
#ifndef ZB_PROFILER_STATS_LOG_H
#define ZB_PROFILER_STATS_LOG_H

#include "lcore_stat.h"
#include "log_set.h"

extern const struct zb_row_def zb_stats_log_def; /* path "stats" */
extern const struct zb_row_def zb_lcore_log_def; /* path "lcore" */

#define ZB_STATS_LOG_HELD_MAX 256

struct zb_stats_log; /* opaque */

struct zb_stats_log_conf {
	struct zb_log_port *stats, *lcore; /* either may be NULL: switched off */
	const unsigned *lcore_ids;	   /* lcore_nr of them, as shown in peer: the CPU number */
	unsigned lcore_nr;
	double tsc_hz;
};

int zb_stats_log_create(const struct zb_stats_log_conf *conf, struct zb_stats_log **out);

/* Takes the next snapshot of lcore index i (0..lcore_nr-1), whose intervals must not decrease. */
void zb_stats_log_take(struct zb_stats_log *s, unsigned i, const struct zb_snapshot *snap);

/* Writes what is still held back; after every lcore's last snapshot, or when giving up on one. */
void zb_stats_log_finish(struct zb_stats_log *s);
void zb_stats_log_destroy(struct zb_stats_log *s);

#endif

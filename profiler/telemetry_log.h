/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telemetry_log.h - rows of telemetry.log: what Zeek's frameworks/telemetry/log writes
 *
 * One row for each metric of zeek_* and process_*, of the whole run (peer "zbench"), every 60
 * seconds of packet time and at the end; names and labels are those of metrics.h without the one
 * that tells lcores apart.
 *
 * Threading: the reporter thread only.
 * Ownership: conf's strings are not copied.
 * Errors:    0 or -errno.
 */
#ifndef ZB_PROFILER_TELEMETRY_LOG_H
#define ZB_PROFILER_TELEMETRY_LOG_H

#include "profiler/log_set.h"
#include "profiler/metrics.h"

#define ZB_TELEMETRY_INTERVAL_S 60.0

extern const struct zb_row_def zb_telemetry_log_def; /* path "telemetry" */

struct zb_telemetry_log; /* opaque */

struct zb_telemetry_conf {
	struct zb_log_port *port;
	unsigned lcore_nr;
	double stats_interval_s; /* packet time between snapshots */
	struct zb_metrics_log logs[ZB_LOG_STREAMS_MAX];
	/* What no lcore counts, as of now. */
	void (*own)(void *arg, struct zb_metrics_own *out);
	void *arg;
};

int zb_telemetry_create(const struct zb_telemetry_conf *conf, struct zb_telemetry_log **out);

/* Takes the next snapshot of lcore i, whose intervals must not decrease. */
void zb_telemetry_take(struct zb_telemetry_log *t, unsigned i, const struct zb_snapshot *snap);

/* Writes what is still held back, and frees; t may be NULL. */
void zb_telemetry_destroy(struct zb_telemetry_log *t);

#endif

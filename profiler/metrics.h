/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics.h - the figures of a run as Prometheus and OpenMetrics text
 *
 * Holds the newest snapshot of each lcore and what the reporter knows besides. zeek_* are named,
 * typed and labelled as Zeek 8's, one sample per lcore (node="lcore-N"); process_* are those of
 * every Prometheus client; zbench_* have the names of lcore.log.
 *
 * Threading: zb_metrics_take() and zb_metrics_own() from the reporter, zb_metrics_text() from any
 *            thread; a lock is held while figures are copied, never while text is made.
 * Ownership: conf's arrays are copied, the strings in them are not.
 * Errors:    0 or -errno, unsaid.
 */
#ifndef ZB_PROFILER_METRICS_H
#define ZB_PROFILER_METRICS_H

#include <stddef.h>

#include "profiler/heap.h"
#include "profiler/lcore_stat.h"

/* A log by its place in zb_lcore_stat.log_rows. */
struct zb_metrics_log {
	const char *path;	     /* "conn"; NULL: there is none at this place */
	const char *module, *stream; /* "Conn", "Conn::LOG"; NULL: Zeek has no such log */
};

struct zb_metrics_conf {
	const unsigned *lcore_ids; /* lcore_nr of them */
	unsigned lcore_nr;
	double tsc_hz;
	struct zb_metrics_log logs[ZB_LOG_STREAMS_MAX];
};

/* What no lcore counts. */
struct zb_metrics_own {
	uint64_t log_rows[ZB_LOG_STREAMS_MAX];	  /* that the reporter has written */
	uint64_t buffers_handed, buffers_pending; /* to the log writer; not yet written */
	struct zb_heap_stat heap;
	bool has_heap;
};

enum zb_metrics_format {
	ZB_METRICS_TEXT, /* Prometheus, version 0.0.4 */
	ZB_METRICS_OPEN, /* OpenMetrics 1.0.0 */
};

struct zb_metrics; /* opaque */

int zb_metrics_create(const struct zb_metrics_conf *conf, struct zb_metrics **out);
void zb_metrics_destroy(struct zb_metrics *m);

/* The newest figures of lcore i, and of its arena. */
void zb_metrics_take(struct zb_metrics *m, unsigned i, const struct zb_lcore_stat *stat,
		     uint64_t wall_ns);
void zb_metrics_arena(struct zb_metrics *m, unsigned i, const struct zb_heap_stat *arena);
void zb_metrics_own(struct zb_metrics *m, const struct zb_metrics_own *own);

/* All of it as text; the caller frees it. */
int zb_metrics_text(struct zb_metrics *m, enum zb_metrics_format format, char **text, size_t *len);

/*
 * Which of the two a client would rather have, by its Accept header (NULL: none): OpenMetrics when
 * it is named in a version that is known and not liked less than text.
 */
enum zb_metrics_format zb_metrics_accept(const char *header);

extern const char *const zb_metrics_type[2]; /* Content-Type of each format */

#endif

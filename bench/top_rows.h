/* SPDX-License-Identifier: Apache-2.0 */
/*
 * top_rows.h - reads lcore.log, in either format, while it grows
 *
 * Threading: one thread.
 * Errors:    0 or -errno, unsaid. Lines that are no rows are passed over.
 */
#ifndef ZB_BENCH_TOP_ROWS_H
#define ZB_BENCH_TOP_ROWS_H

#include <stdbool.h>

/* What of a row is of interest; sums where several columns are one. */
enum zb_top_value {
	ZB_TOP_LCORE,
	ZB_TOP_WALL_S,
	ZB_TOP_NET_S,
	ZB_TOP_LINK,
	ZB_TOP_PROC,
	ZB_TOP_DROPPED,
	ZB_TOP_BYTES,
	ZB_TOP_BUSY,
	ZB_TOP_IDLE,
	ZB_TOP_QUEUE,
	ZB_TOP_LAG_S,
	ZB_TOP_ROWS,
	ZB_TOP_CONNS,
	ZB_TOP_STATE,
	ZB_TOP_NR
};

struct zb_top_row {
	double v[ZB_TOP_NR];
};

struct zb_top_rows; /* opaque */

/* -ENOENT: not yet, if the run has only just begun. */
int zb_top_rows_open(const char *path, struct zb_top_rows **out);

/*
 * Hands over the rows that there are at the time of the call, whole lines only; those that come
 * meanwhile are the next call's. Of more than 4 MiB only the last rows, so that a reader that is
 * slower than the run has what is new.
 */
int zb_top_rows_read(struct zb_top_rows *r, void (*take)(void *arg, const struct zb_top_row *row),
		     void *arg);

/* r may be NULL. */
void zb_top_rows_close(struct zb_top_rows *r);

#endif

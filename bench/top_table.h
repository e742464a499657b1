/* SPDX-License-Identifier: Apache-2.0 */
/*
 * top_table.h - the table of zbench top: what each lcore does, over the newest rows of lcore.log
 *
 * Threading: one thread.
 */
#ifndef ZB_BENCH_TOP_TABLE_H
#define ZB_BENCH_TOP_TABLE_H

#include <stdio.h>

#include "bench/top_rows.h"

struct zb_top_table; /* opaque */

/* Rates are over interval_s of wall time, as near as there are rows. NULL: out of memory. */
struct zb_top_table *zb_top_table_create(double interval_s);
void zb_top_table_destroy(struct zb_top_table *t);

/* A row, after all earlier ones of its lcore; one with another lcore than a machine has is not
 * taken. */
void zb_top_table_take(struct zb_top_table *t, const struct zb_top_row *row);

/* Wall time of the newest row; 0: none yet. */
double zb_top_table_newest_s(const struct zb_top_table *t);

/* A line per lcore, one of all, and the ledger since the run began. */
void zb_top_table_print(const struct zb_top_table *t, FILE *f);

#endif

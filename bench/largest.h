/* SPDX-License-Identifier: Apache-2.0 */
/*
 * largest.h - the connections of a run that held most memory, of all workers
 *
 * Threading: main, after the workers have finished.
 * Units:     bytes as pipeline/large.h counts them.
 */
#ifndef ZB_BENCH_LARGEST_H
#define ZB_BENCH_LARGEST_H

#include <stdio.h>

#include "bench/cost.h"

struct zb_largest_conn {
	struct zb_cost_flow flow; /* names it */
	char service[ZB_LARGE_SERVICE];
	uint64_t bytes, ts_ns; /* most at a time; since when, packet time */
	uint64_t uid_seq;
	unsigned lcore;
};

struct zb_largest {
	unsigned nr;
	struct zb_largest_conn conn[ZB_LARGE_MAX]; /* largest first, each once */
};

void zb_largest_make(const struct zb_pass_result *r, uint64_t secret, struct zb_largest *out);

/* A line for a person, when one connection held more than a megabyte. */
void zb_largest_report(const struct zb_largest *l, FILE *f);

struct json_t;
/* A new reference; NULL: out of memory. */
struct json_t *zb_largest_json(const struct zb_largest *l);

#endif

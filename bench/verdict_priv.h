/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verdict_priv.h - what the rules of a verdict share
 *
 * Threading: pure functions.
 */
#ifndef ZB_BENCH_VERDICT_PRIV_H
#define ZB_BENCH_VERDICT_PRIV_H

#include "bench/verdict.h"

/* The finding of that name, added when it is new. */
struct zb_verdict_finding *zb_verdict_found(struct zb_verdict *v, enum zb_verdict_name name);

/* Evidence: where it stands, its unit, what was measured and what it is held against. */
struct zb_verdict_measure {
	const char *see, *unit;
	double value, threshold;
};

/* Adds evidence; the confidence becomes that of the strongest. What has no room is lost. */
void zb_verdict_because(struct zb_verdict_finding *f, struct zb_verdict_measure m, const char *fmt,
			...) __attribute__((format(printf, 3, 4)));

/* Own cycles of a stage per packet, less waiting for the log writer. */
double zb_verdict_stage_cost(const struct zb_lcore_stat *s, unsigned stage);
double zb_verdict_cost(const struct zb_lcore_stat *s);

/* Cost and amplification of the traffic itself. */
void zb_verdict_traffic(const struct zb_verdict_in *in, struct zb_verdict *v);

#endif

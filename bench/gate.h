/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate.h - compares two results by rules and tells whether the newer one may pass
 *
 * Without a rule of the caller's: bytes_recv and pkts_proc may not fall, pkts_dropped,
 * log_rows_lost and log_rows_failed may not rise, residual_pkts and residual_bytes must be 0. A
 * rule replaces the default for its metric: +N lets it grow by N at most and fall as it likes, -N
 * lets it fall by N at most and grow as it likes, N and +-N bound both ways.
 *
 * A metric is a name in totals ("pps"), or a path ("lcores.0.cycles_per_pkt",
 * "memory.peak_rss_bytes", "log_rows.conn" for "totals.log_rows.conn"); "mem" stands for
 * memory.peak_rss_bytes.
 *
 * Threading: main only. Ownership: rules point at the caller's text; documents are only read.
 */
#ifndef ZB_BENCH_GATE_H
#define ZB_BENCH_GATE_H

#include <stdbool.h>
#include <stdio.h>

#define ZB_GATE_METRIC_MAX 128
#define ZB_GATE_RULES_MAX  256

struct json_t; /* jansson's */

struct zb_gate_rule {
	char metric[ZB_GATE_METRIC_MAX]; /* as given */
	double fall_max, rise_max;	 /* how far it may move down, up */
	bool percent;			 /* of the old value */
	char bound[32];			 /* as shown: "±5 %" */
};

/* "METRIC:±N%", "METRIC:+N", ...; 0 or -EINVAL, said. */
int zb_gate_rule_parse(const char *text, struct zb_gate_rule *out);

struct zb_gate_side {
	const char *name; /* file, for messages */
	const struct json_t *doc;
};

/*
 * Writes a line per metric that moved, or that breaks a rule, and a last line with the outcome, to
 * out. Returns ZB_EXIT_OK; ZB_EXIT_FAILED; ZB_EXIT_USAGE when the two cannot be compared or a
 * metric is unknown (said, nothing is written to out).
 */
int zb_gate_compare(const struct zb_gate_side *old_side, const struct zb_gate_side *new_side,
		    const struct zb_gate_rule *rules, unsigned rule_nr, FILE *out);

#endif

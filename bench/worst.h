/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worst.h - the worst seconds of a run: when packets were lost, were late, or cost far more than
 * usual, and what the worker did then
 *
 * A worker's statistics snapshots cut the run's wall clock into intervals of a second or more. Few
 * candidates are kept of each kind, whatever the run's length; which of them are worth telling
 * depends on the whole, so it is decided at the end. A run without such seconds has none.
 *
 * Threading: one thread at a time: the reporter's, then main.
 * Units:     _ns is nanoseconds; from and to are since the run's samples began.
 */
#ifndef ZB_BENCH_WORST_H
#define ZB_BENCH_WORST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "profiler/lcore_stat.h"
#include "profiler/samples.h"

#define ZB_WORST_MAX	   5	      /* told */
#define ZB_WORST_KEPT	   8	      /* candidates of a kind */
#define ZB_WORST_SECOND_NS 950000000u /* a boundary may be met a little early */

enum zb_worst_why { ZB_WORST_LOST, ZB_WORST_LATE, ZB_WORST_DEAR, ZB_WORST_WHYS };
extern const char *const zb_worst_why_name[ZB_WORST_WHYS]; /* "lost", "late", "dear" */

struct zb_worst_second {
	enum zb_worst_why why;
	uint64_t from_ns, to_ns;
	unsigned lane, cpu;
	uint64_t link, pkts, dropped; /* packets that came, were analysed, were lost */
	uint64_t lag_ns;	      /* worst; 0 in a closed loop */
	double cycles_per_pkt;	      /* own */
	double usual_cycles;	      /* of the whole run, all workers */
	double busy;		      /* share of the time */
	double gap;		      /* share of the time that the machine took */
	unsigned stage;		      /* the dearest, enum zb_stage, and its share of own cycles */
	double stage_share;
	unsigned place; /* the dearest place that is metered, and its share; share 0: not known */
	double place_share;
	struct zb_stat_hot hot; /* the dearest connection of metered bursts; of 0: not known */
	char function[128];	/* that most samples of the stage were in; "": not known */
	double function_share;
};

struct zb_worst_lane {
	struct zb_lcore_stat was; /* at the interval's beginning */
	uint64_t from_ns;
	struct zb_stat_hot hot;
	bool begun;
};

struct zb_worst {
	struct zb_worst_second kept[ZB_WORST_WHYS][ZB_WORST_KEPT];
	unsigned kept_nr[ZB_WORST_WHYS];
	struct zb_worst_lane *lane;
	unsigned lane_nr;
	struct zb_worst_second told[ZB_WORST_MAX]; /* after zb_worst_choose() */
	unsigned told_nr;
};

int zb_worst_init(struct zb_worst *w, unsigned lane_nr); /* 0 or -ENOMEM */
void zb_worst_fini(struct zb_worst *w);

/* A snapshot of lane at time at_ns. last: nothing follows. */
void zb_worst_add(struct zb_worst *w, unsigned lane, uint64_t at_ns,
		  const struct zb_lcore_stat *stat, bool last);

/* Which are told, worst first; sum is of the whole run. */
void zb_worst_choose(struct zb_worst *w, const struct zb_lcore_stat *sum);

/* The functions that those told were in. */
void zb_worst_functions(struct zb_worst *w, const struct zb_samples *s);

/* How to find a flow's name; see struct zb_stat_hot. */
typedef void zb_worst_flow_text(const uint8_t key[static ZB_SKETCH_KEY], uint64_t secret, char *buf,
				size_t size);

struct zb_worst_words {
	zb_worst_flow_text *flow;
	uint64_t secret;
	const char *folder; /* of the run */
	bool sampled;
};

/* A paragraph for a person; nothing when none is told. */
void zb_worst_print(const struct zb_worst *w, const struct zb_worst_words *words, FILE *f);

struct json_t;
/* A new reference to an array; NULL: out of memory. */
struct json_t *zb_worst_json(const struct zb_worst *w, const struct zb_worst_words *words);

#endif

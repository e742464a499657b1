/* SPDX-License-Identifier: Apache-2.0 */
/* self_cost.c - see self_cost.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/run_report.h"
#include "bench/self_cost.h"
#include "profiler/diag.h"

#define PAIRS	200
#define SLICE_S 0.1 /* some ten samples at 99 Hz, some half a million packets */

/* What is on in every other slice. */
struct kind {
	const char *name, *key;
	uint32_t sample_hz;
	bool marks, stats, heap;
};

static const struct kind kinds[] = {
	{"stage cycle marks", "marks_pct", .marks = true},
	{"statistics every interval", "statistics_pct", .stats = true},
	{"sampling at 99 Hz", "sampling_99hz_pct", .sample_hz = 99},
	{"sampling at 999 Hz", "sampling_999hz_pct", .sample_hz = 999},
	{"heap profile (--heap)", "heap_pct", .heap = true},
	{"all of the defaults", "defaults_pct", .sample_hz = 99, .marks = true, .stats = true},
};
#define KIND_NR (sizeof(kinds) / sizeof(kinds[0]))

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Fills cost with the pairs' costs in percent, sorted. */
static int measure(const struct zb_pass_conf *base, const struct kind *k, double cost[PAIRS])
{
	double rate[2 * PAIRS];
	struct zb_pass_slices slices = {
		.sampling = k->sample_hz != 0,
		.marks = k->marks,
		.snapshots = k->stats,
		.heap = k->heap,
		.slice_s = SLICE_S,
		.pair_nr = PAIRS,
		.rate = rate,
	};
	struct zb_pass_conf c = *base;
	struct zb_pass_result r;
	int ret;

	c.sample_hz = k->sample_hz;
	c.slices = &slices;
	ret = zb_pass_run(&c, &r);
	if (ret == 0 && (r.interrupted || r.broke))
		ret = -EINTR;
	zb_pass_fini(&r);
	if (k->heap)
		zb_heap_stop();
	for (unsigned i = 0; ret == 0 && i < PAIRS; i++)
		cost[i] = 100 * (1 - rate[2 * i + 1] / rate[2 * i]);
	if (ret == 0)
		qsort(cost, PAIRS, sizeof(cost[0]), by_value);
	return ret;
}

int zb_self_cost(struct zb_run_job *j)
{
	struct zb_pass_conf base;
	double cost[PAIRS];

	zb_job_pass_conf(j, &base);
	base.dir = base.heap_dir = NULL;
	base.duration_s = 0;
	base.loops = 0;
	base.progress = false;
	printf("cost of measuring, in packets per second: %d pairs of slices of %.1f s, off and on "
	       "in turn\n",
	       PAIRS, SLICE_S);
	printf("%-28s %8s  %s\n", "", "median", "middle half of the pairs");
	for (unsigned i = 0; i < KIND_NR; i++) {
		int ret;

		if (kinds[i].heap && !zb_heap_can_profile())
			continue;
		ret = measure(&base, &kinds[i], cost);
		if (ret < 0) {
			zb_err("--self-cost: %s", ret == -EINTR ? "interrupted" : strerror(-ret));
			return ret;
		}
		printf("%-28s %6.2f %%  %.2f .. %.2f %%\n", kinds[i].name,
		       (cost[(PAIRS - 1) / 2] + cost[PAIRS / 2]) / 2, cost[PAIRS / 4],
		       cost[PAIRS - 1 - PAIRS / 4]);
		fflush(stdout);
		j->cost[j->cost_nr++] =
			(struct zb_result_cost){kinds[i].key,
						(cost[(PAIRS - 1) / 2] + cost[PAIRS / 2]) / 2};
	}
	printf("\n");
	return 0;
}

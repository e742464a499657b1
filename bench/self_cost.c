/* SPDX-License-Identifier: Apache-2.0 */
/* self_cost.c - see self_cost.h */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/run_report.h"
#include "bench/self_cost.h"
#include "profiler/diag.h"

#define SLICE_S 0.1 /* some ten samples at 99 Hz, some half a million packets */

/*
 * 19 of 20 medians of n normal values lie within so many middle halves / sqrt(n) of the true one:
 * 1.96 standard errors, of sqrt(pi / 2) standard deviations, of which a middle half has 1.349.
 */
#define SURE 1.82

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

/* One kind's costs in percent: sorted, a pair each. */
struct costs {
	unsigned nr;
	double *rate; /* 2 * nr: packets per cycle, off and on of each pair */
	double *cost; /* nr */
};

static int measure(const struct zb_pass_conf *base, const struct kind *k, struct costs *out)
{
	struct zb_pass_slices slices = {
		.sampling = k->sample_hz != 0,
		.marks = k->marks,
		.snapshots = k->stats,
		.heap = k->heap,
		.slice_s = SLICE_S,
		.pair_nr = out->nr,
		.rate = out->rate,
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
	for (unsigned i = 0; ret == 0 && i < out->nr; i++)
		out->cost[i] = 100 * (1 - out->rate[2 * i + 1] / out->rate[2 * i]);
	if (ret == 0)
		qsort(out->cost, out->nr, sizeof(out->cost[0]), by_value);
	return ret;
}

static void note(struct zb_run_job *j, const struct kind *k, const struct costs *c)
{
	double median = (c->cost[(c->nr - 1) / 2] + c->cost[c->nr / 2]) / 2;
	double low = c->cost[c->nr / 4], high = c->cost[c->nr - 1 - c->nr / 4];

	printf("%-28s %6.2f %%  %5.2f  %.2f .. %.2f %%\n", k->name, median,
	       SURE * (high - low) / sqrt(c->nr), low, high);
	fflush(stdout);
	j->cost[j->cost_nr++] = (struct zb_result_cost){k->key, median};
}

static int measure_all(struct zb_run_job *j, struct costs *c)
{
	struct zb_pass_conf base;

	zb_job_pass_conf(j, &base);
	base.dir = base.heap_dir = NULL;
	base.duration_s = 0;
	base.loops = 0;
	base.progress = false;
	printf("cost of measuring, in packets per second: %u pairs of slices of %.1f s, off and on "
	       "in turn\n",
	       c->nr, SLICE_S);
	printf("%-28s %8s  %5s  %s\n", "", "median", "+-", "middle half of the pairs");
	for (unsigned i = 0; i < KIND_NR; i++) {
		int ret;

		if (kinds[i].heap && !zb_heap_can_profile())
			continue;
		ret = measure(&base, &kinds[i], c);
		if (ret < 0) {
			zb_err("--self-cost: %s", ret == -EINTR ? "interrupted" : strerror(-ret));
			return ret;
		}
		note(j, &kinds[i], c);
	}
	printf("\n");
	return 0;
}

int zb_self_cost(struct zb_run_job *j)
{
	struct costs c = {.nr = (unsigned)j->conf->cost_pairs};
	int ret = -ENOMEM;

	c.rate = calloc(2 * (size_t)c.nr, sizeof(*c.rate));
	c.cost = calloc(c.nr, sizeof(*c.cost));
	if (c.rate != NULL && c.cost != NULL)
		ret = measure_all(j, &c);
	else
		zb_err("--self-cost: %s", strerror(ENOMEM));
	free(c.rate);
	free(c.cost);
	return ret;
}

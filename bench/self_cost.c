/* SPDX-License-Identifier: Apache-2.0 */
/* self_cost.c - see self_cost.h */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/run_report.h"
#include "bench/self_cost.h"
#include "profiler/diag.h"

#define PAIRS 15
#define PASS_S                                                                                    \
	0.6 /* a pass is made at least so long: many scheduler ticks, some sixty samples at 99 Hz \
	     */
#define LOOPS_MAX 100000

/* What is on in B and off in A; everything else is off in both. */
struct kind {
	const char *name, *key;
	uint32_t sample_hz;
	bool marks, stats;
};

static const struct kind kinds[] = {
	{"stage cycle marks", "marks", 0, true, false},
	{"statistics every interval", "statistics", 0, false, true},
	{"sampling at 99 Hz", "sampling_99hz", 99, false, false},
	{"sampling at 999 Hz", "sampling_999hz", 999, false, false},
	{"all of the defaults", "defaults", 99, true, true},
};
#define KIND_NR (sizeof(kinds) / sizeof(kinds[0]))

static int one_pass(const struct zb_pass_conf *base, const struct kind *k, uint64_t loops,
		    double *pps)
{
	struct zb_pass_conf c = *base;
	struct zb_pass_result r;
	struct zb_lcore_stat sum;
	int ret;

	c.loops = loops;
	c.sample_hz = k != NULL ? k->sample_hz : 0;
	c.marks = k != NULL && k->marks;
	c.stream_on[ZB_LOG_STATS] = c.stream_on[ZB_LOG_LCORE] = k != NULL && k->stats;
	if (k == NULL || !k->stats)
		c.stats_interval_s = 1e9; /* one row at the end */
	ret = zb_pass_run(&c, &r);
	if (ret == 0) {
		zb_report_sum(&r, &sum);
		*pps = (double)sum.c[ZB_C_pkts_proc] /
		       ((double)(sum.last_tsc - sum.first_tsc) / c.tsc_hz);
		if (r.interrupted || r.broke)
			ret = -EINTR;
	}
	zb_pass_fini(&r);
	return ret;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static int measure(const struct zb_pass_conf *base, const struct kind *k, uint64_t loops,
		   double cost[PAIRS])
{
	for (unsigned i = 0; i < PAIRS; i++) {
		double on = 0, off = 0;
		bool on_first = i & 1;
		int ret = one_pass(base, on_first ? k : NULL, loops, on_first ? &on : &off);

		if (ret == 0)
			ret = one_pass(base, on_first ? NULL : k, loops, on_first ? &off : &on);
		if (ret < 0)
			return ret;
		cost[i] = 100 * (1 - on / off);
	}
	qsort(cost, PAIRS, sizeof(cost[0]), by_value);
	return 0;
}

int zb_self_cost(struct zb_run_job *j)
{
	struct zb_pass_conf base;
	double pps = 0, cost[PAIRS];
	int ret;

	zb_job_pass_conf(j, &base);
	base.dir = base.heap_dir = NULL;
	base.duration_s = 0;
	base.progress = false;
	ret = one_pass(&base, NULL, 1,
		       &pps); /* warms up, and tells how many loops make a pass long enough */
	if (ret < 0)
		return ret;
	double loops = 1 + PASS_S * pps / (double)zb_trace_info(j->trace)->pkt_nr;
	uint64_t loop_nr = loops < LOOPS_MAX ? (uint64_t)loops : LOOPS_MAX;

	printf("cost of measuring: %d pairs of passes of %" PRIu64
	       " loops each, off and on in turn\n",
	       PAIRS, loop_nr);
	printf("%-28s %8s  %s\n", "", "median", "middle half");
	for (unsigned i = 0; i < KIND_NR; i++) {
		ret = measure(&base, &kinds[i], loop_nr, cost);
		if (ret < 0) {
			zb_err("--self-cost: %s", ret == -EINTR ? "interrupted" : strerror(-ret));
			return ret;
		}
		printf("%-28s %6.2f %%  %.2f .. %.2f %%\n", kinds[i].name, cost[PAIRS / 2],
		       cost[PAIRS / 4], cost[PAIRS - 1 - PAIRS / 4]);
		fflush(stdout);
		j->cost[j->cost_nr++] = (struct zb_result_cost){kinds[i].key, cost[PAIRS / 2]};
	}
	printf("\n");
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* noise.c - see noise.h */
#include "bench/noise.h"

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

struct zb_noise_loss zb_noise_loss(const struct zb_lcore_stat *stat, const struct zb_noise_sum *sum)
{
	const struct zb_gap_time *t = &stat->time;
	struct zb_noise_loss l = {.passed_ns = t->passed_ns, .gap_max_ns = stat->gap.max_ns};

	l.lost_ns = t->passed_ns > t->cpu_ns ? t->passed_ns - t->cpu_ns : 0;
	l.lost_ns = larger(l.lost_ns, sum->wait_ns + sum->steal_ns);
	l.lost_ns = larger(l.lost_ns, stat->gap.total_ns);
	/* The kernel's account covers a little more than the run. */
	l.lost_ns = l.lost_ns < t->passed_ns ? l.lost_ns : t->passed_ns;
	if (t->passed_ns != 0)
		l.ratio = (double)l.lost_ns / (double)t->passed_ns;
	l.clean = t->passed_ns == 0 ||
		  (l.ratio <= ZB_NOISE_CLEAN_RATIO && l.gap_max_ns <= ZB_NOISE_CLEAN_GAP_NS);
	return l;
}

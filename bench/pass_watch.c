/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass_watch.c - what the reporter looks at besides statistics: samples and the progress line
 */
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <rte_cycles.h>

#include "bench/pass_priv.h"
#include "profiler/clock.h"
#include "profiler/diag.h"

#define PROGRESS_EVERY_S 0.25

int zb_pass_sample(struct zb_pass *p)
{
	struct zb_sampler_conf conf = {.hz = p->conf->sample_hz, .lane_nr = p->worker_nr};
	struct timespec now;
	int ret = zb_worst_init(&p->result->worst, p->worker_nr);

	if (ret == 0 && conf.hz != 0)
		ret = zb_sampler_create(&conf, &p->sampler);
	clock_gettime(CLOCK_REALTIME, &now);
	p->result->sampled_unix_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	return ret < 0 || conf.hz == 0 ? ret : zb_series_create(p->worker_nr, &p->result->series);
}

/* Who sets the clock back puts what follows to the beginning. */
void zb_pass_note_series(struct zb_pass *p, unsigned i, const struct zb_snapshot *snap)
{
	uint64_t from = p->result->sampled_unix_ns,
		 at_ns = snap->wall_ns > from ? snap->wall_ns - from : 0;

	if (p->result->series != NULL)
		zb_series_add(p->result->series, i, at_ns, &snap->stat);
	zb_worst_add(&p->result->worst, i, at_ns, &snap->stat, snap->last);
}

static double percent_done(const struct zb_pass *p, uint64_t pkts, double elapsed)
{
	double by_time = p->conf->duration_s > 0 ? elapsed / p->conf->duration_s : 0, by_pkts = 0;

	if (p->conf->live_count != 0)
		by_pkts = (double)pkts / (double)p->conf->live_count;
	else if (p->conf->trace != NULL && p->conf->loops != 0)
		by_pkts = (double)pkts /
			  ((double)zb_trace_info(p->conf->trace)->pkt_nr * (double)p->conf->loops);
	return 100 * (by_time > by_pkts ? by_time : by_pkts);
}

void zb_pass_progress(struct zb_pass *p, double now_s)
{
	uint64_t pkts = 0, bytes = 0, dropped = 0;
	struct rusage ru;
	char line[160];
	double dt = now_s - (p->shown_s > 0 ? p->shown_s : p->begin_s);

	if (dt < PROGRESS_EVERY_S)
		return;
	for (unsigned i = 0; i < p->worker_nr; i++) {
		const uint64_t *c = p->result->lcore[i].stat.c;

		pkts += zb_stat_peek(&c[ZB_C_pkts_proc]);
		bytes += zb_stat_peek(&c[ZB_C_bytes_recv]);
		dropped += zb_stat_peek(&c[ZB_C_pkts_dropped]);
	}
	getrusage(RUSAGE_SELF, &ru);
	snprintf(line, sizeof(line),
		 "%5.1f %%  %6.2f Mpps  %6.2f Gbit/s  %" PRIu64 " dropped  %ld MiB",
		 percent_done(p, pkts, now_s - p->begin_s),
		 (double)(pkts - p->shown_pkts) / dt / 1e6,
		 (double)(bytes - p->shown_bytes) * 8 / dt / 1e9, dropped, ru.ru_maxrss / 1024);
	zb_progress_line(line);
	p->shown_s = now_s;
	p->shown_pkts = pkts;
	p->shown_bytes = bytes;
}

/* Slices go off on, on off, off on, ...: what drifts steadily does not favour either. */
static bool slice_is_on(unsigned slice)
{
	return (slice & 1) != (slice >> 1 & 1);
}

static void slice_begin(struct zb_pass *p)
{
	struct zb_pass_slices *s = p->conf->slices;
	bool on = slice_is_on(s->slice_nr);

	if (p->sampler != NULL)
		zb_sampler_pause(p->sampler, !(on && s->sampling));
	__atomic_store_n(&p->on.marks, on && s->marks, __ATOMIC_RELAXED);
	__atomic_store_n(&p->on.snapshots, on && s->snapshots, __ATOMIC_RELAXED);
	if (s->heap)
		(void)(on ? zb_heap_start() : zb_heap_stop());
	s->from_pkts = 0;
	for (unsigned i = 0; i < p->worker_nr; i++)
		s->from_pkts += zb_stat_peek(&p->result->lcore[i].stat.c[ZB_C_pkts_proc]);
	s->from_tsc = rte_rdtsc();
}

bool zb_pass_slice(struct zb_pass *p)
{
	struct zb_pass_slices *s = p->conf->slices;
	uint64_t pkts = 0, tsc = rte_rdtsc();

	if (s->slice_nr == 2 * s->pair_nr)
		return true;
	if (s->from_tsc == 0) {
		slice_begin(p); /* what was before it, the first touches of memory, counts for
				   nothing */
		return false;
	}
	if ((double)(tsc - s->from_tsc) < s->slice_s * p->conf->tsc_hz)
		return false;
	for (unsigned i = 0; i < p->worker_nr; i++)
		pkts += zb_stat_peek(&p->result->lcore[i].stat.c[ZB_C_pkts_proc]);
	s->rate[(s->slice_nr & ~1u) + slice_is_on(s->slice_nr)] =
		(double)(pkts - s->from_pkts) / (double)(tsc - s->from_tsc);
	s->slice_nr++;
	slice_begin(p);
	return s->slice_nr == 2 * s->pair_nr;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* run_verdict.c - gathers what a run measured for its verdict; see verdict.h */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "bench/noise.h"
#include "bench/run_job.h"
#include "bench/run_report.h"
#include "pipeline/meter.h"
#include "pipeline/weird.h"
#include "profiler/hot_function.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
#define IS_SLOW true
#else
#define IS_SLOW false
#endif

#define SAMPLES_MIN 5
#define HOT_SHARE   0.2 /* of a stage's samples: less is no culprit */
#define FLOW_SHARE  0.3

/* What hangs on connections: tables that keep their size say nothing about traffic. */
static double state_bytes(const uint64_t *peak)
{
	static const unsigned gauge[] = {
		ZB_G_conn_bytes,
		ZB_G_history_bytes,
		ZB_G_stream_bytes,
		ZB_G_reassem_tcp_bytes,
		ZB_G_reassem_file_bytes,
		ZB_G_reassem_frag_bytes,
		ZB_G_reassem_unknown_bytes,
		ZB_G_dns_bytes,
		ZB_G_http_bytes,
		ZB_G_tls_bytes,
		ZB_G_smb_bytes,
		ZB_G_analyzer_bytes,
		ZB_G_file_bytes,
		ZB_G_tunnel_bytes,
		ZB_G_expect_bytes,
		ZB_G_dhcp_bytes,
	};
	double sum = 0;

	for (size_t i = 0; i < sizeof(gauge) / sizeof(gauge[0]); i++)
		sum += (double)peak[gauge[i]];
	return sum;
}

static void gather_lcores(const struct zb_run_job *j, struct zb_verdict_in *in)
{
	double all = 0, most = 0, idle = 0;

	in->lcore_nr = j->pass.lcore_nr;
	for (unsigned i = 0; i < j->pass.lcore_nr; i++) {
		const struct zb_pass_lcore *l = &j->pass.lcore[i];
		struct zb_noise_loss loss = zb_noise_loss(&l->stat, &l->noise.sum);
		double own = 0, s = (double)loss.passed_ns / 1e9;

		for (unsigned k = 0; k < ZB_STAGE_idle; k++)
			own += (double)zb_stat_own_cycles(&l->stat, k);
		all += own;
		idle += (double)zb_stat_own_cycles(&l->stat, ZB_STAGE_idle);
		in->seconds = s > in->seconds ? s : in->seconds;
		if (own >= most) {
			most = own;
			in->busiest_cpu = l->cpu;
		}
		if (loss.ratio >= in->lost_ratio) {
			in->lost_ratio = loss.ratio;
			in->noisy_cpu = l->cpu;
			in->gap_max_ms = (double)loss.gap_max_ns / 1e6;
			in->neighbour =
				l->noise.neighbour_nr != 0 ? l->noise.neighbour[0].name : NULL;
		}
	}
	in->own_share_max = all > 0 ? most / all : 0;
	in->busy_share = all > 0 ? all / (all + idle) : 0;
}

static void gather_losses(const struct zb_run_job *j, struct zb_verdict_in *in)
{
	const struct zb_noise_sum *writer = &j->pass.writer.sum;
	uint64_t by_devices = 0;

	in->dropped = in->sum->c[ZB_C_pkts_dropped];
	for (unsigned i = 0; i < j->pass.device_nr; i++)
		by_devices += j->pass.devices[i].dropped_pkts;
	in->dropped = by_devices > in->dropped ? by_devices : in->dropped;
	for (unsigned i = 0; i < ZB_LOG_NR; i++)
		in->rows_failed += j->pass.logs[i].rows_failed;
	in->writer_starved = writer->has_wait && in->seconds > 0
				     ? (double)writer->wait_ns / 1e9 / in->seconds
				     : -1;
}

static void find_hot(const struct zb_run_job *j, const char *below, const char *const *except,
		     struct zb_verdict_function *out)
{
	struct zb_hot_function hot;

	zb_hot_function(zb_sampler_stacks(j->pass.sampler), j->syms, below, except, &hot);
	if (hot.samples < SAMPLES_MIN || (double)hot.samples < HOT_SHARE * (double)hot.of)
		return;
	memcpy(out->name, hot.name, sizeof(out->name));
	out->samples = hot.samples;
	out->share = (double)hot.samples / (double)hot.of;
}

static void gather_functions(const struct zb_run_job *j, struct zb_verdict_in *in)
{
	static const char *const files[] = {"zb_file_data", "zb_file_data_at", NULL};

	if (j->pass.sampler == NULL || j->syms == NULL)
		return;
	for (unsigned i = 0; i < ZB_STAGE_idle; i++) {
		char below[32];

		snprintf(below, sizeof(below), "zb_stage_%s", zb_stage_name[i]);
		find_hot(j, below, NULL, &in->hot[i]);
	}
	find_hot(j, "zb_stage_stream", files, &in->hot_analyzer);
}

/*
 * An analyzer's place without its longest stretch: that may be a hypervisor's doing, which nobody
 * tells the guest. What is dear in one call only is no pattern of the traffic.
 */
static struct zb_verdict_analyzer without_longest(const struct zb_cost_place *p)
{
	double counted = p->longest * p->weight;

	if (p->calls < 2 * p->weight || !(p->metered > 0) || counted > p->metered)
		return (struct zb_verdict_analyzer){.name = p->name};
	return (struct zb_verdict_analyzer){
		.name = p->name,
		.share = p->share * (1 - counted / p->metered),
		.cycles_per_call = (p->metered - counted) / (double)(p->calls - p->weight),
		.bytes_per_call = p->bytes_per_call,
		.calls = p->calls / p->weight - 1,
	};
}

/* The analyzer whose calls cost most beyond what they may, and the one with the largest share. */
static void gather_analyzer(const struct zb_run_job *j, struct zb_verdict_in *in)
{
	const char *files = zb_meter_place_name(ZB_METER_FILES);
	const struct zb_cost *c = &j->costs;
	double most = 0;

	in->files_share = c->place_nr != 0 ? 0 : -1;
	for (unsigned i = 0; i < c->place_nr; i++) {
		const struct zb_cost_place *p = &c->place[i];

		if (strcmp(p->name, files) == 0)
			in->files_share = p->share;
		struct zb_verdict_analyzer a = without_longest(p);
		double excess = (a.cycles_per_call - zb_verdict_call_max(a.bytes_per_call)) *
				(double)a.calls;

		if (p->calls == 0 || (in->dearest.name != NULL && excess <= most))
			continue;
		most = excess > 0 ? excess : 0;
		in->dearest = a;
		if (in->largest.name == NULL)
			in->largest = a; /* places are sorted by share */
	}
	if (c->flow_nr != 0 && c->flow[0].share - c->flow[0].error >= FLOW_SHARE)
		in->flow = c->flow[0].uid;
}

/* Where oddities of a source are found. */
static void place_weird(const char *source, struct zb_verdict_weird *w)
{
	bool is_transport = strcmp(source, "TCP") == 0 || strcmp(source, "UDP") == 0 ||
			    strcmp(source, "ICMP") == 0;

	for (unsigned i = ZB_METER_ANALYZERS; i < ZB_METER_NR; i++)
		if (strcasecmp(zb_meter_place_name(i), source) == 0) {
			w->analyzer = zb_meter_place_name(i);
			w->stage = zb_stage_name[ZB_STAGE_stream];
		}
	if (strcmp(source, "IP") == 0)
		w->stage = zb_stage_name[ZB_STAGE_decode];
	else if (is_transport)
		w->stage = zb_stage_name[ZB_STAGE_conn];
}

static void gather_weirds(const struct zb_run_job *j, struct zb_verdict_in *in)
{
	uint64_t all = 0, most = 0, by_stage[ZB_STAGE_NR] = {0};
	unsigned top = 0;

	for (unsigned n = 0; n < ZB_WEIRD_NR; n++) {
		struct zb_verdict_weird at = {0};
		uint64_t sum = 0;

		for (unsigned i = 0; i < j->pass.lcore_nr; i++)
			sum += j->pass.lcore[i].weird[n];
		place_weird(zb_weird_source[n], &at);
		for (unsigned i = 0; at.stage != NULL && i < ZB_STAGE_NR; i++)
			if (strcmp(at.stage, zb_stage_name[i]) == 0)
				by_stage[i] += sum;
		all += sum;
		top = sum > most ? n : top;
		most = sum > most ? sum : most;
	}
	if (most == 0)
		return;
	in->weird.name = zb_weird_text[top];
	in->weird.share = (double)most / (double)all;
	place_weird(zb_weird_source[top], &in->weird);
	most = 0;
	for (unsigned i = 0; i < ZB_STAGE_NR; i++)
		if (by_stage[i] > most) {
			most = by_stage[i];
			in->weird.most_in = zb_stage_name[i];
			in->weird.stage_share = (double)most / (double)all;
		}
}

void zb_job_judge(struct zb_run_job *j)
{
	struct zb_verdict_in *in = &j->verdict_in;
	struct zb_lcore_stat sum;

	zb_report_sum(&j->pass, &sum);
	*in = (struct zb_verdict_in){
		.broken =
			j->pass.interrupted || j->pass.broke || j->pass_conf.mode != ZB_ENGINE_FULL,
		.open_loop = j->rate.kind != ZB_PACE_MAX || zb_job_is_live(j),
		.is_slow = IS_SLOW,
		.tsc_hz = j->tsc_hz,
		.sum = &sum,
		.growth = &j->pass.growth,
		.kinds = zb_pass_kinds,
		.state_bytes = state_bytes(j->pass.peak),
		.conns_peak = (double)zb_stat_conns(j->pass.peak),
		.grower = j->grower_nr != 0 ? j->grower[0].function : NULL,
		.grower_bytes = j->grower_nr != 0 ? (double)j->grower[0].bytes : 0,
	};
	gather_lcores(j, in);
	gather_losses(j, in);
	gather_functions(j, in);
	gather_analyzer(j, in);
	gather_weirds(j, in);
	zb_verdict_judge(in, &j->verdict);
	in->sum = NULL;
}

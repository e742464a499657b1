/* SPDX-License-Identifier: Apache-2.0 */
/* run_rate.c - the open loop: --rate, --rx-desc, --gen-cores, and what is to be said of its outcome
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench/run_job.h"
#include "bench/run_report.h"
#include "capture/source_paced.h"
#include "profiler/diag.h"

#define FEEDER_LATE_NS 100000 /* p99.9 beyond which the offered load was not what was asked for */

static int take_rate(struct zb_run_job *j)
{
	const char *text = j->conf->rate;

	switch (zb_pace_parse(text, &j->rate)) {
	case 0: return 0;
	case -ERANGE: zb_err("--rate %s: out of range", text); break;
	default:
		zb_err("--rate %s: no rate; give max, or as 1x, 0.5x, 250kpps, 1.5Mpps, 10Gbps",
		       text);
	}
	return -EINVAL;
}

static bool is_worker(const struct zb_run_job *j, unsigned cpu)
{
	for (unsigned i = 0; i < j->place.worker_nr; i++)
		if (j->place.worker_cpu[i] == cpu)
			return true;
	return false;
}

/*
 * The feeder gets a CPU of its own as far as there is one: the one that was named, or the last of
 * the helpers'. The other helpers then keep off it.
 */
static int place_feeder(struct zb_run_job *j)
{
	unsigned cpus[ZB_CPUS_MAX], nr = 0, cpu = 0;
	cpu_set_t *helpers = &j->place.helper_cpus;
	int ret = 0;

	CPU_ZERO(&j->feeder_cpus);
	if (j->conf->gen_cores != NULL) {
		ret = zb_cpu_list_parse("--gen-cores", j->conf->gen_cores, cpus, &nr);
		if (ret == 0)
			ret = zb_topo_check_cores(j->topo, "--gen-cores", j->conf->gen_cores, cpus,
						  nr);
		if (ret < 0)
			return ret;
		if (nr != 1 || is_worker(j, cpus[0])) {
			zb_err("--gen-cores %s: %s", j->conf->gen_cores,
			       nr != 1 ? "one feeder is all there is; give one CPU"
				       : "a worker is on that CPU; give another one");
			return -EINVAL;
		}
		cpu = cpus[0];
	} else {
		for (unsigned i = 0; i < CPU_SETSIZE; i++)
			cpu = CPU_ISSET(i, helpers) ? i : cpu;
	}
	CPU_SET(cpu, &j->feeder_cpus);
	if (CPU_COUNT(helpers) > 1)
		CPU_CLR(cpu, helpers);
	return 0;
}

int zb_job_check_rate(struct zb_run_job *j)
{
	int ret = take_rate(j);

	if (ret < 0)
		return ret;
	if ((j->conf->rx_desc & (j->conf->rx_desc - 1)) != 0) {
		zb_err("--rx-desc %" PRIu64 ": not a power of two; give 64, 128, ... 1048576",
		       j->conf->rx_desc);
		return -EINVAL;
	}
	if (j->conf->port.nr != 0)
		return place_feeder(j);
	if (j->rate.kind == ZB_PACE_MAX) {
		if (j->conf->gen_cores == NULL)
			return 0;
		zb_err("--gen-cores: only an open loop has a core to hand packets out from; give "
		       "--rate");
		return -EINVAL;
	}
	if (j->conf->self_cost) {
		zb_err("--self-cost: compares at full speed; leave --rate out");
		return -EINVAL;
	}
	return place_feeder(j);
}

bool zb_job_log_block(const struct zb_run_job *j)
{
	/* A closed loop waits for everything else too. */
	if (zb_job_is_live(j))
		return j->conf->logs_block;
	return j->rate.kind == ZB_PACE_MAX ? !j->conf->logs_drop : j->conf->logs_block;
}

static void note_drops(struct zb_run_job *j, const struct zb_lcore_stat *sum)
{
	const struct zb_pass_lcore *first = NULL;

	for (unsigned i = 0; i < j->pass.lcore_nr; i++) {
		const struct zb_pass_lcore *l = &j->pass.lcore[i];

		if (l->first_drop.happened &&
		    (first == NULL || l->first_drop.wall_s < first->first_drop.wall_s))
			first = l;
	}
	if (first == NULL)
		return;
	zb_job_note(j,
		    "%" PRIu64 " packets (%.3f %%) found a full receive queue; the first after "
		    "%.3f s, when the worker on CPU %u had taken %" PRIu64 " and was at stage %s",
		    sum->c[ZB_C_pkts_dropped],
		    100.0 * (double)sum->c[ZB_C_pkts_dropped] / (double)sum->c[ZB_C_pkts_link],
		    first->first_drop.wall_s, first->cpu, first->first_drop.worker_pkts,
		    zb_stage_name[first->first_drop.stage % ZB_STAGE_NR]);
}

void zb_job_note_rate(struct zb_run_job *j)
{
	uint64_t late = zb_lag_at(&j->pass.feeder_lag, 0.999);
	struct zb_lcore_stat sum;

	if (j->rate.kind == ZB_PACE_MAX)
		return;
	zb_report_sum(&j->pass, &sum);
	note_drops(j, &sum);
	if (sum.c[ZB_C_pkts_unsent] != 0)
		zb_job_note(j,
			    "%" PRIu64 " packets were not sent, as their time was over by more "
			    "than %d ms: the feeder's core was taken away, or --rate is too high",
			    sum.c[ZB_C_pkts_unsent], ZB_PACED_LATE_MS);
	if (late > FEEDER_LATE_NS)
		zb_job_note(j,
			    "one packet in a thousand reached its queue more than %.1f ms late "
			    "(at worst %.1f): the feeder shares its core; see --gen-cores",
			    (double)late / 1e6, (double)j->pass.feeder_lag.max_ns / 1e6);
}

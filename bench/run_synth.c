/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_synth.c - traffic that is made for the run: --synth, and --tap before a trace
 *
 * What `zbench gen` would write is made in memory and loaded like any other trace; see gen_load.h.
 */
#include <errno.h>

#include "bench/gen_load.h"
#include "bench/run_job.h"
#include "profiler/diag.h"

#define DURATION_NS (60ull * 1000000000u) /* as zbench gen has it for profiles without one */

int zb_job_check_synth(const struct zb_run_job *j)
{
	const struct zb_run_conf *c = j->conf;

	if (c->tap != NULL && c->pcap.nr > 1) {
		zb_err("--tap: takes one trace; merge the files first");
		return -EINVAL;
	}
	if (!zb_job_is_made(j) && zb_opt_given(&zb_cmd_run, "seed")) {
		zb_err("--seed: nothing here is random; give --synth or --tap");
		return -EINVAL;
	}
	return 0;
}

bool zb_job_is_made(const struct zb_run_job *j)
{
	return j->conf->synth != NULL || j->conf->tap != NULL;
}

int zb_job_load_made(struct zb_run_job *j, struct zb_trace_conf *load)
{
	const struct zb_run_conf *c = j->conf;
	struct zb_gen_job_conf conf = {
		.profile = c->synth,
		.pcap = c->synth == NULL ? c->pcap.v[0] : NULL,
		.tap = c->tap,
		.limit = {.packets = c->count, .duration_ns = DURATION_NS, .seed = c->seed},
	};

	load->count_max = 0; /* it is as long as it was asked for */
	return zb_gen_load(&conf, c->synth != NULL ? "--synth" : "--tap", load, &j->trace);
}

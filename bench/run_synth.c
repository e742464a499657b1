/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_synth.c - traffic that is made for the run: --synth, --attack, and --tap before a trace
 *
 * What `zbench gen` would write is made in memory and loaded like any other trace; see gen_load.h.
 */
#include <errno.h>
#include <string.h>

#include "bench/gen_load.h"
#include "bench/run_job.h"
#include "profiler/diag.h"

#define DURATION_NS (60ull * 1000000000u) /* as zbench gen has it for profiles without one */

int zb_job_check_synth(const struct zb_run_job *j)
{
	const struct zb_run_conf *c = j->conf;

	if ((c->tap != NULL || c->attack.nr != 0) && c->pcap.nr > 1) {
		zb_err("--%s: takes one trace; merge the files first",
		       c->tap != NULL ? "tap" : "attack");
		return -EINVAL;
	}
	if (!zb_job_is_made(j) && zb_opt_given(&zb_cmd_run, "seed")) {
		zb_err("--seed: nothing here is random; give --synth, --attack or --tap");
		return -EINVAL;
	}
	return 0;
}

const char *zb_job_profile(const struct zb_run_job *j)
{
	const struct zb_run_conf *c = j->conf;

	/* An attack with a share, and nothing said that it is a share of. */
	if (c->synth == NULL && c->pcap.nr == 0 && c->attack.nr != 0 &&
	    strchr(c->attack.v[0], '%') != NULL)
		return "office";
	return c->synth;
}

bool zb_job_is_made(const struct zb_run_job *j)
{
	return j->conf->synth != NULL || j->conf->tap != NULL || j->conf->attack.nr != 0;
}

int zb_job_load_made(struct zb_run_job *j, struct zb_trace_conf *load)
{
	const struct zb_run_conf *c = j->conf;
	const char *option = c->synth != NULL ? "--synth" : c->tap != NULL ? "--tap" : "--attack";
	struct zb_gen_job_conf conf = {
		.profile = zb_job_profile(j),
		.profile_given = c->synth != NULL,
		.pcap = c->pcap.nr != 0 ? c->pcap.v[0] : NULL,
		.attacks = c->attack.v,
		.attack_nr = c->attack.nr,
		.tap = c->tap,
		.limit = {.packets = c->count, .duration_ns = DURATION_NS, .seed = c->seed},
	};

	load->count_max = 0; /* it is as long as it was asked for */
	return zb_gen_load(&conf, option, load, &j->trace);
}

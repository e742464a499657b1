/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_synth.c - traffic that is made for the run: --synth, and --tap before a trace
 *
 * What `zbench gen` would write goes into a file in memory, which is then loaded like any other.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/gen_job.h"
#include "bench/gen_pcap.h"
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
	if (c->synth == NULL && c->tap == NULL && zb_opt_given(&zb_cmd_run, "seed")) {
		zb_err("--seed: nothing here is random; give --synth or --tap");
		return -EINVAL;
	}
	return 0;
}

static int put(void *sink, uint64_t ts_ns, const struct zb_gen_frame *f)
{
	return zb_gen_pcap_put_frame(sink, ts_ns, f);
}

static int write_all(struct zb_gen_job *job, const char *path)
{
	struct zb_gen_total total;
	struct zb_gen_pcap *w;
	int ret = zb_gen_pcap_open_link(path, true, job->link, &w);

	if (ret < 0)
		return ret;
	ret = zb_gen_pump(job->stream, put, w, &total);
	if (zb_gen_pcap_close(w, true) < 0 || ret < 0)
		return ret < 0 ? ret : -EIO;
	if (total.packets != 0)
		return 0;
	zb_err("run: no packet came of --synth and --tap");
	return -ENODATA;
}

int zb_job_make_traffic(struct zb_run_job *j)
{
	const struct zb_run_conf *c = j->conf;
	struct zb_gen_job_conf conf = {
		.profile = c->synth,
		.pcap = c->synth == NULL ? c->pcap.v[0] : NULL,
		.tap = c->tap,
		.limit = {.packets = c->count, .duration_ns = DURATION_NS, .seed = c->seed},
	};
	struct zb_gen_job job;
	int ret;

	if (c->synth == NULL && c->tap == NULL)
		return 0;
	ret = zb_gen_job_open(&conf, &job);
	if (ret < 0)
		return ret;
	j->made_fd = memfd_create("zbench-traffic", MFD_CLOEXEC);
	if (j->made_fd < 0) {
		ret = -errno;
		zb_err("run: no file in memory for the traffic: %s", strerror(errno));
	} else {
		snprintf(j->made_path, sizeof(j->made_path), "/proc/self/fd/%d", j->made_fd);
		ret = write_all(&job, j->made_path);
	}
	zb_gen_job_print_tap(&job);
	zb_gen_job_close(&job);
	return ret;
}

void zb_job_drop_traffic(struct zb_run_job *j)
{
	if (j->made_path[0] != '\0')
		close(j->made_fd);
	j->made_path[0] = '\0';
}

/* SPDX-License-Identifier: Apache-2.0 */
/* gen_load.c - see gen_load.h */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/gen_load.h"
#include "bench/gen_pcap.h"
#include "profiler/diag.h"

static int write_all(struct zb_gen_job *job, const char *option, const char *path)
{
	struct zb_gen_total total = {0};
	struct zb_gen_pcap *w;
	int ret = zb_gen_pcap_open_link(path, true, job->link, &w), closed;

	if (ret < 0)
		return ret;
	ret = zb_gen_pump(job->stream, zb_gen_pcap_sink, w, &total);
	if (ret == -ENOMEM)
		zb_err("%s: %s; ask for fewer sessions or a longer time", option, strerror(ENOMEM));
	closed = zb_gen_pcap_close(w, true);
	if (ret < 0 || closed < 0)
		return ret < 0 ? ret : closed;
	if (total.packets != 0)
		return 0;
	zb_err("%s: no packet came of it", option);
	return -ENODATA;
}

int zb_gen_load(const struct zb_gen_job_conf *made, const char *option, struct zb_trace_conf *load,
		struct zb_trace **out)
{
	char path[32];
	const char *paths[] = {path};
	struct zb_gen_job job;
	int ret = zb_gen_job_open(made, &job), fd;

	if (ret < 0)
		return ret;
	fd = memfd_create("zbench-traffic", MFD_CLOEXEC);
	if (fd < 0) {
		ret = -errno;
		zb_err("%s: no file in memory: %s", option, strerror(-ret));
	} else {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		ret = write_all(&job, option, path);
	}
	zb_gen_job_print_tap(&job);
	zb_gen_job_close(&job);
	if (ret == 0) {
		load->paths = paths;
		load->path_nr = 1;
		ret = zb_trace_load(load, out);
	}
	if (fd >= 0)
		close(fd);
	return ret;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* run_metrics.c - --metrics: the address is taken before anything is started */
#include <errno.h>
#include <string.h>

#include "bench/run_job.h"
#include "profiler/diag.h"
#include "profiler/metrics_http.h"

#define LIVE_DEFAULT "127.0.0.1:9911"

int zb_job_listen(struct zb_run_job *j)
{
	const char *where = j->conf->metrics;
	int ret;

	if (where == NULL && zb_job_is_live(j))
		where = LIVE_DEFAULT;
	if (where == NULL || strcmp(where, "off") == 0)
		return 0;
	ret = zb_metrics_listen(where, &j->metrics_fd);
	if (ret == 0)
		return 0;
	/*
	 * Nobody asked for it: a second run on this machine is no less a run. Without loopback (a
	 * bare network namespace) there is nobody to answer either.
	 */
	if (j->conf->metrics == NULL && (ret == -EADDRNOTAVAIL || ret == -EADDRINUSE)) {
		zb_warn("--metrics %s: %s; it goes on without", where, strerror(-ret));
		return 0;
	}
	if (ret == -EINVAL)
		zb_err("--metrics %s: not an address; give ADDR:PORT, [ADDR]:PORT or off", where);
	else
		zb_err("--metrics %s: %s; give another ADDR:PORT, or off", where, strerror(-ret));
	return ret;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass_prof.c - prof.log of all workers together, and of each of them in spool/lcore-N, where each
 * node of a Zeek cluster has its own under ZeekControl
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/pass_priv.h"
#include "profiler/diag.h"

static int make_folder(const char *path)
{
	int ret = mkdir(path, 0777) < 0 && errno != EEXIST ? -errno : 0;

	if (ret < 0)
		zb_err("%s: %s", path, strerror(-ret));
	return ret;
}

/* Makes spool/lcore-N below dir, and writes its name. */
static int make_spool(const struct zb_pass *p, unsigned i, char *path, size_t path_size)
{
	int ret, n = snprintf(path, path_size, "%s/spool", p->conf->dir);

	if (n < 0 || (size_t)n >= path_size)
		return -ENAMETOOLONG;
	ret = make_folder(path);
	if (ret < 0)
		return ret;
	n = snprintf(path, path_size, "%s/spool/lcore-%u", p->conf->dir,
		     p->conf->place->worker_cpu[i]);
	return n < 0 || (size_t)n >= path_size ? -ENAMETOOLONG : make_folder(path);
}

int zb_pass_prof_make(struct zb_pass *p)
{
	char folder[PATH_MAX], path[PATH_MAX + 16];
	struct zb_prof_log_conf conf = {
		.path = path,
		.lcore_nr = p->worker_nr,
		.stats_interval_s = p->conf->stats_interval_s,
		.strict = p->conf->prof_strict,
		.logs = p->logs,
	};
	int ret;

	if (p->conf->dir == NULL || !p->conf->stream_on[ZB_LOG_PROF])
		return 0;
	snprintf(path, sizeof(path), "%s/prof.log", p->conf->dir);
	ret = zb_prof_log_create(&conf, &p->prof);
	conf.lcore_nr = 1;
	for (unsigned i = 0; ret == 0 && i < p->worker_nr; i++) {
		ret = make_spool(p, i, folder, sizeof(folder));
		if (ret < 0)
			break;
		snprintf(path, sizeof(path), "%s/prof.log", folder);
		ret = zb_prof_log_create(&conf, &p->worker[i].prof);
	}
	return ret;
}

void zb_pass_prof_take(struct zb_pass *p, unsigned i, const struct zb_snapshot *snap)
{
	if (p->prof == NULL)
		return;
	zb_prof_log_take(p->prof, i, snap);
	zb_prof_log_take(p->worker[i].prof, 0, snap);
}

void zb_pass_prof_end(struct zb_pass *p, unsigned i)
{
	const struct zb_lcore_stat *stat = &p->result->lcore[i].stat;

	if (p->prof == NULL)
		return;
	zb_prof_log_end(p->prof, i, stat);
	zb_prof_log_end(p->worker[i].prof, 0, stat);
}

void zb_pass_prof_close(struct zb_pass *p)
{
	zb_prof_log_destroy(p->prof);
	for (unsigned i = 0; i < p->worker_nr; i++)
		zb_prof_log_destroy(p->worker[i].prof);
}

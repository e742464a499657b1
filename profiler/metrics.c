/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c - the newest figures of a run, and their text; see metrics.h */
#include "profiler/metrics.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/metrics_priv.h"

struct zb_metrics {
	pthread_mutex_t lock; /* over own and lanes */
	struct zb_metrics_log logs[ZB_LOG_STREAMS_MAX];
	double tsc_hz;
	struct zb_metrics_own own;
	unsigned lane_nr;
	struct zb_metrics_lane *lanes;
};

const char *const zb_metrics_type[2] = {
	[ZB_METRICS_TEXT] = "text/plain; version=0.0.4; charset=utf-8",
	[ZB_METRICS_OPEN] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

static struct zb_metrics_lane *lanes_alloc(unsigned nr)
{
	return aligned_alloc(64, nr * sizeof(struct zb_metrics_lane));
}

int zb_metrics_create(const struct zb_metrics_conf *conf, struct zb_metrics **out)
{
	struct zb_metrics *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return -ENOMEM;
	m->lanes = lanes_alloc(conf->lcore_nr);
	if (m->lanes == NULL || pthread_mutex_init(&m->lock, NULL) != 0) {
		free(m->lanes);
		free(m);
		return -ENOMEM;
	}
	memset(m->lanes, 0, conf->lcore_nr * sizeof(*m->lanes));
	memcpy(m->logs, conf->logs, sizeof(m->logs));
	m->tsc_hz = conf->tsc_hz;
	m->lane_nr = conf->lcore_nr;
	for (unsigned i = 0; i < m->lane_nr; i++) {
		snprintf(m->lanes[i].node, sizeof(m->lanes[i].node), "lcore-%u",
			 conf->lcore_ids[i]);
		snprintf(m->lanes[i].id, sizeof(m->lanes[i].id), "%u", conf->lcore_ids[i]);
	}
	*out = m;
	return 0;
}

void zb_metrics_destroy(struct zb_metrics *m)
{
	if (m == NULL)
		return;
	pthread_mutex_destroy(&m->lock);
	free(m->lanes);
	free(m);
}

void zb_metrics_take(struct zb_metrics *m, unsigned i, const struct zb_lcore_stat *stat,
		     uint64_t wall_ns)
{
	pthread_mutex_lock(&m->lock);
	m->lanes[i].stat = *stat;
	m->lanes[i].wall_ns = wall_ns;
	pthread_mutex_unlock(&m->lock);
}

void zb_metrics_arena(struct zb_metrics *m, unsigned i, const struct zb_heap_stat *arena)
{
	pthread_mutex_lock(&m->lock);
	m->lanes[i].arena = *arena;
	m->lanes[i].has_arena = true;
	pthread_mutex_unlock(&m->lock);
}

void zb_metrics_own(struct zb_metrics *m, const struct zb_metrics_own *own)
{
	pthread_mutex_lock(&m->lock);
	m->own = *own;
	pthread_mutex_unlock(&m->lock);
}

int zb_metrics_text(struct zb_metrics *m, enum zb_metrics_format format, char **text, size_t *len)
{
	struct zb_metrics_lane *lanes = lanes_alloc(m->lane_nr);
	struct zb_metrics_view v = {
		.logs = m->logs, .lanes = lanes, .lane_nr = m->lane_nr, .tsc_hz = m->tsc_hz};
	struct zb_metric_text sink;
	char *buf = NULL;
	size_t n = 0;
	bool bad;

	FILE *f = lanes != NULL ? open_memstream(&buf, &n) : NULL;

	if (f == NULL) {
		free(lanes);
		return -ENOMEM;
	}
	pthread_mutex_lock(&m->lock);
	memcpy(lanes, m->lanes, m->lane_nr * sizeof(*lanes));
	v.own = m->own;
	pthread_mutex_unlock(&m->lock);
	zb_metric_text_init(&sink, f, format);
	zb_metrics_emit_zeek(&v, &sink.sink);
	zb_metrics_emit_process(&sink.sink);
	zb_metrics_emit_lcores(&v, &sink.sink);
	if (format == ZB_METRICS_OPEN)
		fputs("# EOF\n", f);
	bad = ferror(f) != 0;
	bad |= fclose(f) != 0;
	free(lanes);
	if (bad) {
		free(buf);
		return -ENOMEM;
	}
	*text = buf;
	*len = n;
	return 0;
}

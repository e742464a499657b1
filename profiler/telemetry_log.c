/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry_log.c - see telemetry_log.h; families of metrics become rows */
#include "profiler/telemetry_log.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/metrics_priv.h"
#include "profiler/stat_blocks.h"

#define PEER "zbench"

static const struct zb_row_field fields[] = {
	{"ts", ZB_T_TIME},
	{"peer", ZB_T_STRING},
	{"metric_type", ZB_T_STRING},
	{"name", ZB_T_STRING},
	{"labels", ZB_T_VECTOR_STRING},
	{"label_values", ZB_T_VECTOR_STRING},
	{"value", ZB_T_DOUBLE},
};
const struct zb_row_def zb_telemetry_log_def = {"telemetry", fields,
						sizeof(fields) / sizeof(fields[0])};

struct zb_telemetry_log {
	struct zb_metric_sink sink; /* first */
	struct zb_telemetry_conf conf;
	struct zb_stat_blocks *blocks;
	struct zb_metrics_lane whole;
	char name[96];
	size_t name_len;
	const char *type;
};

static void family(struct zb_metric_sink *s, const struct zb_metric_family *f)
{
	struct zb_telemetry_log *t = (struct zb_telemetry_log *)s;
	bool counter = f->kind == ZB_METRIC_COUNTER;
	int n = snprintf(t->name, sizeof(t->name), "%s%s", f->name, counter ? "_total" : "");

	assert(n > 0 && (size_t)n < sizeof(t->name));
	t->name_len = (size_t)n;
	t->type = counter ? "counter" : "gauge";
}

/* Zeek's rows are of one kind: a number; of the families with more there is none here. */
static void sample(struct zb_metric_sink *s, const struct zb_metric_sample *v)
{
	struct zb_telemetry_log *t = (struct zb_telemetry_log *)s;
	const char *name[ZB_METRIC_LABELS_MAX], *value[ZB_METRIC_LABELS_MAX];
	size_t name_len[ZB_METRIC_LABELS_MAX], value_len[ZB_METRIC_LABELS_MAX];
	size_t bytes = strlen(PEER) + strlen(t->type) + t->name_len;
	struct zb_row r;

	for (unsigned i = 0; i < v->label_nr; i++) {
		name[i] = v->labels[i].name;
		value[i] = v->labels[i].value;
		name_len[i] = strlen(name[i]);
		value_len[i] = strlen(value[i]);
		bytes += name_len[i] + value_len[i];
	}
	if (!zb_log_row(t->conf.port, bytes, &r))
		return;
	zb_row_time(&r, t->whole.stat.net_time_ns);
	zb_row_word(&r, PEER, strlen(PEER));
	zb_row_word(&r, t->type, strlen(t->type));
	zb_row_word(&r, t->name, t->name_len);
	zb_row_strings(&r, name, name_len, v->label_nr);
	zb_row_strings(&r, value, value_len, v->label_nr);
	zb_row_double(&r, v->is_real ? v->real : (double)v->count);
	zb_log_commit(t->conf.port, &r);
}

static void write_block(void *arg, const struct zb_lcore_stat *now, const uint64_t *peak)
{
	struct zb_telemetry_log *t = arg;
	struct zb_metrics_view v = {
		.logs = t->conf.logs, .lanes = &t->whole, .lane_nr = 1, .whole = true};

	(void)peak;
	t->whole.stat = *now;
	if (t->conf.own != NULL)
		t->conf.own(t->conf.arg, &v.own);
	zb_metrics_emit_zeek(&v, &t->sink);
	zb_metrics_emit_process(&t->sink);
}

void zb_telemetry_take(struct zb_telemetry_log *t, unsigned i, const struct zb_snapshot *snap)
{
	if (snap->last)
		zb_stat_blocks_end(t->blocks, i, &snap->stat);
	else
		zb_stat_blocks_take(t->blocks, i, snap);
}

int zb_telemetry_create(const struct zb_telemetry_conf *conf, struct zb_telemetry_log **out)
{
	struct zb_telemetry_log *t = aligned_alloc(64, sizeof(*t));
	struct zb_stat_blocks_conf blocks = {
		.lcore_nr = conf->lcore_nr,
		.block_s = ZB_TELEMETRY_INTERVAL_S,
		.stats_interval_s = conf->stats_interval_s,
		.write = write_block,
		.arg = t,
	};
	int ret;

	if (t == NULL)
		return -ENOMEM;
	memset(t, 0, sizeof(*t));
	t->sink = (struct zb_metric_sink){family, sample};
	t->conf = *conf;
	ret = zb_stat_blocks_create(&blocks, &t->blocks);
	if (ret < 0) {
		free(t);
		return ret;
	}
	*out = t;
	return 0;
}

void zb_telemetry_destroy(struct zb_telemetry_log *t)
{
	if (t == NULL)
		return;
	zb_stat_blocks_destroy(t->blocks);
	free(t);
}

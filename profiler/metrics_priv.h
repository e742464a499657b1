/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics_priv.h - families of metrics, and the sinks that they are written to
 *
 * A family is announced, then come its samples, all of it by the functions at the end. A sink makes
 * text of them (metrics_text.c) or rows (telemetry_log.c).
 *
 * Threading: none of it is shared.
 */
#ifndef ZB_PROFILER_METRICS_PRIV_H
#define ZB_PROFILER_METRICS_PRIV_H

#include <stdio.h>

#include "profiler/metrics.h"

enum zb_metric_kind { ZB_METRIC_COUNTER, ZB_METRIC_GAUGE, ZB_METRIC_HISTOGRAM, ZB_METRIC_INFO };

struct zb_metric_family {
	const char *name; /* without the _total of a counter and the _info of an info */
	const char *unit; /* what name ends in: "bytes", "seconds"; NULL: none */
	const char *help;
	enum zb_metric_kind kind;
};

struct zb_metric_label {
	const char *name, *value;
};

/* Longest there is: le and one more in front. */
#define ZB_METRIC_LABELS_MAX 8

struct zb_metric_sample {
	const char *suffix; /* of a histogram: "_bucket", ...; else "" */
	const struct zb_metric_label *labels;
	unsigned label_nr;
	bool is_real;
	uint64_t count; /* unless is_real */
	double real;
};

struct zb_metric_sink {
	void (*family)(struct zb_metric_sink *s, const struct zb_metric_family *f);
	void (*sample)(struct zb_metric_sink *s, const struct zb_metric_sample *v);
};

struct zb_metrics_lane {
	char node[24], id[12]; /* "lcore-2", "2" */
	struct zb_lcore_stat stat;
	uint64_t wall_ns; /* 0: no snapshot yet */
	struct zb_heap_stat arena;
	bool has_arena;
};

/* What families are written from. */
struct zb_metrics_view {
	const struct zb_metrics_log *logs; /* ZB_LOG_STREAMS_MAX */
	const struct zb_metrics_lane *lanes;
	unsigned lane_nr;
	bool whole; /* one lane is all: no label says which it is */
	struct zb_metrics_own own;
	double tsc_hz;
};

void zb_metrics_emit_zeek(const struct zb_metrics_view *v, struct zb_metric_sink *s);
void zb_metrics_emit_process(struct zb_metric_sink *s);
void zb_metrics_emit_lcores(const struct zb_metrics_view *v, struct zb_metric_sink *s);

/* Writes to f; the sink must not outlive it. */
struct zb_metric_text {
	struct zb_metric_sink sink; /* first */
	FILE *f;
	enum zb_metrics_format format;
	struct zb_metric_family now;
};
void zb_metric_text_init(struct zb_metric_text *t, FILE *f, enum zb_metrics_format format);

static inline void zb_metric_count(struct zb_metric_sink *s, uint64_t v,
				   const struct zb_metric_label *labels, unsigned nr)
{
	s->sample(s, &(struct zb_metric_sample){
			     .suffix = "", .labels = labels, .label_nr = nr, .count = v});
}

static inline void zb_metric_real(struct zb_metric_sink *s, double v,
				  const struct zb_metric_label *labels, unsigned nr)
{
	s->sample(s, &(struct zb_metric_sample){.suffix = "",
						.labels = labels,
						.label_nr = nr,
						.is_real = true,
						.real = v});
}

#endif

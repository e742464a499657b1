/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics_lcores.c - zbench_*: all that lcore.log has, per lcore and by the same names
 *
 * Bytes of state are one family, by kind; adding its samples up gives what an lcore holds. Kinds
 * that are part of others are families of their own.
 */
#include <string.h>

#include "profiler/metrics_priv.h"

#define NR_OF(a) (sizeof(a) / sizeof((a)[0]))

typedef void lane_fn(struct zb_metric_sink *s, const struct zb_metrics_view *v,
		     const struct zb_metrics_lane *l, struct zb_metric_label *labels);

/* A family with what write says of each lcore; the first label is already there. */
static void each_lane(const struct zb_metrics_view *v, struct zb_metric_sink *s,
		      const struct zb_metric_family *f, lane_fn *write)
{
	s->family(s, f);
	for (unsigned i = 0; i < v->lane_nr; i++) {
		struct zb_metric_label labels[ZB_METRIC_LABELS_MAX] = {{"lcore", v->lanes[i].id}};

		write(s, v, &v->lanes[i], labels);
	}
}

/* ---- counters and gauges by their names ---- */

/* One number of each lcore. */
static void number(const struct zb_metrics_view *v, struct zb_metric_sink *s, const char *name,
		   const char *help, enum zb_metric_kind kind, size_t offset)
{
	char full[64];

	snprintf(full, sizeof(full), "zbench_%s", name);
	s->family(s, &(struct zb_metric_family){full, NULL, help, kind});
	for (unsigned i = 0; i < v->lane_nr; i++) {
		const char *at = (const char *)&v->lanes[i].stat + offset;
		struct zb_metric_label label = {"lcore", v->lanes[i].id};

		zb_metric_count(s, *(const uint64_t *)(const void *)at, &label, 1);
	}
}

static void numbers(const struct zb_metrics_view *v, struct zb_metric_sink *s)
{
	for (unsigned i = 0; i < ZB_C_NR; i++)
		number(v, s, zb_counter_name[i], zb_counter_help[i], ZB_METRIC_COUNTER,
		       offsetof(struct zb_lcore_stat, c) + i * sizeof(uint64_t));
	for (unsigned i = 0; i < ZB_G_reassem_tcp_bytes; i++)
		number(v, s, zb_gauge_name[i], zb_gauge_help[i], ZB_METRIC_GAUGE,
		       offsetof(struct zb_lcore_stat, g) + i * sizeof(uint64_t));
	number(v, s, "busy_cycles", "TSC cycles of polls that returned packets", ZB_METRIC_COUNTER,
	       offsetof(struct zb_lcore_stat, busy_cycles));
	number(v, s, "idle_cycles", "TSC cycles of polls that returned none", ZB_METRIC_COUNTER,
	       offsetof(struct zb_lcore_stat, idle_cycles));
}

/* ---- by fate, stage, kind of state, log ---- */

static void fates(struct zb_metric_sink *s, const struct zb_metrics_view *v,
		  const struct zb_metrics_lane *l, struct zb_metric_label *labels)
{
	(void)v;
	for (unsigned i = 0; i < ZB_FATE_NR; i++) {
		labels[1] = (struct zb_metric_label){"fate", zb_fate_name[i]};
		zb_metric_count(s, l->stat.fate[i], labels, 2);
	}
}

static void stages(struct zb_metric_sink *s, const struct zb_metrics_view *v,
		   const struct zb_metrics_lane *l, struct zb_metric_label *labels)
{
	(void)v;
	for (unsigned i = 0; i < ZB_STAGE_NR; i++) {
		labels[1] = (struct zb_metric_label){"stage", zb_stage_name[i]};
		zb_metric_count(s, l->stat.stage_cycles[i], labels, 2);
	}
}

static void state(struct zb_metric_sink *s, const struct zb_metrics_view *v,
		  const struct zb_metrics_lane *l, struct zb_metric_label *labels)
{
	static const char suffix[] = "_bytes";
	char kind[64];

	(void)v;
	for (unsigned i = ZB_G_reassem_tcp_bytes; i < ZB_G_NR; i++) {
		size_t len = strlen(zb_gauge_name[i]) - (sizeof(suffix) - 1);

		if (i == ZB_G_conn_reserved_bytes)
			continue;
		snprintf(kind, sizeof(kind), "%.*s", (int)len, zb_gauge_name[i]);
		labels[1] = (struct zb_metric_label){"kind", kind};
		zb_metric_count(s, l->stat.g[i], labels, 2);
	}
}

static void log_rows(struct zb_metric_sink *s, const struct zb_metrics_view *v,
		     const struct zb_metrics_lane *l, struct zb_metric_label *labels)
{
	for (unsigned i = 0; i < ZB_LOG_STREAMS_MAX; i++) {
		if (v->logs[i].path == NULL)
			continue;
		labels[1] = (struct zb_metric_label){"log", v->logs[i].path};
		zb_metric_count(s, l->stat.log_rows[i], labels, 2);
	}
}

/* The reporter's: rows of statistics, and those that are logged once for all lcores. */
static void own_log_rows(struct zb_metric_sink *s, const struct zb_metrics_view *v)
{
	for (unsigned i = 0; i < ZB_LOG_STREAMS_MAX; i++) {
		struct zb_metric_label label = {"log", v->logs[i].path};

		if (label.value != NULL)
			zb_metric_count(s, v->own.log_rows[i], &label, 1);
	}
}

/* ---- distributions ---- */

static void bucket(struct zb_metric_sink *s, struct zb_metric_label *labels, const char *le,
		   uint64_t n)
{
	labels[1] = (struct zb_metric_label){"le", le};
	s->sample(s, &(struct zb_metric_sample){
			     .suffix = "_bucket", .labels = labels, .label_nr = 2, .count = n});
}

static void bursts(struct zb_metric_sink *s, const struct zb_metrics_view *v,
		   const struct zb_metrics_lane *l, struct zb_metric_label *labels)
{
	uint64_t n = 0;
	char le[16];

	(void)v;
	for (unsigned i = 0; i + 1 < ZB_FILL_BUCKETS; i++) {
		n += l->stat.burst_fill[i];
		snprintf(le, sizeof(le), "%u.0", 1u << i);
		bucket(s, labels, le, n);
	}
	n += l->stat.burst_fill[ZB_FILL_BUCKETS - 1];
	bucket(s, labels, "+Inf", n);
	s->sample(s, &(struct zb_metric_sample){.suffix = "_sum",
						.labels = labels,
						.label_nr = 1,
						.count = l->stat.c[ZB_C_pkts_proc] +
							 l->stat.c[ZB_C_pkts_filtered]});
	s->sample(s, &(struct zb_metric_sample){
			     .suffix = "_count", .labels = labels, .label_nr = 1, .count = n});
}

/* Edges at every other power of two from a microsecond on; what comes below an edge is exact. */
#define LAG_EDGE_FIRST 10
#define LAG_EDGE_LAST  36

/* Without a sum: that of all lags is not kept. */
static void lags(struct zb_metric_sink *s, const struct zb_metrics_view *v,
		 const struct zb_metrics_lane *l, struct zb_metric_label *labels)
{
	unsigned at = 0;
	uint64_t n = 0;
	char le[32];

	(void)v;
	for (unsigned power = LAG_EDGE_FIRST; power <= LAG_EDGE_LAST; power += 2) {
		uint64_t below = (uint64_t)1 << power;

		for (; at < zb_lag_bucket(below); at++)
			n += l->stat.lag.n[at];
		snprintf(le, sizeof(le), "%.9f", (double)(below - 1) / 1e9);
		bucket(s, labels, le, n);
	}
	for (; at < ZB_LAG_BUCKETS; at++)
		n += l->stat.lag.n[at];
	bucket(s, labels, "+Inf", n);
}

static void lag_max(struct zb_metric_sink *s, const struct zb_metrics_view *v,
		    const struct zb_metrics_lane *l, struct zb_metric_label *labels)
{
	(void)v;
	zb_metric_real(s, (double)l->stat.lag.max_ns / 1e9, labels, 1);
}

static void snapshots(struct zb_metric_sink *s, const struct zb_metrics_view *v,
		      const struct zb_metrics_lane *l, struct zb_metric_label *labels)
{
	(void)v;
	zb_metric_real(s, (double)(l->wall_ns / 1000) / 1e6, labels, 1);
}

/* ---- the allocator ---- */

struct heap_figure {
	const char *name, *help;
	size_t offset;
};

#define HEAP(member, help)                                           \
	{                                                            \
#member, help, offsetof(struct zb_heap_stat, member) \
	}
static const struct heap_figure heap_figures[] = {
	HEAP(allocated, "bytes given out by the allocator"),
	HEAP(active, "bytes of pages that hold what is given out"),
	HEAP(resident, "bytes of the allocator that are in memory"),
	HEAP(retained, "bytes of address space kept without memory"),
	HEAP(mapped, "bytes of mapped extents"),
};

static uint64_t heap_value(const struct zb_heap_stat *h, const struct heap_figure *f)
{
	return *(const uint64_t *)(const void *)((const char *)h + f->offset);
}

/* Of each lcore's arena, then of the process. */
static void heap(const struct zb_metrics_view *v, struct zb_metric_sink *s, bool arenas)
{
	char name[64];

	for (unsigned k = 0; k < NR_OF(heap_figures); k++) {
		const struct heap_figure *f = &heap_figures[k];

		snprintf(name, sizeof(name), "zbench_%s_%s_bytes", arenas ? "arena" : "heap",
			 f->name);
		s->family(s, &(struct zb_metric_family){name, "bytes", f->help, ZB_METRIC_GAUGE});
		for (unsigned i = 0; arenas && i < v->lane_nr; i++) {
			struct zb_metric_label label = {"lcore", v->lanes[i].id};

			if (v->lanes[i].has_arena)
				zb_metric_count(s, heap_value(&v->lanes[i].arena, f), &label, 1);
		}
		if (!arenas && v->own.has_heap)
			zb_metric_count(s, heap_value(&v->own.heap, f), NULL, 0);
	}
}

static void program(const struct zb_metrics_view *v, struct zb_metric_sink *s)
{
	const struct zb_metric_label version = {"version", ZB_VERSION};

	s->family(s, &(struct zb_metric_family){"zbench_build", NULL, "What is running",
						ZB_METRIC_INFO});
	zb_metric_count(s, 1, &version, 1);
	s->family(s, &(struct zb_metric_family){"zbench_tsc_hertz", "hertz",
						"TSC cycles in a second", ZB_METRIC_GAUGE});
	zb_metric_real(s, v->tsc_hz, NULL, 0);
}

static const struct {
	struct zb_metric_family family;
	lane_fn *write;
} families[] = {
	{{"zbench_snapshot_timestamp_seconds", "seconds",
	  "When the figures of an lcore were taken; 0: not yet", ZB_METRIC_GAUGE},
	 snapshots},
	{{"zbench_fate_pkts", NULL, "What became of the packets that the engine took",
	  ZB_METRIC_COUNTER},
	 fates},
	{{"zbench_stage_cycles", NULL, "TSC cycles by stage of the engine", ZB_METRIC_COUNTER},
	 stages},
	{{"zbench_state_bytes", "bytes", "Bytes of state in memory by kind", ZB_METRIC_GAUGE},
	 state},
	{{"zbench_burst_pkts", NULL, "Packets that a poll returned", ZB_METRIC_HISTOGRAM}, bursts},
	{{"zbench_pkt_lag_seconds", "seconds",
	  "How late packets were when a worker took them; open loop and live", ZB_METRIC_HISTOGRAM},
	 lags},
	{{"zbench_pkt_lag_max_seconds", "seconds", "The latest packet of the run so far",
	  ZB_METRIC_GAUGE},
	 lag_max},
	{{"zbench_log_rows", NULL,
	  "Rows put into logs; without an lcore: rows of the whole run's reporter",
	  ZB_METRIC_COUNTER},
	 log_rows},
};

void zb_metrics_emit_lcores(const struct zb_metrics_view *v, struct zb_metric_sink *s)
{
	program(v, s);
	numbers(v, s);
	number(v, s, "conn_reserved_bytes", zb_gauge_help[ZB_G_conn_reserved_bytes],
	       ZB_METRIC_GAUGE,
	       offsetof(struct zb_lcore_stat, g) + ZB_G_conn_reserved_bytes * sizeof(uint64_t));
	heap(v, s, true);
	heap(v, s, false);
	for (unsigned i = 0; i < NR_OF(families); i++)
		each_lane(v, s, &families[i].family, families[i].write);
	own_log_rows(s, v); /* of the last family */
}

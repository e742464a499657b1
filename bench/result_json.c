/* SPDX-License-Identifier: Apache-2.0 */
/*
 * result_json.c - builds the document of result.json from what a run measured
 *
 * Every set_ function adds one member. jansson's setters take NULL as a value and fail, so the
 * failures of a whole document meet in one flag. Doubles are rounded to the digits that mean
 * something: the file is read by people too.
 */
#include "bench/cost.h"
#include "bench/largest.h"
#include "bench/verdict.h"
#include "bench/result.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A document under construction: failed once anything could not be added. */
struct doc {
	const struct zb_result *r;
	bool failed;
};

static void set(struct doc *d, json_t *o, const char *name, json_t *value)
{
	if (json_object_set_new(o, name, value) != 0)
		d->failed = true;
}

static void append(struct doc *d, json_t *a, json_t *value)
{
	if (json_array_append_new(a, value) != 0)
		d->failed = true;
}

static void set_u64(struct doc *d, json_t *o, const char *name, uint64_t v)
{
	set(d, o, name, json_integer(v > INT64_MAX ? INT64_MAX : (json_int_t)v));
}

static void set_real(struct doc *d, json_t *o, const char *name, double v, int decimals)
{
	double scale = pow(10, decimals);
	double rounded = round(v * scale) / scale;

	set(d, o, name, json_real(isfinite(rounded) ? rounded : 0));
}

static void set_bool(struct doc *d, json_t *o, const char *name, bool v)
{
	set(d, o, name, json_boolean(v));
}

/* File names and arguments may be any bytes; what is not UTF-8 is shown as \xNN. */
static json_t *text(const char *s)
{
	json_t *j = json_string(s);
	char *escaped, *at;

	if (j != NULL)
		return j;
	escaped = malloc(strlen(s) * 4 + 1);
	if (escaped == NULL)
		return NULL;
	at = escaped;
	for (; *s != '\0'; s++) {
		if ((unsigned char)*s < 0x80)
			*at++ = *s;
		else
			at += sprintf(at, "\\x%02x", (unsigned char)*s);
	}
	*at = '\0';
	j = json_string(escaped);
	free(escaped);
	return j;
}

static void set_text(struct doc *d, json_t *o, const char *name, const char *s)
{
	set(d, o, name, s != NULL ? text(s) : json_null());
}

static json_t *texts(struct doc *d, const char *const *s, size_t nr)
{
	json_t *a = json_array();

	for (size_t i = 0; i < nr; i++)
		append(d, a, text(s[i]));
	return a;
}

static double ratio(double a, double b)
{
	return b > 0 ? a / b : 0;
}

static uint64_t magnitude(int64_t v)
{
	return v < 0 ? -(uint64_t)v : (uint64_t)v;
}

/* How far one lcore is from the accounting law; 0 when it holds. */
struct leak {
	uint64_t pkts, bytes;
};

static struct leak leak_of(const struct zb_result_lcore *l)
{
	struct zb_residual res = zb_stat_residual(&l->stat, l->queued_pkts, l->queued_bytes);

	return (struct leak){
		.pkts = magnitude(res.offered_pkts) + magnitude(res.link_pkts) +
			magnitude(res.fate_pkts),
		.bytes = magnitude(res.offered_bytes) + magnitude(res.link_bytes),
	};
}

bool zb_result_law_holds(const struct zb_result *r)
{
	for (unsigned i = 0; i < r->lcore_nr; i++) {
		struct leak leak = leak_of(&r->lcores[i]);

		if (leak.pkts != 0 || leak.bytes != 0)
			return false;
	}
	for (unsigned i = 0; i < r->input.device_nr; i++)
		if (zb_device_residual(&r->input.devices[i]) != 0)
			return false;
	return true;
}

static json_t *named_u64(struct doc *d, const char *const *names, const uint64_t *v, unsigned nr)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < nr; i++)
		set_u64(d, o, names[i], v[i]);
	return o;
}

static json_t *stage_costs(struct doc *d, const struct zb_lcore_stat *s)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < ZB_STAGE_NR; i++) {
		if (i != ZB_STAGE_idle) /* no packet has a share in an empty poll */
			set_real(d, o, zb_stage_name[i],
				 ratio((double)s->stage_cycles[i], (double)s->c[ZB_C_pkts_proc]),
				 2);
	}
	return o;
}

/* Cycles per packet without the gaps in which the machine took the CPU away. */
static void set_own(struct doc *d, json_t *o, const struct zb_lcore_stat *s)
{
	json_t *stages = json_object();
	double pkts = (double)s->c[ZB_C_pkts_proc], all = 0;

	for (unsigned i = 0; i < ZB_STAGE_idle; i++) {
		double own = (double)zb_stat_own_cycles(s, i);

		all += own;
		set_real(d, stages, zb_stage_name[i], ratio(own, pkts), 2);
	}
	set_real(d, o, "own_cycles_per_pkt", ratio(all, pkts), 2);
	set(d, o, "own_cycles_per_pkt_by_stage", stages);
}

static void set_rates(struct doc *d, json_t *o, const struct zb_lcore_stat *s)
{
	double pkts = (double)s->c[ZB_C_pkts_proc], bits = 8 * (double)s->c[ZB_C_bytes_recv];
	double busy = (double)s->busy_cycles, idle = (double)s->idle_cycles, seconds = 0;

	if (s->first_tsc != 0 && s->last_tsc > s->first_tsc)
		seconds = ratio((double)(s->last_tsc - s->first_tsc), d->r->tsc_hz);
	set_real(d, o, "duration_s", seconds, 9);
	set_real(d, o, "pps", ratio(pkts, seconds), 1);
	set_real(d, o, "bps", ratio(bits, seconds), 0);
	set_real(d, o, "cycles_per_pkt", ratio(busy, pkts), 2);
	set_real(d, o, "busy_ratio", ratio(busy, busy + idle), 6);
	set_u64(d, o, "busy_cycles", s->busy_cycles);
	set_u64(d, o, "idle_cycles", s->idle_cycles);
	set(d, o, "cycles_per_pkt_by_stage", stage_costs(d, s));
	set_own(d, o, s);
	set(d, o, "stage_cycles", named_u64(d, zb_stage_name, s->stage_cycles, ZB_STAGE_NR));
}

/* Rows by stream: put into buffers, or, for the whole run, what reached the files. */
static json_t *log_rows(struct doc *d, const struct zb_lcore_stat *s, bool written)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < d->r->stream_nr; i++) {
		uint64_t in_buffers = i < ZB_LOG_STREAMS_MAX ? s->log_rows[i] : 0;

		if (d->r->stream_names[i] != NULL)
			set_u64(d, o, d->r->stream_names[i],
				written && d->r->logs != NULL ? d->r->logs[i].rows_written
							      : in_buffers);
	}
	return o;
}

/* How late packets were; percentiles are at most an eighth too high. */
static json_t *lag(struct doc *d, const struct zb_lag *l)
{
	json_t *o = json_object();

	set_u64(d, o, "count", zb_lag_count(l));
	set_u64(d, o, "p50_ns", zb_lag_at(l, 0.5));
	set_u64(d, o, "p90_ns", zb_lag_at(l, 0.9));
	set_u64(d, o, "p99_ns", zb_lag_at(l, 0.99));
	set_u64(d, o, "p999_ns", zb_lag_at(l, 0.999));
	set_u64(d, o, "max_ns", l->max_ns);
	return o;
}

static json_t *first_drop(struct doc *d, const struct zb_source_drop *drop)
{
	json_t *o;

	if (!drop->happened)
		return json_null();
	o = json_object();
	set_real(d, o, "wall_s", drop->wall_s, 6);
	set_real(d, o, "pkt_ts", (double)drop->pkt_ns / 1e9, 6);
	set_text(d, o, "stage", zb_stage_name[drop->stage % ZB_STAGE_NR]);
	set_u64(d, o, "pkts_proc", drop->worker_pkts);
	return o;
}

/* The members that totals and each lcore have in common. */
static void set_stat(struct doc *d, json_t *o, const struct zb_lcore_stat *s, const uint64_t *peak,
		     struct leak leak)
{
	json_t *fill = json_array();

	for (unsigned i = 0; i < ZB_C_NR; i++)
		set_u64(d, o, zb_counter_name[i], s->c[i]);
	set_u64(d, o, "residual_pkts", leak.pkts);
	set_u64(d, o, "residual_bytes", leak.bytes);
	set_rates(d, o, s);
	set(d, o, "fates", named_u64(d, zb_fate_name, s->fate, ZB_FATE_NR));
	set(d, o, "gauges", named_u64(d, zb_gauge_name, s->g, ZB_G_NR));
	if (peak != NULL)
		set(d, o, "gauge_peaks", named_u64(d, zb_gauge_name, peak, ZB_G_NR));
	for (unsigned i = 0; i < ZB_FILL_BUCKETS; i++)
		append(d, fill, json_integer((json_int_t)s->burst_fill[i]));
	set(d, o, "burst_fill", fill);
	set_u64(d, o, "lag_ns", s->lag_ns);
	set(d, o, "pkt_lag", lag(d, &s->lag));
}

static json_t *totals(struct doc *d, struct zb_lcore_stat *sum)
{
	json_t *o = json_object();
	struct leak leak = {0};
	uint64_t queued_pkts = 0, queued_bytes = 0, failed = 0;

	for (unsigned i = 0; i < d->r->lcore_nr; i++) {
		const struct zb_result_lcore *l = &d->r->lcores[i];
		struct leak one = leak_of(l);

		/* Magnitudes: what one lcore lost must not cancel what another has too much. */
		leak.pkts += one.pkts;
		leak.bytes += one.bytes;
		queued_pkts += l->queued_pkts;
		queued_bytes += l->queued_bytes;
		zb_stat_add(sum, &l->stat);
	}
	for (unsigned i = 0; d->r->logs != NULL && i < d->r->stream_nr; i++)
		failed += d->r->logs[i].rows_failed;
	set_stat(d, o, sum, d->r->gauge_peak, leak);
	set_u64(d, o, "pkts_queued", queued_pkts);
	set_u64(d, o, "bytes_queued", queued_bytes);
	if (d->r->logs != NULL)
		set_u64(d, o, "log_rows_failed", failed);
	set_u64(d, o, "log_rows_early", d->r->rows_early);
	set(d, o, "log_rows", log_rows(d, sum, true));
	return o;
}

static json_t *lcores(struct doc *d)
{
	json_t *a = json_array();

	for (unsigned i = 0; i < d->r->lcore_nr; i++) {
		const struct zb_result_lcore *l = &d->r->lcores[i];
		json_t *o = json_object();

		set_u64(d, o, "lcore", l->lcore);
		set_u64(d, o, "cpu", l->cpu);
		set(d, o, "numa_node", json_integer(l->numa_node));
		set_stat(d, o, &l->stat, l->gauge_peak, leak_of(l));
		set_u64(d, o, "pkts_queued", l->queued_pkts);
		set_u64(d, o, "bytes_queued", l->queued_bytes);
		set(d, o, "log_rows", log_rows(d, &l->stat, false));
		set(d, o, "first_drop", first_drop(d, &l->first_drop));
		append(d, a, o);
	}
	return a;
}

static json_t *host(struct doc *d)
{
	const struct zb_host *h = &d->r->host;
	json_t *o = json_object();

	set_text(d, o, "cpu_model", h->cpu_model);
	set_text(d, o, "kernel", h->kernel);
	set_text(d, o, "hypervisor", h->hypervisor);
	set_u64(d, o, "cpus_online", h->cpus_online);
	set_u64(d, o, "cpus_allowed", h->cpus_allowed);
	set_u64(d, o, "cores", h->cores);
	set_u64(d, o, "packages", h->packages);
	set_u64(d, o, "numa_nodes", h->numa_nodes);
	set_u64(d, o, "mem_total_bytes", h->mem_total_bytes);
	set_real(d, o, "tsc_hz", h->tsc_hz, 0);
	return o;
}

static json_t *division(struct doc *d)
{
	const struct zb_trace_division *v = &d->r->input.division;
	json_t *o = json_object();

	set_u64(d, o, "datagrams", v->datagrams);
	set_u64(d, o, "orphans", v->orphans);
	set_u64(d, o, "shed", v->shed);
	return o;
}

static json_t *input(struct doc *d)
{
	const struct zb_result_input *in = &d->r->input;
	json_t *o = json_object();
	char digest[24];

	snprintf(digest, sizeof(digest), "%016" PRIx64, in->digest);
	set_text(d, o, "kind", in->kind);
	set_text(d, o, "profile", in->profile);
	set(d, o, "attacks", texts(d, in->attacks, in->attack_nr));
	set_text(d, o, "tap", in->tap);
	set_u64(d, o, "seed", in->seed);
	set(d, o, "files", texts(d, in->files, in->file_nr));
	set_u64(d, o, "pkts", in->pkts);
	set_u64(d, o, "bytes", in->bytes);
	set_text(d, o, "digest", in->has_digest ? digest : NULL);
	set_bool(d, o, "cut", in->cut);
	set_u64(d, o, "loops", in->loops);
	set_u64(d, o, "count", in->count);
	set_real(d, o, "duration_s", in->duration_s, 6);
	set_text(d, o, "rate", in->rate);
	set_u64(d, o, "rx_desc", in->rx_desc);
	if (in->feeder_lag != NULL)
		set(d, o, "feeder_lag", lag(d, in->feeder_lag));
	set_text(d, o, "engine", in->engine);
	set_text(d, o, "filter", in->filter);
	set_text(d, o, "faults", in->faults);
	if (in->device_nr != 0)
		set(d, o, "devices", zb_result_devices(in->devices, in->device_nr));
	set_bool(d, o, "same_flows", in->same_flows);
	set_bool(d, o, "ignore_checksums", in->ignore_checksums);
	set(d, o, "division", division(d));
	return o;
}

static json_t *profile(struct doc *d)
{
	const struct zb_result_profile *p = &d->r->profile;
	json_t *o = json_object();

	set_u64(d, o, "hz", p->hz);
	set_text(d, o, "method", p->method);
	set_u64(d, o, "samples", p->samples);
	set_u64(d, o, "lost", p->lost);
	set_real(d, o, "resolved_ratio", ratio((double)p->resolved, (double)p->samples), 6);
	set_bool(d, o, "kernel_frames", p->kernel_frames);
	return o;
}

static void set_heap(struct doc *d, json_t *o, const struct zb_heap_stat *h)
{
	set_u64(d, o, "allocated", h->allocated);
	set_u64(d, o, "active", h->active);
	set_u64(d, o, "resident", h->resident);
	set_u64(d, o, "retained", h->retained);
	set_u64(d, o, "mapped", h->mapped);
}

static json_t *arenas(struct doc *d)
{
	json_t *a = json_array();

	for (unsigned i = 0; i < d->r->lcore_nr; i++) {
		const struct zb_result_lcore *l = &d->r->lcores[i];
		json_t *o;

		if (!l->has_arena)
			continue;
		o = json_object();
		set_u64(d, o, "lcore", l->lcore);
		set_heap(d, o, &l->arena);
		append(d, a, o);
	}
	return a;
}

/* The gauges that are bytes: what kinds of state the memory held. */
static json_t *state(struct doc *d, const uint64_t *gauges)
{
	static const char suffix[] = "_bytes";
	json_t *o = json_object();

	for (unsigned i = 0; i < ZB_G_NR; i++) {
		size_t len = strlen(zb_gauge_name[i]);

		if (len >= sizeof(suffix) &&
		    strcmp(zb_gauge_name[i] + len - (sizeof(suffix) - 1), suffix) == 0)
			set_u64(d, o, zb_gauge_name[i], gauges[i]);
	}
	return o;
}

static json_t *heap_top(struct doc *d)
{
	const struct zb_result_memory *m = &d->r->memory;
	json_t *a = json_array();

	for (unsigned i = 0; i < m->heap_top_nr; i++) {
		json_t *o = json_object();

		set_text(d, o, "function", m->heap_top[i].function);
		set_u64(d, o, "bytes", m->heap_top[i].bytes);
		set_u64(d, o, "objects", m->heap_top[i].objects);
		set_real(d, o, "share", m->heap_top[i].share, 6);
		append(d, a, o);
	}
	return a;
}

static json_t *memory(struct doc *d, const struct zb_lcore_stat *sum)
{
	const struct zb_result_memory *m = &d->r->memory;
	json_t *o = json_object();

	set_u64(d, o, "peak_rss_bytes", m->peak_rss_bytes);
	set_u64(d, o, "rss_bytes", m->rss_bytes);
	set_u64(d, o, "trace_image_bytes", m->trace_image_bytes);
	set_u64(d, o, "trace_index_bytes", m->trace_index_bytes);
	set(d, o, "state", state(d, sum->g));
	if (d->r->gauge_peak != NULL)
		set(d, o, "state_peak", state(d, d->r->gauge_peak));
	if (m->has_heap) {
		json_t *heap = json_object();

		set_heap(d, heap, &m->heap);
		set(d, o, "heap", heap);
	}
	set(d, o, "arenas", arenas(d));
	set(d, o, "heap_top", heap_top(d));
	if (m->growth != NULL)
		set(d, o, "growth", zb_result_growth(m));
	set(d, o, "analyzers", zb_result_analyzers(m));
	if (m->over_time != NULL)
		set(d, o, "over_time", zb_result_over_time(m->over_time));
	if (m->largest != NULL)
		set(d, o, "largest_connections", zb_largest_json(m->largest));
	return o;
}

static json_t *logs(struct doc *d)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < d->r->stream_nr; i++) {
		const struct zb_log_total *t = &d->r->logs[i];
		json_t *one;

		if (d->r->stream_names[i] == NULL)
			continue;
		one = json_object();
		set_u64(d, one, "rows", t->rows_written);
		set_u64(d, one, "rows_dropped", t->rows_dropped);
		set_u64(d, one, "rows_failed", t->rows_failed);
		set_u64(d, one, "bytes", t->bytes_written);
		set_text(d, one, "error", t->write_errno != 0 ? strerror(t->write_errno) : NULL);
		set(d, o, d->r->stream_names[i], one);
	}
	return o;
}

static json_t *verdict(struct doc *d)
{
	static const char *const status_name[] = {
		[ZB_RESULT_COMPLETE] = "complete",
		[ZB_RESULT_INTERRUPTED] = "interrupted",
		[ZB_RESULT_BROKEN] = "broken",
	};
	json_t *o = json_object();

	set_text(d, o, "status", status_name[d->r->status]);
	set_bool(d, o, "law_holds", zb_result_law_holds(d->r));
	if (d->r->verdict != NULL && zb_verdict_json(d->r->verdict, o) < 0)
		d->failed = true;
	set(d, o, "notes", texts(d, d->r->notes, d->r->note_nr));
	return o;
}

/* "2026-01-31T12:00:00.123Z" */
static json_t *utc(uint64_t unix_ns)
{
	time_t s = (time_t)(unix_ns / 1000000000u);
	char day[32], all[48];
	struct tm tm;

	if (gmtime_r(&s, &tm) == NULL || strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		return json_null();
	snprintf(all, sizeof(all), "%s.%03uZ", day, (unsigned)(unix_ns / 1000000u % 1000u));
	return json_string(all);
}

static json_t *self_cost(struct doc *d)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < d->r->self_cost_nr; i++)
		set_real(d, o, d->r->self_cost[i].name, d->r->self_cost[i].value, 9);
	return o;
}

json_t *zb_result_json(const struct zb_result *r)
{
	struct doc d = {.r = r};
	struct zb_lcore_stat sum = {0};
	json_t *o = json_object();

	set_u64(&d, o, "schema", ZB_RESULT_SCHEMA);
	set_text(&d, o, "zbench", ZB_VERSION);
	set(&d, o, "command", texts(&d, (const char *const *)r->argv, (size_t)r->argc));
	set(&d, o, "start", utc(r->start_unix_ns));
	set_real(&d, o, "wall_s", r->wall_s, 6);
	set_real(&d, o, "startup_s", r->startup_s, 6);
	set_real(&d, o, "load_s", r->load_s, 6);
	set(&d, o, "host", host(&d));
	set(&d, o, "input", input(&d));
	set(&d, o, "totals", totals(&d, &sum));
	set(&d, o, "lcores", lcores(&d));
	if (r->logs != NULL)
		set(&d, o, "logs", logs(&d));
	set(&d, o, "profile", profile(&d));
	set(&d, o, "host_noise", zb_result_noise(r));
	set(&d, o, "memory", memory(&d, &sum));
	if (r->worst != NULL)
		set(&d, o, "worst_seconds", zb_worst_json(r->worst, &r->worst_words));
	if (r->cost != NULL)
		set(&d, o, "cost", zb_cost_json(r->cost));
	if (r->self_cost_nr > 0)
		set(&d, o, "self_cost", self_cost(&d));
	set(&d, o, "verdict", verdict(&d));
	set(&d, o, "exit_status", json_integer(r->exit_status));
	if (d.failed) {
		json_decref(o);
		return NULL;
	}
	return o;
}

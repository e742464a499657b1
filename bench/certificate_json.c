/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certificate_json.c - writes certificate.json
 *
 * jansson's pack fails as a whole when any member does, so that one check covers the document.
 */
#include "bench/certificate.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "bench/options.h"
#include "profiler/diag.h"

#define WIRE_EXTRA 24u /* as in certificate.c */

/* Rounded to the digits that mean something. */
static json_t *real(double v, int decimals)
{
	double scale = pow(10, decimals), rounded = round(v * scale) / scale;

	return json_real(isfinite(rounded) ? rounded : 0);
}

static json_t *count(const struct zb_certificate *c, struct zb_send_count n)
{
	double s = c->elapsed_s > 0 ? c->elapsed_s : 1;

	return json_pack("{s:I, s:I, s:o, s:o}", "pkts", (json_int_t)n.pkts, "bytes",
			 (json_int_t)n.bytes, "pps", real((double)n.pkts / s, 3), "bps",
			 real((double)n.bytes * 8 / s, 1));
}

static json_t *command(const struct zb_certificate *c)
{
	json_t *a = json_array();

	for (int i = 0; i < c->argc; i++) {
		json_t *word = json_string(c->argv[i]);

		/* File names may be any bytes. */
		json_array_append_new(a, word != NULL ? word : json_string("(not UTF-8)"));
	}
	return a;
}

static json_t *asked(const struct zb_certificate *c)
{
	static const char *const kinds[] = {"max", "pps", "bps", "times"};
	char rate[32];

	return json_pack("{s:s, s:s, s:o, s:o, s:I, s:i, s:o}", "rate",
			 zb_pace_format(&c->loop->rate, rate, sizeof(rate)), "kind",
			 kinds[c->loop->rate.kind], "value", real(c->loop->rate.value, 6),
			 "duration_s", real(c->duration_s, 6), "count", (json_int_t)c->count,
			 "burst", (int)c->loop->burst_max, "lag_max_s", real(c->lag_max_s, 6));
}

static json_t *unsent(const struct zb_certificate *c)
{
	json_t *o = count(c, zb_certificate_unsent(c));
	const struct zb_send_loop *l = c->loop;

	if (o != NULL)
		json_object_update_new(o, json_pack("{s:I, s:I, s:I}", "late_pkts",
						    (json_int_t)l->unsent_late.pkts, "size_pkts",
						    (json_int_t)l->unsent_size.pkts, "left_pkts",
						    (json_int_t)c->left.pkts));
	return o;
}

static json_t *lag(const struct zb_certificate *c)
{
	const struct zb_depart *l = &c->loop->lag;
	double ns = 1e9 / c->tsc_hz;
	json_t *o = json_object();

	static const struct {
		const char *name;
		double share;
	} at[] = {{"p50_ns", .5},    {"p90_ns", .9},	  {"p99_ns", .99},
		  {"p999_ns", .999}, {"p9999_ns", .9999}, {"max_ns", 1}};

	json_object_set_new(o, "mean_ns", real(zb_depart_mean(l) * ns, 1));
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		json_object_set_new(o, at[i].name,
				    real((double)zb_depart_percentile(l, at[i].share) * ns, 0));
	return o;
}

static json_t *drift(const struct zb_certificate *c)
{
	double ns = 1e9 / c->tsc_hz, first, last;

	zb_depart_ends(&c->loop->lag, &first, &last);
	return json_pack("{s:o, s:o, s:o, s:o}", "lag_first_ns", real(first * ns, 1), "lag_last_ns",
			 real(last * ns, 1), "lag_ns", real((last - first) * ns, 1), "clock_ppm",
			 real((c->tsc_hz / c->loop->tsc_hz - 1) * 1e6, 3));
}

/* The mean and the worst lag by time, at most 64 slices. */
static json_t *timeline(const struct zb_certificate *c)
{
	const struct zb_depart *l = &c->loop->lag;
	double ns = 1e9 / c->tsc_hz, slice_s = (double)(1ull << l->slice_shift) / c->tsc_hz;
	json_t *a = json_array();

	for (uint32_t i = 0; i < l->slice_nr; i++) {
		const struct zb_depart_slice *s = &l->slice[i];
		double mean = s->pkts > 0 ? (double)s->sum / (double)s->pkts : 0;

		json_array_append_new(
			a, json_pack("{s:o, s:I, s:o, s:o}", "from_s", real(i * slice_s, 6), "pkts",
				     (json_int_t)s->pkts, "lag_mean_ns", real(mean * ns, 1),
				     "lag_max_ns", real((double)s->max * ns, 0)));
	}
	return a;
}

/* Jumps of the clock by more than 5 us while the sender only looked at it. */
static json_t *machine(const struct zb_certificate *c)
{
	const struct zb_send_loop *l = c->loop;
	double s = 1 / c->tsc_hz;

	return json_pack("{s:o, s:I, s:o, s:o}", "waited_s", real((double)l->waited_ticks * s, 6),
			 "gaps", (json_int_t)l->gaps, "gaps_s", real((double)l->gap_ticks * s, 6),
			 "gap_max_ns", real((double)l->gap_max_ticks * s * 1e9, 0));
}

static json_t *device(const struct zb_certificate *c)
{
	return json_pack("{s:s, s:s, s:b, s:i, s:I, s:I, s:I, s:I, s:I}", "name", c->q->device,
			 "driver", c->q->driver, "zero_copy", (int)c->q->zero_copy, "len_max",
			 (int)c->q->len_max, "link_bps", (json_int_t)c->q->link_bps, "pkts",
			 (json_int_t)c->device.pkts, "bytes", (json_int_t)c->device.bytes,
			 "dropped", (json_int_t)c->device.dropped, "errors",
			 (json_int_t)c->device.errors);
}

/* Of traffic that was made on the fly. */
static json_t *sessions(const struct zb_certificate *c)
{
	double s = c->elapsed_s > 0 ? c->elapsed_s : 1;

	if (c->loop->source->kind != ZB_SEND_STREAM)
		return json_null();
	return json_pack("{s:I, s:o}", "begun", (json_int_t)c->sessions, "per_s",
			 real((double)c->sessions / s, 3));
}

static json_t *document(const struct zb_certificate *c)
{
	struct zb_send_count sent = zb_certificate_sent(c);
	double wire = (double)(sent.bytes + WIRE_EXTRA * sent.pkts) * 8;
	bool open = c->loop->rate.kind != ZB_PACE_MAX;

	return json_pack("{s:i, s:s, s:o, s:I, s:s, s:s, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:I, "
			 "s:I, s:o, s:o, "
			 "s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:i}",
			 "schema", 1, "zbench", ZB_VERSION, "command", command(c), "start_unix_ns",
			 (json_int_t)c->start_unix_ns, "cpu_model", c->host.cpu_model, "kernel",
			 c->host.kernel, "traffic", c->traffic, "cpu", (int)c->cpu, "asked",
			 asked(c), "elapsed_s", real(c->elapsed_s, 9), "scheduled",
			 count(c, c->loop->scheduled), "sent", count(c, sent), "unsent", unsent(c),
			 "residual", (json_int_t)zb_certificate_residual(c), "full_bursts",
			 (json_int_t)c->loop->full_bursts, "wire_bps",
			 real(c->elapsed_s > 0 ? wire / c->elapsed_s : 0, 1), "device", device(c),
			 "tsc_hz", real(c->tsc_hz, 1), "lag", open ? lag(c) : json_null(), "drift",
			 open ? drift(c) : json_null(), "timeline",
			 open ? timeline(c) : json_null(), "machine", machine(c), "sessions",
			 sessions(c), "status",
			 c->broke	  ? "broken"
			 : c->interrupted ? "interrupted"
					  : "complete",
			 "exit_status", zb_certificate_status(c));
}

int zb_certificate_write(const struct zb_certificate *c, const char *path)
{
	json_t *doc = document(c);
	FILE *f = NULL;
	int ret = -ENOMEM;

	if (doc == NULL)
		goto out;
	f = fopen(path, "we");
	ret = f == NULL ? -errno : 0;
	if (ret == 0) {
		errno = 0;
		if (json_dumpf(doc, f, JSON_INDENT(1) | JSON_REAL_PRECISION(15)) < 0 ||
		    fputc('\n', f) == EOF)
			ret = errno != 0 ? -errno : -EIO;
		if (fclose(f) != 0 && ret == 0)
			ret = -errno;
	}
out:
	json_decref(doc);
	if (ret < 0)
		zb_err("%s: %s", path, strerror(-ret));
	return ret;
}

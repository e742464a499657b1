/* SPDX-License-Identifier: Apache-2.0 */
/* certificate.c - the certificate as figures and as text; certificate_json.c writes the file */
#include "bench/certificate.h"

#include <inttypes.h>
#include <stdlib.h>

#include "bench/options.h"
#include "bench/run_report.h"

#define WIRE_EXTRA 24u /* bytes of a frame on a cable beside it: checksum, preamble, gap */

struct zb_send_count zb_certificate_unsent(const struct zb_certificate *c)
{
	const struct zb_send_loop *l = c->loop;

	return (struct zb_send_count){
		l->unsent_late.pkts + l->unsent_size.pkts + c->left.pkts,
		l->unsent_late.bytes + l->unsent_size.bytes + c->left.bytes,
	};
}

struct zb_send_count zb_certificate_sent(const struct zb_certificate *c)
{
	const struct zb_send_count *taken = &c->loop->sent;

	return (struct zb_send_count){
		taken->pkts - (c->left.pkts < taken->pkts ? c->left.pkts : taken->pkts),
		taken->bytes - (c->left.bytes < taken->bytes ? c->left.bytes : taken->bytes),
	};
}

int64_t zb_certificate_residual(const struct zb_certificate *c)
{
	struct zb_send_count sent = zb_certificate_sent(c), unsent = zb_certificate_unsent(c);
	int64_t pkts = (int64_t)(c->loop->scheduled.pkts - sent.pkts - unsent.pkts);

	return pkts != 0 ? pkts : (int64_t)(c->loop->scheduled.bytes - sent.bytes - unsent.bytes);
}

int zb_certificate_status(const struct zb_certificate *c)
{
	if (c->interrupted || c->broke)
		return ZB_EXIT_BROKE;
	return zb_certificate_unsent(c).pkts == 0 && zb_certificate_residual(c) == 0
		       ? ZB_EXIT_OK
		       : ZB_EXIT_FAILED;
}

static double per_second(const struct zb_certificate *c, uint64_t n)
{
	return c->elapsed_s > 0 ? (double)n / c->elapsed_s : 0;
}

static void print_count(const struct zb_certificate *c, const char *name, struct zb_send_count n,
			FILE *f)
{
	fprintf(f, "%-10s %14" PRIu64 " %16" PRIu64 " %16.1f %14.3f\n", name, n.pkts, n.bytes,
		per_second(c, n.pkts), per_second(c, n.bytes) * 8 / 1e9);
}

/* "1.23 us" */
static const char *format_ns(double ns, char *buf, size_t size)
{
	if (ns < 1e3 && ns > -1e3)
		snprintf(buf, size, "%.0f ns", ns);
	else if (ns < 1e6 && ns > -1e6)
		snprintf(buf, size, "%.2f us", ns / 1e3);
	else
		snprintf(buf, size, "%.2f ms", ns / 1e6);
	return buf;
}

static void print_lag(const struct zb_certificate *c, FILE *f)
{
	static const struct {
		const char *name;
		double share;
	} at[] = {{"p50", .5}, {"p90", .9}, {"p99", .99}, {"p99.9", .999}, {"max", 1}};
	const struct zb_depart *lag = &c->loop->lag;
	double to_ns = 1e9 / c->tsc_hz, first, last;
	char buf[32];

	fprintf(f, "lag        mean %s", format_ns(zb_depart_mean(lag) * to_ns, buf, sizeof(buf)));
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		double ns = (double)zb_depart_percentile(lag, at[i].share) * to_ns;

		fprintf(f, ", %s %s", at[i].name, format_ns(ns, buf, sizeof(buf)));
	}
	zb_depart_ends(lag, &first, &last);
	fprintf(f, "\ndrift      lag of the last tenth less the first %s; ",
		format_ns((last - first) * to_ns, buf, sizeof(buf)));
	fprintf(f, "clock %+.2f ppm\n", (c->tsc_hz / c->loop->tsc_hz - 1) * 1e6);
}

/* What no sender could have done anything about. */
static void print_machine(const struct zb_certificate *c, FILE *f)
{
	const struct zb_send_loop *l = c->loop;
	char buf[32];

	if (l->gaps == 0)
		return;
	fprintf(f,
		"machine    stood still %" PRIu64 " times for over 5 us, %.1f %% of the time spent "
		"waiting, at most %s\n",
		l->gaps, 100.0 * (double)l->gap_ticks / (double)l->waited_ticks,
		format_ns((double)l->gap_max_ticks * 1e9 / c->tsc_hz, buf, sizeof(buf)));
}

static void print_unsent(const struct zb_certificate *c, FILE *f)
{
	const struct zb_send_loop *l = c->loop;

	if (l->unsent_late.pkts > 0)
		fprintf(f, "           %" PRIu64 " unsent %.3g ms after their time\n",
			l->unsent_late.pkts, c->lag_max_s * 1e3);
	if (l->unsent_size.pkts > 0)
		fprintf(f, "           %" PRIu64 " longer than %u bytes, or without a header\n",
			l->unsent_size.pkts, l->len_max);
	if (c->left.pkts > 0)
		fprintf(f, "           %" PRIu64 " refused by, or left in the device\n",
			c->left.pkts);
}

static void print_asked(const struct zb_certificate *c, FILE *f)
{
	char rate[32];

	fprintf(f, "%s (%s) on CPU %u: %s\nasked      %s", c->q->device, c->q->driver, c->cpu,
		c->traffic, zb_pace_format(&c->loop->rate, rate, sizeof(rate)));
	if (c->duration_s > 0)
		fprintf(f, ", %g s", c->duration_s);
	if (c->count > 0)
		fprintf(f, ", %" PRIu64 " packets", c->count);
	fprintf(f, "; done in %.6f s\n\n", c->elapsed_s);
}

void zb_certificate_print(const struct zb_certificate *c, FILE *f)
{
	struct zb_send_count sent = zb_certificate_sent(c);

	print_asked(c, f);
	fprintf(f, "%10s %14s %16s %16s %14s\n", "", "packets", "bytes", "packets/s", "Gbit/s");
	print_count(c, "scheduled", c->loop->scheduled, f);
	print_count(c, "sent", sent, f);
	print_count(c, "unsent", zb_certificate_unsent(c), f);
	print_unsent(c, f);
	fprintf(f,
		"device     %14" PRIu64 " %16" PRIu64 "   dropped %" PRIu64 ", errors %" PRIu64
		"\n",
		c->device.pkts, c->device.bytes, c->device.dropped, c->device.errors);
	fprintf(f, "on a cable %.3f Gbit/s, with checksum, preamble and gap\n",
		per_second(c, sent.bytes + WIRE_EXTRA * sent.pkts) * 8 / 1e9);
	if (c->loop->source->kind == ZB_SEND_STREAM)
		fprintf(f, "sessions   %14" PRIu64 " begun %27.1f a second\n", c->sessions,
			per_second(c, c->sessions));
	if (c->loop->rate.kind != ZB_PACE_MAX)
		print_lag(c, f);
	print_machine(c, f);
	if (zb_certificate_residual(c) != 0)
		fprintf(f, "residual   %" PRId64 ": scheduled is not sent and unsent together\n",
			zb_certificate_residual(c));
	if (c->interrupted || c->broke)
		fprintf(f, "broke off  figures are complete up to that moment\n");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* run_report.c - see run_report.h */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bench/run_report.h"

char *zb_report_bytes(uint64_t bytes, char *buf, size_t size)
{
	static const char *const unit[] = {"B", "kB", "MB", "GB", "TB", "PB"};
	double v = (double)bytes;
	unsigned u = 0;

	while (v >= 1000 && u < 5) {
		v /= 1000;
		u++;
	}
	snprintf(buf, size, u == 0 ? "%.0f %s" : "%.1f %s", v, unit[u]);
	return buf;
}

void zb_report_sum(const struct zb_pass_result *r, struct zb_lcore_stat *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (unsigned i = 0; i < r->lcore_nr; i++)
		zb_stat_add(sum, &r->lcore[i].stat);
}

static uint64_t rows_of(const struct zb_lcore_stat *s)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < ZB_LOG_STREAMS_MAX; i++)
		n += s->log_rows[i];
	return n;
}

static uint64_t state_of(const uint64_t *peak)
{
	uint64_t n = 0;

	/* What connections have in use is part of what they have reserved. */
	for (unsigned i = ZB_G_reassem_tcp_bytes; i < ZB_G_NR; i++)
		n += i != ZB_G_conn_reserved_bytes ? peak[i] : 0;
	return n;
}

static void table_line(const char *name, const struct zb_lcore_stat *s, const uint64_t *peak,
		       FILE *f)
{
	uint64_t pkts = s->c[ZB_C_pkts_proc], all = s->busy_cycles + s->idle_cycles;
	double per = pkts != 0 ? 1.0 / (double)pkts : 0;
	char bytes[32], state[32];

	fprintf(f, "%5s %12" PRIu64 " %9s %8" PRIu64 " %6.1f %7.0f", name, pkts,
		zb_report_bytes(s->c[ZB_C_bytes_recv], bytes, sizeof(bytes)),
		s->c[ZB_C_pkts_dropped],
		all != 0 ? 100.0 * (double)s->busy_cycles / (double)all : 0,
		(double)s->busy_cycles * per);
	for (unsigned i = 0; i < ZB_STAGE_idle; i++)
		fprintf(f, " %6.0f", (double)s->stage_cycles[i] * per);
	fprintf(f, " %9s %9" PRIu64 "\n", zb_report_bytes(state_of(peak), state, sizeof(state)),
		rows_of(s));
}

void zb_report_table(const struct zb_pass_result *r, double tsc_hz, FILE *f)
{
	struct zb_lcore_stat sum;
	char name[16];
	double s;

	zb_report_sum(r, &sum);
	fprintf(f, "\n%5s %12s %9s %8s %6s %7s", "lcore", "packets", "bytes", "dropped", "busy %",
		"cyc/pkt");
	for (unsigned i = 0; i < ZB_STAGE_idle; i++)
		fprintf(f, " %6s", zb_stage_name[i]);
	fprintf(f, " %9s %9s\n", "state", "rows");
	for (unsigned i = 0; i < r->lcore_nr; i++) {
		snprintf(name, sizeof(name), "%u", r->lcore[i].cpu);
		table_line(name, &r->lcore[i].stat, r->lcore[i].peak, f);
	}
	table_line("all", &sum, r->peak, f);
	s = (double)(sum.last_tsc - sum.first_tsc) / tsc_hz;
	if (s > 0)
		fprintf(f, "\n%.3f s: %.2f Mpps, %.2f Gbit/s, %.2f Mpps per lcore\n", s,
			(double)sum.c[ZB_C_pkts_proc] / s / 1e6,
			(double)sum.c[ZB_C_bytes_recv] * 8 / s / 1e9,
			(double)sum.c[ZB_C_pkts_proc] / s / 1e6 / r->lcore_nr);
}

void zb_report_ledger(const struct zb_pass_result *r, FILE *f)
{
	struct zb_lcore_stat s;

	zb_report_sum(r, &s);
	struct zb_residual res = {0};

	/* Magnitudes, so that errors of two lcores cannot cancel. */
	for (unsigned i = 0; i < r->lcore_nr; i++) {
		struct zb_residual l = zb_stat_residual(&r->lcore[i].stat, 0, 0);

		res.offered_pkts += llabs(l.offered_pkts);
		res.offered_bytes += llabs(l.offered_bytes);
		res.link_pkts += llabs(l.link_pkts);
		res.link_bytes += llabs(l.link_bytes);
		res.fate_pkts += llabs(l.fate_pkts);
	}

	fprintf(f, "\nledger   offered %" PRIu64 " = link %" PRIu64 " + unsent %" PRIu64 "\n",
		s.c[ZB_C_pkts_offered], s.c[ZB_C_pkts_link], s.c[ZB_C_pkts_unsent]);
	fprintf(f,
		"         link %" PRIu64 " = analysed %" PRIu64 " + dropped %" PRIu64
		" + filtered %" PRIu64 "\n",
		s.c[ZB_C_pkts_link], s.c[ZB_C_pkts_proc], s.c[ZB_C_pkts_dropped],
		s.c[ZB_C_pkts_filtered]);
	fprintf(f, "         analysed %" PRIu64 " =", s.c[ZB_C_pkts_proc]);
	const char *sep = " ";

	for (unsigned i = 0; i < ZB_FATE_NR; i++) {
		if (s.fate[i] != 0) {
			fprintf(f, "%s%s %" PRIu64, sep, zb_fate_name[i], s.fate[i]);
			sep = " + ";
		}
	}
	fprintf(f, "\n         residual %" PRId64 " packets, %" PRId64 " bytes%s\n",
		res.offered_pkts + res.link_pkts + res.fate_pkts,
		res.offered_bytes + res.link_bytes,
		zb_residual_is_zero(&res) ? "" : ": THE ACCOUNTING LAW IS BROKEN");
}

static void lag_line(const char *what, const struct zb_lag *l, FILE *f)
{
	fprintf(f, "%s p50 %.1f, p99 %.1f, p99.9 %.1f, worst %.1f us\n", what,
		(double)zb_lag_at(l, 0.5) / 1e3, (double)zb_lag_at(l, 0.99) / 1e3,
		(double)zb_lag_at(l, 0.999) / 1e3, (double)l->max_ns / 1e3);
}

void zb_report_devices(const struct zb_pass_result *r, FILE *f)
{
	for (unsigned i = 0; i < r->device_nr; i++) {
		const struct zb_source_device *d = &r->devices[i];

		fprintf(f, "%s: %s, %u queue%s, MTU %u, link %s", d->name, d->mode, d->queue_nr,
			d->queue_nr == 1 ? "" : "s", d->mtu, d->link_up ? "up" : "down");
		if (d->link_mbps != 0)
			fprintf(f, " at %u Mbit/s", d->link_mbps);
		fprintf(f,
			"\n    took %" PRIu64 " packets = read %" PRIu64 " + dropped %" PRIu64
			"; errors %" PRIu64 "\n",
			d->device_pkts, d->got_pkts, d->dropped_pkts, d->errors);
	}
}

void zb_report_lag(const struct zb_pass_result *r, bool fed, FILE *f)
{
	struct zb_lcore_stat s;

	zb_report_sum(r, &s);
	lag_line("\nlag      taken by a worker:", &s.lag, f);
	if (fed)
		lag_line("         put in its queue: ", &r->feeder_lag, f);
}

void zb_report_holders(const struct zb_heap_holder *h, unsigned n, uint64_t total, FILE *f)
{
	char bytes[32];

	fprintf(f, "\nmemory held, by function (%s live when the last packet was analysed)\n",
		zb_report_bytes(total, bytes, sizeof(bytes)));
	for (unsigned i = 0; i < n; i++)
		fprintf(f, "%10s %5.1f %%  %s\n", zb_report_bytes(h[i].bytes, bytes, sizeof(bytes)),
			100 * h[i].share, h[i].function);
}

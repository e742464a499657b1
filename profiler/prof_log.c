/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prof_log.c - see prof_log.h
 *
 * As in stats_log.c, every snapshot is taken apart into its difference to the lcore's previous one,
 * and the difference goes to the block it is for; a block that all lcores have passed is written.
 * So each block sums the lcores as of the same packet time, however far apart they run.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "profiler/clock.h"
#include "profiler/diag.h"
#include "profiler/heap.h"
#include "profiler/prof_log.h"

#define EXPENSIVE     20 /* every so many blocks */
#define TABLE_MIN     100
#define HELD_MAX      64
#define SEC_NS	      ((uint64_t)1000000000)
#define COMMAND_BYTES 4096
#define END	      UINT64_MAX /* the block of the end */

enum { PEAK_TCP, PEAK_UDP, PEAK_ICMP, PEAK_TIMERS, PEAK_NR };
static const uint16_t peak_gauge[PEAK_NR] = {
	[PEAK_TCP] = ZB_G_active_tcp_conns,
	[PEAK_UDP] = ZB_G_active_udp_conns,
	[PEAK_ICMP] = ZB_G_active_icmp_conns,
	[PEAK_TIMERS] = ZB_G_active_timers,
};

/* A sum of differences: unsigned, so they may wrap on the way. */
struct held {
	uint64_t block;
	uint64_t peak[PEAK_NR]; /* by how much the lcores' peaks have risen */
	struct zb_lcore_stat sum;
};

struct lane {
	uint64_t passed; /* 1 + the newest block it can add nothing more to; END: all */
	bool ended;
	struct zb_lcore_stat prev;
	uint64_t peak[PEAK_NR];
};

struct zb_prof_log {
	FILE *f;
	char *path;
	bool strict, failed;
	uint64_t per;	   /* intervals in a block */
	uint64_t block_nr; /* written */
	uint64_t begin_ns; /* wall clock of the first block */
	double begin_user, begin_sys;
	long begin_kib;
	struct zb_lcore_stat now; /* the running sum */
	uint64_t peak[PEAK_NR];	  /* the lcores' peaks together */
	unsigned held_nr;
	struct held *held; /* HELD_MAX, by rising block */
	unsigned lane_nr;
	struct lane lanes[];
};

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* ---- lines ---- */

/* The time in front of every line, and a blank. */
static void stamp(const struct zb_prof_log *p)
{
	uint64_t ns = p->now.net_time_ns;

	fprintf(p->f, "%" PRIu64 ".%06" PRIu64 " ", ns / SEC_NS, ns % SEC_NS / 1000);
}

static void rule(const struct zb_prof_log *p)
{
	stamp(p);
	fputs("------------------------\n", p->f);
}

static void command_line(const struct zb_prof_log *p)
{
	FILE *in = fopen("/proc/self/cmdline", "r");
	char text[COMMAND_BYTES];
	size_t n = 0;

	if (in != NULL) {
		n = fread(text, 1, sizeof(text), in);
		fclose(in);
	}
	stamp(p);
	fputs("Command line: ", p->f);
	for (size_t i = 0; i < n; i++) /* each word ends in a zero byte */
		fputc(text[i] == '\0' || text[i] == '\n' ? ' ' : text[i], p->f);
	fputc('\n', p->f);
	rule(p);
}

static void process(struct zb_prof_log *p)
{
	struct zb_heap_stat heap = {0};
	struct rusage ru = {0};
	double user, sys;
	uint64_t kib = 0;

	getrusage(RUSAGE_SELF, &ru);
	user = seconds(ru.ru_utime);
	sys = seconds(ru.ru_stime);
	if (p->block_nr == 0) {
		p->begin_ns = zb_clock_ns();
		p->begin_user = user;
		p->begin_sys = sys;
		p->begin_kib = ru.ru_maxrss;
	}
	/* Zeek's figure of the allocator is always 0 on Linux. */
	if (!p->strict && zb_heap_total_stat(&heap) == 0)
		kib = heap.allocated / 1024;
	user -= p->begin_user;
	sys -= p->begin_sys;
	stamp(p);
	fprintf(p->f, "Memory: total=%ldK total_adj=%ldK malloced: %" PRIu64 "K\n", ru.ru_maxrss,
		ru.ru_maxrss - p->begin_kib, kib);
	stamp(p);
	fprintf(p->f, "Run-time: user+sys=%.1f user=%.1f sys=%.1f real=%.1f\n", user + sys, user,
		sys, (double)(zb_clock_ns() - p->begin_ns) / 1e9);
}

static void conns(const struct zb_prof_log *p)
{
	const uint64_t *c = p->now.c, *g = p->now.g;
	uint64_t total =
		c[ZB_C_tcp_conns] + c[ZB_C_udp_conns] + c[ZB_C_icmp_conns] + c[ZB_C_other_conns];
	uint64_t current = g[ZB_G_active_tcp_conns] + g[ZB_G_active_udp_conns] +
			   g[ZB_G_active_icmp_conns] + g[ZB_G_active_other_conns];
	stamp(p);
	fprintf(p->f, "Conns: total=%" PRIu64 " current=%" PRIu64 "/%" PRIu64 "\n", total, current,
		current);
	stamp(p);
	fprintf(p->f,
		"Conns: tcp=%" PRIu64 "/%" PRIu64 " udp=%" PRIu64 "/%" PRIu64 " icmp=%" PRIu64
		"/%" PRIu64 "\n",
		g[ZB_G_active_tcp_conns], p->peak[PEAK_TCP], g[ZB_G_active_udp_conns],
		p->peak[PEAK_UDP], g[ZB_G_active_icmp_conns], p->peak[PEAK_ICMP]);
}

static void tcp_states(const struct zb_prof_log *p)
{
	static const char *const state[ZB_TCP_STATES] = {"Inact.", "Syn.", "SA",  "Part.",
							 "Est.",   "Fin.", "Rst."};

	stamp(p);
	fprintf(p->f, "TCP-States:%8s", "");
	for (unsigned i = 0; i < ZB_TCP_STATES; i++)
		fprintf(p->f, i + 1 < ZB_TCP_STATES ? "%-8s" : "%s\n", state[i]);
	for (unsigned orig = 0; orig < ZB_TCP_STATES; orig++) {
		stamp(p);
		fprintf(p->f, "TCP-States:%-6s  ", state[orig]);
		for (unsigned resp = 0; resp < ZB_TCP_STATES; resp++) {
			uint64_t n = p->now.tcp_states[orig * ZB_TCP_STATES + resp];

			if (n != 0)
				fprintf(p->f, "%-8" PRIu64, n);
			else
				fprintf(p->f, "%8s", "");
		}
		fputc('\n', p->f);
	}
}

static void timers(const struct zb_prof_log *p)
{
	stamp(p);
	fprintf(p->f, "Timers: current=%" PRIu64 " max=%" PRIu64 " lag=%.2fs\n",
		p->now.g[ZB_G_active_timers], p->peak[PEAK_TIMERS],
		(double)p->now.timer_lag_ns / 1e9);
	stamp(p);
	fputs("DNS_Mgr: requests=0 successful=0 failed=0 pending=0 cached_hosts=0 "
	      "cached_addrs=0\n",
	      p->f);
	stamp(p);
	fputs("Triggers: total=0 pending=0\n", p->f);
	for (unsigned i = 0; i < ZB_TIMER_NR; i++) {
		if (p->now.timer[i] == 0)
			continue;
		stamp(p);
		fprintf(p->f, "        %s = %" PRIu64 "\n", zb_timer_name[i], p->now.timer[i]);
	}
}

/* Tables that are large enough to be of interest, and the sum over all. */
static void tables(const struct zb_prof_log *p)
{
	const uint64_t *g = p->now.g;
	const struct {
		const char *name;
		uint64_t entries;
	} table[] = {
		{"connections", g[ZB_G_active_tcp_conns] + g[ZB_G_active_udp_conns] +
					g[ZB_G_active_icmp_conns] + g[ZB_G_active_other_conns]},
		{"dns_requests", g[ZB_G_active_dns_requests]},
		{"files", g[ZB_G_active_files]},
		{"fragments", p->now.timer[ZB_TIMER_frag]},
		{"tunnels", p->now.timer[ZB_TIMER_tunnel]},
	};
	uint64_t all = 0;

	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint64_t n = table[i].entries;

		all += n;
		if (n < TABLE_MIN)
			continue;
		stamp(p);
		fprintf(p->f, "%15s%" PRIu64 "/%" PRIu64 " entries%s%s\n", "", n, n,
			p->strict ? "" : " ", p->strict ? "" : table[i].name);
	}
	stamp(p);
	fprintf(p->f, "Total number of table entries: %" PRIu64 "/%" PRIu64 "\n", all, all);
}

static void write_lines(struct zb_prof_log *p)
{
	bool expensive = (p->block_nr + 1) % EXPENSIVE == 0;

	rule(p);
	if (p->block_nr == 0)
		command_line(p);
	process(p);
	conns(p);
	tcp_states(p);
	stamp(p);
	fprintf(p->f, "Connections expired due to inactivity: %" PRIu64 "\n",
		p->now.c[ZB_C_conns_expired]);
	timers(p);
	stamp(p);
	fputs("Threads: current=1\n", p->f); /* the log writer */
	stamp(p);
	fprintf(p->f,
		"Comm: peers=0 stores=0 pending_queries=0 events_in=0 events_out=0 logs_in=0 "
		"logs_out=0 ids_in=0 ids_out=0 %s",
		p->strict ? "" : "\n");
	if (expensive)
		tables(p);
	p->block_nr++;
}

/* ---- blocks ---- */

static void write_block(struct zb_prof_log *p)
{
	if (p->f == NULL && !p->failed)
		p->f = fopen(p->path, "w");
	if (p->f == NULL || p->failed)
		goto fail;
	write_lines(p);
	if (fflush(p->f) == 0)
		return;
fail:
	if (!p->failed)
		zb_warn("%s: %s: no more of it is written", p->path, strerror(errno));
	p->failed = true;
}

static void add(uint64_t *to, const uint64_t *now, const uint64_t *before, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		to[i] += now[i] - before[i];
}

/* to += now - before, as far as it is of interest here; times are the larger. */
static void add_difference(struct zb_lcore_stat *to, const struct zb_lcore_stat *now,
			   const struct zb_lcore_stat *before)
{
	add(to->c, now->c, before->c, ZB_C_NR);
	add(to->g, now->g, before->g, ZB_G_NR);
	add(to->timer, now->timer, before->timer, ZB_TIMER_NR);
	add(to->tcp_states, now->tcp_states, before->tcp_states, ZB_TCP_STATES * ZB_TCP_STATES);
	if (now->net_time_ns > to->net_time_ns)
		to->net_time_ns = now->net_time_ns;
	if (now->timer_lag_ns > to->timer_lag_ns)
		to->timer_lag_ns = now->timer_lag_ns;
}

static void write_oldest(struct zb_prof_log *p)
{
	static const struct zb_lcore_stat nothing;

	p->now.timer_lag_ns = 0;
	add_difference(&p->now, &p->held[0].sum, &nothing);
	for (unsigned k = 0; k < PEAK_NR; k++)
		p->peak[k] += p->held[0].peak[k];
	p->held_nr--;
	memmove(&p->held[0], &p->held[1], p->held_nr * sizeof(p->held[0]));
	write_block(p);
}

static struct held *held_get(struct zb_prof_log *p, uint64_t block)
{
	unsigned at;

	if (p->held_nr == HELD_MAX)
		write_oldest(p);
	for (at = p->held_nr; at > 0 && p->held[at - 1].block > block; at--)
		;
	if (at > 0 && p->held[at - 1].block == block)
		return &p->held[at - 1];
	memmove(&p->held[at + 1], &p->held[at], (p->held_nr - at) * sizeof(p->held[0]));
	memset(&p->held[at], 0, sizeof(p->held[at]));
	p->held[at].block = block;
	p->held_nr++;
	return &p->held[at];
}

static void write_passed(struct zb_prof_log *p)
{
	uint64_t passed = END;

	for (unsigned i = 0; i < p->lane_nr; i++)
		passed = p->lanes[i].passed < passed ? p->lanes[i].passed : passed;
	while (p->held_nr > 0 && p->held[0].block < passed)
		write_oldest(p);
}

static void take(struct zb_prof_log *p, unsigned i, const struct zb_lcore_stat *now, uint64_t block)
{
	struct lane *l = &p->lanes[i];
	struct held *h = held_get(p, block);

	for (unsigned k = 0; k < PEAK_NR; k++) {
		uint64_t level = now->g[peak_gauge[k]];

		if (level <= l->peak[k])
			continue;
		h->peak[k] += level - l->peak[k];
		l->peak[k] = level;
	}
	add_difference(&h->sum, now, &l->prev);
	l->prev = *now;
}

void zb_prof_log_take(struct zb_prof_log *p, unsigned i, const struct zb_snapshot *snap)
{
	struct lane *l = &p->lanes[i];

	if (!l->ended && snap->stat.c[ZB_C_pkts_proc] != 0)
		take(p, i, &snap->stat, (snap->interval + p->per - 1) / p->per);
	/* A block is complete with the snapshot of its last interval. */
	if (snap->last)
		l->passed = END;
	else if (snap->interval / p->per + 1 > l->passed)
		l->passed = snap->interval / p->per + 1;
	write_passed(p);
}

void zb_prof_log_end(struct zb_prof_log *p, unsigned i, const struct zb_lcore_stat *stat)
{
	if (stat->c[ZB_C_pkts_proc] != 0)
		take(p, i, stat, END);
	p->lanes[i].ended = true;
	p->lanes[i].passed = END;
	write_passed(p);
}

int zb_prof_log_create(const struct zb_prof_log_conf *conf, struct zb_prof_log **out)
{
	size_t bytes = sizeof(struct zb_prof_log) + conf->lcore_nr * sizeof(struct lane);
	struct zb_prof_log *p = aligned_alloc(64, (bytes + 63) & ~(size_t)63);

	if (p == NULL)
		return -ENOMEM;
	memset(p, 0, bytes);
	p->strict = conf->strict;
	p->lane_nr = conf->lcore_nr;
	p->per = (uint64_t)(ZB_PROF_INTERVAL_S / conf->stats_interval_s + 0.5);
	p->per = p->per == 0 ? 1 : p->per;
	p->path = strdup(conf->path);
	p->held = aligned_alloc(64, HELD_MAX * sizeof(*p->held));
	if (p->path == NULL || p->held == NULL) {
		zb_prof_log_destroy(p);
		return -ENOMEM;
	}
	*out = p;
	return 0;
}

void zb_prof_log_destroy(struct zb_prof_log *p)
{
	if (p == NULL)
		return;
	while (p->held_nr > 0)
		write_oldest(p);
	if (p->f != NULL)
		fclose(p->f);
	free(p->path);
	free(p->held);
	free(p);
}

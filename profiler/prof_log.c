/* SPDX-License-Identifier: Apache-2.0 */
/* prof_log.c - see prof_log.h; the lines of a block, whose sums stat_blocks.c makes */
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
#include "profiler/stat_blocks.h"

#define EXPENSIVE     20 /* every so many blocks */
#define TABLE_MIN     100
#define SEC_NS	      ((uint64_t)1000000000)
#define COMMAND_BYTES 4096

struct zb_prof_log {
	FILE *f;
	char *path;
	bool strict, failed;
	uint64_t block_nr; /* written */
	uint64_t begin_ns; /* wall clock of the first block */
	double begin_user, begin_sys;
	long begin_kib;
	const struct zb_log_set *logs;
	/* Of the block at hand. */
	const struct zb_lcore_stat *now;
	const uint64_t *peak; /* of each gauge */
	struct zb_stat_blocks *blocks;
};

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* ---- lines ---- */

/* The time in front of every line, and a blank. */
static void stamp(const struct zb_prof_log *p)
{
	uint64_t ns = p->now->net_time_ns;

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

/* Zeek remembers where it began in bytes, of which there are 32 bits. */
static long begin_kib(const struct zb_prof_log *p, long kib)
{
	return p->strict ? kib % (long)(1ul << (32 - 10)) : kib;
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
		p->begin_kib = begin_kib(p, ru.ru_maxrss);
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
	const uint64_t *c = p->now->c, *g = p->now->g;
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
		g[ZB_G_active_tcp_conns], p->peak[ZB_G_active_tcp_conns], g[ZB_G_active_udp_conns],
		p->peak[ZB_G_active_udp_conns], g[ZB_G_active_icmp_conns],
		p->peak[ZB_G_active_icmp_conns]);
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
			uint64_t n = p->now->tcp_states[orig * ZB_TCP_STATES + resp];

			if (n != 0)
				fprintf(p->f, "%-8" PRIu64, n);
			else
				fprintf(p->f, "%8s", "");
		}
		fputc('\n', p->f);
	}
}

/* Zeek's first block is written by a timer that was due a second after the epoch. */
static double timer_lag_s(const struct zb_prof_log *p)
{
	bool first = p->strict && p->block_nr == 0;
	uint64_t ns = first ? p->now->net_time_ns - SEC_NS : p->now->timer_lag_ns;

	return (double)ns / 1e9;
}

static void timers(const struct zb_prof_log *p)
{
	stamp(p);
	fprintf(p->f, "Timers: current=%" PRIu64 " max=%" PRIu64 " lag=%.2fs\n",
		p->now->g[ZB_G_active_timers], p->peak[ZB_G_active_timers], timer_lag_s(p));
	stamp(p);
	fputs("DNS_Mgr: requests=0 successful=0 failed=0 pending=0 cached_hosts=0 "
	      "cached_addrs=0\n",
	      p->f);
	stamp(p);
	fputs("Triggers: total=0 pending=0\n", p->f);
	for (unsigned i = 0; i < ZB_TIMER_NR; i++) {
		if (p->now->timer[i] == 0)
			continue;
		stamp(p);
		fprintf(p->f, "        %s = %" PRIu64 "\n", zb_timer_name[i], p->now->timer[i]);
	}
}

/* One that messages are sent to, buffers of rows: the log writer. */
static void threads(const struct zb_prof_log *p)
{
	uint64_t handed = 0, pending = 0;

	if (p->logs != NULL)
		zb_log_set_load(p->logs, &handed, &pending);
	stamp(p);
	fputs("Threads: current=1\n", p->f);
	stamp(p);
	fprintf(p->f,
		"  %-25s in=%" PRIu64 " out=0 pending=%" PRIu64 "/0 (#queue r/w: in=%" PRIu64
		"/%" PRIu64 " out=0/0)\n",
		"logs/Log::WRITER_ASCII", handed, pending, handed - pending, handed);
}

/* Tables that are large enough to be of interest, and the sum over all. */
static void tables(const struct zb_prof_log *p)
{
	const uint64_t *g = p->now->g;
	const struct {
		const char *name;
		uint64_t entries;
	} table[] = {
		{"connections", g[ZB_G_active_tcp_conns] + g[ZB_G_active_udp_conns] +
					g[ZB_G_active_icmp_conns] + g[ZB_G_active_other_conns]},
		{"dns_requests", g[ZB_G_active_dns_requests]},
		{"files", g[ZB_G_active_files]},
		{"fragments", p->now->timer[ZB_TIMER_frag]},
		{"tunnels", p->now->timer[ZB_TIMER_tunnel]},
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
		p->now->c[ZB_C_conns_expired]);
	timers(p);
	threads(p);
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

static void write_block(void *arg, const struct zb_lcore_stat *now, const uint64_t *peak)
{
	struct zb_prof_log *p = arg;

	p->now = now;
	p->peak = peak;
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

void zb_prof_log_take(struct zb_prof_log *p, unsigned i, const struct zb_snapshot *snap)
{
	zb_stat_blocks_take(p->blocks, i, snap);
}

void zb_prof_log_end(struct zb_prof_log *p, unsigned i, const struct zb_lcore_stat *stat)
{
	zb_stat_blocks_end(p->blocks, i, stat);
}

int zb_prof_log_create(const struct zb_prof_log_conf *conf, struct zb_prof_log **out)
{
	struct zb_prof_log *p = calloc(1, sizeof(*p));
	struct zb_stat_blocks_conf blocks = {
		.lcore_nr = conf->lcore_nr,
		.block_s = ZB_PROF_INTERVAL_S,
		.stats_interval_s = conf->stats_interval_s,
		.write = write_block,
		.arg = p,
	};
	int ret = -ENOMEM;

	if (p == NULL)
		return -ENOMEM;
	p->strict = conf->strict;
	p->logs = conf->logs;
	p->path = strdup(conf->path);
	if (p->path == NULL)
		goto free_log;
	ret = zb_stat_blocks_create(&blocks, &p->blocks);
	if (ret < 0)
		goto free_path;
	*out = p;
	return 0;

free_path:
	free(p->path);
free_log:
	free(p);
	return ret;
}

void zb_prof_log_destroy(struct zb_prof_log *p)
{
	if (p == NULL)
		return;
	zb_stat_blocks_destroy(p->blocks);
	if (p->f != NULL)
		fclose(p->f);
	free(p->path);
	free(p);
}

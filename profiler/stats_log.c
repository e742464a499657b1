/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats_log.c - rows of stats.log and lcore.log from the workers' snapshots
 *
 * Every snapshot is taken apart into its difference to the lcore's previous one. That difference
 * goes into the lcore's own row at once, and into the interval it belongs to; an interval that all
 * lcores have passed becomes a row of the whole. Levels travel as differences too (unsigned, so
 * they may wrap on the way), which makes the level of the whole the running sum over intervals,
 * whatever the order in which lcores report.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include "profiler/stats_log.h"

#define NS_PER_S 1000000000.0

static_assert(ZB_BURST_MAX == 64, "burst_fill_ columns end at 64");
#define FILL_COLUMNS 7

static const struct zb_row_field stats_fields[] = {
	{"ts", ZB_T_TIME},
	{"peer", ZB_T_STRING},
	{"mem", ZB_T_COUNT},
	{"pkts_proc", ZB_T_COUNT},
	{"bytes_recv", ZB_T_COUNT},
	{"pkts_dropped", ZB_T_COUNT},
	{"pkts_link", ZB_T_COUNT},
	{"pkt_lag", ZB_T_INTERVAL},
	{"pkts_filtered", ZB_T_COUNT},
	{"events_proc", ZB_T_COUNT},
	{"events_queued", ZB_T_COUNT},
	{"active_tcp_conns", ZB_T_COUNT},
	{"active_udp_conns", ZB_T_COUNT},
	{"active_icmp_conns", ZB_T_COUNT},
	{"tcp_conns", ZB_T_COUNT},
	{"udp_conns", ZB_T_COUNT},
	{"icmp_conns", ZB_T_COUNT},
	{"timers", ZB_T_COUNT},
	{"active_timers", ZB_T_COUNT},
	{"files", ZB_T_COUNT},
	{"active_files", ZB_T_COUNT},
	{"dns_requests", ZB_T_COUNT},
	{"active_dns_requests", ZB_T_COUNT},
	{"reassem_tcp_size", ZB_T_COUNT},
	{"reassem_file_size", ZB_T_COUNT},
	{"reassem_frag_size", ZB_T_COUNT},
	{"reassem_unknown_size", ZB_T_COUNT},
};

#define FIELD(name, help)	{#name, ZB_T_COUNT},
#define FATE_FIELD(name, help)	{"fate_" #name, ZB_T_COUNT},
#define STAGE_FIELD(name, help) {"stage_" #name "_cycles", ZB_T_COUNT},

/* clang-format off */
/* Further columns belong at the end. */
static const struct zb_row_field lcore_fields[] = {
	{"ts", ZB_T_TIME},
	{"wall_ts", ZB_T_TIME},
	{"lcore", ZB_T_COUNT},
	ZB_COUNTER_LIST(FIELD)
	ZB_GAUGE_LIST(FIELD)
	ZB_FATE_LIST(FATE_FIELD)
	ZB_STAGE_LIST(STAGE_FIELD)
	{"busy_cycles", ZB_T_COUNT},
	{"idle_cycles", ZB_T_COUNT},
	{"busy_ratio", ZB_T_DOUBLE},
	{"cycles_per_pkt", ZB_T_DOUBLE},
	{"burst_fill_mean", ZB_T_DOUBLE},
	/* Bursts of at most so many packets, and of more than the column before. */
	{"burst_fill_1", ZB_T_COUNT},
	{"burst_fill_2", ZB_T_COUNT},
	{"burst_fill_4", ZB_T_COUNT},
	{"burst_fill_8", ZB_T_COUNT},
	{"burst_fill_16", ZB_T_COUNT},
	{"burst_fill_32", ZB_T_COUNT},
	{"burst_fill_64", ZB_T_COUNT},
	{"log_rows", ZB_T_COUNT},
	{"run_time", ZB_T_INTERVAL}, /* first packet taken to last one done */
	/* How late packets of this interval were (open loop); percentiles an eighth too high at most. */
	{"pkt_lag_p50", ZB_T_INTERVAL},
	{"pkt_lag_p99", ZB_T_INTERVAL},
	{"pkt_lag_max", ZB_T_INTERVAL},
	/* What was no work: how often and how long the loop stood still, and what the machine did. */
	{"gaps", ZB_T_COUNT},
	{"gap_time", ZB_T_INTERVAL},
	{"gap_max", ZB_T_INTERVAL},
	{"cpu_time", ZB_T_INTERVAL},
	{"cpu_wait", ZB_T_INTERVAL},
	{"cpu_steal", ZB_T_INTERVAL},
	{"cpu_irq", ZB_T_INTERVAL},
	{"cpu_others", ZB_T_INTERVAL},
	{"cpu_mhz_min", ZB_T_COUNT},
	{"heap_bytes", ZB_T_COUNT},
	{"overdue_conns", ZB_T_COUNT},
	/* The lcore's arena. */
	{"arena_allocated_bytes", ZB_T_COUNT},
	{"arena_active_bytes", ZB_T_COUNT},
	{"arena_resident_bytes", ZB_T_COUNT},
	{"arena_retained_bytes", ZB_T_COUNT},
};
/* clang-format on */

#define NR_OF(a) (sizeof(a) / sizeof((a)[0]))
static_assert(NR_OF(stats_fields) == 27, "as many as Zeek's Stats::Info");
static_assert(NR_OF(lcore_fields) <= ZB_ROW_FIELDS_MAX, "raise ZB_ROW_FIELDS_MAX");

const struct zb_row_def zb_stats_log_def = {"stats", stats_fields, NR_OF(stats_fields)};
const struct zb_row_def zb_lcore_log_def = {"lcore", lcore_fields, NR_OF(lcore_fields)};

/* What a row of stats.log is written from: counted since the peer's last row, and levels. */
struct tally {
	uint64_t c[ZB_C_NR];
	uint64_t g[ZB_G_NR];
	uint64_t net_time_ns, lag_ns;
};

struct peer {
	char name[24];
	size_t name_len;
	struct tally tally;
};

struct lane {
	struct peer peer;
	unsigned lcore_id;
	uint64_t passed;	   /* 1 + the newest interval; 0: none; UINT64_MAX: finished */
	struct zb_lcore_stat prev; /* of the newest snapshot */
};

/* The differences of all snapshots of one interval. */
struct held {
	uint64_t interval;
	struct tally tally;
};

struct zb_stats_log {
	struct zb_log_port *stats, *lcore;
	double tsc_hz;
	struct peer whole;
	unsigned held_nr;
	struct held *held; /* ZB_STATS_LOG_HELD_MAX, by rising interval */
	unsigned lane_nr;
	struct lane lanes[];
};

/* ---- tallies ---- */

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static struct tally difference(const struct zb_lcore_stat *now, const struct zb_lcore_stat *before)
{
	struct tally d;

	for (unsigned i = 0; i < ZB_C_NR; i++)
		d.c[i] = now->c[i] - before->c[i];
	for (unsigned i = 0; i < ZB_G_NR; i++)
		d.g[i] = now->g[i] - before->g[i];
	d.net_time_ns = now->net_time_ns;
	d.lag_ns = now->lag_ns;
	return d;
}

static void tally_add(struct tally *t, const struct tally *d)
{
	for (unsigned i = 0; i < ZB_C_NR; i++)
		t->c[i] += d->c[i];
	for (unsigned i = 0; i < ZB_G_NR; i++)
		t->g[i] += d->g[i];
	t->net_time_ns = larger(t->net_time_ns, d->net_time_ns);
	t->lag_ns = larger(t->lag_ns, d->lag_ns);
}

static bool has_news(const struct tally *t)
{
	uint64_t any = t->net_time_ns;

	for (unsigned i = 0; i < ZB_C_NR; i++)
		any |= t->c[i];
	return any != 0;
}

/* ---- rows ---- */

/* Peak resident size, as Zeek has it: it never falls. */
static uint64_t mem_mib(void)
{
	struct rusage ru;

	if (getrusage(RUSAGE_SELF, &ru) < 0 || ru.ru_maxrss < 0)
		return 0;
	return (uint64_t)ru.ru_maxrss / 1024;
}

static void stats_row(struct zb_row *r, const struct peer *p)
{
	const uint64_t *c = p->tally.c, *g = p->tally.g;

	zb_row_time(r, p->tally.net_time_ns);
	zb_row_word(r, p->name, p->name_len);
	zb_row_count(r, mem_mib());
	zb_row_count(r, c[ZB_C_pkts_proc]);
	zb_row_count(r, c[ZB_C_bytes_recv]);
	zb_row_count(r, c[ZB_C_pkts_dropped]);
	zb_row_count(r, c[ZB_C_pkts_link]);
	zb_row_interval(r, (int64_t)p->tally.lag_ns);
	zb_row_count(r, c[ZB_C_pkts_filtered]);
	zb_row_count(r, c[ZB_C_events_proc]);
	zb_row_count(r, c[ZB_C_events_queued]);
	zb_row_count(r, g[ZB_G_active_tcp_conns]);
	zb_row_count(r, g[ZB_G_active_udp_conns]);
	zb_row_count(r, g[ZB_G_active_icmp_conns]);
	zb_row_count(r, c[ZB_C_tcp_conns]);
	zb_row_count(r, c[ZB_C_udp_conns]);
	zb_row_count(r, c[ZB_C_icmp_conns]);
	zb_row_count(r, c[ZB_C_timers]);
	zb_row_count(r, g[ZB_G_active_timers]);
	zb_row_count(r, c[ZB_C_files]);
	zb_row_count(r, g[ZB_G_active_files]);
	zb_row_count(r, c[ZB_C_dns_requests]);
	zb_row_count(r, g[ZB_G_active_dns_requests]);
	zb_row_count(r, g[ZB_G_reassem_tcp_bytes]);
	zb_row_count(r, g[ZB_G_reassem_file_bytes]);
	zb_row_count(r, g[ZB_G_reassem_frag_bytes]);
	zb_row_count(r, g[ZB_G_reassem_unknown_bytes]);
}

/* Writes the peer's row and starts counting afresh; without a log buffer it counts on. */
static void peer_write(struct zb_stats_log *s, struct peer *p)
{
	struct zb_row r;

	if (s->stats == NULL || !has_news(&p->tally) || !zb_log_row(s->stats, p->name_len, &r))
		return;
	stats_row(&r, p);
	zb_log_commit(s->stats, &r);
	memset(p->tally.c, 0, sizeof(p->tally.c));
}

static void count_array(struct zb_row *r, const uint64_t *v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		zb_row_count(r, v[i]);
}

/* Unset when there is nothing to divide by. */
static void ratio(struct zb_row *r, uint64_t a, uint64_t b)
{
	if (b == 0)
		zb_row_unset(r);
	else
		zb_row_double(r, (double)a / (double)b);
}

static void ratios_since(struct zb_row *r, const struct zb_lcore_stat *now,
			 const struct zb_lcore_stat *before)
{
	uint64_t busy = now->busy_cycles - before->busy_cycles;
	uint64_t idle = now->idle_cycles - before->idle_cycles;
	uint64_t proc = now->c[ZB_C_pkts_proc] - before->c[ZB_C_pkts_proc];
	uint64_t filtered = now->c[ZB_C_pkts_filtered] - before->c[ZB_C_pkts_filtered];

	ratio(r, busy, busy + idle);
	ratio(r, busy, proc);
	ratio(r, proc + filtered, now->c[ZB_C_bursts] - before->c[ZB_C_bursts]);
}

static void run_time(struct zb_row *r, const struct zb_lcore_stat *st, double tsc_hz)
{
	if (st->first_tsc == 0 || st->last_tsc < st->first_tsc || !(tsc_hz > 0))
		zb_row_unset(r);
	else
		zb_row_interval(r, (int64_t)((double)(st->last_tsc - st->first_tsc) / tsc_hz *
					     NS_PER_S));
}

static void lag_since(struct zb_row *r, const struct zb_lcore_stat *st,
		      const struct zb_lcore_stat *prev)
{
	struct zb_lag lag = {.max_ns = st->lag.max_ns};

	for (unsigned i = 0; i < ZB_LAG_BUCKETS; i++)
		lag.n[i] = st->lag.n[i] - prev->lag.n[i];
	zb_row_interval(r, (int64_t)zb_lag_at(&lag, 0.5));
	zb_row_interval(r, (int64_t)zb_lag_at(&lag, 0.99));
	zb_row_interval(r, (int64_t)zb_lag_at(&lag, 1));
}

static void interval_if(struct zb_row *r, bool known, uint64_t ns)
{
	if (known)
		zb_row_interval(r, (int64_t)ns);
	else
		zb_row_unset(r);
}

static void noise(struct zb_row *r, const struct zb_snapshot *snap)
{
	const struct zb_gap *g = &snap->stat.gap;
	const struct zb_noise_sum *n = &snap->noise;

	zb_row_count(r, zb_gap_count(g));
	zb_row_interval(r, (int64_t)g->total_ns);
	zb_row_interval(r, (int64_t)g->max_ns);
	interval_if(r, snap->stat.time.passed_ns != 0, snap->stat.time.cpu_ns);
	interval_if(r, n->has_wait, n->wait_ns);
	interval_if(r, n->has_stat, n->steal_ns);
	interval_if(r, n->has_stat, n->irq_ns);
	interval_if(r, n->has_stat && n->has_wait, n->others_ns);
	if (n->khz_min != 0)
		zb_row_count(r, n->khz_min / 1000);
	else
		zb_row_unset(r);
}

static void arena(struct zb_row *r, const struct zb_arena_sum *a)
{
	const uint64_t bytes[] = {a->allocated, a->active, a->resident, a->retained};

	for (unsigned i = 0; i < NR_OF(bytes); i++) {
		if (a->known)
			zb_row_count(r, bytes[i]);
		else
			zb_row_unset(r);
	}
}

static void lcore_write(struct zb_stats_log *s, const struct lane *l,
			const struct zb_snapshot *snap)
{
	const struct zb_lcore_stat *st = &snap->stat;
	uint64_t log_rows = 0;
	struct zb_row r;

	if (s->lcore == NULL || !zb_log_row(s->lcore, 0, &r))
		return;
	for (unsigned i = 0; i < ZB_LOG_STREAMS_MAX; i++)
		log_rows += st->log_rows[i];
	zb_row_time(&r, st->net_time_ns);
	zb_row_time(&r, snap->wall_ns);
	zb_row_count(&r, l->lcore_id);
	count_array(&r, st->c, ZB_C_NR);
	count_array(&r, st->g, ZB_G_NR);
	count_array(&r, st->fate, ZB_FATE_NR);
	count_array(&r, st->stage_cycles, ZB_STAGE_NR);
	zb_row_count(&r, st->busy_cycles);
	zb_row_count(&r, st->idle_cycles);
	ratios_since(&r, st, &l->prev);
	count_array(&r, st->burst_fill, FILL_COLUMNS);
	zb_row_count(&r, log_rows);
	run_time(&r, st, s->tsc_hz);
	lag_since(&r, st, &l->prev);
	noise(&r, snap);
	zb_row_count(&r, st->heap_bytes);
	zb_row_count(&r, st->overdue_conns);
	arena(&r, &snap->arena);
	zb_log_commit(s->lcore, &r);
}

/* ---- the whole ---- */

static void write_oldest(struct zb_stats_log *s)
{
	s->whole.tally.lag_ns = 0;
	tally_add(&s->whole.tally, &s->held[0].tally);
	s->held_nr--;
	memmove(&s->held[0], &s->held[1], s->held_nr * sizeof(s->held[0]));
	peer_write(s, &s->whole);
}

/* The entry of an interval, made when there is none. */
static struct held *held_get(struct zb_stats_log *s, uint64_t interval)
{
	unsigned at;

	if (s->held_nr == ZB_STATS_LOG_HELD_MAX)
		write_oldest(s);
	for (at = s->held_nr; at > 0 && s->held[at - 1].interval > interval; at--)
		;
	if (at > 0 && s->held[at - 1].interval == interval)
		return &s->held[at - 1];
	memmove(&s->held[at + 1], &s->held[at], (s->held_nr - at) * sizeof(s->held[0]));
	memset(&s->held[at], 0, sizeof(s->held[at]));
	s->held[at].interval = interval;
	s->held_nr++;
	return &s->held[at];
}

static void write_passed(struct zb_stats_log *s)
{
	uint64_t passed = UINT64_MAX;

	for (unsigned i = 0; i < s->lane_nr; i++)
		passed = s->lanes[i].passed < passed ? s->lanes[i].passed : passed;
	while (s->held_nr > 0 && s->held[0].interval < passed)
		write_oldest(s);
}

void zb_stats_log_take(struct zb_stats_log *s, unsigned i, const struct zb_snapshot *snap)
{
	struct lane *l = &s->lanes[i];
	struct tally d = difference(&snap->stat, &l->prev);

	l->peer.tally.lag_ns = 0;
	tally_add(&l->peer.tally, &d);
	peer_write(s, &l->peer);
	lcore_write(s, l, snap);
	l->prev = snap->stat;

	tally_add(&held_get(s, snap->interval)->tally, &d);
	l->passed = snap->last ? UINT64_MAX : larger(l->passed, snap->interval + 1);
	write_passed(s);
}

void zb_stats_log_finish(struct zb_stats_log *s)
{
	while (s->held_nr > 0)
		write_oldest(s);
}

/* ---- life ---- */

static void lane_init(struct lane *l, unsigned lcore_id)
{
	int n = snprintf(l->peer.name, sizeof(l->peer.name), "lcore-%u", lcore_id);

	l->peer.name_len = (size_t)n; /* 16 bytes at most */
	l->lcore_id = lcore_id;
}

int zb_stats_log_create(const struct zb_stats_log_conf *conf, struct zb_stats_log **out)
{
	struct zb_stats_log *s;
	size_t bytes = sizeof(*s) + conf->lcore_nr * sizeof(s->lanes[0]);

	bytes = (bytes + 63) & ~(size_t)63;
	s = aligned_alloc(64, bytes);
	if (s == NULL)
		return -ENOMEM;
	memset(s, 0, bytes);
	s->held = calloc(ZB_STATS_LOG_HELD_MAX, sizeof(s->held[0]));
	if (s->held == NULL) {
		free(s);
		return -ENOMEM;
	}
	s->stats = conf->stats;
	s->lcore = conf->lcore;
	s->tsc_hz = conf->tsc_hz;
	s->lane_nr = conf->lcore_nr;
	s->whole.name_len = (size_t)(stpcpy(s->whole.name, "zbench") - s->whole.name);
	for (unsigned i = 0; i < s->lane_nr; i++)
		lane_init(&s->lanes[i], conf->lcore_ids[i]);
	*out = s;
	return 0;
}

void zb_stats_log_destroy(struct zb_stats_log *s)
{
	if (s == NULL)
		return;
	free(s->held);
	free(s);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass_state.c - what the reporter keeps of the state that workers hold: peaks, and series from
 * which growth is judged
 */
#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/pass_priv.h"
#include "profiler/clock.h"

#define LOOK_EVERY_S 0.1 /* at allocator and process: each look costs some 0.1 ms */
#define DAY_S	     86400
#define HOUR_S	     3600
#define CONN_S	     300 /* the longest time-out of what nearly all connections are */

/* Columns of the series: all gauges by their numbers, then these. */
enum { COL_CONNS = ZB_G_NR, COL_OVERDUE, COL_LIVE, COL_ALLOCATED, COL_ACTIVE, COL_RSS, COL_NR };

static_assert(COL_NR <= ZB_G_NR + 16, "a point holds them all");

/* Every byte once: connections count as what they have reserved, which is what is allocated. */
const struct zb_growth_kind zb_pass_kinds[ZB_PASS_KINDS] = {
	{"conn_reserved_bytes", ZB_G_conn_reserved_bytes, CONN_S},
	{"flow_table_bytes", ZB_G_flow_table_bytes, CONN_S},
	{"timer_bytes", ZB_G_timer_bytes, CONN_S},
	{"history_bytes", ZB_G_history_bytes, CONN_S},
	{"stream_bytes", ZB_G_stream_bytes, CONN_S},
	{"reassem_tcp_bytes", ZB_G_reassem_tcp_bytes, CONN_S},
	{"reassem_file_bytes", ZB_G_reassem_file_bytes, CONN_S},
	{"reassem_frag_bytes", ZB_G_reassem_frag_bytes, CONN_S},
	{"reassem_unknown_bytes", ZB_G_reassem_unknown_bytes, CONN_S},
	{"dns_bytes", ZB_G_dns_bytes, CONN_S},
	{"http_bytes", ZB_G_http_bytes, CONN_S},
	{"tls_bytes", ZB_G_tls_bytes, CONN_S},
	{"smb_bytes", ZB_G_smb_bytes, CONN_S},
	{"analyzer_bytes", ZB_G_analyzer_bytes, CONN_S},
	{"file_bytes", ZB_G_file_bytes, CONN_S},
	{"tunnel_bytes", ZB_G_tunnel_bytes, HOUR_S},
	{"known_bytes", ZB_G_known_bytes, DAY_S},
	{"expect_bytes", ZB_G_expect_bytes, CONN_S},
	{"dhcp_bytes", ZB_G_dhcp_bytes, CONN_S},
	{"log_buffer_bytes", ZB_G_log_buffer_bytes, DAY_S},
	{"weird_bytes", ZB_G_weird_bytes, DAY_S},
};

int zb_pass_state_make(struct zb_pass *p)
{
	return zb_track_init(&p->track, COL_NR);
}

static double rss_bytes(void)
{
	unsigned long long size = 0, rss = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f == NULL)
		return 0;
	if (fscanf(f, "%llu %llu", &size, &rss) != 2)
		rss = 0;
	fclose(f);
	return (double)rss * (double)sysconf(_SC_PAGESIZE);
}

static void look_at_process(struct zb_pass *p, bool now)
{
	double s = zb_clock_s();
	struct zb_heap_stat heap;

	if (!now && s - p->looked_s < LOOK_EVERY_S)
		return;
	p->looked_s = s;
	if (zb_heap_total_stat(&heap) == 0) {
		p->point[COL_ALLOCATED] = (double)heap.allocated;
		p->point[COL_ACTIVE] = (double)heap.active;
	}
	p->point[COL_RSS] = rss_bytes();
}

/* A point of the sums over all workers, as far as each is known. */
static void add_point(struct zb_pass *p, bool last)
{
	double *v = p->point;

	look_at_process(p, last);
	for (unsigned g = 0; g < ZB_G_NR; g++)
		v[g] = 0;
	v[COL_OVERDUE] = v[COL_LIVE] = 0;
	for (unsigned i = 0; i < p->worker_nr; i++) {
		const struct zb_pass_worker *w = &p->worker[i];

		for (unsigned g = 0; g < ZB_G_NR; g++)
			v[g] += (double)w->gauge[g];
		v[COL_OVERDUE] += (double)w->overdue;
		v[COL_LIVE] += (double)w->heap_bytes;
	}
	v[COL_CONNS] = v[ZB_G_active_tcp_conns] + v[ZB_G_active_udp_conns] +
		       v[ZB_G_active_icmp_conns] + v[ZB_G_active_other_conns];
	zb_track_add(&p->track, p->newest_s, v);
	p->point_s = p->newest_s;
}

void zb_pass_state_take(struct zb_pass *p, unsigned i, const struct zb_lcore_stat *s, bool last)
{
	struct zb_pass_worker *w = &p->worker[i];
	double at_s = (double)(s->net_time_ns - p->start_ns) / 1e9;

	for (unsigned g = 0; g < ZB_G_NR; g++) {
		uint64_t *peak = &p->result->lcore[i].peak[g], sum = 0;

		*peak = s->g[g] > *peak ? s->g[g] : *peak;
		w->gauge[g] = s->g[g];
		for (unsigned j = 0; j < p->worker_nr; j++)
			sum += p->worker[j].gauge[g];
		p->result->peak[g] = sum > p->result->peak[g] ? sum : p->result->peak[g];
	}
	zb_pass_note_analyzers(p, i, s);
	/* After the last packet all state is torn down: that says nothing about growth. */
	if (last || s->net_time_ns < p->start_ns)
		return;
	w->overdue = s->overdue_conns;
	w->heap_bytes = s->heap_bytes;
	p->newest_s = at_s > p->newest_s ? at_s : p->newest_s;
	if (p->newest_s - p->point_s >= 0.99 * p->conf->stats_interval_s)
		add_point(p, false);
}

void zb_pass_state_judge(struct zb_pass *p)
{
	bool has_heap = zb_heap_available();
	const struct zb_growth_conf conf = {
		.kinds = zb_pass_kinds,
		.kind_nr = ZB_PASS_KINDS,
		.conns = COL_CONNS,
		.overdue = COL_OVERDUE,
		.live = has_heap ? COL_LIVE : UINT_MAX,
		.allocated = has_heap ? COL_ALLOCATED : UINT_MAX,
		.active = has_heap ? COL_ACTIVE : UINT_MAX,
		.rss = COL_RSS,
		.cap_bytes = (double)p->conf->memcap_bytes,
	};

	add_point(p, true);
	zb_growth_judge(&p->track, &conf, &p->result->growth);
}

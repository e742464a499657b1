/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lcore_stat.c - names of what a worker counts, sums over workers, and the accounting law
 */
#include "profiler/lcore_stat.h"

#define NAME_C(name, help) [ZB_C_##name] = #name,
#define HELP_C(name, help) [ZB_C_##name] = help,
#define NAME_G(name, help) [ZB_G_##name] = #name,
#define HELP_G(name, help) [ZB_G_##name] = help,
#define NAME_F(name, help) [ZB_FATE_##name] = #name,
#define HELP_F(name, help) [ZB_FATE_##name] = help,
#define NAME_S(name, help) [ZB_STAGE_##name] = #name,
#define HELP_S(name, help) [ZB_STAGE_##name] = help,

const char *const zb_counter_name[ZB_C_NR] = {ZB_COUNTER_LIST(NAME_C)};
const char *const zb_counter_help[ZB_C_NR] = {ZB_COUNTER_LIST(HELP_C)};
const char *const zb_gauge_name[ZB_G_NR] = {ZB_GAUGE_LIST(NAME_G)};
const char *const zb_gauge_help[ZB_G_NR] = {ZB_GAUGE_LIST(HELP_G)};
const char *const zb_fate_name[ZB_FATE_NR] = {ZB_FATE_LIST(NAME_F)};
const char *const zb_fate_help[ZB_FATE_NR] = {ZB_FATE_LIST(HELP_F)};
const char *const zb_stage_name[ZB_STAGE_NR] = {ZB_STAGE_LIST(NAME_S)};
const char *const zb_stage_help[ZB_STAGE_NR] = {ZB_STAGE_LIST(HELP_S)};

#define NAME_T(name, zeek) [ZB_TIMER_##name] = zeek,
const char *const zb_timer_name[ZB_TIMER_NR] = {ZB_TIMER_LIST(NAME_T)};

static void add(uint64_t *dst, const uint64_t *src, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		dst[i] += src[i];
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void zb_stat_add(struct zb_lcore_stat *dst, const struct zb_lcore_stat *src)
{
	add(dst->c, src->c, ZB_C_NR);
	add(dst->g, src->g, ZB_G_NR);
	add(dst->fate, src->fate, ZB_FATE_NR);
	add(dst->stage_cycles, src->stage_cycles, ZB_STAGE_NR);
	dst->busy_cycles += src->busy_cycles;
	dst->idle_cycles += src->idle_cycles;
	add(dst->burst_fill, src->burst_fill, ZB_FILL_BUCKETS);
	add(dst->log_rows, src->log_rows, ZB_LOG_STREAMS_MAX);
	add(dst->metered, src->metered, ZB_METERED_MAX);
	add(dst->timer, src->timer, ZB_TIMER_NR);
	add(dst->timer_ever, src->timer_ever, ZB_TIMER_NR);
	add(dst->tcp_states, src->tcp_states, ZB_TCP_STATES * ZB_TCP_STATES);

	/* 0 is "never" and must not win. */
	if (dst->first_tsc == 0 || (src->first_tsc != 0 && src->first_tsc < dst->first_tsc))
		dst->first_tsc = src->first_tsc;
	dst->last_tsc = larger(dst->last_tsc, src->last_tsc);
	dst->net_time_ns = larger(dst->net_time_ns, src->net_time_ns);
	dst->timer_lag_ns = larger(dst->timer_lag_ns, src->timer_lag_ns);
	dst->lag_ns = larger(dst->lag_ns, src->lag_ns);
	zb_lag_add(&dst->lag, &src->lag);
	zb_gap_add(&dst->gap, &src->gap);
	add(dst->gap_cycles, src->gap_cycles, ZB_STAGE_NR);
	dst->time.passed_ns += src->time.passed_ns;
	dst->time.cpu_ns += src->time.cpu_ns;
	dst->heap_bytes += src->heap_bytes;
	if (src->hot.cycles > dst->hot.cycles)
		dst->hot = src->hot;
	dst->overdue_conns += src->overdue_conns;
}

struct zb_residual zb_stat_residual(const struct zb_lcore_stat *s, uint64_t queued_pkts,
				    uint64_t queued_bytes)
{
	const uint64_t *c = s->c;
	uint64_t fates = 0;

	for (unsigned i = 0; i < ZB_FATE_NR; i++)
		fates += s->fate[i];

	/* Unsigned differences wrap to the right signed value. */
	return (struct zb_residual){
		.offered_pkts =
			(int64_t)(c[ZB_C_pkts_offered] - c[ZB_C_pkts_link] - c[ZB_C_pkts_unsent]),
		.offered_bytes = (int64_t)(c[ZB_C_bytes_offered] - c[ZB_C_bytes_link] -
					   c[ZB_C_bytes_unsent]),
		.link_pkts = (int64_t)(c[ZB_C_pkts_link] - c[ZB_C_pkts_proc] -
				       c[ZB_C_pkts_dropped] - c[ZB_C_pkts_filtered] - queued_pkts),
		.link_bytes =
			(int64_t)(c[ZB_C_bytes_link] - c[ZB_C_bytes_recv] - c[ZB_C_bytes_dropped] -
				  c[ZB_C_bytes_filtered] - queued_bytes),
		.fate_pkts = (int64_t)(c[ZB_C_pkts_proc] - fates),
	};
}

bool zb_residual_is_zero(const struct zb_residual *r)
{
	return r->offered_pkts == 0 && r->offered_bytes == 0 && r->link_pkts == 0 &&
	       r->link_bytes == 0 && r->fate_pkts == 0;
}

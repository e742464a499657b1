/* SPDX-License-Identifier: Apache-2.0 */
/* engine.c - the loop around the stages: bursts, statistics intervals, beginning and end */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <rte_cycles.h>
#include <rte_pause.h>

#include "pipeline/engine_priv.h"
#include "pipeline/fault.h"
#include "pipeline/file.h"
#include "pipeline/frag.h"
#include "pipeline/known.h"
#include "pipeline/meter.h"
#include "pipeline/timer_count.h"
#include "pipeline/tunnel.h"

#define IDLE_STEP_NS 10000000u /* live, without packets: how often time-outs are looked at */

/* To decode and hash only, fragments and tunnels are left as they are. */
static int create_tunnels(struct zb_engine *e)
{
	struct zb_decoder *d = &e->decoder;
	int ret;

	if (e->conf.mode == ZB_ENGINE_TOUCH)
		return 0;
	ret = zb_frag_create(&e->an.mem, &e->weird, e->conf.secret, &d->frag);
	if (ret < 0)
		return ret;
	ret = zb_tunnels_create(&e->an, &e->an.tunnels);
	if (ret < 0) {
		zb_frag_destroy(d->frag);
		return ret;
	}
	d->tunnels = e->an.tunnels;
	d->mem = &e->an.mem;
	return 0;
}

int zb_engine_create(const struct zb_engine_conf *conf, struct zb_engine **out)
{
	struct zb_engine *e;
	int ret;

	if (conf->burst_max == 0 || conf->burst_max > ZB_BURST_MAX ||
	    conf->conns_max < 4 * ZB_BURST_MAX)
		return -EINVAL;
	e = aligned_alloc(64, (sizeof(*e) + 63) / 64 * 64);
	if (e == NULL)
		return -ENOMEM;
	memset(e, 0, sizeof(*e));
	e->conf = *conf;
	e->deliveries.an = &e->an;
	zb_gap_watch_init(&e->gaps, conf->tsc_hz);
	e->conf.rxq->lag = &conf->stat->lag;
	ret = zb_conn_set_init(&e->set, conf->conns_max, (uint64_t)conf->index << 48, conf->secret,
			       conf->start_ns, conf->stat);
	if (ret < 0)
		goto free_engine;
	ret = zb_weird_init(&e->weird, zb_log_port(conf->logs, ZB_LOG_WEIRD, (uint16_t)conf->index),
			    conf->peer, conf->secret);
	if (ret < 0)
		goto fini_set;
	e->decoder = (struct zb_decoder){
		.weird = &e->weird,
		.fate = conf->stat->fate,
		.secret = conf->secret,
		.ignore_checksums = conf->ignore_checksums,
		.table = conf->mode == ZB_ENGINE_TOUCH ? NULL : &e->set.table,
	};
	ret = zb_analysis_init(&e->an, &(struct zb_analysis_conf){
					       .logs = conf->logs,
					       .stat = conf->stat,
					       .weird = &e->weird,
					       .mem_limit = conf->mem_limit,
					       .memcap_bytes = conf->memcap_bytes,
					       .secret = conf->secret,
					       .file_hashes = conf->file_hashes,
					       .index = (uint16_t)conf->index,
				       });
	if (ret < 0)
		goto fini_weird;
	e->an.once = e->weird.once = conf->once;
	e->an.rxq = conf->rxq;
	e->an.meter = conf->meter;
	if (e->an.meter != NULL)
		e->an.meter->watch = &e->gaps;
	if (conf->meter != NULL)
		conf->meter->sum = conf->stat->metered;
	ret = zb_fault_create(conf->faults, e->an.registry, &e->set, &e->an.fault);
	if (ret < 0)
		goto fini_analysis;
	ret = create_tunnels(e);
	if (ret < 0)
		goto destroy_fault;
	*out = e;
	return 0;

destroy_fault:
	zb_fault_destroy(e->an.fault);
fini_analysis:
	zb_analysis_fini(&e->an);
fini_weird:
	zb_weird_fini(&e->weird);
fini_set:
	zb_conn_set_fini(&e->set);
free_engine:
	free(e);
	return ret;
}

void zb_engine_destroy(struct zb_engine *e)
{
	if (e == NULL)
		return;
	zb_tunnels_destroy(e->an.tunnels);
	zb_frag_destroy(e->decoder.frag);
	zb_analysis_fini(&e->an);
	zb_fault_destroy(e->an.fault);
	assert(e->an.mem.total == 0); /* all that was taken has been given back */
	zb_weird_fini(&e->weird);
	zb_conn_set_fini(&e->set);
	free(e);
}

/*
 * Time of the last packet of the whole source, which another worker may have had: found by
 * bisection, once, when this worker's queue is done.
 */
static uint64_t last_ns(const struct zb_engine *e)
{
	const struct zb_rxq *q = e->conf.rxq;
	uint64_t low = e->conf.stat->net_time_ns, step = ZB_SEC_NS, high, ns;

	if (!q->done || q->ops->time_from == NULL)
		return low;
	for (high = low + 1; (ns = q->ops->time_from(q, high)) != 0; step *= 2) {
		low = ns;
		high = low + step;
	}
	while (high - low > 1) {
		uint64_t mid = low + (high - low) / 2;

		ns = q->ops->time_from(q, mid);
		if (ns != 0)
			low = ns;
		else
			high = mid;
	}
	return low;
}

/*
 * Log counters, gauges and what the source says it offered: brought up to date before a snapshot.
 */
static void refresh_stat(struct zb_engine *e)
{
	struct zb_lcore_stat *st = e->conf.stat;
	struct zb_log_port_stat log;
	struct zb_rxq_ledger l = {0};
	uint64_t lost = 0, wait = 0, bytes = 0;

	for (uint16_t i = 0; i < ZB_LOG_ENGINE_NR; i++) {
		struct zb_log_port *port = zb_log_port(e->conf.logs, i, (uint16_t)e->conf.index);

		if (port == NULL)
			continue;
		zb_log_port_stat(port, &log);
		st->log_rows[i] = log.rows;
		lost += log.rows_dropped;
		wait += log.wait_cycles;
		bytes += log.buffer_bytes;
	}
	st->c[ZB_C_log_rows_lost] = lost;
	st->c[ZB_C_log_wait_cycles] = wait;
	st->c[ZB_C_once_wait_cycles] = e->conf.once != NULL ? zb_once_waited(e->conf.once) : 0;
	st->c[ZB_C_weirds] = e->weird.total;
	st->c[ZB_C_weird_shed] = e->weird.seen.forgotten;
	e->conf.rxq->ops->ledger(e->conf.rxq, &l);
	st->g[ZB_G_queue_pkts] = e->conf.rxq->queued;
	st->lag_ns = e->conf.rxq->lag_ns;
	st->g[ZB_G_log_buffer_bytes] = bytes;
	st->g[ZB_G_weird_bytes] = ZB_WEIRD_MEMORY * sizeof(struct zb_once_seen);
	zb_conn_set_gauges(&e->set);
	zb_mem_gauges(&e->an.mem, st);
	zb_timer_count(st, &(struct zb_timer_source){.set = &e->set,
						     .frag = e->decoder.frag,
						     .tunnels = e->an.tunnels,
						     .events = e->an.events});
	if (e->an.fault != NULL)
		zb_fault_gauges(e->an.fault, st);
	st->heap_bytes = zb_heap_thread_live(&e->heap);
	st->overdue_conns = zb_conn_set_overdue(&e->set, st->net_time_ns);
	st->c[ZB_C_pkts_offered] = l.offered_pkts;
	st->c[ZB_C_bytes_offered] = l.offered_bytes;
	st->c[ZB_C_pkts_unsent] = l.unsent_pkts;
	st->c[ZB_C_bytes_unsent] = l.unsent_bytes;
	st->c[ZB_C_pkts_link] = l.link_pkts;
	st->c[ZB_C_bytes_link] = l.link_bytes;
	st->c[ZB_C_pkts_dropped] = l.dropped_pkts;
	st->c[ZB_C_bytes_dropped] = l.dropped_bytes;
	st->c[ZB_C_pkts_filtered] = l.filtered_pkts;
	st->c[ZB_C_bytes_filtered] = l.filtered_bytes;
}

static void snapshot(struct zb_engine *e, uint64_t interval, bool last)
{
	struct zb_lcore_stat *st = e->conf.stat;

	st->time =
		zb_gap_watch_refresh(&e->gaps, st->busy_cycles, st->c[ZB_C_pkts_proc], rte_rdtsc());
	refresh_stat(e);
	if (e->conf.meter != NULL)
		zb_meter_recent(e->conf.meter, &st->hot);
	if (e->conf.snaps != NULL && !zb_snap_put(e->conf.snaps, st, interval, last))
		st->c[ZB_C_snapshots_skipped]++;
}

static void flush_rows(struct zb_engine *e)
{
	for (uint16_t i = 0; i < ZB_LOG_ENGINE_NR; i++) {
		struct zb_log_port *port = zb_log_port(e->conf.logs, i, (uint16_t)e->conf.index);

		if (port != NULL)
			zb_log_flush(port);
	}
}

/*
 * Takes the snapshot of every boundary up to the next packet's time as one, and finds the next
 * boundary. Live, somebody may be waiting for rows that do not fill a buffer.
 */
static void pass_boundary(struct zb_engine *e, uint64_t next_ns)
{
	uint64_t k = (next_ns - e->conf.start_ns) / e->conf.interval_ns;

	if (__atomic_load_n(&e->conf.on->snapshots, __ATOMIC_RELAXED))
		snapshot(e, k, false);
	if (e->conf.rxq->live)
		flush_rows(e);
	e->interval = k + 1;
	e->until_ns = e->conf.start_ns + e->interval * e->conf.interval_ns;
}

static __attribute__((noinline)) void zb_idle_poll(struct zb_engine *e)
{
	e->conf.stat->c[ZB_C_empty_polls]++;
	rte_pause();
}

/* Ends of connections are found late, and count when they were due. */
static void report_progress(struct zb_engine *e)
{
	uint64_t now = e->conf.stat->net_time_ns, ends = zb_wheel_passed_ns(&e->set.wheel);

	zb_once_progress(e->conf.once, ends < now ? ends : now);
}

/* Nothing comes, but time goes by: what is due by now ends. */
static void pass_time(struct zb_engine *e, uint64_t now_ns)
{
	e->conf.stat->net_time_ns = now_ns;
	if (e->conf.mode == ZB_ENGINE_TOUCH)
		return;
	zb_stage_expire(e);
	zb_stage_log(e);
	if (e->conf.once != NULL)
		report_progress(e);
}

static unsigned fill_bucket(uint16_t n)
{
	return n <= 1 ? 0 : 32 - (unsigned)__builtin_clz((unsigned)n - 1);
}

/* A turn without packets. */
static uint64_t idle_turn(struct zb_engine *e, uint64_t begin)
{
	struct zb_lcore_stat *st = e->conf.stat;
	bool worked = false;
	uint64_t t = begin;

	zb_at(e, ZB_STAGE_idle);
	if (!e->conf.rxq->done) {
		uint64_t next = e->conf.rxq->ops->next_ns(e->conf.rxq);

		worked = next != 0 && next >= e->until_ns;
		if (worked)
			pass_boundary(e, next);
		else
			zb_idle_poll(e);
		if (e->conf.rxq->live && next >= st->net_time_ns + IDLE_STEP_NS) {
			worked = true;
			pass_time(e, next);
		}
	}
	t = zb_mark(&st->stage_cycles[ZB_STAGE_idle], t);
	st->idle_cycles += t - begin;
	st->gap_cycles[ZB_STAGE_idle] += zb_gap_turn(&e->gaps, &st->gap, t - begin, 0, worked, t);
	return t;
}

/* Cycles that the worker has waited for the reporter since the last call. */
static uint64_t waited_now(struct zb_engine *e)
{
	uint64_t was = e->waited;

	e->waited = e->conf.once != NULL ? zb_once_waited(e->conf.once) : 0;
	return e->waited - was;
}

/* A turn that was held up, by a gap or the reporter: in the stage that took longest. */
static __attribute__((noinline)) void charge_gap(struct zb_engine *e, uint64_t gap)
{
	struct zb_lcore_stat *st = e->conf.stat;
	uint64_t longest = 0;
	unsigned at = ZB_STAGE_rx;

	for (unsigned i = 0; i < ZB_STAGE_NR; i++) {
		uint64_t took = st->stage_cycles[i] - e->stages_were[i];

		at = took > longest ? i : at;
		longest = took > longest ? took : longest;
	}
	/* Without marks nothing is known of stages, and all stay as they were. */
	if (longest != 0)
		st->gap_cycles[at] += gap < longest ? gap : longest;
}

/* What of a turn was no work. Its stages know exactly, if the kernel tells. */
static void note_gaps(struct zb_engine *e, uint64_t turn_tsc, uint64_t now)
{
	struct zb_lcore_stat *st = e->conf.stat;
	uint64_t held_up = waited_now(e);

	if (__builtin_expect(e->taken != 0, 0)) {
		zb_gap_note_tsc(&e->gaps, &st->gap, e->taken);
		e->taken = 0;
	} else {
		held_up += zb_gap_turn(&e->gaps, &st->gap, turn_tsc, e->b.pkt_nr, true, now);
	}
	if (__builtin_expect(held_up != 0, 0))
		charge_gap(e, held_up);
}

/*
 * One turn of the loop; the end of one is the beginning of the next, so that no cycle goes
 * unaccounted.
 */
static uint64_t turn(struct zb_engine *e, uint16_t n, uint64_t t)
{
	struct zb_lcore_stat *st = e->conf.stat;
	uint64_t begin = t;

	zb_at(e, ZB_STAGE_rx);
	zb_stage_rx(e, n);
	if (e->b.pkt_nr == 0)
		return idle_turn(e, t);
	st->c[ZB_C_bursts]++;
	st->burst_fill[fill_bucket(e->b.pkt_nr)]++;
	if (__atomic_load_n(&e->conf.on->marks, __ATOMIC_RELAXED)) {
		memcpy(e->stages_were, st->stage_cycles, sizeof(e->stages_were));
		t = zb_walk_marked(e, t);
	} else {
		zb_walk(e);
		t = rte_rdtsc();
	}
	if (e->conf.once != NULL)
		report_progress(e);
	st->busy_cycles += t - begin;
	note_gaps(e, t - begin, t);
	if (e->conf.rxq->live) {
		st->first_tsc = st->first_tsc != 0 ? st->first_tsc : begin;
		st->last_tsc = t;
	}
	return t;
}

/* Everything still open gets its row. */
static void drain(struct zb_engine *e)
{
	uint32_t cursor = 0;

	e->an.over_ns = last_ns(e);
	if (e->an.tunnels != NULL)
		zb_tunnels_expire(e->an.tunnels, &e->b, e->an.over_ns);
	while (zb_conn_set_drain(&e->set, &cursor))
		zb_stage_log(e);
	zb_analysis_end(&e->an);
	flush_rows(e);
}

static bool is_over(const struct zb_engine *e)
{
	return e->conf.rxq->done ||
	       (e->conf.stop != NULL && __atomic_load_n(e->conf.stop, __ATOMIC_RELAXED));
}

/*
 * What came before the first packet of a trace was waiting for the source, and counts for nothing.
 * The first row of statistics covers that packet alone, as Zeek's does.
 */
static uint64_t run_to_first(struct zb_engine *e, uint64_t t)
{
	struct zb_lcore_stat *st = e->conf.stat;

	st->first_tsc = t;
	while (!is_over(e)) {
		uint64_t begin = t;

		t = turn(e, 1, t);
		if (e->b.pkt_nr != 0) {
			st->first_tsc = begin;
			st->idle_cycles = st->stage_cycles[ZB_STAGE_idle] = 0;
			st->c[ZB_C_empty_polls] = 0;
			st->gap = (struct zb_gap){0};
			memset(st->gap_cycles, 0, sizeof(st->gap_cycles));
			zb_gap_watch_begin(&e->gaps, t);
			snapshot(e, 0, false);
			break;
		}
	}
	return t;
}

const uint64_t *zb_engine_weirds(const struct zb_engine *e)
{
	return e->weird.count;
}

const struct zb_large *zb_engine_large(const struct zb_engine *e)
{
	return &e->an.mem.large;
}

void zb_engine_run(struct zb_engine *e)
{
	struct zb_lcore_stat *st = e->conf.stat;
	uint64_t t = rte_rdtsc();

	zb_conn_rare_count_in(&e->an.mem);
	e->until_ns = UINT64_MAX;
	zb_gap_watch_begin(&e->gaps, t);
	zb_heap_thread_open(&e->heap);
	/* Live, an interval without packets is one as well. */
	if (!e->conf.rxq->live)
		t = run_to_first(e, t);
	e->interval = 1;
	e->until_ns = e->conf.start_ns + e->conf.interval_ns;
	while (!is_over(e))
		t = turn(e, e->conf.burst_max, t);
	refresh_stat(e);
	if (e->conf.at_end != NULL)
		e->conf.at_end(e->conf.at_end_arg);
	uint64_t begin = rte_rdtsc(), waited = begin - t;

	zb_gap_watch_skip(&e->gaps, waited);
	drain(e);
	t = zb_mark(&st->stage_cycles[ZB_STAGE_log], begin);
	st->busy_cycles += t - begin;
	st->gap_cycles[ZB_STAGE_log] +=
		zb_gap_turn(&e->gaps, &st->gap, t - begin, 0, true, t) + waited_now(e);
	/*
	 * The time that someone looked at the state is nobody's work; live, that after the last
	 * packet is not either.
	 */
	if (!e->conf.rxq->live)
		st->last_tsc = t - waited;
	snapshot(e, e->interval, true);
	zb_conn_rare_count_in(NULL);
}

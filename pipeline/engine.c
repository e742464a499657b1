/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine.c - the stages as functions of their own, so that profiles show them by name, and the loop
 * around them
 *
 * Between stages a burst is three arrays: packets, keys, connections; live lists the packets that
 * are in a connection, those out of tunnels among them (burst.h). The flow stage looks all keys up
 * and prefetches; because a packet may end its connection (by time-out or reuse) while later
 * packets of the burst point at it, the conn stage settles each packet's connection again, which
 * costs one flag test in the usual case.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <rte_cycles.h>
#include <rte_pause.h>

#include "pipeline/conn_log.h"
#include "pipeline/conn_update.h"
#include "pipeline/decode.h"
#include "pipeline/engine.h"
#include "pipeline/expect.h"
#include "pipeline/file.h"
#include "pipeline/frag.h"
#include "pipeline/known.h"
#include "pipeline/timer_count.h"
#include "pipeline/tunnel.h"

#define SESSION_AHEAD 8 /* packets: how far ahead of the conn stage sessions are fetched */

#define NOINLINE __attribute__((noinline))

struct zb_engine {
	struct zb_burst b;
	struct zb_conn_set set;
	struct zb_weird weird;
	struct zb_decoder decoder;
	struct zb_analysis an;
	struct zb_delivery_list deliveries; /* what the conn stage pushed */
	struct zb_engine_conf conf;
	uint64_t until_ns; /* next statistics boundary */
	uint64_t interval; /* its number */
};

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
	ret = create_tunnels(e);
	if (ret < 0)
		goto fini_analysis;
	*out = e;
	return 0;

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
	assert(e->an.mem.total == 0); /* all that was taken has been given back */
	zb_weird_fini(&e->weird);
	zb_conn_set_fini(&e->set);
	free(e);
}

static NOINLINE void zb_stage_rx(struct zb_engine *e, uint16_t n)
{
	struct zb_lcore_stat *st = e->conf.stat;
	uint64_t bytes = 0, newest = st->net_time_ns;
	struct zb_burst *b = &e->b;
	uint16_t shadows = 0;

	b->pkt_nr = zb_rxq_burst(e->conf.rxq, b->pkts, n, e->until_ns);
	for (uint16_t i = 0; i < b->pkt_nr; i++) {
		bool shadow = b->pkts[i].flags & ZB_PKT_INNER_ONLY;
		uint64_t now = zb_pkt_now_ns(&b->pkts[i]);

		bytes += shadow ? 0 : b->pkts[i].wire_len;
		shadows = (uint16_t)(shadows + shadow);
		newest = now > newest ? now : newest;
	}
	st->c[ZB_C_pkts_proc] += (uint16_t)(b->pkt_nr - shadows);
	st->c[ZB_C_bytes_recv] += bytes;
	st->net_time_ns = newest;
}

static NOINLINE void zb_stage_decode(struct zb_engine *e)
{
	zb_decode_burst(&e->decoder, &e->b);
}

static void prefetch_conn(const struct zb_conn *c)
{
	for (unsigned line = 0; line < 4; line++)
		__builtin_prefetch((const char *)c + line * 64);
}

static NOINLINE void zb_stage_flow(struct zb_engine *e)
{
	struct zb_conn_set *s = &e->set;
	struct zb_burst *b = &e->b;
	uint32_t first[ZB_BURST_ROOM];
	struct zb_flow_pos pos;

	/* A hash that is there is hardly ever another key's: all of the connection is fetched. */
	for (uint16_t i = 0; i < b->live_nr; i++) {
		first[i] = zb_flow_first(&s->table, (uint32_t)b->pkts[b->live[i]].hash, &pos);
		if (first[i] != ZB_FLOW_NONE)
			prefetch_conn(zb_conn_at(&s->pool, first[i]));
	}
	for (uint16_t i = 0; i < b->live_nr; i++) {
		const struct zb_pkt *p = &b->pkts[b->live[i]];
		const struct zb_flow_key *key = &b->keys[b->live[i]];
		struct zb_conn *c =
			first[i] != ZB_FLOW_NONE ? zb_conn_at(&s->pool, first[i]) : NULL;

		/*
		 * Not there, not there before this burst, or another key with the same hash: look
		 * again.
		 */
		if (c == NULL || !zb_flow_key_equal(&c->key, key))
			c = zb_conn_set_find(s, key, (uint32_t)p->hash);
		/*
		 * What is in a tunnel is a connection only if the one around it agrees; so that
		 * connections are born in the order of packets, the others wait too.
		 */
		if (c == NULL && b->inner_nr == 0)
			c = zb_conn_birth(s, p, key);
		b->conns[b->live[i]] = c;
	}
}

/* Packet i has to do with tunnels, or its connection has had: before c takes it. */
static NOINLINE void mind_tunnels(struct zb_engine *e, uint16_t i, struct zb_conn *c)
{
	const struct zb_pkt *p = &e->b.pkts[i];

	/* Other workers, who have what is inside, must know the uid too. */
	if (p->flags & ZB_PKT_OUTER_ONLY && p->flags & ZB_PKT_WRAPS && c->flags & ZB_CONN_FRESH)
		c->uid_seq = zb_tunnel_uid_seq(&c->key, e->conf.secret);
	if (p->flags & ZB_PKT_VIRTUAL || (c->rare != NULL && c->rare->tunnel != NULL))
		zb_tunnels_inner(e->an.tunnels, &e->b, zb_burst_encap(&e->b, i), c);
}

/*
 * Connections from live packet at on, up to one whose connection has data pending: what analyzers
 * do to a connection comes before its next packet. Returns where to go on.
 */
static NOINLINE uint16_t zb_stage_conn(struct zb_engine *e, uint16_t at)
{
	uint64_t *fate = e->conf.stat->fate;
	struct zb_burst *b = &e->b;

	for (; at < b->live_nr; at++) {
		uint16_t i = b->live[at];
		const struct zb_pkt *p = &b->pkts[i];
		bool is_virtual = p->flags & ZB_PKT_VIRTUAL;

		if (at + SESSION_AHEAD < b->live_nr &&
		    b->conns[b->live[at + SESSION_AHEAD]] != NULL)
			zb_session_prefetch(b->conns[b->live[at + SESSION_AHEAD]]);
		if (b->conns[i] != NULL && zb_session_is_pending(b->conns[i]))
			break;
		e->weird.now_ns = e->an.now_ns = zb_pkt_now_ns(p);
		if (is_virtual && zb_tunnels_vetoed(b, i)) {
			b->conns[i] = NULL;
			continue;
		}
		struct zb_conn *c =
			zb_conn_for_packet(&e->set, b->conns[i], p, &b->keys[i], &e->weird);

		if (c == NULL) {
			b->conns[i] = NULL;
			fate[ZB_FATE_no_state] += !is_virtual;
			continue;
		}
		if (c != b->conns[i]) {
			b->conns[i] = c;
			if (zb_session_is_pending(c))
				break;
		}
		/* What may announce it has to be read first. */
		if (zb_expect_concerns(&e->an, &e->deliveries, c) &&
		    !zb_expect_apply(&e->an, &e->deliveries, c))
			break;
		fate[p->fate] += !is_virtual;
		if (p->flags & (ZB_PKT_VIRTUAL | ZB_PKT_WRAPS) || c->rare != NULL)
			mind_tunnels(e, i, c);
		zb_conn_packet(&e->set, c, p, &e->an, &e->deliveries);
		if (p->flags & ZB_PKT_WRAPS)
			zb_tunnels_outer(e->an.tunnels, b, i, c);
	}
	return at;
}

static NOINLINE void zb_stage_stream(struct zb_engine *e)
{
	zb_session_run(&e->deliveries);
}

/*
 * Beyond the cap every burst ends more connections than it can have begun. Those that go are the
 * next to time out, which may hold little; so what hangs on the others gets no more than an eighth
 * beyond it.
 */
static void hold_cap(struct zb_engine *e)
{
	uint64_t conns = zb_conn_set_bytes(&e->set), cap = e->conf.memcap_bytes;
	uint64_t most = cap + cap / 8;

	e->an.mem.total_max = most > conns ? most - conns : 0;
	if (e->an.mem.total + conns > cap)
		e->conf.stat->c[ZB_C_conns_capped] += zb_conn_set_shed(&e->set, ZB_BURST_MAX);
}

/*
 * Ends only what a packet still to come would find ended too, however late it says it is: so rows
 * do not depend on where bursts end.
 */
static NOINLINE void zb_stage_expire(struct zb_engine *e)
{
	uint64_t now = e->conf.stat->net_time_ns;

	zb_tunnels_expire(e->an.tunnels, &e->b, now);
	zb_conn_set_expire(&e->set, now > ZB_LATE_GRAIN_NS ? now - ZB_LATE_GRAIN_NS : 0);
	zb_analysis_expire(&e->an, now);
	if (e->conf.memcap_bytes != 0)
		hold_cap(e);
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

static NOINLINE void zb_stage_log(struct zb_engine *e)
{
	struct zb_conn_set *s = &e->set;
	struct zb_log_port *port = e->an.port[ZB_LOG_CONN];
	uint64_t now_ns = e->conf.stat->net_time_ns, weird_ns = e->weird.now_ns;

	for (uint32_t i = 0; i < s->finished_nr; i++) {
		struct zb_conn *c = zb_conn_at(&s->pool, s->finished[i]);
		bool was_tunnel = c->rare != NULL && c->rare->tunnel != NULL;

		if (i + 4 < s->finished_nr)
			prefetch_conn(zb_conn_at(&s->pool, s->finished[i + 4]));
		if (i + 2 < s->finished_nr)
			zb_session_prefetch(zb_conn_at(&s->pool, s->finished[i + 2]));
		if (i + 1 < s->finished_nr &&
		    zb_session_of(zb_conn_at(&s->pool, s->finished[i + 1])) != NULL)
			zb_session_prefetch_branch(
				zb_session_of(zb_conn_at(&s->pool, s->finished[i + 1])));
		/* What its end gives rise to is odd at its end, whichever packet came next here. */
		if (c->streams != NULL || c->history_lost != 0 || was_tunnel)
			e->weird.now_ns = zb_analysis_conn_end(&e->an, c, now_ns).ns;
		if (c->streams != NULL)
			zb_session_finish(c->streams);
		if (c->history_lost != 0)
			zb_weird_conn(&e->weird, c, ZB_WEIRD_history_truncated, NULL);
		if (e->an.known != NULL)
			zb_known_conn_end(e->an.known, c, now_ns);
		if (port != NULL)
			zb_conn_log_row(port, c, e->conf.secret);
		if (was_tunnel)
			zb_tunnels_conn_end(e->an.tunnels, c, e->weird.now_ns);
		zb_session_end(c);
	}
	e->weird.now_ns = weird_ns;
	zb_conn_set_release(s);
}

static void touch(struct zb_engine *e)
{
	e->conf.stat->fate[ZB_FATE_touched] += e->b.live_nr;
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
	st->c[ZB_C_weirds] = e->weird.total;
	st->c[ZB_C_weird_shed] = e->weird.seen.forgotten;
	st->g[ZB_G_log_buffer_bytes] = bytes;
	st->g[ZB_G_weird_bytes] = ZB_WEIRD_MEMORY * sizeof(struct zb_once_seen);
	zb_conn_set_gauges(&e->set);
	zb_mem_gauges(&e->an.mem, st);
	zb_timer_count(st, &(struct zb_timer_source){.set = &e->set,
						     .frag = e->decoder.frag,
						     .tunnels = e->an.tunnels,
						     .events = e->an.events});
	e->conf.rxq->ops->ledger(e->conf.rxq, &l);
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
	refresh_stat(e);
	if (e->conf.snaps != NULL && !zb_snap_put(e->conf.snaps, e->conf.stat, interval, last))
		e->conf.stat->c[ZB_C_snapshots_skipped]++;
}

/*
 * Takes the snapshot of every boundary up to the next packet's time as one, and finds the next
 * boundary.
 */
static void pass_boundary(struct zb_engine *e, uint64_t next_ns)
{
	uint64_t k = (next_ns - e->conf.start_ns) / e->conf.interval_ns;

	if (__atomic_load_n(&e->conf.on->snapshots, __ATOMIC_RELAXED))
		snapshot(e, k, false);
	e->interval = k + 1;
	e->until_ns = e->conf.start_ns + e->interval * e->conf.interval_ns;
}

/* The stages of one burst that rx has returned. */
static void walk(struct zb_engine *e)
{
	zb_stage_decode(e);
	if (e->conf.mode == ZB_ENGINE_TOUCH) {
		touch(e);
		return;
	}
	zb_stage_flow(e);
	for (uint16_t i = 0; i < e->b.live_nr;) {
		i = zb_stage_conn(e, i);
		zb_stage_stream(e);
	}
	zb_stage_expire(e);
	zb_stage_log(e);
	zb_frag_release(e->decoder.frag);
}

static uint64_t mark(uint64_t *stage, uint64_t from)
{
	uint64_t now = rte_rdtsc();

	*stage += now - from;
	return now;
}

/* The same walk with the counter read between stages. */
static uint64_t walk_marked(struct zb_engine *e, uint64_t t)
{
	uint64_t *stage = e->conf.stat->stage_cycles;

	zb_stage_decode(e);
	t = mark(&stage[ZB_STAGE_decode], t);
	if (e->conf.mode == ZB_ENGINE_TOUCH) {
		touch(e);
		return t;
	}
	zb_stage_flow(e);
	t = mark(&stage[ZB_STAGE_flow], t);
	for (uint16_t i = 0; i < e->b.live_nr;) {
		i = zb_stage_conn(e, i);
		t = mark(&stage[ZB_STAGE_conn], t);
		zb_stage_stream(e);
		t = mark(&stage[ZB_STAGE_stream], t);
	}
	zb_stage_expire(e);
	t = mark(&stage[ZB_STAGE_expire], t);
	zb_stage_log(e);
	zb_frag_release(e->decoder.frag);
	return mark(&stage[ZB_STAGE_log], t);
}

static NOINLINE void zb_idle_poll(struct zb_engine *e)
{
	e->conf.stat->c[ZB_C_empty_polls]++;
	rte_pause();
}

static unsigned fill_bucket(uint16_t n)
{
	return n <= 1 ? 0 : 32 - (unsigned)__builtin_clz((unsigned)n - 1);
}

/* Ends of connections are found late, and count when they were due. */
static void report_progress(struct zb_engine *e)
{
	uint64_t now = e->conf.stat->net_time_ns, ends = zb_wheel_passed_ns(&e->set.wheel);

	zb_once_progress(e->conf.once, ends < now ? ends : now);
}

/*
 * One turn of the loop; the end of one is the beginning of the next, so that no cycle goes
 * unaccounted.
 */
static uint64_t turn(struct zb_engine *e, uint16_t n, uint64_t t)
{
	struct zb_lcore_stat *st = e->conf.stat;
	uint64_t begin = t;

	zb_stage_rx(e, n);
	if (e->b.pkt_nr == 0) {
		if (!e->conf.rxq->done) {
			uint64_t next = e->conf.rxq->ops->next_ns(e->conf.rxq);

			if (next != 0 && next >= e->until_ns)
				pass_boundary(e, next);
			else
				zb_idle_poll(e);
		}
		t = mark(&st->stage_cycles[ZB_STAGE_idle], t);
		st->idle_cycles += t - begin;
		return t;
	}
	st->c[ZB_C_bursts]++;
	st->burst_fill[fill_bucket(e->b.pkt_nr)]++;
	if (__atomic_load_n(&e->conf.on->marks, __ATOMIC_RELAXED)) {
		t = mark(&st->stage_cycles[ZB_STAGE_rx], t);
		t = walk_marked(e, t);
	} else {
		walk(e);
		t = rte_rdtsc();
	}
	if (e->conf.once != NULL)
		report_progress(e);
	st->busy_cycles += t - begin;
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
	for (uint16_t i = 0; i < ZB_LOG_ENGINE_NR; i++) {
		struct zb_log_port *port = zb_log_port(e->conf.logs, i, (uint16_t)e->conf.index);

		if (port != NULL)
			zb_log_flush(port);
	}
}

void zb_engine_run(struct zb_engine *e)
{
	struct zb_lcore_stat *st = e->conf.stat;
	uint64_t t = rte_rdtsc();

	zb_conn_rare_count_in(&e->an.mem);
	e->until_ns = UINT64_MAX;
	st->first_tsc = t;
	/* The first row of statistics covers one packet, as Zeek's does on a trace. */
	while (!e->conf.rxq->done && !__atomic_load_n(e->conf.stop, __ATOMIC_RELAXED)) {
		t = turn(e, 1, t);
		if (e->b.pkt_nr != 0) {
			snapshot(e, 0, false);
			break;
		}
	}
	e->interval = 1;
	e->until_ns = e->conf.start_ns + e->conf.interval_ns;
	while (!e->conf.rxq->done && !__atomic_load_n(e->conf.stop, __ATOMIC_RELAXED))
		t = turn(e, e->conf.burst_max, t);
	refresh_stat(e);
	if (e->conf.at_end != NULL)
		e->conf.at_end(e->conf.at_end_arg);
	uint64_t begin = rte_rdtsc(), waited = begin - t;

	drain(e);
	t = mark(&st->stage_cycles[ZB_STAGE_log], begin);
	st->busy_cycles += t - begin;
	st->last_tsc = t - waited; /* the time that someone looked at the state is nobody's work */
	snapshot(e, e->interval, true);
	zb_conn_rare_count_in(NULL);
}

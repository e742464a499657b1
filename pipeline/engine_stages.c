/* SPDX-License-Identifier: Apache-2.0 */
/* engine_stages.c - the stages as functions of their own, so that profiles show them by name */
#include "pipeline/conn_log.h"
#include "pipeline/conn_update.h"
#include "pipeline/engine_priv.h"
#include "pipeline/frag.h"
#include "pipeline/expect.h"
#include "pipeline/fault.h"
#include "pipeline/file.h"
#include "pipeline/known.h"
#include "pipeline/meter.h"
#include "pipeline/tunnel.h"

#define SESSION_AHEAD 8 /* packets: how far ahead of the conn stage sessions are fetched */

void zb_stage_rx(struct zb_engine *e, uint16_t n)
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

void zb_stage_decode(struct zb_engine *e)
{
	zb_decode_burst(&e->decoder, &e->b);
	if (__builtin_expect(e->an.fault != NULL, 0))
		zb_fault_decoded(e->an.fault, &e->b, &e->set);
}

static void prefetch_conn(const struct zb_conn *c)
{
	for (unsigned line = 0; line < 4; line++)
		__builtin_prefetch((const char *)c + line * 64);
}

void zb_stage_flow(struct zb_engine *e)
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
static __attribute__((noinline)) void mind_tunnels(struct zb_engine *e, uint16_t i,
						   struct zb_conn *c)
{
	const struct zb_pkt *p = &e->b.pkts[i];

	/* Other workers, who have what is inside, must know the uid too. */
	if (p->flags & ZB_PKT_OUTER_ONLY && p->flags & ZB_PKT_WRAPS && c->flags & ZB_CONN_FRESH)
		c->uid_seq = zb_tunnel_uid_seq(&c->key, e->conf.secret);
	if (p->flags & ZB_PKT_VIRTUAL || (c->rare != NULL && c->rare->tunnel != NULL))
		zb_tunnels_inner(e->an.tunnels, &e->b, zb_burst_encap(&e->b, i), c);
}

uint16_t zb_stage_conn(struct zb_engine *e, uint16_t at)
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
		zb_meter_conn(&e->an, c);
		fate[p->fate] += !is_virtual;
		if (p->flags & (ZB_PKT_VIRTUAL | ZB_PKT_WRAPS) || c->rare != NULL)
			mind_tunnels(e, i, c);
		zb_conn_packet(&e->set, c, p, &e->an, &e->deliveries);
		if (p->flags & ZB_PKT_WRAPS)
			zb_tunnels_outer(e->an.tunnels, b, i, c);
	}
	return at;
}

void zb_stage_stream(struct zb_engine *e)
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

void zb_stage_expire(struct zb_engine *e)
{
	uint64_t now = e->conf.stat->net_time_ns;

	zb_tunnels_expire(e->an.tunnels, &e->b, now);
	if (__builtin_expect(e->an.fault == NULL, 1) ||
	    !zb_fault_expire(e->an.fault, &e->b, &e->set))
		zb_conn_set_expire(&e->set, now > ZB_LATE_GRAIN_NS ? now - ZB_LATE_GRAIN_NS : 0);
	zb_frag_expire(e->decoder.frag, now > ZB_LATE_GRAIN_NS ? now - ZB_LATE_GRAIN_NS : 0);
	zb_analysis_expire(&e->an, now);
	if (e->conf.memcap_bytes != 0)
		hold_cap(e);
}

void zb_stage_log(struct zb_engine *e)
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
		zb_meter_conn(&e->an, c);
		/* What its end gives rise to is odd at its end, whichever packet came next here. */
		if (c->streams != NULL || c->history_lost != 0 || was_tunnel)
			e->weird.now_ns = zb_analysis_conn_end(&e->an, c, now_ns).ns;
		if (c->streams != NULL)
			zb_session_finish(c->streams);
		if (c->history_lost != 0)
			zb_weird_conn(&e->weird, c, ZB_WEIRD_history_truncated, NULL);
		if (e->an.known != NULL)
			zb_known_conn_end(e->an.known, c, now_ns);
		if (port != NULL) {
			uint8_t was = zb_meter_enter(&e->an, ZB_METER_ROWS + ZB_LOG_CONN);

			zb_conn_log_row(port, c, e->conf.secret);
			zb_meter_leave(&e->an, was);
		}
		if (was_tunnel)
			zb_tunnels_conn_end(e->an.tunnels, c, e->weird.now_ns);
		zb_session_end(c);
	}
	e->weird.now_ns = weird_ns;
	zb_conn_set_release(s);
}

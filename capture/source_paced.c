/* SPDX-License-Identifier: Apache-2.0 */
/* source_paced.c - see source_paced.h */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <rte_cycles.h>
#include <rte_pause.h>
#include <stdlib.h>
#include <string.h>

#include "capture/replay_priv.h"
#include "capture/rewrite_priv.h"
#include "capture/source_paced.h"
#include "profiler/diag.h"
#include "profiler/lcore_stat.h"
#include "profiler/topology.h"

#define PREFETCH_AHEAD 16u
#define DURATION_MAX_S 1e9 /* thirty years: for ever */
#define START_MS       1   /* from start() to the first packet: the feeder has to get going */

/* A packet that waits. */
struct entry {
	uint64_t due_tsc;
	uint32_t index; /* in the shard */
	uint32_t pass;
};

/* What the feeder counts of a queue. */
struct fed {
	uint64_t offered_pkts, offered_bytes;
	uint64_t unsent_pkts, unsent_bytes;
	uint64_t dropped_pkts, dropped_bytes;
};

struct queue {
	/* Written by the worker. */
	alignas(64) struct zb_rxq rxq;
	uint64_t tail; /* entries taken */
	uint64_t seen; /* head when last looked at */

	/* Written by the feeder. */
	alignas(64) uint64_t head; /* entries put; released with the entries before it */
	uint64_t taken;		   /* tail when last looked at */
	uint64_t next;		   /* of the shard, in this pass */
	struct fed fed;
	struct zb_source_drop first_drop;
	bool ended; /* nothing will be put any more */

	/* Read-only after open. */
	alignas(64) struct entry *ring;
	uint64_t mask;
	struct zb_trace_pkt *pkts;
	uint64_t pkt_nr;
	uint32_t *pass_of; /* as which pass each packet stands in memory; NULL: never rewritten */
	struct paced *paced;
	const struct zb_lcore_stat *stat;
};

struct paced {
	struct zb_source base;
	struct zb_paced_conf conf;
	struct queue *queues;
	uint64_t tsc_hz, begin_tsc, late_tsc;
	uint64_t period_ns;
	cpu_set_t cpus;
	pthread_t feeder;
	bool running;
	struct zb_lag lag; /* the feeder's own */
};

/* ---- the worker's side ---- */

static uint64_t shift_of(const struct paced *s, uint64_t pass)
{
	uint64_t shift;

	return __builtin_mul_overflow(pass, s->period_ns, &shift) ? UINT64_MAX : shift;
}

static uint64_t entry_ns(const struct queue *q, const struct entry *e)
{
	return zb_replay_shifted(q->pkts[e->index].ts_ns, shift_of(q->paced, e->pass));
}

static uint64_t waiting(struct queue *q)
{
	if (q->seen == q->tail)
		q->seen = __atomic_load_n(&q->head, __ATOMIC_ACQUIRE);
	return q->seen - q->tail;
}

static uint64_t lag_ns(const struct paced *s, uint64_t due, uint64_t now)
{
	/* The counters of two cores may differ by a little. */
	return now > due ? (uint64_t)((unsigned __int128)(now - due) * NS_PER_S / s->tsc_hz) : 0;
}

static void take(struct queue *q, const struct entry *e, struct zb_pkt *out, uint64_t ts_ns)
{
	struct zb_trace_pkt *t = &q->pkts[e->index];

	if (q->pass_of != NULL && q->pass_of[e->index] != e->pass) {
		zb_rewrite(t, q->pass_of[e->index], e->pass);
		q->pass_of[e->index] = e->pass;
	}
	zb_replay_fill(out, t, ts_ns);
}

static uint16_t paced_burst(struct zb_rxq *rxq, struct zb_pkt *pkts, uint16_t n, uint64_t until_ns)
{
	struct queue *q = rxq->priv;
	/* Read before the ring is: what was put before the end is then seen. */
	bool ended = __atomic_load_n(&q->ended, __ATOMIC_ACQUIRE);
	uint64_t left = waiting(q), now;
	uint16_t i;

	if (left == 0 && ended && __atomic_load_n(&q->head, __ATOMIC_ACQUIRE) == q->tail) {
		rxq->done = true;
		rxq->queued = 0;
		return 0;
	}
	n = left < n ? (uint16_t)left : n;
	now = rte_rdtsc();
	for (i = 0; i < n; i++) {
		const struct entry *e = &q->ring[(q->tail + i) & q->mask];
		uint64_t ts_ns = entry_ns(q, e);

		if (ts_ns >= until_ns)
			break;
		if (i + PREFETCH_AHEAD < left)
			__builtin_prefetch(
				q->pkts[q->ring[(q->tail + i + PREFETCH_AHEAD) & q->mask].index]
					.data);
		take(q, e, &pkts[i], ts_ns);
		rxq->lag_ns = lag_ns(q->paced, e->due_tsc, now);
		if (rxq->lag != NULL)
			zb_lag_note(rxq->lag, rxq->lag_ns);
	}
	rxq->queued = left - i;
	/* The feeder may write over them from now on. */
	__atomic_store_n(&q->tail, q->tail + i, __ATOMIC_RELEASE);
	return i;
}

static uint64_t paced_next_ns(const struct zb_rxq *rxq)
{
	struct queue *q = rxq->priv;

	if (rxq->done || __atomic_load_n(&q->head, __ATOMIC_ACQUIRE) == q->tail)
		return 0;
	return entry_ns(q, &q->ring[q->tail & q->mask]);
}

static uint64_t paced_time_from(const struct zb_rxq *rxq, uint64_t ns)
{
	const struct queue *q = rxq->priv;
	const struct paced *s = q->paced;
	/* The pass that the worker is in: that of the packet it took last. */
	uint64_t pass = q->tail != 0 ? q->ring[(q->tail - 1) & q->mask].pass : 0;
	uint64_t shift = shift_of(s, pass), first;

	first = zb_replay_first_from(s->conf.trace, s->conf.queue_nr, ns > shift ? ns - shift : 0);
	return first != UINT64_MAX ? zb_replay_shifted(first, shift) : 0;
}

static void paced_ledger(const struct zb_rxq *rxq, struct zb_rxq_ledger *out)
{
	const struct queue *q = rxq->priv;
	struct fed f;

	/* Each for itself: while the feeder runs they need not fit each other. */
	f.offered_pkts = zb_stat_peek(&q->fed.offered_pkts);
	f.offered_bytes = zb_stat_peek(&q->fed.offered_bytes);
	f.unsent_pkts = zb_stat_peek(&q->fed.unsent_pkts);
	f.unsent_bytes = zb_stat_peek(&q->fed.unsent_bytes);
	f.dropped_pkts = zb_stat_peek(&q->fed.dropped_pkts);
	f.dropped_bytes = zb_stat_peek(&q->fed.dropped_bytes);
	*out = (struct zb_rxq_ledger){
		.offered_pkts = f.offered_pkts,
		.offered_bytes = f.offered_bytes,
		.unsent_pkts = f.unsent_pkts,
		.unsent_bytes = f.unsent_bytes,
		.link_pkts = f.offered_pkts - f.unsent_pkts,
		.link_bytes = f.offered_bytes - f.unsent_bytes,
		.dropped_pkts = f.dropped_pkts,
		.dropped_bytes = f.dropped_bytes,
	};
}

static const struct zb_rxq_ops paced_ops = {
	.burst = paced_burst,
	.next_ns = paced_next_ns,
	.time_from = paced_time_from,
	.ledger = paced_ledger,
};

/* ---- the feeder ---- */

/* Relaxed: workers read them for statistics only. */
static void count(uint64_t *c, uint64_t n)
{
	__atomic_store_n(c, *c + n, __ATOMIC_RELAXED);
}

static void note_drop(struct queue *q, const struct zb_trace_pkt *t, uint64_t pass)
{
	const struct paced *s = q->paced;
	struct zb_source_drop *d = &q->first_drop;

	d->happened = true;
	d->wall_s = (double)(rte_rdtsc() - s->begin_tsc) / (double)s->tsc_hz;
	d->pkt_ns = zb_replay_shifted(t->ts_ns, shift_of(s, pass));
	if (q->stat != NULL) {
		d->stage = (unsigned)zb_stat_peek(&q->stat->stage_now);
		d->worker_pkts = zb_stat_peek(&q->stat->c[ZB_C_pkts_proc]);
	}
}

static void put(struct queue *q, uint64_t pass, uint64_t due)
{
	const struct zb_trace_pkt *t = &q->pkts[q->next];
	/* A shadow is another worker's packet, and counts nowhere. */
	uint64_t one = t->part != ZB_PART_INNER, bytes = one ? t->wire_len : 0;

	count(&q->fed.offered_pkts, one);
	count(&q->fed.offered_bytes, bytes);
	if (q->head - q->taken > q->mask)
		q->taken = __atomic_load_n(&q->tail, __ATOMIC_ACQUIRE);
	if (q->head - q->taken > q->mask) {
		count(&q->fed.dropped_pkts, one);
		count(&q->fed.dropped_bytes, bytes);
		if (!q->first_drop.happened)
			note_drop(q, t, pass);
		return;
	}
	q->ring[q->head & q->mask] =
		(struct entry){.due_tsc = due, .index = (uint32_t)q->next, .pass = (uint32_t)pass};
	__atomic_store_n(&q->head, q->head + 1, __ATOMIC_RELEASE);
}

/* The queue with the earliest packet of this pass; NULL: the pass is over. */
static struct queue *earliest(struct paced *s)
{
	struct queue *best = NULL;
	uint64_t best_ns = 0;

	for (uint32_t i = 0; i < s->conf.queue_nr; i++) {
		struct queue *q = &s->queues[i];

		if (q->next < q->pkt_nr && (best == NULL || q->pkts[q->next].ts_ns < best_ns)) {
			best = q;
			best_ns = q->pkts[q->next].ts_ns;
		}
	}
	return best;
}

static bool stopped(const struct paced *s)
{
	return s->conf.stop != NULL && __atomic_load_n(s->conf.stop, __ATOMIC_RELAXED);
}

/* Waits until due, and hands the packet on; false: stopped while waiting. */
static bool feed(struct paced *s, struct queue *q, uint64_t pass, uint64_t due)
{
	const struct zb_trace_pkt *t = &q->pkts[q->next];
	uint64_t now = rte_rdtsc();

	while (now < due) {
		if (stopped(s))
			return false;
		rte_pause();
		now = rte_rdtsc();
	}
	zb_lag_note(&s->lag, lag_ns(s, due, now));
	if (now - due <= s->late_tsc) {
		put(q, pass, due);
	} else if (t->part != ZB_PART_INNER) {
		count(&q->fed.offered_pkts, 1);
		count(&q->fed.offered_bytes, t->wire_len);
		count(&q->fed.unsent_pkts, 1);
		count(&q->fed.unsent_bytes, t->wire_len);
	}
	return true;
}

static void feed_all(struct paced *s)
{
	struct zb_pace schedule;
	uint64_t shift = 0, end_tsc = UINT64_MAX;

	if (s->conf.duration_s > 0 && s->conf.duration_s < DURATION_MAX_S)
		end_tsc = s->begin_tsc + (uint64_t)(s->conf.duration_s * (double)s->tsc_hz);

	zb_pace_init(&schedule, &s->conf.rate, s->conf.tsc_hz);
	for (uint64_t pass = 0; s->conf.loops == 0 || pass < s->conf.loops; pass++) {
		struct queue *q;

		/* A pass's number has to fit an entry: 4 billion passes. */
		if (pass > UINT32_MAX || stopped(s))
			return;
		for (uint32_t i = 0; i < s->conf.queue_nr; i++)
			s->queues[i].next = 0;
		for (; (q = earliest(s)) != NULL; q->next++) {
			const struct zb_trace_pkt *t = &q->pkts[q->next];
			uint64_t due;

			zb_pace_at(&schedule, zb_replay_shifted(t->ts_ns, shift));
			due = s->begin_tsc + zb_pace_due(&schedule);
			if (due >= end_tsc || stopped(s) || !feed(s, q, pass, due))
				return;
			/* A shadow takes no time of its own: it is a packet's other half. */
			if (t->part != ZB_PART_INNER)
				zb_pace_next(&schedule, t->wire_len);
		}
		shift = shift_of(s, pass + 1);
	}
}

static void *feeder_main(void *arg)
{
	struct paced *s = arg;
	int ret = zb_topo_pin_self_set(&s->cpus);

	if (ret < 0)
		zb_warn("--rate: the feeder cannot be pinned: %s", strerror(-ret));
	pthread_setname_np(pthread_self(), "zb-feeder");
	feed_all(s);
	for (uint32_t i = 0; i < s->conf.queue_nr; i++)
		__atomic_store_n(&s->queues[i].ended, true, __ATOMIC_RELEASE);
	return NULL;
}

/* ---- the source ---- */

static struct zb_rxq *source_queue(struct zb_source *base, uint32_t i)
{
	struct paced *s = (struct paced *)base;

	assert(i < s->conf.queue_nr);
	return &s->queues[i].rxq;
}

static int source_start(struct zb_source *base)
{
	struct paced *s = (struct paced *)base;
	int ret;

	s->begin_tsc = rte_rdtsc() + s->tsc_hz / 1000 * START_MS;
	ret = pthread_create(&s->feeder, NULL, feeder_main, s);
	s->running = ret == 0;
	if (ret != 0)
		zb_err("--rate: the feeder cannot be started: %s", strerror(ret));
	/* Nobody will come: the workers shall not wait. */
	for (uint32_t i = 0; ret != 0 && i < s->conf.queue_nr; i++)
		__atomic_store_n(&s->queues[i].ended, true, __ATOMIC_RELEASE);
	return -ret;
}

static void source_first_drop(const struct zb_source *base, uint32_t i, struct zb_source_drop *out)
{
	*out = ((const struct paced *)base)->queues[i].first_drop;
}

static void close_queue(struct queue *q)
{
	for (uint64_t i = 0; q->pass_of != NULL && i < q->pkt_nr; i++)
		zb_rewrite(&q->pkts[i], q->pass_of[i], 0);
	free(q->pass_of);
	free(q->ring);
}

static void source_close(struct zb_source *base)
{
	struct paced *s = (struct paced *)base;

	if (s->running)
		pthread_join(s->feeder, NULL);
	for (uint32_t i = 0; s->queues != NULL && i < s->conf.queue_nr; i++)
		close_queue(&s->queues[i]);
	free(s->queues);
	free(s);
}

static const struct zb_source_ops source_ops = {
	.queue = source_queue,
	.start = source_start,
	.first_drop = source_first_drop,
	.close = source_close,
};

static int make_queue(struct paced *s, uint32_t i)
{
	const struct zb_trace_shard *shard = zb_trace_shard(s->conf.trace, i);
	struct queue *q = &s->queues[i];

	*q = (struct queue){
		.rxq = {.ops = &paced_ops, .priv = q},
		.mask = s->conf.rx_desc - 1,
		.pkts = shard->pkts,
		.pkt_nr = shard->pkt_nr,
		.paced = s,
		.stat = s->conf.stat != NULL ? s->conf.stat[i] : NULL,
	};
	if (shard->pkt_nr > UINT32_MAX) {
		zb_err("--rate: %" PRIu64 " packets for one worker are too many; use more --cores",
		       shard->pkt_nr);
		return -EINVAL;
	}
	q->ring = calloc(s->conf.rx_desc, sizeof(*q->ring));
	if (s->conf.loops != 1 && !s->conf.same_flows)
		q->pass_of = calloc(shard->pkt_nr + 1, sizeof(*q->pass_of));
	if (q->ring != NULL && (q->pass_of != NULL || s->conf.loops == 1 || s->conf.same_flows))
		return 0;
	zb_err("--rate: %s for %u queues", strerror(ENOMEM), s->conf.queue_nr);
	return -ENOMEM;
}

int zb_paced_open(const struct zb_paced_conf *conf, struct zb_source **out)
{
	const struct zb_trace_info *info = zb_trace_info(conf->trace);
	struct paced *s;
	int ret = 0;

	assert(conf->rx_desc != 0 && (conf->rx_desc & (conf->rx_desc - 1)) == 0);
	assert(conf->queue_nr > 0 && conf->queue_nr <= ZB_CPUS_MAX);
	if (info->memory == ZB_MEM_FILE && !conf->same_flows && conf->loops != 1) {
		zb_err("replay: the trace was loaded read-only; its packets cannot be rewritten");
		return -EINVAL;
	}
	s = calloc(1, sizeof(*s));
	if (s != NULL)
		s->queues = zb_source_queues(conf->queue_nr, sizeof(*s->queues));
	if (s == NULL || s->queues == NULL) {
		free(s);
		zb_err("--rate: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	s->base.ops = &source_ops;
	s->conf = *conf;
	s->cpus = *conf->feeder_cpus;
	s->tsc_hz = (uint64_t)conf->tsc_hz;
	s->late_tsc = s->tsc_hz / 1000 * ZB_PACED_LATE_MS;
	s->period_ns = zb_replay_period(info, 0);
	for (uint32_t i = 0; ret == 0 && i < conf->queue_nr; i++)
		ret = make_queue(s, i);
	s->conf.stat = NULL; /* the caller's array */
	if (ret < 0) {
		source_close(&s->base);
		return ret;
	}
	*out = &s->base;
	return 0;
}

const struct zb_lag *zb_paced_feeder_lag(const struct zb_source *base)
{
	return &((const struct paced *)base)->lag;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_replay.c - hands out a trace's packets, pass after pass; see source_replay.h
 *
 * A packet is rewritten when it is handed out, not all of them between two passes: the worker never
 * pauses, and the packet's first cache line is on its way already. So in pass k the packets before
 * pos carry pass k's addresses and the others still pass k-1's, which is what close undoes.
 */
#include <errno.h>
#include <stdlib.h>
#include "profiler/diag.h"
#include "profiler/lcore_stat.h"
#include "profiler/topology.h"
#include "capture/replay_priv.h"
#include "capture/rewrite_priv.h"
#include "capture/source_replay.h"

/*
 * Packets: a whole burst, so that headers have all the time the burst before takes to come from
 * memory. With 16, decode waited for most of them.
 */
#define PREFETCH_AHEAD 64
#define GAP_NS_MIN     1000u

struct queue {
	/* Written by the worker on every burst. */
	alignas(64) struct zb_rxq rxq;
	uint64_t pos;	   /* next entry of the shard */
	uint64_t shadows;  /* entries before pos that are shadows */
	uint64_t pass;	   /* from 0 */
	uint64_t shift_ns; /* added to packet times in this pass */
	uint64_t offered_pkts, offered_bytes;

	/* Read-only after open. */
	alignas(64) struct zb_trace_pkt *pkts;
	uint64_t pkt_nr;    /* shadows included */
	uint64_t shadow_nr; /* of these */
	uint64_t loops;	    /* 0: no end */
	uint64_t period_ns; /* from a pass's first packet to the next one's */
	const struct zb_replay *replay;
	const bool *stop;
	bool rewrite;
};

struct zb_replay {
	struct zb_source base;
	struct zb_trace *trace;
	struct queue *queues;
	uint32_t queue_nr;
};

/* Makes pos point at a packet; false when there is none any more. */
static bool advance_pass(struct queue *q)
{
	if (q->pos < q->pkt_nr)
		return true;
	if (q->pkt_nr == 0 || (q->loops != 0 && q->pass + 1 >= q->loops))
		return false;
	q->pass++;
	q->pos = 0;
	q->shadows = 0;
	if (__builtin_add_overflow(q->shift_ns, q->period_ns, &q->shift_ns))
		q->shift_ns = UINT64_MAX;
	return true;
}

static uint64_t shifted_ns(const struct queue *q, uint64_t ts_ns)
{
	return zb_replay_shifted(ts_ns, q->shift_ns);
}

static void prefetch_pkt(const struct queue *q, uint64_t i)
{
	if (i >= q->pkt_nr)
		return;
	__builtin_prefetch(q->pkts[i].data);
	__builtin_prefetch(q->pkts[i].data + 64);
}

/* Packets of this pass from pos on, up to n, until_ns or the pass's end; returns how many. */
static uint16_t take(struct queue *q, struct zb_pkt *pkts, uint16_t n, uint64_t until_ns)
{
	uint64_t left = q->pkt_nr - q->pos, bytes = 0;
	bool rewrite = q->rewrite && q->pass > 0;
	uint16_t i, shadows = 0;

	if (n > left)
		n = (uint16_t)left;
	for (i = 0; i < n; i++) {
		struct zb_trace_pkt *t = &q->pkts[q->pos + i];
		uint64_t ts_ns = shifted_ns(q, t->ts_ns);

		if (ts_ns >= until_ns)
			break;
		prefetch_pkt(q, q->pos + i + PREFETCH_AHEAD);
		if (rewrite)
			zb_rewrite(t, q->pass - 1, q->pass);
		zb_replay_fill(&pkts[i], t, ts_ns);
		if (t->part == ZB_PART_INNER)
			shadows++;
		else
			bytes += t->wire_len;
	}
	q->pos += i;
	q->shadows += shadows;
	q->offered_pkts += i - shadows;
	q->offered_bytes += bytes;
	return i;
}

static uint16_t replay_burst(struct zb_rxq *rxq, struct zb_pkt *pkts, uint16_t n, uint64_t until_ns)
{
	struct queue *q = rxq->priv;

	/* Relaxed: a burst more or less does not matter. */
	if (rxq->done || (q->stop != NULL && __atomic_load_n(q->stop, __ATOMIC_RELAXED)) ||
	    !advance_pass(q)) {
		rxq->done = true;
		return 0;
	}
	return take(q, pkts, n, until_ns);
}

static uint64_t replay_next_ns(const struct zb_rxq *rxq)
{
	const struct queue *q = rxq->priv;
	struct queue ahead;

	if (rxq->done)
		return 0;
	if (q->pos < q->pkt_nr)
		return shifted_ns(q, q->pkts[q->pos].ts_ns);
	/* Between two passes: the next burst will begin another one. */
	ahead = *q;
	return advance_pass(&ahead) ? shifted_ns(&ahead, ahead.pkts[0].ts_ns) : 0;
}

/* The first of a shard's packets at or after ns. */
static uint64_t first_from(const struct zb_trace_shard *s, uint64_t ns)
{
	uint64_t low = 0, high = s->pkt_nr;

	while (low < high) {
		uint64_t mid = low + (high - low) / 2;

		if (s->pkts[mid].ts_ns < ns)
			low = mid + 1;
		else
			high = mid;
	}
	return low < s->pkt_nr ? s->pkts[low].ts_ns : UINT64_MAX;
}

uint64_t zb_replay_first_from(struct zb_trace *t, uint32_t shard_nr, uint64_t ns)
{
	uint64_t first = UINT64_MAX;

	for (uint32_t i = 0; i < shard_nr; i++) {
		uint64_t of_shard = first_from(zb_trace_shard(t, i), ns);

		first = of_shard < first ? of_shard : first;
	}
	return first;
}

static uint64_t replay_time_from(const struct zb_rxq *rxq, uint64_t ns)
{
	const struct queue *q = rxq->priv;
	uint64_t first = zb_replay_first_from(q->replay->trace, q->replay->queue_nr,
					      ns > q->shift_ns ? ns - q->shift_ns : 0);

	return first != UINT64_MAX ? shifted_ns(q, first) : 0;
}

/*
 * A trace in memory is a link that loses nothing. What was meant to come is told from the position
 * in the trace, what came from the bursts handed out, so that the two can disagree.
 */
static void replay_ledger(const struct zb_rxq *rxq, struct zb_rxq_ledger *out)
{
	const struct queue *q = rxq->priv;

	*out = (struct zb_rxq_ledger){
		.offered_pkts = q->pass * (q->pkt_nr - q->shadow_nr) + q->pos - q->shadows,
		.offered_bytes = q->offered_bytes,
		.link_pkts = q->offered_pkts,
		.link_bytes = q->offered_bytes,
	};
}

static const struct zb_rxq_ops replay_ops = {
	.burst = replay_burst,
	.next_ns = replay_next_ns,
	.time_from = replay_time_from,
	.ledger = replay_ledger,
};

uint64_t zb_replay_period(const struct zb_trace_info *info, uint64_t gap_ns)
{
	uint64_t span = info->last_ns - info->first_ns;

	if (gap_ns == 0 && info->pkt_nr > 1)
		gap_ns = span / (info->pkt_nr - 1);
	if (gap_ns < GAP_NS_MIN)
		gap_ns = GAP_NS_MIN;
	return gap_ns > UINT64_MAX - span ? UINT64_MAX : span + gap_ns;
}

static struct zb_rxq *source_queue(struct zb_source *s, uint32_t i)
{
	return zb_replay_queue((struct zb_replay *)s, i);
}

static void source_close(struct zb_source *s)
{
	zb_replay_close((struct zb_replay *)s);
}

static const struct zb_source_ops source_ops = {.queue = source_queue, .close = source_close};

struct zb_source *zb_replay_source(struct zb_replay *r)
{
	return &r->base;
}

int zb_replay_open(const struct zb_replay_conf *conf, struct zb_replay **out)
{
	const struct zb_trace_info *info = zb_trace_info(conf->trace);
	struct zb_replay *r;

	if (info->memory == ZB_MEM_FILE && !conf->same_flows && conf->loops != 1) {
		zb_err("replay: the trace was loaded read-only; its packets cannot be rewritten");
		return -EINVAL;
	}
	r = calloc(1, sizeof(*r));
	assert(conf->queue_nr > 0 && conf->queue_nr <= ZB_CPUS_MAX);
	if (r == NULL)
		goto no_memory;
	r->base.ops = &source_ops;
	r->trace = conf->trace;
	r->queue_nr = conf->queue_nr;
	r->queues = zb_source_queues(conf->queue_nr, sizeof(*r->queues));
	if (r->queues == NULL)
		goto no_memory;
	for (uint32_t i = 0; i < conf->queue_nr; i++) {
		const struct zb_trace_shard *s = zb_trace_shard(conf->trace, i);
		struct queue *q = &r->queues[i];

		*q = (struct queue){
			.replay = r,
			.rxq = {.ops = &replay_ops, .priv = q},
			.pkts = s->pkts,
			.pkt_nr = s->pkt_nr,
			.shadow_nr = s->shadow_nr,
			.loops = conf->loops,
			.period_ns = zb_replay_period(info, conf->pass_gap_ns),
			.stop = conf->stop,
			.rewrite = !conf->same_flows,
		};
	}
	*out = r;
	return 0;

no_memory:
	free(r);
	zb_err("replay: out of memory for %u queues", conf->queue_nr);
	return -ENOMEM;
}

/* Gives every packet the first pass's bytes back. */
static void restore(struct queue *q)
{
	if (!q->rewrite || q->pass == 0)
		return;
	for (uint64_t i = 0; i < q->pkt_nr; i++)
		zb_rewrite(&q->pkts[i], i < q->pos ? q->pass : q->pass - 1, 0);
}

void zb_replay_close(struct zb_replay *r)
{
	if (r == NULL)
		return;
	for (uint32_t i = 0; i < r->queue_nr; i++)
		restore(&r->queues[i]);
	free(r->queues);
	free(r);
}

struct zb_rxq *zb_replay_queue(struct zb_replay *r, uint32_t i)
{
	assert(i < r->queue_nr);
	return &r->queues[i].rxq;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* source_iface.c - see source_iface.h */
#include "capture/source_iface.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/wall_clock.h"
#include "profiler/diag.h"
#include "profiler/lcore_stat.h"

#define END_WAIT_NS 2000000000u /* for packets that the kernel has counted and not handed over */

struct queue {
	/* Written by the worker. */
	alignas(64) struct zb_rxq rxq;
	struct zb_wall_clock clock;
	uint64_t newest_ns; /* of what was handed out or said to be over */
	uint64_t closed_ns; /* when the gate was closed; 0: it is open */
	uint64_t link_pkts, dropped_pkts, got_pkts, got_bytes; /* as of ask() */
	bool settled;					       /* these are final */

	/* Read-only after open. */
	alignas(64) struct zb_ring *rings; /* one per interface */
	uint32_t ring_nr;
	const bool *stop;
};

struct iface {
	struct zb_source base;
	struct zb_iface_conf conf;
	struct queue *queues;
	struct zb_ring *rings;	     /* of queue 0, then of queue 1, ... */
	struct zb_iface_info *infos; /* by interface */
};

/* ---- the worker's side ---- */

static void ask(struct queue *q)
{
	if (q->settled)
		return;
	q->link_pkts = q->dropped_pkts = q->got_pkts = q->got_bytes = 0;
	for (uint32_t i = 0; i < q->ring_nr; i++) {
		struct zb_ring *r = &q->rings[i];

		zb_ring_ask(r);
		q->link_pkts += r->kernel_pkts;
		q->dropped_pkts += r->kernel_drops;
		q->got_pkts += r->got_pkts;
		q->got_bytes += r->got_bytes;
	}
	q->rxq.queued = q->link_pkts - q->dropped_pkts - q->got_pkts;
}

static void close_gates(struct queue *q, uint64_t now_ns)
{
	for (uint32_t i = 0; i < q->ring_nr; i++)
		(void)zb_ring_gate(&q->rings[i], false); /* at worst more comes in, and is read */
	q->closed_ns = now_ns;
}

/*
 * Nothing has come since the gate was closed. A packet that was just passing it may still be on its
 * way, and what the kernel has counted may not be handed over yet; if it never is, the ledger says
 * so.
 */
static bool is_over(struct queue *q, uint64_t now_ns)
{
	if (now_ns < q->closed_ns + ZB_IFACE_LATE_NS)
		return false;
	ask(q);
	if (q->rxq.queued != 0 && now_ns < q->closed_ns + END_WAIT_NS)
		return false;
	q->settled = true;
	return true;
}

/* What a packet's time is held against; and how late it was taken. */
static void stamp(struct queue *q, struct zb_pkt *pkts, uint16_t n, uint64_t now_ns)
{
	struct zb_rxq *rxq = &q->rxq;

	for (uint16_t i = 0; i < n; i++) {
		struct zb_pkt *p = &pkts[i];

		p->late = 0;
		if (p->ts_ns >= q->newest_ns)
			q->newest_ns = p->ts_ns;
		else
			p->late = zb_late_code(q->newest_ns - p->ts_ns);
		rxq->lag_ns = now_ns > p->ts_ns ? now_ns - p->ts_ns : 0;
		if (rxq->lag != NULL)
			zb_lag_note(rxq->lag, rxq->lag_ns);
	}
}

/*
 * The ring whose next packet is the earliest, and up to when it may be read before another one's
 * turn comes. A ring that has nothing may still get packets as old as ZB_IFACE_LATE_NS.
 */
static struct zb_ring *earliest(struct queue *q, uint64_t now_ns, uint64_t *until_ns)
{
	uint64_t best_ns = UINT64_MAX, other_ns = UINT64_MAX;
	struct zb_ring *best = NULL;

	for (uint32_t i = 0; i < q->ring_nr; i++) {
		struct zb_ring *r = &q->rings[i];
		bool ready = zb_ring_ready(r);
		uint64_t ns = ready ? zb_ring_head_ns(r) : now_ns - ZB_IFACE_LATE_NS;

		if (ready && ns < best_ns) {
			other_ns = best_ns;
			best_ns = ns;
			best = r;
		} else if (ns < other_ns) {
			other_ns = ns;
		}
	}
	/* Of equal ones the first goes on. */
	if (other_ns != UINT64_MAX && other_ns + 1 < *until_ns)
		*until_ns = other_ns + 1;
	return best;
}

static uint16_t merge(struct queue *q, struct zb_pkt *pkts, uint16_t n, uint64_t now_ns,
		      uint64_t until_ns)
{
	uint16_t got = 0, run;

	while (got < n) {
		uint64_t turn_ns = until_ns;
		struct zb_ring *r = earliest(q, now_ns, &turn_ns);

		if (r == NULL)
			break;
		run = zb_ring_take(r, &pkts[got], (uint16_t)(n - got), turn_ns);
		if (run == 0)
			break;
		got = (uint16_t)(got + run);
	}
	return got;
}

static uint16_t iface_burst(struct zb_rxq *rxq, struct zb_pkt *pkts, uint16_t n, uint64_t until_ns)
{
	struct queue *q = rxq->priv;
	uint64_t now_ns = zb_wall_now_ns(&q->clock);
	uint16_t got = 0;

	for (uint32_t i = 0; i < q->ring_nr; i++)
		zb_ring_release(&q->rings[i]);
	if (q->closed_ns == 0 && __atomic_load_n(q->stop, __ATOMIC_RELAXED))
		close_gates(q, now_ns);
	if (q->ring_nr > 1)
		got = merge(q, pkts, n, now_ns, until_ns);
	else if (zb_ring_ready(q->rings))
		got = zb_ring_take(q->rings, pkts, n, until_ns);
	if (got != 0)
		stamp(q, pkts, got, now_ns);
	else if (q->closed_ns != 0 && is_over(q, now_ns))
		rxq->done = true;
	return got;
}

static uint64_t iface_next_ns(const struct zb_rxq *rxq)
{
	struct queue *q = rxq->priv;
	uint64_t ns = zb_wall_now_ns(&q->clock) - ZB_IFACE_LATE_NS;

	for (uint32_t i = 0; i < q->ring_nr; i++) {
		uint64_t head_ns = q->rings[i].left != 0 ? zb_ring_head_ns(&q->rings[i]) : ns;

		ns = head_ns < ns ? head_ns : ns;
	}
	/* One ring's packets follow each other at once, however near now they are. */
	if (q->ring_nr == 1 && q->rings[0].left != 0)
		ns = zb_ring_head_ns(&q->rings[0]);
	q->newest_ns = ns > q->newest_ns ? ns : q->newest_ns;
	return q->newest_ns;
}

static void iface_ledger(const struct zb_rxq *rxq, struct zb_rxq_ledger *out)
{
	struct queue *q = rxq->priv;

	ask(q);
	*out = (struct zb_rxq_ledger){
		.offered_pkts = q->link_pkts,
		.offered_bytes = q->got_bytes,
		.link_pkts = q->link_pkts,
		.link_bytes = q->got_bytes,
		.dropped_pkts = q->dropped_pkts,
	};
}

static const struct zb_rxq_ops iface_ops = {
	.burst = iface_burst,
	.next_ns = iface_next_ns,
	.ledger = iface_ledger,
};

/* ---- the source ---- */

static struct zb_rxq *source_queue(struct zb_source *base, uint32_t i)
{
	struct iface *s = (struct iface *)base;

	assert(i < s->conf.queue_nr);
	return &s->queues[i].rxq;
}

static int source_start(struct zb_source *base)
{
	struct iface *s = (struct iface *)base;

	for (uint32_t i = 0; i < s->conf.queue_nr * s->conf.name_nr; i++) {
		int ret = zb_ring_gate(&s->rings[i], true);

		if (ret < 0) {
			zb_err("--iface %s: %s", s->rings[i].name, strerror(-ret));
			return ret;
		}
	}
	return 0;
}

static const char *mode_of(const struct iface *s)
{
	static const char *const names[] = {
		[ZB_FANOUT_HASH] = "AF_PACKET, fanout hash",
		[ZB_FANOUT_CPU] = "AF_PACKET, fanout cpu",
		[ZB_FANOUT_EBPF] = "AF_PACKET, fanout ebpf",
	};

	return s->conf.queue_nr == 1 ? "AF_PACKET" : names[s->conf.fanout];
}

static bool source_device(const struct zb_source *base, uint32_t i, struct zb_source_device *out)
{
	const struct iface *s = (const struct iface *)base;

	if (i >= s->conf.name_nr)
		return false;
	*out = (struct zb_source_device){
		.driver = "AF_PACKET",
		.mode = mode_of(s),
		.mtu = (uint32_t)s->infos[i].mtu,
		.link_up = s->infos[i].up,
		.queue_nr = s->conf.queue_nr,
	};
	snprintf(out->name, sizeof(out->name), "%s", s->conf.names[i]);
	for (uint32_t q = 0; q < s->conf.queue_nr; q++) {
		const struct zb_ring *r = &s->rings[q * s->conf.name_nr + i];

		out->device_pkts += r->kernel_pkts;
		out->dropped_pkts += r->kernel_drops;
		out->freezes += r->kernel_freezes;
		out->got_pkts += r->got_pkts;
		out->went_down |= r->down;
	}
	return true;
}

static void source_close(struct zb_source *base)
{
	struct iface *s = (struct iface *)base;

	for (uint32_t i = 0; s->rings != NULL && i < s->conf.queue_nr * s->conf.name_nr; i++)
		zb_ring_close(&s->rings[i]);
	free(s->rings);
	free(s->infos);
	free(s->queues);
	free(s);
}

static const struct zb_source_ops source_ops = {
	.queue = source_queue,
	.start = source_start,
	.device = source_device,
	.close = source_close,
};

static int open_rings(struct iface *s, uint32_t iface)
{
	const char *name = s->conf.names[iface];
	int group = -1, ret = zb_iface_look(name, &s->infos[iface]);

	if (ret == 0 && !s->infos[iface].up)
		zb_warn("--iface %s: it is down; waiting for it to come up", name);
	for (uint32_t q = 0; ret == 0 && q < s->conf.queue_nr; q++) {
		struct zb_ring *r = &s->rings[q * s->conf.name_nr + iface];

		ret = zb_ring_open(name, &s->infos[iface], s->conf.ring_bytes, r);
		if (ret == 0 && s->conf.queue_nr > 1)
			ret = zb_ring_join(r, s->conf.fanout, &group);
		if (ret == 0 && q == 0 && s->conf.promiscuous)
			ret = zb_ring_promiscuous(r);
		if (ret == 0)
			zb_ring_ask(r); /* nothing should be there; what is, is nobody's */
		r->kernel_pkts = r->kernel_drops = r->kernel_freezes = 0;
	}
	return ret;
}

static int allocate(struct iface *s)
{
	s->queues = zb_source_queues(s->conf.queue_nr, sizeof(*s->queues));
	s->rings = calloc((size_t)s->conf.queue_nr * s->conf.name_nr, sizeof(*s->rings));
	s->infos = calloc(s->conf.name_nr, sizeof(*s->infos));
	if (s->queues == NULL || s->rings == NULL || s->infos == NULL) {
		zb_err("--iface: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < s->conf.queue_nr * s->conf.name_nr; i++)
		s->rings[i].fd = -1;
	for (uint32_t i = 0; i < s->conf.queue_nr; i++) {
		struct queue *q = &s->queues[i];

		q->rxq = (struct zb_rxq){.ops = &iface_ops, .priv = q, .live = true};
		zb_wall_init(&q->clock);
		q->rings = &s->rings[i * s->conf.name_nr];
		q->ring_nr = s->conf.name_nr;
		q->stop = s->conf.stop;
	}
	return 0;
}

int zb_iface_open(const struct zb_iface_conf *conf, struct zb_source **out)
{
	struct iface *s = calloc(1, sizeof(*s));
	int ret;

	assert(conf->queue_nr > 0 && conf->name_nr > 0 && conf->name_nr <= ZB_IFACES_MAX);
	if (s == NULL) {
		zb_err("--iface: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	s->base.ops = &source_ops;
	s->conf = *conf;
	ret = allocate(s);
	for (uint32_t i = 0; ret == 0 && i < conf->name_nr; i++)
		ret = open_rings(s, i);
	if (ret < 0) {
		source_close(&s->base);
		return ret;
	}
	*out = &s->base;
	return 0;
}

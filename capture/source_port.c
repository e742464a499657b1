/* SPDX-License-Identifier: Apache-2.0 */
/* source_port.c - see source_port.h */
#include "capture/source_port.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <rte_pause.h>
#include <rte_ring.h>

#include "capture/eal.h"
#include "capture/port_dev.h"
#include "capture/port_pkt.h"
#include "capture/rss.h"
#include "capture/wall_clock.h"
#include "profiler/diag.h"
#include "profiler/lcore_stat.h"
#include "profiler/topology.h"

#define END_QUIET_NS 12000000u /* after the end, a device that is silent for so long is empty */
#define SPREAD_BURST 64
#define STEP_NS	     1000u
#define AHEAD_NS     1000000u

/* What the spreader counts of a worker's ring. */
struct fed {
	uint64_t pkts, bytes; /* meant for it */
	uint64_t dropped_pkts, dropped_bytes;
};

/* How a reader of a device's queues comes to its end, see is_over(). */
struct ending {
	uint64_t since_ns;  /* 0: not yet */
	uint64_t silent_ns; /* the last packet, or the beginning of the end */
	uint64_t left;	    /* packets that may have been waiting then */
};

struct queue {
	/* Written by the worker. */
	alignas(64) struct zb_rxq rxq;
	struct zb_wall_clock clock;
	struct ending ending;
	struct zb_port_pkts pkts; /* in its hands */
	uint32_t turn;		  /* the device to look at first */
	uint64_t newest_ns;
	uint64_t got_pkts, got_bytes; /* from devices, without rings */
	uint64_t *got;		      /* by device, of them */
	struct zb_nic_clock *nic;     /* by device */
	uint64_t missed_pkts;	      /* worker 0: of all devices */
	bool settled;

	/* Written by the spreader. */
	alignas(64) struct fed fed;
	bool ended;

	/* Read-only after open. */
	alignas(64) struct rte_ring *ring; /* from the spreader; NULL: there is none */
	struct port *port;
	uint32_t index;
};

struct port {
	struct zb_source base;
	struct zb_port_conf conf;
	struct zb_port_dev *devs;
	struct queue *queues;
	int time_off; /* of an mbuf's time of arrival, where the spreader notes it */
	cpu_set_t cpus;
	pthread_t spreader;
	bool spread, running;

	/* The spreader's own. */
	struct zb_wall_clock clock;
	uint64_t newest_ns;
	uint64_t *spread_got;	  /* by device */
	struct zb_nic_clock *nic; /* by device */
};

static bool stopped(const struct port *s)
{
	return __atomic_load_n(s->conf.stop, __ATOMIC_RELAXED);
}

/*
 * A device cannot be closed to packets, so the end is when all that was waiting at the time of the
 * stop has been read: no more than its queues hold, or until it has been silent for a while.
 */
static bool is_over(struct ending *e, uint64_t now_ns, uint64_t room, uint16_t got)
{
	if (e->since_ns == 0) {
		e->since_ns = e->silent_ns = now_ns;
		e->left = room;
	}
	if (got != 0)
		e->silent_ns = now_ns;
	e->left = e->left > got ? e->left - got : 0;
	return e->left == 0 || now_ns >= e->silent_ns + END_QUIET_NS;
}

static uint64_t room_of(const struct port *s, bool spread)
{
	uint64_t room = 0;

	for (uint32_t i = 0; i < s->conf.name_nr; i++)
		if (s->devs[i].spread == spread)
			room += (uint64_t)s->devs[i].rx_desc * s->devs[i].queue_nr;
	return room;
}

/* Relaxed: others read them for statistics only. */
static void count(uint64_t *c, uint64_t n)
{
	__atomic_store_n(c, *c + n, __ATOMIC_RELAXED);
}

/* ---- the worker's side ---- */

/*
 * Packets of a burst are read at one time, but came one after the other: so do their times, or what
 * begins and ends in one burst would have no duration. Logs count microseconds. Times do not run
 * away from the clock, though: beyond AHEAD_NS packets come faster than that.
 */
static uint64_t next_time(uint64_t *newest_ns, uint64_t now_ns)
{
	if (now_ns > *newest_ns)
		*newest_ns = now_ns;
	else
		*newest_ns += *newest_ns - now_ns < AHEAD_NS ? STEP_NS : 1;
	return *newest_ns;
}

static uint64_t *time_of(const struct port *s, struct rte_mbuf *m)
{
	return RTE_MBUF_DYNFIELD(m, s->time_off, uint64_t *);
}

/* A packet's time of its own may be behind that of a device read since. */
static void fill(struct queue *q, struct rte_mbuf *m, uint64_t ns, struct zb_pkt *out)
{
	zb_port_fill(&q->pkts, m, ns, out);
	if (ns < q->newest_ns)
		out->late = zb_late_code(q->newest_ns - ns);
	else
		q->newest_ns = ns;
}

static uint16_t take_ring(struct queue *q, struct zb_pkt *pkts, uint16_t n)
{
	struct rte_mbuf **m = q->pkts.mbufs;
	uint16_t got = (uint16_t)rte_ring_sc_dequeue_burst(q->ring, (void **)m, n, NULL);

	for (uint16_t i = 0; i < got; i++)
		fill(q, m[i], *time_of(q->port, m[i]), &pkts[i]);
	return got;
}

static uint16_t take_devices(struct queue *q, struct zb_pkt *pkts, uint16_t n, uint64_t now_ns)
{
	const struct port *s = q->port;

	for (uint32_t k = 0; k < s->conf.name_nr; k++) {
		uint32_t i = q->turn;
		uint64_t bytes = 0;
		uint16_t got;

		q->turn = q->turn + 1 == s->conf.name_nr ? 0 : q->turn + 1;
		if (s->devs[i].spread)
			continue;
		got = rte_eth_rx_burst(s->devs[i].id, (uint16_t)q->index, q->pkts.mbufs, n);
		zb_port_after(&s->devs[i], got);
		if (got == 0)
			continue;
		for (uint16_t j = 0; j < got; j++) {
			struct rte_mbuf *m = q->pkts.mbufs[j];
			uint64_t ns;

			if (!zb_port_stamp(&s->devs[i], &q->nic[i], m, now_ns, &ns))
				ns = next_time(&q->newest_ns, now_ns);
			fill(q, m, ns, &pkts[j]);
			bytes += pkts[j].wire_len;
		}
		q->got[i] += got;
		q->got_pkts += got;
		q->got_bytes += bytes;
		return got;
	}
	return 0;
}

static void ask(struct queue *q)
{
	struct port *s = q->port;

	if (q->index != 0 || q->settled)
		return;
	q->missed_pkts = 0;
	for (uint32_t i = 0; i < s->conf.name_nr; i++)
		q->missed_pkts += zb_port_missed(&s->devs[i]);
}

static void note_end(struct queue *q, uint64_t now_ns, uint16_t got)
{
	struct port *s = q->port;
	bool devices_over = is_over(&q->ending, now_ns, room_of(s, false), got);

	if (got != 0 || !devices_over)
		return;
	if (q->ring != NULL &&
	    (!__atomic_load_n(&q->ended, __ATOMIC_ACQUIRE) || rte_ring_count(q->ring) != 0))
		return;
	ask(q);
	q->settled = true;
	q->rxq.done = true;
}

static uint16_t port_burst(struct zb_rxq *rxq, struct zb_pkt *pkts, uint16_t n, uint64_t until_ns)
{
	struct queue *q = rxq->priv;
	uint64_t now_ns = zb_wall_now_ns(&q->clock);
	bool from_devices = q->ending.since_ns == 0 || q->ending.left != 0;
	uint16_t got = 0;

	zb_port_free(&q->pkts);
	if (now_ns >= until_ns)
		return 0; /* a boundary comes first */
	if (q->ring != NULL)
		got = take_ring(q, pkts, n);
	if (got == 0 && from_devices)
		got = take_devices(q, pkts, n, now_ns);
	q->pkts.nr = got;
	if (got != 0) {
		rxq->queued = q->ring != NULL ? rte_ring_count(q->ring) : 0;
		rxq->lag_ns = now_ns > pkts[0].ts_ns ? now_ns - pkts[0].ts_ns : 0;
		for (uint16_t i = 0; rxq->lag != NULL && i < got; i++)
			zb_lag_note(rxq->lag, now_ns > pkts[i].ts_ns ? now_ns - pkts[i].ts_ns : 0);
	}
	if (stopped(q->port))
		note_end(q, now_ns, got);
	return got;
}

static uint64_t port_next_ns(const struct zb_rxq *rxq)
{
	struct queue *q = rxq->priv;
	uint64_t now_ns = zb_wall_now_ns(&q->clock);

	q->newest_ns = now_ns > q->newest_ns ? now_ns : q->newest_ns;
	return q->newest_ns;
}

static void port_ledger(const struct zb_rxq *rxq, struct zb_rxq_ledger *out)
{
	struct queue *q = rxq->priv;

	ask(q);
	*out = (struct zb_rxq_ledger){
		.link_pkts = zb_stat_peek(&q->fed.pkts) + q->got_pkts + q->missed_pkts,
		.link_bytes = zb_stat_peek(&q->fed.bytes) + q->got_bytes,
		.dropped_pkts = zb_stat_peek(&q->fed.dropped_pkts) + q->missed_pkts,
		.dropped_bytes = zb_stat_peek(&q->fed.dropped_bytes),
	};
	out->offered_pkts = out->link_pkts;
	out->offered_bytes = out->link_bytes;
}

static const struct zb_rxq_ops port_ops = {
	.burst = port_burst,
	.next_ns = port_next_ns,
	.ledger = port_ledger,
};

/* ---- the spreader ---- */

static void hand_on(struct port *s, uint32_t dev, struct rte_mbuf *m, uint64_t now_ns)
{
	uint32_t hash =
		zb_rss_hash(ZB_LINK_ETHERNET, rte_pktmbuf_mtod(m, const uint8_t *), m->data_len);
	struct queue *q = &s->queues[zb_rss_queue(hash, s->conf.queue_nr)];
	uint32_t bytes = rte_pktmbuf_pkt_len(m);

	if (!zb_port_stamp(&s->devs[dev], &s->nic[dev], m, now_ns, time_of(s, m)))
		*time_of(s, m) = next_time(&s->newest_ns, now_ns);
	count(&q->fed.pkts, 1);
	count(&q->fed.bytes, bytes);
	if (rte_ring_sp_enqueue(q->ring, m) == 0)
		return;
	count(&q->fed.dropped_pkts, 1);
	count(&q->fed.dropped_bytes, bytes);
	rte_pktmbuf_free(m);
}

static uint16_t spread_once(struct port *s, uint64_t now_ns)
{
	struct rte_mbuf *m[SPREAD_BURST];
	uint32_t total = 0;

	for (uint32_t i = 0; i < s->conf.name_nr; i++) {
		struct zb_port_dev *d = &s->devs[i];

		for (uint16_t q = 0; d->spread && q < d->queue_nr; q++) {
			uint16_t got = rte_eth_rx_burst(d->id, q, m, SPREAD_BURST);

			zb_port_after(d, got);

			for (uint16_t k = 0; k < got; k++) {
				if (k + 4 < got)
					rte_prefetch0(rte_pktmbuf_mtod(m[k + 4], void *));
				hand_on(s, i, m[k], now_ns);
			}
			s->spread_got[i] += got;
			total += got;
		}
	}
	return (uint16_t)(total < UINT16_MAX ? total : UINT16_MAX);
}

static void *spreader_main(void *arg)
{
	struct port *s = arg;
	struct ending ending = {0};
	int ret = zb_topo_pin_self_set(&s->cpus);

	if (ret < 0)
		zb_warn("--port: the spreader cannot be pinned: %s", strerror(-ret));
	pthread_setname_np(pthread_self(), "zb-spreader");
	/* DPDK keeps a cache of buffers for each thread that it knows. */
	if (!zb_eal_is_shared() && rte_thread_register() < 0)
		zb_warn("--port: the spreader goes on without a cache of buffers");
	for (;;) {
		uint64_t now_ns = zb_wall_now_ns(&s->clock);
		uint16_t got = spread_once(s, now_ns);

		if (stopped(s) && is_over(&ending, now_ns, room_of(s, true), got))
			break;
		if (got == 0)
			rte_pause();
	}
	rte_thread_unregister();
	for (uint32_t i = 0; i < s->conf.queue_nr; i++)
		__atomic_store_n(&s->queues[i].ended, true, __ATOMIC_RELEASE);
	return NULL;
}

/* ---- the source ---- */

static struct zb_rxq *source_queue(struct zb_source *base, uint32_t i)
{
	struct port *s = (struct port *)base;

	assert(i < s->conf.queue_nr);
	return &s->queues[i].rxq;
}

static int source_start(struct zb_source *base)
{
	struct port *s = (struct port *)base;
	int ret = 0;

	if (s->spread) {
		ret = pthread_create(&s->spreader, NULL, spreader_main, s);
		s->running = ret == 0;
	}
	if (ret != 0)
		zb_err("--port: the spreader cannot be started: %s", strerror(ret));
	/* Nobody will come: the workers shall not wait. */
	for (uint32_t i = 0; ret != 0 && i < s->conf.queue_nr; i++)
		__atomic_store_n(&s->queues[i].ended, true, __ATOMIC_RELEASE);
	return -ret;
}

static uint64_t wrong_stamps(const struct port *s, uint32_t dev)
{
	uint64_t nr = s->nic[dev].wrong;

	for (uint32_t q = 0; q < s->conf.queue_nr; q++)
		nr += s->queues[q].nic[dev].wrong;
	return nr;
}

static bool source_device(const struct zb_source *base, uint32_t i, struct zb_source_device *out)
{
	const struct port *s = (const struct port *)base;
	uint64_t got_pkts;

	if (i >= s->conf.name_nr)
		return false;
	got_pkts = s->spread_got[i];
	for (uint32_t q = 0; q < s->conf.queue_nr; q++)
		got_pkts += s->queues[q].got[i];
	zb_port_dev_describe(&s->devs[i], got_pkts, out);
	for (uint32_t q = 0; i == 0 && q < s->conf.queue_nr; q++)
		out->segmented += s->queues[q].pkts.segmented;
	/* A NIC goes on counting what nobody reads any more. */
	if (!s->devs[i].is_virtual && out->device_pkts > out->got_pkts + out->dropped_pkts) {
		snprintf(out->note, sizeof(out->note),
			 "%" PRIu64 " packets more had come when the run was over",
			 out->device_pkts - out->got_pkts - out->dropped_pkts);
		out->device_pkts = out->got_pkts + out->dropped_pkts;
	} else if (wrong_stamps(s, i) != 0) {
		snprintf(out->note, sizeof(out->note),
			 "%" PRIu64 " time stamps were far from now and not believed",
			 wrong_stamps(s, i));
	} else if (s->devs[i].spread && out->note[0] == '\0') {
		snprintf(out->note, sizeof(out->note),
			 "it has no symmetric hash over a queue for each worker: a thread of its "
			 "own divides its packets");
	}
	return true;
}

static void close_queue(struct queue *q)
{
	struct rte_mbuf *m;

	zb_port_free(&q->pkts);
	while (q->ring != NULL && rte_ring_sc_dequeue(q->ring, (void **)&m) == 0)
		rte_pktmbuf_free(m);
	rte_ring_free(q->ring);
	zb_port_pkts_fini(&q->pkts);
	free(q->got);
	free(q->nic);
}

static void source_close(struct zb_source *base)
{
	struct port *s = (struct port *)base;

	if (s->running)
		pthread_join(s->spreader, NULL);
	for (uint32_t i = 0; s->queues != NULL && i < s->conf.queue_nr; i++)
		close_queue(&s->queues[i]);
	for (uint32_t i = 0; s->devs != NULL && i < s->conf.name_nr; i++)
		zb_port_dev_close(&s->devs[i]);
	free(s->spread_got);
	free(s->nic);
	free(s->devs);
	free(s->queues);
	free(s);
}

static const struct zb_source_ops source_ops = {
	.queue = source_queue,
	.start = source_start,
	.device = source_device,
	.close = source_close,
};

static int no_memory(void)
{
	zb_err("--port: %s", strerror(ENOMEM));
	return -ENOMEM;
}

/* A reader's own, of all devices. */
static struct zb_nic_clock *nic_clocks(const struct port *s)
{
	struct zb_nic_clock *c = calloc(s->conf.name_nr, sizeof(*c));

	for (uint32_t i = 0; c != NULL && i < s->conf.name_nr; i++)
		c[i] = s->devs[i].clock;
	return c;
}

static int make_queue(struct port *s, uint32_t i)
{
	struct queue *q = &s->queues[i];
	char name[32];

	q->rxq = (struct zb_rxq){.ops = &port_ops, .priv = q, .live = true};
	q->port = s;
	q->index = i;
	zb_wall_init(&q->clock);
	q->got = calloc(s->conf.name_nr, sizeof(*q->got));
	q->nic = nic_clocks(s);
	if (q->got == NULL || q->nic == NULL || zb_port_pkts_init(&q->pkts) < 0)
		return no_memory();
	if (!s->spread)
		return 0;
	snprintf(name, sizeof(name), "zb_ring_%u", i);
	q->ring = rte_ring_create(name, s->conf.rx_desc, SOCKET_ID_ANY,
				  RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
	return q->ring != NULL ? 0 : no_memory();
}

static int open_devices(struct port *s)
{
	struct zb_port_dev_conf conf = {
		.worker_nr = s->conf.queue_nr,
		.rx_desc = s->conf.rx_desc,
		.numa_id = SOCKET_ID_ANY,
		.promiscuous = s->conf.promiscuous,
	};
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < s->conf.name_nr; i++) {
		conf.name = s->conf.names[i];
		ret = zb_port_dev_open(&conf, &s->devs[i]);
		if (ret == 0)
			ret = zb_port_dev_start(&s->devs[i]);
		s->spread |= s->devs[i].spread;
	}
	return ret;
}

static int set_up(struct port *s)
{
	static const struct rte_mbuf_dynfield field = {
		.name = "zb_rx_ns",
		.size = sizeof(uint64_t),
		.align = alignof(uint64_t),
	};
	int ret;

	s->queues = zb_source_queues(s->conf.queue_nr, sizeof(*s->queues));
	s->devs = calloc(s->conf.name_nr, sizeof(*s->devs));
	s->spread_got = calloc(s->conf.name_nr, sizeof(*s->spread_got));
	if (s->queues == NULL || s->devs == NULL || s->spread_got == NULL)
		return no_memory();
	zb_wall_init(&s->clock);
	s->time_off = rte_mbuf_dynfield_register(&field);
	if (s->time_off < 0)
		return no_memory();
	ret = open_devices(s);
	s->nic = nic_clocks(s);
	if (ret == 0 && s->nic == NULL)
		ret = no_memory();
	for (uint32_t i = 0; ret == 0 && i < s->conf.queue_nr; i++)
		ret = make_queue(s, i);
	return ret;
}

int zb_port_open(const struct zb_port_conf *conf, struct zb_source **out)
{
	struct port *s = calloc(1, sizeof(*s));
	int ret;

	assert(conf->queue_nr > 0 && conf->name_nr > 0 && conf->name_nr <= ZB_PORTS_MAX);
	if (s == NULL)
		return no_memory();
	s->base.ops = &source_ops;
	s->conf = *conf;
	s->cpus = *conf->spreader_cpus;
	ret = set_up(s);
	if (ret < 0) {
		source_close(&s->base);
		return ret;
	}
	*out = &s->base;
	return 0;
}

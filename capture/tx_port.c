/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tx_port.c - sending through a DPDK port
 *
 * With a template, every mbuf of a pool of its own holds it from the beginning. An mbuf comes back
 * from the driver with data and lengths as they were, so taking it out of the pool again is all
 * that a packet costs here.
 *
 * Frames of a trace are attached as external buffers where the driver has copied, or is done with,
 * the frame when its burst function returns: then neither addresses for DMA nor the life of the
 * frame matter. All other drivers get a copy.
 *
 * A device may be memory that is shared with another process. What lies there is lost when either
 * side leaves, so this one lingers until the other has left.
 *
 * One receive queue is set up where the device has any, although nobody reads it: several drivers
 * insist on pairs, or take their buffers for sending from there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include "profiler/diag.h"
#include "capture/eal.h"
#include "capture/eal_share.h"
#include "capture/port_peer.h"
#include "capture/tx.h"

#define MBUF_CACHE     512
#define PREFETCH_AHEAD 8 /* mbufs */
#define MBUFS_MIN      4096
#define POOL_BYTES_MAX (128u << 20)
#define RX_MBUFS       8192 /* net_af_xdp fills a ring of 4096 with them */
#define RX_DESC	       512
#define LINK_WAIT_MS   3000
#define PEER_WAIT_MS   10000 /* for another process to come */
#define POLL_MS	       10
#define DRAIN_WAIT_MS  100
#define VLAN_TAGS      8u /* bytes of two VLAN tags, which an MTU does not count */

struct port {
	struct zb_txq q;
	uint16_t id;
	uint16_t first, held;			     /* reserved mbufs */
	struct rte_mbuf *mbufs[3 * ZB_TX_BURST_MAX]; /* those are mbufs[first..first+held) */
	uint64_t taken;
	struct rte_mempool *pool, *rx_pool;
	struct rte_eth_stats before;
	const uint8_t *template;
	uint32_t template_len;
	uint32_t linger_ms;
	struct zb_tx_stat drained; /* what it had counted when all was gone */
	bool peer;		   /* at the other end is a process, not a cable */
	bool shared;		   /* that process has set the device up: only buffers are ours */
	bool started;
};

/* Drivers that are done with a frame when their burst function returns. */
static bool reads_at_once(const char *driver)
{
	static const char *const names[] = {"net_null", "net_af_packet", "net_pcap", "net_tap",
					    "net_af_xdp"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(driver, names[i]) == 0)
			return true;
	return false;
}

static struct rte_mbuf_ext_shared_info *shinfo_of(struct rte_mbuf *m)
{
	return rte_mbuf_to_priv(m);
}

static void nothing_to_free(void *addr, void *opaque)
{
	(void)addr, (void)opaque;
}

static uint16_t port_reserve(struct zb_txq *q, uint8_t **bufs, uint16_t n)
{
	struct port *p = (struct port *)q;

	if (p->first > ZB_TX_BURST_MAX || p->held == 0) {
		memmove(p->mbufs, p->mbufs + p->first, p->held * sizeof(p->mbufs[0]));
		p->first = 0;
	}
	if (p->held < n) {
		/* All or nothing: mbufs are missing only while the device is full. */
		if (rte_mempool_get_bulk(p->pool, (void **)&p->mbufs[p->first + p->held],
					 (unsigned)(n - p->held)) == 0)
			p->held = n;
		n = p->held;
	}
	for (uint16_t i = 0; bufs != NULL && i < n; i++)
		bufs[i] = rte_pktmbuf_mtod(p->mbufs[p->first + i], uint8_t *);
	return n;
}

static uint16_t port_commit(struct zb_txq *q, uint16_t n)
{
	struct port *p = (struct port *)q;
	uint16_t sent = rte_eth_tx_burst(p->id, 0, p->mbufs + p->first, n);

	p->first = (uint16_t)(p->first + sent);
	p->held = (uint16_t)(p->held - sent);
	p->taken += sent;
	return sent;
}

static uint16_t port_commit_frames(struct zb_txq *q, const struct zb_tx_frame *frames, uint16_t n)
{
	struct port *p = (struct port *)q;

	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *m = p->mbufs[p->first + i];

		if (i + PREFETCH_AHEAD < n)
			__builtin_prefetch(p->mbufs[p->first + i + PREFETCH_AHEAD], 1);
		m->data_len = (uint16_t)frames[i].len;
		m->pkt_len = frames[i].len;
	}
	return port_commit(q, n);
}

static void port_put_back(struct zb_txq *q, uint16_t n)
{
	struct port *p = (struct port *)q;

	for (uint16_t i = 0; i < n; i++, p->first++)
		p->mbufs[p->first + p->held] = p->mbufs[p->first];
}

static void attach(struct rte_mbuf *m, const struct zb_tx_frame *f)
{
	struct rte_mbuf_ext_shared_info *s = shinfo_of(m);

	rte_mbuf_ext_refcnt_set(s, 1);
	rte_pktmbuf_attach_extbuf(m, (void *)(uintptr_t)f->data, (rte_iova_t)(uintptr_t)f->data,
				  (uint16_t)f->len, s);
	m->data_off = 0;
	m->data_len = (uint16_t)f->len;
	m->pkt_len = f->len;
}

static void copy(struct rte_mbuf *m, const struct zb_tx_frame *f)
{
	memcpy(rte_pktmbuf_mtod(m, void *), f->data, f->len);
	m->data_len = (uint16_t)f->len;
	m->pkt_len = f->len;
}

/* Takes the first n frames; mbufs left over from a full device go back to the pool. */
static uint16_t port_burst(struct zb_txq *q, const struct zb_tx_frame *frames, uint16_t n)
{
	struct port *p = (struct port *)q;
	uint16_t sent;

	if (unlikely(rte_mempool_get_bulk(p->pool, (void **)p->mbufs, n) < 0))
		return 0;
	if (q->zero_copy)
		for (uint16_t i = 0; i < n; i++)
			attach(p->mbufs[i], &frames[i]);
	else
		for (uint16_t i = 0; i < n; i++)
			copy(p->mbufs[i], &frames[i]);
	sent = rte_eth_tx_burst(p->id, 0, p->mbufs, n);
	if (unlikely(sent < n))
		rte_pktmbuf_free_bulk(p->mbufs + sent, (unsigned)(n - sent));
	p->taken += sent;
	return sent;
}

static void port_stat(const struct zb_txq *q, struct zb_tx_stat *out)
{
	const struct port *p = (const struct port *)q;
	struct rte_eth_stats now = {0};

	memset(out, 0, sizeof(*out));
	if (rte_eth_stats_get(p->id, &now) != 0)
		return;
	out->pkts = now.opackets - p->before.opackets;
	out->bytes = now.obytes - p->before.obytes;
	out->errors = now.oerrors - p->before.oerrors;
	/* Some devices forget when the other side leaves. */
	if (now.opackets < p->drained.pkts)
		*out = p->drained;
}

/* True when all buffers are here: the other side has read, and given back, all that was sent. */
static bool others_have_none(const struct port *p)
{
	return p->pool == NULL || rte_mempool_avail_count(p->pool) + p->held == p->pool->size;
}

static bool peer_is_done(const struct port *p)
{
	return p->shared ? others_have_none(p) || !rte_eal_primary_proc_alive(NULL)
			 : !zb_peer_link_is_up(p->id);
}

/*
 * The driver may say that the other side has left, which is what is waited for; or a moment later,
 * from a thread of its own.
 */
static void linger(const struct port *p)
{
	zb_eal_hush();
	for (uint32_t ms = 0; p->peer && ms < p->linger_ms && !peer_is_done(p); ms += POLL_MS)
		if (usleep(POLL_MS * 1000) < 0)
			break;
	if (!p->shared && p->peer && !zb_peer_link_is_up(p->id))
		usleep(5 * POLL_MS * 1000);
	zb_eal_hush_end();
}

/* A device that does not count all that it took has, after a while, to be believed. */
static void port_drain(struct zb_txq *q, struct zb_tx_left *left)
{
	struct port *p = (struct port *)q;
	struct zb_tx_stat s = {0};

	*left = (struct zb_tx_left){0};
	for (unsigned ms = 0; ms < DRAIN_WAIT_MS; ms++) {
		port_stat(q, &s);
		if (s.pkts + s.errors >= p->taken)
			break;
		/* Some drivers move frames only when called. */
		rte_eth_tx_burst(p->id, 0, p->mbufs, 0);
		usleep(1000);
	}
	p->drained = s;
	linger(p);
}

static void port_close(struct zb_txq *q)
{
	struct port *p = (struct port *)q;

	if (p->held > 0)
		rte_pktmbuf_free_bulk(p->mbufs + p->first, p->held);
	p->held = 0;
	zb_eal_hush();
	if (p->started)
		(void)rte_eth_dev_stop(p->id);
	if (!p->shared)
		(void)rte_eth_dev_close(p->id);
	/* Buffers that the other side has, or may be looking at, stay where they are. */
	if (!p->shared || others_have_none(p))
		rte_mempool_free(p->pool);
	rte_mempool_free(p->rx_pool);
	rte_free(p);
	zb_eal_hush_end();
}

static const struct zb_txq_ops port_ops = {
	.burst = port_burst,
	.reserve = port_reserve,
	.commit = port_commit,
	.commit_frames = port_commit_frames,
	.put_back = port_put_back,
	.drain = port_drain,
	.stat = port_stat,
	.close = port_close,
};

/* An mbuf's first contents: the template, and what is needed to attach a frame. */
static void fill_mbuf(struct rte_mempool *pool, void *arg, void *obj, unsigned i)
{
	const struct port *p = arg;
	struct rte_mbuf *m = obj;

	(void)pool, (void)i;
	*shinfo_of(m) = (struct rte_mbuf_ext_shared_info){.free_cb = nothing_to_free};
	if (p->template == NULL)
		return;
	memcpy(rte_pktmbuf_mtod(m, void *), p->template, p->template_len);
	m->data_len = (uint16_t)p->template_len;
	m->pkt_len = p->template_len;
}

static int say(const struct port *p, const char *what, int ret)
{
	const char *why;

	zb_eal_hush_end();
	why = zb_eal_complaint();
	zb_err("--port %s: %s: %s%s%s", p->q.device, what, strerror(-ret),
	       why[0] != '\0' ? ": " : "", why);
	return ret;
}

/*
 * A shared pool has a name of its own, and no caches: they are by lcore, whose numbers both
 * processes use.
 */
static int make_pools(struct port *p, const struct zb_tx_conf *conf, uint32_t desc_nr, bool rx)
{
	char name[RTE_MEMPOOL_NAMESIZE] = "zb-tx";
	uint32_t room = RTE_PKTMBUF_HEADROOM + 2048, nr = 2 * desc_nr + 2 * MBUF_CACHE;
	uint16_t priv = RTE_ALIGN(sizeof(struct rte_mbuf_ext_shared_info), RTE_MBUF_PRIV_ALIGN);

	if (!p->q.zero_copy && RTE_PKTMBUF_HEADROOM + conf->frame_max > room)
		room = RTE_PKTMBUF_HEADROOM + conf->frame_max;
	if (room > UINT16_MAX)
		room = UINT16_MAX;
	if (nr < MBUFS_MIN && (uint64_t)MBUFS_MIN * room <= POOL_BYTES_MAX)
		nr = MBUFS_MIN;
	if (p->shared)
		snprintf(name, sizeof(name), "zb-tx-%d", (int)getpid());
	p->pool =
		rte_pktmbuf_pool_create(name, nr, p->shared ? 0 : MBUF_CACHE, priv, (uint16_t)room,
					conf->numa_id < 0 ? SOCKET_ID_ANY : conf->numa_id);
	if (rx)
		p->rx_pool = rte_pktmbuf_pool_create("zb-tx-rx", RX_MBUFS, MBUF_CACHE, 0,
						     RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (p->pool == NULL || (rx && p->rx_pool == NULL))
		return say(p, "no memory for its buffers", -ENOMEM);
	rte_mempool_obj_iter(p->pool, fill_mbuf, p);
	return 0;
}

static int set_up(struct port *p, const struct zb_tx_conf *conf,
		  const struct rte_eth_dev_info *info)
{
	struct rte_eth_conf dev = {.rxmode = {.mq_mode = RTE_ETH_MQ_RX_NONE}};
	uint16_t rx_nr = info->max_rx_queues > 0 ? 1 : 0, rx_desc = RX_DESC;
	uint16_t tx_desc = (uint16_t)conf->desc_nr;
	int ret;

	if (!p->q.zero_copy)
		dev.txmode.offloads = info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
	ret = rte_eth_dev_configure(p->id, rx_nr, 1, &dev);
	if (ret < 0)
		return say(p, "cannot be configured", ret);
	ret = rte_eth_dev_adjust_nb_rx_tx_desc(p->id, &rx_desc, &tx_desc);
	if (ret < 0)
		return say(p, "its queues cannot be so deep", ret);
	ret = make_pools(p, conf, tx_desc, rx_nr > 0);
	if (ret < 0)
		return ret;
	if (rx_nr > 0) {
		ret = rte_eth_rx_queue_setup(p->id, 0, rx_desc, SOCKET_ID_ANY, NULL, p->rx_pool);
		if (ret < 0)
			return say(p, "receive queue", ret);
	}
	ret = rte_eth_tx_queue_setup(p->id, 0, tx_desc, SOCKET_ID_ANY, NULL);
	if (ret < 0)
		return say(p, "transmit queue", ret);
	return 0;
}

/* A device that another process has started. */
static int join(struct port *p, const struct zb_tx_conf *conf)
{
	uint16_t mtu = 0;

	if (rte_eth_dev_get_mtu(p->id, &mtu) == 0)
		p->q.len_max = (uint32_t)mtu + ZB_TX_FRAME_MIN + VLAN_TAGS;
	if (p->q.len_max < conf->frame_max)
		p->q.len_max = conf->frame_max;
	return make_pools(p, conf, conf->desc_nr, false);
}

/* The longest frame: as the MTU says, which is raised when the frames to come need it. */
static void settle_len_max(struct port *p, uint32_t frame_max)
{
	uint16_t mtu = 0;
	int ret = 0;

	p->q.len_max = ZB_TX_FRAME_MAX;
	if (rte_eth_dev_get_mtu(p->id, &mtu) != 0)
		return;
	if (frame_max > mtu + ZB_TX_FRAME_MIN + VLAN_TAGS) {
		ret = rte_eth_dev_set_mtu(p->id, (uint16_t)(frame_max - ZB_TX_FRAME_MIN));
		if (ret == -ENOTSUP) /* a device that does not look at lengths */
			return;
		(void)rte_eth_dev_get_mtu(p->id, &mtu);
	}
	p->q.len_max = (uint32_t)mtu + ZB_TX_FRAME_MIN + VLAN_TAGS;
	if (ret == 0 && p->q.len_max < frame_max)
		p->q.len_max = frame_max;
	if (p->q.len_max > ZB_TX_FRAME_MAX)
		p->q.len_max = ZB_TX_FRAME_MAX;
}

static void wait_for_link(struct port *p)
{
	struct rte_eth_link link = {0};

	for (unsigned ms = 0; ms < (p->peer ? PEER_WAIT_MS : LINK_WAIT_MS); ms += POLL_MS) {
		if (rte_eth_link_get_nowait(p->id, &link) != 0)
			return;
		if (link.link_status == RTE_ETH_LINK_UP)
			break;
		usleep(POLL_MS * 1000);
	}
	if (link.link_status != RTE_ETH_LINK_UP)
		zb_warn("--port %s: its link is down; sending anyway", p->q.device);
	else if (link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN)
		p->q.link_bps = (uint64_t)link.link_speed * 1000000u;
}

/* Configures and starts it, while nobody hears what its driver has to tell. */
static int start_hushed(struct port *p, const struct zb_tx_conf *conf,
			const struct rte_eth_dev_info *info)
{
	int ret;

	zb_eal_hush();
	ret = set_up(p, conf, info);
	if (ret < 0)
		return ret;
	settle_len_max(p, conf->frame_max);
	ret = zb_peer_start(p->id, conf->device);
	if (ret < 0)
		return say(p, "cannot be started", ret);
	zb_eal_hush_end();
	return 0;
}

static int start(struct port *p, const struct zb_tx_conf *conf)
{
	struct rte_eth_dev_info info;
	int ret = rte_eth_dev_info_get(p->id, &info);

	if (ret < 0)
		return say(p, "tells nothing about itself", ret);
	snprintf(p->q.driver, sizeof(p->q.driver), "%s", info.driver_name);
	p->q.zero_copy = p->template == NULL && reads_at_once(info.driver_name);
	p->shared = rte_eal_process_type() == RTE_PROC_SECONDARY;
	p->peer = p->shared || zb_peer_of(info.driver_name);
	ret = p->shared ? join(p, conf) : start_hushed(p, conf, &info);
	if (ret < 0)
		return ret;
	p->started = !p->shared;
	wait_for_link(p);
	(void)rte_eth_stats_get(p->id, &p->before);
	return 0;
}

/*
 * The port of the device that EAL was given: the first, and as a rule only, one that it made.
 * Where another process has made them, the one of that name.
 */
static int find_port(const char *device, const char *name, uint16_t *id)
{
	const char *why = zb_eal_complaint();
	uint16_t first = rte_eth_find_next(0);

	if (zb_share_wanted(device)) {
		if (rte_eth_dev_get_port_by_name(name, id) == 0)
			return 0;
		zb_err("--port %s: the process that shares it has no such port", device);
		return -ENODEV;
	}
	if (first < RTE_MAX_ETHPORTS) {
		*id = first;
		return 0;
	}
	zb_err("--port %s: there is no such port: %s", device,
	       why[0] != '\0' ? why
	       : zb_eal_is_pci(device)
		       ? "no driver has taken it; bind it to vfio-pci, see dpdk-devbind.py"
		       : "DPDK has no driver of that name");
	return -ENODEV;
}

int zb_tx_port_open(const struct zb_tx_conf *conf, struct zb_txq **out)
{
	char name[sizeof(((struct zb_txq *)0)->device)];
	struct port *p;
	uint16_t id;
	int ret;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(conf->device, ","), conf->device);
	ret = find_port(conf->device, name, &id);
	if (ret < 0)
		return ret;
	p = rte_zmalloc("zb-tx", sizeof(*p), RTE_CACHE_LINE_SIZE);
	if (p == NULL) {
		zb_err("--port %s: %s", conf->device, strerror(ENOMEM));
		return -ENOMEM;
	}
	p->q.ops = &port_ops;
	p->id = id;
	p->template = conf->template;
	p->template_len = conf->template_len;
	p->linger_ms = (uint32_t)(conf->linger_s * 1000);
	snprintf(p->q.device, sizeof(p->q.device), "%s", name);
	ret = start(p, conf);
	if (ret < 0) {
		port_close(&p->q);
		return ret;
	}
	*out = &p->q;
	return 0;
}

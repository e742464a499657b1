/* SPDX-License-Identifier: Apache-2.0 */
/* port_dev.c - see port_dev.h */
#include "capture/port_dev.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <inttypes.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "capture/eal.h"
#include "capture/port_peer.h"
#include "profiler/diag.h"

#define KEY_MAX	      128
#define QUEUES_OF_ARG 64    /* beyond it, a number of queues is what a driver could do */
#define ROOM_MAX      9728u /* of a buffer; longer frames come in several */
#define FRAME_EXTRA   26u   /* Ethernet header, two tags, checksum */
#define POOL_CACHE    256u
#define FDS_MAX	      4096
#define POOL_SPARE    2048u

#define HASHED                                                                                 \
	(RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_TCP |             \
	 RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_NONFRAG_IPV4_OTHER | RTE_ETH_RSS_IPV6 |    \
	 RTE_ETH_RSS_FRAG_IPV6 | RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_NONFRAG_IPV6_UDP | \
	 RTE_ETH_RSS_NONFRAG_IPV6_OTHER | RTE_ETH_RSS_IPV6_EX | RTE_ETH_RSS_IPV6_TCP_EX |      \
	 RTE_ETH_RSS_IPV6_UDP_EX)

void zb_port_rss_key(uint8_t *key, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		key[i] = i & 1 ? 0x5a : 0x6d;
}

static int fail(const struct zb_port_dev *d, const char *what, int ret, const char *why)
{
	zb_err("--port %s: %s: %s%s%s", d->name, what, strerror(ret < 0 ? -ret : EIO),
	       *why != '\0' ? ": " : "", why);
	return ret < 0 ? ret : -EIO;
}

static int find(const struct zb_port_dev_conf *conf, struct zb_port_dev *d)
{
	size_t len = strcspn(conf->name, ",");
	const char *complaint = zb_eal_complaint();
	/* A PCI address may be given without its domain. */
	bool pci = zb_eal_is_pci(conf->name);
	unsigned bus, slot, function;
	char rest;

	snprintf(d->name, sizeof(d->name), "%.*s", (int)len, conf->name);
	if (pci && sscanf(d->name, "%x:%x.%x%c", &bus, &slot, &function, &rest) == 3)
		snprintf(d->name, sizeof(d->name), "0000:%02x:%02x.%x", bus & 0xff, slot & 0x1f,
			 function & 7);
	d->is_virtual = !pci;
	if (rte_eth_dev_get_port_by_name(d->name, &d->id) == 0)
		return 0;
	zb_err("--port %s: no such device%s%s", conf->name, *complaint != '\0' ? ": " : "",
	       complaint);
	return -ENODEV;
}

/* Drivers whose queues are all fed, whether somebody reads them or not. */
static bool feeds_all_queues(const char *driver)
{
	static const char *const names[] = {"net_af_packet", "net_af_xdp", "net_pcap", "net_ring",
					    "net_vhost"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(driver, names[i]) == 0)
			return true;
	return false;
}

static bool may_rss(const struct rte_eth_dev_info *info, uint32_t worker_nr)
{
	return worker_nr > 1 && info->max_rx_queues >= worker_nr && info->hash_key_size != 0 &&
	       info->hash_key_size <= KEY_MAX && info->flow_type_rss_offloads & HASHED;
}

static int make_pool(const struct zb_port_dev_conf *conf, struct zb_port_dev *d)
{
	uint32_t room = (d->mtu + FRAME_EXTRA + 127) & ~127u, nr;
	int node = rte_eth_dev_socket_id(d->id);
	char name[32];

	room = room < RTE_MBUF_DEFAULT_DATAROOM ? RTE_MBUF_DEFAULT_DATAROOM : room;
	room = room > ROOM_MAX ? ROOM_MAX : room;
	/* What can be in the device, in the workers' rings and in their hands at a time. */
	nr = d->queue_nr * d->rx_desc +
	     conf->worker_nr * ((d->spread ? conf->rx_desc : 0) + 2 * POOL_CACHE) + POOL_SPARE;
	snprintf(name, sizeof(name), "zb_rx_%u", d->id);
	d->pool = rte_pktmbuf_pool_create(name, nr, POOL_CACHE, 0,
					  (uint16_t)(room + RTE_PKTMBUF_HEADROOM),
					  node >= 0 ? node : conf->numa_id);
	if (d->pool == NULL)
		d->pool = rte_pktmbuf_pool_create(name, nr, POOL_CACHE, 0,
						  (uint16_t)(room + RTE_PKTMBUF_HEADROOM),
						  SOCKET_ID_ANY);
	if (d->pool != NULL)
		return 0;
	zb_err("--port %s: no memory for %u buffers of %u bytes; give a smaller --rx-desc, or set "
	       "huge pages up",
	       d->name, nr, room);
	return -ENOMEM;
}

static int configure(struct zb_port_dev *d, const struct rte_eth_dev_info *info)
{
	struct rte_eth_conf conf = {.rxmode = {.mq_mode = RTE_ETH_MQ_RX_NONE}};
	uint8_t key[KEY_MAX];
	int ret;

	if (d->rss) {
		zb_port_rss_key(key, info->hash_key_size);
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf = (struct rte_eth_rss_conf){
			.rss_key = key,
			.rss_key_len = info->hash_key_size,
			.rss_hf = HASHED & info->flow_type_rss_offloads,
		};
	}
	conf.rxmode.offloads =
		info->rx_offload_capa & (RTE_ETH_RX_OFFLOAD_CHECKSUM | RTE_ETH_RX_OFFLOAD_SCATTER |
					 RTE_ETH_RX_OFFLOAD_TIMESTAMP);
	if (conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_TIMESTAMP &&
	    rte_mbuf_dyn_rx_timestamp_register(&d->stamp_off, &d->stamp_flag) < 0)
		d->stamp_flag = 0; /* they are made for nobody, then */
	zb_eal_hush();
	ret = rte_eth_dev_configure(d->id, d->queue_nr, 1, &conf);
	zb_eal_hush_end();
	return ret;
}

static int set_queues_up(const struct zb_port_dev_conf *conf, struct zb_port_dev *d)
{
	uint16_t rx_desc = (uint16_t)(conf->rx_desc < UINT16_MAX ? conf->rx_desc : 32768),
		 tx_desc = 512;
	int ret = rte_eth_dev_adjust_nb_rx_tx_desc(d->id, &rx_desc, &tx_desc);

	if (ret < 0)
		return fail(d, "descriptors", ret, "");
	d->rx_desc = rx_desc;
	ret = make_pool(conf, d);
	for (uint16_t q = 0; ret == 0 && q < d->queue_nr; q++) {
		zb_eal_hush();
		ret = rte_eth_rx_queue_setup(d->id, q, rx_desc,
					     (unsigned)rte_eth_dev_socket_id(d->id), NULL, d->pool);
		zb_eal_hush_end();
		if (ret < 0)
			return fail(d, "receive queue", ret, zb_eal_complaint());
	}
	/* Some devices do not start without one. */
	if (ret == 0) {
		ret = rte_eth_tx_queue_setup(d->id, 0, tx_desc,
					     (unsigned)rte_eth_dev_socket_id(d->id), NULL);
		if (ret < 0)
			return fail(d, "transmit queue", ret, "");
	}
	return ret;
}

/* Whether the device took the symmetric key as its own. */
static bool rss_took(const struct zb_port_dev *d, const struct rte_eth_dev_info *info)
{
	uint8_t want[KEY_MAX], have[KEY_MAX] = {0};
	struct rte_eth_rss_conf conf = {.rss_key = have, .rss_key_len = info->hash_key_size};

	zb_port_rss_key(want, info->hash_key_size);
	return rte_eth_dev_rss_hash_conf_get(d->id, &conf) == 0 && conf.rss_hf & HASHED &&
	       memcmp(want, have, info->hash_key_size) == 0;
}

int zb_port_dev_open(const struct zb_port_dev_conf *conf, struct zb_port_dev *d)
{
	struct rte_eth_dev_info info;
	int ret;

	memset(d, 0, sizeof(*d));
	d->device = conf->name;
	ret = find(conf, d);
	if (ret < 0)
		return ret;
	ret = rte_eth_dev_info_get(d->id, &info);
	if (ret < 0)
		return fail(d, "information", ret, "");
	d->driver = info.driver_name;
	d->forgets = zb_peer_forgets(d->driver);
	if (rte_eth_dev_get_mtu(d->id, &d->mtu) < 0)
		d->mtu = RTE_ETHER_MTU;
	d->rss = may_rss(&info, conf->worker_nr);
	d->queue_nr = d->rss ? (uint16_t)conf->worker_nr : 1;
	if (!d->rss && feeds_all_queues(d->driver) && info.max_rx_queues <= QUEUES_OF_ARG &&
	    info.max_rx_queues > 1)
		d->queue_nr = info.max_rx_queues;
	ret = configure(d, &info);
	if (ret == 0 && d->rss && !rss_took(d, &info)) {
		d->rss = false;
		d->queue_nr = 1;
		ret = configure(d, &info);
	}
	if (ret < 0)
		return fail(d, "configuration", ret, zb_eal_complaint());
	/* A worker may read one queue; what is divided otherwise is divided anew. */
	d->spread = !d->rss && (conf->worker_nr > 1 || d->queue_nr > 1);
	ret = set_queues_up(conf, d);
	/* Not all virtual ones know it. */
	if (ret == 0 && conf->promiscuous)
		d->promiscuous = rte_eth_promiscuous_enable(d->id) == 0;
	return ret;
}

/*
 * net_af_packet does not say what the kernel had no room for in its rings. Its sockets are this
 * process's, so the kernel can be asked.
 */
static void find_sockets(struct zb_port_dev *d)
{
	struct rte_eth_dev_info info;
	struct sockaddr_ll at;
	socklen_t len;
	int domain;

	if (strcmp(d->driver, "net_af_packet") != 0 || rte_eth_dev_info_get(d->id, &info) < 0)
		return;
	for (int fd = 0; fd < FDS_MAX && d->socket_nr < ZB_PORT_SOCKETS_MAX; fd++) {
		len = sizeof(domain);
		if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0 || domain != AF_PACKET)
			continue;
		len = sizeof(at);
		if (getsockname(fd, (struct sockaddr *)&at, &len) == 0 &&
		    at.sll_ifindex == (int)info.if_index)
			d->socket[d->socket_nr++] = fd;
	}
}

static uint64_t socket_drops(struct zb_port_dev *d)
{
	for (unsigned i = 0; i < d->socket_nr; i++) {
		struct tpacket_stats st = {0};
		socklen_t len = sizeof(st);

		/* Reading sets them back. */
		if (getsockopt(d->socket[i], SOL_PACKET, PACKET_STATISTICS, &st, &len) == 0)
			d->kernel_drops += st.tp_drops;
	}
	return d->kernel_drops;
}

int zb_port_dev_start(struct zb_port_dev *d)
{
	int ret;

	zb_eal_hush();
	ret = zb_peer_start(d->id, d->device);
	if (ret == 0) {
		/* What was before is nobody's. */
		(void)rte_eth_stats_reset(d->id);
		(void)rte_eth_xstats_reset(d->id);
	}
	zb_eal_hush_end();
	if (ret < 0)
		return fail(d, "start", ret, zb_eal_complaint());
	if (d->stamp_flag != 0 && zb_nic_clock_init(&d->clock, d->id, zb_nic_clock_of_port) < 0) {
		zb_warn("--port %s: its clock cannot be read; packets have the time at which they "
			"are read",
			d->name);
		d->stamp_flag = 0;
	}
	find_sockets(d);
	(void)socket_drops(d);
	d->kernel_drops = 0;
	return 0;
}

void zb_port_dev_close(struct zb_port_dev *d)
{

	if (d->driver == NULL)
		return;
	zb_eal_hush();
	if (d->promiscuous)
		(void)rte_eth_promiscuous_disable(d->id);
	(void)rte_eth_dev_stop(d->id);
	(void)rte_eth_dev_close(d->id);
	zb_eal_hush_end();
	rte_mempool_free(d->pool);
	d->driver = NULL;
}

uint64_t zb_port_missed(struct zb_port_dev *d)
{
	struct rte_eth_stats st;

	if (rte_eth_stats_get(d->id, &st) == 0)
		d->missed = st.imissed + socket_drops(d);
	return d->missed;
}

static uint64_t counted(const struct zb_port_dev *d, uint64_t *errors)
{
	struct rte_eth_stats st = {0};

	if (rte_eth_stats_get(d->id, &st) != 0)
		return 0;
	if (errors != NULL)
		*errors = st.ierrors;
	return st.ipackets;
}

void zb_port_see(struct zb_port_dev *d)
{
	uint64_t pkts = counted(d, NULL);

	d->seen_pkts = pkts > d->seen_pkts ? pkts : d->seen_pkts;
	d->unseen = false;
}

static void describe_xstats(const struct zb_port_dev *d, struct zb_source_device *out)
{
	int nr = rte_eth_xstats_get_names(d->id, NULL, 0);
	struct rte_eth_xstat_name *names = NULL;
	struct rte_eth_xstat *values = NULL;

	if (nr <= 0)
		return;
	names = calloc((size_t)nr, sizeof(*names));
	values = calloc((size_t)nr, sizeof(*values));
	out->counters = calloc((size_t)nr, sizeof(*out->counters));
	if (names != NULL && values != NULL && out->counters != NULL &&
	    rte_eth_xstats_get_names(d->id, names, (unsigned)nr) == nr &&
	    rte_eth_xstats_get(d->id, values, (unsigned)nr) == nr) {
		for (int i = 0; i < nr; i++) {
			struct zb_source_counter *c = &out->counters[i];

			if (values[i].id >= (uint64_t)nr)
				continue;
			snprintf(c->name, sizeof(c->name), "%s", names[values[i].id].name);
			c->value = values[i].value;
		}
		out->counter_nr = (uint32_t)nr;
	}
	free(names);
	free(values);
}

static void describe_link(const struct zb_port_dev *d, struct zb_source_device *out)
{
	struct rte_eth_link link = {0};

	if (rte_eth_link_get_nowait(d->id, &link) != 0)
		return;
	out->link_up = link.link_status == RTE_ETH_LINK_UP;
	if (link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN)
		out->link_mbps = link.link_speed;
	/* A process at the other end may come and go. */
	out->went_down = !out->link_up && out->got_pkts != 0;
}

/* The last burst's count may have gone with the other end; there is nobody else to be asked. */
static void describe_counts(const struct zb_port_dev *d, struct zb_source_device *out)
{
	uint64_t pkts = counted(d, &out->errors);

	pkts = pkts > d->seen_pkts ? pkts : d->seen_pkts;
	if (d->forgets && !out->link_up && pkts < out->got_pkts) {
		snprintf(out->note, sizeof(out->note),
			 "what it counted of the last %" PRIu64
			 " packets was lost with its connection",
			 out->got_pkts - pkts);
		pkts = out->got_pkts;
	}
	out->device_pkts = pkts + d->missed;
}

void zb_port_dev_describe(const struct zb_port_dev *d, uint64_t got_pkts,
			  struct zb_source_device *out)
{

	*out = (struct zb_source_device){
		.driver = d->driver,
		.mode = d->rss	    ? "RSS, symmetric key"
			: d->spread ? "divided in software, symmetric hash"
				    : "one queue",
		.queue_nr = d->queue_nr,
		.mtu = d->mtu,
		.dropped_pkts = d->missed,
		.got_pkts = got_pkts,
		.hw_timestamps = d->stamp_flag != 0,
	};
	snprintf(out->name, sizeof(out->name), "%s", d->name);
	/* Some complain when nobody is at the other end. */
	zb_eal_hush();
	describe_link(d, out);
	describe_counts(d, out);
	describe_xstats(d, out);
	zb_eal_hush_end();
}

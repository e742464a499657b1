/* SPDX-License-Identifier: Apache-2.0 */
/*
 * port_dev.h - one DPDK device: found, configured, started, and what it says of itself
 *
 * Threading: main, except zb_port_missed(), which one thread at a time may call.
 * Errors:    0 or -errno, said.
 */
#ifndef ZB_CAPTURE_PORT_DEV_H
#define ZB_CAPTURE_PORT_DEV_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/source.h"

#define ZB_PORT_SOCKETS_MAX 64

struct rte_mempool;

struct zb_port_dev_conf {
	const char *name; /* as --port has it */
	uint32_t worker_nr;
	uint32_t rx_desc;
	int numa_id; /* of the first worker */
	bool promiscuous;
};

struct zb_port_dev {
	char name[64]; /* without arguments */
	const char *driver;
	uint16_t id;
	uint16_t queue_nr; /* receive queues */
	uint16_t rx_desc;  /* of each, as the device has it */
	bool spread;	   /* the queues are not one per worker: packets are divided in software */
	bool rss;	   /* they are, by the symmetric key */
	bool is_virtual;   /* counts packets when they are read */
	bool promiscuous;  /* and so to be undone */
	uint16_t mtu;
	struct rte_mempool *pool;
	uint64_t missed;		 /* as of zb_port_missed() */
	int socket[ZB_PORT_SOCKETS_MAX]; /* net_af_packet's, see port_dev.c */
	unsigned socket_nr;
	uint64_t kernel_drops; /* that these tell of */
};

int zb_port_dev_open(const struct zb_port_dev_conf *conf, struct zb_port_dev *d);
/* Packets may come from now on. */
int zb_port_dev_start(struct zb_port_dev *d);
void zb_port_dev_close(struct zb_port_dev *d);

/* Packets that the device had no room for, so far; also in d->missed. */
uint64_t zb_port_missed(struct zb_port_dev *d);

/* Fills all of out but what the readers count. */
void zb_port_dev_describe(const struct zb_port_dev *d, struct zb_source_device *out);

/* Fills len bytes with the key that makes a NIC's hash symmetric: rss.h's, as often as it fits. */
void zb_port_rss_key(uint8_t *key, uint32_t len);

#endif

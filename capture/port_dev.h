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

#include "capture/nic_clock.h"
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
	char name[64];	    /* without arguments */
	const char *device; /* as --port has it */
	const char *driver;
	uint16_t id;
	uint16_t queue_nr; /* receive queues */
	uint16_t rx_desc;  /* of each, as the device has it */
	bool spread;	   /* the queues are not one per worker: packets are divided in software */
	bool rss;	   /* they are, by the symmetric key */
	bool is_virtual;   /* counts packets when they are read */
	bool promiscuous;  /* and so to be undone */
	bool forgets;	   /* what it counted, when the process at the other end leaves */
	bool unseen;	   /* packets were read since it was last asked what it counts */
	uint16_t mtu;
	struct rte_mempool *pool;
	uint64_t missed;		 /* as of zb_port_missed() */
	int socket[ZB_PORT_SOCKETS_MAX]; /* net_af_packet's, see port_dev.c */
	unsigned socket_nr;
	uint64_t kernel_drops; /* that these tell of */
	uint64_t stamp_flag;   /* of a packet that has a time stamp of the device's; 0: none has */
	int stamp_off;	       /* where it is in an mbuf */
	struct zb_nic_clock clock; /* as of start: each reader copies it */
	uint64_t seen_pkts;	   /* by zb_port_see(), which only the reader of its queues calls */
};

int zb_port_dev_open(const struct zb_port_dev_conf *conf, struct zb_port_dev *d);
/* Packets may come from now on. */
int zb_port_dev_start(struct zb_port_dev *d);
void zb_port_dev_close(struct zb_port_dev *d);

/* Packets that the device had no room for, so far; also in d->missed. */
uint64_t zb_port_missed(struct zb_port_dev *d);

/* Notes what the device has counted, while it knows. */
void zb_port_see(struct zb_port_dev *d);

/* After each burst of got packets: a device that forgets is asked when there is nothing to do. */
static inline void zb_port_after(struct zb_port_dev *d, uint16_t got)
{
	if (__builtin_expect(!d->forgets, 1))
		return;
	if (got != 0)
		d->unseen = true;
	else if (d->unseen)
		zb_port_see(d);
}

/* Fills all of out; got_pkts: packets that were read. */
void zb_port_dev_describe(const struct zb_port_dev *d, uint64_t got_pkts,
			  struct zb_source_device *out);

/* Fills len bytes with the key that makes a NIC's hash symmetric: rss.h's, as often as it fits. */
void zb_port_rss_key(uint8_t *key, uint32_t len);

#endif

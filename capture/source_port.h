/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_port.h - live capture from DPDK's devices: NICs by PCI address, or virtual devices
 *
 * Each worker has a receive queue of its own on every port, and the device divides packets among
 * them by a symmetric hash (RSS, the key 6d 5a of rss.h), so that both directions of a connection
 * reach one worker. Where a device has one queue only or no such hash, a thread of its own, the
 * spreader, reads the one queue and hands packets to bounded rings, one per worker, by the hash of
 * rss.h; what does not fit is dropped and counted, as a NIC does.
 *
 * A device counts packets when it is read (virtual ones) or when they arrive (NICs). Drops of the
 * device belong to no worker: worker 0 bears them.
 *
 * Threading: open, start, report, close by main; queue i by worker i; the spreader is started and
 * joined here.
 */
#ifndef ZB_CAPTURE_SOURCE_PORT_H
#define ZB_CAPTURE_SOURCE_PORT_H

#include <sched.h>

#include "capture/source.h"

#define ZB_PORTS_MAX 16

struct zb_port_conf {
	const char *const *names; /* as --port has them: "0000:03:00.0", "net_null0,size=64" */
	uint32_t name_nr;
	uint32_t queue_nr; /* workers */
	uint32_t rx_desc;  /* descriptors of a queue, and packets that a worker's ring holds */
	const unsigned *worker_cpus;
	const cpu_set_t *spreader_cpus;
	bool promiscuous;
	const bool *stop; /* set by main: what has come is read, then queues are done */
};

/* DPDK has been started with these devices. 0 or -errno, said. */
int zb_port_open(const struct zb_port_conf *conf, struct zb_source **out);

#endif

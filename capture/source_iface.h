/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_iface.h - live capture from the kernel's interfaces: AF_PACKET, a ring per worker and
 * interface (iface_ring.h)
 *
 * With several workers the kernel divides each interface's packets among their rings (fanout). A
 * worker that reads several interfaces merges them by time, and holds packets back for at most
 * ZB_IFACE_LATE_NS, by when every ring has handed over what was before them.
 *
 * Packets that the kernel had no room for are pkts_dropped; it does not count their bytes, so that
 * bytes_link is without them.
 *
 * Threading: open, start, report, close by main; queue i by worker i.
 */
#ifndef ZB_CAPTURE_SOURCE_IFACE_H
#define ZB_CAPTURE_SOURCE_IFACE_H

#include "capture/iface_ring.h"
#include "capture/source.h"

#define ZB_IFACES_MAX	 16
#define ZB_IFACE_LATE_NS (3u * ZB_RING_TIMEOUT_MS * 1000000u)

struct zb_iface_conf {
	const char *const *names;
	uint32_t name_nr;
	uint32_t queue_nr;   /* workers */
	uint64_t ring_bytes; /* of each ring */
	enum zb_fanout fanout;
	bool promiscuous;
	const bool *stop; /* set by main: no packet is let in any more, what has come is read */
};

/*
 * 0 or -errno, said; -EPERM: AF_PACKET is not allowed here; -EPROTONOSUPPORT, not said: only
 * libpcap may be able to read one of them.
 */
int zb_iface_open(const struct zb_iface_conf *conf, struct zb_source **out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_pcap.h - live capture by libpcap: the last resort, for interfaces and kernels that
 * source_iface.h cannot read
 *
 * One worker. Packets are copied once more than there. The order of several interfaces' packets,
 * and how a run ends, are as in source_iface.h.
 *
 * Threading: open, start, report, close by main; the queue by its worker.
 */
#ifndef ZB_CAPTURE_SOURCE_PCAP_H
#define ZB_CAPTURE_SOURCE_PCAP_H

#include "capture/source.h"

struct zb_pcap_conf {
	const char *const
		*names; /* what libpcap calls them, "any" too; ZB_PCAP_PREFIX is cut off */
	uint32_t name_nr;
	uint64_t ring_bytes; /* of the kernel's buffer for each */
	bool promiscuous;
	const bool *stop; /* set by main: no packet is let in any more, what has come is read */
};

#define ZB_PCAP_PREFIX "pcap:"

/* True when a name asks for libpcap. */
bool zb_pcap_wanted(const char *name);

/* 0 or -errno, said. */
int zb_pcap_open(const struct zb_pcap_conf *conf, struct zb_source **out);

#endif

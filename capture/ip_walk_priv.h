/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ip_walk_priv.h - finds addresses and transport header of a captured packet, for sharding and
 * rewriting
 *
 * Accepts the link layers, tags and extension headers that the engine's decoder follows, so that
 * both speak of the same flow. Judges nothing: lengths and checksums may be wrong, only captured
 * bytes count.
 *
 * Threading: any.
 */
#ifndef ZB_CAPTURE_IP_WALK_PRIV_H
#define ZB_CAPTURE_IP_WALK_PRIV_H

#include "capture/packet.h"

struct zb_ip_walk {
	uint32_t ip_off; /* IP header, from data; addresses are captured whole */
	uint32_t l4_off; /* transport header, from data; 0: not here (later fragment) or not reached
			  */
	uint8_t version; /* 4 or 6 */
	uint8_t proto;	 /* at l4_off */
	bool fragment;	 /* a part of a datagram; the first one has its transport header */
	bool routed;	 /* IPv6 routing header with segments left: dst is not the final one */
};

/* False: not IP, or its addresses were not captured. Reads at most cap_len bytes. */
bool zb_ip_walk(enum zb_link link, const uint8_t *data, uint32_t cap_len, struct zb_ip_walk *w);

#endif

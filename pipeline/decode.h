/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode.h - from the first byte of a packet to its transport payload: the decode stage
 *
 * Link layers: Ethernet with any stack of 802.1Q, 802.1ad and older tags, MPLS, PPPoE, SNAP; raw
 * IP; Linux cooked v1 and v2; BSD loopback; PPP. IPv4 with options; IPv6 with extension headers.
 * TCP, UDP, ICMP, ICMPv6. Lengths and checksums are checked as Zeek checks them: what is wrong is
 * counted by fate and named in weird.log, never trusted.
 *
 * Threading: one lcore.
 */
#ifndef ZB_PIPELINE_DECODE_H
#define ZB_PIPELINE_DECODE_H

#include "pipeline/weird.h"
#include "profiler/lcore_stat.h"

struct zb_decoder {
	struct zb_weird *weird;
	uint64_t *fate;	       /* counters by enum zb_fate; counts all but the live packets */
	uint64_t secret;       /* of the flow key hash */
	bool ignore_checksums; /* Zeek's -C */
};

/*
 * Decodes n packets. Those that belong to a connection, also with a bad transport header or
 * checksum (fate says so), get a key and a hash and their index is written to live, in order;
 * returns how many.
 */
uint16_t zb_decode_burst(const struct zb_decoder *d, struct zb_pkt *pkts, uint16_t n,
			 struct zb_flow_key *keys, uint8_t *live);

/*
 * Finds the IP header of a packet: sets l3_off and returns ZB_FATE_conn, or what became of it
 * instead.
 */
enum zb_fate zb_decode_link_any(struct zb_pkt *p);

/* The same; untagged IPv4 on Ethernet, which most packets are, without a call. */
static inline enum zb_fate zb_decode_link(struct zb_pkt *p)
{
	if (p->link == ZB_LINK_ETHERNET && p->cap_len >= 14 && p->data[12] == 0x08 &&
	    p->data[13] == 0x00) {
		p->l3_off = 14;
		return ZB_FATE_conn;
	}
	return zb_decode_link_any(p);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode.h - from the first byte of a packet to its transport payload, and on through fragments and
 * tunnels: the decode stage
 *
 * Link layers: Ethernet with any stack of 802.1Q, 802.1ad and older tags, VN tags, provider
 * backbone bridging, FabricPath, MPLS, PPPoE, SNAP; raw IP; Linux cooked v1 and v2; BSD loopback;
 * PPP, Cisco HDLC, FDDI; 802.11, also behind radiotap; NFLOG. IPv4 with options; IPv6 with
 * extension headers. TCP, UDP, ICMP, ICMPv6. Lengths and checksums are checked as Zeek checks them:
 * what is wrong is counted by fate and named in weird.log, never trusted.
 *
 * A fragment that completes its datagram becomes that datagram (frag.h). A packet in a tunnel
 * becomes a packet of its own behind the one it was in (burst.h), which has no fate. What was in IP
 * or GRE alone has the fate tunnel.
 *
 * Threading: one lcore.
 */
#ifndef ZB_PIPELINE_DECODE_H
#define ZB_PIPELINE_DECODE_H

#include "pipeline/burst.h"
#include "pipeline/flow_table.h"
#include "pipeline/weird.h"

struct zb_frag;
struct zb_mem;
struct zb_tunnels;

struct zb_decoder {
	struct zb_weird *weird;
	struct zb_frag *frag;	    /* NULL: fragments stay fragments */
	struct zb_tunnels *tunnels; /* NULL: tunnels are not entered */
	struct zb_mem *mem;	    /* counts packets not unwrapped for want of room */
	uint64_t *fate;		    /* counters by enum zb_fate; counts all but the live packets */
	uint64_t secret;	    /* of the flow key hash */
	bool ignore_checksums;	    /* Zeek's -C */
	/* Fetched ahead of the flow stage, as soon as there is a hash; NULL: nobody will look. */
	const struct zb_flow_table *table;
};

/*
 * Decodes b's pkt_nr packets and what is in them. Those that belong to a connection, also with a
 * bad transport header or checksum (fate says so), get a key and a hash and their index is written
 * to b->live, in order.
 */
void zb_decode_burst(const struct zb_decoder *d, struct zb_burst *b);

static inline bool zb_fate_is_live(enum zb_fate fate)
{
	return fate == ZB_FATE_conn || fate == ZB_FATE_bad_transport_header ||
	       fate == ZB_FATE_bad_transport_checksum;
}

/* Does a packet count: it was received, and no other worker counts it? */
static inline bool zb_pkt_counts(const struct zb_pkt *p)
{
	return !(p->flags & (ZB_PKT_VIRTUAL | ZB_PKT_INNER_ONLY));
}

/*
 * Finds the IP header of a packet: sets l3_off and returns ZB_FATE_conn, or what became of it
 * instead. *weird: what is odd about it, or ZB_WEIRD_NR; weird may be NULL.
 */
enum zb_fate zb_decode_link_any(struct zb_pkt *p, enum zb_weird_name *weird);

/* The same; untagged IPv4 on Ethernet, which most packets are, without a call. */
static inline enum zb_fate zb_decode_link(struct zb_pkt *p, enum zb_weird_name *weird)
{
	if (p->link == ZB_LINK_ETHERNET && p->cap_len > 16 && p->data[12] == 0x08 &&
	    p->data[13] == 0x00) {
		p->l3_off = 14;
		return ZB_FATE_conn;
	}
	return zb_decode_link_any(p, weird);
}

#endif

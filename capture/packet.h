/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packet.h - a packet and a queue that bursts of them come from: all that pipeline sees of capture
 *
 * A packet's metadata is one cache line. The source fills the first half; decode fills the second.
 *
 * Threading: a queue and its packets belong to one worker.
 * Ownership: data points into memory of the source and is valid until the next zb_rxq_burst() of
 * the same queue; it may be read, never written.
 */
#ifndef ZB_CAPTURE_PACKET_H
#define ZB_CAPTURE_PACKET_H

#include <assert.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

/* How the first byte of a packet is to be read (a subset of libpcap's link types). */
enum zb_link {
	ZB_LINK_ETHERNET, /* DLT_EN10MB */
	ZB_LINK_RAW_IP,	  /* DLT_RAW: version nibble decides; also IPV4, IPV6 */
	ZB_LINK_SLL,	  /* Linux cooked v1 */
	ZB_LINK_SLL2,	  /* Linux cooked v2 */
	ZB_LINK_NULL,	  /* BSD loopback, family in either byte order; DLT_LOOP too */
	ZB_LINK_PPP,	  /* PPP, with or without HDLC framing ff 03 */
	ZB_LINK_FDDI,	  /* frame control and addresses, then LLC */
	ZB_LINK_C_HDLC,	  /* Cisco HDLC */
	ZB_LINK_NFLOG,	  /* Linux netfilter: attributes, the last of which is the IP packet */
	ZB_LINK_WIFI,	  /* IEEE 802.11 */
	ZB_LINK_RADIOTAP, /* the same behind what the radio has to say */
	ZB_LINK_NR
};

enum zb_pkt_flag {
	ZB_PKT_FRAGMENT = 1 << 0,   /* IP fragment, not the whole datagram */
	ZB_PKT_SNAPPED = 1 << 1,    /* cap_len < wire_len: payload checksums cannot be checked */
	ZB_PKT_L4_CHECKED = 1 << 2, /* source or NIC vouches for the checksums */
	ZB_PKT_SRC_IS_A = 1 << 3,   /* decode: the source is end a of the flow key */
	ZB_PKT_OUTER_ONLY = 1 << 4, /* its first UDP tunnel is not to be entered: see below */
	ZB_PKT_INNER_ONLY = 1 << 5, /* a shadow: only what is in its first UDP tunnel counts */
	ZB_PKT_VIRTUAL = 1 << 6,    /* decode: came out of a tunnel; counted as no packet */
	ZB_PKT_WRAPS = 1 << 7,	    /* decode: its UDP payload is taken for a tunnel */
};

/*
 * The two flows of a packet in a UDP tunnel, outer and inner, may belong to two workers. Then each
 * of them gets the packet: the outer flow's with ZB_PKT_OUTER_ONLY, as a packet like any other; the
 * inner flow's with ZB_PKT_INNER_ONLY, as a shadow, which no ledger, count of packets or bytes, or
 * fate may know of, and whose UDP header belongs to no connection there. IP-in-IP and GRE in front
 * of the UDP tunnel are entered either way, and what is in a shadow's UDP tunnel is treated as
 * ever, further tunnels included. Fragments of such a datagram carry the flag of the whole. With
 * one worker neither flag occurs.
 */

struct zb_pkt {
	/* Filled by the source. */
	alignas(64) const uint8_t *data;
	uint64_t ts_ns;	   /* packet time, Unix epoch */
	uint32_t cap_len;  /* bytes at data */
	uint32_t wire_len; /* bytes on the wire; >= cap_len */
	uint32_t late;	   /* how far ts_ns is behind the newest packet so far, of any queue, as
			      zb_late_code() has it; mostly 0 */
	uint8_t link;	   /* enum zb_link */
	uint8_t flags;	   /* enum zb_pkt_flag */
	uint16_t l3_off;   /* decode: IP header, from data */

	/* Filled by decode; valid only when fate is ZB_FATE_conn. */
	uint64_t hash;	      /* keyed hash of the flow key */
	uint32_t ip_len;      /* IPv4 total length; IPv6 40 + payload length */
	uint32_t payload_len; /* transport payload as the headers say */
	uint32_t payload_cap; /* of those, how many were captured */
	uint16_t l4_off;      /* transport header, from data */
	uint16_t payload_off; /* transport payload, from data */
	uint16_t src_port,
		dst_port;   /* host order; ICMP: type and counterpart or code, see flow_key.h */
	uint8_t ip_version; /* 4 or 6 */
	uint8_t proto;	    /* IP protocol of the transport header */
	uint8_t tcp_flags;
	uint8_t fate; /* enum zb_fate */
};
static_assert(sizeof(struct zb_pkt) == 64 || sizeof(struct zb_pkt) == 128, "whole cache lines");

/*
 * Up to 35 minutes in microseconds, beyond in steps of 67 ms up to 4 years: a code may fall short
 * of the truth by less than ZB_LATE_GRAIN_NS, and of small ones by less than a microsecond.
 */
#define ZB_LATE_GRAIN_NS  (1ull << ZB_LATE_FAR_SHIFT)
#define ZB_LATE_FAR	  (1u << 31)
#define ZB_LATE_FAR_SHIFT 26

static inline uint32_t zb_late_code(uint64_t late_ns)
{
	uint64_t us = late_ns / 1000, far = late_ns >> ZB_LATE_FAR_SHIFT;

	if (us < ZB_LATE_FAR)
		return (uint32_t)us;
	return ZB_LATE_FAR | (uint32_t)(far < ZB_LATE_FAR ? far : ZB_LATE_FAR - 1);
}

static inline uint64_t zb_late_ns(uint32_t code)
{
	return code & ZB_LATE_FAR ? (uint64_t)(code & ~ZB_LATE_FAR) << ZB_LATE_FAR_SHIFT
				  : code * 1000ull;
}

/* Engine time at p: packet time, but never running back. Deadlines are held against it. */
static inline uint64_t zb_pkt_now_ns(const struct zb_pkt *p)
{
	return p->late == 0 ? p->ts_ns : p->ts_ns + zb_late_ns(p->late);
}

struct zb_rxq;

/* What the source knows of its side of the accounting law; absolute, packets and wire bytes. */
struct zb_rxq_ledger {
	uint64_t offered_pkts, offered_bytes; /* meant for this queue */
	uint64_t unsent_pkts,
		unsent_bytes; /* lost before the link: the generator could not send them */
	uint64_t link_pkts, link_bytes;	      /* reached the link */
	uint64_t dropped_pkts, dropped_bytes; /* lost between link and queue: receive queue full */
	uint64_t filtered_pkts, filtered_bytes; /* removed by a filter */
};

/* What a source implements; priv is its per-queue state. */
struct zb_rxq_ops {
	/*
	 * Fills up to n (at most ZB_BURST_MAX) packets whose ts_ns is below until_ns, in order;
	 * returns how many. 0 with *q->done false: nothing now, poll again. The burst ends early at
	 * until_ns, so that the worker can take a snapshot exactly there.
	 */
	uint16_t (*burst)(struct zb_rxq *q, struct zb_pkt *pkts, uint16_t n, uint64_t until_ns);
	/*
	 * Time of the next packet that burst() would return, 0 when unknown; live: now, or nearly,
	 * which no later packet is before.
	 */
	uint64_t (*next_ns)(const struct zb_rxq *q);
	/*
	 * Time of the first packet of the whole source, whatever its queue, at or after ns; 0:
	 * there is none, or it is not known (live). NULL: never known.
	 */
	uint64_t (*time_from)(const struct zb_rxq *q, uint64_t ns);
	/* Fills the source's own counts, which owe nothing to what the engine counts. */
	void (*ledger)(const struct zb_rxq *q, struct zb_rxq_ledger *out);
};

struct zb_rxq {
	const struct zb_rxq_ops *ops;
	void *priv;
	bool done; /* set by the source: nothing will come any more */
	bool live; /* packet time is wall-clock time, and goes on without packets: next_ns() */
	/* Where an open loop notes how late each packet is when burst() hands it out; or NULL. */
	struct zb_lag *lag;
	uint64_t lag_ns; /* the newest packet's; 0 in a closed loop */
	uint64_t queued; /* packets that waited behind the last burst */
};

static inline uint16_t zb_rxq_burst(struct zb_rxq *q, struct zb_pkt *pkts, uint16_t n,
				    uint64_t until_ns)
{
	return q->ops->burst(q, pkts, n, until_ns);
}

#endif

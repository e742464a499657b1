/* SPDX-License-Identifier: Apache-2.0 */
/*
 * burst.h - a burst between the stages: the packets that came, and those that came out of tunnels
 *
 *     pkts    | 0 ... 63: from the source | 64 ... 255: out of tunnels |
 *     live    in order of analysis: a packet, then what was in it, then the next packet
 *
 * Threading: the lcore's.
 * Ownership: the engine's; valid until the next burst.
 */
#ifndef ZB_PIPELINE_BURST_H
#define ZB_PIPELINE_BURST_H

#include "capture/packet.h"
#include "pipeline/flow_key.h"
#include "pipeline/tunnel_parse.h"
#include "profiler/lcore_stat.h"

#define ZB_INNER_MAX	    192 /* packets out of tunnels in a burst; more are not unwrapped */
#define ZB_BURST_ROOM	    (ZB_BURST_MAX + ZB_INNER_MAX)
#define ZB_TUNNEL_DEPTH_MAX 4 /* Zeek: Tunnel::max_depth */
#define ZB_UID_SEQ_NONE	    UINT64_MAX

/* One tunnel that a packet came through. */
struct zb_layer {
	const uint8_t *src, *dst; /* of the outer IP header, addr_len bytes each */
	uint64_t uid_seq;	  /* IP and GRE; UDP: of a shadow; or ZB_UID_SEQ_NONE */
	uint16_t outer;		  /* UDP: the packet it was in, as an index into pkts */
	uint8_t type;		  /* enum zb_tun_type */
	uint8_t addr_len;
	bool is_udp;
	bool shadow; /* UDP: its connection is another worker's */
};

/* All of them, outermost first. */
struct zb_encap {
	struct zb_layer layer[ZB_TUNNEL_DEPTH_MAX];
	uint8_t depth;
};

struct zb_burst {
	struct zb_pkt pkts[ZB_BURST_ROOM];
	struct zb_flow_key keys[ZB_BURST_ROOM]; /* by index of the packet, as those below */
	struct zb_conn *conns[ZB_BURST_ROOM];
	struct zb_tun_inner wraps[ZB_BURST_ROOM]; /* of packets with ZB_PKT_WRAPS */
	struct zb_encap encap[ZB_INNER_MAX];	  /* of those out of tunnels */
	uint16_t live[ZB_BURST_ROOM];		  /* indices */
	uint16_t pkt_nr, inner_nr, live_nr;
};

/* How a packet came; NULL: through no tunnel. */
static inline struct zb_encap *zb_burst_encap(struct zb_burst *b, uint32_t i)
{
	return i >= ZB_BURST_MAX ? &b->encap[i - ZB_BURST_MAX] : NULL;
}

#endif

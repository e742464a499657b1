/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ip_walk_priv.h - finds addresses and transport header of a captured packet, and of the packets
 * inside it, for sharding and rewriting
 *
 * Accepts the link layers, tags, extension headers and tunnels that the engine's decoder follows,
 * so that both speak of the same flow. Judges nothing that does not move a header: lengths and
 * checksums may be wrong, only captured bytes count.
 *
 * Threading: any.
 * Units:     offsets are from the first byte of data; nothing at or beyond len is read.
 */
#ifndef ZB_CAPTURE_IP_WALK_PRIV_H
#define ZB_CAPTURE_IP_WALK_PRIV_H

#include "capture/packet.h"

struct zb_ip_walk {
	uint32_t ip_off;   /* IP header, from data; addresses are captured whole */
	uint32_t l4_off;   /* transport header, from data; 0: not here (later fragment) or not
			      reached */
	uint32_t frag_off; /* IPv6: the fragment header, when fragment is set */
	uint8_t version;   /* 4 or 6 */
	uint8_t proto;	   /* at l4_off */
	bool fragment;	   /* a part of a datagram; the first one has its transport header */
	bool routed;	   /* IPv6 routing header with segments left: dst is not the final one */
};

/* False: not IP, or its addresses were not captured. Reads at most cap_len bytes. */
bool zb_ip_walk(enum zb_link link, const uint8_t *data, uint32_t cap_len, struct zb_ip_walk *w);

/* What a fragment says of its datagram. */
struct zb_ip_fragment {
	uint32_t id;
	uint32_t from, len; /* bytes of the datagram's payload; headers may lie, no more than 64 KiB
			       each */
	bool last;
};
/* w->fragment must be set. */
void zb_ip_fragment(const uint8_t *data, const struct zb_ip_walk *w, struct zb_ip_fragment *f);

/* Encapsulations: as many as Zeek's Tunnel::max_depth, so one IP header more. */
#define ZB_TUNNEL_DEPTH_MAX 4
#define ZB_IP_LEVELS_MAX    (ZB_TUNNEL_DEPTH_MAX + 1)

enum zb_tunnel {
	ZB_TUNNEL_NONE,
	ZB_TUNNEL_IP,	  /* IP in IP, protocols 4 and 41: RFC 2003, 4213, 2473 */
	ZB_TUNNEL_GRE,	  /* RFC 2784, 2890; PPTP, RFC 2637; Ethernet, ERSPAN I to III */
	ZB_TUNNEL_VXLAN,  /* RFC 7348; this and all below are on UDP */
	ZB_TUNNEL_GENEVE, /* RFC 8926 */
	ZB_TUNNEL_TEREDO, /* RFC 4380 */
	ZB_TUNNEL_GTP,	  /* GTPv1-U, 3GPP TS 29.281 */
	ZB_TUNNEL_AYIYA,  /* draft-massar-v6ops-ayiya-02 */
};
enum {
	ZB_PORT_GTP = 2152,
	ZB_PORT_TEREDO = 3544,
	ZB_PORT_VXLAN = 4789,
	ZB_PORT_AYIYA = 5072,
	ZB_PORT_GENEVE = 6081,
};

/* May a packet of this protocol hold another one without being a connection itself? */
static inline bool zb_is_ip_tunnel(uint8_t proto)
{
	return proto == 4 || proto == 41 || proto == 47;
}

/*
 * Finds the packet inside outer, of which outer->l4_off and proto speak; ZB_TUNNEL_NONE, with
 * *inner undefined: there is none that is IP with its addresses captured. On UDP the port says
 * which tunnel it is, the destination's first.
 */
enum zb_tunnel zb_tunnel_walk(const uint8_t *data, uint32_t len, const struct zb_ip_walk *outer,
			      struct zb_ip_walk *inner);

/* For zb_tunnel_walk(): an IP header, or a frame's Ethernet or 802.11 header, at off <= len. */
bool zb_ip_walk_at(const uint8_t *data, uint32_t len, uint32_t off, struct zb_ip_walk *w);
bool zb_ip_walk_ethernet(const uint8_t *data, uint32_t len, uint32_t off, struct zb_ip_walk *w);
bool zb_ip_walk_wifi(const uint8_t *data, uint32_t len, uint32_t off, struct zb_ip_walk *w);

#endif

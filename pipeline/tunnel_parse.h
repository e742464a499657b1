/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tunnel_parse.h - finds the packet in a packet: GRE behind IP; VXLAN, Geneve, Teredo, GTPv1 and
 * AYIYA behind UDP
 *
 * Judges only what the tunnel's own header says, as Zeek's packet analyzers do; what to make of it
 * is tunnel.h's.
 *
 * Threading: pure functions.
 * Units:     bytes; nothing at or beyond len is read.
 */
#ifndef ZB_PIPELINE_TUNNEL_PARSE_H
#define ZB_PIPELINE_TUNNEL_PARSE_H

#include "pipeline/weird.h"

/* Zeek's Tunnel::Type; the last two are of connections that relay others. */
enum zb_tun_type {
	ZB_TUN_NONE,
	ZB_TUN_IP,     /* RFC 2003, 2473, 4213 */
	ZB_TUN_GRE,    /* RFC 2784, 2890; version 1: RFC 2637; ERSPAN; Ethernet */
	ZB_TUN_AYIYA,  /* draft-massar-v6ops-ayiya-02 */
	ZB_TUN_TEREDO, /* RFC 4380 */
	ZB_TUN_GTPV1,  /* 3GPP TS 29.281 */
	ZB_TUN_VXLAN,  /* RFC 7348 */
	ZB_TUN_GENEVE, /* RFC 8926 */
	ZB_TUN_SOCKS,
	ZB_TUN_HTTP,
	ZB_TUN_NR
};

enum zb_tun_verdict {
	ZB_TUN_OTHER,	 /* nothing to see: a message that carries no packet */
	ZB_TUN_HOLDS,	 /* the inner packet is at off */
	ZB_TUN_CONFIRMS, /* is this tunnel; no packet that could be followed */
	ZB_TUN_BROKEN,	 /* is not this tunnel */
	ZB_TUN_ODD, /* not followed, for the reason that weird gives; nothing said of the rest */
};

struct zb_tun_inner {
	uint32_t off, len;
	uint16_t weird; /* enum zb_weird_name; ZB_WEIRD_NR: none */
	uint16_t addl;	/* number that goes with it */
	uint8_t type;	/* enum zb_tun_type */
	uint8_t verdict;
	uint8_t link;	 /* enum zb_link of the inner packet; ZB_LINK_NR: nobody reads it */
	uint8_t strict;	 /* GRE version 1: the IP version it must be, 4 or 6; else 0 */
	bool by_content; /* UDP: found by zb_tun_by_content() */
};

/* The type of tunnel that a UDP port is registered for, or ZB_TUN_NONE. */
enum zb_tun_type zb_tun_on_port(uint16_t port);

/* By content, for UDP on other ports; only Teredo and AYIYA have marks to be known by. */
enum zb_tun_type zb_tun_by_content(const uint8_t *d, uint32_t len);

/* A GRE header at d. */
void zb_tun_parse_gre(const uint8_t *d, uint32_t len, struct zb_tun_inner *in);

/* A UDP payload, taken for a tunnel of a type; gtp_in_gtp: the packet itself came through GTP. */
void zb_tun_parse_udp(enum zb_tun_type type, const uint8_t *d, uint32_t len, bool gtp_in_gtp,
		      struct zb_tun_inner *in);

#endif

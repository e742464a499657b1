/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode_priv.h - what the parts of the decode stage share
 *
 * Threading: one lcore.
 * Units:     offsets are from the first byte of the packet, 32 bits wide and checked before each
 *            read.
 */
#ifndef ZB_PIPELINE_DECODE_PRIV_H
#define ZB_PIPELINE_DECODE_PRIV_H

#include <netinet/in.h>

#include "pipeline/decode.h"

/* What the IP header said, for the transport decoders. */
struct zb_ip_view {
	const uint8_t *src, *dst; /* IPv6: of the mobile node's home, and behind a routing header */
	uint32_t addr_len;
	uint32_t l4_off;  /* from data */
	uint32_t l4_len;  /* as the headers say; the captured rest when they say nothing */
	uint32_t l4_cap;  /* captured from l4_off on, link padding included */
	uint32_t stated;  /* IP payload length as stated, 0: not (segmentation offload) */
	uint32_t next_at; /* IPv6 fragment: where the fragment header is named */
	bool fragment;
};

static inline uint16_t zb_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* Name an oddity, as the one of a packet in a tunnel where it is; return fate. */
enum zb_fate zb_decode_odd_net(const struct zb_decoder *d, const struct zb_pkt *p,
			       enum zb_weird_name name, enum zb_fate fate);
enum zb_fate zb_decode_odd_flow(const struct zb_decoder *d, const struct zb_pkt *p,
				const struct zb_ip_view *v, enum zb_weird_name name,
				enum zb_fate fate);

/* Total length against the wire, header length against both; the same checks for both versions. */
enum zb_fate zb_decode_bad_lengths(const struct zb_decoder *d, const struct zb_pkt *p,
				   uint32_t total, uint32_t hdr_len, uint32_t hdr_min);
static inline enum zb_fate zb_decode_lengths(const struct zb_decoder *d, const struct zb_pkt *p,
					     uint32_t total, uint32_t hdr_len, uint32_t hdr_min)
{
	if (__builtin_expect(p->wire_len >= total + p->l3_off && hdr_len <= total &&
				     hdr_len <= p->cap_len - p->l3_off && hdr_len >= hdr_min,
			     1))
		return ZB_FATE_conn;
	return zb_decode_bad_lengths(d, p, total, hdr_len, hdr_min);
}

static inline bool zb_ipv6_is_extension(uint8_t next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS ||
	       next == IPPROTO_FRAGMENT || next == IPPROTO_AH;
}

/* Walks IPv6 extension headers, up to a fragment header at most. Sets proto and l4_off. */
enum zb_fate zb_decode_ipv6_chain(const struct zb_decoder *d, struct zb_pkt *p,
				  struct zb_ip_view *v);

/*
 * A fragment: ZB_FATE_conn when it has become a whole datagram, of which p then speaks from its
 * link layer on, or when it is to be taken as one.
 */
enum zb_fate zb_decode_fragment(const struct zb_decoder *d, struct zb_pkt *p, struct zb_ip_view *v);

/* Packet i is an IP or GRE tunnel; or its UDP payload may be one. Adds what is inside to b. */
void zb_decode_ip_tunnel(const struct zb_decoder *d, struct zb_burst *b, uint32_t i,
			 const struct zb_ip_view *v);
void zb_decode_udp_tunnel(const struct zb_decoder *d, struct zb_burst *b, uint32_t i,
			  const struct zb_ip_view *v, enum zb_tun_type type, bool by_content);

#endif

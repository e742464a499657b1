/* SPDX-License-Identifier: Apache-2.0 */
/* decode_ip6.c - IPv6 and its extension headers, and fragments of both versions */
#include <netinet/in.h>
#include <stdio.h>

#include "pipeline/decode_priv.h"
#include "pipeline/frag.h"

#define EXT_HEADERS_MAX 16 /* IPv6 extension headers that are followed */
#define OPT_PAD1	0
#define OPT_HOME	201 /* RFC 6275 6.3 */

static void odd_chain(const struct zb_decoder *d, const struct zb_ip_view *v,
		      enum zb_weird_name name)
{
	zb_weird_flow(d->weird, name, v->src, v->dst, v->addr_len);
}

/*
 * A routing header with segments left names the final destination in its last 16 bytes: type 0, RFC
 * 2460 4.4, which is deprecated and therefore always odd, and type 2, RFC 6275 6.4. h is captured
 * whole, len bytes.
 */
static void routing(const struct zb_decoder *d, const uint8_t *h, uint32_t len,
		    struct zb_ip_view *v, bool *routed)
{
	char addl[8];

	if (*routed) {
		odd_chain(d, v, ZB_WEIRD_multiple_routing_headers);
		return;
	}
	switch (h[2]) {
	case 0:
		if (h[3] > 0 && h[1] >= 2 && h[1] % 2 == 0) {
			*routed = true;
			v->dst = h + len - 16;
		} else if (h[3] > 0 && h[1] >= 2) {
			odd_chain(d, v, ZB_WEIRD_odd_routing0_len);
		}
		odd_chain(d, v, ZB_WEIRD_routing0_hdr);
		break;
	case 2:
		if (h[3] > 0 && h[1] == 2) {
			*routed = true;
			v->dst = h + len - 16;
		} else if (h[3] > 0) {
			odd_chain(d, v, ZB_WEIRD_bad_routing2_len);
		}
		break;
	default:
		snprintf(addl, sizeof(addl), "%u", h[2]);
		zb_weird_flow_addl(d->weird, ZB_WEIRD_unknown_routing_type, v->src, v->dst,
				   v->addr_len, addl);
	}
}

/* Destination options: one may name a mobile node's home address, which it is known by. */
static void destination(const struct zb_decoder *d, const uint8_t *h, uint32_t len,
			struct zb_ip_view *v, bool *at_home)
{
	uint32_t off = 2;

	while (off < len) {
		if (h[off] == OPT_PAD1) {
			off++;
			continue;
		}
		if (len - off < 2 || len - off < 2u + h[off + 1]) {
			odd_chain(d, v, ZB_WEIRD_bad_ipv6_dest_opt_len);
			return;
		}
		if (h[off] == OPT_HOME && h[off + 1] != 16) {
			odd_chain(d, v, ZB_WEIRD_bad_home_addr_len);
		} else if (h[off] == OPT_HOME && *at_home) {
			odd_chain(d, v, ZB_WEIRD_multiple_home_addr_opts);
		} else if (h[off] == OPT_HOME) {
			*at_home = true;
			v->src = h + off + 2;
		}
		off += 2u + h[off + 1];
	}
}

static uint32_t extension_len(uint8_t type, uint8_t len)
{
	switch (type) {
	case IPPROTO_FRAGMENT: return 8;
	case IPPROTO_AH: return (len + 2u) * 4;
	default: return (len + 1u) * 8;
	}
}

/* Walks the extension headers, up to a fragment header at most. Sets proto and l4_off. */
enum zb_fate zb_decode_ipv6_chain(const struct zb_decoder *d, struct zb_pkt *p,
				  struct zb_ip_view *v)
{
	uint32_t off = p->l3_off + 40u, named_at = p->l3_off + 6u;
	uint8_t next = p->data[named_at];
	bool routed = false, at_home = false;

	for (unsigned i = 0; zb_ipv6_is_extension(next) && !v->fragment; i++) {
		const uint8_t *h = p->data + off;
		uint32_t len;

		if (i == EXT_HEADERS_MAX)
			return zb_decode_odd_flow(d, p, v, ZB_WEIRD_ipv6_chain_too_long,
						  ZB_FATE_bad_ip_header);
		if (p->cap_len - off < 8)
			return zb_decode_odd_flow(d, p, v, ZB_WEIRD_internally_truncated_header,
						  ZB_FATE_truncated_ip);
		len = extension_len(next, h[1]);
		if (p->cap_len - off < len)
			return zb_decode_odd_flow(d, p, v, ZB_WEIRD_internally_truncated_header,
						  ZB_FATE_truncated_ip);
		if (next == IPPROTO_ROUTING)
			routing(d, h, len, v, &routed);
		else if (next == IPPROTO_DSTOPTS)
			destination(d, h, len, v, &at_home);
		/* A whole datagram may have a fragment header too; Zeek takes it out. */
		else if (next == IPPROTO_FRAGMENT)
			v->fragment = d->frag != NULL || (zb_be16(h + 2) & 0xfff9) != 0;
		v->next_at = named_at;
		named_at = off;
		next = h[0];
		off += len;
	}
	p->proto = next;
	v->l4_off = off;
	return ZB_FATE_conn;
}

/* What the headers say of the fragment; its offset tells the first one. */
static void read_fragment(const struct zb_pkt *p, const struct zb_ip_view *v, struct zb_fragment *x)
{
	const uint8_t *h = p->data + p->l3_off;
	uint32_t hdr_len = v->l4_off - p->l3_off, frag;

	*x = (struct zb_fragment){
		.src = v->src,
		.dst = v->dst,
		.head = h,
		.data = p->data + v->l4_off,
		.now_ns = zb_pkt_now_ns(p),
		.len = p->ip_len - hdr_len,
		.ip_len = p->ip_len,
		.addr_len = (uint8_t)v->addr_len,
		.proto = p->proto,
	};
	if (v->addr_len == 4) {
		frag = zb_be16(h + 6);
		x->id = zb_be16(h + 4);
		x->offset = (frag & 0x1fff) * 8;
		x->more = frag & 0x2000;
		x->dont = frag & 0x4000;
		x->head_len = (uint16_t)hdr_len;
	} else {
		const uint8_t *f = p->data + v->l4_off - 8;

		frag = zb_be16(f + 2);
		x->id = (uint32_t)zb_be16(f + 4) << 16 | zb_be16(f + 6);
		x->offset = frag & 0xfff8;
		x->more = frag & 1;
		x->head_len = (uint16_t)(hdr_len - 8);
		x->next_at = (uint16_t)(v->next_at - p->l3_off);
	}
}

enum zb_fate zb_decode_fragment(const struct zb_decoder *d, struct zb_pkt *p, struct zb_ip_view *v)
{
	struct zb_fragment x;
	const uint8_t *whole;
	uint32_t len;

	p->flags |= ZB_PKT_FRAGMENT;
	if (d->frag == NULL || p->ip_len < v->l4_off - p->l3_off ||
	    v->l4_off - p->l3_off > ZB_FRAG_HEAD_MAX)
		return ZB_FATE_fragment;
	read_fragment(p, v, &x);
	if (p->cap_len - p->l3_off < p->ip_len) {
		zb_decode_odd_flow(d, p, v, ZB_WEIRD_incompletely_captured_fragment,
				   ZB_FATE_fragment);
		/* Too little to put together; the first one has the headers all the same. */
		return x.offset != 0 ? ZB_FATE_fragment : ZB_FATE_conn;
	}
	whole = zb_frag_add(d->frag, &x, &len);
	if (whole == NULL)
		return ZB_FATE_fragment;
	p->flags &= (uint8_t)~ZB_PKT_FRAGMENT;
	p->data = whole;
	p->cap_len = p->wire_len = len;
	p->l3_off = 0;
	p->link = ZB_LINK_RAW_IP;
	return ZB_FATE_conn;
}

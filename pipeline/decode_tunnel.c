/* SPDX-License-Identifier: Apache-2.0 */
/* decode_tunnel.c - the packet in a packet: adds it to the burst, for the decode stage to go on */
#include <netinet/in.h>
#include <stdio.h>

#include "pipeline/decode_priv.h"
#include "pipeline/mem.h"
#include "pipeline/tunnel.h"

/* Of the packet that carries the tunnel. */
static void odd(const struct zb_decoder *d, const struct zb_pkt *p, const struct zb_ip_view *v,
		const struct zb_tun_inner *in)
{
	enum zb_weird_name name = (enum zb_weird_name)in->weird;
	char addl[24] = "";

	if (name == ZB_WEIRD_unknown_gre_version)
		snprintf(addl, sizeof(addl), "version=%u", in->addl);
	else if (name == ZB_WEIRD_egre_protocol_type)
		snprintf(addl, sizeof(addl), "proto=%u", in->addl);
	zb_weird_flow_addl(d->weird, p->flags & ZB_PKT_VIRTUAL ? zb_weird_in_tunnel(name) : name,
			   v->src, v->dst, v->addr_len, addl);
}

static void reject(struct zb_tun_inner *in, enum zb_weird_name name)
{
	in->verdict = ZB_TUN_ODD;
	in->weird = (uint16_t)name;
}

static uint32_t depth_of(struct zb_burst *b, uint32_t i)
{
	return i < ZB_BURST_MAX ? 0 : b->encap[i - ZB_BURST_MAX].depth;
}

/*
 * A packet of in->len bytes at off, more bytes of which were on the wire but not captured, in one
 * more tunnel than packet i came through. Its layer is the caller's to fill; NULL: there is no
 * room.
 */
static struct zb_layer *add_inner(const struct zb_decoder *d, struct zb_burst *b, uint32_t i,
				  const struct zb_tun_inner *in, uint32_t off, uint32_t more)
{
	const struct zb_pkt *p = &b->pkts[i];
	struct zb_encap *e;

	if (b->inner_nr == ZB_INNER_MAX) {
		if (d->mem != NULL)
			zb_mem_shed(d->mem, ZB_MEM_tunnel);
		return NULL;
	}
	e = &b->encap[b->inner_nr];
	b->pkts[ZB_BURST_MAX + b->inner_nr++] = (struct zb_pkt){
		.data = p->data + off,
		.ts_ns = p->ts_ns,
		.cap_len = in->len,
		.wire_len = in->len + more,
		.late = p->late,
		.link = in->link,
		.flags = (uint8_t)(ZB_PKT_VIRTUAL |
				   (p->flags & (ZB_PKT_OUTER_ONLY | ZB_PKT_INNER_ONLY))),
	};
	if (i < ZB_BURST_MAX)
		e->depth = 0;
	else
		*e = b->encap[i - ZB_BURST_MAX];
	e->layer[e->depth] = (struct zb_layer){.uid_seq = ZB_UID_SEQ_NONE, .type = in->type};
	return &e->layer[e->depth++];
}

/* An IP header of the version that was promised, and just as many bytes as it states. */
static void check_inner_ip(const uint8_t *d, uint32_t len, unsigned version,
			   struct zb_tun_inner *in)
{
	uint32_t total;

	if (version == 6 && len < 40) {
		reject(in, ZB_WEIRD_truncated_inner_IP);
		return;
	}
	if (len < 20 || d[0] >> 4 != version) {
		reject(in, ZB_WEIRD_invalid_inner_IP_version);
		return;
	}
	total = version == 4 ? zb_be16(d + 2) : 40u + zb_be16(d + 4);
	if (len < total)
		reject(in, ZB_WEIRD_truncated_inner_IP);
	else if (len > total)
		reject(in, ZB_WEIRD_inner_IP_payload_length_mismatch);
}

void zb_decode_ip_tunnel(const struct zb_decoder *d, struct zb_burst *b, uint32_t i,
			 const struct zb_ip_view *v)
{
	struct zb_pkt *p = &b->pkts[i];
	const uint8_t *h = p->data + v->l4_off;
	struct zb_tun_inner in = {.type = ZB_TUN_IP,
				  .weird = ZB_WEIRD_NR,
				  .verdict = ZB_TUN_HOLDS,
				  .len = v->l4_cap < v->l4_len ? v->l4_cap : v->l4_len,
				  .link = ZB_LINK_RAW_IP,
				  .strict = p->proto == IPPROTO_IPIP ? 4 : 6};
	struct zb_layer *l;

	if (p->proto == IPPROTO_GRE)
		zb_tun_parse_gre(h, in.len, &in);
	if (in.verdict == ZB_TUN_HOLDS && depth_of(b, i) == ZB_TUNNEL_DEPTH_MAX)
		reject(&in, ZB_WEIRD_exceeded_tunnel_max_depth);
	if (in.verdict == ZB_TUN_HOLDS && in.strict != 0)
		check_inner_ip(h + in.off, in.len, in.strict, &in);
	if (in.verdict != ZB_TUN_HOLDS) {
		odd(d, p, v, &in);
		return;
	}
	l = add_inner(d, b, i, &in, v->l4_off + in.off, 0);
	if (l == NULL)
		return;
	l->src = v->src;
	l->dst = v->dst;
	l->addr_len = (uint8_t)v->addr_len;
	zb_tunnels_touch(d->tunnels, l, zb_pkt_now_ns(p));
}

static bool came_through_gtp(struct zb_burst *b, uint32_t i)
{
	uint32_t depth = depth_of(b, i);

	return depth != 0 && b->encap[i - ZB_BURST_MAX].layer[depth - 1].type == ZB_TUN_GTPV1;
}

void zb_decode_udp_tunnel(const struct zb_decoder *d, struct zb_burst *b, uint32_t i,
			  const struct zb_ip_view *v, enum zb_tun_type type, bool by_content)
{
	struct zb_pkt *p = &b->pkts[i];
	struct zb_tun_inner *in = &b->wraps[i];
	struct zb_layer *l;

	zb_tun_parse_udp(type, p->data + p->payload_off, p->payload_cap, came_through_gtp(b, i),
			 in);
	in->by_content = by_content;
	if (depth_of(b, i) == ZB_TUNNEL_DEPTH_MAX)
		reject(in, type == ZB_TUN_GTPV1 ? ZB_WEIRD_tunnel_depth
						: ZB_WEIRD_exceeded_tunnel_max_depth);
	p->flags |= ZB_PKT_WRAPS;
	if (in->verdict != ZB_TUN_HOLDS || p->flags & ZB_PKT_OUTER_ONLY)
		return;
	l = add_inner(d, b, i, in, p->payload_off + in->off,
		      p->wire_len > p->cap_len ? p->wire_len - p->cap_len : 0);
	if (l == NULL)
		return;
	/* A shadow has shown what it was for: the rest is as ever. */
	b->pkts[ZB_BURST_MAX + b->inner_nr - 1].flags &= (uint8_t)~ZB_PKT_INNER_ONLY;
	l->is_udp = true;
	l->shadow = p->flags & ZB_PKT_INNER_ONLY;
	l->outer = (uint16_t)i;
	l->src = v->src;
	l->dst = v->dst;
	l->addr_len = (uint8_t)v->addr_len;
	l->uid_seq = l->shadow ? zb_tunnel_uid_seq(&b->keys[i], d->secret) : ZB_UID_SEQ_NONE;
}

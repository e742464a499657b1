/* SPDX-License-Identifier: Apache-2.0 */
/* decode.c - IPv4 and transport headers, and the way of a packet through the stage; see decode.h */
#include <netinet/in.h>

#include "pipeline/checksum.h"
#include "pipeline/decode_priv.h"

#define PREFETCH_AHEAD 4
#define COLD	       __attribute__((cold, noinline))

COLD enum zb_fate zb_decode_odd_net(const struct zb_decoder *d, const struct zb_pkt *p,
				    enum zb_weird_name name, enum zb_fate fate)
{
	zb_weird_net(d->weird, p->flags & ZB_PKT_VIRTUAL ? zb_weird_in_tunnel(name) : name);
	return fate;
}

COLD enum zb_fate zb_decode_odd_flow(const struct zb_decoder *d, const struct zb_pkt *p,
				     const struct zb_ip_view *v, enum zb_weird_name name,
				     enum zb_fate fate)
{
	zb_weird_flow(d->weird, p->flags & ZB_PKT_VIRTUAL ? zb_weird_in_tunnel(name) : name, v->src,
		      v->dst, v->addr_len);
	return fate;
}

COLD enum zb_fate zb_decode_bad_lengths(const struct zb_decoder *d, const struct zb_pkt *p,
					uint32_t total, uint32_t hdr_len, uint32_t hdr_min)
{
	if (p->wire_len < total + p->l3_off)
		return zb_decode_odd_net(d, p, ZB_WEIRD_truncated_IP_len, ZB_FATE_truncated_ip);
	if (hdr_len > total)
		return zb_decode_odd_net(d, p, ZB_WEIRD_invalid_IP_header_size,
					 ZB_FATE_bad_ip_header);
	if (hdr_len > p->cap_len - p->l3_off)
		return zb_decode_odd_net(d, p, ZB_WEIRD_internally_truncated_header,
					 ZB_FATE_truncated_ip);
	(void)hdr_min;
	return zb_decode_odd_net(d, p, ZB_WEIRD_IPv4_min_header_size, ZB_FATE_bad_ip_header);
}

static inline enum zb_fate decode_ipv4(const struct zb_decoder *d, struct zb_pkt *p,
				       struct zb_ip_view *v)
{
	const uint8_t *h = p->data + p->l3_off;
	uint32_t hdr_len = (h[0] & 15u) * 4, total = zb_be16(h + 2);
	enum zb_fate fate;

	p->ip_len = total;
	v->src = h + 12;
	v->dst = h + 16;
	v->addr_len = 4;
	v->stated = total > hdr_len ? total - hdr_len : 0;
	if (total == 0) {
		zb_decode_odd_net(d, p, ZB_WEIRD_ip_hdr_len_zero, ZB_FATE_bad_ip_header);
		if (!d->ignore_checksums)
			return ZB_FATE_bad_ip_header;
		total = p->cap_len - p->l3_off;
	}
	fate = zb_decode_lengths(d, p, total, hdr_len, 20);
	if (fate != ZB_FATE_conn)
		return fate;
	if (!d->ignore_checksums && !(p->flags & (ZB_PKT_L4_CHECKED | ZB_PKT_WRAPS)) &&
	    zb_checksum_fold(zb_checksum_add(0, h, hdr_len)) != 0xffff)
		return zb_decode_odd_flow(d, p, v, ZB_WEIRD_bad_IP_checksum,
					  ZB_FATE_bad_ip_checksum);
	p->proto = h[9];
	v->fragment = zb_be16(h + 6) & 0x3fff;
	v->l4_off = p->l3_off + hdr_len;
	v->l4_cap = p->cap_len - v->l4_off;
	return ZB_FATE_conn;
}

static inline enum zb_fate decode_ipv6(const struct zb_decoder *d, struct zb_pkt *p,
				       struct zb_ip_view *v)
{
	const uint8_t *h = p->data + p->l3_off;
	enum zb_fate fate;
	uint32_t hdr_len;

	if (p->cap_len - p->l3_off < 40)
		return zb_decode_odd_net(d, p, ZB_WEIRD_truncated_IP, ZB_FATE_truncated_ip);
	p->ip_len = 40u + zb_be16(h + 4);
	v->src = h + 8;
	v->dst = h + 24;
	v->addr_len = 16;
	v->l4_off = p->l3_off + 40u;
	p->proto = h[6];
	fate = zb_decode_lengths(d, p, p->ip_len, 40, 40);
	if (fate == ZB_FATE_conn && zb_ipv6_is_extension(h[6]))
		fate = zb_decode_ipv6_chain(d, p, v);
	if (fate != ZB_FATE_conn)
		return fate;
	hdr_len = v->l4_off - p->l3_off;
	if (hdr_len > p->ip_len)
		return zb_decode_odd_net(d, p, ZB_WEIRD_invalid_IP_header_size,
					 ZB_FATE_bad_ip_header);
	v->stated = p->ip_len - hdr_len;
	v->l4_cap = p->cap_len - v->l4_off;
	return ZB_FATE_conn;
}

/* Sum of the pseudo header, RFC 793 3.1 and RFC 8200 8.1. */
static uint64_t pseudo_sum(const struct zb_ip_view *v, uint8_t proto, uint32_t len)
{
	uint64_t sum =
		zb_checksum_add(0, v->src, v->addr_len) + zb_checksum_add(0, v->dst, v->addr_len);

	return sum + zb_checksum_host16(proto) + zb_checksum_host16((uint16_t)len) +
	       zb_checksum_host16((uint16_t)(len >> 16));
}

static inline bool checksum_wrong(const struct zb_decoder *d, const struct zb_pkt *p,
				  const struct zb_ip_view *v, bool pseudo)
{
	uint64_t sum;

	if (d->ignore_checksums || p->flags & ZB_PKT_L4_CHECKED || v->l4_cap < v->l4_len ||
	    p->wire_len > p->cap_len)
		return false;
	sum = pseudo ? pseudo_sum(v, p->proto, v->l4_len) : 0;
	return zb_checksum_fold(zb_checksum_add(sum, p->data + v->l4_off, v->l4_len)) != 0xffff;
}

COLD static enum zb_fate odd_header(const struct zb_decoder *d, const struct zb_pkt *p,
				    const struct zb_ip_view *v, enum zb_weird_name name)
{
	if (p->flags & ZB_PKT_VIRTUAL)
		name = zb_weird_in_tunnel(name);
	zb_weird_transport(d->weird, name, v->src, v->dst, v->addr_len, p->proto);
	return ZB_FATE_truncated_transport;
}

/* Headers the transport needs at least: stated and captured? */
static inline enum zb_fate check_room(const struct zb_decoder *d, const struct zb_pkt *p,
				      const struct zb_ip_view *v, uint32_t need)
{
	if (v->stated != 0 && v->stated < need)
		return odd_header(d, p, v, ZB_WEIRD_truncated_header);
	if (v->l4_cap < need)
		return odd_header(d, p, v, ZB_WEIRD_internally_truncated_header);
	return ZB_FATE_conn;
}

static inline void set_payload(struct zb_pkt *p, const struct zb_ip_view *v, uint32_t hdr_len)
{
	uint32_t cap = v->l4_cap - hdr_len;

	p->payload_off = (uint16_t)(v->l4_off + hdr_len);
	p->payload_len = v->l4_len - hdr_len;
	p->payload_cap = cap < p->payload_len ? cap : p->payload_len;
}

static inline enum zb_fate decode_tcp(const struct zb_decoder *d, struct zb_pkt *p,
				      const struct zb_ip_view *v)
{
	const uint8_t *h = p->data + v->l4_off;
	enum zb_fate fate = check_room(d, p, v, 20);
	uint32_t hdr_len;

	if (fate != ZB_FATE_conn)
		return fate;
	p->src_port = zb_be16(h);
	p->dst_port = zb_be16(h + 2);
	p->tcp_flags = h[13];
	hdr_len = (h[12] >> 4) * 4u;
	if (hdr_len < 20 || hdr_len > v->l4_len || hdr_len > v->l4_cap)
		return ZB_FATE_bad_transport_header;
	set_payload(p, v, hdr_len);
	return checksum_wrong(d, p, v, true) ? ZB_FATE_bad_transport_checksum : ZB_FATE_conn;
}

/* VXLAN needs no checksum over IPv6 either, RFC 7348 5. */
static bool is_vxlan(const struct zb_pkt *p)
{
	return p->dst_port == 4789 && p->payload_len > 8 + 14 && p->payload_cap != 0 &&
	       p->data[p->payload_off] & 0x08;
}

static inline enum zb_fate decode_udp(const struct zb_decoder *d, struct zb_pkt *p,
				      const struct zb_ip_view *v)
{
	const uint8_t *h = p->data + v->l4_off;
	enum zb_fate fate = check_room(d, p, v, 8);
	bool no_sum;

	if (fate != ZB_FATE_conn)
		return fate;
	p->src_port = zb_be16(h);
	p->dst_port = zb_be16(h + 2);
	set_payload(p, v, 8);
	no_sum = zb_be16(h + 6) == 0 && (v->addr_len == 4 || is_vxlan(p));
	return !no_sum && checksum_wrong(d, p, v, true) ? ZB_FATE_bad_transport_checksum
							: ZB_FATE_conn;
}

/*
 * The type that answers an ICMP type, or -1: one-way. RFC 792, 950, 1256; RFC 4443, 4861, 2710,
 * 4620.
 */
static int icmp_counterpart(bool v6, uint8_t type)
{
	static const uint8_t pair4[][2] = {{8, 0}, {13, 14}, {15, 16}, {10, 9}, {17, 18}};
	static const uint8_t pair6[][2] = {{128, 129}, {133, 134}, {135, 136},
					   {130, 131}, {139, 140}, {144, 145}};
	const uint8_t(*pair)[2] = v6 ? pair6 : pair4;
	unsigned n = v6 ? sizeof(pair6) / 2 : sizeof(pair4) / 2;

	for (unsigned i = 0; i < n; i++) {
		if (pair[i][0] == type)
			return pair[i][1];
		if (pair[i][1] == type)
			return pair[i][0];
	}
	return -1;
}

static enum zb_fate decode_icmp(const struct zb_decoder *d, struct zb_pkt *p,
				const struct zb_ip_view *v, bool *one_way)
{
	const uint8_t *h = p->data + v->l4_off;
	enum zb_fate fate = check_room(d, p, v, 8);
	int other;

	if (fate != ZB_FATE_conn)
		return fate;
	other = icmp_counterpart(p->proto == IPPROTO_ICMPV6, h[0]);
	*one_way = other < 0;
	p->src_port = h[0];
	p->dst_port = other < 0 ? h[1] : (uint16_t)other;
	set_payload(p, v, 8);
	return checksum_wrong(d, p, v, p->proto == IPPROTO_ICMPV6) ? ZB_FATE_bad_transport_checksum
								   : ZB_FATE_conn;
}

static enum zb_fate decode_transport(const struct zb_decoder *d, struct zb_pkt *p,
				     const struct zb_ip_view *v, bool *one_way)
{
	switch (p->proto) {
	case IPPROTO_TCP: return decode_tcp(d, p, v);
	case IPPROTO_UDP: return decode_udp(d, p, v);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6: return decode_icmp(d, p, v, one_way);
	case IPPROTO_IPIP:
	case IPPROTO_IPV6:
	case IPPROTO_GRE: return ZB_FATE_tunnel;
	case IPPROTO_ESP:
	case IPPROTO_MH: return ZB_FATE_non_ip; /* encrypted, or signalling: nothing to follow */
	case IPPROTO_NONE:
		return zb_decode_odd_flow(d, p, v, ZB_WEIRD_ipv6_no_next, ZB_FATE_non_ip);
	default:
		p->src_port = p->dst_port = 0;
		set_payload(p, v, 0);
		return ZB_FATE_conn;
	}
}

/* From the first byte to the transport header. */
static inline enum zb_fate decode_network(const struct zb_decoder *d, struct zb_pkt *p,
					  struct zb_ip_view *v)
{
	if (p->cap_len < p->l3_off + 20u)
		return zb_decode_odd_net(d, p, ZB_WEIRD_truncated_IP, ZB_FATE_truncated_ip);
	p->ip_version = p->data[p->l3_off] >> 4;
	switch (p->ip_version) {
	case 4: return decode_ipv4(d, p, v);
	case 6: return decode_ipv6(d, p, v);
	default: return zb_decode_odd_net(d, p, ZB_WEIRD_unknown_ip_version, ZB_FATE_bad_ip_header);
	}
}

/*
 * A fragment. True: it has completed a datagram, whose headers are to be read; else *fate says what
 * becomes of it.
 */
static COLD bool is_completed(const struct zb_decoder *d, struct zb_pkt *p, struct zb_ip_view *v,
			      enum zb_fate *fate)
{
	const uint8_t *was = p->data;

	/* Fragments of fragments are nobody's. */
	if (p->flags & ZB_PKT_WRAPS) {
		*fate = ZB_FATE_non_ip;
		return false;
	}
	*fate = zb_decode_fragment(d, p, v);
	if (*fate != ZB_FATE_conn || p->data == was)
		return false;
	*v = (struct zb_ip_view){.fragment = false};
	p->flags |= ZB_PKT_WRAPS; /* its header was put together here: no checksum of it */
	return true;
}

static COLD enum zb_fate odd_link(const struct zb_decoder *d, const struct zb_pkt *p,
				  enum zb_weird_name name, enum zb_fate fate)
{
	if (name == ZB_WEIRD_triple_tagged_vlan_unsupported)
		zb_weird_net_addl(d->weird,
				  p->flags & ZB_PKT_VIRTUAL ? zb_weird_in_tunnel(name) : name,
				  "inner VLAN tag overwritten");
	else
		zb_decode_odd_net(d, p, name, fate);
	return fate;
}

/* Is a UDP payload a tunnel's? By port, the destination's first; else by its first bytes. */
static inline void decode_udp_payload(const struct zb_decoder *d, struct zb_burst *b, uint32_t i,
				      const struct zb_ip_view *v)
{
	const struct zb_pkt *p = &b->pkts[i];
	enum zb_tun_type type = zb_tun_on_port(p->dst_port);
	bool by_content = false;

	if (type == ZB_TUN_NONE)
		type = zb_tun_on_port(p->src_port);
	if (type == ZB_TUN_NONE && p->payload_cap >= 8) {
		const uint8_t *h = p->data + p->payload_off;

		/* Neither of the two that are known by content begins otherwise. */
		if (h[0] >> 4 != 6 && h[0] != 0 && h[1] != 0x52)
			return;
		type = zb_tun_by_content(h, p->payload_cap);
		by_content = true;
	}
	if (type != ZB_TUN_NONE)
		zb_decode_udp_tunnel(d, b, i, v, type, by_content);
}

/* Teredo keeps its way open with packets that carry nothing, RFC 4380 2.8: nothing odd. */
static COLD bool is_bubble(struct zb_burst *b, uint32_t i)
{
	const struct zb_encap *e = zb_burst_encap(b, i);

	return e != NULL && e->layer[e->depth - 1].type == ZB_TUN_TEREDO;
}

static inline enum zb_fate decode_one(const struct zb_decoder *d, struct zb_burst *b, uint32_t i)
{
	struct zb_ip_view v = {.fragment = false};
	enum zb_weird_name weird = ZB_WEIRD_NR;
	struct zb_pkt *p = &b->pkts[i];
	struct zb_flow_key *key = &b->keys[i];
	enum zb_fate fate = zb_decode_link(p, &weird);
	bool one_way = false;

	d->weird->now_ns = zb_pkt_now_ns(p);
	if (weird != ZB_WEIRD_NR)
		odd_link(d, p, weird, fate);
	if (fate != ZB_FATE_conn)
		return fate;
	do {
		fate = decode_network(d, p, &v);
	} while (fate == ZB_FATE_conn && v.fragment && is_completed(d, p, &v, &fate));
	p->flags &= (uint8_t)~ZB_PKT_WRAPS;
	if (fate != ZB_FATE_conn)
		return fate;
	if (v.l4_off > UINT16_MAX - 60)
		return ZB_FATE_bad_ip_header;
	p->l4_off = (uint16_t)v.l4_off;
	/* Segmentation offload leaves the length at 0: take what was captured. */
	v.l4_len = v.stated != 0 ? v.stated : v.l4_cap;
	if (p->proto == IPPROTO_NONE && is_bubble(b, i))
		return ZB_FATE_non_ip;
	fate = decode_transport(d, p, &v, &one_way);
	if (fate == ZB_FATE_tunnel && d->tunnels != NULL)
		zb_decode_ip_tunnel(d, b, i, &v);
	if (!zb_fate_is_live(fate))
		return fate;
	if (zb_flow_key_make(key, v.src, v.dst, v.addr_len, p->src_port, p->dst_port, p->proto,
			     one_way))
		p->flags |= ZB_PKT_SRC_IS_A;
	p->hash = zb_flow_key_hash(key, d->secret);
	if (p->proto == IPPROTO_UDP && fate == ZB_FATE_conn && d->tunnels != NULL)
		decode_udp_payload(d, b, i, &v);
	return fate;
}

/* The fate of a packet, and its place among the live. */
static inline void settle(const struct zb_decoder *d, struct zb_burst *b, uint32_t i,
			  enum zb_fate fate)
{
	struct zb_pkt *p = &b->pkts[i];

	p->fate = (uint8_t)fate;
	if (!zb_fate_is_live(fate)) {
		if (zb_pkt_counts(p))
			d->fate[fate]++;
		return;
	}
	/* The outer header of a shadow is another worker's. */
	if (p->flags & ZB_PKT_INNER_ONLY)
		return;
	b->live[b->live_nr++] = (uint16_t)i;
	if (d->table != NULL)
		zb_flow_prefetch(d->table, (uint32_t)p->hash);
}

void zb_decode_burst(const struct zb_decoder *d, struct zb_burst *b)
{
	uint16_t n = b->pkt_nr, real = 0, inner = 0;

	b->inner_nr = b->live_nr = 0;
	for (;;) {
		uint32_t i;

		/* What was in a packet, and in that; each adds one at most, to a bounded depth. */
		if (__builtin_expect(inner < b->inner_nr, 0))
			i = ZB_BURST_MAX + inner++;
		else if (real < n)
			i = real++;
		else
			break;
		if (real - 1 + PREFETCH_AHEAD < n)
			__builtin_prefetch(b->pkts[real - 1 + PREFETCH_AHEAD].data);
		settle(d, b, i, decode_one(d, b, i));
	}
}

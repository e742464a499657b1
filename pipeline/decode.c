/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode.c - IP and transport headers; see decode.h. Offsets are 32 bits wide and checked before
 * each read.
 */
#include <netinet/in.h>

#include "pipeline/checksum.h"
#include "pipeline/decode.h"

#define PREFETCH_AHEAD	4
#define EXT_HEADERS_MAX 16 /* IPv6 extension headers that are followed */

/* What the IP header said, for the transport decoders. */
struct ip_view {
	const uint8_t *src, *dst;
	uint32_t addr_len;
	uint32_t l4_off; /* from data */
	uint32_t l4_len; /* as the headers say; the captured rest when they say nothing */
	uint32_t l4_cap; /* captured from l4_off on, link padding included */
	uint32_t stated; /* IP payload length as stated, 0: not (segmentation offload) */
	bool fragment;
};

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static __attribute__((cold, noinline)) enum zb_fate odd_ip(const struct zb_decoder *d,
							   enum zb_weird_name name,
							   enum zb_fate fate)
{
	zb_weird_net(d->weird, name);
	return fate;
}

static __attribute__((cold, noinline)) enum zb_fate odd_flow(const struct zb_decoder *d,
							     const struct ip_view *v,
							     enum zb_weird_name name,
							     enum zb_fate fate)
{
	zb_weird_flow(d->weird, name, v->src, v->dst, v->addr_len);
	return fate;
}

/* Total length against the wire, header length against both; the same checks for both versions. */
static inline enum zb_fate check_lengths(const struct zb_decoder *d, const struct zb_pkt *p,
					 uint32_t total, uint32_t hdr_len, uint32_t hdr_min)
{
	if (p->wire_len < total + p->l3_off)
		return odd_ip(d, ZB_WEIRD_truncated_IP_len, ZB_FATE_truncated_ip);
	if (hdr_len > total)
		return odd_ip(d, ZB_WEIRD_invalid_IP_header_size, ZB_FATE_bad_ip_header);
	if (hdr_len > p->cap_len - p->l3_off)
		return odd_ip(d, ZB_WEIRD_internally_truncated_header, ZB_FATE_truncated_ip);
	if (hdr_len < hdr_min)
		return odd_ip(d, ZB_WEIRD_IPv4_min_header_size, ZB_FATE_bad_ip_header);
	return ZB_FATE_conn;
}

static inline enum zb_fate decode_ipv4(const struct zb_decoder *d, struct zb_pkt *p,
				       struct ip_view *v)
{
	const uint8_t *h = p->data + p->l3_off;
	uint32_t hdr_len = (h[0] & 15u) * 4, total = be16(h + 2);
	enum zb_fate fate;

	p->ip_len = total;
	v->src = h + 12;
	v->dst = h + 16;
	v->addr_len = 4;
	v->stated = total > hdr_len ? total - hdr_len : 0;
	if (total == 0) {
		zb_weird_net(d->weird, ZB_WEIRD_ip_hdr_len_zero);
		if (!d->ignore_checksums)
			return ZB_FATE_bad_ip_header;
		total = p->cap_len - p->l3_off;
	}
	fate = check_lengths(d, p, total, hdr_len, 20);
	if (fate != ZB_FATE_conn)
		return fate;
	if (!d->ignore_checksums && !(p->flags & ZB_PKT_L4_CHECKED) &&
	    zb_checksum_fold(zb_checksum_add(0, h, hdr_len)) != 0xffff)
		return odd_flow(d, v, ZB_WEIRD_bad_IP_checksum, ZB_FATE_bad_ip_checksum);
	p->proto = h[9];
	v->fragment = be16(h + 6) & 0x3fff;
	v->l4_off = p->l3_off + hdr_len;
	v->l4_cap = p->cap_len - v->l4_off;
	return ZB_FATE_conn;
}

/* Walks the extension headers. Returns the fate; sets proto and l4_off. */
static enum zb_fate ipv6_chain(const struct zb_decoder *d, struct zb_pkt *p, struct ip_view *v)
{
	const uint8_t *h = p->data + p->l3_off;
	uint32_t off = p->l3_off + 40u, end = p->cap_len;
	uint8_t next = h[6];

	for (unsigned i = 0;; i++) {
		bool follow = next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING ||
			      next == IPPROTO_DSTOPTS || next == IPPROTO_FRAGMENT ||
			      next == IPPROTO_AH;

		if (!follow)
			break;
		if (i == EXT_HEADERS_MAX)
			return odd_flow(d, v, ZB_WEIRD_ipv6_chain_too_long, ZB_FATE_bad_ip_header);
		if (end - off < 8)
			return odd_flow(d, v, ZB_WEIRD_internally_truncated_header,
					ZB_FATE_truncated_ip);
		uint32_t len = next == IPPROTO_FRAGMENT ? 8
			       : next == IPPROTO_AH	? (p->data[off + 1] + 2u) * 4
							: (p->data[off + 1] + 1u) * 8;

		if (next == IPPROTO_FRAGMENT && (be16(p->data + off + 2) & 0xfff9) != 0)
			v->fragment = true;
		next = p->data[off];
		if (end - off < len)
			return odd_flow(d, v, ZB_WEIRD_internally_truncated_header,
					ZB_FATE_truncated_ip);
		off += len;
		if (v->fragment)
			break;
	}
	p->proto = next;
	v->l4_off = off;
	return ZB_FATE_conn;
}

static enum zb_fate decode_ipv6(const struct zb_decoder *d, struct zb_pkt *p, struct ip_view *v)
{
	const uint8_t *h = p->data + p->l3_off;
	enum zb_fate fate;

	if (p->cap_len - p->l3_off < 40)
		return odd_ip(d, ZB_WEIRD_truncated_IP, ZB_FATE_truncated_ip);
	p->ip_len = 40u + be16(h + 4);
	v->src = h + 8;
	v->dst = h + 24;
	v->addr_len = 16;
	fate = check_lengths(d, p, p->ip_len, 40, 40);
	if (fate != ZB_FATE_conn)
		return fate;
	fate = ipv6_chain(d, p, v);
	if (fate != ZB_FATE_conn)
		return fate;
	uint32_t hdr_len = v->l4_off - p->l3_off;

	if (hdr_len > p->ip_len)
		return odd_ip(d, ZB_WEIRD_invalid_IP_header_size, ZB_FATE_bad_ip_header);
	v->stated = p->ip_len - hdr_len;
	v->l4_cap = p->cap_len - v->l4_off;
	return ZB_FATE_conn;
}

/* Sum of the pseudo header, RFC 793 3.1 and RFC 8200 8.1. */
static uint64_t pseudo_sum(const struct ip_view *v, uint8_t proto, uint32_t len)
{
	uint64_t sum =
		zb_checksum_add(0, v->src, v->addr_len) + zb_checksum_add(0, v->dst, v->addr_len);

	return sum + zb_checksum_host16(proto) + zb_checksum_host16((uint16_t)len) +
	       zb_checksum_host16((uint16_t)(len >> 16));
}

static inline bool checksum_wrong(const struct zb_decoder *d, const struct zb_pkt *p,
				  const struct ip_view *v, bool pseudo)
{
	uint64_t sum;

	if (d->ignore_checksums || p->flags & ZB_PKT_L4_CHECKED || v->l4_cap < v->l4_len ||
	    p->wire_len > p->cap_len)
		return false;
	sum = pseudo ? pseudo_sum(v, p->proto, v->l4_len) : 0;
	return zb_checksum_fold(zb_checksum_add(sum, p->data + v->l4_off, v->l4_len)) != 0xffff;
}

/* Headers the transport needs at least: stated and captured? */
static inline enum zb_fate check_room(const struct zb_decoder *d, const struct ip_view *v,
				      uint32_t need)
{
	if (v->stated != 0 && v->stated < need)
		return odd_flow(d, v, ZB_WEIRD_truncated_header, ZB_FATE_truncated_transport);
	if (v->l4_cap < need)
		return odd_flow(d, v, ZB_WEIRD_internally_truncated_header,
				ZB_FATE_truncated_transport);
	return ZB_FATE_conn;
}

static inline void set_payload(struct zb_pkt *p, const struct ip_view *v, uint32_t hdr_len)
{
	uint32_t cap = v->l4_cap - hdr_len;

	p->payload_off = (uint16_t)(v->l4_off + hdr_len);
	p->payload_len = v->l4_len - hdr_len;
	p->payload_cap = cap < p->payload_len ? cap : p->payload_len;
}

static inline enum zb_fate decode_tcp(const struct zb_decoder *d, struct zb_pkt *p,
				      const struct ip_view *v)
{
	const uint8_t *h = p->data + v->l4_off;
	enum zb_fate fate = check_room(d, v, 20);
	uint32_t hdr_len;

	if (fate != ZB_FATE_conn)
		return fate;
	p->src_port = be16(h);
	p->dst_port = be16(h + 2);
	p->tcp_flags = h[13];
	hdr_len = (h[12] >> 4) * 4u;
	if (hdr_len < 20 || hdr_len > v->l4_len || hdr_len > v->l4_cap)
		return ZB_FATE_bad_transport_header;
	set_payload(p, v, hdr_len);
	return checksum_wrong(d, p, v, true) ? ZB_FATE_bad_transport_checksum : ZB_FATE_conn;
}

static inline enum zb_fate decode_udp(const struct zb_decoder *d, struct zb_pkt *p,
				      const struct ip_view *v)
{
	const uint8_t *h = p->data + v->l4_off;
	enum zb_fate fate = check_room(d, v, 8);
	bool no_sum;

	if (fate != ZB_FATE_conn)
		return fate;
	p->src_port = be16(h);
	p->dst_port = be16(h + 2);
	set_payload(p, v, 8);
	no_sum = v->addr_len == 4 && be16(h + 6) == 0;
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
				const struct ip_view *v, bool *one_way)
{
	const uint8_t *h = p->data + v->l4_off;
	enum zb_fate fate = check_room(d, v, 8);
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
				     const struct ip_view *v, bool *one_way)
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
	case IPPROTO_NONE: return odd_flow(d, v, ZB_WEIRD_ipv6_no_next, ZB_FATE_non_ip);
	default:
		p->src_port = p->dst_port = 0;
		set_payload(p, v, 0);
		return ZB_FATE_conn;
	}
}

static bool is_live(enum zb_fate fate)
{
	return fate == ZB_FATE_conn || fate == ZB_FATE_bad_transport_header ||
	       fate == ZB_FATE_bad_transport_checksum;
}

static enum zb_fate decode_one(const struct zb_decoder *d, struct zb_pkt *p,
			       struct zb_flow_key *key)
{
	struct ip_view v = {.fragment = false};
	enum zb_fate fate = zb_decode_link(p);
	bool one_way = false;

	d->weird->now_ns = p->ts_ns;
	if (fate == ZB_FATE_truncated_link)
		return odd_ip(d, ZB_WEIRD_truncated_link_header, fate);
	if (fate != ZB_FATE_conn)
		return fate;
	if (p->cap_len < p->l3_off + 20u)
		return odd_ip(d, ZB_WEIRD_truncated_IP, ZB_FATE_truncated_ip);
	p->ip_version = p->data[p->l3_off] >> 4;
	if (p->ip_version == 4)
		fate = decode_ipv4(d, p, &v);
	else if (p->ip_version == 6)
		fate = decode_ipv6(d, p, &v);
	else
		return odd_ip(d, ZB_WEIRD_unknown_ip_version, ZB_FATE_bad_ip_header);
	if (fate != ZB_FATE_conn)
		return fate;
	if (v.fragment) {
		p->flags |= ZB_PKT_FRAGMENT;
		return ZB_FATE_fragment;
	}
	if (v.l4_off > UINT16_MAX - 60)
		return ZB_FATE_bad_ip_header;
	p->l4_off = (uint16_t)v.l4_off;
	/* Segmentation offload leaves the length at 0: take what was captured. */
	v.l4_len = v.stated != 0 ? v.stated : v.l4_cap;
	fate = decode_transport(d, p, &v, &one_way);
	if (!is_live(fate))
		return fate;
	if (zb_flow_key_make(key, v.src, v.dst, v.addr_len, p->src_port, p->dst_port, p->proto,
			     one_way))
		p->flags |= ZB_PKT_SRC_IS_A;
	p->hash = zb_flow_key_hash(key, d->secret);
	return fate;
}

uint16_t zb_decode_burst(const struct zb_decoder *d, struct zb_pkt *pkts, uint16_t n,
			 struct zb_flow_key *keys, uint8_t *live)
{
	uint16_t live_nr = 0;

	for (uint16_t i = 0; i < n; i++) {
		if (i + PREFETCH_AHEAD < n)
			__builtin_prefetch(pkts[i + PREFETCH_AHEAD].data);
		enum zb_fate fate = decode_one(d, &pkts[i], &keys[i]);

		pkts[i].fate = (uint8_t)fate;
		if (is_live(fate))
			live[live_nr++] = (uint8_t)i;
		else
			d->fate[fate]++;
	}
	return live_nr;
}

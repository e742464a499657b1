/* SPDX-License-Identifier: Apache-2.0 */
/* decode_link.c - link layers down to the IP header; every read is checked against cap_len first */
#include "pipeline/decode_priv.h"

#define HEADERS_MAX 25 /* Zeek: PacketAnalyzer::max_depth */
#define TAGS_MAX    2  /* that Zeek keeps */

enum {
	TYPE_IPV4 = 0x0800,
	TYPE_ARP = 0x0806,
	TYPE_RARP = 0x8035,
	TYPE_IPV6 = 0x86dd,
	TYPE_8021Q = 0x8100,
	TYPE_8021AD = 0x88a8,
	TYPE_QINQ_OLD = 0x9100,
	TYPE_QINQ_OLD2 = 0x9200,
	TYPE_MPLS = 0x8847,
	TYPE_MPLS_MC = 0x8848,
	TYPE_PPPOE = 0x8864,
	TYPE_PBB = 0x88e7,
	TYPE_FABRICPATH = 0x8903,
	TYPE_VNTAG = 0x8926,
	TYPE_MIN = 1536,  /* what is less ... */
	LENGTH_MAX = 1500 /* ... is a length, up to this, IEEE 802.3 3.2.6 */
};
enum { PPP_IPV4 = 0x0021, PPP_IPV6 = 0x0057, PPP_MPLS = 0x0281 };

/* The way down so far. */
struct walk {
	struct zb_pkt *p;
	enum zb_weird_name weird; /* the last one; ZB_WEIRD_NR: none */
	uint32_t off;		  /* of what comes next */
	uint32_t end;		  /* of what belongs to the frame; <= cap_len */
	unsigned headers, tags;
};

static uint32_t left(const struct walk *w)
{
	return w->end - w->off;
}

/* A header states that n bytes follow it: what is behind them is padding. */
static void trim(struct walk *w, uint32_t n)
{
	if (n < left(w))
		w->end = w->off + n;
}

static enum zb_fate cut(struct walk *w, enum zb_weird_name name)
{
	w->weird = name;
	return ZB_FATE_truncated_link;
}

static enum zb_fate unread(struct walk *w, enum zb_weird_name name)
{
	w->weird = name;
	return ZB_FATE_non_ip;
}

static enum zb_fate at_ip(struct walk *w)
{
	if (w->off > UINT16_MAX)
		return ZB_FATE_non_ip; /* a header chain of 64 KiB is no packet */
	w->p->l3_off = (uint16_t)w->off;
	return ZB_FATE_conn;
}

/* The label stack; what follows it says itself what IP it is. */
static enum zb_fate after_mpls(struct walk *w)
{
	bool bottom = false;

	while (!bottom) {
		if (left(w) <= 4)
			return cut(w, ZB_WEIRD_truncated_link_header);
		bottom = w->p->data[w->off + 2] & 1;
		w->off += 4;
	}
	return at_ip(w);
}

static enum zb_fate after_ppp_proto(struct walk *w, uint32_t proto)
{
	switch (proto) {
	case PPP_IPV4:
	case PPP_IPV6: return at_ip(w);
	case PPP_MPLS: return after_mpls(w);
	default: return ZB_FATE_non_ip;
	}
}

static enum zb_fate after_ppp(struct walk *w)
{
	const uint8_t *d = w->p->data + w->off;

	if (left(w) < 1)
		return cut(w, ZB_WEIRD_truncated_link_header);
	if (d[0] & 1) { /* protocol field compression, RFC 1661 6.5 */
		w->off += 1;
		return after_ppp_proto(w, d[0]);
	}
	if (left(w) < 2)
		return cut(w, ZB_WEIRD_truncated_link_header);
	w->off += 2;
	return after_ppp_proto(w, zb_be16(d));
}

static enum zb_fate after_pppoe(struct walk *w)
{
	const uint8_t *d = w->p->data + w->off;
	uint32_t stated;

	if (left(w) <= 8)
		return cut(w, ZB_WEIRD_truncated_pppoe_header);
	stated = zb_be16(d + 4);
	if (stated < left(w) - 6)
		w->weird = ZB_WEIRD_pppoe_extra_data_after_payload;
	else if (stated > left(w) - 6)
		w->weird = ZB_WEIRD_pppoe_truncated_payload;
	w->off += 6;
	return after_ppp(w);
}

static enum zb_fate arp(struct walk *w)
{
	const uint8_t *d = w->p->data + w->off;

	if (left(w) < 8 || left(w) < 8 + 2u * d[4] + 2u * d[5])
		w->weird = ZB_WEIRD_truncated_ARP;
	return ZB_FATE_arp;
}

/* IEEE 802.2: SNAP may carry a type; Novell's frames without it and the rest are not read. */
static enum zb_fate after_length(struct walk *w, uint32_t *type)
{
	const uint8_t *d = w->p->data + w->off;
	/* What it is says the frame, however short it states it is. */
	bool marked = w->p->cap_len - w->off >= 2, snap = marked && d[0] == 0xaa && d[1] == 0xaa;
	uint32_t head;

	if (marked && d[0] == 0xff && d[1] == 0xff)
		return ZB_FATE_non_ip;
	if (left(w) < 3)
		return cut(w, snap ? ZB_WEIRD_truncated_snap_llc_header
				   : ZB_WEIRD_truncated_llc_header);
	head = (d[2] & 3) == 3 ? 3 : 4;
	if (left(w) < head + (snap ? 5 : 0))
		return cut(w,
			   snap ? ZB_WEIRD_truncated_snap_header : ZB_WEIRD_truncated_llc_header);
	if (!snap || (d[head] | d[head + 1] | d[head + 2]) != 0)
		return ZB_FATE_non_ip;
	*type = zb_be16(d + head + 3);
	w->off += head + 5;
	return *type >= TYPE_MIN ? ZB_FATE_conn : ZB_FATE_non_ip;
}

/* ZB_FATE_conn: *type follows at off. */
static enum zb_fate after_vlan(struct walk *w, uint32_t *type)
{
	if (left(w) <= 4)
		return cut(w, ZB_WEIRD_truncated_VLAN_header);
	if (++w->tags > TAGS_MAX)
		w->weird = ZB_WEIRD_triple_tagged_vlan_unsupported;
	*type = zb_be16(w->p->data + w->off + 2);
	w->off += 4;
	if (*type >= TYPE_MIN)
		return ZB_FATE_conn;
	if (*type > LENGTH_MAX)
		return unread(w, ZB_WEIRD_undefined_vlan_protocol);
	if (left(w) < 2)
		return cut(w, ZB_WEIRD_truncated_VLAN_header);
	trim(w, *type);
	return after_length(w, type);
}

/* A frame with addresses at off; ZB_FATE_conn: *type follows. */
static enum zb_fate after_ethernet(struct walk *w, uint32_t *type)
{
	if (left(w) <= 16)
		return cut(w, ZB_WEIRD_truncated_ethernet_frame);
	if (zb_be16(w->p->data + w->off + 12) == TYPE_FABRICPATH) {
		if (left(w) <= 16 + 14)
			return cut(w, ZB_WEIRD_truncated_link_header_cfp);
		w->off += 16;
	}
	*type = zb_be16(w->p->data + w->off + 12);
	w->off += 14;
	if (*type >= TYPE_MIN)
		return ZB_FATE_conn;
	if (*type > LENGTH_MAX)
		return unread(w, ZB_WEIRD_undefined_ether_type);
	if (left(w) < *type)
		return cut(w, ZB_WEIRD_truncated_ethernet_frame);
	trim(w, *type);
	return after_length(w, type);
}

/* Headers that name what follows them, one after the other. off is past the first type. */
static enum zb_fate after_type(struct walk *w, uint32_t type)
{
	enum zb_fate fate = ZB_FATE_conn;

	while (fate == ZB_FATE_conn) {
		if (w->headers++ == HEADERS_MAX)
			return unread(w, ZB_WEIRD_max_packet_analyzer_depth_exceeded);
		switch (type) {
		case TYPE_IPV4:
		case TYPE_IPV6: return at_ip(w);
		case TYPE_8021Q:
		case TYPE_8021AD:
		case TYPE_QINQ_OLD:
		case TYPE_QINQ_OLD2: fate = after_vlan(w, &type); break;
		case TYPE_VNTAG:
			if (left(w) <= 6)
				return cut(w, ZB_WEIRD_truncated_vntag_header);
			type = zb_be16(w->p->data + w->off + 4);
			w->off += 6;
			break;
		case TYPE_PBB:
			if (left(w) <= 18)
				return cut(w, ZB_WEIRD_truncated_PBB_header);
			w->off += 4;
			w->headers++;
			fate = after_ethernet(w, &type);
			break;
		case TYPE_MPLS:
		case TYPE_MPLS_MC: return after_mpls(w);
		case TYPE_PPPOE: return after_pppoe(w);
		case TYPE_ARP:
		case TYPE_RARP: return arp(w);
		default: return ZB_FATE_non_ip;
		}
	}
	return fate;
}

static enum zb_fate after_null(struct walk *w)
{
	uint32_t family;

	if (left(w) < 4)
		return cut(w, ZB_WEIRD_truncated_link_header);
	memcpy(&family, w->p->data, 4);
	w->off = 4;
	if (family & 0xffff0000u)
		family = __builtin_bswap32(family);
	switch (family) {
	case 2:	 /* AF_INET everywhere */
	case 10: /* AF_INET6: Linux, NetBSD and OpenBSD, FreeBSD, macOS */
	case 24:
	case 28:
	case 30: return at_ip(w);
	default: return ZB_FATE_non_ip;
	}
}

/* A header of n bytes with a type at type_at. */
static enum zb_fate after_fixed(struct walk *w, uint32_t n, uint32_t type_at)
{
	if (left(w) < n)
		return cut(w, ZB_WEIRD_truncated_link_header);
	w->off = n;
	return after_type(w, zb_be16(w->p->data + type_at));
}

static enum zb_fate walk_link(struct walk *w)
{
	struct zb_pkt *p = w->p;
	enum zb_fate fate;
	uint32_t type = 0;

	switch ((enum zb_link)p->link) {
	case ZB_LINK_ETHERNET:
		fate = after_ethernet(w, &type);
		return fate == ZB_FATE_conn ? after_type(w, type) : fate;
	case ZB_LINK_RAW_IP: return at_ip(w);
	case ZB_LINK_SLL: return after_fixed(w, 16, 14);
	case ZB_LINK_SLL2: return after_fixed(w, 20, 0);
	case ZB_LINK_C_HDLC: return after_fixed(w, 4, 2);
	case ZB_LINK_NULL: return after_null(w);
	case ZB_LINK_PPP:
		w->off = p->cap_len >= 2 && p->data[0] == 0xff && p->data[1] == 0x03 ? 2 : 0;
		return after_ppp(w);
	/* The length that 802.3 has before LLC is missing. */
	case ZB_LINK_FDDI:
		if (left(w) < 13)
			return cut(w, ZB_WEIRD_truncated_link_header);
		w->off = 13;
		fate = after_length(w, &type);
		return fate == ZB_FATE_conn ? after_type(w, type) : fate;
	default: return ZB_FATE_non_ip;
	}
}

enum zb_fate zb_decode_link_any(struct zb_pkt *p, enum zb_weird_name *weird)
{
	struct walk w = {.p = p, .weird = ZB_WEIRD_NR, .end = p->cap_len, .headers = 1};
	enum zb_fate fate = walk_link(&w);

	if (weird != NULL)
		*weird = w.weird;
	return fate;
}

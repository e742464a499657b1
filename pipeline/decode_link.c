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
enum { NFLOG_INET = 2, NFLOG_INET6 = 10, NFLOG_PAYLOAD = 9 };
/* IEEE 802.11 9.2.4.1: both bytes of frame control; the first of QoS control. */
enum {
	WIFI_DATA = 0x08,
	WIFI_NO_DATA = 0x40,
	WIFI_QOS = 0x80,
	WIFI_FOUR_ADDRESSES = 0x03,
	WIFI_PROTECTED = 0x40,
	WIFI_AGGREGATE = 0x80,
};

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

/*
 * Attributes of netfilter. They are in the byte order of the host that wrote them; no type reaches
 * 256, so that tells which that was.
 */
static enum zb_fate after_nflog(struct walk *w)
{
	const uint8_t *d = w->p->data;
	uint16_t attr[2] = {0}; /* length, type */

	if (left(w) <= 4)
		return cut(w, ZB_WEIRD_truncated_nflog_header);
	if (d[1] != 0)
		return unread(w, ZB_WEIRD_unknown_nflog_version);
	w->off = 4;
	while (attr[1] != NFLOG_PAYLOAD) {
		uint32_t padded;

		if (left(w) <= 4)
			return cut(w, ZB_WEIRD_nflog_no_pcap_payload);
		memcpy(attr, d + w->off, sizeof(attr));
		if (attr[1] != 0 && (attr[1] & 0xff) == 0) {
			attr[0] = __builtin_bswap16(attr[0]);
			attr[1] = __builtin_bswap16(attr[1]);
		}
		if (attr[1] == NFLOG_PAYLOAD)
			attr[0] = 4; /* the rest is the packet, however long */
		if (attr[0] < 4)
			return unread(w, ZB_WEIRD_nflog_bad_tlv_len);
		padded = (attr[0] + 3u) & ~3u;
		w->off += padded < left(w) ? padded : left(w);
	}
	return d[0] == NFLOG_INET || d[0] == NFLOG_INET6 ? at_ip(w) : ZB_FATE_non_ip;
}

/* LLC, which on a wireless link is SNAP or not of interest. ZB_FATE_conn: IP is at off. */
static enum zb_fate after_wifi_llc(struct walk *w)
{
	static const uint8_t snap[6] = {0xaa, 0xaa, 3};
	const uint8_t *d = w->p->data + w->off;

	if (left(w) < 8)
		return cut(w, ZB_WEIRD_truncated_802_11_llc_header);
	if (memcmp(d, snap, sizeof(snap)) != 0)
		return ZB_FATE_non_ip;
	w->off += 8;
	switch (zb_be16(d + 6)) {
	case TYPE_IPV4:
	case TYPE_IPV6: return ZB_FATE_conn;
	case TYPE_ARP:
	case TYPE_RARP: return arp(w);
	default: return ZB_FATE_non_ip;
	}
}

/*
 * Several frames in one, IEEE 802.11 9.3.2.2, padded as Zeek counts: by their length, without its
 * own header. Of those with IP the first is the packet.
 */
static enum zb_fate after_wifi_aggregate(struct walk *w)
{
	enum zb_fate one, fate = ZB_FATE_non_ip;
	uint32_t n, next, ip_at = 0, end = w->end;

	while (w->off < end) {
		if (end - w->off < 14) {
			fate = cut(w, ZB_WEIRD_truncated_802_11_amsdu_header);
			break;
		}
		n = zb_be16(w->p->data + w->off + 12);
		w->off += 14;
		if (end - w->off < n) {
			fate = cut(w, ZB_WEIRD_truncated_802_11_amsdu_packet);
			break;
		}
		w->end = next = w->off + n;
		one = after_wifi_llc(w);
		if (one != ZB_FATE_conn)
			fate = one;
		else if (ip_at == 0)
			ip_at = w->off;
		if (one != ZB_FATE_conn && one != ZB_FATE_arp) {
			w->weird = ZB_WEIRD_invalid_802_11_amsdu_inner_packet;
			break;
		}
		w->off = next + (n % 4 <= end - next ? n % 4 : 0);
	}
	w->end = end;
	w->off = ip_at;
	return ip_at != 0 ? at_ip(w) : fate;
}

static enum zb_fate after_wifi(struct walk *w)
{
	const uint8_t *d = w->p->data + w->off;
	bool aggregate = false;
	uint32_t head = 24;
	enum zb_fate fate;

	if (left(w) <= head)
		return cut(w, ZB_WEIRD_truncated_802_11_header);
	if (!(d[0] & WIFI_DATA) || d[0] & WIFI_NO_DATA)
		return ZB_FATE_non_ip;
	if ((d[1] & WIFI_FOUR_ADDRESSES) == WIFI_FOUR_ADDRESSES)
		head += 6;
	if (left(w) <= head)
		return cut(w, ZB_WEIRD_truncated_802_11_header);
	if (d[0] & WIFI_QOS) {
		if (d[1] & WIFI_PROTECTED)
			return ZB_FATE_non_ip;
		aggregate = d[head] & WIFI_AGGREGATE;
		head += 2;
		if (left(w) <= head)
			return cut(w, ZB_WEIRD_truncated_802_11_header);
	}
	w->off += head;
	if (aggregate)
		return after_wifi_aggregate(w);
	fate = after_wifi_llc(w);
	return fate == ZB_FATE_conn ? at_ip(w) : fate;
}

static enum zb_fate after_radiotap(struct walk *w)
{
	const uint8_t *d = w->p->data;
	uint32_t head;

	if (left(w) <= 3)
		return cut(w, ZB_WEIRD_truncated_radiotap_header);
	head = d[2] | (uint32_t)d[3] << 8;
	if (left(w) <= head)
		return cut(w, ZB_WEIRD_truncated_radiotap_header);
	w->off = head;
	return after_wifi(w);
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
	case ZB_LINK_NFLOG: return after_nflog(w);
	case ZB_LINK_WIFI: return after_wifi(w);
	case ZB_LINK_RADIOTAP: return after_radiotap(w);
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

/* SPDX-License-Identifier: Apache-2.0 */
/* decode_link.c - link layers down to the IP header; every read is checked against cap_len first */
#include "pipeline/decode.h"

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
};
enum { PPP_IPV4 = 0x0021, PPP_IPV6 = 0x0057, PPP_MPLS = 0x0281 };

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static enum zb_fate at_ip(struct zb_pkt *p, uint32_t off)
{
	if (off > UINT16_MAX)
		return ZB_FATE_non_ip; /* a header chain of 64 KiB is no packet */
	p->l3_off = (uint16_t)off;
	return ZB_FATE_conn;
}

/* The label stack; what follows it says itself whether it is IP. */
static enum zb_fate after_mpls(struct zb_pkt *p, uint32_t off)
{
	for (;;) {
		if (p->cap_len - off < 4)
			return ZB_FATE_truncated_link;
		bool bottom = p->data[off + 2] & 1;

		off += 4;
		if (off == p->cap_len)
			return ZB_FATE_truncated_link;
		if (bottom)
			break;
	}
	unsigned version = p->data[off] >> 4;

	return version == 4 || version == 6 ? at_ip(p, off) : ZB_FATE_non_ip;
}

static enum zb_fate after_ppp(struct zb_pkt *p, uint32_t off)
{
	uint32_t proto;

	if (p->cap_len - off < 1)
		return ZB_FATE_truncated_link;
	if (p->data[off] & 1) { /* protocol field compression, RFC 1661 6.5 */
		proto = p->data[off++];
	} else {
		if (p->cap_len - off < 2)
			return ZB_FATE_truncated_link;
		proto = be16(p->data + off);
		off += 2;
	}
	switch (proto) {
	case PPP_IPV4:
	case PPP_IPV6: return at_ip(p, off);
	case PPP_MPLS: return after_mpls(p, off);
	default: return ZB_FATE_non_ip;
	}
}

/* off is past the type field. */
static enum zb_fate after_type(struct zb_pkt *p, uint32_t type, uint32_t off)
{
	for (;;) {
		switch (type) {
		case TYPE_IPV4:
		case TYPE_IPV6: return at_ip(p, off);
		case TYPE_8021Q:
		case TYPE_8021AD:
		case TYPE_QINQ_OLD:
		case TYPE_QINQ_OLD2:
			if (p->cap_len - off < 4)
				return ZB_FATE_truncated_link;
			type = be16(p->data + off + 2);
			off += 4;
			continue;
		case TYPE_MPLS:
		case TYPE_MPLS_MC: return after_mpls(p, off);
		case TYPE_PPPOE:
			if (p->cap_len - off < 6)
				return ZB_FATE_truncated_link;
			return after_ppp(p, off + 6);
		case TYPE_ARP:
		case TYPE_RARP: return ZB_FATE_arp;
		default: break;
		}
		/* 802.3: a length; SNAP may carry a type all the same. */
		if (type <= 1500 && p->cap_len - off >= 8 &&
		    memcmp(p->data + off, "\xaa\xaa\x03\0\0\0", 6) == 0) {
			type = be16(p->data + off + 6);
			off += 8;
			if (type > 1500)
				continue;
		}
		return ZB_FATE_non_ip;
	}
}

static enum zb_fate after_null(struct zb_pkt *p)
{
	uint32_t family;

	if (p->cap_len < 4)
		return ZB_FATE_truncated_link;
	memcpy(&family, p->data, 4);
	if (family & 0xffff0000u)
		family = __builtin_bswap32(family);
	switch (family) {
	case 2:	 /* AF_INET everywhere */
	case 10: /* AF_INET6: Linux, NetBSD and OpenBSD, FreeBSD, macOS */
	case 24:
	case 28:
	case 30: return at_ip(p, 4);
	default: return ZB_FATE_non_ip;
	}
}

enum zb_fate zb_decode_link_any(struct zb_pkt *p)
{
	switch ((enum zb_link)p->link) {
	case ZB_LINK_ETHERNET:
		return p->cap_len < 14 ? ZB_FATE_truncated_link
				       : after_type(p, be16(p->data + 12), 14);
	case ZB_LINK_RAW_IP: return at_ip(p, 0);
	case ZB_LINK_SLL:
		return p->cap_len < 16 ? ZB_FATE_truncated_link
				       : after_type(p, be16(p->data + 14), 16);
	case ZB_LINK_SLL2:
		return p->cap_len < 20 ? ZB_FATE_truncated_link : after_type(p, be16(p->data), 20);
	case ZB_LINK_NULL: return after_null(p);
	case ZB_LINK_PPP:
		if (p->cap_len >= 2 && p->data[0] == 0xff && p->data[1] == 0x03)
			return after_ppp(p, 2);
		return after_ppp(p, 0);
	/* The length that 802.3 has before LLC is missing; 0 stands for it. */
	case ZB_LINK_FDDI: return p->cap_len < 13 ? ZB_FATE_truncated_link : after_type(p, 0, 13);
	case ZB_LINK_C_HDLC:
		return p->cap_len < 4 ? ZB_FATE_truncated_link
				      : after_type(p, be16(p->data + 2), 4);
	default: return ZB_FATE_non_ip;
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* tunnel_parse.c - see tunnel_parse.h */
#include <netinet/in.h>

#include "pipeline/tunnel_parse.h"

enum {
	GRE_CHECKSUM = 0x8000,
	GRE_ROUTING = 0x4000,
	GRE_KEY = 0x2000,
	GRE_SEQUENCE = 0x1000,
	GRE_ACK = 0x0080,
	GRE_RESERVED = 0x0078,
	GRE_VERSION = 0x0007,
};
enum {
	TYPE_ETHERNET = 0x6558,
	TYPE_PPP = 0x880b,
	TYPE_ERSPAN = 0x88be,
	TYPE_ERSPAN_3 = 0x22eb,
};
enum { ETHERNET_BYTES = 14, IPV6_BYTES = 40 };

static uint32_t be16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

enum zb_tun_type zb_tun_on_port(uint16_t port)
{
	switch (port) {
	case 2123:
	case 2152: return ZB_TUN_GTPV1;
	case 3544: return ZB_TUN_TEREDO;
	case 4789: return ZB_TUN_VXLAN;
	case 5072: return ZB_TUN_AYIYA;
	case 6081: return ZB_TUN_GENEVE;
	default: return ZB_TUN_NONE;
	}
}

/* Behind authentication, or at once, an origin indication; then IPv6. (Zeek: Teredo.cc) */
static bool is_teredo_wrapped(const uint8_t *d, uint32_t len)
{
	uint32_t tag = d[1];

	if (tag == 1) {
		uint32_t head = 13u + d[2] + d[3];

		if (len < head + IPV6_BYTES)
			return false;
		d += head;
		len -= head;
		tag = be16(d);
	}
	return tag == 0 && len >= 8 + IPV6_BYTES && d[8] >> 4 == 6;
}

static bool is_teredo(const uint8_t *d, uint32_t len)
{
	static const uint8_t prefix[4] = {0x20, 0x01, 0, 0};

	if (len < IPV6_BYTES)
		return false;
	if (d[0] >> 4 != 6)
		return d[0] == 0 && d[1] <= 1 && is_teredo_wrapped(d, len);
	return memcmp(d + 8, prefix, 4) == 0 || memcmp(d + 24, prefix, 4) == 0 ||
	       (d[1] <= 1 && is_teredo_wrapped(d, len));
}

enum zb_tun_type zb_tun_by_content(const uint8_t *d, uint32_t len)
{
	if (len >= 3 && d[1] == 0x52 && d[2] == 0x11)
		return ZB_TUN_AYIYA;
	return is_teredo(d, len) ? ZB_TUN_TEREDO : ZB_TUN_NONE;
}

static void odd(struct zb_tun_inner *in, enum zb_weird_name name, uint32_t addl)
{
	in->verdict = ZB_TUN_ODD;
	in->weird = (uint16_t)name;
	in->addl = (uint16_t)addl;
}

static void holds(struct zb_tun_inner *in, uint32_t off, uint32_t len, enum zb_link link)
{
	in->verdict = ZB_TUN_HOLDS;
	in->off = off;
	in->len = len - off;
	in->link = (uint8_t)link;
}

/* A frame behind the header and skip bytes of ERSPAN, or none; false: it is cut short. */
static bool gre_frame(const uint8_t *d, uint32_t len, uint32_t type, uint32_t flags, uint32_t *skip)
{
	uint32_t head = *skip;

	switch (type) {
	case TYPE_ETHERNET: return len > head + ETHERNET_BYTES;
	case TYPE_ERSPAN:
		/* A sequence number tells type II, which has a header, from type I. */
		*skip += flags & GRE_SEQUENCE ? 8 : 0;
		return len > head + ETHERNET_BYTES && len >= *skip + ETHERNET_BYTES;
	default:
		if (len <= head + ETHERNET_BYTES + 12)
			return false;
		*skip += d[head + 11] & 1 ? 20 : 12;
		return len > *skip + ETHERNET_BYTES || *skip == head + 12;
	}
}

/* Wireless frames of Aruba's. */
static bool is_aruba(uint32_t type)
{
	return ((type & 0x8200) == 0x8200 && (type & 15) == 0) || type == 0x9000;
}

static void gre_version_0(const uint8_t *d, uint32_t len, uint32_t flags, uint32_t head,
			  struct zb_tun_inner *in)
{
	uint32_t type = be16(d + 2), skip = head;
	bool frame = type == TYPE_ETHERNET || type == TYPE_ERSPAN || type == TYPE_ERSPAN_3;

	if (frame ? !gre_frame(d, len, type, flags, &skip) : is_aruba(type) && len <= head) {
		odd(in, ZB_WEIRD_truncated_GRE, 0);
		return;
	}
	if (flags & GRE_ROUTING)
		odd(in, ZB_WEIRD_gre_routing, 0);
	else if (flags & GRE_RESERVED)
		odd(in, ZB_WEIRD_unknown_gre_flags, 0);
	else if (len < skip)
		odd(in, ZB_WEIRD_truncated_GRE, 0);
	else
		holds(in, skip, len,
		      frame	       ? ZB_LINK_ETHERNET
		      : is_aruba(type) ? ZB_LINK_WIFI
				       : ZB_LINK_RAW_IP);
}

/* PPP, with address and control and a protocol of two bytes. */
static void gre_version_1(const uint8_t *d, uint32_t len, uint32_t flags, uint32_t head,
			  struct zb_tun_inner *in)
{
	uint32_t type = be16(d + 2), proto;

	if (type != TYPE_PPP) {
		odd(in, ZB_WEIRD_egre_protocol_type, type);
	} else if (flags & GRE_ROUTING) {
		odd(in, ZB_WEIRD_gre_routing, 0);
	} else if (flags & GRE_RESERVED) {
		odd(in, ZB_WEIRD_unknown_gre_flags, 0);
	} else if (len < head + 4) {
		odd(in, ZB_WEIRD_truncated_GRE, 0);
	} else {
		proto = be16(d + head + 2);
		if (proto != 0x0021 && proto != 0x0057) {
			odd(in, ZB_WEIRD_non_ip_packet_in_encap, 0);
			return;
		}
		holds(in, head + 4, len, ZB_LINK_RAW_IP);
		in->strict = proto == 0x0021 ? 4 : 6;
	}
}

void zb_tun_parse_gre(const uint8_t *d, uint32_t len, struct zb_tun_inner *in)
{
	uint32_t flags, head = 4;

	*in = (struct zb_tun_inner){.type = ZB_TUN_GRE, .weird = ZB_WEIRD_NR};
	if (len < 4) {
		odd(in, ZB_WEIRD_truncated_GRE, 0);
		return;
	}
	flags = be16(d);
	head += flags & GRE_CHECKSUM ? 4 : 0;
	head += flags & GRE_KEY ? 4 : 0;
	head += flags & GRE_SEQUENCE ? 4 : 0;
	head += flags & GRE_ACK ? 4 : 0;
	switch (flags & GRE_VERSION) {
	case 0: gre_version_0(d, len, flags, head, in); break;
	case 1: gre_version_1(d, len, flags, head, in); break;
	default: odd(in, ZB_WEIRD_unknown_gre_version, flags & GRE_VERSION);
	}
}

/* What the header says is this tunnel; is anything behind it? */
static void confirmed(struct zb_tun_inner *in, uint32_t head, uint32_t len, enum zb_link link,
		      enum zb_weird_name empty)
{
	holds(in, head, len, link);
	if (in->len != 0 && link != ZB_LINK_NR)
		return;
	in->verdict = ZB_TUN_CONFIRMS;
	in->weird = (uint16_t)(in->len == 0 ? empty : ZB_WEIRD_NR);
}

static void parse_vxlan(const uint8_t *d, uint32_t len, struct zb_tun_inner *in)
{
	/* The flag says that the network identifier is valid. */
	if (len >= 8 && d[0] & 0x08)
		confirmed(in, 8, len, ZB_LINK_ETHERNET, ZB_WEIRD_vxlan_empty_packet);
}

static void parse_geneve(const uint8_t *d, uint32_t len, struct zb_tun_inner *in)
{
	enum zb_link link;

	if (len < 8)
		return;
	if (d[0] >> 6 != 0) {
		odd(in, ZB_WEIRD_geneve_invalid_version, d[0] >> 6);
		return;
	}
	uint32_t head = 8 + (d[0] & 63u) * 4;

	if (head > len)
		return;
	switch (be16(d + 2)) {
	case TYPE_ETHERNET: link = ZB_LINK_ETHERNET; break;
	case 0x0800:
	case 0x08dd: link = ZB_LINK_RAW_IP; break; /* sic: the second stands in Zeek for 86dd */
	default: link = ZB_LINK_NR;
	}
	confirmed(in, head, len, link, ZB_WEIRD_geneve_empty_packet);
}

static void parse_ayiya(const uint8_t *d, uint32_t len, struct zb_tun_inner *in)
{
	if (len < 8)
		return;
	/* Zeek counts the identity's length in eight bits. */
	uint32_t identity = (1u << (d[0] >> 4)) & 0xff, head = 8 + identity + (d[1] >> 4) * 4u;

	if (head > len)
		return;
	if ((d[2] & 15) != 1) {
		in->verdict = ZB_TUN_OTHER; /* only "forward" carries a packet */
		return;
	}
	confirmed(in, head, len,
		  d[3] == IPPROTO_IPIP || d[3] == IPPROTO_IPV6 ? ZB_LINK_RAW_IP : ZB_LINK_NR,
		  ZB_WEIRD_ayiya_empty_packet);
}

/* Authentication, then an origin indication, each at most once, may stand in front of IPv6. */
static bool skip_teredo(const uint8_t *d, uint32_t len, uint32_t *off, struct zb_tun_inner *in)
{
	bool origin = false, auth = false;
	uint32_t head;

	for (;;) {
		uint32_t rest = len - *off;

		in->weird = ZB_WEIRD_truncated_Teredo;
		if (rest < 2)
			return false;
		switch (be16(d + *off)) {
		case 0:
			in->weird = ZB_WEIRD_truncated_Teredo_origin_indication;
			head = 8;
			if (origin)
				in->weird = ZB_WEIRD_NR;
			if (origin || rest < head)
				return false;
			origin = true;
			break;
		case 1:
			in->weird = ZB_WEIRD_truncated_Teredo_authentication;
			if (origin || auth)
				in->weird = ZB_WEIRD_NR;
			if (origin || auth || rest < 4)
				return false;
			head = 13u + d[*off + 2] + d[*off + 3];
			if (rest < head)
				return false;
			auth = true;
			break;
		default:
			in->weird = ZB_WEIRD_truncated_IPv6_in_Teredo;
			if (d[*off] >> 4 == 6 && rest >= IPV6_BYTES) {
				in->weird = ZB_WEIRD_NR;
				return true;
			}
			if (d[*off] >> 4 != 6)
				in->weird = ZB_WEIRD_NR;
			return false;
		}
		*off += head;
	}
}

static void parse_teredo(const uint8_t *d, uint32_t len, struct zb_tun_inner *in)
{
	uint32_t off = 0, stated;

	if (!skip_teredo(d, len, &off, in))
		return;
	stated = IPV6_BYTES + be16(d + off + 4);
	if (len - off < stated)
		return;
	if (len - off > stated) {
		/* Only a bubble, which carries nothing, may have something behind it. */
		if (d[off + 6] != IPPROTO_NONE || stated != IPV6_BYTES)
			return;
		in->weird = ZB_WEIRD_Teredo_bubble_with_payload;
	}
	holds(in, off, len, ZB_LINK_RAW_IP);
}

/* Past the extension headers, of which there is at least one; len + 1: they are cut short. */
static uint32_t skip_gtp_extensions(const uint8_t *d, uint32_t len, uint32_t off)
{
	for (;;) {
		uint32_t head = off < len ? d[off] * 4u : 0;

		if (head < 4 || len - off < head)
			return len + 1;
		off += head;
		if (d[off - 1] == 0)
			return off;
	}
}

static void parse_gtp(const uint8_t *d, uint32_t len, bool gtp_in_gtp, struct zb_tun_inner *in)
{
	uint32_t off = 8, stated;

	if (len < 8 || (d[0] & 7 && len < 12))
		return;
	off += d[0] & 7 ? 4 : 0;
	if (d[0] & 4)
		off = skip_gtp_extensions(d, len, off);
	if (off > len || gtp_in_gtp || d[0] >> 5 != 1)
		return;
	if (!(d[0] & 0x10) || d[1] != 255) {
		in->verdict = ZB_TUN_OTHER; /* GTP', or signalling */
		return;
	}
	uint32_t rest = len - off;

	if (rest < 20 || (d[off] >> 4 == 6 && rest < IPV6_BYTES))
		return;
	if (d[off] >> 4 == 4)
		stated = be16(d + off + 2);
	else if (d[off] >> 4 == 6)
		stated = IPV6_BYTES + be16(d + off + 4);
	else
		return;
	if (rest == stated)
		holds(in, off, len, ZB_LINK_RAW_IP);
}

void zb_tun_parse_udp(enum zb_tun_type type, const uint8_t *d, uint32_t len, bool gtp_in_gtp,
		      struct zb_tun_inner *in)
{
	*in = (struct zb_tun_inner){.type = (uint8_t)type,
				    .verdict = ZB_TUN_BROKEN,
				    .weird = ZB_WEIRD_NR};
	switch (type) {
	case ZB_TUN_VXLAN: parse_vxlan(d, len, in); break;
	case ZB_TUN_GENEVE: parse_geneve(d, len, in); break;
	case ZB_TUN_TEREDO: parse_teredo(d, len, in); break;
	case ZB_TUN_GTPV1: parse_gtp(d, len, gtp_in_gtp, in); break;
	case ZB_TUN_AYIYA: parse_ayiya(d, len, in); break;
	default: in->verdict = ZB_TUN_OTHER;
	}
}

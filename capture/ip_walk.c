/* SPDX-License-Identifier: Apache-2.0 */
/* ip_walk.c - link layers and IP headers down to the transport header; see ip_walk_priv.h */
#include <netinet/in.h>
#include <string.h>
#include "capture/ip_walk_priv.h"

#define EXT_HEADERS_MAX 16 /* IPv6 extension headers that are followed */

enum {
	TYPE_LEN_MAX = 1500, /* below: an 802.3 length, not a type */
	TYPE_IPV4 = 0x0800,
	TYPE_ARP = 0x0806,
	TYPE_RARP = 0x8035,
	TYPE_VLAN = 0x8100,
	TYPE_IPV6 = 0x86dd,
	TYPE_MPLS = 0x8847,
	TYPE_MPLS_MC = 0x8848,
	TYPE_PPPOE = 0x8864,
	TYPE_QINQ = 0x88a8,
	TYPE_PBB = 0x88e7, /* IEEE 802.1ah: service tag, then a frame */
	TYPE_FABRICPATH = 0x8903,
	TYPE_VNTAG = 0x8926, /* IEEE 802.1BR, as Cisco had it before */
	TYPE_QINQ_9100 = 0x9100,
	TYPE_QINQ_9200 = 0x9200,
};
enum { PPP_IPV4 = 0x0021, PPP_IPV6 = 0x0057, PPP_MPLS = 0x0281 };
enum { NFLOG_PAYLOAD = 9 };

static uint32_t be16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

/* The following return where the IP header starts, len for: nowhere. off never exceeds len. */

static uint32_t after_mpls(const uint8_t *d, uint32_t len, uint32_t off)
{
	while (len - off >= 4) {
		off += 4;
		if (d[off - 2] & 1)
			return off;
	}
	return len;
}

static uint32_t after_ppp(const uint8_t *d, uint32_t len, uint32_t off)
{
	uint32_t proto;

	if (len - off < 2)
		return len;
	if (d[off] & 1) {
		proto = d[off]; /* compressed to one byte */
		off += 1;
	} else {
		proto = be16(d + off);
		off += 2;
	}
	switch (proto) {
	case PPP_IPV4:
	case PPP_IPV6: return off;
	case PPP_MPLS: return after_mpls(d, len, off);
	default: return len;
	}
}

/* LLC, which with SNAP carries a type: *type follows where it returns. */
static uint32_t after_llc(const uint8_t *d, uint32_t len, uint32_t off, uint32_t *type)
{
	uint32_t head;

	if (len - off < 9 || d[off] != 0xaa || d[off + 1] != 0xaa)
		return len;
	head = (d[off + 2] & 3) == 3 ? 3 : 4; /* an unnumbered frame's control is one byte */
	if (len - off <= head + 5 || (d[off + head] | d[off + head + 1] | d[off + head + 2]) != 0)
		return len;
	*type = be16(d + off + head + 3);
	return *type > TYPE_LEN_MAX ? off + head + 5 : len;
}

/* A frame's addresses, behind FabricPath's if it has them; *type follows where it returns. */
static uint32_t after_addresses(const uint8_t *d, uint32_t len, uint32_t off, uint32_t *type)
{
	if (len - off < 14)
		return len;
	*type = be16(d + off + 12);
	if (*type != TYPE_FABRICPATH)
		return off + 14;
	if (len - off < 16 + 14)
		return len;
	*type = be16(d + off + 16 + 12);
	return off + 16 + 14;
}

/* off is past the type field. */
static uint32_t after_type(const uint8_t *d, uint32_t len, uint32_t type, uint32_t off)
{
	while (off < len) {
		switch (type) {
		case TYPE_IPV4:
		case TYPE_IPV6: return off;
		case TYPE_VLAN:
		case TYPE_QINQ:
		case TYPE_QINQ_9100:
		case TYPE_QINQ_9200:
			if (len - off < 4)
				return len;
			type = be16(d + off + 2);
			off += 4;
			break;
		case TYPE_VNTAG:
			if (len - off < 6)
				return len;
			type = be16(d + off + 4);
			off += 6;
			break;
		case TYPE_PBB:
			if (len - off < 4)
				return len;
			off = after_addresses(d, len, off + 4, &type);
			break;
		case TYPE_MPLS:
		case TYPE_MPLS_MC: return after_mpls(d, len, off);
		case TYPE_PPPOE: return len - off < 6 ? len : after_ppp(d, len, off + 6);
		default:
			if (type > TYPE_LEN_MAX)
				return len;
			off = after_llc(d, len, off, &type);
		}
	}
	return len;
}

static uint32_t after_ethernet(const uint8_t *d, uint32_t len, uint32_t off)
{
	uint32_t type = 0;

	off = after_addresses(d, len, off, &type);
	return after_type(d, len, type, off);
}

static uint32_t after_null(const uint8_t *d, uint32_t len)
{
	uint32_t family;

	if (len < 4)
		return len;
	memcpy(&family, d, sizeof(family));
	if (family & 0xffff0000u)
		family = __builtin_bswap32(family);
	switch (family) {
	case 2: /* AF_INET, and AF_INET6 of Linux, NetBSD, FreeBSD, macOS */
	case 10:
	case 24:
	case 28:
	case 30: return 4;
	default: return len;
	}
}

/* Attributes of netfilter, in the byte order of the host that wrote them. */
static uint32_t after_nflog(const uint8_t *d, uint32_t len)
{
	uint32_t off = 4;

	if (len <= 4 || d[1] != 0 || (d[0] != 2 && d[0] != 10))
		return len;
	while (len - off > 4) {
		uint16_t attr[2]; /* length, type */
		uint32_t padded;

		memcpy(attr, d + off, sizeof(attr));
		if (attr[1] != 0 && (attr[1] & 0xff) == 0) {
			attr[0] = __builtin_bswap16(attr[0]);
			attr[1] = __builtin_bswap16(attr[1]);
		}
		if (attr[1] == NFLOG_PAYLOAD)
			return off + 4;
		padded = (attr[0] + 3u) & ~3u;
		if (attr[0] < 4 || padded > len - off)
			return len;
		off += padded;
	}
	return len;
}

/* The type in n bytes of LLC, which on a wireless link is SNAP or not of interest: 0. */
static uint32_t wifi_type(const uint8_t *llc, uint32_t n)
{
	static const uint8_t snap[6] = {0xaa, 0xaa, 3};

	return n >= 8 && memcmp(llc, snap, sizeof(snap)) == 0 ? be16(llc + 6) : 0;
}

/* Several frames in one: the first with IP counts. In front of it there may be ARP's, no others. */
static uint32_t after_wifi_aggregate(const uint8_t *d, uint32_t len, uint32_t off)
{
	while (len - off >= 14) {
		uint32_t n = be16(d + off + 12), type;

		off += 14;
		if (n > len - off)
			return len;
		type = wifi_type(d + off, n);
		if (type == TYPE_IPV4 || type == TYPE_IPV6)
			return off + 8;
		if (type != TYPE_ARP && type != TYPE_RARP)
			return len;
		off += n;
		off += n % 4 <= len - off ? n % 4 : 0;
	}
	return len;
}

static uint32_t after_wifi(const uint8_t *d, uint32_t len, uint32_t off)
{
	const uint8_t *h = d + off;
	uint32_t head = 24, type;
	bool aggregate = false;

	if (len - off <= head || !(h[0] & 0x08) || (h[0] & 0x40))
		return len;
	head += (h[1] & 3) == 3 ? 6 : 0;
	if (len - off <= head)
		return len;
	if (h[0] & 0x80) {
		if (h[1] & 0x40)
			return len;
		aggregate = h[head] & 0x80;
		head += 2;
	}
	if (len - off <= head)
		return len;
	off += head;
	if (aggregate)
		return after_wifi_aggregate(d, len, off);
	type = wifi_type(d + off, len - off);
	return type == TYPE_IPV4 || type == TYPE_IPV6 ? off + 8 : len;
}

static uint32_t after_radiotap(const uint8_t *d, uint32_t len)
{
	uint32_t head = len < 4 ? len : d[2] | (uint32_t)d[3] << 8;

	return head < len ? after_wifi(d, len, head) : len;
}

static uint32_t find_ip(enum zb_link link, const uint8_t *d, uint32_t len)
{
	switch (link) {
	case ZB_LINK_ETHERNET: return after_ethernet(d, len, 0);
	case ZB_LINK_RAW_IP: return 0;
	case ZB_LINK_SLL: return len < 16 ? len : after_type(d, len, be16(d + 14), 16);
	case ZB_LINK_SLL2: return len < 20 ? len : after_type(d, len, be16(d), 20);
	case ZB_LINK_NULL: return after_null(d, len);
	case ZB_LINK_PPP:
		return after_ppp(d, len, len >= 2 && d[0] == 0xff && d[1] == 0x03 ? 2 : 0);
	case ZB_LINK_FDDI: return len < 13 ? len : after_type(d, len, 0, 13);
	case ZB_LINK_C_HDLC: return len < 4 ? len : after_type(d, len, be16(d + 2), 4);
	case ZB_LINK_NFLOG: return after_nflog(d, len);
	case ZB_LINK_WIFI: return after_wifi(d, len, 0);
	case ZB_LINK_RADIOTAP: return after_radiotap(d, len);
	default: return len;
	}
}

static bool walk_v4(const uint8_t *d, uint32_t len, struct zb_ip_walk *w)
{
	const uint8_t *h = d + w->ip_off;
	uint32_t hdr_len = (h[0] & 15u) * 4, frag;

	if (len - w->ip_off < 20 || hdr_len < 20)
		return false;
	frag = be16(h + 6) & 0x3fff; /* more fragments, and the offset */
	w->proto = h[9];
	w->fragment = frag != 0;
	if ((frag & 0x1fff) == 0 && len - w->ip_off > hdr_len)
		w->l4_off = w->ip_off + hdr_len;
	return true;
}

static bool is_extension(uint8_t next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS ||
	       next == IPPROTO_FRAGMENT || next == IPPROTO_AH;
}

/* Past the extension header at off, or len when it is not captured whole or nothing can follow. */
static uint32_t extension(const uint8_t *d, uint32_t len, uint32_t off, struct zb_ip_walk *w)
{
	uint32_t ext_len, frag;

	if (len - off < 8)
		return len;
	ext_len = (d[off + 1] + 1u) * 8;
	if (w->proto == IPPROTO_FRAGMENT) {
		ext_len = 8;
		frag = be16(d + off + 2);
		/* Neither offset nor more to come: whole, RFC 6946. */
		if ((frag & 0xfff9) != 0 && !w->fragment) {
			w->fragment = true;
			w->frag_off = off;
		}
		if ((frag & 0xfff8) != 0)
			return len;
	} else if (w->proto == IPPROTO_AH) {
		ext_len = (d[off + 1] + 2u) * 4;
	} else if (w->proto == IPPROTO_ROUTING && d[off + 3] != 0) {
		w->routed = true;
	}
	w->proto = d[off];
	return len - off > ext_len ? off + ext_len : len;
}

static bool walk_v6(const uint8_t *d, uint32_t len, struct zb_ip_walk *w)
{
	uint32_t off = w->ip_off + 40;

	if (len - w->ip_off < 40)
		return false;
	w->proto = d[w->ip_off + 6];
	for (unsigned i = 0; i < EXT_HEADERS_MAX && off < len && is_extension(w->proto); i++)
		off = extension(d, len, off, w);
	if (off < len && !is_extension(w->proto))
		w->l4_off = off;
	return true;
}

static inline __attribute__((always_inline)) bool walk_ip(const uint8_t *d, uint32_t len,
							  struct zb_ip_walk *w)
{
	if (w->ip_off >= len)
		return false;
	w->version = d[w->ip_off] >> 4;
	switch (w->version) {
	case 4: return walk_v4(d, len, w);
	case 6: return walk_v6(d, len, w);
	default: return false;
	}
}

bool zb_ip_walk(enum zb_link link, const uint8_t *data, uint32_t cap_len, struct zb_ip_walk *w)
{
	/* Untagged IPv4 on Ethernet, which most packets are, without a call. */
	bool plain = link == ZB_LINK_ETHERNET && cap_len >= 14 && be16(data + 12) == TYPE_IPV4;

	*w = (struct zb_ip_walk){.ip_off = plain ? 14 : find_ip(link, data, cap_len)};
	return walk_ip(data, cap_len, w);
}

bool zb_ip_walk_at(const uint8_t *data, uint32_t len, uint32_t off, struct zb_ip_walk *w)
{
	*w = (struct zb_ip_walk){.ip_off = off};
	return walk_ip(data, len, w);
}

bool zb_ip_walk_ethernet(const uint8_t *data, uint32_t len, uint32_t off, struct zb_ip_walk *w)
{
	return zb_ip_walk_at(data, len, after_ethernet(data, len, off), w);
}

bool zb_ip_walk_wifi(const uint8_t *data, uint32_t len, uint32_t off, struct zb_ip_walk *w)
{
	return zb_ip_walk_at(data, len, after_wifi(data, len, off), w);
}

void zb_ip_fragment(const uint8_t *data, const struct zb_ip_walk *w, struct zb_ip_fragment *f)
{
	const uint8_t *h = data + w->ip_off;
	uint32_t frag, end, head;

	if (w->version == 4) {
		frag = be16(h + 6);
		f->id = be16(h + 4);
		f->from = (frag & 0x1fff) * 8;
		f->last = (frag & 0x2000) == 0;
		end = be16(h + 2);
		head = (h[0] & 15u) * 4;
	} else {
		const uint8_t *x = data + w->frag_off;

		frag = be16(x + 2);
		f->id = be16(x + 4) << 16 | be16(x + 6);
		f->from = frag & 0xfff8;
		f->last = (frag & 1) == 0;
		end = 40 + be16(h + 4);
		head = w->frag_off + 8 - w->ip_off;
	}
	f->len = end > head ? end - head : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* tunnel_walk.c - from a packet to the packet that a tunnel put into it; see ip_walk_priv.h */
#include <netinet/in.h>
#include "capture/ip_walk_priv.h"

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
	TYPE_IPV4 = 0x0800,
	TYPE_ETHERNET = 0x6558,
	TYPE_PPP = 0x880b,
	TYPE_ERSPAN = 0x88be,
	TYPE_ERSPAN_3 = 0x22eb,
	TYPE_IPV6 = 0x86dd,
};

static uint32_t be16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

/* An IP header of the version that the header in front promised. */
static bool walk_version(const uint8_t *d, uint32_t len, uint32_t off, unsigned version,
			 struct zb_ip_walk *inner)
{
	return len > off && d[off] >> 4 == version && zb_ip_walk_at(d, len, off, inner);
}

/* What follows the GRE header at off is an Ethernet frame behind skip bytes of ERSPAN. */
static bool walk_erspan(const uint8_t *d, uint32_t len, uint32_t off, uint32_t skip,
			struct zb_ip_walk *inner)
{
	return len - off >= skip && zb_ip_walk_ethernet(d, len, off + skip, inner);
}

/* Version 1, as PPTP has it: PPP with address and control, its protocol in two bytes. */
static bool walk_pptp(const uint8_t *d, uint32_t len, uint32_t off, struct zb_ip_walk *inner)
{
	if (len - off < 4)
		return false;
	switch (be16(d + off + 2)) {
	case 0x0021: return walk_version(d, len, off + 4, 4, inner);
	case 0x0057: return walk_version(d, len, off + 4, 6, inner);
	default: return false;
	}
}

/* Other types are Aruba's, which hold wireless frames, or taken for IP. */
static bool walk_gre_type(const uint8_t *d, uint32_t len, uint32_t off, uint32_t flags,
			  uint32_t type, struct zb_ip_walk *inner)
{
	uint32_t skip;

	switch (type) {
	case TYPE_ETHERNET: return zb_ip_walk_ethernet(d, len, off, inner);
	case TYPE_ERSPAN:
		/* Type II has a header, and a sequence number which tells it from type I. */
		return walk_erspan(d, len, off, flags & GRE_SEQUENCE ? 8 : 0, inner);
	case TYPE_ERSPAN_3:
		if (len - off < 12)
			return false;
		skip = d[off + 11] & 1 ? 20 : 12;
		return walk_erspan(d, len, off, skip, inner);
	default: break;
	}
	if (type == 0x9000 || ((type & 0x8200) == 0x8200 && (type & 15) == 0))
		return zb_ip_walk_wifi(d, len, off, inner);
	return zb_ip_walk_at(d, len, off, inner);
}

static bool walk_gre(const uint8_t *d, uint32_t len, uint32_t off, struct zb_ip_walk *inner)
{
	uint32_t flags, type, head = 4;

	if (len - off < 4)
		return false;
	flags = be16(d + off);
	type = be16(d + off + 2);
	if ((flags & (GRE_ROUTING | GRE_RESERVED)) != 0 || (flags & GRE_VERSION) > 1)
		return false;
	head += flags & GRE_CHECKSUM ? 4 : 0;
	head += flags & GRE_KEY ? 4 : 0;
	head += flags & GRE_SEQUENCE ? 4 : 0;
	head += flags & GRE_ACK ? 4 : 0;
	if (len - off <= head)
		return false;
	off += head;
	if ((flags & GRE_VERSION) == 0)
		return walk_gre_type(d, len, off, flags, type, inner);
	return type == TYPE_PPP && walk_pptp(d, len, off, inner);
}

/* The following take off behind the UDP header. */

static bool walk_vxlan(const uint8_t *d, uint32_t len, uint32_t off, struct zb_ip_walk *inner)
{
	/* The flag says that the network identifier is valid, and must be set. */
	return len - off > 8 && (d[off] & 0x08) != 0 && zb_ip_walk_ethernet(d, len, off + 8, inner);
}

static bool walk_geneve(const uint8_t *d, uint32_t len, uint32_t off, struct zb_ip_walk *inner)
{
	uint32_t head, type;

	if (len - off < 8 || d[off] >> 6 != 0)
		return false;
	head = 8 + (d[off] & 63u) * 4;
	type = be16(d + off + 2);
	if (len - off <= head)
		return false;
	off += head;
	switch (type) {
	case TYPE_ETHERNET: return zb_ip_walk_ethernet(d, len, off, inner);
	case TYPE_IPV4:
	case TYPE_IPV6: return zb_ip_walk_at(d, len, off, inner);
	default: return false;
	}
}

/* Authentication and origin may precede the packet, once each. */
static bool walk_teredo(const uint8_t *d, uint32_t len, uint32_t off, struct zb_ip_walk *inner)
{
	for (unsigned i = 0; i < 2 && len - off >= 8; i++) {
		uint32_t head;

		if (be16(d + off) == 0)
			head = 8;
		else if (be16(d + off) == 1)
			head = 13u + d[off + 2] + d[off + 3];
		else
			break;
		if (len - off < head)
			return false;
		off += head;
	}
	return walk_version(d, len, off, 6, inner);
}

static bool walk_gtp(const uint8_t *d, uint32_t len, uint32_t off, struct zb_ip_walk *inner)
{
	uint8_t next = 0;

	/* Version 1, not GTP', a packet of a user. */
	if (len - off < 12 || (d[off] & 0xf0) != 0x30 || d[off + 1] != 255)
		return false;
	if ((d[off] & 7) != 0)
		next = d[off] & 4 ? d[off + 11] : 0;
	off += (d[off] & 7) != 0 ? 12 : 8;
	while (next != 0) {
		uint32_t head = len > off ? d[off] * 4u : 0;

		if (head == 0 || len - off < head)
			return false;
		off += head;
		next = d[off - 1];
	}
	return len > off && zb_ip_walk_at(d, len, off, inner);
}

static bool walk_ayiya(const uint8_t *d, uint32_t len, uint32_t off, struct zb_ip_walk *inner)
{
	uint32_t head;
	uint8_t next;

	/* Only the operation "forward" carries a packet. */
	if (len - off < 8 || (d[off + 2] & 15) != 1)
		return false;
	head = 8 + (1u << (d[off] >> 4)) + (d[off + 1] >> 4) * 4u;
	next = d[off + 3];
	if (len - off <= head)
		return false;
	if (next == IPPROTO_IPV6)
		return walk_version(d, len, off + head, 6, inner);
	return next == IPPROTO_IPIP && walk_version(d, len, off + head, 4, inner);
}

static enum zb_tunnel on_port(uint32_t port)
{
	switch (port) {
	case ZB_PORT_GTP: return ZB_TUNNEL_GTP;
	case ZB_PORT_TEREDO: return ZB_TUNNEL_TEREDO;
	case ZB_PORT_VXLAN: return ZB_TUNNEL_VXLAN;
	case ZB_PORT_AYIYA: return ZB_TUNNEL_AYIYA;
	case ZB_PORT_GENEVE: return ZB_TUNNEL_GENEVE;
	default: return ZB_TUNNEL_NONE;
	}
}

static enum zb_tunnel walk_udp(const uint8_t *d, uint32_t len, uint32_t off,
			       struct zb_ip_walk *inner)
{
	enum zb_tunnel kind;
	bool found = false;

	if (len - off <= 8)
		return ZB_TUNNEL_NONE;
	kind = on_port(be16(d + off + 2));
	if (kind == ZB_TUNNEL_NONE)
		kind = on_port(be16(d + off));
	off += 8;
	switch (kind) {
	case ZB_TUNNEL_VXLAN: found = walk_vxlan(d, len, off, inner); break;
	case ZB_TUNNEL_GENEVE: found = walk_geneve(d, len, off, inner); break;
	case ZB_TUNNEL_TEREDO: found = walk_teredo(d, len, off, inner); break;
	case ZB_TUNNEL_GTP: found = walk_gtp(d, len, off, inner); break;
	case ZB_TUNNEL_AYIYA: found = walk_ayiya(d, len, off, inner); break;
	default: break;
	}
	return found ? kind : ZB_TUNNEL_NONE;
}

enum zb_tunnel zb_tunnel_walk(const uint8_t *data, uint32_t len, const struct zb_ip_walk *outer,
			      struct zb_ip_walk *inner)
{
	uint32_t off = outer->l4_off;
	bool found;

	if (off == 0)
		return ZB_TUNNEL_NONE;
	switch (outer->proto) {
	case IPPROTO_UDP: return walk_udp(data, len, off, inner);
	case IPPROTO_IPIP: found = walk_version(data, len, off, 4, inner); break;
	case IPPROTO_IPV6: found = walk_version(data, len, off, 6, inner); break;
	case IPPROTO_GRE: return walk_gre(data, len, off, inner) ? ZB_TUNNEL_GRE : ZB_TUNNEL_NONE;
	default: return ZB_TUNNEL_NONE;
	}
	return found ? ZB_TUNNEL_IP : ZB_TUNNEL_NONE;
}

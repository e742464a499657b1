/* SPDX-License-Identifier: Apache-2.0 */
/* tunnel_build.h - packets inside packets, and fragments of them, for tests */
#ifndef ZB_TESTS_TUNNEL_BUILD_H
#define ZB_TESTS_TUNNEL_BUILD_H

#include "packet_build.h"

enum tb_tunnel {
	TB_IPIP, /* by the inner version */
	TB_GRE,
	TB_GRE_SUM,
	TB_GRE_ETHERNET,
	TB_ERSPAN_2,
	TB_ERSPAN_3,
	TB_PPTP,
	TB_VXLAN,
	TB_GENEVE,
	TB_GTP,
	TB_TEREDO,
	TB_AYIYA,
	TB_TUNNEL_NR
};

/* The protocol and, on UDP, the destination port that a tunnel is known by. */
static inline void tb_tunnel_ports(struct tb_ip *outer, enum tb_tunnel kind, int inner_version)
{
	static const uint16_t port[] = {
		[TB_VXLAN] = 4789,  [TB_GENEVE] = 6081, [TB_GTP] = 2152,
		[TB_TEREDO] = 3544, [TB_AYIYA] = 5072,
	};

	if (kind >= TB_VXLAN) {
		outer->proto = 17;
		outer->dport = port[kind];
	} else if (kind == TB_IPIP) {
		outer->proto = inner_version == 4 ? 4 : 41;
	} else {
		outer->proto = 47;
	}
}

/* What stands between the outer IP or UDP header and the inner packet. */
static inline void tb_tunnel_head(struct tb_buf *b, enum tb_tunnel kind, int version)
{
	uint32_t type = version == 4 ? 0x0800 : 0x86dd;

	switch (kind) {
	case TB_GRE:
		tb_be32(b, 0x20000000 | type);
		tb_be32(b, 7);
		break;
	case TB_GRE_SUM:
		tb_be32(b, 0x80000000 | type);
		tb_be32(b, 0);
		break;
	case TB_GRE_ETHERNET: tb_be32(b, 0x6558); break;
	case TB_ERSPAN_2:
		tb_be32(b, 0x100088be);
		tb_zeros(b, 4 + 8);
		break;
	case TB_ERSPAN_3:
		tb_be32(b, 0x100022eb);
		tb_zeros(b, 4 + 11);
		tb_bytes(b, "\1", 1);
		tb_zeros(b, 8);
		break;
	case TB_PPTP:
		tb_be32(b, 0x3001880b);
		tb_zeros(b, 8);
		tb_be16(b, 0xff03);
		tb_be16(b, version == 4 ? 0x21 : 0x57);
		break;
	case TB_VXLAN:
		tb_be32(b, 0x08000000);
		tb_be32(b, 0x00007b00);
		break;
	case TB_GENEVE:
		tb_be32(b, 0x01006558);
		tb_zeros(b, 8);
		break;
	case TB_GTP:
		tb_be32(b, 0x34ff0000);
		tb_be32(b, 99);
		tb_be32(b, 0x85);
		tb_be32(b, 0x01000000);
		break;
	case TB_TEREDO: /* authentication of an odd length, then origin */
		tb_be32(b, 0x00010000);
		tb_zeros(b, 9 + 8);
		break;
	case TB_AYIYA:
		tb_be32(b, 0x41000100u | (version == 4 ? 4 : 41));
		tb_zeros(b, 4 + 16);
		break;
	default: break;
	}
	if (kind == TB_GRE_ETHERNET || kind == TB_ERSPAN_2 || kind == TB_ERSPAN_3 ||
	    kind == TB_VXLAN || kind == TB_GENEVE)
		tb_link_header(b, TB_ETHERNET, version);
}

/* Appends a raw packet whose payload is given, sums right. */
static inline void tb_carry(struct tb_buf *b, struct tb_ip ip, const struct tb_buf *payload)
{
	uint32_t sum_off, l4_hdr = tb_l4_header(ip.proto, &sum_off);
	uint32_t ip_hdr = ip.version == 4 ? 20 : 40;
	uint8_t *h;
	size_t at;

	ip.payload_len = (uint32_t)payload->nr;
	at = tb_packet(b, TB_RAW, &ip);
	h = b->p + at;
	memcpy(h + ip_hdr + l4_hdr, payload->p, payload->nr);
	if (sum_off != 0) {
		tb_put16(h + ip_hdr + sum_off, 0);
		tb_put16(h + ip_hdr + sum_off, ~tb_l4_sum(&ip, h, ip_hdr, l4_hdr + ip.payload_len));
	}
}

/* Puts the raw packet in b into a tunnel; outer's protocol and destination port are the kind's. */
static inline void tb_wrap(struct tb_buf *b, enum tb_tunnel kind, struct tb_ip outer)
{
	int version = b->p[0] >> 4;
	struct tb_buf payload = {0}, out = {0};

	tb_tunnel_ports(&outer, kind, version);
	tb_tunnel_head(&payload, kind, version);
	tb_bytes(&payload, b->p, b->nr);
	if (kind == TB_GRE_SUM)
		tb_put16(payload.p + 4, ~tb_sum(0, payload.p, payload.nr));
	tb_carry(&out, outer, &payload);
	tb_free(&payload);
	tb_free(b);
	*b = out;
}

/* Appends a fragment of the raw IPv4 packet whole: payload from 8 * from8, len bytes. */
static inline void tb_fragment_v4(struct tb_buf *out, const struct tb_buf *whole, uint16_t id,
				  uint32_t from8, uint32_t len)
{
	bool more = 20 + from8 * 8 + len < whole->nr;
	size_t at = out->nr;
	uint8_t *h;

	tb_bytes(out, whole->p, 20);
	tb_bytes(out, whole->p + 20 + from8 * 8, len);
	h = out->p + at;
	tb_put16(h + 2, 20 + len);
	tb_put16(h + 4, id);
	tb_put16(h + 6, (more ? 0x2000u : 0) | from8);
	tb_put16(h + 10, 0);
	tb_put16(h + 10, ~tb_sum(0, h, 20));
}

/* The same for IPv6, whose whole packet has no extension header. */
static inline void tb_fragment_v6(struct tb_buf *out, const struct tb_buf *whole, uint32_t id,
				  uint32_t from8, uint32_t len)
{
	bool more = 40 + from8 * 8 + len < whole->nr;
	size_t at = out->nr;

	tb_bytes(out, whole->p, 40);
	tb_put16(out->p + at + 4, 8 + len);
	out->p[at + 6] = 44;
	tb_be16(out, (uint32_t)whole->p[6] << 8);
	tb_be16(out, from8 << 3 | more);
	tb_be32(out, id);
	tb_bytes(out, whole->p + 40 + from8 * 8, len);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* packet_build.h - builds packets byte by byte, checksums right, for tests */
#ifndef ZB_TESTS_PACKET_BUILD_H
#define ZB_TESTS_PACKET_BUILD_H

#include "trace_build.h"

/* The ones' complement sum of n bytes as 16-bit words, not inverted. */
static inline uint32_t tb_sum(uint32_t sum, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		sum += (uint32_t)p[i] << (i % 2 == 0 ? 8 : 0);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

/* An IP packet to be built; addresses of 4 or 16 bytes by version. */
struct tb_ip {
	int version;
	uint8_t proto;
	uint8_t src[16], dst[16];
	uint16_t sport, dport;
	uint16_t frag; /* IPv4 flags and offset */
	uint32_t payload_len;
};

/* Which link header stands in front. */
enum tb_link { TB_RAW, TB_ETHERNET, TB_VLAN, TB_QINQ, TB_MPLS, TB_PPPOE, TB_SLL, TB_SLL2 };

static inline void tb_link_header(struct tb_buf *b, enum tb_link link, int version)
{
	uint32_t type = version == 4 ? 0x0800 : 0x86dd;

	if (link == TB_RAW)
		return;
	if (link == TB_SLL || link == TB_SLL2) {
		if (link == TB_SLL2)
			tb_be16(b, type);
		tb_zeros(b, link == TB_SLL ? 14 : 18);
		if (link == TB_SLL)
			tb_be16(b, type);
		return;
	}
	tb_bytes(b, "\x02\0\0\0\0\1\x02\0\0\0\0\2", 12);
	if (link == TB_QINQ)
		tb_be32(b, 0x88a80007);
	if (link == TB_QINQ || link == TB_VLAN)
		tb_be32(b, 0x81000064);
	if (link == TB_MPLS) {
		tb_be16(b, 0x8847);
		tb_be32(b, 0x00010040);
		tb_be32(b, 0x00020140);
	} else if (link == TB_PPPOE) {
		tb_be16(b, 0x8864);
		tb_be32(b, 0x11000001);
		tb_be16(b, 0);
		tb_be16(b, version == 4 ? 0x0021 : 0x0057);
	} else {
		tb_be16(b, type);
	}
}

/* Bytes before the payload of a transport, and where its checksum is; 0, 0 for others. */
static inline uint32_t tb_l4_header(uint8_t proto, uint32_t *sum_off)
{
	*sum_off = proto == 6 ? 16 : proto == 17 ? 6 : proto == 1 || proto == 58 ? 2 : 0;
	return proto == 6 ? 20 : proto == 17 || proto == 1 || proto == 58 ? 8 : 0;
}

/* Sum over pseudo header (not for ICMP over IPv4) and transport; 0xffff when its checksum is right.
 */
static inline uint32_t tb_l4_sum(const struct tb_ip *ip, const uint8_t *ip_hdr, uint32_t l4_off,
				 uint32_t len)
{
	uint32_t addr_off = ip->version == 4 ? 12 : 8, addr_len = ip->version == 4 ? 8 : 32;
	uint32_t sum = 0;

	if (ip->proto != 1)
		sum = tb_sum(len + ip->proto, ip_hdr + addr_off, addr_len);
	return tb_sum(sum, ip_hdr + l4_off, len);
}

static inline void tb_put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* Appends the whole packet, checksums right; returns where its IP header is. */
static inline size_t tb_packet(struct tb_buf *b, enum tb_link link, const struct tb_ip *ip)
{
	uint32_t sum_off, l4_hdr = tb_l4_header(ip->proto, &sum_off);
	uint32_t l4_len = l4_hdr + ip->payload_len, ip_hdr = ip->version == 4 ? 20 : 40;
	size_t at;
	uint8_t *h;

	tb_link_header(b, link, ip->version);
	at = b->nr;
	if (ip->version == 4) {
		tb_be32(b, 0x45000000u | (ip_hdr + l4_len));
		tb_be32(b, ip->frag);
		tb_be32(b, 0x40000000u | (uint32_t)ip->proto << 16);
		tb_bytes(b, ip->src, 4);
		tb_bytes(b, ip->dst, 4);
	} else {
		tb_be32(b, 0x60000000);
		tb_be32(b, l4_len << 16 | (uint32_t)ip->proto << 8 | 64);
		tb_bytes(b, ip->src, 16);
		tb_bytes(b, ip->dst, 16);
	}
	tb_zeros(b, l4_len);
	h = b->p + at;
	if (ip->version == 4)
		tb_put16(h + 10, ~tb_sum(0, h, 20));
	for (uint32_t i = 0; i < ip->payload_len; i++)
		h[ip_hdr + l4_hdr + i] = (uint8_t)(i * 7 + ip->sport);
	if (l4_hdr != 0) {
		tb_put16(h + ip_hdr, ip->sport);
		tb_put16(h + ip_hdr + 2, ip->dport);
		if (ip->proto == 6)
			tb_put16(h + ip_hdr + 12, 0x5010);
		if (ip->proto == 17)
			tb_put16(h + ip_hdr + 4, l4_len);
		if (ip->proto == 1 || ip->proto == 58)
			tb_put16(h + ip_hdr + 2, 0);
		tb_put16(h + ip_hdr + sum_off, ~tb_l4_sum(ip, h, ip_hdr, l4_len));
	}
	return at;
}

#endif

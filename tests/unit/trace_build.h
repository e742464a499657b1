/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace_build.h - builds packets and capture files byte by byte, for tests
 *
 * Memory that runs out aborts the test; nothing here is fast.
 */
#ifndef ZB_TESTS_TRACE_BUILD_H
#define ZB_TESTS_TRACE_BUILD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct tb_buf {
	uint8_t *p;
	size_t nr, max;
	bool big; /* tb_file*() write big-endian */
};

static inline uint8_t *tb_room(struct tb_buf *b, size_t n)
{
	if (b->max - b->nr < n) {
		b->max = (b->max + n) * 2;
		b->p = realloc(b->p, b->max);
		if (b->p == NULL)
			abort();
	}
	b->nr += n;
	return b->p + b->nr - n;
}

static inline void tb_bytes(struct tb_buf *b, const void *p, size_t n)
{
	if (n != 0)
		memcpy(tb_room(b, n), p, n);
}

static inline void tb_zeros(struct tb_buf *b, size_t n)
{
	memset(tb_room(b, n), 0, n);
}

/* An integer of n bytes, most significant first when big. */
static inline void tb_int(struct tb_buf *b, uint64_t v, unsigned n, bool big)
{
	uint8_t *p = tb_room(b, n);

	for (unsigned i = 0; i < n; i++)
		p[big ? n - 1 - i : i] = (uint8_t)(v >> 8 * i);
}

/* In the order of the capture file. */
static inline void tb_u16(struct tb_buf *b, uint32_t v)
{
	tb_int(b, v, 2, b->big);
}

static inline void tb_u32(struct tb_buf *b, uint64_t v)
{
	tb_int(b, v, 4, b->big);
}

/* In network order. */
static inline void tb_be16(struct tb_buf *b, uint32_t v)
{
	tb_int(b, v, 2, true);
}

static inline void tb_be32(struct tb_buf *b, uint32_t v)
{
	tb_int(b, v, 4, true);
}

static inline void tb_free(struct tb_buf *b)
{
	free(b->p);
	*b = (struct tb_buf){0};
}

static inline void tb_pcap_header(struct tb_buf *b, uint32_t magic, uint32_t link_type)
{
	tb_u32(b, magic);
	tb_u16(b, 2);
	tb_u16(b, 4);
	tb_u32(b, 0);
	tb_u32(b, 0);
	tb_u32(b, 262144);
	tb_u32(b, link_type);
}

struct tb_rec {
	uint32_t sec, frac, cap_len, wire_len;
};

static inline void tb_pcap_record(struct tb_buf *b, struct tb_rec r, const void *data)
{
	tb_u32(b, r.sec);
	tb_u32(b, r.frac);
	tb_u32(b, r.cap_len);
	tb_u32(b, r.wire_len);
	tb_bytes(b, data, r.cap_len);
}

/* A pcapng block of any type around body. */
static inline void tb_block(struct tb_buf *b, uint32_t type, const struct tb_buf *body)
{
	uint32_t pad = (uint32_t)(-body->nr & 3), len = (uint32_t)body->nr + pad + 12;

	tb_u32(b, type);
	tb_u32(b, len);
	tb_bytes(b, body->p, body->nr);
	tb_zeros(b, pad);
	tb_u32(b, len);
}

static inline void tb_shb(struct tb_buf *b)
{
	struct tb_buf body = {.big = b->big};

	tb_u32(&body, 0x1a2b3c4d);
	tb_u16(&body, 1);
	tb_u16(&body, 0);
	tb_int(&body, UINT64_MAX, 8, true);
	tb_block(b, 0x0a0d0d0a, &body);
	tb_free(&body);
}

/* tsresol and offset_s are left out when -1 and 0. */
static inline void tb_idb(struct tb_buf *b, uint32_t link_type, int tsresol, int64_t offset_s)
{
	struct tb_buf body = {.big = b->big};

	tb_u16(&body, link_type);
	tb_u16(&body, 0);
	tb_u32(&body, 0);
	if (tsresol >= 0) {
		tb_u16(&body, 9);
		tb_u16(&body, 1);
		tb_int(&body, (uint64_t)tsresol, 1, false);
		tb_zeros(&body, 3);
	}
	if (offset_s != 0) {
		tb_u16(&body, 14);
		tb_u16(&body, 8);
		tb_int(&body, (uint64_t)offset_s, 8, b->big);
	}
	tb_zeros(&body, 4);
	tb_block(b, 1, &body);
	tb_free(&body);
}

static inline void tb_epb(struct tb_buf *b, uint32_t iface, uint64_t ticks, const void *data,
			  uint32_t len)
{
	struct tb_buf body = {.big = b->big};

	tb_u32(&body, iface);
	tb_u32(&body, ticks >> 32);
	tb_u32(&body, ticks & 0xffffffff);
	tb_u32(&body, len);
	tb_u32(&body, len);
	tb_bytes(&body, data, len);
	tb_block(b, 6, &body);
	tb_free(&body);
}

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

/* Writes b to a new temporary file whose name goes to path. */
static inline void tb_save(const struct tb_buf *b, char path[64])
{
	FILE *f;
	int fd;

	strcpy(path, "/tmp/zb-test-XXXXXX");
	fd = mkstemp(path);
	f = fd >= 0 ? fdopen(fd, "wb") : NULL;
	if (f == NULL || fwrite(b->p, 1, b->nr, f) != b->nr || fclose(f) != 0)
		abort();
}

#endif

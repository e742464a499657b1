/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame_build.h - builds IP packets field by field in the caller's memory, lengths and checksums
 * right
 *
 * The checksum here is the plain one of RFC 1071, byte by byte, so that it vouches for the
 * engine's. What a test wants wrong it changes afterwards, and seals again if only the change is to
 * be noticed.
 */
#ifndef ZB_TESTS_UNIT_FRAME_BUILD_H
#define ZB_TESTS_UNIT_FRAME_BUILD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define FB_MAX 2048 /* bytes of a frame, at most */

enum { FB_FIN = 0x01, FB_SYN = 0x02, FB_RST = 0x04, FB_PSH = 0x08, FB_ACK = 0x10, FB_URG = 0x20 };

struct fb_spec {
	bool v6;
	uint8_t proto;
	uint32_t src, dst;     /* IPv4 address; in IPv6 the last four bytes of 2001:db8:: */
	uint16_t sport, dport; /* ICMP: type, code */
	uint32_t seq, ack;
	uint8_t flags; /* TCP */
	bool zero_window;
	const uint8_t *opt;  /* TCP options */
	uint32_t opt_len;    /* a multiple of 4 */
	uint32_t ip_opt_len; /* bytes of IPv4 options (no-ops), a multiple of 4 */
	uint8_t ext_first;   /* type of the first IPv6 extension header, when there are any */
	const uint8_t *ext;  /* they, the last one naming proto */
	uint32_t ext_len;
	uint32_t payload_len;
};

static inline void fb_put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void fb_put32(uint8_t *p, uint32_t v)
{
	fb_put16(p, v >> 16);
	fb_put16(p + 2, v);
}

/* Adds n bytes to a ones' complement sum kept below 2^16. */
static inline uint32_t fb_sum(uint32_t sum, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		sum += (uint32_t)p[i] << (i % 2 == 0 ? 8 : 0);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

/* Where the transport checksum is, or -1. */
static inline int fb_sum_off(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_TCP: return 16;
	case IPPROTO_UDP: return 6;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6: return 2;
	default: return -1;
	}
}

static inline void fb_seal_ip4(uint8_t *ip)
{
	fb_put16(ip + 10, 0);
	fb_put16(ip + 10, ~fb_sum(0, ip, (ip[0] & 15u) * 4));
}

/* Sets the checksum of a transport of len bytes at l4. */
static inline void fb_seal_l4(const uint8_t *ip, uint8_t *l4, uint32_t len, uint8_t proto)
{
	int at = fb_sum_off(proto);
	uint32_t sum = 0;

	if (at < 0)
		return;
	fb_put16(l4 + at, 0);
	if (proto != IPPROTO_ICMP) {
		bool v6 = ip[0] >> 4 == 6;

		sum = fb_sum(0, ip + (v6 ? 8 : 12), v6 ? 32 : 8) + proto + len;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	sum = ~fb_sum(sum, l4, len) & 0xffff;
	fb_put16(l4 + at, sum == 0 && proto == IPPROTO_UDP ? 0xffff : sum);
}

static inline uint32_t fb_l4_len(const struct fb_spec *s)
{
	switch (s->proto) {
	case IPPROTO_TCP: return 20 + s->opt_len + s->payload_len;
	case IPPROTO_UDP:
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6: return 8 + s->payload_len;
	default: return s->payload_len;
	}
}

static inline void fb_l4(uint8_t *h, const struct fb_spec *s, uint32_t len)
{
	for (uint32_t i = len - s->payload_len; i < len; i++)
		h[i] = (uint8_t)(i * 7 + s->seq);
	if (s->proto == IPPROTO_TCP || s->proto == IPPROTO_UDP) {
		fb_put16(h, s->sport);
		fb_put16(h + 2, s->dport);
	}
	if (s->proto == IPPROTO_TCP) {
		fb_put32(h + 4, s->seq);
		fb_put32(h + 8, s->ack);
		h[12] = (uint8_t)((20 + s->opt_len) / 4 << 4);
		h[13] = s->flags;
		fb_put16(h + 14, s->zero_window ? 0 : 8192);
		if (s->opt_len != 0)
			memcpy(h + 20, s->opt, s->opt_len);
	} else if (s->proto == IPPROTO_UDP) {
		fb_put16(h + 4, len);
	} else if (s->proto == IPPROTO_ICMP || s->proto == IPPROTO_ICMPV6) {
		h[0] = (uint8_t)s->sport;
		h[1] = (uint8_t)s->dport;
	}
}

static inline void fb_ip6_addr(uint8_t *a, uint32_t host)
{
	fb_put32(a, 0x20010db8);
	fb_put32(a + 12, host);
}

/* Writes the IP packet at p (FB_MAX bytes of room) and returns its length. */
static inline uint32_t fb_ip(uint8_t *p, const struct fb_spec *s)
{
	uint32_t l4_len = fb_l4_len(s), hdr = s->v6 ? 40 + s->ext_len : 20 + s->ip_opt_len;

	memset(p, 0, hdr + l4_len);
	if (s->v6) {
		p[0] = 0x60;
		fb_put16(p + 4, s->ext_len + l4_len);
		p[6] = s->ext_len != 0 ? s->ext_first : s->proto;
		p[7] = 64;
		fb_ip6_addr(p + 8, s->src);
		fb_ip6_addr(p + 24, s->dst);
		if (s->ext_len != 0)
			memcpy(p + 40, s->ext, s->ext_len);
	} else {
		p[0] = (uint8_t)(0x40 | hdr / 4);
		fb_put16(p + 2, hdr + l4_len);
		p[8] = 64;
		p[9] = s->proto;
		fb_put32(p + 12, s->src);
		fb_put32(p + 16, s->dst);
		memset(p + 20, 1, s->ip_opt_len);
		fb_seal_ip4(p);
	}
	fb_l4(p + hdr, s, l4_len);
	fb_seal_l4(p, p + hdr, l4_len, s->proto);
	return hdr + l4_len;
}

/* The same behind an Ethernet header, not padded. */
static inline uint32_t fb_ether(uint8_t *p, const struct fb_spec *s)
{
	memcpy(p, "\x02\0\0\0\0\1\x02\0\0\0\0\2", 12);
	fb_put16(p + 12, s->v6 ? 0x86dd : 0x0800);
	return 14 + fb_ip(p + 14, s);
}

#endif

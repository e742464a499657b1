/* SPDX-License-Identifier: Apache-2.0 */
/* attack_packet.c - frames of attacks, layer by layer */
#include <assert.h>
#include <string.h>

#include "bench/attack_priv.h"
#include "pipeline/checksum.h"

#define PROTO_ICMP 1u
#define PROTO_TCP  6u
#define PROTO_UDP  17u

static void set16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* What makes a sum of data right in which the checksum's place is 0. */
static void put_sum(uint8_t *at, uint64_t sum)
{
	uint16_t v = (uint16_t)~zb_checksum_fold(sum);

	memcpy(at, &v, sizeof(v));
}

struct zb_at_flow zb_at_spoofed(const struct zb_attack_gen *g, uint64_t n, uint16_t dport)
{
	uint32_t x = zb_gen_permute((uint32_t)n ^ (uint32_t)zb_gen_mix(g->seed));

	return (struct zb_at_flow){
		.src = ZB_AT_SOURCES | (x & 0x7fffff),
		.dst = ZB_AT_VICTIM,
		.sport = (uint16_t)(32768 + (x >> 23)),
		.dport = dport,
	};
}

void zb_at_put(struct zb_attack_gen *g, const void *data, size_t len)
{
	assert(g->len + len <= ZB_AT_FRAME_BYTES);
	if (len == 0) /* data may be NULL then, which memcpy() does not take */
		return;
	memcpy(g->data + g->len, data, len);
	g->len += (uint32_t)len;
}

void zb_at_fill(struct zb_attack_gen *g, int byte, size_t len)
{
	assert(g->len + len <= ZB_AT_FRAME_BYTES);
	memset(g->data + g->len, byte, len);
	g->len += (uint32_t)len;
}

void zb_at_put16(struct zb_attack_gen *g, unsigned v)
{
	const uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};

	zb_at_put(g, b, 2);
}

void zb_at_put32(struct zb_attack_gen *g, uint32_t v)
{
	zb_at_put16(g, v >> 16);
	zb_at_put16(g, v & 0xffff);
}

void zb_at_eth(struct zb_attack_gen *g, unsigned ether_type)
{
	static const uint8_t macs[12] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};

	g->len = 0;
	zb_at_put(g, macs, 12);
	zb_at_put16(g, ether_type);
}

size_t zb_at_ip4(struct zb_attack_gen *g, uint32_t src, uint32_t dst, unsigned proto, unsigned id,
		 unsigned frag)
{
	size_t at = g->len;

	zb_at_put16(g, 0x4500);
	zb_at_put16(g, 0);
	zb_at_put16(g, id & 0xffff);
	zb_at_put16(g, frag);
	zb_at_put16(g, 64 << 8 | proto);
	zb_at_put16(g, 0);
	zb_at_put32(g, src);
	zb_at_put32(g, dst);
	return at;
}

void zb_at_ip4_end(struct zb_attack_gen *g, size_t at)
{
	uint8_t *h = g->data + at;

	set16(h + 2, (unsigned)(g->len - at));
	set16(h + 10, 0);
	put_sum(h + 10, zb_checksum_add(0, h, (h[0] & 15u) * 4));
}

/* 2001:db8:f00d::/96 with the IPv4 address at its end. */
static void put_ip6(struct zb_attack_gen *g, uint32_t ip)
{
	zb_at_put(g, "\x20\x01\x0d\xb8\xf0\x0d\0\0\0\0\0\0", 12);
	zb_at_put32(g, ip);
}

size_t zb_at_ip6(struct zb_attack_gen *g, uint32_t src, uint32_t dst, unsigned next)
{
	size_t at = g->len;

	zb_at_put32(g, 0x60000000);
	zb_at_put16(g, 0);
	zb_at_put16(g, next << 8 | 64);
	put_ip6(g, src);
	put_ip6(g, dst);
	return at;
}

void zb_at_ip6_end(struct zb_attack_gen *g, size_t at)
{
	set16(g->data + at + 4, (unsigned)(g->len - at - 40));
}

size_t zb_at_udp_head(struct zb_attack_gen *g, unsigned sport, unsigned dport)
{
	size_t at = g->len;

	zb_at_put16(g, sport);
	zb_at_put16(g, dport);
	zb_at_put32(g, 0);
	return at;
}

void zb_at_l4_end(struct zb_attack_gen *g, size_t ip, size_t l4, unsigned proto)
{
	uint8_t *h = g->data + l4;
	size_t len = g->len - l4, off = proto == PROTO_TCP ? 16 : proto == PROTO_UDP ? 6 : 2;
	bool v6 = g->data[ip] >> 4 == 6;
	uint64_t sum = 0;

	if (proto == PROTO_UDP)
		set16(h + 4, (unsigned)len);
	set16(h + off, 0);
	if (proto != PROTO_ICMP)
		sum = zb_checksum_add(0, g->data + ip + (v6 ? 8 : 12), v6 ? 32 : 8) +
		      zb_checksum_host16((uint16_t)proto) + zb_checksum_host16((uint16_t)len);
	put_sum(h + off, zb_checksum_add(sum, h, (uint32_t)len));
	/* 0 would say that there is no checksum. */
	if (proto == PROTO_UDP && h[off] == 0 && h[off + 1] == 0)
		set16(h + off, 0xffff);
}

void zb_at_tcp(struct zb_attack_gen *g, const struct zb_at_seg *s, const void *data, size_t len)
{
	size_t ip, tcp;

	zb_at_eth(g, 0x0800);
	ip = zb_at_ip4(g, s->flow.src, s->flow.dst, PROTO_TCP, (unsigned)g->frames, 0);
	tcp = g->len;
	zb_at_put16(g, s->flow.sport);
	zb_at_put16(g, s->flow.dport);
	zb_at_put32(g, s->seq);
	zb_at_put32(g, s->ack);
	zb_at_put16(g, 5 << 12 | s->flags);
	zb_at_put16(g, s->window);
	zb_at_put16(g, 0);
	zb_at_put16(g, s->urgent);
	zb_at_put(g, data, len);
	zb_at_l4_end(g, ip, tcp, PROTO_TCP);
	if (s->bad_sum)
		g->data[tcp + 16] ^= 0x55;
	zb_at_ip4_end(g, ip);
}

void zb_at_udp(struct zb_attack_gen *g, const struct zb_at_flow *f, const void *data, size_t len)
{
	size_t ip, udp;

	zb_at_eth(g, 0x0800);
	ip = zb_at_ip4(g, f->src, f->dst, PROTO_UDP, (unsigned)g->frames, 0);
	udp = zb_at_udp_head(g, f->sport, f->dport);
	zb_at_put(g, data, len);
	zb_at_l4_end(g, ip, udp, PROTO_UDP);
	zb_at_ip4_end(g, ip);
}

void zb_at_echo(struct zb_attack_gen *g, const struct zb_at_flow *f, unsigned seq)
{
	size_t ip, icmp;

	zb_at_eth(g, 0x0800);
	ip = zb_at_ip4(g, f->src, f->dst, PROTO_ICMP, (unsigned)g->frames, 0);
	icmp = g->len;
	zb_at_put16(g, 8 << 8);
	zb_at_put16(g, 0);
	zb_at_put16(g, f->sport);
	zb_at_put16(g, seq & 0xffff);
	zb_at_fill(g, 'e', 32);
	zb_at_l4_end(g, ip, icmp, PROTO_ICMP);
	zb_at_ip4_end(g, ip);
}

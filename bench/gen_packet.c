/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_packet.c - frames from the payload outwards
 *
 *   Ethernet 14 | VLAN tag 4? | IPv4 20 or IPv6 40 | TCP 20 (SYN: 32), UDP 8, ICMP 8 | payload |
 * padding
 */
#include <assert.h>
#include <string.h>

#include "bench/gen_packet.h"
#include "pipeline/checksum.h"

#define ETH_MIN_BYTES 60u /* without the frame check sequence */
#define TCP_BYTES     20u
#define UDP_BYTES     8u
#define ICMP_BYTES    8u
#define ARP_BYTES     28u

#define ETHER_IPV4 0x0800
#define ETHER_ARP  0x0806
#define ETHER_VLAN 0x8100
#define ETHER_IPV6 0x86dd

#define PROTO_ICMPV6 58

/* MSS 1460 (patched for IPv6), no-op, window scale 7, no-op, no-op, SACK permitted */
static const uint8_t syn_options[12] = {2, 4, 0x05, 0xb4, 1, 3, 3, 7, 1, 1, 4, 2};

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* Of data in which the checksum's place is 0: what goes there, as it is in memory. */
static uint16_t checksum(uint64_t sum, const uint8_t *p, size_t len)
{
	return (uint16_t)~zb_checksum_fold(zb_checksum_add(sum, p, (uint32_t)len));
}

static void put_checksum(uint8_t *at, uint16_t sum)
{
	memcpy(at, &sum, sizeof(sum));
}

struct zb_gen_payload zb_gen_payload_of(const uint8_t *p, size_t len)
{
	return (struct zb_gen_payload){(uint32_t)len, zb_checksum_add(0, p, (uint32_t)len)};
}

static uint64_t sum_words(const uint8_t *p, unsigned words)
{
	uint64_t sum = 0;
	uint32_t w;

	for (unsigned i = 0; i < words; i++) {
		memcpy(&w, p + 4 * i, 4);
		sum += w;
	}
	return sum;
}

static uint8_t *put_ethernet(uint8_t *d, const struct zb_gen_path *p, unsigned from)
{
	memcpy(d, p->end[!from].mac, 6);
	memcpy(d + 6, p->end[from].mac, 6);
	d += 12;
	if (p->vlan != 0) {
		put16(d, ETHER_VLAN);
		put16(d + 2, p->vlan);
		d += 4;
	}
	put16(d, p->v6 ? ETHER_IPV6 : ETHER_IPV4);
	return d + 2;
}

static uint8_t *put_ip(uint8_t *h, const struct zb_gen_path *p, unsigned from, unsigned proto)
{
	const struct zb_gen_host *src = &p->end[from], *dst = &p->end[!from];

	if (p->v6) {
		h[0] = 0x60;
		h[6] = (uint8_t)(proto == ZB_GEN_ICMP ? PROTO_ICMPV6 : proto);
		h[7] = src->ttl;
		memcpy(h + 8, src->ip, 16);
		memcpy(h + 24, dst->ip, 16);
		return h + 40;
	}
	h[0] = 0x45;
	h[6] = 0x40; /* do not fragment */
	h[8] = src->ttl;
	h[9] = (uint8_t)proto;
	memcpy(h + 12, src->ip, 4);
	memcpy(h + 16, dst->ip, 4);
	return h + 20;
}

static uint64_t sum_l4(const uint8_t *l4, bool v6, unsigned proto)
{
	uint64_t addresses = v6 ? sum_words(l4 - 32, 8) : sum_words(l4 - 8, 2);

	if (proto == ZB_GEN_ICMP) /* without ports, and of IPv4 without a pseudo header */
		return v6 ? addresses + zb_checksum_host16(PROTO_ICMPV6) : 0;
	return addresses + zb_checksum_host16((uint16_t)proto) + sum_words(l4, 1);
}

void zb_gen_wire_init(struct zb_gen_wire *w, const struct zb_gen_path *p, unsigned proto)
{
	memset(w, 0, sizeof(*w));
	w->v6 = p->v6;
	for (unsigned from = 0; from < 2; from++) {
		uint8_t *ip = put_ethernet(w->head[from], p, from);
		uint8_t *l4 = put_ip(ip, p, from, proto);

		put16(l4, p->end[from].port);
		put16(l4 + 2, p->end[!from].port);
		w->ip_sum[from] = zb_checksum_fold(sum_words(ip, 5));
		w->l4_sum = zb_checksum_fold(sum_l4(l4, p->v6, proto));
		w->l4 = (uint8_t)(l4 - w->head[from]);
	}
}

/* A frame has room: a few bytes more do no harm. */
static void pad(struct zb_gen_frame *f)
{
	if (f->len >= ETH_MIN_BYTES)
		return;
	for (uint32_t i = f->len; i < ETH_MIN_BYTES; i += 8)
		memset(f->data + i, 0, 8);
	f->len = ETH_MIN_BYTES;
}

/* Everything up to the ports. What follows them may be there already. */
static void put_wire(struct zb_gen_frame *f, const struct zb_gen_ip *ip, uint32_t l4_len)
{
	const struct zb_gen_wire *w = ip->wire;
	const uint8_t *head = w->head[ip->from];
	uint32_t end = w->l4 + 4u, len = __builtin_bswap32((20 + l4_len) << 16 | ip->ip_id);
	uint8_t *l4 = f->data + w->l4;

	assert(l4_len <= ZB_GEN_MTU - 20);
	/* 38 to 62 bytes, in two pieces that overlap. */
	memcpy(f->data, head, 32);
	memcpy(f->data + end - 32, head + end - 32, 32);
	if (w->v6) {
		put16(l4 - 36, l4_len);
	} else {
		memcpy(l4 - 18, &len, 4);
		put_checksum(l4 - 10, (uint16_t)~zb_checksum_fold((uint64_t)w->ip_sum[ip->from] +
								  (len & 0xffff) + (len >> 16)));
	}
	f->len = w->l4 + l4_len;
	pad(f);
}

static uint64_t put_syn_options(uint8_t *h, const struct zb_gen_wire *w)
{
	memcpy(h, syn_options, sizeof(syn_options));
	put16(h + 2, zb_gen_mss(w));
	return sum_words(h, sizeof(syn_options) / 4);
}

void zb_gen_seal_tcp(struct zb_gen_frame *f, const struct zb_gen_ip *ip,
		     const struct zb_gen_tcp *tcp, struct zb_gen_payload payload)
{
	const struct zb_gen_wire *w = ip->wire;
	uint64_t sum = payload.sum + w->l4_sum;
	uint32_t header = TCP_BYTES, v[4];
	uint8_t *h;

	if (f == NULL)
		return;
	h = f->data + w->l4;
	if (tcp->flags & ZB_GEN_SYN) {
		assert(payload.len == 0);
		sum += put_syn_options(h + TCP_BYTES, w);
		header += sizeof(syn_options);
	}
	v[0] = __builtin_bswap32(tcp->seq);
	v[1] = __builtin_bswap32(tcp->ack);
	v[2] = __builtin_bswap32(header / 4 << 28 | (uint32_t)tcp->flags << 16 | tcp->window);
	sum += (uint64_t)v[0] + v[1] + v[2];
	sum += zb_checksum_host16((uint16_t)(header + payload.len));
	v[3] = (uint16_t)~zb_checksum_fold(sum);
	memcpy(h + 4, v, sizeof(v));
	put_wire(f, ip, header + payload.len);
}

void zb_gen_seal_udp(struct zb_gen_frame *f, const struct zb_gen_ip *ip,
		     struct zb_gen_payload payload)
{
	uint32_t len = UDP_BYTES + payload.len;
	uint16_t be_len = __builtin_bswap16((uint16_t)len), sum;
	uint8_t *h;

	if (f == NULL)
		return;
	h = f->data + ip->wire->l4;
	sum = (uint16_t)~zb_checksum_fold(payload.sum + ip->wire->l4_sum + 2ull * be_len);
	put16(h + 4, len);
	put_checksum(h + 6, sum != 0 ? sum : 0xffff); /* 0 would say that there is no checksum */
	put_wire(f, ip, len);
}

void zb_gen_seal_echo(struct zb_gen_frame *f, const struct zb_gen_ip *ip,
		      const struct zb_gen_echo *echo, size_t payload_len)
{
	uint32_t len = ICMP_BYTES + (uint32_t)payload_len;
	uint64_t sum = ip->wire->l4_sum;
	uint8_t *h;

	if (f == NULL)
		return;
	put_wire(f, ip, len);
	h = f->data + ip->wire->l4;
	memset(h, 0, 4);
	if (ip->wire->v6)
		h[0] = ip->from == 0 ? 128 : 129;
	else
		h[0] = ip->from == 0 ? 8 : 0;
	put16(h + 4, echo->id);
	put16(h + 6, echo->seq);
	if (ip->wire->v6)
		sum += zb_checksum_host16((uint16_t)len);
	put_checksum(h + 2, checksum(sum, h, len));
}

void zb_gen_arp(struct zb_gen_frame *f, const struct zb_gen_wire *w, unsigned from)
{
	const uint8_t *head = w->head[from];
	uint32_t l3 = w->l4 - 20u;
	uint8_t *h;

	if (f == NULL)
		return;
	memcpy(f->data, head, l3);
	put16(f->data + l3 - 2, ETHER_ARP);
	if (from == 0)
		memset(f->data, 0xff, 6);
	h = f->data + l3;
	memset(h, 0, ARP_BYTES);
	put16(h, 1); /* Ethernet */
	put16(h + 2, ETHER_IPV4);
	h[4] = 6;
	h[5] = 4;
	put16(h + 6, from == 0 ? 1 : 2);
	memcpy(h + 8, head + 6, 6);
	memcpy(h + 14, head + l3 + 12, 4);
	if (from != 0)
		memcpy(h + 18, head, 6);
	memcpy(h + 24, head + l3 + 16, 4);
	f->len = l3 + ARP_BYTES;
	pad(f);
}

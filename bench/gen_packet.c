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

#define ETH_BYTES     14u
#define ETH_MIN_BYTES 60u /* without the frame check sequence */
#define VLAN_BYTES    4u
#define TCP_BYTES     20u
#define UDP_BYTES     8u
#define ICMP_BYTES    8u
#define ARP_BYTES     28u

#define ETHER_IPV4 0x0800
#define ETHER_ARP  0x0806
#define ETHER_VLAN 0x8100
#define ETHER_IPV6 0x86dd

#define PROTO_ICMP   1
#define PROTO_TCP    6
#define PROTO_UDP    17
#define PROTO_ICMPV6 58

/* MSS 1460 (patched for IPv6), no-op, window scale 7, no-op, no-op, SACK permitted */
static const uint8_t syn_options[12] = {2, 4, 0x05, 0xb4, 1, 3, 3, 7, 1, 1, 4, 2};

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static size_t l3_offset(const struct zb_gen_path *p)
{
	return ETH_BYTES + (p->vlan != 0 ? VLAN_BYTES : 0);
}

static size_t l4_offset(const struct zb_gen_path *p)
{
	return l3_offset(p) + (p->v6 ? 40 : 20);
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

static uint64_t sum_pseudo(const struct zb_gen_path *p, unsigned proto, size_t l4_len)
{
	uint32_t n = p->v6 ? 16 : 4;
	uint64_t sum = zb_checksum_add(0, p->end[0].ip, n);

	return zb_checksum_add(sum, p->end[1].ip, n) + zb_checksum_host16((uint16_t)proto) +
	       zb_checksum_host16((uint16_t)l4_len);
}

static void put_ethernet(struct zb_gen_frame *f, const struct zb_gen_ip *ip, unsigned ether_type)
{
	const struct zb_gen_path *p = ip->path;
	uint8_t *d = f->data;

	memcpy(d, p->end[!ip->from].mac, 6);
	memcpy(d + 6, p->end[ip->from].mac, 6);
	d += 12;
	if (p->vlan != 0) {
		put16(d, ETHER_VLAN);
		put16(d + 2, p->vlan);
		d += 4;
	}
	put16(d, ether_type);
}

static void put_ipv4(uint8_t *h, const struct zb_gen_ip *ip, unsigned proto, size_t l4_len)
{
	const struct zb_gen_host *from = &ip->path->end[ip->from];

	memset(h, 0, 20);
	h[0] = 0x45;
	put16(h + 2, (unsigned)(20 + l4_len));
	put16(h + 4, ip->ip_id);
	h[6] = 0x40; /* do not fragment */
	h[8] = from->ttl;
	h[9] = (uint8_t)proto;
	memcpy(h + 12, from->ip, 4);
	memcpy(h + 16, ip->path->end[!ip->from].ip, 4);
	put_checksum(h + 10, checksum(0, h, 20));
}

static void put_ipv6(uint8_t *h, const struct zb_gen_ip *ip, unsigned proto, size_t l4_len)
{
	const struct zb_gen_host *from = &ip->path->end[ip->from];

	memset(h, 0, 8);
	h[0] = 0x60;
	put16(h + 4, (unsigned)l4_len);
	h[6] = (uint8_t)proto;
	h[7] = from->ttl;
	memcpy(h + 8, from->ip, 16);
	memcpy(h + 24, ip->path->end[!ip->from].ip, 16);
}

static void pad(struct zb_gen_frame *f)
{
	if (f->len < ETH_MIN_BYTES) {
		memset(f->data + f->len, 0, ETH_MIN_BYTES - f->len);
		f->len = ETH_MIN_BYTES;
	}
}

static void seal_ip(struct zb_gen_frame *f, const struct zb_gen_ip *ip, unsigned proto,
		    size_t l4_len)
{
	const struct zb_gen_path *p = ip->path;
	size_t off = l3_offset(p);

	assert(l4_len <= ZB_GEN_MTU - 20);
	put_ethernet(f, ip, p->v6 ? ETHER_IPV6 : ETHER_IPV4);
	if (p->v6)
		put_ipv6(f->data + off, ip, proto, l4_len);
	else
		put_ipv4(f->data + off, ip, proto, l4_len);
	f->len = (uint32_t)(l4_offset(p) + l4_len);
	pad(f);
}

static uint8_t *payload_at(struct zb_gen_frame *f, const struct zb_gen_path *p, size_t l4_header)
{
	return f == NULL ? NULL : f->data + l4_offset(p) + l4_header;
}

uint8_t *zb_gen_tcp_payload(struct zb_gen_frame *f, const struct zb_gen_path *p)
{
	return payload_at(f, p, TCP_BYTES);
}

uint8_t *zb_gen_udp_payload(struct zb_gen_frame *f, const struct zb_gen_path *p)
{
	return payload_at(f, p, UDP_BYTES);
}

uint8_t *zb_gen_echo_payload(struct zb_gen_frame *f, const struct zb_gen_path *p)
{
	return payload_at(f, p, ICMP_BYTES);
}

void zb_gen_seal_tcp(struct zb_gen_frame *f, const struct zb_gen_ip *ip,
		     const struct zb_gen_tcp *tcp, size_t payload_len)
{
	size_t header = TCP_BYTES;
	uint8_t *h;

	if (f == NULL)
		return;
	h = f->data + l4_offset(ip->path);
	memset(h, 0, TCP_BYTES);
	if (tcp->flags & ZB_GEN_SYN) {
		assert(payload_len == 0);
		memcpy(h + TCP_BYTES, syn_options, sizeof(syn_options));
		put16(h + TCP_BYTES + 2, zb_gen_mss(ip->path));
		header += sizeof(syn_options);
	}
	put16(h, ip->path->end[ip->from].port);
	put16(h + 2, ip->path->end[!ip->from].port);
	put32(h + 4, tcp->seq);
	put32(h + 8, tcp->ack);
	h[12] = (uint8_t)(header / 4 << 4);
	h[13] = tcp->flags;
	put16(h + 14, tcp->window);
	put_checksum(h + 16, checksum(sum_pseudo(ip->path, PROTO_TCP, header + payload_len), h,
				      header + payload_len));
	seal_ip(f, ip, PROTO_TCP, header + payload_len);
}

void zb_gen_seal_udp(struct zb_gen_frame *f, const struct zb_gen_ip *ip, size_t payload_len)
{
	size_t len = UDP_BYTES + payload_len;
	uint16_t sum;
	uint8_t *h;

	if (f == NULL)
		return;
	h = f->data + l4_offset(ip->path);
	put16(h, ip->path->end[ip->from].port);
	put16(h + 2, ip->path->end[!ip->from].port);
	put16(h + 4, (unsigned)len);
	put16(h + 6, 0);
	sum = checksum(sum_pseudo(ip->path, PROTO_UDP, len), h, len);
	put_checksum(h + 6, sum != 0 ? sum : 0xffff); /* 0 would say that there is no checksum */
	seal_ip(f, ip, PROTO_UDP, len);
}

void zb_gen_seal_echo(struct zb_gen_frame *f, const struct zb_gen_ip *ip,
		      const struct zb_gen_echo *echo, size_t payload_len)
{
	size_t len = ICMP_BYTES + payload_len;
	bool v6 = ip->path->v6;
	uint8_t *h;

	if (f == NULL)
		return;
	h = f->data + l4_offset(ip->path);
	memset(h, 0, ICMP_BYTES);
	if (v6)
		h[0] = ip->from == 0 ? 128 : 129;
	else
		h[0] = ip->from == 0 ? 8 : 0;
	put16(h + 4, echo->id);
	put16(h + 6, echo->seq);
	put_checksum(h + 2, checksum(v6 ? sum_pseudo(ip->path, PROTO_ICMPV6, len) : 0, h, len));
	seal_ip(f, ip, v6 ? PROTO_ICMPV6 : PROTO_ICMP, len);
}

void zb_gen_arp(struct zb_gen_frame *f, const struct zb_gen_ip *ip)
{
	const struct zb_gen_path *p = ip->path;
	const struct zb_gen_host *from = &p->end[ip->from], *to = &p->end[!ip->from];
	uint8_t *h;

	if (f == NULL)
		return;
	put_ethernet(f, ip, ETHER_ARP);
	if (ip->from == 0)
		memset(f->data, 0xff, 6);
	h = f->data + l3_offset(p);
	memset(h, 0, ARP_BYTES);
	put16(h, 1); /* Ethernet */
	put16(h + 2, ETHER_IPV4);
	h[4] = 6;
	h[5] = 4;
	put16(h + 6, ip->from == 0 ? 1 : 2);
	memcpy(h + 8, from->mac, 6);
	memcpy(h + 14, from->ip, 4);
	if (ip->from != 0)
		memcpy(h + 18, to->mac, 6);
	memcpy(h + 24, to->ip, 4);
	f->len = (uint32_t)(l3_offset(p) + ARP_BYTES);
	pad(f);
}

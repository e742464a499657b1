/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rewrite.c - addresses of one replay pass, checksums kept as right or wrong as they were
 *
 * Which bits of an IPv4 address may change is told by its first byte, which never changes itself,
 * so an address keeps its class in all passes and both directions of a flow agree.
 *
 * A checksum field holds a number modulo 65535, and 0x0000 and 0xffff are the same one. RFC 1624
 * arithmetic gets the number right, but which of the two it was before cannot be read off it
 * afterwards; the index entry remembers, for the way back to pass 0.
 */
#include <netinet/in.h>
#include <string.h>
#include "capture/ip_walk_priv.h"
#include "capture/rewrite_priv.h"

/* In zb_trace_pkt.sum_was_ones: the original field was 0xffff. */
enum { IP_SUM_ONES = 1, L4_SUM_ONES = 2 };

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint32_t fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* Bits of an IPv4 address that may change, from its first byte. */
static uint32_t host_bits_v4(uint8_t first)
{
	switch (first) {
	case 0: return 0;			     /* this network; 0.0.0.0 asks for an address */
	case 100: return 0x3fffff;		     /* has 100.64/10, shared */
	case 169:				     /* has 169.254/16, link-local */
	case 192: return 0xffff;		     /* has 192.168/16, private */
	case 172: return 0xfffff;		     /* has 172.16/12, private */
	case 198: return 0x1ffff;		     /* has 198.18/15, benchmarks */
	default: return first >= 224 ? 0 : 0xffffff; /* multicast, reserved, broadcast stay */
	}
}

/* Of an IPv6 address, in its last 32 bits. */
static uint32_t host_bits_v6(const uint8_t *a)
{
	static const uint8_t zeros[12];

	/*
	 * Multicast; unspecified, loopback and IPv4-compatible. Link-local keeps its prefix anyway.
	 */
	if (a[0] == 0xff || memcmp(a, zeros, sizeof(zeros)) == 0)
		return 0;
	return 0xffffff;
}

/*
 * XORs the last 32 bits of an address; returns what that adds to a ones' complement sum, new - old.
 */
static uint32_t flip(uint8_t *a, uint32_t mask)
{
	uint16_t high = get16(a), low = get16(a + 2);
	uint16_t new_high = (uint16_t)(high ^ mask >> 16), new_low = (uint16_t)(low ^ mask);

	put16(a, new_high);
	put16(a + 2, new_low);
	return (uint32_t)(uint16_t)~high + new_high + (uint16_t)~low + new_low;
}

/* sum = ~(~sum + delta), RFC 1624 equation 3, in the representation with 0x0000. */
static uint16_t adjust(uint16_t sum, uint32_t delta)
{
	uint32_t v = fold((uint32_t)(uint16_t)~sum + delta);

	return v == 0 ? 0 : (uint16_t)~v; /* ~0 and ~0xffff are both zero */
}

/* Adjusts a field where 0xffff is as good as 0x0000; was: this field's bit in sum_was_ones. */
static void adjust_field(struct zb_trace_pkt *p, uint8_t *field, uint32_t delta, uint8_t was,
			 bool to_first)
{
	uint16_t sum = get16(field);

	if (sum == 0xffff)
		p->sum_was_ones |= was;
	sum = adjust(sum, delta);
	if (to_first && (p->sum_was_ones & was)) {
		p->sum_was_ones &= (uint8_t)~was;
		if (sum == 0)
			sum = 0xffff;
	}
	put16(field, sum);
}

/*
 * UDP: 0 means no checksum and stays; a computed 0 is sent as 0xffff, so it never comes out as 0.
 */
static void adjust_udp(uint8_t *field, uint32_t delta)
{
	uint16_t sum = get16(field);

	if (sum == 0)
		return;
	sum = adjust(sum, delta);
	put16(field, sum != 0 ? sum : 0xffff);
}

static void adjust_l4(struct zb_trace_pkt *p, const struct zb_ip_walk *w, uint32_t delta,
		      bool to_first)
{
	uint32_t sum_off;

	if (w->l4_off == 0)
		return;
	if (w->proto == IPPROTO_TCP)
		sum_off = 16;
	else if (w->proto == IPPROTO_UDP)
		sum_off = 6;
	else if (w->proto == IPPROTO_ICMPV6 && w->version == 6)
		sum_off = 2;
	else
		return;
	if (p->cap_len - w->l4_off < sum_off + 2)
		return;
	if (w->proto == IPPROTO_UDP)
		adjust_udp(p->data + w->l4_off + sum_off, delta);
	else
		adjust_field(p, p->data + w->l4_off + sum_off, delta, L4_SUM_ONES, to_first);
}

void zb_rewrite(struct zb_trace_pkt *p, uint64_t from, uint64_t to)
{
	uint32_t mask = zb_rewrite_mask(from) ^ zb_rewrite_mask(to), delta;
	bool to_first = to == 0;
	struct zb_ip_walk w;
	uint8_t *h;

	if (!zb_ip_walk((enum zb_link)p->link, p->data, p->cap_len, &w))
		return;
	h = p->data + w.ip_off;
	if (w.version == 4) {
		delta = fold(flip(h + 12, mask & host_bits_v4(h[12])) +
			     flip(h + 16, mask & host_bits_v4(h[16])));
		adjust_field(p, h + 10, delta, IP_SUM_ONES, to_first);
	} else {
		uint32_t dst;

		delta = flip(h + 8 + 12, mask & host_bits_v6(h + 8));
		dst = flip(h + 24 + 12, mask & host_bits_v6(h + 24));
		/* The pseudo header has the last hop of a routing header, which stays. */
		if (!w.routed)
			delta += dst;
		delta = fold(delta);
	}
	adjust_l4(p, &w, delta, to_first);
}

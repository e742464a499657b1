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
 *
 * Packets in tunnels are rewritten from the inside out, since the checksum of UDP or GRE covers
 * what is inside: each level tells the one around it by how much its bytes' sum has changed. What
 * finds the levels is never changed itself, so every pass finds the same ones. Every fragment of a
 * datagram has its own IP header rewritten; what is inside is rewritten in the first fragment, and
 * only if that holds all fields that have to change together.
 */
#include <netinet/in.h>
#include <string.h>
#include "capture/ip_walk_priv.h"
#include "capture/rewrite_priv.h"

/* In zb_trace_pkt.sum_was_ones: the original field was 0xffff. */
enum {
	IP_SUM_ONES = 1, /* shifted by the level, 0 to 4 */
	L4_SUM_ONES = 1 << 5,
	GRE_SUM_ONES = 1 << 6, /* shifted by the number of GRE headers with a sum around it */
};
#define GRE_SUMS_MAX 2 /* as many bits are left; what is in a third one stays as it is */
static_assert(ZB_IP_LEVELS_MAX == 5, "a bit of sum_was_ones each");

struct levels {
	struct zb_ip_walk w[ZB_IP_LEVELS_MAX];
	uint8_t gre_ones[ZB_IP_LEVELS_MAX]; /* its GRE header has a sum: that bit; else 0 */
	uint32_t nr;
};

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

/* By how much a field's change changes the sum of the bytes that it is one of. */
static uint32_t change(uint16_t from, uint16_t to)
{
	return fold((uint32_t)(uint16_t)~from + to);
}

/*
 * Adjusts a field where 0xffff is as good as 0x0000; was: this field's bit in sum_was_ones. Returns
 * the change.
 */
static uint32_t adjust_field(struct zb_trace_pkt *p, uint8_t *field, uint32_t delta, uint8_t was,
			     bool to_first)
{
	uint16_t old = get16(field), sum;

	if (old == 0xffff)
		p->sum_was_ones |= was;
	sum = adjust(old, delta);
	if (to_first && (p->sum_was_ones & was)) {
		p->sum_was_ones &= (uint8_t)~was;
		if (sum == 0)
			sum = 0xffff;
	}
	put16(field, sum);
	return change(old, sum);
}

/*
 * UDP: 0 means no checksum and stays; a computed 0 is sent as 0xffff, so it never comes out as 0.
 */
static uint32_t adjust_udp(uint8_t *field, uint32_t delta)
{
	uint16_t old = get16(field), sum;

	if (old == 0)
		return 0;
	sum = adjust(old, delta);
	if (sum == 0)
		sum = 0xffff;
	put16(field, sum);
	return change(old, sum);
}

/* Where a transport's checksum is, from its first byte; 0: it has none over addresses. */
static uint32_t l4_sum_off(const struct zb_ip_walk *w)
{
	switch (w->proto) {
	case IPPROTO_TCP: return 16;
	case IPPROTO_UDP: return 6;
	case IPPROTO_ICMPV6: return w->version == 6 ? 2 : 0;
	default: return 0;
	}
}

static bool has_l4_sum(const struct zb_trace_pkt *p, const struct zb_ip_walk *w)
{
	uint32_t sum_off = l4_sum_off(w);

	return w->l4_off != 0 && sum_off != 0 && p->cap_len - w->l4_off >= sum_off + 2;
}

/* addr, inner: what its addresses and what is inside it have changed; returns its own change. */
static uint32_t adjust_l4(struct zb_trace_pkt *p, const struct zb_ip_walk *w, uint32_t addr,
			  uint32_t inner, bool to_first)
{
	uint32_t delta = fold(addr + inner);
	uint8_t *field;

	if (!has_l4_sum(p, w))
		return inner;
	field = p->data + w->l4_off + l4_sum_off(w);
	if (w->proto == IPPROTO_UDP)
		return fold(inner + adjust_udp(field, delta));
	return fold(inner + adjust_field(p, field, delta, L4_SUM_ONES, to_first));
}

/* The addresses of one IP header and the sums over them; returns the change of all its bytes. */
static uint32_t rewrite_level(struct zb_trace_pkt *p, const struct zb_ip_walk *w, uint32_t mask,
			      uint32_t inner, uint8_t ip_ones, bool to_first)
{
	uint8_t *h = p->data + w->ip_off;
	uint32_t delta, dst;

	if (w->version == 4) {
		delta = fold(flip(h + 12, mask & host_bits_v4(h[12])) +
			     flip(h + 16, mask & host_bits_v4(h[16])));
		dst = adjust_field(p, h + 10, delta, ip_ones, to_first);
		return fold(delta + dst + adjust_l4(p, w, delta, inner, to_first));
	}
	delta = fold(flip(h + 8 + 12, mask & host_bits_v6(h + 8)));
	dst = fold(flip(h + 24 + 12, mask & host_bits_v6(h + 24)));
	/* The pseudo header has the last hop of a routing header, which stays. */
	return fold(delta + dst +
		    adjust_l4(p, w, w->routed ? delta : fold(delta + dst), inner, to_first));
}

/* May the inside of a first fragment change: are all the sums that depend on it there? */
static bool is_complete(const struct zb_trace_pkt *p, const struct levels *l, uint32_t from)
{
	for (uint32_t i = from; i < l->nr; i++) {
		const struct zb_ip_walk *w = &l->w[i];

		if (l4_sum_off(w) != 0 && w->l4_off == 0 && !w->fragment)
			return false;
		if (l4_sum_off(w) != 0 && w->l4_off != 0 && !has_l4_sum(p, w))
			return false;
	}
	return true;
}

static bool has_gre_sum(const struct zb_trace_pkt *p, const struct zb_ip_walk *w,
			enum zb_tunnel kind)
{
	return kind == ZB_TUNNEL_GRE && (p->data[w->l4_off] & 0x80) != 0;
}

static void find_levels(const struct zb_trace_pkt *p, struct levels *l)
{
	uint32_t gre_sums = 0, fragment = ZB_IP_LEVELS_MAX;

	l->nr = 0;
	if (!zb_ip_walk((enum zb_link)p->link, p->data, p->cap_len, &l->w[0]))
		return;
	for (l->nr = 1; l->nr < ZB_IP_LEVELS_MAX; l->nr++) {
		struct zb_ip_walk *w = &l->w[l->nr - 1];
		enum zb_tunnel kind = zb_tunnel_walk(p->data, p->cap_len, w, &l->w[l->nr]);

		if (kind == ZB_TUNNEL_NONE)
			break;
		l->gre_ones[l->nr - 1] = 0;
		if (has_gre_sum(p, w, kind)) {
			if (gre_sums == GRE_SUMS_MAX)
				break;
			l->gre_ones[l->nr - 1] = (uint8_t)(GRE_SUM_ONES << gre_sums++);
		}
		if (w->fragment && fragment == ZB_IP_LEVELS_MAX)
			fragment = l->nr;
	}
	if (fragment < l->nr && !is_complete(p, l, fragment))
		l->nr = fragment;
}

/* Level i's inside has changed by delta: as its transport's sum sees it, GRE's own sum included. */
static uint32_t seen_from(struct zb_trace_pkt *p, const struct levels *l, uint32_t i,
			  uint32_t delta, bool to_first)
{
	const struct zb_ip_walk *w = &l->w[i];

	/* Sums go by pairs of bytes; what begins at an odd place has them the other way round. */
	if ((l->w[i + 1].ip_off - w->l4_off) & 1)
		delta = __builtin_bswap16((uint16_t)delta);
	if (l->gre_ones[i] == 0)
		return delta;
	return fold(delta +
		    adjust_field(p, p->data + w->l4_off + 4, delta, l->gre_ones[i], to_first));
}

void zb_rewrite(struct zb_trace_pkt *p, uint64_t from, uint64_t to)
{
	uint32_t mask = zb_rewrite_mask(from) ^ zb_rewrite_mask(to), delta = 0;
	struct levels l;

	find_levels(p, &l);
	for (uint32_t i = l.nr; i-- > 0;) {
		if (i + 1 < l.nr)
			delta = seen_from(p, &l, i, delta, to == 0);
		delta = rewrite_level(p, &l.w[i], mask, delta, (uint8_t)(IP_SUM_ONES << i),
				      to == 0);
	}
}

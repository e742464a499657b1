/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flow_key.h - the 5-tuple of a packet, the same for both directions, and its keyed hash
 *
 * The two (address, port) ends are stored in ascending order, so that both directions make the same
 * key. ICMP has types for ports: a request and its reply share a key because each names the other's
 * type as its second port; what has no counterpart (errors, advertisements) is one-way: its key
 * keeps source and destination as they are, with the code as second port (as Zeek's conn.log shows
 * them).
 *
 * The hash is keyed by a secret of the run, so that traffic cannot aim at one bucket.
 *
 * Threading: none of its own; pure functions.
 */
#ifndef ZB_PIPELINE_FLOW_KEY_H
#define ZB_PIPELINE_FLOW_KEY_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

struct zb_flow_key {
	uint8_t a[16], b[16];	 /* IPv4: the first four bytes, the rest 0 */
	uint16_t port_a, port_b; /* host order */
	uint8_t proto;		 /* IP protocol */
	uint8_t ip_version;	 /* 4 or 6 */
	uint8_t one_way;	 /* a is the source, whatever the order */
	uint8_t pad;
};
static_assert(sizeof(struct zb_flow_key) == 40, "hashed and compared as five words");

static inline bool zb_flow_key_equal(const struct zb_flow_key *x, const struct zb_flow_key *y)
{
	uint64_t p[5], q[5];

	memcpy(p, x, sizeof(p));
	memcpy(q, y, sizeof(q));
	return ((p[0] ^ q[0]) | (p[1] ^ q[1]) | (p[2] ^ q[2]) | (p[3] ^ q[3]) | (p[4] ^ q[4])) == 0;
}

static inline uint64_t zb_flow_key_hash(const struct zb_flow_key *k, uint64_t secret)
{
	uint64_t w[2];
	uint32_t a, b;

	if (k->ip_version != 4)
		return XXH3_64bits_withSeed(k, sizeof(*k), secret);
	/*
	 * What an IPv4 key says fits 16 bytes, for which the hash needs one multiplication instead
	 * of four.
	 */
	memcpy(&a, k->a, 4);
	memcpy(&b, k->b, 4);
	memcpy(&w[1], &k->port_a, 8);
	w[0] = (uint64_t)a << 32 | b;
	return XXH3_64bits_withSeed(w, sizeof(w), secret);
}

/* Whether (src, sport) comes before (dst, dport); addresses in network order. */
static inline bool zb_flow_key_in_order(const uint8_t *src, const uint8_t *dst, unsigned addr_len,
					uint16_t sport, uint16_t dport)
{
	if (addr_len == 4) {
		uint32_t s, d;

		memcpy(&s, src, 4);
		memcpy(&d, dst, 4);
		return ((uint64_t)__builtin_bswap32(s) << 16 | sport) <=
		       ((uint64_t)__builtin_bswap32(d) << 16 | dport);
	}
	int order = memcmp(src, dst, addr_len);

	return order < 0 || (order == 0 && sport <= dport);
}

/*
 * Makes the key of addresses of addr_len (4 or 16) bytes and returns whether the source is end a.
 * proto is the IP protocol, ports are in host order.
 */
static inline bool zb_flow_key_make(struct zb_flow_key *k, const uint8_t *src, const uint8_t *dst,
				    unsigned addr_len, uint16_t sport, uint16_t dport,
				    uint8_t proto, bool one_way)
{
	bool src_is_a = one_way || zb_flow_key_in_order(src, dst, addr_len, sport, dport);

	if (!src_is_a) {
		const uint8_t *t = src;
		uint16_t port = sport;

		src = dst;
		dst = t;
		sport = dport;
		dport = port;
	}
	/*
	 * The hash reads ports to pad as one word next: written as one, or it would wait for six
	 * stores to reach the cache.
	 */
	uint64_t tail = (uint64_t)sport | (uint64_t)dport << 16 | (uint64_t)proto << 32 |
			(addr_len == 4 ? 4ull : 6ull) << 40 | (uint64_t)one_way << 48;

	static_assert(offsetof(struct zb_flow_key, port_a) + sizeof(tail) == sizeof(*k) &&
			      offsetof(struct zb_flow_key, proto) == 36 &&
			      __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
		      "tail is laid out as the members are");
	memset(k->a, 0, sizeof(k->a) + sizeof(k->b));
	memcpy(&k->port_a, &tail, sizeof(tail));
	if (addr_len == 4) {
		memcpy(k->a, src, 4);
		memcpy(k->b, dst, 4);
	} else {
		memcpy(k->a, src, 16);
		memcpy(k->b, dst, 16);
	}
	return src_is_a;
}

#endif

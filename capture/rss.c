/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rss.c - the symmetric Toeplitz hash, four table look-ups a packet
 *
 * Toeplitz: for every input bit i that is set, XOR the 32 key bits from bit i on. The key repeats
 * every 16 bits, so bit i counts as bit i % 16 and all 16-bit words of the tuple can be XORed into
 * one first. What is left is linear in 16 bits: the XOR of one entry for each of its four nibbles.
 */
#include <netinet/in.h>
#include <string.h>
#include "capture/ip_walk_priv.h"
#include "capture/rss.h"

#define KEY 0x6d5a6d5aull /* 32 bits of it; any 32 bits are these, rotated */

/* The 32 key bits from bit i on. */
#define KEY_AT(i)      ((uint32_t)((KEY << 32 | KEY) >> (32 - (i))))
#define KEY_IF(set, i) ((set) ? KEY_AT(i) : 0u)
#define ENTRY(i, n)                                                           \
	(KEY_IF((n)&8, i) ^ KEY_IF((n)&4, (i) + 1) ^ KEY_IF((n)&2, (i) + 2) ^ \
	 KEY_IF((n)&1, (i) + 3))
#define ENTRIES(i)                                                                            \
	{                                                                                     \
		ENTRY(i, 0), ENTRY(i, 1), ENTRY(i, 2), ENTRY(i, 3), ENTRY(i, 4), ENTRY(i, 5), \
			ENTRY(i, 6), ENTRY(i, 7), ENTRY(i, 8), ENTRY(i, 9), ENTRY(i, 10),     \
			ENTRY(i, 11), ENTRY(i, 12), ENTRY(i, 13), ENTRY(i, 14), ENTRY(i, 15)  \
	}

/* [nibble, most significant first][its value] */
static const uint32_t toeplitz[4][16] = {ENTRIES(0), ENTRIES(4), ENTRIES(8), ENTRIES(12)};

static uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint32_t load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

uint32_t zb_rss_hash(enum zb_link link, const uint8_t *data, uint32_t cap_len)
{
	struct zb_ip_walk w;
	const uint8_t *h;
	uint64_t x;
	uint32_t word;

	if (!zb_ip_walk(link, data, cap_len, &w))
		return 0;
	h = data + w.ip_off;
	if (w.version == 4)
		x = load64(h + 12);
	else
		x = load64(h + 8) ^ load64(h + 16) ^ load64(h + 24) ^ load64(h + 32);
	if (!w.fragment && (w.proto == IPPROTO_TCP || w.proto == IPPROTO_UDP) && w.l4_off != 0 &&
	    cap_len - w.l4_off >= 4)
		x ^= load32(data + w.l4_off);
	x ^= x >> 32;
	x ^= x >> 16;
	word = ntohs((uint16_t)x);
	return toeplitz[0][word >> 12] ^ toeplitz[1][word >> 8 & 15] ^ toeplitz[2][word >> 4 & 15] ^
	       toeplitz[3][word & 15];
}

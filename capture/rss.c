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
#include "capture/rss_priv.h"

#define PORT_FTP     21
#define PORT_GRIDFTP 2811
#define PORT_BOOTPS  67
#define PORT_BOOTPC  68

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

static uint32_t toeplitz_of(uint64_t x)
{
	uint32_t word;

	x ^= x >> 32;
	x ^= x >> 16;
	word = ntohs((uint16_t)x);
	return toeplitz[0][word >> 12] ^ toeplitz[1][word >> 8 & 15] ^ toeplitz[2][word >> 4 & 15] ^
	       toeplitz[3][word & 15];
}

static uint64_t addresses(const uint8_t *h, uint8_t version)
{
	if (version == 4)
		return load64(h + 12);
	return load64(h + 8) ^ load64(h + 16) ^ load64(h + 24) ^ load64(h + 32);
}

uint32_t zb_rss_addr_hash(const uint8_t *data, const struct zb_ip_walk *w)
{
	return toeplitz_of(addresses(data + w->ip_off, w->version));
}

bool zb_rss_has_ports(uint32_t cap_len, const struct zb_ip_walk *w)
{
	return (w->proto == IPPROTO_TCP || w->proto == IPPROTO_UDP) && w->l4_off != 0 &&
	       cap_len - w->l4_off >= 4;
}

uint32_t zb_rss_flow_hash(const uint8_t *data, uint32_t cap_len, const struct zb_ip_walk *w)
{
	uint64_t x = addresses(data + w->ip_off, w->version);

	if (zb_rss_has_ports(cap_len, w))
		x ^= load32(data + w->l4_off);
	return toeplitz_of(x);
}

bool zb_rss_is_ftp(const uint8_t *data, uint32_t cap_len, const struct zb_ip_walk *w)
{
	uint16_t port[2];

	if (w->proto != IPPROTO_TCP || !zb_rss_has_ports(cap_len, w))
		return false;
	memcpy(port, data + w->l4_off, sizeof(port));
	return port[0] == htons(PORT_FTP) || port[1] == htons(PORT_FTP) ||
	       port[0] == htons(PORT_GRIDFTP) || port[1] == htons(PORT_GRIDFTP);
}

static bool is_tunnel_port(uint16_t port)
{
	return port == htons(ZB_PORT_VXLAN) || port == htons(ZB_PORT_GENEVE) ||
	       port == htons(ZB_PORT_GTP) || port == htons(ZB_PORT_TEREDO) ||
	       port == htons(ZB_PORT_AYIYA);
}

static bool is_dhcp_port(uint16_t port)
{
	return port == htons(PORT_BOOTPS) || port == htons(PORT_BOOTPC);
}

bool zb_rss_is_dhcp(const uint8_t *data, uint32_t cap_len, const struct zb_ip_walk *w)
{
	uint16_t port[2];

	if (w->proto != IPPROTO_UDP || !zb_rss_has_ports(cap_len, w))
		return false;
	memcpy(port, data + w->l4_off, sizeof(port));
	return is_dhcp_port(port[0]) || is_dhcp_port(port[1]);
}

/* What is inside may be inside another tunnel too, or, with VXLAN, on another port's. */
static bool may_hold_flow(const uint8_t *data, const struct zb_ip_walk *w)
{
	uint16_t port[2];

	memcpy(port, data + w->l4_off, sizeof(port));
	return is_tunnel_port(port[0]) || is_tunnel_port(port[1]);
}

static __attribute__((noinline)) void walk_to_innermost(const uint8_t *data, uint32_t cap_len,
							struct zb_ip_walk *w)
{
	struct zb_ip_walk inner;

	for (unsigned i = 0; i < ZB_TUNNEL_DEPTH_MAX; i++) {
		if (w->fragment || !zb_is_ip_tunnel(w->proto) ||
		    zb_tunnel_walk(data, cap_len, w, &inner) == ZB_TUNNEL_NONE)
			return;
		*w = inner;
	}
}

/* The one and the other with and without special, so that who does not ask does not pay. */
static inline __attribute__((always_inline)) uint32_t look(enum zb_link link, const uint8_t *data,
							   uint32_t cap_len, bool *special)
{
	struct zb_ip_walk w;
	uint64_t x;

	if (!zb_ip_walk(link, data, cap_len, &w))
		return 0;
	if (zb_is_ip_tunnel(w.proto))
		walk_to_innermost(data, cap_len, &w);
	x = addresses(data + w.ip_off, w.version);
	if (w.fragment) {
		if (special != NULL)
			*special = true;
	} else if (zb_rss_has_ports(cap_len, &w)) {
		x ^= load32(data + w.l4_off);
		if (special != NULL)
			*special = w.proto == IPPROTO_UDP
					   ? may_hold_flow(data, &w) ||
						     zb_rss_is_dhcp(data, cap_len, &w)
					   : zb_rss_is_ftp(data, cap_len, &w);
	}
	return toeplitz_of(x);
}

uint32_t zb_rss_look(enum zb_link link, const uint8_t *data, uint32_t cap_len, bool *special)
{
	*special = false;
	return look(link, data, cap_len, special);
}

uint32_t zb_rss_hash(enum zb_link link, const uint8_t *data, uint32_t cap_len)
{
	return look(link, data, cap_len, NULL);
}

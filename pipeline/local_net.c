/* SPDX-License-Identifier: Apache-2.0 */
/*
 * local_net.c - prefixes in order of their first bytes; IPv4 ranges also count as 6to4 prefixes
 * (RFC 3056)
 */
#include <string.h>

#include "pipeline/local_net.h"

#define N(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (d))

static const struct {
	uint32_t net;
	uint8_t len;
} net4[] = {
	{N(10, 0, 0, 0), 8},	 {N(192, 168, 0, 0), 16},  {N(172, 16, 0, 0), 12},
	{N(0, 0, 0, 0), 8},	 {N(100, 64, 0, 0), 10},   {N(127, 0, 0, 0), 8},
	{N(169, 254, 0, 0), 16}, {N(192, 0, 0, 0), 24},	   {N(192, 0, 2, 0), 24},
	{N(198, 18, 0, 0), 15},	 {N(198, 51, 100, 0), 24}, {N(203, 0, 113, 0), 24},
	{N(240, 0, 0, 0), 4},	 {N(224, 0, 0, 0), 24},	   {N(239, 0, 0, 0), 8},
};

static const struct {
	uint8_t net[16];
	uint8_t len;
} net6[] = {
	{{0xfe, 0x80}, 10},
	{{0xfc}, 7},
	{{0x20, 0x01, 0x0d, 0xb8}, 32},
	{{0x20, 0x01}, 23},
	{{0x20, 0x01, 0, 2}, 48},
	{{0x01}, 64},
	{{0, 0x64, 0xff, 0x9b, 0, 1}, 48},
	{{0}, 128},
	{{[15] = 1}, 128},
};

static bool local4(const uint8_t *a)
{
	uint32_t v = N(a[0], a[1], a[2], a[3]);

	for (unsigned i = 0; i < sizeof(net4) / sizeof(net4[0]); i++)
		if ((v ^ net4[i].net) >> (32 - net4[i].len) == 0)
			return true;
	return false;
}

bool zb_local_net(const uint8_t *a, unsigned ip_version)
{
	if (ip_version == 4)
		return local4(a);
	if (a[0] == 0x20 && a[1] == 0x02)
		return local4(a + 2);
	for (unsigned i = 0; i < sizeof(net6) / sizeof(net6[0]); i++) {
		unsigned bytes = net6[i].len / 8, bits = net6[i].len % 8;

		if (memcmp(a, net6[i].net, bytes) == 0 &&
		    (bits == 0 || (a[bytes] ^ net6[i].net[bytes]) >> (8 - bits) == 0))
			return true;
	}
	return false;
}

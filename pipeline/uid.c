/* SPDX-License-Identifier: Apache-2.0 */
/* uid.c - see uid.h; digits are written least significant first, as Zeek does */
#include "pipeline/flow_key.h"
#include "pipeline/uid.h"

static char *base62(char *p, uint64_t v)
{
	static const char digit[] =
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	do {
		*p++ = digit[v % 62];
		v /= 62;
	} while (v != 0);
	return p;
}

unsigned zb_uid_format(char *buf, char prefix, uint64_t seq, uint64_t secret)
{
	uint64_t low = XXH3_64bits_withSeed(&seq, sizeof(seq), secret);
	uint32_t high = (uint32_t)XXH3_64bits_withSeed(&low, sizeof(low), seq ^ secret);
	char *p = buf;

	*p++ = prefix;
	p = base62(p, high);
	p = base62(p, low);
	return (unsigned)(p - buf);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* uid.c - see uid.h; digits are written least significant first, as Zeek does */
#include "pipeline/flow_key.h"
#include "pipeline/uid.h"

static const char digit[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

static char *base62(char *p, uint64_t v)
{
	do {
		*p++ = digit[v % 62];
		v /= 62;
	} while (v != 0);
	return p;
}

/*
 * Six digits at once where there are more: each digit waits for the division before it, so two
 * halves side by side take half the time.
 */
static char *base62_long(char *p, uint64_t v)
{
	const uint64_t six = 62ull * 62 * 62 * 62 * 62 * 62;
	uint64_t low = v % six, high = v / six;

	if (high < 62 * 62 * 62 * 62ull)
		return base62(p, v);
	for (unsigned i = 0; i < 5; i++) {
		p[i] = digit[low % 62];
		p[i + 6] = digit[high % 62];
		low /= 62;
		high /= 62;
	}
	p[5] = digit[low];
	return p + 11; /* 2^64 has eleven digits */
}

unsigned zb_uid_format(char *buf, char prefix, uint64_t seq, uint64_t secret)
{
	uint64_t low = XXH3_64bits_withSeed(&seq, sizeof(seq), secret);
	uint32_t high = (uint32_t)XXH3_64bits_withSeed(&low, sizeof(low), seq ^ secret);
	char *p = buf;

	*p++ = prefix;
	p = base62(p, high);
	p = base62_long(p, low);
	return (unsigned)(p - buf);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * row_number.c - doubles and IPv6 addresses as text: what row.c need not do in a few nanoseconds
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "profiler/row_priv.h"

/* ---- doubles ---- */

/*
 * The fewest significant digits, of 15 to 17, that read back as v (v > 0), without trailing zeros;
 * v = 0.DIGITS * 10^*point. Returns how many.
 */
static unsigned shortest_digits(double v, char digits[18], int *point)
{
	char text[40];
	unsigned n;

	for (int decimals = 14;; decimals++) {
		snprintf(text, sizeof(text), "%.*e", decimals, v);
		if (decimals == 16 || strtod(text, NULL) == v)
			break;
	}

	const char *e = strchr(text, 'e');

	*point = atoi(e + 1) + 1;
	digits[0] = text[0];
	n = (unsigned)(e - text) - 1; /* without the point */
	memcpy(digits + 1, text + 2, n - 1);
	while (n > 1 && digits[n - 1] == '0')
		n--;
	return n;
}

static char *put_zeros(char *at, int n)
{
	for (; n > 0; n--)
		*at++ = '0';
	return at;
}

/* d.ddde-7 */
static char *put_scientific(char *at, const char *digits, unsigned n, int exponent)
{
	*at++ = digits[0];
	if (n > 1) {
		*at++ = '.';
		memcpy(at, digits + 1, n - 1);
		at += n - 1;
	}
	*at++ = 'e';
	if (exponent < 0)
		*at++ = '-';
	return at + zb_fmt_u64(at, (uint64_t)abs(exponent));
}

/* Fixed point with at least one decimal from 1e-6 to 1e21, beyond with an exponent, as in Zeek. */
static char *put_json_double(char *at, double v)
{
	char digits[18];
	int point;

	if (!isfinite(v)) {
		memcpy(at, "null", 4);
		return at + 4;
	}
	if (signbit(v))
		*at++ = '-';
	if (v == 0) {
		memcpy(at, "0.0", 3);
		return at + 3;
	}

	unsigned n = shortest_digits(fabs(v), digits, &point);

	if (point > 21 || point <= -6)
		return put_scientific(at, digits, n, point - 1);
	if (point <= 0) {
		*at++ = '0';
		*at++ = '.';
		at = put_zeros(at, -point);
		memcpy(at, digits, n);
		return at + n;
	}
	if ((int)n <= point) {
		memcpy(at, digits, n);
		at = put_zeros(at + n, point - (int)n);
		*at++ = '.';
		*at++ = '0';
		return at;
	}
	memcpy(at, digits, (size_t)point);
	at += point;
	*at++ = '.';
	memcpy(at, digits + point, n - (unsigned)point);
	return at + (n - (unsigned)point);
}

/* At most six decimals, no trailing zeros, at least one decimal, never an exponent. */
static char *put_tsv_double(char *at, double v)
{
	int n;

	if (!isfinite(v))
		return stpcpy(at, isnan(v) ? "nan" : v < 0 ? "-inf" : "inf");
	n = snprintf(at, ZB_ROW_DOUBLE_MAX, "%.6f", v);
	if (strcmp(at, "-0.000000") == 0)
		return stpcpy(at, "0.0");
	while (at[n - 1] == '0' && at[n - 2] != '.')
		n--;
	return at + n;
}

char *zb_row_fmt_double(char *at, double v, bool tsv)
{
	return tsv ? put_tsv_double(at, v) : put_json_double(at, v);
}

/* ---- IPv6 ---- */

struct zero_run {
	unsigned at, len; /* in groups */
};

/* The longest run of at least two zero groups, the first of several; len 0: none. */
static struct zero_run longest_zero_run(const uint16_t g[8])
{
	struct zero_run best = {8, 0};
	unsigned i = 0;

	while (i < 8) {
		unsigned from = i;

		while (i < 8 && g[i] == 0)
			i++;
		if (i - from > 1 && i - from > best.len)
			best = (struct zero_run){from, i - from};
		i += i == from;
	}
	return best;
}

/* A group in hex without leading zeros. */
static char *put_group(char *at, uint16_t v)
{
	static const char hex_digit[16] = "0123456789abcdef";

	if (v > 0xfff)
		*at++ = hex_digit[v >> 12];
	if (v > 0xff)
		*at++ = hex_digit[v >> 8 & 15];
	if (v > 0xf)
		*at++ = hex_digit[v >> 4 & 15];
	*at++ = hex_digit[v & 15];
	return at;
}

static char *put_dotted(char *at, const uint8_t a[4])
{
	for (unsigned i = 0; i < 4; i++) {
		at += zb_fmt_u64(at, a[i]);
		*at++ = '.';
	}
	return at - 1;
}

char *zb_row_fmt_addr6(char *at, const uint8_t a[16])
{
	uint16_t g[8];

	for (unsigned i = 0; i < 8; i++)
		g[i] = (uint16_t)(a[2 * i] << 8 | a[2 * i + 1]);

	const struct zero_run zeros = longest_zero_run(g);
	/* ::a.b.c.d and ::ffff:a.b.c.d */
	const bool has_v4 = zeros.at == 0 && (zeros.len == 6 || (zeros.len == 5 && g[5] == 0xffff));

	for (unsigned i = 0; i < (has_v4 ? 6 : 8);) {
		if (i == zeros.at) {
			*at++ = ':';
			*at = ':';
			i += zeros.len;
			at += i == 8;
			continue;
		}
		if (i > 0)
			*at++ = ':';
		at = put_group(at, g[i++]);
	}
	if (!has_v4)
		return at;
	*at++ = ':';
	return put_dotted(at, a + 12);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* gen_number.c - decimal numbers without floating point */
#include <errno.h>
#include <string.h>

#include "bench/gen_number.h"

#define MILLION	   1000000ull
#define DIGITS_MAX 12 /* in front of the point */

int zb_gen_millionths(const char *text, uint64_t *out, const char **rest)
{
	uint64_t v = 0, unit = MILLION;
	unsigned digits = 0;
	const char *p = text;

	for (; *p >= '0' && *p <= '9'; p++) {
		v = v * 10 + (uint64_t)(*p - '0');
		if (++digits > DIGITS_MAX)
			return -ERANGE;
	}
	if (digits == 0)
		return -EINVAL;
	v *= MILLION;
	if (*p == '.') {
		if (p[1] < '0' || p[1] > '9')
			return -EINVAL;
		for (p++; *p >= '0' && *p <= '9'; p++) {
			unit /= 10;
			v += (uint64_t)(*p - '0') * unit;
		}
	}
	*out = v;
	*rest = p;
	return 0;
}

int zb_gen_percent(const char *text, uint64_t *out)
{
	const uint64_t whole = 100 * MILLION;
	const char *rest;
	uint64_t v;
	int ret = zb_gen_millionths(text, &v, &rest);

	if (ret < 0)
		return ret;
	if (strcmp(rest, "%") != 0)
		return -EINVAL;
	if (v > whole)
		return -ERANGE;
	*out = v == whole ? UINT64_MAX : (uint64_t)(((unsigned __int128)v << 64) / whole);
	return 0;
}

struct unit {
	const char *name;
	uint64_t factor;
};

/* text as a number of units over `under`; the unit of an empty name is units[0]'s. */
static int with_unit(const char *text, const struct unit *units, unsigned unit_nr, uint64_t *out)
{
	const char *rest;
	uint64_t v;
	int ret = zb_gen_millionths(text, &v, &rest);

	if (ret < 0)
		return ret;
	for (unsigned i = 0; i < unit_nr; i++) {
		unsigned __int128 n;

		if (strcmp(rest, units[i].name) != 0)
			continue;
		n = (unsigned __int128)v * units[i].factor / MILLION;
		if (n > UINT64_MAX / 2)
			return -ERANGE;
		*out = (uint64_t)n;
		return 0;
	}
	return -EINVAL;
}

int zb_gen_time(const char *text, uint64_t unit_ns, uint64_t *ns)
{
	const struct unit units[] = {{"", unit_ns},
				     {"ns", 1},
				     {"us", 1000},
				     {"ms", MILLION},
				     {"s", 1000 * MILLION},
				     {"m", 60000 * MILLION},
				     {"h", 3600000 * MILLION}};

	return with_unit(text, units, sizeof(units) / sizeof(units[0]), ns);
}

int zb_gen_amount(const char *text, uint64_t *out)
{
	static const struct unit units[] = {
		{"", 1}, {"k", 1000}, {"M", MILLION}, {"G", 1000 * MILLION}};

	return with_unit(text, units, sizeof(units) / sizeof(units[0]), out);
}

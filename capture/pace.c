/* SPDX-License-Identifier: Apache-2.0 */
/* pace.c - rates and schedules; see pace.h */
#include "capture/pace.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <rte_cycles.h>

#include "profiler/clock.h"

#define BITS_MAX   1e13 /* a second */
#define TIMES_MAX  1e6
#define RATE_MIN   1e-3 /* of any kind: a packet in 17 minutes */
#define READINGS   16
#define GAP_NS_MAX (1ull << 47) /* 39 hours between two packets: 128 bits hold it at any speed */
#define SECOND_NS  1e9
#define FIXED_ONE  18446744073709551616.0L /* 2^64 */

struct unit {
	const char *name;
	enum zb_pace_kind kind;
	double max;
};

static const struct unit units[] = {
	{"pps", ZB_PACE_PPS, ZB_PACE_PPS_MAX},
	{"bps", ZB_PACE_BPS, BITS_MAX},
	{"x", ZB_PACE_TIMES, TIMES_MAX},
};

/* k, M, G, T in front of a unit. */
static double scale_of(char letter)
{
	switch (letter) {
	case 'k':
	case 'K': return 1e3;
	case 'm':
	case 'M': return 1e6;
	case 'g':
	case 'G': return 1e9;
	case 't':
	case 'T': return 1e12;
	default: return 0;
	}
}

int zb_pace_parse(const char *text, struct zb_pace_rate *out)
{
	size_t len = strspn(text, "0123456789.");
	const struct unit *u = NULL;
	double value, scale;
	char *end;

	if (strcmp(text, "max") == 0) {
		*out = (struct zb_pace_rate){ZB_PACE_MAX, 0};
		return 0;
	}
	/* strtod() alone would take "inf", "nan", signs and hexadecimal. */
	if (len == 0)
		return -EINVAL;
	value = strtod(text, &end);
	if (end != text + len)
		return -EINVAL;
	scale = scale_of(*end);
	if (scale != 0)
		value *= scale, end++;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(end, units[i].name) == 0)
			u = &units[i];
	if (u == NULL || (u->kind == ZB_PACE_TIMES && scale != 0))
		return -EINVAL;
	if (!(value >= RATE_MIN && value <= u->max))
		return -ERANGE;
	*out = (struct zb_pace_rate){u->kind, value};
	return 0;
}

char *zb_pace_format(const struct zb_pace_rate *r, char *buf, uint32_t buf_size)
{
	static const char letters[] = {'\0', 'k', 'M', 'G', 'T'};
	double v = r->value;
	unsigned i = 0;

	if (r->kind == ZB_PACE_MAX) {
		snprintf(buf, buf_size, "max");
		return buf;
	}
	for (; r->kind != ZB_PACE_TIMES && v >= 1000 && i + 1 < sizeof(letters); i++)
		v /= 1000;
	snprintf(buf, buf_size, "%.10g%.1s%s", v, &letters[i], units[r->kind - 1].name);
	return buf;
}

/*
 * a / b. The remainder is exact, so all 64 bits of the fraction are right. Rounded up: the packet
 * that would be due just when a run ends is no longer part of it.
 */
static zb_fixed divide(long double a, long double b)
{
	long double rest = fmodl(a, b), whole = roundl((a - rest) / b);

	return ((zb_fixed)whole << 64) + (zb_fixed)(rest / b * FIXED_ONE) + 1;
}

void zb_pace_init(struct zb_pace *s, const struct zb_pace_rate *r, double tsc_hz)
{
	long double hz = tsc_hz, value = r->value;

	*s = (struct zb_pace){0};
	switch (r->kind) {
	case ZB_PACE_MAX: break;
	case ZB_PACE_PPS: s->per_pkt = divide(hz, value); break;
	case ZB_PACE_BPS: s->per_byte = divide(hz * 8, value); break;
	case ZB_PACE_TIMES: s->per_ns = divide(hz, value * (long double)SECOND_NS); break;
	}
}

void zb_pace_at(struct zb_pace *s, uint64_t ts_ns)
{
	uint64_t gap;

	if (!s->begun) {
		s->begun = true;
		s->newest_ns = ts_ns;
	}
	if (ts_ns <= s->newest_ns)
		return;
	gap = ts_ns - s->newest_ns;
	s->newest_ns = ts_ns;
	s->due += s->per_ns * (gap < GAP_NS_MAX ? gap : GAP_NS_MAX);
}

uint64_t zb_pace_before(const struct zb_pace *s, uint64_t ticks)
{
	zb_fixed end = (zb_fixed)ticks << 64;

	if (s->due >= end || s->per_pkt == 0)
		return 0;
	return (uint64_t)((end - s->due + s->per_pkt - 1) / s->per_pkt);
}

void zb_pace_skip(struct zb_pace *s, uint64_t pkts)
{
	s->due += s->per_pkt * pkts;
}

void zb_moment_take(struct zb_moment *m)
{
	uint64_t best = UINT64_MAX;

	for (unsigned i = 0; i < READINGS; i++) {
		uint64_t before = rte_rdtsc_precise(), ns = zb_clock_ns();
		uint64_t after = rte_rdtsc_precise();

		if (after - before >= best)
			continue;
		best = after - before;
		m->tsc = before + best / 2;
		m->ns = ns;
	}
}

double zb_moment_hz(const struct zb_moment *from, const struct zb_moment *to)
{
	return (double)(to->tsc - from->tsc) * SECOND_NS / (double)(to->ns - from->ns);
}

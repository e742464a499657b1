/* SPDX-License-Identifier: Apache-2.0 */
/* schedule.c - see schedule.h */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "capture/schedule.h"

#define NS_PER_S 1000000000ull

static const struct unit {
	const char *name;
	enum zb_rate_kind kind;
	double scale, most;
} units[] = {
	{"x", ZB_RATE_TIMES, 1, 1e3},	 {"pps", ZB_RATE_PPS, 1, 1e12},
	{"kpps", ZB_RATE_PPS, 1e3, 1e9}, {"Mpps", ZB_RATE_PPS, 1e6, 1e6},
	{"bps", ZB_RATE_BPS, 1, 1e15},	 {"kbps", ZB_RATE_BPS, 1e3, 1e12},
	{"Mbps", ZB_RATE_BPS, 1e6, 1e9}, {"Gbps", ZB_RATE_BPS, 1e9, 1e6},
};

int zb_rate_parse(const char *text, struct zb_rate *out)
{
	char *end;
	double v;

	if (strcmp(text, "max") == 0) {
		*out = (struct zb_rate){.kind = ZB_RATE_MAX};
		return 0;
	}
	/* Digits only in front: strtod() takes "inf", "nan" and "0x" too. */
	if (*text < '0' || *text > '9' || (text[0] == '0' && text[1] == 'x' && text[2] != '\0'))
		return -EINVAL;
	errno = 0;
	v = strtod(text, &end);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcasecmp(end, units[i].name) != 0)
			continue;
		if (v == 0)
			return -EINVAL;
		if (errno != 0 || v > units[i].most || v * units[i].scale < 1e-3)
			return -ERANGE;
		*out = (struct zb_rate){units[i].kind,
					(uint64_t)llround(v * units[i].scale * 1000)};
		return 0;
	}
	return -EINVAL;
}

void zb_schedule_begin(struct zb_schedule *s, const struct zb_rate *rate, uint64_t tsc_hz,
		       uint64_t begin_tsc)
{
	*s = (struct zb_schedule){.rate = *rate, .tsc_hz = tsc_hz, .begin_tsc = begin_tsc};
}

/* due goes on by amount / per cycles, and the rest is kept for the next time. */
static void go_on(struct zb_schedule *s, unsigned __int128 amount, uint64_t per)
{
	amount += s->rest;
	s->due += (uint64_t)(amount / per);
	s->rest = (uint64_t)(amount % per);
}

uint64_t zb_schedule_next(struct zb_schedule *s, uint64_t ns, uint32_t bytes)
{
	uint64_t due = s->due;

	switch (s->rate.kind) {
	case ZB_RATE_MAX: break;
	case ZB_RATE_TIMES:
		due = (uint64_t)((unsigned __int128)ns * s->tsc_hz / NS_PER_S * 1000 /
				 s->rate.milli);
		s->due = due > s->due ? due : s->due;
		return s->begin_tsc + s->due;
	/* Evenly: the first is due at once, each other one a packet's time after the last. */
	case ZB_RATE_PPS: go_on(s, (unsigned __int128)s->tsc_hz * 1000, s->rate.milli); break;
	case ZB_RATE_BPS: go_on(s, (unsigned __int128)s->tsc_hz * 8000 * bytes, s->rate.milli);
	}
	return s->begin_tsc + due;
}

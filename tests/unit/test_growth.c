/* SPDX-License-Identifier: Apache-2.0 */
/* test_growth.c - tracks stay bounded, trends are told from noise, and growth gets its right name
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <limits.h>
#include <math.h>

#include "profiler/growth.h"

#define MIB 1048576.0

enum { CONNS, OVERDUE, LIVE, ALLOCATED, ACTIVE, RSS, CONN_BYTES, TIMER_BYTES, KNOWN_BYTES, NR };

static const struct zb_growth_kind kinds[] = {
	{"conn_bytes", CONN_BYTES, 300},
	{"timer_bytes", TIMER_BYTES, 300},
	{"known_bytes", KNOWN_BYTES, 86400},
};
enum { KIND_CONN, KIND_TIMER, KIND_KNOWN };

static const struct zb_growth_conf conf = {
	.kinds = kinds,
	.kind_nr = 3,
	.conns = CONNS,
	.overdue = OVERDUE,
	.live = LIVE,
	.allocated = ALLOCATED,
	.active = ACTIVE,
	.rss = RSS,
	.cap_bytes = 1024 * MIB,
};

static struct zb_track series;
static struct zb_growth g;

static int open_series(void **state)
{
	(void)state;
	return zb_track_init(&series, NR);
}

static int close_series(void **state)
{
	(void)state;
	zb_track_fini(&series);
	return 0;
}

/* A number in -0.5 .. 0.5 that depends on i only. */
static double noise(unsigned i)
{
	uint64_t x = (i + 1) * 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9u;
	return (double)(x >> 40) / (double)(1 << 24) - 0.5;
}

/* Connections fill up within 300 s and then stay; what they hold goes with them. */
static void steady(unsigned i, double v[NR])
{
	double filled = i < 300 ? i / 300.0 : 1;

	v[CONNS] = 10000 * filled + 200 * noise(i);
	v[OVERDUE] = 20;
	v[CONN_BYTES] = 256 * v[CONNS];
	v[TIMER_BYTES] = 65536 * (1 + floor(filled * 4));
	v[KNOWN_BYTES] = 100000;
	v[LIVE] = 5 * MIB + 1.1 * (v[CONN_BYTES] + v[TIMER_BYTES] + v[KNOWN_BYTES]);
	v[ALLOCATED] = v[LIVE] + 10 * MIB;
	v[ACTIVE] = v[ALLOCATED] + 4 * MIB;
	v[RSS] = 100 * MIB + v[ACTIVE];
}

/* Makes a series of so many seconds, judged; change makes it what it is to be. */
static void judge(unsigned seconds, void (*change)(unsigned i, double v[NR]))
{
	double v[NR];

	for (unsigned i = 0; i < seconds; i++) {
		steady(i, v);
		if (change != NULL)
			change(i, v);
		zb_track_add(&series, i, v);
	}
	zb_growth_judge(&series, &conf, &g);
}

static void assert_calm(void)
{
	for (unsigned i = 0; i < conf.kind_nr; i++)
		assert_int_not_equal(g.kind[i].what, ZB_GROWTH_NO_EXPIRY);
	assert_int_not_equal(g.leak, ZB_GROWTH_LEAK);
	assert_int_not_equal(g.conn_state, ZB_GROWTH_NO_EXPIRY);
	assert_int_equal(g.top, UINT_MAX);
	assert_int_equal(g.shape, ZB_GROWTH_PLATEAU);
}

/* However many points are offered, 512 are held, evenly spread, the newest among them or nearly. */
static void track_halves_its_resolution(void **state)
{
	double v[NR] = {0};

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		v[CONNS] = i * 2.0;
		zb_track_add(&series, i, v);
	}
	assert_true(series.nr <= ZB_TRACK_MAX && series.nr >= ZB_TRACK_MAX / 2);
	for (unsigned i = 1; i < series.nr; i++) {
		assert_true(series.t_s[i] - series.t_s[i - 1] == series.stride);
		assert_true(zb_track_column(&series, CONNS)[i] == 2 * series.t_s[i]);
	}
	assert_true(series.t_s[series.nr - 1] > 99999 - series.stride);
	/* Time that stands still is no point. */
	unsigned nr = series.nr;

	for (unsigned i = 0; i < 1000; i++)
		zb_track_add(&series, series.t_s[nr - 1], v);
	assert_int_equal(series.nr, nr);
}

/* A slope is found under noise and outliers; noise alone has none. */
static void trend_is_told_from_noise(void **state)
{
	double t[300], v[300];
	struct zb_trend tr;

	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		t[i] = i;
		v[i] = 1000 + 3.0 * i + 400 * noise(i) + (i % 50 == 7 ? 1e6 : 0);
	}
	tr = zb_trend_of(t, v, 300);
	assert_true(tr.known && tr.z > 1.96);
	assert_true(tr.low <= 3 && tr.high >= 3 && tr.low > 2 && tr.high < 4);
	for (unsigned i = 0; i < 300; i++)
		v[i] = 1000 + 400 * noise(i);
	tr = zb_trend_of(t, v, 300);
	assert_true(tr.low < 0 && tr.high > 0 && fabs(tr.z) < 1.96);
	for (unsigned i = 0; i < 300; i++)
		v[i] = 7;
	tr = zb_trend_of(t, v, 300);
	assert_true(tr.slope == 0 && tr.z == 0 && tr.level == 7);
	assert_false(zb_trend_of(t, v, ZB_TREND_MIN - 1).known);
	assert_false(zb_trend_of(t, v, 0).known);
}

static void growth_steady_is_a_plateau(void **state)
{
	(void)state;
	judge(1200, NULL);
	assert_calm();
	assert_int_equal(g.kind[KIND_CONN].what, ZB_GROWTH_PLATEAU);
	assert_int_equal(g.leak, ZB_GROWTH_PLATEAU);
	assert_int_equal(g.conn_state, ZB_GROWTH_PLATEAU);
}

static void ramp(unsigned i, double v[NR])
{
	double had = v[CONN_BYTES];

	v[CONNS] = 100.0 * i + 100 * noise(i);
	v[CONN_BYTES] = 256 * v[CONNS];
	v[TIMER_BYTES] = 65536 + 12 * v[CONNS];
	v[LIVE] += 1.1 * (v[CONN_BYTES] - had);
}

/* What each connection holds stays the same: it is the connections that grow. */
static void growth_with_connections_is_load(void **state)
{
	(void)state;
	judge(1200, ramp);
	assert_int_equal(g.kind[KIND_CONN].what, ZB_GROWTH_LOAD);
	assert_calm();
	assert_true(g.conns.slope > 99 && g.conns.slope < 101);
	/* 25.6 kB of connections and 1.2 kB of timers a second, from 30 MB to 1 GiB. */
	assert_true(g.cap_in_s > 30000 && g.cap_in_s < 45000);
}

static void timers(unsigned i, double v[NR])
{
	v[TIMER_BYTES] += 20000.0 * i;
	v[LIVE] += 20000.0 * i;
}

static void growth_without_connections_is_no_expiry(void **state)
{
	(void)state;
	judge(1200, timers);
	assert_int_equal(g.kind[KIND_TIMER].what, ZB_GROWTH_NO_EXPIRY);
	assert_int_equal(g.top, KIND_TIMER);
	assert_true(fabs(g.kind[KIND_TIMER].trend.slope - 20000) < 100);
	assert_int_not_equal(g.leak, ZB_GROWTH_LEAK); /* it is counted */
}

/* A run shorter than what state may live cannot know whether it would have gone. */
static void growth_short_run_is_not_called_endless(void **state)
{
	(void)state;
	judge(200, timers);
	assert_int_not_equal(g.kind[KIND_TIMER].what, ZB_GROWTH_NO_EXPIRY);
	assert_int_equal(g.top, UINT_MAX);
}

static void hosts(unsigned i, double v[NR])
{
	v[KNOWN_BYTES] += 20000.0 * i;
	v[LIVE] += 20000.0 * i;
}

/* Hosts are kept for a day: two hours say nothing about whether they would go. */
static void growth_that_may_live_longer_is_unknown(void **state)
{
	(void)state;
	judge(7200, hosts);
	assert_int_equal(g.kind[KIND_KNOWN].what, ZB_GROWTH_UNKNOWN);
	assert_int_equal(g.top, UINT_MAX);
}

static void cache(unsigned i, double v[NR])
{
	double filled = 20 * MIB * (1 - exp(-(double)i / 250));

	v[TIMER_BYTES] += filled;
	v[LIVE] += filled;
}

/* What fills, ever more slowly, is not called endless. */
static void growth_that_levels_off_is_not_endless(void **state)
{
	(void)state;
	judge(1200, cache);
	assert_int_not_equal(g.kind[KIND_TIMER].what, ZB_GROWTH_NO_EXPIRY);
}

static void leaks(unsigned i, double v[NR])
{
	v[LIVE] += 30000.0 * i + 20000 * noise(i);
}

static void growth_of_what_is_not_counted_is_a_leak(void **state)
{
	(void)state;
	judge(60, leaks);
	assert_int_equal(g.leak, ZB_GROWTH_LEAK);
	assert_int_equal(g.top, UINT_MAX);
	assert_true(g.uncounted.low < 32000 && g.uncounted.high > 29000);
}

static void leaks_under_load(unsigned i, double v[NR])
{
	ramp(i, v);
	leaks(i, v);
}

/* Load beside it does not hide it. */
static void growth_leak_under_load_is_found(void **state)
{
	(void)state;
	judge(1200, leaks_under_load);
	assert_int_equal(g.leak, ZB_GROWTH_LEAK);
	assert_int_equal(g.kind[KIND_CONN].what, ZB_GROWTH_LOAD);
}

static void no_live(unsigned i, double v[NR])
{
	(void)i;
	v[LIVE] = 0;
}

/* Built without the allocator's counters nothing is claimed. */
static void growth_without_allocator_knows_no_leak(void **state)
{
	(void)state;
	judge(1200, no_live);
	assert_int_equal(g.leak, ZB_GROWTH_UNKNOWN);
}

static void overdue(unsigned i, double v[NR])
{
	v[OVERDUE] = i > 60 ? v[CONNS] * 0.8 : 0;
}

static void backlog(unsigned i, double v[NR])
{
	v[OVERDUE] = i > 1100 ? v[CONNS] * 0.8 : 0;
}

/* Connections beyond their time-out that stay are no load; a short backlog at the end is. */
static void growth_connections_beyond_their_time(void **state)
{
	(void)state;
	judge(1200, overdue);
	assert_int_equal(g.conn_state, ZB_GROWTH_NO_EXPIRY);
	assert_true(g.overdue_ratio > 0.79 && g.overdue_ratio < 0.81);
	close_series(NULL);
	open_series(NULL);
	judge(1200, backlog);
	assert_int_equal(g.conn_state, ZB_GROWTH_PLATEAU);
}

static void wasted(unsigned i, double v[NR])
{
	(void)i;
	v[ALLOCATED] = 100 * MIB;
	v[ACTIVE] = 180 * MIB;
}

static void was_large(unsigned i, double v[NR])
{
	v[ALLOCATED] = i < 600 ? 400 * MIB : 50 * MIB;
	v[ACTIVE] = v[ALLOCATED] + 4 * MIB;
	v[RSS] = 500 * MIB;
}

static void went_back(unsigned i, double v[NR])
{
	was_large(i, v);
	v[RSS] = i < 700 ? 500 * MIB : 150 * MIB;
}

static void growth_shapes_of_the_allocator(void **state)
{
	(void)state;
	judge(1200, wasted);
	assert_int_equal(g.shape, ZB_GROWTH_FRAGMENTED);
	close_series(NULL);
	open_series(NULL);
	judge(1200, was_large);
	assert_int_equal(g.shape, ZB_GROWTH_HIGH_WATER);
	close_series(NULL);
	open_series(NULL);
	judge(1200, went_back);
	assert_int_equal(g.shape, ZB_GROWTH_PLATEAU);
}

/* Nothing, or next to nothing, is no reason to say anything. */
static void growth_of_nothing_is_unknown(void **state)
{
	(void)state;
	judge(0, NULL);
	assert_int_equal(g.leak, ZB_GROWTH_UNKNOWN);
	assert_int_equal(g.top, UINT_MAX);
	judge(3, leaks);
	assert_int_equal(g.leak, ZB_GROWTH_UNKNOWN);
	assert_int_equal(g.conn_state, ZB_GROWTH_UNKNOWN);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, open_series, close_series)
int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(track_halves_its_resolution),
		CASE(trend_is_told_from_noise),
		CASE(growth_steady_is_a_plateau),
		CASE(growth_with_connections_is_load),
		CASE(growth_without_connections_is_no_expiry),
		CASE(growth_short_run_is_not_called_endless),
		CASE(growth_that_may_live_longer_is_unknown),
		CASE(growth_that_levels_off_is_not_endless),
		CASE(growth_of_what_is_not_counted_is_a_leak),
		CASE(growth_leak_under_load_is_found),
		CASE(growth_without_allocator_knows_no_leak),
		CASE(growth_connections_beyond_their_time),
		CASE(growth_shapes_of_the_allocator),
		CASE(growth_of_nothing_is_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_pace.c - rates are read as they are written, schedules keep them over days */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "capture/pace.h"

#define HZ	  2095998000.0
#define DAY_TICKS (86400 * 2095998000ull)
#define STEPS	  1000000u

static struct zb_pace_rate rate(const char *text)
{
	struct zb_pace_rate r = {0};

	assert_int_equal(zb_pace_parse(text, &r), 0);
	return r;
}

static struct zb_pace schedule(const char *text)
{
	struct zb_pace_rate r = rate(text);
	struct zb_pace s;

	zb_pace_init(&s, &r, HZ);
	return s;
}

/* Every unit and suffix must be understood, and written back as a person would. */
static void rate_of_each_kind_is_read_and_written(void **state)
{
	static const struct {
		const char *text, *written;
		enum zb_pace_kind kind;
		double value;
	} cases[] = {
		{"max", "max", ZB_PACE_MAX, 0},
		{"10pps", "10pps", ZB_PACE_PPS, 10},
		{"10kpps", "10kpps", ZB_PACE_PPS, 1e4},
		{"2.5Mpps", "2.5Mpps", ZB_PACE_PPS, 2.5e6},
		{"200Mpps", "200Mpps", ZB_PACE_PPS, 200e6},
		{"0.5pps", "0.5pps", ZB_PACE_PPS, 0.5},
		{"1500bps", "1.5kbps", ZB_PACE_BPS, 1500},
		{"40gbps", "40Gbps", ZB_PACE_BPS, 40e9},
		{"10Tbps", "10Tbps", ZB_PACE_BPS, 1e13},
		{"1x", "1x", ZB_PACE_TIMES, 1},
		{"0.25x", "0.25x", ZB_PACE_TIMES, 0.25},
		{"4000x", "4000x", ZB_PACE_TIMES, 4000},
	};
	char buf[32];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct zb_pace_rate r = rate(cases[i].text);

		assert_int_equal(r.kind, cases[i].kind);
		assert_true(r.value == cases[i].value);
		assert_string_equal(zb_pace_format(&r, buf, sizeof(buf)), cases[i].written);
	}
}

/* What is no rate must be told from a rate that cannot be kept. */
static void rate_that_is_none_is_refused(void **state)
{
	static const char *const none[] = {"",	     "fast",   "10",	  "pps",
					   "-1pps",  "+1pps",  "1..pps",  "kpps",
					   "1kx",    "infpps", "0x10pps", "1e6pps",
					   "1 kpps", "1kppss", "1kkpps",  "maxx"};
	static const char *const beyond[] = {"0pps",	 "201Mpps", "11Tbps",
					     "1000001x", "0x",	    "0.0001pps"};
	struct zb_pace_rate r;

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(zb_pace_parse(none[i], &r), -EINVAL);
	for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++)
		assert_int_equal(zb_pace_parse(beyond[i], &r), -ERANGE);
}

/* After days at 100 Mpps a packet must be due where its number and rate say, to a tick. */
static void schedule_of_days_does_not_drift(void **state)
{
	struct zb_pace s = schedule("100Mpps");
	uint64_t day_pkts = 86400 * 100000000ull;

	(void)state;
	for (uint64_t day = 1; day <= 30; day++) {
		uint64_t want = day * DAY_TICKS, due;

		zb_pace_skip(&s, day_pkts);
		due = zb_pace_due(&s);
		assert_in_range(due, want - 1, want);
	}
}

/* A rate whose period is no whole number of ticks must not be rounded packet by packet. */
static void schedule_of_single_steps_keeps_fractions(void **state)
{
	struct zb_pace s = schedule("7Mpps"), skipped = s;
	double want = STEPS * HZ / 7e6;

	(void)state;
	for (uint32_t i = 0; i < STEPS; i++)
		zb_pace_next(&s, 64);
	zb_pace_skip(&skipped, STEPS);
	assert_true(s.due == skipped.due);
	assert_true((double)zb_pace_due(&s) > want - 2 && (double)zb_pace_due(&s) < want + 1);
}

/* At a rate of bits, the time of a packet must follow from the bytes before it. */
static void schedule_of_bits_follows_bytes(void **state)
{
	struct zb_pace s = schedule("10Gbps");
	uint64_t bytes = 0;
	double want;

	(void)state;
	for (uint32_t i = 0; i < STEPS; i++) {
		uint32_t len = 60 + i % 1455;

		bytes += len;
		zb_pace_next(&s, len);
	}
	want = (double)bytes * 8 * HZ / 10e9;
	assert_true((double)zb_pace_due(&s) > want - 2 && (double)zb_pace_due(&s) < want + 1);
}

/* The number of packets due before a time must be that of the steps that reach it. */
static void schedule_before_counts_steps(void **state)
{
	struct zb_pace s = schedule("3Mpps");

	(void)state;
	assert_int_equal(zb_pace_before(&s, 0), 0);
	assert_int_equal(zb_pace_before(&s, 1), 1);
	for (uint32_t i = 0; i < 1000; i++) {
		uint64_t due = zb_pace_due(&s);

		assert_int_equal(zb_pace_before(&s, due), 0);
		assert_int_equal(zb_pace_before(&s, due + 1), 1);
		zb_pace_next(&s, 0);
	}
	/* A second from its beginning: as many as its rate says. */
	s = schedule("3Mpps");
	assert_int_equal(zb_pace_before(&s, (uint64_t)HZ), 3000000);
}

/* The traffic's own gaps must be kept, scaled; time that runs back must not take it along. */
static void schedule_of_times_keeps_gaps(void **state)
{
	struct zb_pace s = schedule("2x");

	(void)state;
	zb_pace_at(&s, 5000000000);
	assert_int_equal(zb_pace_due(&s), 0);
	zb_pace_at(&s, 6000000000);
	assert_in_range(zb_pace_due(&s), (uint64_t)(HZ / 2) - 1, (uint64_t)(HZ / 2));
	zb_pace_at(&s, 5500000000);
	assert_in_range(zb_pace_due(&s), (uint64_t)(HZ / 2) - 1, (uint64_t)(HZ / 2));
	zb_pace_at(&s, 7000000000);
	assert_in_range(zb_pace_due(&s), (uint64_t)HZ - 1, (uint64_t)HZ);
	/* The slowest rate and the largest gap fit. */
	s = schedule("0.001x");
	zb_pace_at(&s, 0);
	zb_pace_at(&s, UINT64_MAX);
	assert_true(zb_pace_due(&s) > (uint64_t)(86400 * HZ));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rate_of_each_kind_is_read_and_written),
		cmocka_unit_test(rate_that_is_none_is_refused),
		cmocka_unit_test(schedule_of_days_does_not_drift),
		cmocka_unit_test(schedule_of_single_steps_keeps_fractions),
		cmocka_unit_test(schedule_of_bits_follows_bytes),
		cmocka_unit_test(schedule_before_counts_steps),
		cmocka_unit_test(schedule_of_times_keeps_gaps),
	};

	return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}

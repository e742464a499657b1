/* SPDX-License-Identifier: Apache-2.0 */
/* test_schedule.c - rates as people write them, and due times that never drift */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "capture/schedule.h"

#define HZ    2095998741ull
#define BEGIN 123456789ull
#define STEPS 200000u
#define NS_S  1000000000ull

/* What people write must be read, and nothing else. */
static void schedule_rates_are_read(void **state)
{
	static const struct {
		const char *text;
		enum zb_rate_kind kind;
		uint64_t milli;
	} good[] = {
		{"max", ZB_RATE_MAX, 0},
		{"1x", ZB_RATE_TIMES, 1000},
		{"0.5x", ZB_RATE_TIMES, 500},
		{"250kpps", ZB_RATE_PPS, 250000000},
		{"1.5Mpps", ZB_RATE_PPS, 1500000000},
		{"0.5pps", ZB_RATE_PPS, 500},
		{"10Gbps", ZB_RATE_BPS, 10000000000000},
		{"100mbps", ZB_RATE_BPS, 100000000000},
	};
	static const char *const bad[] = {"",	 "x",	 "0x",	   "1",	   "-1x",   "1 x",
					  "1y",	 "0pps", "infpps", "nanx", "0x1px", "pps",
					  "+1x", "1xx",	 "1x ",	   ".5x",  "maxx",  "1kkpps"};
	static const char *const beyond[] = {"1001x", "2e12pps", "1e400x", "0.0001pps",
					     "2000000Gbps"};
	struct zb_rate r;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(zb_rate_parse(good[i].text, &r), 0);
		assert_int_equal(r.kind, good[i].kind);
		assert_int_equal(r.milli, good[i].milli);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (zb_rate_parse(bad[i], &r) != -EINVAL)
			fail_msg("'%s' was taken", bad[i]);
	for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++)
		if (zb_rate_parse(beyond[i], &r) != -ERANGE)
			fail_msg("'%s' is not out of range", beyond[i]);
}

/* Packet n is due n packet times after the first, to the cycle, whatever their length in cycles. */
static void schedule_packets_are_due_evenly(void **state)
{
	static const uint64_t milli[] = {333,	    1000,	 7000003,
					 999999999, 14880952381, 1000000000000000};

	(void)state;
	for (size_t i = 0; i < sizeof(milli) / sizeof(milli[0]); i++) {
		struct zb_rate rate = {ZB_RATE_PPS, milli[i]};
		struct zb_schedule s;

		zb_schedule_begin(&s, &rate, HZ, BEGIN);
		for (uint64_t n = 0; n < STEPS; n++) {
			uint64_t want = (uint64_t)((unsigned __int128)n * HZ * 1000 / milli[i]);

			assert_int_equal(zb_schedule_next(&s, 0, 60), BEGIN + want);
		}
	}
}

/* A packet is due when the bits of all before it have gone out. */
static void schedule_bits_are_due_evenly(void **state)
{
	struct zb_rate rate = {ZB_RATE_BPS, 9999999999997};
	struct zb_schedule s;
	uint64_t bits = 0;

	(void)state;
	zb_schedule_begin(&s, &rate, HZ, BEGIN);
	for (uint32_t n = 0; n < STEPS; n++) {
		uint32_t bytes = 60 + n * 37 % 1455;
		uint64_t want = (uint64_t)((unsigned __int128)bits * HZ * 1000 / rate.milli);

		assert_int_equal(zb_schedule_next(&s, 0, bytes), BEGIN + want);
		bits += 8 * (uint64_t)bytes;
	}
}

/* The trace's own times, so many times as fast, for months; a time that runs back waits. */
static void schedule_keeps_the_traces_times(void **state)
{
	struct zb_rate rate = {ZB_RATE_TIMES, 2500};
	struct zb_schedule s;
	uint64_t months = 8640000 * NS_S;

	(void)state;
	zb_schedule_begin(&s, &rate, HZ, BEGIN);
	assert_int_equal(zb_schedule_next(&s, 0, 60), BEGIN);
	assert_int_equal(zb_schedule_next(&s, NS_S, 60), BEGIN + HZ * 10 / 25);
	assert_int_equal(zb_schedule_next(&s, NS_S / 2, 60), BEGIN + HZ * 10 / 25);
	assert_int_equal(zb_schedule_next(&s, months, 60), BEGIN + 8640000 * HZ * 10 / 25);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schedule_rates_are_read),
		cmocka_unit_test(schedule_packets_are_due_evenly),
		cmocka_unit_test(schedule_bits_are_due_evenly),
		cmocka_unit_test(schedule_keeps_the_traces_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_lag.c - percentiles from a histogram: never too low, at most an eighth too high */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "profiler/lag.h"

/* Buckets rise with time, without a hole, and end in the last one. */
static void lag_buckets_rise(void **state)
{
	unsigned last = 0;

	(void)state;
	for (uint64_t ns = 1; ns < 1u << 20; ns++) {
		unsigned b = zb_lag_bucket(ns);

		assert_true(b == last || b == last + 1);
		last = b;
	}
	assert_int_equal(zb_lag_bucket(UINT64_MAX), ZB_LAG_BUCKETS - 1);
	assert_true(zb_lag_bucket(60000000000) < ZB_LAG_BUCKETS - 1);
}

/* A percentile of one value, whatever it is, is that value or its bucket's end. */
static void lag_percentile_is_close_from_above(void **state)
{
	(void)state;
	for (uint64_t ns = 1; ns < 60000000000; ns += ns / 3 + 1) {
		struct zb_lag l = {.max_ns = 0};
		uint64_t p;

		zb_lag_note(&l, ns);
		zb_lag_note(&l, 2 * ns); /* so that the maximum does not help */
		p = zb_lag_at(&l, 0.5);
		assert_true(p >= ns && p <= ns + ns / 8);
		assert_int_equal(zb_lag_at(&l, 1), 2 * ns);
	}
}

/* Shares count from below; nothing noted is 0. */
static void lag_shares_count_from_below(void **state)
{
	struct zb_lag l = {.max_ns = 0}, sum = {.max_ns = 0};

	(void)state;
	assert_int_equal(zb_lag_at(&l, 0.5), 0);
	for (unsigned i = 1; i <= 1000; i++)
		zb_lag_note(&l, i <= 990 ? 4 : 1000000);
	assert_int_equal(zb_lag_count(&l), 1000);
	assert_int_equal(zb_lag_at(&l, 0), 4);
	assert_int_equal(zb_lag_at(&l, 0.99), 4);
	assert_int_equal(zb_lag_at(&l, 0.991), 1000000);
	zb_lag_add(&sum, &l);
	zb_lag_add(&sum, &l);
	assert_int_equal(zb_lag_count(&sum), 2000);
	assert_int_equal(sum.max_ns, 1000000);
	assert_int_equal(zb_lag_at(&sum, 0.99), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lag_buckets_rise),
		cmocka_unit_test(lag_percentile_is_close_from_above),
		cmocka_unit_test(lag_shares_count_from_below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_depart.c - percentiles are near the truth and never below it, whatever the values */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "bench/gen_rand.h"
#include "bench/depart.h"

#define VALUES 20000u

static const double shares[] = {0, .01, .5, .9, .99, .999, .9999, 1};

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The exact percentile of sorted values. */
static uint64_t exact(const uint64_t *sorted, double share)
{
	uint64_t rank = (uint64_t)ceil(share * VALUES);

	return sorted[rank == 0 ? 0 : rank - 1];
}

/* Each percentile must be at least the exact one, and at most 1/32 above. */
static void depart_percentiles_are_near_the_exact_ones(void **state)
{
	static struct zb_depart l;
	static uint64_t v[VALUES];
	struct zb_gen_rand r = zb_gen_rand_seed(1, 2);

	(void)state;
	zb_depart_init(&l);
	for (uint32_t i = 0; i < VALUES; i++) {
		uint64_t due = 0;

		/* From single ticks to hours. */
		v[i] = zb_gen_rand_u64(&r);
		v[i] >>= 20 + zb_gen_rand_below(&r, 44);
		zb_depart_add(&l, v[i], &due, 1);
	}
	qsort(v, VALUES, sizeof(v[0]), by_value);
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		uint64_t want = exact(v, shares[i]), got = zb_depart_percentile(&l, shares[i]);

		assert_in_range(got, want, want + want / 32);
	}
	assert_int_equal(l.max, v[VALUES - 1]);
	assert_int_equal(l.pkts, VALUES);
	assert_true(l.slice_nr <= ZB_DEPART_SLICES);
}

/* The largest value there is must have a bucket; none at all must give 0. */
static void depart_extremes_have_their_place(void **state)
{
	static struct zb_depart l;

	(void)state;
	assert_in_range(zb_depart_bucket(UINT64_MAX), 0, ZB_DEPART_BUCKETS - 1);
	assert_int_equal(zb_depart_bucket(0), 0);
	zb_depart_init(&l);
	assert_int_equal(zb_depart_percentile(&l, .5), 0);
	assert_true(zb_depart_mean(&l) == 0);
	for (uint64_t v = 1; v < UINT64_MAX / 4; v = v * 3 / 2 + 1)
		assert_true(zb_depart_bucket(v) >= zb_depart_bucket(v - 1));
}

/* Packets due evenly must be counted as they would be one by one. */
static void depart_of_even_packets_is_as_one_by_one(void **state)
{
	static const double steps[] = {0.3, 1, 15.5, 250.25, 100000};
	static struct zb_depart even, single;
	uint64_t due[512];

	(void)state;
	for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
		zb_depart_init(&even);
		zb_depart_init(&single);
		for (uint32_t n = 1; n <= 512; n += 73) {
			uint64_t now = 1u << 29, extra = 7 * n;

			for (uint32_t i = 0; i < n; i++)
				due[i] = now - extra - (uint64_t)(steps[s] * (n - 1 - i));
			zb_depart_add(&single, now, due, n);
			zb_depart_add_even(&even, now, (double)extra + steps[s] * (n - 1), steps[s],
					   n);
		}
		assert_int_equal(even.pkts, single.pkts);
		assert_true(fabs(zb_depart_mean(&even) - zb_depart_mean(&single)) <=
			    2 + zb_depart_mean(&single) / 1000);
		for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
			double a = (double)zb_depart_percentile(&even, shares[i]);
			double b = (double)zb_depart_percentile(&single, shares[i]);

			assert_true(fabs(a - b) <= 2 + b / 16);
		}
	}
}

/* A lag that grows must show as a difference between the ends, however long the run. */
static void depart_that_grows_shows_at_the_ends(void **state)
{
	static struct zb_depart l;
	double first, last;
	uint64_t sum = 0;

	(void)state;
	zb_depart_init(&l);
	for (uint64_t i = 0; i < 100000; i++) {
		uint64_t now = (i + 1) << 24, due = now - i;

		zb_depart_add(&l, now, &due, 1);
	}
	zb_depart_ends(&l, &first, &last);
	assert_true(first > 2000 && first < 9000);
	assert_true(last > 91000 && last < 98000);
	assert_in_range(l.slice_nr, ZB_DEPART_SLICES / 2, ZB_DEPART_SLICES);
	for (uint32_t i = 0; i < ZB_DEPART_SLICES; i++)
		sum += l.slice[i].pkts;
	assert_int_equal(sum, 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(depart_percentiles_are_near_the_exact_ones),
		cmocka_unit_test(depart_extremes_have_their_place),
		cmocka_unit_test(depart_of_even_packets_is_as_one_by_one),
		cmocka_unit_test(depart_that_grows_shows_at_the_ends),
	};

	return cmocka_run_group_tests_name("depart", tests, NULL, NULL);
}

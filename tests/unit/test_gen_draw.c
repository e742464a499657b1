/* SPDX-License-Identifier: Apache-2.0 */
/* test_gen_draw.c - what is drawn at random comes as often as it should, and the same everywhere */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "bench/gen_gaps.h"
#include "bench/gen_math.h"
#include "bench/gen_pick.h"
#include "bench/gen_shape.h"

#define DRAWS	  200000u
#define SECOND_NS 1000000000ull
#define Q32	  4294967296.0
/* Digests of the draws below; they change only with the way numbers are drawn. */
#define GOLDEN_GAPS 0x150d990888e5a92aull
#define GOLDEN_ZIPF 0x5d6f23499908cb70ull

static uint64_t digest(uint64_t h, uint64_t v)
{
	return zb_gen_mix(h ^ v) + 0x9e3779b97f4a7c15ull;
}

/* Within five standard deviations of a coin thrown DRAWS times. */
static void assert_share(uint64_t seen, double share)
{
	double want = share * DRAWS, off = (double)seen - want;

	if (off * off > 25 * want * (1 - share) + 1)
		fail_msg("%llu of %u instead of %.0f", (unsigned long long)seen, DRAWS, want);
}

/* Logarithms are right, powers undo them, and exponential draws have mean and spread 1. */
static void gen_math_is_right(void **state)
{
	struct zb_gen_rand r = zb_gen_rand_seed(1, 2);
	double sum = 0, squares = 0, mean;
	uint64_t above_1 = 0;

	(void)state;
	zb_gen_math_init();
	for (unsigned i = 0; i < 64; i++)
		assert_true(zb_gen_log2_q32(1ull << i) == (uint64_t)i << 32);
	/* log2(3) = 1.5849625007211562, log2(1000000007) = 29.897352863904256 */
	assert_in_range(zb_gen_log2_q32(3), 6807362105ull, 6807362107ull);
	assert_true((double)zb_gen_log2_q32(1000000007) / Q32 > 29.8973526 &&
		    (double)zb_gen_log2_q32(1000000007) / Q32 < 29.8973531);
	for (uint64_t v = 1; v < 1ull << 40; v = v * 3 + 1) {
		uint64_t back = zb_gen_pow2_40((40ull << 32) - zb_gen_log2_q32(v));

		assert_true(back + v / 1000000 + 1 >= v && back <= v + v / 1000000 + 1);
	}
	assert_true(zb_gen_pow2_40(41ull << 32) == 0);
	for (uint32_t i = 0; i < DRAWS; i++) {
		double e = (double)zb_gen_exp_q32(zb_gen_rand_u64(&r)) / Q32;

		sum += e;
		squares += e * e;
		above_1 += e > 1;
	}
	mean = sum / DRAWS;
	assert_true(mean > 0.99 && mean < 1.01);
	assert_true(squares / DRAWS - mean * mean > 0.97 && squares / DRAWS - mean * mean < 1.03);
	assert_share(above_1, 0.36787944);
	assert_true((double)zb_gen_exp_q32(0) / Q32 > 44.3 && zb_gen_exp_q32(UINT64_MAX) == 0);
}

/* Things come as often as their weights say; those without weight never do. */
static void gen_pick_draws_by_weight(void **state)
{
	static const uint64_t weights[] = {7, 0, 4, 1, 0};
	struct zb_gen_rand r = zb_gen_rand_seed(3, 4);
	uint64_t seen[5] = {0};
	struct zb_gen_pick p;

	(void)state;
	assert_int_equal(zb_gen_pick_init(&p, weights, 5), 0);
	for (uint32_t i = 0; i < DRAWS; i++)
		seen[zb_gen_pick_draw(&p, &r)]++;
	zb_gen_pick_fini(&p);
	assert_share(seen[0], 7 / 12.0);
	assert_share(seen[2], 4 / 12.0);
	assert_share(seen[3], 1 / 12.0);
	assert_int_equal(seen[1] + seen[4], 0);
}

/* Zipf: the n-th comes 1/n^s as often as the first; an exponent of 0 makes all the same. */
static void gen_zipf_falls_with_the_exponent(void **state)
{
	/* sums of 1/n^s for n to 100: s = 0, 1 and 2 */
	static const double sums[] = {100, 5.187377517639621, 1.634983900184893};
	uint64_t h = 0;

	(void)state;
	for (unsigned s = 0; s < 3; s++) {
		struct zb_gen_rand r = zb_gen_rand_seed(5, s);
		uint64_t seen[100] = {0};
		struct zb_gen_pick p;

		assert_int_equal(zb_gen_pick_init_zipf(&p, 100, s * 1000000), 0);
		for (uint32_t i = 0; i < DRAWS; i++)
			seen[zb_gen_pick_draw(&p, &r)]++;
		zb_gen_pick_fini(&p);
		for (unsigned n = 1; n <= 100; n += 9)
			assert_share(seen[n - 1], 1 /
							  (s == 0   ? 1.0
							   : s == 1 ? n
								    : n * n) /
							  sums[s]);
		for (unsigned n = 0; n < 100; n++)
			h = digest(h, seen[n]);
	}
	if (h != GOLDEN_ZIPF)
		fail_msg("digest is 0x%llx", (unsigned long long)h);
}

static void gen_pick_refuses_what_makes_no_sense(void **state)
{
	static const uint64_t none[] = {0, 0}, large[] = {ZB_GEN_WEIGHT_MAX + 1};
	struct zb_gen_pick p;

	(void)state;
	assert_int_equal(zb_gen_pick_init(&p, none, 2), -EINVAL);
	assert_int_equal(zb_gen_pick_init(&p, none, 0), -EINVAL);
	assert_int_equal(zb_gen_pick_init(&p, large, 1), -EINVAL);
	assert_int_equal(zb_gen_pick_init_zipf(&p, ZB_GEN_PICK_MAX + 1, 0), -EINVAL);
	assert_int_equal(zb_gen_pick_init_zipf(&p, 1, 0), 0);
	zb_gen_pick_fini(&p);
}

static struct zb_gaps_conf conf_of(uint64_t rate)
{
	return (struct zb_gaps_conf){
		.rate_millionths = rate * 1000000,
		.from_ns = 5 * SECOND_NS,
		.until_ns = 6 * SECOND_NS,
		.seed = 7,
	};
}

/* Constant gaps: as many events as the rate says, a third of a microsecond apart, to the last one.
 */
static void gen_gaps_constant_are_exact(void **state)
{
	struct zb_gaps_conf conf = conf_of(3000000);
	uint64_t ns, last_ns = 0, nr = 0;
	struct zb_gaps g;

	(void)state;
	zb_gaps_init(&g, &conf);
	for (; zb_gaps_due(&g, &ns); zb_gaps_pass(&g, 64), nr++) {
		if (nr > 0)
			assert_in_range(ns - last_ns, 333, 334);
		last_ns = ns;
	}
	assert_in_range(nr, 3000000, 3000001);
	/* Frames of 84 bytes on the wire at 10 Gbit/s: 14.88 million a second. */
	conf.rate_millionths = 0;
	conf.bits = 10000000000ull;
	zb_gaps_init(&g, &conf);
	for (nr = 0; zb_gaps_due(&g, &ns); nr++)
		zb_gaps_pass(&g, 60);
	assert_in_range(nr, 14880940, 14880980);
}

/* Poisson gaps: the count is that of the rate within chance, gaps spread as much as they are long.
 */
static void gen_gaps_poisson_has_rate_and_spread(void **state)
{
	struct zb_gaps_conf conf = conf_of(DRAWS);
	uint64_t ns, last_ns = conf.from_ns, nr = 0, short_nr = 0, h = 0;
	struct zb_gaps g;

	(void)state;
	conf.poisson = true;
	zb_gaps_init(&g, &conf);
	for (; zb_gaps_due(&g, &ns); zb_gaps_pass(&g, 0), nr++) {
		short_nr += ns - last_ns < 5000;
		last_ns = ns;
		h = digest(h, ns);
	}
	assert_in_range(nr, DRAWS - 5 * 447, DRAWS + 5 * 447);
	assert_share(short_nr * DRAWS / nr, 1 - 0.36787944);
	if (h != GOLDEN_GAPS)
		fail_msg("digest is 0x%llx", (unsigned long long)h);
}

/* On and off: nothing comes while it is off, and while it is on the rate holds. */
static void gen_gaps_off_is_silent(void **state)
{
	struct zb_gaps_conf conf = conf_of(1000000);
	uint64_t ns, nr = 0;
	struct zb_gaps g;

	(void)state;
	conf.on_ns = 10000000;
	conf.off_ns = 90000000;
	zb_gaps_init(&g, &conf);
	for (; zb_gaps_due(&g, &ns); zb_gaps_pass(&g, 0), nr++)
		assert_true((ns - conf.from_ns) % 100000000 < conf.on_ns);
	assert_in_range(nr, 100000 - 10, 100000 + 10);
	/* Gaps longer than the on time are no loop. */
	conf.rate_millionths = 1000000;
	conf.on_ns = 1000;
	conf.off_ns = 1000;
	conf.until_ns = 12 * SECOND_NS;
	zb_gaps_init(&g, &conf);
	for (nr = 0; zb_gaps_due(&g, &ns); nr++)
		zb_gaps_pass(&g, 0);
	assert_in_range(nr, 3, 4);
}

/* Microbursts: so many at the line's rate, then a gap that keeps the mean. */
static void gen_gaps_microbursts_keep_the_mean(void **state)
{
	struct zb_gaps_conf conf = conf_of(100000);
	uint64_t ns, last_ns = 0, nr = 0;
	struct zb_gaps g;

	(void)state;
	conf.burst = 32;
	conf.line_bits = 10000000000ull;
	zb_gaps_init(&g, &conf);
	for (; zb_gaps_due(&g, &ns); zb_gaps_pass(&g, 60), nr++) {
		if (nr % 32 != 0)
			assert_in_range(ns - last_ns, 67, 68); /* 84 bytes */
		else if (nr > 0)
			assert_in_range(ns - last_ns, 317000, 319000);
		last_ns = ns;
	}
	assert_in_range(nr, 100000, 100032);
}

/* Sizes with a tail: evenly over the logarithm, between the bounds. */
static void gen_dist_tail_is_even_over_the_logarithm(void **state)
{
	const struct zb_gen_dist d = {.part_nr = 1, .parts = {{1000, 1000000, true}}};
	struct zb_gen_rand r = zb_gen_rand_seed(8, 9);
	uint64_t small = 0, middle = 0;

	(void)state;
	zb_gen_math_init();
	for (uint32_t i = 0; i < DRAWS; i++) {
		uint64_t v = zb_gen_dist_draw(&d, &r);

		assert_in_range(v, 1000, 1000000);
		small += v < 10000;
		middle += v >= 10000 && v < 100000;
	}
	assert_share(small, 1 / 3.0);
	assert_share(middle, 1 / 3.0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gen_math_is_right),
		cmocka_unit_test(gen_pick_draws_by_weight),
		cmocka_unit_test(gen_zipf_falls_with_the_exponent),
		cmocka_unit_test(gen_pick_refuses_what_makes_no_sense),
		cmocka_unit_test(gen_gaps_constant_are_exact),
		cmocka_unit_test(gen_gaps_poisson_has_rate_and_spread),
		cmocka_unit_test(gen_gaps_off_is_silent),
		cmocka_unit_test(gen_gaps_microbursts_keep_the_mean),
		cmocka_unit_test(gen_dist_tail_is_even_over_the_logarithm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

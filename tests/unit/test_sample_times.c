/* SPDX-License-Identifier: Apache-2.0 */
/* test_sample_times.c - samples by time: nothing is lost when columns are joined */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include "profiler/sample_times.h"

static struct zb_sample_at one(uint16_t lane, uint32_t stack)
{
	return (struct zb_sample_at){.weight = 1, .lane = lane, .stack = stack};
}

static void add(struct zb_sample_times *t, uint64_t ns, uint16_t lane, uint32_t stack)
{
	assert_int_equal(zb_sample_times_add(t, ns, one(lane, stack)), 0);
}

static uint64_t total(const struct zb_sample_times *t)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < t->nr; i++)
		sum += t->at[i].weight;
	return sum;
}

static void assert_sorted(const struct zb_sample_times *t)
{
	assert_int_equal(t->settled, t->nr);
	for (uint32_t i = 1; i < t->nr; i++) {
		const struct zb_sample_at *a = &t->at[i - 1], *b = &t->at[i];

		if (a->column != b->column)
			assert_true(a->column < b->column);
		else if (a->lane != b->lane)
			assert_true(a->lane < b->lane);
		else
			assert_true(a->stack < b->stack);
	}
}

/* Equal samples of one column are one entry, whatever came between them. */
static void times_equal_samples_of_a_column_are_one_entry(void **state)
{
	struct zb_sample_times t;

	(void)state;
	zb_sample_times_init(&t, 100);
	add(&t, 3 * ZB_COLUMN_NS, 0, 7);
	add(&t, 1, 1, 7);
	add(&t, 0, 0, 8);
	add(&t, ZB_COLUMN_NS - 1, 1, 7);
	add(&t, ZB_COLUMN_NS, 1, 7);
	zb_sample_times_settle(&t);
	assert_sorted(&t);
	assert_int_equal(t.nr, 4);
	assert_int_equal(t.at[1].weight, 2);
	assert_int_equal(t.at[3].column, 3);
	assert_int_equal(t.column_ns, ZB_COLUMN_NS);
	zb_sample_times_fini(&t);
}

/* However long it lasts, there are never more than max entries, and every sample is in one. */
static void times_full_becomes_coarser_and_loses_nothing(void **state)
{
	struct zb_sample_times t;
	uint64_t at = 0;

	(void)state;
	zb_sample_times_init(&t, 500);
	for (uint32_t i = 0; i < 200000; i++) {
		at += 10101010; /* 99 Hz */
		add(&t, at, (uint16_t)(i % 3), i * 7 % 20);
		assert_true(t.nr <= 500);
	}
	zb_sample_times_settle(&t);
	assert_sorted(&t);
	assert_int_equal(total(&t), 200000);
	/* More than a quarter of the entries is in use. */
	assert_true(t.column_ns % ZB_COLUMN_NS == 0);
	assert_true(at / t.column_ns >= 2);
	assert_true(t.nr > 125);
	for (uint32_t i = 0; i < t.nr; i++)
		assert_true(t.at[i].column <= at / t.column_ns);
	zb_sample_times_fini(&t);
}

/* Samples that come late find their column. */
static void times_late_samples_are_put_where_they_belong(void **state)
{
	struct zb_sample_times t;

	(void)state;
	zb_sample_times_init(&t, 100000);
	for (uint32_t i = 0; i < 40000; i++)
		add(&t, (uint64_t)(39999 - i) * ZB_COLUMN_NS, 0, 1);
	zb_sample_times_settle(&t);
	assert_sorted(&t);
	assert_int_equal(t.nr, 40000);
	zb_sample_times_fini(&t);
}

/* A time beyond what columns can be numbered makes them wider instead of wrapping. */
static void times_far_future_widens_columns(void **state)
{
	struct zb_sample_times t;

	(void)state;
	zb_sample_times_init(&t, 100);
	add(&t, 0, 0, 1);
	add(&t, UINT64_MAX, 0, 2);
	zb_sample_times_settle(&t);
	assert_int_equal(t.nr, 2);
	assert_int_equal(t.at[0].stack, 1);
	assert_int_equal(t.at[1].column, UINT64_MAX / t.column_ns);
	zb_sample_times_fini(&t);
}

/* When one column alone is too much, further stacks are refused, known ones are not. */
static void times_more_stacks_than_entries_are_refused(void **state)
{
	struct zb_sample_times t;
	uint32_t kept = 0;

	(void)state;
	zb_sample_times_init(&t, 64);
	for (uint32_t i = 0; i < 1000; i++)
		kept += zb_sample_times_add(&t, i * 1000, one(0, i)) == 0;
	zb_sample_times_settle(&t);
	assert_true(kept >= 56 && kept <= 64);
	assert_int_equal(total(&t), kept);
	zb_sample_times_fini(&t);
}

/* Weights add up, and stop at what a number holds. */
static void times_weights_are_capped(void **state)
{
	struct zb_sample_times t;
	struct zb_sample_at s = one(0, 1);

	(void)state;
	zb_sample_times_init(&t, 10);
	s.weight = UINT64_MAX - 1;
	assert_int_equal(zb_sample_times_add(&t, 0, s), 0);
	assert_int_equal(zb_sample_times_add(&t, 0, s), 0);
	zb_sample_times_settle(&t);
	assert_int_equal(t.nr, 1);
	assert_int_equal(t.at[0].weight, UINT64_MAX);
	zb_sample_times_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_equal_samples_of_a_column_are_one_entry),
		cmocka_unit_test(times_full_becomes_coarser_and_loses_nothing),
		cmocka_unit_test(times_late_samples_are_put_where_they_belong),
		cmocka_unit_test(times_far_future_widens_columns),
		cmocka_unit_test(times_more_stacks_than_entries_are_refused),
		cmocka_unit_test(times_weights_are_capped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

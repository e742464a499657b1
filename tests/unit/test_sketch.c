/* SPDX-License-Identifier: Apache-2.0 */
/* test_sketch.c - the heaviest keys are found, with weights that are off by their errors at most */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "profiler/sketch.h"

#define KEYS 5000

static struct zb_sketch *fresh(void)
{
	struct zb_sketch *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	return s;
}

static void add(struct zb_sketch *s, uint32_t id, uint64_t weight)
{
	uint8_t key[ZB_SKETCH_KEY] = {0};

	memcpy(key, &id, sizeof(id));
	/* A bad hash: keys must be compared. */
	zb_sketch_add(s, (uint64_t)(id % 7) << 48, key, weight);
}

static uint32_t id_of(const struct zb_sketch_entry *e)
{
	uint32_t id;

	memcpy(&id, e->key, sizeof(id));
	return id;
}

/* While there is room, weights are exact. */
static void check_few(struct zb_sketch *s)
{
	struct zb_sketch_entry top[4];

	for (unsigned round = 0; round < 3; round++)
		for (uint32_t id = 1; id <= 100; id++)
			add(s, id, id);
	assert_int_equal(s->total, 3 * 5050);
	assert_int_equal(zb_sketch_top(s, top, 4), 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(id_of(&top[i]), 100 - i);
		assert_int_equal(top[i].weight, 3 * (100 - i));
		assert_int_equal(top[i].error, 0);
	}
}

static void sketch_few_keys_are_exact(void **state)
{
	struct zb_sketch *s = fresh();

	(void)state;
	check_few(s);
	free(s);
}

/* Whom a share of the total is due is there, among very many; nobody's weight is too small. */
static void check_heavy(const struct zb_sketch *s, uint64_t expected, uint64_t total)
{
	struct zb_sketch_entry top[ZB_SKETCH_NR];
	uint32_t n = zb_sketch_top(s, top, ZB_SKETCH_NR);

	assert_int_equal(s->total, total);
	assert_int_equal(n, ZB_SKETCH_NR);
	assert_int_equal(id_of(&top[0]), UINT32_MAX);
	assert_in_range(top[0].weight, expected, expected + top[0].error);
	for (uint32_t i = 0; i < n; i++) {
		assert_true(top[i].error <= total / ZB_SKETCH_NR);
		if (i > 0)
			assert_true(top[i].weight <= top[i - 1].weight);
	}
}

static void sketch_heavy_key_is_found_among_many(void **state)
{
	struct zb_sketch *s = fresh();

	(void)state;
	for (uint32_t id = 1; id <= KEYS; id++) {
		add(s, id, 10);
		if (id % 10 == 0)
			add(s, UINT32_MAX, 20);
	}
	check_heavy(s, KEYS / 10 * 20, KEYS * 10 + KEYS / 10 * 20);
	free(s);
}

static uint64_t least_of(const struct zb_sketch *s)
{
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < ZB_SKETCH_NR; i++)
		least = s->weight[i] < least ? s->weight[i] : least;
	return least;
}

/* Who has no counter takes the smallest over, and no weight is lost by that. */
static void sketch_the_smallest_is_taken_over(void **state)
{
	struct zb_sketch *s = fresh();
	uint32_t random = 1;

	(void)state;
	for (uint32_t id = 1; id <= ZB_SKETCH_NR; id++)
		add(s, id, 100);
	for (uint32_t id = ZB_SKETCH_NR + 1; id <= KEYS; id++) {
		uint64_t least = least_of(s), all = 0;
		unsigned with_error = 0;

		random = random * 1664525u + 1013904223u;
		add(s, id, 1 + (random >> 24));
		for (unsigned i = 0; i < ZB_SKETCH_NR; i++) {
			all += s->weight[i];
			if (memcmp(s->key[i], &id, sizeof(id)) == 0)
				with_error += s->error[i] == least;
		}
		assert_int_equal(with_error, 1);
		assert_int_equal(all, s->total);
		add(s, id - random % 100, random >> 20);
	}
	free(s);
}

/* The heaviest alone is the first of all; what is forgotten leaves nothing behind. */
static void sketch_begins_anew(void **state)
{
	struct zb_sketch *s = fresh();
	struct zb_sketch_entry top[2];

	(void)state;
	assert_int_equal(zb_sketch_top(s, top, 1), 0);
	for (uint32_t id = 1; id <= KEYS; id++)
		add(s, id, 10 + (id == KEYS / 2) * 1000);
	assert_int_equal(zb_sketch_top(s, top, 1), 1);
	assert_int_equal(id_of(&top[0]), KEYS / 2);
	zb_sketch_clear(s);
	assert_int_equal(zb_sketch_top(s, top, 1), 0);
	check_few(s);
	free(s);
}

/* Two that have seen half each say what one would have said, within the errors they state. */
static void sketch_merged_is_that_of_both(void **state)
{
	struct zb_sketch *a = fresh(), *b = fresh();

	(void)state;
	for (uint32_t id = 1; id <= KEYS; id++) {
		add(id & 1 ? a : b, id, 10);
		if (id % 10 == 0)
			add(id % 20 == 0 ? a : b, UINT32_MAX, 20);
	}
	zb_sketch_merge(a, b);
	check_heavy(a, KEYS / 10 * 20, KEYS * 10 + KEYS / 10 * 20);
	free(a);
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sketch_few_keys_are_exact),
		cmocka_unit_test(sketch_heavy_key_is_found_among_many),
		cmocka_unit_test(sketch_the_smallest_is_taken_over),
		cmocka_unit_test(sketch_begins_anew),
		cmocka_unit_test(sketch_merged_is_that_of_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_flow_table.c - the flow table against a plain model of it, and without memory */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/flow_table.h"

/* Linked with --wrap: allocations still granted; negative: any number. */
static long memalign_left = -1;
int __real_posix_memalign(void **p, size_t align, size_t size);
int __wrap_posix_memalign(void **p, size_t align, size_t size);

int __wrap_posix_memalign(void **p, size_t align, size_t size)
{
	if (memalign_left == 0)
		return ENOMEM;
	if (memalign_left > 0)
		memalign_left--;
	return __real_posix_memalign(p, align, size);
}

static uint64_t rand_state = 1;

static uint32_t rand32(void)
{
	rand_state = rand_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(rand_state >> 32);
}

#define IDS	200000u
#define SHARED	16u   /* hashes that many ids share, */
#define SHARERS 4096u /* the first this many of them */

/* What the table ought to hold. */
static struct {
	bool in[IDS];
	uint32_t nr, sharers[SHARED];
} model;

/* Distinct for distinct ids, but for the sharers. */
static uint32_t hash_of(uint32_t id)
{
	return (id < SHARERS ? IDS + id % SHARED : id) * 2654435761u;
}

static void model_flip(struct zb_flow_table *t, uint32_t id)
{
	if (model.in[id])
		assert_true(zb_flow_remove(t, hash_of(id), id));
	else
		assert_int_equal(zb_flow_insert(t, hash_of(id), id), 0);
	model.in[id] = !model.in[id];
	model.nr += model.in[id] ? 1u : -1u;
	if (id < SHARERS)
		model.sharers[id % SHARED] += model.in[id] ? 1u : -1u;
}

/* Walks the ids of a hash: each must be in the model with that hash, and none be missing. */
static void model_look_up(const struct zb_flow_table *t, uint32_t id)
{
	uint32_t hash = hash_of(id), found = 0,
		 want = id < SHARERS ? model.sharers[id % SHARED] : model.in[id];
	struct zb_flow_pos pos;
	bool seen = false;

	for (uint32_t i = zb_flow_first(t, hash, &pos); i != ZB_FLOW_NONE;
	     i = zb_flow_next(t, hash, &pos)) {
		assert_true(i < IDS && model.in[i]);
		assert_int_equal(hash_of(i), hash);
		seen |= i == id;
		found++;
	}
	assert_int_equal(found, want);
	assert_int_equal(seen, model.in[id]);
}

/*
 * After any sequence of inserts and removes, over several doublings and back, the table must hold
 * exactly what went in and not out, among it thousands of ids under one hash.
 */
static void table_random_operations_agree_with_model(void **state)
{
	struct zb_flow_table t;

	(void)state;
	memset(&model, 0, sizeof(model));
	assert_int_equal(zb_flow_table_init(&t), 0);
	for (uint32_t op = 0; op < 900000; op++) {
		uint32_t id = rand32() % (rand32() % 8 == 0 ? SHARERS : IDS);

		/* Grows for a third of the time, stays, then shrinks. */
		if (rand32() % 4 == 0)
			model_look_up(&t, id);
		else if (op < 300000 ? !model.in[id] : op < 600000 || model.in[id])
			model_flip(&t, id);
		if (op % 50000 == 0)
			zb_flow_table_check(&t);
	}
	assert_true(t.bucket_nr > 16 * 1024);
	assert_int_equal(t.entry_nr, model.nr);
	for (uint32_t id = SHARERS; id < IDS; id++)
		model_look_up(&t, id);
	for (uint32_t id = 0; id < SHARED; id++)
		model_look_up(&t, id);
	zb_flow_table_check(&t);
	for (uint32_t id = 0; id < IDS; id++)
		if (model.in[id])
			model_flip(&t, id);
	zb_flow_table_check(&t);
	assert_int_equal(t.entry_nr, 0);
	zb_flow_table_fini(&t);
}

/* What is not there must not be removed, though hash or id alone are. */
static void table_remove_of_absent_entry_is_refused(void **state)
{
	struct zb_flow_table t;

	(void)state;
	assert_int_equal(zb_flow_table_init(&t), 0);
	assert_false(zb_flow_remove(&t, 7, 1));
	assert_int_equal(zb_flow_insert(&t, 7, 1), 0);
	assert_false(zb_flow_remove(&t, 7, 2));
	assert_false(zb_flow_remove(&t, 7 + 1024, 1));
	assert_int_equal(t.entry_nr, 1);
	assert_true(zb_flow_remove(&t, 7, 1));
	assert_false(zb_flow_remove(&t, 7, 1));
	zb_flow_table_check(&t);
	zb_flow_table_fini(&t);
}

/* A chain of thousands in one bucket must split right and give its overflow buckets back. */
static void table_long_chain_reuses_overflow_buckets(void **state)
{
	struct zb_flow_table t;
	struct zb_flow_pos pos;
	uint32_t made;

	(void)state;
	assert_int_equal(zb_flow_table_init(&t), 0);
	for (unsigned round = 0; round < 3; round++) {
		/* The low 20 bits are equal: one bucket at every level reached here. */
		for (uint32_t i = 0; i < 4000; i++)
			assert_int_equal(zb_flow_insert(&t, i << 20 | 5, i), 0);
		zb_flow_table_check(&t);
		if (round == 0)
			made = t.over_nr;
		assert_int_equal(t.over_nr, made);
		for (uint32_t i = 0; i < 4000; i++)
			assert_int_equal(zb_flow_first(&t, i << 20 | 5, &pos), i);
		for (uint32_t i = 0; i < 4000; i++) {
			uint32_t id = i * 2053 % 4000; /* in no order; 2053 is prime */

			assert_true(zb_flow_remove(&t, id << 20 | 5, id));
		}
		zb_flow_table_check(&t);
	}
	assert_true(made >= 4000 / ZB_FLOW_SLOTS - 1);
	zb_flow_table_fini(&t);
}

/* Growth must be one bucket at an insertion, never more: that is what bounds the time of one. */
static void table_insertion_splits_at_most_one_bucket(void **state)
{
	struct zb_flow_table t;

	(void)state;
	assert_int_equal(zb_flow_table_init(&t), 0);
	for (uint32_t i = 0; i < 400000; i++) {
		uint32_t before = t.bucket_nr;

		assert_int_equal(zb_flow_insert(&t, i * 2654435761u, i), 0);
		assert_true(t.bucket_nr <= before + 1);
	}
	/* At least three quarters full on average, so about 12 bytes each in primary buckets. */
	assert_true((uint64_t)t.bucket_nr * 64 <= 400000ull * 64 / 5);
	assert_true(t.seg_nr > 1);
	assert_int_equal(zb_flow_table_bytes(&t), (uint64_t)(t.seg_nr + t.over_seg_nr) * (2 << 20) +
							  2 * ZB_FLOW_SEGS_MAX * sizeof(void *));
	zb_flow_table_check(&t);
	zb_flow_table_fini(&t);
}

/* Without memory for the first segment there is no table, and nothing is left behind. */
static void table_init_without_memory_fails(void **state)
{
	struct zb_flow_table t;

	(void)state;
	memalign_left = 0;
	assert_int_equal(zb_flow_table_init(&t), -ENOMEM);
	memalign_left = -1;
}

/* An insertion that finds no memory for an overflow bucket must leave the table as it was. */
static void table_insert_without_memory_changes_nothing(void **state)
{
	struct zb_flow_table t;
	struct zb_flow_pos pos;

	(void)state;
	assert_int_equal(zb_flow_table_init(&t), 0);
	memalign_left = 0;
	for (uint32_t i = 0; i < ZB_FLOW_SLOTS; i++)
		assert_int_equal(zb_flow_insert(&t, 9, i), 0);
	for (unsigned again = 0; again < 2; again++) {
		assert_int_equal(zb_flow_insert(&t, 9, 100), -ENOMEM);
		assert_int_equal(t.entry_nr, ZB_FLOW_SLOTS);
		assert_int_equal(t.over_nr, 0);
		zb_flow_table_check(&t);
	}
	for (uint32_t i = zb_flow_first(&t, 9, &pos), n = 0; n < ZB_FLOW_SLOTS; n++) {
		assert_int_equal(i, n);
		i = zb_flow_next(&t, 9, &pos);
	}
	memalign_left = -1;
	assert_int_equal(zb_flow_insert(&t, 9, 100), 0);
	assert_int_equal(t.entry_nr, ZB_FLOW_SLOTS + 1);
	zb_flow_table_check(&t);
	zb_flow_table_fini(&t);
}

/* When no segment can be had, chains get longer, all is still found, and growth goes on with
 * memory. */
static void table_growth_without_memory_is_made_up_later(void **state)
{
	const uint32_t nr = 32768 * ZB_FLOW_SLOTS + 20000, more = 15000;
	struct zb_flow_table t;
	struct zb_flow_pos pos;
	uint32_t stuck;

	(void)state;
	assert_int_equal(zb_flow_table_init(&t), 0);
	memalign_left = 1; /* for overflow buckets, no second primary segment */
	for (uint32_t i = 0; i < nr; i++)
		assert_int_equal(zb_flow_insert(&t, i * 2654435761u, i), 0);
	stuck = t.bucket_nr;
	assert_int_equal(stuck, 32768);
	zb_flow_table_check(&t);
	memalign_left = -1;
	for (uint32_t i = nr; i < nr + more; i++)
		assert_int_equal(zb_flow_insert(&t, i * 2654435761u, i), 0);
	assert_int_equal(t.bucket_nr, stuck + more);
	zb_flow_table_check(&t);
	for (uint32_t i = 0; i < nr + more; i++)
		assert_int_equal(zb_flow_first(&t, i * 2654435761u, &pos), i);
	zb_flow_table_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_random_operations_agree_with_model),
		cmocka_unit_test(table_remove_of_absent_entry_is_refused),
		cmocka_unit_test(table_long_chain_reuses_overflow_buckets),
		cmocka_unit_test(table_insertion_splits_at_most_one_bucket),
		cmocka_unit_test(table_init_without_memory_fails),
		cmocka_unit_test(table_insert_without_memory_changes_nothing),
		cmocka_unit_test(table_growth_without_memory_is_made_up_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_shard_ties.c - flows that are tied to each other go by one hash, others by their own */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "capture/shard_ties_priv.h"

static struct zb_tied_flow flow(uint32_t n)
{
	/* The low bits decide on the slot: most of these contend for few. */
	return (struct zb_tied_flow){(uint64_t)n << 32 | n % 7, n * 3 + 1, 0};
}

static void tie(struct zb_ties *t, uint32_t a, uint32_t b)
{
	struct zb_tied_flow fa = flow(a), fb = flow(b);

	assert_int_equal(zb_ties_add(t, &fa, &fb), 0);
}

static uint32_t hash(struct zb_ties *t, uint32_t n)
{
	return zb_ties_hash(t, flow(n).key, flow(n).hash);
}

/* What was never tied goes by its own hash, also when there are ties. */
static void ties_untied_flow_keeps_its_hash(void **state)
{
	struct zb_ties t = {0};

	(void)state;
	assert_int_equal(hash(&t, 1), flow(1).hash);
	tie(&t, 2, 3);
	tie(&t, 4, 4); /* to itself: nothing */
	assert_int_equal(hash(&t, 1), flow(1).hash);
	assert_int_equal(hash(&t, 4), flow(4).hash);
	assert_int_equal(t.nr, 2);
	zb_ties_fini(&t);
}

/* Ties chain: who is tied to one of a group is tied to all, however the groups grew. */
static void ties_chain_into_groups(void **state)
{
	struct zb_ties t = {0};

	(void)state;
	for (uint32_t n = 10; n < 5000; n += 2) /* many pairs, then all of a residue together */
		tie(&t, n, n + 1);
	for (uint32_t n = 4990; n >= 20; n -= 10)
		tie(&t, n, n - 10);
	for (uint32_t n = 10; n < 5000; n++) {
		uint32_t pair = n & ~1u, expected = pair % 10 == 0 ? 10 : pair;

		assert_int_equal(hash(&t, n), flow(expected).hash);
	}
	assert_int_equal(t.shed, 0);
	zb_ties_fini(&t);
}

/* Beyond the bound ties are counted and forgotten; those of known flows still count. */
static void ties_are_bounded(void **state)
{
	struct zb_ties t = {0};
	struct zb_tied_flow a = {1, 1, 0}, b = {0, 2, 0};

	(void)state;
	for (uint64_t n = 2; n < (1u << 22) + 10; n++) {
		b.key = n;
		assert_int_equal(zb_ties_add(&t, &a, &b), 0);
	}
	assert_int_equal(t.nr, (1u << 22) - 1); /* a tie may want room for two */
	assert_int_equal(t.shed, 10);
	assert_int_equal(zb_ties_hash(&t, 100, 7), 1);
	assert_int_equal(zb_ties_hash(&t, (1u << 22) + 5, 7), 7);
	b.key = 50;
	assert_int_equal(zb_ties_add(&t, &a, &b), 0);
	assert_int_equal(t.shed, 10);
	zb_ties_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ties_untied_flow_keeps_its_hash),
		cmocka_unit_test(ties_chain_into_groups),
		cmocka_unit_test(ties_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

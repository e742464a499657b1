/* SPDX-License-Identifier: Apache-2.0 */
/* test_turns.c - the split between two stages is right on average, and exact where it is timed */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pipeline/turns.h"

#define BURSTS 80000u

struct sums {
	uint64_t first, both, first_taken, both_taken;
	unsigned timed;
};

/* A burst whose split only who times it gets to know. */
static void burst(struct zb_turns *t, struct zb_turns_took truth, struct sums *s)
{
	bool timed = zb_turns_timed(t);
	struct zb_turns_took took = truth;

	if (!timed)
		took.first = took.first_taken = 0;
	zb_turns_end(t, timed, &took);
	if (timed) {
		assert_int_equal(took.first, truth.first);
		assert_int_equal(took.first_taken, truth.first_taken);
	}
	assert_true(took.first <= took.both && took.first_taken <= took.both_taken);
	s->first += took.first;
	s->both += took.both;
	s->first_taken += took.first_taken;
	s->both_taken += took.both_taken;
	s->timed += timed;
}

static void bursts(struct zb_turns *t, unsigned nr, struct zb_turns_took truth, struct sums *s)
{
	for (unsigned i = 0; i < nr; i++)
		burst(t, truth, s);
}

static struct zb_turns_took cheap(uint64_t first, uint64_t second)
{
	return (struct zb_turns_took){
		.both = first + second, .first = first, .turns = 12, .pkts = 60};
}

/* All to begin with, then one of so many, at any distance up to nearly twice that. */
static void turns_drawn_at_random(void **state)
{
	unsigned at[ZB_TURNS_EVERY * 2] = {0}, distance = 0;
	struct zb_turns t = {0};
	struct sums s = {0};

	(void)state;
	bursts(&t, ZB_TURNS_FIRST, cheap(20000, 80000), &s);
	assert_int_equal(s.timed, ZB_TURNS_FIRST);
	for (unsigned i = 0; i < 10 * BURSTS; i++) {
		unsigned was = s.timed;

		distance++;
		burst(&t, cheap(20000, 80000), &s);
		if (s.timed == was)
			continue;
		assert_in_range(distance, 1, 2 * ZB_TURNS_EVERY - 1);
		at[distance]++;
		distance = 0;
	}
	assert_in_range(s.timed - ZB_TURNS_FIRST, 10 * BURSTS / ZB_TURNS_EVERY * 97 / 100,
			10 * BURSTS / ZB_TURNS_EVERY * 103 / 100);
	for (unsigned i = 1; i < 2 * ZB_TURNS_EVERY; i++)
		assert_in_range(at[i], s.timed / ZB_TURNS_EVERY * 3 / 8,
				s.timed / ZB_TURNS_EVERY * 5 / 8);
}

/*
 * One burst of so many is of another kind: whoever took one of so many in turn would know one kind
 * only.
 */
static void turns_split_is_right_on_average(void **state)
{
	struct zb_turns t = {0};
	struct sums s = {0};
	uint64_t first = 0;

	(void)state;
	for (unsigned i = 0; i < 10 * BURSTS; i++) {
		struct zb_turns_took b =
			i % ZB_TURNS_EVERY == 3 ? cheap(90000, 110000) : cheap(10000, 40000);

		first += b.first;
		burst(&t, b, &s);
	}
	assert_in_range(s.first, first * 97 / 100, first * 103 / 100);
}

/* What rarely takes very long is the second stage's, also where it was drawn or was not. */
static void turns_rare_and_long_is_the_second_ones(void **state)
{
	struct zb_turns t = {0};
	struct sums s = {0};

	(void)state;
	for (unsigned i = 0; i < BURSTS; i++)
		burst(&t, cheap(20000, i % 1000 == 999 ? 1000000000 : 80000), &s);
	assert_in_range(s.first, BURSTS * 19990ull, BURSTS * 20010ull);
}

/* Bursts are of any number of packets, and never is the first stage's more than all. */
static void turns_go_by_packets(void **state)
{
	struct zb_turns t = {0};
	struct sums s = {0};
	uint64_t first = 0;

	(void)state;
	for (unsigned i = 0; i < BURSTS; i++) {
		struct zb_turns_took b = cheap(0, 900);

		b.pkts = 1 + i % 64;
		b.turns = b.pkts;
		b.first = 300 * b.pkts;
		b.both += b.first;
		first += b.first;
		burst(&t, b, &s);
	}
	assert_in_range(s.first, first * 999 / 1000, first * 1001 / 1000);
	bursts(&t, 100, cheap(10, 10), &s);
}

/* When traffic changes, so does the split. */
static void turns_split_follows_traffic(void **state)
{
	struct zb_turns t = {0};
	struct sums s = {0};

	(void)state;
	bursts(&t, BURSTS, cheap(10000, 40000), &s);
	s = (struct sums){0};
	bursts(&t, BURSTS, cheap(40000, 10000), &s);
	s = (struct sums){0};
	burst(&t, cheap(40000, 10000), &s);
	assert_in_range(s.first, 39900, 40100);
}

/* While bursts are dear each is timed, and what one such took is not taken for the others'. */
static void turns_dear_bursts_are_timed(void **state)
{
	uint64_t dear = 12ull * ZB_TURNS_READ * ZB_TURNS_DEAR;
	struct zb_turns t = {0};
	struct sums s = {0};

	(void)state;
	bursts(&t, BURSTS, cheap(10000, 40000), &s);
	burst(&t, cheap(dear, 0), &s);
	s = (struct sums){0};
	bursts(&t, 1000, cheap(dear, 0), &s);
	assert_int_equal(s.timed, 1000);
	assert_int_equal(s.first, 1000 * dear);
}

/* What the thread did not run is in proportion, and no part of what is learned. */
static void turns_time_taken_away_is_apart(void **state)
{
	struct zb_turns t = {0};
	struct sums s = {0};
	struct zb_turns_took b = {.both = 100000 + 900000,
				  .first = 20000 + 900000,
				  .both_taken = 900000,
				  .first_taken = 900000,
				  .turns = 12,
				  .pkts = 60};

	(void)state;
	bursts(&t, 1000, b, &s);
	assert_int_equal(s.both_taken, 1000 * b.both_taken);
	s = (struct sums){0};
	while (zb_turns_timed(&t))
		burst(&t, cheap(20000, 80000), &s);
	s = (struct sums){0};
	burst(&t, b, &s);
	assert_in_range(s.first, 199990, 200010);
	assert_in_range(s.first_taken, 179990, 180010);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(turns_drawn_at_random),
		cmocka_unit_test(turns_split_is_right_on_average),
		cmocka_unit_test(turns_rare_and_long_is_the_second_ones),
		cmocka_unit_test(turns_go_by_packets),
		cmocka_unit_test(turns_split_follows_traffic),
		cmocka_unit_test(turns_dear_bursts_are_timed),
		cmocka_unit_test(turns_time_taken_away_is_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

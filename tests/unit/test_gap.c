/* SPDX-License-Identifier: Apache-2.0 */
/* test_gap.c - gaps of a poll loop are told from work, and what they add up to is judged */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <time.h>
#include <unistd.h>

#include "bench/noise.h"
#include "profiler/gap.h"

#define HZ   1e9 /* the tests' counter counts nanoseconds */
#define MS   1000000u
#define LONG (200 * (uint64_t)MS)

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Each bucket holds one power of two, and the last one all that is longer. */
static void gap_buckets_are_powers_of_two(void **state)
{
	struct zb_gap g = {0}, sum = {0};

	(void)state;
	zb_gap_note(&g, ZB_GAP_MIN_NS);
	zb_gap_note(&g, 65535);
	zb_gap_note(&g, 65536);
	zb_gap_note(&g, 131071);
	zb_gap_note(&g, 3600ull * 1000 * MS);
	assert_int_equal(g.n[0], 2);
	assert_int_equal(g.n[1], 2);
	assert_int_equal(g.n[ZB_GAP_BUCKETS - 1], 1);
	assert_int_equal(zb_gap_count(&g), 5);
	assert_int_equal(g.max_ns, 3600ull * 1000 * MS);
	assert_int_equal(zb_gap_bucket_end_ns(0), 65536);
	assert_int_equal(zb_gap_bucket_end_ns(1), 131072);
	zb_gap_add(&sum, &g);
	zb_gap_add(&sum, &g);
	assert_int_equal(zb_gap_count(&sum), 10);
	assert_int_equal(sum.total_ns, 2 * g.total_ns);
	assert_int_equal(sum.max_ns, g.max_ns);
}

/* However dear packets are: the kernel leaves a trace when it takes the CPU away. */
static void gap_in_a_dear_turn_is_found(void **state)
{
	struct zb_gap_watch w;
	struct zb_gap g = {0};
	uint64_t from, to;

	(void)state;
	zb_gap_watch_init(&w, HZ);
	w.pkt_tsc_x4 = 3600ull * 1000 * MS;
	from = now_ns(CLOCK_MONOTONIC);
	zb_gap_watch_begin(&w, from);
	usleep(20000);
	to = now_ns(CLOCK_MONOTONIC);
	if (zb_own_time_undisturbed())
		skip();
	assert_true(zb_gap_turn(&w, &g, to - from, 64, true, to) >= 15 * MS);
	assert_int_equal(zb_gap_count(&g), 1);
	/* A metered burst has asked already, and says so. */
	from = to;
	usleep(20000);
	zb_own_time_arm();
	to = now_ns(CLOCK_MONOTONIC);
	w.seen = true;
	assert_true(zb_gap_turn(&w, &g, to - from, 64, true, to) >= 15 * MS);
	assert_false(w.seen);
}

/* A turn in which the thread slept is a gap of nearly all of it. */
static void gap_turn_off_the_cpu_is_a_gap(void **state)
{
	struct zb_gap_watch w;
	struct zb_gap g = {0};
	uint64_t from, to;

	(void)state;
	zb_gap_watch_init(&w, HZ);
	from = now_ns(CLOCK_MONOTONIC);
	zb_gap_watch_begin(&w, from);
	usleep(50000);
	to = now_ns(CLOCK_MONOTONIC);
	zb_gap_turn(&w, &g, to - from, 64, true, to);
	assert_int_equal(zb_gap_count(&g), 1);
	assert_true(g.total_ns >= 40 * MS);
	assert_true(g.total_ns <= to - from);
}

/* A turn whose time went into computing is work, less what somebody else really took. */
static void gap_expensive_work_is_no_gap(void **state)
{
	uint64_t from, to, cpu = now_ns(CLOCK_THREAD_CPUTIME_ID), off;
	struct zb_gap_watch w;
	struct zb_gap g = {0};

	(void)state;
	zb_gap_watch_init(&w, HZ);
	from = now_ns(CLOCK_MONOTONIC);
	zb_gap_watch_begin(&w, from);
	while (now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu < 20 * MS)
		;
	to = now_ns(CLOCK_MONOTONIC);
	zb_gap_turn(&w, &g, to - from, 64, true, to);
	off = now_ns(CLOCK_MONOTONIC) - from - 20 * MS + MS;
	assert_true(g.total_ns <= off);
}

/* Idle polling has no work that could explain a long turn; and short turns are not looked at. */
static void gap_idle_turn_is_a_gap_as_a_whole(void **state)
{
	uint64_t now = now_ns(CLOCK_MONOTONIC);
	struct zb_gap_watch w;
	struct zb_gap g = {0};

	(void)state;
	zb_gap_watch_init(&w, HZ);
	zb_gap_watch_begin(&w, now);
	zb_gap_turn(&w, &g, ZB_GAP_MIN_NS - 1, 0, false, now);
	assert_int_equal(zb_gap_count(&g), 0);
	zb_gap_turn(&w, &g, 3 * MS, 0, false, now + 3 * MS);
	assert_int_equal(zb_gap_count(&g), 1);
	assert_int_equal(g.total_ns, 3 * MS);
}

/* A burst that costs what bursts cost here is no reason to look, however long it took. */
static void gap_usual_cost_is_not_looked_at(void **state)
{
	uint64_t now = now_ns(CLOCK_MONOTONIC);
	struct zb_gap_watch w;
	struct zb_gap g = {0};
	struct zb_gap_time t;

	(void)state;
	zb_gap_watch_init(&w, HZ);
	zb_gap_watch_begin(&w, now);
	t = zb_gap_watch_refresh(&w, 1000 * MS, 1000, now + LONG); /* 1 ms a packet */
	assert_int_equal(t.passed_ns, LONG);
	zb_gap_turn(&w, &g, 64 * MS, 64, false, now + 2 * LONG);
	assert_int_equal(zb_gap_count(&g), 0);
	zb_gap_turn(&w, &g, 64 * 4 * MS + 1, 64, false, now + 4 * LONG);
	assert_int_equal(zb_gap_count(&g), 1);
}

/* Without a known counter nothing is watched; what is skipped does not count as passed. */
static void gap_watch_off_and_skipped(void **state)
{
	struct zb_gap_watch w;
	struct zb_gap g = {0};

	(void)state;
	zb_gap_watch_init(&w, 0);
	zb_gap_watch_begin(&w, 5);
	zb_gap_turn(&w, &g, UINT64_MAX, 0, false, 10);
	assert_int_equal(zb_gap_count(&g), 0);
	assert_int_equal(zb_gap_watch_refresh(&w, 1, 1, 10).passed_ns, 0);
	zb_gap_watch_init(&w, HZ);
	zb_gap_watch_begin(&w, 1000);
	zb_gap_watch_skip(&w, 300);
	assert_int_equal(zb_gap_watch_refresh(&w, 1, 1, 2000).passed_ns, 700);
}

/* Of three measures the largest counts, and never more than the run. */
static void noise_largest_measure_counts(void **state)
{
	struct zb_lcore_stat st = {.time = {1000 * MS, 995 * MS}};
	struct zb_noise_sum sum = {.has_wait = true, .wait_ns = 4 * MS};

	(void)state;
	assert_true(zb_noise_loss(&st, &sum).clean);
	assert_int_equal(zb_noise_loss(&st, &sum).lost_ns, 5 * MS);
	sum.steal_ns = 30 * MS;
	assert_int_equal(zb_noise_loss(&st, &sum).lost_ns, 34 * MS);
	assert_false(zb_noise_loss(&st, &sum).clean);
	st.gap.total_ns = 100 * MS;
	assert_int_equal(zb_noise_loss(&st, &sum).lost_ns, 100 * MS);
	sum.wait_ns = 5000ull * MS;
	assert_int_equal(zb_noise_loss(&st, &sum).lost_ns, 1000 * MS);
	/* One long gap is enough, though it is little of a long run. */
	st = (struct zb_lcore_stat){.time = {100000ull * MS, 99970ull * MS}};
	st.gap.max_ns = 30 * MS;
	sum = (struct zb_noise_sum){0};
	assert_false(zb_noise_loss(&st, &sum).clean);
	/* Nothing is known of a run that was not watched: nothing is claimed. */
	st = (struct zb_lcore_stat){0};
	assert_true(zb_noise_loss(&st, &sum).clean);
	assert_int_equal(zb_noise_loss(&st, &sum).passed_ns, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gap_buckets_are_powers_of_two),
		cmocka_unit_test(gap_in_a_dear_turn_is_found),
		cmocka_unit_test(gap_turn_off_the_cpu_is_a_gap),
		cmocka_unit_test(gap_expensive_work_is_no_gap),
		cmocka_unit_test(gap_idle_turn_is_a_gap_as_a_whole),
		cmocka_unit_test(gap_usual_cost_is_not_looked_at),
		cmocka_unit_test(gap_watch_off_and_skipped),
		cmocka_unit_test(noise_largest_measure_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

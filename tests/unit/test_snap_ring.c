/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_snap_ring.c - snapshots arrive whole and in order; a full ring refuses, except the last one
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include "profiler/snap_ring.h"

#define RACE_SNAPS 20000

static struct zb_lcore_stat stat_of(uint64_t v)
{
	struct zb_lcore_stat s;

	memset(&s, 0, sizeof(s));
	s.c[0] = v;
	s.c[ZB_C_NR - 1] = v;
	s.g[ZB_G_NR - 1] = v;
	s.lag_ns = v;
	return s;
}

static bool is_whole(const struct zb_snapshot *s, uint64_t v)
{
	return s->stat.c[0] == v && s->stat.c[ZB_C_NR - 1] == v && s->stat.g[ZB_G_NR - 1] == v &&
	       s->stat.lag_ns == v && s->interval == v;
}

/* What is put comes out in order with its interval and wall time, and then nothing does. */
static void snap_ring_put_then_get_keeps_order(void **state)
{
	struct zb_snap_ring *r;
	struct zb_snapshot out;

	(void)state;
	assert_int_equal(zb_snap_ring_create(4, &r), 0);
	assert_false(zb_snap_get(r, &out));
	for (uint64_t round = 0; round < 10; round++) {
		for (uint64_t i = 0; i < 3; i++) {
			struct zb_lcore_stat s = stat_of(3 * round + i);

			assert_true(zb_snap_put(r, &s, 3 * round + i, round == 9 && i == 2));
		}
		for (uint64_t i = 0; i < 3; i++) {
			assert_true(zb_snap_get(r, &out));
			assert_true(is_whole(&out, 3 * round + i));
			assert_true(out.wall_ns > 1000000000u * 1600000000u);
			assert_int_equal(out.last, round == 9 && i == 2);
		}
		assert_false(zb_snap_get(r, &out));
	}
	zb_snap_ring_destroy(r);
}

/* A full ring takes nothing more and loses nothing; its size is the next power of two. */
static void snap_ring_full_refuses_and_keeps(void **state)
{
	struct zb_lcore_stat s;
	struct zb_snap_ring *r;
	struct zb_snapshot out;

	(void)state;
	assert_int_equal(zb_snap_ring_create(3, &r), 0);
	for (uint64_t i = 0; i < 4; i++) {
		s = stat_of(i);
		assert_true(zb_snap_put(r, &s, i, false));
	}
	s = stat_of(99);
	assert_false(zb_snap_put(r, &s, 99, false));
	for (uint64_t i = 0; i < 4; i++) {
		assert_true(zb_snap_get(r, &out));
		assert_true(is_whole(&out, i));
	}
	assert_false(zb_snap_get(r, &out));
	zb_snap_ring_destroy(r);
	assert_int_equal(zb_snap_ring_create(UINT32_MAX, &r), -ENOMEM);
	assert_int_equal(zb_snap_ring_create(0, &r), 0);
	assert_true(zb_snap_put(r, &s, 0, false));
	zb_snap_ring_destroy(r);
}

struct race {
	struct zb_snap_ring *ring;
	atomic_bool ready;
	bool last_stored;
};

static void *race_produce(void *arg)
{
	struct race *race = arg;

	for (uint64_t i = 0; i < RACE_SNAPS; i++) {
		struct zb_lcore_stat s = stat_of(i);

		while (!zb_snap_put(race->ring, &s, i, i == RACE_SNAPS - 1)) {
			sched_yield();
		}
	}
	return NULL;
}

/* Across threads no snapshot is torn, lost or out of order. */
static void snap_ring_two_threads_see_every_snapshot_whole(void **state)
{
	struct race race = {0};
	struct zb_snapshot out;
	uint64_t next = 0;
	pthread_t t;

	(void)state;
	assert_int_equal(zb_snap_ring_create(2, &race.ring), 0);
	assert_int_equal(pthread_create(&t, NULL, race_produce, &race), 0);
	for (out.last = false; next == 0 || !out.last;) {
		if (!zb_snap_get(race.ring, &out)) {
			sched_yield();
			continue;
		}
		assert_true(is_whole(&out, next));
		next++;
	}
	assert_int_equal(next, RACE_SNAPS);
	assert_int_equal(pthread_join(t, NULL), 0);
	zb_snap_ring_destroy(race.ring);
}

static void *put_last(void *arg)
{
	struct race *race = arg;
	struct zb_lcore_stat s = stat_of(2);

	atomic_store(&race->ready, true);
	race->last_stored = zb_snap_put(race->ring, &s, 2, true);
	return NULL;
}

/* The last snapshot of a worker waits for room in a full ring. Repeated, as the threads may miss
 * each other. */
static void snap_ring_last_waits_for_room(void **state)
{
	(void)state;
	for (int round = 0; round < 50; round++) {
		struct race race = {0};
		struct zb_snapshot out;
		pthread_t t;

		assert_int_equal(zb_snap_ring_create(2, &race.ring), 0);
		for (uint64_t i = 0; i < 2; i++) {
			struct zb_lcore_stat s = stat_of(i);

			assert_true(zb_snap_put(race.ring, &s, i, false));
		}
		assert_int_equal(pthread_create(&t, NULL, put_last, &race), 0);
		while (!atomic_load(&race.ready))
			sched_yield();
		for (int i = 0; i < 20; i++)
			sched_yield();
		for (uint64_t next = 0; next < 2; next++) {
			assert_true(zb_snap_get(race.ring, &out));
			assert_true(is_whole(&out, next));
		}
		assert_int_equal(pthread_join(t, NULL), 0);
		assert_true(race.last_stored);
		assert_true(zb_snap_get(race.ring, &out));
		assert_true(is_whole(&out, 2) && out.last);
		zb_snap_ring_destroy(race.ring);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snap_ring_put_then_get_keeps_order),
		cmocka_unit_test(snap_ring_full_refuses_and_keeps),
		cmocka_unit_test(snap_ring_two_threads_see_every_snapshot_whole),
		cmocka_unit_test(snap_ring_last_waits_for_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_timer_wheel.c - the timer wheel against a plain table of deadlines */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "pipeline/timer_wheel.h"

#define IDS    3000u
#define MS     1000000ull
#define DAY_NS (86400 * ZB_SEC_NS)
#define TODAY  (1795000000 * ZB_SEC_NS)
/* 2006-07-14 23:58:24 UTC: where a tick of packet time carries into its 33rd bit. */
#define CARRY_NS (1ull << 60)

/* Linked with --wrap: allocations still granted; negative: any number. */
static long alloc_left = -1;
void *__real_aligned_alloc(size_t align, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);

void *__wrap_aligned_alloc(size_t align, size_t size)
{
	if (alloc_left == 0)
		return NULL;
	if (alloc_left > 0)
		alloc_left--;
	return __real_aligned_alloc(align, size);
}

static struct zb_conn_pool pool;
static struct zb_timer_wheel wheel;
static bool pending[IDS];
static uint32_t pending_nr;
static uint64_t newest_ns; /* that the wheel has been told of */
static uint64_t rand_state = 1;

static uint64_t rand64(void)
{
	rand_state = rand_state * 6364136223846793005u + 1442695040888963407u;
	return rand_state >> 33 << 32 ^ (rand_state * 0x9e3779b97f4a7c15u) >> 32;
}

/* From a millisecond to thirty years, every magnitude as likely. */
static uint64_t rand_span(void)
{
	return rand64() % (MS << rand64() % 40);
}

static int set_up(void **state)
{
	(void)state;
	rand_state = 1;
	newest_ns = TODAY;
	pending_nr = 0;
	memset(pending, 0, sizeof(pending));
	if (zb_conn_pool_init(&pool, IDS) < 0)
		return -1;
	for (uint32_t i = 0, id; i < IDS; i++)
		if (zb_conn_pool_get(&pool, &id) == NULL || id != i)
			return -1;
		else
			zb_conn_at(&pool, i)->id = i;
	zb_wheel_init(&wheel, &pool, TODAY);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	alloc_left = -1;
	zb_wheel_fini(&wheel);
	zb_conn_pool_fini(&pool);
	return 0;
}

static void add(uint32_t id, uint64_t deadline)
{
	zb_conn_at(&pool, id)->deadline_ns = deadline;
	assert_int_equal(zb_wheel_add(&wheel, id, deadline), 0);
	pending[id] = true;
	pending_nr++;
}

static void gone(uint32_t id)
{
	assert_true(pending[id]);
	pending[id] = false;
	pending_nr--;
}

static uint64_t tick_of(uint64_t ns)
{
	return ns >> ZB_WHEEL_TICK_SHIFT;
}

/*
 * Advances, at most max at a call; what comes must be due, and nothing that was due a tick ago may
 * stay (unless the wheel has seen a later time already).
 */
static uint32_t advance(uint64_t now, uint32_t max)
{
	uint32_t ids[IDS], n, total = 0;

	newest_ns = now > newest_ns ? now : newest_ns;
	do {
		n = zb_wheel_advance(&wheel, now, ids, max);
		assert_true(n <= max);
		for (uint32_t i = 0; i < n; i++) {
			assert_true(zb_conn_at(&pool, ids[i])->deadline_ns <= now);
			gone(ids[i]);
		}
		total += n;
	} while (n == max);
	for (uint32_t id = 0; id < IDS; id++)
		if (pending[id] && now == newest_ns)
			assert_true(tick_of(zb_conn_at(&pool, id)->deadline_ns) >= tick_of(now));
	assert_int_equal(wheel.count, pending_nr);
	return total;
}

/* Each occupied slot must be in the bitmap, and hold every pending timer that says it is there. */
static void check_slots(void)
{
	static uint32_t seen_at[IDS];
	uint32_t seen = 0;

	memset(seen_at, 0xff, sizeof(seen_at));
	for (uint32_t slot = 0; slot < ZB_WHEEL_LEVELS * ZB_WHEEL_SLOTS; slot++) {
		uint64_t word = wheel.map[slot / ZB_WHEEL_SLOTS][slot % ZB_WHEEL_SLOTS / 64];

		assert_int_equal(word >> (slot % 64) & 1, wheel.head[slot] != NULL);
		for (const struct zb_wheel_chunk *c = wheel.head[slot]; c != NULL; c = c->next) {
			assert_true(c->n <= ZB_WHEEL_CHUNK_IDS);
			for (uint32_t i = 0; i < c->n; i++) {
				uint32_t id = c->id[i];

				if (zb_conn_at(&pool, id)->wheel_slot != slot ||
				    seen_at[id] == slot)
					continue; /* left behind when it moved on */
				assert_true(pending[id]);
				seen_at[id] = slot;
				seen++;
			}
		}
	}
	assert_int_equal(seen, pending_nr);
}

static void random_operation(uint64_t now)
{
	uint32_t id = (uint32_t)(rand64() % IDS);
	struct zb_conn *c = zb_conn_at(&pool, id);

	if (!pending[id]) {
		/* Now and then for a time that has passed. */
		add(id, rand64() % 16 == 0 ? now - rand_span() : now + rand_span());
		return;
	}
	switch (rand64() % 4) {
	case 0:
		zb_wheel_remove(&wheel, id);
		gone(id);
		break;
	case 1: /* a packet: the deadline moves on, the wheel is not told */
		c->deadline_ns += rand_span();
		break;
	default:
		c->deadline_ns =
			now + (c->deadline_ns > now ? rand64() % (c->deadline_ns - now) : 0);
		zb_wheel_hasten(&wheel, id, c->deadline_ns);
	}
}

static void run_random(uint64_t now, uint32_t steps)
{
	zb_wheel_fini(&wheel);
	zb_wheel_init(&wheel, &pool, now);
	newest_ns = now;
	for (uint32_t op = 0; op < steps; op++) {
		random_operation(now);
		if (rand64() % 20 == 0) {
			/* Years now and then, but no more than fit. */
			now += rand_span() >> (now < 3 * CARRY_NS ? rand64() % 24 : 24);
			advance(now, rand64() % 3 == 0 ? 1 + (uint32_t)(rand64() % 9) : IDS + 1);
		}
		if (rand64() % 500 == 0)
			advance(now - rand_span(), IDS + 1); /* time that goes back */
		if (op % 10000 == 0)
			check_slots();
	}
	check_slots();
	/* The rest, centuries on. */
	advance(1ull << 63, 100);
	assert_int_equal(pending_nr, 0);
}

/*
 * Whatever is added, moved, removed and however time jumps, no timer may come early, none may be
 * late by more than a tick, none twice and none never.
 */
static void wheel_random_operations_agree_with_model(void **state)
{
	(void)state;
	run_random(TODAY, 400000);
}

/* The same where packet time carries beyond the wheel's levels, and from the beginning of time. */
static void wheel_random_operations_at_the_edges_of_time_agree_with_model(void **state)
{
	(void)state;
	run_random(CARRY_NS - 3600 * ZB_SEC_NS, 60000);
	run_random(CARRY_NS - 30 * DAY_NS, 60000);
	run_random(2 * CARRY_NS - 60 * ZB_SEC_NS, 60000);
	run_random(36500 * DAY_NS, 60000);
}

/* A connection that is open when packet time carries must time out minutes later, not decades. */
static void wheel_timer_across_the_carry_comes_in_time(void **state)
{
	(void)state;
	zb_wheel_fini(&wheel);
	zb_wheel_init(&wheel, &pool, CARRY_NS - 10 * ZB_SEC_NS);
	newest_ns = 0;
	add(0, CARRY_NS + 50 * ZB_SEC_NS);
	add(1, CARRY_NS - 5 * ZB_SEC_NS);
	assert_int_equal(advance(CARRY_NS - ZB_SEC_NS, IDS), 1);
	assert_int_equal(advance(CARRY_NS + 49 * ZB_SEC_NS, IDS), 0);
	assert_int_equal(zb_wheel_first(&wheel), 0);
	assert_int_equal(advance(CARRY_NS + 51 * ZB_SEC_NS, IDS), 1);
}

/* One call over many slots must yield them in the order of their ticks. */
static void wheel_advance_yields_in_order_of_ticks(void **state)
{
	uint32_t ids[IDS];
	uint64_t last = 0;

	(void)state;
	for (uint32_t id = 0; id < IDS; id++)
		add(id, TODAY + rand_span());
	assert_int_equal(zb_wheel_advance(&wheel, TODAY + 36500 * DAY_NS, ids, IDS), IDS);
	for (uint32_t i = 0; i < IDS; i++) {
		uint64_t tick = tick_of(zb_conn_at(&pool, ids[i])->deadline_ns);

		assert_true(tick >= last);
		last = tick;
	}
}

/* A call must stop at max and leave the rest for the next, all within the same instant. */
static void wheel_advance_stops_at_max_and_goes_on(void **state)
{
	uint32_t ids[IDS];

	(void)state;
	for (uint32_t id = 0; id < 1000; id++)
		add(id, TODAY + (id % 10) * ZB_SEC_NS);
	for (unsigned call = 0; call < 10; call++)
		assert_int_equal(zb_wheel_advance(&wheel, TODAY + 20 * ZB_SEC_NS, ids, 100), 100);
	assert_int_equal(zb_wheel_advance(&wheel, TODAY + 20 * ZB_SEC_NS, ids, 100), 0);
	assert_int_equal(zb_wheel_advance(&wheel, TODAY + 20 * ZB_SEC_NS, ids, 0), 0);
	assert_int_equal(wheel.count, 0);
}

/* A deadline is due in its own nanosecond, and not one before, however the slots lie. */
static void wheel_timer_is_never_early(void **state)
{
	uint32_t id;

	(void)state;
	add(0, TODAY + 5 * ZB_SEC_NS);
	for (uint64_t now = TODAY; now < TODAY + 5 * ZB_SEC_NS; now += 13 * MS)
		assert_int_equal(zb_wheel_advance(&wheel, now, &id, 1), 0);
	assert_int_equal(zb_wheel_advance(&wheel, TODAY + 5 * ZB_SEC_NS - 1, &id, 1), 0);
	assert_int_equal(zb_wheel_advance(&wheel, TODAY + 5 * ZB_SEC_NS + (1ull << 28), &id, 1), 1);
	pending[0] = false;
}

/* The first to shed must be in the slot that comes up first, whatever was removed above it. */
static void wheel_first_is_in_the_next_slot_to_come_up(void **state)
{
	uint64_t now = TODAY;

	(void)state;
	assert_int_equal(zb_wheel_first(&wheel), UINT32_MAX);
	for (uint32_t id = 0; id < IDS; id++)
		add(id, now + rand_span());
	while (pending_nr > 0) {
		uint32_t first = zb_wheel_first(&wheel), other = (uint32_t)(rand64() % IDS),
			 slot = UINT32_MAX;

		for (uint32_t id = 0; id < IDS; id++)
			if (pending[id] && zb_conn_at(&pool, id)->wheel_slot < slot)
				slot = zb_conn_at(&pool, id)->wheel_slot;
		assert_true(first < IDS && pending[first]);
		assert_int_equal(zb_conn_at(&pool, first)->wheel_slot, slot);
		zb_wheel_remove(&wheel, first);
		gone(first);
		if (pending[other]) {
			zb_wheel_remove(&wheel, other);
			gone(other);
		}
		if (rand64() % 8 == 0)
			advance(now += rand_span(), IDS + 1);
	}
	assert_int_equal(zb_wheel_first(&wheel), UINT32_MAX);
}

/*
 * Ids of timers long removed must not pile up: neither of many in slots far away, nor of one that
 * is used again and again in the same slot; and none that is pending may get lost by that.
 */
static void wheel_removed_ids_do_not_pile_up(void **state)
{
	uint64_t most = zb_wheel_bytes(&wheel) + (1u << 20);

	(void)state;
	for (uint32_t id = 0; id < 500; id++)
		add(id, TODAY + 300 * ZB_SEC_NS + id * ZB_SEC_NS / 4);
	for (uint32_t round = 0; round < 1000000; round++) {
		uint32_t id = 500 + round / 2 % 499;

		if (round % 2 != 0) { /* others, pending until their turn comes again */
			id = 1000 + round / 2 % 1000;
			if (pending[id]) {
				zb_wheel_remove(&wheel, id);
				gone(id);
			}
			add(id, TODAY + 300 * ZB_SEC_NS);
			continue;
		}
		add(id, TODAY + (3 + round % 7 * 100) * ZB_SEC_NS);
		if (round % 5 == 0) {
			zb_conn_at(&pool, id)->deadline_ns = TODAY + 2 * ZB_SEC_NS;
			zb_wheel_hasten(&wheel, id, TODAY + 2 * ZB_SEC_NS);
		}
		zb_wheel_remove(&wheel, id);
		gone(id);
	}
	assert_true(zb_wheel_bytes(&wheel) < most);
	assert_int_equal(wheel.count, 1500);
	assert_int_equal(advance(TODAY + 500 * ZB_SEC_NS, IDS), 1500);
	assert_int_equal(advance(TODAY + 1000 * ZB_SEC_NS, IDS), 0);
	assert_int_equal(wheel.id_nr, 0);
}

/* Timers that are removed must not be found again, though their connection's id is used anew in the
 * same slot. */
static void wheel_id_used_again_fires_once(void **state)
{
	uint32_t ids[8];

	(void)state;
	for (unsigned round = 0; round < 5; round++) {
		add(7, TODAY + 3 * ZB_SEC_NS);
		zb_wheel_remove(&wheel, 7);
		gone(7);
	}
	assert_int_equal(zb_wheel_first(&wheel), UINT32_MAX);
	add(7, TODAY + 3 * ZB_SEC_NS);
	add(8, TODAY + 3 * ZB_SEC_NS);
	zb_wheel_remove(&wheel, 8);
	gone(8);
	assert_int_equal(zb_wheel_advance(&wheel, TODAY + 4 * ZB_SEC_NS, ids, 8), 1);
	assert_int_equal(ids[0], 7);
	assert_int_equal(wheel.count, 0);
	gone(7);
}

/* What comings and goings leave behind must be given back when its slot has passed. */
static void wheel_churn_reuses_its_memory(void **state)
{
	uint64_t bytes = 0;

	(void)state;
	for (unsigned round = 0; round < 4; round++) {
		uint64_t now = TODAY + round * 100 * ZB_SEC_NS;

		for (uint32_t i = 0; i < 200000; i++) {
			add(i % IDS, now + 60 * ZB_SEC_NS);
			zb_wheel_remove(&wheel, i % IDS);
			gone(i % IDS);
		}
		assert_int_equal(advance(now + 99 * ZB_SEC_NS, IDS + 1), 0);
		if (round == 0)
			bytes = zb_wheel_bytes(&wheel);
		assert_int_equal(zb_wheel_bytes(&wheel), bytes);
	}
}

/* Without memory a timer is refused, or stays where it was; once there is memory nothing has been
 * lost. */
static void wheel_without_memory_loses_no_timer(void **state)
{
	uint32_t ids[IDS], n = 0;

	(void)state;
	alloc_left = 0;
	assert_int_equal(zb_wheel_add(&wheel, 0, TODAY + ZB_SEC_NS), -ENOMEM);
	assert_int_equal(wheel.count, 0);
	alloc_left = 1; /* 256 chunks */
	for (; n < IDS; n++) {
		uint64_t deadline = TODAY + 80 * ZB_SEC_NS + n * (ZB_SEC_NS / 3);

		zb_conn_at(&pool, n)->deadline_ns = deadline;
		if (zb_wheel_add(&wheel, n, deadline) < 0)
			break;
		pending[n] = true;
		pending_nr++;
	}
	/* Many a slot of the lowest level for each one of the next: cascading asks for more chunks
	 * than it frees. */
	for (uint32_t i = n; i < IDS; i++) {
		if (zb_wheel_add(&wheel, i,
				 zb_conn_at(&pool, i)->deadline_ns = TODAY + i % 250 * ZB_SEC_NS) <
		    0)
			continue;
		pending[i] = true;
		pending_nr++;
	}
	zb_conn_at(&pool, n - 1)->deadline_ns = TODAY + 2 * ZB_SEC_NS;
	zb_wheel_hasten(&wheel, n - 1, TODAY + 2 * ZB_SEC_NS);
	check_slots();
	for (uint64_t now = TODAY; pending_nr > 0 && now < TODAY + DAY_NS; now += ZB_SEC_NS / 2) {
		uint32_t got = zb_wheel_advance(&wheel, now, ids, IDS);

		for (uint32_t i = 0; i < got; i++)
			gone(ids[i]);
		check_slots();
	}
	assert_int_equal(pending_nr, 0);
	assert_int_equal(wheel.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wheel_random_operations_agree_with_model),
		cmocka_unit_test(wheel_random_operations_at_the_edges_of_time_agree_with_model),
		cmocka_unit_test(wheel_timer_across_the_carry_comes_in_time),
		cmocka_unit_test(wheel_advance_yields_in_order_of_ticks),
		cmocka_unit_test(wheel_advance_stops_at_max_and_goes_on),
		cmocka_unit_test(wheel_timer_is_never_early),
		cmocka_unit_test(wheel_first_is_in_the_next_slot_to_come_up),
		cmocka_unit_test(wheel_removed_ids_do_not_pile_up),
		cmocka_unit_test(wheel_id_used_again_fires_once),
		cmocka_unit_test(wheel_churn_reuses_its_memory),
		cmocka_unit_test(wheel_without_memory_loses_no_timer),
	};
	struct CMUnitTest with[sizeof(tests) / sizeof(tests[0])];

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		with[i] = tests[i];
		with[i].setup_func = set_up;
		with[i].teardown_func = tear_down;
	}
	return cmocka_run_group_tests(with, NULL, NULL);
}

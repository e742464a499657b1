/* SPDX-License-Identifier: Apache-2.0 */
/* test_nic_clock.c - a NIC's counter becomes the time of day, whatever its unit and wherever it is
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>
#include "capture/nic_clock.h"

#define SECOND 1000000000u
#define NOW    (1700000000ull * SECOND)

/* A NIC of 156.25 MHz whose counter is about to wrap: 6.4 ns a tick. */
#define TICKS_A_SECOND 156250000u

static int read_156(uint16_t port, uint64_t *ticks)
{
	struct timespec t;

	(void)port;
	clock_gettime(CLOCK_REALTIME, &t);
	*ticks = ((uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec) * 10 / 64;
	return 0;
}

static int read_nothing(uint16_t port, uint64_t *ticks)
{
	(void)port;
	(void)ticks;
	return -ENOTSUP;
}

static int read_the_same(uint16_t port, uint64_t *ticks)
{
	(void)port;
	*ticks = 7;
	return 0;
}

static struct zb_nic_clock clock_of(uint64_t from_ticks)
{
	return (struct zb_nic_clock){
		.from_ticks = from_ticks,
		.from_ns = NOW,
		.tried_ns = NOW,
		.ns_per_tick = (64ull << ZB_NIC_SHIFT) / 10,
		.read = read_nothing,
	};
}

static uint64_t apart(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* The unit is found; the machine may stand still between the two clocks' readings. */
static void init_finds_the_unit(void **state)
{
	struct zb_nic_clock c;
	uint64_t ticks, ns;

	(void)state;
	assert_int_equal(zb_nic_clock_init(&c, 0, read_156), 0);
	assert_true(apart(c.ns_per_tick, (64ull << ZB_NIC_SHIFT) / 10) <
		    (64ull << ZB_NIC_SHIFT) / 10 / 20);
	read_156(0, &ticks);
	ns = ticks * 64 / 10;
	assert_true(apart(zb_nic_clock_ns(&c, ticks, ns), ns) < SECOND);
}

/* What is no clock is not used. */
static void init_without_a_clock_is_refused(void **state)
{
	struct zb_nic_clock c;

	(void)state;
	assert_int_equal(zb_nic_clock_init(&c, 0, read_nothing), -ENOTSUP);
	assert_int_equal(zb_nic_clock_init(&c, 0, read_the_same), -ENOTSUP);
}

/* Before and after the reading, and over the end of the counter. */
static void ns_ticks_become_time(void **state)
{
	static const uint64_t from[] = {0, 5, 1ull << 40, UINT64_MAX - 3};

	(void)state;
	for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
		struct zb_nic_clock c = clock_of(from[i]);

		for (uint64_t us = 0; us < 900000; us += 777) {
			uint64_t ns = us * 1000, ticks = ns * 10 / 64;

			assert_true(apart(zb_nic_clock_ns(&c, from[i] + ticks, NOW + ns + 100),
					  NOW + ns) < 10);
			assert_true(apart(zb_nic_clock_ns(&c, from[i] - ticks, NOW + 100),
					  NOW - ns) < 10);
		}
		assert_int_equal(c.wrong, 0);
	}
}

/* A packet is not from the future: the two clocks differ, or the stamp is nonsense. */
static void ns_impossible_stamp_becomes_now(void **state)
{
	struct zb_nic_clock c = clock_of(1000);

	(void)state;
	assert_true(zb_nic_clock_ns(&c, 1000 + 100, NOW + 500) == NOW + 500);
	assert_int_equal(c.wrong, 0);
	assert_true(zb_nic_clock_ns(&c, 0x123456789abcdef0, NOW + 500) == NOW + 500);
	assert_true(zb_nic_clock_ns(&c, 1000 - 5ull * TICKS_A_SECOND, NOW + 500) == NOW + 500);
	assert_int_equal(c.wrong, 2);
}

/* A NIC whose crystal is off by 50 ppm is followed. */
static void set_follows_drift(void **state)
{
	struct zb_nic_clock c = clock_of(0);
	uint64_t ticks = 0;

	(void)state;
	for (uint64_t s = 1; s <= 10; s++) {
		ticks += TICKS_A_SECOND + TICKS_A_SECOND / 20000;
		zb_nic_clock_set(&c, ticks, NOW + s * SECOND);
	}
	c.tried_ns = NOW + 10ull * SECOND;
	ticks += (TICKS_A_SECOND + TICKS_A_SECOND / 20000) / 2;
	assert_true(apart(zb_nic_clock_ns(&c, ticks, NOW + 10ull * SECOND + SECOND / 2 + 1000),
			  NOW + 10ull * SECOND + SECOND / 2) < 100);
}

/* The system's clock is set: time goes on from there, at the pace that it had. */
static void set_after_a_step_keeps_the_unit(void **state)
{
	struct zb_nic_clock c = clock_of(0);
	uint64_t before = c.ns_per_tick;

	(void)state;
	zb_nic_clock_set(&c, TICKS_A_SECOND, NOW + 3600ull * SECOND);
	assert_true(c.ns_per_tick == before);
	zb_nic_clock_set(&c, 2 * TICKS_A_SECOND, NOW - 3600ull * SECOND);
	assert_true(c.ns_per_tick == before);
	assert_true(zb_nic_clock_ns(&c, 2 * TICKS_A_SECOND, NOW - 3600ull * SECOND + 5) ==
		    NOW - 3600ull * SECOND);
}

/* A reading that fails is not tried for every packet. */
static void again_failure_is_not_repeated_at_once(void **state)
{
	struct zb_nic_clock c = clock_of(0);

	(void)state;
	(void)zb_nic_clock_ns(&c, 2 * TICKS_A_SECOND, NOW + 2ull * SECOND);
	assert_true(c.tried_ns == NOW + 2ull * SECOND);
	assert_true(c.from_ns == NOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(init_finds_the_unit),
		cmocka_unit_test(init_without_a_clock_is_refused),
		cmocka_unit_test(ns_ticks_become_time),
		cmocka_unit_test(ns_impossible_stamp_becomes_now),
		cmocka_unit_test(set_follows_drift),
		cmocka_unit_test(set_after_a_step_keeps_the_unit),
		cmocka_unit_test(again_failure_is_not_repeated_at_once),
	};

	return cmocka_run_group_tests_name("nic_clock", tests, NULL, NULL);
}

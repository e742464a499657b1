/* SPDX-License-Identifier: Apache-2.0 */
/* test_heap_when.c - when heap dumps are due */
#include <errno.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bench/heap_when.h"

#define MIB (1u << 20)

static struct zb_heap_when when(const char *text)
{
	struct zb_heap_when w;

	assert_int_equal(zb_heap_when_parse(text, &w), 0);
	return w;
}

static void words_are_read(void **state)
{
	struct zb_heap_when w = when("off");

	(void)state;
	assert_false(w.on);
	w = when("final");
	assert_true(w.on && w.allocated == 0 && w.grown == 0 && w.grown_factor == 0 &&
		    w.every_s == 0);
	w = when("256M");
	assert_true(w.on && w.allocated == 256u * MIB);
	w = when("final,growth=1.5x,every=1m,growth=64K,1G");
	assert_true(w.on && w.allocated == 1024u * MIB && w.grown == 65536 &&
		    w.grown_factor == 1.5 && w.every_s == 60);
	assert_true(zb_heap_when_grown(&w));
}

static void other_words_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"0",
		"-1",
		"often",
		"1M,",
		",",
		"off,final",
		"growth=",
		"growth=x",
		"growth=1x",
		"growth=0.5x",
		"growth=nanx",
		"growth=infx",
		"growth=1001x",
		"growth=0",
		"growth=2 x",
		"every=",
		"every=0",
		"every=-1",
		"every=x",
		"16E",
		"1111111111111111111111111111111111111111111111111111111111111111111111",
	};
	struct zb_heap_when w;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (zb_heap_when_parse(bad[i], &w) != -EINVAL)
			fail_msg("taken: %s", bad[i]);
}

/* What is allocated in one go past several marks gives one dump. */
static void dumps_follow_allocation(void **state)
{
	static const struct {
		uint64_t mib;
		char kind;
	} step[] = {{0, 0},  {9, 0},	{10, 'i'}, {19, 0},  {21, 'i'},
		    {29, 0}, {75, 'i'}, {79, 0},   {80, 'i'}};
	struct zb_heap_when w = when("10M");
	struct zb_heap_due due = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(step) / sizeof(step[0]); i++) {
		struct zb_heap_now now = {.allocated = step[i].mib * MIB, .live = 1, .s = 1};

		assert_int_equal(zb_heap_when_due(&w, &due, &now), step[i].kind);
	}
}

static void dumps_follow_time(void **state)
{
	static const struct {
		double s;
		char kind;
	} step[] = {{0.1, 0}, {1.9, 0}, {2, 'i'}, {3.9, 0}, {9.1, 'i'}, {9.9, 0}, {10.2, 'i'}};
	struct zb_heap_when w = when("every=2");
	struct zb_heap_due due = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(step) / sizeof(step[0]); i++) {
		struct zb_heap_now now = {.s = step[i].s};

		assert_int_equal(zb_heap_when_due(&w, &due, &now), step[i].kind);
	}
}

/* Against the last dump, from the beginning on; a heap that went down must pass the old mark. */
static void dumps_follow_growth(void **state)
{
	static const struct {
		uint64_t mib;
		char kind;
	} step[] = {{100, 0}, {0, 0},  {110, 0}, {149, 0},   {150, 'u'},
		    {199, 0}, {40, 0}, {199, 0}, {230, 'u'}, {279, 0}};
	struct zb_heap_when bytes = when("growth=50M"), factor = when("growth=2x");
	struct zb_heap_due due = {0}, due_factor = {0};
	struct zb_heap_now now = {.live = 10 * MIB};

	(void)state;
	for (size_t i = 0; i < sizeof(step) / sizeof(step[0]); i++) {
		struct zb_heap_now at = {.live = step[i].mib * MIB};

		assert_int_equal(zb_heap_when_due(&bytes, &due, &at), step[i].kind);
	}
	assert_int_equal(zb_heap_when_due(&factor, &due_factor, &now), 0);
	now.live = 19 * MIB;
	assert_int_equal(zb_heap_when_due(&factor, &due_factor, &now), 0);
	now.live = 20 * MIB;
	assert_int_equal(zb_heap_when_due(&factor, &due_factor, &now), 'u');
	now.live = 39 * MIB;
	assert_int_equal(zb_heap_when_due(&factor, &due_factor, &now), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_read),
		cmocka_unit_test(other_words_are_refused),
		cmocka_unit_test(dumps_follow_allocation),
		cmocka_unit_test(dumps_follow_time),
		cmocka_unit_test(dumps_follow_growth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_mem_track.c - memory over time: bounded, in order, evenly apart */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "profiler/mem_track.h"

static struct zb_mem_track track;

static void add(double s)
{
	zb_mem_track_add(&track, &(struct zb_mem_point){.s = s, .conns = (uint64_t)(s * 1000)});
}

static void points_are_kept_when_due(void **state)
{
	(void)state;
	memset(&track, 0, sizeof(track));
	add(0.02);
	add(0.1);
	add(0.26);
	add(0.27);
	add(0.9);
	assert_int_equal(track.nr, 3);
	assert_int_equal(track.point[1].conns, 270);
	assert_int_equal(track.point[2].conns, 900);
	assert_int_equal(track.point[0].conns, 20);
}

/* A day, looked at four times a second: bounded, from the first moment to the last, no holes. */
static void a_long_run_is_bounded(void **state)
{
	const double end = 86400;
	double widest = 0;

	(void)state;
	memset(&track, 0, sizeof(track));
	for (double s = 0; s < end; s += 0.25)
		add(s);
	assert_in_range(track.nr, ZB_MEM_TRACK_MAX / 4, ZB_MEM_TRACK_MAX);
	assert_true(track.point[0].s == 0);
	assert_true(end - track.point[track.nr - 1].s <= 2 * track.every_s);
	for (unsigned i = 1; i < track.nr; i++) {
		double gap = track.point[i].s - track.point[i - 1].s;

		assert_true(gap > 0);
		widest = gap > widest ? gap : widest;
	}
	assert_true(widest <= 2 * track.every_s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(points_are_kept_when_due),
		cmocka_unit_test(a_long_run_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

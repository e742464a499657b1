/* SPDX-License-Identifier: Apache-2.0 */
/* test_cpu_list.c - lists of CPUs as people type them */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "caught.h"
#include "profiler/topology.h"

static void expect_list(const char *text, const unsigned *want, unsigned want_nr)
{
	unsigned cpus[ZB_CPUS_MAX], nr = 0;

	assert_int_equal(zb_cpu_list_parse("--cores", text, cpus, &nr), 0);
	assert_int_equal(nr, want_nr);
	assert_memory_equal(cpus, want, want_nr * sizeof(*want));
}

/* Single CPUs, ranges and mixtures come out ascending. */
static void cpu_list_ranges_and_singles_are_expanded(void **state)
{
	(void)state;
	expect_list("0", (unsigned[]){0}, 1);
	expect_list("2-5", (unsigned[]){2, 3, 4, 5}, 4);
	expect_list("2,4,6-7", (unsigned[]){2, 4, 6, 7}, 4);
	expect_list("1023", (unsigned[]){1023}, 1);
	expect_list("3-3", (unsigned[]){3}, 1);
}

/* Order and repetition in the text do not matter. */
static void cpu_list_disorder_and_duplicates_are_sorted_out(void **state)
{
	(void)state;
	expect_list("7,2-4,3,2", (unsigned[]){2, 3, 4, 7}, 4);
}

/* What is not exactly a list is refused and leaves the result alone. */
static void cpu_list_garbage_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		",",
		"a",
		"1,",
		",1",
		"1,,2",
		"1-",
		"-1",
		"1--2",
		"1-2-3",
		"5-2",
		"1 2",
		"0x1",
		"1024",
		"0-1024",
		"1.5",
		" 1",
		"1 ",
		"+1",
		"all",
		"1\n",
		"1;2",
		"-",
		"99999999999",
		"4294967296",
		"18446744073709551617",
		"1-4294967297",
	};
	unsigned cpus[ZB_CPUS_MAX] = {77}, nr = 42;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		static struct caught c;
		int ret;

		catch_fd(&c, STDERR_FILENO);
		ret = zb_cpu_list_parse("--cores", bad[i], cpus, &nr);
		release_fd(&c);
		if (ret != -EINVAL)
			fail_msg("'%s' was taken for a list", bad[i]);
		assert_int_equal(strncmp(c.text, "zbench: --cores ", 16), 0);
		assert_non_null(strstr(c.text, "; give CPUs as 2-5 or 2,4,6-7\n"));
		assert_int_equal(nr, 42);
		assert_int_equal(cpus[0], 77);
	}
}

/* The largest list fits and survives being written and read again. */
static void cpu_list_all_cpus_round_trip(void **state)
{
	unsigned cpus[ZB_CPUS_MAX], nr;
	char text[8 * ZB_CPUS_MAX];

	(void)state;
	assert_int_equal(zb_cpu_list_parse("--cores", "0-1023", cpus, &nr), 0);
	assert_int_equal(nr, ZB_CPUS_MAX);
	assert_string_equal(zb_cpu_list_format(cpus, nr, text, sizeof(text)), "0-1023");
	for (unsigned i = 0; i < ZB_CPUS_MAX / 2; i++)
		cpus[i] = 2 * i;
	zb_cpu_list_format(cpus, ZB_CPUS_MAX / 2, text, sizeof(text));
	assert_int_equal(zb_cpu_list_parse("--cores", text, cpus, &nr), 0);
	assert_int_equal(nr, ZB_CPUS_MAX / 2);
	assert_int_equal(cpus[nr - 1], 1022);
}

/* Neighbours become a range, whatever is alone stays alone. */
static void cpu_list_format_joins_neighbours(void **state)
{
	unsigned cpus[] = {2, 3, 4, 5, 7, 9, 10};
	char text[32];

	(void)state;
	assert_string_equal(zb_cpu_list_format(cpus, 7, text, sizeof(text)), "2-5,7,9-10");
	assert_string_equal(zb_cpu_list_format(cpus, 0, text, sizeof(text)), "");
	assert_string_equal(zb_cpu_list_format(cpus, 1, text, sizeof(text)), "2");
}

/* A list that does not fit is cut between items, marked, and never written past the end. */
static void cpu_list_format_small_buffer_is_marked_and_kept(void **state)
{
	unsigned cpus[] = {10, 12, 14, 16, 18};
	char text[32];

	(void)state;
	for (size_t size = 1; size < sizeof(text); size++) {
		memset(text, '#', sizeof(text));
		zb_cpu_list_format(cpus, 5, text, size);
		assert_true(strlen(text) < size);
		assert_int_equal(text[size], '#');
		if (size >= sizeof("...") && size < sizeof("10,12,14,16,18"))
			assert_non_null(strstr(text, "..."));
	}
	assert_string_equal(zb_cpu_list_format(cpus, 5, text, 15), "10,12,14,16,18");
	assert_string_equal(zb_cpu_list_format(cpus, 5, text, 14), "10,12,14,...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cpu_list_ranges_and_singles_are_expanded),
		cmocka_unit_test(cpu_list_disorder_and_duplicates_are_sorted_out),
		cmocka_unit_test(cpu_list_garbage_is_refused),
		cmocka_unit_test(cpu_list_all_cpus_round_trip),
		cmocka_unit_test(cpu_list_format_joins_neighbours),
		cmocka_unit_test(cpu_list_format_small_buffer_is_marked_and_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_heap_split.c - a heap dump taken apart by threads */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/heap_split.h"

static char *text[3];
static size_t len[3];

static int split(const char *dump, struct zb_heap_part *parts, unsigned nr)
{
	FILE *f = fmemopen((void *)(uintptr_t)dump, strlen(dump), "r");
	int ret;

	assert_non_null(f);
	for (unsigned i = 0; i < nr; i++) {
		free(text[i]);
		parts[i].out = open_memstream(&text[i], &len[i]);
		assert_non_null(parts[i].out);
	}
	ret = zb_heap_split(f, parts, nr);
	for (unsigned i = 0; i < nr; i++)
		fclose(parts[i].out);
	fclose(f);
	return ret;
}

/* Each part has its thread's stacks and figures, and what is for all. */
static void split_gives_each_thread_its_own(void **state)
{
	static const char dump[] = "heap_v2/524288\n"
				   "  t*: 6: 600 [0: 0]\n"
				   "  t0: 1: 100 [0: 0]\n"
				   "  t3: 2: 200 [0: 0] lcore-2\n"
				   "  t12: 3: 300 [0: 0] lcore-12 \n"
				   "@ 0x1 0x2\n"
				   "  t*: 3: 400 [0: 0]\n"
				   "  t0: 1: 100 [0: 0]\n"
				   "  t12: 2: 300 [0: 0]\n"
				   "@ 0x3\n"
				   "  t*: 3: 200 [0: 0]\n"
				   "  t12: 1: 0 [0: 0]\n"
				   "  t3: 2: 200 [0: 0]\n"
				   "\n"
				   "MAPPED_LIBRARIES:\n"
				   "55-56 r-xp t3: 1: 1 [0: 0]\n";
	struct zb_heap_part parts[] = {{.thread = "lcore-2"},
				       {.thread = "lcore-12"},
				       {.thread = "lcore-1"}};

	(void)state;
	assert_int_equal(split(dump, parts, 3), 0);
	assert_true(parts[0].found && parts[1].found && !parts[2].found);
	assert_string_equal(text[0], "heap_v2/524288\n"
				     "  t*: 2: 200 [0: 0]\n  t3: 2: 200 [0: 0]\n"
				     "@ 0x3\n"
				     "  t*: 2: 200 [0: 0]\n  t3: 2: 200 [0: 0]\n"
				     "\nMAPPED_LIBRARIES:\n55-56 r-xp t3: 1: 1 [0: 0]\n");
	assert_string_equal(text[1], "heap_v2/524288\n"
				     "  t*: 3: 300 [0: 0]\n  t12: 3: 300 [0: 0]\n"
				     "@ 0x1 0x2\n"
				     "  t*: 2: 300 [0: 0]\n  t12: 2: 300 [0: 0]\n"
				     "@ 0x3\n"
				     "  t*: 1: 0 [0: 0]\n  t12: 1: 0 [0: 0]\n"
				     "\nMAPPED_LIBRARIES:\n55-56 r-xp t3: 1: 1 [0: 0]\n");
	assert_string_equal(text[2], "");
}

static void split_refuses_what_is_no_dump(void **state)
{
	struct zb_heap_part part = {.thread = "a"};

	(void)state;
	assert_int_equal(split("heap profile: 1: 2\n", &part, 1), -EINVAL);
	assert_int_equal(split("\n", &part, 1), -EINVAL);
	assert_int_equal(split("heap_v2/1", &part, 1), 0);
	assert_false(part.found);
}

/* Lines that are not whole are passed over. */
static void split_of_a_damaged_dump_goes_on(void **state)
{
	struct zb_heap_part part = {.thread = "a"};

	(void)state;
	assert_int_equal(split("heap_v2/1\n  t1: 1: 1 [0: 0\n  t: 1\n  t1 1: 1 [0: 0] a\n"
			       "  t99999999999999999999999: 1: 1 [0: 0] b\n  t2: 1: 9 [0: 0] a\n"
			       "@\n@ 0x1\n  t2: 1\n  t2: 1: 9 [0: 0]",
			       &part, 1),
			 0);
	assert_true(part.found);
	assert_string_equal(text[0], "heap_v2/1\n  t*: 1: 9 [0: 0]\n  t2: 1: 9 [0: 0]\n"
				     "@ 0x1\n  t*: 1: 9 [0: 0]\n  t2: 1: 9 [0: 0]\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(split_gives_each_thread_its_own),
		cmocka_unit_test(split_refuses_what_is_no_dump),
		cmocka_unit_test(split_of_a_damaged_dump_goes_on),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	for (unsigned i = 0; i < 3; i++)
		free(text[i]);
	return failed;
}

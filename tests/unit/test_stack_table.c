/* SPDX-License-Identifier: Apache-2.0 */
/* test_stack_table.c - counting of call stacks and their folded text */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "profiler/stack_table.h"
#include "profiler/symbols.h"

/* Addresses in no module: their names are the addresses. */
#define A 0x11u
#define B 0x22u
#define C 0x33u

static struct zb_symbols *syms;

static int make_syms(void **state)
{
	(void)state;
	return zb_symbols_create(&syms);
}

static int drop_syms(void **state)
{
	(void)state;
	zb_symbols_destroy(syms);
	return 0;
}

static struct zb_stack_table *table(uint32_t lane_nr, uint32_t stacks_max)
{
	struct zb_stack_table *t;

	assert_int_equal(zb_stack_table_create(lane_nr, stacks_max, &t), 0);
	return t;
}

static void add(struct zb_stack_table *t, uint32_t lane, const uint64_t *ips, uint32_t depth,
		uint64_t weight)
{
	assert_int_equal(zb_stack_table_add(t, lane, ips, depth, weight, NULL), 0);
}

/* The folded text of lane, for the caller to free. */
static char *folded(const struct zb_stack_table *t, uint32_t lane)
{
	size_t len;
	char *text;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	assert_int_equal(zb_stack_table_folded(t, lane, syms, f), 0);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void assert_folded(const struct zb_stack_table *t, uint32_t lane, const char *want)
{
	char *text = folded(t, lane);

	assert_string_equal(text, want);
	free(text);
}

/* Sum of the numbers at the ends of the lines. */
static uint64_t folded_sum(const struct zb_stack_table *t, uint32_t lane)
{
	char *text = folded(t, lane), *rest = text, *line;
	uint64_t sum = 0;

	while ((line = strsep(&rest, "\n")) != NULL) {
		const char *space = strrchr(line, ' ');

		if (*line != '\0') {
			assert_non_null(space);
			sum += strtoull(space + 1, NULL, 10);
		}
	}
	free(text);
	return sum;
}

/* Sizes of zero and absurd ones are refused. */
static void create_without_room_is_refused(void **state)
{
	struct zb_stack_table *t = NULL;

	(void)state;
	assert_int_equal(zb_stack_table_create(0, 10, &t), -EINVAL);
	assert_int_equal(zb_stack_table_create(1, 0, &t), -EINVAL);
	assert_int_equal(zb_stack_table_create(1, UINT32_MAX, &t), -EINVAL);
	assert_null(t);
}

/* Equal stacks of one lane are one line with the sum of their weights; the root stands first. */
static void add_equal_stacks_are_merged(void **state)
{
	const uint64_t abc[] = {A, B + 1, C + 1}, ab[] = {A, B + 1};
	struct zb_stack_table *t = table(1, 10);
	struct zb_stack_totals sum;

	(void)state;
	add(t, 0, abc, 3, 1);
	add(t, 0, ab, 2, 5);
	add(t, 0, abc, 3, 2);
	assert_folded(t, 0, "[0x22];[0x11] 5\n[0x33];[0x22];[0x11] 3\n");
	zb_stack_table_totals(t, 0, syms, &sum);
	assert_int_equal(sum.samples, 3);
	assert_int_equal(sum.weight, 8);
	assert_int_equal(sum.resolved, 0);
	zb_stack_table_destroy(t);
}

/* Lanes are kept apart, and ZB_LANE_ALL merges them. */
static void folded_all_lanes_are_merged(void **state)
{
	const uint64_t a[] = {A}, b[] = {B};
	struct zb_stack_table *t = table(3, 10);
	struct zb_stack_totals sum;

	(void)state;
	add(t, 0, a, 1, 1);
	add(t, 2, a, 1, 2);
	add(t, 2, b, 1, 4);
	assert_folded(t, 0, "[0x11] 1\n");
	assert_folded(t, 1, "");
	assert_folded(t, 2, "[0x11] 2\n[0x22] 4\n");
	assert_folded(t, ZB_LANE_ALL, "[0x11] 3\n[0x22] 4\n");
	zb_stack_table_totals(t, ZB_LANE_ALL, NULL, &sum);
	assert_int_equal(sum.samples, 3);
	assert_int_equal(sum.weight, 7);
	zb_stack_table_destroy(t);
}

/* Stacks beyond the limit are counted in a line of their own; known stacks go on counting. */
static void add_beyond_limit_is_counted_as_overflow(void **state)
{
	const uint64_t a[] = {A}, b[] = {B}, c[] = {C};
	struct zb_stack_table *t = table(2, 2);

	(void)state;
	add(t, 0, a, 1, 1);
	add(t, 0, b, 1, 1);
	add(t, 0, c, 1, 10);
	add(t, 1, a, 1, 20);
	add(t, 0, a, 1, 1);
	assert_folded(t, 0, "[0x11] 2\n[0x22] 1\n[stacks beyond the limit] 10\n");
	assert_folded(t, 1, "[stacks beyond the limit] 20\n");
	assert_folded(t, ZB_LANE_ALL, "[0x11] 2\n[0x22] 1\n[stacks beyond the limit] 30\n");
	zb_stack_table_destroy(t);
}

/* Whatever was added, the lines add up to the totals: through growth, merging and overflow. */
static void folded_many_stacks_add_up_to_totals(void **state)
{
	struct zb_stack_table *t = table(4, 5000);
	struct zb_stack_totals sum;
	uint64_t weight = 0, lanes = 0, x = 1;

	(void)state;
	for (int i = 0; i < 40000; i++) {
		uint64_t ips[ZB_STACK_DEPTH_MAX];
		uint32_t depth;

		x = x * 6364136223846793005u + 1442695040888963407u;
		depth = 1 + (uint32_t)(x >> 60);
		for (uint32_t k = 0; k < depth; k++)
			ips[k] = 0x1000 + ((x >> (40 + k)) & 7);
		add(t, (uint32_t)(x >> 33) & 3, ips, depth, x >> 50 & 15);
		weight += x >> 50 & 15;
	}
	zb_stack_table_totals(t, ZB_LANE_ALL, syms, &sum);
	assert_int_equal(sum.samples, 40000);
	assert_int_equal(sum.weight, weight);
	assert_int_equal(folded_sum(t, ZB_LANE_ALL), weight);
	for (uint32_t lane = 0; lane < 4; lane++) {
		zb_stack_table_totals(t, lane, syms, &sum);
		assert_int_equal(folded_sum(t, lane), sum.weight);
		lanes += sum.weight;
	}
	assert_int_equal(lanes, weight);
	zb_stack_table_destroy(t);
}

static __attribute__((noinline)) int two_places(int n)
{
	volatile int sum = 0;

	for (int i = 0; i < n; i++)
		sum += i;
	return sum;
}

/* Different addresses of one function are one line, and such leaves count as resolved. */
static void folded_addresses_of_one_function_are_one_line(void **state)
{
	const uint64_t first[] = {(uint64_t)two_places}, later[] = {(uint64_t)two_places + 4};
	const uint64_t nowhere[] = {A};
	struct zb_stack_table *t = table(1, 10);
	struct zb_stack_totals sum;

	(void)state;
	assert_int_equal(two_places(3), 3);
	add(t, 0, first, 1, 1);
	add(t, 0, later, 1, 1);
	add(t, 0, nowhere, 1, 1);
	assert_folded(t, 0, "[0x11] 1\ntwo_places 2\n");
	zb_stack_table_totals(t, 0, syms, &sum);
	assert_int_equal(sum.resolved, 2);
	zb_stack_table_destroy(t);
}

/* A return address names the call before it, even where the next function begins; a leaf does not.
 */
static void folded_return_address_names_the_caller(void **state)
{
	const uint64_t ips[] = {(uint64_t)two_places, (uint64_t)two_places};
	struct zb_stack_table *t = table(1, 10);
	char *text;

	(void)state;
	add(t, 0, ips, 2, 1);
	text = folded(t, 0);
	assert_string_equal(strrchr(text, ';'), ";two_places 1\n");
	assert_int_not_equal(strncmp(text, "two_places;", strlen("two_places;")), 0);
	free(text);
	zb_stack_table_destroy(t);
}

/* Kernel frames are marked, and the address that the kernel interrupted is taken as it is. */
static void folded_kernel_frames_are_marked(void **state)
{
	const uint64_t ips[] = {1ull << 63 | 5, (uint64_t)two_places, A + 1};
	struct zb_stack_table *t = table(1, 10);

	(void)state;
	add(t, 0, ips, 3, 1);
	assert_folded(t, 0, "[0x11];two_places;[kernel]_[k] 1\n");
	zb_stack_table_destroy(t);
}

/* A stack without frames has a name, and one that is too deep loses its root end only. */
static void add_extreme_depth_is_kept(void **state)
{
	uint64_t deep[ZB_STACK_DEPTH_MAX + 20];
	struct zb_stack_table *t = table(1, 10);
	char *text;

	(void)state;
	for (uint32_t i = 0; i < ZB_STACK_DEPTH_MAX + 20; i++)
		deep[i] = 0x1001 + i;
	add(t, 0, NULL, 0, 1);
	add(t, 0, deep, ZB_STACK_DEPTH_MAX + 20, 1);
	text = folded(t, 0);
	assert_non_null(strstr(text, "[no stack] 1\n"));
	assert_non_null(strstr(text, ";[0x1001] 1\n"));
	/* The first return address that is left: index 126, shown less one. */
	assert_int_equal(strncmp(text, "[0x107e];", 9), 0);
	free(text);
	zb_stack_table_destroy(t);
}

/* With a root, what called it is not shown, and stacks without it stay whole. */
static void folded_root_hides_its_callers(void **state)
{
	struct zb_stack_table *t = table(1, 8);
	const uint64_t with[] = {A, B, C}, without[] = {A, C};
	char *text;

	(void)state;
	add(t, 0, with, 3, 1);
	add(t, 0, without, 2, 1);
	zb_stack_table_root(t, "[0x21]");
	text = folded(t, 0);
	assert_string_equal(text, "[0x21];[0x11] 1\n[0x32];[0x11] 1\n");
	free(text);
	zb_stack_table_destroy(t);
}

/* A stream that cannot be written is reported. */
static void folded_to_full_device_returns_errno(void **state)
{
	const uint64_t a[] = {A};
	struct zb_stack_table *t = table(1, 10);
	FILE *f = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(f);
	add(t, 0, a, 1, 1);
	assert_int_equal(zb_stack_table_folded(t, 0, syms, f), -ENOSPC);
	fclose(f);
	zb_stack_table_destroy(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(create_without_room_is_refused),
		cmocka_unit_test(add_equal_stacks_are_merged),
		cmocka_unit_test(folded_all_lanes_are_merged),
		cmocka_unit_test(add_beyond_limit_is_counted_as_overflow),
		cmocka_unit_test(folded_many_stacks_add_up_to_totals),
		cmocka_unit_test(folded_addresses_of_one_function_are_one_line),
		cmocka_unit_test(folded_return_address_names_the_caller),
		cmocka_unit_test(folded_kernel_frames_are_marked),
		cmocka_unit_test(add_extreme_depth_is_kept),
		cmocka_unit_test(folded_root_hides_its_callers),
		cmocka_unit_test(folded_to_full_device_returns_errno),
	};

	return cmocka_run_group_tests(tests, make_syms, drop_syms);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_hot_function.c - the function that most samples are in, of the program's own */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "profiler/hot_function.h"

#define NOINLINE __attribute__((noinline, noclone))

void NOINLINE hot_a(void);
void NOINLINE hot_b(void);
void NOINLINE stage_one(void);
void NOINLINE stage_two(void);

/* Functions with addresses of their own; they are never called. */
void hot_a(void)
{
	__asm__ volatile("# a");
}

void hot_b(void)
{
	__asm__ volatile("# b");
}

void stage_one(void)
{
	__asm__ volatile("# one");
}

void stage_two(void)
{
	__asm__ volatile("# two");
}

static uint64_t leaf_in(void (*f)(void))
{
	return (uint64_t)(uintptr_t)f;
}

static uint64_t call_in(void (*f)(void))
{
	return (uint64_t)(uintptr_t)f + 1;
}

/* Samples below a stage count, those below others and in excepted functions do not. */
static void hot_function_is_that_of_most_samples(void **state)
{
	const char *const except[] = {"hot_a", NULL};
	uint64_t a[] = {leaf_in(hot_a), call_in(stage_one)},
		 b[] = {leaf_in(hot_b), call_in(stage_one)},
		 other[] = {leaf_in(hot_b), call_in(stage_two)},
		 library[] = {leaf_in((void (*)(void))strlen), call_in(hot_a), call_in(stage_one)};
	struct zb_hot_function hot;
	struct zb_stack_table *t;
	struct zb_symbols *syms;

	(void)state;
	assert_int_equal(zb_symbols_create(&syms), 0);
	assert_int_equal(zb_stack_table_create(1, 100, &t), 0);
	zb_hot_function(t, syms, NULL, NULL, &hot);
	assert_string_equal(hot.name, "");
	assert_int_equal(zb_stack_table_add(t, 0, a, 2, 3, NULL), 0);
	assert_int_equal(zb_stack_table_add(t, 0, b, 2, 5, NULL), 0);
	assert_int_equal(zb_stack_table_add(t, 0, other, 2, 100, NULL), 0);
	assert_int_equal(zb_stack_table_add(t, 0, library, 3, 4, NULL), 0);
	zb_hot_function(t, syms, "stage_one", NULL, &hot);
	assert_string_equal(hot.name, "hot_a"); /* what a library does is its caller's */
	assert_int_equal(hot.samples, 7);
	assert_int_equal(hot.of, 12);
	zb_hot_function(t, syms, "stage_one", except, &hot);
	assert_string_equal(hot.name, "hot_b");
	assert_int_equal(hot.of, 5);
	zb_hot_function(t, syms, NULL, NULL, &hot);
	assert_string_equal(hot.name, "hot_b");
	assert_int_equal(hot.samples, 105);
	zb_hot_function(t, syms, "no_such_stage", NULL, &hot);
	assert_int_equal(hot.of, 0);
	zb_stack_table_destroy(t);
	zb_symbols_destroy(syms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hot_function_is_that_of_most_samples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

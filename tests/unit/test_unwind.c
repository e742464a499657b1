/* SPDX-License-Identifier: Apache-2.0 */
/* test_unwind.c - chains completed from registers, stack bytes and unwind tables */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "profiler/stack_table.h"
#include "profiler/unwind_priv.h"

static volatile int sink;

/* Code whose addresses are used; nothing runs it. */
static __attribute__((noinline)) void leaf_fn(void)
{
	sink++;
}

static __attribute__((noinline)) void caller_fn(void)
{
	leaf_fn();
	sink++;
}

static __attribute__((noinline)) void other_fn(void)
{
	caller_fn();
	sink++;
}

static __attribute__((noinline)) void root_fn(void)
{
	other_fn();
	sink++;
}

/* A chain ends where an address is in no module: on the stack, say, or in the heap. */
static void unwind_address_that_is_no_code_ends_the_chain(void **state)
{
	uint64_t local = 0, out[8];
	uint64_t chain[] = {(uint64_t)leaf_fn, (uint64_t)caller_fn + 4, (uint64_t)&local,
			    (uint64_t)root_fn};
	struct zb_user_stack in = {.chain = chain, .depth = 4};
	struct zb_unwind *u;

	(void)state;
	assert_int_equal(zb_unwind_create(&u), 0);
	assert_int_equal(zb_unwind_chain(u, &in, out, 8), 2);
	assert_memory_equal(out, chain, 2 * sizeof(out[0]));
	chain[2] = 0x10;
	assert_int_equal(zb_unwind_chain(u, &in, out, 8), 2);
	chain[2] = (uint64_t)other_fn;
	assert_int_equal(zb_unwind_chain(u, &in, out, 8), 4);
	assert_int_equal(zb_unwind_chain(u, &in, out, 3), 3);
	zb_unwind_destroy(u);
}

/* At its first byte a function has no frame yet: the stack's first word, when it was copied, is the
 * caller. */
static void unwind_leaf_without_frame_gets_its_caller(void **state)
{
	uint64_t chain[] = {(uint64_t)leaf_fn, (uint64_t)other_fn + 4}, out[8];
	uint64_t stack[] = {(uint64_t)caller_fn + 4, (uint64_t)root_fn + 4};
	struct zb_user_stack in = {
		.regs = {.ip = chain[0], .sp = 0x10000, .bp = 0x20000},
		.chain = chain,
		.depth = 2,
		.stack = stack,
		.stack_bytes = 8,
	};
	struct zb_unwind *u;

	(void)state;
#if !defined(__x86_64__)
	print_message("skipped: chains are completed on x86-64 only\n");
	skip();
#endif
	assert_int_equal(zb_unwind_create(&u), 0);
	assert_int_equal(zb_unwind_chain(u, &in, out, 8), 3);
	assert_int_equal(out[0], chain[0]);
	assert_int_equal(out[1], stack[0]);
	assert_int_equal(out[2], chain[1]);
	in.stack_bytes = 4; /* not the whole word: the chain as it is */
	assert_int_equal(zb_unwind_chain(u, &in, out, 8), 2);
	assert_memory_equal(out, chain, sizeof(chain));
	zb_unwind_destroy(u);
}

/* Registers and stack bytes that make no sense cost the caller, not more. */
static void unwind_nonsense_registers_are_survived(void **state)
{
	uint64_t chain[] = {(uint64_t)leaf_fn, (uint64_t)caller_fn + 4}, out[ZB_STACK_DEPTH_MAX];
	uint64_t stack[64];
	struct zb_unwind *u;
	uint64_t x = 1;

	(void)state;
	assert_int_equal(zb_unwind_create(&u), 0);
	for (int i = 0; i < 20000; i++) {
		struct zb_user_stack in = {.chain = chain, .depth = 2, .stack = stack};

		x = x * 6364136223846793005u + 1442695040888963407u;
		chain[0] = (uint64_t)(i & 1 ? (void *)leaf_fn : (void *)qsort) + (x >> 58);
		in.regs = (struct zb_user_regs){.ip = chain[0], .sp = x, .bp = x + (x >> 57)};
		if (i & 2)
			in.regs.sp = in.regs.bp = UINT64_MAX - (x >> 56);
		in.stack_bytes = (uint32_t)(x >> 40) % (sizeof(stack) + 1) & ~7u;
		/* Words that look like code, like frames of this very stack, and like neither. */
		for (int k = 0; k < 64; k++)
			stack[k] = k % 3 == 0	? chain[1]
				   : k % 3 == 1 ? in.regs.sp + (uint64_t)k * 8
						: x;
		assert_in_range(zb_unwind_chain(u, &in, out, ZB_STACK_DEPTH_MAX), 1,
				ZB_STACK_DEPTH_MAX);
		assert_int_equal(out[0], chain[0]);
	}
	zb_unwind_destroy(u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unwind_address_that_is_no_code_ends_the_chain),
		cmocka_unit_test(unwind_leaf_without_frame_gets_its_caller),
		cmocka_unit_test(unwind_nonsense_registers_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

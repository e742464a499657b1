/* SPDX-License-Identifier: Apache-2.0 */
/* test_ber.c - tag, length, value: read within their bounds or not at all */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "pipeline/analyzers/ber.h"

/* A reader over a block of exactly n bytes, so that reading past its end is found. */
static struct zb_ber over(uint8_t **block, const void *d, size_t n)
{
	*block = malloc(n + !n);
	assert_non_null(*block);
	memcpy(*block, d, n);
	return (struct zb_ber){*block, n};
}

static bool next(const void *d, size_t n, struct zb_ber_item *out, size_t *left)
{
	uint8_t *block;
	struct zb_ber r = over(&block, d, n);
	bool ok = zb_ber_next(&r, out);

	*left = r.left;
	free(block);
	return ok;
}

/* Items stand one behind the other, and their values inside them. */
static void ber_items_are_read_in_turn(void **state)
{
	static const uint8_t d[] = {0x30, 5, 2, 1, 7, 4, 0, 5, 0};
	struct zb_ber r = {d, sizeof(d)}, in;
	struct zb_ber_item item;
	int32_t n;

	(void)state;
	assert_true(zb_ber_expect(&r, 0x30, &in));
	assert_int_equal(in.left, 5);
	assert_true(zb_ber_integer(&in, &n));
	assert_int_equal(n, 7);
	assert_true(zb_ber_next(&in, &item));
	assert_int_equal(item.tag, 4);
	assert_int_equal(item.value.left, 0);
	assert_false(zb_ber_next(&in, &item));
	assert_true(zb_ber_next(&r, &item));
	assert_int_equal(item.tag, 5);
	assert_int_equal(r.left, 0);
}

/* Lengths of one to four bytes more are understood. */
static void ber_long_lengths_are_read(void **state)
{
	uint8_t d[6 + 200] = {4};
	struct zb_ber_item item;
	size_t left;

	(void)state;
	for (unsigned bytes = 1; bytes <= 4; bytes++) {
		memset(d + 1, 0, 5);
		d[1] = (uint8_t)(0x80 | bytes);
		d[1 + bytes] = 200;
		assert_true(next(d, 2 + bytes + 200, &item, &left));
		assert_int_equal(item.value.left, 200);
		assert_int_equal(left, 0);
		assert_false(next(d, 2 + bytes + 199, &item, &left));
	}
}

/* What is cut short anywhere, or says more than there is, is no item. */
static void ber_item_beyond_the_end_is_none(void **state)
{
	static const uint8_t whole[] = {0x30, 0x82, 0, 3, 1, 2, 3};
	static const uint8_t bad[][6] = {
		{4, 0x84, 0xff, 0xff, 0xff, 0xff}, /* more than there is */
		{4, 0x85, 0, 0, 0, 0},		   /* length of five bytes */
		{4, 0x80, 0, 0, 0, 0},		   /* indefinite */
		{0x1f, 1, 0, 0, 0, 0},		   /* tag of several bytes */
		{4, 0xff, 0, 0, 0, 0},
	};
	struct zb_ber_item item;
	size_t left;

	(void)state;
	for (size_t n = 0; n < sizeof(whole); n++) {
		assert_false(next(whole, n, &item, &left));
		assert_int_equal(left, n);
	}
	assert_true(next(whole, sizeof(whole), &item, &left));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(next(bad[i], sizeof(bad[i]), &item, &left));
}

static bool integer(const void *d, size_t n, int32_t *out)
{
	uint8_t *block;
	struct zb_ber r = over(&block, d, n);
	bool ok = zb_ber_integer(&r, out);

	free(block);
	return ok;
}

/* Integers of one to four bytes are signed; others do not fit. */
static void ber_integers_are_signed_and_of_32_bits(void **state)
{
	int32_t n;

	(void)state;
	assert_true(integer("\x02\x01\xff", 3, &n));
	assert_int_equal(n, -1);
	assert_true(integer("\x02\x02\x00\xff", 4, &n));
	assert_int_equal(n, 255);
	assert_true(integer("\x02\x04\x80\x00\x00\x00", 6, &n));
	assert_int_equal(n, INT32_MIN);
	assert_true(integer("\x02\x04\x7f\xff\xff\xff", 6, &n));
	assert_int_equal(n, INT32_MAX);
	assert_false(integer("\x02\x05\x00\x7f\xff\xff\xff", 7, &n));
	assert_false(integer("\x02\x00", 2, &n));
	assert_false(integer("\x04\x01\x01", 3, &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ber_items_are_read_in_turn),
		cmocka_unit_test(ber_long_lengths_are_read),
		cmocka_unit_test(ber_item_beyond_the_end_is_none),
		cmocka_unit_test(ber_integers_are_signed_and_of_32_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_text_char.c - every byte there is, against the sets written out */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "pipeline/text_char.h"

#define DIGITS "0123456789"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER  "abcdefghijklmnopqrstuvwxyz"

/* Where c stands in the set; -1: nowhere. */
static int place(const char *set, unsigned c)
{
	const char *p = memchr(set, (int)c, strlen(set));

	return p != NULL ? (int)(p - set) : -1;
}

static void kinds_are_those_of_ascii(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		assert_int_equal(zb_text_is_digit((uint8_t)c), place(DIGITS, c) >= 0);
		assert_int_equal(zb_text_is_letter((uint8_t)c), place(UPPER LOWER, c) >= 0);
		assert_int_equal(zb_text_is_alnum((uint8_t)c), place(DIGITS UPPER LOWER, c) >= 0);
		assert_int_equal(zb_text_upper((uint8_t)c),
				 place(LOWER, c) >= 0 ? UPPER[place(LOWER, c)] : (int)c);
		assert_int_equal(zb_text_is_blank((uint8_t)c), place(" \t", c) >= 0);
		assert_int_equal(zb_text_is_space((uint8_t)c), place(" \t\n\v\f\r", c) >= 0);
	}
}

static void digits_stand_for_their_place(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		int upper = place(DIGITS "ABCDEF", c), lower = place(DIGITS "abcdef", c);
		int hex = upper > lower ? upper : lower;

		assert_int_equal(zb_text_hex_digit((uint8_t)c), hex);
		assert_int_equal(zb_text_hex_byte((uint8_t)c, '5'), hex < 0 ? -1 : hex * 16 + 5);
		assert_int_equal(zb_text_hex_byte('f', (uint8_t)c), hex < 0 ? -1 : 0xf0 + hex);
		assert_int_equal(zb_text_base64_digit((uint8_t)c),
				 place(UPPER LOWER DIGITS "+/", c));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_are_those_of_ascii),
		cmocka_unit_test(digits_stand_for_their_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

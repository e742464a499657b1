/* SPDX-License-Identifier: Apache-2.0 */
/* test_uid.c - ids in Zeek's shape, and no two the same */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/flow_key.h"
#include "pipeline/uid.h"

#define NR 300000u

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* An id must be its prefix and letters and digits of 96 bits, within the length that is promised.
 */
static void uid_has_the_shape_that_tools_expect(void **state)
{
	unsigned longest = 0;

	(void)state;
	for (uint64_t seq = 0; seq < NR; seq++) {
		char buf[ZB_UID_MAX + 1];
		unsigned n;

		memset(buf, '#', sizeof(buf));
		n = zb_uid_format(buf, 'C', seq, 42);
		assert_true(n >= 3 && n <= ZB_UID_MAX - 1); /* 1 + 6 + 11 */
		assert_int_equal(buf[0], 'C');
		assert_int_equal(buf[n], '#');
		for (unsigned i = 1; i < n; i++)
			assert_true(isalnum((unsigned char)buf[i]));
		longest = n > longest ? n : longest;
	}
	assert_int_equal(longest, 18);
}

/* Appends the digits of v, least significant first, one by one. */
static void append(char *buf, uint64_t v)
{
	static const char digit[] =
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	do {
		strncat(buf, &digit[v % 62], 1);
		v /= 62;
	} while (v != 0);
}

/* The digits must be those of the two numbers behind the id, as Zeek writes them. */
static void uid_digits_are_those_of_its_numbers(void **state)
{
	(void)state;
	for (uint64_t seq = 0; seq < NR; seq++) {
		uint64_t low = XXH3_64bits_withSeed(&seq, sizeof(seq), 42);
		char buf[ZB_UID_MAX + 1], want[ZB_UID_MAX + 1] = "F";

		append(want, (uint32_t)XXH3_64bits_withSeed(&low, sizeof(low), seq ^ 42));
		append(want, low);
		buf[zb_uid_format(buf, 'F', seq, 42)] = '\0';
		assert_string_equal(buf, want);
	}
}

/* Numbers that differ must give ids that differ, of neighbouring workers too. */
static void uid_of_distinct_numbers_are_distinct(void **state)
{
	char(*all)[24] = calloc(NR, sizeof(*all));

	(void)state;
	assert_non_null(all);
	for (uint64_t i = 0; i < NR; i++)
		zb_uid_format(all[i], 'C', i / 3 + (i % 3 << 48), 7);
	qsort(all, NR, sizeof(*all), by_text);
	for (uint32_t i = 1; i < NR; i++)
		assert_string_not_equal(all[i - 1], all[i]);
	free(all);
}

/* The same number must give the same id in the same run and another one in another run. */
static void uid_depends_on_the_secret(void **state)
{
	char a[ZB_UID_MAX + 1] = "", b[ZB_UID_MAX + 1] = "", c[ZB_UID_MAX + 1] = "";

	(void)state;
	zb_uid_format(a, 'C', 5, 1);
	zb_uid_format(b, 'C', 5, 1);
	zb_uid_format(c, 'C', 5, 2);
	assert_string_equal(a, b);
	assert_string_not_equal(a, c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uid_has_the_shape_that_tools_expect),
		cmocka_unit_test(uid_digits_are_those_of_its_numbers),
		cmocka_unit_test(uid_of_distinct_numbers_are_distinct),
		cmocka_unit_test(uid_depends_on_the_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

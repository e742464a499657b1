/* SPDX-License-Identifier: Apache-2.0 */
/* test_text_line.c - where lines begin, for content detection */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "pipeline/analyzers/text_line.h"

#define SEEN_MAX 128

/* What the test function was called with. */
static const uint8_t *seen[SEEN_MAX];
static size_t seen_nr;

static bool note(struct zb_text t)
{
	assert_true(seen_nr < SEEN_MAX);
	seen[seen_nr++] = t.d;
	return false;
}

static bool is_x(struct zb_text t)
{
	return t.n != 0 && *t.d == 'x';
}

/* The beginnings of lines are what stands behind each CR and each LF, blanks left out. */
static void lines_begin_behind_every_end(void **state)
{
	static const char text[] = "  one\r\n two\rthree\n\nfour";
	const uint8_t *d = (const uint8_t *)text;

	(void)state;
	seen_nr = 0;
	assert_int_equal(zb_text_match_lines(d, sizeof(text) - 1, false, note), ZB_MATCH_MORE);
	assert_int_equal(seen_nr, 6);
	assert_ptr_equal(seen[0], d + 2);
	assert_ptr_equal(seen[1], d + 6); /* between CR and LF */
	assert_ptr_equal(seen[2], d + 8);
	assert_ptr_equal(seen[3], d + 12);
	assert_ptr_equal(seen[4], d + 18);
	assert_ptr_equal(seen[5], d + 19);
	/* With all white space left out, empty lines are no lines. */
	seen_nr = 0;
	zb_text_match_lines(d, sizeof(text) - 1, true, note);
	assert_int_equal(seen_nr, 4);
	assert_ptr_equal(seen[3], d + 19);
}

static void line_that_fits_is_a_match(void **state)
{
	(void)state;
	assert_int_equal(zb_text_match_lines((const uint8_t *)"a\n x", 4, false, is_x),
			 ZB_MATCH_YES);
	assert_int_equal(zb_text_match_lines((const uint8_t *)"ax\n ", 4, false, is_x),
			 ZB_MATCH_MORE);
}

/* Any bytes: the ends found are those that a look at each byte finds, to the last one. */
static void ends_are_all_found(void **state)
{
	(void)state;
	srand(1);
	for (unsigned round = 0; round < 2000; round++) {
		size_t n = (size_t)rand() % 60 + 1;
		uint8_t *d = malloc(n);
		struct zb_text_ends ends;

		assert_non_null(d);
		for (size_t i = 0; i < n; i++)
			d[i] = (uint8_t) "\r\nab"[rand() % 4];
		ends = zb_text_ends(d, n);
		for (const uint8_t *at = d, *p; at < d + n; at = p + 1) {
			for (p = at; p < d + n && *p != '\r' && *p != '\n';)
				p++;
			assert_ptr_equal(zb_text_next_end(&ends, at), p);
		}
		free(d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_begin_behind_every_end),
		cmocka_unit_test(line_that_fits_is_a_match),
		cmocka_unit_test(ends_are_all_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

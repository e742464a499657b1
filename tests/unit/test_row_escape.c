/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_row_escape.c - strings in log rows, against Zeek's own examples and a plain reference
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "row_one.h"

#define FUZZ_ROUNDS 200000

static const char *string_text(enum zb_row_format fmt, const char *s, size_t len)
{
	one_begin(ZB_T_STRING, fmt);
	zb_row_string(&one.row, s, len);
	return one_end();
}

/* Zeek's own examples of escaping. */
static void row_string_vectors_print_as_zeek(void **state)
{
	static const struct {
		const char *in, *tsv, *json;
	} vec[] = {
		{"a\\b", "a\\\\b", "\"a\\\\b\""},
		{"a\tb", "a\\x09b", "\"a\\tb\""},
		{"-", "\\x2d", "\"-\""},
		{"(empty)", "\\x28empty)", "\"(empty)\""},
		{"", "(empty)", "\"\""},
		{"--", "--", "\"--\""},
		{"(empty(", "(empty(", "\"(empty(\""},
		{"\xc3\xa9", "\xc3\xa9", "\"\xc3\xa9\""},
		{"\xc3\xa9\x82", "\\xc3\\xa9\\x82", "\"\\\\xc3\\\\xa9\\\\x82\""},
		{"\x07\xd4\xb7o", "\\x07\\xd4\\xb7o", "\"\\\\x07\\\\xd4\\\\xb7o\""},
		/* In TSV a backslash or tab parts what is judged; in JSON it does not. */
		{"\xc3\xa9\\\x82", "\xc3\xa9\\\\\\x82", "\"\\\\xc3\\\\xa9\\\\\\\\x82\""},
		{"\xc3\xa9\n", "\\xc3\\xa9\\x0a", "\"\xc3\xa9\\n\""},
		{"\n\x01", "\\x0a\\x01", "\"\\n\\\\x01\""},
		{"say \"x\"", "say \"x\"", "\"say \\\"x\\\"\""},
		{"\x7f", "\\x7f", "\"\\\\x7f\""},
		{"\xc2\x80", "\\xc2\\x80", "\"\\\\xc2\\\\x80\""},
		{"\xee\x8b\xa0", "\\xee\\x8b\\xa0", "\"\\\\xee\\\\x8b\\\\xa0\""},
		{"\xef\xbf\xb0", "\\xef\\xbf\\xb0", "\"\\\\xef\\\\xbf\\\\xb0\""},
		{"\xf0\x9f\x98\x84", "\xf0\x9f\x98\x84", "\"\xf0\x9f\x98\x84\""},
		{"\xed\xa0\x80", "\\xed\\xa0\\x80", "\"\\\\xed\\\\xa0\\\\x80\""},
		{"\xc0\x81", "\\xc0\\x81", "\"\\\\xc0\\\\x81\""},
		{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\"\\\\xf4\\\\x90\\\\x80\\\\x80\""},
		{"\xf0", "\\xf0", "\"\\\\xf0\""},
		{"a,b", "a,b", "\"a,b\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(vec) / sizeof(vec[0]); i++) {
		size_t len = strlen(vec[i].in);

		assert_string_equal(string_text(ZB_ROW_TSV, vec[i].in, len), vec[i].tsv);
		assert_string_equal(string_text(ZB_ROW_JSON, vec[i].in, len), vec[i].json);
	}
	assert_string_equal(string_text(ZB_ROW_TSV, "a\0b", 3), "a\\x00b");
	assert_string_equal(string_text(ZB_ROW_JSON, "a\0b", 3), "\"a\\\\x00b\"");
}

/* A TSV line never begins like a comment. */
static void row_tsv_line_beginning_with_hash_is_escaped(void **state)
{
	(void)state;
	assert_string_equal(string_text(ZB_ROW_TSV, "#x", 2), "\\x23x");
	assert_string_equal(string_text(ZB_ROW_TSV, "x#", 2), "x#");
	assert_string_equal(string_text(ZB_ROW_JSON, "#x", 2), "\"#x\"");
}

/* The well-formed sequences, by ranges of their first two bytes; length of the one at s or 0. */
static size_t ref_utf8(const uint8_t *s, size_t len)
{
	static const uint8_t range[][4] = {
		{0xc2, 0xdf, 0x80, 0xbf}, {0xe0, 0xe0, 0xa0, 0xbf}, {0xe1, 0xec, 0x80, 0xbf},
		{0xed, 0xed, 0x80, 0x9f}, {0xee, 0xef, 0x80, 0xbf}, {0xf0, 0xf0, 0x90, 0xbf},
		{0xf1, 0xf3, 0x80, 0xbf}, {0xf4, 0xf4, 0x80, 0x8f},
	};

	for (size_t i = 0; i < sizeof(range) / sizeof(range[0]); i++) {
		size_t n = range[i][0] < 0xe0 ? 2 : range[i][0] < 0xf0 ? 3 : 4;

		if (s[0] < range[i][0] || s[0] > range[i][1] || n > len || s[1] < range[i][2] ||
		    s[1] > range[i][3])
			continue;
		for (size_t k = 2; k < n; k++)
			if (s[k] >> 6 != 2)
				return 0;
		return n;
	}
	return 0;
}

/* Length of the character that Zeek would leave alone, 0 when it would not. */
static size_t ref_fit(const uint8_t *s, size_t len, bool json)
{
	size_t n;

	if (s[0] < 0x80)
		return (s[0] >= 32 && s[0] < 127) ||
		       (json && s[0] != 0 && strchr("\b\f\n\r\t", s[0]));
	n = ref_utf8(s, len);
	if ((n == 2 && s[0] == 0xc2 && s[1] < 0xa0) || (n == 3 && s[0] == 0xee) ||
	    (n == 3 && s[0] == 0xef && s[1] <= 0xa3) ||
	    (n == 3 && s[0] == 0xef && s[1] == 0xbf && s[2] >= 0xb0))
		return 0;
	return n;
}

static char *ref_stretch(char *at, const uint8_t *s, size_t len, bool json)
{
	bool fit = true;

	for (size_t i = 0; i < len && fit;) {
		size_t n = ref_fit(s + i, len - i, json);

		fit = n > 0;
		i += n;
	}
	for (size_t i = 0; i < len; i++) {
		const char *ctl = s[i] == 0 ? NULL : strchr("\bb\ff\nn\rr\tt", s[i]);

		if (json && (s[i] == '"' || s[i] == '\\'))
			at += sprintf(at, "\\%c", s[i]);
		else if (json && s[i] < 32 && ctl != NULL)
			at += sprintf(at, "\\%c", ctl[1]);
		else if (fit || (s[i] >= 32 && s[i] < 127))
			*at++ = (char)s[i];
		else
			at += sprintf(at, json ? "\\\\x%02x" : "\\x%02x", s[i]);
	}
	return at;
}

/* The rules of Zeek's writer, as plainly as they can be put. */
static char *ref_string(char *at, const char *str, size_t len, bool json, bool in_set)
{
	const uint8_t *s = (const uint8_t *)str;
	size_t from = 0;

	if (json) {
		*at++ = '"';
		at = ref_stretch(at, s, len, true);
		*at++ = '"';
		*at = '\0';
		return at;
	}
	if (len == 0)
		return at + sprintf(at, "(empty)");
	if ((len == 1 && s[0] == '-') || (len == 7 && memcmp(s, "(empty)", 7) == 0))
		return at + sprintf(at, "\\x%02x%.*s", s[0], (int)len - 1, str + 1);
	for (size_t i = 0; i < len; i++) {
		if (s[i] != '\\' && s[i] != '\t' && !(in_set && s[i] == ','))
			continue;
		at = ref_stretch(at, s + from, i - from, false);
		at += s[i] == '\\' ? sprintf(at, "\\\\") : sprintf(at, "\\x%02x", s[i]);
		from = i + 1;
	}
	at = ref_stretch(at, s + from, len - from, false);
	*at = '\0';
	return at;
}

/* Text with, here and there, what has to be escaped: rarely, often, or nothing but. */
static size_t random_string(char *s, size_t max)
{
	static const char *const piece[] = {"\\",
					    "\"",
					    "\t",
					    ",",
					    "\n",
					    "\x7f",
					    "\xc3\xa9",
					    "\xe2\x82\xac",
					    "\xf0\x9f\x98\x84",
					    "\xee\x80\x81",
					    "\xef\xbf\xbd",
					    "\xc2\x85",
					    "\x80",
					    "\x01",
					    "#",
					    "-"};
	long odd = random() % 4;
	size_t want = (size_t)random() % max, n = 0;

	while (n < want) {
		long dice = random() % 64;

		if (dice < odd * odd * odd && n + 4 <= want) {
			const char *p = piece[random() % 16];

			memcpy(s + n, p, strlen(p));
			n += strlen(p);
		} else if (odd == 3 && dice > 60) {
			s[n++] = (char)random();
		} else {
			s[n++] = (char)(' ' + random() % 95);
		}
	}
	return n;
}

/* Whatever the bytes, a string and an element of a set read as the plain rules say. */
static void row_string_any_bytes_equal_reference(void **state)
{
	char want[2048];

	(void)state;
	for (int i = 0; i < FUZZ_ROUNDS; i++) {
		/* Exactly as long as the string, so that a sanitizer sees a read beyond it. */
		char tmp[80], *s;
		size_t len = random_string(tmp, sizeof(tmp));
		const char *const list[1] = {tmp};

		s = malloc(len + (len == 0));
		assert_non_null(s);
		memcpy(s, tmp, len);
		ref_string(want, s, len, true, false);
		assert_string_equal(string_text(ZB_ROW_JSON, s, len), want);
		ref_string(want, s, len, false, false);
		if (want[0] != '#')
			assert_string_equal(string_text(ZB_ROW_TSV, s, len), want);
		ref_string(want, s, len, false, true);
		if (want[0] != '#') {
			one_begin(ZB_T_VECTOR_STRING, ZB_ROW_TSV);
			zb_row_strings(&one.row, list, &len, 1);
			assert_string_equal(one_end(), want);
		}
		free(s);
	}
}

static size_t utf8_encode(char *s, uint32_t c)
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	s[0] = (char)(n == 1 ? c : (0xf00u >> n & 0xff) | c >> 6 * (n - 1));
	for (size_t i = 1; i < n; i++)
		s[i] = (char)(0x80 | (c >> 6 * (n - 1 - i) & 0x3f));
	return n;
}

/* Each code point, and what is beyond the last, is kept or escaped as the reference has it. */
static void row_string_each_code_point_equals_reference(void **state)
{
	char want[64], s[4];

	(void)state;
	for (uint32_t c = 0; c < 0x111000; c += c < 0x11000 || c >= 0x10f000 ? 1 : 251) {
		size_t n = utf8_encode(s, c);

		ref_string(want, s, n, true, false);
		assert_string_equal(string_text(ZB_ROW_JSON, s, n), want);
		if (c == '#')
			continue;
		ref_string(want, s, n, false, false);
		assert_string_equal(string_text(ZB_ROW_TSV, s, n), want);
	}
}

/* Every byte in every place of a string is seen: none slips past the eight-at-a-time test. */
static void row_string_each_byte_in_each_place_equals_reference(void **state)
{
	char want[512], s[24];

	(void)state;
	for (size_t len = 1; len <= sizeof(s); len++) {
		for (size_t pos = 0; pos < len; pos++) {
			for (int c = 0; c < 256; c++) {
				memset(s, 'a', len);
				s[pos] = (char)c;
				ref_string(want, s, len, true, false);
				assert_string_equal(string_text(ZB_ROW_JSON, s, len), want);
				if (s[0] == '#')
					continue;
				ref_string(want, s, len, false, false);
				assert_string_equal(string_text(ZB_ROW_TSV, s, len), want);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(row_string_vectors_print_as_zeek),
		cmocka_unit_test(row_tsv_line_beginning_with_hash_is_escaped),
		cmocka_unit_test(row_string_any_bytes_equal_reference),
		cmocka_unit_test(row_string_each_code_point_equals_reference),
		cmocka_unit_test(row_string_each_byte_in_each_place_equals_reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_row.c - every conversion of a log row, in both formats, against vectors and simple
 * references
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "row_one.h"

#define FUZZ_ROUNDS 200000

static const char *time_text(enum zb_row_format fmt, uint64_t ns)
{
	one_begin(ZB_T_TIME, fmt);
	zb_row_time(&one.row, ns);
	return one_end();
}

static const char *interval_text(enum zb_row_format fmt, int64_t ns)
{
	one_begin(ZB_T_INTERVAL, fmt);
	zb_row_interval(&one.row, ns);
	return one_end();
}

static const char *double_text(enum zb_row_format fmt, double v)
{
	one_begin(ZB_T_DOUBLE, fmt);
	zb_row_double(&one.row, v);
	return one_end();
}

/* ---- numbers ---- */

/* The digits of every length, and of the numbers around a change of length, are printf's. */
static void fmt_u64_any_value_equals_printf(void **state)
{
	uint64_t edge = 1;
	char want[32], got[32];

	(void)state;
	for (int i = 0; i < 20; i++, edge *= 10) {
		for (int d = -2; d <= 2; d++) {
			uint64_t v = edge + (uint64_t)d;

			snprintf(want, sizeof(want), "%" PRIu64, v);
			got[zb_fmt_u64(got, v)] = '\0';
			assert_string_equal(got, want);
		}
	}
	for (int i = 0; i < FUZZ_ROUNDS; i++) {
		uint64_t v = ((uint64_t)random() << 33 ^ (uint64_t)random()) >> (random() & 63);

		snprintf(want, sizeof(want), "%" PRIu64, v);
		got[zb_fmt_u64(got, v)] = '\0';
		assert_string_equal(got, want);
	}
}

/* Counts, signed integers, ports and truth values print as Zeek's, in both formats. */
static void row_plain_values_print_as_zeek(void **state)
{
	(void)state;
	for (int fmt = ZB_ROW_JSON; fmt <= ZB_ROW_TSV; fmt++) {
		one_begin(ZB_T_COUNT, fmt);
		zb_row_count(&one.row, UINT64_MAX);
		assert_string_equal(one_end(), "18446744073709551615");
		one_begin(ZB_T_INT, fmt);
		zb_row_int(&one.row, INT64_MIN);
		assert_string_equal(one_end(), "-9223372036854775808");
		one_begin(ZB_T_INT, fmt);
		zb_row_int(&one.row, 0);
		assert_string_equal(one_end(), "0");
		one_begin(ZB_T_PORT, fmt);
		zb_row_port(&one.row, 65535);
		assert_string_equal(one_end(), "65535");
		one_begin(ZB_T_BOOL, fmt);
		zb_row_bool(&one.row, true);
		assert_string_equal(one_end(), fmt == ZB_ROW_JSON ? "true" : "T");
		one_begin(ZB_T_BOOL, fmt);
		zb_row_bool(&one.row, false);
		assert_string_equal(one_end(), fmt == ZB_ROW_JSON ? "false" : "F");
	}
}

/* A time is cut to microseconds; TSV keeps six decimals, JSON none that are zero but one. */
static void row_time_is_cut_to_microseconds(void **state)
{
	(void)state;
	assert_string_equal(time_text(ZB_ROW_JSON, 1795357482658939999), "1795357482.658939");
	assert_string_equal(time_text(ZB_ROW_JSON, 1795357482000000999), "1795357482.0");
	assert_string_equal(time_text(ZB_ROW_JSON, 1643275951277370000), "1643275951.27737");
	assert_string_equal(time_text(ZB_ROW_JSON, 1643275951000001000), "1643275951.000001");
	assert_string_equal(time_text(ZB_ROW_TSV, 1795357482658939999), "1795357482.658939");
	assert_string_equal(time_text(ZB_ROW_TSV, 1795357482000000000), "1795357482.000000");
	assert_string_equal(time_text(ZB_ROW_TSV, 0), "0.000000");
	assert_string_equal(time_text(ZB_ROW_TSV, UINT64_MAX), "18446744073.709551");
}

/* Intervals follow the rules of times and keep their sign, unless nothing is left of them. */
static void row_interval_keeps_sign_and_zeros(void **state)
{
	(void)state;
	assert_string_equal(interval_text(ZB_ROW_TSV, 2000000000), "2.000000");
	assert_string_equal(interval_text(ZB_ROW_TSV, 250000000), "0.250000");
	assert_string_equal(interval_text(ZB_ROW_TSV, -1500000000), "-1.500000");
	assert_string_equal(interval_text(ZB_ROW_TSV, -999), "0.000000");
	assert_string_equal(interval_text(ZB_ROW_JSON, 380000), "0.00038");
	assert_string_equal(interval_text(ZB_ROW_JSON, -1000), "-0.000001");
	assert_string_equal(interval_text(ZB_ROW_JSON, 0), "0.0");
	assert_string_equal(interval_text(ZB_ROW_JSON, INT64_MIN), "-9223372036.854775");
}

/* A JSON time reads back as the same microsecond, and so does any TSV time. */
static void row_time_any_value_reads_back(void **state)
{
	(void)state;
	for (int i = 0; i < FUZZ_ROUNDS; i++) {
		uint64_t ns =
			((uint64_t)random() << 31 ^ (uint64_t)random()) % 4000000000000000000u;
		char want[40];
		unsigned n =
			(unsigned)snprintf(want, sizeof(want), "%" PRIu64 ".%06u", ns / 1000000000,
					   (unsigned)(ns % 1000000000 / 1000));

		assert_string_equal(time_text(ZB_ROW_TSV, ns), want);
		while (want[n - 1] == '0' && want[n - 2] != '.')
			want[--n] = '\0';
		assert_string_equal(time_text(ZB_ROW_JSON, ns), want);
	}
}

/* Doubles: six decimals at most in TSV, the shortest that reads back in JSON; never without a
 * point. */
static void row_double_prints_as_zeek(void **state)
{
	static const struct {
		double v;
		const char *json, *tsv;
	} vec[] = {
		{0, "0.0", "0.0"},
		{-0.0, "-0.0", "0.0"},
		{34, "34.0", "34.0"},
		{-2, "-2.0", "-2.0"},
		{0.25, "0.25", "0.25"},
		{0.1, "0.1", "0.1"},
		{1.0 / 3, "0.3333333333333333", "0.333333"},
		{1650.264644, "1650.264644", "1650.264644"},
		{0.1 + 0.2, "0.30000000000000004", "0.3"},
		{123456789.125, "123456789.125", "123456789.125"},
		{0.000001, "0.000001", "0.000001"},
		{1.5e-7, "1.5e-7", "0.0"},
		{-1e-9, "-1e-9", "0.0"},
		{1e20, "100000000000000000000.0", "100000000000000000000.0"},
		{1e22, "1e22", "10000000000000000000000.0"},
		{1.7976931348623157e308, "1.7976931348623157e308", NULL},
		{5e-324, "4.94065645841247e-324", "0.0"},
		{INFINITY, "null", "inf"},
		{-INFINITY, "null", "-inf"},
		{NAN, "null", "nan"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(vec) / sizeof(vec[0]); i++) {
		assert_string_equal(double_text(ZB_ROW_JSON, vec[i].v), vec[i].json);
		if (vec[i].tsv != NULL)
			assert_string_equal(double_text(ZB_ROW_TSV, vec[i].v), vec[i].tsv);
	}
	assert_int_equal(strlen(double_text(ZB_ROW_TSV, -1.7976931348623157e308)), 1 + 309 + 2);
}

/* Every finite double, whatever its bits, reads back from JSON as itself. */
static void row_double_any_bits_read_back(void **state)
{
	(void)state;
	for (int i = 0; i < FUZZ_ROUNDS / 4; i++) {
		uint64_t bits =
			(uint64_t)random() << 42 ^ (uint64_t)random() << 21 ^ (uint64_t)random();
		double v, back;

		memcpy(&v, &bits, sizeof(v));
		if (!isfinite(v))
			continue;
		back = strtod(double_text(ZB_ROW_JSON, v), NULL);
		assert_memory_equal(&back, &v, sizeof(v));
	}
}

/* ---- addresses ---- */

/* Every octet, in every place, prints as in a dotted quad. */
static void row_addr4_any_octets_equal_inet_ntop(void **state)
{
	char want[64], text[INET_ADDRSTRLEN];

	(void)state;
	for (unsigned i = 0; i < 4 * 256; i++) {
		uint8_t a[4] = {1, 22, 133, 0};

		a[i / 256] = (uint8_t)i;
		inet_ntop(AF_INET, a, text, sizeof(text));
		one_begin(ZB_T_ADDR, ZB_ROW_TSV);
		zb_row_addr4(&one.row, a);
		assert_string_equal(one_end(), text);
		snprintf(want, sizeof(want), "\"%s\"", text);
		one_begin(ZB_T_ADDR, ZB_ROW_JSON);
		zb_row_addr4(&one.row, a);
		assert_string_equal(one_end(), want);
	}
}

static void addr6_expect_ntop(const uint8_t a[16])
{
	char want[64], text[INET6_ADDRSTRLEN];

	inet_ntop(AF_INET6, a, text, sizeof(text));
	one_begin(ZB_T_ADDR, ZB_ROW_TSV);
	zb_row_addr6(&one.row, a);
	assert_string_equal(one_end(), text);
	snprintf(want, sizeof(want), "\"%s\"", text);
	one_begin(ZB_T_ADDR, ZB_ROW_JSON);
	zb_row_addr6(&one.row, a);
	assert_string_equal(one_end(), want);
}

/* IPv6 text equals inet_ntop's: all patterns of zero groups, mapped and compatible IPv4, random
 * ones. */
static void row_addr6_any_address_equals_inet_ntop(void **state)
{
	uint8_t a[16];

	(void)state;
	for (unsigned zeros = 0; zeros < 256; zeros++) {
		for (unsigned fill = 0; fill < 3; fill++) {
			static const uint16_t group[3] = {0xffff, 0x0001, 0x0a0b};

			for (unsigned g = 0; g < 8; g++) {
				uint16_t v = zeros >> g & 1 ? 0 : group[fill];

				a[2 * g] = (uint8_t)(v >> 8);
				a[2 * g + 1] = (uint8_t)v;
			}
			addr6_expect_ntop(a);
		}
	}
	for (unsigned i = 0; i < FUZZ_ROUNDS; i++) {
		for (unsigned b = 0; b < 16; b++)
			a[b] = random() & 3 ? (uint8_t)random() : 0;
		if (i % 4 == 1)
			memset(a, 0, (size_t)random() % 13);
		if (i % 8 == 2)
			memcpy(a, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
		addr6_expect_ntop(a);
	}
}

/* ---- words and containers ---- */

/* A word is copied as it is, at any length. */
static void row_word_any_length_is_copied(void **state)
{
	char s[101], want[128];

	(void)state;
	for (size_t len = 1; len <= 100; len++) {
		for (size_t i = 0; i < len; i++)
			s[i] = (char)('A' + i % 26);
		s[len] = '\0';
		one_begin(ZB_T_ENUM, ZB_ROW_TSV);
		zb_row_word(&one.row, s, len);
		assert_string_equal(one_end(), s);
		snprintf(want, sizeof(want), "\"%s\"", s);
		one_begin(ZB_T_STRING, ZB_ROW_JSON);
		zb_row_word(&one.row, s, len);
		assert_string_equal(one_end(), want);
	}
}

/* Elements are joined by commas, their own commas escaped in TSV; an empty container is not an
 * unset one. */
static void row_strings_container_prints_as_zeek(void **state)
{
	const char *const s[] = {"a,b", "c", "", "-", "\""};
	const size_t len[] = {3, 1, 0, 1, 1};
	const int64_t ns[] = {10000000000, 250000000, -1000};

	(void)state;
	one_begin(ZB_T_SET_STRING, ZB_ROW_TSV);
	zb_row_strings(&one.row, s, len, 5);
	assert_string_equal(one_end(), "a\\x2cb,c,(empty),\\x2d,\"");
	one_begin(ZB_T_SET_STRING, ZB_ROW_JSON);
	zb_row_strings(&one.row, s, len, 5);
	assert_string_equal(one_end(), "[\"a,b\",\"c\",\"\",\"-\",\"\\\"\"]");
	one_begin(ZB_T_SET_ENUM, ZB_ROW_TSV);
	zb_row_strings(&one.row, s, len, 0);
	assert_string_equal(one_end(), "(empty)");
	one_begin(ZB_T_VECTOR_STRING, ZB_ROW_JSON);
	zb_row_strings(&one.row, s, len, 0);
	assert_string_equal(one_end(), "[]");
	one_begin(ZB_T_VECTOR_INTERVAL, ZB_ROW_TSV);
	zb_row_intervals(&one.row, ns, 3);
	assert_string_equal(one_end(), "10.000000,0.250000,-0.000001");
	one_begin(ZB_T_VECTOR_INTERVAL, ZB_ROW_JSON);
	zb_row_intervals(&one.row, ns, 3);
	assert_string_equal(one_end(), "[10.0,0.25,-0.000001]");
	one_begin(ZB_T_VECTOR_INTERVAL, ZB_ROW_JSON);
	zb_row_intervals(&one.row, ns, 0);
	assert_string_equal(one_end(), "[]");
}

/* ---- whole rows ---- */

static const struct zb_row_field abc_fields[] = {
	{"ts", ZB_T_TIME},
	{"a_rather_long_name_of_a_field_that_counts_43", ZB_T_COUNT},
	{"s", ZB_T_STRING},
	{"set", ZB_T_SET_STRING},
};
static const struct zb_row_field abc_short_fields[] = {
	{"ts", ZB_T_TIME},
	{"a_rather_long_name_of_a_field_that_has_43ch", ZB_T_COUNT},
	{"s", ZB_T_STRING},
	{"set", ZB_T_SET_STRING},
};
static const struct zb_row_def abc_def = {"abc", abc_short_fields, 4};

/* Unset fields vanish from JSON, wherever they stand, and leave a dash in TSV. */
static void row_unset_any_subset_is_left_out(void **state)
{
	struct zb_row_shape *json, *tsv;
	struct zb_row r;
	const char *const s[] = {"x"};
	const size_t len[] = {1};
	char buf[ZB_ROW_FIXED_MAX], want[256];

	(void)state;
	assert_int_equal(zb_row_shape_create(&abc_def, ZB_ROW_JSON, &json), 0);
	assert_int_equal(zb_row_shape_create(&abc_def, ZB_ROW_TSV, &tsv), 0);
	for (unsigned set = 0; set < 16; set++) {
		for (int fmt = 0; fmt < 2; fmt++) {
			zb_row_begin(&r, fmt ? tsv : json, buf);
			set & 1 ? zb_row_time(&r, 1000000000) : zb_row_unset(&r);
			set & 2 ? zb_row_count(&r, 7) : zb_row_unset(&r);
			set & 4 ? zb_row_string(&r, "y", 1) : zb_row_unset(&r);
			set & 8 ? zb_row_strings(&r, s, len, 1) : zb_row_unset(&r);
			buf[zb_row_end(&r)] = '\0';
			if (fmt) {
				snprintf(want, sizeof(want), "%s\t%s\t%s\t%s\n",
					 set & 1 ? "1.000000" : "-", set & 2 ? "7" : "-",
					 set & 4 ? "y" : "-", set & 8 ? "x" : "-");
			} else {
				snprintf(want, sizeof(want), "{%s%s%s%s",
					 set & 1 ? "\"ts\":1.0," : "",
					 set & 2 ? "\"a_rather_long_name_of_a_field_that_has_"
						   "43ch\":7,"
						 : "",
					 set & 4 ? "\"s\":\"y\"," : "",
					 set & 8 ? "\"set\":[\"x\"]," : "");
				strcpy(want + strlen(want) - (set != 0), "}\n");
			}
			assert_string_equal(buf, want);
		}
	}
	zb_row_shape_destroy(json);
	zb_row_shape_destroy(tsv);
}

/* The header names separators, path, time of opening, fields and types; JSON files have neither
 * end. */
static void row_header_tsv_has_eight_lines(void **state)
{
	struct zb_row_shape *json, *tsv;
	char buf[ZB_ROW_HEADER_MAX];
	char *tz = getenv("TZ") ? strdup(getenv("TZ")) : NULL;

	(void)state;
	setenv("TZ", "XYZ-2", 1); /* two hours ahead of UTC */
	tzset();
	assert_int_equal(zb_row_shape_create(&abc_def, ZB_ROW_JSON, &json), 0);
	assert_int_equal(zb_row_shape_create(&abc_def, ZB_ROW_TSV, &tsv), 0);
	assert_int_equal(zb_row_header(json, 0, buf), 0);
	assert_int_equal(zb_row_footer(json, 0, buf), 0);
	buf[zb_row_header(tsv, 1700000000999999999, buf)] = '\0';
	assert_string_equal(
		buf, "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n"
		     "#path\tabc\n#open\t2023-11-15-00-13-20\n"
		     "#fields\tts\ta_rather_long_name_of_a_field_that_has_43ch\ts\tset\n"
		     "#types\ttime\tcount\tstring\tset[string]\n");
	buf[zb_row_footer(tsv, 1700003600000000000, buf)] = '\0';
	assert_string_equal(buf, "#close\t2023-11-15-01-13-20\n");
	zb_row_shape_destroy(json);
	zb_row_shape_destroy(tsv);
	if (tz != NULL)
		setenv("TZ", tz, 1);
	else
		unsetenv("TZ");
	free(tz);
	tzset();
}

/* A stream that cannot be written within the bounds is refused at the start, not on its first row.
 */
static void row_shape_out_of_bounds_is_refused(void **state)
{
	static struct zb_row_field many[ZB_ROW_FIELDS_MAX + 1];
	struct zb_row_shape *s = NULL;
	struct zb_row_def def = {"x", abc_fields, 4};

	(void)state;
	assert_int_equal(zb_row_shape_create(&def, ZB_ROW_JSON, &s), -ENAMETOOLONG);
	for (int i = 0; i <= ZB_ROW_FIELDS_MAX; i++)
		many[i] = (struct zb_row_field){"n", ZB_T_COUNT};
	def = (struct zb_row_def){"x", many, ZB_ROW_FIELDS_MAX + 1};
	assert_int_equal(zb_row_shape_create(&def, ZB_ROW_JSON, &s), -EINVAL);
	def.field_nr = 0;
	assert_int_equal(zb_row_shape_create(&def, ZB_ROW_JSON, &s), -EINVAL);
	def.field_nr = 30;
	for (int i = 0; i < 30; i++)
		many[i].type = ZB_T_DOUBLE;
	assert_int_equal(zb_row_shape_create(&def, ZB_ROW_TSV, &s), -EINVAL);
	assert_null(s);
}

/* The widest values of every type stay within what the shape says that a row takes. */
static void row_widest_values_fit_fixed_bytes(void **state)
{
	static const struct zb_row_field f[] = {
		{"t", ZB_T_TIME},
		{"i", ZB_T_INTERVAL},
		{"c", ZB_T_COUNT},
		{"n", ZB_T_INT},
		{"d", ZB_T_DOUBLE},
		{"b", ZB_T_BOOL},
		{"s", ZB_T_STRING},
		{"e", ZB_T_ENUM},
		{"a", ZB_T_ADDR},
		{"p", ZB_T_PORT},
		{"x", ZB_T_SET_STRING},
		{"y", ZB_T_VECTOR_STRING},
		{"z", ZB_T_VECTOR_INTERVAL},
	};
	static const struct zb_row_def def = {"w", f, sizeof(f) / sizeof(f[0])};
	const uint8_t a[16] = "\xab\xcd\xef\x12\xab\xcd\xef\x12\xab\xcd\xef\x12\xab\xcd\xef\x12";
	struct zb_row_shape *s;
	struct zb_row r;
	char buf[ZB_ROW_FIXED_MAX];

	(void)state;
	for (int fmt = 0; fmt < 2; fmt++) {
		assert_int_equal(zb_row_shape_create(&def, fmt, &s), 0);
		zb_row_begin(&r, s, buf);
		zb_row_time(&r, UINT64_MAX);
		zb_row_interval(&r, INT64_MIN);
		zb_row_count(&r, UINT64_MAX);
		zb_row_int(&r, INT64_MIN);
		zb_row_double(&r, -1.7976931348623157e308);
		zb_row_bool(&r, false);
		zb_row_string(&r, "", 0);
		zb_row_string(&r, "", 0);
		zb_row_addr6(&r, a);
		zb_row_port(&r, 65535);
		zb_row_strings(&r, NULL, NULL, 0);
		zb_row_strings(&r, NULL, NULL, 0);
		zb_row_intervals(&r, NULL, 0);
		assert_in_range(zb_row_end(&r) + ZB_ROW_SLACK / 2, 100,
				zb_row_shape_fixed_bytes(s));
		zb_row_shape_destroy(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fmt_u64_any_value_equals_printf),
		cmocka_unit_test(row_plain_values_print_as_zeek),
		cmocka_unit_test(row_time_is_cut_to_microseconds),
		cmocka_unit_test(row_interval_keeps_sign_and_zeros),
		cmocka_unit_test(row_time_any_value_reads_back),
		cmocka_unit_test(row_double_prints_as_zeek),
		cmocka_unit_test(row_double_any_bits_read_back),
		cmocka_unit_test(row_addr4_any_octets_equal_inet_ntop),
		cmocka_unit_test(row_addr6_any_address_equals_inet_ntop),
		cmocka_unit_test(row_word_any_length_is_copied),
		cmocka_unit_test(row_strings_container_prints_as_zeek),
		cmocka_unit_test(row_unset_any_subset_is_left_out),
		cmocka_unit_test(row_header_tsv_has_eight_lines),
		cmocka_unit_test(row_shape_out_of_bounds_is_refused),
		cmocka_unit_test(row_widest_values_fit_fixed_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_largest.c - the largest connections of all workers, in order, each once, as JSON and text */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "bench/largest.h"

#define SECRET 99u

static struct zb_pass_lcore lcore[2];
static struct zb_pass_result result = {.lcore = lcore, .lcore_nr = 2};

static struct zb_large_conn conn(uint64_t uid_seq, uint64_t bytes)
{
	struct zb_large_conn c = {.uid_seq = uid_seq,
				  .bytes = bytes,
				  .ts_ns = 1700000000123456789u};

	c.orig_is_a = zb_flow_key_make(&c.key, (const uint8_t[]){192, 0, 2, 1},
				       (const uint8_t[]){10, 0, 0, 1}, 4, 40000, 443, 6, false);
	return c;
}

/* Ten of two workers, and one that both had. */
static int fill(void **state)
{
	(void)state;
	memset(lcore, 0, sizeof(lcore));
	lcore[0].cpu = 4;
	lcore[1].cpu = 6;
	for (unsigned i = 0; i < 5; i++) {
		lcore[0].large.conn[lcore[0].large.nr++] = conn(i, 1000 + 10 * (i * 7 % 5));
		lcore[1].large.conn[lcore[1].large.nr++] = conn(10 + i, 1005 + 10 * i);
	}
	lcore[0].large.conn[lcore[0].large.nr++] = conn(77, 3000000);
	lcore[1].large.conn[lcore[1].large.nr++] = conn(77, 2000000);
	strcpy(lcore[0].large.conn[5].service, "ssl,http");
	return 0;
}

static void largest_are_in_order_each_once(void **state)
{
	static const uint64_t want[ZB_LARGE_MAX] = {3000000, 1045, 1040, 1035,
						    1030,    1025, 1020, 1015};
	struct zb_largest l;

	(void)state;
	zb_largest_make(&result, SECRET, &l);
	assert_int_equal(l.nr, ZB_LARGE_MAX);
	for (unsigned i = 0; i < ZB_LARGE_MAX; i++)
		assert_int_equal(l.conn[i].bytes, want[i]);
	/* The other worker's first: it must make room for the larger one. */
	lcore[0].large.conn[5].bytes = 1000000;
	zb_largest_make(&result, SECRET, &l);
	assert_int_equal(l.conn[0].bytes, 2000000);
	assert_int_equal(l.conn[0].lcore, 6);
	assert_int_equal(l.conn[1].bytes, 1045);
	assert_int_equal(l.nr, ZB_LARGE_MAX);
}

static void largest_json_names_them(void **state)
{
	struct zb_largest l;
	char uid[ZB_UID_MAX + 1];
	json_t *a, *o;

	(void)state;
	uid[zb_uid_format(uid, 'C', 77, SECRET)] = '\0';
	zb_largest_make(&result, SECRET, &l);
	a = zb_largest_json(&l);
	assert_int_equal(json_array_size(a), ZB_LARGE_MAX);
	o = json_array_get(a, 0);
	assert_string_equal(json_string_value(json_object_get(o, "uid")), uid);
	assert_string_equal(json_string_value(json_object_get(o, "orig_h")), "192.0.2.1");
	assert_int_equal(json_integer_value(json_object_get(o, "orig_p")), 40000);
	assert_string_equal(json_string_value(json_object_get(o, "resp_h")), "10.0.0.1");
	assert_int_equal(json_integer_value(json_object_get(o, "resp_p")), 443);
	assert_string_equal(json_string_value(json_object_get(o, "proto")), "tcp");
	assert_string_equal(json_string_value(json_object_get(o, "service")), "ssl,http");
	assert_int_equal(json_integer_value(json_object_get(o, "lcore")), 4);
	assert_int_equal(json_integer_value(json_object_get(o, "bytes")), 3000000);
	assert_true(json_real_value(json_object_get(o, "ts")) == 1700000000.123457);
	assert_true(json_is_null(json_object_get(json_array_get(a, 1), "service")));
	json_decref(a);
}

static char *said(const struct zb_largest *l)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	assert_non_null(f);
	zb_largest_report(l, f);
	fclose(f);
	return text;
}

/* A person is told of one that held more than a megabyte. */
static void largest_small_ones_are_no_news(void **state)
{
	struct zb_largest l;
	char *text;

	(void)state;
	zb_largest_make(&result, SECRET, &l);
	text = said(&l);
	assert_non_null(strstr(text, ", 192.0.2.1:40000 > 10.0.0.1:443/tcp: at most 3.0 MB\n"));
	free(text);
	l.conn[0].bytes = 1000000;
	text = said(&l);
	assert_string_equal(text, "");
	free(text);
	l.nr = 0;
	text = said(&l);
	assert_string_equal(text, "");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(largest_are_in_order_each_once, fill),
		cmocka_unit_test_setup(largest_json_names_them, fill),
		cmocka_unit_test_setup(largest_small_ones_are_no_news, fill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

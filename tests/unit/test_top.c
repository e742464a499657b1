/* SPDX-License-Identifier: Apache-2.0 */
/* test_top.c - zbench top: rows of a growing lcore.log, and the table made of them */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/top_rows.h"
#include "bench/top_table.h"

static char path[64];
static struct zb_top_rows *rows;
static struct zb_top_row got[4096];
static unsigned got_nr;

static int set_up(void **state)
{
	(void)state;
	strcpy(path, "/tmp/zb-top-XXXXXX");
	int fd = mkstemp(path);

	if (fd < 0)
		return -1;
	close(fd);
	rows = NULL;
	got_nr = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	zb_top_rows_close(rows);
	unlink(path);
	return 0;
}

static void append(const char *text)
{
	FILE *f = fopen(path, "a");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void note(void *arg, const struct zb_top_row *row)
{
	(void)arg;
	assert_true(got_nr < sizeof(got) / sizeof(got[0]));
	got[got_nr++] = *row;
}

static void read_more(void)
{
	if (rows == NULL)
		assert_int_equal(zb_top_rows_open(path, &rows), 0);
	assert_int_equal(zb_top_rows_read(rows, note, NULL), 0);
}

static void top_json_rows_are_read_as_they_come(void **state)
{
	(void)state;
	append("{\"ts\":1.5,\"wall_ts\":7.25,\"lcore\":3,\"pkts_proc\":10,\"active_tcp_conns\":2,"
	       "\"active_udp_conns\":5,\"conn_bytes\":100,\"conn_reserved_bytes\":1000,"
	       "\"dns_bytes\":11,\"pkt_lag_p99\":0.5}\n{\"lcore\":4,\"wall_");
	read_more();
	assert_int_equal(got_nr, 1);
	assert_true(got[0].v[ZB_TOP_LCORE] == 3);
	assert_true(got[0].v[ZB_TOP_WALL_S] == 7.25);
	assert_true(got[0].v[ZB_TOP_PROC] == 10);
	assert_true(got[0].v[ZB_TOP_CONNS] == 7);
	assert_true(got[0].v[ZB_TOP_STATE] == 111);
	assert_true(got[0].v[ZB_TOP_LAG_S] == 0.5);
	read_more();
	assert_int_equal(got_nr, 1);
	append("ts\":8.5}\n");
	read_more();
	assert_int_equal(got_nr, 2);
	assert_true(got[1].v[ZB_TOP_LCORE] == 4 && got[1].v[ZB_TOP_WALL_S] == 8.5);
}

static void top_tab_separated_rows_are_read_by_their_header(void **state)
{
	(void)state;
	append("#separator \\x09\n#path\tlcore\n#fields\twall_ts\tpkts_proc\tother\tlcore\t"
	       "tls_bytes\n#types\ttime\tcount\tcount\tcount\tcount\n"
	       "8.000000\t12\t99\t1\t-\n9.000000\t13\t99\t2\n#close\t2026\n");
	read_more();
	assert_int_equal(got_nr, 1);
	assert_true(got[0].v[ZB_TOP_WALL_S] == 8);
	assert_true(got[0].v[ZB_TOP_PROC] == 12);
	assert_true(got[0].v[ZB_TOP_LCORE] == 1);
	assert_true(got[0].v[ZB_TOP_STATE] == 0);
}

/* What is no row is passed over, however long, and rows after it are read. */
static void top_lines_that_are_no_rows_are_passed_over(void **state)
{
	static char junk[200000];

	(void)state;
	memset(junk, '{', sizeof(junk) - 1);
	append("\n{\n{}\n[]\n{\"lcore\":1}\n{\"lcore\":\"1\",\"wall_ts\":1}\nx\ty\n#fields\n#\n");
	append(junk);
	append("\n{\"lcore\":5,\"wall_ts\":1}\n");
	read_more();
	assert_int_equal(got_nr, 1);
	assert_true(got[0].v[ZB_TOP_LCORE] == 5);
}

/* 4000 rows of 2 KB, twice as much as is read of what was there before. */
static void append_long_rows(void)
{
	static char pad[2001];
	char line[2100];

	memset(pad, '7', sizeof(pad) - 1);
	for (unsigned i = 1; i <= 4000; i++) {
		snprintf(line, sizeof(line), "%u.5\t1\t%s\n", i, pad);
		append(line);
	}
}

/* Of a long file the end is read, with the columns that its beginning names. */
static void top_long_file_is_read_from_near_its_end(void **state)
{
	(void)state;
	append("#fields\twall_ts\tlcore\tother\n");
	append_long_rows();
	read_more();
	assert_in_range(got_nr, 2000, 2200);
	assert_true(got[got_nr - 1].v[ZB_TOP_WALL_S] == 4000.5);
	for (unsigned i = 0; i < got_nr; i++)
		assert_true(got[i].v[ZB_TOP_LCORE] == 1);
}

static void note_and_append(void *arg, const struct zb_top_row *row)
{
	note(arg, row);
	append("1.5\t2\n2.5\t2\n");
}

/* A run that writes faster than its rows are read does not keep the reader. */
static void top_rows_that_come_meanwhile_are_the_next_calls(void **state)
{
	(void)state;
	append("#fields\twall_ts\tlcore\n1.5\t1\n2.5\t1\n");
	assert_int_equal(zb_top_rows_open(path, &rows), 0);
	assert_int_equal(zb_top_rows_read(rows, note_and_append, NULL), 0);
	assert_int_equal(got_nr, 2);
	read_more();
	assert_int_equal(got_nr, 6);
	assert_true(got[5].v[ZB_TOP_LCORE] == 2);
}

/* A reader that has fallen far behind reads the end, as one that comes late. */
static void top_reader_that_is_behind_reads_the_end(void **state)
{
	(void)state;
	append("#fields\twall_ts\tlcore\tother\n1\t1\tx\n");
	read_more();
	assert_int_equal(got_nr, 1);
	append_long_rows();
	read_more();
	assert_in_range(got_nr, 2000, 2200);
	assert_true(got[got_nr - 1].v[ZB_TOP_WALL_S] == 4000.5);
}

static void top_missing_file_is_no_entry(void **state)
{
	(void)state;
	assert_int_equal(zb_top_rows_open("/nowhere/lcore.log", &rows), -ENOENT);
	assert_int_equal(zb_top_rows_open("/tmp", &rows), -EINVAL);
}

static char *print(const struct zb_top_table *t)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	zb_top_table_print(t, f);
	fclose(f);
	return text;
}

static void take(struct zb_top_table *t, double lcore, double wall_s, double pkts)
{
	struct zb_top_row r = {{
		[ZB_TOP_LCORE] = lcore,
		[ZB_TOP_WALL_S] = wall_s,
		[ZB_TOP_LINK] = 2 * pkts,
		[ZB_TOP_PROC] = pkts,
		[ZB_TOP_DROPPED] = pkts,
		[ZB_TOP_BYTES] = 1000 * pkts,
		[ZB_TOP_BUSY] = 3000 * pkts,
		[ZB_TOP_IDLE] = 1000 * pkts,
		[ZB_TOP_QUEUE] = 7,
		[ZB_TOP_LAG_S] = lcore / 1000,
		[ZB_TOP_ROWS] = pkts / 10,
		[ZB_TOP_CONNS] = 4,
		[ZB_TOP_STATE] = 1500000,
	}};

	zb_top_table_take(t, &r);
}

/* Rates are over the newest interval, however many rows there are in it. */
static void top_table_has_rates_and_totals(void **state)
{
	static const char want[] =
		"lcore     pkts/s  Gbit/s busy %  drops/s   queue  lag99 ms  state MB  cyc/pkt   "
		"rows/s     conns\n"
		"    2      10000   0.080   75.0    10000       7     2.000       1.5     3000     "
		"1000         4\n"
		"    5          0   0.000      -        0       7     5.000       1.5        -     "
		"   "
		"0         4\n"
		"  all      10000   0.080   75.0    10000      14     5.000       3.0     3000     "
		"1000         8\n"
		"\nsince the beginning: link 40002, analysed 20001, dropped 20001 (50.000 %)\n";
	struct zb_top_table *t = zb_top_table_create(1);
	char *text;

	(void)state;
	take(t, 5, 100, 1);
	for (unsigned i = 0; i <= 5000; i++)
		take(t, 2, 100 + i / 1000.0, i < 4000 ? 0 : 10000);
	for (unsigned i = 1; i <= 1000; i++)
		take(t, 2, 105 + i / 1000.0, 10000 + 10 * i);
	take(t, 1e9, 200, 1);
	take(t, -1, 200, 1);
	text = print(t);
	assert_string_equal(text, want);
	assert_true(zb_top_table_newest_s(t) == 106);
	free(text);
	zb_top_table_destroy(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(top_json_rows_are_read_as_they_come, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(top_tab_separated_rows_are_read_by_their_header,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(top_lines_that_are_no_rows_are_passed_over, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(top_long_file_is_read_from_near_its_end, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(top_rows_that_come_meanwhile_are_the_next_calls,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(top_reader_that_is_behind_reads_the_end, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(top_missing_file_is_no_entry, set_up, tear_down),
		cmocka_unit_test(top_table_has_rates_and_totals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

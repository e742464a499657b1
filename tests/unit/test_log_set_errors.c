/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_log_set_errors.c - files that cannot be opened or written: said once, rows counted, the rest
 * goes on
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "log_bed.h"

static void stderr_to_file(int *saved)
{
	int fd = open(path_of("stderr"), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);

	assert_true(fd >= 0);
	*saved = dup(STDERR_FILENO);
	assert_true(*saved >= 0);
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	close(fd);
}

static char *stderr_back(int saved)
{
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	return slurp("stderr");
}

/* A full disk is said once, with the file's name; its rows are counted as failed, other files go
 * on. */
static void log_set_full_disk_counts_rows_and_goes_on(void **state)
{
	struct zb_log_conf conf = conf_of(ZB_ROW_TSV, true);
	struct producer p[PRODUCERS];
	struct zb_log_set *set;
	struct zb_log_total total;
	char *said, want[256];
	int saved;

	(void)state;
	assert_int_equal(symlink("/dev/full", path_of("one.log")), 0);
	stderr_to_file(&saved);
	assert_int_equal(zb_log_set_create(&conf, &set), 0);
	produce_all(set, p);
	assert_int_equal(zb_log_set_close(set), -ENOSPC);
	assert_int_equal(zb_log_set_close(set), 0);
	said = stderr_back(saved);
	snprintf(want, sizeof(want), "zbench: %s: cannot be written: No space left on device; ",
		 path_of("one.log"));
	assert_memory_equal(said, want, strlen(want));
	assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
	zb_log_total(set, 0, &total);
	assert_int_equal(total.write_errno, ENOSPC);
	assert_int_equal(total.rows_failed, PRODUCERS * ROWS);
	assert_int_equal(total.rows_written + total.rows_dropped + total.bytes_written, 0);
	zb_log_total(set, 2, &total);
	assert_int_equal(total.rows_written, 2 * PRODUCERS * ROWS);
	assert_int_equal(total.write_errno, 0);
	zb_log_set_destroy(set);
}

static void file_limit(rlim_t bytes)
{
	struct rlimit lim;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &lim), 0);
	lim.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &lim), 0);
}

/* Waits for the writer to have dealt with a port's buffers. */
static void wait_until_idle(struct zb_log_port *p)
{
	while (zb_log_ring_count(&p->full) > 0 || zb_log_ring_count(&p->free) != p->buf_nr)
		sched_yield();
}

/* When a write ends in the middle of a row, the file is cut back to whole rows and goes on when it
 * can. */
static void log_set_partial_write_leaves_whole_rows(void **state)
{
	struct zb_log_conf conf = conf_of(ZB_ROW_JSON, true);
	struct zb_log_total total;
	struct zb_log_set *set;
	struct zb_log_port *p;
	uint64_t committed = 0, cut;
	struct stat st;
	int saved;

	(void)state;
	conf.buf_bytes = 8192;
	stderr_to_file(&saved);
	assert_int_equal(zb_log_set_create(&conf, &set), 0);
	p = zb_log_port(set, 0, 0);
	for (; committed < 60; committed++)
		assert_true(put_row(p, 0, committed));
	file_limit(2000);
	zb_log_flush(p);
	wait_until_idle(p);
	file_limit(RLIM_INFINITY);
	assert_int_equal(stat(path_of("one.log"), &st), 0);
	assert_in_range(st.st_size, 2000 - 120, 2000);
	cut = check_json_rows("one.log", true);
	for (; committed < 100; committed++)
		assert_true(put_row(p, 0, committed));
	assert_int_equal(zb_log_set_close(set), -EFBIG);
	assert_non_null(strstr(stderr_back(saved), "one.log: cannot be written: File too large"));
	zb_log_total(set, 0, &total);
	assert_int_equal(total.rows_written, cut + 40);
	assert_int_equal(total.rows_failed, 60 - cut);
	assert_int_equal(check_json_rows("one.log", false), cut + 40);
	assert_int_equal(stat(path_of("one.log"), &st), 0);
	assert_int_equal(total.bytes_written, st.st_size);
	zb_log_set_destroy(set);
}

/* A header that does not fit is taken back and written when there is room, before the first row. */
static void log_set_partial_header_is_written_later(void **state)
{
	struct zb_log_conf conf = conf_of(ZB_ROW_TSV, true);
	struct zb_log_total total;
	struct zb_log_set *set;
	struct zb_log_port *p;
	struct stat st;
	char *text;
	int saved;

	(void)state;
	stderr_to_file(&saved);
	assert_int_equal(zb_log_set_create(&conf, &set), 0);
	p = zb_log_port(set, 0, 0);
	assert_true(put_row(p, 0, 1));
	file_limit(50);
	zb_log_flush(p);
	wait_until_idle(p);
	file_limit(RLIM_INFINITY);
	assert_int_equal(stat(path_of("one.log"), &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_true(put_row(p, 0, 2));
	assert_int_equal(zb_log_set_close(set), -EFBIG);
	stderr_back(saved);
	text = slurp("one.log");
	assert_memory_equal(text, "#separator", 10);
	assert_non_null(strstr(text, "\n0\t2\t01\n#close"));
	assert_null(strstr(text, "\n0\t1\t"));
	zb_log_total(set, 0, &total);
	assert_int_equal(total.rows_written, 1);
	assert_int_equal(total.rows_failed, 1);
	assert_int_equal(total.bytes_written, strlen(text));
	zb_log_set_destroy(set);
}

/* A file that cannot be opened loses its rows, counted and said, and nothing else. */
static void log_set_missing_directory_counts_rows(void **state)
{
	struct zb_log_conf conf = conf_of(ZB_ROW_JSON, true);
	struct zb_log_total total;
	struct zb_log_set *set;
	int saved;

	(void)state;
	conf.dir = "/nonexistent-zbench-dir";
	stderr_to_file(&saved);
	assert_int_equal(zb_log_set_create(&conf, &set), 0);
	for (uint64_t i = 0; i < 100; i++)
		assert_true(put_row(zb_log_port(set, 0, 0), 0, i));
	assert_int_equal(zb_log_set_close(set), -ENOENT);
	assert_string_equal(
		stderr_back(saved),
		"zbench: /nonexistent-zbench-dir/one.log: cannot be opened: No such file or "
		"directory; its rows are lost for as long as this lasts\n");
	zb_log_total(set, 0, &total);
	assert_int_equal(total.rows_failed, 100);
	zb_log_set_destroy(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(log_set_full_disk_counts_rows_and_goes_on),
		CASE(log_set_partial_write_leaves_whole_rows),
		CASE(log_set_partial_header_is_written_later),
		CASE(log_set_missing_directory_counts_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_log_set.c - rows reach their files whole and in order, and every row that does not is
 * counted
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "log_bed.h"

/* With blocking, rows of concurrent producers all arrive, each producer's in order. */
static void log_set_blocking_loses_no_row(void **state)
{
	struct zb_log_conf conf = conf_of(ZB_ROW_JSON, true);
	struct producer p[PRODUCERS];
	struct zb_log_set *set;
	struct zb_log_total total;
	struct stat st;

	(void)state;
	assert_int_equal(zb_log_set_create(&conf, &set), 0);
	produce_all(set, p);
	assert_int_equal(zb_log_set_close(set), 0);
	for (uint16_t i = 0; i < PRODUCERS; i++) {
		assert_int_equal(p[i].refused, 0);
		assert_int_equal(p[i].stat[0].rows, ROWS);
		assert_int_equal(p[i].stat[2].rows, 2 * ROWS);
		assert_true(p[i].stat[2].buffer_bytes >= BUF_BYTES);
		assert_true(p[i].stat[2].buffer_bytes <= 3 * (BUF_BYTES + 256));
	}
	for (uint16_t i = 0; i < 3; i += 2) {
		uint64_t want = PRODUCERS * ROWS * (i == 2 ? 2 : 1);

		zb_log_total(set, i, &total);
		assert_int_equal(total.rows_written, want);
		assert_int_equal(total.rows_dropped, 0);
		assert_int_equal(total.rows_failed, 0);
		assert_int_equal(check_json_rows(i == 2 ? "two.log" : "one.log", true), want);
		assert_int_equal(stat(path_of(i == 2 ? "two.log" : "one.log"), &st), 0);
		assert_int_equal(total.bytes_written, st.st_size);
	}
	zb_log_set_destroy(set);
}

/* Without blocking, what did not find a buffer is counted; what was committed is written. */
static void log_set_dropping_accounts_for_every_row(void **state)
{
	struct zb_log_conf conf = conf_of(ZB_ROW_JSON, false);
	struct producer p[PRODUCERS];
	struct zb_log_set *set;
	struct zb_log_total total;
	uint64_t refused = 0, committed = 0;

	(void)state;
	assert_int_equal(zb_log_set_create(&conf, &set), 0);
	zb_log_set_stall(set, true);
	produce_all(set, p);
	zb_log_set_stall(set, false);
	assert_int_equal(zb_log_set_close(set), 0);
	for (uint16_t i = 0; i < PRODUCERS; i++) {
		refused += p[i].refused;
		committed += p[i].stat[0].rows + p[i].stat[2].rows;
		assert_int_equal(p[i].stat[0].rows + p[i].stat[0].rows_dropped, ROWS);
		assert_int_equal(p[i].stat[2].rows + p[i].stat[2].rows_dropped, 2 * ROWS);
	}
	assert_true(refused > 0);
	assert_int_equal(refused + committed, 3 * PRODUCERS * ROWS);
	for (uint16_t i = 0; i < 3; i += 2) {
		zb_log_total(set, i, &total);
		assert_int_equal(total.rows_failed, 0);
		assert_int_equal(check_json_rows(i == 2 ? "two.log" : "one.log", false),
				 total.rows_written);
		refused -= total.rows_dropped;
		committed -= total.rows_written;
	}
	assert_int_equal(refused, 0);
	assert_int_equal(committed, 0);
	zb_log_set_destroy(set);
}

static void *produce_blocked(void *arg)
{
	struct producer *p = arg;
	struct zb_log_port *one = zb_log_port(p->set, 0, 0);

	for (uint64_t i = 0; i < 200; i++) {
		atomic_store(&p->attempts, i);
		p->refused += !put_row(one, 0, i);
	}
	zb_log_port_stat(one, &p->stat[0]);
	return NULL;
}

/* A stalled writer makes a blocking producer wait, not lose rows, and the wait is counted in
 * cycles. */
static void log_set_stalled_writer_makes_producer_wait(void **state)
{
	uint64_t waited = 0;

	(void)state;
	/* Whether the producer gets to waiting before the stall ends is for the scheduler to say: a
	 * few tries. */
	for (int tries = 0; tries < 50 && waited == 0; tries++) {
		struct zb_log_conf conf = conf_of(ZB_ROW_JSON, true);
		struct producer p = {0};
		struct zb_log_total total;
		pthread_t t;

		assert_int_equal(zb_log_set_create(&conf, &p.set), 0);
		zb_log_set_stall(p.set, true);
		assert_int_equal(pthread_create(&t, NULL, produce_blocked, &p), 0);
		/* Three buffers of a kilobyte take at least this many rows, and never 200. */
		while (atomic_load(&p.attempts) < 15)
			sched_yield();
		usleep(1000u << (tries < 8 ? tries : 8));
		assert_true(atomic_load(&p.attempts) < 100);
		zb_log_set_stall(p.set, false);
		assert_int_equal(pthread_join(t, NULL), 0);
		assert_int_equal(zb_log_set_close(p.set), 0);
		zb_log_total(p.set, 0, &total);
		assert_int_equal(p.refused, 0);
		assert_int_equal(total.rows_written, 200);
		assert_int_equal(check_json_rows("one.log", true), 200);
		waited = p.stat[0].wait_cycles;
		zb_log_set_destroy(p.set);
	}
	assert_true(waited > 0);
}

/* A stream without rows has no file and no buffers, one that is switched off has no port. */
static void log_set_without_rows_makes_no_file(void **state)
{
	struct zb_log_conf conf = conf_of(ZB_ROW_TSV, true);
	struct zb_log_port_stat stat;
	struct zb_log_total total;
	struct zb_log_set *set;

	(void)state;
	assert_int_equal(zb_log_set_create(&conf, &set), 0);
	assert_null(zb_log_port(set, 1, 0));
	zb_log_flush(zb_log_port(set, 0, 0));
	zb_log_port_stat(zb_log_port(set, 0, 0), &stat);
	assert_int_equal(stat.buffer_bytes, 0);
	assert_true(put_row(zb_log_port(set, 2, 1), 1, 0));
	zb_log_port_stat(zb_log_port(set, 2, 1), &stat);
	assert_true(stat.buffer_bytes >= BUF_BYTES && stat.buffer_bytes < 2 * BUF_BYTES);
	assert_int_equal(zb_log_set_close(set), 0);
	assert_int_equal(access(path_of("one.log"), F_OK), -1);
	assert_int_equal(access(path_of("two.log"), F_OK), 0);
	zb_log_total(set, 1, &total);
	assert_int_equal(total.rows_written + total.rows_dropped + total.rows_failed, 0);
	zb_log_set_destroy(set);
}

/* A TSV file has its header once, before all rows, and its footer at the end; an old file is
 * replaced. */
static void log_set_tsv_file_has_header_and_footer(void **state)
{
	struct zb_log_conf conf = conf_of(ZB_ROW_TSV, true);
	static const char body[] = "#types\tcount\tcount\tstring\n0\t3\t012\n1\t3\t012\n#close\t";
	struct zb_log_set *set;
	char *text, *tail;
	FILE *old = fopen(path_of("one.log"), "w");

	(void)state;
	assert_non_null(old);
	fprintf(old, "a much longer file than what replaces it%1000s\n", "");
	fclose(old);
	assert_int_equal(zb_log_set_create(&conf, &set), 0);
	for (uint16_t i = 0; i < 2; i++) {
		assert_true(put_row(zb_log_port(set, 0, 0), i, 3));
		zb_log_flush(zb_log_port(set, 0, 0));
	}
	assert_int_equal(zb_log_set_close(set), 0);
	text = slurp("one.log");
	assert_memory_equal(text, "#separator \\x09\n#set_separator\t,\n", 33);
	tail = strstr(text, "#types");
	assert_non_null(tail);
	assert_memory_equal(tail, body, strlen(body));
	assert_int_equal(strlen(tail), strlen(body) + strlen("2024-01-31-23-59-59\n"));
	zb_log_set_destroy(set);
}

/* A row that might not fit in a whole buffer is dropped and counted, even for a blocking producer.
 */
static void log_set_row_longer_than_buffer_is_dropped(void **state)
{
	struct zb_log_conf conf = conf_of(ZB_ROW_JSON, true);
	static char big[BUF_BYTES];
	struct zb_log_total total;
	struct zb_log_set *set;
	struct zb_log_port *p;
	struct zb_row r;

	(void)state;
	memset(big, 1, sizeof(big));
	assert_int_equal(zb_log_set_create(&conf, &set), 0);
	p = zb_log_port(set, 0, 0);
	assert_true(put_row(p, 0, 1));
	assert_false(zb_log_row(p, BUF_BYTES, &r));
	assert_false(zb_log_row(p, SIZE_MAX, &r));
	assert_false(zb_log_row(p, SIZE_MAX / 8 + 1, &r));
	/* The largest that is let in, at its worst. */
	assert_true(zb_log_row(p, p->string_max, &r));
	zb_row_count(&r, UINT64_MAX);
	zb_row_count(&r, UINT64_MAX);
	zb_row_string(&r, big, p->string_max);
	zb_log_commit(p, &r);
	assert_false(zb_log_row(p, p->string_max + 1, &r));
	assert_int_equal(zb_log_set_close(set), 0);
	zb_log_total(set, 0, &total);
	assert_int_equal(total.rows_written, 2);
	assert_int_equal(total.rows_dropped, 4);
	zb_log_set_destroy(set);
}

/* The null sink counts as if it wrote, and makes no file. */
static void log_set_null_sink_counts_rows_without_files(void **state)
{
	struct zb_log_conf conf = conf_of(ZB_ROW_JSON, true);
	struct producer p[PRODUCERS];
	struct zb_log_total total;
	struct zb_log_set *set;

	(void)state;
	conf.sink = ZB_SINK_NULL;
	conf.dir = NULL;
	assert_int_equal(zb_log_set_create(&conf, &set), 0);
	produce_all(set, p);
	assert_int_equal(zb_log_set_close(set), 0);
	zb_log_total(set, 0, &total);
	assert_int_equal(total.rows_written, PRODUCERS * ROWS);
	assert_true(total.bytes_written > PRODUCERS * ROWS * 30);
	assert_int_equal(access(path_of("one.log"), F_OK), -1);
	zb_log_set_destroy(set);
}

/* The writer has a name and stays on the CPUs it was given; the creator's signal mask is untouched.
 */
static void log_set_writer_is_named_and_pinned(void **state)
{
	struct zb_log_conf conf = conf_of(ZB_ROW_JSON, true);
	char comm[64] = "", path[64];
	sigset_t before, after;
	struct zb_log_set *set;
	cpu_set_t mine, cpus;
	FILE *f;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(mine), &mine), 0);
	CPU_ZERO(&cpus);
	for (unsigned i = 0; i < CPU_SETSIZE && CPU_COUNT(&cpus) == 0; i++)
		if (CPU_ISSET(i, &mine))
			CPU_SET(i, &cpus);
	conf.writer_cpus = &cpus;
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	assert_int_equal(zb_log_set_create(&conf, &set), 0);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	for (int sig = 1; sig < NSIG; sig++)
		assert_int_equal(sigismember(&before, sig), sigismember(&after, sig));
	snprintf(path, sizeof(path), "/proc/self/task/%d/comm", zb_log_set_writer_tid(set));
	f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(comm, sizeof(comm), f));
	fclose(f);
	assert_string_equal(comm, "zb-writer\n");
	assert_int_equal(sched_getaffinity(zb_log_set_writer_tid(set), sizeof(mine), &mine), 0);
	assert_true(CPU_EQUAL(&mine, &cpus));
	zb_log_set_destroy(set);
}

/* Bounds that cannot work are refused before a thread is started. */
static void log_set_bad_conf_is_refused(void **state)
{
	static const struct zb_row_def bad_def = {"bad", row_fields, 0};
	static const struct zb_row_def *const bad_defs[] = {&one_def, &bad_def};
	struct zb_log_conf conf = conf_of(ZB_ROW_JSON, true);
	struct zb_log_set *set = NULL;

	(void)state;
	conf.buf_bytes = 64;
	assert_int_equal(zb_log_set_create(&conf, &set), -EINVAL);
	conf = conf_of(ZB_ROW_JSON, true);
	conf.bufs_per_port = ZB_LOG_BUFS_MAX + 1;
	assert_int_equal(zb_log_set_create(&conf, &set), -EINVAL);
	conf = conf_of(ZB_ROW_JSON, true);
	conf.dir = NULL;
	assert_int_equal(zb_log_set_create(&conf, &set), -EINVAL);
	conf = conf_of(ZB_ROW_JSON, true);
	conf.defs = bad_defs;
	conf.stream_nr = 2;
	assert_int_equal(zb_log_set_create(&conf, &set), -EINVAL);
	assert_null(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(log_set_blocking_loses_no_row),
		CASE(log_set_dropping_accounts_for_every_row),
		CASE(log_set_stalled_writer_makes_producer_wait),
		CASE(log_set_without_rows_makes_no_file),
		CASE(log_set_tsv_file_has_header_and_footer),
		CASE(log_set_row_longer_than_buffer_is_dropped),
		CASE(log_set_null_sink_counts_rows_without_files),
		CASE(log_set_writer_is_named_and_pinned),
		CASE(log_set_bad_conf_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

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
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "profiler/log_set.h"
#include "profiler/log_set_priv.h"

#define PRODUCERS      3
#define ROWS	       20000
#define BUF_BYTES      1024
#define TEXT_BYTES     60
#define FILE_BYTES_MAX (16u << 20)

static const struct zb_row_field row_fields[] = {
	{"producer", ZB_T_COUNT},
	{"nr", ZB_T_COUNT},
	{"text", ZB_T_STRING},
};
static const struct zb_row_def one_def = {"one", row_fields, 3};
static const struct zb_row_def two_def = {"two", row_fields, 3};
static const struct zb_row_def *const two_defs[] = {&one_def, NULL, &two_def};

static char dir[64];

static int dir_make(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/zb-test-log-XXXXXX");
	return mkdtemp(dir) == NULL ? -1 : 0;
}

static char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int dir_remove(void **state)
{
	(void)state;
	unlink(path_of("one.log"));
	unlink(path_of("two.log"));
	unlink(path_of("stderr"));
	return rmdir(dir);
}

static struct zb_log_conf conf_of(enum zb_row_format fmt, bool block)
{
	return (struct zb_log_conf){
		.dir = dir,
		.defs = two_defs,
		.stream_nr = 3,
		.producer_nr = PRODUCERS,
		.format = fmt,
		.sink = ZB_SINK_FILES,
		.block = block,
		.buf_bytes = BUF_BYTES,
		.bufs_per_port = 3,
	};
}

static bool put_row(struct zb_log_port *p, unsigned producer, uint64_t nr)
{
	static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz 0123456789 0123456789 -";
	struct zb_row r;

	if (!zb_log_row(p, TEXT_BYTES, &r))
		return false;
	zb_row_count(&r, producer);
	zb_row_count(&r, nr);
	zb_row_string(&r, text, nr % TEXT_BYTES);
	zb_log_commit(p, &r);
	return true;
}

static char *slurp(const char *name)
{
	static char text[FILE_BYTES_MAX];
	FILE *f = fopen(path_of(name), "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	assert_true(n < sizeof(text) - 1);
	text[n] = '\0';
	fclose(f);
	return text;
}

/*
 * Every line of the file is a whole row, and each producer's numbers rise (by one when dense).
 * Returns how many rows there are.
 */
static uint64_t check_json_rows(const char *name, bool dense)
{
	uint64_t next[PRODUCERS] = {0}, rows = 0;
	char *line, *save = NULL, *text = slurp(name);

	assert_true(text[0] == '\0' || text[strlen(text) - 1] == '\n');
	for (line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		unsigned producer;
		uint64_t nr;
		char quote, brace, *s = strstr(line, "\"text\":\"");

		assert_int_equal(sscanf(line, "{\"producer\":%u,\"nr\":%" SCNu64 ",\"text\":",
					&producer, &nr),
				 2);
		assert_non_null(s);
		s += strlen("\"text\":\"");
		assert_true(strlen(s) == nr % TEXT_BYTES + 2);
		quote = s[nr % TEXT_BYTES];
		brace = s[nr % TEXT_BYTES + 1];
		assert_true(quote == '"' && brace == '}');
		assert_true(producer < PRODUCERS);
		if (dense)
			assert_int_equal(nr, next[producer]);
		assert_true(nr >= next[producer]);
		next[producer] = nr + 1;
		rows++;
	}
	return rows;
}

struct producer {
	struct zb_log_set *set;
	uint16_t nr;
	uint64_t refused;
	_Atomic uint64_t attempts;
	struct zb_log_port_stat stat[3];
};

/* Two rows of stream 2 for each of stream 0. */
static void *produce(void *arg)
{
	struct producer *p = arg;
	struct zb_log_port *one = zb_log_port(p->set, 0, p->nr),
			   *two = zb_log_port(p->set, 2, p->nr);

	for (uint64_t i = 0; i < ROWS; i++) {
		p->refused += !put_row(two, p->nr, 2 * i);
		p->refused += !put_row(one, p->nr, i);
		p->refused += !put_row(two, p->nr, 2 * i + 1);
		if (i % 1000 == 0)
			zb_log_flush(one);
	}
	zb_log_port_stat(one, &p->stat[0]);
	zb_log_port_stat(two, &p->stat[2]);
	return NULL;
}

static void produce_all(struct zb_log_set *set, struct producer *p)
{
	pthread_t t[PRODUCERS];

	for (uint16_t i = 0; i < PRODUCERS; i++) {
		p[i] = (struct producer){.set = set, .nr = i};
		assert_int_equal(pthread_create(&t[i], NULL, produce, &p[i]), 0);
	}
	for (uint16_t i = 0; i < PRODUCERS; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
}

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

#define CASE(f) cmocka_unit_test_setup_teardown(f, dir_make, dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(log_set_blocking_loses_no_row),
		CASE(log_set_dropping_accounts_for_every_row),
		CASE(log_set_stalled_writer_makes_producer_wait),
		CASE(log_set_without_rows_makes_no_file),
		CASE(log_set_tsv_file_has_header_and_footer),
		CASE(log_set_full_disk_counts_rows_and_goes_on),
		CASE(log_set_partial_write_leaves_whole_rows),
		CASE(log_set_partial_header_is_written_later),
		CASE(log_set_missing_directory_counts_rows),
		CASE(log_set_row_longer_than_buffer_is_dropped),
		CASE(log_set_null_sink_counts_rows_without_files),
		CASE(log_set_writer_is_named_and_pinned),
		CASE(log_set_bad_conf_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

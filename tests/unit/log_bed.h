/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_bed.h - a log set in a temporary folder, producers for it, and a check of what they wrote
 *
 * Streams are one.log (0) and two.log (2); stream 1 is switched off.
 */
#ifndef ZB_TESTS_UNIT_LOG_BED_H
#define ZB_TESTS_UNIT_LOG_BED_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static inline int dir_make(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/zb-test-log-XXXXXX");
	return mkdtemp(dir) == NULL ? -1 : 0;
}

static inline char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static inline int dir_remove(void **state)
{
	(void)state;
	unlink(path_of("one.log"));
	unlink(path_of("two.log"));
	unlink(path_of("stderr"));
	return rmdir(dir);
}

static inline struct zb_log_conf conf_of(enum zb_row_format fmt, bool block)
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

static inline bool put_row(struct zb_log_port *p, unsigned producer, uint64_t nr)
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

static inline char *slurp(const char *name)
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
static inline uint64_t check_json_rows(const char *name, bool dense)
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
static inline void *produce(void *arg)
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

static inline void produce_all(struct zb_log_set *set, struct producer *p)
{
	pthread_t t[PRODUCERS];

	for (uint16_t i = 0; i < PRODUCERS; i++) {
		p[i] = (struct producer){.set = set, .nr = i};
		assert_int_equal(pthread_create(&t[i], NULL, produce, &p[i]), 0);
	}
	for (uint16_t i = 0; i < PRODUCERS; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, dir_make, dir_remove)

#endif

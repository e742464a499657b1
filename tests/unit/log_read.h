/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_read.h - a log set in a folder of its own, and what it wrote, for tests
 *
 * Include after cmocka.h.
 */
#ifndef ZB_TESTS_UNIT_LOG_READ_H
#define ZB_TESTS_UNIT_LOG_READ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pipeline/logs.h"

struct logs {
	char dir[32];
	struct zb_log_set *set;
	char *text; /* of the file read last */
};

static inline void logs_open(struct logs *l, enum zb_row_format format, enum zb_log_sink sink)
{
	struct zb_log_conf conf = {.dir = l->dir,
				   .defs = zb_engine_log_defs,
				   .stream_nr = ZB_LOG_ENGINE_NR,
				   .producer_nr = 1,
				   .format = format,
				   .sink = sink,
				   .block = true};

	strcpy(l->dir, "/tmp/zbench-test-XXXXXX");
	assert_non_null(mkdtemp(l->dir));
	l->text = NULL;
	assert_int_equal(zb_log_set_create(&conf, &l->set), 0);
}

/* Closes the logs, when they are open, and returns the text of NAME.log, "" when there is none. */
static inline char *logs_read(struct logs *l, const char *name)
{
	char path[64];
	FILE *f;
	size_t n = 0;

	assert_int_equal(zb_log_set_close(l->set), 0);
	free(l->text);
	l->text = calloc(1, 16 << 20);
	assert_non_null(l->text);
	snprintf(path, sizeof(path), "%s/%s.log", l->dir, name);
	f = fopen(path, "r");
	if (f != NULL) {
		n = fread(l->text, 1, (16 << 20) - 1, f);
		fclose(f);
	}
	l->text[n] = '\0';
	return l->text;
}

static inline void logs_free(struct logs *l)
{
	char path[64];

	zb_log_set_close(l->set);
	zb_log_set_destroy(l->set);
	for (size_t i = 0; i < ZB_LOG_ENGINE_NR; i++) {
		snprintf(path, sizeof(path), "%s/%s.log", l->dir, zb_engine_log_defs[i]->path);
		unlink(path);
	}
	assert_int_equal(rmdir(l->dir), 0);
	free(l->text);
}

#endif

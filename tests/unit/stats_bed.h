/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats_bed.h - stats.log and lcore.log in a temporary folder, fed with snapshots and read back
 */
#ifndef ZB_TESTS_UNIT_STATS_BED_H
#define ZB_TESTS_UNIT_STATS_BED_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "profiler/log_set.h"
#include "profiler/stats_log.h"

#define LCORES	 3
#define ROWS_MAX 4096
#define START_NS 1700000000000000000u
#define SECOND	 1000000000ul

static const struct zb_row_def *const defs[] = {&zb_stats_log_def, &zb_lcore_log_def};
static const unsigned lcore_ids[LCORES] = {2, 3, 17};

struct bed {
	char dir[64];
	struct zb_log_set *set;
	struct zb_stats_log *log;
	json_t *row[ROWS_MAX]; /* of the file read last */
	size_t row_nr;
};

static struct bed bed;

static inline char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", bed.dir, name);
	return path;
}

static inline void bed_make(enum zb_row_format fmt, unsigned lcore_nr)
{
	struct zb_log_conf conf = {
		.dir = bed.dir,
		.defs = defs,
		.stream_nr = 2,
		.producer_nr = 1,
		.format = fmt,
	};
	struct zb_stats_log_conf stats = {
		.lcore_ids = lcore_ids,
		.lcore_nr = lcore_nr,
		.tsc_hz = 1e9,
	};

	strcpy(bed.dir, "/tmp/zb-test-stats-XXXXXX");
	assert_non_null(mkdtemp(bed.dir));
	assert_int_equal(zb_log_set_create(&conf, &bed.set), 0);
	stats.stats = zb_log_port(bed.set, 0, 0);
	stats.lcore = zb_log_port(bed.set, 1, 0);
	assert_int_equal(zb_stats_log_create(&stats, &bed.log), 0);
}

/* Ends the run and leaves the files. */
static inline void bed_close(void)
{
	zb_stats_log_finish(bed.log);
	zb_stats_log_destroy(bed.log);
	assert_int_equal(zb_log_set_close(bed.set), 0);
	zb_log_set_destroy(bed.set);
}

static inline void bed_remove(void)
{
	unlink(path_of("stats.log"));
	unlink(path_of("lcore.log"));
	assert_int_equal(rmdir(bed.dir), 0);
}

static inline void rows_free(void)
{
	for (size_t i = 0; i < bed.row_nr; i++)
		json_decref(bed.row[i]);
	bed.row_nr = 0;
}

static inline void rows_read(const char *name)
{
	FILE *f = fopen(path_of(name), "r");
	json_error_t err;
	json_t *row;

	rows_free();
	if (f == NULL)
		return;
	while ((row = json_loadf(f, JSON_DISABLE_EOF_CHECK, &err)) != NULL) {
		assert_true(bed.row_nr < ROWS_MAX);
		bed.row[bed.row_nr++] = row;
		assert_int_equal(fgetc(f), '\n');
	}
	assert_int_equal(fgetc(f), EOF);
	fclose(f);
}

static inline const char *peer_of(size_t i)
{
	return json_string_value(json_object_get(bed.row[i], "peer"));
}

static inline uint64_t count_of(size_t i, const char *name)
{
	json_t *v = json_object_get(bed.row[i], name);

	assert_true(json_is_integer(v));
	return (uint64_t)json_integer_value(v);
}

static inline double number_of(size_t i, const char *name)
{
	json_t *v = json_object_get(bed.row[i], name);

	assert_true(json_is_real(v));
	return json_real_value(v);
}

static inline uint64_t sum_of(const char *peer, const char *name)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < bed.row_nr; i++) {
		if (strcmp(peer_of(i), peer) == 0)
			sum += count_of(i, name);
	}
	return sum;
}

/* Counters rise, levels go up and down, time goes on. */
static inline void advance(struct zb_lcore_stat *st)
{
	for (unsigned i = 0; i < ZB_C_NR; i++)
		st->c[i] += (uint64_t)random() % 1000;
	for (unsigned i = 0; i < ZB_G_NR; i++)
		st->g[i] = (uint64_t)random() % 1000;
	st->net_time_ns =
		(st->net_time_ns ? st->net_time_ns : START_NS) + (uint64_t)random() % SECOND;
	st->lag_ns = (uint64_t)random() % 1000000;
}

static inline void take(unsigned i, const struct zb_lcore_stat *st, uint64_t interval, bool last)
{
	struct zb_snapshot snap;

	memset(&snap, 0, sizeof(snap));
	snap.stat = *st;
	snap.interval = interval;
	snap.last = last;
	snap.wall_ns = START_NS + 500 * SECOND;
	zb_stats_log_take(bed.log, i, &snap);
}

#endif

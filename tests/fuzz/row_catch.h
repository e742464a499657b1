/* SPDX-License-Identifier: Apache-2.0 */
/*
 * row_catch.h - log_set.h without files and threads: each row is held against its format and
 * remembered, so that a fuzzer can compare what two runs wrote
 *
 * Fuzzers link it in place of profiler/log_set.c. One producer; no row is ever dropped for want of
 * a buffer.
 *
 * Threading: one thread.
 */
#ifndef ZB_TESTS_FUZZ_ROW_CATCH_H
#define ZB_TESTS_FUZZ_ROW_CATCH_H

#include "pipeline/logs.h"

struct rc_rows {
	char **row; /* with their newlines, sorted by rc_take() */
	size_t nr;
};

/* The streams that workers write. */
struct zb_log_set *rc_logs(void);

/* Forgets what was caught; what follows is written in this format. */
void rc_begin(enum zb_row_format format);

/* What was caught since, sorted; freed by rc_free(). */
void rc_take(struct rc_rows *out);
void rc_free(struct rc_rows *r);

/* Leaves only the first letter of uids and fuids, which depend on the order of birth; sorts anew.
 */
void rc_hide_ids(struct rc_rows *r);

/*
 * Aborts, saying what differs, unless both are the same. Not with ZB_FUZZ_SAME=0 in the
 * environment: then only crashes, limits and memory count.
 */
void rc_must_equal(const struct rc_rows *a, const struct rc_rows *b);

/* A failed condition ends the run: the fuzzer keeps the input. */
#define must(holds)              \
	do {                     \
		if (!(holds))    \
			abort(); \
	} while (0)

#endif

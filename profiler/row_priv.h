/* SPDX-License-Identifier: Apache-2.0 */
/*
 * row_priv.h - what row.c, row_escape.c and their tests share
 */
#ifndef ZB_PROFILER_ROW_PRIV_H
#define ZB_PROFILER_ROW_PRIV_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "profiler/row.h"

#define ZB_ROW_PREFIX_BYTES 48
#define ZB_ROW_SLACK	    64 /* furthest write beyond the end of a row's text */

/*
 * The text before one value: `,"name":` in JSON, with the opening quote or bracket of its type; a
 * tab in TSV (nothing before the first). Copied as a whole, len says how much of it counts. A JSON
 * row's first byte is therefore a comma until zb_row_end() makes a brace of it.
 */
struct zb_row_prefix {
	alignas(16) char text[ZB_ROW_PREFIX_BYTES];
	uint8_t len;
	uint8_t type; /* enum zb_row_type, for asserts */
};

struct zb_row_shape {
	const struct zb_row_def *def;
	enum zb_row_format format;
	size_t fixed_bytes;
	struct zb_row_prefix prefix[]; /* def->field_nr */
};

/* A string's bytes as JSON text without the quotes; at most 5 * len bytes. Returns the end. */
char *zb_row_escape_json(char *at, const char *s, size_t len);

/*
 * A string's bytes as TSV text; len is not 0. In a set or vector commas are escaped. At most 4 *
 * len bytes.
 */
char *zb_row_escape_tsv(char *at, const char *s, size_t len, bool in_set);

/* The number as JSON or TSV text; at most ZB_ROW_DOUBLE_MAX bytes. Returns the end. */
#define ZB_ROW_DOUBLE_MAX 320 /* the largest double in fixed point, sign and six decimals */
char *zb_row_fmt_double(char *at, double v, bool tsv);

/*
 * Digits of IPv6 groups and colons, as inet_ntop() writes them; at most 45 bytes. Returns the end.
 */
char *zb_row_fmt_addr6(char *at, const uint8_t a[16]);

#endif

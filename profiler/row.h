/* SPDX-License-Identifier: Apache-2.0 */
/*
 * row.h - formats one row of a Zeek log, as JSON or tab-separated, into a caller's buffer
 *
 * A stream is described once by a struct zb_row_def; a row is written field by field in that
 * order, each with the call that fits its type, or zb_row_unset(): JSON leaves unset fields out,
 * TSV writes a dash. Rendering and escaping follow Zeek's ASCII writer (shared by TSV and JSON):
 * times and intervals carry microseconds (a nanosecond stamp is cut, not rounded), JSON numbers
 * without trailing zeros but at least one decimal, TSV exactly six.
 *
 * Threading: a struct zb_row belongs to one thread.
 * Ownership: the caller owns the buffer and guarantees room: zb_row_begin() needs ZB_ROW_FIXED_MAX
 *            bytes, and each string or vector element adds at most 8 * its length on top, an empty
 *            vector element 8 and an interval in a vector 24 (checked by assert when limit is set).
 */
#ifndef ZB_PROFILER_ROW_H
#define ZB_PROFILER_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum zb_row_format { ZB_ROW_JSON, ZB_ROW_TSV };

/* Zeek's type words, as printed in the #types line. */
enum zb_row_type {
	ZB_T_TIME,
	ZB_T_INTERVAL,
	ZB_T_COUNT,
	ZB_T_INT,
	ZB_T_DOUBLE,
	ZB_T_BOOL,
	ZB_T_STRING,
	ZB_T_ENUM,
	ZB_T_ADDR,
	ZB_T_PORT,
	ZB_T_SET_STRING,
	ZB_T_SET_ENUM,
	ZB_T_VECTOR_STRING,
	ZB_T_VECTOR_ADDR, /* written as text, by zb_row_strings() */
	ZB_T_VECTOR_INTERVAL,
	ZB_T_NR
};

struct zb_row_field {
	const char *name; /* flattened, "id.orig_h" */
	enum zb_row_type type;
};

#define ZB_ROW_FIELDS_MAX 160
#define ZB_ROW_FIXED_MAX  8192	/* bytes: fixed-size fields of the widest stream with their names */
#define ZB_ROW_NAME_MAX	  43	/* bytes of a field name */
#define ZB_ROW_HEADER_MAX 16384 /* bytes of a TSV header or footer */

struct zb_row_def {
	const char *path; /* "conn": the file is conn.log */
	const struct zb_row_field *fields;
	uint16_t field_nr;
};

/*
 * Precomputed text around the values of one stream in one format; made once, shared by all threads.
 * -EINVAL: no fields, more than ZB_ROW_FIELDS_MAX, a type out of range or more than
 * ZB_ROW_FIXED_MAX bytes; -ENAMETOOLONG: path or a field name; -ENOMEM.
 */
struct zb_row_shape; /* opaque */
int zb_row_shape_create(const struct zb_row_def *def, enum zb_row_format fmt,
			struct zb_row_shape **out);
void zb_row_shape_destroy(struct zb_row_shape *s);

/* Bytes that every row of this shape fits in, strings not counted; at most ZB_ROW_FIXED_MAX. */
size_t zb_row_shape_fixed_bytes(const struct zb_row_shape *s);

struct zb_row_prefix;
struct zb_row {
	char *at, *begin;
	const char *limit; /* end of the room; NULL: not checked */
	const struct zb_row_shape *shape;
	const struct zb_row_prefix *next; /* of the next field to write */
	bool tsv;
};

void zb_row_begin(struct zb_row *r, const struct zb_row_shape *s, char *buf);
void zb_row_unset(struct zb_row *r);
void zb_row_time(struct zb_row *r, uint64_t unix_ns);
void zb_row_interval(struct zb_row *r, int64_t ns);
void zb_row_count(struct zb_row *r, uint64_t v);
void zb_row_int(struct zb_row *r, int64_t v);
void zb_row_double(struct zb_row *r, double v);
void zb_row_bool(struct zb_row *r, bool v);
void zb_row_port(struct zb_row *r, uint16_t host_order);
/* Any bytes; escaped. */
void zb_row_string(struct zb_row *r, const char *s, size_t len);
/* Known to need no escaping and not to be empty: uid, enum. */
void zb_row_word(struct zb_row *r, const char *s, size_t len);
void zb_row_addr4(struct zb_row *r, const uint8_t a[4]);
void zb_row_addr6(struct zb_row *r, const uint8_t a[16]); /* RFC 5952 text, as inet_ntop() */
/* A set or vector of strings: len[i] bytes at s[i]. n may be 0: an empty container. */
void zb_row_strings(struct zb_row *r, const char *const *s, const size_t *len, size_t n);
void zb_row_intervals(struct zb_row *r, const int64_t *ns, size_t n);
/* Ends the row with a newline; returns its bytes. All fields must have been written (assert). */
size_t zb_row_end(struct zb_row *r);

/* Header (eight lines) and footer of a TSV file into buf (ZB_ROW_HEADER_MAX); length, 0: JSON. */
size_t zb_row_header(const struct zb_row_shape *s, uint64_t open_unix_ns, char *buf);
size_t zb_row_footer(const struct zb_row_shape *s, uint64_t close_unix_ns, char *buf);

/* Decimal digits of v at buf (up to 20), no terminator; returns how many. */
unsigned zb_fmt_u64(char *buf, uint64_t v);

#endif

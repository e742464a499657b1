/* SPDX-License-Identifier: Apache-2.0 */
/*
 * row.c - formats one row of a log: the fast paths
 *
 * A worker writes a row for every dozen packets, so a row may cost a few hundred nanoseconds:
 *   - names, quotes and commas around values are precomputed (struct zb_row_prefix) and copied
 *     with moves of a fixed size, which write a little beyond the text they mean; ZB_ROW_SLACK
 *     bytes of every row are for that;
 *   - integers are written from a table of two-digit pairs, IPv4 octets from a table;
 *   - strings are tested and copied eight bytes at a time, and only one that holds something to
 *     escape takes the slow path in row_escape.c.
 * Nothing here allocates, looks for a terminator or goes through printf; doubles do, out of line
 * in row_number.c.
 */
#include <assert.h>
#include <string.h>
#include <rte_branch_prediction.h>
#include "profiler/row.h"
#include "profiler/row_priv.h"

#define NS_PER_S  1000000000u
#define NS_PER_US 1000u

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	      "load_below8() puts the first byte lowest");

/* "00" "01" ... "99" */
#define PAIRS_OF(t) t "0" t "1" t "2" t "3" t "4" t "5" t "6" t "7" t "8" t "9"
static const char digit_pairs[200 + 1] = PAIRS_OF("0") PAIRS_OF("1") PAIRS_OF("2") PAIRS_OF("3")
	PAIRS_OF("4") PAIRS_OF("5") PAIRS_OF("6") PAIRS_OF("7") PAIRS_OF("8") PAIRS_OF("9");

/* ---- integers ---- */

/* Copies of a fixed size, which the compiler turns into single moves. */
static inline void put2(char *at, uint32_t v)
{
	memcpy(at, &digit_pairs[2 * v], 2);
}

static inline void put4(char *at, uint32_t v)
{
	put2(at, v / 100);
	put2(at + 2, v % 100);
}

static inline void put8(char *at, uint32_t v)
{
	put4(at, v / 10000);
	put4(at + 4, v % 10000);
}

static inline char *put_below_10_4(char *at, uint32_t v)
{
	if (v < 10) {
		*at = (char)('0' + v);
		return at + 1;
	}
	if (v < 100) {
		put2(at, v);
		return at + 2;
	}
	if (v < 1000) {
		*at = (char)('0' + v / 100);
		put2(at + 1, v % 100);
		return at + 3;
	}
	put4(at, v);
	return at + 4;
}

static inline char *put_below_10_8(char *at, uint32_t v)
{
	if (v < 10000)
		return put_below_10_4(at, v);
	at = put_below_10_4(at, v / 10000);
	put4(at, v % 10000);
	return at + 4;
}

static char *put_u64(char *at, uint64_t v)
{
	const uint64_t e8 = 100000000, e16 = e8 * e8;

	if (likely(v < e8))
		return put_below_10_8(at, (uint32_t)v);
	if (v < e16) {
		at = put_below_10_8(at, (uint32_t)(v / e8));
		put8(at, (uint32_t)(v % e8));
		return at + 8;
	}
	at = put_below_10_4(at, (uint32_t)(v / e16));
	put8(at, (uint32_t)(v / e8 % e8));
	put8(at + 8, (uint32_t)(v % e8));
	return at + 16;
}

unsigned zb_fmt_u64(char *buf, uint64_t v)
{
	return (unsigned)(put_u64(buf, v) - buf);
}

/*
 * Seconds and microseconds: six decimals in TSV; in JSON without trailing zeros, but at least one.
 * Zeek keeps times as doubles and prints the shortest decimal that reads back the same. For times
 * of this century that is the very text written here; of an interval, which Zeek gets by
 * subtracting two doubles, it prints their noise too (0.0003800392150878906 where the stamps say
 * 0.00038). Ours is the exact decimal.
 */
static char *put_seconds(char *at, uint64_t s, uint32_t us, bool tsv)
{
	at = put_u64(at, s);
	*at++ = '.';
	put2(at, us / 10000);
	put4(at + 2, us % 10000);
	if (tsv)
		return at + 6;

	unsigned n = us == 0 ? 1 : 6;

	while (n > 1 && at[n - 1] == '0')
		n--;
	return at + n;
}

static char *put_interval(char *at, int64_t ns, bool tsv)
{
	uint64_t abs_us = (ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns) / NS_PER_US;

	*at = '-';
	at += ns < 0 && abs_us > 0;
	return put_seconds(at, abs_us / 1000000, (uint32_t)(abs_us % 1000000), tsv);
}

/* ---- fields ---- */

static inline bool is_one_of(unsigned type, enum zb_row_type a, enum zb_row_type b)
{
	return type == (unsigned)a || type == (unsigned)b;
}

/* Writes what stands before the next field's value; two types may share a call. */
static inline char *field_begin(struct zb_row *r, enum zb_row_type a, enum zb_row_type b)
{
	const struct zb_row_prefix *p = r->next++;
	char *at = r->at;

	assert(p < &r->shape->prefix[r->shape->def->field_nr]);
	assert(is_one_of(p->type, a, b));
	(void)a;
	(void)b;
	memcpy(at, p->text, 32);
	if (unlikely(p->len > 32))
		memcpy(at + 32, p->text + 32, ZB_ROW_PREFIX_BYTES - 32);
	return at + p->len;
}

static inline void field_end_quoted(struct zb_row *r, char *at)
{
	*at = '"';
	r->at = at + !r->tsv;
}

void zb_row_begin(struct zb_row *r, const struct zb_row_shape *s, char *buf)
{
	r->at = r->begin = buf;
	r->limit = NULL;
	r->shape = s;
	r->next = s->prefix;
	r->tsv = s->format == ZB_ROW_TSV;
}

void zb_row_unset(struct zb_row *r)
{
	const struct zb_row_prefix *p = r->next++;

	assert(p < &r->shape->prefix[r->shape->def->field_nr]);
	if (!r->tsv)
		return;
	*r->at = '\t';
	r->at += p->len;
	*r->at++ = '-';
}

void zb_row_time(struct zb_row *r, uint64_t unix_ns)
{
	char *at = field_begin(r, ZB_T_TIME, ZB_T_TIME);

	r->at = put_seconds(at, unix_ns / NS_PER_S, (uint32_t)(unix_ns % NS_PER_S) / NS_PER_US,
			    r->tsv);
}

void zb_row_interval(struct zb_row *r, int64_t ns)
{
	char *at = field_begin(r, ZB_T_INTERVAL, ZB_T_INTERVAL);

	r->at = put_interval(at, ns, r->tsv);
}

void zb_row_count(struct zb_row *r, uint64_t v)
{
	char *at = field_begin(r, ZB_T_COUNT, ZB_T_COUNT);

	r->at = put_u64(at, v);
}

void zb_row_int(struct zb_row *r, int64_t v)
{
	char *at = field_begin(r, ZB_T_INT, ZB_T_INT);

	*at = '-';
	at += v < 0;
	r->at = put_u64(at, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void zb_row_double(struct zb_row *r, double v)
{
	char *at = field_begin(r, ZB_T_DOUBLE, ZB_T_DOUBLE);

	r->at = zb_row_fmt_double(at, v, r->tsv);
}

void zb_row_bool(struct zb_row *r, bool v)
{
	char *at = field_begin(r, ZB_T_BOOL, ZB_T_BOOL);

	if (r->tsv) {
		*at = v ? 'T' : 'F';
		r->at = at + 1;
		return;
	}
	memcpy(at, v ? "true\0\0\0" : "false\0\0", 8);
	r->at = at + (v ? 4 : 5);
}

void zb_row_port(struct zb_row *r, uint16_t host_order)
{
	char *at = field_begin(r, ZB_T_PORT, ZB_T_PORT);

	r->at = put_below_10_8(at, host_order);
}

/* ---- strings ---- */

/*
 * Nonzero when a byte of w must be escaped: below 0x20, above 0x7e, a backslash, or other. Each
 * term may also light up for an innocent neighbour of such a byte, never without one.
 */
static inline uint64_t must_escape8(uint64_t w, uint64_t other)
{
	const uint64_t one = 0x0101010101010101u, high = 0x80 * one;
	const uint64_t a = w ^ ('\\' * one), b = w ^ (other * one);

	return (((w - 0x20 * one) & ~w) | ((w + one) | w) | ((a - one) & ~a) | ((b - one) & ~b)) &
	       high;
}

static inline uint64_t load8(const char *s)
{
	uint64_t w;

	memcpy(&w, s, 8);
	return w;
}

/* Fewer than eight bytes, zeros beyond; reads none that is not the string's. */
static inline uint64_t load_below8(const char *s, size_t len)
{
	uint64_t w = 0;

	if (len >= 4) {
		uint32_t lo, hi;

		memcpy(&lo, s, 4);
		memcpy(&hi, s + len - 4, 4);
		return (uint64_t)hi << (8 * (len - 4)) | lo;
	}
	for (size_t i = 0; i < len; i++)
		w |= (uint64_t)(uint8_t)s[i] << (8 * i);
	return w;
}

static inline uint64_t store8(char *at, uint64_t w)
{
	memcpy(at, &w, 8);
	return w;
}

/* Copies s, and up to 7 bytes more; false when it holds a byte to escape. */
static inline bool copy_clean(char *at, const char *s, size_t len, char other)
{
	const uint64_t o = (uint8_t)other;
	uint64_t dirty = 0;
	size_t i = 0;

	for (; i + 8 <= len; i += 8) {
		if (must_escape8(store8(at + i, load8(s + i)), o) != 0)
			return false;
	}
	if (len >= 8) {
		dirty = must_escape8(store8(at + len - 8, load8(s + len - 8)), o);
	} else if (len > 0) {
		/* Bytes beyond the end are zero, which would count as dirty: make them spaces. */
		uint64_t w = load_below8(s, len);

		store8(at, w);
		dirty = must_escape8(w | (0x2020202020202020u << (8 * len)), o);
	}
	return dirty == 0;
}

/* In TSV a string that reads like one of the two marks is told apart by escaping its first byte. */
static inline bool is_tsv_mark(const char *s, size_t len)
{
	return len == 0 || (len == 1 && s[0] == '-') || (len == 7 && memcmp(s, "(empty)", 7) == 0);
}

static char *put_tsv_mark(char *at, const char *s, size_t len)
{
	if (len == 0) {
		memcpy(at, "(empty)", 7);
		return at + 7;
	}
	memcpy(at, s[0] == '-' ? "\\x2d" : "\\x28", 4);
	memcpy(at + 4, s + 1, len - 1);
	return at + 3 + len;
}

static inline char *put_string(char *at, const char *s, size_t len, bool tsv, bool in_set)
{
	if (tsv) {
		if (unlikely(is_tsv_mark(s, len)))
			return put_tsv_mark(at, s, len);
		if (likely(copy_clean(at, s, len, in_set ? ',' : '\\')))
			return at + len;
		return zb_row_escape_tsv(at, s, len, in_set);
	}
	if (likely(copy_clean(at, s, len, '"')))
		return at + len;
	return zb_row_escape_json(at, s, len);
}

static inline void room_check(const struct zb_row *r, const char *at, size_t bytes)
{
	assert(r->limit == NULL || bytes <= (size_t)(r->limit - at));
	(void)r;
	(void)at;
	(void)bytes;
}

void zb_row_string(struct zb_row *r, const char *s, size_t len)
{
	char *at = field_begin(r, ZB_T_STRING, ZB_T_ENUM);

	room_check(r, at, 8 * len);
	field_end_quoted(r, put_string(at, s, len, r->tsv, false));
}

void zb_row_word(struct zb_row *r, const char *s, size_t len)
{
	char *at = field_begin(r, ZB_T_STRING, ZB_T_ENUM);

	assert(len > 0);
	room_check(r, at, len);
	/* Overlapping moves from both ends, so that nothing beyond s is read. */
	if (len > 32) {
		memcpy(at, s, len);
	} else if (len >= 16) {
		memcpy(at, s, 16);
		memcpy(at + len - 16, s + len - 16, 16);
	} else if (len >= 8) {
		memcpy(at, s, 8);
		memcpy(at + len - 8, s + len - 8, 8);
	} else {
		store8(at, load_below8(s, len));
	}
	field_end_quoted(r, at + len);
}

/* Ends a set or vector whose elements, each followed by a comma, stand from first to at. */
static void container_end(struct zb_row *r, const char *first, char *at)
{
	if (r->tsv && at == first) {
		memcpy(at, "(empty)", 7);
		r->at = at + 7;
		return;
	}
	if (at > first)
		at--;
	*at = ']';
	r->at = at + !r->tsv;
}

void zb_row_strings(struct zb_row *r, const char *const *s, const size_t *len, size_t n)
{
	enum zb_row_type kind = r->next->type;

	if (kind != ZB_T_VECTOR_STRING && kind != ZB_T_VECTOR_ADDR)
		kind = ZB_T_SET_STRING;

	char *at = field_begin(r, kind, ZB_T_SET_ENUM), *first = at;

	for (size_t i = 0; i < n; i++) {
		room_check(r, at, len[i] == 0 ? 8 : 8 * len[i]);
		*at = '"';
		at = put_string(at + !r->tsv, s[i], len[i], r->tsv, true);
		*at = '"';
		at += !r->tsv;
		*at++ = ',';
	}
	container_end(r, first, at);
}

void zb_row_intervals(struct zb_row *r, const int64_t *ns, size_t n)
{
	char *at = field_begin(r, ZB_T_VECTOR_INTERVAL, ZB_T_VECTOR_INTERVAL), *first = at;

	for (size_t i = 0; i < n; i++) {
		room_check(r, at, 24);
		at = put_interval(at, ns[i], r->tsv);
		*at++ = ',';
	}
	container_end(r, first, at);
}

/* ---- IPv4 ---- */

/* An octet's digits and a dot; the fifth byte is how many of the four count. */
#define DIGIT(n) ((char)('0' + (n) % 10))
#define OCTET(n)                                        \
	{                                               \
		DIGIT((n) > 99	? (n) / 100             \
		      : (n) > 9 ? (n) / 10              \
				: (n)),                 \
			(n) > 99  ? DIGIT((n) / 10)     \
			: (n) > 9 ? DIGIT(n)            \
				  : '.',                \
			(n) > 99 ? DIGIT(n) : '.', '.', \
			(n) > 99  ? 4                   \
			: (n) > 9 ? 3                   \
				  : 2,                  \
	}
#define OCTET4(n)  OCTET(n), OCTET(n + 1), OCTET(n + 2), OCTET(n + 3)
#define OCTET16(n) OCTET4(n), OCTET4(n + 4), OCTET4(n + 8), OCTET4(n + 12)
#define OCTET64(n) OCTET16(n), OCTET16(n + 16), OCTET16(n + 32), OCTET16(n + 48)
static const char octet_text[256][8] = {OCTET64(0), OCTET64(64), OCTET64(128), OCTET64(192)};

static inline char *put_octet(char *at, uint8_t o)
{
	memcpy(at, octet_text[o], 4);
	return at + octet_text[o][4];
}

void zb_row_addr4(struct zb_row *r, const uint8_t a[4])
{
	char *at = field_begin(r, ZB_T_ADDR, ZB_T_ADDR);

	for (unsigned i = 0; i < 4; i++)
		at = put_octet(at, a[i]);
	field_end_quoted(r, at - 1);
}

void zb_row_addr6(struct zb_row *r, const uint8_t a[16])
{
	char *at = field_begin(r, ZB_T_ADDR, ZB_T_ADDR);

	field_end_quoted(r, zb_row_fmt_addr6(at, a));
}

/* ---- rows ---- */

size_t zb_row_end(struct zb_row *r)
{
	char *at = r->at;

	assert(r->next == &r->shape->prefix[r->shape->def->field_nr]);
	if (!r->tsv) {
		/* The comma before the first member becomes the brace; there may be none. */
		at += at == r->begin;
		r->begin[0] = '{';
		*at++ = '}';
	} else if (unlikely(r->begin[0] == '#')) {
		/* A value that would make the line a comment. */
		memmove(r->begin + 4, r->begin + 1, (size_t)(at - r->begin) - 1);
		memcpy(r->begin, "\\x23", 4);
		at += 3;
	}
	*at++ = '\n';
	r->at = at;
	return (size_t)(at - r->begin);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_records.c - a stream is cut into records wherever its chunks end */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_fake.h"
#include "pipeline/analyzers/records.h"

#define MAX_BYTES 1000

static struct {
	char text[8192];
	size_t n;
	const uint8_t *at; /* where the last record was */
	unsigned nr, refuse_at, remove_at;
} got;

/* Two bytes of length, of the whole; 1 is none. */
static int64_t length(const uint8_t *d, size_t n)
{
	int64_t len;

	if (n < 2)
		return 0;
	len = (int64_t)d[0] << 8 | d[1];
	return len < 2 ? -1 : len;
}

static bool record(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	assert_int_equal(side, ZB_RESP);
	got.at = d;
	got.n += (size_t)snprintf(got.text + got.n, sizeof(got.text) - got.n, "[%.*s]",
				  (int)(n - 2), (const char *)d + 2);
	got.nr++;
	if (got.nr == got.remove_at)
		zb_analyzer_done(a);
	return got.nr != got.refuse_at;
}

static const struct zb_record_kind kind = {length, record, MAX_BYTES};

struct records_bed {
	struct analyzer_bed b;
	struct zb_analyzer *a;
	struct zb_records r;
};

static void records_open(struct records_bed *b)
{
	memset(&got, 0, sizeof(got));
	memset(&b->r, 0, sizeof(b->r));
	fake_open(&b->b, IPPROTO_TCP, FAKE_ON_PORT);
	b->a = b->b.s->root.first;
}

static void records_close(struct records_bed *b)
{
	zb_records_free(&b->r, b->a);
	zb_records_free(&b->r, b->a);
	ab_end(&b->b);
	ab_close(&b->b);
}

static bool take(struct records_bed *b, const void *d, size_t n)
{
	uint8_t *copy = malloc(n + !n);
	bool ok;

	assert_non_null(copy);
	memcpy(copy, d, n);
	ok = zb_records_data(&b->r, &kind, b->a, ZB_RESP, copy, n);
	free(copy);
	return ok;
}

static const char three[] = "\0\5abc\0\2\0\6defg";
#define THREE (sizeof(three) - 1)

/* Records that are whole are handed over where they are; nothing is taken. */
static void records_whole_are_not_copied(void **state)
{
	struct records_bed b;
	uint64_t before;

	(void)state;
	records_open(&b);
	before = b.b.an.mem.total;
	assert_true(zb_records_data(&b.r, &kind, b.a, ZB_RESP, (const uint8_t *)three, THREE));
	assert_string_equal(got.text, "[abc][][defg]");
	assert_ptr_equal(got.at, three + 7);
	assert_int_equal(b.b.an.mem.total, before);
	records_close(&b);
}

/* Wherever two cuts are made, the records are the same. */
static void records_split_anywhere_are_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i <= THREE; i++) {
		for (size_t j = i; j <= THREE; j++) {
			struct records_bed b;

			records_open(&b);
			assert_true(take(&b, three, i));
			assert_true(take(&b, three + i, j - i));
			assert_true(take(&b, three + j, THREE - j));
			assert_string_equal(got.text, "[abc][][defg]");
			records_close(&b);
		}
	}
}

/* One byte at a time, at full length; one more byte is too long, and nothing is kept for it. */
static void records_longest_is_taken_and_longer_refused(void **state)
{
	uint8_t d[MAX_BYTES] = {MAX_BYTES >> 8, MAX_BYTES & 255};
	struct records_bed b;
	uint64_t before;

	(void)state;
	memset(d + 2, 'x', sizeof(d) - 2);
	records_open(&b);
	before = b.b.an.mem.total;
	for (size_t i = 0; i < sizeof(d); i++)
		assert_true(take(&b, d + i, 1));
	assert_int_equal(got.n, MAX_BYTES);
	assert_true(b.b.an.mem.total - before <= 2 * MAX_BYTES);
	records_close(&b);
	d[1]++;
	records_open(&b);
	assert_false(take(&b, d, 2));
	assert_int_equal(b.b.an.mem.total, before);
	records_close(&b);
	records_open(&b);
	assert_true(take(&b, d, 1));
	assert_false(take(&b, d + 1, 1));
	records_close(&b);
}

/* What says it is no record ends the cutting, at once or once that is seen. */
static void records_what_is_none_is_refused(void **state)
{
	struct records_bed b;

	(void)state;
	records_open(&b);
	assert_false(take(&b, "\0\3x\0\1rest", 9));
	assert_string_equal(got.text, "[x]");
	records_close(&b);
	records_open(&b);
	assert_true(take(&b, "\0", 1));
	assert_false(take(&b, "\1", 1));
	records_close(&b);
}

/* The taker may refuse, or be removed: nothing more is cut. */
static void records_taker_may_stop(void **state)
{
	struct records_bed b;

	(void)state;
	for (unsigned split = 0; split < 2; split++) {
		records_open(&b);
		got.refuse_at = 2;
		assert_true(take(&b, three, split));
		assert_false(take(&b, three + split, THREE - split));
		assert_string_equal(got.text, "[abc][]");
		records_close(&b);
		records_open(&b);
		got.remove_at = 1;
		assert_true(take(&b, three, split));
		assert_true(take(&b, three + split, THREE - split));
		assert_string_equal(got.text, "[abc]");
		records_close(&b);
	}
}

static int64_t never(const uint8_t *d, size_t n)
{
	(void)d;
	(void)n;
	return 0;
}

/* Even when the length is never told, no more than the longest record is kept. */
static void records_length_never_told_is_bounded(void **state)
{
	static const struct zb_record_kind endless = {never, record, MAX_BYTES};
	static const uint8_t d[MAX_BYTES + 1];
	struct records_bed b;

	(void)state;
	records_open(&b);
	assert_false(zb_records_data(&b.r, &endless, b.a, ZB_RESP, d, MAX_BYTES + 1));
	assert_int_equal(b.r.room, 0);
	assert_true(zb_records_data(&b.r, &endless, b.a, ZB_RESP, d, MAX_BYTES));
	assert_false(zb_records_data(&b.r, &endless, b.a, ZB_RESP, d, 2));
	assert_true(b.r.room <= 2 * MAX_BYTES);
	records_close(&b);
}

/* No room for the beginning of a record: refused and counted; no room to grow: the same. */
static void records_no_room_is_refused_and_counted(void **state)
{
	struct records_bed b;
	struct zb_mem *m = &b.b.an.mem;

	(void)state;
	records_open(&b);
	m->limit[ZB_MEM_analyzer] = m->bytes[ZB_MEM_analyzer];
	assert_false(take(&b, three, 3));
	assert_int_equal(m->shed[ZB_MEM_analyzer], 1);
	m->limit[ZB_MEM_analyzer] += 256;
	memset(&got, 0, sizeof(got));
	uint8_t d[400] = {1, 144};
	assert_true(take(&b, d, 256));
	assert_false(take(&b, d + 256, 1));
	assert_int_equal(m->shed[ZB_MEM_analyzer], 2);
	records_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_whole_are_not_copied),
		cmocka_unit_test(records_split_anywhere_are_the_same),
		cmocka_unit_test(records_longest_is_taken_and_longer_refused),
		cmocka_unit_test(records_what_is_none_is_refused),
		cmocka_unit_test(records_taker_may_stop),
		cmocka_unit_test(records_length_never_told_is_bounded),
		cmocka_unit_test(records_no_room_is_refused_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_file.c - files under way: order, gaps, ends, handles, limits, rows */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer_bed.h"
#include "pipeline/file_priv.h"

#define SEC_NS 1000000000ull

struct bed {
	struct analyzer_bed ab;
	struct zb_analyzer a;
};

static const struct zb_file_conf plain = {.source = "HTTP", .total_bytes = ZB_FILE_SIZE_UNSET};

static void setup(struct bed *b)
{
	ab_open(&b->ab, IPPROTO_TCP, 9);
	b->a = (struct zb_analyzer){.branch = &b->ab.s->root};
}

static void say(struct zb_file *f, const char *text)
{
	zb_file_data(f, (const uint8_t *)text, strlen(text));
}

static void say_at(struct zb_file *f, uint64_t offset, const char *text)
{
	zb_file_data_at(f, offset, (const uint8_t *)text, strlen(text));
}

/* files.log, after everything that is open has ended. */
static char *rows(struct bed *b)
{
	ab_end(&b->ab);
	zb_file_set_destroy(b->ab.an.files);
	b->ab.an.files = NULL;
	return logs_read(&b->ab.logs, "files");
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)) != NULL; text++)
		n++;
	return n;
}

#define assert_says(text, what)	  assert_non_null(strstr(text, what))
#define assert_silent(text, what) assert_null(strstr(text, what))

/* A file in pieces has one row, with its sizes, type and hashes. */
static void file_in_order_is_logged_at_its_end(void **state)
{
	struct bed b;
	struct zb_file *f;
	struct zb_file_conf conf = plain;
	char *log;

	(void)state;
	setup(&b);
	conf.filename = "a\"b.txt";
	conf.filename_len = 7;
	conf.depth = 3;
	f = zb_file_begin(&b.a, &conf);
	assert_int_equal(b.ab.stat.g[ZB_G_active_files], 1);
	say(f, "hello ");
	b.ab.an.now_ns += SEC_NS / 2;
	say(f, "world, hello");
	assert_null(zb_file_mime(f));
	zb_file_end(f);
	assert_int_equal(b.ab.stat.g[ZB_G_active_files], 0);
	assert_int_equal(b.ab.stat.c[ZB_C_files], 1);
	log = rows(&b);
	assert_int_equal(count(log, "\n"), 1);
	assert_says(log, "\"source\":\"HTTP\",\"depth\":3,");
	assert_says(log, "\"analyzers\":[\"MD5\",\"SHA1\",\"SHA256\"],\"mime_type\":\"text/plain\","
			 "\"filename\":\"a\\\"b.txt\",\"duration\":0.5,\"local_orig\":true,"
			 "\"is_orig\":false,\"seen_bytes\":18,\"missing_bytes\":0,"
			 "\"overflow_bytes\":0,\"timedout\":false,");
	assert_says(log, "\"md5\":\"d7d9596d22e0c79ae3bcd84ac9fdd477\"");
	assert_says(log, "\"sha1\":\"dad3d004b583d6f326fa6e7ece99b4249760ab38\"");
	assert_says(log, "\"sha256\":\"");
	ab_close(&b.ab);
}

/* With all announced bytes the file ends; what comes then is another with the same fuid. */
static void file_with_all_bytes_ends_and_begins_anew(void **state)
{
	struct bed b;
	struct zb_file *f;
	struct zb_file_conf conf = plain;
	char *log, fuid[ZB_FUID_MAX + 1] = "", again[ZB_FUID_MAX + 1] = "";

	(void)state;
	setup(&b);
	conf.total_bytes = 10;
	f = zb_file_begin(&b.a, &conf);
	zb_file_fuid(f, fuid);
	say(f, "01234567");
	assert_null(zb_file_mime(f));
	say(f, "89");
	assert_string_equal(zb_file_mime(f), "text/plain");
	assert_int_equal(b.ab.stat.g[ZB_G_active_files], 0);
	say(f, "more");
	zb_file_fuid(f, again);
	assert_string_equal(fuid, again);
	zb_file_end(f);
	log = rows(&b);
	assert_int_equal(count(log, "\n"), 2);
	assert_int_equal(count(log, fuid), 2);
	assert_says(log, "\"seen_bytes\":10,\"total_bytes\":10,");
	assert_says(log, "\"seen_bytes\":4,\"missing_bytes\":0,");
	ab_close(&b.ab);
}

/* A gap ends the hashes; the type is then that of what came before it. */
static void file_with_gap_has_no_hashes(void **state)
{
	struct bed b;
	struct zb_file *f;
	char *log;

	(void)state;
	setup(&b);
	f = zb_file_begin(&b.a, &plain);
	say(f, "plain text first");
	zb_file_gap(f, 100);
	assert_string_equal(zb_file_mime(f), "text/plain");
	say(f, "then more");
	zb_file_end(f);
	f = zb_file_begin(&b.a, &plain);
	zb_file_gap(f, 7);
	say(f, "text behind a gap");
	zb_file_end(f);
	log = rows(&b);
	assert_silent(log, "\"md5\"");
	assert_says(log, "\"seen_bytes\":25,\"missing_bytes\":100,");
	assert_says(log, "\"seen_bytes\":17,\"missing_bytes\":7,");
	assert_int_equal(count(log, "mime_type"), 1);
	ab_close(&b.ab);
}

/* The type is looked for as soon as 4096 bytes are there, not earlier. */
static void file_type_is_known_with_4096_bytes(void **state)
{
	static const uint8_t gif[4095] = "GIF89a";
	struct bed b;
	struct zb_file *f;

	(void)state;
	setup(&b);
	f = zb_file_begin(&b.a, &plain);
	zb_file_data(f, gif, sizeof(gif));
	assert_null(zb_file_mime(f));
	zb_file_data(f, gif, 1);
	assert_string_equal(zb_file_mime(f), "image/gif");
	zb_file_finish(f);
	assert_string_equal(zb_file_mime(f), "image/gif");
	zb_file_release(f);
	f = zb_file_begin(&b.a, &plain);
	zb_file_data(f, gif, sizeof(gif));
	zb_file_finish(f);
	assert_string_equal(zb_file_mime(f), "image/gif");
	zb_file_end(f);
	assert_int_equal(count(rows(&b), "\n"), 2);
	ab_close(&b.ab);
}

/* Pieces in any order and overlapping make the same file; the first bytes seen count. */
static void file_out_of_order_is_put_in_order(void **state)
{
	struct bed b;
	struct zb_file *f;
	char *log;

	(void)state;
	setup(&b);
	f = zb_file_begin(&b.a, &plain);
	say_at(f, 12, "hello");
	say_at(f, 6, "world");
	assert_true(b.ab.an.mem.bytes[ZB_MEM_file_data] != 0);
	say_at(f, 4, "XXXXXXX, XXXXXX"); /* fills 4, 5, 11; 17 and 18 are new */
	say_at(f, 0, "hell");
	assert_int_equal(b.ab.an.mem.bytes[ZB_MEM_file_data], 0);
	say_at(f, 0, "old news"); /* nothing new */
	zb_file_end(f);
	f = zb_file_begin(&b.a, &plain);
	say(f, "hellXXworld,");
	say(f, "helloXX");
	zb_file_end(f);
	log = rows(&b);
	assert_int_equal(count(log, "\"seen_bytes\":19,\"missing_bytes\":0,"), 2);
	log = strstr(log, "\"sha256\"");
	assert_memory_equal(log, strstr(log + 1, "\"sha256\""), 74);
	ab_close(&b.ab);
}

/* Holes that are never filled are missing bytes once the file ends, or a gap says so. */
static void file_with_hole_counts_it_as_missing(void **state)
{
	struct bed b;
	struct zb_file *f;
	char *log;

	(void)state;
	setup(&b);
	f = zb_file_begin(&b.a, &plain);
	say_at(f, 10, "0123456789");
	say_at(f, 30, "0123456789");
	zb_file_end(f);
	f = zb_file_begin(&b.a, &plain);
	say_at(f, 8, "01234567");
	zb_file_gap(f, 12);
	say(f, "x");
	zb_file_end(f);
	log = rows(&b);
	assert_says(log, "\"seen_bytes\":20,\"missing_bytes\":20,");
	assert_says(log, "\"seen_bytes\":9,\"missing_bytes\":8,");
	assert_silent(log, "md5");
	ab_close(&b.ab);
}

/* What waits is bounded, in bytes and in pieces: then holes are given up, and counted. */
static void file_out_of_order_is_bounded(void **state)
{
	static uint8_t piece[65536];
	struct bed b;
	struct zb_file *f;
	char *log;

	(void)state;
	setup(&b);
	f = zb_file_begin(&b.a, &plain);
	for (unsigned i = 0; i < 10; i++)
		zb_file_data_at(f, 1000 + i * sizeof(piece), piece, sizeof(piece));
	assert_true(b.ab.an.mem.bytes[ZB_MEM_file_data] < ZB_FILE_REASSEM_BYTES);
	zb_file_end(f);
	f = zb_file_begin(&b.a, &plain);
	for (unsigned i = 0; i < 2 * ZB_FILE_BLOCKS_MAX; i++)
		zb_file_data_at(f, 1 + 2 * i, piece, 1);
	assert_true(f->block_nr <= ZB_FILE_BLOCKS_MAX);
	/* An offset nobody can mean is no reason to wait. */
	zb_file_data_at(f, UINT64_MAX, piece, 2);
	zb_file_data_at(f, UINT64_MAX - 2, piece, 2);
	zb_file_gap(f, UINT64_MAX);
	zb_file_data(f, piece, 2);
	zb_file_end(f);
	log = rows(&b);
	assert_says(log, "\"seen_bytes\":655360,\"missing_bytes\":1000,\"overflow_bytes\":1000,");
	assert_says(log, "\"seen_bytes\":1026,");
	ab_close(&b.ab);
}

/* Two minutes without data end a file; one that is still fed is only looked at. */
static void file_left_alone_times_out(void **state)
{
	struct bed b;
	struct zb_file *f, *g;
	char *log;

	(void)state;
	setup(&b);
	f = zb_file_begin(&b.a, &plain);
	g = zb_file_begin(&b.a, &plain);
	say(f, "one");
	say(g, "other");
	b.ab.an.now_ns += 119 * SEC_NS;
	zb_file_set_expire(b.ab.an.files, b.ab.an.now_ns);
	assert_int_equal(b.ab.stat.g[ZB_G_active_files], 2);
	say(g, "other");
	b.ab.an.now_ns += SEC_NS;
	zb_file_set_expire(b.ab.an.files, b.ab.an.now_ns);
	assert_int_equal(b.ab.stat.g[ZB_G_active_files], 1);
	/* Looked at every two minutes only, so it may be idle for longer. */
	b.ab.an.now_ns += 119 * SEC_NS + SEC_NS / 2;
	zb_file_set_expire(b.ab.an.files, b.ab.an.now_ns);
	assert_int_equal(b.ab.stat.g[ZB_G_active_files], 1);
	b.ab.an.now_ns += SEC_NS / 2;
	say(g, "new"); /* its time had come before anything was expired */
	zb_file_end(f);
	zb_file_end(g);
	log = rows(&b);
	assert_int_equal(count(log, "\n"), 3);
	assert_int_equal(count(log, "\"timedout\":true"), 2);
	assert_says(log, "\"duration\":119.0,");
	assert_says(log, "\"seen_bytes\":3,\"missing_bytes\":0,\"overflow_bytes\":0,"
			 "\"timedout\":false");
	ab_close(&b.ab);
}

/* Pieces under one handle are one file, with a row for each connection. */
static void file_over_two_connections_has_two_rows(void **state)
{
	struct bed b;
	struct zb_conn second;
	struct zb_session session;
	struct zb_analyzer a2;
	struct zb_file_conf conf = plain;
	struct zb_file *f, *g;
	char *log, fuid[ZB_FUID_MAX + 1] = "";

	(void)state;
	setup(&b);
	second = b.ab.conn;
	second.uid_seq = b.ab.conn.uid_seq + 1;
	session = *b.ab.s;
	session.conn = &second;
	session.root.session = &session;
	a2 = (struct zb_analyzer){.branch = &session.root};
	conf.handle = "range of /big";
	conf.handle_len = 13;
	conf.total_bytes = 20;
	f = zb_file_begin(&b.a, &conf);
	zb_file_fuid(f, fuid);
	say_at(f, 0, "0123456789");
	zb_file_release(f);
	g = zb_file_begin(&a2, &conf);
	assert_ptr_equal(f, g);
	say_at(g, 10, "0123456789");
	zb_file_end(g);
	f = zb_file_begin(&a2, &conf);
	say_at(f, 0, "01");
	zb_file_release(f);
	log = rows(&b);
	assert_int_equal(count(log, fuid), 3);
	assert_int_equal(count(log, "\"seen_bytes\":20,\"total_bytes\":20,"), 2);
	/* Nobody ended the third one. */
	assert_int_equal(count(log, "\"timedout\":true"), 1);
	assert_int_equal(b.ab.stat.c[ZB_C_files], 2);
	ab_close(&b.ab);
}

/* A file without a row still has its fuid and SHA-256, and counts. */
static void file_without_log_gives_its_sha256(void **state)
{
	static const uint8_t abc[] = {0xba, 0x78, 0x16, 0xbf};
	struct bed b;
	struct zb_file_conf conf = plain;
	struct zb_file *f;
	uint8_t sum[32];

	(void)state;
	setup(&b);
	conf.no_log = true;
	conf.mime = "application/x-x509-user-cert";
	f = zb_file_begin(&b.a, &conf);
	assert_false(zb_file_sha256(f, sum));
	say(f, "abc");
	assert_true(zb_file_sha256(f, sum));
	assert_memory_equal(sum, abc, sizeof(abc));
	assert_string_equal(zb_file_mime(f), "application/x-x509-user-cert");
	zb_file_finish(f);
	assert_true(zb_file_sha256(f, sum));
	assert_memory_equal(sum, abc, sizeof(abc));
	zb_file_end(f);
	assert_int_equal(b.ab.stat.c[ZB_C_files], 1);
	assert_string_equal(rows(&b), "");
	ab_close(&b.ab);
}

/* At the limit of memory the oldest file makes room; with nothing to end there is no file. */
static void file_at_limit_takes_place_of_oldest(void **state)
{
	struct bed b;
	struct zb_mem *m;
	struct zb_file *f;

	(void)state;
	setup(&b);
	m = &b.ab.an.mem;
	f = zb_file_begin(&b.a, &plain);
	say(f, "oldest");
	zb_file_release(f);
	m->limit[ZB_MEM_file] = m->bytes[ZB_MEM_file];
	f = zb_file_begin(&b.a, &plain);
	assert_non_null(f);
	assert_int_equal(b.ab.stat.g[ZB_G_active_files], 1);
	assert_int_equal(m->shed[ZB_MEM_file], 1);
	/* No room for its beginning: the type is told from the first piece. */
	m->limit[ZB_MEM_file] = m->bytes[ZB_MEM_file];
	say(f, "no room to keep this");
	assert_string_equal(zb_file_mime(f), "text/plain");
	/* Held: ended, but its memory does not come back. */
	assert_null(zb_file_begin(&b.a, &plain));
	zb_file_end(f);
	m->limit[ZB_MEM_file] = 0;
	f = zb_file_begin(&b.a, &plain);
	assert_null(f);
	zb_file_data(f, (const uint8_t *)"x", 1);
	zb_file_gap(f, 1);
	zb_file_set_total(f, 1);
	zb_file_end(f);
	assert_int_equal(zb_file_fuid(f, NULL), 0);
	assert_int_equal(count(rows(&b), "\n"), 2);
	ab_close(&b.ab);
}

/* Data out of order for which there is no memory are counted, and the file goes on. */
static void file_data_without_memory_is_overflow(void **state)
{
	struct bed b;
	struct zb_file *f;
	char *log;

	(void)state;
	setup(&b);
	b.ab.an.mem.limit[ZB_MEM_file_data] = 10;
	f = zb_file_begin(&b.a, &plain);
	say_at(f, 10, "lost");
	say_at(f, 0, "0123456789");
	zb_file_end(f);
	assert_int_equal(b.ab.an.mem.shed[ZB_MEM_file_data], 1);
	log = rows(&b);
	assert_says(log, "\"seen_bytes\":10,\"missing_bytes\":0,\"overflow_bytes\":4,");
	ab_close(&b.ab);
}

/* Under a handle, a size may count only once for each connection; the handle ends its file. */
static void file_of_a_handle_keeps_its_size_and_is_ended_by_it(void **state)
{
	struct zb_file_conf conf = {.source = "SMB", .handle = "h", .handle_len = 1};
	struct zb_file *f;
	struct bed b;
	char *text;

	(void)state;
	setup(&b);
	conf.total_bytes = 100;
	conf.total_once = true;
	for (unsigned i = 0; i < 2; i++) {
		f = zb_file_begin(&b.a, &conf);
		say_at(f, 5 * i, "hello");
		zb_file_release(f);
		conf.total_bytes = 200;
	}
	zb_file_finish_handle(&b.a, "other", 5);
	assert_int_equal(b.ab.an.files->nr, 1);
	zb_file_finish_handle(&b.a, "h", 1);
	assert_int_equal(b.ab.an.files->nr, 0);
	zb_file_finish_handle(&b.a, "h", 1);
	text = rows(&b);
	assert_int_equal(count(text, "\n"), 1);
	assert_says(text, "\"total_bytes\":100");
	assert_says(text, "\"seen_bytes\":10");
	assert_says(text, "\"timedout\":false");
	ab_close(&b.ab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_in_order_is_logged_at_its_end),
		cmocka_unit_test(file_with_all_bytes_ends_and_begins_anew),
		cmocka_unit_test(file_with_gap_has_no_hashes),
		cmocka_unit_test(file_type_is_known_with_4096_bytes),
		cmocka_unit_test(file_out_of_order_is_put_in_order),
		cmocka_unit_test(file_with_hole_counts_it_as_missing),
		cmocka_unit_test(file_out_of_order_is_bounded),
		cmocka_unit_test(file_left_alone_times_out),
		cmocka_unit_test(file_over_two_connections_has_two_rows),
		cmocka_unit_test(file_without_log_gives_its_sha256),
		cmocka_unit_test(file_at_limit_takes_place_of_oldest),
		cmocka_unit_test(file_data_without_memory_is_overflow),
		cmocka_unit_test(file_of_a_handle_keeps_its_size_and_is_ended_by_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

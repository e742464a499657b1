/* SPDX-License-Identifier: Apache-2.0 */
/* test_mime.c - entities, encodings, names of files, and what a hostile sender may try */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"
#include "pipeline/analyzers/mime.h"

#define MD5_HELLO   "5d41402abc4b2a76b9719d911017c592" /* hello */
#define MD5_ONE_TWO "9d12a9835c4f0ba19f28510b3512b73b" /* one CR LF two */

static uint32_t entity_nr;
static char told[2048];

static void tell_entity(struct zb_analyzer *a, unsigned side)
{
	(void)a;
	snprintf(told + strlen(told), sizeof(told) - strlen(told), " entity%u", side);
}

static void tell_header(struct zb_analyzer *a, unsigned side, struct zb_text name,
			struct zb_text value)
{
	(void)a;
	(void)side;
	snprintf(told + strlen(told), sizeof(told) - strlen(told), " %.*s=%.*s|", (int)name.n,
		 (const char *)name.d, (int)value.n, (const char *)value.d);
}

static void tell_file(struct zb_analyzer *a, unsigned side, struct zb_file *f, struct zb_text name)
{
	(void)a;
	(void)side;
	assert_non_null(f);
	snprintf(told + strlen(told), sizeof(told) - strlen(told), " file(%.*s)", (int)name.n,
		 (const char *)name.d);
}

static const struct zb_mime_ops ops = {
	.source = "TEST",
	.names_files = true,
	.entity = tell_entity,
	.header = tell_header,
	.file = tell_file,
};

/* Any analyzer will do. */
static struct zb_mime *begin(struct analyzer_bed *b)
{
	struct zb_mime *m;

	entity_nr = 0;
	told[0] = '\0';
	ab_open(b, IPPROTO_TCP, 143);
	m = zb_mime_begin(b->s->root.first, &ops, ZB_ORIG, &entity_nr);
	assert_non_null(m);
	return m;
}

/* Each line of text, as if CR and LF had ended it. */
static void lines(struct zb_mime *m, const char *text)
{
	for (const char *end; *text != '\0'; text = end + (*end != '\0')) {
		uint8_t *copy;
		size_t n;

		end = strchr(text, '\n');
		end = end != NULL ? end : text + strlen(text);
		n = (size_t)(end - text);
		copy = malloc(n + !n);
		assert_non_null(copy);
		memcpy(copy, text, n);
		zb_mime_line(m, copy, n, true);
		free(copy);
	}
}

/* Ends all and returns files.log. */
static const char *finish(struct analyzer_bed *b, struct zb_mime *m)
{
	zb_mime_end(m);
	ab_end(b);
	return logs_read(&b->logs, "files");
}

static unsigned row_nr(const char *log)
{
	unsigned n = 0;

	while ((log = strchr(log, '\n')) != NULL) {
		n++;
		log++;
	}
	return n;
}

/* The row of the file with this hash, or NULL. */
static const char *row_of(const char *log, const char *md5)
{
	const char *at = strstr(log, md5);

	while (at != NULL && at > log && at[-1] != '\n')
		at--;
	return at;
}

static bool row_has(const char *log, const char *md5, const char *what)
{
	const char *row = row_of(log, md5), *at;

	assert_non_null(row);
	at = strstr(row, what);
	return at != NULL && at < strchr(row, '\n');
}

/* A message without MIME is one file; its lines end in CR and LF. */
static void mime_plain_message_is_one_file(void **state)
{
	struct analyzer_bed b;
	struct zb_mime *m = begin(&b);
	const char *log;

	(void)state;
	lines(m, "Subject: a\n b\nTo:x\n\n%PDF-1.4\n");
	log = finish(&b, m);
	assert_int_equal(row_nr(log), 1);
	assert_non_null(strstr(log, "\"seen_bytes\":10"));
	assert_non_null(strstr(log, "\"source\":\"TEST\",\"depth\":1"));
	assert_non_null(strstr(log, "application/pdf"));
	assert_string_equal(told, " entity0 Subject=a b| To=x| file()");
	ab_close(&b);
}

/* Every part is a file of its own; the line end in front of a boundary belongs to it. */
static void mime_parts_are_files_without_the_line_end_of_the_boundary(void **state)
{
	struct analyzer_bed b;
	struct zb_mime *m = begin(&b);
	const char *log;

	(void)state;
	lines(m, "Content-Type: multipart/mixed; charset=x; boundary=\"b\\=1\"\n\npreamble\n"
		 "--b=1\n\nhello\n--b=1\nContent-Type: text/plain; name=two.txt\n\none\ntwo\n"
		 "--b=1--\nepilogue\n");
	log = finish(&b, m);
	assert_int_equal(row_nr(log), 2);
	assert_true(row_has(log, MD5_HELLO, "\"depth\":2"));
	assert_true(row_has(log, MD5_ONE_TWO, "\"depth\":3"));
	assert_true(row_has(log, MD5_ONE_TWO, "\"filename\":\"two.txt\""));
	assert_false(row_has(log, MD5_HELLO, "filename"));
	ab_close(&b);
}

/* An outer boundary ends what is inside; parts lie in parts; a message in a message has headers. */
static void mime_outer_boundary_ends_inner_parts(void **state)
{
	struct analyzer_bed b;
	struct zb_mime *m = begin(&b);
	const char *log;

	(void)state;
	lines(m, "Content-Type: multipart/mixed; boundary=o\n\n--o\n"
		 "Content-Type: multipart/alternative; boundary=i\n\n--i\n\nhello\n--o\n"
		 "Content-Type: message/rfc822\n\nSubject: inner\n\none\n--o--\n");
	log = finish(&b, m);
	assert_int_equal(row_nr(log), 2);
	assert_true(row_has(log, MD5_HELLO, "\"depth\":3"));
	assert_non_null(strstr(log, "\"depth\":5"));
	assert_non_null(strstr(told, "Subject=inner|"));
	ab_close(&b);
}

/* base64 over several lines, whatever the length of the lines; other characters are left out. */
static void mime_base64_is_decoded(void **state)
{
	struct analyzer_bed b;
	struct zb_mime *m = begin(&b);
	const char *log;

	(void)state;
	lines(m, "Content-Type: multipart/mixed; boundary=b\n\n--b\n"
		 "Content-Transfer-Encoding: base64\n\naGV\nsbG8=\n--b\n"
		 "Content-Transfer-Encoding: BASE64\n\naGVs!bG8\n--b--\n");
	log = finish(&b, m);
	assert_int_equal(row_nr(log), 2);
	log = row_of(log, MD5_HELLO);
	assert_non_null(log);
	assert_non_null(row_of(strchr(log, '\n'), MD5_HELLO));
	log = logs_read(&b.logs, "weird");
	assert_non_null(strstr(log, "base64_illegal_encoding"));
	assert_non_null(strstr(log, "character 33 ignored by Base64 decoding"));
	ab_close(&b);
}

/* quoted-printable: escapes, soft line ends, blanks at the end, what is no escape. */
static void mime_quoted_printable_is_decoded(void **state)
{
	struct analyzer_bed b;
	struct zb_mime *m = begin(&b);
	const char *log;

	(void)state;
	lines(m, "Content-Transfer-Encoding: quoted-printable\n\na=b=E9 =\nc  \nend=20\n");
	log = finish(&b, m);
	/* a=b\xe9 c CR LF end CR LF, with the blank that was written =20 */
	assert_non_null(strstr(log, "666261b3a957494dfbac63569a7aa2c1"));
	ab_close(&b);
}

static void check_name(const char *header, const char *expected)
{
	uint8_t out[16];
	int n = zb_mime_file_name(zb_text((const uint8_t *)header, strlen(header)),
				  strncmp(header, "attachment", 10) == 0, out, sizeof(out));

	if (expected == NULL) {
		assert_int_equal(n, -1);
		return;
	}
	assert_int_equal(n, strlen(expected));
	assert_memory_equal(out, expected, strlen(expected));
}

/* Names as Zeek finds them: the last one, quoted or to the end, unescaped, at most as it fits. */
static void mime_names_are_found_in_headers(void **state)
{
	(void)state;
	check_name("attachment; filename=\"a b.txt\"; size=1", "a b.txt");
	check_name("attachment; FileName = a.txt", "a.txt");
	check_name("attachment; filename*=UTF-8'en'%41%zz.txt", "A%zz.txt");
	check_name("attachment; filename=a; filename=b", "b");
	check_name("attachment; name=a", NULL);
	check_name("attachment; filename", NULL);
	check_name("attachment; filename=\"\"", "");
	check_name("attachment; filename=\"open", "open");
	check_name("attachment; filename=0123456789abcdefghi", "0123456789abcdef");
	check_name("text/plain; charset=x; name=\"n.txt\"", "n.txt");
	check_name("text/plain; name*=n", NULL);
	check_name("text/plain", NULL);
	check_name("", NULL);
}

/* Parts in parts end at a bound; what lies deeper is not read. */
static void mime_nesting_is_bounded(void **state)
{
	struct analyzer_bed b;
	struct zb_mime *m = begin(&b);
	char part[96];

	(void)state;
	lines(m, "Content-Type: multipart/mixed; boundary=b000\n\n");
	for (unsigned i = 0; i < 3 * ZB_MIME_DEPTH_MAX; i++) {
		snprintf(part, sizeof(part),
			 "--b%03u\nContent-Type: multipart/mixed; boundary=b%03u\n\n", i, i + 1);
		lines(m, part);
	}
	lines(m, "--b300\n\nhello\n");
	assert_int_equal(entity_nr, ZB_MIME_DEPTH_MAX + 1);
	assert_int_equal(row_nr(finish(&b, m)), 0);
	assert_non_null(strstr(logs_read(&b.logs, "weird"), "exceeded_mime_max_depth"));
	ab_close(&b);
}

/* A header that is folded without end is cut, and so is one that is a single endless line. */
static void mime_headers_are_bounded(void **state)
{
	struct analyzer_bed b;
	struct zb_mime *m = begin(&b);
	uint64_t before = b.an.mem.total;
	char *line = malloc(2 * ZB_MIME_HEADER_MAX);

	(void)state;
	assert_non_null(line);
	memset(line, 'x', 2 * ZB_MIME_HEADER_MAX);
	memcpy(line, "A: ", 3);
	zb_mime_line(m, (const uint8_t *)line, 2 * ZB_MIME_HEADER_MAX, true);
	line[0] = ' ';
	for (unsigned i = 0; i < 100; i++)
		zb_mime_line(m, (const uint8_t *)line, ZB_MIME_FOLDED_MAX, true);
	assert_true(b.an.mem.total - before <= ZB_MIME_HEADER_MAX);
	zb_mime_line(m, NULL, 0, true);
	finish(&b, m);
	assert_non_null(strstr(logs_read(&b.logs, "weird"),
			       "\"exceeded_mime_max_header_bytes\",\"addl\":\"131072\""));
	free(line);
	ab_close(&b);
}

/* A boundary that is too long, or missing: the content is one file. */
static void mime_multipart_without_boundary_is_one_file(void **state)
{
	static char header[ZB_MIME_BOUNDARY_MAX + 64];

	(void)state;
	for (unsigned is_long = 0; is_long < 2; is_long++) {
		struct analyzer_bed b;
		struct zb_mime *m = begin(&b);

		strcpy(header, "Content-Type: multipart/mixed; boundary=");
		if (is_long)
			memset(header + strlen(header), 'b', ZB_MIME_BOUNDARY_MAX + 1);
		lines(m, header);
		lines(m, "\n--b\n\nhello\n--b--\n");
		assert_int_equal(row_nr(finish(&b, m)), 1);
		assert_int_equal(entity_nr, 1);
		ab_close(&b);
	}
}

/* Without memory there is nothing, and it is counted. */
static void mime_without_memory_goes_on_without(void **state)
{
	struct analyzer_bed b;
	struct zb_mime *m = begin(&b);
	uint64_t shed;

	(void)state;
	lines(m, "Content-Type: multipart/mixed; boundary=b\n\n");
	b.an.mem.limit[ZB_MEM_analyzer] = 0;
	shed = b.an.mem.shed[ZB_MEM_analyzer];
	lines(m, "--b\nA: b\n\nhello\n--b\n");
	assert_int_equal(b.an.mem.shed[ZB_MEM_analyzer] - shed, 2);
	assert_null(zb_mime_begin(b.s->root.first, &ops, ZB_ORIG, NULL));
	zb_mime_line(NULL, NULL, 0, true);
	zb_mime_flush(NULL);
	zb_mime_gap(NULL, 1);
	zb_mime_end(NULL);
	assert_int_equal(row_nr(finish(&b, m)), 0);
	ab_close(&b);
}

/* A header whose beginning found no memory is not told, nor what is folded to it. */
static void mime_header_without_memory_is_left_out(void **state)
{
	struct analyzer_bed b;
	struct zb_mime *m = begin(&b);

	(void)state;
	b.an.mem.limit[ZB_MEM_analyzer] = 0;
	lines(m, "Subject: a\n");
	b.an.mem.limit[ZB_MEM_analyzer] = UINT64_MAX;
	lines(m, " To: x\nTo: y\n\n");
	assert_string_equal(told, " entity0 To=y|");
	finish(&b, m);
	ab_close(&b);
}

/* Bytes that were never seen are missing in the file of the entity, or make one. */
static void mime_gap_is_missing_in_the_file(void **state)
{
	struct analyzer_bed b;
	struct zb_mime *m = begin(&b);
	const char *log;

	(void)state;
	lines(m, "A: b\n");
	zb_mime_gap(m, 7);
	log = finish(&b, m);
	assert_int_equal(row_nr(log), 1);
	assert_non_null(strstr(log, "\"seen_bytes\":0,\"missing_bytes\":7"));
	ab_close(&b);
}

/* A content larger than the block on its way to the file comes whole. */
static void mime_long_lines_come_whole(void **state)
{
	struct analyzer_bed b;
	struct zb_mime *m = begin(&b);
	static char line[5000];

	(void)state;
	memset(line, 'x', sizeof(line));
	lines(m, "\n");
	for (unsigned i = 0; i < 3; i++)
		zb_mime_line(m, (const uint8_t *)line, i * 2000 + 999, i != 1);
	zb_mime_flush(m);
	assert_non_null(strstr(finish(&b, m), "\"seen_bytes\":9001,"));
	ab_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mime_plain_message_is_one_file),
		cmocka_unit_test(mime_parts_are_files_without_the_line_end_of_the_boundary),
		cmocka_unit_test(mime_outer_boundary_ends_inner_parts),
		cmocka_unit_test(mime_base64_is_decoded),
		cmocka_unit_test(mime_quoted_printable_is_decoded),
		cmocka_unit_test(mime_names_are_found_in_headers),
		cmocka_unit_test(mime_nesting_is_bounded),
		cmocka_unit_test(mime_headers_are_bounded),
		cmocka_unit_test(mime_multipart_without_boundary_is_one_file),
		cmocka_unit_test(mime_without_memory_goes_on_without),
		cmocka_unit_test(mime_header_without_memory_is_left_out),
		cmocka_unit_test(mime_gap_is_missing_in_the_file),
		cmocka_unit_test(mime_long_lines_come_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

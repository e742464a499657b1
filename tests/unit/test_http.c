/* SPDX-License-Identifier: Apache-2.0 */
/* test_http.c - HTTP: rows of http.log for whole, split, chunked, pipelined and malformed messages
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <zlib.h>

#include "analyzer_bed.h"

#define REQUEST "GET /a%20b HTTP/1.1\r\nHost: x.example\r\nUser-Agent: t\r\n\r\n"

static void say(struct analyzer_bed *b, unsigned side, const char *text, bool drip)
{
	if (drip)
		ab_drip(b, side, text, strlen(text));
	else
		ab_text(b, side, text);
}

/* A request and its reply are one row, in whatever pieces they come. */
static void http_request_and_reply_are_one_row(void **state)
{
	(void)state;
	for (unsigned drip = 0; drip < 2; drip++) {
		struct analyzer_bed b;
		const char *row;

		ab_open(&b, IPPROTO_TCP, 80);
		say(&b, ZB_ORIG, REQUEST, drip);
		assert_true(ab_has_service(&b, "http"));
		say(&b, ZB_RESP, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", drip);
		ab_end(&b);
		row = logs_read(&b.logs, "http");
		assert_non_null(
			strstr(row, "\"method\":\"GET\",\"host\":\"x.example\",\"uri\":\"/a b\""));
		assert_non_null(strstr(row, "\"response_body_len\":5,\"status_code\":200"));
		assert_null(strchr(strchr(row, '\n') + 1, '\n'));
		ab_close(&b);
	}
}

/* Chunks are put together; what they say of their size is no part of the body. */
static void http_chunked_body_is_put_together(void **state)
{
	(void)state;
	for (unsigned drip = 0; drip < 2; drip++) {
		struct analyzer_bed b;

		ab_open(&b, IPPROTO_TCP, 80);
		say(&b, ZB_ORIG, REQUEST, drip);
		say(&b, ZB_RESP,
		    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n"
		    "0123456789\r\n0\r\n\r\n",
		    drip);
		ab_end(&b);
		assert_non_null(strstr(logs_read(&b.logs, "http"), "\"response_body_len\":13"));
		ab_close(&b);
	}
}

/* A line of any length is a row, with so much of it as Zeek logs of a field. */
static void http_long_uri_is_cut_and_logged(void **state)
{
	static char request[60000];
	struct analyzer_bed b;
	const char *uri, *end;

	(void)state;
	memset(request, 'u', sizeof(request));
	memcpy(request, "GET /", 5);
	ab_open(&b, IPPROTO_TCP, 80);
	ab_say(&b, ZB_ORIG, request, sizeof(request));
	ab_text(&b, ZB_ORIG, " HTTP/1.1\r\nReferer: ");
	memset(request, 1, sizeof(request)); /* six letters of JSON each */
	ab_say(&b, ZB_ORIG, request, sizeof(request));
	ab_text(&b, ZB_ORIG, "\r\n\r\n");
	ab_text(&b, ZB_RESP, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	ab_end(&b);
	uri = strstr(logs_read(&b.logs, "http"), "\"uri\":\"/");
	assert_non_null(uri);
	end = strchr(uri + 7, '"');
	assert_int_equal(end - (uri + 7), 4096);
	ab_close(&b);
}

/* Pipelined requests are matched with their replies by order; HEAD has no body. */
static void http_pipelined_requests_are_matched_in_order(void **state)
{
	struct analyzer_bed b;
	char *row;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 80);
	ab_text(&b, ZB_ORIG, "HEAD /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n");
	ab_text(&b, ZB_RESP,
		"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
		"HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno");
	ab_end(&b);
	row = logs_read(&b.logs, "http");
	assert_non_null(strstr(row, "\"uri\":\"/1\""));
	assert_true(strstr(row, "\"status_code\":200") < strstr(row, "\"uri\":\"/2\""));
	assert_true(strstr(row, "\"status_code\":404") > strstr(row, "\"uri\":\"/2\""));
	assert_null(strstr(row, "\"response_body_len\":9"));
	ab_close(&b);
}

/* A gap inside a body is counted as body; one outside ends the reading of that side. */
static void http_gap_inside_a_body_is_body(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 80);
	ab_text(&b, ZB_ORIG, REQUEST);
	ab_text(&b, ZB_RESP, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
	zb_branch_gap(&b.s->root, ZB_RESP, 90);
	ab_text(&b, ZB_RESP, "0123456");
	ab_end(&b);
	assert_non_null(strstr(logs_read(&b.logs, "http"), "\"response_body_len\":100"));
	ab_close(&b);
}

/* What is no request is refused, and a line without an end takes no more than its bound. */
static void http_hostile_input_is_bounded(void **state)
{
	static char endless[100000];
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 80);
	ab_text(&b, ZB_ORIG, "\x16\x03\x01 not http\r\n");
	assert_false(ab_has_service(&b, "http"));
	ab_end(&b);
	ab_close(&b);
	memset(endless, 'A', sizeof(endless));
	ab_open(&b, IPPROTO_TCP, 80);
	for (unsigned i = 0; i < 20; i++)
		ab_say(&b, ZB_ORIG, endless, sizeof(endless));
	assert_true(b.an.mem.bytes[ZB_MEM_http] < 300000);
	ab_end(&b);
	ab_close(&b);
}

/* Texts for which there is no room are left out, and change nothing of the others. */
static void http_without_room_for_texts_leaves_them_out(void **state)
{
	unsigned rows = 0;

	(void)state;
	for (uint64_t room = 0; room < 8192; room += 128) {
		struct analyzer_bed b;
		const char *row;
		char name[1000];

		memset(name, 'x', sizeof(name));
		memcpy(name + sizeof(name) - 5, "\r\n\r\n", 5);
		ab_open(&b, IPPROTO_TCP, 80);
		b.an.mem.total_max = b.an.mem.total + room;
		ab_text(&b, ZB_ORIG, "GET /lower HTTP/1.1\r\nHost: h\r\nVia: ");
		ab_text(&b, ZB_ORIG, name);
		ab_text(&b, ZB_RESP, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
		b.an.mem.total_max = UINT64_MAX;
		ab_end(&b);
		row = logs_read(&b.logs, "http");
		assert_null(strstr(row, "/LOWER"));
		assert_null(strstr(row, "\"\""));
		rows += strstr(row, "/lower") != NULL;
		ab_close(&b);
	}
	assert_true(rows > 0 && rows < 64);
}

/* A log that must, or must not, say something. */
static void logs_say(struct analyzer_bed *b, const char *log, const char *const *what)
{
	const char *text = logs_read(&b->logs, log);

	for (; *what != NULL; what++)
		if (strstr(text, *what) == NULL)
			fail_msg("%s.log says nothing of %s: %s", log, *what, text);
}

#define SAYS(b, log, ...) logs_say(b, log, (const char *const[]){__VA_ARGS__, NULL})

/* A request without a version is answered by a body without headers, of version 0.9. */
static void http_09_reply_is_all_body(void **state)
{
	(void)state;
	for (unsigned drip = 0; drip < 2; drip++) {
		struct analyzer_bed b;

		ab_open(&b, IPPROTO_TCP, 80);
		say(&b, ZB_ORIG, "GET /old\r\n\r\n", drip);
		say(&b, ZB_RESP, "<html>\nold\n", drip);
		ab_end(&b);
		SAYS(&b, "http", "\"version\":\"0.9\"", "\"response_body_len\":11",
		     "\"status_code\":0,\"status_msg\":\"<empty>\"");
		ab_close(&b);
	}
}

/* Behind a reply of HTTP/0.9 without a body there is no other, wherever segments begin. */
static void http_09_reply_is_the_last(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 80);
	ab_text(&b, ZB_ORIG, "GET /1 HTTP/1.1\r\n\r\nHEAD /old\r\n\r\n");
	ab_text(&b, ZB_RESP, "<html>");
	ab_text(&b, ZB_RESP, "HTTP/1.1 204 Odd\r\n\r\n");
	ab_end(&b);
	assert_null(strstr(logs_read(&b.logs, "http"), "204"));
	ab_close(&b);
}

/* A body of which nothing says where it ends goes by lines, each with CR and LF. */
static void http_body_without_length_goes_by_lines(void **state)
{
	(void)state;
	for (unsigned drip = 0; drip < 2; drip++) {
		struct analyzer_bed b;

		ab_open(&b, IPPROTO_TCP, 80);
		say(&b, ZB_ORIG, REQUEST, drip);
		say(&b, ZB_RESP, "HTTP/1.1 200 OK\r\n\r\none\ntwo\r\nthree", drip);
		zb_branch_fin(&b.s->root, ZB_RESP);
		ab_end(&b);
		SAYS(&b, "http", "\"response_body_len\":17");
		ab_close(&b);
	}
}

/* After Connection: close, such a body passes as it is. */
static void http_body_until_close_is_not_changed(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 80);
	ab_text(&b, ZB_ORIG, REQUEST);
	ab_text(&b, ZB_RESP, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\none\ntwo");
	zb_branch_fin(&b.s->root, ZB_RESP);
	ab_end(&b);
	SAYS(&b, "http", "\"response_body_len\":7");
	ab_close(&b);
}

#define PARTS                                                                                  \
	"--XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"\r\n\r\nab\r\n" \
	"--XX\r\n\r\nc\nd\r\n--XX--\r\n"

/* Each part of a multipart body is a file; the line end before a boundary is not of it. */
static void http_parts_are_files(void **state)
{
	(void)state;
	for (unsigned drip = 0; drip < 2; drip++) {
		struct analyzer_bed b;
		char head[256];

		snprintf(head, sizeof(head),
			 "POST / HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=XX\r\n"
			 "Content-Length: %zu\r\n\r\n",
			 strlen(PARTS));
		ab_open(&b, IPPROTO_TCP, 80);
		say(&b, ZB_ORIG, head, drip);
		say(&b, ZB_ORIG, PARTS, drip);
		say(&b, ZB_RESP, "HTTP/1.1 204 No\r\n\r\n", drip);
		say(&b, ZB_ORIG, "GET /next HTTP/1.1\r\n\r\n", drip);
		ab_end(&b);
		SAYS(&b, "files", "\"filename\":\"a.txt\"", "\"seen_bytes\":2", "\"seen_bytes\":3");
		SAYS(&b, "http", "\"orig_filenames\":[\"a.txt\"]", "\"uri\":\"/next\"");
		ab_close(&b);
	}
}

/* The name of a file is read as in mail: the last one, its character set and escapes undone. */
static void http_file_name_is_read_as_in_mail(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 80);
	ab_text(&b, ZB_ORIG, "GET / HTTP/1.1\r\n\r\n");
	ab_text(&b, ZB_RESP,
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Disposition: attachment; "
		"filename=\"a.txt\"; filename*=UTF-8''b%20c.txt\r\n\r\nab");
	ab_end(&b);
	SAYS(&b, "files", "\"filename\":\"b c.txt\"");
	SAYS(&b, "http", "\"resp_filenames\":[\"b c.txt\"]");
	ab_close(&b);
}

/* What a comment in front of the boundary says is not it. */
static void http_boundary_in_a_comment_is_none(void **state)
{
	struct analyzer_bed b;
	char head[256];

	(void)state;
	snprintf(head, sizeof(head),
		 "POST / HTTP/1.1\r\nContent-Type: multipart/form-data; "
		 "boundary(boundary=NO); boundary=XX\r\nContent-Length: %zu\r\n\r\n",
		 strlen(PARTS));
	ab_open(&b, IPPROTO_TCP, 80);
	ab_text(&b, ZB_ORIG, head);
	ab_text(&b, ZB_ORIG, PARTS);
	ab_end(&b);
	SAYS(&b, "files", "\"filename\":\"a.txt\"", "\"seen_bytes\":2", "\"seen_bytes\":3");
	ab_close(&b);
}

/* CR, LF, and both end a line of a body that could end with any: each counts as CR LF. */
static void http_line_ends_of_a_body_count_alike(void **state)
{
	(void)state;
	for (unsigned drip = 0; drip < 2; drip++) {
		struct analyzer_bed b;

		ab_open(&b, IPPROTO_TCP, 80);
		say(&b, ZB_ORIG, REQUEST, drip);
		say(&b, ZB_RESP, "HTTP/1.1 200 OK\r\n\r\na\rb\rc\n\r\nd\re\n\nf\r\ng\r", drip);
		ab_end(&b);
		SAYS(&b, "http", "\"response_body_len\":25");
		ab_close(&b);
	}
}

/* The room that a long header took is given back when it has been read. */
static void http_long_header_holds_no_memory(void **state)
{
	static char value[20000];
	struct analyzer_bed b;
	uint64_t before;

	(void)state;
	memset(value, 'v', sizeof(value));
	ab_open(&b, IPPROTO_TCP, 80);
	ab_text(&b, ZB_ORIG, "GET / HTTP/1.1\r\nHost: h\r\n");
	before = b.an.mem.bytes[ZB_MEM_http];
	ab_text(&b, ZB_ORIG, "X: ");
	ab_say(&b, ZB_ORIG, value, sizeof(value));
	ab_text(&b, ZB_ORIG, "\r\n\r\n");
	assert_true(b.an.mem.bytes[ZB_MEM_http] <= before);
	ab_end(&b);
	ab_close(&b);
}

/* Ranges of one resource, asked for as such, are one file. */
static void http_ranges_are_one_file(void **state)
{
	struct analyzer_bed b;
	char *files;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 80);
	for (unsigned i = 0; i < 2; i++) {
		char reply[128];

		ab_text(&b, ZB_ORIG, "GET /r HTTP/1.1\r\nHost: h\r\nRange: bytes=0-\r\n\r\n");
		snprintf(reply, sizeof(reply),
			 "HTTP/1.1 206 Part\r\nContent-Range: bytes %u-%u/8\r\n\r\nabcd", i * 4,
			 i * 4 + 3);
		ab_text(&b, ZB_RESP, reply);
	}
	ab_end(&b);
	SAYS(&b, "files", "\"seen_bytes\":8,\"total_bytes\":8,\"missing_bytes\":0");
	files = logs_read(&b.logs, "files");
	assert_null(strstr(strstr(files, "seen_bytes") + 1, "seen_bytes"));
	ab_close(&b);
}

/* What runs through after CONNECT is analysed as a connection of its own would be. */
static void http_connect_opens_a_stream(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 8080);
	ab_text(&b, ZB_ORIG, "CONNECT x:5900 HTTP/1.1\r\n\r\n");
	ab_text(&b, ZB_RESP, "HTTP/1.1 200 Established\r\n\r\n");
	ab_text(&b, ZB_RESP, "RFB 003.008\n");
	ab_text(&b, ZB_ORIG, "RFB 003.008\n");
	assert_true(ab_has_service(&b, "http"));
	assert_true(ab_has_service(&b, "rfb"));
	ab_end(&b);
	SAYS(&b, "http", "\"method\":\"CONNECT\"", "\"status_code\":200");
	ab_close(&b);
	/* One that was refused opens nothing. */
	ab_open(&b, IPPROTO_TCP, 8080);
	ab_text(&b, ZB_ORIG, "CONNECT x:5900 HTTP/1.1\r\n\r\n");
	ab_text(&b, ZB_RESP, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
	ab_text(&b, ZB_ORIG, "GET / HTTP/1.1\r\n\r\n");
	ab_end(&b);
	SAYS(&b, "http", "\"status_code\":403", "\"method\":\"GET\"");
	ab_close(&b);
}

/* Headers that proxies and servers may read differently are odd. */
static void http_smuggling_is_weird(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 80);
	ab_text(&b, ZB_ORIG,
		"POST /%4x%%41 HTTP/1.1\r\nTransfer-Encoding: chunked, identity\r\n"
		"Content-Length:\r\n 05\r\nExpect: nothing\r\n\r\n0\r\n\r\n");
	ab_text(&b, ZB_ORIG,
		"POST / http/1.1\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n");
	ab_end(&b);
	SAYS(&b, "weird", "unescaped_%_in_URI", "double_%_in_URI", "HTTP_chunked_multi",
	     "HTTP_obsolete_line_folding", "HTTP_content_length_and_chunked",
	     "HTTP_content_length_leading_zeros", "HTTP_expect_not_100_continue",
	     "lowercase_HTTP_keyword", "HTTP_content_length_0_and_expect_100_cont");
	SAYS(&b, "http", "\"uri\":\"/%4xA\"");
	ab_close(&b);
}

/* A body that grows without end when it is inflated is cut off, and said to be one. */
static void http_inflated_body_is_bounded(void **state)
{
	static uint8_t zeros[1 << 16], out[1 << 16];
	z_stream z = {.zalloc = Z_NULL};
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 80);
	ab_text(&b, ZB_ORIG, REQUEST);
	ab_text(&b, ZB_RESP, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n");
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	for (unsigned i = 0; i < 1100; i++) { /* 69 MiB */
		z.next_in = zeros;
		z.avail_in = sizeof(zeros);
		z.next_out = out;
		z.avail_out = sizeof(out);
		deflate(&z, i == 1099 ? Z_FINISH : Z_NO_FLUSH);
		if (z.avail_out != sizeof(out))
			ab_say(&b, ZB_RESP, out, sizeof(out) - z.avail_out);
	}
	deflateEnd(&z);
	ab_end(&b);
	SAYS(&b, "weird", "HTTP_inflated_body_too_large");
	SAYS(&b, "http", "\"response_body_len\":6711");
	ab_close(&b);
}

/* Roles that are swapped too late leave nothing to be understood. */
static void http_late_flip_ends_it(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 80);
	ab_text(&b, ZB_ORIG, REQUEST);
	zb_conn_flip(&b.conn);
	zb_session_flip(b.s);
	ab_text(&b, ZB_ORIG, "HTTP/1.1 200 OK\r\n\r\n");
	ab_end(&b);
	SAYS(&b, "weird", "HTTP_late_flip_roles");
	assert_null(strstr(logs_read(&b.logs, "http"), "status_code"));
	ab_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http_request_and_reply_are_one_row),
		cmocka_unit_test(http_long_uri_is_cut_and_logged),
		cmocka_unit_test(http_chunked_body_is_put_together),
		cmocka_unit_test(http_pipelined_requests_are_matched_in_order),
		cmocka_unit_test(http_gap_inside_a_body_is_body),
		cmocka_unit_test(http_hostile_input_is_bounded),
		cmocka_unit_test(http_file_name_is_read_as_in_mail),
		cmocka_unit_test(http_boundary_in_a_comment_is_none),
		cmocka_unit_test(http_line_ends_of_a_body_count_alike),
		cmocka_unit_test(http_long_header_holds_no_memory),
		cmocka_unit_test(http_without_room_for_texts_leaves_them_out),
		cmocka_unit_test(http_09_reply_is_all_body),
		cmocka_unit_test(http_09_reply_is_the_last),
		cmocka_unit_test(http_body_without_length_goes_by_lines),
		cmocka_unit_test(http_body_until_close_is_not_changed),
		cmocka_unit_test(http_parts_are_files),
		cmocka_unit_test(http_ranges_are_one_file),
		cmocka_unit_test(http_connect_opens_a_stream),
		cmocka_unit_test(http_smuggling_is_weird),
		cmocka_unit_test(http_inflated_body_is_bounded),
		cmocka_unit_test(http_late_flip_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

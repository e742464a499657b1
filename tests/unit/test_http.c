/* SPDX-License-Identifier: Apache-2.0 */
/* test_http.c - HTTP: rows of http.log for whole, split, chunked, pipelined and malformed messages
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http_request_and_reply_are_one_row),
		cmocka_unit_test(http_chunked_body_is_put_together),
		cmocka_unit_test(http_pipelined_requests_are_matched_in_order),
		cmocka_unit_test(http_gap_inside_a_body_is_body),
		cmocka_unit_test(http_hostile_input_is_bounded),
		cmocka_unit_test(http_without_room_for_texts_leaves_them_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

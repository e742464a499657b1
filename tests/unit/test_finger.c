/* SPDX-License-Identifier: Apache-2.0 */
/* test_finger.c - Finger: bounded lines, and the request's end */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"

/* What weird.log says of a request and an answer of n bytes, the client's side being in state. */
static const char *weirds_of(size_t n, unsigned client)
{
	static char log[2048];
	struct analyzer_bed b;
	char text[2000];

	memset(text, 'a', sizeof(text));
	text[n] = '\n';
	ab_open(&b, IPPROTO_TCP, 79);
	ab_text(&b, ZB_ORIG, "user\r\n");
	ab_say(&b, ZB_RESP, text, n + 1);
	b.conn.end[ZB_ORIG].state = client & 7;
	assert_int_equal(b.s->service_nr, 0);
	ab_end(&b);
	snprintf(log, sizeof(log), "%s", logs_read(&b.logs, "weird"));
	ab_close(&b);
	return log;
}

/* A line of a thousand bytes is not too long, one more is. */
static void finger_long_line_is_told(void **state)
{
	(void)state;
	assert_string_equal(weirds_of(1000 - 1, ZB_END_ESTABLISHED), "");
	assert_non_null(strstr(weirds_of(1001, ZB_END_ESTABLISHED), "contentline_size_exceeded"));
}

/* A client that has closed leaves its request behind. */
static void finger_closed_request_is_told(void **state)
{
	(void)state;
	assert_non_null(strstr(weirds_of(9, ZB_END_CLOSED), "partial_finger_request"));
	assert_string_equal(weirds_of(9, ZB_END_RESET), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finger_long_line_is_told),
		cmocka_unit_test(finger_closed_request_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

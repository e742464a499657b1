/* SPDX-License-Identifier: Apache-2.0 */
/* test_mysql.c - MySQL is recognised by greeting and answer, and hands over to TLS */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"

static const char greeting[] = "\23\0\0\0\n8.0.1\0idid12345678";
static const char answer[] = "\5\0\0\1\5\242\0\0\0";
static const char ssl_request[36] = "\40\0\0\1\5\252";
#define GREETING (sizeof(greeting) - 1)
#define ANSWER	 (sizeof(answer) - 1)

static bool recognised(struct analyzer_bed *b)
{
	bool has = ab_has_service(b, "mysql");

	ab_end(b);
	ab_close(b);
	return has;
}

/* The answer to a greeting makes it certain; the greeting alone does not. */
static void mysql_answered_greeting_is_confirmed(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 3306);
	ab_say(&b, ZB_RESP, greeting, GREETING);
	assert_false(ab_has_service(&b, "mysql"));
	ab_say(&b, ZB_ORIG, answer, ANSWER);
	assert_true(recognised(&b));
}

/* The same one byte at a time. */
static void mysql_byte_by_byte_is_confirmed(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 3306);
	ab_drip(&b, ZB_RESP, greeting, GREETING);
	ab_drip(&b, ZB_ORIG, answer, ANSWER - 1);
	assert_false(ab_has_service(&b, "mysql"));
	ab_drip(&b, ZB_ORIG, answer + ANSWER - 1, 1);
	assert_true(recognised(&b));
}

/* A client that asks for TLS gets it: what it sends next is looked at as that, the asking is not.
 */
static void mysql_tls_asked_for_begins_behind_the_asking(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 3306);
	ab_say(&b, ZB_RESP, greeting, GREETING);
	ab_say(&b, ZB_ORIG, ssl_request, sizeof(ssl_request));
	assert_true(ab_has_service(&b, "mysql"));
	assert_non_null(b.s->root.first);
	assert_int_equal(b.s->root.first->id, ZB_A_tls);
	assert_null(b.s->root.first->next);
	assert_true(recognised(&b));
}

/* Another protocol on the port, a client that speaks first, an error, a greeting cut short. */
static void mysql_what_is_none_is_refused(void **state)
{
	static const struct {
		unsigned side;
		const char *d;
		size_t n;
	} first[] = {
		{ZB_ORIG, "GET / HTTP/1.0\r\n\r\n", 18},
		{ZB_ORIG, greeting, GREETING},
		{ZB_RESP, "\3\0\0\0\377\1\2", 7},
		{ZB_RESP, "\0\0\0\0", 4},
		{ZB_RESP, "\24\0\0\0\n8.0.1..idid12345678", 24},
		{ZB_RESP, "\22\0\0\0\n8.0.1\0idid1234567", GREETING - 1},
		{ZB_RESP, "\377\377\377\0\n8.0.1", 10},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		struct analyzer_bed b;

		ab_open(&b, IPPROTO_TCP, 3306);
		ab_say(&b, first[i].side, first[i].d, first[i].n);
		assert_int_equal(b.an.mem.bytes[ZB_MEM_analyzer], 0);
		ab_say(&b, ZB_RESP, greeting, GREETING);
		ab_say(&b, ZB_ORIG, answer, ANSWER);
		assert_false(recognised(&b));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mysql_answered_greeting_is_confirmed),
		cmocka_unit_test(mysql_byte_by_byte_is_confirmed),
		cmocka_unit_test(mysql_tls_asked_for_begins_behind_the_asking),
		cmocka_unit_test(mysql_what_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_pop3.c - POP3: recognition, mails as files, STLS, oddities, commands sent ahead */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"

#define MD5_BODY  "89dd3590116a70b579661a2d8593bb2f" /* body CR LF */
#define GREETING  "+OK ready\r\n"
#define LOGIN	  "USER u\r\nPASS p\r\n"
#define LOGIN_OK  "+OK\r\n+OK\r\n"
#define MAIL	  "+OK 10 octets\r\nSubject: s\r\n\r\nbody\r\n.\r\n"
#define TLS_HELLO "\x16\3\1\0\x2f\1\0\0\x2b\3\3"

static void say(struct analyzer_bed *b, unsigned side, const char *text, bool drip)
{
	if (drip)
		ab_drip(b, side, text, strlen(text));
	else
		ab_text(b, side, text);
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
		n++;
	return n;
}

/* Logged in: what follows is said in the transaction phase. */
static void open_session(struct analyzer_bed *b)
{
	ab_open(b, IPPROTO_TCP, 110);
	ab_text(b, ZB_RESP, GREETING);
	ab_text(b, ZB_ORIG, LOGIN);
	ab_text(b, ZB_RESP, LOGIN_OK);
	assert_true(ab_has_service(b, "pop3"));
}

static const char *weirds(struct analyzer_bed *b)
{
	ab_end(b);
	return logs_read(&b->logs, "weird");
}

/* Mails are files, fetched one by one or all at once, in whatever pieces they come. */
static void pop3_mails_are_files(void **state)
{
	(void)state;
	for (unsigned drip = 0; drip < 2; drip++) {
		struct analyzer_bed b;
		const char *log;

		ab_open(&b, IPPROTO_TCP, 110);
		say(&b, ZB_RESP, GREETING, drip);
		say(&b, ZB_ORIG, LOGIN "RETR 1\r\nTOP 2 9\r\nQUIT\r\n", drip);
		say(&b, ZB_RESP, LOGIN_OK MAIL MAIL "+OK bye\r\n", drip);
		assert_true(ab_has_service(&b, "pop3"));
		assert_string_equal(weirds(&b), "");
		log = logs_read(&b.logs, "files");
		assert_int_equal(count(log, "\n"), 2);
		assert_int_equal(count(log, MD5_BODY), 2);
		assert_non_null(strstr(log, "\"source\":\"POP3\",\"depth\":0"));
		assert_non_null(strstr(log, "\"is_orig\":false"));
		ab_close(&b);
	}
}

/* It is found on any port, if both sides look like it. */
static void pop3_is_found_by_what_both_sides_say(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 110);
	ab_text(&b, ZB_RESP, "-ERR busy\r\n");
	ab_text(&b, ZB_ORIG, "CAPA\r\n");
	ab_text(&b, ZB_RESP, "OK\r\n");
	assert_false(ab_has_service(&b, "pop3"));
	ab_end(&b);
	ab_close(&b);

	ab_open(&b, IPPROTO_TCP, 11000);
	ab_text(&b, ZB_RESP, GREETING);
	ab_text(&b, ZB_ORIG, "capa\r\n");
	assert_false(ab_has_service(&b, "pop3"));
	ab_text(&b, ZB_RESP, "+OK\r\nSTLS\r\n.\r\n");
	assert_true(ab_has_service(&b, "pop3"));
	ab_end(&b);
	ab_close(&b);
}

/* After STLS and its reply the rest is TLS. */
static void pop3_stls_hands_over_to_tls(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 110);
	ab_text(&b, ZB_RESP, GREETING);
	ab_text(&b, ZB_ORIG, "STLS\r\n");
	ab_text(&b, ZB_RESP, "+OK go\r\n");
	assert_true(ab_has_service(&b, "pop3"));
	ab_say(&b, ZB_ORIG, TLS_HELLO, sizeof(TLS_HELLO) - 1);
	assert_true(b.s->root.first->id == ZB_A_tls);
	ab_end(&b);
	ab_close(&b);
}

/* A reply that is all of the server's last line counts before what the client says next. */
static void pop3_stls_at_the_end_of_a_side(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 110);
	ab_text(&b, ZB_RESP, GREETING);
	ab_text(&b, ZB_ORIG, "STLS\r\n");
	ab_text(&b, ZB_RESP, "+OK go");
	zb_branch_fin(&b.s->root, ZB_RESP);
	ab_text(&b, ZB_ORIG, "NOOP 1\r\n");
	assert_null(b.s->root.first); /* that is no TLS */
	ab_end(&b);
	ab_close(&b);
}

/* A server's line that is no reply is a violation; a command from it is an oddity. */
static void pop3_server_lines_must_be_replies(void **state)
{
	struct analyzer_bed b;

	(void)state;
	open_session(&b);
	ab_text(&b, ZB_RESP, "HTTP/1.1 200 OK\r\n");
	assert_false(ab_has_service(&b, "pop3"));
	assert_non_null(strstr(weirds(&b), "pop3_server_command_unknown"));
	ab_close(&b);

	open_session(&b);
	ab_text(&b, ZB_RESP, "USER\r\n");
	assert_true(ab_has_service(&b, "pop3"));
	assert_non_null(strstr(weirds(&b), "pop3_server_sending_client_commands"));
	ab_close(&b);
}

/* A client's oddities; what it says ahead is remembered up to a bound. */
static void pop3_client_oddities_are_told(void **state)
{
	struct analyzer_bed b;
	const char *log;

	(void)state;
	open_session(&b);
	ab_text(&b, ZB_ORIG, "+OK\r\n");
	ab_text(&b, ZB_RESP, "-ERR\r\n");
	ab_text(&b, ZB_ORIG, "BOGUS\r\n");
	for (unsigned i = 0; i < 30; i++)
		ab_text(&b, ZB_ORIG, "NOOP\r\n");
	log = weirds(&b);
	assert_non_null(strstr(log, "pop3_client_sending_server_commands"));
	assert_non_null(strstr(log, "pop3_client_command_unknown"));
	assert_non_null(strstr(log, "pop3_client_too_many_pending_commands"));
	ab_close(&b);
}

/* Some unknown commands are borne. */
static void pop3_too_many_unknown_commands_are_a_violation(void **state)
{
	struct analyzer_bed b;

	(void)state;
	open_session(&b);
	for (unsigned i = 0; i < 10; i++) {
		ab_text(&b, ZB_ORIG, "BOGUS\r\n");
		ab_text(&b, ZB_RESP, "-ERR\r\n");
	}
	assert_true(ab_has_service(&b, "pop3"));
	ab_text(&b, ZB_ORIG, "BOGUS\r\n");
	assert_false(ab_has_service(&b, "pop3"));
	ab_end(&b);
	ab_close(&b);
}

/* A login by AUTH: the answers are no commands, and are checked. */
static void pop3_answers_of_auth_are_checked(void **state)
{
	static const char *const answer[] = {"AHUAcA==\r\n", "AHU=\r\n", "*\r\n"};
	static const char *const weird[] = {"", "pop3_malformed_auth_plain",
					    "pop3_bad_base64_encoding"};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct analyzer_bed b;
		const char *log;

		ab_open(&b, IPPROTO_TCP, 110);
		ab_text(&b, ZB_RESP, GREETING);
		ab_text(&b, ZB_ORIG, "AUTH PLAIN\r\n");
		ab_text(&b, ZB_RESP, "+ \r\n");
		ab_text(&b, ZB_ORIG, answer[i]);
		ab_text(&b, ZB_RESP, "+OK\r\n");
		ab_text(&b, ZB_ORIG, "RETR 1\r\n");
		ab_text(&b, ZB_RESP, MAIL);
		log = weirds(&b);
		assert_non_null(strstr(log, weird[i]));
		assert_true(i != 0 || *log == '\0');
		assert_non_null(strstr(logs_read(&b.logs, "files"), MD5_BODY));
		ab_close(&b);
	}
}

/* A list has several lines, too, a refused one has none: what follows is a reply again. */
static void pop3_lists_end_where_they_end(void **state)
{
	struct analyzer_bed b;

	(void)state;
	open_session(&b);
	ab_text(&b, ZB_ORIG, "LIST\r\nLIST 1\r\nUIDL\r\nRETR 1\r\n");
	ab_text(&b, ZB_RESP, "+OK\r\n1 10\r\n.\r\n+OK 1 10\r\n-ERR\r\n" MAIL);
	assert_string_equal(weirds(&b), "");
	assert_non_null(strstr(logs_read(&b.logs, "files"), MD5_BODY));
	ab_close(&b);
}

/* A mail without its end is one at the end of the connection. */
static void pop3_mail_ends_with_the_connection(void **state)
{
	struct analyzer_bed b;

	(void)state;
	open_session(&b);
	ab_text(&b, ZB_ORIG, "RETR 1\r\n");
	ab_text(&b, ZB_RESP, "+OK\r\n\r\nbody");
	zb_branch_fin(&b.s->root, ZB_RESP);
	ab_end(&b);
	assert_non_null(strstr(logs_read(&b.logs, "files"), MD5_BODY));
	ab_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pop3_mails_are_files),
		cmocka_unit_test(pop3_is_found_by_what_both_sides_say),
		cmocka_unit_test(pop3_stls_hands_over_to_tls),
		cmocka_unit_test(pop3_stls_at_the_end_of_a_side),
		cmocka_unit_test(pop3_server_lines_must_be_replies),
		cmocka_unit_test(pop3_client_oddities_are_told),
		cmocka_unit_test(pop3_too_many_unknown_commands_are_a_violation),
		cmocka_unit_test(pop3_answers_of_auth_are_checked),
		cmocka_unit_test(pop3_lists_end_where_they_end),
		cmocka_unit_test(pop3_mail_ends_with_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

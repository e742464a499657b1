/* SPDX-License-Identifier: Apache-2.0 */
/* test_irc.c - IRC: by port and by content, odd lines, and the way to TLS */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"
#include "pipeline/expect.h"

/* What weird.log says once side has said text to an IRC server. */
static const char *weirds_of(unsigned side, const char *text)
{
	static char log[8192];
	struct analyzer_bed b;

	ab_open(&b, IPPROTO_TCP, 6667);
	ab_text(&b, side, text);
	ab_end(&b);
	snprintf(log, sizeof(log), "%s", logs_read(&b.logs, "weird"));
	ab_close(&b);
	return log;
}

static void expect_weird(unsigned side, const char *text, const char *name)
{
	const char *log = weirds_of(side, text);
	char want[80];

	snprintf(want, sizeof(want), "\"name\":\"%s\"", name);
	if (strstr(log, want) == NULL)
		fail_msg("%s: %s", name, log);
}

/* On its port the client's first line is enough, whole or byte by byte. */
static void irc_client_line_on_port_is_confirmed(void **state)
{
	static const char nick[] = "NICK me\r\n";

	(void)state;
	for (unsigned drip = 0; drip < 2; drip++) {
		struct analyzer_bed b;

		ab_open(&b, IPPROTO_TCP, 6669);
		ab_text(&b, ZB_RESP, ":irc.example.com NOTICE * :hello\r\n");
		assert_false(ab_has_service(&b, "irc"));
		if (drip)
			ab_drip(&b, ZB_ORIG, nick, sizeof(nick) - 1);
		else
			ab_text(&b, ZB_ORIG, nick);
		assert_true(ab_has_service(&b, "irc"));
		ab_end(&b);
		assert_string_equal(logs_read(&b.logs, "weird"), "");
		ab_close(&b);
	}
}

struct pair {
	const char *orig, *resp;
	bool is_irc;
};

/* Elsewhere both sides must look like it: client and server, or two servers. */
static void irc_on_any_port_both_sides_must_match(void **state)
{
	static const struct pair pairs[] = {
		{"NICK a\r\nUSER a b c :d\r\n", ":h 001 a :hi\r\n", true},
		{"PASS x\r\n user a b c :d\r\n\r\n  nick a\r\n", "NOTICE :x\n001 a :hi\r\n", true},
		{"NICK a\r\nUSER a b c :d\r\n", ": 001 a :hi\r\n", false},
		{"NICK a\r\nUSER a b c :d\r\n", "hello\r\n", false},
		{"NICK a\r\nMODE a\r\nUSER a b c :d\r\n", ":h 001 a :hi\r\n", false},
		{"USER a b c :d\r\n", "331 more\r\n", false},
		{"SERVER a.b 1 :x\r\n", "SERVER b.a 1 :y\r\n", true},
		{"SERVER a.b one :x\r\n", "SERVER b.a 1 :y\r\n", false},
		{"\1NICK a\r\nUSER a b c :d\r\n", ":h 001 a :hi\r\n", false},
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(pairs) / sizeof(pairs[0]); i++) {
		const struct pair *p = &pairs[i / 2];
		struct analyzer_bed b;

		ab_open(&b, IPPROTO_TCP, 7000);
		if (i & 1) {
			ab_drip(&b, ZB_ORIG, p->orig, strlen(p->orig));
			ab_drip(&b, ZB_RESP, p->resp, strlen(p->resp));
		} else {
			ab_text(&b, ZB_ORIG, p->orig);
			ab_text(&b, ZB_RESP, p->resp);
		}
		if (ab_has_service(&b, "irc") != p->is_irc)
			fail_msg("%s", p->orig);
		ab_end(&b);
		ab_close(&b);
	}
}

/* Lines that are too long or too short, and words that are no command. */
static void irc_odd_lines_are_told(void **state)
{
	char text[1600];

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text + 1500, "\r\n", 3);
	expect_weird(ZB_ORIG, text, "contentline_size_exceeded");
	expect_weird(ZB_ORIG, text, "irc_line_size_exceeded");
	expect_weird(ZB_ORIG, text + 1500 - 512, "irc_invalid_command");
	expect_weird(ZB_ORIG, text + 1500 - 513, "irc_line_size_exceeded");
	expect_weird(ZB_ORIG, "x\r\n", "irc_line_too_short");
	expect_weird(ZB_ORIG, ":prefix\r\n", "irc_invalid_line");
	expect_weird(ZB_ORIG, ":prefix a\r\n", "irc_invalid_line");
	expect_weird(ZB_RESP, "12 x\r\n", "irc_invalid_reply_number");
	expect_weird(ZB_RESP, "123\r\n", "irc_invalid_reply_number");
	expect_weird(ZB_ORIG, "JOIN :\r\n", "irc_invalid_join_line");
	expect_weird(ZB_RESP, "NJOIN #a\r\n", "irc_invalid_njoin_line");
	expect_weird(ZB_ORIG, "PRIVMSG you\r\n", "irc_invalid_privmsg_message_format");
}

/* The 21st line that is no command is too much. */
static void irc_many_invalid_lines_end_it(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 6667);
	for (unsigned i = 0; i < 20; i++)
		ab_text(&b, ZB_ORIG, "abcdefghijklmnopqrstu\r\n");
	assert_true(ab_has_service(&b, "irc"));
	ab_text(&b, ZB_ORIG, "abcdefghijklmnopqrstu\r\n");
	assert_false(ab_has_service(&b, "irc"));
	assert_null(b.s->root.first);
	ab_end(&b);
	assert_non_null(strstr(logs_read(&b.logs, "weird"), "irc_too_many_invalid"));
	ab_close(&b);
}

/* An offer names host and port as numbers. */
static void irc_offers_of_connections_are_checked(void **state)
{
	(void)state;
	assert_string_equal(weirds_of(ZB_RESP, "PRIVMSG a :\1DCC SEND f 167772161 1026 9\1\r\n"),
			    "");
	assert_string_equal(weirds_of(ZB_RESP, "PRIVMSG a :DCC SEND f 167772161 65535\r\n"), "");
	assert_string_equal(weirds_of(ZB_RESP, "PRIVMSG a :DCC SEND f 1 1026 9 T\r\n"), "");
	expect_weird(ZB_RESP, "PRIVMSG a :DCC SEND f\r\n", "irc_invalid_dcc_message_format");
	expect_weird(ZB_RESP, "PRIVMSG a :DCC SEND f 1 1026 9 8 7\r\n",
		     "irc_invalid_dcc_message_format");
	expect_weird(ZB_RESP, "PRIVMSG a :DCC SEND f \2 1026 9\r\n", "irc_invalid_dcc_host");
	expect_weird(ZB_RESP, "PRIVMSG a :DCC SEND f 4294967296 1 9\r\n", "irc_invalid_dcc_host");
	expect_weird(ZB_RESP, "PRIVMSG a :DCC SEND f 1 port 9\r\n", "irc_invalid_dcc_port");
	assert_non_null(strstr(weirds_of(ZB_RESP, "PRIVMSG a :DCC SEND f 1 65536 9\r\n"),
			       "\"addl\":\"65536\""));
	assert_string_equal(weirds_of(ZB_RESP, "PRIVMSG a :\1\r\nPRIVMSG a :DCC\r\n"), "");
}

/* From 10.0.0.9 to 10.0.0.1:1026. */
static void conn_as_offered(struct zb_conn *c)
{
	static const uint8_t orig[4] = {10, 0, 0, 9}, resp[4] = {10, 0, 0, 1};

	memset(c, 0, sizeof(*c));
	c->flags = ZB_CONN_FRESH;
	if (zb_flow_key_make(&c->key, orig, resp, 4, 5000, 1026, IPPROTO_TCP, false))
		c->flags |= ZB_CONN_ORIG_IS_A;
}

/* A file that is offered comes in a connection of its own, from whomever; once. */
static void irc_offered_file_is_expected(void **state)
{
	static struct zb_delivery_list l;
	struct analyzer_bed b;
	struct zb_conn c;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 6667);
	l.an = &b.an;
	ab_text(&b, ZB_RESP, "PRIVMSG a :\1DCC CHAT chat 167772161 1025\1\r\n");
	assert_int_equal(b.an.expect_nr, 0);
	ab_text(&b, ZB_RESP, "PRIVMSG a :\1DCC SEND name.txt 167772161 1026 9\1\r\n");
	assert_int_equal(b.an.expect_nr, 1);
	for (unsigned i = 0; i < 2; i++) {
		conn_as_offered(&c);
		assert_true(zb_expect_apply(&b.an, &l, &c));
		assert_non_null(c.streams);
		assert_int_equal(zb_session_of(&c)->service_nr, i == 0);
		zb_branch_data(&zb_session_of(&c)->root, ZB_RESP, (const uint8_t *)"some text", 9);
		zb_session_end(&c);
	}
	ab_end(&b);
	const char *log = logs_read(&b.logs, "files");
	assert_non_null(strstr(log, "\"filename\":\"name.txt\""));
	assert_non_null(strstr(log, "\"source\":\"IRC_DATA\""));
	ab_close(&b);
}

/* 670: what follows is TLS. */
static void irc_starttls_hands_over(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 6667);
	ab_text(&b, ZB_ORIG, "STARTTLS\r\n");
	ab_text(&b, ZB_RESP, ":h 670 a :go on\r\n");
	assert_true(ab_has_service(&b, "irc"));
	assert_non_null(b.s->root.first);
	assert_int_equal(b.s->root.first->id, ZB_A_tls);
	ab_end(&b);
	ab_close(&b);
}

/* A reply that is all of the server's last line counts before what the client says next. */
static void irc_starttls_at_the_end_of_a_side(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 6667);
	ab_text(&b, ZB_ORIG, "STARTTLS\r\n");
	ab_text(&b, ZB_RESP, ":h 670 a :go on");
	zb_branch_fin(&b.s->root, ZB_RESP);
	ab_text(&b, ZB_ORIG, "NICK a\r\n");
	assert_null(b.s->root.first); /* that is no TLS */
	ab_end(&b);
	ab_close(&b);
}

/* Two servers that agree to compress are not read on. */
static void irc_compressed_stream_is_left_alone(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 6667);
	ab_text(&b, ZB_ORIG, "PASS x 0210 IRC|a Z\r\nSERVER a.b 1 :x\r\n");
	assert_non_null(b.s->root.first);
	ab_text(&b, ZB_RESP, "PASS x 0210 IRC|a Z\r\nSERVER b.a 1 :x\r\n");
	assert_null(b.s->root.first);
	assert_true(ab_has_service(&b, "irc"));
	ab_end(&b);
	ab_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(irc_client_line_on_port_is_confirmed),
		cmocka_unit_test(irc_on_any_port_both_sides_must_match),
		cmocka_unit_test(irc_odd_lines_are_told),
		cmocka_unit_test(irc_many_invalid_lines_end_it),
		cmocka_unit_test(irc_offers_of_connections_are_checked),
		cmocka_unit_test(irc_offered_file_is_expected),
		cmocka_unit_test(irc_starttls_hands_over),
		cmocka_unit_test(irc_starttls_at_the_end_of_a_side),
		cmocka_unit_test(irc_compressed_stream_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

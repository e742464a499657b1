/* SPDX-License-Identifier: Apache-2.0 */
/* test_socks.c - SOCKS: versions, authentication, the tunnel's row, and what is inside */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"
#include "pipeline/tunnel.h"

#define LIT(text) text, sizeof(text) - 1
#define HELLO	  "\5\1\0"
#define CHOICE	  "\5\0"
#define REQUEST	  "\5\1\0\3\7example\0\x50"
#define ANSWER	  "\5\0\0\1\12\0\0\1\4\x38"
#define REQUEST_4 "\4\1\0\x50\12\0\0\1me\0"

static void open_it(struct analyzer_bed *b, uint16_t port)
{
	ab_open(b, IPPROTO_TCP, port);
	assert_int_equal(zb_tunnels_create(&b->an, &b->an.tunnels), 0);
}

/* Returns tunnel.log, or another. */
static const char *close_it(struct analyzer_bed *b, const char *log)
{
	static char text[4096];

	ab_end(b);
	zb_tunnels_destroy(b->an.tunnels);
	b->an.tunnels = NULL;
	snprintf(text, sizeof(text), "%s", logs_read(&b->logs, log));
	ab_close(b);
	return text;
}

static bool is_there(const struct analyzer_bed *b)
{
	for (const struct zb_analyzer *a = b->s->root.first; a != NULL; a = a->next)
		if (a->id == ZB_A_socks)
			return true;
	return false;
}

/* On its port and on any other; the server's answer confirms, the client's request is the tunnel.
 */
static void socks_version_5_is_confirmed_by_the_answer(void **state)
{
	static const uint16_t ports[] = {1080, 4000};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct analyzer_bed b;
		const char *log;

		open_it(&b, ports[i]);
		ab_say(&b, ZB_ORIG, LIT(HELLO));
		ab_say(&b, ZB_RESP, LIT(CHOICE));
		ab_say(&b, ZB_ORIG, LIT(REQUEST));
		assert_false(ab_has_service(&b, "socks"));
		ab_say(&b, ZB_RESP, LIT(ANSWER));
		assert_true(ab_has_service(&b, "socks"));
		log = close_it(&b, "tunnel");
		assert_non_null(strstr(log, "\"id.orig_p\":0,"));
		assert_non_null(strstr(log, "\"tunnel_type\":\"Tunnel::SOCKS\""));
		assert_non_null(strstr(log, "\"action\":\"Tunnel::DISCOVER\""));
	}
}

/* Behind the two last messages another protocol begins. */
static void socks_inner_stream_is_analysed(void **state)
{
	struct analyzer_bed b;

	(void)state;
	open_it(&b, 4000);
	ab_say(&b, ZB_ORIG, LIT(HELLO));
	ab_say(&b, ZB_RESP, LIT(CHOICE));
	ab_say(&b, ZB_ORIG, LIT(REQUEST));
	ab_say(&b, ZB_RESP, LIT(ANSWER));
	ab_text(&b, ZB_ORIG, "GET /inside HTTP/1.1\r\nHost: h\r\n\r\n");
	ab_text(&b, ZB_RESP, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
	assert_true(ab_has_service(&b, "socks"));
	assert_true(ab_has_service(&b, "http"));
	assert_non_null(strstr(close_it(&b, "http"), "\"uri\":\"/inside\""));
}

/* User and password, and whatever else stands between the choice and the request. */
static void socks_authentication_is_passed(void **state)
{
	struct analyzer_bed b;

	(void)state;
	open_it(&b, 4000);
	ab_say(&b, ZB_ORIG, LIT("\5\3\0\1\2"));
	ab_say(&b, ZB_RESP, LIT("\5\2"));
	ab_say(&b, ZB_ORIG, LIT("\1\3bob\5alice"));
	ab_say(&b, ZB_RESP, LIT("\1\0"));
	ab_say(&b, ZB_ORIG, LIT(REQUEST));
	ab_say(&b, ZB_RESP, LIT(ANSWER));
	assert_true(ab_has_service(&b, "socks"));
	assert_string_equal(close_it(&b, "weird"), "");
}

/* A method, or a version of the known one, that nobody can read is an oddity. */
static void socks_unknown_authentication_is_odd(void **state)
{
	struct analyzer_bed b;

	(void)state;
	open_it(&b, 1080);
	ab_say(&b, ZB_ORIG, LIT("\5\1\1"));
	ab_say(&b, ZB_RESP, LIT("\5\1"));
	ab_say(&b, ZB_ORIG, LIT("\1\1token"));
	ab_say(&b, ZB_RESP, LIT("\1\1token"));
	ab_say(&b, ZB_ORIG, LIT(REQUEST));
	ab_say(&b, ZB_RESP, LIT(ANSWER));
	assert_true(ab_has_service(&b, "socks"));
	assert_non_null(strstr(close_it(&b, "weird"), "socks5_unsupported_authentication_method"));

	open_it(&b, 1080);
	ab_say(&b, ZB_ORIG, LIT("\5\1\2"));
	ab_say(&b, ZB_RESP, LIT("\5\2"));
	ab_say(&b, ZB_ORIG, LIT("\7\1x\1y"));
	assert_non_null(strstr(close_it(&b, "weird"), "\"addl\":\"method 2, version 7\""));
}

/* Version 4 leaves a tunnel, and its server's zero is no version. */
static void socks_version_4_leaves_a_tunnel(void **state)
{
	static const uint16_t ports[] = {1080, 4000};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct analyzer_bed b;

		open_it(&b, ports[i]);
		ab_say(&b, ZB_ORIG, LIT(REQUEST_4));
		ab_say(&b, ZB_RESP, LIT("\0\x5a\0\0\0\0\0\0"));
		assert_int_equal(b.s->service_nr, 0);
		assert_false(is_there(&b));
		assert_non_null(strstr(close_it(&b, "tunnel"), "Tunnel::SOCKS"));
	}
}

/* What was found by content must be one version on both sides, or it is no tunnel. */
static void socks_two_versions_are_no_tunnel(void **state)
{
	struct analyzer_bed b;

	(void)state;
	open_it(&b, 4000);
	ab_say(&b, ZB_ORIG, LIT(REQUEST_4));
	ab_say(&b, ZB_RESP, LIT(CHOICE));
	assert_string_equal(close_it(&b, "tunnel"), "");
}

struct bad {
	const char *what;
	const char *d;
	size_t n;
};

/* Messages that end before they should, and values that cannot be. */
static void socks_broken_requests_are_refused(void **state)
{
	static const struct bad bad[] = {
		{"short address", LIT("\5\1\0\1\12\0\0")},
		{"no port", LIT("\5\1\0\1\12\0\0\1")},
		{"short name", LIT("\5\1\0\3\xff"
				   "name\0\x50")},
		{"kind of address", LIT("\5\1\0\2\12\0\0\1\0\x50")},
		{"command", LIT("\5\4\0\1\12\0\0\1\0\x50")},
		{"not zero", LIT("\5\1\1\1\12\0\0\1\0\x50")},
		{"version", LIT("\6\1\0\1\12\0\0\1\0\x50")},
		{"endless user", LIT("\4\1\0\x50\12\0\0\1me")},
		{"endless name", LIT("\4\1\0\x50\0\0\0\1\0name")},
		{"one byte", LIT("\5")},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct analyzer_bed b;

		open_it(&b, 1080);
		ab_say(&b, ZB_ORIG, LIT(HELLO));
		ab_say(&b, ZB_RESP, LIT(CHOICE));
		ab_say(&b, ZB_ORIG, bad[i].d, bad[i].n);
		if (is_there(&b))
			fail_msg("%s", bad[i].what);
		assert_string_equal(close_it(&b, "tunnel"), "");
	}
}

/* Lengths of user and password beyond what is there. */
static void socks_broken_password_is_refused(void **state)
{
	static const struct bad bad[] = {
		{"", LIT("\1")},
		{"", LIT("\1\3bo")},
		{"", LIT("\1\3bob")},
		{"", LIT("\1\3bob\5alic")},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct analyzer_bed b;

		open_it(&b, 4000);
		ab_say(&b, ZB_ORIG, LIT("\5\1\2"));
		ab_say(&b, ZB_RESP, LIT("\5\2"));
		assert_true(is_there(&b));
		ab_say(&b, ZB_ORIG, bad[i].d, bad[i].n);
		assert_false(is_there(&b));
		close_it(&b, "weird");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(socks_version_5_is_confirmed_by_the_answer),
		cmocka_unit_test(socks_inner_stream_is_analysed),
		cmocka_unit_test(socks_authentication_is_passed),
		cmocka_unit_test(socks_unknown_authentication_is_odd),
		cmocka_unit_test(socks_version_4_leaves_a_tunnel),
		cmocka_unit_test(socks_two_versions_are_no_tunnel),
		cmocka_unit_test(socks_broken_requests_are_refused),
		cmocka_unit_test(socks_broken_password_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_dtls.c - the DTLS analyzer: records of datagrams, fragments, the short header of 1.3 */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"
#include "tls_build.h"

static struct analyzer_bed bed;

static void has(const char *row, const char *part)
{
	if (row == NULL || strstr(row, part) == NULL)
		fail_msg("no %s in %s", part, row != NULL ? row : "");
}

static const char *rows(void)
{
	ab_end(&bed);
	return logs_read(&bed.logs, "ssl");
}

static void put_dtls(struct bytes *b, uint8_t type, uint16_t epoch, const void *d, size_t n)
{
	put_int(b, 1, type);
	put_int(b, 2, 0xfefd);
	put_int(b, 2, epoch);
	put_int(b, 6, 0);
	put_sized(b, 2, d, n);
}

/* A fragment of a message: n bytes from at on. */
static void put_fragment(struct bytes *b, uint8_t type, const struct bytes *m, size_t at, size_t n)
{
	struct bytes f = {.n = 0};

	put_int(&f, 1, type);
	put_int(&f, 3, m->n);
	put_int(&f, 2, 5);
	put_int(&f, 3, at);
	put_sized(&f, 3, m->d + at, n);
	put_dtls(b, 22, 0, f.d, f.n);
}

static void say(unsigned side, const struct bytes *b)
{
	ab_say(&bed, side, b->d, b->n);
}

static void say_message(unsigned side, uint8_t type, const struct bytes *m)
{
	struct bytes b = {.n = 0};

	put_fragment(&b, type, m, 0, m->n);
	say(side, &b);
}

static void say_client_hello(void)
{
	struct hello h = {
		.version = 0xfefd, .ciphers = {0xc02f}, .cipher_nr = 1, .has_cookie = true};
	struct bytes m = {.n = 0};

	put_server_name(&h.extensions, "example.com");
	put_client_hello(&m, &h);
	say_message(ZB_ORIG, 1, &m);
}

static void server_hello(struct bytes *m)
{
	struct hello h = {.version = 0xfefd, .ciphers = {0xc02f}};

	put_protocol(&h.extensions, "webrtc");
	put_server_hello(m, &h);
}

static void say_finished(unsigned side)
{
	struct bytes b = {.n = 0};

	put_dtls(&b, 20, 0, "\x01", 1);
	put_dtls(&b, 22, 1, "0123456789", 10);
	say(side, &b);
}

/* A hello on any port must be found, and a whole handshake be established. */
static void dtls_handshake_on_other_port_gives_row(void **state)
{
	struct bytes m = {.n = 0};

	(void)state;
	ab_open(&bed, IPPROTO_UDP, 5000);
	say_client_hello();
	put_int(&m, 2, 0xfeff);
	put_sized(&m, 1, "cookie", 6);
	say_message(ZB_RESP, 3, &m);
	say_client_hello();
	m.n = 0;
	server_hello(&m);
	say_message(ZB_RESP, 2, &m);
	say_finished(ZB_ORIG);
	say_finished(ZB_RESP);
	assert_true(ab_has_service(&bed, "dtls"));
	has(rows(), "\"version\":\"DTLSv12\",\"cipher\":\"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\","
		    "\"server_name\":\"example.com\",\"resumed\":false,"
		    "\"next_protocol\":\"webrtc\",\"established\":true,"
		    "\"ssl_history\":\"CvCsIi\"");
	ab_close(&bed);
}

/* Fragments in any order, and some of them twice, must make one message. */
static void dtls_fragments_in_any_order_are_put_together(void **state)
{
	struct bytes m = {.n = 0}, b = {.n = 0};

	(void)state;
	ab_open(&bed, IPPROTO_UDP, 443);
	say_client_hello();
	server_hello(&m);
	put_fragment(&b, 2, &m, 30, m.n - 30);
	put_fragment(&b, 2, &m, 0, 10);
	put_fragment(&b, 2, &m, 0, 10);
	say(ZB_RESP, &b);
	b.n = 0;
	put_fragment(&b, 2, &m, 10, 20);
	put_fragment(&b, 2, &m, 10, 20);
	say(ZB_RESP, &b);
	has(rows(), "\"next_protocol\":\"webrtc\",\"established\":false,\"ssl_history\":\"Cs\"");
	ab_close(&bed);
}

/* A fragment that reaches beyond its message must be refused. */
static void dtls_fragment_beyond_message_violates(void **state)
{
	struct bytes m = {.n = 40}, b = {.n = 0};

	(void)state;
	ab_open(&bed, IPPROTO_UDP, 443);
	say_client_hello();
	memset(m.d, 0, m.n);
	put_fragment(&b, 2, &m, 10, 20);
	b.d[13 + 3] = 20; /* of the message's length */
	say(ZB_RESP, &b);
	assert_false(ab_has_service(&bed, "dtls"));
	has(rows(), "\"ssl_history\":\"C\"");
	ab_close(&bed);
}

/* A message in more pieces than are plausible must be refused. */
static void dtls_message_in_too_many_pieces_violates(void **state)
{
	struct bytes m = {.n = 100}, b = {.n = 0};

	(void)state;
	ab_open(&bed, IPPROTO_UDP, 443);
	say_client_hello();
	memset(m.d, 0, m.n);
	for (unsigned i = 0; i < 40; i++)
		put_fragment(&b, 2, &m, i, 1);
	say(ZB_RESP, &b);
	assert_false(ab_has_service(&bed, "dtls"));
	rows();
	ab_close(&bed);
}

/* DTLS 1.3 is what an extension says; its encrypted records have a header of their own. */
static void dtls_1_3_short_records_establish(void **state)
{
	struct hello h = {.version = 0xfefd, .ciphers = {0x1301}};
	struct bytes m = {.n = 0};

	(void)state;
	ab_open(&bed, IPPROTO_UDP, 443);
	say_client_hello();
	put_extension(&h.extensions, 43, "\xfe\xfc", 2);
	put_server_hello(&m, &h);
	say_message(ZB_RESP, 2, &m);
	ab_say(&bed, ZB_RESP, "\x2e\x01\x02\0\x02xx", 7);
	ab_say(&bed, ZB_ORIG, "\x22\x01xx", 4);
	has(rows(), "\"version\":\"DTLSv13\",\"cipher\":\"TLS_AES_128_GCM_SHA256\","
		    "\"server_name\":\"example.com\",\"resumed\":false,\"established\":true,"
		    "\"ssl_history\":\"Cs\"");
	ab_close(&bed);
}

/* STUN on the same port must do no harm, nor a few datagrams of something else. */
static void dtls_among_other_datagrams_is_read(void **state)
{
	uint8_t stun[28] = {0, 1, 0, 8, 0x21, 0x12, 0xa4, 0x42}, other[60] = {0xc0, 1};

	(void)state;
	ab_open(&bed, IPPROTO_UDP, 443);
	ab_say(&bed, ZB_ORIG, stun, sizeof(stun));
	for (unsigned i = 0; i < 5; i++)
		ab_say(&bed, ZB_RESP, other, sizeof(other));
	say_client_hello();
	assert_true(ab_has_service(&bed, "dtls"));
	has(rows(), "\"ssl_history\":\"C\"");
	ab_close(&bed);
}

/* What is something else all along must be given up. */
static void dtls_only_other_datagrams_are_given_up(void **state)
{
	uint8_t other[60] = {0xc0, 1};

	(void)state;
	ab_open(&bed, IPPROTO_UDP, 443);
	for (unsigned i = 0; i < 12; i++)
		ab_say(&bed, ZB_ORIG, other, sizeof(other));
	assert_null(bed.s->root.first);
	assert_string_equal(rows(), "");
	ab_close(&bed);
}

/* No datagram, cut anywhere, may be read beyond its end. */
static void dtls_datagram_cut_anywhere_is_survived(void **state)
{
	struct bytes m = {.n = 0}, b = {.n = 0};

	(void)state;
	server_hello(&m);
	put_fragment(&b, 2, &m, 0, m.n);
	put_dtls(&b, 20, 0, "\x01", 1);
	for (size_t n = 1; n < b.n; n++) {
		ab_open(&bed, IPPROTO_UDP, 443);
		say_client_hello();
		ab_say(&bed, ZB_RESP, b.d, n);
		rows();
		ab_close(&bed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dtls_handshake_on_other_port_gives_row),
		cmocka_unit_test(dtls_fragments_in_any_order_are_put_together),
		cmocka_unit_test(dtls_fragment_beyond_message_violates),
		cmocka_unit_test(dtls_message_in_too_many_pieces_violates),
		cmocka_unit_test(dtls_1_3_short_records_establish),
		cmocka_unit_test(dtls_among_other_datagrams_is_read),
		cmocka_unit_test(dtls_only_other_datagrams_are_given_up),
		cmocka_unit_test(dtls_datagram_cut_anywhere_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_tls.c - the TLS analyzer: what handshakes become rows of ssl.log, and what is no TLS */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"
#include "tls_build.h"

#define ECDHE_RSA_AES128 0xc02f
#define RSA_AES128	 0x002f
#define AES128_GCM	 0x1301

static const uint8_t retry_random[32] = {
	0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
	0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
	0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

static struct analyzer_bed bed;

static void open_port(uint16_t port)
{
	ab_open(&bed, IPPROTO_TCP, port);
}

/* Ends the connection; the row (or rows) that came of it. */
static const char *rows(void)
{
	ab_end(&bed);
	return logs_read(&bed.logs, "ssl");
}

static void has(const char *row, const char *part)
{
	if (row == NULL || strstr(row, part) == NULL)
		fail_msg("no %s in %s", part, row != NULL ? row : "");
}

static struct hello client_hello(void)
{
	struct hello h = {.version = 0x0303,
			  .ciphers = {ECDHE_RSA_AES128, RSA_AES128},
			  .cipher_nr = 2};

	put_server_name(&h.extensions, "www.example.com");
	return h;
}

static struct hello server_hello(uint16_t cipher)
{
	return (struct hello){.version = 0x0303, .ciphers = {cipher}};
}

static void say(unsigned side, const struct bytes *b)
{
	ab_say(&bed, side, b->d, b->n);
}

static void say_client_hello(const struct hello *h)
{
	struct bytes m = {.n = 0}, b = {.n = 0};

	put_client_hello(&m, h);
	put_handshake(&b, 1, &m);
	say(ZB_ORIG, &b);
}

static void say_server_hello(const struct hello *h)
{
	struct bytes m = {.n = 0}, b = {.n = 0};

	put_server_hello(&m, h);
	put_handshake(&b, 2, &m);
	say(ZB_RESP, &b);
}

static void say_simple(unsigned side, uint8_t type, const void *d, size_t n)
{
	struct bytes b = {.n = 0};

	put_simple(&b, type, d, n);
	say(side, &b);
}

/* Change cipher spec, and something encrypted. */
static void say_finished(unsigned side)
{
	say_simple(side, 20, "\x01", 1);
	say_simple(side, 22, "0123456789abcdef", 16);
}

/* Hello, certificate, key exchange, done: of a server with TLS 1.2 and ECDHE. */
static void put_flight(struct bytes *b)
{
	static const char *const dns[3] = {"*.example.com", NULL, NULL};
	struct bytes m = {.n = 0}, all = {.n = 0}, cert = {.n = 0};
	struct hello h = server_hello(ECDHE_RSA_AES128);

	put_protocol(&h.extensions, "h2");
	put_server_hello(&m, &h);
	put_message(&all, 2, &m);
	put_certificate(&cert, "example.net", dns);
	m.n = 0;
	put_int(&m, 3, cert.n + 3);
	put_sized(&m, 3, cert.d, cert.n);
	put_message(&all, 11, &m);
	m.n = 0;
	put_int(&m, 1, 3);
	put_int(&m, 2, 29);
	put_sized(&m, 1, "point", 5);
	put_int(&m, 2, 0x0401);
	put_sized(&m, 2, "signature", 9);
	put_message(&all, 12, &m);
	m.n = 0;
	put_message(&all, 14, &m);
	put_record(b, 22, &all);
}

static void say_key_exchange(void)
{
	struct bytes m = {.n = 0}, b = {.n = 0};

	put_sized(&m, 1, "point", 5);
	put_handshake(&b, 16, &m);
	say(ZB_ORIG, &b);
}

static void check_full_row(const char *row)
{
	has(row, "\"version\":\"TLSv12\",\"cipher\":\"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\","
		 "\"curve\":\"x25519\",\"server_name\":\"www.example.com\",\"resumed\":false,"
		 "\"next_protocol\":\"h2\",\"established\":true,\"ssl_history\":\"CsxknGIi\","
		 "\"cert_chain_fps\":[\"");
	has(row, "\"],\"client_cert_chain_fps\":[],\"sni_matches_cert\":true,\"ja3\":\"");
	assert_ptr_equal(strchr(row, '\n') + 1, row + strlen(row));
}

/* A whole handshake must give one row with what it negotiated. */
static void tls_full_handshake_gives_row(void **state)
{
	struct hello h = client_hello();
	struct bytes b = {.n = 0};

	(void)state;
	open_port(443);
	say_client_hello(&h);
	put_flight(&b);
	say(ZB_RESP, &b);
	say_key_exchange();
	say_finished(ZB_ORIG);
	say_finished(ZB_RESP);
	assert_true(ab_has_service(&bed, "ssl"));
	check_full_row(rows());
	ab_close(&bed);
}

/* Where segments end must not matter. */
static void tls_byte_by_byte_gives_same_row(void **state)
{
	struct bytes m = {.n = 0}, b = {.n = 0};
	struct hello h = client_hello();

	(void)state;
	open_port(443);
	put_client_hello(&m, &h);
	put_handshake(&b, 1, &m);
	ab_drip(&bed, ZB_ORIG, b.d, b.n);
	b.n = 0;
	put_flight(&b);
	ab_drip(&bed, ZB_RESP, b.d, b.n);
	say_key_exchange();
	b.n = 0;
	put_simple(&b, 20, "\x01", 1);
	put_simple(&b, 22, "0123456789abcdef", 16);
	ab_drip(&bed, ZB_ORIG, b.d, b.n);
	ab_drip(&bed, ZB_RESP, b.d, b.n);
	check_full_row(rows());
	ab_close(&bed);
}

/* Messages cut by records must be put together. */
static void tls_message_over_many_records_is_one_message(void **state)
{
	struct bytes m = {.n = 0}, whole = {.n = 0}, b = {.n = 0};
	struct hello h = client_hello();

	(void)state;
	open_port(443);
	put_client_hello(&m, &h);
	put_message(&whole, 1, &m);
	for (size_t i = 0; i < whole.n; i += 3)
		put_simple(&b, 22, whole.d + i, whole.n - i < 3 ? whole.n - i : 3);
	say(ZB_ORIG, &b);
	has(rows(), "\"server_name\":\"www.example.com\",\"resumed\":false,\"established\":false,"
		    "\"ssl_history\":\"C\"");
	ab_close(&bed);
}

/* On any port a hello must be found out, even when it comes in two pieces. */
static void tls_on_other_port_is_found_by_content(void **state)
{
	struct bytes m = {.n = 0}, b = {.n = 0};
	struct hello h = client_hello();

	(void)state;
	open_port(4711);
	put_client_hello(&m, &h);
	put_handshake(&b, 1, &m);
	ab_say(&bed, ZB_ORIG, b.d, 8);
	ab_say(&bed, ZB_ORIG, b.d + 8, b.n - 8);
	assert_true(ab_has_service(&bed, "ssl"));
	has(rows(), "\"ssl_history\":\"C\"");
	ab_close(&bed);
}

/* TLS 1.3 is what an extension says, and established with the first data of both sides. */
static void tls_1_3_is_established_by_application_data(void **state)
{
	struct hello c = client_hello(), s = server_hello(AES128_GCM);

	(void)state;
	open_port(443);
	put_extension(&c.extensions, 43, "\x02\x03\x04", 3);
	say_client_hello(&c);
	put_extension(&s.extensions, 43, "\x03\x04", 2);
	put_extension(&s.extensions, 51, "\x00\x1d\x00\x02xx", 6);
	say_server_hello(&s);
	say_simple(ZB_RESP, 20, "\x01", 1);
	say_simple(ZB_RESP, 23, "0123456789abcdef", 16);
	say_simple(ZB_ORIG, 20, "\x01", 1);
	say_simple(ZB_ORIG, 23, "0123456789abcdef", 16);
	has(rows(), "\"version\":\"TLSv13\",\"cipher\":\"TLS_AES_128_GCM_SHA256\","
		    "\"curve\":\"x25519\",\"server_name\":\"www.example.com\",\"resumed\":false,"
		    "\"established\":true,\"ssl_history\":\"CsiI\"");
	ab_close(&bed);
}

/* A retry must be told from a hello, and an accepted key be a resumption. */
static void tls_1_3_retry_and_accepted_psk_are_noted(void **state)
{
	struct hello c = client_hello(), s = server_hello(AES128_GCM);

	(void)state;
	open_port(443);
	put_extension(&c.extensions, 41, "\0\x07\0\x01x\0\0\0\0\0\x02\x01y", 13);
	say_client_hello(&c);
	s.random = retry_random;
	put_extension(&s.extensions, 43, "\x03\x04", 2);
	put_extension(&s.extensions, 51, "\x00\x17", 2);
	say_server_hello(&s);
	say_client_hello(&c);
	s.random = NULL;
	put_extension(&s.extensions, 41, "\0\0", 2);
	say_server_hello(&s);
	has(rows(), "\"curve\":\"secp256r1\",\"server_name\":\"www.example.com\",\"resumed\":true,"
		    "\"established\":false,\"ssl_history\":\"CjCs\"");
	ab_close(&bed);
}

/* A session id that the server repeats must be a resumption, in TLS 1.2. */
static void tls_repeated_session_id_is_resumption(void **state)
{
	struct hello c = client_hello(), s = server_hello(RSA_AES128);

	(void)state;
	open_port(443);
	memset(c.sid, 7, 32);
	memset(s.sid, 7, 32);
	c.sid_len = s.sid_len = 32;
	say_client_hello(&c);
	say_server_hello(&s);
	say_finished(ZB_RESP);
	say_finished(ZB_ORIG);
	has(rows(), "\"resumed\":true,\"established\":true,\"ssl_history\":\"CsiI\"");
	ab_close(&bed);
}

/* A ticket without a session id, and no key exchange after it, must be a resumption. */
static void tls_ticket_without_key_exchange_is_resumption(void **state)
{
	struct hello c = client_hello(), s = server_hello(RSA_AES128);

	(void)state;
	open_port(443);
	put_extension(&c.extensions, 35, "ticket", 6);
	say_client_hello(&c);
	say_server_hello(&s);
	say_finished(ZB_RESP);
	say_finished(ZB_ORIG);
	has(rows(), "\"resumed\":true,\"established\":true");
	ab_close(&bed);
}

/* An alert must be named. */
static void tls_alert_is_logged_by_name(void **state)
{
	struct hello c = client_hello();

	(void)state;
	open_port(443);
	say_client_hello(&c);
	say_simple(ZB_RESP, 21, "\x02\x28", 2);
	has(rows(), "\"last_alert\":\"handshake_failure\",\"established\":false,"
		    "\"ssl_history\":\"Cl\"");
	ab_close(&bed);
}

/* More alerts in a record than are plausible must be cut and noted. */
static void tls_many_alerts_in_record_are_weird(void **state)
{
	uint8_t d[60];

	(void)state;
	memset(d, 1, sizeof(d));
	open_port(443);
	say_simple(ZB_ORIG, 21, d, sizeof(d));
	has(rows(), "\"last_alert\":\"unknown-1\",\"established\":false,"
		    "\"ssl_history\":\"LLLLLLLLLL\"");
	ab_close(&bed);
}

/* A hello whose extension is longer than it must not be confirmed. */
static void tls_malformed_hello_is_no_tls(void **state)
{
	struct hello c = client_hello();

	(void)state;
	open_port(443);
	put_int(&c.extensions, 2, 5);
	put_int(&c.extensions, 2, 9);
	say_client_hello(&c);
	assert_false(ab_has_service(&bed, "ssl"));
	assert_null(bed.s->root.first);
	has(rows(), "\"established\":false");
	ab_close(&bed);
}

/* What is no record on a TLS port must leave neither service nor row. */
static void tls_other_protocol_leaves_nothing(void **state)
{
	(void)state;
	open_port(443);
	ab_text(&bed, ZB_ORIG, "GET / HTTP/1.1\r\n\r\n");
	assert_false(ab_has_service(&bed, "ssl"));
	assert_string_equal(rows(), "");
	ab_close(&bed);
}

/* A record of another version in the middle must end the analysis, and the row be kept. */
static void tls_version_that_changes_late_ends_service(void **state)
{
	struct hello c = client_hello();

	(void)state;
	open_port(443);
	say_client_hello(&c);
	assert_true(ab_has_service(&bed, "ssl"));
	ab_say(&bed, ZB_RESP, "\x16\x09\x09\0\x01", 5);
	assert_false(ab_has_service(&bed, "ssl"));
	assert_null(bed.s->root.first);
	has(rows(), "\"ssl_history\":\"C\"");
	ab_close(&bed);
}

/* Nothing after a hole can be trusted. */
static void tls_after_gap_is_not_looked_at(void **state)
{
	struct hello c = client_hello(), s = server_hello(RSA_AES128);

	(void)state;
	open_port(443);
	say_client_hello(&c);
	zb_branch_gap(&bed.s->root, ZB_RESP, 10);
	say_server_hello(&s);
	assert_true(ab_has_service(&bed, "ssl"));
	has(rows(), "\"ssl_history\":\"C\"");
	ab_close(&bed);
}

/* A message that claims megabytes must not be waited for. */
static void tls_huge_message_is_given_up(void **state)
{
	(void)state;
	open_port(443);
	say_simple(ZB_ORIG, 22, "\x0b\xff\xff\xff", 4);
	assert_int_equal(bed.an.mem.shed[ZB_MEM_tls], 1);
	assert_null(bed.s->root.first);
	rows();
	ab_close(&bed);
}

/* History stops at a hundred letters, whatever is sent. */
static void tls_history_is_bounded(void **state)
{
	struct bytes none = {.n = 0}, b = {.n = 0};
	const char *row, *first;

	(void)state;
	open_port(443);
	for (unsigned i = 0; i < 300; i++)
		put_handshake(&b, 16, &none);
	say(ZB_ORIG, &b);
	row = rows();
	first = strstr(row, "\"GGGG");
	assert_non_null(first);
	assert_int_equal(strspn(first + 1, "G"), 100);
	ab_close(&bed);
}

/* SSLv2's hello must be read, and the later version that the server answers with. */
static void tls_v2_client_hello_opens_later_version(void **state)
{
	struct hello s = server_hello(RSA_AES128);
	struct bytes b = {.n = 0};

	(void)state;
	open_port(443);
	put_int(&b, 2, 0x8000 | (3 + 6 + 3 + 16));
	put_int(&b, 1, 1);
	put_int(&b, 2, 0x0301);
	put_int(&b, 2, 3);
	put_int(&b, 2, 0);
	put_int(&b, 2, 16);
	put_int(&b, 3, 0x010080);
	put_fill(&b, 9, 16);
	ab_drip(&bed, ZB_ORIG, b.d, b.n);
	assert_true(ab_has_service(&bed, "ssl"));
	say_server_hello(&s);
	has(rows(), "\"version\":\"TLSv12\",\"cipher\":\"TLS_RSA_WITH_AES_128_CBC_SHA\","
		    "\"resumed\":false,\"established\":false,\"ssl_history\":\"Cs\"");
	ab_close(&bed);
}

/* SSLv2 to its end must be established with the client's key. */
static void tls_v2_handshake_gives_row(void **state)
{
	struct bytes b = {.n = 0};

	(void)state;
	open_port(443);
	put_int(&b, 2, 0x8000 | (3 + 6 + 3 + 16));
	put_int(&b, 3, 0x010002);
	put_int(&b, 2, 3);
	put_int(&b, 2, 0);
	put_int(&b, 2, 16);
	put_int(&b, 3, 0x010080);
	put_fill(&b, 9, 16);
	/* The header's last byte is the version's. */
	b.d[2] = 1;
	b.d[3] = 0;
	b.d[4] = 2;
	say(ZB_ORIG, &b);
	b.n = 0;
	put_int(&b, 2, 0x8000 | (3 + 8 + 1 + 3 + 16));
	put_int(&b, 3, 0x040001);
	put_int(&b, 2, 2);
	put_int(&b, 2, 1);
	put_int(&b, 2, 3);
	put_int(&b, 2, 16);
	put_fill(&b, 0x30, 1);
	put_int(&b, 3, 0x010080);
	put_fill(&b, 8, 16);
	say(ZB_RESP, &b);
	b.n = 0;
	put_int(&b, 2, 0x8000 | (3 + 7 + 4));
	put_int(&b, 3, 0x020100);
	put_int(&b, 1, 0x80);
	put_int(&b, 2, 0);
	put_int(&b, 2, 4);
	put_int(&b, 2, 0);
	put_fill(&b, 1, 4);
	say(ZB_ORIG, &b);
	has(rows(), "\"version\":\"SSLv2\",\"cipher\":\"SSLv20_CK_RC4_128_WITH_MD5\","
		    "\"resumed\":false,\"established\":true,\"ssl_history\":\"Cs\","
		    "\"cert_chain_fps\":[]");
	ab_close(&bed);
}

/* Roles that the engine swaps must take what was put together with them. */
static void tls_flip_in_the_middle_keeps_streams(void **state)
{
	struct bytes m = {.n = 0}, b = {.n = 0};
	struct hello h = client_hello();

	(void)state;
	open_port(443);
	put_client_hello(&m, &h);
	put_handshake(&b, 1, &m);
	ab_say(&bed, ZB_RESP, b.d, 50);
	zb_conn_flip(&bed.conn);
	zb_session_flip(bed.s);
	ab_say(&bed, ZB_ORIG, b.d + 50, b.n - 50);
	has(rows(), "\"ssl_history\":\"C\"");
	ab_close(&bed);
}

/* Who says hello is the client: marked when that changes. */
static void tls_client_on_other_side_is_marked(void **state)
{
	struct bytes m = {.n = 0}, b = {.n = 0};
	struct hello h = client_hello();

	(void)state;
	open_port(443);
	put_client_hello(&m, &h);
	put_handshake(&b, 1, &m);
	say(ZB_RESP, &b);
	say_simple(ZB_ORIG, 21, "\x01\0", 2);
	has(rows(), "\"server_name\":\"www.example.com\",\"resumed\":false,"
		    "\"last_alert\":\"close_notify\",\"established\":false,"
		    "\"ssl_history\":\"^Cl\"");
	ab_close(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tls_full_handshake_gives_row),
		cmocka_unit_test(tls_byte_by_byte_gives_same_row),
		cmocka_unit_test(tls_message_over_many_records_is_one_message),
		cmocka_unit_test(tls_on_other_port_is_found_by_content),
		cmocka_unit_test(tls_1_3_is_established_by_application_data),
		cmocka_unit_test(tls_1_3_retry_and_accepted_psk_are_noted),
		cmocka_unit_test(tls_repeated_session_id_is_resumption),
		cmocka_unit_test(tls_ticket_without_key_exchange_is_resumption),
		cmocka_unit_test(tls_alert_is_logged_by_name),
		cmocka_unit_test(tls_many_alerts_in_record_are_weird),
		cmocka_unit_test(tls_malformed_hello_is_no_tls),
		cmocka_unit_test(tls_other_protocol_leaves_nothing),
		cmocka_unit_test(tls_version_that_changes_late_ends_service),
		cmocka_unit_test(tls_after_gap_is_not_looked_at),
		cmocka_unit_test(tls_huge_message_is_given_up),
		cmocka_unit_test(tls_history_is_bounded),
		cmocka_unit_test(tls_v2_client_hello_opens_later_version),
		cmocka_unit_test(tls_v2_handshake_gives_row),
		cmocka_unit_test(tls_flip_in_the_middle_keeps_streams),
		cmocka_unit_test(tls_client_on_other_side_is_marked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

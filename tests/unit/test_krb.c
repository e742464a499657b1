/* SPDX-License-Identifier: Apache-2.0 */
/* test_krb.c - Kerberos is recognised over UDP and TCP by a message whose type and body agree */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"

/* An error message: application 30, version 5, type 30, then a field of its own. */
static const uint8_t error[] = {0x7e, 0x13, 0x30, 0x11, 0xa0, 3,    2, 1,  5,  0xa1, 3,
				2,    1,    30,	  0xa9, 5,    0x1b, 3, 65, 66, 67};

/* One whole message is enough, on any port. */
static void krb_error_is_confirmed(void **state)
{
	static const uint16_t ports[] = {88, 4444};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct analyzer_bed b;

		ab_open(&b, IPPROTO_UDP, ports[i]);
		ab_say(&b, ZB_RESP, error, sizeof(error));
		assert_true(ab_has_service(&b, "krb"));
		ab_end(&b);
		ab_close(&b);
	}
}

/* What is cut short, or says another type inside than outside, is refused. */
static void krb_message_that_does_not_agree_is_refused(void **state)
{
	uint8_t other[sizeof(error)];

	(void)state;
	memcpy(other, error, sizeof(error));
	other[13] = 11;
	for (size_t n = 1; n <= sizeof(error); n++) {
		struct analyzer_bed b;

		ab_open(&b, IPPROTO_UDP, 88);
		ab_say(&b, ZB_RESP, n < sizeof(error) ? error : other, n);
		assert_false(ab_has_service(&b, "krb"));
		ab_end(&b);
		ab_close(&b);
	}
}

/* Over TCP the length stands in front, and the message may come in any pieces. */
static void krb_tcp_message_in_pieces_is_confirmed(void **state)
{
	uint8_t msg[2 * (4 + sizeof(error))];
	struct analyzer_bed b;

	(void)state;
	memset(msg, 0, sizeof(msg));
	for (unsigned i = 0; i < 2; i++) {
		uint8_t *m = msg + i * sizeof(msg) / 2;

		m[3] = sizeof(error);
		memcpy(m + 4, error, sizeof(error));
	}
	ab_open(&b, IPPROTO_TCP, 88);
	ab_drip(&b, ZB_RESP, msg, sizeof(msg));
	assert_true(ab_has_service(&b, "krb_tcp"));
	ab_end(&b);
	ab_close(&b);
}

/* A length beyond 64 KiB is no message, and nothing is kept for it. */
static void krb_tcp_long_message_is_refused(void **state)
{
	static const uint8_t msg[] = {0, 1, 0, 0, 1, 2, 3};
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 88);
	ab_say(&b, ZB_RESP, msg, sizeof(msg));
	assert_null(b.s->root.first);
	assert_int_equal(b.an.mem.bytes[ZB_MEM_analyzer], 0);
	ab_end(&b);
	ab_close(&b);
}

/* A connection whose beginning was missed is not looked at. */
static void krb_tcp_partial_connection_is_not_recognised(void **state)
{
	uint8_t msg[4 + sizeof(error)] = {0, 0, 0, sizeof(error)};
	struct analyzer_bed b;

	(void)state;
	memcpy(msg + 4, error, sizeof(error));
	ab_open(&b, IPPROTO_TCP, 88);
	b.conn.traits |= ZB_TRAIT_PARTIAL;
	ab_say(&b, ZB_RESP, msg, sizeof(msg));
	assert_false(ab_has_service(&b, "krb_tcp"));
	ab_end(&b);
	ab_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(krb_error_is_confirmed),
		cmocka_unit_test(krb_message_that_does_not_agree_is_refused),
		cmocka_unit_test(krb_tcp_message_in_pieces_is_confirmed),
		cmocka_unit_test(krb_tcp_long_message_is_refused),
		cmocka_unit_test(krb_tcp_partial_connection_is_not_recognised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

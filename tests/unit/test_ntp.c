/* SPDX-License-Identifier: Apache-2.0 */
/* test_ntp.c - NTP is recognised by whole messages, and roles are set right */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"

/* A message of n bytes in a mode, version 4. */
static void say(struct analyzer_bed *b, unsigned side, uint8_t mode, size_t n)
{
	uint8_t msg[128] = {(uint8_t)(4 << 3 | mode)};

	ab_say(b, side, msg, n);
}

/* A client's request is enough. */
static void ntp_whole_request_is_confirmed(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_UDP, 123);
	say(&b, ZB_ORIG, 3, 48);
	assert_true(ab_has_service(&b, "ntp"));
	ab_end(&b);
	ab_close(&b);
}

/* A message cut short is another protocol's. */
static void ntp_short_message_is_no_ntp(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_UDP, 123);
	say(&b, ZB_ORIG, 3, 47);
	assert_false(ab_has_service(&b, "ntp"));
	say(&b, ZB_ORIG, 3, 48);
	assert_false(ab_has_service(&b, "ntp"));
	ab_end(&b);
	ab_close(&b);
}

/* What follows the message must be extension fields and a MAC. */
static void ntp_extension_beyond_the_end_is_no_ntp(void **state)
{
	uint8_t msg[48 + 28] = {4 << 3 | 3};
	struct analyzer_bed b;

	(void)state;
	msg[48 + 3] = 29;
	ab_open(&b, IPPROTO_UDP, 123);
	ab_say(&b, ZB_ORIG, msg, sizeof(msg));
	assert_false(ab_has_service(&b, "ntp"));
	ab_end(&b);
	ab_close(&b);
	msg[48 + 3] = 28;
	ab_open(&b, IPPROTO_UDP, 123);
	ab_say(&b, ZB_ORIG, msg, sizeof(msg));
	assert_true(ab_has_service(&b, "ntp"));
	ab_end(&b);
	ab_close(&b);
}

/* A control message says how much data it brings; a private one has eight bytes at least. */
static void ntp_other_modes_are_held_to_their_lengths(void **state)
{
	uint8_t control[16] = {4 << 3 | 6, [11] = 5};
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_UDP, 123);
	ab_say(&b, ZB_ORIG, control, sizeof(control));
	assert_false(ab_has_service(&b, "ntp"));
	ab_end(&b);
	ab_close(&b);
	control[11] = 4;
	ab_open(&b, IPPROTO_UDP, 123);
	ab_say(&b, ZB_ORIG, control, sizeof(control));
	assert_true(ab_has_service(&b, "ntp"));
	ab_end(&b);
	ab_close(&b);
	ab_open(&b, IPPROTO_UDP, 123);
	say(&b, ZB_ORIG, 7, 7);
	assert_false(ab_has_service(&b, "ntp"));
	ab_end(&b);
	ab_close(&b);
}

/* A server's message from the originator shows that the roles are the wrong way round, once. */
static void ntp_server_message_from_originator_swaps_roles_once(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_UDP, 123);
	say(&b, ZB_ORIG, 4, 48);
	assert_int_equal(zb_conn_port(&b.conn, ZB_ORIG), 123);
	assert_string_equal(zb_conn_history(&b.conn), "^");
	say(&b, ZB_ORIG, 4, 48);
	assert_int_equal(zb_conn_port(&b.conn, ZB_ORIG), 123);
	ab_end(&b);
	ab_close(&b);
}

/* A row has what the message says: powers of two, fractions, times since 1900. */
static void ntp_message_has_a_row(void **state)
{
	static const uint8_t msg[48] = {4 << 3 | 4, 1, 6,   0xfc, 0,	0,    0x80, 0,	  0,   1,
					0,	    0, 'G', 'P',  'S',	0,    0,    0,	  0,   0,
					0,	    0, 0,   0,	  0x83, 0xaa, 0x7e, 0x81, 0x80};
	struct analyzer_bed b;
	const char *text;

	(void)state;
	ab_open(&b, IPPROTO_UDP, 123);
	ab_say(&b, ZB_RESP, msg, sizeof(msg));
	ab_end(&b);
	text = logs_read(&b.logs, "ntp");
	assert_non_null(strstr(text, "\"version\":4,\"mode\":4,\"stratum\":1,\"poll\":64.0,"
				     "\"precision\":0.0625,\"root_delay\":0.5,\"root_disp\":1.0,"));
	assert_non_null(strstr(text, "\"ref_time\":0.0,\"org_time\":1.5,"));
	ab_close(&b);
}

/* Above stratum 1 the reference is an address; a control message has no row. */
static void ntp_reference_is_a_name_or_an_address(void **state)
{
	static const uint8_t msg[48] = {4 << 3 | 4, 2, [12] = 192, 0, 2, 7};
	static const uint8_t control[12] = {4 << 3 | 6};
	struct analyzer_bed b;
	const char *text;

	(void)state;
	ab_open(&b, IPPROTO_UDP, 123);
	ab_say(&b, ZB_RESP, msg, sizeof(msg));
	ab_say(&b, ZB_ORIG, control, sizeof(control));
	ab_end(&b);
	text = logs_read(&b.logs, "ntp");
	assert_non_null(strstr(text, "\"ref_id\":\"192.0.2.7\""));
	assert_null(strstr(text, "\"mode\":6"));
	ab_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ntp_whole_request_is_confirmed),
		cmocka_unit_test(ntp_short_message_is_no_ntp),
		cmocka_unit_test(ntp_extension_beyond_the_end_is_no_ntp),
		cmocka_unit_test(ntp_other_modes_are_held_to_their_lengths),
		cmocka_unit_test(ntp_server_message_from_originator_swaps_roles_once),
		cmocka_unit_test(ntp_message_has_a_row),
		cmocka_unit_test(ntp_reference_is_a_name_or_an_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ntp_whole_request_is_confirmed),
		cmocka_unit_test(ntp_short_message_is_no_ntp),
		cmocka_unit_test(ntp_extension_beyond_the_end_is_no_ntp),
		cmocka_unit_test(ntp_other_modes_are_held_to_their_lengths),
		cmocka_unit_test(ntp_server_message_from_originator_swaps_roles_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_netbios.c - a NetBIOS session that carries something other than SMB is recognised */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"

#define REQUEST_BYTES 72

static const uint8_t granted[] = {0x82, 0, 0, 0};

static void ask(struct analyzer_bed *b, size_t n)
{
	uint8_t d[REQUEST_BYTES] = {0x81, 0, 0, 68, 32, [38] = 32};

	ab_say(b, ZB_ORIG, d, n);
}

static bool recognised(struct analyzer_bed *b)
{
	bool has = ab_has_service(b, "netbios");

	ab_end(b);
	ab_close(b);
	return has;
}

/* Asked, granted, and then something else than SMB. */
static void netbios_session_with_other_data_is_confirmed(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 139);
	ask(&b, REQUEST_BYTES);
	ab_say(&b, ZB_RESP, granted, sizeof(granted));
	ab_say(&b, ZB_ORIG, "\0\0\0\5hello", 9);
	assert_true(recognised(&b));
}

/* SMB in it is that protocol's alone. */
static void netbios_session_with_smb_is_not_its_own(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 139);
	ask(&b, REQUEST_BYTES);
	ab_say(&b, ZB_RESP, granted, sizeof(granted));
	ab_say(&b, ZB_ORIG, "\0\0\0\5\377SMBx", 9);
	assert_false(recognised(&b));
}

/* A request cut short, of one byte, or refused, and data that are too short: not recognised. */
static void netbios_what_is_incomplete_is_refused(void **state)
{
	static const size_t cut[] = {1, 3, REQUEST_BYTES - 1};
	struct analyzer_bed b;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		ab_open(&b, IPPROTO_TCP, 139);
		ask(&b, cut[i]);
		ab_say(&b, ZB_RESP, granted, sizeof(granted));
		ab_say(&b, ZB_ORIG, "\0\0\0\5hello", 9);
		assert_false(recognised(&b));
	}
	ab_open(&b, IPPROTO_TCP, 139);
	ask(&b, REQUEST_BYTES);
	ab_say(&b, ZB_RESP, "\203\0\0\1\200", 5);
	ab_say(&b, ZB_ORIG, "\0\0\0\5hello", 9);
	assert_false(recognised(&b));
	ab_open(&b, IPPROTO_TCP, 139);
	ask(&b, REQUEST_BYTES);
	ab_drip(&b, ZB_RESP, granted, 1);
	ab_drip(&b, ZB_ORIG, "\0\0\0\5hello", 9);
	assert_false(recognised(&b));
}

/* Another protocol on the port. */
static void netbios_other_protocol_on_the_port_is_refused(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 139);
	ab_text(&b, ZB_RESP, "220 ready\r\n");
	ask(&b, REQUEST_BYTES);
	ab_say(&b, ZB_RESP, granted, sizeof(granted));
	ab_say(&b, ZB_ORIG, "\0\0\0\5hello", 9);
	assert_false(recognised(&b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(netbios_session_with_other_data_is_confirmed),
		cmocka_unit_test(netbios_session_with_smb_is_not_its_own),
		cmocka_unit_test(netbios_what_is_incomplete_is_refused),
		cmocka_unit_test(netbios_other_protocol_on_the_port_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

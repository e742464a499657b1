/* SPDX-License-Identifier: Apache-2.0 */
/* test_dhcp.c - DHCP is recognised by cookie and message type */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"

/* A message with the cookie and these options; its length. */
static size_t build(uint8_t *msg, const uint8_t *options, size_t n)
{
	static const uint8_t cookie[] = {0x63, 0x82, 0x53, 0x63};

	memset(msg, 0, 236);
	msg[0] = 1;
	memcpy(msg + 236, cookie, 4);
	memcpy(msg + 240, options, n);
	return 240 + n;
}

static bool is_dhcp(uint16_t port, const uint8_t *options, size_t n)
{
	struct analyzer_bed b;
	uint8_t msg[600];
	bool found;

	n = build(msg, options, n);
	ab_open(&b, IPPROTO_UDP, port);
	ab_say(&b, ZB_ORIG, msg, n);
	found = ab_has_service(&b, "dhcp");
	ab_end(&b);
	ab_close(&b);
	return found;
}

/* A message type and the end mark are enough, on any port. */
static void dhcp_discover_is_confirmed(void **state)
{
	static const uint8_t options[] = {53, 1, 1, 0, 0, 55, 2, 1, 3, 255};

	(void)state;
	assert_true(is_dhcp(67, options, sizeof(options)));
	assert_true(is_dhcp(4242, options, sizeof(options)));
}

/* BOOTP has no message type. */
static void dhcp_without_message_type_is_refused(void **state)
{
	static const uint8_t options[] = {1, 4, 255, 255, 255, 0, 255};

	(void)state;
	assert_false(is_dhcp(67, options, sizeof(options)));
}

/* An option beyond the end, and options without an end, are refused. */
static void dhcp_option_beyond_the_end_is_refused(void **state)
{
	static const uint8_t beyond[] = {53, 1, 1, 55, 3, 1, 3};
	static const uint8_t endless[] = {53, 1, 1};
	static const uint8_t lone[] = {53, 1, 1, 55};

	(void)state;
	assert_false(is_dhcp(67, beyond, sizeof(beyond)));
	assert_false(is_dhcp(67, endless, sizeof(endless)));
	assert_false(is_dhcp(67, lone, sizeof(lone)));
}

/* Something else on its port is refused for good. */
static void dhcp_short_message_is_refused(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_UDP, 67);
	ab_text(&b, ZB_ORIG, "hello");
	assert_null(b.s->root.first);
	ab_end(&b);
	ab_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dhcp_discover_is_confirmed),
		cmocka_unit_test(dhcp_without_message_type_is_refused),
		cmocka_unit_test(dhcp_option_beyond_the_end_is_refused),
		cmocka_unit_test(dhcp_short_message_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_rdpeudp.c - RDP over UDP is recognised by an answered handshake */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"

static const uint8_t ack[] = {0, 0, 0, 1, 0, 64, 0, 4, 0, 0, 0, 0};

static void handshake(struct analyzer_bed *b, size_t n, uint8_t flags)
{
	uint8_t d[1400] = {0xff, 0xff, 0xff, 0xff, 0, 64, 0x18, flags};

	ab_say(b, ZB_ORIG, d, n);
}

static void answer(struct analyzer_bed *b)
{
	static const uint8_t d[1232] = {0, 0, 0, 1, 0, 64, 0x10, 5};

	ab_say(b, ZB_RESP, d, sizeof(d));
}

/* On any port: asked and answered, then data that hold together. */
static void rdpeudp_answered_handshake_is_confirmed(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_UDP, 4000);
	handshake(&b, 1232, 1);
	assert_false(ab_has_service(&b, "rdpeudp"));
	answer(&b);
	assert_true(ab_has_service(&b, "rdpeudp"));
	ab_say(&b, ZB_ORIG, ack, sizeof(ack));
	assert_true(ab_has_service(&b, "rdpeudp"));
	ab_end(&b);
	ab_close(&b);
}

/* Another length, or no question: nothing. */
static void rdpeudp_other_datagrams_are_not(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_UDP, 4000);
	handshake(&b, 1231, 1);
	handshake(&b, 1233, 1);
	handshake(&b, 1232, 4);
	assert_null(b.s->root.first);
	ab_end(&b);
	ab_close(&b);
}

/* Vectors of acknowledgements and headers beyond the end. */
static void rdpeudp_broken_data_are_refused(void **state)
{
	static const uint8_t bad[][12] = {
		{0, 0, 0, 1, 0, 64, 0, 4, 0, 3, 0, 0},
		{0, 0, 0, 1, 0, 64, 0, 12, 0, 0, 0, 0},
		{0, 0, 0, 1, 0, 64, 1, 4, 0, 0, 0, 0},
		{0, 0, 0, 1, 0, 64, 0, 4, 0xff, 0xff, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct analyzer_bed b;

		ab_open(&b, IPPROTO_UDP, 4000);
		handshake(&b, 1232, 1);
		answer(&b);
		if (i < 4)
			ab_say(&b, ZB_ORIG, bad[i], sizeof(bad[i]));
		else
			ab_say(&b, ZB_ORIG, ack, 7);
		assert_false(ab_has_service(&b, "rdpeudp"));
		ab_end(&b);
		ab_close(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rdpeudp_answered_handshake_is_confirmed),
		cmocka_unit_test(rdpeudp_other_datagrams_are_not),
		cmocka_unit_test(rdpeudp_broken_data_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

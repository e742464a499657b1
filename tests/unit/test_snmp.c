/* SPDX-License-Identifier: Apache-2.0 */
/* test_snmp.c - SNMP is recognised by an answer that holds together */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"

static const uint8_t get[] = {0x30, 0x26, 2,	1, 1, 4, 6, 112, 117, 98, 108,	105,  99,   0xa0,
			      0x19, 2,	  1,	7, 2, 1, 0, 2,	 1,   0,  0x30, 0x0e, 0x30, 0x0c,
			      6,    8,	  0x2b, 6, 1, 2, 1, 1,	 1,   0,  5,	0};

static void say(struct analyzer_bed *b, unsigned side, uint8_t type)
{
	uint8_t msg[sizeof(get)];

	memcpy(msg, get, sizeof(msg));
	msg[13] = type;
	ab_say(b, side, msg, sizeof(msg));
}

/* A request alone proves nothing; its answer does. */
static void snmp_answered_request_is_confirmed(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_UDP, 161);
	say(&b, ZB_ORIG, 0xa0);
	assert_false(ab_has_service(&b, "snmp"));
	say(&b, ZB_RESP, 0xa2);
	assert_true(ab_has_service(&b, "snmp"));
	ab_end(&b);
	ab_close(&b);
}

/* Each byte that is cut off makes it another protocol. */
static void snmp_cut_message_is_refused(void **state)
{
	(void)state;
	for (size_t n = 1; n < sizeof(get); n++) {
		struct analyzer_bed b;

		ab_open(&b, IPPROTO_UDP, 161);
		ab_say(&b, ZB_RESP, get, n);
		assert_false(ab_has_service(&b, "snmp"));
		assert_null(b.s->root.first);
		ab_end(&b);
		ab_close(&b);
	}
}

/* One that no number has room for is odd, and told with its length. */
static void snmp_endless_subidentifier_is_told(void **state)
{
	static const uint8_t msg[] = {48,  43,	2,   1,	  0,   4,   6,	112, 117, 98,  108, 105,
				      99,  160, 30,  2,	  1,   1,   2,	1,   0,	  2,   1,   0,
				      48,  19,	48,  17,  6,   13,  43, 128, 128, 128, 128, 128,
				      128, 128, 128, 128, 128, 128, 0,	5,   0};
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_UDP, 161);
	ab_say(&b, ZB_ORIG, msg, sizeof(msg));
	ab_end(&b);
	assert_non_null(strstr(logs_read(&b.logs, "weird"),
			       "\"name\":\"asn_oid_subidentifier_too_long\",\"addl\":\"12\""));
	ab_close(&b);
}

/* A sub-identifier of an object has 32 bits at most. */
static void snmp_long_subidentifier_is_refused(void **state)
{
	uint8_t msg[sizeof(get)];
	struct analyzer_bed b;

	(void)state;
	memcpy(msg, get, sizeof(msg));
	memset(msg + 30, 0x81, 5);
	msg[35] = 1;
	ab_open(&b, IPPROTO_UDP, 161);
	ab_say(&b, ZB_RESP, msg, sizeof(msg));
	assert_false(ab_has_service(&b, "snmp"));
	ab_end(&b);
	ab_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snmp_answered_request_is_confirmed),
		cmocka_unit_test(snmp_cut_message_is_refused),
		cmocka_unit_test(snmp_endless_subidentifier_is_told),
		cmocka_unit_test(snmp_long_subidentifier_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

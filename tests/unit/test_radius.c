/* SPDX-License-Identifier: Apache-2.0 */
/* test_radius.c - RADIUS is recognised by a message whose attributes fit */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"

static const uint8_t msg[] = {2, 1,  0,	 26, 0,	 1,  2,	 3, 4, 5, 6, 7, 8,
			      9, 10, 11, 12, 13, 14, 15, 6, 6, 0, 0, 0, 2};

/* Either side's message is enough. */
static void radius_message_of_either_side_is_confirmed(void **state)
{
	(void)state;
	for (unsigned side = 0; side < 2; side++) {
		struct analyzer_bed b;

		ab_open(&b, IPPROTO_UDP, 1812);
		ab_say(&b, side, msg, sizeof(msg));
		assert_true(ab_has_service(&b, "radius"));
		ab_end(&b);
		ab_close(&b);
	}
}

/* Attributes must fill the message exactly. */
static void radius_attribute_beyond_the_end_is_refused(void **state)
{
	(void)state;
	for (size_t n = 1; n < sizeof(msg); n++) {
		struct analyzer_bed b;

		ab_open(&b, IPPROTO_UDP, 1812);
		ab_say(&b, ZB_RESP, msg, n);
		assert_int_equal(ab_has_service(&b, "radius"), n == 20);
		ab_end(&b);
		ab_close(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(radius_message_of_either_side_is_confirmed),
		cmocka_unit_test(radius_attribute_beyond_the_end_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_mqtt.c - MQTT is recognised by the answer to a connection request */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"

static const uint8_t ask[] = {0x10, 13, 0, 4, 77, 81, 84, 84, 4, 2, 0, 60, 0, 1, 120};
static const uint8_t answer[] = {0x20, 2, 0, 0};

/* Request and answer, whole or in pieces, on any port. */
static void mqtt_answered_request_is_confirmed(void **state)
{
	static const uint16_t ports[] = {1883, 4000};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct analyzer_bed b;

		ab_open(&b, IPPROTO_TCP, ports[i & 1]);
		if (i & 2) {
			ab_drip(&b, ZB_ORIG, ask, sizeof(ask));
			ab_drip(&b, ZB_RESP, answer, sizeof(answer));
		} else {
			ab_say(&b, ZB_ORIG, ask, sizeof(ask));
			assert_false(ab_has_service(&b, "mqtt"));
			ab_say(&b, ZB_RESP, answer, sizeof(answer));
		}
		assert_true(ab_has_service(&b, "mqtt"));
		ab_end(&b);
		ab_close(&b);
	}
}

/* A length of more than four bytes cannot be. */
static void mqtt_endless_length_is_refused(void **state)
{
	static const uint8_t bad[] = {0x10, 0xff, 0xff, 0xff, 0xff, 1};
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 1883);
	ab_say(&b, ZB_ORIG, bad, sizeof(bad));
	assert_null(b.s->root.first);
	ab_end(&b);
	ab_close(&b);
}

/* A gap inside a packet is stepped over, one beyond it ends the analysis. */
static void mqtt_gap_inside_a_packet_is_stepped_over(void **state)
{
	static const uint8_t publish[] = {0x30, 100, 1};
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 1883);
	ab_say(&b, ZB_ORIG, publish, sizeof(publish));
	zb_branch_gap(&b.s->root, ZB_ORIG, 99);
	ab_say(&b, ZB_ORIG, ask, sizeof(ask));
	ab_say(&b, ZB_RESP, answer, sizeof(answer));
	assert_true(ab_has_service(&b, "mqtt"));
	zb_branch_gap(&b.s->root, ZB_ORIG, 1);
	assert_null(b.s->root.first);
	ab_end(&b);
	ab_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mqtt_answered_request_is_confirmed),
		cmocka_unit_test(mqtt_endless_length_is_refused),
		cmocka_unit_test(mqtt_gap_inside_a_packet_is_stepped_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

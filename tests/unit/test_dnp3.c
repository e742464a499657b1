/* SPDX-License-Identifier: Apache-2.0 */
/* test_dnp3.c - DNP3 is recognised over TCP and UDP by a link header with the right checksum */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"

#include "pipeline/analyzers/dnp3.h"

/* A link status request: length 5, checksum included. */
static const uint8_t frame[] = {0x05, 0x64, 0x05, 0xc9, 0x01, 0x00, 0x0a, 0x00, 0xaf, 0xfa};

/* A wrong bit anywhere is found. */
static void dnp3_header_with_a_wrong_bit_does_not_hold(void **state)
{
	(void)state;
	assert_true(zb_dnp3_header_holds(frame));
	assert_int_equal(zb_dnp3_frame_bytes(frame), sizeof(frame));
	for (unsigned bit = 0; bit < 8 * sizeof(frame); bit++) {
		uint8_t bad[sizeof(frame)];

		memcpy(bad, frame, sizeof(frame));
		bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(zb_dnp3_header_holds(bad));
	}
}

/* User data come in blocks of 16 bytes, each with two of checksum. */
static void dnp3_frame_length_counts_checksums(void **state)
{
	uint8_t h[ZB_DNP3_HEADER_BYTES] = {0x05, 0x64, 5 + 17};

	(void)state;
	assert_int_equal(zb_dnp3_frame_bytes(h), 10 + 17 + 4);
	h[2] = 255;
	assert_int_equal(zb_dnp3_frame_bytes(h), ZB_DNP3_FRAME_MAX);
}

/* One header is enough, over either transport and in any pieces. */
static void dnp3_header_is_confirmed(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_UDP, 20000);
	ab_say(&b, ZB_ORIG, frame, sizeof(frame));
	assert_true(ab_has_service(&b, "dnp3_udp"));
	ab_end(&b);
	ab_close(&b);
	ab_open(&b, IPPROTO_TCP, 20000);
	ab_drip(&b, ZB_ORIG, frame, sizeof(frame));
	assert_true(ab_has_service(&b, "dnp3_tcp"));
	ab_end(&b);
	ab_close(&b);
}

/* Another protocol on the port is refused. */
static void dnp3_without_magic_is_refused(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 20000);
	ab_text(&b, ZB_ORIG, "GET / HTTP/1.1");
	for (const struct zb_analyzer *a = b.s->root.first; a != NULL; a = a->next)
		assert_int_not_equal(a->id, ZB_A_dnp3_tcp);
	ab_end(&b);
	ab_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dnp3_header_with_a_wrong_bit_does_not_hold),
		cmocka_unit_test(dnp3_frame_length_counts_checksums),
		cmocka_unit_test(dnp3_header_is_confirmed),
		cmocka_unit_test(dnp3_without_magic_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

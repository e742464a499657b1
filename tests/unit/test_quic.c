/* SPDX-License-Identifier: Apache-2.0 */
/* test_quic.c - QUIC is recognised by an Initial that the server answers */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"

static uint8_t initial[1200];
static uint8_t reply[100];

/* Long headers of a version: to an id of eight bytes, from one of four; and back. */
static void make(uint32_t version, uint8_t first)
{
	uint8_t v[4] = {(uint8_t)(version >> 24), (uint8_t)(version >> 16), (uint8_t)(version >> 8),
			(uint8_t)version};

	memset(initial, 0, sizeof(initial));
	memset(reply, 0, sizeof(reply));
	initial[0] = reply[0] = first;
	memcpy(initial + 1, v, 4);
	memcpy(reply + 1, v, 4);
	memcpy(initial + 5, "\10server_i\4mine", 14);
	memcpy(reply + 5, "\4mine\3its", 9);
}

static bool recognised(struct analyzer_bed *b)
{
	bool has = ab_has_service(b, "quic");

	ab_end(b);
	ab_close(b);
	return has;
}

static bool talk(size_t n)
{
	struct analyzer_bed b;

	ab_open(&b, IPPROTO_UDP, 443);
	ab_say(&b, ZB_ORIG, initial, n);
	assert_false(ab_has_service(&b, "quic"));
	ab_say(&b, ZB_RESP, reply, sizeof(reply));
	return recognised(&b);
}

/* Both versions there are, and a draft; the server may also answer with the versions it knows. */
static void quic_answered_initial_is_confirmed(void **state)
{
	(void)state;
	make(1, 0xc3);
	assert_true(talk(sizeof(initial)));
	make(0x6b3343cf, 0xd0);
	assert_true(talk(sizeof(initial)));
	make(0xff00001d, 0xc0);
	assert_true(talk(sizeof(initial)));
	memset(reply + 1, 0, 4);
	assert_true(talk(sizeof(initial)));
}

/* Too short, another type or version, ids that do not echo: not recognised. */
static void quic_what_does_not_agree_is_refused(void **state)
{
	(void)state;
	make(1, 0xc3);
	assert_false(talk(sizeof(initial) - 1));
	make(1, 0xd3);
	assert_false(talk(sizeof(initial)));
	make(0x6b3343cf, 0xc0);
	assert_false(talk(sizeof(initial)));
	make(2, 0xc0);
	assert_false(talk(sizeof(initial)));
	make(1, 0x83);
	assert_false(talk(sizeof(initial)));
	make(1, 0xc3);
	reply[6] ^= 1;
	assert_false(talk(sizeof(initial)));
	make(1, 0xc3);
	reply[5] = 3;
	assert_false(talk(sizeof(initial)));
	make(1, 0xc3);
	reply[4] = 2;
	assert_false(talk(sizeof(initial)));
}

/* Ids longer than there is room for, or than the datagram, and answers cut short anywhere. */
static void quic_hostile_lengths_are_refused(void **state)
{
	struct analyzer_bed b;

	(void)state;
	make(1, 0xc3);
	initial[5] = 21;
	assert_false(talk(sizeof(initial)));
	make(1, 0xc3);
	initial[14] = 255;
	assert_false(talk(sizeof(initial)));
	make(1, 0xc3);
	for (size_t n = 1; n < 14; n++) {
		ab_open(&b, IPPROTO_UDP, 443);
		ab_say(&b, ZB_ORIG, initial, sizeof(initial));
		ab_say(&b, ZB_RESP, reply, n);
		assert_false(recognised(&b));
	}
}

/* One byte in each datagram is nobody's. */
static void quic_byte_by_byte_is_no_quic(void **state)
{
	struct analyzer_bed b;

	(void)state;
	make(1, 0xc3);
	ab_open(&b, IPPROTO_UDP, 443);
	ab_drip(&b, ZB_ORIG, initial, 20);
	ab_drip(&b, ZB_RESP, reply, 20);
	assert_false(recognised(&b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quic_answered_initial_is_confirmed),
		cmocka_unit_test(quic_what_does_not_agree_is_refused),
		cmocka_unit_test(quic_hostile_lengths_are_refused),
		cmocka_unit_test(quic_byte_by_byte_is_no_quic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_checksum.c - the Internet checksum against a plain one */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "frame_build.h"
#include "pipeline/checksum.h"

/* The engine adds in the host's order of bytes; the sum is the same with its bytes swapped. */
static uint16_t in_order(uint16_t folded)
{
	return __builtin_bswap16(folded);
}

/* The example of RFC 1071, section 3, must give the sum stated there. */
static void checksum_of_rfc_example_is_as_stated(void **state)
{
	static const uint8_t data[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	(void)state;
	assert_int_equal(in_order(zb_checksum_fold(zb_checksum_add(0, data, 8))), 0xddf2);
}

/* 0 and 0xffff are the same number; a sum may show either, a zero sum only for zeros. */
static void assert_same_sum(uint32_t got, uint32_t want)
{
	assert_int_equal(got % 0xffff, want % 0xffff);
	assert_true((got == 0) == (want == 0));
}

/* Every length from 0 to 300 at every alignment must give the sum that byte-wise adding gives. */
static void checksum_of_any_length_and_alignment_is_the_plain_sum(void **state)
{
	uint8_t *block = malloc(512);

	(void)state;
	assert_non_null(block);
	for (unsigned i = 0; i < 512; i++)
		block[i] = (uint8_t)random();
	for (uint32_t len = 0; len <= 300; len++) {
		for (uint32_t at = 0; at < 16; at++) {
			/* At the end of the block, so that a sanitizer sees a read too far. */
			const uint8_t *p = block + 512 - len - at;
			uint16_t got = zb_checksum_fold(zb_checksum_add(0, p, len));

			assert_same_sum(in_order(got), fb_sum(0, p, len));
		}
	}
	free(block);
}

/* Data added in even pieces must give the sum of the whole, also with an odd last piece. */
static void checksum_in_pieces_is_the_sum_of_the_whole(void **state)
{
	uint8_t data[1501];

	(void)state;
	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)random();
	for (unsigned round = 0; round < 1000; round++) {
		uint64_t sum = 0;
		uint32_t at = 0;

		while (sizeof(data) - at > 200) {
			uint32_t n = ((uint32_t)random() % 100) * 2;

			sum = zb_checksum_add(sum, data + at, n);
			at += n;
		}
		sum = zb_checksum_add(sum, data + at, (uint32_t)sizeof(data) - at);
		assert_same_sum(in_order(zb_checksum_fold(sum)), fb_sum(0, data, sizeof(data)));
	}
}

/* The largest datagram there is, all ones, must not carry out of the sum. */
static void checksum_of_64_kib_of_ones_does_not_overflow(void **state)
{
	static uint8_t data[65536];
	uint64_t sum = 0;

	(void)state;
	memset(data, 0xff, sizeof(data));
	for (unsigned i = 0; i < 1000; i++)
		sum = zb_checksum_add(sum, data, sizeof(data));
	assert_int_equal(zb_checksum_fold(sum), 0xffff);
}

/* A field given in host order must count as it would in the packet. */
static void checksum_host16_counts_as_the_bytes_do(void **state)
{
	static const uint8_t bytes[] = {0x12, 0x34};

	(void)state;
	assert_int_equal(zb_checksum_fold(zb_checksum_host16(0x1234)),
			 zb_checksum_fold(zb_checksum_add(0, bytes, 2)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksum_of_rfc_example_is_as_stated),
		cmocka_unit_test(checksum_of_any_length_and_alignment_is_the_plain_sum),
		cmocka_unit_test(checksum_in_pieces_is_the_sum_of_the_whole),
		cmocka_unit_test(checksum_of_64_kib_of_ones_does_not_overflow),
		cmocka_unit_test(checksum_host16_counts_as_the_bytes_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_file_hash.c - hashes of a file in pieces are those of the whole */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pipeline/file_hash.h"

#define BYTES 4000

static uint8_t data[BYTES];

static void assert_whole(const struct zb_file_hashes *h, unsigned mask, size_t n)
{
	uint8_t out[32];

	if (mask & 1u << ZB_SUM_MD5)
		assert_memory_equal(h->md5.out, MD5(data, n, out), 16);
	if (mask & 1u << ZB_SUM_SHA1)
		assert_memory_equal(h->sha1.out, SHA1(data, n, out), 20);
	if (mask & 1u << ZB_SUM_SHA256)
		assert_memory_equal(h->sha256.out, SHA256(data, n, out), 32);
}

/* Any set of hashes, any lengths of pieces: blocks of 64 bytes need not be whole in any of them. */
static void file_hash_of_pieces_is_that_of_the_whole(void **state)
{
	struct zb_file_hashes h;

	(void)state;
	srandom(1);
	for (size_t i = 0; i < BYTES; i++)
		data[i] = (uint8_t)random();
	for (unsigned round = 0; round < 2000; round++) {
		unsigned mask = round % 8;
		size_t n = (size_t)random() % BYTES, most = 1 + (size_t)random() % 1500, at = 0;

		zb_file_hash_begin(&h, mask);
		while (at < n) {
			size_t part = 1 + (size_t)random() % most;

			part = part < n - at ? part : n - at;
			zb_file_hash_add(&h, mask, data + at, part);
			at += part;
		}
		zb_file_hash_end(&h, mask);
		assert_whole(&h, mask, n);
	}
}

/* One that has ended early does not disturb the others. */
static void file_hash_may_end_before_the_others(void **state)
{
	struct zb_file_hashes h;

	(void)state;
	zb_file_hash_begin(&h, 7);
	zb_file_hash_add(&h, 7, data, 1000);
	zb_file_hash_end(&h, 1u << ZB_SUM_SHA256);
	assert_whole(&h, 1u << ZB_SUM_SHA256, 1000);
	zb_file_hash_add(&h, 3, data + 1000, 2000);
	zb_file_hash_end(&h, 3);
	assert_whole(&h, 3, 3000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_hash_of_pieces_is_that_of_the_whole),
		cmocka_unit_test(file_hash_may_end_before_the_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

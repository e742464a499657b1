/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_file_hash.c - what MD5, SHA-1 and SHA-256 of a file cost a byte, begin and end included
 *
 * bench_file_hash [ROUNDS]: each case hashes a file in pieces as TCP brings them, ROUNDS times, and
 * prints the quickest round.
 */
#include <rte_cycles.h>

#include "micro.h"
#include "pipeline/file_hash.h"

#define FILE_BYTES     60000u
#define PIECE_BYTES    1448u
#define ALL	       7u
#define ROUNDS_DEFAULT 2000

static uint8_t data[FILE_BYTES];
static volatile unsigned sink;

static void hash(size_t n, unsigned mask)
{
	struct zb_file_hashes h;

	zb_file_hash_begin(&h, mask);
	for (size_t at = 0; at < n; at += PIECE_BYTES)
		zb_file_hash_add(&h, mask, data + at, n - at < PIECE_BYTES ? n - at : PIECE_BYTES);
	zb_file_hash_end(&h, mask);
	sink += h.sha256.out[0];
}

static double quickest(unsigned rounds, size_t n, unsigned mask)
{
	uint64_t best = UINT64_MAX;

	for (unsigned i = 0; i < rounds; i++) {
		uint64_t t = rte_rdtsc();

		hash(n, mask);
		t = rte_rdtsc() - t;
		best = t < best ? t : best;
	}
	return (double)best / (double)n;
}

int main(int argc, char **argv)
{
	unsigned rounds = micro_rounds(argc, argv, ROUNDS_DEFAULT);

	if (rounds == 0)
		return 2;
	for (size_t i = 0; i < FILE_BYTES; i++)
		data[i] = (uint8_t)micro_mix(i);
	micro_print("file_hash_all_60_kb", "byte", quickest(rounds, FILE_BYTES, ALL));
	micro_print("file_hash_all_700_b", "byte", quickest(rounds * 10, 700, ALL));
	micro_print("file_hash_all_100_b", "byte", quickest(rounds * 10, 100, ALL));
	micro_print("file_hash_sha256_60_kb", "byte",
		    quickest(rounds, FILE_BYTES, 1u << ZB_SUM_SHA256));
	return 0;
}

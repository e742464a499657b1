/* SPDX-License-Identifier: Apache-2.0 */
/* gen_math.c - the tables behind gen_math.h, made by squaring and square roots of integers */
#include <pthread.h>
#include <stdbool.h>

#include "bench/gen_math.h"

#define ROOTS 32

uint64_t zb_gen_log2_table[ZB_GEN_LOG2_STEPS + 1];
static uint64_t roots[ROOTS]; /* 2^(-1/2), 2^(-1/4), ... times 2^64 */

/* log2 of y / 2^63, y having its top bit set: squaring doubles the logarithm, bit by bit. */
static uint64_t slow_log2_q32(uint64_t y)
{
	uint64_t out = 0;

	for (unsigned bit = 0; bit < 32; bit++) {
		unsigned __int128 square = (unsigned __int128)y * y;
		bool two = square >> 127 != 0;

		out = out << 1 | two;
		y = (uint64_t)(square >> (two ? 64 : 63));
	}
	return out;
}

static uint64_t root_of(unsigned __int128 x)
{
	uint64_t r = 0;

	for (uint64_t bit = 1ull << 63; bit != 0; bit >>= 1)
		if ((unsigned __int128)(r | bit) * (r | bit) <= x)
			r |= bit;
	return r;
}

static void make_tables(void)
{
	unsigned __int128 x = (unsigned __int128)1 << 127; /* a half */

	for (uint64_t i = 0; i < ZB_GEN_LOG2_STEPS; i++)
		zb_gen_log2_table[i] = slow_log2_q32((ZB_GEN_LOG2_STEPS + i) << 53);
	zb_gen_log2_table[ZB_GEN_LOG2_STEPS] = 1ull << 32;
	for (unsigned i = 0; i < ROOTS; i++) {
		roots[i] = root_of(x);
		x = (unsigned __int128)roots[i] << 64;
	}
}

void zb_gen_math_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make_tables);
}

uint64_t zb_gen_pow2_40(uint64_t e_q32)
{
	uint64_t whole = e_q32 >> 32, out = 1ull << 40;

	if (whole > 40)
		return 0;
	for (unsigned i = 0; i < ROOTS; i++)
		if (e_q32 >> (31 - i) & 1)
			out = (uint64_t)((unsigned __int128)out * roots[i] >> 64);
	return out >> whole;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_math.h - logarithm, exponential gaps and powers in integers: the same bits on every machine
 *
 * A library's log() may differ in the last bit from one machine to the next, and then so would a
 * trace. Tables are made by zb_gen_math_init(), which every call needs to have been before it.
 *
 * Threading: any.
 * Units:     _q32 is a fixed-point number with 32 binary places.
 */
#ifndef ZB_BENCH_GEN_MATH_H
#define ZB_BENCH_GEN_MATH_H

#include <stdint.h>

#define ZB_GEN_LOG2_STEPS 1024u

extern uint64_t zb_gen_log2_table[ZB_GEN_LOG2_STEPS + 1];

/* May be called again. */
void zb_gen_math_init(void);

/* Logarithm to base 2; x is not 0. Off by less than 2^-22. */
static inline uint64_t zb_gen_log2_q32(uint64_t x)
{
	unsigned zeros = (unsigned)__builtin_clzll(x);
	uint64_t m = x << zeros; /* 1.xxx, the leading one in bit 63 */
	unsigned i = (unsigned)(m >> 53) & (ZB_GEN_LOG2_STEPS - 1);
	uint64_t lo = zb_gen_log2_table[i], step = zb_gen_log2_table[i + 1] - lo;

	return ((uint64_t)(63 - zeros) << 32) + lo + (step * (m >> 21 & UINT32_MAX) >> 32);
}

/* -ln(u / 2^64): exponentially distributed with mean 1 if u is any 64-bit number. */
static inline uint64_t zb_gen_exp_q32(uint64_t u)
{
	const uint64_t ln2_q32 = 2977044472u;
	uint64_t l = (64ull << 32) - zb_gen_log2_q32(u | 1);

	return (uint64_t)((unsigned __int128)l * ln2_q32 >> 32);
}

/* 2^(40 - e) for e from 0, 0 where that is less than 1. */
uint64_t zb_gen_pow2_40(uint64_t e_q32);

#endif

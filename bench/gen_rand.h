/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_rand.h - the generator's random numbers: integers only, so that a seed gives the same bytes
 * everywhere
 *
 * A counter through a 64-bit finaliser (splitmix64). Every session has its own, seeded from the
 * run's seed and the session's number, so a session does not change when others are added.
 *
 * Two draws never stand in one expression or argument list: C does not say which comes first.
 *
 * Threading: a struct zb_gen_rand belongs to one session.
 */
#ifndef ZB_BENCH_GEN_RAND_H
#define ZB_BENCH_GEN_RAND_H

#include <stdbool.h>
#include <stdint.h>

struct zb_gen_rand {
	uint64_t state;
};

static inline uint64_t zb_gen_mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

/*
 * A bijection of 32 bits, so that no two numbers give the same: xor-shifts and odd factors can all
 * be undone.
 */
static inline uint32_t zb_gen_permute(uint32_t x)
{
	x ^= x >> 16;
	x *= 0x7feb352du;
	x ^= x >> 15;
	x *= 0x846ca68bu;
	return x ^ x >> 16;
}

static inline struct zb_gen_rand zb_gen_rand_seed(uint64_t seed, uint64_t id)
{
	struct zb_gen_rand r = {zb_gen_mix(zb_gen_mix(seed + 0x9e3779b97f4a7c15ull) ^ id)};

	return r;
}

static inline uint64_t zb_gen_rand_u64(struct zb_gen_rand *r)
{
	r->state += 0x9e3779b97f4a7c15ull;
	return zb_gen_mix(r->state);
}

/* 0..n-1; n at least 1. */
static inline uint32_t zb_gen_rand_below(struct zb_gen_rand *r, uint32_t n)
{
	return (uint32_t)(((zb_gen_rand_u64(r) >> 32) * n) >> 32);
}

/* lo..hi, both included. */
static inline uint32_t zb_gen_rand_between(struct zb_gen_rand *r, uint32_t lo, uint32_t hi)
{
	return lo + zb_gen_rand_below(r, hi - lo + 1);
}

/* True once in n. */
static inline bool zb_gen_rand_one_in(struct zb_gen_rand *r, uint32_t n)
{
	return zb_gen_rand_below(r, n) == 0;
}

/* Few large, many small: evenly over powers of two from 2^lo to 2^hi. */
static inline uint32_t zb_gen_rand_tail(struct zb_gen_rand *r, uint32_t lo, uint32_t hi)
{
	uint32_t top = 1u << zb_gen_rand_between(r, lo, hi);

	return zb_gen_rand_between(r, top / 2, top);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * micro.h - what the micro-benchmarks share: clocks, the quickest of several rounds, and fitness to
 * publish
 *
 * Threading: one thread.
 */
#ifndef ZB_BENCH_MICRO_MICRO_H
#define ZB_BENCH_MICRO_MICRO_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <rte_cycles.h>

#include "profiler/clock.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MICRO_UNFIT "sanitizer"
#elif !defined(__OPTIMIZE__)
#define MICRO_UNFIT "unoptimised"
#elif !defined(NDEBUG)
#define MICRO_UNFIT "assert"
#else
#define MICRO_UNFIT ""
#endif

/* TSC cycles of a nanosecond, measured over 20 ms. */
static inline double micro_cycles_per_ns(void)
{
	uint64_t ns = zb_clock_ns(), tsc = rte_rdtsc(), end;

	do
		end = zb_clock_ns();
	while (end - ns < 20000000);
	return (double)(rte_rdtsc() - tsc) / (double)(end - ns);
}

/* A number that depends on i only, well mixed. */
static inline uint64_t micro_mix(uint64_t i)
{
	i = (i + 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
	i = (i ^ i >> 27) * 0x94d049bb133111ebu;
	return i ^ i >> 31;
}

/* The first argument, or def; 0 when it is no number above 0. */
static inline unsigned micro_rounds(int argc, char **argv, unsigned def)
{
	unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : def;

	if (rounds == 0)
		fprintf(stderr, "%s: ROUNDS %s: not a number above 0\n", argv[0], argv[1]);
	else if (MICRO_UNFIT[0] != '\0')
		printf("unfit to publish: %s build\n", MICRO_UNFIT);
	return rounds;
}

static inline void micro_print(const char *name, const char *per, double cycles)
{
	static double per_ns;

	if (per_ns == 0)
		per_ns = micro_cycles_per_ns();
	printf("%-32s (per %s) %8.1f ns %9.1f cycles\n", name, per, cycles / per_ns, cycles);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h - time that passes outside, for reports; packets have times of their own
 *
 * Threading: any. A system call at worst: not for the hot path.
 */
#ifndef ZB_PROFILER_CLOCK_H
#define ZB_PROFILER_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Never set back; from an arbitrary beginning. */
static inline uint64_t zb_clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline double zb_clock_s(void)
{
	return (double)zb_clock_ns() / 1e9;
}

#endif

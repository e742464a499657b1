/* SPDX-License-Identifier: Apache-2.0 */
/*
 * noise.h - how much of a run the machine took from a worker, and whether that run may be called
 * clean
 *
 * Threading: pure functions.
 */
#ifndef ZB_BENCH_NOISE_H
#define ZB_BENCH_NOISE_H

#include "profiler/lcore_stat.h"

#define ZB_NOISE_CLEAN_RATIO  0.01	/* a hundredth of the time may be lost */
#define ZB_NOISE_CLEAN_GAP_NS 20000000u /* and 20 ms at a time */

struct zb_noise_loss {
	uint64_t passed_ns; /* first packet to last one done, or the live loop; 0: not known */
	uint64_t lost_ns;   /* of it, without a CPU: waiting for one, or taken by a hypervisor */
	uint64_t gap_max_ns;
	double ratio; /* lost of passed */
	bool clean;
};

/*
 * Of one worker, or of sums over several. Three measures see the same from different sides: the
 * thread's CPU clock, the kernel's account of waiting and steal, and the gaps of the poll loop. The
 * largest counts.
 */
struct zb_noise_loss zb_noise_loss(const struct zb_lcore_stat *stat,
				   const struct zb_noise_sum *sum);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rewrite_priv.h - gives the packets of a pass addresses of their own, in place, and takes them
 * back
 *
 * A pass has a mask; pass 0's is 0, and 65,536 passes in a row differ in the low 16 bits, 2^24 in
 * all 24. A packet goes from any pass to any other by one call; back at pass 0 it is what it was,
 * byte for byte.
 *
 * Threading: a packet belongs to one worker.
 */
#ifndef ZB_CAPTURE_REWRITE_PRIV_H
#define ZB_CAPTURE_REWRITE_PRIV_H

#include "capture/trace.h"

/*
 * The multiplier is odd, so no two of 2^24 passes get the same mask; golden ratio, so neighbours
 * are far apart.
 */
static inline uint32_t zb_rewrite_mask(uint64_t pass)
{
	return (uint32_t)(pass * 0x9e3779b1u) & 0xffffffu;
}

/* Turns p from pass from into pass to. */
void zb_rewrite(struct zb_trace_pkt *p, uint64_t from, uint64_t to);

#endif

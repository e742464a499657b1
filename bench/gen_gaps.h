/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_gaps.h - when packets or sessions come: constant or Poisson, on and off, in microbursts
 *
 *   on/off      ||||||||||||                    ||||||||||||
 *               <--- on --><------- off ------->
 *   microburst  ||||        ||||        ||||        `burst` at the line's own rate, then a gap that
 *                                                   keeps the mean
 *
 * With on and off the rate is that of the on time.
 *
 * Threading: one thread a struct. Units: _ns as in gen_stream.h; _q16 has 16 binary
 *            places, _q32 has 32.
 */
#ifndef ZB_BENCH_GEN_GAPS_H
#define ZB_BENCH_GEN_GAPS_H

#include "bench/gen_rand.h"

struct zb_gaps_conf {
	uint64_t rate_millionths; /* events a second; 0: bits a second count */
	uint64_t bits;		  /* a second, frames with preamble and gap */
	uint64_t line_bits;	  /* inside a microburst */
	uint64_t on_ns, off_ns;	  /* off 0: always on */
	uint64_t from_ns, until_ns;
	uint32_t burst; /* events in a microburst; 0 and 1: none */
	bool poisson;
	uint64_t seed;
};

struct zb_gaps {
	uint64_t at_ns, until_ns;
	uint32_t at_frac; /* 2^-16 ns */
	uint32_t burst, burst_left;
	uint64_t gap_q16;  /* of an event; 0: per byte */
	uint64_t byte_q32; /* of a byte on the wire, at the rate asked for */
	uint64_t line_q32; /* of a byte on the wire, at the line's */
	uint64_t owed_q16; /* of the microburst so far */
	uint64_t on_ns, off_ns, on_end_ns;
	bool poisson;
	struct zb_gen_rand rand;
};

void zb_gaps_init(struct zb_gaps *g, const struct zb_gaps_conf *conf);

/* Is there an event before the end? Then it is at *ns. */
static inline bool zb_gaps_due(const struct zb_gaps *g, uint64_t *ns)
{
	*ns = g->at_ns;
	return g->at_ns < g->until_ns;
}

/* Goes on to the next event; frame_bytes is the size of the frame that was sent, 0: no frame. */
void zb_gaps_pass(struct zb_gaps *g, uint32_t frame_bytes);

#endif

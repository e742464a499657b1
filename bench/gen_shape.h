/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_shape.h - what a profile says about the sessions of one kind, where it says anything
 *
 * Threading: only read once it is made.
 */
#ifndef ZB_BENCH_GEN_SHAPE_H
#define ZB_BENCH_GEN_SHAPE_H

#include "bench/gen_pick.h"

#define ZB_GEN_DIST_PARTS 32u
#define ZB_GEN_DIST_MAX	  (1ull << 40) /* of a value */

struct zb_gen_session;

struct zb_gen_dist_part {
	uint64_t lo, hi; /* both included */
	bool tail;	 /* few large, many small: evenly over the logarithm */
};

/* part_nr 0: not said. */
struct zb_gen_dist {
	unsigned part_nr;
	struct zb_gen_dist_part parts[ZB_GEN_DIST_PARTS];
	struct zb_gen_pick pick; /* when there are several parts */
};

struct zb_gen_shape {
	void (*make)(struct zb_gen_session *s); /* of the kind */
	struct zb_gen_dist requests;		/* exchanges in a session */
	struct zb_gen_dist size;		/* bytes of what is answered */
	struct zb_gen_dist rtt_ns, think_ns;	/* think: between exchanges */
	uint64_t byte_q16;			/* 2^-16 ns a byte of TCP; 0: not said */
	const struct zb_gen_pick *sites;	/* NULL: every one as often */
};

uint64_t zb_gen_dist_draw(const struct zb_gen_dist *d, struct zb_gen_rand *r);

/* The kinds of sessions by name; NULL: no such kind. Names are in zb_gen_kind_names. */
extern const char *const zb_gen_kind_names;
void (*zb_gen_kind_find(const char *name))(struct zb_gen_session *s);

#endif

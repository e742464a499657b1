/* SPDX-License-Identifier: Apache-2.0 */
/* gen_tap_priv.h - the parts of a tap: each is a filter in front of the one before */
#ifndef ZB_BENCH_GEN_TAP_PRIV_H
#define ZB_BENCH_GEN_TAP_PRIV_H

#include "bench/gen_rand.h"
#include "bench/gen_tap.h"

/* What a tap knows of a frame. */
struct zb_tap_flow {
	enum zb_tap_way way; /* ZB_TAP_BOTH: it has no direction */
	uint64_t key;	     /* the same for frames of one flow and direction; 0: not IP */
};

void zb_tap_flow_of(enum zb_link link, const struct zb_gen_frame *f, struct zb_tap_flow *out);

/* gen_tap_order.c, gen_tap_skew.c: as zb_tap_open(). */
int zb_tap_order(struct zb_gen_stream *in, const struct zb_tap_conf *conf,
		 struct zb_tap_count *count, struct zb_gen_stream **out);
int zb_tap_skew(struct zb_gen_stream *in, const struct zb_tap_conf *conf,
		struct zb_tap_count *count, struct zb_gen_stream **out);

#endif

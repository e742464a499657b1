/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_tap.h - what a bad tap does to traffic, at known rates: a filter of a stream
 *
 *   one way -> loss -> duplicates -> disorder -> skew -> snap length
 *
 * Each fault sees what the ones before it left, and has random numbers of its own, so adding one
 * does not move the others. What was done is counted: estimators of loss are held against it.
 *
 * A frame has a direction: out when its source is a private address and its destination is not, in
 * when it is the other way round; else out from the lower address (and port) to the higher one.
 * Frames without IP have none; they are never taken for the wrong way, and never skewed.
 *
 * Threading, ownership, errors: as in gen_stream.h.
 */
#ifndef ZB_BENCH_GEN_TAP_H
#define ZB_BENCH_GEN_TAP_H

#include "bench/gen_stream.h"
#include "capture/packet.h"

#define ZB_TAP_SKEW_NS_MAX  60000000000ll
#define ZB_TAP_BURST_MAX    1000000u
#define ZB_TAP_DEPTH_MAX    64u
#define ZB_TAP_REORDER_NS   100000000ull /* no frame is moved further than that in time */
#define ZB_TAP_SNAPLEN_MIN  14u
#define ZB_TAP_SNAPLEN_MAX  262144u
#define ZB_TAP_REORDER_ROOM 1024u /* frames that a moved one may pass, of any flow */

enum zb_tap_way {
	ZB_TAP_BOTH,
	ZB_TAP_OUT,
	ZB_TAP_IN,
};

/* Rates are fractions of 2^64; 0: never. */
struct zb_tap_conf {
	uint64_t loss;
	uint32_t burst;	    /* mean number of frames lost in a row (Gilbert); 0: each on its own */
	uint64_t duplicate; /* twice, at the same time */
	uint64_t reorder;   /* given after `depth` later frames of its flow and direction */
	uint32_t depth;
	enum zb_tap_way only;
	uint32_t snaplen; /* 0: whole frames */
	int64_t skew_ns;  /* in comes so much later; less than 0: out does */
	uint64_t seed;
	enum zb_link link; /* of the frames */
};

struct zb_tap_count {
	uint64_t offered;	/* frames that came to the tap */
	uint64_t other_way;	/* not captured: the wrong direction */
	uint64_t lost, bursts;	/* frames, and rows of frames, lost */
	uint64_t lost_bytes;	/* of the wire */
	uint64_t duplicated;	/* frames that came twice */
	uint64_t reordered;	/* frames that were passed by others of their flow */
	uint64_t not_reordered; /* should have been, but nothing of their flow came in time */
	uint64_t skewed;	/* frames that came later */
	uint64_t cut;		/* frames that the snap length cut */
	uint64_t given;		/* frames that were captured */
};

/*
 * Reads "loss=1%,burst=8,reorder=0.5%,depth=2,duplicate=0.1%,oneway,snaplen=96,skew=5" into *conf;
 * what is not named is off. -EINVAL: said as `OPTION: what is wrong`.
 */
int zb_tap_parse(const char *option, const char *spec, struct zb_tap_conf *conf);

/*
 * What comes of `in` behind such a tap. *count is kept up to date while the stream lives. Owns in
 * from now on, unless it fails: -ENOMEM, also from next (skew: too many frames under way).
 */
int zb_tap_open(struct zb_gen_stream *in, const struct zb_tap_conf *conf,
		struct zb_tap_count *count, struct zb_gen_stream **out);

#endif

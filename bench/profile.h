/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile.h - profiles of traffic as files of YAML: read, checked, and made a stream of
 *
 * What a file may say is described in README.rst, "Profiles of your own"; those that come with the
 * program are in configs/ and compiled in.
 *
 * Threading: main only; the stream as in gen_stream.h.
 * Ownership: a profile belongs to its stream once there is one.
 * Errors:    0 or -errno; what is wrong with a file is said once, as `FILE: line N: KEY: WHY`.
 */
#ifndef ZB_BENCH_PROFILE_H
#define ZB_BENCH_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/gen_gaps.h"
#include "bench/gen_sessions.h"
#include "bench/gen_shape.h"

#define ZB_PROFILE_BYTES_MAX   (1u << 20) /* of a file */
#define ZB_PROFILE_STREAMS_MAX 64u
#define ZB_PROFILE_KINDS_MAX   64u /* of a stream */
#define ZB_PROFILE_SIZES_MAX   64u
#define ZB_PROFILE_GENOME_MAX  256u
#define ZB_PROFILE_FLOWS_MAX   (1u << 20)
#define ZB_PROFILE_AT_ONCE_MAX (1u << 20)
#define ZB_PROFILE_FRAME_MIN   64u /* with the frame check sequence */
#define ZB_PROFILE_FRAME_MAX   1518u
#define ZB_PROFILE_DURATION_NS 60000000000ull

/* UDP datagrams of given sizes. */
struct zb_profile_packets {
	uint32_t size_nr;
	uint32_t sizes[ZB_PROFILE_SIZES_MAX]; /* of frames, with the frame check sequence */
	uint64_t weights[ZB_PROFILE_SIZES_MAX];
	uint32_t genome_nr;		       /* 0: sizes by weight */
	uint8_t genome[ZB_PROFILE_GENOME_MAX]; /* indices of sizes, over and over */
	uint32_t flows;
};

/* Whole sessions of several kinds. */
struct zb_profile_sessions {
	uint32_t at_once; /* 0: they come by the rate */
	uint32_t servers;
	uint32_t kind_nr;
	struct zb_gen_shape shapes[ZB_PROFILE_KINDS_MAX];
	uint64_t weights[ZB_PROFILE_KINDS_MAX];
};

struct zb_profile_stream {
	bool is_sessions;
	struct zb_gaps_conf gaps; /* from the beginning of the trace */
	uint64_t popularity;	  /* Zipf exponent of flows or servers, in millionths */
	union {
		struct zb_profile_packets packets;
		struct zb_profile_sessions sessions;
	};
};

struct zb_profile {
	uint64_t duration_ns;
	unsigned stream_nr;
	struct zb_profile_stream streams[ZB_PROFILE_STREAMS_MAX];
};

/* name: as errors call it. */
int zb_profile_read(const char *name, const char *text, size_t len, struct zb_profile **out);
/* A file, or the name of one that is compiled in. -ENOENT: no such name, not said. */
int zb_profile_load(const char *name, struct zb_profile **out);
void zb_profile_free(struct zb_profile *p);

/* The names that are compiled in, by number; NULL: no more. */
const char *zb_profile_name(unsigned nr);

/*
 * The profile as a stream; limit is how much of it: sessions or packets where they are not 0, and
 * the duration. Owns the profile unless it fails (-ENOMEM, not said).
 */
int zb_profile_open(struct zb_profile *p, const struct zb_gen_conf *limit,
		    struct zb_gen_stream **out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* profile_priv.h - what the parts of profile.h share */
#ifndef ZB_BENCH_PROFILE_PRIV_H
#define ZB_BENCH_PROFILE_PRIV_H

#include "bench/gen_stream.h"
#include "bench/profile.h"

/* The profiles that are compiled in, in order of their names; made by tools/embed-profiles. */
struct zb_profile_text {
	const char *name, *text;
};
extern const struct zb_profile_text zb_profile_texts[];
extern const unsigned zb_profile_text_nr;

/* What the streams of a profile share. */
struct zb_profile_budget {
	uint64_t session_id; /* of the next session, of any stream: no two share an address */
	uint64_t sessions;   /* that may still begin */
};

/* profile_packets.c, profile_sessions.c: s stays the profile's. */
int zb_profile_open_packets(const struct zb_profile_stream *s, const struct zb_gaps_conf *gaps,
			    struct zb_gen_stream **out);
int zb_profile_open_sessions(const struct zb_profile_stream *s, const struct zb_gaps_conf *gaps,
			     struct zb_profile_budget *budget, struct zb_gen_stream **out);

#endif

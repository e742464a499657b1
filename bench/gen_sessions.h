/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_sessions.h - profiles of synthetic traffic: sessions that begin over a time, merged packet by
 * packet
 *
 * Only the sessions that are under way are in memory, in a heap by the time of their next packet;
 * so the length of a trace is bounded by the disk alone. The same configuration gives the same
 * bytes on every machine.
 *
 * Threading: any; a run uses nothing but its arguments.
 * Units:     _ns is nanoseconds, packet time since the Unix epoch.
 * Errors:    0 or -errno; those of the sink are passed on.
 */
#ifndef ZB_BENCH_GEN_SESSIONS_H
#define ZB_BENCH_GEN_SESSIONS_H

#include <stdbool.h>
#include <stdint.h>

#define ZB_GEN_EPOCH_NS	   1700000000000000000ull /* packet time of the beginning of every trace */
#define ZB_GEN_SESSION_MAX (1ull << 32)		  /* sessions in a trace, at most */

/* Profiles in the order of their names, for an option's choices; NULL-terminated. */
extern const char *const zb_gen_profile_names[];

struct zb_gen_conf {
	unsigned profile;     /* index into zb_gen_profile_names */
	uint64_t sessions;    /* whole sessions to write; 0: as many as packets asks for */
	uint64_t packets;     /* packets to write, exactly; used when sessions is 0 */
	uint64_t duration_ns; /* sessions begin within this time; the last may end later */
	uint64_t seed;
	bool endless; /* sessions follow each other at that pace for ever */
};

struct zb_gen_total {
	uint64_t packets, bytes, sessions;
	uint64_t first_ns, last_ns; /* 0 when there is no packet */
};

struct zb_gen_frame;
struct zb_gen_stream;

/*
 * The sessions of conf as a stream, see gen_stream.h. -EINVAL: neither sessions nor packets, or
 * too many; -ENOMEM, also from next: too many sessions at the same time.
 */
int zb_gen_sessions_open(const struct zb_gen_conf *conf, struct zb_gen_stream **out);

/* Takes frames in order of time. Anything but 0 ends the run. */
typedef int zb_gen_put(void *sink, uint64_t ts_ns, const uint8_t *data, uint32_t len);

typedef int zb_gen_put_frame(void *sink, uint64_t ts_ns, const struct zb_gen_frame *f);

/* Pulls all frames of s and puts them into sink; s stays the caller's. */
int zb_gen_pump(struct zb_gen_stream *s, zb_gen_put_frame *put, void *sink,
		struct zb_gen_total *out);

/* Both in one, for sinks that want bytes. */
int zb_gen_run(const struct zb_gen_conf *conf, zb_gen_put *put, void *sink,
	       struct zb_gen_total *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_stream.h - timed frames that are pulled one by one: what generators, merges and filters are
 *
 * Whoever implements a stream puts struct zb_gen_stream first into a struct of its own and sets
 * next and free. A stream gives frames in order of time, and allocates nothing for a frame.
 *
 *   sessions ---+
 *   packets ----+--> merge --> tap --> pcap file, or a port
 *   attack -----+
 *
 * Threading: a stream and all that it reads from belong to one thread at a time.
 * Ownership: a stream owns the streams it reads from. The frame is the caller's; bytes that ext
 *            points at are the stream's, and stay until it is freed.
 * Units:     _ns is nanoseconds, packet time since the Unix epoch.
 * Errors:    -errno; after the end or an error next is not called again.
 */
#ifndef ZB_BENCH_GEN_STREAM_H
#define ZB_BENCH_GEN_STREAM_H

#include <string.h>

#include "bench/gen_packet.h"

struct zb_gen_stream {
	/* 1: *f and *ts_ns are filled; 0: the end. Call it through zb_gen_stream_next(). */
	int (*next)(struct zb_gen_stream *self, struct zb_gen_frame *f, uint64_t *ts_ns);
	void (*free)(struct zb_gen_stream *self);
	uint64_t sessions; /* begun so far */
};

static inline int zb_gen_stream_next(struct zb_gen_stream *s, struct zb_gen_frame *f,
				     uint64_t *ts_ns)
{
	f->cut_len = 0;
	f->ext = NULL;
	return s->next(s, f, ts_ns);
}

/* NULL is fine. */
static inline void zb_gen_stream_free(struct zb_gen_stream *s)
{
	if (s != NULL)
		s->free(s);
}

/* Where the frame's len bytes are. */
static inline const uint8_t *zb_gen_frame_bytes(const struct zb_gen_frame *f)
{
	return f->ext != NULL ? f->ext : f->data;
}

static inline void zb_gen_frame_copy(struct zb_gen_frame *to, const struct zb_gen_frame *from)
{
	to->len = from->len;
	to->cut_len = from->cut_len;
	to->ext = from->ext;
	if (from->ext == NULL)
		memcpy(to->data, from->data, from->len);
}

/*
 * One stream of the frames of in[0..nr), by time; of frames at the same time, those of the stream
 * named first come first. Owns the streams from now on, unless it fails: -ENOMEM; -EINVAL: none.
 */
int zb_gen_merge(struct zb_gen_stream *const in[], unsigned nr, struct zb_gen_stream **out);

#endif

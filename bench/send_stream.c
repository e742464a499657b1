/* SPDX-License-Identifier: Apache-2.0 */
/*
 * send_stream.c - frames that are made while they are sent
 *
 * A stream writes each where it is sent from: into the device's own buffers where it can, else into
 * frames of the loop's.
 */
#include "bench/gen_stream.h"
#include "bench/send_loop_priv.h"

#include <rte_branch_prediction.h>

static_assert(offsetof(struct zb_gen_frame, data) <= ZB_TX_FRONT, "a frame fits around a buffer");

/* The frame that has its bytes in buffer i of the device. */
static struct zb_gen_frame *frame_of(const struct zb_send_loop *l, uint32_t i)
{
	if (!l->in_place)
		return &l->made[i];
	return (struct zb_gen_frame *)(void *)(l->bufs[i] - offsetof(struct zb_gen_frame, data));
}

static bool make(struct zb_send_loop *l, struct zb_gen_frame *f, uint64_t *ts_ns)
{
	struct zb_send_source *s = l->source;

	if (s->stream_ret > 0)
		s->stream_ret = zb_gen_stream_next(s->stream, f, ts_ns);
	return s->stream_ret > 0;
}

uint16_t zb_send_stream_room(struct zb_send_loop *l, uint16_t n)
{
	return l->in_place ? zb_txq_reserve(l->q, l->bufs, n) : n;
}

bool zb_send_stream_make(struct zb_send_loop *l, uint32_t i)
{
	struct zb_gen_frame *f = frame_of(l, i);

	if (unlikely(!make(l, f, &l->ts_ns[i])))
		return false;
	if (unlikely(l->in_place && f->ext != NULL && f->len <= l->len_max))
		memcpy(f->data, f->ext, f->len);
	l->frames[i].data = zb_gen_frame_bytes(f);
	l->frames[i].len = f->len;
	return true;
}

bool zb_send_stream_pass_by(struct zb_send_loop *l, uint32_t *len, uint64_t *ts_ns)
{
	struct zb_gen_frame *f = &l->made[ZB_TX_BURST_MAX];

	if (!make(l, f, ts_ns))
		return false;
	*len = f->len;
	return true;
}

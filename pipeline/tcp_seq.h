/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcp_seq.h - sequence space of one TCP side: 32-bit numbers, wraps, positions relative to the
 * start
 *
 * Position 0 is the SYN; a connection that begins in the middle is numbered as though a SYN had
 * stood right before its first byte. Wraps are counted, so that positions are 64 bits wide.
 *
 * Threading: pure functions.
 */
#ifndef ZB_PIPELINE_TCP_SEQ_H
#define ZB_PIPELINE_TCP_SEQ_H

#include "pipeline/conn.h"

/*
 * Beyond this a SYN's or RST's sequence number is taken for noise, and an ack of 0 for a broken
 * one.
 */
#define ZB_TCP_SEQ_JUMP 1048576

static inline int32_t zb_seq_delta(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

static inline uint64_t zb_seq_wide(uint32_t seq, uint32_t wraps)
{
	return (uint64_t)wraps << 32 | seq;
}

/*
 * Position of seq relative to the side's start, judged from last, the newest number of its kind
 * (sent or acked), and that number's wraps. *underflow: seq lies before the start.
 */
static inline uint64_t zb_seq_relative(const struct zb_endpoint *e, uint32_t seq, uint32_t last,
				       uint32_t wraps, bool *underflow)
{
	int32_t delta = zb_seq_delta(seq, last);

	if (delta < 0 && wraps != 0 && seq > last)
		wraps--;
	else if (delta > 0 && seq < last)
		wraps++;
	if (wraps == 0) {
		delta = zb_seq_delta(seq, e->start_seq);
		*underflow = delta < 0;
		return (uint64_t)(int64_t)delta;
	}
	*underflow = false;
	return zb_seq_wide(seq, wraps) - e->start_seq;
}

static inline void zb_seq_init(struct zb_endpoint *e, uint32_t start, uint32_t ack, uint32_t last)
{
	e->start_seq = start;
	e->ack_seq = ack;
	e->last_seq = last;
}

static inline void zb_seq_sent(struct zb_endpoint *e, uint32_t seq)
{
	if (seq < e->last_seq)
		e->seq_wraps++;
	e->last_seq = seq;
}

static inline void zb_seq_acked(struct zb_endpoint *e, uint32_t seq)
{
	if (seq < e->ack_seq)
		e->ack_wraps++;
	e->ack_seq = seq;
}

#endif

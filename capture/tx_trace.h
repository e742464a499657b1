/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tx_trace.h - the frames of a loaded trace, pass after pass, to be sent
 *
 * As in a replay (source_replay.h), each pass after the first gives the packets other addresses and
 * goes on where the time of the one before ended. What is skipped is not touched.
 *
 * Threading: one worker at a time; open and close by main.
 * Ownership: frames lie in the trace; they are valid until the next call.
 */
#ifndef ZB_CAPTURE_TX_TRACE_H
#define ZB_CAPTURE_TX_TRACE_H

#include "capture/trace.h"
#include "capture/tx.h"

struct zb_tx_trace; /* opaque */

/*
 * The trace has one shard. -EINVAL: it has packets that are not Ethernet frames, or is read-only
 * and addresses are to be rewritten; said.
 */
int zb_tx_trace_open(struct zb_trace *trace, bool same_flows, struct zb_tx_trace **out);
/* Gives the packets their own addresses back. */
void zb_tx_trace_close(struct zb_tx_trace *t);

/*
 * The next frames, up to n, and their times, which do not run back; at least one. A call ends with
 * a pass, so that no packet is in it twice.
 */
uint16_t zb_tx_trace_take(struct zb_tx_trace *t, struct zb_tx_frame *frames, uint64_t *ts_ns,
			  uint16_t n);
/* Goes on by one frame that is not to be sent: tells its length and time only. */
void zb_tx_trace_pass_by(struct zb_tx_trace *t, uint32_t *len, uint64_t *ts_ns);

uint64_t zb_tx_trace_period_ns(const struct zb_tx_trace *t); /* of a pass */

#endif

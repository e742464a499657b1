/* SPDX-License-Identifier: Apache-2.0 */
/* replay_priv.h - what the two ways to replay a loaded trace share: entries, passes, times */
#ifndef ZB_CAPTURE_REPLAY_PRIV_H
#define ZB_CAPTURE_REPLAY_PRIV_H

#include "capture/trace.h"

static inline uint8_t zb_replay_flags(const struct zb_trace_pkt *t)
{
	static const uint8_t of_part[] = {
		[ZB_PART_OUTER] = ZB_PKT_OUTER_ONLY,
		[ZB_PART_INNER] = ZB_PKT_INNER_ONLY,
		[ZB_PART_UNDECIDED] = 0,
	};

	return of_part[t->part] | (t->cap_len < t->wire_len ? ZB_PKT_SNAPPED : 0);
}

static inline void zb_replay_fill(struct zb_pkt *out, const struct zb_trace_pkt *t, uint64_t ts_ns)
{
	out->data = t->data;
	out->ts_ns = ts_ns;
	out->cap_len = t->cap_len;
	out->wire_len = t->wire_len;
	out->late = t->late;
	out->link = t->link;
	out->flags = zb_replay_flags(t);
	out->l3_off = 0;
}

/* Time stands still at the end of its 64 bits rather than wrap. */
static inline uint64_t zb_replay_shifted(uint64_t ts_ns, uint64_t shift_ns)
{
	if (__builtin_add_overflow(ts_ns, shift_ns, &ts_ns) || ts_ns > ZB_TIME_NS_MAX)
		return ZB_TIME_NS_MAX;
	return ts_ns;
}

/* From a pass's first packet to the next one's; saturates. */
uint64_t zb_replay_period(const struct zb_trace_info *info, uint64_t gap_ns);

/*
 * Time in the trace of the first packet of the first shard_nr shards at or after ns, or UINT64_MAX;
 * those out of order are as good as lost here.
 */
uint64_t zb_replay_first_from(struct zb_trace *t, uint32_t shard_nr, uint64_t ns);

#endif

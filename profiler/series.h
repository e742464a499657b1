/* SPDX-License-Identifier: Apache-2.0 */
/*
 * series.h - how a worker did over time: packets, drops, lag, queue, state; bounded
 *
 * The time axis of a heat map, made of the worker's statistics snapshots. Time is cut into slots,
 * first of ZB_SERIES_SLOT_NS; when a worker has filled its ZB_SERIES_SLOTS, slots are joined in
 * pairs. Packets and drops of a slot are summed, of the others the largest value is kept.
 *
 * Threading: one thread at a time.
 */
#ifndef ZB_PROFILER_SERIES_H
#define ZB_PROFILER_SERIES_H

#include <stdint.h>

#include "profiler/lcore_stat.h"

#define ZB_SERIES_SLOT_NS 100000000u
#define ZB_SERIES_SLOTS	  8192u /* a power of two; 13.6 minutes, then joined */

struct zb_series_slot {
	uint64_t pkts, dropped; /* in this slot */
	uint64_t lag_ns;	/* worst; 0 in a closed loop */
	uint64_t queue_pkts;	/* most */
	uint64_t conns;		/* most */
	uint64_t state_bytes;	/* most */
	bool seen;		/* a snapshot fell into it */
};

struct zb_series; /* opaque */

int zb_series_create(uint32_t lane_nr, struct zb_series **out); /* 0 or -ENOMEM */
void zb_series_destroy(struct zb_series *s);

/* A snapshot of lane, taken time_ns after the beginning. */
void zb_series_add(struct zb_series *s, uint32_t lane, uint64_t time_ns,
		   const struct zb_lcore_stat *stat);

uint64_t zb_series_slot_ns(const struct zb_series *s);
/* ZB_SERIES_SLOTS of them; the last ones may be unseen. */
const struct zb_series_slot *zb_series_slots(const struct zb_series *s, uint32_t lane);

#endif

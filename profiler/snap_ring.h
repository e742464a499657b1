/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snap_ring.h - how a worker hands statistics snapshots to the reporter without waiting
 *
 * Threading: one producer (the worker), one consumer (the reporter). Neither ever blocks.
 * Ownership: the ring owns its slots; zb_snap_get() copies out.
 */
#ifndef ZB_PROFILER_SNAP_RING_H
#define ZB_PROFILER_SNAP_RING_H

#include "lcore_stat.h"

struct zb_snap_ring; /* opaque */

/* slots is rounded up to a power of two. 0 or -ENOMEM. */
int zb_snap_ring_create(uint32_t slots, struct zb_snap_ring **out);
void zb_snap_ring_destroy(struct zb_snap_ring *r);

/*
 * Producer: copies *stat into the next slot. False when the ring is full and nothing was stored;
 * the caller counts that, and the next snapshot covers both intervals. When last is true it waits
 * for room instead.
 */
bool zb_snap_put(struct zb_snap_ring *r, const struct zb_lcore_stat *stat, uint64_t interval,
		 bool last);

/* Consumer: copies the oldest snapshot out; false when there is none. */
bool zb_snap_get(struct zb_snap_ring *r, struct zb_snapshot *out);

#endif

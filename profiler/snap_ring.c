/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snap_ring.c - a ring of snapshots from one worker to the reporter
 *
 *       tail (consumer)          head (producer)
 *         v                        v
 *   . . . s s s s s s s s s s s s  . . .        slot i % slot_nr; head - tail of them are taken
 *
 * Each index is written by one side only. Storing an index releases the slot to the other side,
 * loading the other's index acquires it, so a slot's content needs no lock.
 */
#include <errno.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <rte_pause.h>
#include "profiler/snap_ring.h"

#define SLOTS_MAX	(1u << 20)
#define SPINS_PER_YIELD 64

struct zb_snap_ring {
	alignas(64) _Atomic uint32_t head; /* written by the producer */
	alignas(64) _Atomic uint32_t tail; /* written by the consumer */
	alignas(64) uint32_t slot_nr;	   /* a power of two; read-only after creation */
	struct zb_snapshot *slots;
};

int zb_snap_ring_create(uint32_t slots, struct zb_snap_ring **out)
{
	struct zb_snap_ring *r;
	uint32_t nr = 1;

	if (slots > SLOTS_MAX)
		return -ENOMEM;
	while (nr < slots)
		nr *= 2;
	r = aligned_alloc(64, sizeof(*r));
	if (r == NULL)
		return -ENOMEM;
	memset(r, 0, sizeof(*r));
	r->slot_nr = nr;
	r->slots = aligned_alloc(64, nr * sizeof(r->slots[0]));
	if (r->slots == NULL) {
		free(r);
		return -ENOMEM;
	}
	/* Touched now, so that no snapshot takes a page fault. */
	memset(r->slots, 0, nr * sizeof(r->slots[0]));
	*out = r;
	return 0;
}

void zb_snap_ring_destroy(struct zb_snap_ring *r)
{
	if (r == NULL)
		return;
	free(r->slots);
	free(r);
}

static bool is_full(const struct zb_snap_ring *r, uint32_t head)
{
	return head - atomic_load_explicit(&r->tail, memory_order_acquire) == r->slot_nr;
}

/* The reporter may need the very core that this worker spins on. */
static void wait_for_room(const struct zb_snap_ring *r, uint32_t head)
{
	for (unsigned spins = 1; is_full(r, head); spins++) {
		if (spins % SPINS_PER_YIELD == 0)
			sched_yield();
		else
			rte_pause();
	}
}

bool zb_snap_put(struct zb_snap_ring *r, const struct zb_lcore_stat *stat, uint64_t interval,
		 bool last)
{
	uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	struct zb_snapshot *s = &r->slots[head & (r->slot_nr - 1)];
	struct timespec now;

	if (is_full(r, head)) {
		if (!last)
			return false;
		wait_for_room(r, head);
	}
	clock_gettime(CLOCK_REALTIME, &now); /* cannot fail with this clock */
	s->stat = *stat;
	s->wall_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	s->interval = interval;
	s->last = last;
	atomic_store_explicit(&r->head, head + 1, memory_order_release);
	return true;
}

bool zb_snap_get(struct zb_snap_ring *r, struct zb_snapshot *out)
{
	uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

	if (atomic_load_explicit(&r->head, memory_order_acquire) == tail)
		return false;
	*out = r->slots[tail & (r->slot_nr - 1)];
	atomic_store_explicit(&r->tail, tail + 1, memory_order_release);
	return true;
}

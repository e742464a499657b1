/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wall_clock.h - the time of day for live capture: the cycle counter, set by the system's clock
 * every ten milliseconds
 *
 * Never runs back, whatever the system's clock does.
 *
 * Threading: one thread per clock.
 * Units:     _ns Unix epoch.
 */
#ifndef ZB_CAPTURE_WALL_CLOCK_H
#define ZB_CAPTURE_WALL_CLOCK_H

#include <stdint.h>
#include <rte_cycles.h>

#define ZB_WALL_SHIFT 24

struct zb_wall_clock {
	uint64_t from_tsc, from_ns;    /* when it was set */
	uint64_t until_tsc;	       /* to be set again */
	uint64_t step_tsc, ns_per_tsc; /* the latter << ZB_WALL_SHIFT */
	uint64_t last_ns;
};

void zb_wall_init(struct zb_wall_clock *w);
void zb_wall_set(struct zb_wall_clock *w, uint64_t tsc); /* by zb_wall_now_ns() */

static inline uint64_t zb_wall_now_ns(struct zb_wall_clock *w)
{
	uint64_t tsc = rte_rdtsc(), ns;

	if (__builtin_expect(tsc >= w->until_tsc || tsc < w->from_tsc, 0)) {
		zb_wall_set(w, tsc);
		tsc = w->from_tsc;
	}
	ns = w->from_ns + ((tsc - w->from_tsc) * w->ns_per_tsc >> ZB_WALL_SHIFT);
	w->last_ns = ns > w->last_ns ? ns : w->last_ns;
	return w->last_ns;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* wall_clock.c - see wall_clock.h */
#include "capture/wall_clock.h"

#include <string.h>
#include <time.h>

#define SETS_A_SECOND 100
#define SECOND_NS     1000000000ull

void zb_wall_set(struct zb_wall_clock *w, uint64_t tsc)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	w->from_tsc = tsc;
	w->from_ns = (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
	w->until_tsc = tsc + w->step_tsc;
}

void zb_wall_init(struct zb_wall_clock *w)
{
	uint64_t hz = rte_get_tsc_hz();

	memset(w, 0, sizeof(*w));
	w->step_tsc = hz / SETS_A_SECOND;
	w->ns_per_tsc = hz != 0 ? (SECOND_NS << ZB_WALL_SHIFT) / hz : 0;
	zb_wall_set(w, rte_rdtsc());
}

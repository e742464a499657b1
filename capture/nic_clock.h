/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nic_clock.h - the time of day from the time stamps of a NIC, which counts in units of its own
 *
 * The NIC's counter and the system's clock are read together now and then: at the start, which
 * tells how long the NIC's unit is, and then once a second, which corrects that and follows the
 * system's clock.
 *
 * Threading: one reader per clock; copies of a clock go on independently.
 * Units:     ticks are the NIC's; _ns Unix epoch.
 */
#ifndef ZB_CAPTURE_NIC_CLOCK_H
#define ZB_CAPTURE_NIC_CLOCK_H

#include <stdint.h>

#define ZB_NIC_SHIFT	 32
#define ZB_NIC_SET_NS	 1000000000u
#define ZB_NIC_BEHIND_NS 4000000000u /* longer ago than any packet waits in a NIC */

struct zb_nic_clock {
	uint64_t from_ticks, from_ns; /* the last reading */
	uint64_t ns_per_tick;	      /* << ZB_NIC_SHIFT */
	uint64_t tried_ns;	      /* when it was last read, or could not be */
	uint64_t wrong;		      /* time stamps that cannot be, so far */
	int (*read)(uint16_t port, uint64_t *ticks);
	uint16_t port;
};

/*
 * Reads twice, 50 ms apart. -ENOTSUP: the counter cannot be read, or its unit is none that a clock
 * has.
 */
int zb_nic_clock_init(struct zb_nic_clock *c, uint16_t port,
		      int (*read)(uint16_t port, uint64_t *ticks));

/* As rte_eth_read_clock() does. */
int zb_nic_clock_of_port(uint16_t port, uint64_t *ticks);

/* One more reading: ticks at ns. A unit that differs by more than 0.1 % is the system's clock being
 * set: then the unit stays. */
void zb_nic_clock_set(struct zb_nic_clock *c, uint64_t ticks, uint64_t ns);

/* Reads, if it can. */
void zb_nic_clock_again(struct zb_nic_clock *c, uint64_t now_ns);

/* When a packet was stamped; now_ns where that cannot be. Never later than now_ns. */
static inline uint64_t zb_nic_clock_ns(struct zb_nic_clock *c, uint64_t ticks, uint64_t now_ns)
{
	uint64_t ns;

	if (__builtin_expect(now_ns - c->tried_ns >= ZB_NIC_SET_NS, 0))
		zb_nic_clock_again(c, now_ns);
	/* The counter may wrap; before the last reading the difference is negative. */
	ns = c->from_ns + (uint64_t)(int64_t)((__int128)(int64_t)(ticks - c->from_ticks) *
						      (__int128)c->ns_per_tick >>
					      ZB_NIC_SHIFT);
	if (__builtin_expect(now_ns - ns <= ZB_NIC_BEHIND_NS, 1))
		return ns;
	/* Ahead by what the two clocks differ, or nonsense. */
	c->wrong += ns - now_ns > ZB_NIC_BEHIND_NS;
	return now_ns;
}

#endif

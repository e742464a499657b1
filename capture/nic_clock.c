/* SPDX-License-Identifier: Apache-2.0 */
/* nic_clock.c - see nic_clock.h */
#define ALLOW_EXPERIMENTAL_API /* rte_eth_read_clock() */
#include "capture/nic_clock.h"

#include <errno.h>
#include <rte_ethdev.h>
#include <time.h>

#define TRIES	     5
#define FIRST_NS     50000000
#define HZ_MIN	     1000u
#define HZ_MAX	     100000000000u
#define SECOND_NS    1000000000u
#define FULL_SECOND  ((unsigned __int128)SECOND_NS << ZB_NIC_SHIFT)
#define OFF_PER_UNIT 1000 /* a thousandth */

int zb_nic_clock_of_port(uint16_t port, uint64_t *ticks)
{
	return rte_eth_read_clock(port, ticks);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

/* Of some readings the one that took the least time is the truest. */
static int read_both(const struct zb_nic_clock *c, uint64_t *ticks, uint64_t *ns)
{
	uint64_t best = UINT64_MAX;

	for (unsigned i = 0; i < TRIES; i++) {
		uint64_t before = now(), t, after;
		int ret = c->read(c->port, &t);

		if (ret < 0)
			return ret;
		after = now();
		if (after < before || after - before >= best)
			continue;
		best = after - before;
		*ticks = t;
		*ns = before + best / 2;
	}
	return best != UINT64_MAX ? 0 : -EAGAIN;
}

/* ns per tick between two readings; 0: no clock is like that. */
static uint64_t unit(uint64_t ticks, uint64_t ns)
{
	unsigned __int128 per;

	if (ticks == 0 || ticks > INT64_MAX || ns == 0 || ns > INT64_MAX)
		return 0;
	per = ((unsigned __int128)ns << ZB_NIC_SHIFT) / ticks;
	return per >= FULL_SECOND / HZ_MAX && per <= FULL_SECOND / HZ_MIN ? (uint64_t)per : 0;
}

int zb_nic_clock_init(struct zb_nic_clock *c, uint16_t port,
		      int (*read)(uint16_t port, uint64_t *ticks))
{
	const struct timespec pause = {.tv_nsec = FIRST_NS};
	uint64_t ticks, ns;

	*c = (struct zb_nic_clock){.read = read, .port = port};
	if (read_both(c, &c->from_ticks, &c->from_ns) < 0)
		return -ENOTSUP;
	nanosleep(&pause, NULL);
	if (read_both(c, &ticks, &ns) < 0)
		return -ENOTSUP;
	c->ns_per_tick = unit(ticks - c->from_ticks, ns - c->from_ns);
	if (c->ns_per_tick == 0)
		return -ENOTSUP;
	c->from_ticks = ticks;
	c->from_ns = c->tried_ns = ns;
	return 0;
}

void zb_nic_clock_set(struct zb_nic_clock *c, uint64_t ticks, uint64_t ns)
{
	uint64_t per = unit(ticks - c->from_ticks, ns - c->from_ns),
		 off = per > c->ns_per_tick ? per - c->ns_per_tick : c->ns_per_tick - per;

	if (per != 0 && off <= c->ns_per_tick / OFF_PER_UNIT)
		c->ns_per_tick = per;
	c->from_ticks = ticks;
	c->from_ns = ns;
}

void zb_nic_clock_again(struct zb_nic_clock *c, uint64_t now_ns)
{
	uint64_t ticks, ns;

	c->tried_ns = now_ns;
	if (read_both(c, &ticks, &ns) == 0)
		zb_nic_clock_set(c, ticks, ns);
}

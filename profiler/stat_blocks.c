/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stat_blocks.c - see stat_blocks.h
 *
 * As in stats_log.c, every snapshot is taken apart into its difference to the lcore's previous one,
 * and the difference goes to the block it is for; a block that all lcores have passed is given out.
 */
#include "profiler/stat_blocks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HELD_MAX 64
#define END	 UINT64_MAX /* the block of the end */

/* A sum of differences: unsigned, so they may wrap on the way. */
struct held {
	uint64_t block;
	uint64_t peak[ZB_G_NR]; /* by how much the lcores' peaks have risen */
	struct zb_lcore_stat sum;
};

struct lane {
	uint64_t passed; /* 1 + the newest block it can add nothing more to; END: all */
	bool ended;
	struct zb_lcore_stat prev;
	uint64_t peak[ZB_G_NR];
};

struct zb_stat_blocks {
	struct zb_stat_blocks_conf conf;
	uint64_t per;		  /* intervals in a block */
	struct zb_lcore_stat now; /* the running sum */
	uint64_t peak[ZB_G_NR];	  /* the lcores' peaks together */
	unsigned held_nr;
	struct held *held; /* HELD_MAX, by rising block */
	unsigned lane_nr;
	struct lane lanes[];
};

static void add(uint64_t *to, const uint64_t *now, const uint64_t *before, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		to[i] += now[i] - before[i];
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* to += now - before; times are the larger. */
static void add_difference(struct zb_lcore_stat *to, const struct zb_lcore_stat *now,
			   const struct zb_lcore_stat *before)
{
	add(to->c, now->c, before->c, ZB_C_NR);
	add(to->g, now->g, before->g, ZB_G_NR);
	add(to->log_rows, now->log_rows, before->log_rows, ZB_LOG_STREAMS_MAX);
	add(to->timer, now->timer, before->timer, ZB_TIMER_NR);
	add(to->tcp_states, now->tcp_states, before->tcp_states, ZB_TCP_STATES * ZB_TCP_STATES);
	to->net_time_ns = larger(to->net_time_ns, now->net_time_ns);
	to->timer_lag_ns = larger(to->timer_lag_ns, now->timer_lag_ns);
	to->lag_ns = larger(to->lag_ns, now->lag_ns);
}

static void give_oldest(struct zb_stat_blocks *b)
{
	static const struct zb_lcore_stat nothing;

	b->now.timer_lag_ns = b->now.lag_ns = 0;
	add_difference(&b->now, &b->held[0].sum, &nothing);
	for (unsigned k = 0; k < ZB_G_NR; k++)
		b->peak[k] += b->held[0].peak[k];
	b->held_nr--;
	memmove(&b->held[0], &b->held[1], b->held_nr * sizeof(b->held[0]));
	b->conf.write(b->conf.arg, &b->now, b->peak);
}

/* The entry of a block, made when there is none. */
static struct held *held_get(struct zb_stat_blocks *b, uint64_t block)
{
	unsigned at;

	if (b->held_nr == HELD_MAX)
		give_oldest(b);
	for (at = b->held_nr; at > 0 && b->held[at - 1].block > block; at--)
		;
	if (at > 0 && b->held[at - 1].block == block)
		return &b->held[at - 1];
	memmove(&b->held[at + 1], &b->held[at], (b->held_nr - at) * sizeof(b->held[0]));
	memset(&b->held[at], 0, sizeof(b->held[at]));
	b->held[at].block = block;
	b->held_nr++;
	return &b->held[at];
}

static void give_passed(struct zb_stat_blocks *b)
{
	uint64_t passed = END;

	for (unsigned i = 0; i < b->lane_nr; i++)
		passed = b->lanes[i].passed < passed ? b->lanes[i].passed : passed;
	while (b->held_nr > 0 && b->held[0].block < passed)
		give_oldest(b);
}

static void take(struct zb_stat_blocks *b, unsigned i, const struct zb_lcore_stat *now,
		 uint64_t block)
{
	struct lane *l = &b->lanes[i];
	struct held *h = held_get(b, block);

	for (unsigned k = 0; k < ZB_G_NR; k++) {
		if (now->g[k] <= l->peak[k])
			continue;
		h->peak[k] += now->g[k] - l->peak[k];
		l->peak[k] = now->g[k];
	}
	add_difference(&h->sum, now, &l->prev);
	l->prev = *now;
}

void zb_stat_blocks_take(struct zb_stat_blocks *b, unsigned i, const struct zb_snapshot *snap)
{
	struct lane *l = &b->lanes[i];

	if (!l->ended && snap->stat.c[ZB_C_pkts_proc] != 0)
		take(b, i, &snap->stat, (snap->interval + b->per - 1) / b->per);
	/* A block is complete with the snapshot of its last interval. */
	if (snap->last)
		l->passed = END;
	else
		l->passed = larger(l->passed, snap->interval / b->per + 1);
	give_passed(b);
}

void zb_stat_blocks_end(struct zb_stat_blocks *b, unsigned i, const struct zb_lcore_stat *stat)
{
	if (stat->c[ZB_C_pkts_proc] != 0)
		take(b, i, stat, END);
	b->lanes[i].ended = true;
	b->lanes[i].passed = END;
	give_passed(b);
}

int zb_stat_blocks_create(const struct zb_stat_blocks_conf *conf, struct zb_stat_blocks **out)
{
	size_t bytes = sizeof(struct zb_stat_blocks) + conf->lcore_nr * sizeof(struct lane);
	struct zb_stat_blocks *b = aligned_alloc(64, (bytes + 63) & ~(size_t)63);

	if (b == NULL)
		return -ENOMEM;
	memset(b, 0, bytes);
	b->conf = *conf;
	b->lane_nr = conf->lcore_nr;
	b->per = (uint64_t)(conf->block_s / conf->stats_interval_s + 0.5);
	b->per = b->per == 0 ? 1 : b->per;
	b->held = aligned_alloc(64, HELD_MAX * sizeof(*b->held));
	if (b->held == NULL) {
		free(b);
		return -ENOMEM;
	}
	*out = b;
	return 0;
}

void zb_stat_blocks_destroy(struct zb_stat_blocks *b)
{
	if (b == NULL)
		return;
	while (b->held_nr > 0)
		give_oldest(b);
	free(b->held);
	free(b);
}

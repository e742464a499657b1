/* SPDX-License-Identifier: Apache-2.0 */
/* series.c - how a worker did over time: packets, drops, lag, queue, state; bounded */
#include <errno.h>
#include <stdlib.h>
#include "profiler/series.h"

struct series_lane {
	struct zb_series_slot slot[ZB_SERIES_SLOTS];
	struct zb_lag lag; /* of the newest snapshot, as are these */
	uint64_t pkts, dropped;
};

struct zb_series {
	uint32_t lane_nr;
	uint64_t slot_ns;
	struct series_lane *lanes;
};

int zb_series_create(uint32_t lane_nr, struct zb_series **out)
{
	struct zb_series *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return -ENOMEM;
	s->lane_nr = lane_nr;
	s->slot_ns = ZB_SERIES_SLOT_NS;
	s->lanes = calloc(lane_nr, sizeof(*s->lanes));
	if (s->lanes == NULL) {
		free(s);
		return -ENOMEM;
	}
	*out = s;
	return 0;
}

void zb_series_destroy(struct zb_series *s)
{
	if (s == NULL)
		return;
	free(s->lanes);
	free(s);
}

static void raise_to(uint64_t *max, uint64_t v)
{
	*max = v > *max ? v : *max;
}

static void merge(struct zb_series_slot *to, const struct zb_series_slot *from)
{
	to->pkts += from->pkts;
	to->dropped += from->dropped;
	raise_to(&to->lag_ns, from->lag_ns);
	raise_to(&to->queue_pkts, from->queue_pkts);
	raise_to(&to->conns, from->conns);
	raise_to(&to->state_bytes, from->state_bytes);
	to->seen = to->seen || from->seen;
}

static void join_slots(struct zb_series *s)
{
	for (uint32_t l = 0; l < s->lane_nr; l++) {
		struct zb_series_slot *slot = s->lanes[l].slot;

		for (uint32_t i = 0; i < ZB_SERIES_SLOTS; i++) {
			struct zb_series_slot was = slot[i];

			slot[i] = (struct zb_series_slot){.seen = false};
			merge(&slot[i / 2], &was);
		}
	}
	s->slot_ns *= 2;
}

/* The worst lag since the snapshot before: the highest bucket that has grown. */
static uint64_t worst_lag(const struct zb_lag *before, const struct zb_lag *now)
{
	struct zb_lag grown;

	for (unsigned b = 0; b < ZB_LAG_BUCKETS; b++)
		grown.n[b] = now->n[b] - before->n[b];
	grown.max_ns = now->max_ns;
	return zb_lag_at(&grown, 1);
}

void zb_series_add(struct zb_series *s, uint32_t lane, uint64_t time_ns,
		   const struct zb_lcore_stat *stat)
{
	struct series_lane *l = &s->lanes[lane];
	struct zb_series_slot now = {
		.pkts = stat->c[ZB_C_pkts_proc] - l->pkts,
		.dropped = stat->c[ZB_C_pkts_dropped] - l->dropped,
		.lag_ns = worst_lag(&l->lag, &stat->lag),
		.queue_pkts = stat->g[ZB_G_queue_pkts],
		.conns = stat->g[ZB_G_active_tcp_conns] + stat->g[ZB_G_active_udp_conns] +
			 stat->g[ZB_G_active_icmp_conns] + stat->g[ZB_G_active_other_conns],
		.seen = true,
	};

	/* What connections have in use is part of what they have reserved. */
	for (unsigned g = ZB_G_reassem_tcp_bytes; g < ZB_G_NR; g++)
		now.state_bytes += g != ZB_G_conn_reserved_bytes ? stat->g[g] : 0;
	while (time_ns / s->slot_ns >= ZB_SERIES_SLOTS)
		join_slots(s);
	merge(&l->slot[time_ns / s->slot_ns], &now);
	l->pkts = stat->c[ZB_C_pkts_proc];
	l->dropped = stat->c[ZB_C_pkts_dropped];
	l->lag = stat->lag;
}

uint64_t zb_series_slot_ns(const struct zb_series *s)
{
	return s->slot_ns;
}

const struct zb_series_slot *zb_series_slots(const struct zb_series *s, uint32_t lane)
{
	return s->lanes[lane].slot;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timer_count.h - timers and events as Zeek counts them, derived from the state that there is
 *
 * Here a connection has one deadline; Zeek has several timers for it. They follow from what is in
 * memory, so nothing is counted per packet. Threading: one lcore.
 */
#ifndef ZB_PIPELINE_TIMER_COUNT_H
#define ZB_PIPELINE_TIMER_COUNT_H

#include "pipeline/conn_set.h"

struct zb_frag;
struct zb_tunnels;

/* Where they follow from. */
struct zb_timer_source {
	const struct zb_conn_set *set;
	const struct zb_frag *frag;	  /* NULL: none */
	const struct zb_tunnels *tunnels; /* NULL: none */
	uint64_t events;		  /* that analyzers raised */
};

/*
 * Brings timers by type and their sums, events, and the matrix of TCP states in st up to date; the
 * other counters must be so already.
 */
void zb_timer_count(struct zb_lcore_stat *st, const struct zb_timer_source *from);

#endif

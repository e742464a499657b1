/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_priv.h - the engine of one lcore, and the stages that its loop calls
 *
 * Between stages a burst is three arrays: packets, keys, connections; live lists the packets that
 * are in a connection, those out of tunnels among them (burst.h). The flow stage looks all keys up
 * and prefetches; because a packet may end its connection (by time-out or reuse) while later
 * packets of the burst point at it, the conn stage settles each packet's connection again, which
 * costs one flag test in the usual case.
 */
#ifndef ZB_PIPELINE_ENGINE_PRIV_H
#define ZB_PIPELINE_ENGINE_PRIV_H

#include <rte_cycles.h>
#include "pipeline/conn_set.h"
#include "pipeline/decode.h"
#include "pipeline/engine.h"
#include "pipeline/session.h"
#include "pipeline/turns.h"
#include "profiler/heap.h"

struct zb_engine {
	struct zb_burst b;
	struct zb_conn_set set;
	struct zb_weird weird;
	struct zb_decoder decoder;
	struct zb_analysis an;
	struct zb_delivery_list deliveries; /* what the conn stage pushed */
	struct zb_engine_conf conf;
	struct zb_gap_watch gaps;
	struct zb_turns turns;		   /* of the conn and the stream stage */
	uint64_t stages_were[ZB_STAGE_NR]; /* stage_cycles before this turn */
	uint64_t waited;		   /* for the reporter, before this turn */
	uint64_t taken; /* what the machine took of this turn, as its stages saw it */
	struct zb_heap_thread heap;
	uint64_t until_ns; /* next statistics boundary */
	uint64_t interval; /* its number */
};

/* Whoever asks what this worker is at, while it may be stuck there, peeks. */
static inline void zb_at(struct zb_engine *e, enum zb_stage stage)
{
	__atomic_store_n(&e->conf.stat->stage_now, stage, __ATOMIC_RELAXED);
}

/* Adds the cycles from then to now, and returns now. */
static inline uint64_t zb_mark(uint64_t *cycles, uint64_t from)
{
	uint64_t now = rte_rdtsc();

	*cycles += now - from;
	return now;
}

/*
 * The stages of one burst that rx has returned; marked: with the counter read between them, from
 * the beginning of rx, at t, to the end of the last one, which is returned.
 */
void zb_walk(struct zb_engine *e);
uint64_t zb_walk_marked(struct zb_engine *e, uint64_t t);

/* The next burst of at most n packets. */
void zb_stage_rx(struct zb_engine *e, uint16_t n);
void zb_stage_decode(struct zb_engine *e);
void zb_stage_flow(struct zb_engine *e);

/*
 * Connections from live packet at on, up to one whose connection has data pending: what analyzers
 * do to a connection comes before its next packet. Returns where to go on.
 */
uint16_t zb_stage_conn(struct zb_engine *e, uint16_t at);
void zb_stage_stream(struct zb_engine *e);

/*
 * Ends only what a packet still to come would find ended too, however late it says it is: so rows
 * do not depend on where bursts end.
 */
void zb_stage_expire(struct zb_engine *e);
void zb_stage_log(struct zb_engine *e);

#endif

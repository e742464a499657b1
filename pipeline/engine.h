/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine.h - the worker: takes bursts from its queue and walks each through the stages, until the
 * queue is done
 *
 *     rx  decode  flow  conn  stream  expire  log
 *
 * A burst passes one stage completely before the next; one time-stamp counter read per stage and
 * burst gives the cost of every stage. The stages do not know that they are measured.
 *
 * Threading: create and destroy from main; zb_engine_run() on the worker, which is the only one to
 * touch the engine meanwhile. *conf.stop may be set by anyone. Ownership: the engine owns its
 * state; queue, statistics, ring and logs stay the caller's. Errors:    0 or -errno.
 */
#ifndef ZB_PIPELINE_ENGINE_H
#define ZB_PIPELINE_ENGINE_H

#include "capture/packet.h"
#include "pipeline/logs.h"
#include "profiler/snap_ring.h"

struct zb_fault_conf; /* fault.h */
struct zb_large;      /* large.h */

enum zb_engine_mode {
	ZB_ENGINE_FULL,
	ZB_ENGINE_TOUCH, /* rx, decode and hash only: what reading the packets costs by itself */
};

/* What may be switched while the worker runs, by anyone: it looks at every burst. */
struct zb_engine_switch {
	bool marks;	/* read the cycle counter between stages */
	bool snapshots; /* take a snapshot at interval boundaries */
};

struct zb_engine_conf {
	struct zb_rxq *rxq;
	struct zb_lcore_stat *stat;
	struct zb_snap_ring *snaps; /* NULL: no snapshots */
	struct zb_log_set *logs;
	struct zb_once_port *once; /* for rows that all workers log once; NULL: alone */
	struct zb_meter *meter;	   /* NULL: cycles are not told by analyzer */
	const char *peer;	   /* "lcore-2": who speaks in weird.log */
	uint64_t start_ns;	   /* packet time at which statistics intervals begin */
	uint64_t interval_ns;
	double tsc_hz;		   /* 0: not known, gaps of the loop are not watched */
	uint64_t secret;	   /* of the run: keys hashes and uids */
	uint32_t index;		   /* of this worker, from 0; also its producer number in logs */
	uint32_t conns_max;	   /* connections in memory at most; at least 4 * ZB_BURST_MAX */
	uint16_t burst_max;	   /* 1..ZB_BURST_MAX */
	uint64_t memcap_bytes;	   /* of this worker's state; beyond it the oldest goes; 0: none */
	const uint64_t *mem_limit; /* by enum zb_mem_kind, 0: the default; NULL: all defaults */
	unsigned file_hashes;	   /* enum zb_file_hash bits: of every file */
	enum zb_engine_mode mode;
	bool ignore_checksums;
	const struct zb_fault_conf *faults; /* NULL: none */
	const struct zb_engine_switch *on;
	/*
	 * Ends the run at the next burst; what is open is logged. NULL: the queue ends it, and
	 * nothing that it still holds is lost.
	 */
	const bool *stop;
	void (*at_end)(
		void *arg); /* called when the last packet is analysed and all state still stands */
	void *at_end_arg;
};

struct zb_engine; /* opaque */
int zb_engine_create(const struct zb_engine_conf *conf, struct zb_engine **out);
void zb_engine_destroy(struct zb_engine *e);

/* Oddities by enum zb_weird_name; valid as long as the engine. */
const uint64_t *zb_engine_weirds(const struct zb_engine *e);

/* The connections that held most memory; valid as long as the engine. */
const struct zb_large *zb_engine_large(const struct zb_engine *e);

/* Runs until the queue is done or *stop; logs what is left; takes the last snapshot. */
void zb_engine_run(struct zb_engine *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_paced.h - open-loop replay of a loaded trace: a feeder hands packets to bounded queues at
 * their time, whether the workers keep up or not
 *
 * A thread of its own on a core of its own walks through the trace in order of time. When a packet
 * is due (pace.h) it goes to the receive queue of its shard's worker; when that is full, the
 * packet is dropped and counted, as a NIC counts imissed. The feeder never waits for a worker, and
 * the schedule never stretches: a packet that the feeder itself comes to more than ZB_PACED_LATE_MS
 * late, because somebody took its core away, is not sent any more (unsent).
 *
 * Nothing is copied: a queue's entries name packets of the trace. Passes after the first are given
 * new addresses as by source_replay.h, by the worker that takes them.
 *
 * Threading: open, start, close by main; queue i by worker i; the feeder is started and joined
 * here.
 */
#ifndef ZB_CAPTURE_SOURCE_PACED_H
#define ZB_CAPTURE_SOURCE_PACED_H

#include <sched.h>

#include "capture/pace.h"
#include "capture/source.h"
#include "capture/trace.h"

#define ZB_PACED_LATE_MS 100

struct zb_paced_conf {
	struct zb_trace *trace;
	uint32_t queue_nr;	  /* == shard_nr of the trace */
	uint32_t rx_desc;	  /* packets that a queue holds; a power of two, 64 to 2^20 */
	struct zb_pace_rate rate; /* not ZB_PACE_MAX */
	double tsc_hz;
	double duration_s; /* nothing is due at or after it; 0: no end */
	uint64_t loops;	   /* passes; 0: until stopped */
	bool same_flows;   /* passes keep their addresses */
	const bool *stop;  /* set by main: the feeder ends, the queues are drained */
	const cpu_set_t *feeder_cpus;
	/* Of worker i: what it is at when it is first too slow. May be NULL. */
	const struct zb_lcore_stat *const *stat;
};

/* -EINVAL: packets are to be rewritten and the trace is read-only; -ENOMEM. Said. */
int zb_paced_open(const struct zb_paced_conf *conf, struct zb_source **out);

/* How late the feeder itself was, over all packets; after the run. */
const struct zb_lag *zb_paced_feeder_lag(const struct zb_source *s);

#endif

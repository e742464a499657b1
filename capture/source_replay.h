/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_replay.h - closed-loop replay of a loaded trace: one queue per shard, zero copies
 *
 * Each pass after the first shifts packet time by the trace's length, so that time never runs back,
 * and (unless same_flows) rewrites addresses in place so that it brings new flows: both IPv4
 * addresses XORed with the same pass-dependent value, IPv6 likewise in the low 32 bits, checksums
 * adjusted as RFC 1624 says, so that a right one stays right and a wrong one wrong. Multicast and
 * broadcast addresses, and private, loopback and link-local prefixes, keep their class. Packets in
 * tunnels get new addresses as well. Closing restores the first pass's bytes.
 *
 * A shard's shadows (ZB_PKT_INNER_ONLY) are handed out among its packets, in order of time, and
 * counted nowhere.
 *
 * Threading: queue i is driven by worker i only; open, close and the fields of conf by main.
 */
#ifndef ZB_CAPTURE_SOURCE_REPLAY_H
#define ZB_CAPTURE_SOURCE_REPLAY_H

#include "capture/source.h"
#include "capture/trace.h"

struct zb_replay; /* opaque */

struct zb_replay_conf {
	struct zb_trace *trace;
	uint32_t queue_nr;    /* == shard_nr of the trace */
	uint64_t loops;	      /* passes; 0: until stopped (duration) */
	uint64_t pass_gap_ns; /* between the last packet of a pass and the first of the next */
	bool same_flows;
	const bool
		*stop; /* set by main (duration over, signal): every queue ends at its next burst */
};

/* -EINVAL: packets are to be rewritten and the trace is read-only. */
int zb_replay_open(const struct zb_replay_conf *conf, struct zb_replay **out);
void zb_replay_close(struct zb_replay *r);
struct zb_rxq *zb_replay_queue(struct zb_replay *r, uint32_t i);
struct zb_source *zb_replay_source(struct zb_replay *r); /* the same object */

#endif

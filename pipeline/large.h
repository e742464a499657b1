/* SPDX-License-Identifier: Apache-2.0 */
/*
 * large.h - the connections of one lcore that held most memory, and when they held it
 *
 * A connection holds what hangs on it: its session, data out of order, what its analyzers keep, and
 * the files that it carries (a file that several carry is the first one's that holds it). Its 256
 * bytes in the pool and its long history are not counted. The memory counts what the connection
 * holds (mem.h); only one that then holds more than the least on a full list is looked up in it.
 *
 * Threading: one lcore.
 * Units:     bytes as asked for, without the allocator's own.
 */
#ifndef ZB_PIPELINE_LARGE_H
#define ZB_PIPELINE_LARGE_H

#include "pipeline/flow_key.h"

#define ZB_LARGE_MAX	 8
#define ZB_LARGE_SERVICE 64

struct zb_session;

/*
 * What one connection holds: a part of its session. Every state of a connection is bounded, and all
 * together far below 4 GiB.
 */
struct zb_mem_owner {
	uint32_t held;
};

struct zb_large_conn {
	struct zb_flow_key key;
	uint64_t uid_seq;
	uint64_t bytes; /* most at a time */
	uint64_t ts_ns; /* when it first held so many, packet time */
	bool orig_is_a;
	char service[ZB_LARGE_SERVICE]; /* as in conn.log, once it has ended; "": none found */
};

struct zb_large {
	uint32_t least; /* what a connection must exceed to be listed; 0 until the list is full */
	uint32_t nr;
	struct zb_large_conn conn[ZB_LARGE_MAX]; /* in no order */
};

/* o holds more than l->least. */
void zb_large_note(struct zb_large *l, struct zb_mem_owner *o);

/* The connection of s is over: its roles and services are known. */
void zb_large_end(struct zb_large *l, const struct zb_session *s);

#endif

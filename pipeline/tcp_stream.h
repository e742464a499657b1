/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcp_stream.h - reassembly of one side of a TCP connection: what is in order, what is missing
 *
 * Threading: one lcore.
 */
#ifndef ZB_PIPELINE_TCP_STREAM_H
#define ZB_PIPELINE_TCP_STREAM_H

#include "pipeline/analysis.h"
#include "pipeline/tcp_conn.h"

struct zb_delivery_list;

struct zb_tcp_half {
	uint64_t next;	 /* relative sequence number of the first byte not yet delivered */
	uint64_t missed; /* bytes given up as never seen: conn.log's missed_bytes */
	bool started;
};

/*
 * Takes the payload of a segment that zb_tcp_update() has taken into account, and pushes what is
 * in order now.
 */
void zb_tcp_stream_segment(struct zb_analysis *an, struct zb_delivery_list *l, struct zb_conn *c,
			   const struct zb_pkt *p, const struct zb_tcp_seg *s);

#endif

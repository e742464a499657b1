/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcp_stream.h - reassembly of a TCP connection: what is in order, what is missing, when a side is
 * done
 *
 * As in Zeek (src/analyzer/protocol/tcp/TCP_Reassembler.cc, src/Reassem.cc): data in order go on at
 * once, straight out of the packet. Data beyond a hole wait until the hole is filled, or until the
 * peer acknowledges it, which says that the peer has got what we have not: a gap. A side whose FIN
 * or RST has come closes when all its data have been delivered and the peer's have been
 * acknowledged; until then its close is put off. Data that the peer has not acknowledged count as
 * being there still, although they are kept only when they lie beyond a hole.
 *
 * A side is given up altogether when it sends 16 KiB beyond a hole while nothing of it has ever
 * been acknowledged, or 10 MiB without an acknowledgement (tcp_max_above_hole_without_any_acks,
 * tcp_excessive_data_without_further_acks in init-bare.zeek). Unlike Zeek, holes are given up too
 * when there is no room for what lies behind them: counted as shed.
 *
 * Threading: one lcore.
 * Ownership: the session owns both halves; zb_tcp_stream_end() frees what they hold.
 */
#ifndef ZB_PIPELINE_TCP_STREAM_H
#define ZB_PIPELINE_TCP_STREAM_H

#include "pipeline/analysis.h"
#include "pipeline/tcp_conn.h"

struct zb_delivery_list;
struct zb_session;
struct zb_tcp_store;

/* One side's stream. Positions count from the SYN at 0. */
struct zb_tcp_half {
	uint64_t next;		    /* of the first byte neither delivered nor given up */
	uint64_t missed;	    /* bytes given up as never seen: conn.log's missed_bytes */
	struct zb_tcp_store *store; /* data beyond a hole; NULL: no hole */
	/*
	 * How far next is ahead of the newest acknowledgement; -1: the first byte of a partial
	 * connection was acknowledged without having been seen.
	 */
	int32_t unacked;
	uint32_t gap_nr : 31, is_given_up : 1;
};
static_assert(sizeof(struct zb_tcp_half) == 32, "two of them in a cache line");

static inline void zb_tcp_half_init(struct zb_tcp_half *h)
{
	h->next = 1;
}

/*
 * Takes a valid segment that zb_tcp_update() has taken into account: what it acknowledges, its
 * payload, and the end of a side. Pushes onto l what is in order now. Makes the connection's
 * session when there is payload, or payload is found to be missing.
 */
void zb_tcp_stream_segment(struct zb_analysis *an, struct zb_delivery_list *l, struct zb_conn *c,
			   const struct zb_pkt *p, const struct zb_tcp_step *step);

/* The connection is over: what waits behind holes is dropped, as Zeek does. */
void zb_tcp_stream_end(struct zb_session *s);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcp_conn.h - TCP as Zeek sees it: endpoint states, history, sequence space, closing and reuse
 *
 * The rules are those of Zeek 8.2's TCP session analysis, observed and restated; each function
 * names the behaviour. Times that Zeek takes from timers fired by other connections' packets are
 * computed from this connection's own packets alone, so that a connection's row does not depend on
 * what else is in the traffic.
 *
 * Threading: one lcore.
 */
#ifndef ZB_PIPELINE_TCP_CONN_H
#define ZB_PIPELINE_TCP_CONN_H

#include "pipeline/weird.h"

enum {
	ZB_TCP_FIN = 0x01,
	ZB_TCP_SYN = 0x02,
	ZB_TCP_RST = 0x04,
	ZB_TCP_ACK = 0x10,
	ZB_TCP_URG = 0x20
};

/* The parts of a segment that the rules look at. */
struct zb_tcp_seg {
	uint64_t ts_ns;
	uint32_t seq, ack;
	uint32_t len; /* payload bytes as the headers say */
	uint16_t window;
	uint8_t flags;
	uint8_t side;	/* ZB_ORIG or ZB_RESP */
	int16_t wscale; /* window scale option of a SYN; -1: none */
};

/* What a segment turned out to be: what its stream has to know. Positions count from the SYN. */
struct zb_tcp_step {
	uint64_t seq; /* position of its first payload byte */
	uint64_t ack; /* position in the other side's stream that it acknowledges; 0: none */
	uint8_t side; /* the sender, roles may have been swapped */
	bool close;   /* the sender has closed; zb_tcp_side_closed() follows in due time */
	bool is_before_start; /* seq makes no sense */
};

/*
 * Reads a segment from a packet of which decode has seen 20 header bytes at least; options and
 * payload only when it has accepted it.
 */
void zb_tcp_seg_read(const struct zb_pkt *pkt, unsigned side, struct zb_tcp_seg *s);

/* True when a SYN begins a new connection on the 4-tuple of c, which then ends at once. */
bool zb_tcp_is_reuse(struct zb_conn *c, const struct zb_tcp_seg *s, struct zb_weird *w);

/* True when the sender of the first packet is to be the responder, judged by flags and ports. */
bool zb_tcp_flip_at_birth(uint8_t tcp_flags, uint16_t src_port, uint16_t dst_port);

/*
 * Takes one segment into account: history, sequence space, state, last_ns. Not packet counts, not
 * deadline. Where it shows that the roles are the wrong way round, s->side follows. (A copy of s
 * would be read before its narrow stores have reached the cache.)
 */
void zb_tcp_update(struct zb_conn *c, struct zb_tcp_seg *s, struct zb_weird *w,
		   struct zb_tcp_step *out);

/*
 * A side has closed and nothing of it is pending. When that makes the close complete, the
 * connection has five more seconds.
 */
void zb_tcp_side_closed(struct zb_conn *c, unsigned side);

/* When the connection ends if nothing more comes. */
uint64_t zb_tcp_deadline(const struct zb_conn *c);

/* Payload bytes a side sent, by sequence numbers. */
uint64_t zb_tcp_size(const struct zb_conn *c, unsigned side);

/* "SF", "S0", ... */
const char *zb_tcp_conn_state(const struct zb_conn *c);

#endif

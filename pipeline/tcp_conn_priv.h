/* SPDX-License-Identifier: Apache-2.0 */
/* tcp_conn_priv.h - what tcp_conn.c and tcp_state.c share */
#ifndef ZB_PIPELINE_TCP_CONN_PRIV_H
#define ZB_PIPELINE_TCP_CONN_PRIV_H

#include "pipeline/tcp_conn.h"

/* A side that has spoken and neither closed nor reset. */
static inline bool zb_tcp_end_active(const struct zb_endpoint *e)
{
	return e->state != ZB_END_INACTIVE && e->state != ZB_END_RESET && !e->did_close;
}

uint64_t zb_tcp_end_size(const struct zb_endpoint *e, const struct zb_endpoint *peer);

/*
 * A connection that began with a SYN-ACK and goes on with its answer had its roles the wrong way
 * round.
 */
void zb_tcp_flip_late(struct zb_conn *c, struct zb_tcp_seg *s);

/*
 * Moves the sender's state on; delta is what sent_update() found. Fills the sides' part of out:
 * side, close.
 */
void zb_tcp_state_update(struct zb_conn *c, const struct zb_tcp_seg *s, int32_t delta,
			 struct zb_weird *w, struct zb_tcp_step *out);

#endif

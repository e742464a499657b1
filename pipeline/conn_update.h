/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn_update.h - what one packet does to its connection, whatever the transport
 *
 * Threading: one lcore.
 */
#ifndef ZB_PIPELINE_CONN_UPDATE_H
#define ZB_PIPELINE_CONN_UPDATE_H

#include "pipeline/conn_set.h"
#include "pipeline/session.h"

/*
 * The connection that packet p belongs to: c itself (which may be NULL, finished or timed out by
 * the time of p), or a new one. NULL: no state could be made.
 */
struct zb_conn *zb_conn_for_packet(struct zb_conn_set *s, struct zb_conn *c, const struct zb_pkt *p,
				   const struct zb_flow_key *key, struct zb_weird *w);

/*
 * Makes the connection of a first packet: roles as Zeek guesses them. NULL: see
 * zb_conn_set_create().
 */
struct zb_conn *zb_conn_birth(struct zb_conn_set *s, const struct zb_pkt *p,
			      const struct zb_flow_key *key);

/*
 * Counts, state, history and deadline after p, which c belongs to; pushes its payload onto l. c has
 * nothing pending there.
 */
void zb_conn_packet(struct zb_conn_set *s, struct zb_conn *c, const struct zb_pkt *p,
		    struct zb_analysis *an, struct zb_delivery_list *l);

#endif

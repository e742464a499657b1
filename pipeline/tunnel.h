/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tunnel.h - the tunnels of an lcore: which are known, what connections they are, who came through
 * them, and tunnel.log
 *
 * A tunnel is discovered when a connection begins in it, or moves into it; IP and GRE tunnels are
 * known by their two addresses, the others are connections themselves, and close with them. One
 * through which no connection has begun for an hour expires. (Zeek: base/frameworks/tunnels)
 *
 * What a UDP payload looks like is decided where it is decoded; whether it is taken for a tunnel,
 * by its connection: its responder port, whether an earlier packet was broken, and, for Teredo,
 * whether both sides have spoken it.
 *
 * With several workers what is inside a UDP tunnel may belong to another worker than the tunnel's
 * connection; the uid of such a connection is then derived from its addresses and ports, so that
 * both know it, and the tunnel is logged by the connection's worker. IP tunnels are logged once for
 * all workers.
 *
 * Threading: one lcore.
 * Ownership: a connection's part hangs on its rare part until zb_tunnels_conn_end().
 * Memory:    ZB_MEM_tunnel; at its limit the IP tunnel unused for longest is forgotten.
 */
#ifndef ZB_PIPELINE_TUNNEL_H
#define ZB_PIPELINE_TUNNEL_H

#include "pipeline/analysis.h"
#include "pipeline/burst.h"

#define ZB_TUNNEL_EXPIRE_NS	(3600 * ZB_SEC_NS)  /* Zeek: Tunnel::expiration_interval */
#define ZB_TUNNEL_FORGET_NS	(86400 * ZB_SEC_NS) /* Zeek: Tunnel::ip_tunnel_timeout */
#define ZB_TUNNEL_CHANGES_MAX	5		    /* Zeek: Tunnel::max_changes_per_connection */
#define ZB_TUNNEL_PARENTS_MAX	(ZB_TUNNEL_CHANGES_MAX + 1)
#define ZB_TUNNEL_PARENTS_BYTES (ZB_TUNNEL_PARENTS_MAX * ZB_UID_MAX)

enum zb_tunnel_action { ZB_TUNNEL_DISCOVER, ZB_TUNNEL_CLOSE, ZB_TUNNEL_EXPIRE };

struct zb_tunnels; /* opaque */

/* -ENOMEM. */
int zb_tunnels_create(struct zb_analysis *an, struct zb_tunnels **out);
void zb_tunnels_destroy(struct zb_tunnels *t);

/* Tunnels in use; *begun: how often one came into use. */
uint32_t zb_tunnels_active(const struct zb_tunnels *t, uint64_t *begun);

/*
 * Decode: a packet in an IP or GRE tunnel. Fills uid_seq; a tunnel keeps the type that it was first
 * seen with.
 */
void zb_tunnels_touch(struct zb_tunnels *t, struct zb_layer *l, uint64_t now_ns);

/*
 * Conn stage, after the connection c has taken packet i of the burst, which has ZB_PKT_WRAPS: what
 * its payload means for c, and whether the packet inside is to be analysed.
 */
void zb_tunnels_outer(struct zb_tunnels *t, struct zb_burst *b, uint16_t i, struct zb_conn *c);

/* Conn stage: has the connection that a packet was in a say, and says no? */
bool zb_tunnels_vetoed(struct zb_burst *b, uint16_t i);

/*
 * Conn stage: c has a packet that came through e, or, NULL, through no tunnel although it has been
 * in one.
 */
void zb_tunnels_inner(struct zb_tunnels *t, struct zb_burst *b, const struct zb_encap *e,
		      struct zb_conn *c);

/* A connection turns out to relay another one (SOCKS, HTTP CONNECT): any originator port. */
void zb_tunnels_relay(struct zb_tunnels *t, const struct zb_conn *c, enum zb_tun_type type);

/* The uid that all workers give to the connection of a UDP tunnel. */
uint64_t zb_tunnel_uid_seq(const struct zb_flow_key *k, uint64_t secret);

/* A connection with a tunnel part is over. */
void zb_tunnels_conn_end(struct zb_tunnels *t, struct zb_conn *c, uint64_t now_ns);

/* Logs what expired until now_ns; the time of it is that of the burst's first packet after it. */
void zb_tunnels_expire(struct zb_tunnels *t, const struct zb_burst *b, uint64_t now_ns);

/* conn.log's tunnel_parents. */
void zb_tunnel_put_parents(struct zb_row *r, const struct zb_conn *c, uint64_t secret);

/* The fields after ts of a row that was offered to the reporter, or is written at once. */
struct zb_once_row;
void zb_tunnel_row(struct zb_row *row, const struct zb_once_row *r, uint64_t secret);

#endif

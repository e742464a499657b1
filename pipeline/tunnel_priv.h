/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tunnel_priv.h - what tunnel.c, which knows tunnels, and tunnel_conn.c, which knows connections,
 * share
 *
 * Threading: one lcore.
 */
#ifndef ZB_PIPELINE_TUNNEL_PRIV_H
#define ZB_PIPELINE_TUNNEL_PRIV_H

#include "pipeline/tunnel.h"

enum { ZB_TUNNEL_ACTIVE, ZB_TUNNEL_TABLE };
struct zb_tunnel_link {
	struct zb_tunnel *older, *younger;
};

struct zb_tunnel {
	struct zb_tunnel *next;	       /* in its bucket */
	struct zb_tunnel_link link[2]; /* ZB_TUNNEL_ACTIVE, ZB_TUNNEL_TABLE */
	struct zb_conn_tunnel *owner;  /* UDP: in no bucket */
	uint64_t uid_seq;	       /* or ZB_UID_SEQ_NONE */
	uint64_t seen_ns, used_ns;
	uint8_t addr[2][16];
	uint16_t port[2];
	uint32_t bucket;
	uint8_t ip_version, type;
	bool is_active; /* logged as discovered, and not as gone */
};

/* What a connection has to do with tunnels: as one, and as being inside. */
struct zb_conn_tunnel {
	struct zb_tunnel *tunnel; /* when discovered */
	uint8_t type;		  /* enum zb_tun_type that its payload was taken for */
	bool violated, confirmed;
	bool valid[2]; /* by side */

	uint8_t depth;	 /* of tunnels the last packet came through */
	uint8_t changes; /* times that they were others */
	bool limited;	 /* there were too many */
	uint8_t parent_nr;
	uint8_t layer_type[ZB_TUNNEL_DEPTH_MAX];
	uint64_t layer_uid[ZB_TUNNEL_DEPTH_MAX];
	uint64_t parent[ZB_TUNNEL_PARENTS_MAX]; /* uid_seq of the innermost, each once */
};

struct zb_analysis *zb_tunnels_analysis(const struct zb_tunnels *t);
void *zb_tunnels_get(struct zb_tunnels *t, size_t n);

/* A connection has begun in a tunnel: in an IP tunnel; in one that c is. */
void zb_tunnels_use_layer(struct zb_tunnels *t, const struct zb_layer *l, uint64_t now_ns);
void zb_tunnels_use_conn(struct zb_tunnels *t, const struct zb_conn *c, struct zb_conn_tunnel *part,
			 uint64_t now_ns);

/* Its connection is over; x is gone after that. */
void zb_tunnels_close(struct zb_tunnels *t, struct zb_tunnel *x, uint64_t ts_ns);

#endif

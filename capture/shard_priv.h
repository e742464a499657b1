/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shard_priv.h - where packets go whose own headers do not tell: what rss.h says of traces
 *
 * The loader shows every special packet (zb_rss_look()) three times: to zb_sharder_note() as it is
 * read, then, when all are read, in time order to zb_sharder_learn(), and in the same order to
 * zb_sharder_place(). The third round repeats the second one's steps, so each fragment finds the
 * datagram again that it was counted to, and nothing has to be kept per packet.
 *
 * A datagram is told by addresses and identification, as Zeek's reassembly tells it. The same ones
 * begin another datagram after 30 s without a fragment, when all bytes have been there, or when a
 * different first fragment comes. One that never has a first fragment is taken for a part of the
 * one before it, if there was one within that time; else it goes by its addresses.
 *
 * What is in a tunnel on UDP goes with its own flow, apart from the tunnel's, where the one does
 * not depend on the other (VXLAN, Geneve). Otherwise (GTP, Teredo, AYIYA, and a tunnel in a tunnel)
 * the tunnel's connection has a say in what is inside, and the same flow may come through several
 * tunnels or through none: all of these are tied to each other and go to one shard.
 *
 * Bounds: 2^18 datagrams at a time, the one longest without a fragment gives way; 2^24 in a trace,
 * further ones go by addresses; pairs of addresses with FTP are bits of a table of 1 MiB, so that
 * two pairs may share one: then some TCP is sharded by addresses without need, still consistently.
 * Every call takes constant time.
 *
 * Threading: one thread. Ownership: packets are read during a call only.
 */
#ifndef ZB_CAPTURE_SHARD_PRIV_H
#define ZB_CAPTURE_SHARD_PRIV_H

#include "capture/trace.h"

struct zb_sharder; /* opaque */

struct zb_shard_place {
	uint32_t hash;	/* of the flow that the packet counts for */
	uint32_t inner; /* of the flow inside its UDP tunnel, when split */
	bool split;
};

/* NULL: out of memory. */
struct zb_sharder *zb_sharder_create(void);
void zb_sharder_destroy(struct zb_sharder *s);

/* 0 or -ENOMEM, not said. p->data must be readable in all three. */
void zb_sharder_note(struct zb_sharder *s, const struct zb_trace_pkt *p);
int zb_sharder_learn(struct zb_sharder *s, const struct zb_trace_pkt *p);
/* From the second round to the third. */
void zb_sharder_rewind(struct zb_sharder *s);
void zb_sharder_place(struct zb_sharder *s, const struct zb_trace_pkt *p,
		      struct zb_shard_place *out);

/*
 * True: what is not special has to be placed as well, since its addresses may speak FTP, or its
 * flow may be tied to others.
 */
bool zb_sharder_decides_all(const struct zb_sharder *s);
void zb_sharder_stat(const struct zb_sharder *s, struct zb_trace_division *out);

#endif

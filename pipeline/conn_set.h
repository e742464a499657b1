/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn_set.h - all connections of one lcore: pool, flow table and timer wheel, kept in step
 *
 * A connection lives from zb_conn_set_create() to zb_conn_set_finish(), which takes it out of table
 * and wheel and puts it on the list of finished ones; its memory stays valid until the list has
 * been logged and zb_conn_set_release()d. So a burst may hold pointers to connections that end
 * while it is being analysed.
 *
 * Threading: one lcore.
 */
#ifndef ZB_PIPELINE_CONN_SET_H
#define ZB_PIPELINE_CONN_SET_H

#include "pipeline/flow_table.h"
#include "pipeline/timer_wheel.h"
#include "profiler/lcore_stat.h"

#define ZB_EXPIRE_MAX 256 /* connections that time out in one burst */
#define ZB_FINISHED_MAX \
	(2 * ZB_BURST_MAX + ZB_EXPIRE_MAX) /* a packet ends at most one, room makes at most one */

/* What a TCP connection's two states together make of it. */
enum zb_tcp_phase {
	ZB_TCP_OTHER,
	ZB_TCP_ATTEMPT, /* an attempt, unanswered so far */
	ZB_TCP_ESTABLISHED,
	ZB_TCP_PARTIAL,
	ZB_TCP_HALF_CLOSED,
	ZB_TCP_OVER, /* closed by both, or by the only one there is */
	ZB_TCP_WAS_RESET,
	ZB_TCP_PHASE_NR
};
extern const uint8_t zb_tcp_phase_of[ZB_END_NR * ZB_END_NR]; /* by zb_conn.tcp_cell */

struct zb_conn_set {
	struct zb_flow_table table;
	struct zb_conn_pool pool;
	struct zb_timer_wheel wheel;
	struct zb_lcore_stat *stat;
	uint32_t tcp_cells[ZB_END_NR * ZB_END_NR]; /* TCP connections by zb_conn.tcp_cell */
	uint64_t tcp_turns[ZB_TCP_PHASE_NR];	   /* times that one came to a phase */
	uint64_t uid_next, secret;
	uint32_t hash_mask; /* bits of the hash that are used: all, but for a fault */
	uint32_t sample_at; /* see zb_conn_set_overdue() */
	uint32_t finished_nr;
	uint32_t finished[ZB_FINISHED_MAX];
};

/*
 * conns_max bounds the connections in memory; uid_base makes uids distinct over lcores; secret keys
 * the hash that keys are looked up by. 0 or -ENOMEM.
 */
int zb_conn_set_init(struct zb_conn_set *s, uint32_t conns_max, uint64_t uid_base, uint64_t secret,
		     uint64_t start_ns, struct zb_lcore_stat *stat);
void zb_conn_set_fini(struct zb_conn_set *s);

/* The connection of a key, or NULL. */
struct zb_conn *zb_conn_set_find(const struct zb_conn_set *s, const struct zb_flow_key *key,
				 uint32_t hash);

/* A new one, FRESH, not on the wheel yet; NULL at the limit or when memory is out. */
struct zb_conn *zb_conn_set_create(struct zb_conn_set *s, const struct zb_flow_key *key,
				   uint32_t hash, uint64_t ts_ns);

/* Sets the deadline after a packet, and the wheel with it. */
void zb_conn_set_deadline(struct zb_conn_set *s, struct zb_conn *c, uint64_t deadline_ns);

void zb_conn_set_finish(struct zb_conn_set *s, struct zb_conn *c);

/* Sheds so that a burst's worth has room. */
void zb_conn_set_make_room(struct zb_conn_set *s);

/* Counts that the time of c, which is finished next, is up at engine time now_ns. */
void zb_conn_set_timed_out(struct zb_conn_set *s, const struct zb_conn *c, uint64_t now_ns);

/* Ends what has timed out at now_ns (at most ZB_EXPIRE_MAX), and makes room. */
void zb_conn_set_expire(struct zb_conn_set *s, uint64_t now_ns);

/*
 * Ends up to n connections whose time would come first, to make room; counted as evicted. Returns
 * how many.
 */
uint32_t zb_conn_set_shed(struct zb_conn_set *s, uint32_t n);

/* Bytes taken for connections, table and timers. */
uint64_t zb_conn_set_bytes(const struct zb_conn_set *s);

/*
 * Ends up to ZB_EXPIRE_MAX of all that are left; *cursor starts at 0. False when there are no more.
 */
bool zb_conn_set_drain(struct zb_conn_set *s, uint32_t *cursor);

/* Gives the memory of the finished back; the list is empty after that. */
void zb_conn_set_release(struct zb_conn_set *s);

/*
 * Keeps the count of TCP connections by state in step with c, which a packet may have changed. (A
 * swap of roles by an analyzer counts from the next packet on.)
 */
static inline void zb_conn_set_tcp_cell(struct zb_conn_set *s, struct zb_conn *c)
{
	unsigned cell = c->end[ZB_ORIG].state * ZB_END_NR + c->end[ZB_RESP].state;

	if (cell == c->tcp_cell)
		return;
	s->tcp_cells[c->tcp_cell]--;
	s->tcp_cells[cell]++;
	if (zb_tcp_phase_of[cell] != zb_tcp_phase_of[c->tcp_cell])
		s->tcp_turns[zb_tcp_phase_of[cell]]++;
	c->tcp_cell = (uint8_t)cell;
}

/* TCP connections in memory by originator's and responder's state (Zeek: prof.log, TCP-States). */
static inline uint32_t zb_tcp_state_matrix(const struct zb_conn_set *s, enum zb_end_state orig,
					   enum zb_end_state resp)
{
	return s->tcp_cells[orig * ZB_END_NR + resp];
}

/*
 * How many connections are in memory although their time was up two seconds before now_ns: none, if
 * time-outs work. Estimated from 64 of them, each time others.
 */
uint64_t zb_conn_set_overdue(struct zb_conn_set *s, uint64_t now_ns);

/* Writes the gauges that concern connections into the lcore's statistics. */
void zb_conn_set_gauges(const struct zb_conn_set *s);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn.h - the state of one connection or flow: 256 bytes, four cache lines
 *
 * Who the originator is, TCP endpoint states, sizes and the history follow Zeek; tcp_conn.h and
 * conn_update.h hold the rules. Every connection has one deadline, the time at which it ends if
 * nothing more comes; it is exact: a packet at or after the deadline belongs to a new connection,
 * whatever the timer wheel has got round to.
 *
 * Threading: a connection belongs to its lcore.
 * Ownership: the pool; a connection is valid until zb_conn_pool_put().
 */
#ifndef ZB_PIPELINE_CONN_H
#define ZB_PIPELINE_CONN_H

#include <assert.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "pipeline/flow_key.h"
#include "pipeline/timeouts.h"

enum zb_end_state { /* of one TCP side, as Zeek numbers them */
		    ZB_END_INACTIVE,
		    ZB_END_SYN_SENT,
		    ZB_END_SYN_ACK_SENT,
		    ZB_END_PARTIAL,
		    ZB_END_ESTABLISHED,
		    ZB_END_CLOSED,
		    ZB_END_RESET,
		    ZB_END_NR
};

/* Letters of the history that are written once for each side. */
enum zb_hist_bit {
	ZB_HIST_SYN = 1 << 0,
	ZB_HIST_FIN = 1 << 1,
	ZB_HIST_RST = 1 << 2,
	ZB_HIST_DATA = 1 << 3,
	ZB_HIST_ACK = 1 << 4,
	ZB_HIST_MULTI = 1 << 5,
	ZB_HIST_FINRST = 1 << 6,
	ZB_HIST_ACTIVE = 1 << 7, /* UDP, ICMP: this side has sent something valid */
};

/* One side of a connection: one cache line. */
struct zb_endpoint {
	uint64_t pkts;	   /* valid packets sent */
	uint64_t ip_bytes; /* their IP lengths */
	union {
		struct { /* TCP; sequence numbers as on the wire */
			uint32_t start_seq, last_seq, ack_seq;
			uint16_t seq_wraps, ack_wraps;
		};
		uint64_t bytes; /* UDP, ICMP: payload sent */
	};
	uint32_t window, window_seq, window_ack_seq;
	uint32_t hist_syn, hist_rst; /* position of the last one, low 32 bits */
	uint32_t fin_seq;	     /* position behind the last FIN, low 32 bits */
	uint16_t rxmit;		     /* retransmissions, saturating */
	uint16_t zero_win;	     /* zero windows, saturating */
	uint8_t state : 3, prev_state : 3, did_close : 1, fin_seen : 1;
	uint8_t window_scale;
	uint8_t hist; /* enum zb_hist_bit */
};
static_assert(sizeof(struct zb_endpoint) == 64, "one cache line");

enum zb_conn_flag {
	ZB_CONN_ORIG_IS_A = 1 << 0, /* end a of the key is the originator */
	ZB_CONN_FINISHED = 1 << 1,  /* out of table and wheel, waiting for its row */
	ZB_CONN_FRESH = 1 << 2,	    /* no packet processed yet: deadline not valid */
	ZB_CONN_INACTIVE =
		1 << 3, /* TCP: finished, reset or timed out; session timers do nothing more */
	ZB_CONN_CLOSING = 1 << 4, /* TCP: special_ns is when it ends, whatever comes */
	ZB_CONN_ATTEMPT = 1 << 5, /* TCP: special_ns is when an unanswered SYN gives up */
	ZB_CONN_DID_WEIRD = 1 << 6,
	ZB_CONN_LONG_IDLE = 1 << 7, /* ZB_LONG_INACTIVITY_NS applies */
};

enum zb_conn_trait {
	ZB_TRAIT_SERVICE_KNOWN = 1 << 8,  /* known_services has been told */
	ZB_TRAIT_ESTABLISHED = 1 << 9,	  /* TCP: both sides have just become established */
	ZB_TRAIT_PENDING = 1 << 10,	  /* its session has deliveries that have not been run */
	ZB_TRAIT_PARTIAL = 1 << 0,	  /* TCP: a side began without a SYN, so far */
	ZB_TRAIT_SEEN_ORIG = 1 << 1,	  /* TCP: that side has sent something valid, ... */
	ZB_TRAIT_SEEN_RESP = 1 << 2,	  /* ... whose SYN, or lack of it, has been judged */
	ZB_TRAIT_DONE_ORIG = 1 << 3,	  /* TCP: that side has ended and all of it was delivered */
	ZB_TRAIT_DONE_RESP = 1 << 4,	  /* must follow, as all pairs here */
	ZB_TRAIT_CLOSE_DEFERRED = 1 << 5, /* TCP: a side would close, but data are pending */
	ZB_TRAIT_NO_STREAM = 1 << 6,	  /* TCP: no memory for reassembly */
	ZB_TRAIT_LIMIT = 1 << 7,	  /* an analyzer has reached a limit: X in the history */
};

/* What few connections need; allocated when first needed. */
#define ZB_RARE_HISTORY_MAX 232
struct zb_conn_rare {
	uint32_t chk_nr[2], fin_nr[2],
		rst_nr[2];		   /* bad checksums, FINs, RSTs; originator, responder */
	struct zb_conn_tunnel *tunnel;	   /* what tunnels it is in, or is; tunnel.h */
	char history[ZB_RARE_HISTORY_MAX]; /* when longer than the connection's own */
};

#define ZB_HISTORY_INLINE 12
#define ZB_WHEEL_NONE	  UINT16_MAX

struct zb_conn {
	/* Line 0: compared by every look-up, written by every packet. */
	alignas(64) struct zb_flow_key key;
	uint64_t deadline_ns;
	uint64_t last_ns; /* last packet that counts for the duration */
	uint32_t id;	  /* in the pool */
	uint8_t flags;	  /* enum zb_conn_flag */
	uint8_t history_len;
	uint16_t wheel_slot; /* level * slots + slot, or ZB_WHEEL_NONE */

	/* Line 1: written at birth, at death and by the wheel. */
	uint64_t first_ns;
	uint64_t uid_seq;    /* unique in the run; the uid is derived from it */
	uint64_t special_ns; /* TCP: see flags; else the first of DNS's looks, 0: not DNS */
	struct zb_conn_rare *rare;
	void *streams;	       /* reassembly and analyzers hang here */
	uint32_t pool_next;    /* in the pool's free list */
	uint16_t history_lost; /* letters that had no room, saturating */
	uint16_t probed;       /* payload bytes that fit no analyzer */
	uint16_t traits;       /* enum zb_conn_trait */
	char history[ZB_HISTORY_INLINE];
	uint8_t tcp_cell; /* where conn_set counts it: originator's state * ZB_END_NR + responder's
			   */

	/* Lines 2 and 3: originator, responder. */
	alignas(64) struct zb_endpoint end[2];
};
static_assert(sizeof(struct zb_conn) == 256, "four cache lines");

enum { ZB_ORIG, ZB_RESP };

/* The side that sent a packet whose source is end a of the key (or not). */
static inline unsigned zb_conn_side(const struct zb_conn *c, bool src_is_a)
{
	return src_is_a == ((c->flags & ZB_CONN_ORIG_IS_A) != 0) ? ZB_ORIG : ZB_RESP;
}

static inline const uint8_t *zb_conn_addr(const struct zb_conn *c, unsigned side)
{
	return (side == ZB_ORIG) == ((c->flags & ZB_CONN_ORIG_IS_A) != 0) ? c->key.a : c->key.b;
}

static inline uint16_t zb_conn_port(const struct zb_conn *c, unsigned side)
{
	return (side == ZB_ORIG) == ((c->flags & ZB_CONN_ORIG_IS_A) != 0) ? c->key.port_a
									  : c->key.port_b;
}

/* Appends a letter: upper case for the originator, lower for the responder. */
void zb_conn_history_add(struct zb_conn *c, unsigned side, char letter);

/* Appends letter unless bit says that this side has had it; returns whether it had. */
static inline bool zb_conn_history_once(struct zb_conn *c, unsigned side, uint8_t bit, char letter)
{
	if (c->end[side].hist & bit)
		return true;
	c->end[side].hist |= bit;
	zb_conn_history_add(c, side, letter);
	return false;
}

/* True for 1, 10, 100, ...: when a counted letter is written again. */
bool zb_conn_history_due(uint32_t count);

const char *zb_conn_history(const struct zb_conn *c);

/* Payload bytes a side sent: by sequence numbers (TCP), or as counted. */
uint64_t zb_conn_size(const struct zb_conn *c, unsigned side);

/* An analyzer stops short of all there is: X, always upper case, once (Zeek: limits exceeded). */
void zb_conn_history_limit(struct zb_conn *c);

/*
 * Swaps originator and responder and notes it in the history. A session is to be told too:
 * zb_session_flip().
 */
void zb_conn_flip(struct zb_conn *c);

/*
 * Where the calling thread's rare parts are counted from now on (ZB_MEM_history); NULL: nowhere.
 * Connections that have one must be gone by then: connections have no way back to their lcore.
 */
struct zb_mem;
void zb_conn_rare_count_in(struct zb_mem *m);

/* The rare part, allocated if need be; NULL: no room (the caller does without). */
struct zb_conn_rare *zb_conn_rare(struct zb_conn *c);
void zb_conn_rare_free(struct zb_conn *c);

/* When a connection that is not TCP ends if nothing more comes. */
uint64_t zb_conn_idle_deadline(const struct zb_conn *c);

#endif

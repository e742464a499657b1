/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.h - what hangs on a connection that has payload: TCP streams, content detection,
 * analyzers, services
 *
 * The conn stage pushes what a packet brought (data in order, gaps, ends); the stream stage hands
 * it to the analyzers. Analyzers may change the connection (roles, history), so nothing more may be
 * pushed for a connection whose earlier pushes have not been run: the conn stage runs the stream
 * stage in between (zb_session_is_pending()). So rows do not depend on where bursts end.
 *
 * Threading: one lcore.
 * Ownership: the connection owns its session until zb_session_end().
 */
#ifndef ZB_PIPELINE_SESSION_H
#define ZB_PIPELINE_SESSION_H

#include "pipeline/analyzer.h"
#include "pipeline/tcp_stream.h"

#define ZB_SERVICES_MAX	  8   /* words in a connection's service field */
#define ZB_DELIVERIES_MAX 256 /* pushed and not yet run */
#define ZB_BRANCH_DEPTH	  4   /* streams inside streams */

struct zb_probe; /* content detection under way; probe.h */

struct zb_branch {
	struct zb_session *session;
	struct zb_analyzer *first; /* in the order of attachment */
	struct zb_probe *probe;	   /* bytes kept for detection; NULL: none yet, or not any more */
	uint64_t tried;		   /* analyzers that were attached here, by id */
	uint64_t maybe[2];	   /* analyzers that each side's bytes may still turn out to be */
	uint64_t matched[2];	   /* that they have turned out to be */
	uint16_t probe_bytes;	   /* looked at so far */
	uint8_t probe_chunks;
	uint8_t depth;
	bool is_tcp;
	bool probing;
	bool busy; /* an analyzer of it is being called: nothing may be freed */
};

enum zb_session_flag {
	ZB_SESSION_ENDED = 1 << 0,     /* analyzers have ended */
	ZB_SESSION_ANNOUNCES = 1 << 1, /* an analyzer may announce connections; see expect.h */
	ZB_SESSION_TLS = 1 << 2,       /* a TLS handshake has been completed in it */
	ZB_SESSION_LARGE = 1 << 3,     /* has been among the largest; see large.h */
};

struct zb_session {
	/* Lines 0 and 1: what every segment touches. */
	struct zb_analysis *an;
	struct zb_conn *conn;
	uint16_t pending;		   /* deliveries pushed and not yet run */
	uint8_t service_nr : 4, flips : 4; /* flips: times that roles were swapped, modulo 16 */
	uint8_t flags;			   /* enum zb_session_flag */
	struct zb_mem_owner mem;	   /* what it holds, itself included */
	struct zb_tcp_half half[2];	   /* TCP: reassembly of each side */
	/* From line 1 on: what every delivery touches. */
	struct zb_branch root;
	const char *service[ZB_SERVICES_MAX];
};

/* The session of a connection, or NULL. */
static inline struct zb_session *zb_session_of(const struct zb_conn *c)
{
	return c->streams;
}

/*
 * The session of a connection, made if need be, with the analyzers of its responder port; NULL:
 * memory is out, or its limit.
 */
struct zb_session *zb_session_get(struct zb_analysis *an, struct zb_conn *c);

/* The same without any analyzers. */
struct zb_session *zb_session_create(struct zb_analysis *an, struct zb_conn *c);

/* Whether anybody would look at data of this session. */
static inline bool zb_session_listens(const struct zb_session *s)
{
	return s->root.first != NULL || s->root.probing;
}

/* The lines that a segment will touch. */
static inline void zb_session_prefetch(const struct zb_conn *c)
{
	if (c->streams == NULL)
		return;
	for (unsigned line = 0; line < 3; line++)
		__builtin_prefetch((const char *)c->streams + line * 64);
}

/* What a delivery, or the end, will touch of what hangs on the session, whose lines are there. */
static inline void zb_session_prefetch_branch(const struct zb_session *s)
{
	for (unsigned line = 0; s->root.first != NULL && line < 3; line++)
		__builtin_prefetch((const char *)s->root.first + line * 64);
	__builtin_prefetch(s->root.probe);
}

/* Asked of every packet, so the connection tells: its lines are there, the session's may not be. */
static inline bool zb_session_is_pending(const struct zb_conn *c)
{
	return c->traits & ZB_TRAIT_PENDING;
}

/* What was pushed in this burst, in order. */
enum zb_delivery_kind { ZB_DELIVER_DATA, ZB_DELIVER_GAP, ZB_DELIVER_FIN };
struct zb_delivery {
	struct zb_session *session;
	const uint8_t *data;
	void *owned; /* a block of ZB_MEM_tcp_data to free after the delivery, or NULL */
	uint64_t now_ns;
	uint64_t n;
	uint32_t owned_bytes;
	uint8_t kind;  /* enum zb_delivery_kind */
	uint8_t side;  /* when pushed, ... */
	uint8_t flips; /* ... the session's flips being this */
};
struct zb_delivery_list {
	struct zb_analysis *an;
	uint32_t nr;
	uint8_t flags; /* enum zb_session_flag of all of them */
	struct zb_delivery d[ZB_DELIVERIES_MAX];
};

/*
 * Adds a delivery; a full list is run first. data stays valid until the list has been run; what
 * nobody listens to is dropped at once (owned is then freed).
 */
void zb_session_push(struct zb_delivery_list *l, const struct zb_delivery *d);

/* The stream stage: hands everything to the analyzers; the list is empty after that. */
void zb_session_run(struct zb_delivery_list *l);

/* A datagram of a connection that may have no session yet. */
void zb_session_datagram(struct zb_analysis *an, struct zb_delivery_list *l, struct zb_conn *c,
			 const struct zb_pkt *p, unsigned side);

/* Words of conn.log's service (literals), for what no analyzer of analyzers/ has found. */
void zb_session_add_service(struct zb_session *s, const char *name);
void zb_session_remove_service(struct zb_session *s, const char *name);

/* Roles were swapped by the connection itself. */
void zb_session_flip(struct zb_session *s);

/* The connection is over: analyzers end, all memory goes back; c->streams is NULL after that. */
void zb_session_end(struct zb_conn *c);

/*
 * Ends the analyzers and frees everything but the session itself, so that conn.log can still read
 * services and missed bytes; zb_session_end() follows.
 */
void zb_session_finish(struct zb_session *s);

#endif

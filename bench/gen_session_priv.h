/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_session_priv.h - a session under way, and what a profile and a kind of session implement
 *
 * A profile makes session number id; the session then builds one packet per step until it is over.
 * A step depends on the session alone, so a session is the same whatever runs beside it.
 */
#ifndef ZB_BENCH_GEN_SESSION_PRIV_H
#define ZB_BENCH_GEN_SESSION_PRIV_H

#include <assert.h>
#include <stdalign.h>

#include "bench/gen_msg.h"
#include "bench/gen_packet.h"
#include "bench/gen_rand.h"
#include "bench/gen_shape.h"
#include "bench/gen_stream.h"

#define ZB_GEN_US 1000ull
#define ZB_GEN_MS 1000000ull
#define ZB_GEN_S  1000000000ull

struct zb_gen_world;
struct zb_gen_session;

enum zb_gen_fate {
	ZB_GEN_COMPLETE,  /* opened, used, closed */
	ZB_GEN_BRIEF,	  /* the same, with nothing repeated and no acknowledgement to spare */
	ZB_GEN_NO_ANSWER, /* the SYN is repeated and never answered */
	ZB_GEN_REJECTED,  /* the SYN is answered with RST */
	ZB_GEN_RESET,	  /* one end breaks off after some messages */
};

enum zb_gen_app { ZB_GEN_HTTP, ZB_GEN_TLS, ZB_GEN_FILE, ZB_GEN_CONNECT };

struct zb_gen_tcp_conn {
	uint32_t seq[2];       /* of the next byte each end sends */
	struct zb_gen_msg msg; /* the one being sent */
	uint32_t msg_nr;       /* of the next one */
	uint32_t sent;	       /* bytes of msg that were sent */
	uint32_t exchanges;    /* of the application */
	uint16_t segment;      /* bytes of the last segment */
	uint8_t app;	       /* enum zb_gen_app */
	uint8_t fate;	       /* enum zb_gen_fate */
	uint8_t phase;	       /* enum phase in gen_tcp.c */
	uint8_t reset_at;      /* message that is cut off by a reset */
	uint8_t unacked;       /* segments since the last acknowledgement */
	uint8_t tries;	       /* SYNs sent */
	uint8_t closer;	       /* end that closes first */
	bool again;	       /* the last segment is sent once more */
};

struct zb_gen_turns {
	uint32_t turn, turn_nr;
	uint16_t id;	 /* DNS transaction, echo identifier */
	uint16_t kind;	 /* DNS: query type */
	bool unanswered; /* only end 0 speaks */
};

struct zb_gen_quic_conn {
	uint64_t secret;    /* what ids, keys and noise are made of */
	uint32_t left;	    /* bytes of the answer */
	uint32_t exchanges; /* to come */
	uint8_t phase;	    /* enum phase in gen_quic.c */
	uint8_t unacked;    /* datagrams of the answer */
};

/*
 * Four lines, as there may be a million of them: one that every step needs, one for each direction,
 * and one of the kind's own.
 */
struct zb_gen_session {
	alignas(64) uint64_t next_ns; /* packet time of the next step */
	uint64_t id;
	struct zb_gen_world *world;	  /* NULL: nothing is built */
	const struct zb_gen_shape *shape; /* NULL: all as the kind has it */
	/*
	 * Builds the next packet (f NULL: only goes on), sets next_ns for the one after; false:
	 * that was the last.
	 */
	bool (*step)(struct zb_gen_session *s, struct zb_gen_frame *f);
	struct zb_gen_rand rand;
	uint32_t rtt_ns;
	uint16_t ip_id[2];
	struct zb_gen_wire wire;
	uint16_t site; /* of the server, see gen_world.h */
	union {
		struct zb_gen_tcp_conn tcp;
		struct zb_gen_turns turns;
		struct zb_gen_quic_conn quic;
	};
};
static_assert(offsetof(struct zb_gen_session, wire.head) == 64, "a direction is a line");
static_assert(sizeof(struct zb_gen_session) == 256, "four lines");

struct zb_gen_profile {
	const char *name;
	/*
	 * Sets step and whatever it needs; the caller has set next_ns, id, world and rand, the rest
	 * is zero.
	 */
	void (*make)(struct zb_gen_session *s);
	/* Makes a session of one packet, to reach a number of packets exactly. */
	void (*make_single)(struct zb_gen_session *s);
};

/* Which sessions there are and when they begin; what gen_overlap.c makes a stream of. */
struct zb_gen_arrivals {
	/*
	 * Sets when session id begins, asked once for each id, in order; never earlier than the one
	 * before. false: there is none, and there will not be.
	 */
	bool (*begin_ns)(void *ctx, uint64_t id, uint64_t *ns);
	/*
	 * A session's last packet was at *ns: true if another one takes its place, at *ns set anew
	 * and not earlier. NULL: never.
	 */
	bool (*again)(void *ctx, uint64_t *ns);
	/* As in struct zb_gen_profile. */
	void (*make)(void *ctx, struct zb_gen_session *s);
	void (*free)(void *ctx); /* may be NULL */
	void *ctx;
	uint64_t seed;
};

/* On success the stream frees arrivals->ctx. -ENOMEM, here or from next: too much at a time. */
int zb_gen_overlap(const struct zb_gen_arrivals *arrivals, struct zb_gen_stream **out);

/* A session of which only make and next_ns are left to do. */
void zb_gen_session_init(struct zb_gen_session *s, struct zb_gen_world *world, uint64_t seed,
			 uint64_t id);

extern const struct zb_gen_profile zb_gen_profile_office, zb_gen_profile_flood, zb_gen_profile_syn;

/* gen_tcp.c */
void zb_gen_tcp_make(struct zb_gen_session *s, enum zb_gen_fate fate, enum zb_gen_app app);

/* gen_web.c: HTTP/1.1 on port 80, TLS 1.3 on port 443; gen_file.c: downloads */
zb_gen_next_msg zb_gen_http_msg, zb_gen_tls_msg, zb_gen_file_msg;

/* gen_connect.c: the least that is a connection */
zb_gen_next_msg zb_gen_connect_msg;
void zb_gen_connect_make(struct zb_gen_session *s);

/* gen_quic.c */
void zb_gen_quic_make(struct zb_gen_session *s);

/* gen_kind.c: connections with these messages, or that come to nothing */
void zb_gen_http_make(struct zb_gen_session *s);
void zb_gen_tls_make(struct zb_gen_session *s);
void zb_gen_file_make(struct zb_gen_session *s);
void zb_gen_reset_make(struct zb_gen_session *s);
void zb_gen_no_answer_make(struct zb_gen_session *s);
void zb_gen_rejected_make(struct zb_gen_session *s);

/* gen_dgram.c: sessions of a few datagrams */
void zb_gen_dns_make(struct zb_gen_session *s);
void zb_gen_ntp_make(struct zb_gen_session *s);
void zb_gen_syslog_make(struct zb_gen_session *s);
void zb_gen_echo_make(struct zb_gen_session *s);
void zb_gen_arp_make(struct zb_gen_session *s);

/* What the shape says, or else the kind's own; one draw either way, from lo to hi both included. */
static inline uint32_t zb_gen_draw_requests(struct zb_gen_session *s, uint32_t lo, uint32_t hi)
{
	if (s->shape != NULL && s->shape->requests.part_nr != 0)
		return (uint32_t)zb_gen_dist_draw(&s->shape->requests, &s->rand);
	return zb_gen_rand_between(&s->rand, lo, hi);
}

static inline uint64_t zb_gen_draw_think(struct zb_gen_session *s, uint64_t lo_ns, uint64_t hi_ns)
{
	if (s->shape != NULL && s->shape->think_ns.part_nr != 0)
		return zb_gen_dist_draw(&s->shape->think_ns, &s->rand);
	return zb_gen_rand_between(&s->rand, (uint32_t)(lo_ns / ZB_GEN_MS),
				   (uint32_t)(hi_ns / ZB_GEN_MS)) *
	       ZB_GEN_MS;
}

static inline bool zb_gen_has_size(const struct zb_gen_session *s)
{
	return s->shape != NULL && s->shape->size.part_nr != 0;
}

static inline uint32_t zb_gen_draw_size(struct zb_gen_session *s, uint32_t otherwise)
{
	return zb_gen_has_size(s) ? (uint32_t)zb_gen_dist_draw(&s->shape->size, &s->rand)
				  : otherwise;
}

/* The next packet's addressing; counts the sender's IPv4 identification on. */
static inline struct zb_gen_ip zb_gen_next_ip(struct zb_gen_session *s, unsigned from)
{
	return (struct zb_gen_ip){&s->wire, from, s->ip_id[from]++};
}

#endif

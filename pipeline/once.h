/* SPDX-License-Identifier: Apache-2.0 */
/*
 * once.h - rows that appear once for all lcores: oddities of a host, known hosts, known services,
 * tunnels
 *
 * Workers share nothing, so two of them may find the same host. What must be logged once is
 * therefore offered, with its time, to the reporter, which puts the offers of all workers in the
 * order of packet time, writes the first of each and remembers it for as long as it is to be kept
 * quiet. An offer is held back until every worker has come as far, so that the rows do not depend
 * on how packets are spread over cores.
 *
 * A worker keeps a memory of its own in front of this (struct zb_once_memory), so that what repeats
 * is not offered again and again.
 *
 * Threading: a port belongs to its worker; everything else to the reporter.
 * Ownership: the caller's; texts pointed to are literals.
 */
#ifndef ZB_PIPELINE_ONCE_H
#define ZB_PIPELINE_ONCE_H

#include <stdalign.h>
#include <stdbool.h>

#include "pipeline/logs.h"

#define ZB_ONCE_WORDS_MAX 4
#define ZB_ONCE_ADDL_MAX  48
#define ZB_ONCE_RING	  16384 /* offers a worker can be ahead of the reporter */
#define ZB_ONCE_HELD_MAX                                                         \
	(1u << 18) /* offers held for slower workers; then the oldest goes early \
		    */

enum zb_once_flag {
	ZB_ONCE_HAS_ADDRS = 1 << 0, /* addr is valid */
	ZB_ONCE_HAS_UID = 1 << 1,   /* uid_seq and ports are valid */
	ZB_ONCE_ENDED = 1 << 2,	    /* of a connection that order_ns ends: before its packets */
	ZB_ONCE_AT_END = 1 << 3,    /* of one that the end of traffic ends: after all others */
};

struct zb_once_row {
	uint64_t order_ns; /* the time at which it counts; set by zb_once_offer() when 0 */
	uint64_t ts_ns;	   /* the time that its row shows */
	uint64_t what;	   /* hash of what is to be logged once */
	uint64_t mute_ns;  /* for how long it is not to be logged again */
	uint64_t uid_seq;
	const char *peer;		     /* who found it */
	const char *word[ZB_ONCE_WORDS_MAX]; /* services */
	uint8_t addr[2][16];		     /* originator, responder; or the host */
	uint16_t port[2];
	uint16_t name;	/* weird or tunnel action, in its own enum */
	uint8_t stream; /* enum zb_log_stream */
	uint8_t ip_version, proto, flags, word_nr, type;
	char addl[ZB_ONCE_ADDL_MAX]; /* "" : none */
};

/*
 * What a worker finds again within this need not be offered again. Any longer would hide what comes
 * when the mute is over, since that may have begun with another worker's offer.
 */
#define ZB_ONCE_REPEAT_NS 1000000ull

#define ZB_ONCE_ENTRIES_MIN 8 /* looked at for each */

/* What has been seen, until when: a table of fixed size that forgets the oldest under attack. */
struct zb_once_memory {
	struct zb_once_seen {
		uint64_t what, until_ns;
	} * seen;
	uint32_t mask;	    /* entries - 1 */
	uint64_t forgotten; /* entries overwritten before their time */
};

/* entries: a power of two, ZB_ONCE_ENTRIES_MIN at least. -ENOMEM. */
int zb_once_memory_init(struct zb_once_memory *m, uint32_t entries);
void zb_once_memory_fini(struct zb_once_memory *m);

/* Remembers what until now_ns + for_ns; false when it is remembered already. */
bool zb_once_first(struct zb_once_memory *m, uint64_t what, uint64_t now_ns, uint64_t for_ns);

/* The same for times that come in any order: what is remembered from a later one does not count. */
bool zb_once_earliest(struct zb_once_memory *m, uint64_t what, uint64_t now_ns, uint64_t for_ns);

/* Would zb_once_earliest() be false for every time from from_ns to to_ns? */
bool zb_once_knows(const struct zb_once_memory *m, uint64_t what, uint64_t from_ns, uint64_t to_ns,
		   uint64_t for_ns);

struct zb_once;	     /* opaque */
struct zb_once_port; /* opaque: a worker's end */

/*
 * producer: whose log ports the reporter writes to (of `logs`); secret: of the run, for uids.
 * -ENOMEM.
 */
int zb_once_create(struct zb_log_set *logs, uint16_t worker_nr, uint16_t producer, uint64_t secret,
		   struct zb_once **out);
void zb_once_destroy(struct zb_once *o);
struct zb_once_port *zb_once_port(struct zb_once *o, uint16_t worker);

/* Worker: offers a row (copied); waits for the reporter when it is far behind. */
void zb_once_offer(struct zb_once_port *p, const struct zb_once_row *r);

/* Worker: cycles that it has waited so. */
uint64_t zb_once_waited(const struct zb_once_port *p);

/* Worker: whatever it will offer has an order_ns of now_ns at least; or it has finished. */
void zb_once_progress(struct zb_once_port *p, uint64_t now_ns);
void zb_once_finish(struct zb_once_port *p);

/*
 * Reporter: writes what all workers have passed; all that is left when they have finished. Returns
 * the most offers that one of them had made since the last time: with many of ZB_ONCE_RING, come
 * back soon.
 */
uint32_t zb_once_merge(struct zb_once *o);

/* Reporter: rows written before a slower worker had come as far, for want of room. */
uint64_t zb_once_early(const struct zb_once *o);

/* Writes the row of an offer to its log: what zb_once_merge() does with the first of each. */
void zb_once_write(struct zb_log_port *port, const struct zb_once_row *r, uint64_t secret);

#endif

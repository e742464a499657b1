/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expect.h - connections announced in another one: FTP's data connections, files sent over IRC
 *
 * An analyzer that reads who will connect to which port says so with zb_expect(). A TCP connection
 * that begins like that within five minutes gets the analyzer that was named, from its first byte
 * on and instead of those of its port (Zeek: analyzer::Manager::ScheduleAnalyzer). It may also be
 * given a note, a piece of memory that both ends share.
 *
 * An analyzer that calls zb_expect() must have .announces set in its definition: a new connection
 * then waits until what such analyzers are about to be told has been told.
 *
 * A table of one lcore, within ZB_MEM_expect; at its limit the oldest is forgotten. Several lcores
 * agree when the trace is divided so that both connections come to the same one; see capture/rss.h.
 *
 * Threading: one lcore.
 * Ownership: copied; a note belongs to all who hold it.
 */
#ifndef ZB_PIPELINE_EXPECT_H
#define ZB_PIPELINE_EXPECT_H

#include <netinet/in.h>

#include "pipeline/session.h"

#define ZB_EXPECT_NS (300 * ZB_SEC_NS)

/* What a note begins with. */
struct zb_expect_note {
	uint32_t held;
	uint32_t bytes;
};

struct zb_expect_conf {
	const uint8_t *orig;	     /* 16 bytes as zb_conn_addr(); NULL: whoever it is */
	const uint8_t *resp;	     /* the same */
	uint8_t ip_version;	     /* of both */
	uint8_t analyzer;	     /* enum zb_analyzer_id: what the connection gets */
	uint16_t port;		     /* of resp */
	struct zb_expect_note *note; /* NULL: none; the table holds it as well from now on */
};

/* From now on, for ZB_EXPECT_NS; once more for the same connection: instead of before. */
void zb_expect(struct zb_analyzer *a, const struct zb_expect_conf *conf);

/*
 * For the analyzer that was named: whether its connection is still expected, and the note (NULL:
 * none), which is valid during the call unless it is taken with zb_expect_note_hold().
 */
bool zb_expect_is(const struct zb_analyzer *a, struct zb_expect_note **note);

/*
 * The connection that was expected is over: another one like it still gets the analyzer, but is not
 * expected, until it is announced again.
 */
void zb_expect_spend(const struct zb_analyzer *a);

/* A note of bytes, zeroed behind its beginning, held once; NULL: memory is out. */
struct zb_expect_note *zb_expect_note_get(struct zb_analysis *an, uint32_t bytes);
void zb_expect_note_hold(struct zb_expect_note *note);
/* Of the last one who holds it: frees it. NULL: nothing. */
void zb_expect_note_put(struct zb_analysis *an, struct zb_expect_note *note);

/* For the engine. */

/* Whether c may be announced: it takes its first packet, and something is, or may be soon. */
static inline bool zb_expect_concerns(const struct zb_analysis *an,
				      const struct zb_delivery_list *l, const struct zb_conn *c)
{
	return c->flags & ZB_CONN_FRESH && c->key.proto == IPPROTO_TCP &&
	       (an->expect_nr != 0 || l->flags & ZB_SESSION_ANNOUNCES);
}

/*
 * Attaches what is expected of c before its first packet is taken. False: l has to be run first, as
 * it may announce c.
 */
bool zb_expect_apply(struct zb_analysis *an, const struct zb_delivery_list *l, struct zb_conn *c);
void zb_expect_destroy(struct zb_analysis *an);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_agenda.h - which session steps next: a priority queue of sessions by time, then by number
 *
 * Time only goes on: what is added is not earlier than what was first last. It costs the same
 * whether a thousand or a million sessions wait, and a session that is to step soon is on its way
 * from memory before its turn comes.
 *
 *   add --> soon: all that is not after base_ns, in order --> first
 *     |       ^
 *     +---> later: buckets by the highest digit, of 6 bits, in which a time differs from base_ns
 *
 * What is soon are a dozen or two as a rule. Should they become many, because sessions begin after
 * a silence, those beyond a bound are in a heap.
 *
 * Threading: one thread a struct.
 * Ownership: sessions stay the caller's.
 */
#ifndef ZB_BENCH_GEN_AGENDA_H
#define ZB_BENCH_GEN_AGENDA_H

#include <stddef.h>
#include <stdint.h>

#include "bench/gen_session_priv.h"

#define ZB_AGENDA_BITS	  6u
#define ZB_AGENDA_BUCKETS (1u << ZB_AGENDA_BITS)
#define ZB_AGENDA_LEVELS  11u /* 66 bits: a whole time */
#define ZB_AGENDA_ROOM	  128u

struct zb_gen_due {
	uint64_t ns;
	struct zb_gen_session *session;
};

struct zb_agenda_chunk;

struct zb_agenda_bucket {
	struct zb_agenda_chunk *chunks; /* all but the first are full */
	uint32_t first_nr;		/* sessions in the first chunk */
	uint32_t chunk_nr;
};

struct zb_gen_agenda {
	uint64_t base_ns;
	uint32_t head, tail; /* of soon: the first one, and one behind the last one */
	struct zb_gen_due soon[ZB_AGENDA_ROOM];
	struct zb_gen_due *heap; /* soon too */
	size_t heap_nr, later_nr;
	uint64_t filled[ZB_AGENDA_LEVELS]; /* a bit for each bucket that holds something */
	struct zb_agenda_bucket buckets[ZB_AGENDA_LEVELS][ZB_AGENDA_BUCKETS];
	struct zb_agenda_chunk *spare, *slabs;
	size_t chunk_nr, max; /* chunks there are; sessions there is room for */
};

/* a is zeroed; nothing will be earlier than begin_ns. */
void zb_gen_agenda_init(struct zb_gen_agenda *a, uint64_t begin_ns);
void zb_gen_agenda_fini(struct zb_gen_agenda *a);

/* Makes room for n sessions in all. -ENOMEM: there is room for as many as before. */
int zb_gen_agenda_reserve(struct zb_gen_agenda *a, size_t n);

static inline size_t zb_gen_agenda_nr(const struct zb_gen_agenda *a)
{
	return a->tail - a->head + a->heap_nr + a->later_nr;
}

/* There is room for it. */
void zb_gen_agenda_add(struct zb_gen_agenda *a, uint64_t ns, struct zb_gen_session *s);

static inline bool zb_gen_due_earlier(const struct zb_gen_due *a, const struct zb_gen_due *b)
{
	return a->ns != b->ns ? a->ns < b->ns : a->session->id < b->session->id;
}

static inline bool zb_gen_agenda_in_heap(const struct zb_gen_agenda *a)
{
	return a->heap_nr > 0 &&
	       (a->head == a->tail || zb_gen_due_earlier(&a->heap[0], &a->soon[a->head]));
}

/* What is next; there is something. */
static inline struct zb_gen_due zb_gen_agenda_first(const struct zb_gen_agenda *a)
{
	return zb_gen_agenda_in_heap(a) ? a->heap[0] : a->soon[a->head];
}

/* What was first is due at another time, not earlier; or no more. */
void zb_gen_agenda_move_first(struct zb_gen_agenda *a, uint64_t ns);
void zb_gen_agenda_drop_first(struct zb_gen_agenda *a);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_agenda.c - see gen_agenda.h
 *
 * A level of buckets is used only for times that differ from base_ns in its digit, and in no higher
 * one. So the earliest of what is later is in the first bucket, that holds anything, of the lowest
 * such level. Drawing takes that bucket: to what is soon when it is small, else into the levels
 * below, of which none holds anything then. base_ns may go on to anywhere in the bucket that was
 * taken without another session's place being wrong by that.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/gen_agenda.h"

#define CHILDREN    4u /* of a node of the heap */
#define CHUNK_DUES  15u
#define SLAB_CHUNKS 256u
#define DRAW_CHUNKS 2u	/* a bucket of no more is soon as it is */
#define SOON_MIN    12u /* as long as there are so many */
#define SOON_FRONT  32u
#define FIRST_MAX   1024u
#define LINE_BYTES  64u

struct zb_agenda_chunk {
	struct zb_agenda_chunk *next;
	uint64_t unused; /* no entry lies across two lines */
	struct zb_gen_due dues[CHUNK_DUES];
};

static void heap_add(struct zb_gen_agenda *a, struct zb_gen_due d)
{
	size_t i = a->heap_nr++;

	for (; i > 0 && zb_gen_due_earlier(&d, &a->heap[(i - 1) / CHILDREN]);
	     i = (i - 1) / CHILDREN)
		a->heap[i] = a->heap[(i - 1) / CHILDREN];
	a->heap[i] = d;
}

/* Puts d in the place of the first one. */
static void heap_replace_first(struct zb_gen_agenda *a, struct zb_gen_due d)
{
	size_t i = 0;

	for (;;) {
		size_t first = CHILDREN * i + 1, best = first;
		size_t end = first + CHILDREN < a->heap_nr ? first + CHILDREN : a->heap_nr;

		if (first >= a->heap_nr)
			break;
		for (size_t c = first + 1; c < end; c++)
			if (zb_gen_due_earlier(&a->heap[c], &a->heap[best]))
				best = c;
		if (!zb_gen_due_earlier(&a->heap[best], &d))
			break;
		a->heap[i] = a->heap[best];
		i = best;
	}
	a->heap[i] = d;
}

static void heap_drop_first(struct zb_gen_agenda *a)
{
	struct zb_gen_due last = a->heap[--a->heap_nr];

	if (a->heap_nr > 0)
		heap_replace_first(a, last);
}

/* Behind those that are earlier, as those from a bucket are as a rule. */
static void soon_add(struct zb_gen_agenda *a, struct zb_gen_due d)
{
	uint32_t i = a->tail;

	if (i == ZB_AGENDA_ROOM) {
		heap_add(a, d);
		return;
	}
	for (; i > a->head && zb_gen_due_earlier(&d, &a->soon[i - 1]); i--)
		a->soon[i] = a->soon[i - 1];
	a->soon[i] = d;
	a->tail++;
}

/* In front of those that are later; the place before the first is free. */
static void soon_add_front(struct zb_gen_agenda *a, struct zb_gen_due d)
{
	uint32_t i = --a->head;

	for (; i + 1 < a->tail && zb_gen_due_earlier(&a->soon[i + 1], &d); i++)
		a->soon[i] = a->soon[i + 1];
	a->soon[i] = d;
}

/* So that there is room at both ends. */
static void soon_centre(struct zb_gen_agenda *a)
{
	uint32_t nr = a->tail - a->head;

	memmove(a->soon + SOON_FRONT, a->soon + a->head, nr * sizeof(a->soon[0]));
	a->head = SOON_FRONT;
	a->tail = SOON_FRONT + nr;
}

static struct zb_agenda_chunk *take_chunk(struct zb_gen_agenda *a)
{
	struct zb_agenda_chunk *c = a->spare;

	assert(c != NULL);
	a->spare = c->next;
	return c;
}

static void put_chunk(struct zb_gen_agenda *a, struct zb_agenda_chunk *c)
{
	c->next = a->spare;
	a->spare = c;
}

static void later_add(struct zb_gen_agenda *a, struct zb_gen_due d)
{
	unsigned level = (63u - (unsigned)__builtin_clzll(d.ns ^ a->base_ns)) / ZB_AGENDA_BITS;
	unsigned digit = d.ns >> level * ZB_AGENDA_BITS & (ZB_AGENDA_BUCKETS - 1);
	struct zb_agenda_bucket *b = &a->buckets[level][digit];

	if (b->chunk_nr == 0 || b->first_nr == CHUNK_DUES) {
		struct zb_agenda_chunk *c = take_chunk(a);

		c->next = b->chunks;
		b->chunks = c;
		b->chunk_nr++;
		b->first_nr = 0;
		a->filled[level] |= 1ull << digit;
	}
	b->chunks->dues[b->first_nr++] = d;
	a->later_nr++;
}

static void place(struct zb_gen_agenda *a, struct zb_gen_due d)
{
	if (d.ns <= a->base_ns)
		soon_add(a, d);
	else
		later_add(a, d);
}

static void prefetch(const struct zb_gen_session *s)
{
	for (size_t at = 0; at < sizeof(*s); at += LINE_BYTES)
		__builtin_prefetch((const char *)s + at, 1);
}

static uint64_t latest(struct zb_agenda_bucket b)
{
	uint64_t ns = 0;

	for (uint32_t nr = b.first_nr; b.chunk_nr > 0; b.chunk_nr--, nr = CHUNK_DUES) {
		for (uint32_t i = 0; i < nr; i++)
			ns = b.chunks->dues[i].ns > ns ? b.chunks->dues[i].ns : ns;
		b.chunks = b.chunks->next;
	}
	return ns;
}

/* Of a bucket that was taken out. */
static void spread(struct zb_gen_agenda *a, struct zb_agenda_bucket b, bool soon)
{
	for (uint32_t nr = b.first_nr; b.chunk_nr > 0; b.chunk_nr--, nr = CHUNK_DUES) {
		struct zb_agenda_chunk *c = b.chunks;

		b.chunks = c->next;
		a->later_nr -= nr;
		for (uint32_t i = 0; i < nr; i++) {
			if (soon)
				prefetch(c->dues[i].session);
			place(a, c->dues[i]);
		}
		put_chunk(a, c);
	}
}

/* Takes the bucket with the earliest; something is later. */
static void draw(struct zb_gen_agenda *a)
{
	unsigned level = 0, digit;
	struct zb_agenda_bucket b;
	bool soon;

	while (a->filled[level] == 0)
		level++;
	digit = (unsigned)__builtin_ctzll(a->filled[level]);
	a->filled[level] &= ~(1ull << digit);
	b = a->buckets[level][digit];
	a->buckets[level][digit] = (struct zb_agenda_bucket){0};
	soon = level == 0 || b.chunk_nr <= DRAW_CHUNKS;
	if (soon) {
		a->base_ns = latest(b);
	} else {
		uint64_t above = ~0ull << level * ZB_AGENDA_BITS << ZB_AGENDA_BITS;

		a->base_ns = (a->base_ns & above) | (uint64_t)digit << level * ZB_AGENDA_BITS;
	}
	spread(a, b, soon);
}

static void fill_soon(struct zb_gen_agenda *a)
{
	while (a->tail - a->head < SOON_MIN && a->later_nr > 0) {
		soon_centre(a);
		draw(a);
	}
}

void zb_gen_agenda_init(struct zb_gen_agenda *a, uint64_t begin_ns)
{
	a->base_ns = begin_ns;
	a->head = a->tail = SOON_FRONT;
}

void zb_gen_agenda_fini(struct zb_gen_agenda *a)
{
	while (a->slabs != NULL) {
		struct zb_agenda_chunk *slab = a->slabs;

		a->slabs = slab->next;
		free(slab);
	}
	free(a->heap);
}

/* The first chunk of a slab links the slabs. */
static int add_slab(struct zb_gen_agenda *a)
{
	struct zb_agenda_chunk *slab = aligned_alloc(LINE_BYTES, SLAB_CHUNKS * sizeof(*slab));

	if (slab == NULL)
		return -ENOMEM;
	slab->next = a->slabs;
	a->slabs = slab;
	for (unsigned i = 1; i < SLAB_CHUNKS; i++)
		put_chunk(a, &slab[i]);
	a->chunk_nr += SLAB_CHUNKS - 1;
	return 0;
}

/* Every bucket may have a chunk that is not full, and one is emptied while others are filled. */
int zb_gen_agenda_reserve(struct zb_gen_agenda *a, size_t n)
{
	size_t max = a->max != 0 ? a->max : FIRST_MAX;
	struct zb_gen_due *heap;

	if (n <= a->max)
		return 0;
	while (max < n)
		max *= 2;
	while (a->chunk_nr < ZB_AGENDA_LEVELS * ZB_AGENDA_BUCKETS + max / CHUNK_DUES + 1)
		if (add_slab(a) < 0)
			return -ENOMEM;
	heap = reallocarray(a->heap, max, sizeof(a->heap[0]));
	if (heap == NULL)
		return -ENOMEM;
	a->heap = heap;
	a->max = max;
	return 0;
}

void zb_gen_agenda_add(struct zb_gen_agenda *a, uint64_t ns, struct zb_gen_session *s)
{
	struct zb_gen_due d = {ns, s};

	assert(zb_gen_agenda_nr(a) < a->max);
	if (ns <= a->base_ns && a->head > 0)
		soon_add_front(a, d);
	else
		place(a, d);
	fill_soon(a);
}

void zb_gen_agenda_drop_first(struct zb_gen_agenda *a)
{
	if (zb_gen_agenda_in_heap(a))
		heap_drop_first(a);
	else
		a->head++;
	fill_soon(a);
}

void zb_gen_agenda_move_first(struct zb_gen_agenda *a, uint64_t ns)
{
	struct zb_gen_due d = zb_gen_agenda_first(a);
	bool in_heap = zb_gen_agenda_in_heap(a);

	assert(ns >= d.ns);
	d.ns = ns;
	if (ns > a->base_ns) {
		later_add(a, d);
		zb_gen_agenda_drop_first(a);
	} else if (in_heap) {
		heap_replace_first(a, d);
	} else {
		a->head++;
		soon_add_front(a, d);
	}
}

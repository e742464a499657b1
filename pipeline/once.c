/* SPDX-License-Identifier: Apache-2.0 */
/*
 * once.c - see once.h
 *
 * Per worker a ring of offers and the time it has come to; the reporter empties the rings into a
 * heap ordered by time and, of equal times, by worker.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <rte_pause.h>

#include "pipeline/once.h"
#include "profiler/own_time.h"

#define SPINS_PER_NAP	64
#define TAKEN_AT_A_TIME 64
#define MEMORY_ENTRIES	(1u << 18) /* 4 MiB, touched as far as it is used */

struct zb_once_port {
	/* Line 0: written by the worker. */
	alignas(64) uint32_t head;
	uint64_t progress_ns;
	uint64_t wait_cycles;
	bool finished;
	/* Line 1: written by the reporter. */
	alignas(64) uint32_t tail;
	alignas(64) struct zb_once_row ring[ZB_ONCE_RING];
};

/* What decides who is first; rows are too large to move about. */
struct held {
	uint64_t order_ns;
	uint64_t nr; /* by worker, then in order: breaks ties */
	uint32_t row;
	uint8_t flags;
};

struct zb_once {
	struct zb_log_set *logs;
	uint64_t secret, early;
	uint16_t worker_nr, producer;
	struct zb_once_memory memory;
	struct held *heap; /* smallest (order_ns, nr) first */
	struct zb_once_row *row;
	uint32_t held_nr;
	uint32_t row_nr; /* ever used: behind the held ones in the heap stand the free ones */
	uint64_t taken;	 /* offers so far */
	struct zb_once_port *port;
};

int zb_once_memory_init(struct zb_once_memory *m, uint32_t entries)
{
	assert(entries >= ZB_ONCE_ENTRIES_MIN && (entries & (entries - 1)) == 0);
	m->seen = calloc(entries, sizeof(*m->seen));
	m->mask = entries - 1;
	m->forgotten = 0;
	return m->seen == NULL ? -ENOMEM : 0;
}

void zb_once_memory_fini(struct zb_once_memory *m)
{
	free(m->seen);
	m->seen = NULL;
}

/* Where what is remembered, or else the entry that would be forgotten first. */
static struct zb_once_seen *find_seen(const struct zb_once_memory *m, uint64_t what)
{
	struct zb_once_seen *victim = NULL;

	for (unsigned i = 0; i < ZB_ONCE_ENTRIES_MIN; i++) {
		struct zb_once_seen *s = &m->seen[(what + i) & m->mask];

		if (s->what == what)
			return s;
		if (victim == NULL || s->until_ns < victim->until_ns)
			victim = s;
	}
	return victim;
}

static bool remember(struct zb_once_memory *m, struct zb_once_seen *s, uint64_t what,
		     uint64_t now_ns, uint64_t for_ns)
{
	m->forgotten += s->what != what && s->until_ns > now_ns;
	s->what = what;
	s->until_ns = now_ns + for_ns;
	return true;
}

bool zb_once_first(struct zb_once_memory *m, uint64_t what, uint64_t now_ns, uint64_t for_ns)
{
	struct zb_once_seen *s = find_seen(m, what);

	if (s->what == what && s->until_ns > now_ns)
		return false;
	return remember(m, s, what, now_ns, for_ns);
}

bool zb_once_knows(const struct zb_once_memory *m, uint64_t what, uint64_t from_ns, uint64_t to_ns,
		   uint64_t for_ns)
{
	const struct zb_once_seen *s = find_seen(m, what);

	return s->what == what && s->until_ns > to_ns && s->until_ns <= from_ns + for_ns;
}

bool zb_once_earliest(struct zb_once_memory *m, uint64_t what, uint64_t now_ns, uint64_t for_ns)
{
	if (zb_once_knows(m, what, now_ns, now_ns, for_ns))
		return false;
	return remember(m, find_seen(m, what), what, now_ns, for_ns);
}

/* Room that costs nothing until it is used, and never has to be moved while a worker waits. */
static void *reserve(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	(void)madvise(p, bytes, MADV_HUGEPAGE);
	return p;
}

static void give_back(void *p, size_t bytes)
{
	if (p != NULL)
		munmap(p, bytes);
}

int zb_once_create(struct zb_log_set *logs, uint16_t worker_nr, uint16_t producer, uint64_t secret,
		   struct zb_once **out)
{
	struct zb_once *o = calloc(1, sizeof(*o));
	size_t bytes = worker_nr * sizeof(*o->port);

	if (o == NULL)
		return -ENOMEM;
	o->logs = logs;
	o->secret = secret;
	o->worker_nr = worker_nr;
	o->producer = producer;
	o->heap = reserve(ZB_ONCE_HELD_MAX * sizeof(*o->heap));
	o->row = reserve(ZB_ONCE_HELD_MAX * sizeof(*o->row));
	if (o->heap == NULL || o->row == NULL ||
	    zb_once_memory_init(&o->memory, MEMORY_ENTRIES) < 0)
		goto free_once;
	o->port = aligned_alloc(64, bytes);
	if (o->port == NULL)
		goto fini_memory;
	for (uint16_t i = 0; i < worker_nr; i++)
		memset(&o->port[i], 0, offsetof(struct zb_once_port, ring));
	*out = o;
	return 0;

fini_memory:
	zb_once_memory_fini(&o->memory);
free_once:
	give_back(o->heap, ZB_ONCE_HELD_MAX * sizeof(*o->heap));
	give_back(o->row, ZB_ONCE_HELD_MAX * sizeof(*o->row));
	free(o);
	return -ENOMEM;
}

void zb_once_destroy(struct zb_once *o)
{
	if (o == NULL)
		return;
	zb_once_memory_fini(&o->memory);
	give_back(o->heap, ZB_ONCE_HELD_MAX * sizeof(*o->heap));
	give_back(o->row, ZB_ONCE_HELD_MAX * sizeof(*o->row));
	free(o->port);
	free(o);
}

struct zb_once_port *zb_once_port(struct zb_once *o, uint16_t worker)
{
	assert(worker < o->worker_nr);
	return &o->port[worker];
}

static bool is_full(const struct zb_once_port *p)
{
	return p->head - __atomic_load_n(&p->tail, __ATOMIC_ACQUIRE) == ZB_ONCE_RING;
}

/* The reporter may need the very core that this worker spins on, hence the naps. */
static __attribute__((noinline)) void wait_for_room(struct zb_once_port *p)
{
	uint64_t since = zb_own_time_cycles();

	for (unsigned spins = 1; is_full(p); spins++) {
		if (spins % SPINS_PER_NAP == 0)
			zb_own_time_nap();
		else
			rte_pause();
	}
	p->wait_cycles += zb_own_time_cycles() - since;
}

void zb_once_offer(struct zb_once_port *p, const struct zb_once_row *r)
{
	struct zb_once_row *slot = &p->ring[p->head % ZB_ONCE_RING];

	if (is_full(p))
		wait_for_room(p);
	*slot = *r;
	/* Offers are not made in order of time: connections run ahead of what they carry. */
	if (slot->order_ns == 0)
		slot->order_ns = r->ts_ns;
	__atomic_store_n(&p->head, p->head + 1, __ATOMIC_RELEASE);
}

uint64_t zb_once_waited(const struct zb_once_port *p)
{
	return p->wait_cycles;
}

void zb_once_progress(struct zb_once_port *p, uint64_t now_ns)
{
	/* Release: offers made before this are visible to who sees it. */
	__atomic_store_n(&p->progress_ns, now_ns, __ATOMIC_RELEASE);
}

void zb_once_finish(struct zb_once_port *p)
{
	__atomic_store_n(&p->finished, true, __ATOMIC_RELEASE);
}

static bool before(const struct held *a, const struct held *b)
{
	if ((a->flags ^ b->flags) & ZB_ONCE_AT_END)
		return b->flags & ZB_ONCE_AT_END;
	if (a->order_ns != b->order_ns)
		return a->order_ns < b->order_ns;
	if ((a->flags ^ b->flags) & ZB_ONCE_ENDED)
		return a->flags & ZB_ONCE_ENDED;
	return a->nr < b->nr;
}

static bool hold(struct zb_once *o, const struct zb_once_row *r, uint64_t nr)
{
	struct held new = {.order_ns = r->order_ns, .nr = nr, .flags = r->flags};
	uint32_t i;

	if (o->held_nr == ZB_ONCE_HELD_MAX)
		return false;
	new.row = o->held_nr < o->row_nr ? o->heap[o->held_nr].row : o->row_nr++;
	o->row[new.row] = *r;
	for (i = o->held_nr++; i > 0 && before(&new, &o->heap[(i - 1) / 2]); i = (i - 1) / 2)
		o->heap[i] = o->heap[(i - 1) / 2];
	o->heap[i] = new;
	return true;
}

static struct zb_once_row take_first(struct zb_once *o)
{
	struct held first = o->heap[0], last = o->heap[--o->held_nr];
	uint32_t i = 0, child;

	for (; (child = 2 * i + 1) < o->held_nr; i = child) {
		if (child + 1 < o->held_nr && before(&o->heap[child + 1], &o->heap[child]))
			child++;
		if (!before(&o->heap[child], &last))
			break;
		o->heap[i] = o->heap[child];
	}
	o->heap[i] = last;
	o->heap[o->held_nr].row = first.row; /* whoever is held next has it */
	return o->row[first.row];
}

static uint64_t word_what(const struct zb_once_row *r, unsigned i)
{
	const char *w = r->word[i];
	uint64_t h = r->what;

	for (; *w != '\0'; w++)
		h = (h ^ (uint8_t)*w) * 0x9e3779b97f4a7c15u;
	return h ^ h >> 32;
}

/* Leaves of a service row only what is new. */
static bool is_new(struct zb_once *o, struct zb_once_row *r)
{
	unsigned kept = 0;

	if (r->word_nr == 0)
		return zb_once_first(&o->memory, r->what, r->order_ns, r->mute_ns);
	for (unsigned i = 0; i < r->word_nr; i++)
		if (zb_once_first(&o->memory, word_what(r, i), r->order_ns, r->mute_ns))
			r->word[kept++] = r->word[i];
	r->word_nr = (uint8_t)kept;
	return kept != 0;
}

static void write_new(struct zb_once *o, struct zb_once_row r)
{
	struct zb_log_port *port = zb_log_port(o->logs, r.stream, o->producer);

	if (port != NULL && is_new(o, &r))
		zb_once_write(port, &r, o->secret);
}

/* Everything a worker has offered, into the heap; returns how many those are. */
static uint32_t empty_ring(struct zb_once *o, uint16_t worker)
{
	struct zb_once_port *p = &o->port[worker];
	uint32_t head = __atomic_load_n(&p->head, __ATOMIC_ACQUIRE), tail = p->tail, was = tail;

	for (; tail != head; tail++) {
		uint64_t nr = (uint64_t)worker << 48 | o->taken++;

		if (tail % TAKEN_AT_A_TIME == 0) /* whoever waits for room goes on */
			__atomic_store_n(&p->tail, tail, __ATOMIC_RELEASE);
		if (hold(o, &p->ring[tail % ZB_ONCE_RING], nr))
			continue;
		/* No room: the oldest goes early, or this one when none is held. */
		o->early++;
		write_new(o, o->held_nr != 0 ? take_first(o) : p->ring[tail % ZB_ONCE_RING]);
		hold(o, &p->ring[tail % ZB_ONCE_RING], nr);
	}
	__atomic_store_n(&p->tail, tail, __ATOMIC_RELEASE);
	return tail - was;
}

static bool is_due(const struct held *first, uint64_t until_ns)
{
	return until_ns == UINT64_MAX ||
	       (first->order_ns < until_ns && !(first->flags & ZB_ONCE_AT_END));
}

uint32_t zb_once_merge(struct zb_once *o)
{
	uint64_t until = UINT64_MAX;
	uint32_t most = 0;

	for (uint16_t i = 0; i < o->worker_nr; i++) {
		/* First how far it is, then what it offered until then. */
		bool finished = __atomic_load_n(&o->port[i].finished, __ATOMIC_ACQUIRE);
		uint64_t at = __atomic_load_n(&o->port[i].progress_ns, __ATOMIC_ACQUIRE);

		until = !finished && at < until ? at : until;
		uint32_t n = empty_ring(o, i);

		most = n > most ? n : most;
	}
	while (o->held_nr != 0 && is_due(&o->heap[0], until))
		write_new(o, take_first(o));
	return most;
}

uint64_t zb_once_early(const struct zb_once *o)
{
	return o->early;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_overlap.c - overlapping sessions as one stream, packet by packet
 *
 * Sessions under way are in a heap of four children a node, by the time of their next packet and
 * then by number; a step takes the first, lets it build a packet, and sinks it to its new place.
 * Keys stand in the heap itself, so that sinking touches no session. Memory is taken in slabs as
 * more sessions overlap, and used again when they end.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench/gen_session_priv.h"
#include "bench/gen_world.h"

#define SLAB_BYTES (2u << 20) /* a huge page, where the kernel gives one */
#define HEAP_FIRST 1024u
#define CHILDREN   4u
#define HOT_BYTES  offsetof(struct zb_gen_session, tcp.msg.head)

struct entry {
	uint64_t next_ns, id;
	struct zb_gen_session *session;
};

struct slab {
	struct slab *next;
	struct zb_gen_session sessions[];
};

#define SLAB_SESSIONS ((SLAB_BYTES - sizeof(struct slab)) / sizeof(struct zb_gen_session))

struct overlap {
	struct zb_gen_stream stream;
	struct zb_gen_arrivals arrivals;
	uint64_t due_ns; /* when session `id` begins; UINT64_MAX: there are no more */
	uint64_t id;
	struct entry *heap;
	size_t heap_nr, heap_max;
	struct zb_gen_session *spare; /* linked by their first bytes */
	struct slab *slabs;
	size_t slab_used; /* sessions of the first slab that were ever taken */
	struct zb_gen_world world;
};

static bool earlier(const struct entry *a, const struct entry *b)
{
	return a->next_ns != b->next_ns ? a->next_ns < b->next_ns : a->id < b->id;
}

static void sift_up(struct overlap *o, struct entry e)
{
	size_t i = o->heap_nr++;

	for (; i > 0 && earlier(&e, &o->heap[(i - 1) / CHILDREN]); i = (i - 1) / CHILDREN)
		o->heap[i] = o->heap[(i - 1) / CHILDREN];
	o->heap[i] = e;
}

/* Puts e in the place of the first entry. */
static void replace_first(struct overlap *o, struct entry e)
{
	size_t i = 0;

	for (;;) {
		size_t first = CHILDREN * i + 1, best = first;
		size_t end = first + CHILDREN < o->heap_nr ? first + CHILDREN : o->heap_nr;

		if (first >= o->heap_nr)
			break;
		for (size_t c = first + 1; c < end; c++)
			if (earlier(&o->heap[c], &o->heap[best]))
				best = c;
		if (!earlier(&o->heap[best], &e))
			break;
		o->heap[i] = o->heap[best];
		i = best;
	}
	o->heap[i] = e;
}

static void put_spare(struct overlap *o, struct zb_gen_session *s)
{
	memcpy(s, &o->spare, sizeof(o->spare));
	o->spare = s;
}

static struct zb_gen_session *take_spare(struct overlap *o)
{
	struct zb_gen_session *s = o->spare;

	if (s != NULL) {
		memcpy(&o->spare, s, sizeof(o->spare));
		return s;
	}
	if (o->slabs == NULL || o->slab_used == SLAB_SESSIONS) {
		struct slab *slab = aligned_alloc(SLAB_BYTES, SLAB_BYTES);

		if (slab == NULL)
			return NULL;
		madvise(slab, SLAB_BYTES, MADV_HUGEPAGE); /* it is well without */
		slab->next = o->slabs;
		o->slabs = slab;
		o->slab_used = 0;
	}
	return &o->slabs->sessions[o->slab_used++];
}

static int grow_heap(struct overlap *o)
{
	size_t max = o->heap_max == 0 ? HEAP_FIRST : 2 * o->heap_max;
	struct entry *heap = reallocarray(o->heap, max, sizeof(o->heap[0]));

	if (heap == NULL)
		return -ENOMEM;
	o->heap = heap;
	o->heap_max = max;
	return 0;
}

static void make(struct overlap *o, struct zb_gen_session *s, uint64_t id, uint64_t begin_ns)
{
	zb_gen_session_init(s, &o->world, o->arrivals.seed, id);
	s->next_ns = begin_ns;
	o->arrivals.make(o->arrivals.ctx, s);
	o->stream.sessions++;
}

static void find_due(struct overlap *o)
{
	if (!o->arrivals.begin_ns(o->arrivals.ctx, o->id, &o->due_ns))
		o->due_ns = UINT64_MAX;
}

static int begin(struct overlap *o)
{
	struct zb_gen_session *s;

	if (o->heap_nr == o->heap_max && grow_heap(o) < 0)
		return -ENOMEM;
	s = take_spare(o);
	if (s == NULL)
		return -ENOMEM;
	make(o, s, o->id, o->due_ns);
	sift_up(o, (struct entry){s->next_ns, o->id, s});
	o->id++;
	find_due(o);
	return 0;
}

/* A session ended; another one may take its place at once. */
static void end(struct overlap *o, struct entry e)
{
	struct zb_gen_session *s = e.session;
	uint64_t begin_ns = s->next_ns;

	if (o->arrivals.again != NULL && o->arrivals.again(o->arrivals.ctx, &begin_ns)) {
		make(o, s, o->id, begin_ns);
		replace_first(o, (struct entry){s->next_ns, o->id++, s});
		return;
	}
	put_spare(o, s);
	e = o->heap[--o->heap_nr];
	if (o->heap_nr > 0)
		replace_first(o, e);
}

/* What steps next, and what may step after it, is on its way from memory while others work. */
static void prefetch(const struct overlap *o)
{
	size_t nr = o->heap_nr < 1 + CHILDREN ? o->heap_nr : 1 + CHILDREN;

	for (size_t i = 0; i < nr; i++)
		for (size_t at = 0; at < HOT_BYTES; at += 64)
			__builtin_prefetch((const char *)o->heap[i].session + at);
}

static int next(struct zb_gen_stream *self, struct zb_gen_frame *f, uint64_t *ts_ns)
{
	struct overlap *o = (struct overlap *)self;
	struct entry e;

	while (o->due_ns != UINT64_MAX && (o->heap_nr == 0 || o->due_ns <= o->heap[0].next_ns)) {
		int ret = begin(o);

		if (ret < 0)
			return ret;
	}
	if (o->heap_nr == 0)
		return 0;
	e = o->heap[0];
	*ts_ns = e.next_ns;
	if (e.session->step(e.session, f)) {
		e.next_ns = e.session->next_ns;
		replace_first(o, e);
	} else {
		end(o, e);
	}
	prefetch(o);
	return 1;
}

static void release(struct zb_gen_stream *self)
{
	struct overlap *o = (struct overlap *)self;

	while (o->slabs != NULL) {
		struct slab *slab = o->slabs;

		o->slabs = slab->next;
		free(slab);
	}
	if (o->arrivals.free != NULL)
		o->arrivals.free(o->arrivals.ctx);
	free(o->heap);
	free(o);
}

void zb_gen_session_init(struct zb_gen_session *s, const struct zb_gen_world *world, uint64_t seed,
			 uint64_t id)
{
	memset(s, 0, offsetof(struct zb_gen_session, tcp.msg.head));
	s->id = id;
	s->world = world;
	s->rand = zb_gen_rand_seed(seed, id);
}

int zb_gen_overlap(const struct zb_gen_arrivals *arrivals, struct zb_gen_stream **out)
{
	struct overlap *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return -ENOMEM;
	o->stream = (struct zb_gen_stream){.next = next, .free = release};
	o->arrivals = *arrivals;
	zb_gen_world_init(&o->world, arrivals->seed);
	find_due(o);
	*out = &o->stream;
	return 0;
}

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

#include "bench/gen_agenda.h"
#include "bench/gen_session_priv.h"
#include "bench/gen_world.h"

#define SLAB_BYTES (2u << 20) /* a huge page, where the kernel gives one */

struct slab {
	alignas(64) struct slab *next;
	struct zb_gen_session sessions[];
};

#define SLAB_SESSIONS ((SLAB_BYTES - sizeof(struct slab)) / sizeof(struct zb_gen_session))

struct overlap {
	struct zb_gen_stream stream;
	struct zb_gen_arrivals arrivals;
	uint64_t due_ns; /* when session `id` begins; UINT64_MAX: there are no more */
	uint64_t id;
	struct zb_gen_agenda agenda;
	struct zb_gen_session *spare; /* linked by their first bytes */
	struct slab *slabs;
	size_t slab_used; /* sessions of the first slab that were ever taken */
	struct zb_gen_world world;
};

static void put_spare(struct overlap *o, struct zb_gen_session *s)
{
	void *next = o->spare;

	memcpy(s, &next, sizeof(next));
	o->spare = s;
}

static struct zb_gen_session *take_spare(struct overlap *o)
{
	struct zb_gen_session *s = o->spare;

	if (s != NULL) {
		void *next;

		memcpy(&next, s, sizeof(next));
		o->spare = next;
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

	if (zb_gen_agenda_reserve(&o->agenda, zb_gen_agenda_nr(&o->agenda) + 1) < 0)
		return -ENOMEM;
	s = take_spare(o);
	if (s == NULL)
		return -ENOMEM;
	make(o, s, o->id, o->due_ns);
	zb_gen_agenda_add(&o->agenda, s->next_ns, s);
	o->id++;
	find_due(o);
	return 0;
}

/* The first session ended; another one may take its place at once. */
static void end(struct overlap *o, struct zb_gen_session *s)
{
	uint64_t begin_ns = s->next_ns;

	if (o->arrivals.again != NULL && o->arrivals.again(o->arrivals.ctx, &begin_ns)) {
		make(o, s, o->id++, begin_ns);
		zb_gen_agenda_move_first(&o->agenda, s->next_ns);
		return;
	}
	put_spare(o, s);
	zb_gen_agenda_drop_first(&o->agenda);
}

static bool begins_now(const struct overlap *o)
{
	return o->due_ns != UINT64_MAX && (zb_gen_agenda_nr(&o->agenda) == 0 ||
					   o->due_ns <= zb_gen_agenda_first(&o->agenda).ns);
}

static int next(struct zb_gen_stream *self, struct zb_gen_frame *f, uint64_t *ts_ns)
{
	struct overlap *o = (struct overlap *)self;
	struct zb_gen_session *s;

	while (begins_now(o)) {
		int ret = begin(o);

		if (ret < 0)
			return ret;
	}
	if (zb_gen_agenda_nr(&o->agenda) == 0)
		return 0;
	s = zb_gen_agenda_first(&o->agenda).session;
	*ts_ns = s->next_ns;
	if (s->step(s, f))
		zb_gen_agenda_move_first(&o->agenda, s->next_ns);
	else
		end(o, s);
	return o->world.error < 0 ? o->world.error : 1;
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
	zb_gen_agenda_fini(&o->agenda);
	zb_gen_world_fini(&o->world);
	free(o);
}

void zb_gen_session_init(struct zb_gen_session *s, struct zb_gen_world *world, uint64_t seed,
			 uint64_t id)
{
	memset(s, 0, sizeof(*s));
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
	zb_gen_agenda_init(&o->agenda, o->due_ns);
	*out = &o->stream;
	return 0;
}

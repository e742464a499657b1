/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_merge.c - several streams as one, in order of time
 *
 * The next frame of each stream waits in a slot; a binary heap orders the slots. The slot whose
 * frame was given out is refilled only when the next frame is wanted, so an error comes after the
 * frames before it.
 */
#include <errno.h>
#include <stdlib.h>

#include "bench/gen_stream.h"

struct slot {
	struct zb_gen_stream *in;
	unsigned nr; /* of the stream */
	uint64_t ts_ns;
	struct zb_gen_frame frame;
};

struct merge {
	struct zb_gen_stream stream;
	struct slot *slots;
	struct slot **heap; /* heap[0] was given out last if `given` */
	unsigned slot_nr, heap_nr;
	bool primed, given;
};

static bool earlier(const struct slot *a, const struct slot *b)
{
	return a->ts_ns != b->ts_ns ? a->ts_ns < b->ts_ns : a->nr < b->nr;
}

static void sift_down(struct merge *m, unsigned i)
{
	struct slot *s = m->heap[i];

	for (;;) {
		unsigned child = 2 * i + 1;

		if (child + 1 < m->heap_nr && earlier(m->heap[child + 1], m->heap[child]))
			child++;
		if (child >= m->heap_nr || !earlier(m->heap[child], s))
			break;
		m->heap[i] = m->heap[child];
		i = child;
	}
	m->heap[i] = s;
}

static int fill(struct merge *m, struct slot *s)
{
	uint64_t before = s->in->sessions;
	int ret = zb_gen_stream_next(s->in, &s->frame, &s->ts_ns);

	m->stream.sessions += s->in->sessions - before;
	return ret;
}

static int prime(struct merge *m)
{
	for (unsigned i = 0; i < m->slot_nr; i++) {
		int ret = fill(m, &m->slots[i]);

		if (ret < 0)
			return ret;
		if (ret > 0)
			m->heap[m->heap_nr++] = &m->slots[i];
	}
	for (unsigned i = m->heap_nr / 2; i-- > 0;)
		sift_down(m, i);
	m->primed = true;
	return 0;
}

/* Replaces what was given out last. */
static int refill(struct merge *m)
{
	int ret = fill(m, m->heap[0]);

	if (ret < 0)
		return ret;
	if (ret == 0)
		m->heap[0] = m->heap[--m->heap_nr];
	if (m->heap_nr > 0)
		sift_down(m, 0);
	m->given = false;
	return 0;
}

static int next(struct zb_gen_stream *self, struct zb_gen_frame *f, uint64_t *ts_ns)
{
	struct merge *m = (struct merge *)self;
	int ret = 0;

	if (!m->primed)
		ret = prime(m);
	else if (m->given)
		ret = refill(m);
	if (ret < 0 || m->heap_nr == 0)
		return ret;
	zb_gen_frame_copy(f, &m->heap[0]->frame);
	*ts_ns = m->heap[0]->ts_ns;
	m->given = true;
	return 1;
}

static void release(struct zb_gen_stream *self)
{
	struct merge *m = (struct merge *)self;

	for (unsigned i = 0; i < m->slot_nr; i++)
		zb_gen_stream_free(m->slots[i].in);
	free(m->slots);
	free(m->heap);
	free(m);
}

int zb_gen_merge(struct zb_gen_stream *const in[], unsigned nr, struct zb_gen_stream **out)
{
	struct merge *m;

	if (nr == 0)
		return -EINVAL;
	m = calloc(1, sizeof(*m));
	if (m == NULL)
		return -ENOMEM;
	m->slots = calloc(nr, sizeof(m->slots[0]));
	m->heap = calloc(nr, sizeof(m->heap[0]));
	if (m->slots == NULL || m->heap == NULL) {
		free(m->slots);
		free(m->heap);
		free(m);
		return -ENOMEM;
	}
	m->stream = (struct zb_gen_stream){.next = next, .free = release};
	m->slot_nr = nr;
	for (unsigned i = 0; i < nr; i++) {
		m->slots[i].in = in[i];
		m->slots[i].nr = i;
	}
	*out = &m->stream;
	return 0;
}

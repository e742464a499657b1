/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_tap_skew.c - one direction comes later, as from two ports of a tap with queues of their own
 *
 * Frames of the late direction wait in a queue, which stays in order of time because all wait
 * equally long; the next frame of the other direction waits in front of them.
 */
#include <errno.h>
#include <stdlib.h>

#include "bench/gen_tap_priv.h"
#include "profiler/diag.h"

#define SLAB_FRAMES 64u
#define SLABS_MAX   8192u /* 1 GiB */

struct waiting {
	struct waiting *next;
	uint64_t ts_ns;
	struct zb_gen_frame frame;
};

struct slab {
	struct slab *next;
	struct waiting frames[SLAB_FRAMES];
};

struct skew {
	struct zb_gen_stream stream;
	struct zb_gen_stream *in;
	struct zb_tap_count *count;
	enum zb_link link;
	enum zb_tap_way late;
	uint64_t skew_ns;
	struct waiting *ahead; /* in time, NULL: to be pulled */
	struct waiting *first, **last;
	struct waiting *spare;
	struct slab *slabs;
	unsigned slab_nr;
	bool over; /* `in` has ended */
};

static struct waiting *take(struct skew *s)
{
	struct waiting *w = s->spare;

	if (w == NULL) {
		struct slab *slab = s->slab_nr < SLABS_MAX ? malloc(sizeof(*slab)) : NULL;

		if (slab == NULL) {
			zb_err("skew: more than %u frames are under way; give a smaller skew",
			       s->slab_nr * SLAB_FRAMES);
			return NULL;
		}
		s->slab_nr++;
		slab->next = s->slabs;
		s->slabs = slab;
		for (unsigned i = 0; i < SLAB_FRAMES; i++) {
			slab->frames[i].next = s->spare;
			s->spare = &slab->frames[i];
		}
		w = s->spare;
	}
	s->spare = w->next;
	w->next = NULL;
	return w;
}

/* Pulls until there is a frame in time, or no more. */
static int pull(struct skew *s)
{
	while (s->ahead == NULL && !s->over) {
		struct waiting *w = take(s);
		struct zb_tap_flow flow;
		int ret;

		if (w == NULL)
			return -ENOMEM;
		ret = zb_gen_stream_next(s->in, &w->frame, &w->ts_ns);
		s->stream.sessions = s->in->sessions;
		if (ret <= 0) {
			w->next = s->spare;
			s->spare = w;
			s->over = true;
			if (ret < 0)
				return ret;
			break;
		}
		zb_tap_flow_of(s->link, &w->frame, &flow);
		if (flow.way != s->late) {
			s->ahead = w;
			break;
		}
		w->ts_ns += s->skew_ns;
		s->count->skewed++;
		*s->last = w;
		s->last = &w->next;
		if (s->first->ts_ns <= w->ts_ns - s->skew_ns)
			break; /* the first is due, whatever comes */
	}
	return 0;
}

static int next(struct zb_gen_stream *self, struct zb_gen_frame *f, uint64_t *ts_ns)
{
	struct skew *s = (struct skew *)self;
	struct waiting *w;
	int ret = pull(s);

	if (ret < 0)
		return ret;
	if (s->first != NULL && (s->ahead == NULL || s->first->ts_ns <= s->ahead->ts_ns)) {
		w = s->first;
		s->first = w->next;
		if (s->first == NULL)
			s->last = &s->first;
	} else if (s->ahead != NULL) {
		w = s->ahead;
		s->ahead = NULL;
	} else {
		return 0;
	}
	zb_gen_frame_copy(f, &w->frame);
	*ts_ns = w->ts_ns;
	w->next = s->spare;
	s->spare = w;
	return 1;
}

static void release(struct zb_gen_stream *self)
{
	struct skew *s = (struct skew *)self;

	while (s->slabs != NULL) {
		struct slab *slab = s->slabs;

		s->slabs = slab->next;
		free(slab);
	}
	zb_gen_stream_free(s->in);
	free(s);
}

int zb_tap_skew(struct zb_gen_stream *in, const struct zb_tap_conf *conf,
		struct zb_tap_count *count, struct zb_gen_stream **out)
{
	struct skew *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return -ENOMEM;
	s->stream = (struct zb_gen_stream){.next = next, .free = release};
	s->in = in;
	s->count = count;
	s->link = conf->link;
	s->late = conf->skew_ns > 0 ? ZB_TAP_IN : ZB_TAP_OUT;
	s->skew_ns = (uint64_t)llabs(conf->skew_ns);
	s->last = &s->first;
	*out = &s->stream;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_tap_order.c - some frames are given after later ones of their flow and direction
 *
 * A window of frames is kept; `order` names them by their places in `slots`. The frame in front is
 * given next, or moved behind the frame that is to pass it and given that one's time, so that times
 * never run back. When a frame enters the window, the last one of its flow there learns that it has
 * a successor; only such a frame can be moved. A move that no frame was fit for waits for the next
 * that is, so the rate holds as long as there are any.
 */
#include <errno.h>
#include <stdlib.h>

#include "bench/gen_tap_priv.h"

#define ROOM	   ZB_TAP_REORDER_ROOM
#define TABLE	   4096u
#define RAND_ORDER 3

struct held {
	uint64_t ts_ns, key;
	bool passable; /* a later frame of its flow and direction is in the window */
	bool drawn;    /* for it the dice have been thrown */
	bool fixed;    /* was moved, or is to pass one that was */
	struct zb_gen_frame frame;
};

struct order {
	struct zb_gen_stream stream;
	struct zb_gen_stream *in;
	struct zb_tap_count *count;
	struct zb_tap_conf conf;
	struct zb_gen_rand rand;
	uint64_t due;		   /* moves that wait for a frame */
	uint16_t first, nr;	   /* of order[], which goes round */
	bool over;		   /* `in` has ended ... */
	int last;		   /* ... with this */
	uint16_t order[ROOM];	   /* places in slots[] */
	uint16_t free_slots[ROOM]; /* a stack */
	uint16_t free_nr;
	uint16_t
		last_of_flow[TABLE]; /* place in slots[]; checked against key, as it may be stale */
	struct held slots[ROOM];
};

static struct held *at(struct order *o, unsigned i)
{
	return &o->slots[o->order[(o->first + i) % ROOM]];
}

static void fill(struct order *o)
{
	while (o->nr < ROOM && !o->over) {
		uint16_t place = o->free_slots[o->free_nr - 1];
		struct held *h = &o->slots[place];
		struct zb_tap_flow flow;
		uint16_t *last;

		o->last = zb_gen_stream_next(o->in, &h->frame, &h->ts_ns);
		o->stream.sessions = o->in->sessions;
		if (o->last <= 0) {
			o->over = true;
			return;
		}
		zb_tap_flow_of(o->conf.link, &h->frame, &flow);
		h->key = flow.key;
		h->passable = h->drawn = h->fixed = false;
		if (flow.key != 0) {
			last = &o->last_of_flow[flow.key / 2 % TABLE];
			if (o->slots[*last].key == flow.key && *last != place)
				o->slots[*last].passable = true;
			*last = place;
		}
		o->free_nr--;
		o->order[(o->first + o->nr++) % ROOM] = place;
	}
}

/* Where the depth-th later frame of the flow of the one in front is, in order; 0: nowhere. */
static unsigned find_passer(struct order *o)
{
	const struct held *h = at(o, 0);
	unsigned found = 0;

	for (unsigned i = 1; i < o->nr; i++) {
		const struct held *later = at(o, i);

		if (later->ts_ns > h->ts_ns + ZB_TAP_REORDER_NS)
			return 0;
		if (later->key == h->key && !later->fixed && ++found == o->conf.depth)
			return i;
	}
	return 0;
}

/* Moves the frame in front behind the depth-th later one of its flow; false: there is none. */
static bool move_first(struct order *o)
{
	struct held *h = at(o, 0);
	uint16_t place = o->order[o->first];
	unsigned i = find_passer(o);

	if (i == 0)
		return false;
	h->ts_ns = at(o, i)->ts_ns;
	h->fixed = true;
	for (unsigned k = 0; k < i; k++) {
		o->order[(o->first + k) % ROOM] = o->order[(o->first + k + 1) % ROOM];
		if (at(o, k)->key == h->key)
			at(o, k)->fixed = true;
	}
	o->order[(o->first + i) % ROOM] = place;
	return true;
}

/* Throws the dice for the frame in front; true: another one is there now. */
static bool draw(struct order *o)
{
	struct held *h = at(o, 0);

	h->drawn = true;
	o->due += zb_gen_rand_u64(&o->rand) < o->conf.reorder;
	if (o->due == 0 || !h->passable || h->fixed || !move_first(o))
		return false;
	o->due--;
	o->count->reordered++;
	return true;
}

static int next(struct zb_gen_stream *self, struct zb_gen_frame *f, uint64_t *ts_ns)
{
	struct order *o = (struct order *)self;
	struct held *h;

	fill(o);
	if (o->nr == 0)
		return o->last;
	while (!at(o, 0)->drawn && draw(o))
		;
	h = at(o, 0);
	zb_gen_frame_copy(f, &h->frame);
	*ts_ns = h->ts_ns;
	h->key = 0;
	o->free_slots[o->free_nr++] = o->order[o->first];
	o->first = (uint16_t)((o->first + 1) % ROOM);
	o->nr--;
	o->count->not_reordered = o->due;
	return 1;
}

static void release(struct zb_gen_stream *self)
{
	zb_gen_stream_free(((struct order *)self)->in);
	free(self);
}

int zb_tap_order(struct zb_gen_stream *in, const struct zb_tap_conf *conf,
		 struct zb_tap_count *count, struct zb_gen_stream **out)
{
	struct order *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return -ENOMEM;
	o->stream = (struct zb_gen_stream){.next = next, .free = release};
	o->in = in;
	o->count = count;
	o->conf = *conf;
	o->rand = zb_gen_rand_seed(conf->seed, UINT64_MAX - RAND_ORDER);
	for (uint16_t i = 0; i < ROOM; i++)
		o->free_slots[o->free_nr++] = (uint16_t)(ROOM - 1 - i);
	*out = &o->stream;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_tap.c - one way, loss and duplicates, decided frame by frame; and how the filters are put
 * together
 *
 * Loss in bursts is Gilbert's: from good to bad with a probability of loss / (burst * (1 - loss)),
 * back with 1 / burst, and what comes while it is bad is lost. So `loss` of all frames are lost, in
 * rows of `burst` on average.
 */
#include <errno.h>
#include <stdlib.h>

#include "bench/gen_tap_priv.h"

/* Numbers that tell the random sequences apart. */
enum { RAND_LOSS = 1, RAND_DUPLICATE };

struct drop {
	struct zb_gen_stream stream;
	struct zb_gen_stream *in;
	struct zb_tap_conf conf;
	struct zb_tap_count *count;
	struct zb_gen_rand loss, duplicate;
	uint64_t enter, leave; /* of the bad state */
	bool bad, was_lost;
	bool again; /* `twin` is to be given next */
	uint64_t twin_ns;
	struct zb_gen_frame twin;
};

/* The last of the filters: the snap length, and the frames that were captured. */
struct snap {
	struct zb_gen_stream stream;
	struct zb_gen_stream *in;
	uint32_t snaplen;
	struct zb_tap_count *count;
};

static bool is_lost(struct drop *d)
{
	const struct zb_tap_conf *c = &d->conf;
	uint64_t dice;

	if (c->loss == 0)
		return false;
	dice = zb_gen_rand_u64(&d->loss);
	if (c->burst == 0)
		return dice < c->loss;
	d->bad = d->bad ? dice >= d->leave : dice < d->enter;
	return d->bad;
}

/* Is the frame captured? */
static bool passes(struct drop *d, const struct zb_gen_frame *f)
{
	struct zb_tap_count *n = d->count;

	n->offered++;
	if (d->conf.only != ZB_TAP_BOTH) {
		struct zb_tap_flow flow;

		zb_tap_flow_of(d->conf.link, f, &flow);
		if (flow.way != ZB_TAP_BOTH && flow.way != d->conf.only) {
			n->other_way++;
			return false;
		}
	}
	if (is_lost(d)) {
		n->lost++;
		n->lost_bytes += f->len + f->cut_len;
		n->bursts += !d->was_lost;
		d->was_lost = true;
		return false;
	}
	d->was_lost = false;
	return true;
}

static int next_kept(struct zb_gen_stream *self, struct zb_gen_frame *f, uint64_t *ts_ns)
{
	struct drop *d = (struct drop *)self;
	int ret;

	if (d->again) {
		zb_gen_frame_copy(f, &d->twin);
		*ts_ns = d->twin_ns;
		d->again = false;
		return 1;
	}
	do {
		ret = zb_gen_stream_next(d->in, f, ts_ns);
		self->sessions = d->in->sessions;
		if (ret <= 0)
			return ret;
	} while (!passes(d, f));
	if (d->conf.duplicate != 0 && zb_gen_rand_u64(&d->duplicate) < d->conf.duplicate) {
		zb_gen_frame_copy(&d->twin, f);
		d->twin_ns = *ts_ns;
		d->again = true;
		d->count->duplicated++;
	}
	return 1;
}

static void free_drop(struct zb_gen_stream *self)
{
	zb_gen_stream_free(((struct drop *)self)->in);
	free(self);
}

static int open_drop(struct zb_gen_stream *in, const struct zb_tap_conf *conf,
		     struct zb_tap_count *count, struct zb_gen_stream **out)
{
	struct drop *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return -ENOMEM;
	d->stream = (struct zb_gen_stream){.next = next_kept, .free = free_drop};
	d->in = in;
	d->conf = *conf;
	d->count = count;
	d->loss = zb_gen_rand_seed(conf->seed, UINT64_MAX - RAND_LOSS);
	d->duplicate = zb_gen_rand_seed(conf->seed, UINT64_MAX - RAND_DUPLICATE);
	if (conf->burst != 0) {
		unsigned __int128 one = (unsigned __int128)1 << 64;
		unsigned __int128 enter =
			((unsigned __int128)conf->loss << 64) / (conf->burst * (one - conf->loss));

		d->enter = enter < one ? (uint64_t)enter : UINT64_MAX;
		d->leave = UINT64_MAX / conf->burst;
	}
	*out = &d->stream;
	return 0;
}

static int next_cut(struct zb_gen_stream *self, struct zb_gen_frame *f, uint64_t *ts_ns)
{
	struct snap *s = (struct snap *)self;
	int ret = zb_gen_stream_next(s->in, f, ts_ns);

	self->sessions = s->in->sessions;
	if (ret <= 0)
		return ret;
	s->count->given++;
	if (s->snaplen != 0 && f->len > s->snaplen) {
		f->cut_len += f->len - s->snaplen;
		f->len = s->snaplen;
		s->count->cut++;
	}
	return 1;
}

static void free_snap(struct zb_gen_stream *self)
{
	zb_gen_stream_free(((struct snap *)self)->in);
	free(self);
}

static int open_snap(struct zb_gen_stream *in, const struct zb_tap_conf *conf,
		     struct zb_tap_count *count, struct zb_gen_stream **out)
{
	struct snap *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return -ENOMEM;
	s->stream = (struct zb_gen_stream){.next = next_cut, .free = free_snap};
	s->in = in;
	s->snaplen = conf->snaplen;
	s->count = count;
	*out = &s->stream;
	return 0;
}

int zb_tap_open(struct zb_gen_stream *in, const struct zb_tap_conf *conf,
		struct zb_tap_count *count, struct zb_gen_stream **out)
{
	struct zb_gen_stream *top = in, *first = NULL;
	int ret;

	*count = (struct zb_tap_count){0};
	ret = open_drop(top, conf, count, &first);
	if (ret == 0)
		top = first;
	if (ret == 0 && conf->reorder != 0)
		ret = zb_tap_order(top, conf, count, &top);
	if (ret == 0 && conf->skew_ns != 0)
		ret = zb_tap_skew(top, conf, count, &top);
	if (ret == 0)
		ret = open_snap(top, conf, count, &top);
	if (ret < 0) {
		if (first != NULL)
			((struct drop *)first)->in = NULL; /* stays the caller's */
		zb_gen_stream_free(first != NULL ? top : NULL);
		return ret;
	}
	*out = top;
	return 0;
}

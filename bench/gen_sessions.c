/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_sessions.c - the profiles that are part of the program: their sessions, and when they begin
 *
 * Sessions begin in the order of their numbers, evenly over the duration with some jitter.
 */
#include <errno.h>
#include <stdlib.h>

#include "bench/gen_session_priv.h"
#include "bench/gen_sessions.h"
#include "bench/gen_world.h"

#define PROFILE_NR 3

static const struct zb_gen_profile *const profiles[PROFILE_NR] = {
	&zb_gen_profile_flood,
	&zb_gen_profile_office,
	&zb_gen_profile_syn,
};

const char *const zb_gen_profile_names[PROFILE_NR + 1] = {"flood", "office", "syn", NULL};

struct plan {
	struct zb_gen_conf conf;
	const struct zb_gen_profile *profile;
	uint64_t sessions, singles_from; /* sessions from this number on have one packet */
	uint64_t step_ns, step_rest;	 /* duration over sessions */
};

static bool begin_ns(void *ctx, uint64_t id, uint64_t *ns)
{
	const struct plan *p = ctx;
	struct zb_gen_rand r = zb_gen_rand_seed(~p->conf.seed, id);
	uint64_t round = 0;

	if (id >= p->sessions) {
		if (!p->conf.endless)
			return false;
		round = id / p->sessions;
		id %= p->sessions;
	}
	/* id * duration / sessions without overflow: id < sessions <= 2^32 */
	*ns = ZB_GEN_EPOCH_NS + round * p->conf.duration_ns + id * p->step_ns +
	      id * p->step_rest / p->sessions;
	if (p->step_ns != 0)
		*ns += zb_gen_rand_u64(&r) % p->step_ns;
	return true;
}

static void make(void *ctx, struct zb_gen_session *s)
{
	const struct plan *p = ctx;

	if (s->id < p->singles_from)
		p->profile->make(s);
	else
		p->profile->make_single(s);
}

/*
 * How many sessions have conf.packets packets together: runs them dry, one after the other, and
 * fills up with sessions of one packet. A session's packets do not depend on when it begins.
 */
static void count_sessions(struct plan *p)
{
	struct zb_gen_session *s = &(struct zb_gen_session){0};
	uint64_t packets = 0, id = 0;

	zb_gen_names_init();
	p->singles_from = UINT64_MAX;
	for (; packets < p->conf.packets; id++) {
		uint64_t n = 1;

		zb_gen_session_init(s, NULL, p->conf.seed, id);
		s->next_ns = ZB_GEN_EPOCH_NS;
		make(p, s);
		while (s->step(s, NULL))
			n++;
		if (n > p->conf.packets - packets)
			break;
		packets += n;
	}
	p->singles_from = id;
	p->sessions = id + (p->conf.packets - packets);
}

int zb_gen_sessions_open(const struct zb_gen_conf *conf, struct zb_gen_stream **out)
{
	struct zb_gen_arrivals arrivals = {
		.begin_ns = begin_ns, .make = make, .free = free, .seed = conf->seed};
	struct plan *p;
	int ret;

	if (conf->profile >= PROFILE_NR || (conf->sessions == 0) == (conf->packets == 0) ||
	    conf->sessions > ZB_GEN_SESSION_MAX || conf->packets > ZB_GEN_SESSION_MAX)
		return -EINVAL;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return -ENOMEM;
	p->conf = *conf;
	p->profile = profiles[conf->profile];
	p->sessions = p->singles_from = conf->sessions;
	if (conf->endless)
		p->singles_from = UINT64_MAX;
	if (conf->sessions == 0)
		count_sessions(p);
	p->step_ns = conf->duration_ns / p->sessions;
	p->step_rest = conf->duration_ns % p->sessions;
	arrivals.ctx = p;
	ret = zb_gen_overlap(&arrivals, out);
	if (ret < 0)
		free(p);
	return ret;
}

int zb_gen_pump(struct zb_gen_stream *s, zb_gen_put_frame *put, void *sink,
		struct zb_gen_total *out)
{
	struct zb_gen_frame *f = malloc(sizeof(*f));
	struct zb_gen_total t = {0};
	uint64_t ts_ns;
	int ret;

	if (f == NULL)
		return -ENOMEM;
	while ((ret = zb_gen_stream_next(s, f, &ts_ns)) > 0) {
		if (t.packets == 0)
			t.first_ns = ts_ns;
		t.last_ns = ts_ns;
		t.packets++;
		t.bytes += f->len + f->cut_len;
		ret = put(sink, ts_ns, f);
		if (ret != 0)
			break;
	}
	free(f);
	if (ret != 0)
		return ret;
	t.sessions = s->sessions;
	*out = t;
	return 0;
}

struct bytes_sink {
	zb_gen_put *put;
	void *sink;
};

static int put_bytes(void *sink, uint64_t ts_ns, const struct zb_gen_frame *f)
{
	const struct bytes_sink *b = sink;

	return b->put(b->sink, ts_ns, zb_gen_frame_bytes(f), f->len);
}

int zb_gen_run(const struct zb_gen_conf *conf, zb_gen_put *put, void *sink,
	       struct zb_gen_total *out)
{
	struct bytes_sink bytes = {put, sink};
	struct zb_gen_stream *s;
	int ret = zb_gen_sessions_open(conf, &s);

	if (ret < 0)
		return ret;
	ret = zb_gen_pump(s, put_bytes, &bytes, out);
	zb_gen_stream_free(s);
	return ret;
}

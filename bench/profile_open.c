/* SPDX-License-Identifier: Apache-2.0 */
/* profile_open.c - the streams of a profile, merged, and no more of them than was asked for */
#include <errno.h>
#include <stdlib.h>

#include "bench/profile_priv.h"

struct whole {
	struct zb_gen_stream stream;
	struct zb_gen_stream *in;
	struct zb_profile *profile;
	uint64_t packets; /* that may still come */
	struct zb_profile_budget budget;
};

static int next(struct zb_gen_stream *self, struct zb_gen_frame *f, uint64_t *ts_ns)
{
	struct whole *w = (struct whole *)self;
	int ret;

	if (w->packets == 0)
		return 0;
	ret = zb_gen_stream_next(w->in, f, ts_ns);
	self->sessions = w->in->sessions;
	w->packets--;
	return ret;
}

static void release(struct zb_gen_stream *self)
{
	struct whole *w = (struct whole *)self;

	zb_gen_stream_free(w->in);
	zb_profile_free(w->profile);
	free(w);
}

static int open_streams(struct whole *w, const struct zb_gen_conf *limit)
{
	struct zb_gen_stream *in[ZB_PROFILE_STREAMS_MAX];
	unsigned nr = 0;
	int ret = 0;

	for (; ret == 0 && nr < w->profile->stream_nr; nr++) {
		const struct zb_profile_stream *s = &w->profile->streams[nr];
		struct zb_gaps_conf gaps = s->gaps;

		if (gaps.until_ns > limit->duration_ns)
			gaps.until_ns = limit->duration_ns;
		gaps.from_ns += ZB_GEN_EPOCH_NS;
		gaps.until_ns += ZB_GEN_EPOCH_NS;
		gaps.seed = limit->seed + nr * 0x632be59bd9b4e019ull;
		ret = s->is_sessions ? zb_profile_open_sessions(s, &gaps, &w->budget, &in[nr])
				     : zb_profile_open_packets(s, &gaps, &in[nr]);
		if (ret < 0)
			break;
	}
	if (ret == 0 && nr == 1) {
		w->in = in[0];
		return 0;
	}
	if (ret == 0)
		ret = zb_gen_merge(in, nr, &w->in);
	if (ret < 0)
		while (nr > 0)
			zb_gen_stream_free(in[--nr]);
	return ret;
}

int zb_profile_open(struct zb_profile *p, const struct zb_gen_conf *limit,
		    struct zb_gen_stream **out)
{
	struct whole *w = calloc(1, sizeof(*w));
	int ret;

	if (w == NULL)
		return -ENOMEM;
	w->stream = (struct zb_gen_stream){.next = next, .free = release};
	w->profile = p;
	w->packets = limit->packets != 0 ? limit->packets : UINT64_MAX;
	w->budget.sessions = limit->sessions != 0 ? limit->sessions : UINT64_MAX;
	ret = open_streams(w, limit);
	if (ret < 0) {
		free(w);
		return ret;
	}
	*out = &w->stream;
	return 0;
}

void zb_profile_free(struct zb_profile *p)
{
	if (p == NULL)
		return;
	for (unsigned i = 0; i < p->stream_nr; i++) {
		struct zb_profile_sessions *s = &p->streams[i].sessions;

		for (uint32_t k = 0; p->streams[i].is_sessions && k < s->kind_nr; k++) {
			zb_gen_pick_fini(&s->shapes[k].requests.pick);
			zb_gen_pick_fini(&s->shapes[k].size.pick);
			zb_gen_pick_fini(&s->shapes[k].rtt_ns.pick);
			zb_gen_pick_fini(&s->shapes[k].think_ns.pick);
		}
	}
	free(p);
}

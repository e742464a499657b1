/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_sessions.c - merges the packets of overlapping sessions into one sequence in order of time
 *
 * Sessions begin in the order of their numbers, evenly over the duration with some jitter. Those
 * under way are in a binary heap; a step takes the first, lets it build a packet, and sinks it to
 * its new place.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

struct merge {
	const struct zb_gen_conf *conf;
	const struct zb_gen_profile *profile;
	struct zb_gen_world world;
	uint64_t sessions, singles_from; /* sessions from this number on have one packet */
	struct zb_gen_session **heap, **spare;
	size_t heap_nr, heap_max, spare_nr;
	struct zb_gen_frame frame;
};

/* When session id begins; never decreases with id. */
static uint64_t begin_ns(const struct merge *m, uint64_t id)
{
	uint64_t d = m->conf->duration_ns, n = m->sessions;
	uint64_t step = d / n;
	struct zb_gen_rand r = zb_gen_rand_seed(~m->conf->seed, id);

	/* id * d / n without overflow: id < n <= 2^32 */
	return ZB_GEN_EPOCH_NS + id * step + id * (d % n) / n +
	       (step != 0 ? zb_gen_rand_u64(&r) % step : 0);
}

static void make(struct merge *m, struct zb_gen_session *s, uint64_t id)
{
	memset(s, 0, sizeof(*s));
	s->id = id;
	s->next_ns = begin_ns(m, id);
	s->world = &m->world;
	s->rand = zb_gen_rand_seed(m->conf->seed, id);
	if (id < m->singles_from)
		m->profile->make(s);
	else
		m->profile->make_single(s);
}

static bool earlier(const struct zb_gen_session *a, const struct zb_gen_session *b)
{
	return a->next_ns != b->next_ns ? a->next_ns < b->next_ns : a->id < b->id;
}

static void sift_up(struct merge *m, size_t i)
{
	struct zb_gen_session *s = m->heap[i];

	for (; i > 0 && earlier(s, m->heap[(i - 1) / 2]); i = (i - 1) / 2)
		m->heap[i] = m->heap[(i - 1) / 2];
	m->heap[i] = s;
}

static void sift_down(struct merge *m)
{
	struct zb_gen_session *s = m->heap[0];
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < m->heap_nr && earlier(m->heap[child + 1], m->heap[child]))
			child++;
		if (child >= m->heap_nr || !earlier(m->heap[child], s))
			break;
		m->heap[i] = m->heap[child];
		i = child;
	}
	m->heap[i] = s;
}

/*
 * Room for one more session; heap and spare list grow together, so that a session that ends always
 * fits.
 */
static int grow(struct merge *m)
{
	size_t max = m->heap_max == 0 ? 1024 : 2 * m->heap_max;
	struct zb_gen_session **p;

	if (m->heap_nr + m->spare_nr < m->heap_max)
		return 0;
	p = reallocarray(m->heap, max, sizeof(struct zb_gen_session *));
	if (p == NULL)
		return -ENOMEM;
	m->heap = p;
	p = reallocarray(m->spare, max, sizeof(struct zb_gen_session *));
	if (p == NULL)
		return -ENOMEM;
	m->spare = p;
	m->heap_max = max;
	return 0;
}

static int begin(struct merge *m, uint64_t id)
{
	struct zb_gen_session *s;

	if (m->spare_nr > 0) {
		s = m->spare[--m->spare_nr];
	} else {
		if (grow(m) < 0)
			return -ENOMEM;
		s = malloc(sizeof(*s));
		if (s == NULL)
			return -ENOMEM;
	}
	make(m, s, id);
	m->heap[m->heap_nr] = s;
	sift_up(m, m->heap_nr++);
	return 0;
}

/* Writes the packet that is due first. */
static int step(struct merge *m, zb_gen_put *put, void *sink, struct zb_gen_total *t)
{
	struct zb_gen_session *s = m->heap[0];
	uint64_t ts_ns = s->next_ns;
	bool more = s->step(s, &m->frame);

	if (!more) {
		m->spare[m->spare_nr++] = s;
		m->heap[0] = m->heap[--m->heap_nr];
	}
	if (m->heap_nr > 0)
		sift_down(m);
	if (t->packets == 0)
		t->first_ns = ts_ns;
	t->last_ns = ts_ns;
	t->packets++;
	t->bytes += m->frame.len;
	return put(sink, ts_ns, m->frame.data, m->frame.len);
}

static int merge(struct merge *m, zb_gen_put *put, void *sink, struct zb_gen_total *t)
{
	uint64_t id = 0, due_ns = begin_ns(m, 0);
	int ret = 0;

	while (ret == 0 && (id < m->sessions || m->heap_nr > 0)) {
		if (id < m->sessions && (m->heap_nr == 0 || due_ns <= m->heap[0]->next_ns)) {
			ret = begin(m, id++);
			due_ns = id < m->sessions ? begin_ns(m, id) : UINT64_MAX;
		} else {
			ret = step(m, put, sink, t);
		}
	}
	t->sessions = id;
	return ret;
}

/*
 * How many sessions have conf->packets packets together: runs them dry, one after the other, and
 * fills up with sessions of one packet. A session's packets do not depend on when it begins.
 */
static void count_sessions(struct merge *m)
{
	struct zb_gen_session *s = &(struct zb_gen_session){0};
	uint64_t packets = 0, id = 0;

	m->sessions = m->singles_from = UINT64_MAX;
	for (; packets < m->conf->packets; id++) {
		uint64_t n = 1;

		make(m, s, id);
		while (s->step(s, NULL))
			n++;
		if (n > m->conf->packets - packets)
			break;
		packets += n;
	}
	m->singles_from = id;
	m->sessions = id + (m->conf->packets - packets);
}

int zb_gen_run(const struct zb_gen_conf *conf, zb_gen_put *put, void *sink,
	       struct zb_gen_total *out)
{
	struct zb_gen_total total = {0};
	struct merge *m;
	int ret;

	if (conf->profile >= PROFILE_NR || (conf->sessions == 0) == (conf->packets == 0) ||
	    conf->sessions > ZB_GEN_SESSION_MAX || conf->packets > ZB_GEN_SESSION_MAX)
		return -EINVAL;
	m = calloc(1, sizeof(*m));
	if (m == NULL)
		return -ENOMEM;
	m->conf = conf;
	m->profile = profiles[conf->profile];
	zb_gen_world_init(&m->world, conf->seed);
	m->sessions = m->singles_from = conf->sessions;
	if (conf->sessions == 0)
		count_sessions(m);
	ret = merge(m, put, sink, &total);
	if (ret == 0)
		*out = total;

	while (m->heap_nr > 0)
		free(m->heap[--m->heap_nr]);
	while (m->spare_nr > 0)
		free(m->spare[--m->spare_nr]);
	free(m->heap);
	free(m->spare);
	free(m);
	return ret;
}

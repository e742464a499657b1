/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attack_stream.c - attacks as streams: alone, or mixed into clean traffic at a share
 *
 * In a mix, every clean frame gives each attack a credit of its share in proportion to the clean
 * one's; what has a credit of one or more is sent before the next clean frame, at equal distances.
 * So the shares are right from the first packets on, whatever the pace of the clean traffic is. An
 * attack's own pace does not count then; what it says about wrong time stamps does.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "bench/attack.h"
#include "bench/gen_sessions.h"
#include "bench/gen_stream.h"

struct alone {
	struct zb_gen_stream stream;
	struct zb_attack_gen *g;
	uint64_t left, duration_ns;
};

struct mix {
	struct zb_gen_stream stream;
	struct zb_gen_stream *clean;
	struct zb_attack_gen *g[ZB_ATTACK_MIX_MAX];
	double credit[ZB_ATTACK_MIX_MAX], step[ZB_ATTACK_MIX_MAX];
	unsigned nr;
	uint64_t at_ns, gap_ns; /* of the next frame of an attack, and until the one after it */
	uint64_t clean_ns;	/* of the clean frame that is held */
	int clean_ret;		/* 1: there is one; else what the clean stream has ended with */
	struct zb_gen_frame held;
};

static int alone_next(struct zb_gen_stream *self, struct zb_gen_frame *f, uint64_t *ts_ns)
{
	struct alone *a = (struct alone *)self;
	int64_t off_ns;

	if (a->left == 0)
		return 0;
	zb_attack_next(a->g, f, ts_ns, &off_ns);
	if (*ts_ns >= a->duration_ns)
		return 0;
	*ts_ns += ZB_GEN_EPOCH_NS + (uint64_t)off_ns;
	a->left--;
	return 1;
}

static void alone_free(struct zb_gen_stream *self)
{
	struct alone *a = (struct alone *)self;

	zb_attack_close(a->g);
	free(a);
}

int zb_attack_alone(struct zb_attack_gen *g, uint64_t packets, uint64_t duration_ns,
		    struct zb_gen_stream **out)
{
	struct alone *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return -ENOMEM;
	a->stream.next = alone_next;
	a->stream.free = alone_free;
	a->g = g;
	a->left = packets == 0 ? UINT64_MAX : packets;
	a->duration_ns = packets == 0 ? duration_ns : UINT64_MAX;
	*out = &a->stream;
	return 0;
}

/* Takes the next clean frame into `held`. */
static void hold(struct mix *m)
{
	m->clean_ret = zb_gen_stream_next(m->clean, &m->held, &m->clean_ns);
	m->stream.sessions = m->clean->sessions;
}

/* Gives the clean frame away, and plans what comes before the next one. */
static int give_clean(struct mix *m, struct zb_gen_frame *f, uint64_t *ts_ns)
{
	unsigned due = 1;

	if (m->clean_ret <= 0)
		return m->clean_ret;
	*ts_ns = m->clean_ns;
	zb_gen_frame_copy(f, &m->held);
	hold(m);
	for (unsigned i = 0; i < m->nr; i++) {
		m->credit[i] += m->step[i];
		due += (unsigned)m->credit[i];
	}
	m->gap_ns = m->clean_ret == 1 ? (m->clean_ns - *ts_ns) / due : 1000;
	m->at_ns = *ts_ns + m->gap_ns;
	return 1;
}

static int mix_next(struct zb_gen_stream *self, struct zb_gen_frame *f, uint64_t *ts_ns)
{
	struct mix *m = (struct mix *)self;

	for (unsigned i = 0; i < m->nr; i++) {
		uint64_t own_ns;
		int64_t off_ns;

		if (m->credit[i] < 1)
			continue;
		m->credit[i] -= 1;
		zb_attack_next(m->g[i], f, &own_ns, &off_ns);
		*ts_ns = m->at_ns + (uint64_t)off_ns;
		m->at_ns += m->gap_ns;
		return 1;
	}
	return give_clean(m, f, ts_ns);
}

static void mix_free(struct zb_gen_stream *self)
{
	struct mix *m = (struct mix *)self;

	for (unsigned i = 0; i < m->nr; i++)
		zb_attack_close(m->g[i]);
	zb_gen_stream_free(m->clean);
	free(m);
}

int zb_attack_mix(struct zb_gen_stream *clean, struct zb_attack_gen *const g[],
		  const double share[], unsigned nr, struct zb_gen_stream **out)
{
	struct mix *m = calloc(1, sizeof(*m));
	double rest = 1;

	assert(nr <= ZB_ATTACK_MIX_MAX);
	if (m == NULL)
		return -ENOMEM;
	m->stream.next = mix_next;
	m->stream.free = mix_free;
	m->clean = clean;
	m->nr = nr;
	for (unsigned i = 0; i < nr; i++)
		rest -= share[i];
	for (unsigned i = 0; i < nr; i++) {
		m->g[i] = g[i];
		m->step[i] = share[i] / rest;
		m->credit[i] = 0.5; /* so that it is rounded, not cut, at the end */
	}
	hold(m);
	*out = &m->stream;
	return 0;
}

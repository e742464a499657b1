/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile_sessions.c - sessions of several kinds, by a rate or so many at a time
 *
 * So many at a time: the first ones begin over a second, and then each that ends is followed by
 * another one a millisecond later.
 */
#include <errno.h>
#include <stdlib.h>

#include "bench/gen_session_priv.h"
#include "bench/profile_priv.h"

#define RAMP_NS	 ZB_GEN_S
#define PAUSE_NS ZB_GEN_MS

struct group {
	const struct zb_profile_sessions *conf;
	struct zb_profile_budget *budget;
	struct zb_gaps gaps;
	uint64_t from_ns, until_ns;
	uint32_t first_nr; /* of the sessions at once that have begun */
	struct zb_gen_pick kinds, sites;
};

static bool may_begin(struct group *g)
{
	if (g->budget->sessions == 0)
		return false;
	g->budget->sessions--;
	return true;
}

static bool begin_by_rate(void *ctx, uint64_t id, uint64_t *ns)
{
	struct group *g = ctx;

	(void)id;
	if (!zb_gaps_due(&g->gaps, ns) || !may_begin(g))
		return false;
	zb_gaps_pass(&g->gaps, 0);
	return true;
}

static bool begin_at_once(void *ctx, uint64_t id, uint64_t *ns)
{
	struct group *g = ctx;

	(void)id; /* counts those that follow others too */
	if (g->first_nr == g->conf->at_once)
		return false;
	*ns = g->from_ns + g->first_nr++ * RAMP_NS / g->conf->at_once;
	return *ns < g->until_ns && may_begin(g);
}

static bool again(void *ctx, uint64_t *ns)
{
	struct group *g = ctx;

	*ns += PAUSE_NS;
	return *ns < g->until_ns && may_begin(g);
}

static void make(void *ctx, struct zb_gen_session *s)
{
	struct group *g = ctx;
	uint32_t kind = 0;

	s->id = g->budget->session_id++;
	if (g->conf->kind_nr > 1)
		kind = zb_gen_pick_draw(&g->kinds, &s->rand);
	s->shape = &g->conf->shapes[kind];
	s->shape->make(s);
}

static void release(void *ctx)
{
	struct group *g = ctx;

	zb_gen_pick_fini(&g->kinds);
	zb_gen_pick_fini(&g->sites);
	free(g);
}

/* The shapes are the profile's, but which site is how popular is only known here. */
static void set_sites(const struct zb_profile_stream *s, const struct zb_gen_pick *sites)
{
	struct zb_gen_shape *shapes = (struct zb_gen_shape *)s->sessions.shapes;

	for (uint32_t i = 0; i < s->sessions.kind_nr; i++)
		shapes[i].sites = sites;
}

int zb_profile_open_sessions(const struct zb_profile_stream *s, const struct zb_gaps_conf *gaps,
			     struct zb_profile_budget *budget, struct zb_gen_stream **out)
{
	struct zb_gen_arrivals arrivals = {.make = make, .free = release, .seed = gaps->seed};
	struct group *g = calloc(1, sizeof(*g));
	int ret;

	if (g == NULL)
		return -ENOMEM;
	g->conf = &s->sessions;
	g->budget = budget;
	g->from_ns = gaps->from_ns;
	g->until_ns = gaps->until_ns;
	ret = zb_gen_pick_init(&g->kinds, g->conf->weights, g->conf->kind_nr);
	if (ret == 0)
		ret = zb_gen_pick_init_zipf(&g->sites, g->conf->servers, s->popularity);
	if (ret < 0)
		goto free_g;
	set_sites(s, &g->sites);
	arrivals.ctx = g;
	if (g->conf->at_once != 0) {
		arrivals.begin_ns = begin_at_once;
		arrivals.again = again;
	} else {
		zb_gaps_init(&g->gaps, gaps);
		arrivals.begin_ns = begin_by_rate;
	}
	ret = zb_gen_overlap(&arrivals, out);
	if (ret < 0)
		goto free_g;
	return 0;

free_g:
	release(g);
	return ret;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* growth.c - see growth.h */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/growth.h"

#define MIB	      1048576.0
#define SMALL_BYTES   (64 * 1024.0)  /* a kind that never held more is not worth a word */
#define KIND_BYTES    (256 * 1024.0) /* growth that is less is no growth */
#define LEAK_BYTES    MIB
#define GROWN	      0.05 /* of the level: less is no growth either */
#define ROUNDED_UP    0.25 /* of counted growth: what the allocator's size classes add to it */
#define WITHOUT_CONNS 0.5  /* share of growth that connections must leave unexplained */
#define LEVELS_OFF    0.4  /* the later half's slope, of the earlier half's */
#define OVERDUE_MIN   100
#define CONNS_MIN     16
#define WASTED	      1.5	 /* active of allocated */
#define SHAPE_BYTES   (32 * MIB) /* fragmentation and high water below that do not matter */
#define FELL	      0.3	 /* of the most ever allocated */

const char *const zb_growth_class_name[ZB_GROWTH_CLASS_NR] = {
	[ZB_GROWTH_UNKNOWN] = "unknown",       [ZB_GROWTH_NONE] = "none",
	[ZB_GROWTH_PLATEAU] = "plateau",       [ZB_GROWTH_LOAD] = "load",
	[ZB_GROWTH_NO_EXPIRY] = "no expiry",   [ZB_GROWTH_LEAK] = "leak",
	[ZB_GROWTH_FRAGMENTED] = "fragmented", [ZB_GROWTH_HIGH_WATER] = "high water",
};

static const double *column(const struct zb_track *s, unsigned c)
{
	return c == UINT_MAX ? NULL : zb_track_column(s, c);
}

/* The first point at which state of this age has had the time to go, but a quarter at least. */
static unsigned settled_from(const struct zb_track *s, double expiry_s)
{
	double span = s->t_s[s->nr - 1] - s->t_s[0];
	double wait = expiry_s > span / 4 ? expiry_s : span / 4;
	unsigned i = 0;

	while (i < s->nr && s->t_s[i] - s->t_s[0] < wait)
		i++;
	return i;
}

static bool rises(const struct zb_trend *t, double least)
{
	double grown = GROWN * t->level;

	return t->known && t->low > 0 && t->change > least && t->change > grown;
}

/* The growth of values as a share of what they were at the begin of the time looked at. */
static double relative(const struct zb_trend *t)
{
	double begin = t->level - t->change / 2;

	return t->change / (begin > t->level / 16 ? begin : t->level / 16 + 1e-9);
}

/* Whether growth goes on: the later half rises nearly as steeply as the earlier one. */
static bool goes_on(const double *t, const double *v, unsigned n)
{
	struct zb_trend early = zb_trend_of(t, v, n / 2),
			late = zb_trend_of(t + n / 2, v + n / 2, n - n / 2);

	if (!early.known || !late.known)
		return true; /* too few to tell */
	return late.slope > 0 && late.slope >= LEVELS_OFF * early.slope;
}

static void judge_kind(const struct zb_track *s, const struct zb_growth_conf *conf,
		       const struct zb_growth_kind *kind, struct zb_growth_of_kind *out)
{
	const double *v = zb_track_column(s, kind->column), *conns = column(s, conf->conns);
	unsigned from = settled_from(s, 0), settled = settled_from(s, kind->expiry_s);
	double of_one[ZB_TRACK_MAX], most = 0;

	for (unsigned i = 0; i < s->nr; i++) {
		most = v[i] > most ? v[i] : most;
		of_one[i] = conns != NULL ? v[i] / (conns[i] + CONNS_MIN) : v[i];
	}
	out->what = ZB_GROWTH_NONE;
	if (most < SMALL_BYTES)
		return;
	out->trend = zb_trend_of(s->t_s + from, v + from, s->nr - from);
	if (!out->trend.known) {
		out->what = ZB_GROWTH_UNKNOWN;
		return;
	}
	out->what = ZB_GROWTH_PLATEAU;
	if (!rises(&out->trend, KIND_BYTES))
		return;
	/* It grows: does each connection hold more, even once old state must have gone? */
	out->of_one = zb_trend_of(s->t_s + from, of_one + from, s->nr - from);
	out->what = ZB_GROWTH_LOAD;
	if (!rises(&out->of_one, 0) ||
	    relative(&out->of_one) < WITHOUT_CONNS * relative(&out->trend))
		return;
	out->what = ZB_GROWTH_UNKNOWN;
	if (s->nr - settled < ZB_TREND_MIN)
		return;
	out->trend = zb_trend_of(s->t_s + settled, v + settled, s->nr - settled);
	out->of_one = zb_trend_of(s->t_s + settled, of_one + settled, s->nr - settled);
	if (!rises(&out->trend, KIND_BYTES)) {
		out->what = ZB_GROWTH_PLATEAU;
		return;
	}
	if (rises(&out->of_one, 0) &&
	    relative(&out->of_one) >= WITHOUT_CONNS * relative(&out->trend) &&
	    goes_on(s->t_s + settled, v + settled, s->nr - settled))
		out->what = ZB_GROWTH_NO_EXPIRY;
}

static void judge_kinds(const struct zb_track *s, const struct zb_growth_conf *conf,
			struct zb_growth *out)
{
	out->top = UINT_MAX;
	for (unsigned i = 0; i < conf->kind_nr; i++) {
		struct zb_growth_of_kind *k = &out->kind[i];

		judge_kind(s, conf, &conf->kinds[i], k);
		if (k->what == ZB_GROWTH_NO_EXPIRY &&
		    (out->top == UINT_MAX || k->trend.slope > out->kind[out->top].trend.slope))
			out->top = i;
	}
}

/* What is allocated and not counted as any kind of state. */
static void judge_leak(const struct zb_track *s, const struct zb_growth_conf *conf,
		       struct zb_growth *out)
{
	double counted[ZB_TRACK_MAX], rest[ZB_TRACK_MAX];
	const double *live = column(s, conf->live);
	unsigned from = settled_from(s, 0), n = s->nr - from;
	double explained, level;

	for (unsigned i = 0; i < s->nr; i++) {
		counted[i] = 0;
		for (unsigned k = 0; k < conf->kind_nr; k++)
			counted[i] += zb_track_column(s, conf->kinds[k].column)[i];
		rest[i] = live != NULL ? live[i] - counted[i] : 0;
	}
	out->counted = zb_trend_of(s->t_s + from, counted + from, n);
	out->leak = ZB_GROWTH_UNKNOWN;
	/* A worker that has allocated nothing was not asked. */
	if (live == NULL || !(live[s->nr - 1] > 0))
		return;
	out->uncounted = zb_trend_of(s->t_s + from, rest + from, n);
	if (!out->uncounted.known)
		return;
	out->leak = ZB_GROWTH_PLATEAU;
	explained = out->counted.change > 0 ? ROUNDED_UP * out->counted.change : 0;
	level = GROWN * (out->counted.level + out->uncounted.level);
	if (out->uncounted.low > 0 && out->uncounted.change > LEAK_BYTES &&
	    out->uncounted.change > level && out->uncounted.change > 2 * explained)
		out->leak =
			goes_on(s->t_s + from, rest + from, n) ? ZB_GROWTH_LEAK : ZB_GROWTH_UNKNOWN;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Connections that should have been ended, over the last third: a moment's backlog is none. */
static void judge_conns(const struct zb_track *s, const struct zb_growth_conf *conf,
			struct zb_growth *out)
{
	const double *conns = column(s, conf->conns), *overdue = column(s, conf->overdue);
	unsigned from = s->nr - s->nr / 3, settled = settled_from(s, 0);
	double ratio[ZB_TRACK_MAX];
	unsigned n = 0;

	out->conn_state = ZB_GROWTH_UNKNOWN;
	if (conns == NULL)
		return;
	out->conns = zb_trend_of(s->t_s + settled, conns + settled, s->nr - settled);
	if (overdue == NULL || s->nr < ZB_TREND_MIN)
		return;
	for (unsigned i = from; i < s->nr; i++)
		ratio[n++] = conns[i] > 0 ? overdue[i] / conns[i] : 0;
	if (n == 0)
		return;
	qsort(ratio, n, sizeof(ratio[0]), by_value);
	out->overdue_ratio = ratio[n / 2];
	out->overdue = overdue[s->nr - 1];
	out->conn_state = out->overdue_ratio >= ZB_GROWTH_OVERDUE && out->overdue >= OVERDUE_MIN
				  ? ZB_GROWTH_NO_EXPIRY
				  : ZB_GROWTH_PLATEAU;
}

static double most(const double *v, unsigned n)
{
	double m = 0;

	for (unsigned i = 0; i < n; i++)
		m = v[i] > m ? v[i] : m;
	return m;
}

static void judge_shape(const struct zb_track *s, const struct zb_growth_conf *conf,
			struct zb_growth *out)
{
	const double *allocated = column(s, conf->allocated), *active = column(s, conf->active),
		     *rss = column(s, conf->rss);
	double fell;

	out->shape = ZB_GROWTH_UNKNOWN;
	if (allocated == NULL || active == NULL || rss == NULL || s->nr < ZB_TREND_MIN)
		return;
	out->allocated = allocated[s->nr - 1];
	out->active = active[s->nr - 1];
	out->rss = rss[s->nr - 1];
	out->allocated_max = most(allocated, s->nr);
	out->rss_max = most(rss, s->nr);
	if (!(out->allocated > 0))
		return;
	fell = out->allocated_max - out->allocated;
	out->shape = ZB_GROWTH_PLATEAU;
	if (out->active > WASTED * out->allocated && out->active - out->allocated > SHAPE_BYTES)
		out->shape = ZB_GROWTH_FRAGMENTED;
	else if (fell > SHAPE_BYTES && fell > FELL * out->allocated_max &&
		 out->rss_max - out->rss < fell / 4)
		out->shape = ZB_GROWTH_HIGH_WATER;
}

void zb_growth_judge(const struct zb_track *s, const struct zb_growth_conf *conf,
		     struct zb_growth *out)
{
	memset(out, 0, sizeof(*out));
	out->top = UINT_MAX;
	out->point_nr = s->nr;
	if (s->nr == 0)
		return;
	out->span_s = s->t_s[s->nr - 1] - s->t_s[0];
	judge_kinds(s, conf, out);
	judge_leak(s, conf, out);
	judge_conns(s, conf, out);
	judge_shape(s, conf, out);
	if (conf->cap_bytes > 0 && out->counted.low > 0)
		out->cap_in_s = (conf->cap_bytes - out->counted.level - out->counted.change / 2) /
				out->counted.slope;
	out->cap_in_s = out->cap_in_s > 0 ? out->cap_in_s : 0;
}

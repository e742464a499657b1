/* SPDX-License-Identifier: Apache-2.0 */
/* worst.c - keeps candidates while the run lasts, and chooses among them at its end */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/worst.h"
#include "profiler/sketch.h"

#define LATE_NS	    10000000u  /* later than that is worth a word ... */
#define LATE_TIMES  3	       /* ... if it is so many times what half of all packets are */
#define DEAR_TIMES  2.0	       /* the run's own cycles a packet */
#define PKTS_MIN    1000       /* fewer say nothing about cost */
#define LAST_NS	    100000000u /* the rest at the end counts from so long on */
#define SAMPLES_MIN 10	       /* fewer name no function */
#define FUNCTIONS   512

const char *const zb_worst_why_name[ZB_WORST_WHYS] = {
	[ZB_WORST_LOST] = "lost",
	[ZB_WORST_LATE] = "late",
	[ZB_WORST_DEAR] = "dear",
};

int zb_worst_init(struct zb_worst *w, unsigned lane_nr)
{
	memset(w, 0, sizeof(*w));
	w->lane = calloc(lane_nr, sizeof(*w->lane));
	w->lane_nr = w->lane != NULL ? lane_nr : 0;
	return w->lane != NULL ? 0 : -ENOMEM;
}

void zb_worst_fini(struct zb_worst *w)
{
	free(w->lane);
	w->lane = NULL;
	w->lane_nr = 0;
}

static double own_cycles(const struct zb_lcore_stat *s)
{
	double sum = 0;

	for (unsigned i = 0; i < ZB_STAGE_idle; i++)
		sum += (double)zb_stat_own_cycles(s, i);
	return sum;
}

/* The worst lag of the packets between two snapshots. */
static uint64_t lag_between(const struct zb_lag *was, const struct zb_lag *is)
{
	struct zb_lag between = {.max_ns = is->max_ns};

	for (unsigned i = 0; i < ZB_LAG_BUCKETS; i++)
		between.n[i] = is->n[i] - was->n[i];
	return zb_lag_at(&between, 1);
}

static void find_stage(const struct zb_lcore_stat *was, const struct zb_lcore_stat *is, double own,
		       struct zb_worst_second *s)
{
	double most = 0;

	for (unsigned i = 0; i < ZB_STAGE_idle; i++) {
		double c = (double)zb_stat_own_cycles(is, i) - (double)zb_stat_own_cycles(was, i);

		if (c > most) {
			most = c;
			s->stage = i;
		}
	}
	s->stage_share = own > 0 ? most / own : 0;
}

static void find_place(const struct zb_lcore_stat *was, const struct zb_lcore_stat *is,
		       struct zb_worst_second *s)
{
	uint64_t most = 0, sum = 0;

	for (unsigned i = 0; i < ZB_METERED_MAX; i++) {
		uint64_t c = is->metered[i] - was->metered[i];

		sum += c;
		if (c > most) {
			most = c;
			s->place = i;
		}
	}
	s->place_share = sum > 0 ? (double)most / (double)sum : 0;
}

static struct zb_worst_second second_of(const struct zb_worst_lane *l, uint64_t to_ns,
					const struct zb_lcore_stat *is)
{
	const struct zb_lcore_stat *was = &l->was;
	uint64_t busy = is->busy_cycles - was->busy_cycles,
		 all = busy + is->idle_cycles - was->idle_cycles, gap = 0;
	double own = own_cycles(is) - own_cycles(was);
	struct zb_worst_second s = {
		.from_ns = l->from_ns,
		.to_ns = to_ns,
		.link = is->c[ZB_C_pkts_link] - was->c[ZB_C_pkts_link],
		.pkts = is->c[ZB_C_pkts_proc] - was->c[ZB_C_pkts_proc],
		.dropped = is->c[ZB_C_pkts_dropped] - was->c[ZB_C_pkts_dropped],
		.lag_ns = lag_between(&was->lag, &is->lag),
		.hot = l->hot,
	};

	for (unsigned i = 0; i < ZB_STAGE_NR; i++)
		gap += is->gap_cycles[i] - was->gap_cycles[i];
	s.cycles_per_pkt = s.pkts > 0 ? own / (double)s.pkts : 0;
	s.busy = all > 0 ? (double)busy / (double)all : 0;
	s.gap = all > 0 ? (double)gap / (double)all : 0;
	find_stage(was, is, own, &s);
	find_place(was, is, &s);
	return s;
}

static double badness(const struct zb_worst_second *s, enum zb_worst_why why)
{
	switch (why) {
	case ZB_WORST_LOST: return (double)s->dropped;
	case ZB_WORST_LATE: return (double)s->lag_ns;
	default: return s->pkts >= PKTS_MIN ? s->cycles_per_pkt : 0;
	}
}

/* Kept in order, worst first. */
static void keep(struct zb_worst *w, const struct zb_worst_second *s, enum zb_worst_why why)
{
	struct zb_worst_second *kept = w->kept[why];
	unsigned at = w->kept_nr[why];
	double bad = badness(s, why);

	if (bad <= 0)
		return;
	while (at > 0 && badness(&kept[at - 1], why) < bad)
		at--;
	if (at == ZB_WORST_KEPT)
		return;
	w->kept_nr[why] += w->kept_nr[why] < ZB_WORST_KEPT;
	memmove(&kept[at + 1], &kept[at], (w->kept_nr[why] - at - 1) * sizeof(*kept));
	kept[at] = *s;
	kept[at].why = why;
}

void zb_worst_add(struct zb_worst *w, unsigned lane, uint64_t at_ns,
		  const struct zb_lcore_stat *stat, bool last)
{
	struct zb_worst_lane *l = &w->lane[lane];

	if (lane >= w->lane_nr || (l->begun && at_ns < l->from_ns))
		return;
	if (l->begun && stat->hot.cycles > l->hot.cycles)
		l->hot = stat->hot;
	if (l->begun && at_ns - l->from_ns < (last ? LAST_NS : ZB_WORST_SECOND_NS))
		return;
	if (l->begun) {
		struct zb_worst_second s = second_of(l, at_ns, stat);

		s.lane = lane;
		for (unsigned why = 0; why < ZB_WORST_WHYS; why++)
			keep(w, &s, (enum zb_worst_why)why);
	}
	l->was = *stat;
	l->from_ns = at_ns;
	l->hot = (struct zb_stat_hot){0};
	l->begun = true;
}

static bool is_told(const struct zb_worst *w, const struct zb_worst_second *s)
{
	for (unsigned i = 0; i < w->told_nr; i++)
		if (w->told[i].lane == s->lane && w->told[i].from_ns == s->from_ns)
			return true;
	return false;
}

void zb_worst_choose(struct zb_worst *w, const struct zb_lcore_stat *sum)
{
	uint64_t pkts = sum->c[ZB_C_pkts_proc];
	double usual = pkts > 0 ? own_cycles(sum) / (double)pkts : 0;
	double late = LATE_TIMES * (double)zb_lag_at(&sum->lag, 0.5);
	const double least[ZB_WORST_WHYS] = {
		[ZB_WORST_LOST] = 1,
		[ZB_WORST_LATE] = late > LATE_NS ? late : LATE_NS,
		[ZB_WORST_DEAR] = DEAR_TIMES * usual,
	};

	w->told_nr = 0;
	for (unsigned why = 0; why < ZB_WORST_WHYS; why++) {
		for (unsigned i = 0; i < w->kept_nr[why] && w->told_nr < ZB_WORST_MAX; i++) {
			const struct zb_worst_second *s = &w->kept[why][i];

			if (badness(s, s->why) < least[why] || is_told(w, s))
				continue;
			w->told[w->told_nr] = *s;
			w->told[w->told_nr++].usual_cycles = usual;
		}
	}
}

struct tally {
	struct {
		uint32_t name;
		uint64_t weight;
	} f[FUNCTIONS];
	unsigned nr;
	uint64_t sum;
};

static void count(struct tally *t, uint32_t name, uint64_t weight)
{
	unsigned i = 0;

	t->sum += weight;
	while (i < t->nr && t->f[i].name != name)
		i++;
	if (i == FUNCTIONS)
		return;
	if (i == t->nr)
		t->f[t->nr++].name = name;
	t->f[i].weight += weight;
}

/* The first function, from the leaf, of the program: libraries work for somebody. */
static uint32_t own_function(const struct zb_samples *s, const struct zb_samples_stack *st,
			     uint32_t module)
{
	for (uint32_t i = 0; i < st->depth; i++) {
		const struct zb_samples_frame *f = &s->frame[s->stack_frame[st->at + i]];

		if (f->module == module)
			return f->name;
	}
	return ZB_SAMPLES_NONE;
}

/* Whether the stage called it; what takes packets has no function of its own. */
static bool is_of_stage(const struct zb_samples *s, const struct zb_samples_stack *st,
			unsigned stage)
{
	char name[32];

	if (stage == ZB_STAGE_rx)
		return true;
	snprintf(name, sizeof(name), "zb_stage_%s", zb_stage_name[stage]);
	for (uint32_t i = 0; i < st->depth; i++)
		if (strcmp(s->string[s->frame[s->stack_frame[st->at + i]].name], name) == 0)
			return true;
	return false;
}

/* The program: what the stages are in. */
static uint32_t own_module(const struct zb_samples *s)
{
	for (uint32_t i = 0; i < s->frame_nr; i++)
		if (strncmp(s->string[s->frame[i].name], "zb_stage_", 9) == 0)
			return s->frame[i].module;
	return ZB_SAMPLES_NONE;
}

static void find_function(struct zb_worst_second *w, const struct zb_samples *s, uint32_t module)
{
	struct tally t = {.nr = 0};
	unsigned best = 0;

	for (uint32_t i = 0; i < s->times.nr; i++) {
		const struct zb_sample_at *a = &s->times.at[i];
		uint64_t at_ns = a->column * s->times.column_ns;
		uint32_t name;

		if (a->state != ZB_CPU_ON || a->lane != w->lane || at_ns < w->from_ns ||
		    at_ns >= w->to_ns || a->stack >= s->stack_nr ||
		    !is_of_stage(s, &s->stack[a->stack], w->stage))
			continue;
		name = own_function(s, &s->stack[a->stack], module);
		if (name != ZB_SAMPLES_NONE && strcmp(s->string[name], "zb_idle_poll") != 0)
			count(&t, name, a->weight);
	}
	for (unsigned i = 1; i < t.nr; i++)
		best = t.f[i].weight > t.f[best].weight ? i : best;
	if (t.nr == 0 || t.sum < SAMPLES_MIN)
		return;
	snprintf(w->function, sizeof(w->function), "%s", s->string[t.f[best].name]);
	w->function_share = (double)t.f[best].weight / (double)t.sum;
}

void zb_worst_functions(struct zb_worst *w, const struct zb_samples *s)
{
	uint32_t module = own_module(s);

	for (unsigned i = 0; module != ZB_SAMPLES_NONE && i < w->told_nr; i++)
		find_function(&w->told[i], s, module);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* result_growth.c - memory.growth of result.json: how state went over time, and what that means */
#include <jansson.h>
#include <limits.h>
#include <math.h>

#include "bench/pass.h"
#include "bench/result.h"

static json_t *number(double v)
{
	return json_real(isfinite(v) ? round(v * 10) / 10 : 0);
}

static json_t *trend(enum zb_growth_class what, const struct zb_trend *t)
{
	return json_pack("{ss so so so so so}", "class", zb_growth_class_name[what], "bytes_per_s",
			 number(t->slope), "low", number(t->low), "high", number(t->high), "level",
			 number(t->level), "change", number(t->change));
}

/* Kinds of which there was something to judge. */
static json_t *kinds(const struct zb_growth *g)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < ZB_PASS_KINDS; i++) {
		const struct zb_growth_of_kind *k = &g->kind[i];

		if (k->what != ZB_GROWTH_NONE &&
		    json_object_set_new(o, zb_pass_kinds[i].name, trend(k->what, &k->trend)) != 0) {
			json_decref(o);
			return NULL;
		}
	}
	return o;
}

static json_t *growers(const struct zb_result_memory *m)
{
	json_t *a = json_array();

	for (unsigned i = 0; i < m->grower_nr; i++) {
		json_t *o = json_pack("{ss sI}", "function", m->grower[i].function, "bytes",
				      (json_int_t)m->grower[i].bytes);

		if (json_array_append_new(a, o) != 0) {
			json_decref(a);
			return NULL;
		}
	}
	return a;
}

json_t *zb_result_growth(const struct zb_result_memory *m)
{
	const struct zb_growth *g = m->growth;
	json_t *conns = json_pack("{ss so so so so}", "class", zb_growth_class_name[g->conn_state],
				  "per_s", number(g->conns.slope), "level", number(g->conns.level),
				  "overdue", number(g->overdue), "overdue_ratio",
				  json_real(round(g->overdue_ratio * 1e4) / 1e4));
	json_t *process = json_pack("{ss so so so so so}", "class", zb_growth_class_name[g->shape],
				    "allocated", number(g->allocated), "active", number(g->active),
				    "rss", number(g->rss), "allocated_max",
				    number(g->allocated_max), "rss_max", number(g->rss_max));

	return json_pack("{si so so so so so so so so}", "points", (int)g->point_nr, "span_s",
			 number(g->span_s), "kinds", kinds(g), "counted",
			 trend(ZB_GROWTH_UNKNOWN, &g->counted), "uncounted",
			 trend(g->leak, &g->uncounted), "connections", conns, "process", process,
			 "growers", growers(m), "cap_in_s",
			 g->cap_in_s > 0 ? number(g->cap_in_s) : json_null());
}

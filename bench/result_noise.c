/* SPDX-License-Identifier: Apache-2.0 */
/* result_noise.c - the object host_noise of result.json: what the machine did to the workers */
#include <jansson.h>
#include <math.h>

#include "bench/noise.h"
#include "bench/result.h"

/* Milliseconds with three decimals. What a part fails to add, the one that adds it reports. */
static int set_ms(json_t *o, const char *name, uint64_t ns)
{
	return json_object_set_new(o, name, json_real(round((double)ns / 1e3) / 1e3));
}

static int set_u64(json_t *o, const char *name, uint64_t v)
{
	return json_object_set_new(o, name, json_integer((json_int_t)v));
}

static json_t *gaps(const struct zb_gap *g)
{
	json_t *o = json_object(), *n = json_array();
	int bad = set_u64(o, "count", zb_gap_count(g)) | set_ms(o, "total_ms", g->total_ns) |
		  set_ms(o, "max_ms", g->max_ns);

	for (unsigned i = 0; i < ZB_GAP_BUCKETS; i++)
		bad |= json_array_append_new(n, json_integer((json_int_t)g->n[i]));
	bad |= json_object_set_new(o, "by_2_to_ns", n);
	if (bad == 0)
		return o;
	json_decref(o);
	return NULL;
}

static json_t *neighbours(const struct zb_noise_lcore *l)
{
	json_t *a = json_array();

	for (unsigned i = 0; i < l->neighbour_nr; i++) {
		const struct zb_neighbour *n = &l->neighbour[i];
		json_t *o = json_object(), *name = json_string(n->name);
		int bad = json_object_set_new(o, "name", name != NULL ? name : json_string("?")) |
			  set_u64(o, "tid", (uint64_t)n->tid) | set_u64(o, "ms", n->ms);

		if (bad != 0 || json_array_append_new(a, o) != 0) {
			json_decref(a);
			return NULL;
		}
	}
	return a;
}

/* What the kernel does not tell is null. */
static int set_ms_if(json_t *o, const char *name, bool known, uint64_t ns)
{
	return known ? set_ms(o, name, ns) : json_object_set_new(o, name, json_null());
}

static json_t *lcore(const struct zb_result_lcore *l)
{
	struct zb_noise_loss loss = zb_noise_loss(&l->stat, &l->noise.sum);
	const struct zb_noise_sum *s = &l->noise.sum;
	json_t *o = json_object();
	int bad =
		set_u64(o, "lcore", l->lcore) |
		json_object_set_new(o, "clean", json_boolean(loss.clean)) |
		set_ms(o, "lost_ms", loss.lost_ns) |
		json_object_set_new(o, "lost_ratio", json_real(round(loss.ratio * 1e6) / 1e6)) |
		set_u64(o, "preempted", l->preempted) |
		set_ms_if(o, "wait_ms", s->has_wait, s->wait_ns) |
		set_ms_if(o, "steal_ms", s->has_stat, s->steal_ns) |
		set_ms_if(o, "irq_ms", s->has_stat, s->irq_ns) |
		set_ms_if(o, "others_ms", s->has_stat && s->has_wait, s->others_ns) |
		json_object_set_new(o, "mhz_min",
				    s->khz_min != 0 ? json_integer((json_int_t)(s->khz_min / 1000))
						    : json_null()) |
		json_object_set_new(o, "mhz_max",
				    s->khz_max != 0 ? json_integer((json_int_t)(s->khz_max / 1000))
						    : json_null()) |
		json_object_set_new(o, "gaps", gaps(&l->stat.gap)) |
		json_object_set_new(o, "neighbours", neighbours(&l->noise));

	if (bad == 0)
		return o;
	json_decref(o);
	return NULL;
}

json_t *zb_result_noise(const struct zb_result *r)
{
	json_t *o = json_object(), *a = json_array();
	double worst = 0;
	uint64_t lost_ns = 0;
	bool clean = true;
	int bad = 0;

	for (unsigned i = 0; i < r->lcore_nr; i++) {
		struct zb_noise_loss loss =
			zb_noise_loss(&r->lcores[i].stat, &r->lcores[i].noise.sum);

		clean = clean && loss.clean;
		lost_ns += loss.lost_ns;
		worst = loss.ratio > worst ? loss.ratio : worst;
		bad |= json_array_append_new(a, lcore(&r->lcores[i]));
	}
	bad |= json_object_set_new(o, "clean", json_boolean(clean)) |
	       set_ms(o, "lost_ms", lost_ns) |
	       json_object_set_new(o, "lost_ratio_worst", json_real(round(worst * 1e6) / 1e6)) |
	       json_object_set_new(o, "lcores", a) |
	       set_ms_if(o, "writer_wait_ms", r->writer_noise.has_wait, r->writer_noise.wait_ns);
	if (bad == 0)
		return o;
	json_decref(o);
	return NULL;
}

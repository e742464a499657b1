/* SPDX-License-Identifier: Apache-2.0 */
/* verdict_text.c - a verdict for a person, and for result.json */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "bench/verdict.h"

/* "49.7 k", "3.12": three digits, and a prefix. */
static const char *short_number(double v, char *buf, size_t size)
{
	static const char *const prefix[] = {"", " k", " M", " G", " T"};
	unsigned p = 0;

	while (fabs(v) >= 1000 && p < 4) {
		v /= 1000;
		p++;
	}
	snprintf(buf, size, "%.3g%s", v, prefix[p]);
	return buf;
}

static void print_reason(const struct zb_verdict_reason *r, const char *head, FILE *f)
{
	char value[32], threshold[32];

	fprintf(f, "%s%s: %s %s", head, r->what, short_number(r->value, value, sizeof(value)),
		r->unit);
	if (r->threshold > 0)
		fprintf(f, " (threshold %s)",
			short_number(r->threshold, threshold, sizeof(threshold)));
	fprintf(f, "; see %s\n", r->see);
}

static void print_culprit(const struct zb_verdict_finding *v, FILE *f)
{
	const struct {
		const char *what, *name, *behind;
	} part[] = {{"", v->function, "()"},
		    {"analyzer ", v->analyzer, ""},
		    {"stage ", v->stage, ""},
		    {"", v->kind, ""},
		    {"connection ", v->flow, ""}};
	const char *sep = "culprit  ";

	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		if (part[i].name == NULL)
			continue;
		fprintf(f, "%s%s%s%s", sep, part[i].what, part[i].name, part[i].behind);
		sep = ", ";
	}
	if (sep[0] == ',')
		fprintf(f, "\n");
}

void zb_verdict_print(const struct zb_verdict *v, FILE *f)
{
	const struct zb_verdict_finding *first = &v->found[0];

	fprintf(f, "verdict  %s", zb_verdict_name_of[first->name]);
	if (first->confidence > 0)
		fprintf(f, ", %.0f %% sure", 100 * first->confidence);
	for (unsigned i = 1; i < v->nr; i++)
		fprintf(f, "%s%s", i == 1 ? "; also " : ", ", zb_verdict_name_of[v->found[i].name]);
	fprintf(f, "\n");
	print_culprit(first, f);
	for (unsigned i = 0; i < first->because_nr; i++)
		print_reason(&first->because[i], i == 0 ? "because  " : "         ", f);
}

static json_t *number(double v)
{
	double scale = fabs(v) < 100 ? 1e4 : 10;

	return json_real(isfinite(v) ? round(v * scale) / scale : 0);
}

static json_t *because(const struct zb_verdict_finding *f)
{
	json_t *a = json_array();

	for (unsigned i = 0; i < f->because_nr; i++) {
		const struct zb_verdict_reason *r = &f->because[i];
		json_t *o = json_pack("{ss so so ss ss}", "what", r->what, "value",
				      number(r->value), "threshold", number(r->threshold), "unit",
				      r->unit, "see", r->see);

		if (json_array_append_new(a, o) != 0) {
			json_decref(a);
			return NULL;
		}
	}
	return a;
}

static json_t *culprit(const struct zb_verdict_finding *f)
{
	return json_pack("{ss? ss? ss? ss? ss?}", "function", f->function, "analyzer", f->analyzer,
			 "stage", f->stage, "kind", f->kind, "connection", f->flow);
}

/* The others that were found, each with its own evidence. */
static json_t *also(const struct zb_verdict *v)
{
	json_t *a = json_array();

	for (unsigned i = 1; i < v->nr; i++) {
		const struct zb_verdict_finding *f = &v->found[i];
		json_t *o = json_pack("{ss so so so}", "name", zb_verdict_name_of[f->name],
				      "confidence", number(f->confidence), "because", because(f),
				      "culprit", culprit(f));

		if (json_array_append_new(a, o) != 0) {
			json_decref(a);
			return NULL;
		}
	}
	return a;
}

int zb_verdict_json(const struct zb_verdict *v, json_t *o)
{
	const struct zb_verdict_finding *first = &v->found[0];
	int bad = 0;

	bad |= json_object_set_new(o, "name", json_string(zb_verdict_name_of[first->name]));
	bad |= json_object_set_new(o, "confidence", number(first->confidence));
	bad |= json_object_set_new(o, "cost_judged", json_boolean(v->cost_judged));
	bad |= json_object_set_new(o, "because", because(first));
	bad |= json_object_set_new(o, "also", also(v));
	bad |= json_object_set_new(o, "culprit", culprit(first));
	return bad == 0 ? 0 : -ENOMEM;
}

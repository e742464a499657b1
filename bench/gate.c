/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate.c - compares two results by rules
 *
 * Everything that can refuse the comparison is checked first, so that what is printed is either a
 * whole report or nothing.
 */
#include "bench/gate_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "bench/options.h"
#include "profiler/diag.h"

enum need { MAY_NOT_FALL, MAY_NOT_RISE, MUST_BE_ZERO };

static const struct default_rule {
	const char *name; /* in totals */
	enum need need;
	bool optional; /* a run without logs does not have it: as 0 */
} default_rules[] = {
	{"bytes_recv", MAY_NOT_FALL, false},	 {"pkts_proc", MAY_NOT_FALL, false},
	{"pkts_dropped", MAY_NOT_RISE, false},	 {"residual_pkts", MUST_BE_ZERO, false},
	{"residual_bytes", MUST_BE_ZERO, false}, {"log_rows_lost", MAY_NOT_RISE, false},
	{"log_rows_failed", MAY_NOT_RISE, true},
};
#define DEFAULT_NR (sizeof(default_rules) / sizeof(default_rules[0]))

/* What must agree for two results to be about the same work. Not the files: they may have moved. */
static const char *const work_names[] = {
	"kind", "digest",  "pkts",   "bytes", "loops",	"count",      "duration_s",
	"rate", "rx_desc", "filter", "tap",   "engine", "same_flows", "ignore_checksums",
};

struct gate {
	const struct zb_gate_side *old_side, *new_side;
	const struct zb_gate_rule *rules;
	const struct zb_metric *metrics; /* of the rules, in their order */
	unsigned rule_nr;
	FILE *out;
	unsigned moved, failed;
};

static long double value_of(const json_t *number)
{
	/* long double holds every 64-bit integer, so counters compare exactly. */
	return json_is_integer(number) ? (long double)json_integer_value(number)
				       : (long double)json_real_value(number);
}

static const char *number_text(const json_t *number, char *buf, size_t buf_size)
{
	double v = json_number_value(number);

	if (number == NULL)
		snprintf(buf, buf_size, "(none)");
	else if (json_is_integer(number))
		snprintf(buf, buf_size, "%" JSON_INTEGER_FORMAT, json_integer_value(number));
	else if (fabs(v) >= 1e6 && fabs(v) < 1e15)
		snprintf(buf, buf_size, "%.0f", v);
	else
		snprintf(buf, buf_size, "%.7g", v);
	return buf;
}

/* " (-3.05 %)", " (from 0)", or nothing when there is nothing to compare with. */
static const char *change_text(const json_t *old_value, const json_t *new_value, char *buf,
			       size_t buf_size)
{
	long double was = value_of(old_value), delta = value_of(new_value) - was;
	double percent;

	buf[0] = '\0';
	if (old_value == NULL || new_value == NULL || delta == 0)
		return buf;
	if (was == 0) {
		snprintf(buf, buf_size, " (from 0)");
		return buf;
	}
	percent = (double)(delta / fabsl(was) * 100);
	/* A change is never shown as 0.00 %, and not with more digits than it has sense. */
	if (fabs(percent) < 0.005)
		snprintf(buf, buf_size, " (%+.1g %%)", percent);
	else
		snprintf(buf, buf_size, " (%+.*f %%)", fabs(percent) >= 100 ? 0 : 2, percent);
	return buf;
}

static bool has_moved(const json_t *old_value, const json_t *new_value)
{
	if (old_value == NULL || new_value == NULL)
		return old_value != new_value;
	return value_of(old_value) != value_of(new_value);
}

/* One line of the report, for what moved or failed. */
struct finding {
	const char *mark, *name;
	const json_t *old_value, *new_value;
	char why[160];
};

static void report(struct gate *g, const struct finding *f)
{
	char was[48], is[48], change[48];

	fprintf(g->out, "%-4s %s %s -> %s%s: %s\n", f->mark, f->name,
		number_text(f->old_value, was, sizeof(was)),
		number_text(f->new_value, is, sizeof(is)),
		change_text(f->old_value, f->new_value, change, sizeof(change)), f->why);
	g->moved += has_moved(f->old_value, f->new_value);
}

static void report_judged(struct gate *g, struct finding *f, bool failed)
{
	f->mark = failed ? "FAIL" : "ok";
	g->failed += failed;
	if (failed || has_moved(f->old_value, f->new_value))
		report(g, f);
}

static bool rule_covers(const struct gate *g, const char *path)
{
	for (unsigned i = 0; i < g->rule_nr; i++) {
		if (strcmp(g->metrics[i].path, path) == 0)
			return true;
	}
	return false;
}

static bool default_covers(const char *name)
{
	for (size_t i = 0; i < DEFAULT_NR; i++) {
		if (strcmp(default_rules[i].name, name) == 0)
			return true;
	}
	return false;
}

static const json_t *total_of(const struct zb_gate_side *side, const char *name)
{
	return json_object_get(json_object_get(side->doc, "totals"), name);
}

static void judge_default(struct gate *g, const struct default_rule *d)
{
	struct finding f = {
		.name = d->name,
		.old_value = total_of(g->old_side, d->name),
		.new_value = total_of(g->new_side, d->name),
	};
	long double was = value_of(f.old_value),
		    is = value_of(f.new_value); /* 0 where there is none */
	bool failed = false;

	switch (d->need) {
	case MAY_NOT_FALL:
		failed = is < was;
		snprintf(f.why, sizeof(f.why), "may not fall");
		break;
	case MAY_NOT_RISE:
		failed = is > was;
		snprintf(f.why, sizeof(f.why), "may not rise");
		break;
	case MUST_BE_ZERO:
		failed = is != 0;
		snprintf(f.why, sizeof(f.why), "must be 0");
		break;
	}
	report_judged(g, &f, failed);
}

static bool is_within(const struct zb_gate_rule *rule, const struct zb_metric *m)
{
	long double was = value_of(m->old_value), delta = value_of(m->new_value) - was;
	long double limit = delta < 0 ? rule->fall_max : rule->rise_max;

	if (rule->percent)
		limit *= fabsl(was) / 100;
	/* A bound that is met exactly must not fail for a rounding in its product. */
	return fabsl(delta) <= limit * (1 + 1e-12L);
}

static size_t lcore_nr(const struct zb_gate_side *side)
{
	return json_array_size(json_object_get(side->doc, "lcores"));
}

static void judge_rule(struct gate *g, const struct zb_gate_rule *rule, const struct zb_metric *m)
{
	static const char lcores[] = "lcores.";
	size_t old_nr = lcore_nr(g->old_side), new_nr = lcore_nr(g->new_side);
	struct finding f = {.name = rule->metric,
			    .old_value = m->old_value,
			    .new_value = m->new_value};
	bool failed = true;

	if (m->old_value == NULL || m->new_value == NULL) {
		snprintf(f.why, sizeof(f.why), "only the %s result has it",
			 m->old_value == NULL ? "new" : "old");
	} else if (old_nr != new_nr && strncmp(m->path, lcores, sizeof(lcores) - 1) == 0) {
		snprintf(f.why, sizeof(f.why), "results of %zu and %zu lcores", old_nr, new_nr);
	} else {
		failed = !is_within(rule, m);
		snprintf(f.why, sizeof(f.why), "%swithin %s", failed ? "not " : "", rule->bound);
	}
	report_judged(g, &f, failed);
}

/* Plain numbers in totals that no rule is about: shown when they moved, never a failure. */
static void show_unruled(struct gate *g)
{
	/* The iterator wants a writable object but leaves it as it is. */
	json_t *totals = json_object_get((json_t *)g->new_side->doc, "totals");
	char path[ZB_METRIC_PATH_MAX];
	const char *name;
	json_t *value;

	json_object_foreach(totals, name, value)
	{
		struct finding f = {.mark = "info", .name = name, .new_value = value};
		int n = snprintf(path, sizeof(path), "totals.%s", name);

		f.old_value = total_of(g->old_side, name);
		if (!json_is_number(value) || !json_is_number(f.old_value) ||
		    default_covers(name) || n < 0 || (size_t)n >= sizeof(path) ||
		    rule_covers(g, path) || !has_moved(f.old_value, f.new_value))
			continue;
		snprintf(f.why, sizeof(f.why), "no rule");
		report(g, &f);
	}
}

static void show_notes(const struct gate *g)
{
	const char *old_cpu = json_string_value(zb_metric_at(g->old_side->doc, "host.cpu_model"));
	const char *new_cpu = json_string_value(zb_metric_at(g->new_side->doc, "host.cpu_model"));
	size_t old_nr = lcore_nr(g->old_side), new_nr = lcore_nr(g->new_side);

	if (old_nr != new_nr)
		fprintf(g->out, "note lcores %zu -> %zu: figures per lcore cannot be compared\n",
			old_nr, new_nr);
	if (old_cpu != NULL && new_cpu != NULL && strcmp(old_cpu, new_cpu) != 0)
		fprintf(g->out, "note host %s -> %s: times and rates cannot be compared\n", old_cpu,
			new_cpu);
}

static void show_outcome(const struct gate *g)
{
	char moved[32];

	if (g->moved == 0)
		snprintf(moved, sizeof(moved), "no metric");
	else
		snprintf(moved, sizeof(moved), "%u metric%s", g->moved, g->moved == 1 ? "" : "s");
	if (g->failed > 0)
		fprintf(g->out, "gate: FAILED, %u metric%s out of bounds, %s moved\n", g->failed,
			g->failed == 1 ? "" : "s", moved);
	else
		fprintf(g->out, "gate: passed, %s moved\n", moved);
}

static int check_complete(const struct zb_gate_side *side)
{
	const char *status = json_string_value(zb_metric_at(side->doc, "verdict.status"));

	if (status == NULL || strcmp(status, "complete") != 0) {
		zb_err("%s: the run is %s; the gate compares complete runs only", side->name,
		       status != NULL ? status : "without a verdict");
		return -EINVAL;
	}
	for (size_t i = 0; i < DEFAULT_NR; i++) {
		const json_t *v = total_of(side, default_rules[i].name);

		if (!json_is_number(v) && !(v == NULL && default_rules[i].optional)) {
			zb_err("%s: totals.%s: missing or not a number", side->name,
			       default_rules[i].name);
			return -EINVAL;
		}
	}
	return 0;
}

static const char *work_text(const json_t *value, char *buf, size_t buf_size)
{
	if (json_is_string(value))
		snprintf(buf, buf_size, "%s", json_string_value(value));
	else if (json_is_number(value))
		return number_text(value, buf, buf_size);
	else if (json_is_boolean(value))
		snprintf(buf, buf_size, "%s", json_is_true(value) ? "true" : "false");
	else
		snprintf(buf, buf_size, "(none)");
	return buf;
}

/* Refuses results of different work, with one line that lists all that differs. */
static int check_same_work(const struct zb_gate_side *old_side, const struct zb_gate_side *new_side)
{
	const json_t *old_in = json_object_get(old_side->doc, "input");
	const json_t *new_in = json_object_get(new_side->doc, "input");
	char list[1024] = "", was[48], is[48];
	size_t at = 0;

	for (size_t i = 0; i < sizeof(work_names) / sizeof(work_names[0]); i++) {
		const char *name = work_names[i];
		int n;

		/* A result from before it could be chosen does not have it. */
		if (json_object_get(old_in, name) == NULL)
			continue;
		work_text(json_object_get(old_in, name), was, sizeof(was));
		work_text(json_object_get(new_in, name), is, sizeof(is));
		if (strcmp(was, is) == 0)
			continue;
		n = snprintf(list + at, sizeof(list) - at, "%s%s %s -> %s", at > 0 ? ", " : "",
			     name, was, is);
		at += n > 0 && (size_t)n < sizeof(list) - at ? (size_t)n : 0;
	}
	if (at == 0)
		return 0;
	zb_err("%s: not the same work as %s: %s; compare runs of one input with the same options",
	       new_side->name, old_side->name, list);
	return -EINVAL;
}

/* Finds the metric of each rule; two rules for one metric would leave open which holds. */
static int find_metrics(const struct gate *g, struct zb_metric *metrics)
{
	for (unsigned i = 0; i < g->rule_nr; i++) {
		int ret = zb_metric_find(g->old_side, g->new_side, g->rules[i].metric, &metrics[i]);

		if (ret < 0)
			return ret;
		for (unsigned j = 0; j < i; j++) {
			if (strcmp(metrics[j].path, metrics[i].path) == 0) {
				zb_err("--allow %s: given twice; give one rule for %s",
				       g->rules[i].metric, metrics[i].path);
				return -EINVAL;
			}
		}
	}
	return 0;
}

int zb_gate_compare(const struct zb_gate_side *old_side, const struct zb_gate_side *new_side,
		    const struct zb_gate_rule *rules, unsigned rule_nr, FILE *out)
{
	static struct zb_metric metrics[ZB_GATE_RULES_MAX];
	struct gate g = {
		.old_side = old_side,
		.new_side = new_side,
		.rules = rules,
		.metrics = metrics,
		.rule_nr = rule_nr,
		.out = out,
	};

	if (rule_nr > ZB_GATE_RULES_MAX) {
		zb_err("--allow: %u rules; at most %d are taken", rule_nr, ZB_GATE_RULES_MAX);
		return ZB_EXIT_USAGE;
	}
	if (check_complete(old_side) < 0 || check_complete(new_side) < 0 ||
	    check_same_work(old_side, new_side) < 0 || find_metrics(&g, metrics) < 0)
		return ZB_EXIT_USAGE;
	show_notes(&g);
	for (size_t i = 0; i < DEFAULT_NR; i++) {
		char path[ZB_METRIC_PATH_MAX];

		snprintf(path, sizeof(path), "totals.%s", default_rules[i].name);
		if (!rule_covers(&g, path))
			judge_default(&g, &default_rules[i]);
	}
	for (unsigned i = 0; i < rule_nr; i++)
		judge_rule(&g, &rules[i], &metrics[i]);
	show_unruled(&g);
	show_outcome(&g);
	return g.failed > 0 ? ZB_EXIT_FAILED : ZB_EXIT_OK;
}

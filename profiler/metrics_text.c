/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics_text.c - metrics as text: Prometheus 0.0.4 and OpenMetrics 1.0.0
 *
 * The two differ in how a counter is announced (with or without _total), in UNIT lines, and in that
 * OpenMetrics knows infos and ends with a line of its own.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "profiler/metrics_priv.h"

static const char *const kind_name[] = {
	[ZB_METRIC_COUNTER] = "counter",
	[ZB_METRIC_GAUGE] = "gauge",
	[ZB_METRIC_HISTOGRAM] = "histogram",
	[ZB_METRIC_INFO] = "info",
};

static const char *suffix_of(enum zb_metric_kind k)
{
	return k == ZB_METRIC_COUNTER ? "_total" : k == ZB_METRIC_INFO ? "_info" : "";
}

static void escaped(FILE *f, const char *s, bool quotes)
{
	for (; *s != '\0'; s++) {
		if (*s == '\n')
			fputs("\\n", f);
		else if (*s == '\\' || (quotes && *s == '"'))
			fprintf(f, "\\%c", *s);
		else
			fputc(*s, f);
	}
}

static void family(struct zb_metric_sink *s, const struct zb_metric_family *fam)
{
	struct zb_metric_text *t = (struct zb_metric_text *)s;
	bool open = t->format == ZB_METRICS_OPEN;
	const char *suffix = open ? "" : suffix_of(fam->kind);
	enum zb_metric_kind kind =
		!open && fam->kind == ZB_METRIC_INFO ? ZB_METRIC_GAUGE : fam->kind;

	t->now = *fam;
	fprintf(t->f, "# HELP %s%s ", fam->name, suffix);
	escaped(t->f, fam->help, open);
	fprintf(t->f, "\n# TYPE %s%s %s\n", fam->name, suffix, kind_name[kind]);
	if (open && fam->unit != NULL)
		fprintf(t->f, "# UNIT %s %s\n", fam->name, fam->unit);
}

/* As few digits as give the same number back. */
static void real(FILE *f, double v)
{
	char text[40];

	if (isnan(v) || isinf(v)) {
		fputs(isnan(v) ? "NaN" : v > 0 ? "+Inf" : "-Inf", f);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	fputs(text, f);
}

static void sample(struct zb_metric_sink *s, const struct zb_metric_sample *v)
{
	struct zb_metric_text *t = (struct zb_metric_text *)s;

	fprintf(t->f, "%s%s%s", t->now.name, suffix_of(t->now.kind), v->suffix);
	for (unsigned i = 0; i < v->label_nr; i++) {
		fprintf(t->f, "%c%s=\"", i == 0 ? '{' : ',', v->labels[i].name);
		escaped(t->f, v->labels[i].value, true);
		fputc('"', t->f);
	}
	fputs(v->label_nr != 0 ? "} " : " ", t->f);
	if (v->is_real)
		real(t->f, v->real);
	else
		fprintf(t->f, "%" PRIu64, v->count);
	fputc('\n', t->f);
}

void zb_metric_text_init(struct zb_metric_text *t, FILE *f, enum zb_metrics_format format)
{
	*t = (struct zb_metric_text){.sink = {.family = family, .sample = sample},
				     .f = f,
				     .format = format};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* heap_column.c - what paths hold in some dumps, and how it goes over all of them */
#include <errno.h>
#include <stdlib.h>

#include "profiler/heap_paths.h"

int zb_heap_column_create(const struct zb_heap_paths *p, struct zb_heap_column *out)
{
	uint32_t nr = zb_heap_paths_nr(p);

	out->nr = nr;
	out->bytes = calloc((size_t)nr + 1, sizeof(*out->bytes));
	out->objects = calloc((size_t)nr + 1, sizeof(*out->objects));
	if (out->bytes != NULL && out->objects != NULL)
		return 0;
	zb_heap_column_fini(out);
	return -ENOMEM;
}

void zb_heap_column_fini(struct zb_heap_column *c)
{
	free(c->bytes);
	free(c->objects);
	*c = (struct zb_heap_column){0};
}

void zb_heap_column_add(struct zb_heap_column *c, const struct zb_heap_paths *p, uint32_t from,
			uint32_t to, double sign)
{
	for (uint32_t i = 0; i < p->value_nr; i++) {
		const struct zb_heap_value *v = &p->value[i];

		if (v->dump < from || v->dump >= to)
			continue;
		c->bytes[v->path] += sign * v->bytes;
		c->objects[v->path] += sign * v->objects;
	}
}

/* A path may have several values in a dump; they are added up, a dump after the other. */
struct sums {
	uint32_t dump; /* that now is summed up */
	double y;      /* of it */
	double y_sum, xy_sum, yy_sum;
};

static void close_dump(struct sums *s, const double *x)
{
	s->y_sum += s->y;
	s->xy_sum += x[s->dump] * s->y;
	s->yy_sum += s->y * s->y;
	s->y = 0;
}

static int by_dump(const void *a, const void *b)
{
	const struct zb_heap_value *x = a, *y = b;

	return (x->dump > y->dump) - (x->dump < y->dump);
}

static bool in_order(const struct zb_heap_paths *p)
{
	for (uint32_t i = 1; i < p->value_nr; i++)
		if (p->value[i].dump < p->value[i - 1].dump)
			return false;
	return true;
}

/* x is counted from its mean, so that xx is exact for times that are large. */
static void finish(const struct sums *s, double xx, double n, struct zb_heap_trend *t)
{
	double yy = s->yy_sum - s->y_sum * s->y_sum / n;

	t->slope = s->xy_sum / xx;
	t->fit = yy > 0 ? s->xy_sum * s->xy_sum / (xx * yy) : 0;
	t->fit = t->fit < 1 ? t->fit : 1;
}

/* Takes the mean from each x; returns the sum of their squares. */
static double centre(double *x, const double *from, uint32_t nr)
{
	double mean = 0, squares = 0;

	for (uint32_t i = 0; i < nr; i++)
		mean += from[i] / nr;
	for (uint32_t i = 0; i < nr; i++) {
		x[i] = from[i] - mean;
		squares += x[i] * x[i];
	}
	return squares;
}

static void sum_up(const struct zb_heap_paths *p, const double *x, struct sums *s,
		   struct zb_heap_trend *out)
{
	for (uint32_t i = 0; i < p->value_nr; i++) {
		const struct zb_heap_value *v = &p->value[i];
		struct sums *of = &s[v->path];

		if (v->dump != of->dump)
			close_dump(of, x);
		of->dump = v->dump;
		of->y += v->bytes;
		if (v->dump == 0)
			out[v->path].first += v->bytes;
		if (v->dump + 1 == p->dump_nr)
			out[v->path].last += v->bytes;
	}
}

int zb_heap_trends(const struct zb_heap_paths *p, const double *x, struct zb_heap_trend *out)
{
	uint32_t nr = zb_heap_paths_nr(p);
	struct sums *s = calloc((size_t)nr + 1, sizeof(*s));
	double *centred = calloc((size_t)p->dump_nr + 1, sizeof(*centred)), xx;

	if (s == NULL || centred == NULL) {
		free(s);
		free(centred);
		return -ENOMEM;
	}
	if (!in_order(p))
		qsort(p->value, p->value_nr, sizeof(*p->value), by_dump);
	for (uint32_t i = 0; i < nr; i++)
		out[i] = (struct zb_heap_trend){0};
	xx = centre(centred, x, p->dump_nr);
	sum_up(p, centred, s, out);
	for (uint32_t i = 0; i < nr; i++) {
		close_dump(&s[i], centred);
		if (xx > 0)
			finish(&s[i], xx, p->dump_nr, &out[i]);
	}
	free(centred);
	free(s);
	return 0;
}

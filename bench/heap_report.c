/* SPDX-License-Identifier: Apache-2.0 */
/* heap_report.c - what zbench heap has to say, before it takes a form */
#include <errno.h>
#include <stdlib.h>

#include "bench/heap_out.h"

struct ranked {
	double bytes;
	uint32_t path;
};

static int by_bytes(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return (x->path > y->path) - (x->path < y->path);
}

static int rank(struct zb_heap_report *r)
{
	struct ranked *list = calloc((size_t)r->held.nr + 1, sizeof(*list));

	r->order = calloc((size_t)r->held.nr + 1, sizeof(*r->order));
	if (list == NULL || r->order == NULL) {
		free(list);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < r->held.nr; i++)
		list[i] = (struct ranked){r->held.bytes[i], i};
	if (r->held.nr > 0)
		qsort(list, r->held.nr, sizeof(*list), by_bytes);
	for (uint32_t i = 0; i < r->held.nr; i++)
		r->order[i] = list[i].path;
	free(list);
	return 0;
}

/* Times of files say when they were written, unless they were copied: then they do not go up. */
static void lay_out(struct zb_heap_report *r, double *x)
{
	const struct zb_heap_source *s = r->source;

	r->by_time = true;
	for (unsigned i = 1; i < s->nr; i++)
		r->by_time &= s->in[i].time_s > s->in[i - 1].time_s;
	for (unsigned i = 0; i < s->nr; i++)
		x[i] = r->by_time ? s->in[i].time_s - s->in[0].time_s : i;
	r->span = x[s->nr - 1];
}

/* By how much each path has grown, going by the line through all its figures. */
static int find_trends(struct zb_heap_report *r)
{
	const struct zb_heap_source *s = r->source;
	double *x = calloc(s->nr, sizeof(*x));
	int ret = -ENOMEM;

	r->trend = calloc((size_t)r->held.nr + 1, sizeof(*r->trend));
	if (x != NULL && r->trend != NULL) {
		lay_out(r, x);
		ret = zb_heap_trends(&s->paths, x, r->trend);
	}
	free(x);
	for (uint32_t i = 0; ret == 0 && i < r->held.nr; i++)
		r->held.bytes[i] = r->trend[i].slope * r->span;
	return ret;
}

int zb_heap_report_make(const struct zb_heap_source *s, enum zb_heap_mode mode,
			struct zb_heap_report *out)
{
	int ret;

	*out = (struct zb_heap_report){.source = s, .mode = mode};
	ret = zb_heap_column_create(&s->paths, &out->held);
	if (ret < 0)
		return ret;
	if (mode == ZB_HEAP_USE)
		zb_heap_column_add(&out->held, &s->paths, 0, s->nr, 1);
	else
		zb_heap_column_add(&out->held, &s->paths, s->nr - 1, s->nr, 1);
	if (mode != ZB_HEAP_USE)
		zb_heap_column_add(&out->held, &s->paths, 0, 1, -1);
	if (mode == ZB_HEAP_GROWTH)
		ret = find_trends(out);
	if (ret == 0)
		ret = zb_heap_table(&s->paths, out->held.bytes, &out->row, &out->row_nr,
				    &out->total);
	if (ret == 0)
		ret = rank(out);
	if (ret < 0)
		zb_heap_report_fini(out);
	return ret;
}

void zb_heap_report_fini(struct zb_heap_report *r)
{
	zb_heap_column_fini(&r->held);
	free(r->row);
	free(r->trend);
	free(r->order);
	*r = (struct zb_heap_report){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* heap_table.c - the functions that hold memory, as jeprof's table has them */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/heap_paths.h"

static int by_flat(const void *a, const void *b)
{
	const struct zb_heap_row *x = a, *y = b;

	if (x->flat != y->flat)
		return x->flat < y->flat ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* seen: by string, the number of the path that had it last, and one. */
static void add_path(const struct zb_heap_paths *p, uint32_t path, double bytes,
		     struct zb_heap_row *row, uint32_t *seen)
{
	const struct zb_samples *s = p->names;
	const struct zb_samples_stack *k = &s->stack[path];

	for (uint32_t i = 0; i < k->depth; i++) {
		uint32_t name = s->frame[s->stack_frame[k->at + i]].name;

		if (i == 0)
			row[name].flat += bytes;
		if (seen[name] != path + 1)
			row[name].cumulative += bytes;
		seen[name] = path + 1;
	}
}

int zb_heap_table(const struct zb_heap_paths *p, const double *bytes, struct zb_heap_row **rows,
		  uint32_t *row_nr, double *total)
{
	uint32_t nr = p->names->string_nr, kept = 0;
	struct zb_heap_row *row = calloc((size_t)nr + 1, sizeof(*row));
	uint32_t *seen = calloc((size_t)nr + 1, sizeof(*seen));

	if (row == NULL || seen == NULL) {
		free(row);
		free(seen);
		return -ENOMEM;
	}
	*total = 0;
	for (uint32_t i = 0; i < zb_heap_paths_nr(p); i++) {
		add_path(p, i, bytes[i], row, seen);
		*total += bytes[i];
	}
	free(seen);
	/* What the sum of growth and shrinking leaves over is not always an exact 0. */
	for (uint32_t i = 0; i < nr; i++)
		if (fabs(row[i].flat) >= 0.5 || fabs(row[i].cumulative) >= 0.5) {
			row[i].name = p->names->string[i];
			row[kept++] = row[i];
		}
	if (kept > 0)
		qsort(row, kept, sizeof(*row), by_flat);
	*rows = row;
	*row_nr = kept;
	return 0;
}

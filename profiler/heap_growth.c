/* SPDX-License-Identifier: Apache-2.0 */
/* heap_growth.c - which functions hold more in one heap dump than in an earlier one */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/heap.h"

#define HOLDERS_MAX 256 /* compared; what holds less than all of these is left out */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct zb_heap_holder *)a)->function,
		      ((const struct zb_heap_holder *)b)->function);
}

static int by_bytes(const void *a, const void *b)
{
	const struct zb_heap_holder *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return by_name(a, b);
}

/* Takes from h what it held before; false: it has not grown. */
static bool less(struct zb_heap_holder *h, const struct zb_heap_holder *before, size_t nr)
{
	const struct zb_heap_holder *was =
		nr != 0 ? bsearch(h, before, nr, sizeof(*h), by_name) : NULL;

	if (was == NULL)
		return true;
	if (h->bytes <= was->bytes)
		return false;
	h->bytes -= was->bytes;
	h->objects -= was->objects < h->objects ? was->objects : h->objects;
	return true;
}

int zb_heap_growth(const char *first, const char *last, struct zb_symbols *syms,
		   struct zb_heap_holder *out, unsigned max)
{
	struct zb_heap_holder *now = calloc(2 * HOLDERS_MAX, sizeof(*now)),
			      *before = now != NULL ? now + HOLDERS_MAX : NULL;
	uint64_t grown = 0;
	int nr, was_nr = 0;
	unsigned kept = 0;

	if (now == NULL)
		return -ENOMEM;
	nr = zb_heap_top(last, syms, now, HOLDERS_MAX, NULL);
	if (nr >= 0 && strcmp(first, last) != 0)
		was_nr = zb_heap_top(first, syms, before, HOLDERS_MAX, NULL);
	if (nr < 0 || was_nr < 0) {
		free(now);
		return nr < 0 ? nr : was_nr;
	}
	qsort(before, (size_t)was_nr, sizeof(*before), by_name);
	for (int i = 0; i < nr; i++) {
		struct zb_heap_holder h = now[i];

		if (!less(&h, before, (size_t)was_nr))
			continue;
		grown += h.bytes;
		now[kept++] = h;
	}
	qsort(now, kept, sizeof(*now), by_bytes);
	kept = kept < max ? kept : max;
	for (unsigned i = 0; i < kept; i++) {
		out[i] = now[i];
		out[i].share = (double)now[i].bytes / (double)grown;
	}
	free(now);
	return (int)kept;
}

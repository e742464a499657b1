/* SPDX-License-Identifier: Apache-2.0 */
/* export_folded.c - samples as folded stacks */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "profiler/export.h"

static const char *const state_name[ZB_CPU_STATE_NR] = {
	[ZB_CPU_WAITING] = "[waiting]",
	[ZB_CPU_PREEMPTED] = "[preempted]",
};

/* Equal stacks of threads of one name are one line: sorted so that they stand together. */
static int compare(const void *a, const void *b)
{
	const struct zb_sample_at *x = a, *y = b;

	if (x->state != y->state)
		return x->state < y->state ? -1 : 1;
	if (x->lane != y->lane)
		return x->lane < y->lane ? -1 : 1;
	return (x->stack > y->stack) - (x->stack < y->stack);
}

static char *stack_text(const struct zb_samples *s, const struct zb_samples_cut *cut,
			const struct zb_sample_at *a)
{
	const struct zb_samples_stack *k = &s->stack[a->stack];
	const char *comm = s->comm[0] == '\0' || cut->by_thread ? s->lane[a->lane].comm : NULL;
	const char *state = state_name[a->state];
	size_t len = sizeof(ZB_FOLDED_NO_STACK) + sizeof(s->lane[0].comm) + 32;
	char *text, *to;

	for (uint32_t i = 0; i < k->depth; i++)
		len += strlen(s->string[s->frame[s->stack_frame[k->at + i]].name]) +
		       sizeof(ZB_FOLDED_KERNEL);
	text = to = malloc(len);
	if (text == NULL)
		return NULL;
	if (comm != NULL) {
		to = zb_folded_put_name(to, comm[0] != '\0' ? comm : "[unknown]");
		if (cut->by_thread)
			to += sprintf(to, "/%" PRIu32, s->lane[a->lane].tid);
		*to++ = ';';
	}
	if (state != NULL) {
		to = stpcpy(to, state);
		*to++ = ';';
	}
	for (uint32_t i = k->depth; i-- > 0;) {
		const struct zb_samples_frame *f = &s->frame[s->stack_frame[k->at + i]];

		to = zb_folded_put_name(to, s->string[f->name]);
		if (zb_samples_is_kernel(f))
			to = stpcpy(to, ZB_FOLDED_KERNEL);
		if (i > 0)
			*to++ = ';';
	}
	if (k->depth == 0)
		to = stpcpy(to, ZB_FOLDED_NO_STACK);
	*to = '\0';
	return text;
}

static int add_lines(const struct zb_samples *s, const struct zb_samples_cut *cut,
		     struct zb_sample_at *at, uint32_t nr, struct zb_folded *lines)
{
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < nr;) {
		uint32_t first = i;
		uint64_t weight = 0;

		for (; i < nr && compare(&at[i], &at[first]) == 0; i++)
			weight += at[i].weight;
		ret = zb_folded_add(lines, stack_text(s, cut, &at[first]), weight);
	}
	return ret;
}

int zb_export_fold(const struct zb_samples *s, const struct zb_samples_cut *cut,
		   struct zb_folded *lines)
{
	struct zb_sample_at *at = calloc((size_t)s->times.nr + 1, sizeof(*at));
	uint32_t nr = 0;
	int ret;

	if (at == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->times.nr; i++) {
		if (!zb_samples_in(s, cut, &s->times.at[i]))
			continue;
		at[nr] = s->times.at[i];
		/* Which thread it was counts only where its name is shown. */
		at[nr].lane = s->comm[0] == '\0' || cut->by_thread ? at[nr].lane : 0;
		nr++;
	}
	qsort(at, nr, sizeof(*at), compare);
	ret = add_lines(s, cut, at, nr, lines);
	free(at);
	return ret;
}

int zb_export_folded(const struct zb_samples *s, const struct zb_samples_cut *cut, FILE *out)
{
	struct zb_folded lines = {0};
	int ret = zb_export_fold(s, cut, &lines);

	if (ret == 0)
		ret = zb_folded_write(&lines, out);
	zb_folded_fini(&lines);
	return ret;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export_speedscope.c - samples as a JSON file of speedscope's
 *
 * Each lane is a profile of type "sampled": stacks, root first, in order of time, and a weight for
 * each. Equal stacks in a row are one.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "profiler/export.h"
#include "profiler/row_priv.h"

#define SCHEMA "https://www.speedscope.app/file-format-schema.json"

int zb_export_json_text(FILE *out, const char *text)
{
	size_t len = strlen(text);
	char *escaped = malloc(5 * len + 1), *end;

	if (escaped == NULL)
		return -ENOMEM;
	end = zb_row_escape_json(escaped, text, len);
	fputc('"', out);
	fwrite(escaped, 1, (size_t)(end - escaped), out);
	fputc('"', out);
	free(escaped);
	return 0;
}

static int put_frames(const struct zb_samples *s, FILE *out)
{
	int ret = 0;

	fputs("\"shared\":{\"frames\":[", out);
	for (uint32_t i = 0; ret == 0 && i < s->frame_nr; i++) {
		const struct zb_samples_frame *f = &s->frame[i];

		fputs(i > 0 ? ",\n{\"name\":" : "\n{\"name\":", out);
		ret = zb_export_json_text(out, s->string[f->name]);
		if (ret == 0 && f->module != ZB_SAMPLES_NONE) {
			fputs(",\"file\":", out);
			ret = zb_export_json_text(out, s->string[f->module]);
		}
		fputc('}', out);
	}
	fputs("]},\n", out);
	return ret;
}

/* The samples of the cut by lane, then by time. */
struct list {
	struct zb_sample_at *at;
	uint32_t nr;
};

static int compare(const void *a, const void *b)
{
	const struct zb_sample_at *x = a, *y = b;

	if (x->lane != y->lane)
		return x->lane < y->lane ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return (x->stack > y->stack) - (x->stack < y->stack);
}

static int make_list(const struct zb_samples *s, const struct zb_samples_cut *cut, struct list *l)
{
	*l = (struct list){.at = calloc((size_t)s->times.nr + 1, sizeof(*l->at))};
	if (l->at == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->times.nr; i++)
		if (zb_samples_in(s, cut, &s->times.at[i]))
			l->at[l->nr++] = s->times.at[i];
	qsort(l->at, l->nr, sizeof(*l->at), compare);
	return 0;
}

/* From entry i on: how many have the same stack in a row, and their weight. */
static uint32_t same_stack(const struct zb_samples *s, const struct list *l, uint32_t i,
			   uint64_t *weight_ns)
{
	const struct zb_sample_at *first = &l->at[i];

	*weight_ns = 0;
	for (; i < l->nr && l->at[i].lane == first->lane && l->at[i].stack == first->stack; i++)
		*weight_ns += l->at[i].weight * zb_samples_weight_ns(s, l->at[i].state);
	return (uint32_t)(&l->at[i] - first);
}

static void put_stack(const struct zb_samples *s, uint32_t stack, FILE *out)
{
	const struct zb_samples_stack *k = &s->stack[stack];

	fputc('[', out);
	for (uint32_t i = k->depth; i-- > 0;)
		fprintf(out, "%" PRIu32 "%s", s->stack_frame[k->at + i], i > 0 ? "," : "");
	fputc(']', out);
}

/* Entries [from, to) are those of lane. */
static int put_profile(const struct zb_samples *s, const struct list *l, uint32_t lane,
		       uint32_t from, uint32_t to, FILE *out)
{
	uint64_t weight_ns, sum_ns = 0;
	int ret;

	fprintf(out, "{\"type\":\"sampled\",\"unit\":\"%s\",\"name\":",
		s->period_ns != 0 ? "nanoseconds" : "none");
	ret = zb_export_json_text(out, s->lane[lane].comm);
	fputs(",\"samples\":[", out);
	for (uint32_t i = from; i < to; i += same_stack(s, l, i, &weight_ns)) {
		fputs(i > from ? ",\n" : "\n", out);
		put_stack(s, l->at[i].stack, out);
	}
	fputs("],\"weights\":[", out);
	for (uint32_t i = from, nr; i < to; i += nr) {
		nr = same_stack(s, l, i, &weight_ns);
		fprintf(out, "%s%" PRIu64, i > from ? "," : "", weight_ns);
		sum_ns += weight_ns;
	}
	fprintf(out, "],\"startValue\":0,\"endValue\":%" PRIu64 "}", sum_ns);
	return ret;
}

static int put_profiles(const struct zb_samples *s, const struct zb_samples_cut *cut,
			const struct list *l, FILE *out)
{
	uint32_t from = 0;
	bool first = true;
	int ret = 0;

	fputs("\"profiles\":[", out);
	for (uint32_t lane = 0; ret == 0 && lane < s->lane_nr; lane++) {
		uint32_t to = from;

		while (to < l->nr && l->at[to].lane == lane)
			to++;
		if (cut->lane == ZB_SAMPLES_NONE || cut->lane == lane) {
			fputs(first ? "\n" : ",\n", out);
			ret = put_profile(s, l, lane, from, to, out);
			first = false;
		}
		from = to;
	}
	fputs("]}\n", out);
	return ret;
}

int zb_export_speedscope(const struct zb_samples *s, const struct zb_samples_cut *cut,
			 const char *name, FILE *out)
{
	struct list l;
	int ret = make_list(s, cut, &l);

	if (ret < 0)
		return ret;
	errno = 0;
	fputs("{\"$schema\":\"" SCHEMA "\",\"version\":\"0.0.1\",\"exporter\":\"zbench\",\"name\":",
	      out);
	ret = zb_export_json_text(out, name);
	fputs(",\"activeProfileIndex\":0,\n", out);
	if (ret == 0)
		ret = put_frames(s, out);
	if (ret == 0)
		ret = put_profiles(s, cut, &l, out);
	free(l.at);
	if (ret == 0 && (fflush(out) != 0 || ferror(out)))
		ret = errno != 0 ? -errno : -EIO;
	return ret;
}

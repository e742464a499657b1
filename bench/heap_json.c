/* SPDX-License-Identifier: Apache-2.0 */
/* heap_json.c - what dumps hold, for scripts */
#include <inttypes.h>
#include <math.h>

#include "bench/heap_out.h"
#include "profiler/export.h"

static const char *const mode_name[] = {
	[ZB_HEAP_USE] = "use",
	[ZB_HEAP_DIFF] = "diff",
	[ZB_HEAP_GROWTH] = "growth",
};

static void put_dumps(const struct zb_heap_source *s, FILE *out, int *ret)
{
	fputs("\"dumps\":[", out);
	for (unsigned i = 0; i < s->nr && *ret == 0; i++) {
		const struct zb_heap_input *in = &s->in[i];

		fputs(i > 0 ? ",\n{\"file\":" : "\n{\"file\":", out);
		*ret = zb_export_json_text(out, in->path);
		fprintf(out,
			",\"pid\":%lu,\"seq\":%lu,\"time_s\":%.3f,\"sample_bytes\":%" PRIu64
			",\"bytes\":%.0f,\"objects\":%.0f}",
			in->pid, in->seq, in->time_s, in->rate, in->bytes, in->objects);
	}
	fputs("],\n", out);
}

static double share(const struct zb_heap_report *r, double bytes)
{
	return r->total != 0 ? bytes / r->total : 0;
}

static void put_functions(const struct zb_heap_report *r, FILE *out, int *ret)
{
	fputs("\"functions\":[", out);
	for (uint32_t i = 0; i < r->row_nr && (r->top == 0 || i < r->top) && *ret == 0; i++) {
		const struct zb_heap_row *row = &r->row[i];

		fputs(i > 0 ? ",\n{\"function\":" : "\n{\"function\":", out);
		*ret = zb_export_json_text(out, row->name);
		fprintf(out,
			",\"bytes\":%.0f,\"share\":%.6f,\"cumulative_bytes\":%.0f,"
			"\"cumulative_share\":%.6f}",
			row->flat, share(r, row->flat), row->cumulative, share(r, row->cumulative));
	}
	fputs("],\n", out);
}

static void put_path(const struct zb_heap_report *r, uint32_t path, FILE *out, int *ret)
{
	const struct zb_heap_paths *p = &r->source->paths;
	uint32_t depth = p->names->stack[path].depth;

	fputs("{\"path\":[", out);
	for (uint32_t i = 0; i < depth && *ret == 0; i++) {
		if (i > 0)
			fputc(',', out);
		*ret = zb_export_json_text(out, zb_heap_paths_name(p, path, i));
	}
	fprintf(out, "],\"bytes\":%.0f,\"objects\":%.0f", r->held.bytes[path],
		r->held.objects[path]);
	if (r->trend != NULL)
		fprintf(out,
			",\"first_bytes\":%.0f,\"last_bytes\":%.0f,\"slope_bytes_per_%s\":%.3f,"
			"\"fit\":%.4f",
			r->trend[path].first, r->trend[path].last, r->by_time ? "s" : "dump",
			r->trend[path].slope, r->trend[path].fit);
	fputc('}', out);
}

int zb_heap_write_json(const struct zb_heap_report *r, FILE *out)
{
	uint32_t written = 0;
	int ret = 0;

	fprintf(out, "{\"schema\":1,\"mode\":\"%s\",\"bytes\":%.0f,\n", mode_name[r->mode],
		r->total);
	put_dumps(r->source, out, &ret);
	put_functions(r, out, &ret);
	fputs("\"paths\":[", out);
	for (uint32_t i = 0; i < r->held.nr && (r->top == 0 || i < r->top) && ret == 0; i++) {
		uint32_t path = r->order[i];

		if (fabs(r->held.bytes[path]) < 0.5 && r->trend == NULL)
			continue;
		fputs(written++ > 0 ? ",\n" : "\n", out);
		put_path(r, path, out, &ret);
	}
	fputs("]}\n", out);
	return ret;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* heap_out.c - the forms of zbench heap */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/heap_out.h"
#include "profiler/export.h"
#include "profiler/flame_svg.h"

#define KB	    1024.0
#define MB	    (1024 * KB) /* as jeprof has it */
#define PATH_FRAMES 8		/* of a path in a table */

const char *const zb_heap_format_name[ZB_HEAP_FORMAT_NR + 1] = {
	[ZB_HEAP_TEXT] = "text",     [ZB_HEAP_FOLDED] = "folded", [ZB_HEAP_SVG] = "svg",
	[ZB_HEAP_ICICLE] = "icicle", [ZB_HEAP_JSON] = "json",	  [ZB_HEAP_PPROF] = "pprof",
};

static double no_minus_zero(double v)
{
	return fabs(v) < 0.05 ? 0 : v;
}

static void put_percent(double part, double whole, FILE *out)
{
	char text[32];

	if (whole != 0)
		snprintf(text, sizeof(text), "%.1f%%", no_minus_zero(100 * part / whole));
	else
		snprintf(text, sizeof(text), "%s", part == 0 ? "nan" : part > 0 ? "+inf" : "-inf");
	fprintf(out, " %6s", text);
}

static void write_table(const struct zb_heap_report *r, FILE *out)
{
	double sum = 0;

	fprintf(out, "Total: %.1f MB\n", no_minus_zero(r->total / MB));
	for (uint32_t i = 0; i < r->row_nr && (r->top == 0 || i < r->top); i++) {
		const struct zb_heap_row *row = &r->row[i];

		sum += row->flat;
		fprintf(out, "%8.1f", no_minus_zero(row->flat / MB));
		put_percent(row->flat, r->total, out);
		put_percent(sum, r->total, out);
		fprintf(out, " %8.1f", no_minus_zero(row->cumulative / MB));
		put_percent(row->cumulative, r->total, out);
		fprintf(out, " %s\n", row->name);
	}
}

static void put_path(const struct zb_heap_paths *p, uint32_t path, FILE *out)
{
	uint32_t depth = p->names->stack[path].depth;

	for (uint32_t i = 0; i < depth && i < PATH_FRAMES; i++)
		fprintf(out, "%s%s", i > 0 ? " < " : "", zb_heap_paths_name(p, path, i));
	fputs(depth > PATH_FRAMES ? " < ...\n" : "\n", out);
}

/* Paths that keep what they hold say nothing. */
static void write_growth(const struct zb_heap_report *r, FILE *out)
{
	const struct zb_heap_source *s = r->source;
	uint32_t rows = 0;

	fprintf(out, "%u dumps", s->nr);
	if (r->by_time)
		fprintf(out, " in %.1f s", r->span);
	fprintf(out, ": %.1f MB in the first, %.1f MB in the last\n", s->in[0].bytes / MB,
		s->in[s->nr - 1].bytes / MB);
	fprintf(out, "first MB  last MB  %s  fit  path, innermost function first\n",
		r->by_time ? "     KB/s" : "KB a dump");
	for (uint32_t i = 0; i < r->held.nr && (r->top == 0 || rows < r->top); i++) {
		uint32_t path = r->order[i];
		const struct zb_heap_trend *t = &r->trend[path];

		if (fabs(r->held.bytes[path]) < KB)
			continue;
		fprintf(out, "%8.1f %8.1f %10.1f %3.0f%%  ", t->first / MB, t->last / MB,
			t->slope / KB, 100 * t->fit);
		put_path(&s->paths, path, out);
		rows++;
	}
	if (rows == 0)
		fprintf(out, "%34sno path grew or shrank\n", "");
}

/* Root first, as others fold. What has shrunk has no width, so it is left out. */
static int fold(const struct zb_heap_report *r, struct zb_folded *lines)
{
	const struct zb_heap_paths *p = &r->source->paths;

	for (uint32_t i = 0; i < r->held.nr; i++) {
		uint32_t depth = p->names->stack[i].depth;
		size_t len = 1;
		char *text, *to;
		int ret;

		if (!(r->held.bytes[i] >= 0.5))
			continue;
		for (uint32_t k = 0; k < depth; k++)
			len += strlen(zb_heap_paths_name(p, i, k)) + 1;
		text = to = malloc(len);
		for (uint32_t k = depth; text != NULL && k-- > 0;) {
			to = zb_folded_put_name(to, zb_heap_paths_name(p, i, k));
			*to++ = ';';
		}
		if (text != NULL)
			to[depth > 0 ? -1 : 0] = '\0';
		ret = zb_folded_add(lines, text,
				    r->held.bytes[i] < 0x1p63 ? (uint64_t)llrint(r->held.bytes[i])
							      : INT64_MAX);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int write_folded(const struct zb_heap_report *r, FILE *out)
{
	struct zb_folded lines = {0};
	int ret = fold(r, &lines);

	if (ret == 0)
		ret = zb_folded_write(&lines, out);
	zb_folded_fini(&lines);
	return ret;
}

static void set_title(const struct zb_heap_report *r, char *title, size_t title_size)
{
	const struct zb_heap_source *s = r->source;
	const char *first = s->in[0].path, *last = s->in[s->nr - 1].path;

	if (r->mode == ZB_HEAP_USE)
		snprintf(title, title_size, "%s%s: memory in use", last,
			 s->nr > 1 ? " and others" : "");
	else
		snprintf(title, title_size, "%s: memory that came in since %s", last, first);
}

/* A growth's picture says what it does not show. */
static void set_subtitle(const struct zb_heap_report *r, char *subtitle, size_t subtitle_size)
{
	double grown = 0, shrunk = 0;

	for (uint32_t i = 0; i < r->held.nr; i++)
		*(r->held.bytes[i] > 0 ? &grown : &shrunk) += r->held.bytes[i];
	if (r->mode == ZB_HEAP_USE)
		snprintf(subtitle, subtitle_size,
			 "by sampling: one sample for %.0f KB allocated, on average",
			 (double)r->source->in[0].rate / 1024);
	else
		snprintf(subtitle, subtitle_size,
			 "%.1f MB grown, %s; %.1f MB shrunk elsewhere are not drawn", grown / MB,
			 r->mode == ZB_HEAP_GROWTH ? "going by a straight line through all dumps"
						   : "last against first",
			 -shrunk / MB);
}

static int draw(const struct zb_heap_report *r, bool icicle, FILE *out)
{
	char title[2 * PATH_MAX + 64], subtitle[160], *text = NULL;
	struct zb_flame_conf conf = {
		.title = title, .subtitle = subtitle, .unit = "bytes", .icicle = icicle};
	size_t len = 0;
	FILE *in, *f = open_memstream(&text, &len);
	int ret;

	if (f == NULL)
		return -ENOMEM;
	set_title(r, title, sizeof(title));
	set_subtitle(r, subtitle, sizeof(subtitle));
	ret = write_folded(r, f);
	if (fclose(f) != 0 && ret == 0)
		ret = -ENOMEM;
	if (ret == 0) {
		/* fmemopen() takes no empty buffer. */
		in = len > 0 ? fmemopen(text, len, "r") : fopen("/dev/null", "re");
		ret = in != NULL ? zb_flame_svg(&conf, in, out) : -errno;
		if (in != NULL)
			fclose(in);
	}
	free(text);
	return ret;
}

static int write_pprof(const struct zb_heap_report *r, FILE *out)
{
	const struct zb_heap_input *last = &r->source->in[r->source->nr - 1];
	const struct zb_pprof_heap heap = {
		.bytes = r->held.bytes,
		.objects = r->held.objects,
		.rate = last->rate,
		.time_ns = (uint64_t)(last->time_s * 1e9),
	};

	return zb_export_pprof_heap(r->source->paths.names, &heap, out);
}

int zb_heap_write(const struct zb_heap_report *r, enum zb_heap_format format, FILE *out)
{
	int ret = 0;

	switch (format) {
	case ZB_HEAP_TEXT:
		if (r->mode == ZB_HEAP_GROWTH)
			write_growth(r, out);
		else
			write_table(r, out);
		break;
	case ZB_HEAP_FOLDED: ret = write_folded(r, out); break;
	case ZB_HEAP_SVG:
	case ZB_HEAP_ICICLE: ret = draw(r, format == ZB_HEAP_ICICLE, out); break;
	case ZB_HEAP_JSON: ret = zb_heap_write_json(r, out); break;
	case ZB_HEAP_PPROF: ret = write_pprof(r, out); break;
	case ZB_HEAP_FORMAT_NR: return -EINVAL;
	}
	errno = 0;
	if (ret == 0 && (fflush(out) != 0 || ferror(out)))
		ret = errno != 0 ? -errno : -EIO;
	return ret;
}

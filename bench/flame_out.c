/* SPDX-License-Identifier: Apache-2.0 */
/* flame_out.c - writes what zbench flame was asked for */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bench/flame_out.h"
#include "bench/options.h"
#include "profiler/diag.h"
#include "profiler/flame_svg.h"

const char *const zb_flame_format_name[ZB_FLAME_FORMAT_NR + 1] = {
	[ZB_FLAME_SVG] = "svg",		[ZB_FLAME_ICICLE] = "icicle",
	[ZB_FLAME_FOLDED] = "folded",	[ZB_FLAME_PERF] = "perf",
	[ZB_FLAME_PPROF] = "pprof",	[ZB_FLAME_SPEEDSCOPE] = "speedscope",
	[ZB_FLAME_HEATMAP] = "heatmap",
};

/* Of files in a run's folder: NAME, what of the run it is, END. */
static const struct {
	const char *name, *end;
} file_name[ZB_FLAME_FORMAT_NR] = {
	[ZB_FLAME_SVG] = {"flame", ".svg"},	   [ZB_FLAME_ICICLE] = {"icicle", ".svg"},
	[ZB_FLAME_FOLDED] = {"stacks", ".folded"}, [ZB_FLAME_PERF] = {"perf-script", ".txt"},
	[ZB_FLAME_PPROF] = {"profile", ".pb.gz"},  [ZB_FLAME_SPEEDSCOPE] = {"speedscope", ".json"},
	[ZB_FLAME_HEATMAP] = {"heatmap", ".html"},
};

/* What the request is about: of two that are compared, the later one. */
static const struct zb_flame_source *main_source(const struct zb_flame_request *r)
{
	return &r->src[r->diff ? 1 : 0];
}

/* nr sources as one folded text, which is the caller's to free. */
static int fold(const struct zb_flame_source *src, unsigned nr, char **text, size_t *len)
{
	FILE *f = open_memstream(text, len);
	struct zb_folded lines = {0};
	int ret = 0;

	if (f == NULL)
		return -errno;
	for (unsigned i = 0; ret == 0 && i < nr; i++)
		ret = zb_export_fold(src[i].samples, &src[i].cut, &lines);
	if (ret == 0)
		ret = zb_folded_write(&lines, f);
	zb_folded_fini(&lines);
	if (fclose(f) != 0 && ret == 0)
		ret = -ENOMEM;
	if (ret < 0)
		free(*text);
	return ret;
}

/* The same as a stream, which ends before *text may be freed. */
static int fold_stream(const struct zb_flame_source *src, unsigned nr, char **text, FILE **in)
{
	size_t len = 0;
	int ret = fold(src, nr, text, &len);

	if (ret < 0)
		return ret;
	/* fmemopen() takes no empty buffer. */
	*in = len > 0 ? fmemopen(*text, len, "r") : fopen("/dev/null", "re");
	if (*in != NULL)
		return 0;
	ret = -errno;
	free(*text);
	return ret;
}

static void set_title(const struct zb_flame_request *r, char *title, size_t title_size)
{
	const struct zb_flame_source *src = main_source(r);
	char words[128], before[128];

	zb_flame_source_words(src, words, sizeof(words));
	zb_flame_source_words(&r->src[0], before, sizeof(before));
	if (r->diff && strcmp(r->src[0].path, src->path) == 0)
		snprintf(title, title_size, "%s: %s, against %s", src->path, words, before);
	else if (r->diff)
		snprintf(title, title_size, "%s: %s, against %s: %s", src->path, words,
			 r->src[0].path, before);
	else
		snprintf(title, title_size, "%s: %s%s", src->path, words,
			 r->src_nr > 1 ? ", and others" : "");
}

static int draw(const struct zb_flame_request *r, FILE *out)
{
	const struct zb_flame_source *src = main_source(r);
	char title[2 * PATH_MAX + 300], subtitle[64], *text, *text_before = NULL;
	struct zb_flame_conf conf = {
		.title = title,
		.subtitle = src->samples->method[0] != '\0' ? subtitle : NULL,
		.unit = (src->cut.states & ZB_CUT_ON) != 0 ? "samples" : "us",
		.icicle = r->format == ZB_FLAME_ICICLE,
	};
	FILE *in, *before = NULL;
	int ret = fold_stream(src, r->diff ? 1 : r->src_nr, &text, &in);

	if (ret < 0)
		return ret;
	set_title(r, title, sizeof(title));
	snprintf(subtitle, sizeof(subtitle), "sampled by %s", src->samples->method);
	if (r->diff)
		ret = fold_stream(&r->src[0], 1, &text_before, &before);
	if (ret == 0)
		ret = r->diff ? zb_flame_diff_svg(&conf, before, in, out)
			      : zb_flame_svg(&conf, in, out);
	if (before != NULL)
		fclose(before);
	fclose(in);
	if (before != NULL)
		free(text_before);
	free(text);
	return ret;
}

static int write_folded(const struct zb_flame_request *r, FILE *out)
{
	size_t len = 0;
	char *text;
	int ret = fold(r->src, r->src_nr, &text, &len);

	if (ret < 0)
		return ret;
	errno = 0;
	fwrite(text, 1, len, out);
	if (fflush(out) != 0 || ferror(out))
		ret = errno != 0 ? -errno : -EIO;
	free(text);
	return ret;
}

int zb_flame_heatmap(const struct zb_samples *s, const char *source, FILE *out)
{
	char title[PATH_MAX + 32], subtitle[160];
	const struct zb_heatmap_conf conf = {
		.title = title,
		.subtitle = subtitle,
		.source = source,
	};
	time_t start = (time_t)(s->start_unix_ns / 1000000000u);
	struct tm tm;
	char when[32] = "";

	if (gmtime_r(&start, &tm) != NULL)
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", &tm);
	snprintf(title, sizeof(title), "%s: where the time went, by time", source);
	snprintf(subtitle, sizeof(subtitle),
		 "%.1f s from %s; sampled by %s, one sample for %.4g ms",
		 (double)s->duration_ns / 1e9, when, s->method, (double)s->period_ns / 1e6);
	return zb_export_heatmap(s, &conf, out);
}

static int write_to(const struct zb_flame_request *r, FILE *out)
{
	const struct zb_flame_source *src = &r->src[0];

	switch (r->format) {
	case ZB_FLAME_SVG:
	case ZB_FLAME_ICICLE: return draw(r, out);
	case ZB_FLAME_FOLDED: return write_folded(r, out);
	case ZB_FLAME_PERF: return zb_export_perf(src->samples, &src->cut, out);
	case ZB_FLAME_PPROF: return zb_export_pprof(src->samples, &src->cut, out);
	case ZB_FLAME_SPEEDSCOPE:
		return zb_export_speedscope(src->samples, &src->cut, src->path, out);
	case ZB_FLAME_HEATMAP: return zb_flame_heatmap(src->samples, src->path, out);
	case ZB_FLAME_FORMAT_NR: break;
	}
	return -EINVAL;
}

/* NAME-lcore-2-10s-20s.END in the folder of the run. */
static int default_path(const struct zb_flame_request *r, char *path, size_t path_size)
{
	const struct zb_flame_source *src = main_source(r);
	const struct zb_samples_cut *c = &src->cut;
	char lane[32] = "", range[80] = "";
	int n;

	if (c->lane != ZB_SAMPLES_NONE)
		snprintf(lane, sizeof(lane), "-lcore-%d", src->samples->lane[c->lane].cpu);
	if (c->to_ns != UINT64_MAX)
		snprintf(range, sizeof(range), "-%gs-%gs", (double)c->from_ns / 1e9,
			 (double)c->to_ns / 1e9);
	else if (c->from_ns > 0)
		snprintf(range, sizeof(range), "-from-%gs", (double)c->from_ns / 1e9);
	n = snprintf(path, path_size, "%s/%s%s%s%s%s", src->folder,
		     r->diff ? "diff" : file_name[r->format].name,
		     (c->states & ZB_CUT_ON) != 0 ? "" : "-off-cpu", lane, range,
		     file_name[r->format].end);
	if (n < 0 || (size_t)n >= path_size) {
		zb_err("%s: %s", src->folder, strerror(ENAMETOOLONG));
		return -ENAMETOOLONG;
	}
	return 0;
}

static int write_stdout(const struct zb_flame_request *r)
{
	int ret;

	if (r->format == ZB_FLAME_PPROF && isatty(STDOUT_FILENO)) {
		zb_err("--format pprof: not for a terminal; give -o FILE");
		return ZB_EXIT_USAGE;
	}
	ret = write_to(r, stdout);
	if (ret == 0)
		return ZB_EXIT_OK;
	zb_err("standard output: %s", strerror(-ret));
	return ZB_EXIT_BROKE;
}

/* Half a file helps nobody; a device (/dev/full) is not ours to remove. */
static void remove_half(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
		unlink(path);
}

int zb_flame_write(const struct zb_flame_request *r)
{
	char path[PATH_MAX];
	FILE *out;
	int ret;

	if (r->out != NULL ? strcmp(r->out, "-") == 0 : main_source(r)->folder[0] == '\0')
		return write_stdout(r);
	if (r->out == NULL && default_path(r, path, sizeof(path)) < 0)
		return ZB_EXIT_USAGE;
	if (r->out != NULL && snprintf(path, sizeof(path), "%s", r->out) >= (int)sizeof(path)) {
		zb_err("-o %.40s...: %s", r->out, strerror(ENAMETOOLONG));
		return ZB_EXIT_USAGE;
	}
	out = fopen(path, "we");
	if (out == NULL) {
		zb_err("%s: cannot create: %s", path, strerror(errno));
		return ZB_EXIT_USAGE;
	}
	ret = write_to(r, out);
	if (fclose(out) != 0 && ret == 0)
		ret = -errno;
	if (ret < 0) {
		zb_err("%s: cannot write: %s", path, strerror(-ret));
		remove_half(path);
		return ZB_EXIT_BROKE;
	}
	printf("%s\n", path);
	return ZB_EXIT_OK;
}

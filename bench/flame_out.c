/* SPDX-License-Identifier: Apache-2.0 */
/* flame_out.c - writes what zbench flame was asked for */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/flame_out.h"
#include "bench/options.h"
#include "profiler/diag.h"
#include "profiler/flame_svg.h"

const char *const zb_flame_format_name[ZB_FLAME_FORMAT_NR + 1] = {
	[ZB_FLAME_SVG] = "svg",	      [ZB_FLAME_ICICLE] = "icicle",
	[ZB_FLAME_FOLDED] = "folded", [ZB_FLAME_PERF] = "perf",
	[ZB_FLAME_PPROF] = "pprof",   [ZB_FLAME_SPEEDSCOPE] = "speedscope",
};

/* Of files in a run's folder: NAME, what of the run it is, END. */
static const struct {
	const char *name, *end;
} file_name[ZB_FLAME_FORMAT_NR] = {
	[ZB_FLAME_SVG] = {"flame", ".svg"},	   [ZB_FLAME_ICICLE] = {"icicle", ".svg"},
	[ZB_FLAME_FOLDED] = {"stacks", ".folded"}, [ZB_FLAME_PERF] = {"perf-script", ".txt"},
	[ZB_FLAME_PPROF] = {"profile", ".pb.gz"},  [ZB_FLAME_SPEEDSCOPE] = {"speedscope", ".json"},
};

/* All sources as one folded text; what text points at is the caller's to free. */
static int fold(const struct zb_flame_request *r, char **text, size_t *len)
{
	FILE *f = open_memstream(text, len);
	struct zb_folded lines = {0};
	int ret = 0;

	if (f == NULL)
		return -errno;
	for (unsigned i = 0; ret == 0 && i < r->src_nr; i++)
		ret = zb_export_fold(r->src[i].samples, &r->src[i].cut, &lines);
	if (ret == 0)
		ret = zb_folded_write(&lines, f);
	zb_folded_fini(&lines);
	if (fclose(f) != 0 && ret == 0)
		ret = -ENOMEM;
	if (ret < 0)
		free(*text);
	return ret;
}

static int draw(const struct zb_flame_request *r, FILE *out)
{
	const struct zb_flame_source *src = &r->src[0];
	const struct zb_samples *s = src->samples;
	bool on = (src->cut.states & ZB_CUT_ON) != 0;
	char words[128], title[PATH_MAX + 160], subtitle[128];
	struct zb_flame_conf conf = {
		.title = title,
		.subtitle = subtitle,
		.unit = on ? "samples" : "us",
		.icicle = r->format == ZB_FLAME_ICICLE,
	};
	size_t len = 0;
	char *text;
	FILE *in;
	int ret = fold(r, &text, &len);

	if (ret < 0)
		return ret;
	zb_flame_source_words(src, words, sizeof(words));
	snprintf(title, sizeof(title), "%s: %s%s", src->path, words,
		 r->src_nr > 1 ? ", and others" : "");
	snprintf(subtitle, sizeof(subtitle), "%s%s", s->method[0] != '\0' ? "sampled by " : "",
		 s->method);
	if (subtitle[0] == '\0')
		conf.subtitle = NULL;
	/* fmemopen() takes no empty buffer. */
	in = len > 0 ? fmemopen(text, len, "r") : fopen("/dev/null", "re");
	ret = in != NULL ? zb_flame_svg(&conf, in, out) : -errno;
	if (in != NULL)
		fclose(in);
	free(text);
	return ret;
}

static int write_folded(const struct zb_flame_request *r, FILE *out)
{
	size_t len = 0;
	char *text;
	int ret = fold(r, &text, &len);

	if (ret < 0)
		return ret;
	errno = 0;
	fwrite(text, 1, len, out);
	if (fflush(out) != 0 || ferror(out))
		ret = errno != 0 ? -errno : -EIO;
	free(text);
	return ret;
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
	case ZB_FLAME_FORMAT_NR: break;
	}
	return -EINVAL;
}

/* NAME-lcore-2-10s-20s.END in the folder of the run. */
static int default_path(const struct zb_flame_request *r, char *path, size_t path_size)
{
	const struct zb_flame_source *src = &r->src[0];
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
	n = snprintf(path, path_size, "%s/%s%s%s%s%s", src->folder, file_name[r->format].name,
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

	if (r->out != NULL ? strcmp(r->out, "-") == 0 : r->src[0].folder[0] == '\0')
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

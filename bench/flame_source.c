/* SPDX-License-Identifier: Apache-2.0 */
/* flame_source.c - a run, or a file, and a range of its time */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/flame_source.h"
#include "bench/options.h"
#include "profiler/diag.h"

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* "10-20" or "1m-": from and to; without a second one, to the end. */
static int parse_range(const char *arg, const char *text, struct zb_samples_cut *cut)
{
	const char *dash = strchr(text, '-');
	double from = 0, to = 0;
	char word[32];
	int ret = dash != NULL ? 0 : -EINVAL;

	if (ret == 0 && (size_t)(dash - text) < sizeof(word)) {
		memcpy(word, text, (size_t)(dash - text));
		word[dash - text] = '\0';
		ret = zb_opt_parse_seconds(word, &from);
	}
	if (ret == 0 && dash[1] != '\0')
		ret = zb_opt_parse_seconds(dash + 1, &to);
	if (ret < 0 || (dash[1] != '\0' && to <= from)) {
		zb_err("%s: %s: not a range of time; give FROM-TO in seconds, as @10-20", arg,
		       text);
		return -EINVAL;
	}
	cut->from_ns = (uint64_t)(from * 1e9);
	cut->to_ns = dash[1] != '\0' ? (uint64_t)(to * 1e9) : UINT64_MAX;
	return 0;
}

/* Splits a range off, unless a file is named like that. */
static int split(struct zb_flame_source *src)
{
	const char *at = strrchr(src->arg, '@');
	size_t len = strlen(src->arg);

	if (at != NULL && at > src->arg && !exists(src->arg)) {
		src->has_range = true;
		len = (size_t)(at - src->arg);
	}
	if (len >= sizeof(src->path)) {
		zb_err("%s: %s", src->arg, strerror(ENAMETOOLONG));
		return -ENAMETOOLONG;
	}
	memcpy(src->path, src->arg, len);
	src->path[len] = '\0';
	return src->has_range ? parse_range(src->arg, at + 1, &src->cut) : 0;
}

static bool is_gzip(const char *path)
{
	unsigned char magic[2] = {0};
	FILE *f = fopen(path, "re");

	if (f == NULL)
		return false; /* said when it is read */
	if (fread(magic, 1, sizeof(magic), f) != sizeof(magic))
		magic[0] = 0;
	fclose(f);
	return magic[0] == 0x1f && magic[1] == 0x8b;
}

/* A run's folder has its samples in flame/; that folder itself will do too. */
static int open_folder(struct zb_flame_source *src)
{
	static const char *const folders[] = {"/flame", ""};
	char file[PATH_MAX];

	for (unsigned i = 0; i < 2; i++) {
		int n = snprintf(src->folder, sizeof(src->folder), "%s%s", src->path, folders[i]);
		int m = snprintf(file, sizeof(file), "%s%s/samples.gz", src->path, folders[i]);

		if (n < 0 || m < 0 || (size_t)m >= sizeof(file)) {
			zb_err("%s: %s", src->arg, strerror(ENAMETOOLONG));
			return -ENAMETOOLONG;
		}
		if (exists(file))
			return zb_samples_read(file, &src->samples);
	}
	zb_err("%s: no flame/samples.gz there; give the folder of a run that took samples",
	       src->path);
	return -ENOENT;
}

int zb_flame_source_open(const char *arg, struct zb_flame_source *out)
{
	struct stat st;
	int ret;

	*out = (struct zb_flame_source){.arg = arg, .cut = ZB_CUT_ALL, .has_times = true};
	ret = split(out);
	if (ret < 0)
		return ret;
	if (stat(out->path, &st) < 0) {
		ret = -errno;
		zb_err("%s: %s", out->path, strerror(-ret));
		return ret;
	}
	if (S_ISDIR(st.st_mode))
		return open_folder(out);
	if (is_gzip(out->path))
		return zb_samples_read(out->path, &out->samples);
	out->has_times = false;
	if (out->has_range) {
		zb_err("%s: folded stacks have no times to cut a range from", arg);
		return -EINVAL;
	}
	return zb_samples_read_folded(out->path, &out->samples);
}

void zb_flame_source_close(struct zb_flame_source *src)
{
	zb_samples_destroy(src->samples);
	src->samples = NULL;
}

int zb_flame_source_lcore(struct zb_flame_source *src, unsigned cpu)
{
	const struct zb_samples *s = src->samples;
	char all[128] = "";
	size_t at = 0;

	for (uint32_t i = 0; i < s->lane_nr; i++) {
		if (s->lane[i].cpu == (int)cpu) {
			src->cut.lane = i;
			return 0;
		}
		if (s->lane[i].cpu >= 0 && at < sizeof(all)) {
			int n = snprintf(all + at, sizeof(all) - at, "%s%d", at > 0 ? ", " : "",
					 s->lane[i].cpu);

			at += n > 0 ? (size_t)n : 0;
		}
	}
	zb_err("--lcore %u: not in %s; there %s", cpu, src->path,
	       at > 0 ? all : "are no lcores but threads");
	return -EINVAL;
}

void zb_flame_source_words(const struct zb_flame_source *src, char *buf, size_t buf_size)
{
	const struct zb_samples_cut *c = &src->cut;
	char lane[48] = "all lcores", range[64] = "";

	if (c->lane != ZB_SAMPLES_NONE)
		snprintf(lane, sizeof(lane), "lcore %d", src->samples->lane[c->lane].cpu);
	else if (src->samples->lane_nr > 0 && src->samples->lane[0].cpu < 0)
		snprintf(lane, sizeof(lane), "%s", src->has_times ? "all threads" : "all");
	if (c->to_ns != UINT64_MAX)
		snprintf(range, sizeof(range), ", %g s to %g s", (double)c->from_ns / 1e9,
			 (double)c->to_ns / 1e9);
	else if (c->from_ns > 0)
		snprintf(range, sizeof(range), ", from %g s", (double)c->from_ns / 1e9);
	snprintf(buf, buf_size, "%s%s%s", lane, range,
		 (c->states & ZB_CUT_ON) != 0 ? "" : ", off the CPU");
}

uint64_t zb_flame_source_weight(const struct zb_flame_source *src)
{
	const struct zb_samples *s = src->samples;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < s->times.nr; i++)
		if (zb_samples_in(s, &src->cut, &s->times.at[i]))
			sum += s->times.at[i].weight;
	return sum;
}

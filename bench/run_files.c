/* SPDX-License-Identifier: Apache-2.0 */
/* run_files.c - see run_files.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/run_files.h"
#include "profiler/diag.h"
#include "profiler/flame_svg.h"
#include "profiler/samples.h"

static int close_said(FILE *f, const char *path, int ret)
{
	if (fclose(f) != 0 && ret == 0)
		ret = -errno;
	if (ret < 0)
		zb_err("%s: %s", path, strerror(-ret));
	return ret;
}

static FILE *open_said(const char *path, const char *mode)
{
	FILE *f = fopen(path, mode);

	if (f == NULL)
		zb_err("%s: %s", path, strerror(errno));
	return f;
}

static int one_flame(const char *dir, const char *name, const char *title,
		     const struct zb_stack_table *stacks, uint32_t lane, struct zb_symbols *syms)
{
	char folded[PATH_MAX + 64], svg[PATH_MAX + 64], subtitle[160];
	struct zb_stack_totals totals;
	struct zb_flame_conf conf = {.title = title, .subtitle = subtitle, .unit = "samples"};
	FILE *f, *in;
	int ret;

	zb_stack_table_totals(stacks, lane, syms, &totals);
	snprintf(subtitle, sizeof(subtitle),
		 "CPU time of the worker; %.1f %% of the samples have a function name",
		 totals.samples ? 100.0 * (double)totals.resolved / (double)totals.samples : 0.0);
	snprintf(folded, sizeof(folded), "%s/%s.folded", dir, name);
	snprintf(svg, sizeof(svg), "%s/%s.svg", dir, name);
	f = open_said(folded, "w+");
	if (f == NULL)
		return -errno;
	ret = zb_stack_table_folded(stacks, lane, syms, f);
	if (ret < 0 || fflush(f) != 0)
		return close_said(f, folded, ret < 0 ? ret : -errno);
	rewind(f);
	in = f;
	f = open_said(svg, "w");
	if (f == NULL) {
		fclose(in);
		return -EIO;
	}
	ret = close_said(f, svg, zb_flame_svg(&conf, in, f));
	fclose(in);
	return ret;
}

/* All samples with their times, for zbench flame. */
static int write_samples(const char *dir, const struct zb_pass_result *r, uint32_t hz,
			 struct zb_symbols *syms, struct zb_worst *worst)
{
	struct zb_samples_source from = {
		.sampler = r->sampler,
		.syms = syms,
		.root = "zb_engine_run",
		.lane_nr = r->lcore_nr,
		.series = r->series,
		.hz = hz,
		.start_unix_ns = r->sampled_unix_ns,
		.duration_ns = r->sampled_ns,
	};
	int *cpus = calloc(r->lcore_nr, sizeof(*cpus));
	struct zb_samples *s = NULL;
	char path[PATH_MAX + 64];
	int ret = cpus != NULL ? zb_samples_create(&s) : -ENOMEM;

	from.cpus = cpus;
	for (unsigned i = 0; ret == 0 && i < r->lcore_nr; i++)
		cpus[i] = (int)r->lcore[i].cpu;
	if (ret == 0)
		ret = zb_samples_take(s, &from);
	if (ret == 0)
		zb_worst_functions(worst, s);
	snprintf(path, sizeof(path), "%s/samples.gz", dir);
	if (ret < 0)
		zb_err("%s: %s", path, strerror(-ret));
	else
		ret = zb_samples_write(s, path);
	zb_samples_destroy(s);
	free(cpus);
	return ret;
}

int zb_run_flames(const struct zb_out_dir *out, const struct zb_pass_result *r, uint32_t hz,
		  struct zb_symbols *syms, struct zb_worst *worst)
{
	struct zb_stack_table *stacks = zb_sampler_stacks(r->sampler);
	char dir[PATH_MAX], name[32], title[64];
	int ret = zb_out_dir_sub(out, "flame", dir);

	zb_stack_table_root(stacks, "zb_engine_run");
	for (unsigned i = 0; ret == 0 && i < r->lcore_nr; i++) {
		snprintf(name, sizeof(name), "lcore-%u", r->lcore[i].cpu);
		snprintf(title, sizeof(title), "zbench lcore %u", r->lcore[i].cpu);
		ret = one_flame(dir, name, title, stacks, i, syms);
	}
	if (ret == 0)
		ret = one_flame(dir, "all", "zbench, all lcores", stacks, ZB_LANE_ALL, syms);
	if (ret == 0)
		ret = write_samples(dir, r, hz, syms, worst);
	return ret;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_spool.c - heap dumps per worker, laid out as ZeekControl's spool: what the scripts that read
 * the dumps of a Zeek cluster (spool/worker-1/jeprof.out.PID.SEQ.iSEQ.heap) find here, too
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/run_files.h"
#include "profiler/diag.h"
#include "profiler/heap_split.h"

struct spool {
	const struct zb_pass_result *pass;
	char dir[PATH_MAX];
	struct zb_heap_part *parts; /* one per lcore */
	char (*name)[24];
	char (*path)[PATH_MAX + NAME_MAX + 64];
};

static int said(const char *what, int ret)
{
	zb_err("%s: %s", what, strerror(-ret));
	return ret;
}

/* dump: "zbench.PID.SEQ.KIND.heap" */
static int open_parts(struct spool *s, const char *dump, unsigned *open_nr)
{
	for (unsigned i = 0; i < s->pass->lcore_nr; i++) {
		snprintf(s->path[i], sizeof(s->path[i]), "%s/%s/jeprof.out%s", s->dir, s->name[i],
			 strchr(dump, '.'));
		s->parts[i].thread = s->name[i];
		s->parts[i].out = fopen(s->path[i], "we");
		if (s->parts[i].out == NULL)
			return said(s->path[i], -errno);
		(*open_nr)++;
	}
	return 0;
}

/* Who goes by the times of a series of dumps shall see those at which they were written. */
static void keep_time(FILE *dump, FILE *part)
{
	struct stat st;

	if (fstat(fileno(dump), &st) == 0)
		(void)futimens(fileno(part), (const struct timespec[]){st.st_atim, st.st_mtim});
}

static int split_one(struct spool *s, const char *heap_dir, const char *dump)
{
	char path[PATH_MAX + NAME_MAX + 2];
	unsigned open_nr = 0;
	int ret;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", heap_dir, dump);
	f = fopen(path, "re");
	if (f == NULL)
		return said(path, -errno);
	ret = open_parts(s, dump, &open_nr);
	if (ret == 0) {
		ret = zb_heap_split(f, s->parts, s->pass->lcore_nr);
		if (ret < 0)
			said(s->dir, ret);
	}
	for (unsigned i = 0; i < open_nr; i++) {
		keep_time(f, s->parts[i].out);
		fclose(s->parts[i].out); /* its buffer is flushed already */
		if (ret < 0 || !s->parts[i].found)
			remove(s->path[i]); /* a worker that holds nothing has no dump */
	}
	fclose(f);
	return ret;
}

static int make_folders(struct spool *s, const struct zb_out_dir *out)
{
	char sub[64], dir[PATH_MAX];
	int ret = zb_out_dir_sub(out, "spool", s->dir);

	for (unsigned i = 0; ret == 0 && i < s->pass->lcore_nr; i++) {
		snprintf(s->name[i], sizeof(s->name[i]), "lcore-%u", s->pass->lcore[i].cpu);
		snprintf(sub, sizeof(sub), "spool/%s", s->name[i]);
		ret = zb_out_dir_sub(out, sub, dir);
	}
	return ret;
}

/* Those of this very run: an earlier one may have left its own in the folder. */
static int split_all(struct spool *s, const char *heap_dir)
{
	const char *last = strrchr(s->pass->heap_last, '/') + 1, *pid = strchr(last, '.') + 1;
	size_t prefix = (size_t)(strchr(pid, '.') + 1 - last); /* "zbench.PID." */
	DIR *d = opendir(heap_dir);
	struct dirent *e;
	int ret = 0;

	if (d == NULL)
		return said(heap_dir, -errno);
	while (ret == 0 && (e = readdir(d)) != NULL)
		if (strncmp(e->d_name, last, prefix) == 0)
			ret = split_one(s, heap_dir, e->d_name);
	closedir(d);
	return ret;
}

int zb_run_spool(const struct zb_out_dir *out, const struct zb_pass_result *r, const char *heap_dir)
{
	struct spool s = {.pass = r};
	int ret;

	s.parts = calloc(r->lcore_nr, sizeof(*s.parts));
	s.name = calloc(r->lcore_nr, sizeof(*s.name));
	s.path = calloc(r->lcore_nr, sizeof(*s.path));
	if (s.parts == NULL || s.name == NULL || s.path == NULL)
		ret = said("spool", -ENOMEM);
	else
		ret = make_folders(&s, out);
	if (ret == 0)
		ret = split_all(&s, heap_dir);
	free(s.path);
	free(s.name);
	free(s.parts);
	return ret;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* heap_source.c - see heap_source.h */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/heap_source.h"
#include "profiler/diag.h"
#include "profiler/heap_maps.h"

static int said(const char *what, int ret)
{
	zb_err("%s: %s", what, strerror(-ret));
	return ret;
}

/* The number before *end, which a dot stands before; *end goes to that dot. */
static bool number_before(const char *name, const char **end, unsigned long *value)
{
	const char *p = *end;

	while (p > name && p[-1] >= '0' && p[-1] <= '9')
		p--;
	if (p == *end || p == name || p[-1] != '.')
		return false;
	errno = 0;
	*value = strtoul(p, NULL, 10);
	*end = p - 1;
	return errno == 0;
}

/* "zbench.123.4.i4.heap": 123 and 4. Other names that end in .heap are of process 0. */
static bool parse_name(const char *name, unsigned long *pid, unsigned long *seq)
{
	size_t len = strlen(name), cut = strlen(".heap");
	const char *end = name + len - cut;

	*pid = *seq = 0;
	if (len <= cut || strcmp(end, ".heap") != 0)
		return false;
	while (end > name && end[-1] >= '0' && end[-1] <= '9')
		end--;
	if (end - name < 2 || strchr("iufm", end[-1]) == NULL || end[-2] != '.')
		return true;
	end -= 2;
	if (!number_before(name, &end, seq) || !number_before(name, &end, pid))
		*pid = *seq = 0;
	return true;
}

static struct zb_heap_input *add(struct zb_heap_source *s)
{
	if (s->nr == s->room) {
		unsigned room = s->room != 0 ? 2 * s->room : 16;
		struct zb_heap_input *in = reallocarray(s->in, room, sizeof(*in));

		if (in == NULL)
			return NULL;
		s->in = in;
		s->room = room;
	}
	s->in[s->nr] = (struct zb_heap_input){0};
	return &s->in[s->nr];
}

/* A plain file; what is not there any more, or is something else, is passed over in a folder. */
static int add_file(struct zb_heap_source *s, const char *path, unsigned source, bool in_folder)
{
	struct zb_heap_input *in = add(s);
	const char *slash = strrchr(path, '/');
	struct stat st;

	if (in == NULL)
		return said(path, -ENOMEM);
	if (snprintf(in->path, sizeof(in->path), "%s", path) >= (int)sizeof(in->path))
		return said(path, -ENAMETOOLONG);
	if (stat(path, &st) < 0)
		return in_folder ? 0 : said(path, -errno);
	if (!S_ISREG(st.st_mode) && in_folder)
		return 0;
	parse_name(slash != NULL ? slash + 1 : path, &in->pid, &in->seq);
	in->source = source;
	in->time_s = (double)st.st_mtim.tv_sec + (double)st.st_mtim.tv_nsec / 1e9;
	s->nr++;
	return 0;
}

static int in_order(const void *a, const void *b)
{
	const struct zb_heap_input *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	if (x->time_s != y->time_s)
		return x->time_s < y->time_s ? -1 : 1;
	return strcmp(x->path, y->path);
}

/* Of those from first on keeps the process that wrote last. */
static void keep_last_process(struct zb_heap_source *s, unsigned first, const char *folder)
{
	unsigned kept = first, last = first;
	bool several = false;

	for (unsigned i = first; i < s->nr; i++) {
		several |= s->in[i].pid != s->in[first].pid;
		if (s->in[i].time_s >= s->in[last].time_s)
			last = i;
	}
	if (!several)
		return;
	unsigned long pid = s->in[last].pid;

	zb_warn("%s: dumps of several processes; read are those of %lu, which wrote last", folder,
		pid);
	for (unsigned i = first; i < s->nr; i++)
		if (s->in[i].pid == pid)
			s->in[kept++] = s->in[i];
	s->nr = kept;
}

static int list(struct zb_heap_source *s, const char *folder, unsigned source)
{
	char path[PATH_MAX + NAME_MAX + 2];
	unsigned long pid, seq;
	DIR *d = opendir(folder);
	struct dirent *e;
	int ret = 0;

	if (d == NULL)
		return -errno;
	while (ret == 0 && (e = readdir(d)) != NULL) {
		if (!parse_name(e->d_name, &pid, &seq))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		ret = add_file(s, path, source, true);
	}
	closedir(d);
	return ret;
}

/* A run's folder has its dumps in heap/; that folder itself will do too. */
static int add_folder(struct zb_heap_source *s, const char *folder, unsigned source)
{
	char path[PATH_MAX];
	unsigned first = s->nr;
	int ret;

	if (snprintf(path, sizeof(path), "%s/heap", folder) >= (int)sizeof(path))
		return said(folder, -ENAMETOOLONG);
	ret = list(s, path, source);
	if (ret == -ENOENT || ret == -ENOTDIR)
		ret = list(s, folder, source);
	if (ret < 0)
		return said(folder, ret);
	if (s->nr == first) {
		zb_err("%s: no heap dumps there, whose names end in .heap; run with --heap",
		       folder);
		return -ENOENT;
	}
	qsort(&s->in[first], s->nr - first, sizeof(*s->in), in_order);
	keep_last_process(s, first, folder);
	return 0;
}

/* Leaves the first (where wanted) and the last dump of each source. */
static void keep_ends(struct zb_heap_source *s, bool first_too)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < s->nr; i++) {
		bool first = i == 0 || s->in[i - 1].source != s->in[i].source;
		bool last = i + 1 == s->nr || s->in[i + 1].source != s->in[i].source;

		if (last || (first && first_too))
			s->in[kept++] = s->in[i];
	}
	s->nr = kept;
}

static int choose(struct zb_heap_source *s, unsigned arg_nr, enum zb_heap_mode mode)
{
	s->all_nr = s->nr;
	if (mode == ZB_HEAP_USE)
		keep_ends(s, false);
	if (mode == ZB_HEAP_DIFF)
		keep_ends(s, arg_nr == 1);
	if (mode == ZB_HEAP_DIFF && s->nr != 2) {
		zb_err("--diff: %u %s; give two, or a folder with at least two", s->nr,
		       s->nr == 1 ? "dump" : "sources");
		return -EINVAL;
	}
	if (mode == ZB_HEAP_GROWTH && s->nr < 3) {
		zb_err("--growth: %u dump%s; give at least three, or a folder with them", s->nr,
		       s->nr == 1 ? "" : "s");
		return -EINVAL;
	}
	if (s->nr > ZB_HEAP_DUMPS_MAX) {
		zb_err("%u dumps; give at most %u", s->nr, ZB_HEAP_DUMPS_MAX);
		return -EINVAL;
	}
	return 0;
}

int zb_heap_source_open(const char *const *args, unsigned arg_nr, enum zb_heap_mode mode,
			struct zb_heap_source *out)
{
	struct stat st;
	int ret = 0;

	*out = (struct zb_heap_source){0};
	for (unsigned i = 0; ret == 0 && i < arg_nr; i++)
		ret = stat(args[i], &st) == 0 && S_ISDIR(st.st_mode)
			      ? add_folder(out, args[i], i)
			      : add_file(out, args[i], i, false);
	if (ret == 0)
		ret = choose(out, arg_nr, mode);
	if (ret < 0)
		zb_heap_source_close(out);
	return ret;
}

/* Symbols of the dump at hand; those of the last one if it had the same files mapped. */
struct loader {
	struct zb_heap_source *s;
	const char *const *binary;
	struct zb_symbols *syms;
	char *maps;
	bool warned;
};

static int find_symbols(struct loader *l, const struct zb_heap_input *in,
			const struct zb_heap_dump_file *d)
{
	struct zb_heap_maps_conf conf = {.binary = l->binary, .written_s = (uint64_t)in->time_s};
	char *clean;
	FILE *f;
	int ret = zb_heap_maps_clean(d->maps != NULL ? d->maps : "", &conf, &clean);

	if (ret < 0)
		return ret;
	if (conf.newer[0] != '\0' && !l->warned)
		zb_warn("%s: changed since %s was written: names may be wrong", conf.newer,
			in->path);
	l->warned |= conf.newer[0] != '\0';
	if (l->maps != NULL && strcmp(l->maps, clean) == 0) {
		free(clean);
		return 0;
	}
	zb_symbols_destroy(l->syms);
	l->syms = NULL;
	free(l->maps);
	l->maps = clean;
	/* fmemopen() takes no empty buffer. */
	f = *clean != '\0' ? fmemopen(clean, strlen(clean), "r") : fopen("/dev/null", "re");
	if (f == NULL)
		return -errno;
	ret = zb_symbols_create_maps(f, &l->syms);
	fclose(f);
	return ret;
}

static void sum_up(struct zb_heap_input *in, const struct zb_heap_dump_file *d)
{
	in->rate = d->rate;
	for (size_t i = 0; i < d->stack_nr; i++) {
		double scale = zb_heap_dump_scale(d, &d->stack[i]);

		in->bytes += (double)d->stack[i].bytes * scale;
		in->objects += (double)d->stack[i].objects * scale;
	}
}

static int load_one(struct loader *l, unsigned i)
{
	struct zb_heap_input *in = &l->s->in[i];
	struct zb_heap_dump_file d;
	FILE *f = fopen(in->path, "re");
	int ret;

	if (f == NULL)
		return said(in->path, -errno);
	ret = zb_heap_dump_read(f, &d);
	fclose(f);
	if (ret == -EINVAL)
		zb_err("%s: line %" PRIu64 ": no heap dump of jemalloc's (heap_v2), or not whole",
		       in->path, d.line);
	else if (ret < 0)
		said(in->path, ret);
	if (ret < 0)
		return ret;
	sum_up(in, &d);
	ret = find_symbols(l, in, &d);
	if (ret == 0)
		ret = zb_heap_paths_add(&l->s->paths, i, &d, l->syms);
	zb_heap_dump_fini(&d);
	return ret < 0 ? said(in->path, ret) : 0;
}

int zb_heap_source_load(struct zb_heap_source *s, const char *const *binary)
{
	struct loader l = {.s = s, .binary = binary};
	int ret = zb_heap_paths_create(&s->paths);

	if (ret < 0)
		return said("heap", ret);
	s->is_set = true;
	for (unsigned i = 0; ret == 0 && i < s->nr; i++)
		ret = load_one(&l, i);
	/* A dump in which nothing was held counts as one all the same. */
	s->paths.dump_nr = s->nr;
	zb_symbols_destroy(l.syms);
	free(l.maps);
	return ret;
}

void zb_heap_source_close(struct zb_heap_source *s)
{
	if (s->is_set)
		zb_heap_paths_fini(&s->paths);
	free(s->in);
	*s = (struct zb_heap_source){0};
}

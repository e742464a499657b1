/* SPDX-License-Identifier: Apache-2.0 */
/* neighbours.c - see neighbours.h */
#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profiler/neighbours.h"

struct one {
	pid_t tid;
	unsigned cpu;
	uint64_t ticks;
	char name[20];
};

struct zb_threads {
	unsigned nr;
	struct one t[ZB_THREADS_MAX]; /* by tid */
};

/*
 * "TID (NAME) STATE ...": the name may hold anything, so the last parenthesis counts. User and
 * system time are fields 14 and 15, the CPU is field 39.
 */
static int parse(const char *line, struct one *t)
{
	const char *open = strchr(line, '('), *close = strrchr(line, ')'), *p;
	uint64_t user = 0, system = 0;
	unsigned field = 2;

	if (open == NULL || close == NULL || close < open)
		return -1;
	snprintf(t->name, sizeof(t->name), "%.*s", (int)(close - open - 1), open + 1);
	for (p = close + 1; *p != '\0' && field < 39; p++) {
		if (*p != ' ')
			continue;
		field++;
		if (field == 14)
			user = strtoull(p + 1, NULL, 10);
		else if (field == 15)
			system = strtoull(p + 1, NULL, 10);
		else if (field == 39)
			t->cpu = (unsigned)strtoul(p + 1, NULL, 10);
	}
	t->ticks = user + system;
	return field == 39 ? 0 : -1;
}

static void look_at(struct zb_threads *all, const char *path, pid_t tid)
{
	struct one *t = &all->t[all->nr];
	char line[1024];
	FILE *f;

	if (all->nr == ZB_THREADS_MAX)
		return;
	f = fopen(path, "re");
	if (f == NULL)
		return;
	t->tid = tid;
	if (fgets(line, sizeof(line), f) != NULL && parse(line, t) == 0)
		all->nr++;
	fclose(f);
}

static void look_at_process(struct zb_threads *all, const char *root, const char *pid)
{
	char path[PATH_MAX];
	const struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "%s/proc/%.20s/task", root, pid);
	d = opendir(path);
	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "%s/proc/%.20s/task/%.20s/stat", root, pid, e->d_name);
		look_at(all, path, (pid_t)atoi(e->d_name));
	}
	closedir(d);
}

static int by_tid(const void *a, const void *b)
{
	const struct one *x = a, *y = b;

	return (x->tid > y->tid) - (x->tid < y->tid);
}

struct zb_threads *zb_threads_look(const char *root)
{
	struct zb_threads *all = calloc(1, sizeof(*all));
	char path[PATH_MAX];
	const struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "%s/proc", root);
	d = all != NULL ? opendir(path) : NULL;
	if (d == NULL) {
		free(all);
		return NULL;
	}
	while ((e = readdir(d)) != NULL)
		if (isdigit((unsigned char)e->d_name[0]))
			look_at_process(all, root, e->d_name);
	closedir(d);
	qsort(all->t, all->nr, sizeof(all->t[0]), by_tid);
	return all;
}

void zb_threads_free(struct zb_threads *t)
{
	free(t);
}

/* Keeps the list sorted, most first. */
static unsigned insert(struct zb_neighbour *out, unsigned nr, const struct zb_neighbour *n)
{
	unsigned at = nr;

	while (at > 0 && out[at - 1].ms < n->ms)
		at--;
	if (at == ZB_NEIGHBOURS_MAX)
		return nr;
	nr = nr < ZB_NEIGHBOURS_MAX ? nr + 1 : nr;
	memmove(&out[at + 1], &out[at], (nr - at - 1) * sizeof(out[0]));
	out[at] = *n;
	return nr;
}

unsigned zb_neighbours(const struct zb_threads *before, const struct zb_threads *after,
		       unsigned cpu, pid_t self, struct zb_neighbour *out)
{
	long hz = sysconf(_SC_CLK_TCK);
	unsigned nr = 0;

	for (unsigned i = 0; i < after->nr; i++) {
		const struct one *t = &after->t[i], *was;
		struct zb_neighbour n = {.tid = t->tid};

		if (t->cpu != cpu || t->tid == self || hz <= 0)
			continue;
		was = bsearch(t, before->t, before->nr, sizeof(*t), by_tid);
		n.ms = (was != NULL && was->ticks <= t->ticks ? t->ticks - was->ticks : t->ticks) *
		       1000 / (uint64_t)hz;
		memcpy(n.name, t->name, sizeof(n.name));
		if (n.ms != 0)
			nr = insert(out, nr, &n);
	}
	return nr;
}

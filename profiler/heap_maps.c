/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heap_maps.c - see heap_maps.h
 *
 *	55e09f000-55e0b1000 r-xp 00002000 fe:01 1234    /usr/bin/program (deleted)
 *
 * libdwfl, which gets the lines, opens what they name and trusts them to be a kernel's: so a line
 * is written anew from what it means. Files are numbered, as neighbours of one number are a module.
 */
#include "profiler/heap_maps.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DELETED " (deleted)"

struct mapping {
	uint64_t begin, end, offset;
	char access[5];
	char path[PATH_MAX];
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* False: no mapping of a file. */
static bool parse(const char *line, size_t len, struct mapping *m)
{
	char text[PATH_MAX + 128];
	size_t path_len, cut = strlen(DELETED);
	int at = -1;

	if (len >= sizeof(text))
		return false;
	memcpy(text, line, len);
	text[len] = '\0';
	if (sscanf(text, "%16" SCNx64 "-%16" SCNx64 " %4s %16" SCNx64 " %*x:%*x %*u %n", &m->begin,
		   &m->end, m->access, &m->offset, &at) != 4 ||
	    at < 0 || text[at] != '/' || m->begin >= m->end)
		return false;
	path_len = strlen(text + at);
	if (path_len >= sizeof(m->path))
		return false;
	if (path_len > cut && strcmp(text + len - cut, DELETED) == 0)
		path_len -= cut;
	memcpy(m->path, text + at, path_len);
	m->path[path_len] = '\0';
	return true;
}

/* The file that is read for what was mapped; NULL: none. */
static const char *choose(const struct mapping *m, struct zb_heap_maps_conf *conf)
{
	const char *const *binary = conf->binary;
	struct stat st;

	for (; binary != NULL && *binary != NULL; binary++)
		if (strcmp(base_name(*binary), base_name(m->path)) == 0)
			return *binary;
	if (stat(m->path, &st) < 0 || !S_ISREG(st.st_mode))
		return NULL;
	if ((uint64_t)st.st_mtime > conf->written_s && conf->newer[0] == '\0')
		snprintf(conf->newer, sizeof(conf->newer), "%.*s", (int)sizeof(conf->newer) - 1,
			 m->path);
	return m->path;
}

/* libdwfl takes paths from the root only. */
static void put_path(FILE *out, const char *path)
{
	char *whole = path[0] != '/' ? realpath(path, NULL) : NULL;

	fprintf(out, "%s\n", whole != NULL ? whole : path);
	free(whole);
}

int zb_heap_maps_clean(const char *maps, struct zb_heap_maps_conf *conf, char **clean)
{
	struct mapping *m = calloc(2, sizeof(*m)), *last = m + 1;
	unsigned number = 0, lines = 0;
	size_t size;
	FILE *out = m != NULL ? open_memstream(clean, &size) : NULL;

	if (out == NULL) {
		free(m);
		return -ENOMEM;
	}
	while (*maps != '\0' && lines < ZB_HEAP_MAPS_LINES_MAX) {
		size_t len = strcspn(maps, "\n");
		const char *file;

		if (parse(maps, len, m) && m->begin >= last->end) {
			file = choose(m, conf);
			number += strcmp(m->path, last->path) != 0;
			*last = *m;
			if (file != NULL) {
				fprintf(out, "%" PRIx64 "-%" PRIx64 " %s %08" PRIx64 " 00:01 %u  ",
					m->begin, m->end, m->access, m->offset, number);
				put_path(out, file);
				lines++;
			}
		}
		maps += len + (maps[len] == '\n');
	}
	free(m);
	if (fclose(out) == 0)
		return 0;
	free(*clean);
	*clean = NULL;
	return -ENOMEM;
}

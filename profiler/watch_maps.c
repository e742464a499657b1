/* SPDX-License-Identifier: Apache-2.0 */
/* watch_maps.c - the code that a process maps, by address */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "profiler/watch_priv.h"

/* The first one that ends beyond ip. */
static uint32_t first_beyond(const struct zb_watch_maps *m, uint64_t ip)
{
	uint32_t lo = 0, hi = m->nr;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (m->map[mid].to <= ip)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int reserve(struct zb_watch_maps *m, uint32_t nr)
{
	uint32_t room = m->room == 0 ? 32 : m->room;
	struct zb_watch_map *map;

	if (nr <= m->room)
		return 0;
	while (room < nr)
		room *= 2;
	map = reallocarray(m->map, room, sizeof(*map));
	if (map == NULL)
		return -ENOMEM;
	m->map = map;
	m->room = room;
	return 0;
}

/* Puts one before number at. */
static void insert(struct zb_watch_maps *m, uint32_t at, const struct zb_watch_map *map)
{
	memmove(&m->map[at + 1], &m->map[at], (m->nr - at) * sizeof(*map));
	m->map[at] = *map;
	m->nr++;
}

/* Takes [from, to) out of what is there; at most one more stays. Returns where it would stand. */
static uint32_t cut(struct zb_watch_maps *m, uint64_t from, uint64_t to)
{
	uint32_t at = first_beyond(m, from), end;

	if (at < m->nr && m->map[at].from < from) {
		struct zb_watch_map tail = m->map[at];

		m->map[at++].to = from;
		if (tail.to > to) {
			tail.file_off += to - tail.from;
			tail.from = to;
			insert(m, at, &tail);
			return at;
		}
	}
	for (end = at; end < m->nr && m->map[end].to <= to;)
		end++;
	if (end < m->nr && m->map[end].from < to) {
		m->map[end].file_off += to - m->map[end].from;
		m->map[end].from = to;
	}
	if (end > at)
		memmove(&m->map[at], &m->map[end], (m->nr - end) * sizeof(*m->map));
	m->nr -= end - at;
	return at;
}

int zb_watch_maps_add(struct zb_watch_maps *m, const struct zb_watch_map *map)
{
	uint32_t at;

	if (map->from >= map->to)
		return 0;
	if (reserve(m, m->nr + 2) < 0)
		return -ENOMEM;
	at = cut(m, map->from, map->to);
	if (map->file != ZB_WATCH_FILE_NONE && m->nr < ZB_WATCH_MAPS_MAX)
		insert(m, at, map);
	return 0;
}

const struct zb_watch_map *zb_watch_maps_find(const struct zb_watch_maps *m, uint64_t ip)
{
	uint32_t at = first_beyond(m, ip);

	return at < m->nr && m->map[at].from <= ip ? &m->map[at] : NULL;
}

int zb_watch_maps_copy(struct zb_watch_maps *to, const struct zb_watch_maps *from)
{
	if (reserve(to, from->nr) < 0)
		return -ENOMEM;
	if (from->nr > 0)
		memcpy(to->map, from->map, from->nr * sizeof(*to->map));
	to->nr = from->nr;
	return 0;
}

void zb_watch_maps_fini(struct zb_watch_maps *m)
{
	free(m->map);
	*m = (struct zb_watch_maps){0};
}

/* "55d0-55e0 r-xp 00001000 fe:00 1234   /usr/bin/zbench"; what is no code is passed over. */
static int add_line(struct zb_watch_maps *m, struct zb_watch_files *files, char *line)
{
	struct zb_watch_map map = {.file = ZB_WATCH_FILE_NONE};
	uint64_t inode;
	char flags[8];
	int path = 0;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %*s %" SCNu64 " %n", &map.from,
		   &map.to, flags, &map.file_off, &inode, &path) != 5 ||
	    path == 0 || strchr(flags, 'x') == NULL)
		return 0;
	if (line[path] == '/' || strcmp(line + path, "[vdso]") == 0)
		map.file = zb_watch_file(files, line + path, inode);
	return zb_watch_maps_add(m, &map);
}

int zb_watch_maps_read(struct zb_watch_maps *m, struct zb_watch_files *files, uint32_t pid)
{
	char path[48], *line = NULL;
	size_t room = 0;
	int ret = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/maps", pid);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	while (ret == 0 && getline(&line, &room, f) >= 0)
		ret = add_line(m, files, line);
	free(line);
	fclose(f);
	return ret;
}

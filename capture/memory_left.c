/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory_left.c - how much memory a trace may take: the machine's, or less where a cgroup says so
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "profiler/diag.h"
#include "capture/trace_priv.h"

/* What the rest of the process (flow tables, logs) needs at least beside the trace. */
#define SLACK_BYTES ((uint64_t)32 << 20)

/* The number after key in a "key value" or "key: value unit" file; -ENOENT when there is none. */
static int read_key(const char *path, const char *key, uint64_t *out)
{
	char line[256];
	size_t key_len = strlen(key);
	int ret = -ENOENT;
	FILE *f = fopen(path, "re");

	if (f == NULL)
		return -ENOENT;
	while (ret < 0 && fgets(line, sizeof(line), f) != NULL) {
		const char *p = line + key_len;
		char *end;

		if (strncmp(line, key, key_len) != 0)
			continue;
		p += strspn(p, ": \t");
		*out = strtoull(p, &end, 10);
		/* "max" is no number: no limit. */
		if (end != p)
			ret = 0;
	}
	fclose(f);
	return ret;
}

struct cgroup_names {
	const char *mount, *limit, *used, *inactive, *active;
};

/* Page cache counts as used but is given back on demand, so it is left. */
static uint64_t cgroup_left_in(const char *dir, const struct cgroup_names *n)
{
	char path[PATH_MAX + 64];
	uint64_t limit, used, inactive = 0, active = 0;

	snprintf(path, sizeof(path), "%s/%s", dir, n->limit);
	if (read_key(path, "", &limit) < 0)
		return UINT64_MAX;
	snprintf(path, sizeof(path), "%s/%s", dir, n->used);
	if (read_key(path, "", &used) < 0)
		used = 0;
	snprintf(path, sizeof(path), "%s/memory.stat", dir);
	(void)read_key(path, n->inactive, &inactive);
	(void)read_key(path, n->active, &active);
	used -= inactive + active < used ? inactive + active : used;
	return limit > used ? limit - used : 0;
}

/* The tightest limit from the process's cgroup up to the root: each of them binds. */
static uint64_t cgroup_left(const char *root, const char *cgroup, const struct cgroup_names *n)
{
	char dir[PATH_MAX];
	uint64_t least = UINT64_MAX;
	int top = snprintf(dir, sizeof(dir), "%s%s", root, n->mount);
	int len = snprintf(dir, sizeof(dir), "%s%s%s", root, n->mount, cgroup);

	if (len < 0 || (size_t)len >= sizeof(dir))
		return UINT64_MAX;
	while (len >= top) {
		uint64_t left;

		dir[len] = '\0';
		left = cgroup_left_in(dir, n);
		if (left < least)
			least = left;
		do
			len--;
		while (len > top && dir[len] != '/');
	}
	return least;
}

static uint64_t cgroups_left(const char *root)
{
	static const struct cgroup_names v1 = {"/sys/fs/cgroup/memory", "memory.limit_in_bytes",
					       "memory.usage_in_bytes", "total_inactive_file",
					       "total_active_file"};
	static const struct cgroup_names v2 = {"/sys/fs/cgroup", "memory.max", "memory.current",
					       "inactive_file", "active_file"};
	char path[PATH_MAX], line[PATH_MAX];
	uint64_t least = UINT64_MAX;
	FILE *f;

	snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
	f = fopen(path, "re");
	if (f == NULL)
		return UINT64_MAX;
	while (fgets(line, sizeof(line), f) != NULL) {
		char *memory = strstr(line, ":memory:");
		uint64_t left = UINT64_MAX;

		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "0::", 3) == 0)
			left = cgroup_left(root, line + 3, &v2);
		else if (memory != NULL)
			left = cgroup_left(root, memory + strlen(":memory:"), &v1);
		if (left < least)
			least = left;
	}
	fclose(f);
	return least;
}

uint64_t zb_memory_left(const char *root)
{
	char path[PATH_MAX];
	uint64_t kib, left = UINT64_MAX, cgroup;

	snprintf(path, sizeof(path), "%s/proc/meminfo", root);
	if (read_key(path, "MemAvailable", &kib) == 0)
		left = kib * 1024;
	cgroup = cgroups_left(root);
	return cgroup < left ? cgroup : left;
}

int zb_memory_check(const char *what, uint64_t need_bytes)
{
	uint64_t left = zb_memory_left("");

	if (need_bytes <= left && left - need_bytes >= SLACK_BYTES)
		return 0;
	zb_err("%s: needs %" PRIu64 " MiB of memory, %" PRIu64
	       " MiB is available; free some, or load less with --count or fewer files",
	       what, (need_bytes + SLACK_BYTES) >> 20, left >> 20);
	return -ENOMEM;
}

uint64_t zb_memory_huge_free(const char *root, uint64_t *page_bytes)
{
	char path[PATH_MAX];
	uint64_t free_nr, reserved_nr, kib;

	*page_bytes = 0;
	snprintf(path, sizeof(path), "%s/proc/meminfo", root);
	if (read_key(path, "HugePages_Free", &free_nr) < 0 ||
	    read_key(path, "HugePages_Rsvd", &reserved_nr) < 0 ||
	    read_key(path, "Hugepagesize", &kib) < 0)
		return 0;
	*page_bytes = kib * 1024;
	return free_nr > reserved_nr ? free_nr - reserved_nr : 0;
}

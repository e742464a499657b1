/* SPDX-License-Identifier: Apache-2.0 */
/* eal_share.c - see eal_share.h */
#include "capture/eal_share.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "profiler/diag.h"

#define ARG	   ",share="
#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

bool zb_share_wanted(const char *device)
{
	return strstr(device, ARG) != NULL;
}

int zb_share_split(const char *device, char *out, size_t size, char name[ZB_SHARE_MAX])
{
	const char *arg = strstr(device, ARG), *value, *rest;
	size_t len;

	name[0] = '\0';
	if (arg == NULL) {
		len = (size_t)snprintf(out, size, "%s", device);
	} else {
		value = arg + strlen(ARG);
		rest = value + strcspn(value, ",");
		if (rest == value || rest - value >= ZB_SHARE_MAX ||
		    strspn(value, NAME_CHARS) < (size_t)(rest - value)) {
			zb_err("--port %s: share=: give a name of 1 to %d letters, digits, - and _",
			       device, ZB_SHARE_MAX - 1);
			return -EINVAL;
		}
		snprintf(name, ZB_SHARE_MAX, "%.*s", (int)(rest - value), value);
		len = (size_t)snprintf(out, size, "%.*s%s", (int)(arg - device), device, rest);
	}
	if (len < size)
		return 0;
	zb_err("--port %s: too long", device);
	return -EINVAL;
}

/* Removes the files of a folder whose names begin with prefix; folders in it stay. */
static void remove_files(const char *dir, const char *prefix)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' && strncmp(e->d_name, prefix, strlen(prefix)) == 0)
			(void)unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
}

void zb_share_clean(const char *name, const char *dir)
{
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	char text[PATH_MAX];
	struct mntent m;

	while (mounts != NULL && getmntent_r(mounts, &m, text, sizeof(text)) != NULL) {
		char prefix[ZB_SHARE_MAX + 4];

		snprintf(prefix, sizeof(prefix), "%smap_", name);
		if (strcmp(m.mnt_type, "hugetlbfs") == 0)
			remove_files(m.mnt_dir, prefix);
	}
	if (mounts != NULL)
		endmntent(mounts);
	remove_files(dir, "");
	if (rmdir(dir) < 0)
		return;
	snprintf(text, sizeof(text), "%.*s", (int)(strrchr(dir, '/') - dir), dir);
	(void)rmdir(text);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* top_process.c - see top_process.h; all of it is in proc(5) */
#include "bench/top_process.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG "/lcore.log"

/* Calls found for each lcore.log that a process has open, until it returns true. */
static int each_log(pid_t pid, bool (*found)(void *arg, const char *path), void *arg)
{
	char path[PATH_MAX + 64], target[PATH_MAX];
	struct dirent *e;
	int ret = -ENOENT;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	d = opendir(path);
	if (d == NULL)
		return errno == ENOENT ? -ESRCH : -errno;
	while (ret != 0 && (e = readdir(d)) != NULL) {
		size_t n = sizeof(LOG) - 1;

		snprintf(path, sizeof(path), "/proc/%d/fd/%s", (int)pid, e->d_name);
		ssize_t len = readlink(path, target, sizeof(target) - 1);

		if (len <= (ssize_t)n)
			continue;
		target[len] = '\0';
		if (strcmp(target + len - n, LOG) == 0 && found(arg, target))
			ret = 0;
	}
	closedir(d);
	return ret;
}

struct folder {
	char *text;
	size_t size;
};

static bool copy_folder(void *arg, const char *path)
{
	struct folder *f = arg;
	size_t len = strlen(path) - (sizeof(LOG) - 1);

	if (len >= f->size)
		return false;
	memcpy(f->text, path, len);
	f->text[len] = '\0';
	return true;
}

int zb_top_folder_of(pid_t pid, char *folder, size_t size)
{
	struct folder f = {folder, size};

	return each_log(pid, copy_folder, &f);
}

static bool is_same(void *arg, const char *path)
{
	const struct stat *want = arg;
	struct stat st;

	return stat(path, &st) == 0 && st.st_ino == want->st_ino && st.st_dev == want->st_dev;
}

/* Whoever else has the file open, a reader of it, has another name. */
static bool is_zbench(pid_t pid)
{
	char path[64], name[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	if (fgets(name, sizeof(name), f) == NULL)
		name[0] = '\0';
	fclose(f);
	return strncmp(name, "zbench", 6) == 0 && pid != getpid();
}

pid_t zb_top_process_of(const char *folder)
{
	char path[PATH_MAX];
	struct dirent *e;
	struct stat st;
	pid_t pid = 0;
	DIR *d;

	if ((size_t)snprintf(path, sizeof(path), "%s" LOG, folder) >= sizeof(path) ||
	    stat(path, &st) < 0)
		return 0;
	d = opendir("/proc");
	while (d != NULL && pid == 0 && (e = readdir(d)) != NULL) {
		pid_t p = (pid_t)atoi(e->d_name);

		if (p > 0 && is_zbench(p) && each_log(p, is_same, &st) == 0)
			pid = p;
	}
	if (d != NULL)
		closedir(d);
	return pid;
}

int zb_top_process_read(pid_t pid, struct zb_top_process *out)
{
	unsigned long long user, sys, start, virt, rss;
	char path[64], text[1024];
	double up = 0, hz = (double)sysconf(_SC_CLK_TCK);
	const char *rest;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (f == NULL)
		return -ESRCH;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	rest = strrchr(text, ')');
	if (rest == NULL ||
	    sscanf(rest,
		   ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %*d "
		   "%*d %llu %llu %llu",
		   &user, &sys, &start, &virt, &rss) != 5)
		return -ESRCH;
	f = fopen("/proc/uptime", "re");
	if (f != NULL) {
		if (fscanf(f, "%lf", &up) != 1)
			up = 0;
		fclose(f);
	}
	*out = (struct zb_top_process){
		.cpu_s = (double)(user + sys) / hz,
		.wall_s = up - (double)start / hz,
		.virtual_bytes = (double)virt,
		.rss_bytes = (double)rss * (double)sysconf(_SC_PAGESIZE),
	};
	return 0;
}

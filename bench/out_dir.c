/* SPDX-License-Identifier: Apache-2.0 */
/* out_dir.c - see out_dir.h */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bench/out_dir.h"
#include "bench/pass.h"
#include "profiler/diag.h"

#define ROOT "zbench-out"

static int make_dirs(char *path, bool *created)
{
	*created = false;
	for (char *p = path + 1;; p++) {
		char c = *p;

		if (c != '/' && c != '\0')
			continue;
		*p = '\0';
		if (mkdir(path, 0777) == 0)
			*created = true;
		else if (errno != EEXIST)
			return -errno; /* path names what could not be made */
		*p = c;
		if (c == '\0')
			return 0;
	}
}

static int check_writable(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	return access(path, W_OK | X_OK) < 0 ? -errno : 0;
}

/* "a/b/trace.pcap.gz" -> "trace": letters, digits, dot, dash and underscore of the base name. */
static void short_name(const char *name, char *buf, size_t size)
{
	const char *base = strrchr(name, '/');
	size_t n = 0;

	for (base = base != NULL ? base + 1 : name; *base != '\0' && *base != '.' && n + 1 < size;
	     base++) {
		bool plain = (*base >= 'a' && *base <= 'z') || (*base >= 'A' && *base <= 'Z') ||
			     (*base >= '0' && *base <= '9') || *base == '-' || *base == '_';

		buf[n++] = plain ? *base : '_';
	}
	buf[n] = '\0';
}

int zb_out_dir_make(struct zb_out_dir *d, const char *path, const char *name)
{
	char stamp[32], part[48];
	time_t now = time(NULL);
	struct tm tm;
	int ret, n;

	memset(d, 0, sizeof(*d));
	if (path != NULL) {
		n = snprintf(d->path, sizeof(d->path), "%s", path);
	} else {
		gmtime_r(&now, &tm);
		strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
		short_name(name, part, sizeof(part));
		n = snprintf(d->path, sizeof(d->path), ROOT "/%s-%s", stamp, part);
		for (unsigned i = 2; i < 100 && access(d->path, F_OK) == 0; i++)
			n = snprintf(d->path, sizeof(d->path), ROOT "/%s-%s-%u", stamp, part, i);
		d->named = true;
	}
	if (n <= 0 || (size_t)n >= sizeof(d->path)) {
		zb_err("--out %s: not a usable name; give a folder", path);
		return -ENAMETOOLONG;
	}
	ret = make_dirs(d->path, &d->created);
	if (ret == 0)
		ret = check_writable(d->path);
	if (ret < 0)
		zb_err("--out %s: %s; give a folder that can be written",
		       path != NULL ? path : d->path, strerror(-ret));
	return ret;
}

/* Only plain files: a link may have been put there to lead the log elsewhere. */
static void remove_plain(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISREG(st.st_mode))
		unlink(path);
}

/* prof.log of each worker. */
static void clear_spool(const struct zb_out_dir *d)
{
	char path[PATH_MAX + NAME_MAX];
	struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/spool", d->path);
	dir = opendir(path);
	while (dir != NULL && (e = readdir(dir)) != NULL) {
		if (strncmp(e->d_name, "lcore-", 6) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/spool/%s/prof.log", d->path, e->d_name);
		remove_plain(path);
	}
	if (dir != NULL)
		closedir(dir);
}

/* Packets of connections that were dear. */
static void clear_worst(const struct zb_out_dir *d)
{
	char path[PATH_MAX + NAME_MAX];
	struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/worst", d->path);
	dir = opendir(path);
	while (dir != NULL && (e = readdir(dir)) != NULL) {
		size_t len = strlen(e->d_name);

		if (len < 5 || strcmp(e->d_name + len - 5, ".pcap") != 0)
			continue;
		snprintf(path, sizeof(path), "%s/worst/%s", d->path, e->d_name);
		remove_plain(path);
	}
	if (dir != NULL)
		closedir(dir);
}

void zb_out_dir_clear(const struct zb_out_dir *d)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/result.json", d->path);
	unlink(path);
	snprintf(path, sizeof(path), "%s/flame/samples.gz", d->path);
	remove_plain(path);
	snprintf(path, sizeof(path), "%s/metrics.prom", d->path);
	unlink(path);
	for (unsigned i = 0; i < ZB_LOG_NAME_NR; i++) {
		snprintf(path, sizeof(path), "%s/%s.log", d->path, zb_log_stream_name[i]);
		remove_plain(path);
	}
	clear_spool(d);
	clear_worst(d);
}

int zb_out_dir_sub(const struct zb_out_dir *d, const char *sub, char *buf)
{
	int n = snprintf(buf, PATH_MAX, "%s/%s", d->path, sub);

	if (n < 0 || n >= PATH_MAX)
		return -ENAMETOOLONG;
	if (mkdir(buf, 0777) < 0 && errno != EEXIST) {
		int ret = -errno;

		zb_err("%s: %s", buf, strerror(-ret));
		return ret;
	}
	return 0;
}

void zb_out_dir_latest(const struct zb_out_dir *d)
{
	const char *target = strchr(d->path, '/');

	if (!d->named || target == NULL)
		return;
	/* Made beside and renamed over, so that it never points nowhere. */
	unlink(ROOT "/.latest");
	if (symlink(target + 1, ROOT "/.latest") < 0 || rename(ROOT "/.latest", ROOT "/latest") < 0)
		zb_warn("%s/latest: %s", ROOT, strerror(errno));
}

void zb_out_dir_undo(const struct zb_out_dir *d)
{
	if (d->created && rmdir(d->path) == 0 && d->named)
		rmdir(ROOT);
}

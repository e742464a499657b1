/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch_files.c - the files of code that a watch meets
 *
 * A process may have ended, or live in a container: its file is looked for where the process sees
 * it, and by its path.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "profiler/watch_priv.h"

#define SLOTS	    (2 * ZB_WATCH_FILES_MAX)
#define FAILURE_MAX 8 /* processes whose copy is tried */

int zb_watch_files_init(struct zb_watch_files *f)
{
	*f = (struct zb_watch_files){
		.file = calloc(ZB_WATCH_FILES_MAX, sizeof(*f->file)),
		.slot = calloc(SLOTS, sizeof(*f->slot)),
	};
	return f->file != NULL && f->slot != NULL ? 0 : -ENOMEM;
}

void zb_watch_files_fini(struct zb_watch_files *f)
{
	for (uint32_t i = 0; i < f->nr; i++) {
		zb_dso_close(f->file[i].dso);
		free(f->file[i].path);
	}
	free(f->file);
	free(f->slot);
}

uint32_t zb_watch_file(struct zb_watch_files *f, const char *path, uint64_t inode)
{
	uint32_t at = (uint32_t)XXH3_64bits_withSeed(path, strlen(path), inode) & (SLOTS - 1);
	struct zb_watch_file *file;

	for (; f->slot[at] != 0; at = (at + 1) & (SLOTS - 1)) {
		file = &f->file[f->slot[at] - 1];
		if (file->inode == inode && strcmp(file->path, path) == 0)
			return f->slot[at] - 1;
	}
	if (f->nr == ZB_WATCH_FILES_MAX)
		return ZB_WATCH_FILE_NONE;
	file = &f->file[f->nr];
	*file = (struct zb_watch_file){.path = strdup(path), .inode = inode};
	if (file->path == NULL)
		return ZB_WATCH_FILE_NONE;
	f->slot[at] = ++f->nr;
	return f->nr - 1;
}

/* Only files are opened: a path may have become that of a device, or of a pipe. */
static int open_regular(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The very file that is mapped; what the process finds there by name; and what we find. */
static int open_as(const char *path, uint32_t pid, uint64_t from, uint64_t to)
{
	char at[PATH_MAX];
	int n, fd;

	snprintf(at, sizeof(at), "/proc/%" PRIu32 "/map_files/%" PRIx64 "-%" PRIx64, pid, from, to);
	fd = open_regular(at);
	if (fd >= 0)
		return fd;
	n = snprintf(at, sizeof(at), "/proc/%" PRIu32 "/root%s", pid, path);
	fd = n > 0 && (size_t)n < sizeof(at) ? open_regular(at) : -1;
	return fd >= 0 ? fd : open_regular(path);
}

static void close_oldest(struct zb_watch_files *f)
{
	struct zb_watch_file *oldest = NULL;

	for (uint32_t i = 0; i < f->nr; i++)
		if (f->file[i].dso != NULL && (oldest == NULL || f->file[i].used < oldest->used))
			oldest = &f->file[i];
	if (oldest == NULL)
		return;
	zb_dso_close(oldest->dso);
	oldest->dso = NULL;
	f->open_nr--;
}

struct zb_dso *zb_watch_dso(struct zb_watch_files *f, uint32_t file, uint32_t pid, uint64_t from,
			    uint64_t to)
{
	struct zb_watch_file *w = &f->file[file];
	int fd;

	w->used = ++f->clock;
	if (w->dso != NULL)
		return w->dso;
	if (w->failed_nr == FAILURE_MAX || w->failed_pid == pid)
		return NULL;
	if (f->open_nr == ZB_WATCH_DSOS)
		close_oldest(f);
	fd = strcmp(w->path, "[vdso]") == 0 ? zb_dso_vdso_fd() : open_as(w->path, pid, from, to);
	if (fd >= 0 && zb_dso_open(w->path, fd, &w->dso) == 0) {
		f->open_nr++;
		return w->dso;
	}
	w->failed_pid = pid;
	w->failed_nr++;
	return NULL;
}

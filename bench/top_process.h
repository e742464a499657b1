/* SPDX-License-Identifier: Apache-2.0 */
/*
 * top_process.h - the process that writes a run's folder: which it is, and what it takes
 *
 * Threading: one thread.
 * Errors:    0 or -errno, unsaid. Others' processes are seen by root only.
 */
#ifndef ZB_BENCH_TOP_PROCESS_H
#define ZB_BENCH_TOP_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The folder whose lcore.log a process has open. -ENOENT: none; -ESRCH: no such process. */
int zb_top_folder_of(pid_t pid, char *folder, size_t size);

/* The process that has a folder's lcore.log open; 0: none that can be seen. */
pid_t zb_top_process_of(const char *folder);

struct zb_top_process {
	double cpu_s, wall_s; /* spent so far; since it was started */
	double rss_bytes, virtual_bytes;
};
int zb_top_process_read(pid_t pid, struct zb_top_process *out);

#endif

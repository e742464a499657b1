/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out_dir.h - the folder a run writes into
 *
 * Threading: main only.
 */
#ifndef ZB_BENCH_OUT_DIR_H
#define ZB_BENCH_OUT_DIR_H

#include <limits.h>
#include <stdbool.h>

struct zb_out_dir {
	char path[PATH_MAX - 256];
	bool created; /* by us: may go again when nothing was started */
	bool named;   /* the default name: zbench-out/latest follows */
};

/*
 * Makes path, or with path NULL zbench-out/<UTC time>-<name>, and checks that it can be written. 0
 * or -errno, said, naming --out.
 */
int zb_out_dir_make(struct zb_out_dir *d, const char *path, const char *name);

/* Removes what an earlier run left there that would be taken for this one's: result.json, logs and
 * samples.
 */
void zb_out_dir_clear(const struct zb_out_dir *d);

/* Makes a folder below it ("flame"); writes its path to buf (PATH_MAX bytes). 0 or -errno, said. */
int zb_out_dir_sub(const struct zb_out_dir *d, const char *sub, char *buf);

/* Points zbench-out/latest at it, when it has a default name. */
void zb_out_dir_latest(const struct zb_out_dir *d);

/* Removes it again if it is empty and ours: nothing was started. */
void zb_out_dir_undo(const struct zb_out_dir *d);

#endif

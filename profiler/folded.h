/* SPDX-License-Identifier: Apache-2.0 */
/*
 * folded.h - folded stacks on their way to a file: sorted by text, equal ones as one
 *
 * A line is "root;caller;leaf WEIGHT".
 *
 * Threading: one thread at a time.
 */
#ifndef ZB_PROFILER_FOLDED_H
#define ZB_PROFILER_FOLDED_H

#include <stdint.h>
#include <stdio.h>

#define ZB_FOLDED_KERNEL   "_[k]"	/* behind the name of a kernel frame */
#define ZB_FOLDED_NO_STACK "[no stack]" /* in the place of frames that are not known */

struct zb_folded {
	struct zb_folded_line *line;
	size_t nr, room;
};

/* Takes over text, which is freed in any case; NULL gives -ENOMEM. */
int zb_folded_add(struct zb_folded *f, char *text, uint64_t weight);
void zb_folded_fini(struct zb_folded *f);

/*
 * Appends a frame's name and returns the end; what folded text gives a meaning to is replaced.
 * There is room for strlen(name).
 */
char *zb_folded_put_name(char *to, const char *name);

/* Sorts and writes what was added. 0 or -errno of the stream. */
int zb_folded_write(struct zb_folded *f, FILE *out);

#endif

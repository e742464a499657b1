/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heap_source.h - what a person names to zbench heap: dumps, and folders of dumps
 *
 * A folder is a run's, its heap/, or any with dumps named as jemalloc names them,
 * PREFIX.PID.SEQ.KIND.heap: those of the process that wrote last, in the order of SEQ.
 *
 * Threading: main only.
 */
#ifndef ZB_BENCH_HEAP_SOURCE_H
#define ZB_BENCH_HEAP_SOURCE_H

#include <limits.h>
#include "profiler/heap_paths.h"

enum zb_heap_mode {
	ZB_HEAP_USE,  /* the last dump of each source, added up */
	ZB_HEAP_DIFF, /* from the first to the second source; of one, from its first to its last */
	ZB_HEAP_GROWTH, /* all dumps, in order */
};

struct zb_heap_input {
	char path[PATH_MAX];
	unsigned source; /* of those that were named */
	unsigned long pid, seq;
	double time_s; /* Unix time at which it was written */
	uint64_t rate;
	double bytes, objects; /* unbiased, once it is loaded */
};

struct zb_heap_source {
	struct zb_heap_input *in;
	unsigned nr, room;
	unsigned all_nr; /* before those that the mode does not need were left out */
	struct zb_heap_paths paths;
	bool is_set;
};

/* Finds the dumps that mode needs. -EINVAL or another error, said. */
int zb_heap_source_open(const char *const *args, unsigned arg_nr, enum zb_heap_mode mode,
			struct zb_heap_source *out);
/* Reads them; binary: files that stand for those of the same name. -errno, said. */
int zb_heap_source_load(struct zb_heap_source *s, const char *const *binary);
void zb_heap_source_close(struct zb_heap_source *s);

#endif

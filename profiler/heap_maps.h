/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heap_maps.h - what was mapped where in a program that is not there any more
 *
 * Threading: one thread at a time.
 * Errors:    0 or -errno, unsaid.
 */
#ifndef ZB_PROFILER_HEAP_MAPS_H
#define ZB_PROFILER_HEAP_MAPS_H

#include <stdint.h>

struct zb_heap_maps_conf {
	const char *const *binary; /* files that stand for those of the same base name; NULL at the
				      end, may be NULL */
	uint64_t written_s;	   /* Unix time of the maps */
	char newer[256];	   /* out: a file that was changed later, or "" */
};

/*
 * maps is as /proc/PID/maps was, or any text. *clean, the caller's to free, has of it the plain
 * files that are there to be read, in order of address, none over another. -ENOMEM.
 */
#define ZB_HEAP_MAPS_LINES_MAX 16384u
int zb_heap_maps_clean(const char *maps, struct zb_heap_maps_conf *conf, char **clean);

#endif

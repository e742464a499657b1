/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heap_dump.h - a heap dump of any program's jemalloc (heap_v2 text), as it stands in the file
 *
 * Bytes and objects are those that were sampled. A large object is more likely to be sampled than a
 * small one, so figures of a stack are divided by the chance that its average object had: 1 -
 * exp(-size / rate). jemalloc writes its figures so that exactly this gives unbiased sums.
 *
 * Threading: one thread at a time.
 * Ownership: the dump owns all that is in it, until zb_heap_dump_fini().
 * Errors:    0 or -errno, unsaid. On error the dump is empty, but line tells where it happened.
 */
#ifndef ZB_PROFILER_HEAP_DUMP_H
#define ZB_PROFILER_HEAP_DUMP_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define ZB_HEAP_DEPTH_MAX 256u /* frames kept of a stack, from the leaf */

struct zb_heap_stack {
	size_t at; /* in ip */
	unsigned depth;
	uint64_t bytes, objects; /* live; both are above 0 */
};

struct zb_heap_dump_file {
	uint64_t rate; /* average bytes between two samples */
	struct zb_heap_stack *stack;
	uint64_t *ip; /* return addresses, leaf first */
	char *maps;   /* as /proc/PID/maps of the program; a string */
	size_t stack_nr, ip_nr, maps_len, stack_room, ip_room, maps_room;
	uint64_t line; /* the last one that was read */
};

/*
 * Reads to the end of f. -EINVAL: not a heap_v2 dump, or not a whole one; -EFBIG: what is mapped
 * takes more than ZB_HEAP_MAPS_MAX.
 */
#define ZB_HEAP_MAPS_MAX ((size_t)64 << 20)
int zb_heap_dump_read(FILE *f, struct zb_heap_dump_file *out);
void zb_heap_dump_fini(struct zb_heap_dump_file *d);

/* What a stack's bytes and objects are to be multiplied by. */
double zb_heap_dump_scale(const struct zb_heap_dump_file *d, const struct zb_heap_stack *s);

#endif

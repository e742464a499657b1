/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stack_table.h - counts call stacks: bounded, and turned into names once at the end
 *
 * A stack is a list of instruction addresses, leaf first. The table counts equal ones per lane (a
 * lane is an lcore). When its limit is reached, further new stacks are counted as "[stacks beyond
 * the limit]".
 *
 * Threading: one thread at a time.
 */
#ifndef ZB_PROFILER_STACK_TABLE_H
#define ZB_PROFILER_STACK_TABLE_H

#include <stdint.h>
#include <stdio.h>

#define ZB_STACK_DEPTH_MAX 127

struct zb_stack_table; /* opaque */
struct zb_symbols;     /* symbols.h */

int zb_stack_table_create(uint32_t lane_nr, uint32_t stacks_max, struct zb_stack_table **out);
void zb_stack_table_destroy(struct zb_stack_table *t);

/*
 * Adds weight (1 for a sample, bytes for a heap) to a stack; ips[0] is the leaf. Kernel frames are
 * marked by addresses >= 1 << 63. *id (may be NULL) is the number of the stack, for
 * zb_stack_table_get(). 0 or -ENOMEM.
 */
int zb_stack_table_add(struct zb_stack_table *t, uint32_t lane, const uint64_t *ips, uint32_t depth,
		       uint64_t weight, uint32_t *id);

#define ZB_STACK_BEYOND	     UINT32_MAX /* the number of those beyond the limit */
#define ZB_STACK_BEYOND_NAME "[stacks beyond the limit]"
struct zb_stack_view {
	const uint64_t *ips; /* leaf first */
	uint32_t depth;
	uint64_t weight;
};
/* Stacks are numbered from 0 as they come; equal ones of two lanes have two numbers. */
uint32_t zb_stack_table_nr(const struct zb_stack_table *t);
void zb_stack_table_get(const struct zb_stack_table *t, uint32_t id, struct zb_stack_view *out);

struct zb_stack_totals {
	uint64_t samples; /* adds */
	uint64_t weight;
	uint64_t resolved; /* adds whose leaf frame has a function name */
};
#define ZB_LANE_ALL UINT32_MAX
void zb_stack_table_totals(const struct zb_stack_table *t, uint32_t lane, struct zb_symbols *syms,
			   struct zb_stack_totals *out);

/*
 * From now on folded stacks begin at function where they have it: what a thread's start-up code
 * called on the way there is the same in all of them. The name is not copied; NULL shows
 * everything.
 */
void zb_stack_table_root(struct zb_stack_table *t, const char *function);

/*
 * Writes folded stacks, "root;caller;leaf weight" per line, sorted by text, kernel frames with the
 * suffix
 * "_[k]"; frames without a name as "[module+0xoffset]". 0 or -errno of the stream.
 */
int zb_stack_table_folded(const struct zb_stack_table *t, uint32_t lane, struct zb_symbols *syms,
			  FILE *f);

#endif

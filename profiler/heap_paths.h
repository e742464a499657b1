/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heap_paths.h - code paths that hold memory, over one or many heap dumps
 *
 * A path is the names of the functions that called each other, innermost first, from the one that
 * asked the allocator for memory on; the allocator's own are left out as jeprof leaves them out.
 * Dumps of other processes, where all addresses are others, meet in it.
 *
 * Threading: one thread at a time.
 * Ownership: the paths own all that is in them.
 * Units:     bytes and objects are unbiased: those of the program, not those that were sampled.
 * Errors:    0 or -errno, unsaid; -ENOSPC: a bound was reached.
 */
#ifndef ZB_PROFILER_HEAP_PATHS_H
#define ZB_PROFILER_HEAP_PATHS_H

#include "profiler/heap_dump.h"
#include "profiler/samples.h"
#include "profiler/symbols.h"

#define ZB_HEAP_DUMPS_MAX  65536u
#define ZB_HEAP_VALUES_MAX (1u << 25)

/* What a path held when a dump was written. */
struct zb_heap_value {
	uint32_t dump, path;
	double bytes, objects;
};

struct zb_heap_paths {
	struct zb_samples *names; /* stack i is path i; a frame is a name alone */
	struct zb_heap_value *value;
	uint32_t value_nr, value_room;
	uint32_t dump_nr; /* the highest number that was added, and one */
};

int zb_heap_paths_create(struct zb_heap_paths *out);
void zb_heap_paths_fini(struct zb_heap_paths *p);

/* Adds what a dump has under a number of the caller's, where others may be already. */
int zb_heap_paths_add(struct zb_heap_paths *p, uint32_t dump, const struct zb_heap_dump_file *d,
		      struct zb_symbols *syms);

static inline uint32_t zb_heap_paths_nr(const struct zb_heap_paths *p)
{
	return p->names->stack_nr;
}

/* Frame i of a path, 0 being the innermost. */
static inline const char *zb_heap_paths_name(const struct zb_heap_paths *p, uint32_t path,
					     uint32_t i)
{
	const struct zb_samples *s = p->names;

	return s->string[s->frame[s->stack_frame[s->stack[path].at + i]].name];
}

/* What is asked about each path: what it holds, or by how much that has grown. */
struct zb_heap_column {
	double *bytes, *objects; /* of each path */
	uint32_t nr;
};
int zb_heap_column_create(const struct zb_heap_paths *p, struct zb_heap_column *out);
void zb_heap_column_fini(struct zb_heap_column *c);

/* Adds what paths held in dumps from to to (not itself), sign times. */
void zb_heap_column_add(struct zb_heap_column *c, const struct zb_heap_paths *p, uint32_t from,
			uint32_t to, double sign);

/* How what a path holds has gone over all dumps: a straight line through its figures. */
struct zb_heap_trend {
	double first, last; /* bytes in the first and the last dump */
	double slope;	    /* bytes per unit of x */
	double fit;	    /* how much of the ups and downs the line explains, 0..1 */
};
/* x of each dump, of which two differ at least; out has room for each path. -ENOMEM. */
int zb_heap_trends(const struct zb_heap_paths *p, const double *x, struct zb_heap_trend *out);

/* A function: what it asked for itself, and what it and all it called did. */
struct zb_heap_row {
	const char *name;
	double flat, cumulative; /* bytes */
};
/*
 * As jeprof's table, largest first: *rows is the caller's to free. *total is the sum over all
 * paths. A function that calls itself counts once for a path.
 */
int zb_heap_table(const struct zb_heap_paths *p, const double *bytes, struct zb_heap_row **rows,
		  uint32_t *row_nr, double *total);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heap_out.h - writes what zbench heap was asked for
 *
 * Threading: main only.
 */
#ifndef ZB_BENCH_HEAP_OUT_H
#define ZB_BENCH_HEAP_OUT_H

#include <stdio.h>
#include "bench/heap_source.h"

enum zb_heap_format {
	ZB_HEAP_TEXT,
	ZB_HEAP_FOLDED,
	ZB_HEAP_SVG,
	ZB_HEAP_ICICLE,
	ZB_HEAP_JSON,
	ZB_HEAP_PPROF,
	ZB_HEAP_FORMAT_NR
};
extern const char *const zb_heap_format_name[ZB_HEAP_FORMAT_NR + 1]; /* NULL at the end */

struct zb_heap_report {
	const struct zb_heap_source *source;
	enum zb_heap_mode mode;
	unsigned top;		    /* rows at most; 0: all */
	struct zb_heap_column held; /* of each path, as the mode asks */
	struct zb_heap_row *row;    /* functions, largest first */
	uint32_t row_nr;
	double total;		     /* of held.bytes */
	struct zb_heap_trend *trend; /* of each path; ZB_HEAP_GROWTH only */
	uint32_t *order;	     /* paths, largest of held.bytes first */
	double span;		     /* from the first to the last dump, in units */
	bool by_time;		     /* units are seconds, else dumps */
};

/* Works out what the forms have in common. -errno, unsaid. */
int zb_heap_report_make(const struct zb_heap_source *s, enum zb_heap_mode mode,
			struct zb_heap_report *out);
void zb_heap_report_fini(struct zb_heap_report *r);

/* 0 or -errno of the stream; -ENOMEM. */
int zb_heap_write(const struct zb_heap_report *r, enum zb_heap_format format, FILE *out);

/* heap_json.c */
int zb_heap_write_json(const struct zb_heap_report *r, FILE *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flame_out.h - writes what zbench flame was asked for, to a file that is complete or not there
 *
 * Threading: main only.
 */
#ifndef ZB_BENCH_FLAME_OUT_H
#define ZB_BENCH_FLAME_OUT_H

#include "bench/flame_source.h"

enum zb_flame_format {
	ZB_FLAME_SVG,
	ZB_FLAME_ICICLE,
	ZB_FLAME_FOLDED,
	ZB_FLAME_PERF,
	ZB_FLAME_PPROF,
	ZB_FLAME_SPEEDSCOPE,
	ZB_FLAME_HEATMAP,
	ZB_FLAME_FORMAT_NR
};
extern const char *const zb_flame_format_name[ZB_FLAME_FORMAT_NR + 1]; /* NULL at the end */

struct zb_flame_request {
	enum zb_flame_format format;
	struct zb_flame_source
		*src; /* src_nr of them, merged; all but pictures and folded take one */
	unsigned src_nr;
	bool diff;	 /* a picture of what changed from src[0] to src[1] */
	const char *out; /* NULL: the run's own folder, or standard output; "-": standard output */
};

/* The page of a heat map; source is what a person would give to zbench flame. */
int zb_flame_heatmap(const struct zb_samples *s, const char *source, FILE *out);

/* Exit status; everything is said. A file's name is printed. */
int zb_flame_write(const struct zb_flame_request *r);

#endif

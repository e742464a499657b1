/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flame_svg.h - draws folded stacks as an interactive flame graph: one SVG, no network
 *
 * Zoom by click, search with a regular expression (highlight and matched share), tooltips, reset,
 * keys, all in script and style inside the file. Frames narrower than a tenth of a pixel are left
 * out and counted. Frames named zb_stage_* stand out, and what is below them shows its share of the
 * stage. It may be opened by itself or be put into an HTML page as it is.
 *
 * Threading: one thread at a time.
 */
#ifndef ZB_PROFILER_FLAME_SVG_H
#define ZB_PROFILER_FLAME_SVG_H

#include <stdbool.h>
#include <stdio.h>

struct zb_flame_conf {
	const char *title;    /* "zbench lcore 2" */
	const char *subtitle; /* may be NULL */
	const char *unit;     /* "samples", "bytes" */
	bool icicle;	      /* the root stands on top */
};

/*
 * Reads folded lines ("a;b;c 12") from in until its end and writes the SVG to out. -EINVAL: a line
 * is not folded (said, with its number; nothing was written); 0 or -errno of the streams. An empty
 * input gives a picture that says so.
 */
int zb_flame_svg(const struct zb_flame_conf *conf, FILE *in, FILE *out);

/*
 * What changed from before to in, both folded: the frames of in, red where their share of the whole
 * has grown, blue where it has shrunk, and below them the frames that are gone. Weights of the two
 * may be of different sums: shares are compared. Errors as above.
 */
int zb_flame_diff_svg(const struct zb_flame_conf *conf, FILE *before, FILE *in, FILE *out);

#endif

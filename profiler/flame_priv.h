/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flame_priv.h - what the parts of the flame graph writer share: tree, script and style
 *
 * Threading: one thread at a time.
 * Ownership: the tree owns its names. They are not NUL-terminated and hold any byte but ; and \n.
 * Units:     start, total and self are weights (samples, bytes).
 */
#ifndef ZB_PROFILER_FLAME_PRIV_H
#define ZB_PROFILER_FLAME_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define ZB_FLAME_NO_STAGE SIZE_MAX

struct zb_flame_node {
	const char *name;
	size_t name_len;
	size_t depth;	/* 0: the root, "all" */
	size_t stage;	/* index of the nearest zb_stage_* frame, this one or above; or NO_STAGE */
	uint64_t start; /* weight of everything left of it */
	uint64_t total; /* its own and its children's weight, never 0 but for an empty root */
	uint64_t self;
	uint64_t was; /* total of before, in a picture of what changed */
};

/* Nodes in the order of drawing: a parent before its children, siblings by name, left to right. */
struct zb_flame_tree {
	struct zb_flame_node *node; /* node[0] is the root */
	size_t nr, room;
	struct zb_flame_line *line;
	size_t line_nr, line_room;
};

/*
 * Fills *t from folded lines; before (may be NULL) has those that in is compared with. Nodes that
 * are of before only have a total of 0. -EINVAL: a line is not folded (said); 0 or -errno. On error
 * *t is empty.
 */
int zb_flame_tree_read(struct zb_flame_tree *t, FILE *in, FILE *before);
void zb_flame_tree_fini(struct zb_flame_tree *t);

/* Splits "a;b;c 12": finds the length of the stack and the weight. False: not a folded line. */
bool zb_flame_split(const char *s, size_t len, size_t *stack_len, uint64_t *weight);

/* True for zb_stage_conn and its like: the frames by which one sees the pipeline. */
bool zb_flame_is_stage(const char *name, size_t len);

/* The drawing in C and the script, which redraws it, must agree on these. */
enum {
	ZB_FLAME_WIDTH = 1200, /* of the viewBox, px */
	ZB_FLAME_MARGIN = 10,  /* left and right */
	ZB_FLAME_ROW = 17,     /* height of a frame */
	ZB_FLAME_TOP = 98,     /* above the frames: title, subtitle, controls, info line */
	ZB_FLAME_BOTTOM = 12,
	ZB_FLAME_TEXT_PAD = 3, /* between the edge of a frame and its text */
	ZB_FLAME_TEXT_MIN = 3, /* columns; frames with less room stay blank */
};

/* Neighbours stand apart by a gap, unless they are so narrow that it would wash them out. */
#define ZB_FLAME_GAP_PX	    0.5
#define ZB_FLAME_GAP_MIN_PX 3.0

/* Width of one column of 11 px monospaced text, rounded up, so that text never leaves its frame. */
#define ZB_FLAME_COLUMN_PX 6.8

extern const char zb_flame_style[], zb_flame_script[];

/* Colours as a list in a script: of stages, functions, the kernel, what has no name. */
void zb_flame_put_families(FILE *out);

/* flame_text.c: UTF-8 that XML allows, with what has a meaning there escaped. */
void zb_flame_put_fixed2(FILE *out, double v);
void zb_flame_put_percent(FILE *out, uint64_t part, uint64_t whole);
void zb_flame_put_grouped(FILE *out, uint64_t v); /* 1,234,567 */
void zb_flame_put_text(FILE *out, const char *s, size_t len);
/* As put_text, but at most columns wide: what does not fit ends in "..". */
void zb_flame_put_clipped(FILE *out, const char *s, size_t len, size_t columns);

struct zb_flame_conf;
struct zb_flame_drawing {
	const struct zb_flame_conf *conf;
	const struct zb_flame_tree *tree;
	FILE *out;
	double px; /* pixels per unit of weight */
	size_t dropped;
	size_t row_nr;
	/* Of a picture of what changed: */
	bool diff;
	double change_max; /* the largest change of a share */
	size_t *gone;	   /* nodes that are gone though their parents are not, largest first */
	size_t gone_nr;
	size_t gone_top; /* px */
};

/* flame_diff.c: what a picture of what changed has besides. Returns the height of it, in px. */
size_t zb_flame_diff_measure(struct zb_flame_drawing *d, size_t top);
void zb_flame_diff_colour(const struct zb_flame_drawing *d, size_t i);
void zb_flame_diff_tip(const struct zb_flame_drawing *d, size_t i);
void zb_flame_diff_legend(const struct zb_flame_drawing *d);
void zb_flame_diff_gone(const struct zb_flame_drawing *d);

#endif

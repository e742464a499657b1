/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flame_diff.c - what a flame graph of what changed has besides: colours, figures, the frames gone
 *
 * A frame is as wide as it is now. Its colour is by how much its share of the whole has changed, in
 * points, against the largest change there is: a root of that ratio, so that a change a quarter as
 * large is still half as bright. What is gone has no width and stands in a list.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/flame_priv.h"

#define GONE_MAX  20 /* in the list */
#define GONE_ROW  15 /* px */
#define GONE_HEAD 34
#define SAME	  0.0005 /* of the whole: a change that is not shown */

static double share(uint64_t part, uint64_t whole)
{
	return whole > 0 ? (double)part / (double)whole : 0;
}

/* By how much a frame's share of the whole has changed: from -1 to 1. */
static double change_of(const struct zb_flame_tree *t, size_t i)
{
	return share(t->node[i].total, t->node[0].total) - share(t->node[i].was, t->node[0].was);
}

struct gone {
	uint64_t was;
	size_t node;
};

static int compare_gone(const void *a, const void *b)
{
	const struct gone *x = a, *y = b;

	if (x->was != y->was)
		return x->was > y->was ? -1 : 1;
	return (x->node > y->node) - (x->node < y->node);
}

/* The caller of a frame: the last one before it that is one level up. */
static size_t parent_of(const struct zb_flame_tree *t, size_t i)
{
	size_t depth = t->node[i].depth;

	while (i > 0 && t->node[i].depth >= depth)
		i--;
	return i;
}

/*
 * Finds the nodes that are gone while their parents are not. Children follow their parents, so what
 * is below a node that is gone is skipped by depth.
 */
static void find_gone(struct zb_flame_drawing *d)
{
	const struct zb_flame_tree *t = d->tree;
	struct gone *all = calloc(t->nr, sizeof(*all));
	size_t nr = 0, below = SIZE_MAX;

	d->gone = calloc(GONE_MAX, sizeof(*d->gone));
	for (size_t i = 1; all != NULL && d->gone != NULL && i < t->nr; i++) {
		if (t->node[i].depth > below)
			continue;
		below = SIZE_MAX;
		if (t->node[i].total > 0)
			continue;
		below = t->node[i].depth;
		all[nr++] = (struct gone){.was = t->node[i].was, .node = i};
	}
	if (nr > 0)
		qsort(all, nr, sizeof(*all), compare_gone);
	d->gone_nr = nr;
	for (size_t i = 0; i < nr && i < GONE_MAX; i++)
		d->gone[i] = all[i].node;
	free(all);
}

size_t zb_flame_diff_measure(struct zb_flame_drawing *d, size_t top)
{
	const struct zb_flame_tree *t = d->tree;

	for (size_t i = 1; i < t->nr; i++) {
		double change = fabs(change_of(t, i));

		if (t->node[i].total > 0 && change > d->change_max)
			d->change_max = change;
	}
	find_gone(d);
	d->gone_top = top;
	if (d->gone_nr == 0)
		return 0;
	return GONE_HEAD + GONE_ROW * (d->gone_nr < GONE_MAX ? d->gone_nr : GONE_MAX + 1);
}

/* From white to full red or blue. */
static void put_change(FILE *out, double change, double max)
{
	double part = max > 0 && fabs(change) > SAME ? sqrt(fabs(change) / max) : 0;
	unsigned pale = (unsigned)lround(240 - 165 * (part < 1 ? part : 1));

	if (part == 0)
		fputs("#e6e6e6", out);
	else if (change > 0)
		fprintf(out, "#f5%02x%02x", pale, pale);
	else
		fprintf(out, "#%02x%02xfa", pale, (unsigned)lround(pale * 0.6 + 250 * 0.4));
}

void zb_flame_diff_colour(const struct zb_flame_drawing *d, size_t i)
{
	put_change(d->out, i > 0 ? change_of(d->tree, i) : 0, d->change_max);
}

static void put_points(FILE *out, double change)
{
	fputc(change < 0 ? '-' : '+', out);
	zb_flame_put_fixed2(out, fabs(change) * 100);
	fputs(" points", out);
}

void zb_flame_diff_tip(const struct zb_flame_drawing *d, size_t i)
{
	const struct zb_flame_node *n = &d->tree->node[i];

	if (i == 0)
		return;
	if (n->was == 0) {
		fputs("; new", d->out);
		return;
	}
	fputs("; was ", d->out);
	zb_flame_put_percent(d->out, n->was, d->tree->node[0].was);
	fputs(": ", d->out);
	put_points(d->out, change_of(d->tree, i));
}

void zb_flame_diff_legend(const struct zb_flame_drawing *d)
{
	static const struct {
		double change;
		unsigned x;
		const char *label;
	} keys[] = {{1, 826, "larger share"}, {0, 940, "same"}, {-1, 1004, "smaller share"}};

	for (unsigned i = 0; i < 3; i++) {
		fprintf(d->out, "<rect x=\"%u\" y=\"14\" width=\"11\" height=\"11\" fill=\"",
			keys[i].x);
		put_change(d->out, keys[i].change, 1);
		fprintf(d->out, "\"/><text x=\"%u\" y=\"23\">%s</text>\n", keys[i].x + 16,
			keys[i].label);
	}
}

/* The frames that are gone, with their share of before and who called them. */
void zb_flame_diff_gone(const struct zb_flame_drawing *d)
{
	const struct zb_flame_tree *t = d->tree;
	size_t y = d->gone_top + 14, shown = d->gone_nr < GONE_MAX ? d->gone_nr : GONE_MAX;

	if (d->gone_nr == 0)
		return;
	fprintf(d->out,
		"<g class=\"gone\"><text class=\"sub\" x=\"%d\" y=\"%zu\">gone since then, "
		"with the share they had:</text>\n",
		ZB_FLAME_MARGIN, y);
	for (size_t i = 0; i < shown; i++) {
		const struct zb_flame_node *n = &t->node[d->gone[i]];
		const struct zb_flame_node *p = &t->node[parent_of(t, d->gone[i])];

		y += GONE_ROW;
		fprintf(d->out, "<text x=\"%d\" y=\"%zu\">", ZB_FLAME_MARGIN + 60, y);
		zb_flame_put_clipped(d->out, n->name, n->name_len, 90);
		fputs("  in ", d->out);
		zb_flame_put_clipped(d->out, p->name, p->name_len, 60);
		fprintf(d->out, "</text><text x=\"%d\" y=\"%zu\" text-anchor=\"end\">",
			ZB_FLAME_MARGIN + 52, y);
		zb_flame_put_percent(d->out, n->was, t->node[0].was);
		fputs("</text>\n", d->out);
	}
	if (shown < d->gone_nr)
		fprintf(d->out, "<text x=\"%d\" y=\"%zu\">and %zu more</text>\n",
			ZB_FLAME_MARGIN + 60, y + GONE_ROW, d->gone_nr - shown);
	fputs("</g>\n", d->out);
}

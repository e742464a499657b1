/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flame_svg.c - draws the tree of a flame graph as one SVG that a script inside makes interactive
 *
 *   <svg class="zbf" data-...>           1200 px wide, as high as the deepest stack needs
 *     <style> <text>                     title, subtitle; without script the picture is complete
 *     <g class="f" data-s data-v data-d> one per frame: start and value (exact weights), depth
 *       <title> <rect> <text>            tooltip, box, label cut to the box
 *     <script>                           zoom, search, controls (flame_script.c)
 *
 * A picture of what changed has the weights of before beside those of now; flame_diff.c colours it.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/flame_priv.h"
#include "profiler/flame_svg.h"

#define WIDTH_PX_MIN 0.1 /* narrower frames cannot be seen and make the file large */

/*
 * Hue families: a frame's hue is base + hash % range, so a function has its colour in every
 * picture.
 */
enum family { FAMILY_STAGE, FAMILY_USER, FAMILY_KERNEL, FAMILY_UNRESOLVED, FAMILY_NR };
static const struct {
	unsigned hue, range, saturation, light;
	const char *label;
} families[FAMILY_NR] = {
	[FAMILY_STAGE] = {120, 50, 50, 62, "pipeline stage"},
	[FAMILY_USER] = {16, 36, 90, 66, "function"},
	[FAMILY_KERNEL] = {200, 26, 62, 72, "kernel"},
	[FAMILY_UNRESOLVED] = {40, 20, 6, 78, "no symbol"},
};

static size_t columns_in(double width_px)
{
	double room = (width_px - 2.0 * ZB_FLAME_TEXT_PAD) / ZB_FLAME_COLUMN_PX;

	return room > 0 ? (size_t)room : 0;
}

static enum family family_of(const struct zb_flame_node *n)
{
	static const char kernel[] = "_[k]";
	const size_t suffix = sizeof(kernel) - 1;

	if (zb_flame_is_stage(n->name, n->name_len))
		return FAMILY_STAGE;
	if (n->name_len > suffix && memcmp(n->name + n->name_len - suffix, kernel, suffix) == 0)
		return FAMILY_KERNEL;
	if (n->name_len > 0 && n->name[0] == '[')
		return FAMILY_UNRESOLVED;
	return FAMILY_USER;
}

void zb_flame_put_families(FILE *out)
{
	for (unsigned f = 0; f < FAMILY_NR; f++)
		fprintf(out, "%s[%u, %u, %u, %u]", f > 0 ? ", " : "[", families[f].hue,
			families[f].range, families[f].saturation, families[f].light);
	fputc(']', out);
}

static uint32_t fnv1a(const char *s, size_t len)
{
	uint32_t h = 2166136261U;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)s[i]) * 16777619U;
	return h ^ h >> 15;
}

static unsigned hsl_channel(double offset, double hue, double sat, double light)
{
	double k = fmod(offset + hue / 30, 12);
	double a = sat * fmin(light, 1 - light);
	double v = light - a * fmax(-1, fmin(fmin(k - 3, 9 - k), 1));

	return (unsigned)lround(v * 255);
}

static void put_colour(FILE *out, enum family f, uint32_t hash)
{
	double hue = families[f].hue + hash % families[f].range;
	double light = (families[f].light + (double)((hash >> 8) % 11) - 5) / 100;
	double sat = families[f].saturation / 100.0;

	fprintf(out, "#%02x%02x%02x", hsl_channel(0, hue, sat, light),
		hsl_channel(8, hue, sat, light), hsl_channel(4, hue, sat, light));
}

/* 1,234 samples; bytes also in a unit that one can say. */
static void put_weight(const struct zb_flame_drawing *d, uint64_t v)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
	double shown = (double)v / 1024;
	size_t u = 0;

	zb_flame_put_grouped(d->out, v);
	fputc(' ', d->out);
	zb_flame_put_text(d->out, d->conf->unit, strlen(d->conf->unit));
	if (strcmp(d->conf->unit, "bytes") != 0 || v < 1024)
		return;
	while (shown >= 1024 && u < sizeof(units) / sizeof(units[0]) - 1) {
		shown /= 1024;
		u++;
	}
	fputs(" (", d->out);
	zb_flame_put_fixed2(d->out, shown);
	fprintf(d->out, " %s)", units[u]);
}

/* The tooltip. Its first line is the name, from where the script takes it too. */
static void put_tip(const struct zb_flame_drawing *d, size_t i)
{
	const struct zb_flame_node *n = &d->tree->node[i];
	FILE *out = d->out;

	zb_flame_put_text(out, n->name, n->name_len);
	fputc('\n', out);
	put_weight(d, n->total);
	fputs(", ", out);
	zb_flame_put_percent(out, n->total, d->tree->node[0].total);
	fputs(" of all", out);
	if (n->stage != ZB_FLAME_NO_STAGE && n->stage != i) {
		const struct zb_flame_node *stage = &d->tree->node[n->stage];

		fputs(", ", out);
		zb_flame_put_percent(out, n->total, stage->total);
		fputs(" of ", out);
		zb_flame_put_text(out, stage->name, stage->name_len);
	}
	if (n->self > 0 && n->self < n->total) {
		fputs("; itself ", out);
		zb_flame_put_percent(out, n->self, d->tree->node[0].total);
	}
	if (d->diff)
		zb_flame_diff_tip(d, i);
}

static void put_frame(const struct zb_flame_drawing *d, size_t i)
{
	const struct zb_flame_node *n = &d->tree->node[i];
	double x = ZB_FLAME_MARGIN + (double)n->start * d->px;
	double w = (double)n->total * d->px;
	size_t row = d->conf->icicle ? n->depth : d->row_nr - 1 - n->depth;
	size_t y = ZB_FLAME_TOP + row * ZB_FLAME_ROW;
	size_t columns = columns_in(w);

	fprintf(d->out,
		"<g class=\"f\" data-s=\"%" PRIu64 "\" data-v=\"%" PRIu64 "\" data-d=\"%zu\">",
		n->start, n->total, n->depth);
	fputs("<title>", d->out);
	put_tip(d, i);
	fputs("</title><rect x=\"", d->out);
	zb_flame_put_fixed2(d->out, x);
	fprintf(d->out, "\" y=\"%zu\" width=\"", y);
	zb_flame_put_fixed2(d->out, w < ZB_FLAME_GAP_MIN_PX ? w : w - ZB_FLAME_GAP_PX);
	fprintf(d->out, "\" height=\"%d\" fill=\"", ZB_FLAME_ROW - 1);
	if (d->diff)
		zb_flame_diff_colour(d, i);
	else
		put_colour(d->out, family_of(n), fnv1a(n->name, n->name_len));
	fputs("\"/>", d->out);
	if (columns >= ZB_FLAME_TEXT_MIN) {
		fputs("<text x=\"", d->out);
		zb_flame_put_fixed2(d->out, x + ZB_FLAME_TEXT_PAD);
		fprintf(d->out, "\" y=\"%zu\">", y + 12);
		zb_flame_put_clipped(d->out, n->name, n->name_len, columns);
		fputs("</text>", d->out);
	}
	fputs("</g>\n", d->out);
}

static bool is_drawn(const struct zb_flame_drawing *d, size_t i)
{
	return (double)d->tree->node[i].total * d->px >= WIDTH_PX_MIN;
}

static void measure(struct zb_flame_drawing *d)
{
	const struct zb_flame_tree *t = d->tree;
	uint64_t total = t->node[0].total;

	d->px = total > 0 ? (ZB_FLAME_WIDTH - 2 * ZB_FLAME_MARGIN) / (double)total : 0;
	d->row_nr = 1;
	for (size_t i = 1; i < t->nr; i++) {
		if (!is_drawn(d, i))
			d->dropped += t->node[i].total > 0;
		else if (t->node[i].depth + 1 > d->row_nr)
			d->row_nr = t->node[i].depth + 1;
	}
}

static void put_legend(const struct zb_flame_drawing *d)
{
	static const unsigned left[FAMILY_NR] = {826, 946, 1030, 1104};

	for (unsigned f = 0; f < FAMILY_NR; f++) {
		fprintf(d->out, "<rect x=\"%u\" y=\"14\" width=\"11\" height=\"11\" fill=\"",
			left[f]);
		put_colour(d->out, f, 5);
		fprintf(d->out, "\"/><text x=\"%u\" y=\"23\">%s</text>\n", left[f] + 16,
			families[f].label);
	}
}

static void put_head(const struct zb_flame_drawing *d, size_t height)
{
	const struct zb_flame_node *root = &d->tree->node[0];
	const struct zb_flame_conf *conf = d->conf;
	FILE *out = d->out;

	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"zbf\" width=\"%d\" "
		"height=\"%zu\" "
		"viewBox=\"0 0 %d %zu\" data-rows=\"%zu\" data-total=\"%" PRIu64
		"\"%s aria-label=\"",
		ZB_FLAME_WIDTH, height, ZB_FLAME_WIDTH, height, d->row_nr, root->total,
		conf->icicle ? " data-down=\"\"" : "");
	zb_flame_put_text(out, conf->title, strlen(conf->title));
	fprintf(out, "\">\n<!-- %zu frames, of which %zu narrower than 0.1 px are left out -->\n",
		d->tree->nr, d->dropped);
	fprintf(out, "<style>\n%s</style>\n", zb_flame_style);
	fprintf(out, "<rect class=\"back\" width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n");
	fprintf(out, "<text class=\"head\" x=\"%d\" y=\"26\">", ZB_FLAME_MARGIN);
	zb_flame_put_clipped(out, conf->title, strlen(conf->title), 66);
	fprintf(out, "</text>\n<text class=\"sub\" x=\"%d\" y=\"44\">", ZB_FLAME_MARGIN);
	put_weight(d, root->total);
	if (d->dropped > 0)
		fprintf(out, "; %zu narrow frames left out", d->dropped);
	if (conf->subtitle != NULL) {
		fputs("; ", out);
		zb_flame_put_clipped(out, conf->subtitle, strlen(conf->subtitle), 110);
	}
	fputs("</text>\n", out);
}

static void draw(struct zb_flame_drawing *d)
{
	const struct zb_flame_tree *t = d->tree;
	size_t height;

	measure(d);
	height = ZB_FLAME_TOP + d->row_nr * ZB_FLAME_ROW + ZB_FLAME_BOTTOM;
	if (d->diff)
		height += zb_flame_diff_measure(d, height);
	put_head(d, height);
	if (t->node[0].total == 0) {
		fprintf(d->out, "<text class=\"none\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">no ",
			ZB_FLAME_WIDTH / 2, ZB_FLAME_TOP - 4);
		zb_flame_put_text(d->out, d->conf->unit, strlen(d->conf->unit));
		fputs("</text>\n</svg>\n", d->out);
		return;
	}
	if (d->diff)
		zb_flame_diff_legend(d);
	else
		put_legend(d);
	fprintf(d->out, "<text class=\"info\" x=\"%d\" y=\"%d\"> </text>\n", ZB_FLAME_MARGIN,
		ZB_FLAME_TOP - 8);
	for (size_t i = 0; i < t->nr; i++) {
		if (i == 0 || is_drawn(d, i))
			put_frame(d, i);
	}
	if (d->diff)
		zb_flame_diff_gone(d);
	fprintf(d->out, "<script><![CDATA[\n%s]]></script>\n</svg>\n", zb_flame_script);
}

static int draw_tree(struct zb_flame_drawing *d, struct zb_flame_tree *tree)
{
	int ret = 0;

	d->tree = tree;
	errno = 0;
	draw(d);
	if (fflush(d->out) != 0 || ferror(d->out))
		ret = errno != 0 ? -errno : -EIO;
	zb_flame_tree_fini(tree);
	return ret;
}

int zb_flame_svg(const struct zb_flame_conf *conf, FILE *in, FILE *out)
{
	struct zb_flame_drawing d = {.conf = conf, .out = out};
	struct zb_flame_tree tree;
	int ret = zb_flame_tree_read(&tree, in, NULL);

	return ret < 0 ? ret : draw_tree(&d, &tree);
}

int zb_flame_diff_svg(const struct zb_flame_conf *conf, FILE *before, FILE *in, FILE *out)
{
	struct zb_flame_drawing d = {.conf = conf, .out = out, .diff = true};
	struct zb_flame_tree tree;
	int ret = zb_flame_tree_read(&tree, in, before);

	if (ret == 0)
		ret = draw_tree(&d, &tree);
	free(d.gone);
	return ret;
}

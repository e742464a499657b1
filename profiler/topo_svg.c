/* SPDX-License-Identifier: Apache-2.0 */
/*
 * topo_svg.c - the machine as nested boxes with the run's threads coloured in; one SVG, no script
 *
 * Layout is one rule for every level: children flow from left to right and wrap at the width that
 * the parent leaves; rows hold equally many and are equally high, and boxes one below the other get
 * one width. Text widths are estimated on the wide side, as the fonts of the reader are unknown.
 */
#include "profiler/topology_priv.h"

#include <errno.h>
#include <string.h>

#define PAGE_W	   1290 /* fits eight two-way SMT cores in a row, or two caches of four */
#define PAGE_W_MIN 760
#define MARGIN	   20
#define PAD	   7
#define GAP	   6
#define TITLE_H	   19
#define PU_W	   62 /* fits "lcore-1023" */
#define PU_H	   36
#define PU_ROW	   4 /* CPUs of a core beside each other; more wrap (SMT8) */
#define LINE_H	   18
#define ADVICE_MAX 16

static const struct {
	const char *css, *legend;
} seats[ZB_SEAT_NR] = {
	[ZB_SEAT_FREE] = {"free", "not used"},
	[ZB_SEAT_FORBIDDEN] = {"forbidden", "not allowed (cpuset, affinity)"},
	[ZB_SEAT_WORKER] = {"worker", "worker"},
	[ZB_SEAT_HELPER] = {"helper", "main, sampler, log writer"},
	[ZB_SEAT_SHARED] = {"shared", "worker, shared with the helpers"},
};

static const char style[] =
	"<style>\n"
	"text{font-family:system-ui,-apple-system,'Segoe UI','DejaVu "
	"Sans',sans-serif;font-size:12px;"
	"fill:#1f2933}\n"
	".page{fill:#fff}.h1{font-size:18px;font-weight:600}.h2{font-size:13px;font-weight:600}"
	".dim{fill:#52606d}\n"
	".package{fill:#f5f7fa;stroke:#9aa5b1}.numa{fill:#fff;stroke:#9aa5b1}"
	".l3{fill:#eef2f6;stroke:#cbd2d9}.core{fill:#fff;stroke:#cbd2d9}\n"
	".pu{text-anchor:middle;font-size:11px}.pu2{text-anchor:middle;font-size:10px}\n"
	"rect.free{fill:#fff;stroke:#9aa5b1}rect.forbidden{fill:#e4e7eb;stroke:#9aa5b1;stroke-"
	"dasharray:3 "
	"2}\n"
	"rect.worker{fill:#c2410c;stroke:#7c2d12}rect.helper{fill:#cfe3f7;stroke:#2b6cb0}"
	"rect.shared{fill:#7c2d12;stroke:#2b6cb0;stroke-width:2.5}\n"
	"text.worker,text.shared{fill:#fff}text.forbidden{fill:#616e7c}\n"
	".warning{fill:#b42318;font-weight:600}.note{fill:#52606d;font-weight:600}\n"
	"</style>\n";

static int text_w(const char *text, int px_per_char)
{
	return (int)strlen(text) * px_per_char;
}

/* The boxes of one row get the height of the highest. */
static void even_row(struct zb_box *first, const struct zb_box *end, int h)
{
	for (struct zb_box *b = first; b != end; b = b->next)
		b->h = h;
}

/* How many children go into a row: all rows alike (6 + 6, not 8 + 4) when the children are. */
static unsigned row_max(const struct zb_box *box, int room)
{
	unsigned nr = 0, fit, rows;
	int w = 0;

	for (const struct zb_box *c = box->child; c != NULL; c = c->next, nr++)
		w = c->w > w ? c->w : w;
	if (nr == 0)
		return 1;
	fit = room + GAP >= w + GAP ? (unsigned)((room + GAP) / (w + GAP)) : 1;
	rows = (nr + fit - 1) / fit;
	return (nr + rows - 1) / rows;
}

/* Places children inside a width of room, from y down; returns the width they take. */
static int flow(struct zb_box *box, int room, int y, int *bottom)
{
	struct zb_box *row = box->child;
	int x = 0, row_h = 0, widest = 0;
	unsigned max = row_max(box, room), nr = 0;

	for (struct zb_box *c = box->child; c != NULL; c = c->next) {
		if (nr == max) {
			even_row(row, c, row_h);
			y += row_h + GAP;
			x = row_h = 0;
			nr = 0;
			row = c;
		}
		c->x = PAD + x;
		c->y = y;
		x += c->w + GAP;
		nr++;
		row_h = c->h > row_h ? c->h : row_h;
		widest = x - GAP > widest ? x - GAP : widest;
	}
	if (row != NULL)
		even_row(row, NULL, row_h);
	*bottom = row != NULL ? y + row_h : y;
	return widest;
}

/* Sets w and h of box and all below, x and y of all below relative to their parent. */
static void layout(struct zb_box *box, int room)
{
	int inner = room - 2 * PAD, title = text_w(box->title, 7), bottom, w;

	if (box->kind == ZB_BOX_PU) {
		box->w = PU_W;
		box->h = PU_H;
		return;
	}
	if (box->kind == ZB_BOX_CORE && inner > PU_ROW * (PU_W + GAP))
		inner = PU_ROW * (PU_W + GAP);
	for (struct zb_box *c = box->child; c != NULL; c = c->next)
		layout(c, inner);
	w = flow(box, inner, box->kind == ZB_BOX_MACHINE ? 0 : TITLE_H, &bottom);
	box->w = (w > title ? w : title) + 2 * PAD;
	box->h = bottom + PAD;
}

/* Passes a box's width on to its children where each has a row for itself. */
static void widen(struct zb_box *box)
{
	bool column = true;

	for (const struct zb_box *c = box->child; c != NULL; c = c->next)
		column &= c->x == PAD && c->kind < ZB_BOX_CORE;
	for (struct zb_box *c = box->child; c != NULL; c = c->next) {
		if (column)
			c->w = box->w - 2 * PAD;
		widen(c);
	}
}

static void put_escaped(const char *s, FILE *f)
{
	for (; *s != '\0'; s++) {
		switch (*s) {
		case '<': fputs("&lt;", f); break;
		case '>': fputs("&gt;", f); break;
		case '&': fputs("&amp;", f); break;
		case '"': fputs("&quot;", f); break;
		default:
			if ((unsigned char)*s >= 0x20)
				fputc(*s, f);
		}
	}
}

static void put_text(const char *css, int x, int y, const char *text, FILE *f)
{
	fprintf(f, "<text class=\"%s\" x=\"%d\" y=\"%d\">", css, x, y);
	put_escaped(text, f);
	fputs("</text>\n", f);
}

static void put_pu(const struct zb_topo *t, const struct zb_placement *p, const struct zb_box *pu,
		   int x, int y, FILE *f)
{
	enum zb_seat seat = zb_topo_seat(t, p, pu->id);
	bool worker = seat == ZB_SEAT_WORKER || seat == ZB_SEAT_SHARED;
	char css[32], text[48];

	fprintf(f,
		"<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" "
		"rx=\"3\"><title>CPU %u",
		seats[seat].css, x, y, pu->w, pu->h, pu->id);
	zb_topo_seat_text(seat, pu->id, text, sizeof(text));
	fprintf(f, "%s%s</title></rect>\n", *text ? ": " : "", text);
	snprintf(css, sizeof(css), "pu %s", seats[seat].css);
	snprintf(text, sizeof(text), "CPU %u", pu->id);
	put_text(css, x + pu->w / 2, y + (worker || seat == ZB_SEAT_HELPER ? 15 : 22), text, f);
	if (!worker && seat != ZB_SEAT_HELPER)
		return;
	snprintf(css, sizeof(css), "pu2 %s", seats[seat].css);
	if (worker)
		snprintf(text, sizeof(text), "lcore-%u", pu->id);
	else
		snprintf(text, sizeof(text), "helpers");
	put_text(css, x + pu->w / 2, y + 29, text, f);
}

static void put_boxes(const struct zb_topo *t, const struct zb_placement *p,
		      const struct zb_box *box, int x, int y, FILE *f)
{
	static const char *const css[] = {
		[ZB_BOX_PACKAGE] = "package",
		[ZB_BOX_NUMA] = "numa",
		[ZB_BOX_L3] = "l3",
		[ZB_BOX_CORE] = "core",
	};

	for (; box != NULL; box = box->next) {
		if (box->kind == ZB_BOX_PU) {
			put_pu(t, p, box, x + box->x, y + box->y, f);
			continue;
		}
		if (box->kind != ZB_BOX_MACHINE) {
			fprintf(f,
				"<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" "
				"rx=\"4\"/>\n",
				css[box->kind], x + box->x, y + box->y, box->w, box->h);
			put_text(box->kind == ZB_BOX_CORE ? "dim" : "", x + box->x + PAD,
				 y + box->y + 14, box->title, f);
		}
		put_boxes(t, p, box->child, x + box->x, y + box->y, f);
	}
}

/* Marks the seats that occur, so that the legend explains no colour that is not there. */
static void seats_used(const struct zb_topo *t, const struct zb_placement *p,
		       const struct zb_box *box, bool used[ZB_SEAT_NR])
{
	for (; box != NULL; box = box->next) {
		if (box->kind == ZB_BOX_PU)
			used[zb_topo_seat(t, p, box->id)] = true;
		seats_used(t, p, box->child, used);
	}
}

static void put_legend(const bool used[ZB_SEAT_NR], int y, FILE *f)
{
	int x = MARGIN;

	for (int i = 0; i < ZB_SEAT_NR; i++) {
		if (!used[i])
			continue;
		fprintf(f,
			"<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"16\" height=\"12\" "
			"rx=\"2\"/>\n",
			seats[i].css, x, y - 10);
		put_text("", x + 22, y, seats[i].legend, f);
		x += 22 + text_w(seats[i].legend, 7) + 18;
	}
}

/* Writes text in lines of at most cols characters when f is given; returns the number of lines. */
static int put_wrapped(const char *text, int cols, int x, int y, FILE *f)
{
	char line[256];
	int lines = 0;

	while (*text != '\0') {
		size_t len = strlen(text), room = cols > 1 ? (size_t)cols : 1;

		if (len > room)
			for (len = room; len > 0 && text[len] != ' '; len--)
				;
		if (len == 0) /* a word longer than the line: cut it */
			len = room;
		if (len >= sizeof(line))
			len = sizeof(line) - 1;
		memcpy(line, text, len);
		line[len] = '\0';
		if (f != NULL)
			put_text("", x, y + lines * LINE_H, line, f);
		lines++;
		text += len;
		text += *text == ' ';
	}
	return lines;
}

struct page {
	const struct zb_topo *t;
	const struct zb_placement *p;
	struct zb_box *boxes;
	struct zb_advice advice[ADVICE_MAX];
	unsigned advice_nr;
	char summary[384], caches[128];
	int w, h, cols;
	int summary_y, legend_y, boxes_y, advice_y;
};

static void plan_page(struct page *pg)
{
	int inner;

	layout(pg->boxes, PAGE_W - 2 * MARGIN + 2 * PAD);
	pg->boxes->x = pg->boxes->y = 0;
	pg->w = pg->boxes->w - 2 * PAD + 2 * MARGIN;
	if (pg->w < PAGE_W_MIN) {
		pg->w = PAGE_W_MIN;
		pg->boxes->w = PAGE_W_MIN - 2 * MARGIN + 2 * PAD;
	}
	widen(pg->boxes);
	inner = pg->w - 2 * MARGIN;
	pg->cols = inner / 7;

	pg->summary_y = MARGIN + 38;
	pg->legend_y = pg->summary_y + put_wrapped(pg->summary, pg->cols, 0, 0, NULL) * LINE_H;
	if (pg->caches[0] != '\0')
		pg->legend_y += LINE_H;
	pg->legend_y += 8;
	pg->boxes_y = pg->legend_y + 16;
	pg->advice_y = pg->boxes_y + pg->boxes->h + 18;
	pg->h = pg->advice_y;
	if (pg->p != NULL) {
		pg->h += LINE_H;
		for (unsigned i = 0; i < pg->advice_nr; i++)
			pg->h += put_wrapped(pg->advice[i].text, pg->cols - 10, 0, 0, NULL) *
					 LINE_H +
				 4;
		pg->h += pg->advice_nr == 0 ? LINE_H : 0;
	}
}

static void put_advice(const struct page *pg, FILE *f)
{
	int y = pg->advice_y;

	put_text("h2", MARGIN, y, "Advice", f);
	y += LINE_H + 4;
	if (pg->advice_nr == 0)
		put_text("dim", MARGIN, y,
			 "Nothing was found that would disturb a run on these cores.", f);
	for (unsigned i = 0; i < pg->advice_nr; i++) {
		const struct zb_advice *a = &pg->advice[i];

		put_text(a->warning ? "warning" : "note", MARGIN, y,
			 a->warning ? "warning" : "note", f);
		y += put_wrapped(a->text, pg->cols - 10, MARGIN + 70, y, f) * LINE_H + 4;
	}
}

static void put_page(const struct page *pg, FILE *f)
{
	bool used[ZB_SEAT_NR] = {false};
	int lines;

	fprintf(f,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
		"height=\"%d\" role=\"img\">\n<title>zbench topology</title>\n%s",
		pg->w, pg->h, pg->w, pg->h, style);
	fprintf(f, "<rect class=\"page\" width=\"%d\" height=\"%d\"/>\n", pg->w, pg->h);
	put_text("h1", MARGIN, MARGIN + 14, "zbench topology", f);
	lines = put_wrapped(pg->summary, pg->cols, MARGIN, pg->summary_y, f);
	if (pg->caches[0] != '\0') {
		fprintf(f, "<text class=\"dim\" x=\"%d\" y=\"%d\">", MARGIN,
			pg->summary_y + lines * LINE_H);
		fprintf(f, "Caches of a core: %s</text>\n", pg->caches);
	}
	seats_used(pg->t, pg->p, pg->boxes, used);
	put_legend(used, pg->legend_y, f);
	put_boxes(pg->t, pg->p, pg->boxes, MARGIN - PAD, pg->boxes_y, f);
	if (pg->p != NULL)
		put_advice(pg, f);
	fputs("</svg>\n", f);
}

int zb_topo_svg(const struct zb_topo *t, const struct zb_placement *p, FILE *f)
{
	struct page pg = {.t = t, .p = p, .boxes = zb_topo_boxes(t)};

	if (pg.boxes == NULL)
		return -ENOMEM;
	zb_topo_summary(t, pg.summary, sizeof(pg.summary));
	zb_topo_small_caches(t, pg.caches, sizeof(pg.caches));
	if (p != NULL)
		pg.advice_nr = zb_topo_advise(t, p, pg.advice, ADVICE_MAX);
	plan_page(&pg);
	errno = 0;
	put_page(&pg, f);
	zb_topo_boxes_free(pg.boxes);
	if (fflush(f) != 0 || ferror(f))
		return errno ? -errno : -EIO;
	return 0;
}

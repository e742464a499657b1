/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_topo_svg.c - machines that hwloc makes up, as text and as a picture
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "topo_bed.h"

/* Prints into a string that the caller frees. */
static char *print(const struct zb_topo *t, const struct zb_placement *p, bool svg)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	if (svg)
		assert_int_equal(zb_topo_svg(t, p, f), 0);
	else
		zb_topo_print(t, p, f);
	assert_int_equal(fclose(f), 0);
	return text;
}

/* The text shows the levels nested, every CPU once, and who sits on it. */
static void print_shows_tree_seats_and_advice(void **state)
{
	struct zb_topo *t = make("package:2 numa:1 l3:1 core:2 pu:2", "0-5");
	struct zb_placement p;
	char *text;

	(void)state;
	place(t, "2-3", &p);
	text = print(t, &p, false);
	assert_non_null(strstr(text, "package 0\n"
				     "  NUMA node 0, 1 GiB\n"
				     "    L3 cache 16 MiB\n"
				     "      core 0: CPU 0 helpers, CPU 1 helpers\n"
				     "      core 1: CPU 2 worker lcore-2, CPU 3 worker lcore-3\n"
				     "package 1\n"));
	assert_non_null(strstr(text, "core 3: CPU 6 not allowed, CPU 7 not allowed\n"));
	assert_non_null(strstr(text, "  warning: CPUs 2-3 are SMT siblings"));
	free(text);
	text = print(t, NULL, false);
	assert_non_null(strstr(text, "core 1: CPU 2, CPU 3\n"));
	assert_null(strstr(text, "Advice"));
	free(text);
	zb_topo_destroy(t);
}

struct rect {
	int x, y, w, h;
};

static bool inside(const struct rect *in, const struct rect *out)
{
	return in->x >= out->x && in->y >= out->y && in->x + in->w <= out->x + out->w &&
	       in->y + in->h <= out->y + out->h;
}

static bool apart(const struct rect *a, const struct rect *b)
{
	return a->x + a->w <= b->x || b->x + b->w <= a->x || a->y + a->h <= b->y ||
	       b->y + b->h <= a->y;
}

/* Reads all boxes with a position out of an SVG; the first is the page. */
static unsigned read_rects(const char *svg, struct rect *r, unsigned max)
{
	unsigned nr = 1;
	const char *s = strstr(svg, "viewBox=");

	assert_non_null(s);
	assert_int_equal(sscanf(s, "viewBox=\"0 0 %d %d\"", &r[0].w, &r[0].h), 2);
	r[0].x = r[0].y = 0;
	for (s = strstr(svg, "<rect"); s != NULL; s = strstr(s + 1, "<rect")) {
		assert_true(nr < max);
		nr += sscanf(s,
			     "<rect class=\"%*[a-z0-9]\" x=\"%d\" y=\"%d\" width=\"%d\" "
			     "height=\"%d\"",
			     &r[nr].x, &r[nr].y, &r[nr].w, &r[nr].h) == 4;
	}
	return nr;
}

static void expect_tidy(const char *synthetic, const char *cores, unsigned pu_nr)
{
	struct zb_topo *t = make(synthetic, NULL);
	static struct rect r[4096];
	static struct zb_placement p;
	unsigned nr;
	char *svg;

	place(t, cores, &p);
	svg = print(t, &p, true);
	nr = read_rects(svg, r, 4096);
	assert_true(nr > pu_nr);
	for (unsigned i = 0; i < nr; i++) {
		assert_true(r[i].w > 0 && r[i].h > 0);
		if (!inside(&r[i], &r[0]))
			fail_msg("%s: box %u leaves the page", synthetic, i);
		for (unsigned j = 0; j < i; j++)
			if (!apart(&r[i], &r[j]) && !inside(&r[i], &r[j]))
				fail_msg("%s: boxes %u and %u overlap", synthetic, i, j);
	}
	free(svg);
	zb_topo_destroy(t);
}

/* On any machine boxes lie inside one another or apart, and none leaves the page. */
static void svg_boxes_never_overlap_nor_leave_the_page(void **state)
{
	(void)state;
	expect_tidy("core:2 pu:1", "1", 2);
	expect_tidy("pu:3", "1", 3);
	expect_tidy(BIG, "2,4,20", 32);
	expect_tidy("package:2 numa:1 l3:4 core:8 pu:2", "2-9", 128);
	expect_tidy("package:2 numa:4 l3:2 core:4 pu:2", "2-9", 128);
	expect_tidy("package:1 core:13 pu:8", "2-9", 104);
	expect_tidy("package:8 core:5 pu:1", "2-9", 40);
}

/* The picture is one whole file: no script, nothing loaded, text escaped, each CPU drawn once. */
static void svg_is_self_contained(void **state)
{
	struct zb_placement p;
	struct zb_topo *t;
	unsigned cpus = 0;
	char *svg;

	(void)state;
	put("/proc/cpuinfo", "model name\t: A<b>&\"c\" 9\n");
	t = make(BIG, NULL);
	place(t, "2-3,20", &p);
	svg = print(t, &p, true);
	assert_non_null(strstr(svg, "A&lt;b&gt;&amp;&quot;c&quot; 9"));
	assert_null(strstr(svg, "A<b>"));
	assert_null(strstr(svg, "<script"));
	assert_null(strstr(svg, "href"));
	assert_null(strstr(svg, "url("));
	assert_non_null(strstr(svg, ">lcore-20</text>"));
	assert_non_null(strstr(svg, ">warning</text>"));
	assert_string_equal(svg + strlen(svg) - strlen("</svg>\n"), "</svg>\n");
	for (const char *s = svg; (s = strstr(s, "<title>CPU ")) != NULL; s++)
		cpus++;
	assert_int_equal(cpus, 32);
	free(svg);
	zb_topo_destroy(t);
}

/* A disk that is full is an error, not a short picture. */
static void svg_write_error_is_returned(void **state)
{
	struct zb_topo *t = make(BIG, NULL);
	FILE *f = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(f);
	assert_int_equal(zb_topo_svg(t, NULL, f), -ENOSPC);
	fclose(f);
	zb_topo_destroy(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(print_shows_tree_seats_and_advice),
		CASE(svg_boxes_never_overlap_nor_leave_the_page),
		CASE(svg_is_self_contained),
		CASE(svg_write_error_is_returned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

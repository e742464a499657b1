/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_flame_svg.c - the flame graph: merging, widths, escaping, what it refuses, what the script
 * relies on
 *
 * Called as `test_flame_svg FOLDED SVG` it draws FOLDED into SVG instead: that is how one gets a
 * picture for the browser test without a run.
 */
#include <errno.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "profiler/flame_priv.h"
#include "profiler/flame_svg.h"

static const struct zb_flame_conf conf = {.title = "zbench lcore 2",
					  .subtitle = "a test",
					  .unit = "samples"};

/* Draws len bytes of folded text; the caller frees *svg. */
static int draw_bytes(const struct zb_flame_conf *c, const char *folded, size_t len, char **svg)
{
	FILE *in =
		len > 0 ? fmemopen((void *)(uintptr_t)folded, len, "r") : fopen("/dev/null", "r");
	size_t size;
	FILE *out = open_memstream(svg, &size);
	int ret;

	assert_non_null(in);
	assert_non_null(out);
	ret = zb_flame_svg(c, in, out);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(fclose(in), 0);
	return ret;
}

static char *draw(const char *folded)
{
	char *svg = NULL;

	assert_int_equal(draw_bytes(&conf, folded, strlen(folded), &svg), 0);
	return svg;
}

static void assert_has(const char *svg, const char *part)
{
	if (strstr(svg, part) == NULL)
		fail_msg("not in the picture: %s", part);
}

static void assert_lacks(const char *svg, const char *part)
{
	if (strstr(svg, part) != NULL)
		fail_msg("should not be in the picture: %s", part);
}

static size_t count(const char *svg, const char *part)
{
	size_t n = 0;

	for (const char *p = svg; (p = strstr(p, part)) != NULL; p += strlen(part))
		n++;
	return n;
}

/* The fill of the frame whose tooltip begins with name. */
static void fill_of(const char *svg, const char *name, char out[8])
{
	char want[64];
	const char *p;

	snprintf(want, sizeof(want), "<title>%s\n", name);
	p = strstr(svg, want);
	assert_non_null(p);
	p = strstr(p, "fill=\"#");
	assert_non_null(p);
	memcpy(out, p + strlen("fill=\""), 7);
	out[7] = '\0';
}

/* Equal callers are one frame whatever the order of the lines; siblings stand by name, weights add
 * up. */
static void flame_unsorted_stacks_are_merged_by_name(void **state)
{
	char *svg = draw("m;b;z 1\nm;a 2\nm;b 3\nm;a;y 4\nm;b;z 5\nm b;q 1\n");

	(void)state;
	assert_int_equal(count(svg, "<g class=\"f\""), 8);
	assert_has(
		svg,
		"data-s=\"0\" data-v=\"16\" data-d=\"0\"><title>all\n16 samples, 100.00 % of all");
	assert_has(svg,
		   "data-s=\"0\" data-v=\"15\" data-d=\"1\"><title>m\n15 samples, 93.75 % of all<");
	assert_has(svg,
		   "data-s=\"0\" data-v=\"6\" data-d=\"2\"><title>a\n6 samples, 37.50 % of all; "
		   "itself 12.50 %<");
	assert_has(svg, "data-s=\"2\" data-v=\"4\" data-d=\"3\"><title>y\n");
	assert_has(svg, "data-s=\"6\" data-v=\"9\" data-d=\"2\"><title>b\n");
	assert_has(svg, "data-s=\"9\" data-v=\"6\" data-d=\"3\"><title>z\n");
	assert_has(svg, "data-s=\"15\" data-v=\"1\" data-d=\"1\"><title>m b\n");
	free(svg);
}

/* Order of the lines does not change a single byte of the picture. */
static void flame_reordered_lines_give_the_same_picture(void **state)
{
	char *a = draw("m;b 1\nm;a;c 2\nm;a-;c 2\nm;a 7\nk 3\n");
	char *b = draw("k 3\nm;a 7\nm;a-;c 2\nm;b 1\nm;a;c 2\n");

	(void)state;
	assert_string_equal(a, b);
	free(a);
	free(b);
}

/* A frame's place and width are its share of the 1180 px between the margins; the root lies lowest.
 */
static void flame_frames_are_as_wide_as_their_share(void **state)
{
	char *svg = draw("a 1\nb;c 3\n");

	(void)state;
	assert_has(svg, "<rect x=\"10\" y=\"132\" width=\"1179.50\"");
	assert_has(svg, "<rect x=\"10\" y=\"115\" width=\"294.50\"");
	assert_has(svg, "<rect x=\"305\" y=\"115\" width=\"884.50\"");
	assert_has(svg, "<rect x=\"305\" y=\"98\" width=\"884.50\"");
	assert_has(svg, "viewBox=\"0 0 1200 161\"");
	free(svg);
}

/* Names may hold what XML forbids, and bytes that are no UTF-8: the picture stays well-formed. */
static void flame_hostile_names_are_escaped(void **state)
{
	static const char folded[] = "<a>&\"'b 1\n"
				     "x\x01y\xff\xc3z\xed\xa0\x80 1\n"
				     "nul\0byte 1\n"
				     "\xe6\x97\xa5\xe6\x9c\xac 1\n"
				     "]]>;operator()(int, char) 1\n";
	char *svg = NULL;

	(void)state;
	assert_int_equal(draw_bytes(&conf, folded, sizeof(folded) - 1, &svg), 0);
	assert_has(svg, "<title>&lt;a&gt;&amp;&quot;&#39;b\n");
	assert_has(svg, "<title>x\xef\xbf\xbdy\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd\xef\xbf\xbd"
			"\xef\xbf\xbd\n");
	assert_has(svg, "<title>nul\xef\xbf\xbd"
			"byte\n");
	assert_has(svg, "<title>\xe6\x97\xa5\xe6\x9c\xac\n");
	assert_has(svg, "<title>]]&gt;\n");
	assert_has(svg, "<title>operator()(int, char)\n");
	free(svg);
}

/* Title, subtitle and unit come from users and are escaped too. */
static void flame_hostile_title_is_escaped(void **state)
{
	const struct zb_flame_conf c = {.title = "a<b", .subtitle = "c&d", .unit = "<u>"};
	char *svg = NULL;

	(void)state;
	assert_int_equal(draw_bytes(&c, "f 1\n", 4, &svg), 0);
	assert_has(svg, "aria-label=\"a&lt;b\"");
	assert_has(svg, ">a&lt;b</text>");
	assert_has(svg, "1 &lt;u&gt;; c&amp;d</text>");
	free(svg);
}

/* No samples is a picture that says so, not an error and not an empty file. */
static void flame_empty_input_says_no_samples(void **state)
{
	char *svg = NULL;

	(void)state;
	assert_int_equal(draw_bytes(&conf, "", 0, &svg), 0);
	assert_has(svg, ">no samples</text>");
	assert_has(svg, "</svg>");
	assert_lacks(svg, "<g class=\"f\"");
	free(svg);
	svg = draw("a;b 0\n\n  \n");
	assert_has(svg, ">no samples</text>");
	free(svg);
}

/* A line without a stack, or without a weight that fits, is refused before anything is written. */
static void flame_line_not_folded_is_refused(void **state)
{
	static const char *const bad[] = {
		"a;b\n",
		"a;b x\n",
		" 12\n",
		"12\n",
		"a 1.5\n",
		"a -1\n",
		"a;b 1\nc\n",
		"a 99999999999999999999999\n",
		"a;b12\n",
		"   7\n",
		"a 1\nb 18446744073709551615\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *svg = NULL;

		if (draw_bytes(&conf, bad[i], strlen(bad[i]), &svg) != -EINVAL)
			fail_msg("taken: %s", bad[i]);
		assert_string_equal(svg, "");
		free(svg);
	}
}

/* Frames under a tenth of a pixel are left out, and the reader is told how many. */
static void flame_narrow_frames_are_dropped_and_counted(void **state)
{
	char *svg = draw("m;big 1000000\nm;t1;t2 10\nm;t3 84\nm;wide 86\n");

	(void)state;
	assert_has(svg, "<!-- 7 frames, of which 3 narrower than 0.1 px are left out -->");
	assert_has(svg, "1,000,180 samples; 3 narrow frames left out; a test</text>");
	assert_lacks(svg, "<title>t1");
	assert_lacks(svg, "<title>t2");
	assert_lacks(svg, "<title>t3");
	assert_has(svg, "<title>wide\n");
	free(svg);
}

/* Functions keep their colour from picture to picture; stages, kernel and nameless frames stand
 * out. */
static void flame_colours_follow_the_name(void **state)
{
	char *one = draw("zb_stage_conn;tcp 5\nk_[k] 5\n[libc.so.6+0x12] 5\n");
	char *two = draw("a;b;tcp 1\n");
	char c1[8], c2[8], k[8], u[8], s[8];
	unsigned r, g, b;

	(void)state;
	fill_of(one, "tcp", c1);
	fill_of(two, "tcp", c2);
	assert_string_equal(c1, c2);
	fill_of(one, "zb_stage_conn", s);
	assert_int_equal(sscanf(s, "#%2x%2x%2x", &r, &g, &b), 3);
	assert_true(g > r && g > b);
	fill_of(one, "k_[k]", k);
	assert_int_equal(sscanf(k, "#%2x%2x%2x", &r, &g, &b), 3);
	assert_true(b > r && b > g);
	fill_of(one, "[libc.so.6+0x12]", u);
	assert_int_equal(sscanf(u, "#%2x%2x%2x", &r, &g, &b), 3);
	assert_true(r - b < 32);
	fill_of(one, "tcp", c1);
	assert_int_equal(sscanf(c1, "#%2x%2x%2x", &r, &g, &b), 3);
	assert_true(r > b + 64);
	free(one);
	free(two);
}

/* Below a stage the tooltip also says the share of that stage; the stage itself has no such share.
 */
static void flame_frame_in_a_stage_shows_its_share_of_it(void **state)
{
	char *svg = draw("w;zb_stage_flow;f 30\nw;zb_stage_flow;g;h 10\nw;zb_stage_rx 60\n");

	(void)state;
	assert_has(svg, "<title>f\n30 samples, 30.00 % of all, 75.00 % of zb_stage_flow<");
	assert_has(svg, "<title>h\n10 samples, 10.00 % of all, 25.00 % of zb_stage_flow<");
	assert_has(svg, "<title>zb_stage_flow\n40 samples, 40.00 % of all<");
	assert_has(svg, "<title>w\n100 samples, 100.00 % of all<");
	free(svg);
}

/* Bytes are also said in a unit that a person can read. */
static void flame_bytes_are_shown_in_mib_too(void **state)
{
	const struct zb_flame_conf c = {.title = "heap", .unit = "bytes"};
	static const char folded[] = "f 3145728\ng 524288\n";
	char *svg = NULL;

	(void)state;
	assert_int_equal(draw_bytes(&c, folded, strlen(folded), &svg), 0);
	assert_has(svg, "3,145,728 bytes (3 MiB)");
	assert_has(svg, "3,670,016 bytes (3.50 MiB)");
	free(svg);
}

/* Labels stay inside their frames: cut with two dots, or left out when there is no room for any. */
static void flame_labels_are_cut_to_their_frames(void **state)
{
	char *svg = draw("a_function_with_a_rather_long_name 10\nb 90\nc 900\n");

	(void)state;
	assert_has(svg, "<title>a_function_with_a_rather_long_name\n10 samples");
	assert_lacks(svg, ">a_..</text>"); /* 11.8 px hold no text */
	free(svg);
	svg = draw("a_function_with_a_rather_long_name 10\nb 90\n");
	assert_has(svg, ">a_function_wit..</text>"); /* 118 px: 16 columns */
	free(svg);
}

/* 127 frames, the depth of the sampler, and far more, are drawn. */
static void flame_deep_stacks_are_drawn(void **state)
{
	char folded[8192];
	size_t len = 0;
	char *svg;

	(void)state;
	for (int i = 0; i < 1000; i++)
		len += (size_t)snprintf(folded + len, sizeof(folded) - len, "%sf%d",
					i > 0 ? ";" : "", i);
	snprintf(folded + len, sizeof(folded) - len, " 3\n");
	svg = draw(folded);
	assert_int_equal(count(svg, "<g class=\"f\""), 1001);
	assert_has(svg, "data-d=\"1000\"><title>f999\n");
	assert_has(svg, "data-rows=\"1001\"");
	free(svg);
}

/* A stream that takes no more is an error, not half a picture that looks whole. */
static void flame_full_disk_is_an_error(void **state)
{
	FILE *in = fmemopen((void *)(uintptr_t) "a 1\n", 4, "r");
	FILE *out = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(in);
	assert_non_null(out);
	assert_int_equal(zb_flame_svg(&conf, in, out), -ENOSPC);
	fclose(out);
	fclose(in);
}

/* The script redraws with the same numbers with which the picture was drawn, and loads nothing. */
static void flame_script_agrees_with_the_drawing(void **state)
{
	char want[160];

	(void)state;
	snprintf(want, sizeof(want),
		 "const WIDTH = %d, MARGIN = %d, ROW = %d, TOP = %d, PAD = %d, MIN = %d, COLUMN = "
		 "%.1f;",
		 ZB_FLAME_WIDTH, ZB_FLAME_MARGIN, ZB_FLAME_ROW, ZB_FLAME_TOP, ZB_FLAME_TEXT_PAD,
		 ZB_FLAME_TEXT_MIN, ZB_FLAME_COLUMN_PX);
	assert_has(zb_flame_script, want);
	snprintf(want, sizeof(want), "const GAP = %.1f, GAP_MIN = %.0f;", ZB_FLAME_GAP_PX,
		 ZB_FLAME_GAP_MIN_PX);
	assert_has(zb_flame_script, want);
	assert_lacks(zb_flame_script, "]]>");
	assert_lacks(zb_flame_script, "fetch");
	assert_lacks(zb_flame_script, "import");
	assert_lacks(zb_flame_style, "url(");
	assert_lacks(zb_flame_style, "<");
}

/* The root stands on top, and the script is told. */
static void flame_icicle_has_the_root_on_top(void **state)
{
	const struct zb_flame_conf c = {.title = "t", .unit = "samples", .icicle = true};
	char *svg = NULL;

	(void)state;
	assert_int_equal(draw_bytes(&c, "a;b 1\n", 6, &svg), 0);
	assert_has(svg, " data-down=\"\"");
	assert_has(svg, "y=\"98\" width=\"1179.50\"");
	assert_has(svg, "<title>b\n1 samples, 100.00 % of all</title><rect x=\"10\" y=\"132\"");
	free(svg);
	svg = draw("a;b 1\n");
	assert_lacks(svg, "data-down=");
	free(svg);
}

/* The caller frees what changed from before to now. */
static char *draw_diff(const char *before, const char *now)
{
	FILE *a = fmemopen((void *)(uintptr_t)before, strlen(before), "r");
	FILE *b = fmemopen((void *)(uintptr_t)now, strlen(now), "r");
	char *svg = NULL;
	size_t size;
	FILE *out = open_memstream(&svg, &size);

	assert_true(a != NULL && b != NULL && out != NULL);
	assert_int_equal(zb_flame_diff_svg(&conf, a, b, out), 0);
	assert_int_equal(fclose(out), 0);
	fclose(a);
	fclose(b);
	return svg;
}

static unsigned channel(const char fill[8], unsigned nr)
{
	char hex[3] = {fill[1 + 2 * nr], fill[2 + 2 * nr], '\0'};

	return (unsigned)strtoul(hex, NULL, 16);
}

/* Shares are compared, not weights: red has a larger one, blue a smaller one, more is brighter. */
static void flame_diff_colours_follow_the_change_of_the_share(void **state)
{
	char *svg = draw_diff("all;grows 20\nall;grows_little 60\nall;same 60\nall;shrinks 60\n",
			      "all;grows 400\nall;grows_little 320\nall;new 1\nall;same 299\n"
			      "all;shrinks 30\n");
	char fill[5][8];

	(void)state;
	fill_of(svg, "grows", fill[0]);
	fill_of(svg, "grows_little", fill[1]);
	fill_of(svg, "same", fill[2]);
	fill_of(svg, "shrinks", fill[3]);
	fill_of(svg, "new", fill[4]);
	assert_true(channel(fill[0], 0) > channel(fill[0], 2) + 100);
	assert_true(channel(fill[1], 0) > channel(fill[1], 2));
	assert_true(channel(fill[1], 2) > channel(fill[0], 2) + 50);
	assert_true(channel(fill[3], 2) > channel(fill[3], 0) + 100);
	assert_true(channel(fill[4], 0) > channel(fill[4], 2));
	/* 320 of 1050 were 60 of 200: half a point, in a picture where 28 are the most. */
	assert_has(svg, "\n400 samples, 38.10 % of all; was 10.00 %: +28.10 points</title>");
	assert_has(svg, "\n30 samples, 2.86 % of all; was 30.00 %: -27.14 points</title>");
	assert_has(svg, "\n1 samples, 0.10 % of all; new</title>");
	assert_lacks(svg, "gone since");
	free(svg);
}

/* What is gone stands below with the share that it had; what it called goes with it. */
static void flame_diff_lists_what_is_gone(void **state)
{
	char *svg = draw_diff("main;old;deep 30\nmain;old 10\nmain;stays;leaf 5\nmain;stays 5\n",
			      "main;stays 7\n");

	(void)state;
	assert_has(svg, "gone since then");
	assert_has(svg, ">old  in main</text>");
	assert_has(svg, ">80.00 %</text>");
	assert_has(svg, ">leaf  in stays</text>");
	assert_has(svg, ">10.00 %</text>");
	assert_lacks(svg, ">deep");
	assert_true(strstr(svg, ">old ") < strstr(svg, ">leaf "));
	assert_has(svg, "<!-- 6 frames, of which 0 narrower");
	free(svg);
}

/* Nothing before, nothing now, and many gone: no division by zero, no list without end. */
static void flame_diff_extremes_are_drawn(void **state)
{
	char many[8192] = "x 1\n", *svg = draw_diff("\n", "a 1\n");
	size_t at = strlen(many);

	(void)state;
	assert_has(svg, "; new</title>");
	free(svg);
	svg = draw_diff("a 1\n", "\n");
	assert_has(svg, ">no samples</text>");
	free(svg);
	for (unsigned i = 0; i < 200; i++)
		at += (size_t)snprintf(many + at, sizeof(many) - at, "x;gone_%u %u\n", i, i + 1);
	svg = draw_diff(many, "x 1\n");
	assert_has(svg, "gone_199 ");
	assert_has(svg, ">gone_180 ");
	assert_lacks(svg, "gone_179 ");
	assert_has(svg, ">and 180 more</text>");
	free(svg);
}

static int draw_file(const char *folded, const char *path)
{
	FILE *in = fopen(folded, "r"), *out = fopen(path, "w");
	int ret = in != NULL && out != NULL ? zb_flame_svg(&conf, in, out) : -errno;

	if (out != NULL && fclose(out) != 0)
		ret = -errno;
	if (in != NULL)
		fclose(in);
	return ret == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flame_unsorted_stacks_are_merged_by_name),
		cmocka_unit_test(flame_reordered_lines_give_the_same_picture),
		cmocka_unit_test(flame_frames_are_as_wide_as_their_share),
		cmocka_unit_test(flame_hostile_names_are_escaped),
		cmocka_unit_test(flame_hostile_title_is_escaped),
		cmocka_unit_test(flame_empty_input_says_no_samples),
		cmocka_unit_test(flame_line_not_folded_is_refused),
		cmocka_unit_test(flame_narrow_frames_are_dropped_and_counted),
		cmocka_unit_test(flame_colours_follow_the_name),
		cmocka_unit_test(flame_frame_in_a_stage_shows_its_share_of_it),
		cmocka_unit_test(flame_bytes_are_shown_in_mib_too),
		cmocka_unit_test(flame_labels_are_cut_to_their_frames),
		cmocka_unit_test(flame_deep_stacks_are_drawn),
		cmocka_unit_test(flame_full_disk_is_an_error),
		cmocka_unit_test(flame_script_agrees_with_the_drawing),
		cmocka_unit_test(flame_icicle_has_the_root_on_top),
		cmocka_unit_test(flame_diff_colours_follow_the_change_of_the_share),
		cmocka_unit_test(flame_diff_lists_what_is_gone),
		cmocka_unit_test(flame_diff_extremes_are_drawn),
	};

	if (argc == 3)
		return draw_file(argv[1], argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

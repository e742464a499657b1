/* SPDX-License-Identifier: Apache-2.0 */
/* test_export.c - samples in the forms that other programs read */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "profiler/export.h"
#include "profiler/flame_priv.h"
#include "profiler/protobuf.h"

#define MS 1000000u

static struct zb_samples *s;

static uint32_t frame(uint64_t addr, uint32_t offset, const char *name, const char *module)
{
	struct zb_samples_frame f = {.addr = addr, .offset = offset, .module = ZB_SAMPLES_NONE};
	uint32_t out;

	assert_int_equal(zb_samples_string(s, name, &f.name), 0);
	if (module != NULL)
		assert_int_equal(zb_samples_string(s, module, &f.module), 0);
	assert_int_equal(zb_samples_frame(s, &f, &out), 0);
	return out;
}

static void sample(uint64_t ms, unsigned lane, unsigned state, uint32_t stack, uint64_t weight)
{
	struct zb_sample_at a = {
		.weight = weight, .lane = (uint16_t)lane, .state = (uint8_t)state, .stack = stack};

	assert_int_equal(zb_sample_times_add(&s->times, ms * MS, a), 0);
}

/* Two lanes, three stacks, ten milliseconds. */
static int make(void **state)
{
	struct zb_samples_lane lanes[] = {{2, 7, 71, "lcore-2"}, {-1, 7, 72, "x y"}};
	uint32_t f[4], number;

	(void)state;
	if (zb_samples_create(&s) < 0)
		return -1;
	strcpy(s->comm, "prog");
	s->period_ns = MS;
	s->start_unix_ns = 1000000000;
	s->duration_ns = 10 * MS;
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(zb_samples_lane(s, &lanes[i], &number), 0);
	f[0] = frame(0xffffffff81000010, 0x10, "do_idle", "[kernel]");
	f[1] = frame(0x401020, 0x20, "a;b \"c\"", "/bin/p q");
	f[2] = frame(0x401040, ZB_SAMPLES_NONE, "[p+0x40]", "/bin/p q");
	f[3] = frame(0, ZB_SAMPLES_NONE, "[stacks beyond the limit]", NULL);
	zb_samples_stack(s, f, 3, &number);
	zb_samples_stack(s, f + 1, 1, &number);
	zb_samples_stack(s, f + 3, 1, &number);
	sample(0, 0, ZB_CPU_ON, 0, 2);
	sample(0, 1, ZB_CPU_ON, 1, 1);
	sample(5, 0, ZB_CPU_ON, 0, 1);
	sample(5, 0, ZB_CPU_WAITING, 1, 250);
	sample(6, 1, ZB_CPU_PREEMPTED, 1, 50);
	sample(9, 1, ZB_CPU_ON, 2, 1);
	zb_sample_times_settle(&s->times);
	return 0;
}

static int drop(void **state)
{
	(void)state;
	zb_samples_destroy(s);
	return 0;
}

typedef int (*exporter)(const struct zb_samples *, const struct zb_samples_cut *, FILE *);

static void assert_text(exporter export, struct zb_samples_cut cut, const char *want)
{
	size_t len;
	char *text;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	assert_int_equal(export(s, &cut, f), 0);
	assert_int_equal(fclose(f), 0);
	assert_string_equal(text, want);
	free(text);
}

/* Folded stacks of all, of a range, of a lane, off the CPU, and with the threads' names. */
static void folded_is_of_what_was_cut(void **state)
{
	struct zb_samples_cut cut = ZB_CUT_ALL;

	(void)state;
	assert_text(zb_export_folded, cut,
		    "[p+0x40];a_b_\"c\";do_idle_[k] 3\n"
		    "[stacks_beyond_the_limit] 1\na_b_\"c\" 1\n");
	cut.to_ns = 8 * MS;
	cut.from_ns = 1 * MS;
	assert_text(zb_export_folded, cut, "[p+0x40];a_b_\"c\";do_idle_[k] 1\n");
	cut = ZB_CUT_ALL;
	cut.lane = 1;
	assert_text(zb_export_folded, cut, "[stacks_beyond_the_limit] 1\na_b_\"c\" 1\n");
	cut = ZB_CUT_ALL;
	cut.states = ZB_CUT_OFF;
	assert_text(zb_export_folded, cut, "[preempted];a_b_\"c\" 50\n[waiting];a_b_\"c\" 250\n");
	s->comm[0] = '\0';
	cut.lane = 1;
	cut.states = ZB_CUT_ON;
	assert_text(zb_export_folded, cut, "x_y;[stacks_beyond_the_limit] 1\nx_y;a_b_\"c\" 1\n");
}

/* Events in order of time, those of a column spread over it, modules without blanks. */
static void perf_is_as_perf_script_prints_it(void **state)
{
	struct zb_samples_cut cut = ZB_CUT_ALL;

	(void)state;
	cut.to_ns = 1 * MS;
	assert_text(zb_export_perf, cut,
		    "prog 7/71 [002]     0.000000:    1000000 cpu-clock: \n"
		    "\tffffffff81000010 do_idle+0x10 ([kernel.kallsyms])\n"
		    "\t          401020 a;b \"c\"+0x20 (/bin/p_q)\n"
		    "\t          401040 [unknown] (/bin/p_q)\n\n"
		    "prog 7/71 [002]     0.000416:    1000000 cpu-clock: \n"
		    "\tffffffff81000010 do_idle+0x10 ([kernel.kallsyms])\n"
		    "\t          401020 a;b \"c\"+0x20 (/bin/p_q)\n"
		    "\t          401040 [unknown] (/bin/p_q)\n\n"
		    "prog 7/72     0.000833:    1000000 cpu-clock: \n"
		    "\t          401020 a;b \"c\"+0x20 (/bin/p_q)\n\n");
	cut.to_ns = UINT64_MAX;
	cut.from_ns = 6 * MS - ZB_COLUMN_NS;
	cut.states |= ZB_CUT_OFF;
	s->comm[0] = '\0';
	assert_text(zb_export_perf, cut,
		    "lcore-2 7/71 [002]     0.005000:    1000000 cpu-clock: \n"
		    "\tffffffff81000010 do_idle+0x10 ([kernel.kallsyms])\n"
		    "\t          401020 a;b \"c\"+0x20 (/bin/p_q)\n"
		    "\t          401040 [unknown] (/bin/p_q)\n\n"
		    "lcore-2 7/71 [002]     0.005416:     250000 off-cpu-waiting: \n"
		    "\t          401020 a;b \"c\"+0x20 (/bin/p_q)\n\n"
		    "x y 7/72     0.005833:      50000 off-cpu-preempted: \n"
		    "\t          401020 a;b \"c\"+0x20 (/bin/p_q)\n\n"
		    "x y 7/72     0.008750:    1000000 cpu-clock: \n"
		    "\t               0 [stacks beyond the limit] ([unknown])\n\n");
}

/* A weight that would fill the disk is refused before anything is written. */
static void perf_absurd_weight_is_refused(void **state)
{
	struct zb_samples_cut cut = ZB_CUT_ALL;

	(void)state;
	sample(1, 0, ZB_CPU_ON, 0, UINT64_MAX / 2);
	sample(2, 0, ZB_CPU_ON, 0, UINT64_MAX / 2);
	zb_sample_times_settle(&s->times);
	assert_int_equal(zb_export_perf(s, &cut, stdout), -EFBIG);
}

static int speedscope(const struct zb_samples *samples, const struct zb_samples_cut *cut, FILE *out)
{
	return zb_export_speedscope(samples, cut, "n\"ame", out);
}

/* Stacks root first, a profile for each lane, equal stacks in a row as one. */
static void speedscope_is_one_profile_a_lane(void **state)
{
	(void)state;
	assert_text(speedscope, ZB_CUT_ALL,
		    "{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\","
		    "\"version\":\"0.0.1\",\"exporter\":\"zbench\",\"name\":\"n\\\"ame\","
		    "\"activeProfileIndex\":0,\n\"shared\":{\"frames\":[\n"
		    "{\"name\":\"do_idle\",\"file\":\"[kernel]\"},\n"
		    "{\"name\":\"a;b \\\"c\\\"\",\"file\":\"/bin/p q\"},\n"
		    "{\"name\":\"[p+0x40]\",\"file\":\"/bin/p q\"},\n"
		    "{\"name\":\"[stacks beyond the limit]\"}]},\n\"profiles\":[\n"
		    "{\"type\":\"sampled\",\"unit\":\"nanoseconds\",\"name\":\"lcore-2\","
		    "\"samples\":[\n[2,1,0]],\"weights\":[3000000],"
		    "\"startValue\":0,\"endValue\":3000000},\n"
		    "{\"type\":\"sampled\",\"unit\":\"nanoseconds\",\"name\":\"x y\","
		    "\"samples\":[\n[1],\n[3]],\"weights\":[1000000,1000000],"
		    "\"startValue\":0,\"endValue\":2000000}]}\n");
}

static int heatmap(const struct zb_samples *samples, const struct zb_samples_cut *cut, FILE *out)
{
	const struct zb_heatmap_conf conf = {.title = "a<b>",
					     .subtitle = "c&d",
					     .source = "</script>\"x"};

	(void)cut;
	return zb_export_heatmap(samples, &conf, out);
}

/* Names that a person gave cannot break out of the page, and no place is left unfilled. */
static void heatmap_page_is_whole_and_safe(void **state)
{
	struct zb_samples_cut cut = ZB_CUT_ALL;
	size_t len, ends = 0;
	char *text, want[64];
	FILE *f = open_memstream(&text, &len);

	(void)state;
	assert_int_equal(heatmap(s, &cut, f), 0);
	assert_int_equal(fclose(f), 0);
	assert_non_null(strstr(text, "<title>a&lt;b&gt;</title>"));
	assert_non_null(strstr(text, "c&amp;d"));
	assert_non_null(strstr(text, "SOURCE = \"\\u003c/script>\\\"x\""));
	assert_non_null(strstr(text, "FAMILIES = [[120, 50, 50, 62], "));
	for (const char *p = text; (p = strstr(p, "</script>")) != NULL; p++)
		ends++;
	assert_int_equal(ends, 3);
	for (const char *p = text; (p = strchr(p, '@')) != NULL; p++)
		assert_false(p[1] >= 'A' && p[1] <= 'Z');
	assert_true(len < 100000);
	/* It draws where the picture's own script expects frames. */
	snprintf(want, sizeof(want), "y: %d + (rows - 1 - at.depth) * %d,", ZB_FLAME_TOP,
		 ZB_FLAME_ROW);
	assert_non_null(strstr(text, want));
	free(text);
}

/* Numbers, strings and messages have the bytes that the encoding prescribes. */
static void protobuf_bytes_are_as_prescribed(void **state)
{
	static const uint8_t want[] = {
		0x08, 0x96, 0x01,				     /* 1: 150 */
		0x12, 0x07, 't',  'e',	's',  't',  'i',  'n',	'g', /* 2: text */
		0x1a, 0x03, 0x08, 0x96, 0x01,			     /* 3: {1: 150} */
		0x22, 0x04, 0x03, 0x8e, 0x02, 0x00,		     /* 4: packed */
		0x80, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0x01}; /* 16: 2^64 - 1 */
	struct zb_pb m = {0}, sub = {0};

	(void)state;
	zb_pb_number(&m, 1, 150);
	zb_pb_number(&m, 9, 0); /* the default is not written */
	zb_pb_string(&m, 2, "testing");
	zb_pb_number(&sub, 1, 150);
	zb_pb_message(&m, 3, &sub);
	assert_int_equal(sub.len, 0);
	zb_pb_packed(&sub, 3);
	zb_pb_packed(&sub, 270);
	zb_pb_packed(&sub, 0);
	zb_pb_message(&m, 4, &sub);
	zb_pb_number(&m, 16, UINT64_MAX);
	assert_false(m.failed);
	assert_int_equal(m.len, sizeof(want));
	assert_memory_equal(m.data, want, sizeof(want));
	zb_pb_fini(&sub);
	zb_pb_fini(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(folded_is_of_what_was_cut, make, drop),
		cmocka_unit_test_setup_teardown(perf_is_as_perf_script_prints_it, make, drop),
		cmocka_unit_test_setup_teardown(perf_absurd_weight_is_refused, make, drop),
		cmocka_unit_test_setup_teardown(speedscope_is_one_profile_a_lane, make, drop),
		cmocka_unit_test_setup_teardown(heatmap_page_is_whole_and_safe, make, drop),
		cmocka_unit_test(protobuf_bytes_are_as_prescribed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

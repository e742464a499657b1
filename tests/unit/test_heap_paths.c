/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_heap_paths.c - from the text of heap dumps to code paths, their table, and how they grow
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "profiler/demangle.h"
#include "profiler/heap_maps.h"
#include "profiler/heap_paths.h"

#define NOINLINE __attribute__((noinline, noclone))

/* Functions to have addresses of; jeprof takes newImpl for an allocator. */
void *NOINLINE path_holder(void *p);
void *NOINLINE path_caller(void *p);
void *NOINLINE path_root(void *p);
void *NOINLINE newImpl(void *p);

void *path_holder(void *p)
{
	return (char *)p + 1;
}

void *path_caller(void *p)
{
	return (char *)path_holder(p) + 2;
}

void *path_root(void *p)
{
	return (char *)path_caller(p) + 3;
}

void *newImpl(void *p)
{
	return (char *)p + 4;
}

static struct zb_symbols *syms;
static struct zb_heap_paths paths;

static int read_text(const char *text, struct zb_heap_dump_file *d)
{
	FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	int ret;

	assert_non_null(f);
	ret = zb_heap_dump_read(f, d);
	fclose(f);
	return ret;
}

struct line {
	const void *leaf, *caller, *root; /* NULL: none */
	unsigned mib;
};

/* A dump of stacks, each with an object that is surely sampled. */
static void add_dump(uint32_t number, const struct line *line, unsigned nr)
{
	char text[4096], *to = text;
	struct zb_heap_dump_file d;

	to += sprintf(to, "heap_v2/524288\n  t*: 1: 1 [0: 0]\n");
	for (unsigned i = 0; i < nr; i++) {
		const void *const ip[] = {line[i].leaf, line[i].caller, line[i].root};

		*to++ = '@';
		for (unsigned k = 0; k < 3; k++)
			if (ip[k] != NULL)
				to += sprintf(to, " %#" PRIxPTR, (uintptr_t)ip[k] + 4);
		to += sprintf(to, "\n  t*: 1: %" PRIu64 " [0: 0]\n", (uint64_t)line[i].mib << 20);
	}
	sprintf(to, "\nMAPPED_LIBRARIES:\n");
	assert_int_equal(read_text(text, &d), 0);
	assert_int_equal(zb_heap_paths_add(&paths, number, &d, syms), 0);
	zb_heap_dump_fini(&d);
}

static int set_up(void **state)
{
	(void)state;
	return zb_heap_paths_create(&paths);
}

static int tear_down(void **state)
{
	(void)state;
	zb_heap_paths_fini(&paths);
	return 0;
}

static const struct zb_heap_row *find(const struct zb_heap_row *row, uint32_t nr, const char *name)
{
	for (uint32_t i = 0; i < nr; i++)
		if (strcmp(row[i].name, name) == 0)
			return &row[i];
	return NULL;
}

/* A stack as it stands in the file, what was mapped, and where it breaks off. */
static void dump_is_read_as_it_stands(void **state)
{
	struct zb_heap_dump_file d;

	(void)state;
	assert_int_equal(read_text("heap_v2/1024\n  t*: 3: 48 [0: 0]\n  t0: 3: 48 [0: 0] a name\n"
				   "@ 0x10 0xfe\n  t*: 2: 2048 [9: 9]\n  t0: 2: 2048 [9: 9]\n"
				   "@\n  t*: 1: 16 [0: 0]\n@ 0x1\n  t*: 0: 0 [1: 1]\n"
				   "\nMAPPED_LIBRARIES:\n10-20 r-xp 0 0:0 0 /a\n",
				   &d),
			 0);
	assert_int_equal(d.rate, 1024);
	assert_int_equal(d.stack_nr, 2);
	assert_int_equal(d.stack[0].depth, 2);
	assert_int_equal(d.ip[1], 0xfe);
	assert_int_equal(d.stack[1].depth, 0);
	assert_int_equal(d.stack[1].bytes, 16);
	assert_true(fabs(zb_heap_dump_scale(&d, &d.stack[0]) - 1 / (1 - exp(-1))) < 1e-12);
	assert_string_equal(d.maps, "10-20 r-xp 0 0:0 0 /a\n");
	zb_heap_dump_fini(&d);
	assert_int_equal(read_text("heap_v2/1024\n@ 0x1\n  t*: 1: 2 [0: 0]\nwhat\n", &d), -EINVAL);
	assert_int_equal(d.line, 4);
	assert_null(d.stack);
}

/* Stacks deeper than what is kept lose their root end, and the next one is whole. */
static void dump_keeps_the_leaf_end_of_deep_stacks(void **state)
{
	char *text = malloc(16384), *to = text;
	struct zb_heap_dump_file d;

	(void)state;
	assert_non_null(text);
	to += sprintf(to, "heap_v2/1024\n@");
	for (unsigned i = 0; i < ZB_HEAP_DEPTH_MAX + 10; i++)
		to += sprintf(to, " 0x%x", i + 1);
	sprintf(to, "\n  t*: 1: 1 [0: 0]\n@ 0x77\n  t*: 1: 1 [0: 0]\nMAPPED_LIBRARIES:\n");
	assert_int_equal(read_text(text, &d), 0);
	assert_int_equal(d.stack[0].depth, ZB_HEAP_DEPTH_MAX);
	assert_int_equal(d.ip[d.stack[0].at + ZB_HEAP_DEPTH_MAX - 1], ZB_HEAP_DEPTH_MAX);
	assert_int_equal(d.ip[d.stack[1].at], 0x77);
	zb_heap_dump_fini(&d);
	free(text);
}

/* What stands before the allocator's entry is the allocator's; equal paths are one. */
static void paths_begin_above_the_allocator(void **state)
{
	const struct line line[] = {
		{(const void *)newImpl, (const void *)path_holder, (const void *)path_root, 64},
		{(const void *)path_holder, (const void *)path_root, NULL, 32},
		{(const void *)path_root, (const void *)newImpl, NULL, 16},
	};

	(void)state;
	add_dump(0, line, 3);
	assert_int_equal(zb_heap_paths_nr(&paths), 2);
	assert_string_equal(zb_heap_paths_name(&paths, 0, 0), "path_holder");
	assert_string_equal(zb_heap_paths_name(&paths, 0, 1), "path_root");
	assert_string_equal(zb_heap_paths_name(&paths, 1, 0), "[no stack]");
	assert_int_equal(paths.dump_nr, 1);
}

/* A function has what it asked for, and what those that it called did; recursion counts once. */
static void table_has_flat_and_cumulative_bytes(void **state)
{
	const struct line line[] = {
		{(const void *)path_holder, (const void *)path_caller, (const void *)path_root, 64},
		{(const void *)path_caller, (const void *)path_root, (const void *)path_root, 32},
		{(const void *)path_holder, (const void *)path_holder, (const void *)path_root, 16},
	};
	struct zb_heap_column held;
	struct zb_heap_row *row;
	uint32_t nr;
	double total;

	(void)state;
	add_dump(0, line, 3);
	assert_int_equal(zb_heap_column_create(&paths, &held), 0);
	zb_heap_column_add(&held, &paths, 0, 1, 1);
	assert_int_equal(zb_heap_table(&paths, held.bytes, &row, &nr, &total), 0);
	assert_int_equal(nr, 3);
	assert_int_equal((uint64_t)total >> 20, 112);
	assert_string_equal(row[0].name, "path_holder");
	assert_int_equal((uint64_t)row[0].flat >> 20, 80);
	assert_int_equal((uint64_t)row[0].cumulative >> 20, 80);
	assert_string_equal(row[1].name, "path_caller");
	assert_int_equal((uint64_t)row[1].flat >> 20, 32);
	assert_int_equal((uint64_t)row[1].cumulative >> 20, 96);
	assert_int_equal((uint64_t)find(row, nr, "path_root")->cumulative >> 20, 112);
	assert_true(find(row, nr, "path_root")->flat == 0);
	free(row);
	zb_heap_column_fini(&held);
}

/* What was added and what went, from a dump to another. */
static void column_of_a_difference_has_signs(void **state)
{
	const struct line before[] = {{(const void *)path_holder, NULL, NULL, 64},
				      {(const void *)path_caller, NULL, NULL, 64}};
	const struct line after[] = {{(const void *)path_caller, NULL, NULL, 96},
				     {(const void *)path_root, NULL, NULL, 16}};
	const int mib[] = {-64, 32, 16};
	struct zb_heap_column c;

	(void)state;
	add_dump(0, before, 2);
	add_dump(1, after, 2);
	assert_int_equal(zb_heap_column_create(&paths, &c), 0);
	zb_heap_column_add(&c, &paths, 1, 2, 1);
	zb_heap_column_add(&c, &paths, 0, 1, -1);
	assert_int_equal(c.nr, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(fabs(c.bytes[i] / (1 << 20) - mib[i]) < 1e-6);
		assert_true(fabs(c.objects[i] - (mib[i] == 32 ? 0 : mib[i] < 0 ? -1 : 1)) < 1e-6);
	}
	zb_heap_column_fini(&c);
}

/* A path that grows all the time, one that stays, and one that goes up and down; times are large.
 */
static void trends_tell_growth_from_noise(void **state)
{
	static const unsigned zigzag[] = {40, 10, 45, 5, 40, 10};
	double x[6];
	struct zb_heap_trend t[3];

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		const struct line line[] = {{(const void *)path_holder, NULL, NULL, 10 + 8 * i},
					    {(const void *)path_caller, NULL, NULL, 64},
					    {(const void *)path_root, NULL, NULL, zigzag[i]}};

		x[i] = 1795920045.0 + 2 * i;
		add_dump(i, line, 3);
	}
	assert_int_equal(zb_heap_paths_nr(&paths), 3);
	assert_int_equal(zb_heap_trends(&paths, x, t), 0);
	assert_true(fabs(t[0].slope / (1 << 20) - 4) < 1e-3);
	assert_true(t[0].fit > 0.9999);
	assert_true(fabs(t[0].first / (1 << 20) - 10) < 1e-3);
	assert_true(fabs(t[0].last / (1 << 20) - 50) < 1e-3);
	assert_true(fabs(t[1].slope) < 1);
	assert_true(t[2].fit < 0.3);
}

/* A path that is not in a dump held nothing then. */
static void trends_count_dumps_without_the_path(void **state)
{
	const double x[] = {0, 1, 2, 3};
	const struct line none[] = {{(const void *)path_caller, NULL, NULL, 1}};
	const struct line some[] = {{(const void *)path_caller, NULL, NULL, 1},
				    {(const void *)path_holder, NULL, NULL, 64}};
	struct zb_heap_trend t[2];

	(void)state;
	add_dump(0, none, 1);
	add_dump(1, none, 1);
	add_dump(2, some, 2);
	add_dump(3, some, 2);
	assert_int_equal(zb_heap_trends(&paths, x, t), 0);
	assert_true(fabs(t[1].slope / (1 << 20) - 0.4 * 64) < 1e-3);
	assert_true(fabs(t[1].fit - 0.8) < 1e-6);
}

/* Of what was mapped only plain files that are there remain, none over another. */
static void maps_are_cleaned(void **state)
{
	char dir[] = "/tmp/zb-test-maps-XXXXXX", file[64], fifo[64], text[2048], want[512];
	const char *binary[] = {file, NULL};
	struct zb_heap_maps_conf conf = {.written_s = UINT64_MAX};
	char *clean;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/prog", dir);
	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	f = fopen(file, "w");
	assert_non_null(f);
	fclose(f);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	snprintf(text, sizeof(text),
		 "1000-2000 r--p 00000000 08:01 12      %s\n"
		 "2000-3000 r-xp 00001000 08:01 12      %s (deleted)\n"
		 "2800-3800 r-xp 00001000 08:01 12      %s\n" /* over the one before */
		 "4000-5000 rw-p 00000000 00:00 0 \n"
		 "5000-6000 r-xp 00000000 08:01 13      %s\n"
		 "6000-7000 r-xp 00000000 08:01 14      /nonexistent/lib.so\n"
		 "9000-8000 r-xp 00000000 08:01 12      %s\n"
		 "ffffffffffffffffffff-8 r-xp 0 0:0 0 /x\nhello\n\n7fff-",
		 file, file, file, fifo, file);
	snprintf(want, sizeof(want),
		 "1000-2000 r--p 00000000 00:01 1  %s\n2000-3000 r-xp 00001000 00:01 1  %s\n", file,
		 file);
	assert_int_equal(zb_heap_maps_clean(text, &conf, &clean), 0);
	assert_string_equal(clean, want);
	assert_string_equal(conf.newer, "");
	free(clean);
	conf = (struct zb_heap_maps_conf){.binary = binary, .written_s = 1};
	assert_int_equal(
		zb_heap_maps_clean("1000-2000 r-xp 0 0:1 1 /nonexistent/prog\n", &conf, &clean), 0);
	snprintf(want, sizeof(want), "1000-2000 r-xp 00000000 00:01 1  %s\n", file);
	assert_string_equal(clean, want);
	free(clean);
	conf.binary = NULL;
	assert_int_equal(zb_heap_maps_clean(text, &conf, &clean), 0);
	assert_string_equal(conf.newer, file);
	free(clean);
	unlink(file);
	unlink(fifo);
	rmdir(dir);
}

/* Names of C++ as jeprof shortens them. */
static void names_are_short(void **state)
{
	static const char *const name[][2] = {
		{"zeek::Connection::Event(int, char const*)", "zeek::Connection::Event"},
		{"void std::vector<int, std::allocator<int> >::push_back(int const&)",
		 "std::vector::push_back"},
		{"(anonymous namespace)::f(int (*)(char)) const", "::f"},
		{"operator new(unsigned long)", "operator new"},
		{"plain", "plain"},
		{"a) b( <", "a) b( <"},
		{"", ""},
	};
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		strcpy(text, name[i][0]);
		zb_demangle_shorten(text);
		assert_string_equal(text, name[i][1]);
	}
	zb_demangle("main", text, sizeof(text));
	assert_string_equal(text, "main");
	zb_demangle("_Z", text, sizeof(text));
	assert_string_equal(text, "_Z");
	zb_demangle("a_name_that_is_cut", text, 7);
	assert_string_equal(text, "a_name");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dump_is_read_as_it_stands),
		cmocka_unit_test(dump_keeps_the_leaf_end_of_deep_stacks),
		cmocka_unit_test_setup_teardown(paths_begin_above_the_allocator, set_up, tear_down),
		cmocka_unit_test_setup_teardown(table_has_flat_and_cumulative_bytes, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(column_of_a_difference_has_signs, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(trends_tell_growth_from_noise, set_up, tear_down),
		cmocka_unit_test_setup_teardown(trends_count_dumps_without_the_path, set_up,
						tear_down),
		cmocka_unit_test(maps_are_cleaned),
		cmocka_unit_test(names_are_short),
	};
	int failed;

	if (zb_symbols_create(&syms) < 0)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	zb_symbols_destroy(syms);
	return failed;
}

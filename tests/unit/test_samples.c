/* SPDX-License-Identifier: Apache-2.0 */
/* test_samples.c - named stacks with their times: kept once, written, read, whatever the file is */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include "caught.h"
#include "profiler/samples.h"

static char path[64];

static int make_path(void **state)
{
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/zb-samples-XXXXXX");
	fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int drop_path(void **state)
{
	(void)state;
	return unlink(path);
}

static uint32_t frame(struct zb_samples *s, uint64_t addr, const char *name, const char *module)
{
	struct zb_samples_frame f = {.addr = addr, .module = ZB_SAMPLES_NONE, .offset = 16};
	uint32_t out;

	assert_int_equal(zb_samples_string(s, name, &f.name), 0);
	if (module != NULL)
		assert_int_equal(zb_samples_string(s, module, &f.module), 0);
	else
		f.offset = ZB_SAMPLES_NONE;
	assert_int_equal(zb_samples_frame(s, &f, &out), 0);
	return out;
}

static uint32_t stack(struct zb_samples *s, const uint32_t *frames, uint32_t depth)
{
	uint32_t out;

	assert_int_equal(zb_samples_stack(s, frames, depth, &out), 0);
	return out;
}

static struct zb_samples *example(void)
{
	struct zb_samples_lane lanes[] = {{.cpu = 2, .tid = 11, .comm = "lcore-2"},
					  {.cpu = -1, .pid = 10, .tid = 12, .comm = "a b"}};
	struct zb_samples_value v = {.slot = 3, .lane = 1, .v = {1, 2, 3, 4, 5, 6, true}};
	struct zb_samples *s;
	uint32_t number, f[3];

	assert_int_equal(zb_samples_create(&s), 0);
	s->start_unix_ns = 1700000000123456789u;
	s->duration_ns = 2000000000;
	s->period_ns = 10101010;
	strcpy(s->method, "perf cpu-clock");
	strcpy(s->comm, "zbench");
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(zb_samples_lane(s, &lanes[i], &number), 0);
	f[0] = frame(s, 0xffffffff81000010, "do_idle", "[kernel]");
	f[1] = frame(s, 0x401000, "std::map<int, char>::at", "/usr/bin/with space");
	f[2] = frame(s, 0x99, "[0x99]", NULL);
	stack(s, f, 3);
	stack(s, f + 1, 2);
	stack(s, f, 0);
	for (uint32_t i = 0; i < 100; i++) {
		struct zb_sample_at a = {.weight = 1 + i % 2,
					 .stack = i % 3,
					 .lane = (uint16_t)(i & 1),
					 .state = (uint8_t)(i % 5 == 0 ? ZB_CPU_WAITING
								       : ZB_CPU_ON)};

		assert_int_equal(zb_sample_times_add(&s->times, i * 20000000ull, a), 0);
	}
	assert_int_equal(zb_samples_value(s, &v), 0);
	zb_sample_times_settle(&s->times);
	return s;
}

/* What is there already has its number; a different frame of the same name has another. */
static void samples_equal_things_have_one_number(void **state)
{
	struct zb_samples *s = example();
	uint32_t a, b, two[2] = {1, 2};

	(void)state;
	assert_int_equal(frame(s, 0x99, "[0x99]", NULL), 2);
	assert_int_equal(frame(s, 0x98, "[0x99]", NULL), 3);
	assert_int_equal(stack(s, two, 2), 1);
	assert_int_equal(stack(s, two, 0), 2);
	assert_int_equal(stack(s, two, 1), 3);
	assert_int_equal(zb_samples_string(s, "do_idle", &a), 0);
	assert_int_equal(zb_samples_string(s, "do_idl", &b), 0);
	assert_int_not_equal(a, b);
	for (uint32_t i = 0; i < 5000; i++)
		assert_int_equal(frame(s, i, "many", NULL), 4 + i);
	assert_int_equal(frame(s, 4321, "many", NULL), 4 + 4321);
	zb_samples_destroy(s);
}

/* What was written is read as it was. */
static void samples_file_comes_back_as_it_was(void **state)
{
	struct zb_samples *a = example(), *b;

	(void)state;
	assert_int_equal(zb_samples_write(a, path), 0);
	assert_int_equal(zb_samples_read(path, &b), 0);
	assert_int_equal(b->start_unix_ns, a->start_unix_ns);
	assert_int_equal(b->duration_ns, a->duration_ns);
	assert_int_equal(b->period_ns, a->period_ns);
	assert_string_equal(b->method, a->method);
	assert_string_equal(b->comm, a->comm);
	assert_int_equal(b->lane_nr, 2);
	assert_int_equal(b->lane[1].cpu, -1);
	assert_int_equal(b->lane[1].pid, 10);
	assert_int_equal(b->lane[1].tid, 12);
	assert_string_equal(b->lane[1].comm, "a b");
	assert_int_equal(b->frame_nr, a->frame_nr);
	assert_int_equal(b->frame[0].addr, 0xffffffff81000010);
	assert_true(zb_samples_is_kernel(&b->frame[0]));
	assert_int_equal(b->frame[1].offset, 16);
	assert_string_equal(b->string[b->frame[1].name], "std::map<int, char>::at");
	assert_string_equal(b->string[b->frame[1].module], "/usr/bin/with space");
	assert_int_equal(b->frame[2].module, ZB_SAMPLES_NONE);
	assert_int_equal(b->frame[2].offset, ZB_SAMPLES_NONE);
	assert_int_equal(b->stack_nr, a->stack_nr);
	assert_int_equal(b->stack[2].depth, 0);
	assert_memory_equal(b->stack_frame, a->stack_frame,
			    a->stack_frame_nr * sizeof(*a->stack_frame));
	assert_int_equal(b->times.column_ns, a->times.column_ns);
	assert_int_equal(b->times.nr, a->times.nr);
	for (uint32_t i = 0; i < a->times.nr; i++) {
		const struct zb_sample_at *x = &a->times.at[i], *y = &b->times.at[i];

		assert_true(x->column == y->column && x->lane == y->lane && x->state == y->state &&
			    x->stack == y->stack && x->weight == y->weight);
	}
	assert_int_equal(b->value_nr, 1);
	assert_int_equal(b->value[0].slot, 3);
	assert_int_equal(b->value[0].v.state_bytes, 6);
	zb_samples_destroy(a);
	zb_samples_destroy(b);
}

static void write_text(const char *text)
{
	gzFile f = gzopen(path, "wb");

	assert_non_null(f);
	gzputs(f, text);
	assert_int_equal(gzclose(f), Z_OK);
}

/* The file with text in it is refused in one line that has word. */
static void assert_refused(const char *text, const char *word)
{
	struct zb_samples *s = NULL;
	struct caught err;
	int ret;

	write_text(text);
	catch_fd(&err, STDERR_FILENO);
	ret = zb_samples_read(path, &s);
	release_fd(&err);
	assert_int_equal(ret, -EINVAL);
	assert_non_null(strstr(err.text, word));
	assert_ptr_equal(strchr(err.text, '\n'), err.text + strlen(err.text) - 1);
	assert_null(s);
}

#define HEAD "zbench-samples 1\nl 0 1 1 x\nf 1 - - a\ns 0\n"

static void samples_bad_files_are_refused_in_one_line(void **state)
{
	(void)state;
	assert_refused("", "line 0: cut off");
	assert_refused("hello\n", "line 1: not a file of samples");
	assert_refused("zbench-samples 2\n", "another version");
	assert_refused(HEAD "t 0 0 0 0\n", "cut off");
	assert_refused(HEAD "t 0 0 0 0", "cut off");
	assert_refused(HEAD "t 0 1 0 0\nend\n", "unknown lane");
	assert_refused(HEAD "t 0 0 0 1\nend\n", "unknown stack");
	assert_refused(HEAD "t 0 0 3 0\nend\n", "no samples");
	assert_refused(HEAD "t 0 0 0\nend\n", "no samples");
	assert_refused(HEAD "t 0 0 0 0*\nend\n", "without weight");
	assert_refused(HEAD "t 0 0 0 99999999999999999999\nend\n", "unknown stack");
	assert_refused(HEAD "s 1\nend\n", "unknown frames");
	assert_refused(HEAD "s x\nend\n", "unknown frames");
	assert_refused(HEAD "f 1 0 - a\nend\n", "unknown module");
	assert_refused(HEAD "f g 0 - a\nend\n", "no frame");
	assert_refused(HEAD "f 1 - -\nend\n", "no frame");
	assert_refused(HEAD "column 0\nend\n", "width");
	assert_refused(HEAD "t 0 0 0 0\ncolumn 5\nend\n", "width");
	assert_refused(HEAD "column 4000000000000000000\nt 1 0 0 0\nt 9 0 0 0\nend\n",
		       "end of time");
	assert_refused(HEAD "v 1 0 1 2 3\nend\n", "no value");
	assert_refused(HEAD "v 1 1 1 2 3 4 5 6\nend\n", "unknown lane");
	assert_refused(HEAD "what\nend\n", "not a line");
	assert_refused(HEAD "\nend\n", "not a line");
}

/* Any byte may be another one, any end too early: the reader says no or reads something sane. */
static void samples_damaged_files_are_survived(void **state)
{
	struct zb_samples *a = example(), *b;
	struct caught err;
	char text[16384];
	gzFile f;
	int len;

	(void)state;
	assert_int_equal(zb_samples_write(a, path), 0);
	f = gzopen(path, "rb");
	len = gzread(f, text, sizeof(text));
	assert_true(len > 1000 && len < (int)sizeof(text));
	gzclose(f);
	srand(1);
	for (int i = 0; i < 400; i++) {
		char was[3];
		int at[3];

		for (int j = 0; j < 3; j++) {
			at[j] = rand() % len;
			was[j] = text[at[j]];
			text[at[j]] = "0123456789 -*\nflmstv\xff"[rand() % 21];
		}
		f = gzopen(path, "wb1");
		assert_int_equal(gzwrite(f, text, (unsigned)len), len);
		gzclose(f);
		catch_fd(&err, STDERR_FILENO);
		if (zb_samples_read(path, &b) == 0)
			zb_samples_destroy(b);
		release_fd(&err);
		for (int j = 2; j >= 0; j--)
			text[at[j]] = was[j];
	}
	zb_samples_destroy(a);
}

/* A full disk is an error, not a file that looks complete. */
static void samples_full_disk_is_an_error(void **state)
{
	struct zb_samples *s = example();
	struct caught err;
	int ret;

	(void)state;
	if (access("/dev/full", W_OK) != 0)
		skip();
	catch_fd(&err, STDERR_FILENO);
	ret = zb_samples_write(s, "/dev/full");
	release_fd(&err);
	assert_int_equal(ret, -ENOSPC);
	assert_non_null(strstr(err.text, "/dev/full: No space left on device"));
	zb_samples_destroy(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_equal_things_have_one_number),
		cmocka_unit_test_setup_teardown(samples_file_comes_back_as_it_was, make_path,
						drop_path),
		cmocka_unit_test_setup_teardown(samples_bad_files_are_refused_in_one_line,
						make_path, drop_path),
		cmocka_unit_test_setup_teardown(samples_damaged_files_are_survived, make_path,
						drop_path),
		cmocka_unit_test(samples_full_disk_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

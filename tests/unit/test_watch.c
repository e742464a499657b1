/* SPDX-License-Identifier: Apache-2.0 */
/* test_watch.c - maps, processes, threads and stacks of a watch, with events made here */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "profiler/watch_priv.h"

static void add(struct zb_watch_maps *m, uint64_t from, uint64_t to, uint32_t file)
{
	struct zb_watch_map map = {.from = from, .to = to, .file_off = from, .file = file};

	assert_int_equal(zb_watch_maps_add(m, &map), 0);
}

/* "10-20:1 30-40:2", with :FILE@OFFSET where the offset is not the address. */
static const char *text(const struct zb_watch_maps *m)
{
	static char buf[512];
	size_t at = 0;

	buf[0] = '\0';
	for (uint32_t i = 0; i < m->nr; i++)
		at += (size_t)snprintf(buf + at, sizeof(buf) - at,
				       "%s%" PRIx64 "-%" PRIx64 ":%" PRIu32, i > 0 ? " " : "",
				       m->map[i].from, m->map[i].to, m->map[i].file);
	for (uint32_t i = 0; i < m->nr; i++)
		assert_int_equal(m->map[i].file_off, m->map[i].from);
	return buf;
}

/* A new map takes the place of what was there, of parts too, and offsets move with them. */
static void maps_new_one_takes_the_place_of_old_ones(void **state)
{
	struct zb_watch_maps m = {0};

	(void)state;
	add(&m, 0x10, 0x20, 1);
	add(&m, 0x30, 0x40, 2);
	assert_string_equal(text(&m), "10-20:1 30-40:2");
	add(&m, 0x18, 0x38, 3); /* over the ends of both */
	assert_string_equal(text(&m), "10-18:1 18-38:3 38-40:2");
	add(&m, 0x20, 0x22, 4); /* within one */
	assert_string_equal(text(&m), "10-18:1 18-20:3 20-22:4 22-38:3 38-40:2");
	add(&m, 0x10, 0x40, 5); /* over all */
	assert_string_equal(text(&m), "10-40:5");
	add(&m, 0x20, 0x30, ZB_WATCH_FILE_NONE); /* of no file */
	assert_string_equal(text(&m), "10-20:5 30-40:5");
	add(&m, 0x50, 0x50, 6);
	assert_string_equal(text(&m), "10-20:5 30-40:5");
	assert_null(zb_watch_maps_find(&m, 0xf));
	assert_int_equal(zb_watch_maps_find(&m, 0x10)->to, 0x20);
	assert_null(zb_watch_maps_find(&m, 0x20));
	assert_int_equal(zb_watch_maps_find(&m, 0x3f)->from, 0x30);
	assert_null(zb_watch_maps_find(&m, 0x40));
	zb_watch_maps_fini(&m);
}

/* However they come, maps are sorted, do not overlap, and answer as a plain table of pages does. */
static void maps_random_ones_answer_as_a_table_of_pages(void **state)
{
	uint32_t page[256];
	struct zb_watch_maps m = {0};
	uint64_t x = 7;

	(void)state;
	memset(page, 0xff, sizeof(page));
	for (uint32_t i = 0; i < 20000; i++) {
		uint64_t from, to;

		x = x * 6364136223846793005u + 1442695040888963407u;
		from = (x >> 40) % 256;
		to = from + (x >> 50) % 24;
		to = to < 256 ? to : 256;
		add(&m, from, to, x >> 62 != 0 ? i : ZB_WATCH_FILE_NONE);
		for (uint64_t p = from; p < to; p++)
			page[p] = x >> 62 != 0 ? i : ZB_WATCH_FILE_NONE;
		for (uint64_t p = 0; p < 256; p += 1 + (x >> 61)) {
			const struct zb_watch_map *at = zb_watch_maps_find(&m, p);

			assert_int_equal(at != NULL ? at->file : ZB_WATCH_FILE_NONE, page[p]);
		}
	}
	for (uint32_t i = 1; i < m.nr; i++)
		assert_true(m.map[i - 1].to <= m.map[i].from);
	zb_watch_maps_fini(&m);
}

struct bed {
	struct zb_watch_people people;
	struct zb_samples *samples;
};

static struct bed *new_bed(void)
{
	struct bed *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	assert_int_equal(zb_watch_people_init(&b->people, -1, false), 0);
	assert_int_equal(zb_samples_create(&b->samples), 0);
	return b;
}

static void free_bed(struct bed *b)
{
	zb_watch_people_fini(&b->people);
	zb_samples_destroy(b->samples);
	free(b);
}

static void task(struct bed *b, struct zb_task_event e)
{
	assert_int_equal(zb_watch_task(&b->people, &e), 0);
}

static __attribute__((noinline)) void some_function(void)
{
	__asm__ volatile("");
}

/* The name of the leaf of a sample of one address. */
static const char *leaf_name(struct bed *b, uint32_t pid, uint64_t ip)
{
	struct zb_sample s = {.pid = pid, .tid = pid, .user = {.chain = &ip, .depth = 1}};
	const struct zb_samples *all = b->samples;
	uint32_t stack;

	assert_int_equal(zb_watch_stack(&b->people, b->samples, &s, &stack), 0);
	assert_int_equal(all->stack[stack].depth, 1);
	return all->string[all->frame[all->stack_frame[all->stack[stack].at]].name];
}

static const struct zb_watch_map *own_map(struct bed *b, uint64_t ip)
{
	return zb_watch_maps_find(&zb_watch_process_of(&b->people, (uint32_t)getpid())->maps, ip);
}

/* A process that nobody spoke of is looked at; its functions have names. */
static void stack_of_a_running_process_has_names(void **state)
{
	struct bed *b = new_bed();

	(void)state;
	assert_string_equal(leaf_name(b, (uint32_t)getpid(), (uint64_t)some_function),
			    "some_function");
	assert_string_equal(leaf_name(b, (uint32_t)getpid(), 0x10), "[unknown]");
	free_bed(b);
}

/* A sorted table has the same names as libdwfl's way through all of it. */
static void names_of_a_file_are_those_of_the_process(void **state)
{
	uint64_t from = (uint64_t)some_function & ~0xfffull, named = 0;
	struct zb_symbols *syms;
	struct bed *b = new_bed();

	(void)state;
	assert_int_equal(zb_symbols_create(&syms), 0);
	for (uint64_t ip = from; ip < from + 4096; ip += 3) {
		bool resolved;
		const char *want = zb_symbols_name(syms, ip, false, &resolved);

		/* Names of what fills the gaps between functions are a matter of taste. */
		if (!resolved || strcmp(want, leaf_name(b, (uint32_t)getpid(), ip)) == 0)
			named += resolved;
		else
			assert_true(strstr(leaf_name(b, (uint32_t)getpid(), ip), "+0x") != NULL ||
				    want[0] == '_');
	}
	assert_true(named > 500);
	zb_symbols_destroy(syms);
	free_bed(b);
}

/*
 * Names of a process that is only known from what was said of it: it maps a file, begets another,
 * which runs something else; and numbers are used again.
 */
static void stack_of_a_process_follows_what_it_says(void **state)
{
	struct bed *b = new_bed();
	const struct zb_watch_map *m = own_map(b, (uint64_t)some_function);
	const char *path = b->people.files.file[m->file].path;
	/* Numbers that no process can have. */
	const uint32_t parent = 1u << 23, child = parent + 1;
	const uint64_t base = 0x7000000000, ip = base + ((uint64_t)some_function - m->from);
	const struct zb_task_event maps = {.type = PERF_RECORD_MMAP2,
					   .pid = parent,
					   .tid = parent,
					   .addr = base,
					   .bytes = m->to - m->from,
					   .file_off = m->file_off,
					   .text = path};

	(void)state;
	assert_string_equal(leaf_name(b, parent, ip), "[unknown]");
	task(b, maps);
	assert_string_equal(leaf_name(b, parent, ip), "some_function");
	task(b, (struct zb_task_event){.type = PERF_RECORD_FORK,
				       .pid = child,
				       .tid = child,
				       .ppid = parent,
				       .ptid = parent});
	assert_string_equal(leaf_name(b, child, ip), "some_function");
	task(b, (struct zb_task_event){.type = PERF_RECORD_COMM,
				       .pid = child,
				       .tid = child,
				       .text = "other",
				       .is_exec = true});
	assert_string_equal(leaf_name(b, child, ip), "[unknown]");
	assert_string_equal(leaf_name(b, parent, ip), "some_function");
	task(b, (struct zb_task_event){.type = PERF_RECORD_EXIT, .pid = parent, .tid = parent});
	assert_string_equal(leaf_name(b, parent, ip), "[unknown]");
	free_bed(b);
}

static uint32_t lane_of(struct bed *b, uint32_t tid)
{
	uint32_t lane;

	assert_int_equal(zb_watch_lane(&b->people, b->samples,
				       zb_watch_thread_of(&b->people, tid, tid), &lane),
			 0);
	return lane;
}

/* A thread's lane has its name; another program is another lane, and so is its successor. */
static void lane_goes_by_thread_and_program(void **state)
{
	const uint32_t tid = 1u << 23;
	struct bed *b = new_bed();
	uint32_t first, second;

	(void)state;
	task(b, (struct zb_task_event){
			.type = PERF_RECORD_COMM, .pid = tid, .tid = tid, .text = "one"});
	first = lane_of(b, tid);
	assert_string_equal(b->samples->lane[first].comm, "one");
	assert_int_equal(lane_of(b, tid), first);
	task(b, (struct zb_task_event){
			.type = PERF_RECORD_COMM, .pid = tid, .tid = tid, .text = "two"});
	second = lane_of(b, tid);
	assert_int_not_equal(second, first);
	assert_string_equal(b->samples->lane[second].comm, "two");
	task(b, (struct zb_task_event){.type = PERF_RECORD_FORK,
				       .pid = tid,
				       .tid = tid + 1,
				       .ppid = tid,
				       .ptid = tid});
	assert_string_equal(b->samples->lane[lane_of(b, tid + 1)].comm, "two");
	task(b, (struct zb_task_event){.type = PERF_RECORD_EXIT, .pid = tid, .tid = tid});
	assert_int_not_equal(lane_of(b, tid), second);
	assert_string_equal(b->samples->lane[lane_of(b, tid)].comm, ":8388608");
	free_bed(b);
}

/* A machine that begins processes for ever: memory stays, and threads of a name share lanes. */
static void people_without_end_are_bounded(void **state)
{
	struct bed *b = new_bed();
	const uint32_t base = 1u << 23;

	(void)state;
	for (uint32_t i = 0; i < 3 * ZB_WATCH_THREADS; i++) {
		task(b, (struct zb_task_event){.type = PERF_RECORD_COMM,
					       .pid = base + i,
					       .tid = base + i,
					       .text = i % 2 ? "odd" : "even",
					       .is_exec = true});
		lane_of(b, base + i);
	}
	assert_true(b->samples->lane_nr < ZB_SAMPLES_LANES_MAX);
	assert_int_equal(b->people.thread_nr, ZB_WATCH_THREADS);
	assert_int_equal(b->people.process_nr, ZB_WATCH_PROCESSES);
	assert_int_equal(lane_of(b, base + 3 * ZB_WATCH_THREADS - 1),
			 lane_of(b, base + 3 * ZB_WATCH_THREADS - 3));
	free_bed(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_new_one_takes_the_place_of_old_ones),
		cmocka_unit_test(maps_random_ones_answer_as_a_table_of_pages),
		cmocka_unit_test(stack_of_a_running_process_has_names),
		cmocka_unit_test(names_of_a_file_are_those_of_the_process),
		cmocka_unit_test(stack_of_a_process_follows_what_it_says),
		cmocka_unit_test(lane_goes_by_thread_and_program),
		cmocka_unit_test(people_without_end_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

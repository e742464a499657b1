/* SPDX-License-Identifier: Apache-2.0 */
/* test_perf_rings.c - many rings in the order of time, and what they say of processes */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "profiler/sampler_priv.h"

#define RING_BYTES 4096u
#define RINGS	   3u

struct fake {
	struct perf_event_mmap_page page;
	uint64_t data[RING_BYTES / 8];
	struct zb_perf_ring ring;
};

static struct fake fakes[RINGS];
static struct zb_perf_ring *rings[RINGS];

/* What was taken, as letters: s sample, m map, c comm, f fork, x exit. */
struct seen {
	struct zb_sample_sink sink;
	char kinds[64];
	uint64_t time_ns[64];
	uint32_t ring[64], nr;
	struct zb_task_event task; /* the last one */
	char text[64];
};

static void note(struct seen *s, char kind, uint64_t time_ns)
{
	if (s->nr == 63)
		return;
	s->kinds[s->nr] = kind;
	s->ring[s->nr] = s->sink.ring;
	s->time_ns[s->nr++] = time_ns;
}

static void on_sample(struct zb_sample_sink *sink, const struct zb_sample *sample)
{
	note((struct seen *)sink, 's', sample->time_ns);
}

static void on_task(struct zb_sample_sink *sink, const struct zb_task_event *e)
{
	struct seen *s = (struct seen *)sink;

	s->task = *e;
	if (e->text != NULL)
		strncpy(s->text, e->text, sizeof(s->text) - 1);
	note(s,
	     e->type == PERF_RECORD_MMAP2  ? 'm'
	     : e->type == PERF_RECORD_COMM ? 'c'
	     : e->type == PERF_RECORD_FORK ? 'f'
					   : 'x',
	     e->time_ns);
}

static struct seen *new_seen(void)
{
	struct seen *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->sink.sample = on_sample;
	s->sink.task = on_task;
	memset(fakes, 0, sizeof(fakes));
	for (uint32_t i = 0; i < RINGS; i++) {
		fakes[i].ring = (struct zb_perf_ring){.page = &fakes[i].page,
						      .data = (const uint8_t *)fakes[i].data,
						      .data_bytes = RING_BYTES};
		rings[i] = &fakes[i].ring;
	}
	return s;
}

static void put(uint32_t ring, uint16_t type, uint16_t misc, const uint64_t *words, size_t nr)
{
	struct perf_event_header h = {.type = type, .misc = misc, .size = (uint16_t)((nr + 1) * 8)};
	struct fake *f = &fakes[ring];
	uint64_t word;

	memcpy(&word, &h, sizeof(word));
	for (size_t i = 0; i <= nr; i++) {
		f->data[f->page.data_head / 8 % (RING_BYTES / 8)] = i == 0 ? word : words[i - 1];
		f->page.data_head += 8;
	}
}

static void put_sample(uint32_t ring, uint64_t time_ns)
{
	put(ring, PERF_RECORD_SAMPLE, 0, (const uint64_t[]){0x10, 7, time_ns, 1, 0x10}, 5);
}

static void put_fork(uint32_t ring, uint64_t time_ns)
{
	put(ring, PERF_RECORD_FORK, 0,
	    (const uint64_t[]){8ull | 7ull << 32, 9ull | 7ull << 32, time_ns, 0, time_ns}, 5);
}

/* Records come in the order of their time, whichever ring they stand in. */
static void rings_are_read_in_order_of_time(void **state)
{
	struct seen *s = new_seen();

	(void)state;
	put_sample(0, 10);
	put_sample(0, 40);
	put_fork(1, 20);
	put_sample(1, 50);
	put_sample(2, 30);
	put_sample(2, 31);
	zb_perf_rings_drain(rings, RINGS, UINT64_MAX, &s->sink);
	assert_string_equal(s->kinds, "sfssss");
	for (uint32_t i = 1; i < s->nr; i++)
		assert_true(s->time_ns[i - 1] < s->time_ns[i]);
	assert_int_equal(s->ring[0], 0);
	assert_int_equal(s->ring[1], 1);
	assert_int_equal(s->ring[2], 2);
	for (uint32_t i = 0; i < RINGS; i++)
		assert_int_equal(fakes[i].page.data_tail, fakes[i].page.data_head);
	free(s);
}

/* What is later than asked for stays where it is, and comes the next time. */
static void rings_keep_what_is_later(void **state)
{
	struct seen *s = new_seen();

	(void)state;
	put_sample(0, 10);
	put_sample(0, 20);
	put_sample(1, 19);
	zb_perf_rings_drain(rings, RINGS, 20, &s->sink);
	assert_int_equal(s->nr, 2);
	assert_int_not_equal(fakes[0].page.data_tail, fakes[0].page.data_head);
	put_sample(2, 15); /* late, but not lost */
	zb_perf_rings_drain(rings, RINGS, 21, &s->sink);
	assert_int_equal(s->nr, 4);
	assert_int_equal(s->time_ns[2], 15);
	assert_int_equal(s->sink.lost, 0);
	free(s);
}

/* Records that wrap, at every seam, many times around. */
static void rings_wrap(void **state)
{
	struct seen *s = new_seen();

	(void)state;
	for (uint64_t i = 1; i < 2000; i++) {
		s->nr = 0;
		put_sample((uint32_t)i % RINGS, 3 * i);
		put_fork((uint32_t)(i + 1) % RINGS, 3 * i + 1);
		zb_perf_rings_drain(rings, RINGS, UINT64_MAX, &s->sink);
		assert_int_equal(s->nr, 2);
		assert_int_equal(s->time_ns[0], 3 * i);
		assert_int_equal(s->time_ns[1], 3 * i + 1);
	}
	assert_int_equal(s->sink.lost, 0);
	free(s);
}

/* The fields of each record of a process, and a program that is run anew. */
static void task_records_are_understood(void **state)
{
	struct seen *s = new_seen();
	uint64_t path[2] = {0};

	(void)state;
	memcpy(path, "/usr/bin/x", 11);
	put(0, PERF_RECORD_MMAP2, 0,
	    (const uint64_t[]){7ull | 8ull << 32, 0x1000, 0x2000, 0x3000, 0, 99, 0, 5, path[0],
			       path[1], 0, 44},
	    12);
	zb_perf_rings_drain(rings, RINGS, UINT64_MAX, &s->sink);
	assert_string_equal(s->kinds, "m");
	assert_string_equal(s->text, "/usr/bin/x");
	assert_int_equal(s->task.pid, 7);
	assert_int_equal(s->task.tid, 8);
	assert_int_equal(s->task.addr, 0x1000);
	assert_int_equal(s->task.bytes, 0x2000);
	assert_int_equal(s->task.file_off, 0x3000);
	assert_int_equal(s->task.inode, 99);
	assert_int_equal(s->task.time_ns, 44);
	put(0, PERF_RECORD_COMM, PERF_RECORD_MISC_COMM_EXEC,
	    (const uint64_t[]){7ull | 8ull << 32, 'y', 0, 45}, 4);
	zb_perf_rings_drain(rings, RINGS, UINT64_MAX, &s->sink);
	assert_string_equal(s->text, "y");
	assert_true(s->task.is_exec);
	put_fork(0, 46);
	zb_perf_rings_drain(rings, RINGS, UINT64_MAX, &s->sink);
	assert_int_equal(s->task.pid, 8);
	assert_int_equal(s->task.ppid, 7);
	assert_int_equal(s->task.tid, 9);
	assert_int_equal(s->task.ptid, 7);
	free(s);
}

/* A text without an end, and records that are cut off, are passed over. */
static void task_records_that_are_cut_are_not_taken(void **state)
{
	struct seen *s = new_seen();
	uint64_t words[13];

	(void)state;
	memset(words, 'x', sizeof(words));
	for (size_t nr = 0; nr <= 13; nr++) {
		put(0, PERF_RECORD_MMAP2, 0, words, nr);
		put(1, PERF_RECORD_COMM, 0, words, nr);
		if (nr < 5)
			put(2, PERF_RECORD_FORK, 0, words, nr);
		zb_perf_rings_drain(rings, RINGS, UINT64_MAX, &s->sink);
		assert_int_equal(s->nr, 0);
	}
	free(s);
}

/* Whatever stands in the rings, reading it ends, and takes all of it. */
static void rings_of_noise_are_survived(void **state)
{
	struct seen *s = new_seen();
	uint64_t x = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		for (uint32_t i = 0; i < RINGS; i++) {
			x = x * 6364136223846793005u + 1442695040888963407u;
			for (size_t k = 0; k < RING_BYTES / 8; k += 1 + (x >> 60))
				fakes[i].data[k] = k % 3 == 0 ? (x >> 8 & 0x1f) | (x >> 20 & 0x7f)
											  << 48
							      : x * k;
			fakes[i].page.data_head =
				fakes[i].page.data_tail + (x >> 40) % (RING_BYTES / 8) * 8;
		}
		zb_perf_rings_drain(rings, RINGS, UINT64_MAX, &s->sink);
		for (uint32_t i = 0; i < RINGS; i++)
			assert_true(fakes[i].page.data_tail == fakes[i].page.data_head ||
				    fakes[i].ring.next_ns == UINT64_MAX);
	}
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rings_are_read_in_order_of_time),
		cmocka_unit_test(rings_keep_what_is_later),
		cmocka_unit_test(rings_wrap),
		cmocka_unit_test(task_records_are_understood),
		cmocka_unit_test(task_records_that_are_cut_are_not_taken),
		cmocka_unit_test(rings_of_noise_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

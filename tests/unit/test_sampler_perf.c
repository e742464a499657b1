/* SPDX-License-Identifier: Apache-2.0 */
/* test_sampler_perf.c - the perf_event ring with known records */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "profiler/sampler_priv.h"

/* A ring in plain memory, and what a drain took from it. */
#define FAKE_BYTES 4096u

struct fake_ring {
	struct perf_event_mmap_page page;
	uint64_t data[FAKE_BYTES / 8];
	struct zb_perf_ring ring;
};

struct fake_sink {
	struct zb_sample_sink sink;
	uint64_t ips[256]; /* of the last sample */
	uint32_t kernel_depth, user_depth, nr;
};

static struct zb_switch switches[4];
static uint32_t switch_nr;

static void keep_switch(struct zb_sample_sink *sink, const struct zb_switch *s)
{
	(void)sink;
	switches[switch_nr++] = *s;
}

static void keep_sample(struct zb_sample_sink *sink, const struct zb_sample *s)
{
	struct fake_sink *f = (struct fake_sink *)sink;

	f->kernel_depth = s->kernel_depth;
	f->user_depth = s->user.depth;
	if (s->kernel_depth > 0)
		memcpy(f->ips, s->kernel, s->kernel_depth * 8);
	if (s->user.depth > 0)
		memcpy(f->ips + s->kernel_depth, s->user.chain, s->user.depth * 8);
	f->nr++;
}

static struct fake_ring *new_fake(void)
{
	struct fake_ring *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->ring = (struct zb_perf_ring){
		.page = &f->page,
		.data = (const uint8_t *)f->data,
		.data_bytes = FAKE_BYTES,
		.has_stack = ZB_PERF_USER_REGS != 0,
	};
	return f;
}

static void put_word(struct fake_ring *f, uint64_t word)
{
	f->data[f->page.data_head / 8 % (FAKE_BYTES / 8)] = word;
	f->page.data_head += 8;
}

static void put_header(struct fake_ring *f, uint32_t type, size_t words)
{
	struct perf_event_header h = {.type = type, .size = (uint16_t)(words * 8)};
	uint64_t word;

	memcpy(&word, &h, sizeof(word));
	put_word(f, word);
}

/* A sample whose chain has nr entries and claims to have claimed. */
static void put_sample(struct fake_ring *f, const uint64_t *chain, uint64_t nr, uint64_t claimed)
{
	uint64_t tail_words = 0;

#if defined(__x86_64__)
	tail_words = 2; /* no registers, no stack */
#endif
	put_header(f, PERF_RECORD_SAMPLE, 1 + 4 + nr + tail_words);
	put_word(f, nr > 1 ? chain[1] : 0x77);
	put_word(f, 0);
	put_word(f, 0);
	put_word(f, claimed);
	for (uint64_t i = 0; i < nr; i++)
		put_word(f, chain[i]);
	for (uint64_t i = 0; i < tail_words; i++)
		put_word(f, 0);
}

#define K(x) (0xffffffff81000000u + (x))

/* Marks between kernel and user frames are taken out, and both parts are told apart. */
static void perf_chain_marks_are_stripped(void **state)
{
	const uint64_t chain[] = {(uint64_t)PERF_CONTEXT_KERNEL,
				  K(1),
				  K(2),
				  (uint64_t)PERF_CONTEXT_USER,
				  0x10,
				  0x20,
				  0x30};
	const uint64_t want[] = {K(1), K(2), 0x10, 0x20, 0x30};
	struct fake_sink k = {.sink.sample = keep_sample};
	struct fake_ring *f = new_fake();

	(void)state;
	put_sample(f, chain, 7, 7);
	zb_perf_ring_drain(&f->ring, &k.sink);
	assert_int_equal(k.nr, 1);
	assert_int_equal(k.kernel_depth, 2);
	assert_int_equal(k.user_depth, 3);
	assert_memory_equal(k.ips, want, sizeof(want));
	put_sample(f, chain, 3, 3); /* kernel only */
	zb_perf_ring_drain(&f->ring, &k.sink);
	assert_int_equal(k.kernel_depth, 2);
	assert_int_equal(k.user_depth, 0);
	put_sample(f, chain + 3, 4, 4); /* user only */
	zb_perf_ring_drain(&f->ring, &k.sink);
	assert_int_equal(k.kernel_depth, 0);
	assert_int_equal(k.user_depth, 3);
	put_sample(f, NULL, 0, 0); /* no chain: the address alone */
	zb_perf_ring_drain(&f->ring, &k.sink);
	assert_int_equal(k.user_depth, 1);
	assert_int_equal(k.ips[0], 0x77);
	free(f);
}

/* Records that wrap at the ring's end are put together, at every position of the seam. */
static void perf_wrapped_records_are_whole(void **state)
{
	uint64_t chain[41] = {(uint64_t)PERF_CONTEXT_USER};
	struct fake_sink k = {.sink.sample = keep_sample};
	struct fake_ring *f = new_fake();

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		uint32_t nr = 2 + i % 39;

		for (uint32_t j = 1; j < nr; j++)
			chain[j] = 0x1000 * i + j;
		put_sample(f, chain, nr, nr);
		zb_perf_ring_drain(&f->ring, &k.sink);
		assert_int_equal(k.nr, i + 1);
		assert_int_equal(k.user_depth, nr - 1);
		assert_memory_equal(k.ips, chain + 1, (nr - 1) * 8);
		assert_int_equal(f->page.data_tail, f->page.data_head);
	}
	assert_int_equal(k.sink.lost, 0);
	free(f);
}

/* Records other than samples are counted or passed over. */
static void perf_lost_and_throttle_are_counted(void **state)
{
	const uint64_t chain[] = {(uint64_t)PERF_CONTEXT_USER, 0x10};
	struct fake_sink k = {.sink.sample = keep_sample};
	struct fake_ring *f = new_fake();

	(void)state;
	put_header(f, PERF_RECORD_LOST, 3);
	put_word(f, 1);
	put_word(f, 42);
	put_header(f, PERF_RECORD_THROTTLE, 4);
	for (int i = 0; i < 3; i++)
		put_word(f, 0);
	put_header(f, 9999, 2);
	put_word(f, 0);
	put_sample(f, chain, 2, 2);
	zb_perf_ring_drain(&f->ring, &k.sink);
	assert_int_equal(k.sink.lost, 42);
	assert_int_equal(k.sink.throttled, 1);
	assert_int_equal(k.nr, 1);
	free(f);
}

/* A record that cannot be right is lost, and what comes after the next drain is read again. */
static void perf_broken_records_are_lost(void **state)
{
	const uint64_t chain[] = {(uint64_t)PERF_CONTEXT_USER, 0x10};
	struct fake_sink k = {.sink.sample = keep_sample};
	struct fake_ring *f = new_fake();

	(void)state;
	put_sample(f, chain, 2, 1ull << 62); /* a chain longer than its record */
	put_sample(f, chain, 2, 2);
	zb_perf_ring_drain(&f->ring, &k.sink);
	assert_int_equal(k.sink.lost, 1);
	assert_int_equal(k.nr, 1);
	put_header(f, PERF_RECORD_SAMPLE, 0); /* a size of nothing */
	zb_perf_ring_drain(&f->ring, &k.sink);
	assert_int_equal(k.sink.lost, 2);
	put_header(f, PERF_RECORD_SAMPLE, 100); /* longer than what was written */
	zb_perf_ring_drain(&f->ring, &k.sink);
	assert_int_equal(k.sink.lost, 3);
	put_sample(f, chain, 2, 2);
	zb_perf_ring_drain(&f->ring, &k.sink);
	assert_int_equal(k.nr, 2);
	free(f);
}

/* Switches of a thread, and on a CPU, say who, when, which way, and whether by itself. */
static void perf_switches_are_read(void **state)
{
	static const struct {
		uint32_t type;
		uint16_t misc;
	} records[] = {{PERF_RECORD_SWITCH, 0},
		       {PERF_RECORD_SWITCH, PERF_RECORD_MISC_SWITCH_OUT},
		       {PERF_RECORD_SWITCH_CPU_WIDE,
			PERF_RECORD_MISC_SWITCH_OUT | PERF_RECORD_MISC_SWITCH_OUT_PREEMPT}};
	struct fake_sink k = {.sink = {.sample = keep_sample, .switched = keep_switch}};
	struct fake_ring *f = new_fake();

	(void)state;
	switch_nr = 0;
	for (unsigned i = 0; i < 3; i++) {
		bool wide = records[i].type == PERF_RECORD_SWITCH_CPU_WIDE;
		struct perf_event_header h = {.type = records[i].type,
					      .misc = records[i].misc,
					      .size = wide ? 32 : 24};
		uint32_t ids[2] = {100 + i, 200 + i};
		uint64_t word;

		memcpy(&word, &h, sizeof(word));
		put_word(f, word);
		if (wide)
			put_word(f, 0x99); /* who came instead */
		memcpy(&word, ids, sizeof(word));
		put_word(f, word);
		put_word(f, 1000 + i);
	}
	put_header(f, PERF_RECORD_SWITCH, 2); /* cut short */
	put_word(f, 1);
	zb_perf_ring_drain(&f->ring, &k.sink);
	assert_int_equal(switch_nr, 3);
	assert_int_equal(k.sink.lost, 1);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(switches[i].pid, 100 + i);
		assert_int_equal(switches[i].tid, 200 + i);
		assert_int_equal(switches[i].time_ns, 1000 + i);
		assert_int_equal(switches[i].out, i > 0);
		assert_int_equal(switches[i].preempted, i == 2);
	}
	free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(perf_chain_marks_are_stripped),
		cmocka_unit_test(perf_wrapped_records_are_whole),
		cmocka_unit_test(perf_lost_and_throttle_are_counted),
		cmocka_unit_test(perf_broken_records_are_lost),
		cmocka_unit_test(perf_switches_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

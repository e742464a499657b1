/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sampler.c - samples of threads that do a known thing
 *
 * A worker spins until main has enough samples of it, so no test depends on how fast or how busy
 * the machine is; a machine that gives none at all fails after PATIENCE drains.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "profiler/sampler.h"
#include "profiler/sampler_priv.h"
#include "profiler/symbols.h"

#define WANTED	  40u	 /* samples */
#define PATIENCE  20000u /* drains, some 10 ms apart */
#define MAX_LANES 2u

struct worker {
	struct zb_sampler *sampler;
	void (*work)(void);
	uint32_t lane;
	pthread_t thread;
	_Atomic bool stop;
	_Atomic int attach_ret; /* 1: not attached yet */
};

static __thread volatile uint64_t spin_sink;

/* Not inlined, and with code after the call, so that each is a frame of its own. */
static __attribute__((noinline)) void spin_leaf(void)
{
	for (int i = 0; i < 20000; i++)
		spin_sink += (uint64_t)i;
}

static __attribute__((noinline)) void spin_root(void)
{
	spin_leaf();
	spin_sink++;
}

/* A frame larger than what is copied of the stack with a sample. */
static __attribute__((noinline)) void big_root(void)
{
	volatile char big[4 * ZB_UNWIND_STACK_BYTES];

	big[0] = big[sizeof(big) - 1] = 1;
	spin_leaf();
	spin_sink += (uint64_t)big[0];
}

static __attribute__((noinline)) void outer_root(void)
{
	big_root();
	spin_sink++;
}

/* Library code that keeps no frame. */
static char copy_from[1 << 15], copy_to[1 << 15];
static void *(*volatile copy)(void *, const void *, size_t) = memcpy;

static __attribute__((noinline)) void copy_root(void)
{
	for (int i = 0; i < 20; i++)
		copy(copy_to, copy_from, sizeof(copy_to));
	spin_sink++;
}

static __attribute__((noinline)) int sort_cmp(const void *a, const void *b)
{
	const int *x = a, *y = b;

	for (int i = 0; i < 100; i++)
		spin_sink += (uint64_t)i;
	return (*x > *y) - (*x < *y);
}

static __attribute__((noinline)) void sort_root(void)
{
	int v[64];

	for (int i = 0; i < 64; i++)
		v[i] = (i * 37) % 64;
	qsort(v, 64, sizeof(v[0]), sort_cmp);
	spin_sink++;
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	int ret = zb_sampler_attach_self(w->sampler, w->lane);

	atomic_store(&w->attach_ret, ret);
	while (ret == 0 && !atomic_load(&w->stop))
		w->work();
	zb_sampler_detach_self(w->sampler, w->lane);
	return NULL;
}

static void start_worker(struct worker *w)
{
	atomic_store(&w->attach_ret, 1);
	assert_int_equal(pthread_create(&w->thread, NULL, worker_main, w), 0);
	while (atomic_load(&w->attach_ret) == 1)
		usleep(1000);
}

static void stop_worker(struct worker *w)
{
	atomic_store(&w->stop, true);
	assert_int_equal(pthread_join(w->thread, NULL), 0);
	zb_sampler_drain(w->sampler);
}

static struct zb_sampler *new_sampler(uint32_t lane_nr, uint32_t hz, bool force_timer)
{
	struct zb_sampler_conf conf = {.hz = hz, .lane_nr = lane_nr, .force_timer = force_timer};
	struct zb_sampler *s;

	assert_int_equal(zb_sampler_create(&conf, &s), 0);
	return s;
}

static uint64_t lane_samples(struct zb_sampler *s, uint32_t lane)
{
	struct zb_stack_totals sum;

	zb_stack_table_totals(zb_sampler_stacks(s), lane, NULL, &sum);
	return sum.samples;
}

/* Drains until each lane has the wanted samples; the assertion is for machines that give none. */
static void await_samples(struct zb_sampler *s, uint32_t lane_nr, uint64_t wanted)
{
	for (uint32_t lane = 0; lane < lane_nr; lane++) {
		for (unsigned i = 0; i < PATIENCE && lane_samples(s, lane) < wanted; i++) {
			usleep(10000);
			zb_sampler_drain(s);
		}
		assert_true(lane_samples(s, lane) >= wanted);
	}
}

/* Runs work under a sampler until there are enough samples; all is drained when it returns. */
static struct zb_sampler *sample_work(void (*work)(void), bool force_timer)
{
	struct worker w = {.work = work};

	w.sampler = new_sampler(1, 400, force_timer); /* the unwinder gets its full share */
	start_worker(&w);
	assert_int_equal(atomic_load(&w.attach_ret), 0);
	await_samples(w.sampler, 1, WANTED);
	stop_worker(&w);
	return w.sampler;
}

#if defined(__SANITIZE_THREAD__)
#define UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#endif
#ifndef UNDER_TSAN
#define UNDER_TSAN 0
#endif

/* The folded stacks of lane, for the caller to free. */
static char *folded(struct zb_sampler *s, uint32_t lane)
{
	struct zb_symbols *syms;
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	assert_int_equal(zb_symbols_create(&syms), 0);
	assert_int_equal(zb_stack_table_folded(zb_sampler_stacks(s), lane, syms, f), 0);
	assert_int_equal(fclose(f), 0);
	zb_symbols_destroy(syms);
	return text;
}

/* Between min and max percent of the samples have a folded line that holds part. */
static void assert_share(struct zb_sampler *s, uint32_t lane, const char *part, double min,
			 double max)
{
	char *text = folded(s, lane), *lines = strdup(text), *rest = lines, *line;
	double with = 0, all = 0;

	assert_non_null(lines);
	if (UNDER_TSAN) {
		print_message(
			"skipped: ThreadSanitizer delays signals and is the leaf of all stacks\n");
		skip();
	}
	while ((line = strsep(&rest, "\n")) != NULL) {
		const char *space = strrchr(line, ' ');
		double n = space != NULL ? strtod(space + 1, NULL) : 0;

		all += n;
		if (strstr(line, part) != NULL)
			with += n;
	}
	if (all == 0 || with * 100 < all * min || with * 100 > all * max)
		fail_msg("%.0f of %.0f samples have \"%s\", want %.0f to %.0f %%:\n%s", with, all,
			 part, min, max, text);
	free(lines);
	free(text);
}

static bool perf_works(void)
{
	struct zb_perf_lane p;

	if (zb_perf_lane_open(&p, 99, 1) < 0)
		return false;
	zb_perf_lane_close(&p);
	return true;
}

static void skip_without_perf(void)
{
	if (!perf_works()) {
		print_message("skipped: this process may not use perf_event\n");
		skip();
	}
}

static void assert_spin(bool force_timer)
{
	struct zb_sampler *s = sample_work(spin_root, force_timer);
	struct zb_stack_totals sum;
	struct zb_sampler_stat stat;
	struct zb_symbols *syms;

	assert_share(s, 0, "worker_main;spin_root;spin_leaf", 80, 100);
	assert_int_equal(zb_symbols_create(&syms), 0);
	zb_stack_table_totals(zb_sampler_stacks(s), 0, syms, &sum);
	zb_symbols_destroy(syms);
	zb_sampler_stat(s, &stat);
	assert_int_equal(stat.samples, sum.samples);
	assert_true(sum.samples >= WANTED);
	assert_true(sum.resolved * 100 >= sum.samples * 90);
	assert_int_equal(stat.method == ZB_SAMPLER_TIMER, force_timer);
	zb_sampler_destroy(s);
}

/* Samples by perf_event show the function that spins below the one that called it. */
static void perf_spinning_thread_is_seen(void **state)
{
	(void)state;
	skip_without_perf();
	assert_spin(false);
}

/* So do samples by timer signal. */
static void timer_spinning_thread_is_seen(void **state)
{
	(void)state;
	assert_spin(true);
}

/* A library function without a frame keeps its caller, by either method. */
static void leaf_without_frame_keeps_its_caller(void **state)
{
	(void)state;
#if !defined(__x86_64__)
	print_message("skipped: chains are completed on x86-64 only\n");
	skip();
#endif
	for (int force_timer = !perf_works(); force_timer < 2; force_timer++) {
		struct zb_sampler *s = sample_work(copy_root, force_timer != 0);

		assert_share(s, 0, "worker_main;copy_root;", 80, 100);
		zb_sampler_destroy(s);
	}
}

/* Frames further away than the copied part of the stack are there, by either method. */
static void large_frame_keeps_the_root(void **state)
{
	(void)state;
	for (int force_timer = !perf_works(); force_timer < 2; force_timer++) {
		struct zb_sampler *s = sample_work(outer_root, force_timer != 0);

		assert_share(s, 0, "worker_main;outer_root;big_root;spin_leaf", 80, 100);
		zb_sampler_destroy(s);
	}
}

/* A call from library code without frame pointers back into the program does not end the chain. */
static void callback_from_library_keeps_its_root(void **state)
{
	(void)state;
	for (int force_timer = !perf_works(); force_timer < 2; force_timer++) {
		struct zb_sampler *s = sample_work(sort_root, force_timer != 0);

		assert_share(s, 0, "sort_cmp ", 50, 100);
		assert_share(s, 0, "worker_main;", 80, 100);
		zb_sampler_destroy(s);
	}
}

/* Two workers have two lanes, and each has its own stacks only. */
static void two_workers_are_kept_apart(void **state)
{
	(void)state;
	for (int force_timer = !perf_works(); force_timer < 2; force_timer++) {
		struct zb_sampler *s = new_sampler(MAX_LANES, 1000, force_timer != 0);
		struct worker w[MAX_LANES] = {
			{.sampler = s, .work = spin_root, .lane = 0},
			{.sampler = s, .work = sort_root, .lane = 1},
		};

		start_worker(&w[0]);
		start_worker(&w[1]);
		await_samples(s, MAX_LANES, WANTED);
		stop_worker(&w[0]);
		stop_worker(&w[1]);
		assert_share(s, 0, "spin_leaf", 80, 100);
		assert_share(s, 0, "sort_cmp", 0, 0);
		assert_share(s, 1, "sort_cmp", 50, 100);
		assert_share(s, 1, "spin_leaf", 0, 0);
		zb_sampler_destroy(s);
	}
}

/* A lane serves one thread after another, but never two at once. */
static void lane_can_be_attached_again_after_drain(void **state)
{
	(void)state;
	for (int force_timer = !perf_works(); force_timer < 2; force_timer++) {
		struct zb_sampler *s = new_sampler(1, 100, force_timer != 0);

		for (int round = 0; round < 3; round++) {
			assert_int_equal(zb_sampler_attach_self(s, 0), 0);
			assert_int_equal(zb_sampler_attach_self(s, 0), -EBUSY);
			zb_sampler_detach_self(s, 0);
			assert_int_equal(zb_sampler_attach_self(s, 0), -EBUSY);
			zb_sampler_drain(s);
		}
		zb_sampler_detach_self(s, 0); /* not attached: nothing happens */
		zb_sampler_destroy(s);
	}
}

/* A ring of one page wraps again and again, and whatever is read from it makes sense. */
static void perf_small_ring_wraps_and_stays_whole(void **state)
{
	struct worker w = {.work = spin_root};

	(void)state;
	skip_without_perf();
	w.sampler = new_sampler(1, 1000, false);
	w.sampler->perf_ring_pages = 1;
	start_worker(&w);
	assert_int_equal(atomic_load(&w.attach_ret), 0);
	await_samples(w.sampler, 1, 100); /* of 300 bytes and more each: many times around */
	stop_worker(&w);
	assert_share(w.sampler, 0, "worker_main;spin_root;spin_leaf", 80, 100);
	zb_sampler_destroy(w.sampler);
}

/* What cannot be sampled at is refused. */
static void create_with_bad_rate_is_refused(void **state)
{
	struct zb_sampler_conf conf = {.hz = 0, .lane_nr = 1};
	struct zb_sampler *s = NULL;

	(void)state;
	assert_int_equal(zb_sampler_create(&conf, &s), -EINVAL);
	conf.hz = 10001;
	assert_int_equal(zb_sampler_create(&conf, &s), -EINVAL);
	assert_null(s);
}

/* A sampler that nobody attached to is off and empty. */
static void stat_without_workers_is_off(void **state)
{
	struct zb_sampler *s = new_sampler(2, 99, false);
	struct zb_sampler_stat stat;

	(void)state;
	zb_sampler_drain(s);
	zb_sampler_stat(s, &stat);
	assert_int_equal(stat.method, ZB_SAMPLER_OFF);
	assert_false(stat.kernel_frames);
	assert_int_equal(stat.samples, 0);
	assert_string_equal(zb_sampler_method_name(stat.method), "off");
	assert_string_equal(zb_sampler_method_name(ZB_SAMPLER_PERF_CPU_CLOCK), "perf cpu-clock");
	zb_sampler_destroy(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(perf_spinning_thread_is_seen),
		cmocka_unit_test(timer_spinning_thread_is_seen),
		cmocka_unit_test(leaf_without_frame_keeps_its_caller),
		cmocka_unit_test(large_frame_keeps_the_root),
		cmocka_unit_test(callback_from_library_keeps_its_root),
		cmocka_unit_test(two_workers_are_kept_apart),
		cmocka_unit_test(lane_can_be_attached_again_after_drain),
		cmocka_unit_test(perf_small_ring_wraps_and_stays_whole),
		cmocka_unit_test(create_with_bad_rate_is_refused),
		cmocka_unit_test(stat_without_workers_is_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

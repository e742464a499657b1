/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_heap.c - jemalloc's settings, arenas, statistics, thread, and dumps that fail
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <cmocka.h>

#include "profiler/heap.h"

#if ZB_HAVE_JEMALLOC
#include <jemalloc/jemalloc.h>
#endif

static void skip_without_jemalloc(void)
{
	if (zb_heap_available())
		return;
	print_message("skipped: built without jemalloc\n");
	skip();
}

static void skip_without_profiling(void)
{
	if (zb_heap_can_profile())
		return;
	print_message("skipped: this jemalloc cannot profile, or was told not to\n");
	skip();
}

/* Built without jemalloc nothing crashes: every call says that there is none. */
static void heap_without_jemalloc_says_so(void **state)
{
	struct zb_heap_stat st;
	unsigned arena;

	(void)state;
	if (zb_heap_available()) {
		print_message("skipped: built with jemalloc\n");
		skip();
	}
	assert_false(zb_heap_can_profile());
	assert_int_equal(zb_heap_arena_create(&arena), -ENOTSUP);
	assert_int_equal(zb_heap_arena_use(0), -ENOTSUP);
	assert_int_equal(zb_heap_arena_stat(0, &st), -ENOTSUP);
	assert_int_equal(zb_heap_total_stat(&st), -ENOTSUP);
	assert_int_equal(zb_heap_background_start(), -ENOTSUP);
	assert_null(zb_heap_thread_allocated());
	assert_int_equal(zb_heap_start(), -ENOTSUP);
	assert_int_equal(zb_heap_stop(), -ENOTSUP);
	assert_int_equal(zb_heap_dump("/nonexistent/x"), -ENOTSUP);
}

#if ZB_HAVE_JEMALLOC
/* Options are bool, unsigned or size_t; jemalloc refuses a size that is not theirs. */
static void assert_option(const char *name, uint64_t want)
{
	static const size_t sizes[] = {sizeof(bool), sizeof(unsigned), sizeof(size_t)};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t v = 0; /* little-endian, as every machine that runs DPDK here */
		size_t len = sizes[i];

		if (mallctl(name, &v, &len, NULL, 0) != 0)
			continue;
		if (v != want)
			fail_msg("%s is %" PRIu64 ", not %" PRIu64 ": malloc_conf had no effect",
				 name, v, want);
		return;
	}
	fail_msg("%s: no such option", name);
}
#endif

/* Our malloc_conf is linked in and obeyed by the shared jemalloc; recording is off until started.
 */
static void heap_conf_of_ours_is_in_effect(void **state)
{
	(void)state;
	skip_without_jemalloc();
	if (getenv("MALLOC_CONF") != NULL) {
		print_message("skipped: MALLOC_CONF is set and overrules what is tested\n");
		skip();
	}
#if ZB_HAVE_JEMALLOC
	assert_true(zb_heap_can_profile());
	assert_option("opt.prof", true);
	assert_option("opt.prof_active", false);
	assert_option("opt.lg_prof_sample", 19);
	assert_option("opt.narenas", 1);
	assert_option("opt.background_thread", false);
	assert_option("opt.max_background_threads", 1);
	assert_option("opt.dirty_decay_ms", 10000);
	assert_option("opt.lg_extent_max_active_fit", 16);
	assert_option("prof.active", false);
#endif
}

struct worker {
	unsigned arena;
	size_t bytes;
	void *old_small, *small, *big;
	unsigned small_arena;
	int ret;
};

/* Leaves a freed object of the old arena in its thread cache, then changes over and allocates. */
static void *run_worker(void *arg)
{
	struct worker *w = arg;
	void *old = malloc(200);

	w->old_small = old;
	free(old);
	w->ret = zb_heap_arena_use(w->arena);
	w->small = malloc(200);
	w->big = malloc(w->bytes);
#if ZB_HAVE_JEMALLOC
	size_t len = sizeof(w->small_arena);
	if (w->ret == 0)
		w->ret = mallctl("arenas.lookup", &w->small_arena, &len, &w->small,
				 sizeof(w->small));
#endif
	return NULL;
}

/* What a thread allocates after zb_heap_arena_use() is its arena's, small objects too, and no
 * other's. */
static void heap_arena_gets_all_of_its_thread(void **state)
{
	struct worker w[2] = {{.bytes = 3 << 20}, {.bytes = 5 << 20}};
	struct zb_heap_stat before[2], after[2], total;
	unsigned arenas[2];

	(void)state;
	skip_without_jemalloc();
	for (int i = 0; i < 2; i++) {
		assert_int_equal(zb_heap_arena_create(&w[i].arena), 0);
		arenas[i] = w[i].arena;
		assert_int_equal(zb_heap_arena_stat(w[i].arena, &before[i]), 0);
	}
	assert_int_not_equal(w[0].arena, w[1].arena);
	for (int i = 0; i < 2; i++) {
		pthread_t t;

		assert_int_equal(pthread_create(&t, NULL, run_worker, &w[i]), 0);
		assert_int_equal(pthread_join(t, NULL), 0);
		assert_int_equal(w[i].ret, 0);
		assert_ptr_not_equal(w[i].small, w[i].old_small);
		assert_int_equal(w[i].small_arena, w[i].arena);
	}
	assert_int_equal(zb_heap_arena_stats(arenas, 2, after), 0);
	assert_int_equal(zb_heap_total_stat(&total), 0);
	for (int i = 0; i < 2; i++) {
		uint64_t more = after[i].allocated - before[i].allocated;

		assert_in_range(more, w[i].bytes + 200, w[i].bytes + w[i].bytes / 4 + 65536);
		assert_true(after[i].active >= after[i].allocated);
		assert_true(after[i].mapped >= after[i].active);
		assert_true(total.allocated >= after[i].allocated);
		free(w[i].small);
		free(w[i].big);
	}
	assert_true(total.resident > 0 && total.mapped >= total.active);
}

#define WARM_BYTES ((size_t)16 << 20)

struct warm_worker {
	unsigned arena;
	size_t bytes;
	long faults; /* of small and large allocations that fit in bytes, zeroed or not */
	int ret;
};

static long faults_so_far(void)
{
	struct rusage ru;

	return getrusage(RUSAGE_THREAD, &ru) == 0 ? ru.ru_minflt : -1;
}

static void *run_warm(void *arg)
{
	enum { SMALL = 200, NR = WARM_BYTES / 4 / SMALL };
	static void *small[NR];
	struct warm_worker *w = arg;
	void *large;
	long before;

	memset(small, 1, sizeof(small)); /* touched beforehand */
	w->ret = zb_heap_arena_use(w->arena);
	if (w->ret == 0)
		w->ret = zb_heap_warm(w->bytes);
	before = faults_so_far();
	for (unsigned i = 0; i < NR; i++)
		small[i] = calloc(1, SMALL);
	large = calloc(1, WARM_BYTES / 4);
	w->faults = faults_so_far() - before;
	zb_heap_free(large, WARM_BYTES / 4);
	for (unsigned i = 0; i < NR; i++)
		zb_heap_free(small[i], SMALL);
	return NULL;
}

/* After zb_heap_warm() small and large allocations touch no new page; without it they do. */
static void heap_warm_arena_takes_no_faults(void **state)
{
	long faults[2];

	(void)state;
	skip_without_jemalloc();
	for (int i = 0; i < 2; i++) {
		struct warm_worker w = {.bytes = i == 0 ? 0 : WARM_BYTES};
		struct zb_heap_stat after;
		pthread_t t;

		assert_int_equal(zb_heap_arena_create(&w.arena), 0);
		assert_int_equal(pthread_create(&t, NULL, run_warm, &w), 0);
		assert_int_equal(pthread_join(t, NULL), 0);
		assert_int_equal(w.ret, 0);
		assert_int_equal(zb_heap_arena_stat(w.arena, &after), 0);
		assert_int_equal(after.allocated / 4096, 0); /* all was given back */
		faults[i] = w.faults;
	}
	/* Huge pages may make few of many; metadata of jemalloc's takes one or another. */
	if (faults[1] * 2 > faults[0])
		fail_msg("%ld page faults with the arena warm, %ld without", faults[1], faults[0]);
}

/* Threads of this process that may run on other CPUs than the calling thread; *nr counts all. */
static unsigned threads_elsewhere(unsigned *nr)
{
	DIR *d = opendir("/proc/self/task");
	unsigned elsewhere = 0;
	cpu_set_t mine, its;
	struct dirent *e;

	assert_non_null(d);
	assert_int_equal(sched_getaffinity(0, sizeof(mine), &mine), 0);
	for (*nr = 0; (e = readdir(d)) != NULL;) {
		pid_t tid = (pid_t)strtol(e->d_name, NULL, 10);

		if (tid <= 0 || sched_getaffinity(tid, sizeof(its), &its) != 0)
			continue;
		++*nr;
		elsewhere += !CPU_EQUAL(&mine, &its);
	}
	closedir(d);
	return elsewhere;
}

/* jemalloc's own thread starts when it is told to, not before, and stays on the CPUs of who started
 * it. */
static void heap_background_thread_inherits_the_cpus(void **state)
{
	unsigned before, after, cpu = 0;
	cpu_set_t all, one;

	(void)state;
	skip_without_jemalloc();
	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	while (!CPU_ISSET(cpu, &all))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	threads_elsewhere(&before);
	assert_int_equal(zb_heap_background_start(), 0);
	assert_int_equal(threads_elsewhere(&after), 0);
	assert_int_equal(after, before + 1);
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
}

/* A thread's count of bytes ever allocated goes up with each allocation, and not down with free. */
static void heap_thread_count_follows_allocations(void **state)
{
	const uint64_t *count = zb_heap_thread_allocated();
	uint64_t before;
	void *p;

	(void)state;
	skip_without_jemalloc();
	assert_non_null(count);
	before = *(const volatile uint64_t *)count;
	p = malloc(1 << 20);
	assert_non_null(p);
	free(p);
	assert_in_range(*(const volatile uint64_t *)count - before, 1 << 20, 2 << 20);
}

/* An arena that does not exist is refused, and the caller's result is left alone. */
static void heap_unknown_arena_is_refused(void **state)
{
	struct zb_heap_stat st = {.allocated = 77};

	(void)state;
	skip_without_jemalloc();
	assert_int_equal(zb_heap_arena_use(4000000000U), -EINVAL);
	assert_int_equal(zb_heap_arena_stat(3000, &st), -EINVAL);
	assert_int_equal(st.allocated, 77);
}

/* A dump that cannot be written says why. */
static void heap_dump_to_no_folder_says_why(void **state)
{
	(void)state;
	skip_without_profiling();
	assert_int_equal(zb_heap_dump("/nonexistent/zb.heap"), -ENOENT);
	assert_int_equal(zb_heap_dump("/tmp"), -EISDIR);
	assert_int_equal(zb_heap_dump("/dev/full"), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heap_without_jemalloc_says_so),
		cmocka_unit_test(heap_conf_of_ours_is_in_effect),
		cmocka_unit_test(heap_arena_gets_all_of_its_thread),
		cmocka_unit_test(heap_warm_arena_takes_no_faults),
		cmocka_unit_test(heap_background_thread_inherits_the_cpus),
		cmocka_unit_test(heap_thread_count_follows_allocations),
		cmocka_unit_test(heap_unknown_arena_is_refused),
		cmocka_unit_test(heap_dump_to_no_folder_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

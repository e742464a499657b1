/* SPDX-License-Identifier: Apache-2.0 */
/* test_host_noise.c - what /proc and /sys say of a worker's CPU, from files that the test writes */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profiler/host_noise.h"

static char root[64];

static int make_root(void **state)
{
	(void)state;
	snprintf(root, sizeof(root), "/tmp/zb-noise-XXXXXX");
	return mkdtemp(root) != NULL ? 0 : -1;
}

static int remove_root(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command);
}

/* Writes a file below root, and the folders it needs. */
static void put(const char *path, const char *text)
{
	char command[512], full[256];
	FILE *f;

	snprintf(full, sizeof(full), "%s/%s", root, path);
	snprintf(command, sizeof(command), "mkdir -p $(dirname %s)", full);
	assert_int_equal(system(command), 0);
	f = fopen(full, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* CPU 1 has ticks; those of CPU 11 must not be taken for them. */
static void put_stat(unsigned used, unsigned irq, unsigned steal)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 9 9 9 9 9 9 9 9 0 0\n"
		 "cpu11 9 9 9 9 9 9 9 9 0 0\ncpu1 %u 0 0 500 0 %u 1 %u 0 0\nintr 5\n",
		 used, irq, steal);
	put("proc/stat", text);
}

/* Sums are since the begin; other threads had what the worker did not have. */
static void noise_is_counted_since_the_begin(void **state)
{
	struct zb_noise_lcore l = {.cpu = 1, .tid = 77};
	uint64_t tick_ns = 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);

	(void)state;
	put_stat(1000, 10, 3);
	put("proc/self/task/77/schedstat", "1000000000 50000000 12\n");
	put("sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq", "2400000\n");
	zb_noise_begin(&l, 1, root);
	put_stat(1100, 12, 8);
	put("proc/self/task/77/schedstat", "1400000000 80000000 15\n");
	put("sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq", "1800000\n");
	zb_noise_poll(&l, 1, root);
	assert_true(l.sum.has_wait && l.sum.has_stat);
	assert_int_equal(l.sum.wait_ns, 30000000);
	assert_int_equal(l.sum.steal_ns, 5 * tick_ns);
	assert_int_equal(l.sum.irq_ns, 2 * tick_ns);
	assert_int_equal(l.sum.others_ns, 100 * tick_ns - 400000000);
	assert_int_equal(l.sum.khz_min, 1800000);
	assert_int_equal(l.sum.khz_max, 2400000);
}

/* What the machine does not tell is not known, rather than none; nothing runs back. */
static void noise_that_is_not_told_is_unknown(void **state)
{
	struct zb_noise_lcore l = {.cpu = 7, .tid = 78};

	(void)state;
	put_stat(1000, 10, 3);
	zb_noise_begin(&l, 1, root);
	zb_noise_poll(&l, 1, root);
	assert_false(l.sum.has_wait);
	assert_false(l.sum.has_stat);
	assert_int_equal(l.sum.khz_max, 0);
	put("proc/self/task/78/schedstat", "nonsense\n");
	zb_noise_begin(&l, 1, root);
	assert_false(l.sum.has_wait);
	l.cpu = 1;
	zb_noise_begin(&l, 1, root);
	put_stat(900, 0, 0);
	zb_noise_poll(&l, 1, root);
	assert_int_equal(l.sum.steal_ns, 0);
}

static void put_thread(unsigned pid, const char *name, unsigned user, unsigned system, unsigned cpu)
{
	char path[64], text[512];

	snprintf(path, sizeof(path), "proc/%u/task/%u/stat", pid, pid);
	snprintf(text, sizeof(text),
		 "%u (%s) R 1 1 1 0 -1 0 0 0 0 0 %u %u 0 0 20 0 1 0 5 0 0 0 0 0 0 0 0 0 0 0 0 0 0 "
		 "0 17 %u 0 0 0 0 0\n",
		 pid, name, user, system, cpu);
	put(path, text);
}

/* Those that used this CPU most come first; names may hold anything, threads may be new. */
static void neighbours_are_those_on_the_cpu(void **state)
{
	uint64_t tick_ms = 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
	struct zb_neighbour n[ZB_NEIGHBOURS_MAX];
	struct zb_threads *before, *after;

	(void)state;
	put_thread(101, "worker", 0, 0, 1);
	put_thread(102, "a) R (b", 50, 50, 1);
	put_thread(103, "elsewhere", 0, 0, 0);
	put("proc/104/task/104/stat", "104 (cut");
	before = zb_threads_look(root);
	put_thread(101, "worker", 900, 0, 1);
	put_thread(102, "a) R (b", 60, 70, 1);
	put_thread(103, "elsewhere", 500, 0, 0);
	put_thread(105, "new", 50, 0, 1);
	put_thread(106, "idle", 0, 0, 1);
	after = zb_threads_look(root);
	assert_int_equal(zb_neighbours(before, after, 1, 101, n), 2);
	assert_string_equal(n[0].name, "new");
	assert_int_equal(n[0].tid, 105);
	assert_int_equal(n[0].ms, 50 * tick_ms);
	assert_string_equal(n[1].name, "a) R (b");
	assert_int_equal(n[1].ms, 30 * tick_ms);
	/* No more than there is room for: the least are left out. */
	put_thread(107, "three", 45, 0, 1);
	put_thread(108, "four", 90, 0, 1);
	zb_threads_free(after);
	after = zb_threads_look(root);
	assert_int_equal(zb_neighbours(before, after, 1, 101, n), ZB_NEIGHBOURS_MAX);
	assert_string_equal(n[0].name, "four");
	assert_string_equal(n[2].name, "three");
	zb_threads_free(before);
	zb_threads_free(after);
}

/* A machine without /proc has no neighbours. */
static void neighbours_need_proc(void **state)
{
	(void)state;
	assert_null(zb_threads_look("/nonexistent"));
	zb_threads_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(noise_is_counted_since_the_begin, make_root,
						remove_root),
		cmocka_unit_test_setup_teardown(noise_that_is_not_told_is_unknown, make_root,
						remove_root),
		cmocka_unit_test_setup_teardown(neighbours_are_those_on_the_cpu, make_root,
						remove_root),
		cmocka_unit_test(neighbours_need_proc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

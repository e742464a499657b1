/* SPDX-License-Identifier: Apache-2.0 */
/* test_memif_unmap.c - DPDK's interrupt thread waits before it unmaps; nobody else does, nor before
 * it is asked for */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
#include "capture/memif_unmap.h"

struct job {
	const char *thread; /* its name */
	int ret;
	bool gone; /* of what was mapped, nothing is there any more */
	double ms; /* of munmap() */
};

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void *unmap(void *arg)
{
	struct job *j = arg;
	size_t len = (size_t)sysconf(_SC_PAGESIZE);
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char there;

	prctl(PR_SET_NAME, j->thread);
	j->ms = now_ms();
	j->ret = p == MAP_FAILED ? -1 : munmap(p, len);
	j->ms = now_ms() - j->ms;
	j->gone = mincore(p, len, &there) < 0 && errno == ENOMEM;
	return NULL;
}

static double ms_in(const char *thread)
{
	struct job j = {.thread = thread};
	pthread_t id;

	assert_int_equal(pthread_create(&id, NULL, unmap, &j), 0);
	assert_int_equal(pthread_join(id, NULL), 0);
	assert_int_equal(j.ret, 0);
	assert_true(j.gone);
	return j.ms;
}

/* Others may be kept waiting for their CPU, but not each time. */
static void assert_never_waits(const char *thread)
{
	double least = ZB_MEMIF_GRACE_MS;

	for (int i = 0; i < 20 && least >= ZB_MEMIF_GRACE_MS; i++)
		least = ms_in(thread);
	assert_true(least < ZB_MEMIF_GRACE_MS);
}

static void waits_in_one_thread(void **state)
{
	(void)state;
	assert_never_waits("eal-intr-thread");
	zb_memif_guard();
	assert_true(ms_in("eal-intr-thread") >= ZB_MEMIF_GRACE_MS);
	assert_true(ms_in("dpdk-intr") >= ZB_MEMIF_GRACE_MS);
	assert_never_waits("rte-worker-1");
}

static void says_what_is_wrong(void **state)
{
	(void)state;
	errno = 0;
	assert_int_equal(munmap((void *)1, 1), -1);
	assert_int_equal(errno, EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_in_one_thread),
		cmocka_unit_test(says_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_off_cpu.c - times off the CPU, whatever order the records of switches are read in */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "profiler/off_cpu.h"
#include "profiler/sampler_priv.h"

#define US 1000u

static bool out(struct zb_off_cpu *o, uint64_t us, bool preempted, struct zb_off_time *t)
{
	struct zb_switch s = {.time_ns = us * US, .out = true, .preempted = preempted};

	return zb_off_cpu_switch(o, &s, t);
}

static bool in(struct zb_off_cpu *o, uint64_t us, struct zb_off_time *t)
{
	struct zb_switch s = {.time_ns = us * US};

	return zb_off_cpu_switch(o, &s, t);
}

static void assert_time(const struct zb_off_time *t, uint64_t from_us, uint64_t us, uint32_t stack,
			enum zb_cpu_state state)
{
	assert_int_equal(t->from_ns, from_us * US);
	assert_int_equal(t->at.weight, us);
	assert_int_equal(t->at.stack, stack);
	assert_int_equal(t->at.state, state);
}

/* From the switch away to the switch back, with the stack and the kind of the former. */
static void off_cpu_is_from_out_to_in(void **state)
{
	struct zb_off_cpu o = {0};
	struct zb_off_time t;

	(void)state;
	assert_false(in(&o, 5, &t)); /* it was away before sampling began */
	zb_off_cpu_stack(&o, 7);
	assert_false(out(&o, 10, false, &t));
	assert_true(in(&o, 25, &t));
	assert_time(&t, 10, 15, 7, ZB_CPU_WAITING);
	zb_off_cpu_stack(&o, 8);
	assert_false(out(&o, 30, true, &t));
	assert_true(in(&o, 31, &t));
	assert_time(&t, 30, 1, 8, ZB_CPU_PREEMPTED);
	assert_false(in(&o, 40, &t));
}

/* The thread came back on a CPU whose ring was read first. */
static void off_cpu_in_read_before_out_is_completed(void **state)
{
	struct zb_off_cpu o = {0};
	struct zb_off_time t;

	(void)state;
	assert_false(in(&o, 50, &t));
	zb_off_cpu_stack(&o, 3);
	assert_true(out(&o, 20, true, &t));
	assert_time(&t, 20, 30, 3, ZB_CPU_PREEMPTED);
	/* The one that was used is used up. */
	zb_off_cpu_stack(&o, 4);
	assert_false(out(&o, 45, false, &t));
	assert_true(in(&o, 60, &t));
	assert_time(&t, 45, 15, 4, ZB_CPU_WAITING);
}

/* A time whose stack was lost is nobody's; one that is not over ends with the sampling. */
static void off_cpu_lost_stack_and_end(void **state)
{
	struct zb_off_cpu o = {0};
	struct zb_off_time t;

	(void)state;
	assert_false(out(&o, 10, false, &t));
	assert_false(in(&o, 20, &t));
	assert_false(zb_off_cpu_end(&o, 100 * US, &t));
	zb_off_cpu_stack(&o, 1);
	assert_false(out(&o, 30, false, &t));
	assert_true(zb_off_cpu_end(&o, 100 * US, &t));
	assert_time(&t, 30, 70, 1, ZB_CPU_WAITING);
	assert_false(zb_off_cpu_end(&o, 100 * US, &t));
}

static void *sleep_some(void *arg)
{
	struct zb_sampler *s = arg;

	if (zb_sampler_attach_self(s, 0) < 0)
		return NULL;
	for (int i = 0; i < 5; i++)
		usleep(2000);
	zb_sampler_detach_self(s, 0);
	return s;
}

/* A worker that sleeps is seen to wait, for as long as it slept at least. */
static void off_cpu_of_a_sleeping_worker_is_recorded(void **state)
{
	struct zb_sampler_conf conf = {.hz = 100, .lane_nr = 1};
	const struct zb_sample_times *times;
	struct zb_sampler_stat stat;
	struct zb_sampler *s;
	uint64_t waited = 0, switches = 0;
	pthread_t thread;
	void *ret;

	(void)state;
	assert_int_equal(zb_sampler_create(&conf, &s), 0);
	assert_int_equal(pthread_create(&thread, NULL, sleep_some, s), 0);
	assert_int_equal(pthread_join(thread, &ret), 0);
	zb_sampler_stat(s, &stat);
	zb_sampler_drain(s);
	times = zb_sampler_times(s);
	for (uint32_t i = 0; i < times->nr; i++) {
		const struct zb_sample_at *a = &times->at[i];

		if (a->state != ZB_CPU_WAITING)
			continue;
		assert_true(a->stack < zb_stack_table_nr(zb_sampler_off_stacks(s)));
		waited += a->weight;
		switches++;
	}
	zb_sampler_destroy(s);
	if (ret == NULL || !stat.kernel_frames)
		skip(); /* the kernel does not let us */
	assert_true(switches > 0);
	assert_true(waited >= 5 * 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(off_cpu_is_from_out_to_in),
		cmocka_unit_test(off_cpu_in_read_before_out_is_completed),
		cmocka_unit_test(off_cpu_lost_stack_and_end),
		cmocka_unit_test(off_cpu_of_a_sleeping_worker_is_recorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

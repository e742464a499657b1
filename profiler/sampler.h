/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sampler.h - takes call-stack samples of the worker threads at a fixed rate
 *
 * perf_event per thread (hardware cycles where they exist, else cpu-clock), call chains by frame
 * pointer, kernel frames where allowed; and where kernel frames are allowed, every time that a
 * thread is off the CPU. Where perf_event may not be used: a per-thread CPU-time
 * timer whose signal handler walks frame pointers into a lock-free ring. The sampler says which one
 * it is.
 *
 * Threading: zb_sampler_attach_self() from each worker before its loop, zb_sampler_detach_self()
 * after it; everything else from one thread (main), which must call zb_sampler_drain() some ten
 * times a second. Attach, detach and drain may run at the same time.
 */
#ifndef ZB_PROFILER_SAMPLER_H
#define ZB_PROFILER_SAMPLER_H

#include <stdint.h>
#include <stdbool.h>
#include "sample_times.h"
#include "stack_table.h"

enum zb_sampler_method {
	ZB_SAMPLER_OFF,
	ZB_SAMPLER_PERF_CYCLES,
	ZB_SAMPLER_PERF_CPU_CLOCK,
	ZB_SAMPLER_TIMER
};

struct zb_sampler; /* opaque */

struct zb_sampler_conf {
	uint32_t hz;	  /* samples per second of CPU time of each thread; 1..10000 */
	uint32_t lane_nr; /* worker threads */
	int force_timer;  /* tests: do not try perf_event */
};

/*
 * -EINVAL: hz out of range; -ENOMEM. A machine without any right to sample is not an error: see
 * method.
 */
int zb_sampler_create(const struct zb_sampler_conf *conf, struct zb_sampler **out);
void zb_sampler_destroy(struct zb_sampler *s); /* all workers have detached */

/*
 * Starts sampling the calling thread as lane. 0, or -errno when neither method works; warned once.
 */
int zb_sampler_attach_self(struct zb_sampler *s, uint32_t lane);
void zb_sampler_detach_self(struct zb_sampler *s, uint32_t lane);

/* Stops or goes on sampling the threads that are attached now: to compare both within one run. */
void zb_sampler_pause(struct zb_sampler *s, bool paused);

/* Moves new samples into the stack table. */
void zb_sampler_drain(struct zb_sampler *s);

struct zb_sampler_stat {
	enum zb_sampler_method method;
	bool kernel_frames; /* kernel frames are recorded */
	uint64_t samples, lost;
	uint64_t throttled; /* times the kernel held sampling back */
};
void zb_sampler_stat(const struct zb_sampler *s, struct zb_sampler_stat *out);
const char *zb_sampler_method_name(enum zb_sampler_method m); /* "perf cpu-clock" ... */

struct zb_stack_table *zb_sampler_stacks(struct zb_sampler *s); /* owned by s */

/* Where workers went off the CPU: what the times of those states are of. Weights mean nothing. */
const struct zb_stack_table *zb_sampler_off_stacks(const struct zb_sampler *s);

/*
 * When they were sampled, from zb_sampler_start_ns() (CLOCK_MONOTONIC) on: settled, of the numbers
 * of zb_sampler_stacks(), or of zb_sampler_off_stacks() where the state is not ZB_CPU_ON. Owned by
 * s.
 */
const struct zb_sample_times *zb_sampler_times(struct zb_sampler *s);
uint64_t zb_sampler_start_ns(const struct zb_sampler *s);
int zb_sampler_tid(const struct zb_sampler *s, uint32_t lane); /* 0: never attached */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sampler.c - takes call-stack samples of the worker threads at a fixed rate
 *
 * Workers open and stop their own lane, main drains and closes it; the two meet in the lane's state
 * and in its ring only, so neither waits for the other. Addresses stay addresses until the run is
 * over.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "profiler/clock.h"
#include "profiler/diag.h"
#include "profiler/sampler.h"
#include "profiler/sampler_priv.h"

#define HZ_MAX 10000u

struct lane_sink {
	struct zb_sample_sink sink; /* first: the callee gets this one */
	struct zb_sampler *sampler;
	uint32_t lane;
	bool switches; /* the samples are of switches */
};

int zb_sampler_create(const struct zb_sampler_conf *conf, struct zb_sampler **out)
{
	struct zb_sampler *s;
	int ret;

	if (conf->hz == 0 || conf->hz > HZ_MAX || conf->lane_nr == 0 || conf->lane_nr > UINT16_MAX)
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return -ENOMEM;
	s->conf = *conf;
	s->perf_hz = conf->force_timer ? conf->hz : zb_perf_allowed_hz(conf->hz);
	s->perf_ring_pages = ZB_PERF_RING_PAGES;
	s->start_ns = zb_clock_ns();
	zb_sample_times_init(&s->times, ZB_SAMPLE_TIMES_MAX);
	atomic_flag_clear(&s->warned_fallback);
	atomic_flag_clear(&s->warned_failure);
	s->lanes = calloc(conf->lane_nr, sizeof(*s->lanes));
	ret = s->lanes == NULL ? -ENOMEM : zb_unwind_create(&s->unwind);
	if (ret == 0)
		ret = zb_stack_table_create(conf->lane_nr, ZB_SAMPLE_STACKS_MAX, &s->stacks);
	if (ret == 0)
		ret = zb_stack_table_create(conf->lane_nr, ZB_SAMPLE_STACKS_MAX, &s->off_stacks);
	if (ret < 0) {
		zb_sampler_destroy(s);
		return ret;
	}
	*out = s;
	return 0;
}

static void close_lane(struct zb_sampler_lane *l)
{
	if (atomic_load_explicit(&l->method, memory_order_relaxed) == ZB_SAMPLER_TIMER)
		zb_timer_lane_close(&l->timer);
	else
		zb_perf_lane_close(&l->perf);
	/* Release: a worker that attaches again finds everything put away. */
	atomic_store_explicit(&l->state, ZB_LANE_FREE, memory_order_release);
}

void zb_sampler_destroy(struct zb_sampler *s)
{
	if (s == NULL)
		return;
	for (uint32_t i = 0; s->lanes != NULL && i < s->conf.lane_nr; i++) {
		int state = atomic_load_explicit(&s->lanes[i].state, memory_order_acquire);

		assert(state != ZB_LANE_ACTIVE);
		if (state == ZB_LANE_ENDED)
			close_lane(&s->lanes[i]);
	}
	free(s->lanes);
	zb_unwind_destroy(s->unwind);
	zb_stack_table_destroy(s->stacks);
	zb_stack_table_destroy(s->off_stacks);
	zb_sample_times_fini(&s->times);
	free(s);
}

static int attach_perf(struct zb_sampler *s, struct zb_sampler_lane *l)
{
	int ret = s->conf.force_timer ? -ENOTSUP
				      : zb_perf_lane_open(&l->perf, s->perf_hz, s->perf_ring_pages);

	if (ret < 0)
		return ret;
	atomic_store_explicit(&l->method, (int)l->perf.method, memory_order_relaxed);
	atomic_store_explicit(&l->kernel_frames, l->perf.kernel_frames, memory_order_relaxed);
	return 0;
}

static int attach_timer(struct zb_sampler *s, struct zb_sampler_lane *l, int why)
{
	int ret = zb_timer_lane_open(&l->timer, s->conf.hz);

	if (ret < 0) {
		if (!atomic_flag_test_and_set(&s->warned_failure))
			zb_warn("sampler: timer_create: %s; there will be no CPU profile",
				strerror(-ret));
		return ret;
	}
	if (!s->conf.force_timer && !atomic_flag_test_and_set(&s->warned_fallback))
		zb_warn("sampler: perf_event_open: %s; sampling by timer signals, without kernel "
			"frames; set kernel.perf_event_paranoid to 2 or less, or allow CAP_PERFMON",
			strerror(-why));
	atomic_store_explicit(&l->method, ZB_SAMPLER_TIMER, memory_order_relaxed);
	atomic_store_explicit(&l->kernel_frames, false, memory_order_relaxed);
	return 0;
}

int zb_sampler_attach_self(struct zb_sampler *s, uint32_t lane)
{
	struct zb_sampler_lane *l = &s->lanes[lane];
	int ret;

	assert(lane < s->conf.lane_nr);
	/* A lane that ended is main's until the next drain. */
	if (atomic_load_explicit(&l->state, memory_order_acquire) != ZB_LANE_FREE)
		return -EBUSY;
	ret = attach_perf(s, l);
	if (ret < 0)
		ret = attach_timer(s, l, ret);
	if (ret < 0)
		return ret;
	atomic_store_explicit(&l->tid, gettid(), memory_order_relaxed);
	atomic_store_explicit(&l->state, ZB_LANE_ACTIVE, memory_order_release);
	return 0;
}

void zb_sampler_detach_self(struct zb_sampler *s, uint32_t lane)
{
	struct zb_sampler_lane *l = &s->lanes[lane];

	assert(lane < s->conf.lane_nr);
	if (atomic_load_explicit(&l->state, memory_order_acquire) != ZB_LANE_ACTIVE)
		return; /* attaching had failed */
	if (atomic_load_explicit(&l->method, memory_order_relaxed) == ZB_SAMPLER_TIMER)
		zb_timer_lane_stop(&l->timer);
	else
		zb_perf_lane_stop(&l->perf);
	atomic_store_explicit(&l->state, ZB_LANE_ENDED, memory_order_release);
}

void zb_sampler_pause(struct zb_sampler *s, bool paused)
{
	for (uint32_t i = 0; i < s->conf.lane_nr; i++) {
		struct zb_sampler_lane *l = &s->lanes[i];

		if (atomic_load_explicit(&l->state, memory_order_acquire) != ZB_LANE_ACTIVE)
			continue;
		if (atomic_load_explicit(&l->method, memory_order_relaxed) == ZB_SAMPLER_TIMER)
			zb_timer_lane_pause(&l->timer, paused, s->conf.hz);
		else
			zb_perf_lane_pause(&l->perf, paused);
	}
}

/* A sample whose time cannot be kept still counts in its stack. */
static void note_time(struct zb_sampler *s, uint32_t lane, uint64_t time_ns, struct zb_sample_at at)
{
	at.lane = (uint16_t)lane;
	(void)zb_sample_times_add(&s->times, time_ns > s->start_ns ? time_ns - s->start_ns : 0, at);
}

/* The user part is completed; kernel frames and user frames together make the stack. */
static uint32_t whole_stack(struct zb_sampler *s, const struct zb_sample *sample, uint64_t *ips)
{
	uint32_t nr = sample->kernel_depth;

	if (nr > ZB_STACK_DEPTH_MAX)
		nr = ZB_STACK_DEPTH_MAX;
	if (nr > 0)
		memcpy(ips, sample->kernel, nr * sizeof(*ips));
	if (sample->user.depth > 0 && nr < ZB_STACK_DEPTH_MAX)
		nr += zb_unwind_chain(s->unwind, &sample->user, ips + nr, ZB_STACK_DEPTH_MAX - nr);
	return nr;
}

static void take_sample(struct zb_sample_sink *sink, const struct zb_sample *sample)
{
	struct lane_sink *ls = (struct lane_sink *)sink;
	struct zb_sampler *s = ls->sampler;
	uint64_t ips[ZB_STACK_DEPTH_MAX];
	uint32_t nr = whole_stack(s, sample, ips), id;
	struct zb_stack_table *stacks = ls->switches ? s->off_stacks : s->stacks;

	if (zb_stack_table_add(stacks, ls->lane, ips, nr, 1, &id) < 0) {
		sink->lost += !ls->switches;
		return;
	}
	if (ls->switches) {
		zb_off_cpu_stack(&s->lanes[ls->lane].off, id);
		return;
	}
	s->samples++;
	note_time(s, ls->lane, sample->time_ns,
		  (struct zb_sample_at){.weight = 1, .stack = id, .state = ZB_CPU_ON});
}

static void take_switch(struct zb_sample_sink *sink, const struct zb_switch *sw)
{
	struct lane_sink *ls = (struct lane_sink *)sink;
	struct zb_off_time off;

	if (zb_off_cpu_switch(&ls->sampler->lanes[ls->lane].off, sw, &off))
		note_time(ls->sampler, ls->lane, off.from_ns, off.at);
}

/* What is lost of the switches is not a lost sample of CPU time. */
static void drain_switches(struct zb_sampler *s, uint32_t lane)
{
	struct lane_sink ls = {.sink.sample = take_sample,
			       .sink.switched = take_switch,
			       .sampler = s,
			       .lane = lane,
			       .switches = true};

	if (s->lanes[lane].perf.switch_fd >= 0)
		zb_perf_ring_drain(&s->lanes[lane].perf.switches, &ls.sink);
}

void zb_sampler_drain(struct zb_sampler *s)
{
	for (uint32_t i = 0; i < s->conf.lane_nr; i++) {
		struct lane_sink ls = {.sink.sample = take_sample, .sampler = s, .lane = i};
		struct zb_sampler_lane *l = &s->lanes[i];
		/* Before the ring: what ENDED was stored after is drained below. */
		int state = atomic_load_explicit(&l->state, memory_order_acquire);

		if (state == ZB_LANE_FREE)
			continue;
		if (atomic_load_explicit(&l->method, memory_order_relaxed) == ZB_SAMPLER_TIMER)
			zb_timer_lane_drain(&l->timer, &ls.sink);
		else
			zb_perf_ring_drain(&l->perf.ring, &ls.sink);
		if (atomic_load_explicit(&l->method, memory_order_relaxed) != ZB_SAMPLER_TIMER)
			drain_switches(s, i);
		s->lost += ls.sink.lost;
		s->throttled += ls.sink.throttled;
		if (state == ZB_LANE_ENDED) {
			close_lane(l);
			l->off = (struct zb_off_cpu){0};
		}
	}
}

/* Lanes may differ when the kernel ran out of something; the weakest one counts for all. */
void zb_sampler_stat(const struct zb_sampler *s, struct zb_sampler_stat *out)
{
	bool all_kernel = true;

	*out = (struct zb_sampler_stat){
		.samples = s->samples,
		.lost = s->lost,
		.throttled = s->throttled,
	};
	for (uint32_t i = 0; i < s->conf.lane_nr; i++) {
		const struct zb_sampler_lane *l = &s->lanes[i];
		int method = atomic_load_explicit(&l->method, memory_order_relaxed);

		if (method == ZB_SAMPLER_OFF)
			continue;
		if (method > (int)out->method)
			out->method = (enum zb_sampler_method)method;
		if (!atomic_load_explicit(&l->kernel_frames, memory_order_relaxed))
			all_kernel = false;
	}
	out->kernel_frames = out->method != ZB_SAMPLER_OFF && all_kernel;
}

const char *zb_sampler_method_name(enum zb_sampler_method m)
{
	static const char *const names[] = {
		[ZB_SAMPLER_OFF] = "off",
		[ZB_SAMPLER_PERF_CYCLES] = "perf cycles",
		[ZB_SAMPLER_PERF_CPU_CLOCK] = "perf cpu-clock",
		[ZB_SAMPLER_TIMER] = "timer signal",
	};

	assert((size_t)m < sizeof(names) / sizeof(names[0]));
	return names[m];
}

struct zb_stack_table *zb_sampler_stacks(struct zb_sampler *s)
{
	return s->stacks;
}

const struct zb_sample_times *zb_sampler_times(struct zb_sampler *s)
{
	zb_sample_times_settle(&s->times);
	return &s->times;
}

uint64_t zb_sampler_start_ns(const struct zb_sampler *s)
{
	return s->start_ns;
}

int zb_sampler_tid(const struct zb_sampler *s, uint32_t lane)
{
	return atomic_load_explicit(&s->lanes[lane].tid, memory_order_relaxed);
}

const struct zb_stack_table *zb_sampler_off_stacks(const struct zb_sampler *s)
{
	return s->off_stacks;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sampler_priv.h - what the two ways of sampling share, and what their tests reach into
 *
 * A lane goes FREE -> ACTIVE (worker attaches) -> ENDED (worker detaches) -> FREE (main has drained
 * the rest and closed it). The state is stored with release and read with acquire order: whoever
 * sees ACTIVE sees the lane's ring, whoever sees ENDED sees its last sample.
 */
#ifndef ZB_PROFILER_SAMPLER_PRIV_H
#define ZB_PROFILER_SAMPLER_PRIV_H

#if defined(__x86_64__)
#include <asm/perf_regs.h>
#endif
#include <linux/perf_event.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>
#include "profiler/off_cpu.h"
#include "profiler/sampler.h"
#include "profiler/unwind_priv.h"

#define ZB_SAMPLE_STACKS_MAX 65536u /* different stacks kept */
#define ZB_PERF_RING_PAGES   256u   /* a power of two; fewer where the kernel allows no more */

/* One sample on its way into the stack table; the pointers hold until the callee returns. */
struct zb_sample {
	uint64_t time_ns;	/* CLOCK_MONOTONIC */
	uint32_t pid, tid;	/* 0 where the lane says it */
	const uint64_t *kernel; /* kernel frames, leaf first */
	uint32_t kernel_depth;
	struct zb_user_stack user; /* user.depth 0: none */
};

/* A thread comes onto a CPU, or leaves it. */
struct zb_switch {
	uint64_t time_ns;
	uint32_t pid, tid;
	bool out, preempted; /* preempted: of those that leave, not of its own accord */
};

/* What is said of processes besides: PERF_RECORD_MMAP2, COMM, FORK, EXIT. */
struct zb_task_event {
	uint32_t type; /* enum perf_event_type */
	uint64_t time_ns;
	uint32_t pid, tid;
	uint32_t ppid, ptid;		/* FORK */
	uint64_t addr, bytes, file_off; /* MMAP2 */
	uint64_t inode;			/* 0: no file */
	bool is_exec;			/* COMM: it runs another program now */
	const char *text;		/* MMAP2: path; COMM: name */
};

/* What a drain found. */
struct zb_sample_sink {
	void (*sample)(struct zb_sample_sink *sink, const struct zb_sample *sample);
	void (*switched)(struct zb_sample_sink *sink, const struct zb_switch *s); /* or NULL */
	void (*task)(struct zb_sample_sink *sink, const struct zb_task_event *e); /* or NULL */
	uint32_t ring;	    /* of many, the one that the record stood in */
	uint64_t lost;	    /* samples that the ring had no room for, or that made no sense */
	uint64_t throttled; /* times the kernel held sampling back */
};

/* perf_ring.c */

#if defined(__x86_64__)
#define ZB_PERF_USER_REGS \
	(1ull << PERF_REG_X86_BP | 1ull << PERF_REG_X86_SP | 1ull << PERF_REG_X86_IP)
#else
#define ZB_PERF_USER_REGS 0
#endif
#define ZB_PERF_SAMPLE_TYPE \
	(PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CALLCHAIN)

struct zb_perf_ring {
	struct perf_event_mmap_page *page; /* head and tail */
	const uint8_t *data;
	size_t data_bytes; /* a power of two */
	bool has_stack;	   /* samples have user registers and stack */
	uint64_t head,
		next_ns; /* of a drain that goes on: its end, and the time of the next record */
};

/* Maps the ring of an event: ring_bytes, a power of two of pages. 0 or -errno. */
int zb_perf_ring_map(struct zb_perf_ring *ring, int fd, size_t ring_bytes);
void zb_perf_ring_unmap(struct zb_perf_ring *ring);

/* Reads all records from tail to head and moves tail. */
void zb_perf_ring_drain(struct zb_perf_ring *ring, struct zb_sample_sink *sink);

/*
 * Reads the records of many rings in the order of their time, up to those of before_ns. What is
 * later stays for the next time. All events have PERF_SAMPLE_TID and _TIME, and sample_id_all.
 */
void zb_perf_rings_drain(struct zb_perf_ring *const ring[], uint32_t nr, uint64_t before_ns,
			 struct zb_sample_sink *sink);

/* perf_task.c: takes a record that is one of a task event, else returns false. */
bool zb_perf_task(struct zb_sample_sink *sink, const uint64_t *rec, size_t bytes);

/* sampler_perf.c */

struct zb_perf_lane {
	int fd;
	struct zb_perf_ring ring;
	int switch_fd; /* of the thread's switches; -1: not to be had */
	struct zb_perf_ring switches;
	enum zb_sampler_method method;
	bool kernel_frames;
};

/* hz, or what the kernel allows when that is less (said). */
uint32_t zb_perf_allowed_hz(uint32_t hz);

/*
 * Opens and starts an event on the calling thread; pages is a power of two. 0 or -errno, not said.
 */
int zb_perf_lane_open(struct zb_perf_lane *p, uint32_t hz, uint32_t pages);
void zb_perf_lane_stop(struct zb_perf_lane *p);
void zb_perf_lane_pause(struct zb_perf_lane *p, bool paused);
void zb_perf_lane_close(struct zb_perf_lane *p);

/* sampler_timer.c */

#define ZB_TIMER_RING_WORDS (1u << 17) /* a power of two; a record takes 644 at most */

/*
 * Written by the signal handler (head, lost), read by main (tail); records are not split but wrap.
 */
struct zb_timer_ring {
	_Atomic uint64_t head, tail; /* words ever written, ever read */
	_Atomic uint64_t lost;
	uint64_t words[ZB_TIMER_RING_WORDS];
};

struct zb_timer_lane {
	struct zb_timer_ring *ring;
	uint64_t stack_lo, stack_hi; /* the thread's stack: [lo, hi) */
	uint64_t lost_seen;
	timer_t timer;
	sigset_t old_mask;
};

int zb_timer_lane_open(struct zb_timer_lane *t, uint32_t hz);
void zb_timer_lane_stop(struct zb_timer_lane *t);
void zb_timer_lane_pause(struct zb_timer_lane *t, bool paused, uint32_t hz);
void zb_timer_lane_close(struct zb_timer_lane *t);
void zb_timer_lane_drain(struct zb_timer_lane *t, struct zb_sample_sink *sink);

/* sampler.c */

enum zb_lane_state { ZB_LANE_FREE, ZB_LANE_ACTIVE, ZB_LANE_ENDED };

struct zb_sampler_lane {
	_Atomic int state;  /* enum zb_lane_state */
	_Atomic int method; /* enum zb_sampler_method, of the last attach */
	_Atomic bool kernel_frames;
	_Atomic int tid;	  /* of the last attach */
	struct zb_perf_lane perf; /* one of the two is in use */
	struct zb_timer_lane timer;
	struct zb_off_cpu off; /* main's */
};

struct zb_sampler {
	struct zb_sampler_conf conf;
	uint32_t perf_hz;	  /* conf.hz, or less where the kernel wants it */
	uint32_t perf_ring_pages; /* ZB_PERF_RING_PAGES, unless a test wants less */
	struct zb_sampler_lane *lanes;
	struct zb_stack_table *stacks, *off_stacks;
	struct zb_unwind *unwind;
	uint64_t samples, lost, throttled;
	struct zb_sample_times times; /* of stacks by their numbers in stacks */
	uint64_t start_ns;	      /* CLOCK_MONOTONIC */
	atomic_flag warned_fallback, warned_failure;
};

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * own_time.h - how much of a span the calling thread was not running, for next to nothing
 *
 * Linux clears the pointer to a thread's restartable sequence (rseq(2), since 4.18) when the thread
 * was preempted, moved or interrupted by a signal outside of that sequence. So a sequence that is
 * never executed tells whether anything happened: two loads instead of a system call. Only when
 * something did is the kernel asked for the thread's CPU time. What a hypervisor takes away stays
 * hidden.
 *
 * Threading: any thread, for itself. The thread must have no restartable sequence of its own.
 * Units:     TSC cycles.
 */
#ifndef ZB_PROFILER_OWN_TIME_H
#define ZB_PROFILER_OWN_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__) && __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
#define ZB_OWN_TIME_TRACED 1

/* The calling thread's area, which glibc has registered; NULL: not registered. */
static inline struct rseq *zb_own_time_area(void)
{
	struct rseq *r = (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);

	return __rseq_size != 0 && (int32_t)r->cpu_id >= 0 ? r : NULL;
}
#endif

struct zb_own_time {
	uint64_t tsc, cpu_ns; /* the thread's CPU time, as of then */
};

/* The thread's CPU time and naps. */
uint64_t zb_own_time_ns(void);
/* The same in cycles of the time-stamp counter; without EAL, in nanoseconds. */
uint64_t zb_own_time_cycles(void);

/*
 * Sleeps for a moment, for whoever waits for another thread, which may need this very CPU. The nap
 * counts as the thread's own time; what it takes beyond that to get a CPU again does not.
 */
void zb_own_time_nap(void);

/* A span begins. */
void zb_own_time_begin(struct zb_own_time *o);

/*
 * True when nothing has happened since the last call of one of the others, by whomever on this
 * thread, or it cannot be known. Asked after every stage, hence inline.
 */
static inline bool zb_own_time_undisturbed(void)
{
#ifdef ZB_OWN_TIME_TRACED
	struct rseq *r = zb_own_time_area();

	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return r == NULL || __atomic_load_n((const uint64_t *)&r->rseq_cs, __ATOMIC_RELAXED) != 0;
#else
	return true;
#endif
}

/* From now on something may happen. */
void zb_own_time_arm(void);

/* Cycles since the span began that the thread did not run; the next one begins. tsc_hz as
 * rte_get_tsc_hz(). */
uint64_t zb_own_time_lost(struct zb_own_time *o, uint64_t tsc_hz);

#endif

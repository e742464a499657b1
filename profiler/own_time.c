/* SPDX-License-Identifier: Apache-2.0 */
/* own_time.c - see own_time.h */
#include "profiler/own_time.h"

#include <time.h>
#include <rte_cycles.h>

#ifdef ZB_OWN_TIME_TRACED
#include <stdalign.h>

/* Never run: the kernel wants to find the signature in front of where it would go on. */
extern const char zb_own_time_abort[];
__asm__(".pushsection .text\n"
	".long 0x53053053\n"
	".globl zb_own_time_abort\n"
	".hidden zb_own_time_abort\n"
	"zb_own_time_abort: ud2\n"
	"ud2; ud2; ud2; ud2\n"
	".popsection\n");
_Static_assert(RSEQ_SIG == 0x53053053, "the signature that glibc has registered");

void zb_own_time_arm(void)
{
	static alignas(32) struct rseq_cs never;
	struct rseq *r = zb_own_time_area();

	if (r == NULL)
		return;
	/* The same values by whichever thread: a race that changes nothing. */
	if (__atomic_load_n(&never.abort_ip, __ATOMIC_ACQUIRE) == 0) {
		__atomic_store_n(&never.start_ip, (uintptr_t)zb_own_time_abort + 4,
				 __ATOMIC_RELAXED);
		__atomic_store_n(&never.post_commit_offset, 1, __ATOMIC_RELAXED);
		__atomic_store_n(&never.abort_ip, (uintptr_t)zb_own_time_abort, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&r->rseq_cs, (uintptr_t)&never, __ATOMIC_RELAXED);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

#else

void zb_own_time_arm(void)
{
}

#endif

#define NAP_NS	   50000
#define NAP_NS_MAX 200000 /* with the kernel's slack; what is more was waiting for a CPU */

static __thread uint64_t napped_ns;

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	return clock_gettime(clock, &t) == 0
		       ? (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec
		       : 0;
}

uint64_t zb_own_time_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID) + napped_ns;
}

void zb_own_time_nap(void)
{
	const struct timespec nap = {.tv_nsec = NAP_NS};
	uint64_t cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID), from = clock_ns(CLOCK_MONOTONIC), off;

	/* Woken early by a signal: then it was short. */
	(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
	off = clock_ns(CLOCK_MONOTONIC) - from;
	cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
	off = off > cpu ? off - cpu : 0;
	napped_ns += off < NAP_NS_MAX ? off : NAP_NS_MAX;
}

uint64_t zb_own_time_cycles(void)
{
	uint64_t hz = rte_get_tsc_hz();

	return (uint64_t)((double)zb_own_time_ns() * 1e-9 * (double)(hz != 0 ? hz : 1000000000u));
}

void zb_own_time_begin(struct zb_own_time *o)
{
	/* Armed first: what comes between the two is seen next time. */
	zb_own_time_arm();
	o->cpu_ns = zb_own_time_ns();
	o->tsc = rte_rdtsc();
}

uint64_t zb_own_time_lost(struct zb_own_time *o, uint64_t tsc_hz)
{
	struct zb_own_time was = *o;

	zb_own_time_begin(o);
	double ran = (double)(o->cpu_ns - was.cpu_ns) * 1e-9 * (double)tsc_hz;
	double all = (double)(o->tsc - was.tsc);

	return all > ran ? (uint64_t)(all - ran) : 0;
}

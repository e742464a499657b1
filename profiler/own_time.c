/* SPDX-License-Identifier: Apache-2.0 */
/* own_time.c - see own_time.h */
#include "profiler/own_time.h"

#include <time.h>
#include <rte_cycles.h>

#define LONG_AGO_S 0.1 /* so that an error of tsc_hz does not add up */

#if defined(__x86_64__) && __has_include(<sys/rseq.h>)
#include <stdalign.h>
#include <sys/rseq.h>

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

/* The thread's area, which glibc has registered; NULL: not registered. */
static struct rseq *area(void)
{
	struct rseq *r = (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);

	return __rseq_size != 0 && (int32_t)r->cpu_id >= 0 ? r : NULL;
}

static void arm(void)
{
	static alignas(32) struct rseq_cs never;
	struct rseq *r = area();

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

bool zb_own_time_undisturbed(void)
{
	struct rseq *r = area();

	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return r == NULL || __atomic_load_n((const uint64_t *)&r->rseq_cs, __ATOMIC_RELAXED) != 0;
}

#else

static void arm(void)
{
}

bool zb_own_time_undisturbed(void)
{
	return true;
}

#endif

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void look(struct zb_own_time *o)
{
	/* Armed first: what comes between the two is seen next time. */
	arm();
	o->cpu_ns = cpu_ns();
	o->tsc = rte_rdtsc();
	o->known = true;
}

void zb_own_time_begin(struct zb_own_time *o, uint64_t tsc_hz)
{
	if (!o->known || !zb_own_time_undisturbed() ||
	    (double)(rte_rdtsc() - o->tsc) > LONG_AGO_S * (double)tsc_hz)
		look(o);
}

uint64_t zb_own_time_lost(struct zb_own_time *o, uint64_t tsc_hz)
{
	struct zb_own_time was = *o;

	look(o);
	double ran = (double)(o->cpu_ns - was.cpu_ns) * 1e-9 * (double)tsc_hz;
	double all = (double)(o->tsc - was.tsc);

	return all > ran ? (uint64_t)(all - ran) : 0;
}

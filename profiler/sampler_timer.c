/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sampler_timer.c - samples by a timer on the thread's own CPU time, for where perf_event may not
 * be used
 *
 * The timer signals the thread itself; the handler walks the frame pointers inside the thread's
 * stack, and copies what the unwinder wants, into the lane's ring. It only asks for the time. The
 * kernel checks such timers at its tick, so the rate ends at the tick rate (often 250 Hz).
 * SIGPROF's handler stays installed for the life of the process: taken away, a signal still on its
 * way would end the process.
 *
 * A record in the ring, in words of 8 bytes: depth, stack bytes, sp, bp, time, then the chain, then
 * the stack.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>
#include "profiler/clock.h"
#include "profiler/sampler_priv.h"

#define HEAD_WORDS   5u
#define RECORD_WORDS (HEAD_WORDS + ZB_STACK_DEPTH_MAX + ZB_UNWIND_STACK_BYTES / 8)
#define RING_MASK    (ZB_TIMER_RING_WORDS - 1)

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

/* The handler reads stack words that the compiler's checks know as red zones. */
#define NO_SANITIZE __attribute__((no_sanitize("address", "undefined")))

/* The lane of this thread; NULL: a signal that comes now is late or not ours. */
static __thread struct zb_timer_lane *volatile self_lane;

static pthread_once_t handler_once = PTHREAD_ONCE_INIT;
static int handler_ret;

/* False where nothing is known about the machine's registers. */
static bool read_regs(const ucontext_t *uc, struct zb_user_regs *regs)
{
#if defined(__x86_64__)
	regs->ip = (uint64_t)uc->uc_mcontext.gregs[REG_RIP];
	regs->sp = (uint64_t)uc->uc_mcontext.gregs[REG_RSP];
	regs->bp = (uint64_t)uc->uc_mcontext.gregs[REG_RBP];
	return true;
#elif defined(__aarch64__)
	regs->ip = uc->uc_mcontext.pc;
	regs->sp = uc->uc_mcontext.sp;
	regs->bp = uc->uc_mcontext.regs[29];
	return true;
#else
	(void)uc;
	(void)regs;
	return false;
#endif
}

/*
 * Puts the chain at word `at` of the ring; returns its depth. A frame is two words on either
 * machine: the caller's frame pointer, then the return address. Frames lie above the stack pointer,
 * each above the last, and all inside the thread's stack, so whatever a register holds nothing else
 * is ever read.
 */
NO_SANITIZE static uint32_t put_chain(struct zb_timer_lane *t, const struct zb_user_regs *regs,
				      uint64_t at)
{
	uint64_t lowest = regs->sp, fp = regs->bp;
	uint32_t depth = 0;

	t->ring->words[at++ & RING_MASK] = regs->ip;
	depth++;
	if (regs->sp < t->stack_lo || regs->sp >= t->stack_hi)
		return depth;
	while (depth < ZB_STACK_DEPTH_MAX) {
		const uint64_t *frame = (const uint64_t *)fp;

		if (fp % 8 != 0 || fp < lowest || fp >= t->stack_hi || t->stack_hi - fp < 16 ||
		    frame[1] == 0)
			break;
		t->ring->words[at++ & RING_MASK] = frame[1];
		depth++;
		lowest = fp + 16;
		fp = frame[0];
	}
	return depth;
}

/* Puts the first words of the stack; returns their size in bytes. */
NO_SANITIZE static uint64_t put_stack(struct zb_timer_lane *t, uint64_t sp, uint64_t at)
{
	const uint64_t *words = (const uint64_t *)sp;
	uint64_t bytes;

#if !defined(__x86_64__)
	return 0; /* nobody would read it */
#endif
	if (sp % 8 != 0 || sp < t->stack_lo || sp >= t->stack_hi)
		return 0;
	bytes = t->stack_hi - sp;
	if (bytes > ZB_UNWIND_STACK_BYTES)
		bytes = ZB_UNWIND_STACK_BYTES;
	for (uint64_t i = 0; i < bytes / 8; i++)
		t->ring->words[at++ & RING_MASK] = words[i];
	return bytes & ~7ull;
}

NO_SANITIZE static void on_sigprof(int sig, siginfo_t *info, void *context)
{
	struct zb_timer_lane *t = self_lane;
	struct zb_user_regs regs;
	struct zb_timer_ring *ring;
	uint64_t head, tail, depth, bytes;

	(void)sig;
	if (t == NULL || info->si_code != SI_TIMER || !read_regs(context, &regs))
		return;
	ring = t->ring;
	head = atomic_load_explicit(&ring->head, memory_order_relaxed); /* only written here */
	/* Acquire: main has read what lies below tail. */
	tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
	if (ZB_TIMER_RING_WORDS - (head - tail) < RECORD_WORDS) {
		atomic_fetch_add_explicit(&ring->lost, 1, memory_order_relaxed);
		return;
	}
	depth = put_chain(t, &regs, head + HEAD_WORDS);
	bytes = put_stack(t, regs.sp, head + HEAD_WORDS + depth);
	ring->words[head & RING_MASK] = depth;
	ring->words[(head + 1) & RING_MASK] = bytes;
	ring->words[(head + 2) & RING_MASK] = regs.sp;
	ring->words[(head + 3) & RING_MASK] = regs.bp;
	ring->words[(head + 4) & RING_MASK] = zb_clock_ns();
	/* Release: whoever sees the new head sees the record. */
	atomic_store_explicit(&ring->head, head + HEAD_WORDS + depth + bytes / 8,
			      memory_order_release);
}

static void install_handler(void)
{
	struct sigaction sa = {.sa_sigaction = on_sigprof, .sa_flags = SA_SIGINFO | SA_RESTART};

	sigemptyset(&sa.sa_mask);
	if (sigaction(SIGPROF, &sa, NULL) < 0)
		handler_ret = -errno;
}

static int find_stack(struct zb_timer_lane *t)
{
	pthread_attr_t attr;
	size_t bytes;
	void *lo;
	int ret = pthread_getattr_np(pthread_self(), &attr);

	if (ret != 0)
		return -ret;
	ret = pthread_attr_getstack(&attr, &lo, &bytes);
	pthread_attr_destroy(&attr);
	if (ret != 0)
		return -ret;
	t->stack_lo = (uint64_t)lo;
	t->stack_hi = (uint64_t)lo + bytes;
	return 0;
}

static struct itimerspec timer_period(uint32_t hz)
{
	struct timespec step = {.tv_nsec = 1000000000 / (long)hz};

	if (hz == 1)
		step = (struct timespec){.tv_sec = 1};
	return (struct itimerspec){.it_interval = step, .it_value = step};
}

void zb_timer_lane_pause(struct zb_timer_lane *t, bool paused, uint32_t hz)
{
	struct itimerspec spec = {.it_value.tv_sec = 0};

	if (!paused)
		spec = timer_period(hz);
	(void)timer_settime(t->timer, 0, &spec, NULL);
}

static int start_timer(struct zb_timer_lane *t, uint32_t hz)
{
	struct itimerspec spec = timer_period(hz);
	struct sigevent ev = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGPROF};
	int ret;

	ev.sigev_notify_thread_id = gettid();
	if (timer_create(CLOCK_THREAD_CPUTIME_ID, &ev, &t->timer) < 0)
		return -errno;
	self_lane = t;
	if (timer_settime(t->timer, 0, &spec, NULL) < 0) {
		ret = -errno;
		self_lane = NULL;
		timer_delete(t->timer);
		return ret;
	}
	return 0;
}

int zb_timer_lane_open(struct zb_timer_lane *t, uint32_t hz)
{
	sigset_t unblock;
	int ret;

	memset(t, 0, sizeof(*t));
	pthread_once(&handler_once, install_handler);
	if (handler_ret < 0)
		return handler_ret;
	ret = find_stack(t);
	if (ret < 0)
		return ret;
	t->ring = calloc(1, sizeof(*t->ring));
	if (t->ring == NULL)
		return -ENOMEM;
	sigemptyset(&unblock);
	sigaddset(&unblock, SIGPROF);
	ret = -pthread_sigmask(SIG_UNBLOCK, &unblock, &t->old_mask);
	if (ret < 0)
		goto free_ring;
	ret = start_timer(t, hz);
	if (ret < 0)
		goto restore_mask;
	return 0;

restore_mask:
	pthread_sigmask(SIG_SETMASK, &t->old_mask, NULL);
free_ring:
	free(t->ring);
	return ret;
}

void zb_timer_lane_stop(struct zb_timer_lane *t)
{
	timer_delete(t->timer);
	self_lane = NULL;
	pthread_sigmask(SIG_SETMASK, &t->old_mask, NULL);
}

void zb_timer_lane_close(struct zb_timer_lane *t)
{
	free(t->ring);
	t->ring = NULL;
}

void zb_timer_lane_drain(struct zb_timer_lane *t, struct zb_sample_sink *sink)
{
	struct zb_timer_ring *ring = t->ring;
	/* Acquire: the records below head are written. */
	uint64_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
	uint64_t tail =
		atomic_load_explicit(&ring->tail, memory_order_relaxed); /* only written here */
	uint64_t lost = atomic_load_explicit(&ring->lost, memory_order_relaxed);
	uint64_t rec[RECORD_WORDS];

	while (tail != head) {
		struct zb_sample s = {0};
		uint64_t words = HEAD_WORDS + ring->words[tail & RING_MASK] +
				 ring->words[(tail + 1) & RING_MASK] / 8;

		for (uint64_t i = 0; i < words; i++)
			rec[i] = ring->words[(tail + i) & RING_MASK];
		s.time_ns = rec[4];
		s.user = (struct zb_user_stack){
			.regs = {.ip = rec[HEAD_WORDS], .sp = rec[2], .bp = rec[3]},
			.chain = rec + HEAD_WORDS,
			.depth = (uint32_t)rec[0],
			.stack = rec + HEAD_WORDS + rec[0],
			.stack_bytes = (uint32_t)rec[1],
		};
		sink->sample(sink, &s);
		tail += words;
	}
	/* Release: the handler may overwrite what lies below tail, now that it has been read. */
	atomic_store_explicit(&ring->tail, tail, memory_order_release);
	sink->lost += lost - t->lost_seen;
	t->lost_seen = lost;
}

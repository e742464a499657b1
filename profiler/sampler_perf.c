/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sampler_perf.c - samples by perf_event: one event and one ring per worker thread
 *
 * Nobody waits for the ring: main reads it some ten times a second. A record that wraps is copied
 * together. A sample record holds, in this order: ip; pid, tid; time; call chain; and on x86-64 the
 * user registers bp, sp, ip and the first bytes of the user stack.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <asm/perf_regs.h>
#endif
#include "profiler/diag.h"
#include "profiler/sampler_priv.h"

#define RECORD_BYTES_MAX (1u << 16) /* the size field has 16 bits */
#define RATE_PATH	 "/proc/sys/kernel/perf_event_max_sample_rate"

#if defined(__x86_64__)
#define USER_REGS (1ull << PERF_REG_X86_BP | 1ull << PERF_REG_X86_SP | 1ull << PERF_REG_X86_IP)
#else
#define USER_REGS 0
#endif

#define STACK_BYTES_MIN 256u

#define SAMPLE_TYPE (PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CALLCHAIN)

/*
 * The kernel refuses rates above its limit, and lowers that limit by itself when interrupts take
 * too long.
 */
uint32_t zb_perf_allowed_hz(uint32_t hz)
{
	FILE *f = fopen(RATE_PATH, "re");
	unsigned max;

	if (f == NULL)
		return hz;
	if (fscanf(f, "%u", &max) == 1 && max > 0 && max < hz) {
		zb_warn("sampler: %u samples per second: the kernel allows %u; raise %s", hz, max,
			RATE_PATH);
		hz = max;
	}
	fclose(f);
	return hz;
}

/*
 * Bytes of the stack to copy with each sample, a multiple of 8: what 100 ms of samples put into
 * half a ring.
 */
static uint32_t stack_bytes(uint32_t hz, size_t ring_bytes)
{
	size_t bytes = ring_bytes / 2 * 10 / hz / 8 * 8;

	if (bytes < STACK_BYTES_MIN)
		return STACK_BYTES_MIN;
	return bytes < ZB_UNWIND_STACK_BYTES ? (uint32_t)bytes : ZB_UNWIND_STACK_BYTES;
}

/*
 * Opens the best event that is allowed: cycles before cpu-clock, with the kernel's share before
 * without.
 */
static int open_event(struct zb_perf_lane *p, uint32_t hz, size_t ring_bytes)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.freq = 1,
		.sample_freq = hz,
		.sample_type = SAMPLE_TYPE,
		.disabled = 1,
		.exclude_hv = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.sample_regs_user = USER_REGS,
	};
	int ret = -ENOTSUP;

	if (USER_REGS != 0) {
		attr.sample_type |= PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER;
		attr.sample_stack_user = stack_bytes(hz, ring_bytes);
	}
	for (int i = 0; i < 4; i++) {
		bool cycles = i < 2, kernel = i % 2 == 0;

		attr.type = cycles ? PERF_TYPE_HARDWARE : PERF_TYPE_SOFTWARE;
		attr.config = cycles ? (uint64_t)PERF_COUNT_HW_CPU_CYCLES : PERF_COUNT_SW_CPU_CLOCK;
		attr.exclude_kernel = !kernel;
		attr.exclude_callchain_kernel = !kernel;
		p->fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
		if (p->fd >= 0) {
			p->method = cycles ? ZB_SAMPLER_PERF_CYCLES : ZB_SAMPLER_PERF_CPU_CLOCK;
			p->kernel_frames = kernel;
			return 0;
		}
		ret = -errno;
	}
	return ret;
}

static int map_ring(struct zb_perf_lane *p, size_t ring_bytes, size_t page_bytes)
{
	void *map;

	p->map_bytes = ring_bytes + page_bytes;
	map = mmap(NULL, p->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, p->fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	p->ring.page = map;
	p->ring.data = (const uint8_t *)map + page_bytes;
	p->ring.data_bytes = ring_bytes;
	return 0;
}

/* An event with a ring of exactly this many pages. */
static int open_with_ring(struct zb_perf_lane *p, uint32_t hz, uint32_t pages)
{
	size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	int ret = open_event(p, hz, pages * page_bytes);

	if (ret < 0)
		return ret;
	ret = map_ring(p, pages * page_bytes, page_bytes);
	if (ret < 0)
		goto close_fd;
	if (ioctl(p->fd, PERF_EVENT_IOC_ENABLE, 0) < 0) {
		ret = -errno;
		goto unmap;
	}
	return 0;

unmap:
	munmap(p->ring.page, p->map_bytes);
close_fd:
	close(p->fd);
	return ret;
}

int zb_perf_lane_open(struct zb_perf_lane *p, uint32_t hz, uint32_t pages)
{
	int ret = -EINVAL;

	/* Ordinary users may lock kernel.perf_event_mlock_kb per CPU, all their rings together. */
	for (; pages > 0; pages /= 2) {
		ret = open_with_ring(p, hz, pages);
		if (ret != -EPERM && ret != -ENOMEM)
			break;
	}
	return ret;
}

void zb_perf_lane_stop(struct zb_perf_lane *p)
{
	/* Cannot fail on an open event; if it did, closing would end it just as well. */
	(void)ioctl(p->fd, PERF_EVENT_IOC_DISABLE, 0);
}

void zb_perf_lane_pause(struct zb_perf_lane *p, bool paused)
{
	(void)ioctl(p->fd, paused ? PERF_EVENT_IOC_DISABLE : PERF_EVENT_IOC_ENABLE, 0);
}

void zb_perf_lane_close(struct zb_perf_lane *p)
{
	munmap(p->ring.page, p->map_bytes);
	close(p->fd);
}

/* A record being read, 8 bytes at a time; what it lacks makes all further reads fail. */
struct reader {
	const uint64_t *at, *end;
	bool bad;
};

static uint64_t take(struct reader *r)
{
	if (r->at == r->end) {
		r->bad = true;
		return 0;
	}
	return *r->at++;
}

static const uint64_t *take_many(struct reader *r, uint64_t nr)
{
	const uint64_t *at = r->at;

	if (nr > (uint64_t)(r->end - r->at)) {
		r->bad = true;
		return NULL;
	}
	r->at += nr;
	return at;
}

/*
 * Sorts a chain into kernel and user frames; the marks between them go. Returns how many frames are
 * left.
 */
static uint32_t sort_chain(struct zb_sample *s, const uint64_t *chain, uint64_t nr, uint64_t *out)
{
	bool user = true;
	uint32_t kept = 0;

	for (uint64_t i = 0; i < nr && kept < ZB_STACK_DEPTH_MAX; i++) {
		if (chain[i] >= (uint64_t)PERF_CONTEXT_MAX) {
			user = chain[i] == (uint64_t)PERF_CONTEXT_USER;
			if (user)
				s->kernel_depth = kept;
		} else if (chain[i] != 0 && user == !(chain[i] >> 63)) {
			out[kept++] = chain[i];
		}
	}
	if (!user)
		s->kernel_depth = kept;
	s->kernel = out;
	s->user.chain = out + s->kernel_depth;
	s->user.depth = kept - s->kernel_depth;
	return kept;
}

static void take_user_stack(struct reader *r, struct zb_user_stack *u)
{
	uint64_t bytes, used;
	const uint64_t *stack;

	if (take(r) != PERF_SAMPLE_REGS_ABI_NONE) { /* else there are no registers */
		u->regs.bp = take(r);
		u->regs.sp = take(r);
		u->regs.ip = take(r);
	}
	bytes = take(r);
	if (bytes == 0)
		return;
	stack = take_many(r, bytes / 8);
	used = take(r);
	if (r->bad || used > bytes || u->regs.sp == 0)
		return;
	u->stack = stack;
	u->stack_bytes = (uint32_t)used;
}

static void take_sample(struct zb_sample_sink *sink, struct reader *r)
{
	uint64_t frames[ZB_STACK_DEPTH_MAX];
	struct zb_sample s = {0};
	uint64_t ip = take(r), nr;
	const uint64_t *chain;

	(void)take(r); /* pid and tid */
	s.time_ns = take(r);
	nr = take(r);
	chain = take_many(r, nr);
	if (r->bad) {
		sink->lost++;
		return;
	}
	if (sort_chain(&s, chain, nr, frames) == 0) {
		/* No chain at all, as for a 32-bit or foreign context: the address alone. */
		frames[0] = ip;
		s.kernel_depth = (uint32_t)(ip >> 63);
		s.user.depth = 1 - s.kernel_depth;
		s.user.chain = frames;
	}
	if (USER_REGS != 0)
		take_user_stack(r, &s.user);
	sink->sample(sink, &s);
}

static void take_record(struct zb_sample_sink *sink, const uint64_t *rec, size_t bytes)
{
	const struct perf_event_header *h = (const struct perf_event_header *)rec;
	struct reader r = {.at = rec + 1, .end = rec + bytes / 8};

	if (h->type == PERF_RECORD_SAMPLE) {
		take_sample(sink, &r);
	} else if (h->type == PERF_RECORD_LOST) {
		(void)take(&r); /* the event's id */
		sink->lost += take(&r);
	} else if (h->type == PERF_RECORD_THROTTLE) {
		sink->throttled++;
	}
}

void zb_perf_ring_drain(struct zb_perf_ring *ring, struct zb_sample_sink *sink)
{
	/* Acquire: the records below head are written; release: they are read before tail moves. */
	uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = ring->page->data_tail;
	uint64_t copy[RECORD_BYTES_MAX / 8];

	while (tail != head) {
		size_t at = tail & (ring->data_bytes - 1), left = ring->data_bytes - at;
		const uint8_t *rec = ring->data + at;
		const struct perf_event_header *h = (const struct perf_event_header *)rec;
		size_t bytes = h->size;

		/*
		 * Records are whole words; anything else means that head or the ring is not what it
		 * was.
		 */
		if (head - tail < sizeof(*h) || bytes < sizeof(*h) || bytes % 8 != 0 ||
		    bytes > head - tail) {
			sink->lost++;
			tail = head;
			break;
		}
		if (bytes > left) {
			memcpy(copy, rec, left);
			memcpy((uint8_t *)copy + left, ring->data, bytes - left);
			rec = (const uint8_t *)copy;
		}
		take_record(sink, (const uint64_t *)rec, bytes);
		tail += bytes;
	}
	__atomic_store_n(&ring->page->data_tail, tail, __ATOMIC_RELEASE);
}

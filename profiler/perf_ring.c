/* SPDX-License-Identifier: Apache-2.0 */
/*
 * perf_ring.c - reads the ring of a perf_event: samples, switches, and what was lost
 *
 * A record that wraps is copied together. A sample record holds, in this order: ip; pid, tid; time;
 * call chain; and where the event asks for them the user registers bp, sp, ip and the first bytes
 * of the user stack. Other records end in pid, tid; time.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "profiler/sampler_priv.h"

#define RECORD_BYTES_MAX (1u << 16) /* the size field has 16 bits */

int zb_perf_ring_map(struct zb_perf_ring *ring, int fd, size_t ring_bytes)
{
	size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	void *map = mmap(NULL, ring_bytes + page_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return -errno;
	ring->page = map;
	ring->data = (const uint8_t *)map + page_bytes;
	ring->data_bytes = ring_bytes;
	return 0;
}

void zb_perf_ring_unmap(struct zb_perf_ring *ring)
{
	munmap(ring->page, ring->data_bytes + (size_t)sysconf(_SC_PAGESIZE));
	ring->page = NULL;
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

/* Two numbers of 32 bits in one word. */
static void take_ids(struct reader *r, uint32_t *pid, uint32_t *tid)
{
	union {
		uint64_t word;
		uint32_t half[2];
	} ids = {.word = take(r)};

	*pid = ids.half[0];
	*tid = ids.half[1];
}

static void take_sample(struct zb_sample_sink *sink, struct reader *r, bool has_stack)
{
	uint64_t frames[ZB_STACK_DEPTH_MAX];
	struct zb_sample s = {0};
	uint64_t ip = take(r), nr;
	const uint64_t *chain;

	take_ids(r, &s.pid, &s.tid);
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
	if (has_stack)
		take_user_stack(r, &s.user);
	sink->sample(sink, &s);
}

/* What follows in a record of a switch on a CPU, of any process, is whom it was for. */
static void take_switch(struct zb_sample_sink *sink, struct reader *r,
			const struct perf_event_header *h)
{
	struct zb_switch s = {
		.out = (h->misc & PERF_RECORD_MISC_SWITCH_OUT) != 0,
		.preempted = (h->misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT) != 0,
	};

	if (h->type == PERF_RECORD_SWITCH_CPU_WIDE)
		(void)take(r);
	take_ids(r, &s.pid, &s.tid);
	s.time_ns = take(r);
	if (r->bad)
		sink->lost++;
	else if (sink->switched != NULL)
		sink->switched(sink, &s);
}

static void take_record(struct zb_sample_sink *sink, const uint64_t *rec, size_t bytes,
			bool has_stack)
{
	const struct perf_event_header *h = (const struct perf_event_header *)rec;
	struct reader r = {.at = rec + 1, .end = rec + bytes / 8};

	if (h->type == PERF_RECORD_SAMPLE) {
		take_sample(sink, &r, has_stack);
	} else if (h->type == PERF_RECORD_LOST) {
		(void)take(&r); /* the event's id */
		sink->lost += take(&r);
	} else if (h->type == PERF_RECORD_SWITCH || h->type == PERF_RECORD_SWITCH_CPU_WIDE) {
		take_switch(sink, &r, h);
	} else if (h->type == PERF_RECORD_THROTTLE) {
		sink->throttled++;
	} else if (sink->task != NULL) {
		(void)zb_perf_task(sink, rec, bytes);
	}
}

/*
 * The record at tail; wrapped ones are put together in copy, of RECORD_BYTES_MAX. Records are whole
 * words; NULL: they are not, which means that head or the ring is not what it was.
 */
static const uint64_t *record_at(const struct zb_perf_ring *ring, uint64_t tail, uint64_t head,
				 uint64_t *copy, size_t *bytes)
{
	size_t at = tail & (ring->data_bytes - 1), left = ring->data_bytes - at;
	const uint8_t *rec = ring->data + at;

	if (head - tail < sizeof(struct perf_event_header))
		return NULL;
	*bytes = ((const struct perf_event_header *)rec)->size;
	if (*bytes < sizeof(struct perf_event_header) || *bytes % 8 != 0 || *bytes > head - tail ||
	    *bytes > ring->data_bytes)
		return NULL;
	if (*bytes <= left)
		return (const uint64_t *)rec;
	memcpy(copy, rec, left);
	memcpy((uint8_t *)copy + left, ring->data, *bytes - left);
	return copy;
}

void zb_perf_ring_drain(struct zb_perf_ring *ring, struct zb_sample_sink *sink)
{
	/* Acquire: the records below head are written; release: they are read before tail moves. */
	uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = ring->page->data_tail;
	uint64_t copy[RECORD_BYTES_MAX / 8];

	while (tail != head) {
		size_t bytes;
		const uint64_t *rec = record_at(ring, tail, head, copy, &bytes);

		if (rec == NULL) {
			sink->lost++;
			tail = head;
			break;
		}
		take_record(sink, rec, bytes, ring->has_stack);
		tail += bytes;
	}
	__atomic_store_n(&ring->page->data_tail, tail, __ATOMIC_RELEASE);
}

static uint64_t word_at(const struct zb_perf_ring *ring, uint64_t at)
{
	return *(const uint64_t *)(const void *)(ring->data + (at & (ring->data_bytes - 1)));
}

/* The time of the record at tail: a sample's fourth word, the last one of all others. */
static void look_ahead(struct zb_perf_ring *ring)
{
	uint64_t tail = ring->page->data_tail, word;
	struct perf_event_header h;

	ring->next_ns = UINT64_MAX; /* nothing there */
	if (tail == ring->head)
		return;
	word = word_at(ring, tail);
	memcpy(&h, &word, sizeof(h));
	/* What is no record counts as the first of all: it is thrown away. */
	ring->next_ns = 0;
	if (h.size < 4 * 8 || h.size % 8 != 0 || h.size > ring->head - tail)
		return;
	ring->next_ns =
		word_at(ring, h.type == PERF_RECORD_SAMPLE ? tail + 3 * 8 : tail + h.size - 8);
}

/* Takes the record at tail. */
static void take_next(struct zb_perf_ring *ring, uint64_t *copy, struct zb_sample_sink *sink)
{
	uint64_t tail = ring->page->data_tail;
	size_t bytes = ring->head - tail;
	const uint64_t *rec = record_at(ring, tail, ring->head, copy, &bytes);

	if (rec != NULL) {
		take_record(sink, rec, bytes, ring->has_stack);
	} else {
		sink->lost++;
		bytes = ring->head - tail;
	}
	/* Release: it is read before tail moves. */
	__atomic_store_n(&ring->page->data_tail, tail + bytes, __ATOMIC_RELEASE);
	look_ahead(ring);
}

void zb_perf_rings_drain(struct zb_perf_ring *const ring[], uint32_t nr, uint64_t before_ns,
			 struct zb_sample_sink *sink)
{
	uint64_t copy[RECORD_BYTES_MAX / 8];

	for (uint32_t i = 0; i < nr; i++) {
		/* Acquire: the records below head are written. */
		ring[i]->head = __atomic_load_n(&ring[i]->page->data_head, __ATOMIC_ACQUIRE);
		look_ahead(ring[i]);
	}
	for (;;) {
		uint64_t first = UINT64_MAX, second = UINT64_MAX;
		uint32_t at = 0;

		for (uint32_t i = 0; i < nr; i++) {
			if (ring[i]->next_ns < first) {
				second = first;
				first = ring[i]->next_ns;
				at = i;
			} else if (ring[i]->next_ns < second) {
				second = ring[i]->next_ns;
			}
		}
		if (first >= before_ns)
			return;
		sink->ring = at;
		do
			take_next(ring[at], copy, sink);
		while (ring[at]->next_ns <= second && ring[at]->next_ns < before_ns);
	}
}

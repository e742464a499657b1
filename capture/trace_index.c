/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace_index.c - the packets' index entries: arrays that grow without being copied, and their
 * merge
 *
 * An array grows by remapping, so no moment holds an old and a new copy of it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include "profiler/diag.h"
#include "capture/trace_priv.h"

#define FIRST_BYTES ((uint64_t)64 << 10)
#define STEP_BYTES  ((uint64_t)64 << 20)

int zb_index_grow(struct zb_index *x, int numa_id)
{
	uint64_t size = x->region.size, step = size < STEP_BYTES ? size : STEP_BYTES;
	int ret;

	if (x->region.base == NULL) {
		x->region.numa_id = numa_id;
		ret = zb_region_map(&x->region, FIRST_BYTES, false);
	} else {
		/*
		 * Only large steps can be what fills the memory; small ones are not worth asking.
		 */
		if (step == STEP_BYTES && zb_memory_check("trace index", step) < 0)
			return -ENOMEM;
		ret = zb_region_grow(&x->region, size + step);
	}
	if (ret < 0) {
		zb_err("trace index: no address space for %" PRIu64
		       " MiB; raise the limit (ulimit -v)",
		       (size + step) >> 20);
		return ret;
	}
	x->pkts = (struct zb_trace_pkt *)(void *)x->region.base;
	x->max = x->region.size / sizeof(*x->pkts);
	return 0;
}

void zb_index_free(struct zb_index *x)
{
	zb_region_unmap(&x->region);
	x->pkts = NULL;
	x->nr = 0;
	x->max = 0;
}

/* A run's next packet; heads form a binary heap with the earliest on top. */
struct head {
	uint64_t ts_ns;
	uint64_t pos, end;
	uint32_t run;
};

static bool before(const struct head *a, const struct head *b)
{
	if (a->ts_ns != b->ts_ns)
		return a->ts_ns < b->ts_ns;
	return a->run < b->run;
}

static void sift_down(struct head *h, uint32_t nr, uint32_t i)
{
	for (;;) {
		uint32_t least = i, left = 2 * i + 1, right = left + 1;
		struct head t;

		if (left < nr && before(&h[left], &h[least]))
			least = left;
		if (right < nr && before(&h[right], &h[least]))
			least = right;
		if (least == i)
			return;
		t = h[i];
		h[i] = h[least];
		h[least] = t;
		i = least;
	}
}

static uint32_t heads_init(struct head *h, const struct zb_trace_pkt *pkts, const uint64_t *end,
			   uint32_t run_nr)
{
	uint32_t nr = 0;
	uint64_t from = 0;

	for (uint32_t i = 0; i < run_nr; i++) {
		if (from < end[i])
			h[nr++] = (struct head){pkts[from].ts_ns, from, end[i], i};
		from = end[i];
	}
	for (uint32_t i = nr; i-- > 0;)
		sift_down(h, nr, i);
	return nr;
}

int zb_index_merge(const struct zb_trace_pkt *pkts, const uint64_t *end, uint32_t run_nr,
		   int (*take)(void *arg, const struct zb_trace_pkt *p), void *arg)
{
	struct head *h = calloc(run_nr, sizeof(*h));
	uint32_t nr;
	int ret = 0;

	if (h == NULL) {
		zb_err("trace index: out of memory");
		return -ENOMEM;
	}
	nr = heads_init(h, pkts, end, run_nr);
	while (nr > 0 && ret == 0) {
		ret = take(arg, &pkts[h[0].pos++]);
		if (h[0].pos == h[0].end)
			h[0] = h[--nr];
		else
			h[0].ts_ns = pkts[h[0].pos].ts_ns;
		sift_down(h, nr, 0);
	}
	free(h);
	return ret;
}

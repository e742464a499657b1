/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_trace.c - any bytes as a capture file: loaded, hashed, replayed, rewritten and restored
 *
 * fuzz_trace -close_fd_mask=2 -max_len=65536 tests/fuzz/corpus/trace    (the mask hides our own
 * errors)
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "capture/rss.h"
#include "capture/source_replay.h"
#include "profiler/lcore_stat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SHARD_NR 2u
#define LOOPS	 3u

static void must(int holds)
{
	if (!holds)
		abort();
}

/* The sum of all bytes, so that every one is read. */
static uint64_t sum_pkts(const struct zb_trace_shard *s)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < s->pkt_nr; i++) {
		const struct zb_trace_pkt *p = &s->pkts[i];

		must(p->cap_len <= p->wire_len && p->cap_len <= ZB_RECORD_MAX);
		for (uint32_t k = 0; k < p->cap_len; k++)
			sum = sum * 31 + p->data[k];
	}
	return sum;
}

static uint64_t drain(struct zb_rxq *q)
{
	struct zb_pkt pkts[ZB_BURST_MAX];
	uint64_t nr = 0;
	uint16_t n;

	while ((n = zb_rxq_burst(q, pkts, ZB_BURST_MAX, UINT64_MAX)) > 0)
		for (uint16_t i = 0; i < n; i++)
			nr += (pkts[i].flags & ZB_PKT_INNER_ONLY) == 0;
	must(q->done);
	return nr;
}

static void replay(struct zb_trace *t)
{
	struct zb_replay_conf conf = {.trace = t, .queue_nr = SHARD_NR, .loops = LOOPS};
	uint64_t before[SHARD_NR], nr = 0;
	struct zb_replay *r;

	must(zb_replay_open(&conf, &r) == 0);
	for (uint32_t q = 0; q < SHARD_NR; q++) {
		before[q] = sum_pkts(zb_trace_shard(t, q));
		nr += drain(zb_replay_queue(r, q));
	}
	must(nr == LOOPS * zb_trace_info(t)->pkt_nr);
	zb_replay_close(r);
	for (uint32_t q = 0; q < SHARD_NR; q++)
		must(sum_pkts(zb_trace_shard(t, q)) == before[q]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[32];
	const char *path_p = path;
	struct zb_trace_conf conf = {.paths = &path_p,
				     .path_nr = 1,
				     .shard_nr = SHARD_NR,
				     .numa_id = -1,
				     .digest = true};
	struct zb_trace *t;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	must(fd >= 0);
	must(write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (zb_trace_load(&conf, &t) == 0) {
		replay(t);
		zb_trace_free(t);
	}
	close(fd);
	return 0;
}

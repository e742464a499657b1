/* SPDX-License-Identifier: Apache-2.0 */
/* gen_trace.c - a loaded trace, read frame by frame without copying */
#include <errno.h>
#include <stdlib.h>

#include "bench/gen_trace.h"
#include "capture/trace.h"
#include "profiler/diag.h"

struct reader {
	struct zb_gen_stream stream;
	struct zb_trace *trace;
	const struct zb_trace_shard *shard;
	uint64_t at;
};

static int next(struct zb_gen_stream *self, struct zb_gen_frame *f, uint64_t *ts_ns)
{
	struct reader *r = (struct reader *)self;
	const struct zb_trace_pkt *p;

	if (r->at == r->shard->pkt_nr)
		return 0;
	p = &r->shard->pkts[r->at++];
	f->len = p->cap_len;
	f->cut_len = p->wire_len - p->cap_len;
	f->ext = p->data;
	*ts_ns = p->ts_ns;
	return 1;
}

static void release(struct zb_gen_stream *self)
{
	zb_trace_free(((struct reader *)self)->trace);
	free(self);
}

int zb_gen_trace_open(const char *path, uint64_t packets_max, enum zb_link *link,
		      struct zb_gen_stream **out)
{
	const struct zb_trace_conf conf = {
		.paths = &path,
		.path_nr = 1,
		.shard_nr = 1,
		.numa_id = -1,
		.count_max = packets_max,
		.read_only = true,
	};
	struct reader *r = calloc(1, sizeof(*r));
	uint32_t links;
	int ret = -ENOMEM;

	if (r == NULL) {
		zb_err("%s: %s", path, strerror(ENOMEM));
		return -ENOMEM;
	}
	ret = zb_trace_load(&conf, &r->trace);
	if (ret < 0)
		goto free_r;
	links = zb_trace_info(r->trace)->links;
	if ((links & (links - 1)) != 0) {
		zb_err("%s: packets of several link types; a pcap file has but one", path);
		ret = -EINVAL;
		goto free_trace;
	}
	r->stream = (struct zb_gen_stream){.next = next, .free = release};
	r->shard = zb_trace_shard(r->trace, 0);
	*link = (enum zb_link)__builtin_ctz(links);
	*out = &r->stream;
	return 0;

free_trace:
	zb_trace_free(r->trace);
free_r:
	free(r);
	return ret;
}

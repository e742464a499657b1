/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tx_trace.c - hands out a trace's frames for sending; see tx_trace.h
 *
 * Which pass a packet's addresses belong to is kept for each packet: one that was skipped in some
 * passes goes straight to the one in which it is sent.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "profiler/diag.h"
#include "capture/rewrite_priv.h"
#include "capture/tx_trace.h"

#define PREFETCH_AHEAD 32 /* packets */
#define GAP_NS_MIN     1000u

struct zb_tx_trace {
	struct zb_trace_pkt *pkts;
	uint64_t pkt_nr, pos, pass;
	uint64_t shift_ns, newest_ns; /* newest: shifted */
	uint64_t period_ns;
	uint32_t *pass_of; /* low bits; NULL: packets stay as they are */
};

int zb_tx_trace_open(struct zb_trace *trace, bool same_flows, struct zb_tx_trace **out)
{
	const struct zb_trace_info *info = zb_trace_info(trace);
	struct zb_tx_trace *t;
	uint64_t span = info->last_ns - info->first_ns, gap;

	if (info->links != 1u << ZB_LINK_ETHERNET) {
		zb_err("--pcap: not all packets are Ethernet frames; only those can be sent");
		return -EINVAL;
	}
	if (info->memory == ZB_MEM_FILE && !same_flows) {
		zb_err("--pcap: the trace was loaded read-only; its packets cannot be rewritten");
		return -EINVAL;
	}
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		goto no_memory;
	t->pkts = zb_trace_shard(trace, 0)->pkts;
	t->pkt_nr = zb_trace_shard(trace, 0)->pkt_nr;
	gap = t->pkt_nr > 1 ? span / (t->pkt_nr - 1) : 0;
	t->period_ns = span + (gap > GAP_NS_MIN ? gap : GAP_NS_MIN);
	if (!same_flows) {
		t->pass_of = calloc(t->pkt_nr, sizeof(*t->pass_of));
		if (t->pass_of == NULL)
			goto no_memory;
	}
	*out = t;
	return 0;

no_memory:
	free(t);
	zb_err("--pcap: %s", strerror(ENOMEM));
	return -ENOMEM;
}

void zb_tx_trace_close(struct zb_tx_trace *t)
{
	if (t == NULL)
		return;
	for (uint64_t i = 0; t->pass_of != NULL && i < t->pkt_nr; i++)
		if (t->pass_of[i] != 0)
			zb_rewrite(&t->pkts[i], t->pass_of[i], 0);
	free(t->pass_of);
	free(t);
}

static void next_pass(struct zb_tx_trace *t)
{
	t->pos = 0;
	t->pass++;
	if (__builtin_add_overflow(t->shift_ns, t->period_ns, &t->shift_ns))
		t->shift_ns = UINT64_MAX;
}

/* Times that ran back, or beyond 64 bits, stand still. */
static uint64_t time_of(struct zb_tx_trace *t, const struct zb_trace_pkt *p)
{
	uint64_t ns;

	if (__builtin_add_overflow(p->ts_ns, t->shift_ns, &ns))
		ns = UINT64_MAX;
	if (ns > t->newest_ns)
		t->newest_ns = ns;
	return t->newest_ns;
}

static void prefetch(const struct zb_tx_trace *t, uint64_t i)
{
	if (i >= t->pkt_nr)
		return;
	/* To write: addresses and checksums are in the first bytes, of IPv6 beyond the first 64. */
	__builtin_prefetch(t->pkts[i].data, 1);
	__builtin_prefetch(t->pkts[i].data + 64, 1);
}

/* The number of a pass wraps after 2^32 of them; masks repeat long before. */
static void give_pass(struct zb_tx_trace *t, uint64_t i)
{
	uint32_t pass = (uint32_t)t->pass;

	if (t->pass_of[i] == pass)
		return;
	zb_rewrite(&t->pkts[i], t->pass_of[i], pass);
	t->pass_of[i] = pass;
}

uint16_t zb_tx_trace_take(struct zb_tx_trace *t, struct zb_tx_frame *frames, uint64_t *ts_ns,
			  uint16_t n)
{
	uint64_t left;

	if (t->pos == t->pkt_nr)
		next_pass(t);
	left = t->pkt_nr - t->pos;
	if (n > left)
		n = (uint16_t)left;
	for (uint16_t i = 0; i < n; i++) {
		struct zb_trace_pkt *p = &t->pkts[t->pos + i];

		if (t->pass_of != NULL) {
			prefetch(t, t->pos + i + PREFETCH_AHEAD);
			give_pass(t, t->pos + i);
		}
		frames[i] = (struct zb_tx_frame){p->data, p->cap_len};
		ts_ns[i] = time_of(t, p);
	}
	t->pos += n;
	return n;
}

void zb_tx_trace_pass_by(struct zb_tx_trace *t, uint32_t *len, uint64_t *ts_ns)
{
	const struct zb_trace_pkt *p;

	if (t->pos == t->pkt_nr)
		next_pass(t);
	p = &t->pkts[t->pos++];
	*len = p->cap_len;
	*ts_ns = time_of(t, p);
}

uint64_t zb_tx_trace_period_ns(const struct zb_tx_trace *t)
{
	return t->period_ns;
}

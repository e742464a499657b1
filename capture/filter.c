/* SPDX-License-Identifier: Apache-2.0 */
/* filter.c - see filter.h */
#include "capture/filter.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/diag.h"

#define SNAPLEN	   262144
#define BURSTS_MAX 16 /* nothing matches: the worker wants to look at other things too */

struct zb_filter {
	struct bpf_program program[ZB_LINK_NR];
	bool usable[ZB_LINK_NR];
};

static const int dlt[ZB_LINK_NR] = {
	[ZB_LINK_ETHERNET] = DLT_EN10MB,
	[ZB_LINK_RAW_IP] = DLT_RAW,
	[ZB_LINK_SLL] = DLT_LINUX_SLL,
	[ZB_LINK_SLL2] = DLT_LINUX_SLL2,
	[ZB_LINK_NULL] = DLT_NULL,
	[ZB_LINK_PPP] = DLT_PPP,
	[ZB_LINK_FDDI] = DLT_FDDI,
	[ZB_LINK_C_HDLC] = DLT_C_HDLC,
	[ZB_LINK_NFLOG] = DLT_NFLOG,
	[ZB_LINK_WIFI] = DLT_IEEE802_11,
	[ZB_LINK_RADIOTAP] = DLT_IEEE802_11_RADIO,
};

static int compile(struct zb_filter *f, const char *expr)
{
	char why[PCAP_ERRBUF_SIZE] = "no link type knows it";
	bool any = false;

	for (unsigned i = 0; i < ZB_LINK_NR; i++) {
		pcap_t *p = pcap_open_dead(dlt[i], SNAPLEN);

		if (p == NULL)
			return -ENOMEM;
		f->usable[i] = pcap_compile(p, &f->program[i], expr, 1, PCAP_NETMASK_UNKNOWN) == 0;
		any |= f->usable[i];
		/* Ethernet's words are the best known. */
		if (!f->usable[i] && i == ZB_LINK_ETHERNET)
			snprintf(why, sizeof(why), "%s", pcap_geterr(p));
		pcap_close(p);
	}
	if (any)
		return 0;
	zb_err("--filter %s: %s; see man pcap-filter", expr, why);
	return -EINVAL;
}

int zb_filter_compile(const char *expr, struct zb_filter **out)
{
	struct zb_filter *f = calloc(1, sizeof(*f));
	int ret = f != NULL ? compile(f, expr) : -ENOMEM;

	if (ret == 0) {
		*out = f;
		return 0;
	}
	if (ret == -ENOMEM)
		zb_err("--filter %s: %s", expr, strerror(ENOMEM));
	zb_filter_free(f);
	return ret;
}

void zb_filter_free(struct zb_filter *f)
{
	for (unsigned i = 0; f != NULL && i < ZB_LINK_NR; i++)
		if (f->usable[i])
			pcap_freecode(&f->program[i]);
	free(f);
}

bool zb_filter_match(const struct zb_filter *f, const struct zb_pkt *p)
{
	return f->usable[p->link] &&
	       bpf_filter(f->program[p->link].bf_insns, p->data, p->wire_len, p->cap_len) != 0;
}

struct queue {
	alignas(64) struct zb_rxq rxq; /* the engine's view of inner */
	struct zb_rxq *inner;
	const struct zb_filter *filter;
	uint64_t filtered_pkts, filtered_bytes;
};

struct filtering {
	struct zb_source base;
	struct zb_source *inner;
	struct queue *queues;
};

/* Moves what matches to the front; returns how many. */
static uint16_t keep_matching(struct queue *q, struct zb_pkt *pkts, uint16_t n)
{
	uint16_t kept = 0;

	for (uint16_t i = 0; i < n; i++) {
		const struct zb_pkt *p = &pkts[i];

		if (zb_filter_match(q->filter, p)) {
			if (kept != i)
				pkts[kept] = *p;
			kept++;
		} else if (!(p->flags & ZB_PKT_INNER_ONLY)) {
			q->filtered_pkts++;
			q->filtered_bytes += p->wire_len;
		}
	}
	return kept;
}

static uint16_t filter_burst(struct zb_rxq *rxq, struct zb_pkt *pkts, uint16_t n, uint64_t until_ns)
{
	struct queue *q = rxq->priv;
	struct zb_rxq *inner = q->inner;
	uint16_t kept = 0, got;

	inner->lag = rxq->lag;
	for (unsigned i = 0; kept == 0 && i < BURSTS_MAX; i++) {
		got = inner->ops->burst(inner, pkts, n, until_ns);
		if (got == 0)
			break;
		kept = keep_matching(q, pkts, got);
	}
	rxq->done = inner->done;
	rxq->lag_ns = inner->lag_ns;
	rxq->queued = inner->queued;
	return kept;
}

static uint64_t filter_next_ns(const struct zb_rxq *rxq)
{
	const struct queue *q = rxq->priv;

	return q->inner->ops->next_ns(q->inner);
}

static uint64_t filter_time_from(const struct zb_rxq *rxq, uint64_t ns)
{
	const struct queue *q = rxq->priv;

	return q->inner->ops->time_from != NULL ? q->inner->ops->time_from(q->inner, ns) : 0;
}

static void filter_ledger(const struct zb_rxq *rxq, struct zb_rxq_ledger *out)
{
	const struct queue *q = rxq->priv;

	q->inner->ops->ledger(q->inner, out);
	out->filtered_pkts += q->filtered_pkts;
	out->filtered_bytes += q->filtered_bytes;
}

static const struct zb_rxq_ops filter_ops = {
	.burst = filter_burst,
	.next_ns = filter_next_ns,
	.time_from = filter_time_from,
	.ledger = filter_ledger,
};

static struct zb_rxq *source_queue(struct zb_source *base, uint32_t i)
{
	return &((struct filtering *)base)->queues[i].rxq;
}

static int source_start(struct zb_source *base)
{
	return zb_source_start(((struct filtering *)base)->inner);
}

static void source_first_drop(const struct zb_source *base, uint32_t i, struct zb_source_drop *out)
{
	zb_source_first_drop(((const struct filtering *)base)->inner, i, out);
}

static bool source_device(const struct zb_source *base, uint32_t i, struct zb_source_device *out)
{
	return zb_source_device(((const struct filtering *)base)->inner, i, out);
}

static void source_close(struct zb_source *base)
{
	struct filtering *s = (struct filtering *)base;

	zb_source_close(s->inner);
	free(s->queues);
	free(s);
}

static const struct zb_source_ops source_ops = {
	.queue = source_queue,
	.start = source_start,
	.first_drop = source_first_drop,
	.device = source_device,
	.close = source_close,
};

struct zb_source *zb_filter_inner(struct zb_source *s)
{
	return s->ops == &source_ops ? ((struct filtering *)s)->inner : s;
}

int zb_filter_source(const struct zb_filter *f, struct zb_source *inner, uint32_t queue_nr,
		     struct zb_source **out)
{
	struct filtering *s = calloc(1, sizeof(*s));

	if (s != NULL)
		s->queues = zb_source_queues(queue_nr, sizeof(*s->queues));
	if (s == NULL || s->queues == NULL) {
		free(s);
		zb_err("--filter: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	s->base.ops = &source_ops;
	s->inner = inner;
	for (uint32_t i = 0; i < queue_nr; i++) {
		struct queue *q = &s->queues[i];

		q->inner = zb_source_queue(inner, i);
		q->filter = f;
		q->rxq = (struct zb_rxq){.ops = &filter_ops, .priv = q, .live = q->inner->live};
	}
	*out = &s->base;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* source_pcap.c - see source_pcap.h */
#include "capture/source_pcap.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/pcap_handle.h"
#include "capture/source_iface.h"
#include "capture/wall_clock.h"
#include "profiler/diag.h"
#include "profiler/lcore_stat.h"

#define END_WAIT_NS 2000000000u /* for packets that the kernel has counted and not handed over */
#define AREA_BYTES  (4u << 20)	/* of a burst's packets, the longest one at least */

struct source {
	struct zb_source base;
	struct zb_rxq rxq;
	struct zb_wall_clock clock;
	uint64_t newest_ns;				       /* of what was handed out */
	uint64_t closed_ns;				       /* the gate's; 0: it is open */
	uint64_t link_pkts, dropped_pkts, got_pkts, got_bytes; /* as of ask() */
	bool settled;					       /* these are final */
	uint8_t *area;
	uint32_t area_used;
	struct zb_pcap_handle *handles;
	struct zb_pcap_conf conf;
};

bool zb_pcap_wanted(const char *name)
{
	return strncmp(name, ZB_PCAP_PREFIX, strlen(ZB_PCAP_PREFIX)) == 0;
}

static void ask(struct source *s)
{
	if (s->settled)
		return;
	s->link_pkts = s->dropped_pkts = s->got_pkts = s->got_bytes = 0;
	for (uint32_t i = 0; i < s->conf.name_nr; i++) {
		struct zb_pcap_handle *h = &s->handles[i];

		zb_pcap_ask(h);
		s->link_pkts += h->link_pkts;
		s->dropped_pkts += h->dropped_pkts;
		s->got_pkts += h->got_pkts;
		s->got_bytes += h->got_bytes;
	}
	s->rxq.queued = s->link_pkts - s->dropped_pkts - s->got_pkts;
}

/* See source_iface.c. */
static bool is_over(struct source *s, uint64_t now_ns)
{
	if (now_ns < s->closed_ns + ZB_IFACE_LATE_NS)
		return false;
	ask(s);
	if (s->rxq.queued != 0 && now_ns < s->closed_ns + END_WAIT_NS)
		return false;
	s->settled = true;
	return true;
}

/* The packet to be taken next; NULL: none is there, or an earlier one may still come. */
static struct zb_pcap_handle *earliest(struct source *s, uint64_t now_ns)
{
	uint64_t best_ns = UINT64_MAX;
	struct zb_pcap_handle *best = NULL;

	for (uint32_t i = 0; i < s->conf.name_nr; i++) {
		struct zb_pcap_handle *h = &s->handles[i];

		if (zb_pcap_peek(h) && zb_pcap_head_ns(h) < best_ns) {
			best = h;
			best_ns = zb_pcap_head_ns(h);
		}
	}
	for (uint32_t i = 0; best != NULL && i < s->conf.name_nr; i++)
		if (s->handles[i].head == NULL && best_ns >= now_ns - ZB_IFACE_LATE_NS)
			return NULL;
	return best;
}

/* False: there is no room for it in this burst. */
static bool take(struct source *s, struct zb_pcap_handle *h, struct zb_pkt *out)
{
	uint64_t ns = zb_pcap_head_ns(h);
	uint32_t len = h->head->caplen;

	if (len > AREA_BYTES - s->area_used)
		return false;
	*out = (struct zb_pkt){
		.data = s->area + s->area_used,
		.ts_ns = ns,
		.cap_len = len,
		.wire_len = h->head->len,
		.link = h->link,
		.flags = len < h->head->len ? ZB_PKT_SNAPPED : 0,
	};
	memcpy(s->area + s->area_used, h->data, len);
	s->area_used += len;
	h->head = NULL;
	h->got_pkts++;
	h->got_bytes += out->wire_len;
	if (ns < s->newest_ns)
		out->late = zb_late_code(s->newest_ns - ns);
	else
		s->newest_ns = ns;
	return true;
}

static uint16_t pcap_burst(struct zb_rxq *rxq, struct zb_pkt *pkts, uint16_t n, uint64_t until_ns)
{
	struct source *s = rxq->priv;
	uint64_t now_ns = zb_wall_now_ns(&s->clock);
	uint16_t got = 0;

	s->area_used = 0;
	if (s->closed_ns == 0 && __atomic_load_n(s->conf.stop, __ATOMIC_RELAXED)) {
		for (uint32_t i = 0; i < s->conf.name_nr; i++)
			(void)zb_pcap_gate(&s->handles[i], false);
		s->closed_ns = now_ns;
	}
	for (; got < n; got++) {
		struct zb_pcap_handle *h = earliest(s, now_ns);

		if (h == NULL || zb_pcap_head_ns(h) >= until_ns || !take(s, h, &pkts[got]))
			break;
		rxq->lag_ns = now_ns > pkts[got].ts_ns ? now_ns - pkts[got].ts_ns : 0;
		if (rxq->lag != NULL)
			zb_lag_note(rxq->lag, rxq->lag_ns);
	}
	if (got == 0 && s->closed_ns != 0 && is_over(s, now_ns))
		rxq->done = true;
	return got;
}

static uint64_t pcap_next_ns(const struct zb_rxq *rxq)
{
	struct source *s = rxq->priv;
	uint64_t ns = zb_wall_now_ns(&s->clock) - ZB_IFACE_LATE_NS;

	for (uint32_t i = 0; i < s->conf.name_nr; i++) {
		const struct zb_pcap_handle *h = &s->handles[i];

		if (h->head != NULL && (s->conf.name_nr == 1 || zb_pcap_head_ns(h) < ns))
			ns = zb_pcap_head_ns(h);
	}
	s->newest_ns = ns > s->newest_ns ? ns : s->newest_ns;
	return s->newest_ns;
}

static void pcap_ledger(const struct zb_rxq *rxq, struct zb_rxq_ledger *out)
{
	struct source *s = rxq->priv;

	ask(s);
	*out = (struct zb_rxq_ledger){
		.offered_pkts = s->link_pkts,
		.offered_bytes = s->got_bytes,
		.link_pkts = s->link_pkts,
		.link_bytes = s->got_bytes,
		.dropped_pkts = s->dropped_pkts,
	};
}

static const struct zb_rxq_ops pcap_ops = {
	.burst = pcap_burst,
	.next_ns = pcap_next_ns,
	.ledger = pcap_ledger,
};

/* ---- the source ---- */

static struct zb_rxq *source_queue(struct zb_source *base, uint32_t i)
{
	assert(i == 0);
	(void)i;
	return &((struct source *)base)->rxq;
}

static int source_start(struct zb_source *base)
{
	struct source *s = (struct source *)base;

	for (uint32_t i = 0; i < s->conf.name_nr; i++) {
		const struct zb_pcap_handle *h = &s->handles[i];
		int ret = h->gated ? zb_pcap_gate(h, true) : 0;

		if (ret < 0) {
			zb_err("--iface %s: %s", h->name, strerror(-ret));
			return ret;
		}
	}
	return 0;
}

static bool source_device(const struct zb_source *base, uint32_t i, struct zb_source_device *out)
{
	const struct source *s = (const struct source *)base;
	const struct zb_pcap_handle *h;
	struct zb_iface_info info = {.mtu = 0};

	if (i >= s->conf.name_nr)
		return false;
	h = &s->handles[i];
	*out = (struct zb_source_device){
		.driver = "libpcap",
		.mode = "libpcap, copied",
		.queue_nr = 1,
		.device_pkts = h->link_pkts,
		.dropped_pkts = h->dropped_pkts,
		.got_pkts = h->got_pkts,
		.errors = h->refused,
		.went_down = h->broken,
	};
	out->link_up = zb_iface_ask(h->name, &info) == 0 ? info.up : !h->broken;
	out->mtu = (uint32_t)info.mtu;
	snprintf(out->name, sizeof(out->name), "%s", h->name);
	return true;
}

static void source_close(struct zb_source *base)
{
	struct source *s = (struct source *)base;

	for (uint32_t i = 0; s->handles != NULL && i < s->conf.name_nr; i++)
		zb_pcap_handle_close(&s->handles[i]);
	free(s->handles);
	free(s->area);
	free(s);
}

static const struct zb_source_ops source_ops = {
	.queue = source_queue,
	.start = source_start,
	.device = source_device,
	.close = source_close,
};

static int set_up(struct source *s)
{
	int ret = 0;

	s->area = malloc(AREA_BYTES);
	s->handles = calloc(s->conf.name_nr, sizeof(*s->handles));
	if (s->area == NULL || s->handles == NULL) {
		zb_err("--iface: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	for (uint32_t i = 0; ret == 0 && i < s->conf.name_nr; i++) {
		const char *name = s->conf.names[i];

		if (zb_pcap_wanted(name))
			name += strlen(ZB_PCAP_PREFIX);
		ret = zb_pcap_handle_open(name, s->conf.ring_bytes, s->conf.promiscuous,
					  &s->handles[i]);
	}
	return ret;
}

int zb_pcap_open(const struct zb_pcap_conf *conf, struct zb_source **out)
{
	struct source *s = calloc(1, sizeof(*s));
	int ret;

	assert(conf->name_nr > 0 && conf->name_nr <= ZB_IFACES_MAX);
	if (s == NULL) {
		zb_err("--iface: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	s->base.ops = &source_ops;
	s->conf = *conf;
	s->rxq = (struct zb_rxq){.ops = &pcap_ops, .priv = s, .live = true};
	zb_wall_init(&s->clock);
	ret = set_up(s);
	if (ret < 0) {
		source_close(&s->base);
		return ret;
	}
	*out = &s->base;
	return 0;
}

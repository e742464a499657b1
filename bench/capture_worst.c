/* SPDX-License-Identifier: Apache-2.0 */
/* capture_worst.c - goes through the trace once more for each connection */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bench/capture_worst.h"
#include "bench/gen_packet.h"
#include "bench/gen_pcap.h"
#include "capture/filter.h"
#include "profiler/diag.h"

#define EXPR_MAX 1024

/* One way of a connection; ports of ICMP are not in its packets. */
static int put_way(char *buf, size_t size, const struct zb_cost_flow *f, bool back)
{
	const char *from = back ? f->resp_h : f->orig_h, *to = back ? f->orig_h : f->resp_h;
	const char *proto = f->proto == IPPROTO_TCP ? "tcp" : "udp";
	unsigned from_p = back ? f->resp_p : f->orig_p, to_p = back ? f->orig_p : f->resp_p;

	if (f->proto != IPPROTO_TCP && f->proto != IPPROTO_UDP)
		return snprintf(buf, size, "(src host %s and dst host %s and %s proto %u)", from,
				to, strchr(from, ':') != NULL ? "ip6" : "ip", f->proto);
	return snprintf(buf, size,
			"(src host %s and dst host %s and %s src port %u and %s dst port %u)", from,
			to, proto, from_p, proto, to_p);
}

static int compile(const struct zb_cost_flow *f, struct zb_filter **out)
{
	char there[EXPR_MAX / 4], back[EXPR_MAX / 4], expr[EXPR_MAX + 64];

	put_way(there, sizeof(there), f, false);
	put_way(back, sizeof(back), f, true);
	/* After `vlan` an expression is about what is behind the tag. */
	snprintf(expr, sizeof(expr), "%s or %s or (vlan and (%s or %s))", there, back, there, back);
	return zb_filter_compile(expr, out);
}

struct writer {
	const struct zb_worst_conf *conf;
	const struct zb_filter *filter;
	struct zb_gen_pcap *file; /* NULL until there is a packet */
	struct zb_gen_frame *frame;
	unsigned rank;
	uint8_t link;
};

static int put(struct writer *w, const struct zb_trace_pkt *p, struct zb_cost_flow *f)
{
	int ret = 0;

	if (w->file == NULL) {
		char path[PATH_MAX];
		int n = snprintf(path, sizeof(path), "%s/%u-%s.pcap", w->conf->folder, w->rank,
				 f->uid);

		if (n < 0 || (size_t)n >= sizeof(path))
			return -ENAMETOOLONG;
		w->link = p->link;
		ret = zb_gen_pcap_open_link(path, true, (enum zb_link)p->link, &w->file);
		if (ret == 0)
			snprintf(f->pcap, sizeof(f->pcap), "%s", strrchr(path, '/') + 1);
	}
	if (ret < 0 || p->link != w->link)
		return ret;
	w->frame->len = p->cap_len;
	w->frame->cut_len = p->wire_len - p->cap_len;
	w->frame->ext = p->data;
	f->pcap_pkts++;
	return zb_gen_pcap_put_frame(w->file, p->ts_ns, w->frame);
}

/* Both directions of a connection are in one shard, in their order. */
static int write_shard(struct writer *w, const struct zb_trace_shard *s, struct zb_cost_flow *f)
{
	int ret = 0;

	for (uint64_t i = 0; i < s->pkt_nr && ret == 0; i++) {
		const struct zb_trace_pkt *p = &s->pkts[i];
		struct zb_pkt pkt = {.data = p->data,
				     .ts_ns = p->ts_ns,
				     .cap_len = p->cap_len,
				     .wire_len = p->wire_len,
				     .link = p->link};

		if (p->part == ZB_PART_INNER || !zb_filter_match(w->filter, &pkt))
			continue;
		if (f->pcap_pkts == ZB_WORST_PKTS_MAX) {
			f->pcap_cut = true;
			break;
		}
		ret = put(w, p, f);
	}
	return ret;
}

static int write_flow(struct writer *w, struct zb_cost_flow *f)
{
	struct zb_filter *filter;
	int ret = compile(f, &filter), closed = 0;

	if (ret < 0)
		return ret;
	w->filter = filter;
	w->file = NULL;
	for (uint32_t i = 0; i < w->conf->shard_nr && ret == 0 && !f->pcap_cut; i++)
		ret = write_shard(w, zb_trace_shard(w->conf->trace, i), f);
	if (w->file != NULL)
		closed = zb_gen_pcap_close(w->file, ret == 0);
	zb_filter_free(filter);
	if (ret < 0 || closed < 0)
		f->pcap[0] = '\0';
	return ret < 0 ? ret : closed;
}

int zb_capture_worst(const struct zb_worst_conf *conf, struct zb_cost *cost)
{
	struct writer w = {.conf = conf, .frame = malloc(sizeof(*w.frame))};
	int ret = w.frame != NULL ? 0 : -ENOMEM;

	if (ret < 0)
		zb_err("--capture-worst: %s", strerror(ENOMEM));
	for (unsigned i = 0; i < cost->flow_nr && i < conf->nr && ret == 0; i++) {
		w.rank = i + 1;
		ret = write_flow(&w, &cost->flow[i]);
	}
	free(w.frame);
	return ret;
}

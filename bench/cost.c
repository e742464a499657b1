/* SPDX-License-Identifier: Apache-2.0 */
/* cost.c - see cost.h */
#include "bench/cost.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/diag.h"

#define SHOWN_PLACES 6
#define SHOWN_SHARE  0.05 /* of connections and hosts: a smaller one is no news */

/* The stages that metering covers, without what the machine took away. */
static double covered_cycles(const struct zb_lcore_stat *s)
{
	return (double)(zb_stat_own_cycles(s, ZB_STAGE_conn) +
			zb_stat_own_cycles(s, ZB_STAGE_stream) +
			zb_stat_own_cycles(s, ZB_STAGE_expire) +
			zb_stat_own_cycles(s, ZB_STAGE_log));
}

static uint64_t metered_cycles(const struct zb_lcore_stat *s)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < ZB_METER_NR; i++)
		sum += s->metered[i];
	return sum;
}

static int dearer(const void *a, const void *b)
{
	double x = ((const struct zb_cost_place *)a)->share,
	       y = ((const struct zb_cost_place *)b)->share;

	return (x < y) - (x > y);
}

static void count_calls(const struct zb_pass_result *r, unsigned p, struct zb_cost_place *place)
{
	double cycles = 0, bytes = 0;

	for (unsigned i = 0; p >= ZB_METER_ANALYZERS && i < r->lcore_nr; i++) {
		const struct zb_meter *m = r->lcore[i].meter;

		if (m == NULL)
			continue;
		place->calls += m->calls[p - ZB_METER_ANALYZERS];
		bytes += (double)m->bytes[p - ZB_METER_ANALYZERS];
		cycles += (double)r->lcore[i].stat.metered[p];
		if ((double)m->longest[p - ZB_METER_ANALYZERS] > place->longest)
			place->longest = (double)m->longest[p - ZB_METER_ANALYZERS];
		place->weight = m->weight > place->weight ? m->weight : place->weight;
	}
	place->metered = cycles;
	if (place->calls == 0)
		return;
	place->cycles_per_call = cycles / (double)place->calls;
	place->bytes_per_call = bytes / (double)place->calls;
}

static void make_places(const struct zb_pass_result *r, double busy, double pkts,
			struct zb_cost *out)
{
	double cycles[ZB_METER_NR] = {0};

	for (unsigned i = 0; i < r->lcore_nr; i++) {
		const struct zb_lcore_stat *s = &r->lcore[i].stat;
		uint64_t metered = metered_cycles(s);
		double scale = metered != 0 ? covered_cycles(s) / (double)metered : 0;

		for (unsigned p = 0; p < ZB_METER_NR; p++)
			cycles[p] += scale * (double)s->metered[p];
	}
	for (unsigned p = 0; p < ZB_METER_NR; p++) {
		struct zb_cost_place *place = &out->place[out->place_nr];

		if (cycles[p] <= 0)
			continue;
		*place = (struct zb_cost_place){
			.name = zb_meter_place_name(p),
			.share = cycles[p] / busy,
			.cycles_per_pkt = cycles[p] / pkts,
		};
		count_calls(r, p, place);
		out->place_nr++;
	}
	qsort(out->place, out->place_nr, sizeof(out->place[0]), dearer);
}

static void address(const uint8_t *a, uint8_t ip_version, char *out)
{
	if (inet_ntop(ip_version == 4 ? AF_INET : AF_INET6, a, out, INET6_ADDRSTRLEN) == NULL)
		out[0] = '\0';
}

static unsigned make_hosts(const struct zb_sketch *s, double scale, struct zb_cost_host *out)
{
	struct zb_sketch_entry top[ZB_COST_TOP];
	unsigned n = zb_sketch_top(s, top, ZB_COST_TOP);

	for (unsigned i = 0; i < n; i++) {
		address(top[i].key, top[i].key[16], out[i].addr);
		out[i].share = scale * (double)top[i].weight;
		out[i].error = scale * (double)top[i].error;
	}
	return n;
}

void zb_cost_flow_name(const uint8_t key[static ZB_SKETCH_KEY], uint64_t secret,
		       struct zb_cost_flow *f)
{
	struct zb_meter_flow m;

	memcpy(&m, key, sizeof(m));
	bool orig_is_a = m.uid_seq_orig & 1;

	f->uid[zb_uid_format(f->uid, 'C', m.uid_seq_orig >> 1, secret)] = '\0';
	address(orig_is_a ? m.key.a : m.key.b, m.key.ip_version, f->orig_h);
	address(orig_is_a ? m.key.b : m.key.a, m.key.ip_version, f->resp_h);
	f->orig_p = orig_is_a ? m.key.port_a : m.key.port_b;
	f->resp_p = orig_is_a ? m.key.port_b : m.key.port_a;
	f->proto = m.key.proto;
}

static unsigned make_flows(const struct zb_sketch *s, double scale, uint64_t secret,
			   struct zb_cost_flow *out)
{
	struct zb_sketch_entry top[ZB_COST_TOP];
	unsigned n = zb_sketch_top(s, top, ZB_COST_TOP);

	for (unsigned i = 0; i < n; i++) {
		zb_cost_flow_name(top[i].key, secret, &out[i]);
		out[i].share = scale * (double)top[i].weight;
		out[i].error = scale * (double)top[i].error;
	}
	return n;
}

int zb_cost_make(const struct zb_pass_result *r, uint64_t secret, struct zb_cost *out)
{
	struct zb_meter *all = calloc(1, sizeof(*all));
	double busy = 0, covered = 0, pkts = 0, metered = 0;

	memset(out, 0, sizeof(*out));
	if (all == NULL) {
		zb_err("run: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	for (unsigned i = 0; i < r->lcore_nr; i++) {
		const struct zb_lcore_stat *s = &r->lcore[i].stat;

		out->metered_cycles += metered_cycles(s);
		for (unsigned k = 0; k < ZB_STAGE_idle; k++)
			busy += (double)zb_stat_own_cycles(s, k);
		covered += covered_cycles(s);
		pkts += (double)s->c[ZB_C_pkts_proc];
		if (r->lcore[i].meter == NULL)
			continue;
		metered += (double)r->lcore[i].meter->cycles;
		zb_sketch_merge(&all->flows, &r->lcore[i].meter->flows);
		zb_sketch_merge(&all->originators, &r->lcore[i].meter->originators);
		zb_sketch_merge(&all->responders, &r->lcore[i].meter->responders);
	}
	if (out->metered_cycles != 0 && busy > 0 && pkts > 0) {
		double scale = covered / busy / (double)out->metered_cycles;

		out->metered_ratio = metered / busy;
		make_places(r, busy, pkts, out);
		out->flow_nr = make_flows(&all->flows, scale, secret, out->flow);
		out->originator_nr = make_hosts(&all->originators, scale, out->originator);
		out->responder_nr = make_hosts(&all->responders, scale, out->responder);
	}
	free(all);
	return 0;
}

/* "tcp", or the number, in buf. */
static const char *proto_name(uint8_t proto, char *buf, size_t size)
{
	snprintf(buf, size, "%u", proto);
	return proto == IPPROTO_TCP				  ? "tcp"
	       : proto == IPPROTO_UDP				  ? "udp"
	       : proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6 ? "icmp"
								  : buf;
}

void zb_cost_flow_show(const struct zb_cost_flow *f, char *buf, size_t size)
{
	char proto[8];

	snprintf(buf, size, "%s, %s:%u > %s:%u/%s", f->uid, f->orig_h, f->orig_p, f->resp_h,
		 f->resp_p, proto_name(f->proto, proto, sizeof(proto)));
}

void zb_cost_flow_text(const uint8_t key[static ZB_SKETCH_KEY], uint64_t secret, char *buf,
		       size_t size)
{
	struct zb_cost_flow f;

	zb_cost_flow_name(key, secret, &f);
	zb_cost_flow_show(&f, buf, size);
}

void zb_cost_report(const struct zb_cost *c, FILE *f)
{
	char flow[ZB_COST_FLOW_TEXT];

	if (c->place_nr == 0)
		return;
	fprintf(f, "\ncycles  ");
	for (unsigned i = 0; i < c->place_nr && i < SHOWN_PLACES; i++)
		fprintf(f, "%s %s %.1f %%", i > 0 ? "," : "", c->place[i].name,
			100 * c->place[i].share);
	fprintf(f, "\n");
	if (c->flow_nr > 0 && c->flow[0].share - c->flow[0].error >= SHOWN_SHARE) {
		zb_cost_flow_show(&c->flow[0], flow, sizeof(flow));
		fprintf(f, "         connection %s: %.1f %%\n", flow, 100 * c->flow[0].share);
	}
	for (unsigned i = 0; i < c->flow_nr; i++)
		if (c->flow[i].pcap[0] != '\0')
			fprintf(f, "         worst/%s: %u packets%s\n", c->flow[i].pcap,
				c->flow[i].pcap_pkts, c->flow[i].pcap_cut ? " and more" : "");
	if (c->originator_nr > 0 && c->originator[0].share - c->originator[0].error >= SHOWN_SHARE)
		fprintf(f, "         originator %s: %.1f %%\n", c->originator[0].addr,
			100 * c->originator[0].share);
	if (c->responder_nr > 0 && c->responder[0].share - c->responder[0].error >= SHOWN_SHARE)
		fprintf(f, "         responder %s: %.1f %%\n", c->responder[0].addr,
			100 * c->responder[0].share);
}

static json_t *hosts_json(const struct zb_cost_host *h, unsigned n)
{
	json_t *a = json_array();

	for (unsigned i = 0; a != NULL && i < n; i++)
		if (json_array_append_new(a, json_pack("{s:s, s:f, s:f}", "host", h[i].addr,
						       "share", h[i].share, "error", h[i].error)) !=
		    0) {
			json_decref(a);
			return NULL;
		}
	return a;
}

static int add_pcap(json_t *o, const struct zb_cost_flow *f)
{
	char path[sizeof(f->pcap) + 8];

	snprintf(path, sizeof(path), "worst/%s", f->pcap);
	return json_object_set_new(o, "pcap", json_string(path)) != 0 ||
			       json_object_set_new(o, "pcap_pkts", json_integer(f->pcap_pkts)) !=
				       0 ||
			       json_object_set_new(o, "pcap_cut", json_boolean(f->pcap_cut)) != 0
		       ? -1
		       : 0;
}

json_t *zb_cost_flow_json(const struct zb_cost_flow *f)
{
	char proto[8];

	return json_pack("{s:s, s:s, s:i, s:s, s:i, s:s}", "uid", f->uid, "orig_h", f->orig_h,
			 "orig_p", (int)f->orig_p, "resp_h", f->resp_h, "resp_p", (int)f->resp_p,
			 "proto", proto_name(f->proto, proto, sizeof(proto)));
}

static json_t *flows_json(const struct zb_cost *c)
{
	json_t *a = json_array();

	for (unsigned i = 0; a != NULL && i < c->flow_nr; i++) {
		const struct zb_cost_flow *f = &c->flow[i];
		json_t *o = zb_cost_flow_json(f);
		int bad = json_object_set_new(o, "share", json_real(f->share)) |
			  json_object_set_new(o, "error", json_real(f->error));

		if (f->pcap[0] != '\0')
			bad |= add_pcap(o, f);
		if ((json_array_append_new(a, o) | bad) != 0) {
			json_decref(a);
			return NULL;
		}
	}
	return a;
}

static json_t *places_json(const struct zb_cost *c)
{
	json_t *o = json_object();

	for (unsigned i = 0; o != NULL && i < c->place_nr; i++)
		if (json_object_set_new(o, c->place[i].name,
					json_pack("{s:f, s:f, s:I, s:f, s:f, s:I}", "share",
						  c->place[i].share, "cycles_per_pkt",
						  c->place[i].cycles_per_pkt, "calls",
						  (json_int_t)c->place[i].calls, "cycles_per_call",
						  c->place[i].cycles_per_call, "bytes_per_call",
						  c->place[i].bytes_per_call, "longest_cycles",
						  (json_int_t)c->place[i].longest)) != 0) {
			json_decref(o);
			return NULL;
		}
	return o;
}

json_t *zb_cost_json(const struct zb_cost *c)
{
	/* "o" with NULL fails the whole, and takes over what is there. */
	return json_pack("{s:f, s:o, s:o, s:o, s:o}", "metered_ratio", c->metered_ratio, "places",
			 places_json(c), "connections", flows_json(c), "originators",
			 hosts_json(c->originator, c->originator_nr), "responders",
			 hosts_json(c->responder, c->responder_nr));
}

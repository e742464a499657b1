/* SPDX-License-Identifier: Apache-2.0 */
/* largest.c - see largest.h */
#include "bench/largest.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "bench/run_report.h"

#define WORTH_A_LINE 1000000u

static void name(struct zb_largest_conn *to, const struct zb_large_conn *c, uint64_t secret)
{
	struct zb_meter_flow flow = {.key = c->key, .uid_seq_orig = c->uid_seq << 1 | c->orig_is_a};
	uint8_t key[ZB_SKETCH_KEY];

	memcpy(key, &flow, sizeof(key));
	zb_cost_flow_name(key, secret, &to->flow);
	memcpy(to->service, c->service, sizeof(to->service));
	to->uid_seq = c->uid_seq;
	to->bytes = c->bytes;
	to->ts_ns = c->ts_ns;
}

/* What is around a tunnel may be a connection of several workers. */
static unsigned find(const struct zb_largest *l, uint64_t uid_seq)
{
	unsigned i = 0;

	while (i < l->nr && l->conn[i].uid_seq != uid_seq)
		i++;
	return i;
}

static void drop(struct zb_largest *l, unsigned at)
{
	l->nr--;
	memmove(&l->conn[at], &l->conn[at + 1], (l->nr - at) * sizeof(l->conn[0]));
}

/* In order, the first come first of equal ones; when all places are taken, the smallest goes. */
static void add(struct zb_largest *out, const struct zb_large_conn *c, unsigned lcore,
		uint64_t secret)
{
	unsigned at = find(out, c->uid_seq);

	if (at < out->nr && out->conn[at].bytes >= c->bytes)
		return;
	if (at < out->nr)
		drop(out, at);
	at = out->nr;
	while (at > 0 && out->conn[at - 1].bytes < c->bytes)
		at--;
	if (at == ZB_LARGE_MAX)
		return;
	out->nr += out->nr < ZB_LARGE_MAX;
	memmove(&out->conn[at + 1], &out->conn[at], (out->nr - at - 1) * sizeof(out->conn[0]));
	memset(&out->conn[at], 0, sizeof(out->conn[at]));
	name(&out->conn[at], c, secret);
	out->conn[at].lcore = lcore;
}

void zb_largest_make(const struct zb_pass_result *r, uint64_t secret, struct zb_largest *out)
{
	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < r->lcore_nr; i++)
		for (unsigned k = 0; k < r->lcore[i].large.nr; k++)
			add(out, &r->lcore[i].large.conn[k], r->lcore[i].cpu, secret);
}

void zb_largest_report(const struct zb_largest *l, FILE *f)
{
	char flow[ZB_COST_FLOW_TEXT], bytes[32];

	if (l->nr == 0 || l->conn[0].bytes <= WORTH_A_LINE)
		return;
	zb_cost_flow_show(&l->conn[0].flow, flow, sizeof(flow));
	fprintf(f, "\nmemory   connection %s: at most %s\n", flow,
		zb_report_bytes(l->conn[0].bytes, bytes, sizeof(bytes)));
}

/* Microseconds are all that a double holds of a time. */
static double seconds(uint64_t ns)
{
	return round((double)ns / 1e3) / 1e6;
}

json_t *zb_largest_json(const struct zb_largest *l)
{
	json_t *a = json_array();

	for (unsigned i = 0; a != NULL && i < l->nr; i++) {
		const struct zb_largest_conn *c = &l->conn[i];
		json_t *o = zb_cost_flow_json(&c->flow), *more;

		/* "o" with NULL fails the whole, and takes over what is there. */
		more = json_pack("{s:o, s:i, s:I, s:f}", "service",
				 c->service[0] != '\0' ? json_string(c->service) : json_null(),
				 "lcore", (int)c->lcore, "bytes", (json_int_t)c->bytes, "ts",
				 seconds(c->ts_ns));
		int bad = json_object_update(o, more);

		json_decref(more);
		if ((json_array_append_new(a, o) | bad) != 0) {
			json_decref(a);
			return NULL;
		}
	}
	return a;
}

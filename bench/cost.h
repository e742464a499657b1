/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cost.h - which analyzers, log streams, connections and hosts a run's cycles went to
 *
 * From what workers metered (pipeline/meter.h), scaled to all bursts: shares are of all busy
 * cycles, and estimates.
 *
 * Threading: main, after the workers have finished.
 */
#ifndef ZB_BENCH_COST_H
#define ZB_BENCH_COST_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>

#include "bench/pass.h"
#include "pipeline/meter.h"
#include "pipeline/uid.h"

#define ZB_COST_TOP 10

struct zb_cost_place {
	const char *name; /* zb_meter_place_name() */
	double share, cycles_per_pkt;
	/* Analyzers, in metered bursts: how often they were given data, and what that cost. */
	uint64_t calls;
	double cycles_per_call, bytes_per_call;
	double longest;	 /* cycles of the longest stretch without a break: no more than a call */
	double metered;	 /* cycles that those calls stand for */
	uint32_t weight; /* how many calls one stands for, at most */
};

/* share is too large by error at most. */
struct zb_cost_host {
	char addr[INET6_ADDRSTRLEN];
	double share, error;
};

#define ZB_COST_FLOW_TEXT 160

struct zb_cost_flow {
	char uid[ZB_UID_MAX + 1];
	char orig_h[INET6_ADDRSTRLEN], resp_h[INET6_ADDRSTRLEN];
	uint16_t orig_p, resp_p;
	uint8_t proto;
	double share, error;
	char pcap[ZB_UID_MAX + 32]; /* file of its packets, see capture_worst.h; "": none */
	uint32_t pcap_pkts;
	bool pcap_cut; /* there were more */
};

struct zb_cost {
	uint64_t metered_cycles; /* that metered bursts count for; 0: nothing is known */
	double metered_ratio;	 /* of all busy cycles */
	unsigned place_nr, flow_nr, originator_nr, responder_nr;
	struct zb_cost_place place[ZB_METER_NR]; /* dearest first */
	struct zb_cost_flow flow[ZB_COST_TOP];
	struct zb_cost_host originator[ZB_COST_TOP], responder[ZB_COST_TOP];
};

/* -ENOMEM, said. */
int zb_cost_make(const struct zb_pass_result *r, uint64_t secret, struct zb_cost *out);

/* Of a sketch's key: uid, addresses, ports and protocol of *f. */
void zb_cost_flow_name(const uint8_t key[static ZB_SKETCH_KEY], uint64_t secret,
		       struct zb_cost_flow *f);

/* "UID, ADDR:PORT > ADDR:PORT/PROTO"; all fits in ZB_COST_FLOW_TEXT bytes. */
void zb_cost_flow_show(const struct zb_cost_flow *f, char *buf, size_t size);

/* The same of a sketch's key. */
void zb_cost_flow_text(const uint8_t key[static ZB_SKETCH_KEY], uint64_t secret, char *buf,
		       size_t size);

/* Some lines for a person; none when nothing is known. */
void zb_cost_report(const struct zb_cost *c, FILE *f);

struct json_t;
/* uid, orig_h, orig_p, resp_h, resp_p, proto: a new reference; NULL: out of memory. */
struct json_t *zb_cost_flow_json(const struct zb_cost_flow *f);

/* A new reference; NULL: out of memory. */
struct json_t *zb_cost_json(const struct zb_cost *c);

#endif

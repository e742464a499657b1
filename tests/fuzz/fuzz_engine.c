/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_engine.c - any bytes as a sequence of packets through a whole engine, in bursts and one by
 * one
 *
 * Both runs must keep the accounting law, write a row for each connection, and agree (unless
 * connections were shed). engine_record.h says how bytes become packets.
 *
 *     fuzz_engine -max_len=4096 tests/fuzz/corpus/engine
 */
#include <stdlib.h>

#include "engine_record.h"
#include "pipeline/conn.h"
#include "pipeline/engine.h"
#include "tests/unit/frame_build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define START_NS (1700000000 * ZB_SEC_NS)

/* A queue that reads records. */
struct record_source {
	struct zb_rxq rxq;
	const uint8_t *data, *end, *at;
	uint64_t clock_ns, newest_ns;
	uint64_t pkts, bytes;
	uint8_t *frame[ZB_BURST_MAX]; /* blocks of exactly their packet's size */
};

static void must(bool holds)
{
	if (!holds)
		abort();
}

static uint32_t build(const struct er *r, uint8_t *frame)
{
	struct fb_spec s = {
		.v6 = r->kind & ER_V6, .proto = IPPROTO_TCP, .src = 0x0a000001, .dst = 0xc0000201};
	uint32_t len;

	s.sport = 40000;
	s.dport = (r->kind & 6) == 6 ? 22 : 80;
	s.dst += r->kind & 1u;
	if (r->kind & (ER_UDP | ER_ICMP)) {
		s.proto = r->kind & ER_UDP ? IPPROTO_UDP : s.v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
		s.dport = s.proto == IPPROTO_UDP ? 53 : 0;
		s.sport = s.proto == IPPROTO_UDP ? 40000 : r->flags;
	}
	if (r->kind & ER_BACK && s.proto != IPPROTO_ICMP && s.proto != IPPROTO_ICMPV6) {
		uint16_t port = s.sport;
		uint32_t host = s.src;

		s.sport = s.dport;
		s.dport = port;
		s.src = s.dst;
		s.dst = host;
	}
	s.seq = r->seq | (uint32_t)(r->high & 15) << 28;
	s.ack = r->ack | (uint32_t)(r->high >> 4) << 28;
	s.flags = r->flags;
	s.zero_window = r->extra & ER_ZERO_WINDOW;
	s.payload_len = r->payload;
	len = fb_ether(frame, &s);
	if (r->extra & ER_BAD_SUM)
		frame[len - 1] ^= 0x55;
	if (r->extra & ER_BAD_LEN)
		frame[14 + (s.v6 ? 5 : 3)] ^= r->payload;
	return len;
}

/* The next packet; false at the end of the input. */
static bool next_packet(struct record_source *s, struct zb_pkt *p, uint8_t **block)
{
	uint8_t frame[FB_MAX];
	const uint8_t *bytes = frame;
	struct er r;
	uint32_t len;

	if (s->end - s->at < ER_SIZE)
		return false;
	memcpy(&r, s->at, ER_SIZE);
	s->at += ER_SIZE;
	if (r.kind & ER_RAW) {
		len = (uint32_t)(s->end - s->at) < r.seq ? (uint32_t)(s->end - s->at) : r.seq;
		bytes = s->at;
		s->at += len;
	} else {
		len = build(&r, frame);
	}
	s->clock_ns += er_step_ns(r.step);
	*p = (struct zb_pkt){.ts_ns = s->clock_ns, .cap_len = len, .wire_len = len};
	if (r.kind & ER_RAW)
		p->link = r.flags % (ZB_LINK_NR + 1);
	if (r.extra & ER_CUT)
		p->cap_len = len * (r.high & 63u) / 64;
	if (r.extra & ER_BACK_IN_TIME)
		p->ts_ns -= (uint64_t)(r.extra >> 5) * (ZB_SEC_NS / 20);
	s->newest_ns = p->ts_ns > s->newest_ns ? p->ts_ns : s->newest_ns;
	p->late_ms = (uint32_t)((s->newest_ns - p->ts_ns) / 125000000 * 125);
	*block = malloc(p->cap_len);
	must(*block != NULL || p->cap_len == 0);
	if (p->cap_len != 0)
		memcpy(*block, bytes, p->cap_len);
	p->data = *block;
	return true;
}

static void free_frames(struct record_source *s)
{
	for (unsigned i = 0; i < ZB_BURST_MAX; i++) {
		free(s->frame[i]);
		s->frame[i] = NULL;
	}
}

/* Intervals are endless here: until_ns never ends a burst. */
static uint16_t source_burst(struct zb_rxq *q, struct zb_pkt *pkts, uint16_t n, uint64_t until_ns)
{
	struct record_source *s = q->priv;
	uint16_t got = 0;

	(void)until_ns;
	free_frames(s);
	while (got < n && next_packet(s, &pkts[got], &s->frame[got])) {
		s->pkts++;
		s->bytes += pkts[got].wire_len;
		got++;
	}
	q->done = got == 0;
	return got;
}

static uint64_t source_next_ns(const struct zb_rxq *q)
{
	(void)q;
	return 0;
}

static void source_ledger(const struct zb_rxq *q, struct zb_rxq_ledger *out)
{
	const struct record_source *s = q->priv;

	*out = (struct zb_rxq_ledger){.offered_pkts = s->pkts,
				      .offered_bytes = s->bytes,
				      .link_pkts = s->pkts,
				      .link_bytes = s->bytes};
}

static const struct zb_rxq_ops source_ops = {.burst = source_burst,
					     .next_ns = source_next_ns,
					     .ledger = source_ledger};

static struct zb_log_set *logs_once(void)
{
	static struct zb_log_set *set;
	struct zb_log_conf conf = {.dir = "/nonexistent",
				   .defs = zb_engine_log_defs,
				   .stream_nr = ZB_LOG_ENGINE_NR,
				   .producer_nr = 1,
				   .format = ZB_ROW_JSON,
				   .sink = ZB_SINK_NULL,
				   .block = true};

	if (set == NULL)
		must(zb_log_set_create(&conf, &set) == 0);
	return set;
}

static uint64_t conns_made(const struct zb_lcore_stat *s)
{
	return s->c[ZB_C_tcp_conns] + s->c[ZB_C_udp_conns] + s->c[ZB_C_icmp_conns] +
	       s->c[ZB_C_other_conns];
}

static void run(const uint8_t *data, size_t size, uint16_t burst_max, struct zb_lcore_stat *stat)
{
	static const struct zb_engine_switch on = {.marks = true, .snapshots = true};
	static const bool stop;
	struct record_source s = {
		.data = data, .at = data + ER_HEAD, .end = data + size, .clock_ns = START_NS};
	struct zb_engine_conf conf = {.rxq = &s.rxq,
				      .stat = stat,
				      .logs = logs_once(),
				      .peer = "fuzz",
				      .start_ns = START_NS,
				      .interval_ns = 1000000000 * ZB_SEC_NS,
				      .secret = 3,
				      .burst_max = burst_max,
				      .on = &on,
				      .stop = &stop,
				      .conns_max =
					      data[1] & ER_FEW_CONNS ? 4 * ZB_BURST_MAX : 1u << 16,
				      .ignore_checksums = data[1] & ER_IGNORE_CHECKSUMS};
	struct zb_log_port_stat before, after;
	struct zb_residual residual;
	struct zb_engine *e;

	s.rxq = (struct zb_rxq){.ops = &source_ops, .priv = &s};
	zb_log_port_stat(zb_log_port(conf.logs, ZB_LOG_CONN, 0), &before);
	must(zb_engine_create(&conf, &e) == 0);
	zb_engine_run(e);
	zb_engine_destroy(e);
	free_frames(&s);
	zb_log_port_stat(zb_log_port(conf.logs, ZB_LOG_CONN, 0), &after);
	residual = zb_stat_residual(stat, 0, 0);
	must(zb_residual_is_zero(&residual));
	must(stat->c[ZB_C_pkts_proc] == s.pkts && stat->c[ZB_C_bytes_recv] == s.bytes);
	must(after.rows - before.rows == conns_made(stat));
	must(stat->fate[ZB_FATE_no_state] == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct zb_lcore_stat one, many;

	if (size < ER_HEAD)
		return 0;
	memset(&one, 0, sizeof(one));
	memset(&many, 0, sizeof(many));
	run(data, size, 1, &one);
	run(data, size, (uint16_t)(data[0] % ZB_BURST_MAX + 1), &many);
	if (one.c[ZB_C_conns_evicted] != 0 || many.c[ZB_C_conns_evicted] != 0)
		return 0;
	must(memcmp(one.fate, many.fate, sizeof(one.fate)) == 0);
	must(one.c[ZB_C_weirds] == many.c[ZB_C_weirds]);
	for (unsigned i = ZB_C_tcp_conns; i <= ZB_C_other_conns; i++)
		must(one.c[i] == many.c[i]);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_engine.c - any bytes as a sequence of packets through a whole engine, in bursts and one by
 * one
 *
 * Both runs must keep the accounting law, write a row for each connection, give back all memory,
 * and write the same rows (unless something was shed). engine_record.h says how bytes become
 * packets.
 *
 *     fuzz_engine -max_len=4096 tests/fuzz/corpus/engine
 */
#include <stdlib.h>

#include "engine_record.h"
#include "pipeline/conn.h"
#include "pipeline/engine.h"
#include "pipeline/mem.h"
#include "tests/fuzz/row_catch.h"
#include "tests/unit/frame_build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define START_NS (1700000000 * ZB_SEC_NS)

#define PKTS_MAX 8192u /* records after that are not read */

/* Engine time at each packet of the input. */
static uint64_t clock_at[PKTS_MAX];
static uint32_t clock_nr;

/* A queue that reads records. */
struct record_source {
	struct zb_rxq rxq;
	const uint8_t *data, *end, *at;
	uint64_t clock_ns, newest_ns;
	uint64_t pkts, bytes;
	uint8_t *frame[ZB_BURST_MAX]; /* blocks of exactly their packet's size */
};

/* Puts the next bytes of the input in place of the payload. */
static void say(struct record_source *s, const struct fb_spec *spec, uint8_t *ip, uint32_t len)
{
	uint32_t n = spec->payload_len, hdr = spec->v6 ? 40 : 20;

	n = n < (uint32_t)(s->end - s->at) ? n : (uint32_t)(s->end - s->at);
	if (n != 0)
		memcpy(ip + len - spec->payload_len, s->at, n);
	s->at += n;
	fb_seal_l4(ip, ip + hdr, len - hdr, spec->proto);
}

static uint32_t build(struct record_source *source, const struct er *r, uint8_t *frame)
{
	static const uint16_t tcp_ports[] = {80, 443, 445, 22}, udp_ports[] = {53, 443, 67, 161};
	struct fb_spec s = {
		.v6 = r->kind & ER_V6, .proto = IPPROTO_TCP, .src = 0x0a000001, .dst = 0xc0000201};
	uint32_t len;

	s.sport = 40000;
	s.dport = tcp_ports[r->kind >> 1 & 3];
	s.dst += r->kind & 1u;
	if (r->kind & (ER_UDP | ER_ICMP)) {
		s.proto = r->kind & ER_UDP ? IPPROTO_UDP : s.v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
		s.dport = s.proto == IPPROTO_UDP ? udp_ports[r->kind >> 1 & 3] : 0;
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
	s.flags = r->flags & ER_TCP_FLAGS;
	s.zero_window = r->extra & ER_ZERO_WINDOW;
	s.payload_len = r->payload * (r->flags & ER_LONG ? 16u : 1u);
	if (s.payload_len > ER_PAYLOAD_MAX)
		s.payload_len = ER_PAYLOAD_MAX;
	len = fb_ether(frame, &s);
	if (r->flags & ER_SAID)
		say(source, &s, frame + 14, len - 14);
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

	if (s->end - s->at < ER_SIZE || s->pkts == PKTS_MAX)
		return false;
	s->pkts++;
	memcpy(&r, s->at, ER_SIZE);
	s->at += ER_SIZE;
	if (r.kind & ER_RAW) {
		len = (uint32_t)(r.seq | r.ack << 8);
		len = (uint32_t)(s->end - s->at) < len ? (uint32_t)(s->end - s->at) : len;
		bytes = s->at;
		s->at += len;
	} else {
		len = build(s, &r, frame);
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
	p->late = zb_late_code(s->newest_ns - p->ts_ns);
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

static uint64_t source_time_from(const struct zb_rxq *q, uint64_t ns)
{
	uint32_t low = 0, high = clock_nr;

	(void)q;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (clock_at[mid] < ns)
			low = mid + 1;
		else
			high = mid;
	}
	return low < clock_nr ? clock_at[low] : 0;
}

static void read_clock(const uint8_t *data, size_t size)
{
	struct record_source s = {
		.data = data, .at = data + ER_HEAD, .end = data + size, .clock_ns = START_NS};
	struct zb_pkt p;
	uint8_t *block;

	for (clock_nr = 0; next_packet(&s, &p, &block); clock_nr++) {
		clock_at[clock_nr] = s.newest_ns;
		free(block);
	}
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
					     .time_from = source_time_from,
					     .ledger = source_ledger};

static uint64_t conns_made(const struct zb_lcore_stat *s)
{
	return s->c[ZB_C_tcp_conns] + s->c[ZB_C_udp_conns] + s->c[ZB_C_icmp_conns] +
	       s->c[ZB_C_other_conns];
}

/* What hangs on connections is gone with them. */
static void check_memory(const struct zb_lcore_stat *stat)
{
	static const uint16_t gauge[] = {
		ZB_G_stream_bytes,  ZB_G_reassem_tcp_bytes, ZB_G_reassem_unknown_bytes,
		ZB_G_dns_bytes,	    ZB_G_http_bytes,	    ZB_G_tls_bytes,
		ZB_G_analyzer_bytes};

	for (size_t i = 0; i < sizeof(gauge) / sizeof(gauge[0]); i++)
		must(stat->g[gauge[i]] == 0);
}

static bool has_tables(unsigned kind)
{
	return kind == ZB_MEM_file || kind == ZB_MEM_frag || kind == ZB_MEM_tunnel;
}

static void run(const uint8_t *data, size_t size, uint16_t burst_max, struct zb_lcore_stat *stat)
{
	static const struct zb_engine_switch on = {.marks = true, .snapshots = true};
	static const bool stop;
	/* No table of what was logged already: making it would take most of the time. */
	uint64_t mem_limit[ZB_MEM_NR] = {[ZB_MEM_known] = 1};
	struct record_source s = {
		.data = data, .at = data + ER_HEAD, .end = data + size, .clock_ns = START_NS};
	struct zb_engine_conf conf = {.rxq = &s.rxq,
				      .stat = stat,
				      .logs = rc_logs(),
				      .peer = "fuzz",
				      .start_ns = START_NS,
				      .interval_ns = 1000000000 * ZB_SEC_NS,
				      .secret = 3,
				      .burst_max = burst_max,
				      .on = &on,
				      .stop = &stop,
				      .conns_max =
					      data[1] & ER_FEW_CONNS ? 4 * ZB_BURST_MAX : 1u << 12,
				      .mem_limit = mem_limit,
				      .file_hashes = 7,
				      .ignore_checksums = data[1] & ER_IGNORE_CHECKSUMS};
	struct zb_log_port_stat before, after;
	struct zb_residual residual;
	struct zb_engine *e;

	for (unsigned i = 0; data[1] & ER_LITTLE_MEMORY && i < ZB_MEM_NR; i++)
		mem_limit[i] = (has_tables(i) ? 262144u : 4096u) << (data[1] >> 6);
	if (data[1] & ER_MEMCAP)
		conf.memcap_bytes = 65536u << (data[1] >> 6);
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
	check_memory(stat);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct zb_lcore_stat one, many;
	struct rc_rows rows, again;

	if (size < ER_HEAD)
		return 0;
	memset(&one, 0, sizeof(one));
	memset(&many, 0, sizeof(many));
	read_clock(data, size);
	rc_begin(data[1] & ER_TSV ? ZB_ROW_TSV : ZB_ROW_JSON);
	run(data, size, 1, &one);
	rc_take(&rows);
	run(data, size, (uint16_t)(data[0] % ZB_BURST_MAX + 1), &many);
	rc_take(&again);
	if (one.c[ZB_C_conns_evicted] == 0 && many.c[ZB_C_conns_evicted] == 0 &&
	    !(data[1] & (ER_LITTLE_MEMORY | ER_MEMCAP))) {
		rc_hide_ids(&rows);
		rc_hide_ids(&again);
		rc_must_equal(&rows, &again);
		must(memcmp(one.fate, many.fate, sizeof(one.fate)) == 0);
		must(one.c[ZB_C_weirds] == many.c[ZB_C_weirds]);
		for (unsigned i = ZB_C_tcp_conns; i <= ZB_C_other_conns; i++)
			must(one.c[i] == many.c[i]);
	}
	rc_free(&rows);
	rc_free(&again);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_analyzer.c - any bytes as what two sides say to one analyzer
 *
 * Compiled once for each analyzer (ZB_FUZZ_ANALYZER). The first byte chooses transport and the
 * responder's port; then come pieces of two bytes and their data:
 *
 *     bit 7: side   bits 6-5: 0 data, 1 data, 2 gap, 3 fin or flip   13 bits: length
 *
 * Whatever is said, all memory must come back, and no more than its limit may be taken.
 *
 *     fuzz_analyzer_dns -max_len=4096 tests/fuzz/corpus/analyzer_dns
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/branch.h"
#include "pipeline/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define START_NS (1700000000 * ZB_SEC_NS)

static struct zb_lcore_stat stat;
static struct zb_weird weird;
static struct zb_log_set *logs;

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void set_up(void)
{
	struct zb_log_conf conf = {.dir = "/nonexistent",
				   .defs = zb_engine_log_defs,
				   .stream_nr = ZB_LOG_ENGINE_NR,
				   .producer_nr = 1,
				   .format = ZB_ROW_JSON,
				   .sink = ZB_SINK_NULL,
				   .block = true};

	must(zb_log_set_create(&conf, &logs) == 0);
	must(zb_weird_init(&weird, zb_log_port(logs, ZB_LOG_WEIRD, 0), "fuzz", 1) == 0);
}

static bool is_over_tcp(const struct zb_analyzer_def *def, bool wanted)
{
	bool tcp = def->tcp_ports != NULL || def->match_over & ZB_OVER_TCP;
	bool udp = def->udp_ports != NULL || def->match_over & ZB_OVER_UDP;

	return tcp == udp ? wanted : tcp;
}

static void say(struct zb_session *s, uint8_t kind, const uint8_t *d, size_t n)
{
	unsigned side = kind >> 7;
	uint8_t *copy;

	switch (kind >> 5 & 3) {
	case 2: zb_branch_gap(&s->root, side, n); return;
	case 3:
		if (n & 1)
			zb_branch_fin(&s->root, side);
		else
			zb_session_flip(s);
		return;
	default: break;
	}
	/* Exactly as large as it is, so that reading past its end is seen. */
	copy = malloc(n + !n);
	must(copy != NULL);
	memcpy(copy, d, n);
	s->conn->end[side].bytes += s->conn->key.proto == IPPROTO_UDP ? n : 0;
	s->conn->end[side].last_seq += s->conn->key.proto == IPPROTO_TCP ? (uint32_t)n : 0;
	zb_branch_data(&s->root, side, copy, n);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t orig[4] = {10, 0, 0, 1}, resp[4] = {192, 0, 2, 1};
	/* No table of what was logged already: making it would take most of the time. */
	static const uint64_t mem_limit[ZB_MEM_NR] = {[ZB_MEM_known] = 1};
	const uint8_t *end = data + size;
	struct zb_conn conn = {.first_ns = START_NS, .last_ns = START_NS};
	struct zb_analysis an;
	struct zb_session *s;
	bool tcp;

	if (size < 1)
		return 0;
	if (logs == NULL)
		set_up();
	must(zb_analysis_init(&an, &(struct zb_analysis_conf){.logs = logs,
							      .stat = &stat,
							      .weird = &weird,
							      .mem_limit = mem_limit,
							      .secret = 1,
							      .file_hashes = 7}) == 0);
	tcp = is_over_tcp(an.registry->def[ZB_FUZZ_ANALYZER], *data & 1);
	if (zb_flow_key_make(&conn.key, orig, resp, 4, 40000, *data & 2 ? 80 : 9,
			     tcp ? IPPROTO_TCP : IPPROTO_UDP, false))
		conn.flags |= ZB_CONN_ORIG_IS_A;
	an.now_ns = weird.now_ns = START_NS;
	s = zb_session_get(&an, &conn);
	must(s != NULL);
	zb_branch_attach(&s->root, ZB_FUZZ_ANALYZER);
	for (data++; end - data >= 2;) {
		uint8_t kind = data[0];
		size_t n = (size_t)(data[0] & 31) << 8 | data[1];

		data += 2;
		an.now_ns = weird.now_ns = an.now_ns + 1000000;
		if ((kind >> 5 & 3) < 2)
			n = n < (size_t)(end - data) ? n : (size_t)(end - data);
		say(s, kind, data, n);
		data += (kind >> 5 & 3) < 2 ? n : 0;
	}
	zb_session_end(&conn);
	zb_analysis_fini(&an);
	must(an.mem.total == 0);
	return 0;
}

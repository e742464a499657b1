/* SPDX-License-Identifier: Apache-2.0 */
/* test_tunnel.c - packets in packets through the whole engine: rows, parents, fates, bounds */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "log_read.h"
#include "pipeline/engine.h"
#include "pipeline/tunnel.h"
#include "tunnel_build.h"

#define T0   (1700000000 * ZB_SEC_NS)
#define PKTS 1024

/* A queue of raw IP packets in memory. */
static struct {
	struct zb_rxq rxq;
	struct tb_buf buf[PKTS];
	uint64_t ts_ns[PKTS];
	uint8_t flags[PKTS];
	uint32_t nr, at;
} q;
static struct zb_lcore_stat stat;
static struct logs logs;

static uint16_t q_burst(struct zb_rxq *rxq, struct zb_pkt *pkts, uint16_t n, uint64_t until_ns)
{
	uint16_t got = 0;

	rxq->done = q.at == q.nr;
	for (; got < n && q.at < q.nr && q.ts_ns[q.at] < until_ns; got++, q.at++)
		pkts[got] = (struct zb_pkt){.data = q.buf[q.at].p,
					    .ts_ns = q.ts_ns[q.at],
					    .cap_len = (uint32_t)q.buf[q.at].nr,
					    .wire_len = (uint32_t)q.buf[q.at].nr,
					    .link = ZB_LINK_RAW_IP,
					    .flags = q.flags[q.at]};
	return got;
}

static uint64_t q_next_ns(const struct zb_rxq *rxq)
{
	(void)rxq;
	return q.at < q.nr ? q.ts_ns[q.at] : 0;
}

static void q_ledger(const struct zb_rxq *rxq, struct zb_rxq_ledger *out)
{
	(void)rxq;
	memset(out, 0, sizeof(*out));
	for (uint32_t i = 0; i < q.at; i++) {
		if (q.flags[i] & ZB_PKT_INNER_ONLY)
			continue;
		out->link_pkts++;
		out->link_bytes += q.buf[i].nr;
	}
	out->offered_pkts = out->link_pkts;
	out->offered_bytes = out->link_bytes;
}

static int set_up(void **state)
{
	static const struct zb_rxq_ops ops = {.burst = q_burst,
					      .next_ns = q_next_ns,
					      .ledger = q_ledger};

	(void)state;
	memset(&q, 0, sizeof(q));
	memset(&stat, 0, sizeof(stat));
	q.rxq = (struct zb_rxq){.ops = &ops};
	logs_open(&logs, ZB_ROW_JSON, ZB_SINK_FILES);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < q.nr; i++)
		tb_free(&q.buf[i]);
	logs_free(&logs);
	return 0;
}

/* The next packet of the queue, step_ns after the one before. */
static struct tb_buf *next(uint64_t step_ns)
{
	assert_true(q.nr < PKTS);
	q.ts_ns[q.nr] = (q.nr != 0 ? q.ts_ns[q.nr - 1] : T0) + step_ns;
	return &q.buf[q.nr++];
}

static struct tb_ip ip_of(int version, uint8_t proto, uint8_t from, uint16_t sport, uint16_t dport)
{
	struct tb_ip ip = {.version = version,
			   .proto = proto,
			   .sport = sport,
			   .dport = dport,
			   .payload_len = 16};

	ip.src[0] = ip.dst[0] = version == 4 ? 10 : 0x20;
	ip.src[3] = from;
	ip.dst[3] = 200;
	return ip;
}

static struct tb_ip outer_of(uint8_t from)
{
	return ip_of(4, 17, from, 50000, 0);
}

/* An inner datagram in one tunnel. */
static void put(enum tb_tunnel kind, int version, uint8_t from, uint64_t step_ns)
{
	struct tb_buf *b = next(step_ns);
	struct tb_ip inner = ip_of(version, 17, from, 1111, 2222);

	tb_packet(b, TB_RAW, &inner);
	tb_wrap(b, kind, outer_of(1));
}

/* Runs the engine over the queue; the accounting law must hold. */
static void run(uint16_t burst_max)
{
	static bool stop;
	static const struct zb_engine_switch on = {.marks = false, .snapshots = false};
	struct zb_engine_conf conf = {
		.rxq = &q.rxq,
		.stat = &stat,
		.logs = logs.set,
		.peer = "bed",
		.start_ns = T0,
		.interval_ns = 300 * ZB_SEC_NS,
		.secret = 31,
		.conns_max = 4096,
		.burst_max = burst_max,
		.on = &on,
		.stop = &stop,
	};
	struct zb_residual res;
	struct zb_engine *e;

	assert_int_equal(zb_engine_create(&conf, &e), 0);
	zb_engine_run(e);
	zb_engine_destroy(e);
	res = zb_stat_residual(&stat, 0, 0);
	assert_true(zb_residual_is_zero(&res));
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)) != NULL; text += strlen(what))
		n++;
	return n;
}

/* The text between quotes after key in the first row that has mark. */
static void value_of(const char *text, const char *mark, const char *key, char out[64])
{
	const char *row = strstr(text, mark), *at;

	assert_non_null(row);
	while (row > text && row[-1] != '\n')
		row--;
	at = strstr(row, key);
	assert_non_null(at);
	sscanf(at + strlen(key), "%63[A-Za-z0-9]", out);
}

static const struct {
	const char *type, *service;
	bool v4, v6;
} kinds[TB_TUNNEL_NR] = {
	[TB_IPIP] = {"Tunnel::IP", NULL, true, true},
	[TB_GRE] = {"Tunnel::GRE", NULL, true, true},
	[TB_GRE_SUM] = {"Tunnel::GRE", NULL, true, true},
	[TB_GRE_ETHERNET] = {"Tunnel::GRE", NULL, true, true},
	[TB_ERSPAN_2] = {"Tunnel::GRE", NULL, true, true},
	[TB_ERSPAN_3] = {"Tunnel::GRE", NULL, true, true},
	[TB_PPTP] = {"Tunnel::GRE", NULL, true, true},
	[TB_VXLAN] = {"Tunnel::VXLAN", "vxlan", true, true},
	[TB_GENEVE] = {"Tunnel::GENEVE", "geneve", true, true},
	[TB_GTP] = {"Tunnel::GTPv1", "gtpv1", true, true},
	[TB_TEREDO] = {"Tunnel::TEREDO", NULL, false, true},
	[TB_AYIYA] = {"Tunnel::AYIYA", "ayiya", true, true},
};

static void one_kind(enum tb_tunnel kind, int version)
{
	char tunnel_uid[64], parent[64];
	char *text;

	set_up(NULL);
	put(kind, version, 7, 0);
	put(kind, version, 7, 1000);
	put(kind, version, 8, 1000);
	run(64);
	text = strdup(logs_read(&logs, "tunnel"));
	assert_int_equal(count(text, "DISCOVER"), 1);
	assert_int_equal(count(text, "CLOSE"), kind >= TB_VXLAN);
	assert_int_equal(count(text, kinds[kind].type), kind >= TB_VXLAN ? 2 : 1);
	value_of(text, "DISCOVER", "\"uid\":\"", tunnel_uid);
	free(text);
	text = logs_read(&logs, "conn");
	assert_int_equal(count(text, "\"id.orig_p\":1111"), 2);
	assert_int_equal(count(text, "\"id.orig_p\":50000"), kind >= TB_VXLAN);
	value_of(text, "\"id.orig_p\":1111", "\"tunnel_parents\":[\"", parent);
	assert_string_equal(parent, tunnel_uid);
	if (kinds[kind].service != NULL) {
		value_of(text, "\"id.orig_p\":50000", "\"uid\":\"", parent);
		assert_string_equal(parent, tunnel_uid);
		value_of(text, "\"id.orig_p\":50000", "\"service\":\"", parent);
		assert_string_equal(parent, kinds[kind].service);
	}
	assert_int_equal(stat.fate[ZB_FATE_tunnel], kind >= TB_VXLAN ? 0 : 3);
	assert_int_equal(stat.fate[ZB_FATE_conn], kind >= TB_VXLAN ? 3 : 0);
	tear_down(NULL);
}

/* Of each kind: the tunnel is logged once, what is inside are connections, which name it. */
static void tunnel_of_each_kind_is_entered_and_logged(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < TB_TUNNEL_NR; kind++) {
		print_message("  kind %u\n", kind);
		if (kinds[kind].v4)
			one_kind((enum tb_tunnel)kind, 4);
		if (kinds[kind].v6)
			one_kind((enum tb_tunnel)kind, 6);
	}
}

/* Four tunnels deep is followed; one more is named instead. */
static void tunnel_in_tunnel_is_followed_to_the_depth_limit(void **state)
{
	(void)state;
	for (unsigned depth = 4; depth <= 5; depth++) {
		struct tb_buf *b;
		struct tb_ip inner = ip_of(4, 17, 7, 1111, 2222);

		set_up(NULL);
		b = next(0);
		tb_packet(b, TB_RAW, &inner);
		for (unsigned k = 0; k < depth; k++)
			tb_wrap(b, k % 2 != 0 ? TB_VXLAN : TB_IPIP, outer_of((uint8_t)(k + 1)));
		run(64);
		assert_int_equal(count(logs_read(&logs, "conn"), "\"id.orig_p\":1111"), depth == 4);
		/* The innermost that could be entered is a tunnel only if something is in it. */
		assert_int_equal(count(logs_read(&logs, "tunnel"), "DISCOVER"), depth == 4 ? 4 : 3);
		assert_int_equal(count(logs_read(&logs, "weird"),
				       "exceeded_tunnel_max_depth_in_tunnel"),
				 depth == 5);
		tear_down(NULL);
	}
}

/* However the traffic is cut into bursts, rows are the same; more than a burst's room is shed. */
static void tunnel_rows_do_not_depend_on_bursts(void **state)
{
	char *first = NULL;

	(void)state;
	for (unsigned burst = 1; burst <= 64; burst *= 4) {
		char *text;

		set_up(NULL);
		for (unsigned i = 0; i < 300; i++)
			put((enum tb_tunnel)(i % TB_TEREDO), 4, (uint8_t)(i % 5), 1000);
		run((uint16_t)burst);
		text = logs_read(&logs, "tunnel");
		if (first == NULL)
			first = strdup(text);
		else
			assert_string_equal(text, first);
		assert_int_equal(stat.c[ZB_C_tunnel_shed], 0);
		tear_down(NULL);
	}
	free(first);

	set_up(NULL);
	for (unsigned i = 0; i < 64; i++) {
		struct tb_buf *b = next(1000);
		struct tb_ip inner = ip_of(4, 17, 7, 1111, 2222);

		tb_packet(b, TB_RAW, &inner);
		for (unsigned k = 0; k < 4; k++)
			tb_wrap(b, TB_IPIP, outer_of((uint8_t)(k + 1)));
	}
	run(64);
	assert_true(stat.c[ZB_C_tunnel_shed] > 0); /* 63 * 4 in the second burst, room for 192 */
	assert_int_equal(stat.fate[ZB_FATE_tunnel], 64);
	tear_down(NULL);
}

/* A tunnel in which nothing begins for an hour expires, and is discovered anew. */
static void tunnel_unused_for_an_hour_expires(void **state)
{
	char *text;

	(void)state;
	set_up(NULL);
	put(TB_IPIP, 4, 7, 0);
	put(TB_IPIP, 4, 8, ZB_TUNNEL_EXPIRE_NS - 1000);
	put(TB_IPIP, 4, 9, ZB_TUNNEL_EXPIRE_NS);
	run(64);
	text = logs_read(&logs, "tunnel");
	assert_int_equal(count(text, "DISCOVER"), 2);
	assert_int_equal(count(text, "EXPIRE"), 1);
	assert_true(strstr(text, "EXPIRE") < strstr(strstr(text, "EXPIRE"), "DISCOVER"));
	tear_down(NULL);
}

/* A VXLAN header without its flag is none: later packets of the connection are not entered. */
static void tunnel_broken_once_is_not_entered_again(void **state)
{
	struct tb_buf *b;

	(void)state;
	set_up(NULL);
	put(TB_VXLAN, 4, 7, 0);
	b = next(1000);
	tb_bytes(b, q.buf[0].p, q.buf[0].nr);
	b->p[28] = 0;
	tb_put16(b->p + 26, 0); /* no checksum */
	put(TB_VXLAN, 4, 8, 1000);
	run(64);
	assert_int_equal(count(logs_read(&logs, "conn"), "\"id.orig_p\":1111"), 1);
	assert_int_equal(count(logs_read(&logs, "conn"), "vxlan"), 0);
	tear_down(NULL);
}

/* An inner connection that changes tunnels often is named, and its parents are bounded. */
static void tunnel_changed_too_often_is_named_once(void **state)
{
	char *text;

	(void)state;
	set_up(NULL);
	for (unsigned i = 0; i < 20; i++) {
		struct tb_buf *b = next(1000);
		struct tb_ip inner = ip_of(4, 17, 7, 1111, 2222);

		tb_packet(b, TB_RAW, &inner);
		tb_wrap(b, TB_IPIP, outer_of((uint8_t)(i + 1)));
	}
	run(64);
	text = logs_read(&logs, "conn");
	assert_int_equal(count(text, "\"history\":\"DX\""), 1);
	assert_int_equal(count(strstr(text, "tunnel_parents"), "\"C"), ZB_TUNNEL_PARENTS_MAX);
	text = logs_read(&logs, "weird");
	assert_int_equal(count(text, "tunnel_max_changes_per_connection_exceeded"), 1);
	tear_down(NULL);
}

/* Fragments of an outer and of an inner datagram lead to what was inside. */
static void tunnel_in_fragments_and_fragments_in_tunnels_are_put_together(void **state)
{
	struct tb_buf whole = {0}, *b;
	struct tb_ip inner = ip_of(4, 17, 7, 1111, 2222);

	(void)state;
	set_up(NULL);
	inner.payload_len = 400;
	tb_packet(&whole, TB_RAW, &inner);
	tb_wrap(&whole, TB_VXLAN, outer_of(1));
	tb_fragment_v4(next(0), &whole, 1, 30, (uint32_t)whole.nr - 20 - 240);
	tb_fragment_v4(next(10), &whole, 1, 0, 240);
	tb_free(&whole);
	inner = ip_of(6, 17, 9, 1111, 2222);
	inner.payload_len = 400;
	tb_packet(&whole, TB_RAW, &inner);
	for (unsigned i = 0; i < 2; i++) {
		b = next(10);
		tb_fragment_v6(b, &whole, 5, i * 30, i == 0 ? 240 : 168);
		tb_wrap(b, TB_GRE, outer_of(2));
	}
	tb_free(&whole);
	run(64);
	assert_int_equal(count(logs_read(&logs, "conn"), "\"id.orig_p\":1111"), 2);
	assert_int_equal(count(logs_read(&logs, "conn"), "\"orig_ip_bytes\":428"), 1);
	assert_int_equal(count(logs_read(&logs, "conn"), "\"orig_ip_bytes\":448"), 1);
	assert_int_equal(stat.fate[ZB_FATE_fragment], 1);
	assert_int_equal(stat.fate[ZB_FATE_conn], 1);
	assert_int_equal(stat.fate[ZB_FATE_tunnel], 2);
	tear_down(NULL);
}

/* Split over two workers, the outer flow's has the tunnel, the inner flow's what is inside. */
static void tunnel_split_between_workers_is_counted_once(void **state)
{
	char parent[64], uid[64];

	(void)state;
	set_up(NULL);
	put(TB_VXLAN, 4, 7, 0);
	q.flags[0] = ZB_PKT_OUTER_ONLY;
	run(64);
	assert_int_equal(count(logs_read(&logs, "conn"), "\"id.orig_p\":1111"), 0);
	assert_int_equal(count(logs_read(&logs, "tunnel"), "DISCOVER"), 1);
	assert_int_equal(count(logs_read(&logs, "tunnel"), "CLOSE"), 1);
	value_of(logs_read(&logs, "conn"), "\"id.orig_p\":50000", "\"uid\":\"", uid);
	assert_int_equal(stat.c[ZB_C_pkts_proc], 1);
	tear_down(NULL);

	set_up(NULL);
	put(TB_VXLAN, 4, 7, 0);
	q.flags[0] = ZB_PKT_INNER_ONLY;
	run(64);
	assert_int_equal(count(logs_read(&logs, "conn"), "\"id.orig_p\":1111"), 1);
	assert_int_equal(count(logs_read(&logs, "conn"), "\"id.orig_p\":50000"), 0);
	assert_int_equal(count(logs_read(&logs, "tunnel"), "DISCOVER"), 0);
	value_of(logs_read(&logs, "conn"), "\"id.orig_p\":1111", "\"tunnel_parents\":[\"", parent);
	assert_string_equal(parent, uid);
	assert_int_equal(stat.c[ZB_C_pkts_proc], 0);
	assert_int_equal(stat.c[ZB_C_bytes_recv], 0);
	for (unsigned i = 0; i < ZB_FATE_NR; i++)
		assert_int_equal(stat.fate[i], 0);
	tear_down(NULL);
}

/* Teredo on any port is known by its content, and confirmed only when both sides speak it. */
static void tunnel_teredo_is_confirmed_by_both_sides(void **state)
{
	(void)state;
	for (unsigned both = 0; both < 2; both++) {
		set_up(NULL);
		for (unsigned i = 0; i <= both; i++) {
			struct tb_buf *b = next(1000), payload = {0}, out = {0};
			struct tb_ip inner = ip_of(6, 17, 7, 1111, 2222), outer = outer_of(1);

			inner.src[1] = 1; /* 2001:0:: */
			inner.src[2] = inner.src[3] = 0;
			outer.dport = 40000;
			if (i == 1) {
				outer.src[3] = 200;
				outer.dst[3] = 1;
				outer.sport = 40000;
				outer.dport = 50000;
			}
			tb_packet(&payload, TB_RAW, &inner);
			tb_carry(&out, outer, &payload);
			tb_free(&payload);
			*b = out;
		}
		run(64);
		assert_int_equal(count(logs_read(&logs, "conn"), "\"teredo\""), both);
		assert_int_equal(count(logs_read(&logs, "conn"), "\"id.orig_p\":1111"), 1);
		assert_int_equal(count(logs_read(&logs, "tunnel"), "TEREDO"), 2);
		tear_down(NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tunnel_of_each_kind_is_entered_and_logged),
		cmocka_unit_test(tunnel_in_tunnel_is_followed_to_the_depth_limit),
		cmocka_unit_test(tunnel_rows_do_not_depend_on_bursts),
		cmocka_unit_test(tunnel_unused_for_an_hour_expires),
		cmocka_unit_test(tunnel_broken_once_is_not_entered_again),
		cmocka_unit_test(tunnel_changed_too_often_is_named_once),
		cmocka_unit_test(tunnel_in_fragments_and_fragments_in_tunnels_are_put_together),
		cmocka_unit_test(tunnel_split_between_workers_is_counted_once),
		cmocka_unit_test(tunnel_teredo_is_confirmed_by_both_sides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_known.c - local hosts and services: which, when, and once a day */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"
#include "pipeline/known.h"

#define DAY_NS (86400 * ZB_SEC_NS)

static void host_bed(struct analyzer_bed *b, uint8_t proto, const uint8_t *resp)
{
	static const uint8_t orig[4] = {10, 0, 0, 1};

	ab_open(b, proto, 9);
	b->conn.flags = 0;
	if (zb_flow_key_make(&b->conn.key, orig, resp, 4, 40000, 9, proto, false))
		b->conn.flags |= ZB_CONN_ORIG_IS_A;
	b->conn.end[ZB_RESP].state = ZB_END_ESTABLISHED;
}

static const uint8_t local[4] = {192, 168, 1, 2}, far[4] = {8, 8, 8, 8};

static void rows(struct analyzer_bed *b, const char *log, const char *expected)
{
	ab_end(b);
	assert_string_equal(logs_read(&b->logs, log), expected);
	ab_close(b);
}

/* Both ends count if they are local, each once within a day and again after it. */
static void known_local_hosts_are_logged_once_a_day(void **state)
{
	struct analyzer_bed b;

	(void)state;
	host_bed(&b, IPPROTO_TCP, local);
	zb_known_host(b.an.known, &b.conn);
	b.an.now_ns += DAY_NS - 1;
	zb_known_host(b.an.known, &b.conn);
	b.an.now_ns += 1;
	zb_known_host(b.an.known, &b.conn);
	rows(&b, "known_hosts",
	     "{\"ts\":1700000000.0,\"host\":\"10.0.0.1\"}\n"
	     "{\"ts\":1700000000.0,\"host\":\"192.168.1.2\"}\n"
	     "{\"ts\":1700086400.0,\"host\":\"10.0.0.1\"}\n"
	     "{\"ts\":1700086400.0,\"host\":\"192.168.1.2\"}\n");
}

/* A host elsewhere is not logged. */
static void known_far_host_is_not_logged(void **state)
{
	struct analyzer_bed b;

	(void)state;
	host_bed(&b, IPPROTO_TCP, far);
	zb_known_host(b.an.known, &b.conn);
	rows(&b, "known_hosts", "{\"ts\":1700000000.0,\"host\":\"10.0.0.1\"}\n");
}

/* A service is offered when its name is found, and not again when the connection ends. */
static void known_named_service_is_logged_at_once(void **state)
{
	struct analyzer_bed b;

	(void)state;
	host_bed(&b, IPPROTO_TCP, local);
	zb_session_add_service(b.s, "ssh");
	zb_known_conn_end(b.an.known, &b.conn, b.an.now_ns + ZB_SEC_NS);
	rows(&b, "known_services",
	     "{\"ts\":1700000000.0,\"host\":\"192.168.1.2\",\"port_num\":9,\"port_proto\":\"tcp\","
	     "\"service\":[\"SSH\"]}\n");
}

/* A server without a name is offered when the connection is over. */
static void known_nameless_service_is_logged_at_the_end(void **state)
{
	struct analyzer_bed b;

	(void)state;
	host_bed(&b, IPPROTO_TCP, local);
	zb_known_conn_end(b.an.known, &b.conn, b.an.now_ns + ZB_SEC_NS);
	rows(&b, "known_services",
	     "{\"ts\":1700000001.0,\"host\":\"192.168.1.2\",\"port_num\":9,\"port_proto\":\"tcp\","
	     "\"service\":[\"\"]}\n");
}

/* One that only the end of traffic ends is not: nobody waits for a name any more. */
static void known_nameless_service_at_the_end_of_traffic_is_none(void **state)
{
	struct analyzer_bed b;

	(void)state;
	host_bed(&b, IPPROTO_TCP, local);
	b.an.over_ns = b.an.now_ns + ZB_SEC_NS;
	zb_known_conn_end(b.an.known, &b.conn, b.an.now_ns);
	rows(&b, "known_services", "");
}

static unsigned search_nr;

static uint64_t searched(const struct zb_rxq *q, uint64_t ns)
{
	(void)q;
	search_nr++;
	return ns + 1;
}

/* What ends after the last packet of all is dated without a search for a packet behind it. */
static void known_end_behind_the_traffic_needs_no_search(void **state)
{
	static const struct zb_rxq_ops ops = {.time_from = searched};
	const struct zb_rxq q = {.ops = &ops};
	struct analyzer_bed b;
	struct zb_conn_end end;

	(void)state;
	host_bed(&b, IPPROTO_TCP, local);
	search_nr = 0;
	b.an.rxq = &q;
	b.an.over_ns = b.an.now_ns + ZB_SEC_NS;
	b.conn.deadline_ns = b.an.over_ns - 1;
	end = zb_analysis_conn_end(&b.an, &b.conn, b.an.now_ns);
	assert_false(end.is_last);
	assert_int_equal(end.ns, b.an.over_ns);
	assert_int_equal(search_nr, 1);
	b.conn.deadline_ns = b.an.over_ns + 1;
	end = zb_analysis_conn_end(&b.an, &b.conn, b.an.now_ns);
	assert_true(end.is_last);
	assert_int_equal(end.ns, b.an.over_ns);
	assert_int_equal(search_nr, 1);
	b.an.rxq = NULL;
	ab_end(&b);
	ab_close(&b);
}

/* Of several ends the earliest counts, in whatever order they are found. */
static void known_earlier_end_found_later_is_offered_too(void **state)
{
	struct analyzer_bed b;

	(void)state;
	host_bed(&b, IPPROTO_TCP, local);
	for (unsigned s = 3; s > 0; s--) {
		b.conn.traits = 0;
		zb_known_conn_end(b.an.known, &b.conn, b.an.now_ns + s * ZB_SEC_NS);
	}
	b.conn.traits = 0;
	zb_known_conn_end(b.an.known, &b.conn, b.an.now_ns + 2 * ZB_SEC_NS);
	rows(&b, "known_services",
	     "{\"ts\":1700000003.0,\"host\":\"192.168.1.2\",\"port_num\":9,\"port_proto\":\"tcp\","
	     "\"service\":[\"\"]}\n"
	     "{\"ts\":1700000002.0,\"host\":\"192.168.1.2\",\"port_num\":9,\"port_proto\":\"tcp\","
	     "\"service\":[\"\"]}\n"
	     "{\"ts\":1700000001.0,\"host\":\"192.168.1.2\",\"port_num\":9,\"port_proto\":\"tcp\","
	     "\"service\":[\"\"]}\n");
}

static void is_service(struct analyzer_bed *b, bool expected)
{
	zb_known_conn_end(b->an.known, &b->conn, b->an.now_ns);
	ab_end(b);
	assert_int_equal(logs_read(&b->logs, "known_services")[0] != '\0', expected);
	ab_close(b);
}

/* TCP: it has answered the handshake, even if it was reset after that. */
static void known_tcp_service_has_answered(void **state)
{
	static const struct {
		uint8_t state : 3;
		const char *history;
		bool counts;
	} cases[] = {
		{ZB_END_ESTABLISHED, "", true}, {ZB_END_CLOSED, "", true},
		{ZB_END_PARTIAL, "", true},	{ZB_END_RESET, "Sh", true},
		{ZB_END_RESET, "SHr", false},	{ZB_END_INACTIVE, "S", false},
	};
	struct analyzer_bed b;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		host_bed(&b, IPPROTO_TCP, local);
		b.conn.end[ZB_RESP].state = cases[i].state;
		for (const char *h = cases[i].history; *h != '\0'; h++)
			zb_conn_history_add(&b.conn, *h >= 'a' ? ZB_RESP : ZB_ORIG, *h & ~0x20);
		is_service(&b, cases[i].counts);
	}
}

/* UDP: the responder has sent something; other protocols have no services. */
static void known_udp_service_has_answered(void **state)
{
	struct analyzer_bed b;

	(void)state;
	host_bed(&b, IPPROTO_UDP, local);
	is_service(&b, false);
	host_bed(&b, IPPROTO_UDP, local);
	b.conn.end[ZB_RESP].hist = ZB_HIST_ACTIVE;
	is_service(&b, true);
	host_bed(&b, IPPROTO_UDP, far);
	b.conn.end[ZB_RESP].hist = ZB_HIST_ACTIVE;
	is_service(&b, false);
	host_bed(&b, IPPROTO_ICMP, local);
	b.conn.end[ZB_RESP].hist = ZB_HIST_ACTIVE;
	is_service(&b, false);
}

/* A data channel of FTP is none, nor is DNS that has answered nothing. */
static void known_data_channels_and_silent_dns_are_none(void **state)
{
	struct analyzer_bed b;

	(void)state;
	host_bed(&b, IPPROTO_TCP, local);
	zb_session_add_service(b.s, "ftp-data");
	is_service(&b, false);
	for (unsigned bytes = 0; bytes < 2; bytes++) {
		host_bed(&b, IPPROTO_UDP, local);
		b.conn.end[ZB_RESP].hist = ZB_HIST_ACTIVE;
		b.conn.end[ZB_RESP].bytes = bytes;
		zb_session_add_service(b.s, "dns");
		is_service(&b, bytes != 0);
	}
}

/* Within a small limit the table is as large as fits, and what it forgets is counted. */
static void known_table_stays_within_its_limit(void **state)
{
	static const uint64_t limits[] = {1, 200, 4096};

	(void)state;
	for (unsigned l = 0; l < 3; l++) {
		struct analyzer_bed b;
		struct zb_known *k;

		host_bed(&b, IPPROTO_TCP, local);
		zb_known_destroy(b.an.known);
		b.an.mem.limit[ZB_MEM_known] = limits[l];
		assert_int_equal(zb_known_create(&b.an, &k), 0);
		b.an.known = k;
		assert_true(b.an.mem.bytes[ZB_MEM_known] <= limits[l]);
		assert_int_equal(b.an.mem.bytes[ZB_MEM_known] != 0, limits[l] >= 128);
		for (unsigned i = 0; i < 1000; i++) {
			static const uint8_t orig[4] = {10, 0, 0, 1};
			uint8_t resp[4] = {10, 1, (uint8_t)(i >> 8), (uint8_t)i};

			zb_flow_key_make(&b.conn.key, orig, resp, 4, 1, 2, IPPROTO_TCP, false);
			zb_known_host(k, &b.conn);
		}
		assert_true(b.an.mem.shed[ZB_MEM_known] > 0);
		ab_end(&b);
		ab_close(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_local_hosts_are_logged_once_a_day),
		cmocka_unit_test(known_far_host_is_not_logged),
		cmocka_unit_test(known_named_service_is_logged_at_once),
		cmocka_unit_test(known_nameless_service_is_logged_at_the_end),
		cmocka_unit_test(known_nameless_service_at_the_end_of_traffic_is_none),
		cmocka_unit_test(known_end_behind_the_traffic_needs_no_search),
		cmocka_unit_test(known_earlier_end_found_later_is_offered_too),
		cmocka_unit_test(known_tcp_service_has_answered),
		cmocka_unit_test(known_udp_service_has_answered),
		cmocka_unit_test(known_data_channels_and_silent_dns_are_none),
		cmocka_unit_test(known_table_stays_within_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_weird.c - which oddities become rows, and that all are counted */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>

#include "log_read.h"
#include "pipeline/uid.h"
#include "pipeline/weird.h"

#define SECRET 5
#define T0     (1700000000 * ZB_SEC_NS)
#define DAY_NS (86400 * ZB_SEC_NS)

static struct logs logs;
static struct zb_weird w;

static int set_up(void **state)
{
	(void)state;
	logs_open(&logs, ZB_ROW_JSON, ZB_SINK_FILES);
	if (zb_weird_init(&w, zb_log_port(logs.set, ZB_LOG_WEIRD, 0), "lcore-2", SECRET) < 0)
		return -1;
	w.now_ns = T0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	zb_weird_fini(&w);
	logs_free(&logs);
	return 0;
}

static struct zb_conn conn_between(uint8_t orig, uint8_t resp, uint16_t port)
{
	return (struct zb_conn){
		.key = {.a = {10, 0, 0, orig},
			.b = {192, 0, 2, resp},
			.port_a = port,
			.port_b = 80,
			.proto = 6,
			.ip_version = 4},
		.flags = ZB_CONN_ORIG_IS_A,
		.uid_seq = orig,
	};
}

static unsigned rows(void)
{
	unsigned n = 0;

	for (const char *p = logs_read(&logs, "weird"); (p = strchr(p, '\n')) != NULL; p++)
		n++;
	return n;
}

static uint64_t rows_so_far(void)
{
	struct zb_log_port_stat st;

	zb_log_port_stat(w.port, &st);
	return st.rows;
}

/* Rows of a connection, of two addresses and of a bare packet must have Zeek's members. */
static void weird_rows_are_exact(void **state)
{
	static const uint8_t src[] = {10, 0, 0, 1}, dst[] = {192, 0, 2, 9};
	struct zb_conn c = conn_between(1, 2, 40000);
	char want[1024], uid[ZB_UID_MAX + 1] = "";

	(void)state;
	zb_weird_conn(&w, &c, ZB_WEIRD_UDP_datagram_length_mismatch, "9 != 12");
	w.now_ns += 1500000000;
	zb_weird_flow(&w, ZB_WEIRD_truncated_header, src, dst, 4);
	zb_weird_net(&w, ZB_WEIRD_truncated_IP);
	zb_uid_format(uid, 'C', 1, SECRET);
	snprintf(want, sizeof(want),
		 "{\"ts\":1700000000.0,\"uid\":\"%s\",\"id.orig_h\":\"10.0.0.1\",\"id.orig_p\":"
		 "40000,"
		 "\"id.resp_h\":\"192.0.2.2\",\"id.resp_p\":80,\"name\":\"UDP_datagram_length_"
		 "mismatch\","
		 "\"addl\":\"9 != 12\",\"notice\":false,\"peer\":\"lcore-2\",\"source\":\"UDP\"}\n"
		 "{\"ts\":1700000001.5,\"id.orig_h\":\"10.0.0.1\",\"id.orig_p\":0,\"id.resp_h\":"
		 "\"192.0.2.9\","
		 "\"id.resp_p\":0,\"name\":\"truncated_header\",\"notice\":false,\"peer\":\"lcore-"
		 "2\"}\n"
		 "{\"ts\":1700000001.5,\"name\":\"truncated_IP\",\"notice\":false,\"peer\":\"lcore-"
		 "2\","
		 "\"source\":\"IP\"}\n",
		 uid);
	assert_string_equal(logs_read(&logs, "weird"), want);
	assert_true(c.flags & ZB_CONN_DID_WEIRD);
	assert_int_equal(w.total, 3);
}

/* A name that is logged is muted for ten minutes for its connection, and for no other. */
static void weird_of_a_connection_is_muted_for_ten_minutes(void **state)
{
	struct zb_conn a = conn_between(1, 2, 40000), b = conn_between(1, 2, 40001);

	(void)state;
	for (unsigned i = 0; i < 100; i++, w.now_ns += ZB_SEC_NS) {
		zb_weird_conn(&w, &a, ZB_WEIRD_data_after_reset, NULL);
		zb_weird_conn(&w, &b, ZB_WEIRD_data_after_reset, NULL);
		zb_weird_conn(&w, &a, ZB_WEIRD_SYN_after_reset, NULL);
	}
	w.now_ns = T0 + 600 * ZB_SEC_NS - 1;
	zb_weird_conn(&w, &a, ZB_WEIRD_data_after_reset, NULL);
	assert_int_equal(rows_so_far(), 3);
	w.now_ns = T0 + 600 * ZB_SEC_NS;
	zb_weird_conn(&w, &a, ZB_WEIRD_data_after_reset, NULL);
	assert_int_equal(w.count[ZB_WEIRD_data_after_reset], 202);
	assert_int_equal(w.total, 302);
	assert_int_equal(rows(), 4);
}

/* Once per originator and day, whatever it is connected to; once per connection and day. */
static void weird_per_originator_and_per_connection_last_a_day(void **state)
{
	struct zb_conn a = conn_between(1, 2, 40000), b = conn_between(1, 3, 40001),
		       c = conn_between(4, 2, 40000);
	struct zb_conn *all[] = {&a, &b, &c, &a, &b, &c};

	(void)state;
	for (unsigned i = 0; i < 6; i++)
		zb_weird_conn(&w, all[i], ZB_WEIRD_bad_TCP_checksum, NULL); /* two originators */
	for (unsigned i = 0; i < 6; i++)
		zb_weird_conn(&w, all[i], ZB_WEIRD_simultaneous_open, NULL); /* three connections */
	w.now_ns += DAY_NS - 1;
	zb_weird_conn(&w, &b, ZB_WEIRD_bad_TCP_checksum, NULL);
	zb_weird_conn(&w, &b, ZB_WEIRD_simultaneous_open, NULL);
	assert_int_equal(rows_so_far(), 2 + 3);
	w.now_ns += 1;
	zb_weird_conn(&w, &b, ZB_WEIRD_bad_TCP_checksum, NULL);
	zb_weird_conn(&w, &b, ZB_WEIRD_simultaneous_open, NULL);
	assert_int_equal(rows(), 2 + 3 + 2);
}

/* The same for packets in no connection: per source, or per pair of addresses. */
static void weird_of_addresses_follows_their_policy(void **state)
{
	uint8_t src[16] = {10, 0, 0, 1}, dst[16] = {192, 0, 2, 1};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		dst[3] = (uint8_t)i;
		zb_weird_flow(&w, ZB_WEIRD_bad_IP_checksum, src, dst, 4);  /* one source */
		zb_weird_flow(&w, ZB_WEIRD_truncated_header, src, dst, 4); /* three pairs */
		zb_weird_flow(&w, ZB_WEIRD_truncated_header, src, dst, 4);
	}
	zb_weird_flow(&w, ZB_WEIRD_bad_IP_checksum, src, dst,
		      16); /* an IPv6 address is another one */
	assert_int_equal(rows(), 1 + 3 + 1);
}

/* Of packets without addresses each name is logged once in ten minutes. */
static void weird_without_addresses_is_muted_by_name(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 700; i++, w.now_ns += ZB_SEC_NS) {
		zb_weird_net(&w, ZB_WEIRD_unknown_ip_version);
		zb_weird_net(&w, ZB_WEIRD_truncated_IP);
	}
	assert_int_equal(w.count[ZB_WEIRD_unknown_ip_version], 700);
	assert_int_equal(rows(), 2 * 2);
}

/* What the policy drops is counted and not logged, and so is everything when the log is off. */
static void weird_that_is_ignored_or_has_no_log_is_counted(void **state)
{
	struct zb_conn c = conn_between(1, 2, 40000);

	(void)state;
	zb_weird_conn(&w, &c, ZB_WEIRD_spontaneous_FIN, NULL);
	zb_weird_conn(&w, &c, ZB_WEIRD_unsolicited_SYN_response, NULL);
	w.port = NULL;
	zb_weird_conn(&w, &c, ZB_WEIRD_bad_SYN_ack, NULL);
	zb_weird_flow(&w, ZB_WEIRD_truncated_header, c.key.a, c.key.b, 4);
	zb_weird_net(&w, ZB_WEIRD_truncated_IP);
	assert_int_equal(w.total, 5);
	assert_int_equal(w.count[ZB_WEIRD_spontaneous_FIN], 1);
	assert_int_equal(rows(), 0);
}

/* Under more originators than fit, the memory stays as it is and the newest are still muted. */
static void weird_memory_is_bounded_and_forgets_the_oldest(void **state)
{
	unsigned nr = 4 * ZB_WEIRD_MEMORY, before;
	struct zb_log_port_stat st;

	(void)state;
	for (unsigned i = 0; i < nr; i++, w.now_ns += 1000) {
		uint8_t src[4] = {(uint8_t)(i >> 24), (uint8_t)(i >> 16), (uint8_t)(i >> 8),
				  (uint8_t)i},
			dst[4] = {0};

		zb_weird_flow(&w, ZB_WEIRD_bad_IP_checksum, src, dst, 4);
		zb_weird_flow(&w, ZB_WEIRD_bad_IP_checksum, src, dst, 4);
	}
	zb_log_port_stat(w.port, &st);
	before = (unsigned)st.rows;
	/* Each once, but for the few whose eight places were all taken by one that is as new. */
	assert_in_range(before, nr, nr + nr / 100);
	assert_int_equal(w.total, 2 * nr);
}

/* Every name must have its text. */
static void weird_names_are_complete(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ZB_WEIRD_NR; i++)
		assert_true(strlen(zb_weird_text[i]) > 0);
}

/* What a transport says of its header has the transport as its source, with and without state. */
static void weird_truncated_header_names_the_transport(void **state)
{
	static const uint8_t src[] = {10, 0, 0, 1}, dst[] = {192, 0, 2, 9};
	struct zb_conn c = conn_between(1, 2, 40000);
	const char *text;

	(void)state;
	zb_weird_transport(&w, ZB_WEIRD_truncated_header, src, dst, 4, IPPROTO_TCP);
	zb_weird_transport(&w, ZB_WEIRD_internally_truncated_header, src, dst, 4, IPPROTO_ICMPV6);
	zb_weird_flow(&w, ZB_WEIRD_internally_truncated_header, dst, src, 4);
	zb_weird_conn(&w, &c, ZB_WEIRD_truncated_header, NULL);
	text = logs_read(&logs, "weird");
	for (unsigned i = 0; i < 4; i++) {
		static const char *const source[] = {"TCP", "ICMP", "IP", "TCP"};
		char want[32];

		snprintf(want, sizeof(want), "\"source\":\"%s\"}\n", source[i]);
		text = strstr(text, "\"source\"");
		assert_non_null(text);
		assert_memory_equal(text, want, strlen(want));
		text += strlen(want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(weird_rows_are_exact, set_up, tear_down),
		cmocka_unit_test_setup_teardown(weird_of_a_connection_is_muted_for_ten_minutes,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(weird_per_originator_and_per_connection_last_a_day,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(weird_of_addresses_follows_their_policy, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(weird_without_addresses_is_muted_by_name, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(weird_that_is_ignored_or_has_no_log_is_counted,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(weird_memory_is_bounded_and_forgets_the_oldest,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(weird_truncated_header_names_the_transport, set_up,
						tear_down),
		cmocka_unit_test(weird_names_are_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

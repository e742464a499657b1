/* SPDX-License-Identifier: Apache-2.0 */
/* test_dhcp.c - DHCP is recognised by cookie and message type */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"
#include "pipeline/analyzers/dhcp_join.h"

/* A message with the cookie and these options; its length. */
static size_t build(uint8_t *msg, const uint8_t *options, size_t n)
{
	static const uint8_t cookie[] = {0x63, 0x82, 0x53, 0x63};

	memset(msg, 0, 236);
	msg[0] = 1;
	memcpy(msg + 236, cookie, 4);
	memcpy(msg + 240, options, n);
	return 240 + n;
}

static bool is_dhcp(uint16_t port, const uint8_t *options, size_t n)
{
	struct analyzer_bed b;
	uint8_t msg[600];
	bool found;

	n = build(msg, options, n);
	ab_open(&b, IPPROTO_UDP, port);
	ab_say(&b, ZB_ORIG, msg, n);
	found = ab_has_service(&b, "dhcp");
	ab_end(&b);
	ab_close(&b);
	return found;
}

/* A message type and the end mark are enough, on any port. */
static void dhcp_discover_is_confirmed(void **state)
{
	static const uint8_t options[] = {53, 1, 1, 0, 0, 55, 2, 1, 3, 255};

	(void)state;
	assert_true(is_dhcp(67, options, sizeof(options)));
	assert_true(is_dhcp(4242, options, sizeof(options)));
}

/* BOOTP has no message type. */
static void dhcp_without_message_type_is_refused(void **state)
{
	static const uint8_t options[] = {1, 4, 255, 255, 255, 0, 255};

	(void)state;
	assert_false(is_dhcp(67, options, sizeof(options)));
}

/* An option beyond the end, and options without an end, are refused. */
static void dhcp_option_beyond_the_end_is_refused(void **state)
{
	static const uint8_t beyond[] = {53, 1, 1, 55, 3, 1, 3};
	static const uint8_t endless[] = {53, 1, 1};
	static const uint8_t lone[] = {53, 1, 1, 55};

	(void)state;
	assert_false(is_dhcp(67, beyond, sizeof(beyond)));
	assert_false(is_dhcp(67, endless, sizeof(endless)));
	assert_false(is_dhcp(67, lone, sizeof(lone)));
}

/* Something else on its port is refused for good. */
static void dhcp_short_message_is_refused(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_UDP, 67);
	ab_text(&b, ZB_ORIG, "hello");
	assert_null(b.s->root.first);
	ab_end(&b);
	ab_close(&b);
}

/* A message of transaction xid with these options; a server's assigns an address. */
static void say(struct analyzer_bed *b, unsigned side, uint32_t xid, const char *options, size_t n)
{
	static const uint8_t assigned[4] = {10, 0, 0, 9}, chaddr[6] = {2, 0, 0, 0, 0, 7};
	uint8_t msg[1600];

	n = build(msg, (const uint8_t *)options, n);
	memcpy(msg + 4, &xid, sizeof(xid));
	memcpy(msg + 28, chaddr, sizeof(chaddr));
	if (side == ZB_RESP)
		memcpy(msg + 16, assigned, sizeof(assigned));
	ab_say(b, side, msg, n);
}
#define SAY(b, side, xid, options) say(b, side, xid, options, sizeof(options) - 1)

static uint64_t row_nr(const struct analyzer_bed *b)
{
	struct zb_log_port_stat st;

	zb_log_port_stat(b->an.port[ZB_LOG_DHCP], &st);
	return st.rows;
}

/* Client and server, over two connections, make up one row with what each says. */
static void dhcp_transaction_is_one_row(void **state)
{
	struct analyzer_bed b;
	const char *log;

	(void)state;
	ab_open(&b, IPPROTO_UDP, 67);
	SAY(&b, ZB_ORIG, 7,
	    "\x35\1\3\x0c\2pc\x32\4\x0a\0\0\x08\x3d\7\1\2\0\0\0\0\5\x51\6\0\0\0pc.\xff");
	b.conn.uid_seq++;
	SAY(&b, ZB_RESP, 7, "\x35\1\5\x0f\4lan\0\x33\4\0\0\x0e\x10\x38\2ok\xff");
	assert_int_equal(row_nr(&b), 0);
	ab_end(&b);
	zb_analysis_end(&b.an);
	assert_int_equal(row_nr(&b), 1);
	log = logs_read(&b.logs, "dhcp");
	assert_non_null(strstr(log, "{\"ts\":1700000000.001,\"uids\":[\"C"));
	assert_non_null(strstr(
		log, "\"],\"client_addr\":\"10.0.0.1\",\"server_addr\":\"192.0.2.1\","
		     "\"mac\":\"02:00:00:00:00:05\",\"host_name\":\"pc\",\"client_fqdn\":\"pc.\","
		     "\"domain\":\"lan\",\"requested_addr\":\"10.0.0.8\",\"assigned_addr\":"
		     "\"10.0.0.9\",\"lease_time\":3600.0,\"server_message\":\"ok\","
		     "\"msg_types\":[\"REQUEST\",\"ACK\"],\"duration\":0.001}\n"));
	assert_non_null(strstr(log, "\",\"C"));
	ab_close(&b);
}

/* Without a client id the hardware address stands in; an unknown type has a name, too. */
static void dhcp_client_is_told_by_its_hardware_address(void **state)
{
	struct analyzer_bed b;
	const char *log;

	(void)state;
	ab_open(&b, IPPROTO_UDP, 67);
	SAY(&b, ZB_ORIG, 7, "\x35\1\x63\x33\2\1\2\x32\3\1\2\3\x51\2\1\2\x3d\0\xff");
	ab_end(&b);
	zb_analysis_end(&b.an);
	log = logs_read(&b.logs, "dhcp");
	assert_non_null(strstr(log, "\"client_addr\":\"10.0.0.1\",\"mac\":\"02:00:00:00:00:07\","
				    "\"msg_types\":[\"unknown-message-type-99\"],"));
	ab_close(&b);
}

/* What is quiet for five seconds is over, but that is looked at every ten seconds only. */
static void dhcp_transaction_ends_when_it_is_looked_at(void **state)
{
	static const uint64_t look_s[] = {4, 10, 19, 21};
	static const uint64_t rows[] = {0, 0, 0, 1};
	struct analyzer_bed b;
	uint64_t start_ns;

	(void)state;
	ab_open(&b, IPPROTO_UDP, 67);
	SAY(&b, ZB_ORIG, 7, "\x35\1\1\xff");
	start_ns = b.an.now_ns;
	b.an.now_ns += 7 * ZB_SEC_NS;
	SAY(&b, ZB_ORIG, 7, "\x35\1\3\xff");
	for (unsigned i = 0; i < 4; i++) {
		zb_analysis_expire(&b.an, start_ns + look_s[i] * ZB_SEC_NS + 2000000);
		assert_int_equal(row_nr(&b), rows[i]);
	}
	b.an.now_ns = start_ns + 22 * ZB_SEC_NS;
	SAY(&b, ZB_ORIG, 7, "\x35\1\3\xff");
	ab_end(&b);
	ab_close(&b);
}

/* However many there are, memory is bounded, the oldest is written, and no row grows for ever. */
static void dhcp_flood_is_bounded(void **state)
{
	struct analyzer_bed b;
	uint64_t most;

	(void)state;
	ab_open(&b, IPPROTO_UDP, 67);
	for (uint32_t i = 0; i < ZB_DHCP_OPEN_MAX; i++)
		SAY(&b, ZB_ORIG, i * 0x10001, "\x35\1\1\xff");
	most = b.an.mem.bytes[ZB_MEM_dhcp];
	assert_true(most < 16u << 20);
	assert_int_equal(b.an.mem.shed[ZB_MEM_dhcp], 0);
	for (uint32_t i = 0; i < 10; i++)
		SAY(&b, ZB_ORIG, 0xffff0000 + i, "\x35\1\1\xff");
	assert_int_equal(b.an.mem.bytes[ZB_MEM_dhcp], most);
	assert_int_equal(b.an.mem.shed[ZB_MEM_dhcp], 10);
	for (unsigned i = 0; i < ZB_DHCP_TYPES_MAX - 1; i++)
		SAY(&b, ZB_ORIG, 0xffff0000, "\x35\1\1\xff");
	assert_true(b.an.mem.bytes[ZB_MEM_dhcp] < most);
	b.an.mem.limit[ZB_MEM_dhcp] = 0;
	SAY(&b, ZB_ORIG, 1, "\x35\1\1\xff");
	ab_end(&b);
	zb_analysis_end(&b.an);
	assert_int_equal(b.an.mem.bytes[ZB_MEM_dhcp], 0);
	SAY(&b, ZB_ORIG, 1, "\x35\1\1\xff");
	assert_int_equal(row_nr(&b), ZB_DHCP_OPEN_MAX + 10);
	ab_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dhcp_discover_is_confirmed),
		cmocka_unit_test(dhcp_without_message_type_is_refused),
		cmocka_unit_test(dhcp_option_beyond_the_end_is_refused),
		cmocka_unit_test(dhcp_short_message_is_refused),
		cmocka_unit_test(dhcp_transaction_is_one_row),
		cmocka_unit_test(dhcp_client_is_told_by_its_hardware_address),
		cmocka_unit_test(dhcp_transaction_ends_when_it_is_looked_at),
		cmocka_unit_test(dhcp_flood_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

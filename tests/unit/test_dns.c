/* SPDX-License-Identifier: Apache-2.0 */
/* test_dns.c - DNS messages become rows: pairing, roles, streams, bounds */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"
#include "dns_build.h"

static void send_msg(struct analyzer_bed *b, unsigned side, const struct dns_build *m)
{
	ab_say(b, side, m->d, m->n);
}

static void ask(struct analyzer_bed *b, unsigned id, const char *name)
{
	struct dns_build m;

	db_query(&m, id, name, 1);
	send_msg(b, ZB_ORIG, &m);
}

static void reply(struct analyzer_bed *b, unsigned id, const char *name, uint32_t addr)
{
	struct dns_build m;

	db_reply(&m, id, name, 1, 1);
	db_a(&m, 60, addr);
	send_msg(b, ZB_RESP, &m);
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	while ((text = strstr(text, what)) != NULL) {
		text += strlen(what);
		n++;
	}
	return n;
}

static uint64_t waiting(const struct analyzer_bed *b)
{
	return b->stat.g[ZB_G_active_dns_requests];
}

/* A query and its reply are one row, which says all that both say. */
static void pair_of_query_and_reply_is_one_row(void **state)
{
	struct analyzer_bed b;
	struct dns_build m;
	char *text;

	(void)state;
	ab_open(&b, IPPROTO_UDP, 53);
	ask(&b, 7, "WWW.Example.com");
	assert_int_equal(waiting(&b), 1);
	db_reply(&m, 7, "www.example.com", 1, 2);
	db_record(&m, 5, 1, 300);
	db_name(&m, "CDN.example.com");
	db_record_end(&m);
	db_a(&m, 60, 0xc0000201);
	send_msg(&b, ZB_RESP, &m);
	assert_true(ab_has_service(&b, "dns"));
	assert_int_equal(waiting(&b), 0);
	assert_int_equal(b.stat.c[ZB_C_dns_requests], 1);
	ab_end(&b);
	text = logs_read(&b.logs, "dns");
	assert_int_equal(count(text, "\n"), 1);
	assert_non_null(strstr(
		text, "\"id.resp_p\":53,\"proto\":\"udp\",\"trans_id\":7,\"rtt\":0.001,"
		      "\"query\":\"www.example.com\",\"qclass\":1,\"qclass_name\":\"C_INTERNET\","
		      "\"qtype\":1,\"qtype_name\":\"A\",\"rcode\":0,\"rcode_name\":\"NOERROR\","
		      "\"AA\":true,\"TC\":false,\"RD\":true,\"RA\":true,\"Z\":0,"
		      "\"answers\":[\"cdn.example.com\",\"192.0.2.1\"],\"TTLs\":[300.0,60.0],"
		      "\"rejected\":false,\"opcode\":0,\"opcode_name\":\"query\"}"));
	ab_close(&b);
}

/* What no reply comes for is logged when the connection ends, without what a reply says. */
static void query_without_reply_is_logged_at_the_end(void **state)
{
	struct analyzer_bed b;
	char *text;

	(void)state;
	ab_open(&b, IPPROTO_UDP, 53);
	ask(&b, 1, "a.example");
	/* Longer than fits in the analyzer itself. */
	ask(&b, 2,
	    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefg."
	    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefg."
	    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefg.example");
	assert_int_equal(waiting(&b), 2);
	ab_end(&b);
	assert_int_equal(waiting(&b), 0);
	text = logs_read(&b.logs, "dns");
	assert_int_equal(count(text, "\n"), 2);
	assert_int_equal(count(text, "rcode"), 0);
	assert_int_equal(count(text, "defg.example\""), 1);
	ab_close(&b);
}

/* Replies may come first: the row then has no round trip, and the query's question. */
static void reply_before_its_query_is_paired(void **state)
{
	struct analyzer_bed b;
	char *text;

	(void)state;
	ab_open(&b, IPPROTO_UDP, 53);
	ask(&b, 1, "x.example");
	reply(&b, 5, "y.example", 0x01020304);
	ask(&b, 5, "y.example");
	assert_int_equal(waiting(&b), 1);
	ab_end(&b);
	text = logs_read(&b.logs, "dns");
	assert_int_equal(count(text, "\n"), 2);
	assert_int_equal(count(text, "rtt"), 0);
	assert_non_null(strstr(text, "\"query\":\"y.example\",\"qclass\":1"));
	assert_non_null(strstr(text, "\"answers\":[\"1.2.3.4\"],\"TTLs\":[60.0]"));
	ab_close(&b);
}

/* Of queries with the same id the oldest is answered first, wherever it is kept. */
static void same_id_pairs_in_order(void **state)
{
	const char *at;
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_UDP, 53);
	ask(&b, 9, "first.example");
	ask(&b, 8, "other.example");
	ask(&b, 9, "second.example");
	reply(&b, 9, "first.example", 1);
	reply(&b, 9, "second.example", 2);
	assert_int_equal(waiting(&b), 1);
	reply(&b, 8, "other.example", 3);
	ab_end(&b);
	at = strstr(logs_read(&b.logs, "dns"), "first.example");
	assert_non_null(at);
	assert_non_null(strstr(at, "0.0.0.1"));
	at = strstr(at, "second.example");
	assert_non_null(at);
	assert_non_null(strstr(at, "0.0.0.2"));
	at = strstr(at, "other.example");
	assert_non_null(at);
	assert_non_null(strstr(at, "0.0.0.3"));
	ab_close(&b);
}

/* However many queries stay unanswered, few wait, and every one has its row. */
static void unanswered_queries_are_bounded(void **state)
{
	struct analyzer_bed b;
	char *text;

	(void)state;
	ab_open(&b, IPPROTO_UDP, 53);
	for (unsigned i = 0; i < 300; i++) {
		ask(&b, i, "ids.example");
		assert_true(waiting(&b) <= 52);
	}
	for (unsigned i = 0; i < 300; i++) {
		ask(&b, 7, "same.example");
		assert_true(waiting(&b) <= 52 + 51);
	}
	ab_end(&b);
	text = logs_read(&b.logs, "dns");
	assert_int_equal(count(text, "ids.example"), 300);
	assert_int_equal(count(text, "same.example"), 300);
	ab_close(&b);
}

/* Without memory a query has its row at once, and is counted as shed. */
static void query_without_memory_is_logged_at_once(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_UDP, 53);
	ask(&b, 1, "kept.example");
	b.an.mem.limit[ZB_MEM_dns] = b.an.mem.bytes[ZB_MEM_dns];
	ask(&b, 2, "shed.example");
	reply(&b, 3, "shed2.example", 1);
	assert_int_equal(waiting(&b), 1);
	assert_int_equal(b.an.mem.shed[ZB_MEM_dns], 2);
	ab_end(&b);
	assert_int_equal(count(logs_read(&b.logs, "dns"), "\n"), 3);
	ab_close(&b);
}

/* A connection that begins with a reply has its roles swapped, unless it went to a group. */
static void first_reply_swaps_roles(void **state)
{
	static const uint8_t orig[4] = {10, 0, 0, 1}, group[4] = {224, 0, 0, 251};
	struct analyzer_bed b;
	struct dns_build m;

	(void)state;
	db_reply(&m, 7, "a.example", 1, 1);
	db_a(&m, 60, 1);
	ab_open(&b, IPPROTO_UDP, 53);
	b.conn.end[ZB_ORIG].pkts = 1;
	send_msg(&b, ZB_ORIG, &m);
	assert_int_equal(zb_conn_port(&b.conn, ZB_ORIG), 53);
	/* That datagram counts as the new originator's, as in Zeek. */
	assert_int_equal(b.conn.end[ZB_ORIG].pkts, 1);
	send_msg(&b, ZB_ORIG, &m);
	assert_int_equal(zb_conn_port(&b.conn, ZB_ORIG), 53);
	ab_end(&b);
	ab_close(&b);
	ab_open(&b, IPPROTO_UDP, 53);
	b.conn.flags &= (uint8_t)~ZB_CONN_ORIG_IS_A;
	if (zb_flow_key_make(&b.conn.key, orig, group, 4, 5353, 5353, IPPROTO_UDP, false))
		b.conn.flags |= ZB_CONN_ORIG_IS_A;
	send_msg(&b, ZB_ORIG, &m);
	assert_memory_equal(zb_conn_addr(&b.conn, ZB_RESP), group, 4);
	ab_end(&b);
	ab_close(&b);
}

/* More questions than anybody asks are not DNS. */
static void many_questions_are_no_dns(void **state)
{
	struct analyzer_bed b;
	struct dns_build m;

	(void)state;
	ab_open(&b, IPPROTO_UDP, 53);
	ask(&b, 1, "a.example");
	assert_true(ab_has_service(&b, "dns"));
	db_begin(&m, 2, 0, (const unsigned[4]){26, 0, 0, 0});
	send_msg(&b, ZB_ORIG, &m);
	assert_false(ab_has_service(&b, "dns"));
	assert_int_equal(b.weird.count[ZB_WEIRD_DNS_Conn_count_too_large], 1);
	ab_end(&b);
	ab_close(&b);
}

/* Of several questions the last counts; 25 are allowed. */
static void last_of_many_questions_is_the_query(void **state)
{
	struct analyzer_bed b;
	struct dns_build m;

	(void)state;
	ab_open(&b, IPPROTO_UDP, 5353);
	db_begin(&m, 0, 0, (const unsigned[4]){25, 0, 0, 0});
	for (unsigned i = 0; i < 24; i++)
		db_question(&m, "early.local", 1);
	db_question(&m, "last.local", 12);
	send_msg(&b, ZB_ORIG, &m);
	assert_true(ab_has_service(&b, "dns"));
	ab_end(&b);
	assert_non_null(strstr(logs_read(&b.logs, "dns"), "\"query\":\"last.local\""));
	ab_close(&b);
}

/* An operation that is none of DNS makes no row and shows in the history once. */
static void unknown_opcode_makes_no_row(void **state)
{
	struct analyzer_bed b;
	struct dns_build m;

	(void)state;
	ab_open(&b, IPPROTO_UDP, 53);
	db_begin(&m, 2, DB_REPLY | 13 << 11, (const unsigned[4]){1, 0, 0, 0});
	db_question(&m, "a.example", 1);
	send_msg(&b, ZB_ORIG, &m);
	send_msg(&b, ZB_ORIG, &m);
	assert_int_equal(b.weird.count[ZB_WEIRD_DNS_unknown_opcode], 2);
	assert_memory_equal(zb_conn_history(&b.conn), "X", 1);
	assert_int_equal(b.conn.history_len, 1);
	assert_false(ab_has_service(&b, "dns"));
	ab_end(&b);
	assert_string_equal(logs_read(&b.logs, "dns"), "");
	ab_close(&b);
}

/* A reply with nothing in it rejects the query. */
static void empty_reply_rejects(void **state)
{
	struct analyzer_bed b;
	struct dns_build m;
	char *text;

	(void)state;
	ab_open(&b, IPPROTO_UDP, 53);
	ask(&b, 1, "a.example");
	db_begin(&m, 1, 0x8183, (const unsigned[4]){1, 0, 0, 0});
	db_question(&m, "a.example", 1);
	send_msg(&b, ZB_RESP, &m);
	ab_end(&b);
	text = logs_read(&b.logs, "dns");
	assert_non_null(strstr(text, "\"rcode\":3,\"rcode_name\":\"NXDOMAIN\""));
	assert_non_null(strstr(text, "\"rejected\":true"));
	ab_close(&b);
}

/* A message cut at any length is safe to read: nothing behind its end is touched. */
static void message_cut_anywhere_is_safe(void **state)
{
	struct dns_build m;

	(void)state;
	db_reply(&m, 7, "a.example", 6, 2);
	db_record(&m, 6, 1, 1);
	db_name(&m, "ns.example");
	db_pointer(&m, 12);
	for (unsigned i = 0; i < 5; i++)
		db_32(&m, i);
	db_record_end(&m);
	db_record(&m, 16, 1, 1);
	db_8(&m, 3);
	db_bytes(&m, "abc", 3);
	db_record_end(&m);
	for (size_t n = 1; n <= m.n; n++) {
		struct analyzer_bed b;

		ab_open(&b, IPPROTO_UDP, 53);
		ab_say(&b, ZB_RESP, m.d, n);
		if (n == m.n)
			assert_true(ab_has_service(&b, "dns"));
		/* Within the text. */
		if (n < m.n && n > m.n - 4)
			assert_int_equal(b.weird.count[ZB_WEIRD_DNS_truncated_RR_rdlength_lt_len],
					 1);
		ab_end(&b);
		ab_close(&b);
	}
}

/* A stream's messages are the same in one piece, byte by byte, or two at a time. */
static void stream_in_pieces_is_the_same(void **state)
{
	uint8_t stream[512];
	size_t n = 0;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct dns_build m;

		db_query(&m, i, "tcp.example", 1);
		stream[n++] = 0;
		stream[n++] = (uint8_t)m.n;
		memcpy(stream + n, m.d, m.n);
		n += m.n;
	}
	for (unsigned drip = 0; drip < 2; drip++) {
		struct analyzer_bed b;

		ab_open(&b, IPPROTO_TCP, 53);
		if (drip)
			ab_drip(&b, ZB_ORIG, stream, n);
		else
			ab_say(&b, ZB_ORIG, stream, n);
		assert_int_equal(waiting(&b), 2);
		assert_true(ab_has_service(&b, "dns"));
		ab_end(&b);
		assert_int_equal(count(logs_read(&b.logs, "dns"),
				       "\"query\":\"tcp.example\",\"qclass\":1,"),
				 2);
		ab_close(&b);
	}
}

/* When both sides have ended, a message that is not whole is looked at as it is. */
static void stream_end_shows_the_rest(void **state)
{
	static const uint8_t part[] = {0, 200, 1, 2, 3};
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 53);
	ab_say(&b, ZB_RESP, part, sizeof(part));
	zb_branch_fin(&b.s->root, ZB_RESP);
	assert_int_equal(b.weird.count[ZB_WEIRD_DNS_truncated_len_lt_hdr_len], 0);
	zb_branch_fin(&b.s->root, ZB_ORIG);
	assert_int_equal(b.weird.count[ZB_WEIRD_DNS_truncated_len_lt_hdr_len], 1);
	ab_end(&b);
	ab_close(&b);
}

/* A stream's message for which there is no memory is stepped over; the next one is read. */
static void stream_without_memory_goes_on(void **state)
{
	struct analyzer_bed b;
	struct dns_build m;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 53);
	b.an.mem.limit[ZB_MEM_dns] = b.an.mem.bytes[ZB_MEM_dns];
	db_query(&m, 1, "tcp.example", 1);
	ab_drip(&b, ZB_ORIG, (uint8_t[2]){0, (uint8_t)m.n}, 2);
	ab_drip(&b, ZB_ORIG, m.d, m.n);
	assert_int_equal(waiting(&b), 0);
	assert_int_equal(b.an.mem.shed[ZB_MEM_dns], 1);
	ab_say(&b, ZB_ORIG, (uint8_t[2]){0, (uint8_t)m.n}, 2);
	ab_say(&b, ZB_ORIG, m.d, m.n);
	assert_int_equal(waiting(&b), 1);
	ab_end(&b);
	ab_close(&b);
}

/* DNS over UDP ends at the first of its looks that finds nothing for nine seconds. */
static void flow_ends_at_a_look_that_finds_it_idle(void **state)
{
	struct analyzer_bed b;
	uint64_t begin = AB_START_NS;

	(void)state;
	ab_open(&b, IPPROTO_UDP, 53);
	assert_int_equal(zb_conn_idle_deadline(&b.conn), begin + 10 * ZB_SEC_NS);
	b.conn.last_ns = begin + 1 * ZB_SEC_NS;
	assert_int_equal(zb_conn_idle_deadline(&b.conn), begin + 10 * ZB_SEC_NS);
	b.conn.last_ns = begin + 1 * ZB_SEC_NS + 1;
	assert_int_equal(zb_conn_idle_deadline(&b.conn), begin + 20 * ZB_SEC_NS);
	b.conn.last_ns = begin + 35 * ZB_SEC_NS;
	assert_int_equal(zb_conn_idle_deadline(&b.conn), begin + 50 * ZB_SEC_NS);
	ab_end(&b);
	ab_close(&b);
	ab_open(&b, IPPROTO_UDP, 54);
	assert_int_equal(zb_conn_idle_deadline(&b.conn), begin + 60 * ZB_SEC_NS);
	ab_end(&b);
	ab_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pair_of_query_and_reply_is_one_row),
		cmocka_unit_test(query_without_reply_is_logged_at_the_end),
		cmocka_unit_test(reply_before_its_query_is_paired),
		cmocka_unit_test(same_id_pairs_in_order),
		cmocka_unit_test(unanswered_queries_are_bounded),
		cmocka_unit_test(query_without_memory_is_logged_at_once),
		cmocka_unit_test(first_reply_swaps_roles),
		cmocka_unit_test(many_questions_are_no_dns),
		cmocka_unit_test(last_of_many_questions_is_the_query),
		cmocka_unit_test(unknown_opcode_makes_no_row),
		cmocka_unit_test(empty_reply_rejects),
		cmocka_unit_test(message_cut_anywhere_is_safe),
		cmocka_unit_test(stream_in_pieces_is_the_same),
		cmocka_unit_test(stream_end_shows_the_rest),
		cmocka_unit_test(stream_without_memory_goes_on),
		cmocka_unit_test(flow_ends_at_a_look_that_finds_it_idle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

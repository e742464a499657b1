/* SPDX-License-Identifier: Apache-2.0 */
/* test_conn_update.c - what packets do to connections: birth, roles, counts, time-outs and reuse */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow_bed.h"
#include "pipeline/tcp_conn.h"

#define A 0x0a000001u
#define B 0xc0000201u
#define T BED_START_NS

static const struct fb_spec syn = {.proto = IPPROTO_TCP,
				   .src = A,
				   .dst = B,
				   .sport = 40000,
				   .dport = 80,
				   .seq = 100,
				   .flags = FB_SYN};
static const struct fb_spec ack = {.proto = IPPROTO_TCP,
				   .src = A,
				   .dst = B,
				   .sport = 40000,
				   .dport = 80,
				   .seq = 100,
				   .flags = FB_ACK,
				   .payload_len = 10};
static const struct fb_spec query = {
	.proto = IPPROTO_UDP, .src = A, .dst = B, .sport = 40000, .dport = 123, .payload_len = 30};
static const struct fb_spec echo = {
	.proto = IPPROTO_ICMP, .src = A, .dst = B, .sport = 8, .payload_len = 56};

static struct bed bed;

static int set_up(void **state)
{
	(void)state;
	bed_open(&bed, 1024);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	bed_close(&bed);
	return 0;
}

static void assert_history(const struct zb_conn *c, const char *want)
{
	assert_int_equal(c->history_len, strlen(want));
	assert_memory_equal(zb_conn_history(c), want, c->history_len);
}

/* Both directions must meet in one connection and be counted on their own sides. */
static void udp_query_and_answer_share_a_connection(void **state)
{
	struct fb_spec answer = bed_reply(&query);
	struct zb_conn *c = bed_packet(&bed, &query, T);

	(void)state;
	answer.payload_len = 100;
	assert_ptr_equal(bed_packet(&bed, &answer, T + 5), c);
	assert_ptr_equal(bed_packet(&bed, &query, T + 9), c);
	assert_history(c, "Dd");
	assert_int_equal(c->end[ZB_ORIG].pkts, 2);
	assert_int_equal(c->end[ZB_ORIG].bytes, 60);
	assert_int_equal(c->end[ZB_ORIG].ip_bytes, 2 * 58);
	assert_int_equal(c->end[ZB_RESP].pkts, 1);
	assert_int_equal(c->end[ZB_RESP].bytes, 100);
	assert_int_equal(c->end[ZB_RESP].ip_bytes, 128);
	assert_int_equal(c->first_ns, T);
	assert_int_equal(c->last_ns, T + 9);
	assert_int_equal(bed.stat.c[ZB_C_udp_conns], 1);
	assert_int_equal(bed.stat.g[ZB_G_active_udp_conns], 1);
}

/* Ethernet's padding is nobody's payload. */
static void udp_padding_is_not_counted(void **state)
{
	struct fb_spec small = query;
	uint8_t frame[FB_MAX] = {0};
	struct zb_conn *c;

	(void)state;
	small.payload_len = 1;
	fb_ether(frame, &small);
	c = bed_frame(&bed, frame, 60, T);
	assert_int_equal(c->end[ZB_ORIG].bytes, 1);
	assert_int_equal(c->end[ZB_ORIG].ip_bytes, 29);
	assert_int_equal(bed.w.total, 0);
}

/* A first datagram from a server's port must make its sender the responder, unless it is a
 * broadcast. */
static void udp_roles_follow_likely_ports(void **state)
{
	struct fb_spec answer = bed_reply(&query), dhcp = answer, both = query;
	struct zb_conn *c = bed_packet(&bed, &answer, T);

	(void)state;
	assert_history(c, "^d");
	assert_int_equal(zb_conn_port(c, ZB_RESP), 123);
	assert_int_equal(c->end[ZB_RESP].pkts, 1);
	dhcp.dst = 0xffffffff;
	c = bed_packet(&bed, &dhcp, T);
	assert_history(c, "D");
	assert_int_equal(zb_conn_port(c, ZB_ORIG), 123);
	both.sport = 123;
	c = bed_packet(&bed, &both, T);
	assert_history(c, "D");
	assert_int_equal(zb_conn_port(c, ZB_ORIG), 123);
}

/* A UDP length that is not the IP payload's must be named, and is what counts. */
static void udp_length_mismatch_is_named(void **state)
{
	uint8_t frame[FB_MAX];
	uint32_t len = fb_ether(frame, &query);
	struct zb_conn *c;

	(void)state;
	fb_put16(frame + 38, 20);
	fb_seal_l4(frame + 14, frame + 34, 38, IPPROTO_UDP);
	c = bed_frame(&bed, frame, len, T);
	assert_int_equal(bed.w.count[ZB_WEIRD_UDP_datagram_length_mismatch], 1);
	assert_int_equal(c->end[ZB_ORIG].bytes, 12);
	assert_int_equal(c->end[ZB_ORIG].ip_bytes, 58);
	fb_put16(frame + 38, 3); /* less than its own header */
	fb_seal_l4(frame + 14, frame + 34, 38, IPPROTO_UDP);
	assert_ptr_equal(bed_frame(&bed, frame, len, T + 1), c);
	assert_int_equal(c->end[ZB_ORIG].bytes, 12);
}

/* Echo and reply are one connection; a message without counterpart is one for each direction. */
static void icmp_pairs_share_and_errors_do_not(void **state)
{
	struct fb_spec reply = bed_reply(&echo),
		       unreach = {
			       .proto = IPPROTO_ICMP, .src = A, .dst = B, .sport = 3, .dport = 1};
	struct fb_spec back = unreach;
	struct zb_conn *c = bed_packet(&bed, &echo, T), *u;

	(void)state;
	reply.sport = 0;
	reply.dport = 0;
	assert_ptr_equal(bed_packet(&bed, &reply, T + 1), c);
	assert_int_equal(c->history_len, 0);
	assert_int_equal(zb_conn_port(c, ZB_ORIG), 8);
	assert_int_equal(zb_conn_port(c, ZB_RESP), 0);
	assert_int_equal(c->end[ZB_ORIG].bytes, 56);
	assert_int_equal(c->end[ZB_RESP].bytes, 56);
	u = bed_packet(&bed, &unreach, T);
	back.src = B;
	back.dst = A;
	assert_ptr_not_equal(bed_packet(&bed, &back, T), u);
	assert_int_equal(zb_conn_port(u, ZB_ORIG), 3);
	assert_int_equal(zb_conn_port(u, ZB_RESP), 1);
	assert_int_equal(bed.stat.c[ZB_C_icmp_conns], 3);
}

/* Protocols without ports are one flow for each pair of hosts and protocol. */
static void other_protocol_is_one_flow_a_pair(void **state)
{
	struct fb_spec ospf = {.proto = 89, .src = A, .dst = B, .payload_len = 44},
		       back = bed_reply(&ospf);
	struct zb_conn *c = bed_packet(&bed, &ospf, T);

	(void)state;
	assert_ptr_equal(bed_packet(&bed, &back, T + 1), c);
	assert_int_equal(c->end[ZB_ORIG].pkts, 1);
	assert_int_equal(c->end[ZB_RESP].ip_bytes, 64);
	assert_int_equal(c->end[ZB_ORIG].bytes, 0);
	assert_int_equal(bed.stat.g[ZB_G_active_other_conns], 1);
}

/* A wrong checksum leaves a mark in the history and counts nowhere else. */
static void bad_checksum_is_noted_and_not_counted(void **state)
{
	static const struct fb_spec *const specs[] = {&ack, &query, &echo};
	static const enum zb_weird_name names[] = {ZB_WEIRD_bad_TCP_checksum,
						   ZB_WEIRD_bad_UDP_checksum,
						   ZB_WEIRD_bad_ICMP_checksum};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		uint8_t frame[FB_MAX];
		uint32_t len = fb_ether(frame, specs[i]);
		struct zb_conn *c;

		frame[len - 1] ^= 0x40;
		for (unsigned times = 0; times < 10; times++)
			c = bed_frame(&bed, frame, len, T + times);
		assert_history(c, i < 2 ? "CC" : "");
		assert_int_equal(c->end[ZB_ORIG].pkts, 0);
		assert_int_equal(c->end[ZB_ORIG].ip_bytes, 0);
		assert_int_equal(c->last_ns, T);
		assert_int_equal(bed.w.count[names[i]], 10);
	}
}

/* A TCP header whose length makes no sense makes a connection, and is otherwise left alone. */
static void bad_tcp_header_makes_an_empty_connection(void **state)
{
	uint8_t frame[FB_MAX];
	uint32_t len = fb_ether(frame, &ack);
	struct zb_conn *c;

	(void)state;
	frame[34 + 12] = 0x40;
	c = bed_frame(&bed, frame, len, T);
	assert_non_null(c);
	assert_int_equal(bed.w.count[ZB_WEIRD_bad_TCP_header_len], 1);
	assert_int_equal(c->end[ZB_ORIG].pkts, 0);
	assert_int_equal(c->history_len, 0);
	assert_ptr_equal(bed_packet(&bed, &ack, T + 1), c);
	assert_history(c, "D");
}

/* A packet one nanosecond before the deadline belongs to the connection, one at the deadline to the
 * next. */
static void packet_at_the_deadline_begins_a_new_connection(void **state)
{
	struct zb_conn *c = bed_packet(&bed, &query, T), *next;
	uint64_t uid = c->uid_seq;

	(void)state;
	assert_int_equal(c->deadline_ns, T + 60 * ZB_SEC_NS);
	assert_ptr_equal(bed_packet(&bed, &query, T + 60 * ZB_SEC_NS - 1), c);
	assert_int_equal(c->uid_seq, uid);
	next = bed_packet(&bed, &query, T + 120 * ZB_SEC_NS - 1);
	assert_ptr_not_equal(next, c);
	assert_true(c->flags & ZB_CONN_FINISHED);
	assert_int_equal(next->uid_seq, uid + 1);
	assert_int_equal(next->end[ZB_ORIG].pkts, 1);
	assert_int_equal(bed.set.finished_nr, 1);
	assert_int_equal(bed.stat.g[ZB_G_active_udp_conns], 1);
	assert_int_equal(bed.stat.c[ZB_C_udp_conns], 2);
}

/* A SYN with other numbers must end the connection on its 4-tuple at once; the same SYN again must
 * not. */
static void new_syn_on_a_live_4_tuple_begins_a_new_connection(void **state)
{
	struct fb_spec answer = bed_reply(&syn), again = syn;
	struct zb_conn *c = bed_packet(&bed, &syn, T), *next;

	(void)state;
	answer.seq = 500;
	answer.ack = 101;
	answer.flags = FB_SYN | FB_ACK;
	assert_ptr_equal(bed_packet(&bed, &answer, T + 1), c);
	assert_ptr_equal(bed_packet(&bed, &syn, T + 2), c);
	again.seq = 77777;
	next = bed_packet(&bed, &again, T + 3);
	assert_ptr_not_equal(next, c);
	assert_int_equal(bed.w.count[ZB_WEIRD_active_connection_reuse], 1);
	assert_string_equal(zb_tcp_conn_state(c), "S1");
	assert_string_equal(zb_tcp_conn_state(next), "S0");
	/* What an earlier stage found is stale now: it must be looked up again. */
	struct zb_pkt p = {.ts_ns = T + 4,
			   .fate = ZB_FATE_conn,
			   .hash = zb_flow_key_hash(&next->key, BED_SECRET)};

	assert_ptr_equal(zb_conn_for_packet(&bed.set, c, &p, &next->key, &bed.w), next);
	assert_ptr_equal(zb_conn_for_packet(&bed.set, NULL, &p, &next->key, &bed.w), next);
}

/* Swapped roles must swap everything, the rare counters too. */
static void flip_swaps_ends_and_counters(void **state)
{
	struct zb_conn *c = bed_packet(&bed, &syn, T);

	(void)state;
	assert_non_null(zb_conn_rare(c));
	c->rare->chk_nr[ZB_ORIG] = 3;
	c->rare->fin_nr[ZB_RESP] = 4;
	c->rare->rst_nr[ZB_ORIG] = 5;
	zb_conn_flip(c);
	assert_int_equal(c->rare->chk_nr[ZB_RESP], 3);
	assert_int_equal(c->rare->fin_nr[ZB_ORIG], 4);
	assert_int_equal(c->rare->rst_nr[ZB_RESP], 5);
	assert_int_equal(c->end[ZB_RESP].pkts, 1);
	assert_int_equal(zb_conn_port(c, ZB_ORIG), 80);
	assert_history(c, "S^");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(udp_query_and_answer_share_a_connection),
		CASE(udp_padding_is_not_counted),
		CASE(udp_roles_follow_likely_ports),
		CASE(udp_length_mismatch_is_named),
		CASE(icmp_pairs_share_and_errors_do_not),
		CASE(other_protocol_is_one_flow_a_pair),
		CASE(bad_checksum_is_noted_and_not_counted),
		CASE(bad_tcp_header_makes_an_empty_connection),
		CASE(packet_at_the_deadline_begins_a_new_connection),
		CASE(new_syn_on_a_live_4_tuple_begins_a_new_connection),
		CASE(flip_swaps_ends_and_counters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

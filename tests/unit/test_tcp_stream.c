/* SPDX-License-Identifier: Apache-2.0 */
/* test_tcp_stream.c - what is heard of a TCP connection, in which order, and when its sides are
 * done */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <time.h>

#include "stream_bed.h"

static struct stream_bed bed;
static const struct sb_heard *const orig = &bed.heard[ZB_ORIG], *const resp = &bed.heard[ZB_RESP];

static int set_up(void **state)
{
	(void)state;
	sb_open(&bed, 0xffffff00u, 7000); /* the originator's numbers wrap soon */
	sb_handshake(&bed);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sb_close(&bed);
	return 0;
}

static void assert_history(const char *want)
{
	assert_int_equal(bed.c.history_len, strlen(want));
	assert_memory_equal(zb_conn_history(&bed.c), want, bed.c.history_len);
}

/* A handshake, its end, and acknowledgements of nothing must need no session. */
static void stream_without_payload_has_no_session(void **state)
{
	(void)state;
	sb_seg(&bed, ZB_ORIG, ZB_TCP_FIN | ZB_TCP_ACK, 1, 1, 0);
	sb_seg(&bed, ZB_RESP, ZB_TCP_FIN | ZB_TCP_ACK, 1, 2, 0);
	sb_ack(&bed, ZB_ORIG, 2, 2);
	assert_null(bed.c.streams);
	assert_true(bed.c.end[ZB_ORIG].did_close && bed.c.end[ZB_RESP].did_close);
	assert_history("ShAFf");
}

/* Data in order must be heard at once, piece by piece, without being kept. */
static void stream_data_in_order_is_heard_at_once(void **state)
{
	(void)state;
	sb_listen(&bed);
	for (unsigned i = 0; i < 10; i++) {
		sb_data(&bed, ZB_ORIG, 1 + 100 * i, 100);
		assert_int_equal(orig->bytes, 100 * (i + 1));
		sb_ack(&bed, ZB_RESP, 1, 101 + 100 * i);
	}
	assert_int_equal(orig->pieces, 10);
	assert_int_equal(bed.an.mem.bytes[ZB_MEM_tcp_data], 0);
	assert_int_equal(sb_half(&bed, ZB_ORIG)->unacked, 0);
}

/* Data behind a hole must wait for it, whatever their order, and then be heard in theirs. */
static void stream_hole_that_is_filled_holds_back_what_follows(void **state)
{
	static const unsigned order[] = {5, 2, 9, 3, 3, 8, 1, 6, 4, 7};

	(void)state;
	sb_listen(&bed);
	for (unsigned i = 0; i < 10; i++)
		sb_data(&bed, ZB_ORIG, 1 + 100 * order[i], 100);
	assert_int_equal(orig->bytes, 0);
	assert_true(bed.an.mem.bytes[ZB_MEM_tcp_data] > 900);
	sb_data(&bed, ZB_ORIG, 1, 100);
	assert_int_equal(orig->bytes, 1000);
	assert_int_equal(orig->gaps, 0);
	assert_int_equal(bed.an.mem.bytes[ZB_MEM_tcp_data], 0);
}

/* Of bytes that come twice, before or behind a hole, only the first copy must be heard. */
static void stream_overlap_is_heard_once(void **state)
{
	(void)state;
	sb_listen(&bed);
	sb_data(&bed, ZB_ORIG, 1, 100);
	sb_data(&bed, ZB_ORIG, 51, 100); /* half known */
	assert_int_equal(orig->pos, 151);
	sb_data(&bed, ZB_ORIG, 1, 150); /* all known */
	sb_data(&bed, ZB_ORIG, 301, 50);
	sb_data(&bed, ZB_ORIG, 401, 50);
	sb_data(&bed, ZB_ORIG, 251, 300); /* around both */
	assert_int_equal(orig->pos, 151);
	sb_data(&bed, ZB_ORIG, 101, 200);
	assert_int_equal(orig->pos, 551);
	assert_int_equal(orig->bytes, 550);
}

/* Behind a hole, the first copy must win over one with other content. */
static void stream_first_copy_behind_a_hole_wins(void **state)
{
	(void)state;
	sb_listen(&bed);
	sb_data(&bed, ZB_ORIG, 11, 10);
	bed.isn[ZB_ORIG] -= 100; /* positions shift: other bytes for the same numbers */
	sb_data(&bed, ZB_ORIG, 111, 10);
	bed.isn[ZB_ORIG] += 100;
	sb_data(&bed, ZB_ORIG, 1, 10);
	assert_int_equal(orig->bytes, 20);
}

/* A hole that the peer has acknowledged must be given up: a gap, counted, and what follows heard.
 */
static void stream_hole_that_is_acked_becomes_a_gap(void **state)
{
	(void)state;
	sb_listen(&bed);
	sb_data(&bed, ZB_ORIG, 1, 10);
	sb_data(&bed, ZB_ORIG, 31, 10);
	sb_data(&bed, ZB_ORIG, 61, 10);
	sb_ack(&bed, ZB_RESP, 1, 41);
	assert_int_equal(orig->missing, 20);
	assert_int_equal(orig->pos, 41);
	sb_ack(&bed, ZB_RESP, 1, 91); /* beyond all that was seen */
	assert_int_equal(orig->pos, 91);
	assert_int_equal(orig->missing, 60);
	assert_int_equal(orig->gaps, 3);
	assert_int_equal(sb_half(&bed, ZB_ORIG)->missed, 60);
	assert_history("ShADaG");
	sb_data(&bed, ZB_ORIG, 71, 20); /* too late */
	sb_data(&bed, ZB_ORIG, 91, 5);
	assert_int_equal(orig->pos, 96);
}

/* Data of which nothing but the acknowledgement was seen must be missed, session or not. */
static void stream_ack_without_any_data_is_a_gap(void **state)
{
	(void)state;
	sb_ack(&bed, ZB_RESP, 1, 1001);
	assert_non_null(bed.c.streams);
	assert_int_equal(sb_half(&bed, ZB_ORIG)->missed, 1000);
	assert_history("ShAaG");
	sb_ack(&bed, ZB_RESP, 1, 1001);
	assert_int_equal(sb_half(&bed, ZB_ORIG)->missed, 1000);
}

/* Without a listener, positions and gaps must be kept all the same, and no data. */
static void stream_nobody_listens_to_is_counted(void **state)
{
	(void)state;
	sb_data(&bed, ZB_ORIG, 1, 1400); /* so much that detection is over */
	sb_data(&bed, ZB_ORIG, 11401, 5000);
	assert_true(bed.an.mem.bytes[ZB_MEM_tcp_data] < 200);
	sb_ack(&bed, ZB_RESP, 1, 16401);
	assert_int_equal(sb_half(&bed, ZB_ORIG)->missed, 10000);
	assert_int_equal(sb_half(&bed, ZB_ORIG)->next, 16401);
}

/* The end of a side must be heard once, after its last byte. */
static void stream_fin_waits_for_the_last_byte(void **state)
{
	(void)state;
	sb_listen(&bed);
	sb_seg(&bed, ZB_ORIG, ZB_TCP_FIN | ZB_TCP_ACK, 11, 1, 10);
	assert_int_equal(orig->fins, 0);
	assert_true(bed.c.traits & ZB_TRAIT_CLOSE_DEFERRED);
	assert_false(bed.c.end[ZB_ORIG].did_close);
	sb_data(&bed, ZB_ORIG, 1, 10);
	assert_int_equal(orig->fins, 1);
	assert_int_equal(orig->bytes, 20);
	assert_true(bed.c.end[ZB_ORIG].did_close);
	sb_seg(&bed, ZB_ORIG, ZB_TCP_FIN | ZB_TCP_ACK, 11, 1, 10);
	assert_int_equal(orig->fins, 1);
}

/* A side that closes while it has not acknowledged the other's data must close when it has. */
static void stream_close_waits_for_the_ack_of_the_peers_data(void **state)
{
	(void)state;
	sb_listen(&bed);
	sb_data(&bed, ZB_RESP, 1, 10);
	sb_seg(&bed, ZB_ORIG, ZB_TCP_FIN | ZB_TCP_ACK, 1, 1, 0);
	assert_false(bed.c.end[ZB_ORIG].did_close);
	assert_int_equal(orig->fins, 0);
	sb_ack(&bed, ZB_ORIG, 2, 11);
	assert_true(bed.c.end[ZB_ORIG].did_close);
	assert_int_equal(orig->fins, 1);
}

/* A side that resets must be done at once, whatever the other has sent. */
static void stream_reset_waits_for_nothing(void **state)
{
	(void)state;
	sb_listen(&bed);
	sb_data(&bed, ZB_RESP, 1, 10);
	sb_seg(&bed, ZB_ORIG, ZB_TCP_RST, 1, 0, 0);
	assert_int_equal(orig->fins, 1);
	assert_int_equal(resp->fins, 0);
	assert_true(bed.c.end[ZB_ORIG].did_close);
}

/* Data on a RST are no part of the stream, data on a SYN are its beginning. */
static void stream_takes_data_of_a_syn_not_of_a_rst(void **state)
{
	(void)state;
	sb_close(&bed);
	sb_open(&bed, 100, 500);
	sb_listen(&bed);
	sb_seg(&bed, ZB_ORIG, ZB_TCP_SYN, 0, 0, 20);
	assert_int_equal(orig->bytes, 20);
	assert_int_equal(bed.w.count[ZB_WEIRD_SYN_with_data], 1);
	sb_seg(&bed, ZB_RESP, ZB_TCP_SYN | ZB_TCP_ACK, 0, 21, 0);
	sb_seg(&bed, ZB_RESP, ZB_TCP_RST | ZB_TCP_ACK, 1, 21, 30);
	assert_int_equal(resp->bytes, 0);
	assert_false(bed.c.traits & ZB_TRAIT_PARTIAL);
}

/* A payload that was not captured whole must not be heard: it is missing once it is acknowledged.
 */
static void stream_snapped_payload_is_missing(void **state)
{
	(void)state;
	sb_listen(&bed);
	sb_cut(&bed, ZB_ORIG, ZB_TCP_ACK, 1, 1, 100, 60);
	assert_int_equal(bed.w.count[ZB_WEIRD_truncated_tcp_payload], 1);
	assert_int_equal(orig->pos, 1);
	sb_ack(&bed, ZB_RESP, 1, 101);
	assert_int_equal(orig->missing, 100);
}

/* 16 KiB behind a hole of a side that was never acknowledged must end its reassembly. */
static void stream_without_any_ack_is_given_up(void **state)
{
	(void)state;
	sb_listen(&bed);
	for (unsigned i = 1; i <= 17; i++)
		sb_data(&bed, ZB_ORIG, 1 + 1000 * i, 1000);
	assert_int_equal(bed.w.count[ZB_WEIRD_above_hole_data_without_any_acks], 1);
	assert_true(sb_half(&bed, ZB_ORIG)->is_given_up);
	assert_int_equal(bed.an.mem.bytes[ZB_MEM_tcp_data], 0);
	sb_data(&bed, ZB_ORIG, 1, 1000);
	assert_int_equal(orig->bytes, 0);
	sb_seg(&bed, ZB_ORIG, ZB_TCP_FIN | ZB_TCP_ACK, 18001, 1, 0);
	assert_int_equal(orig->fins, 1);
}

/* 10 MiB without an acknowledgement, heard or waiting, must end a side's reassembly. */
static void stream_with_too_much_unacked_is_given_up(void **state)
{
	(void)state;
	sb_listen(&bed);
	sb_data(&bed, ZB_ORIG, 1, 2);
	sb_ack(&bed, ZB_RESP, 1, 3);
	for (uint64_t pos = 1003; pos < 10500000; pos += 60000)
		sb_data(&bed, ZB_ORIG, pos, 60000);
	assert_int_equal(bed.w.count[ZB_WEIRD_excessive_data_without_further_acks], 1);
	assert_true(sb_half(&bed, ZB_ORIG)->is_given_up);
	assert_int_equal(bed.an.mem.bytes[ZB_MEM_tcp_data], 0);
}

/* With no room behind a hole, the hole must be given up, all that was kept heard, and that said. */
static void stream_without_room_gives_the_hole_up(void **state)
{
	(void)state;
	sb_listen(&bed);
	sb_data(&bed, ZB_ORIG, 1, 10);
	sb_ack(&bed, ZB_RESP, 1, 11);
	bed.an.mem.limit[ZB_MEM_tcp_data] = 4000;
	for (unsigned i = 0; i < 8; i++)
		sb_data(&bed, ZB_ORIG, 111 + 1000 * i, 900);
	assert_int_equal(bed.an.mem.shed[ZB_MEM_tcp_data], 1); /* the fifth */
	assert_int_equal(orig->bytes, 10 + 5 * 900);
	assert_int_equal(orig->pos, 5011);
	assert_int_equal(orig->missing, 5 * 100);
	assert_true(bed.an.mem.bytes[ZB_MEM_tcp_data] <= 4000);
	bed.an.mem.limit[ZB_MEM_tcp_data] = 10; /* not even for the first */
	sb_data(&bed, ZB_ORIG, 9011, 10);
	assert_int_equal(bed.an.mem.shed[ZB_MEM_tcp_data], 2);
	assert_int_equal(orig->pos, 9021);
	assert_int_equal(orig->bytes, 10 + 8 * 900 + 10);
}

/* Without memory for a session, a connection must close as though nothing were reassembled. */
static void stream_without_a_session_still_closes(void **state)
{
	(void)state;
	bed.an.mem.limit[ZB_MEM_stream] = 0;
	sb_data(&bed, ZB_ORIG, 1, 10);
	assert_true(bed.c.traits & ZB_TRAIT_NO_STREAM);
	sb_seg(&bed, ZB_ORIG, ZB_TCP_FIN | ZB_TCP_ACK, 11, 1, 0);
	assert_true(bed.c.end[ZB_ORIG].did_close);
	assert_null(bed.c.streams);
}

/* A connection that begins in the middle is partial, and its first acknowledgement is no gap. */
static void stream_that_begins_in_the_middle_is_partial(void **state)
{
	(void)state;
	sb_close(&bed);
	sb_open(&bed, 100, 500);
	sb_listen(&bed);
	sb_data(&bed, ZB_ORIG, 1, 10);
	assert_true(bed.c.traits & ZB_TRAIT_PARTIAL);
	assert_int_equal(orig->bytes, 10);
	sb_ack(&bed, ZB_RESP, 1, 11);
	sb_seg(&bed, ZB_ORIG, ZB_TCP_ACK, 11, 2, 0); /* a keep-alive of the responder was lost */
	assert_int_equal(resp->gaps, 0);
	assert_int_equal(sb_half(&bed, ZB_RESP)->unacked, -1);
	sb_data(&bed, ZB_RESP, 2, 10);
	assert_int_equal(resp->bytes, 0);
	sb_ack(&bed, ZB_ORIG, 11, 12);
	assert_int_equal(resp->missing, 1);
	assert_int_equal(resp->bytes, 10);
	assert_int_equal(sb_half(&bed, ZB_RESP)->unacked, 0);
	assert_int_equal(sb_half(&bed, ZB_RESP)->missed, 0); /* never counted when partial */
}

/* 128 Ki one-byte segments in the worst of orders must take no more than O(n log n) time. */
static void stream_in_reverse_order_is_not_quadratic(void **state)
{
	enum { N = 1 << 17 };
	struct timespec t[2];

	(void)state;
	sb_listen(&bed);
	sb_data(&bed, ZB_ORIG, 1, 2);
	sb_ack(&bed, ZB_RESP, 1, 3);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t[0]);
	for (unsigned i = N; i > 0; i--)
		sb_data(&bed, ZB_ORIG, 2 + 2 * i, 1);
	assert_int_equal(bed.an.mem.shed[ZB_MEM_tcp_data], 0);
	for (unsigned i = N; i > 0; i--)
		sb_data(&bed, ZB_ORIG, 1 + 2 * i, 1);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t[1]);
	assert_int_equal(orig->bytes, 2 + 2 * N);
	assert_int_equal(orig->gaps, 0);
	/* A quarter of a million segments; quadratic, this would be minutes. */
	assert_true(t[1].tv_sec - t[0].tv_sec < 20);
}

/* Roles that an analyzer swaps in the middle of a delivery must not mix the sides up. */
static void swap_roles(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct stream_bed *b = ((struct sb_listener *)a)->bed;

	sb_hear_data(a, b->c.flags & ZB_CONN_ORIG_IS_A ? side : !side, d, n);
	if (b->heard[0].pieces == 100)
		zb_analyzer_flip_conn(a);
}

static void stream_follows_roles_that_are_swapped_meanwhile(void **state)
{
	struct zb_analyzer_def swapper = sb_listener_def;

	(void)state;
	swapper.data = swap_roles;
	sb_listen(&bed);
	zb_session_of(&bed.c)->root.first->def = &swapper;
	sb_data(&bed, ZB_ORIG, 1, 2);
	sb_ack(&bed, ZB_RESP, 1, 3);
	for (unsigned i = 0; i < 1000; i++) /* more than are run at once */
		sb_data(&bed, ZB_ORIG, 4 + i, 1);
	sb_data(&bed, ZB_ORIG, 3, 1);
	assert_false(bed.c.flags & ZB_CONN_ORIG_IS_A);
	assert_int_equal(orig->bytes, 1003);
	assert_int_equal(resp->bytes, 0);
	assert_int_equal(sb_half(&bed, ZB_RESP)->next, 1004);
	assert_int_equal(sb_half(&bed, ZB_ORIG)->next, 1);
	sb_close(&bed); /* while swapper is still there */
	sb_open(&bed, 1, 1);
}

/* Streams longer than 4 GiB must go on. */
static void stream_goes_on_beyond_4_gib(void **state)
{
	uint64_t pos = 1;

	(void)state;
	sb_listen(&bed);
	while (pos < 9ull << 30) {
		sb_data(&bed, ZB_ORIG, pos, 10);
		sb_ack(&bed, ZB_RESP, 1, pos + 10);
		sb_ack(&bed, ZB_RESP, 1, pos + 0x40000000);
		pos += 0x40000000;
	}
	assert_int_equal(orig->pos, pos);
	assert_int_equal(orig->bytes, 9 * 10);
	assert_int_equal(sb_half(&bed, ZB_ORIG)->missed, pos - 1 - 9 * 10);
}

/* An analyzer's limit must be noted once. */
static void history_limit_is_one_x(void **state)
{
	(void)state;
	zb_conn_history_limit(&bed.c);
	zb_conn_history_limit(&bed.c);
	assert_history("ShAX");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(stream_without_payload_has_no_session),
		CASE(stream_data_in_order_is_heard_at_once),
		CASE(stream_hole_that_is_filled_holds_back_what_follows),
		CASE(stream_overlap_is_heard_once),
		CASE(stream_first_copy_behind_a_hole_wins),
		CASE(stream_hole_that_is_acked_becomes_a_gap),
		CASE(stream_ack_without_any_data_is_a_gap),
		CASE(stream_nobody_listens_to_is_counted),
		CASE(stream_fin_waits_for_the_last_byte),
		CASE(stream_close_waits_for_the_ack_of_the_peers_data),
		CASE(stream_reset_waits_for_nothing),
		CASE(stream_takes_data_of_a_syn_not_of_a_rst),
		CASE(stream_snapped_payload_is_missing),
		CASE(stream_without_any_ack_is_given_up),
		CASE(stream_with_too_much_unacked_is_given_up),
		CASE(stream_without_room_gives_the_hole_up),
		CASE(stream_without_a_session_still_closes),
		CASE(stream_that_begins_in_the_middle_is_partial),
		CASE(stream_in_reverse_order_is_not_quadratic),
		CASE(stream_follows_roles_that_are_swapped_meanwhile),
		CASE(stream_goes_on_beyond_4_gib),
		CASE(history_limit_is_one_x),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

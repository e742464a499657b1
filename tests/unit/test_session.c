/* SPDX-License-Identifier: Apache-2.0 */
/* test_session.c - deliveries, datagrams of unknown flows, and what happens at the limit */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_fake.h"

static struct zb_delivery_list list;

static void open_bed(struct analyzer_bed *b, uint8_t proto, uint16_t port)
{
	fake_open(b, proto, port);
	list.nr = 0;
	list.an = &b->an;
}

static void push(struct analyzer_bed *b, unsigned side, const char *text)
{
	zb_session_push(&list, &(struct zb_delivery){.session = b->s,
						     .data = (const uint8_t *)text,
						     .n = strlen(text),
						     .now_ns = ++b->conn.last_ns,
						     .kind = ZB_DELIVER_DATA,
						     .side = (uint8_t)side});
}

static void push_kind(struct analyzer_bed *b, unsigned side, enum zb_delivery_kind kind, uint64_t n)
{
	zb_session_push(&list, &(struct zb_delivery){.session = b->s,
						     .n = n,
						     .now_ns = ++b->conn.last_ns,
						     .kind = (uint8_t)kind,
						     .side = (uint8_t)side});
}

/* What is pushed waits for the run, and is then told in order at its own time. */
static void session_deliveries_are_run_in_order(void **state)
{
	struct analyzer_bed b;

	(void)state;
	open_bed(&b, IPPROTO_TCP, FAKE_ON_PORT);
	assert_false(zb_session_is_pending(&b.conn));
	push(&b, ZB_ORIG, "a");
	push(&b, ZB_RESP, "b");
	push_kind(&b, ZB_ORIG, ZB_DELIVER_GAP, 12);
	push_kind(&b, ZB_RESP, ZB_DELIVER_FIN, 0);
	assert_true(zb_session_is_pending(&b.conn));
	assert_string_equal(fake_told[FAKE_PORT].text, "+");
	zb_session_run(&list);
	assert_false(zb_session_is_pending(&b.conn));
	assert_int_equal(list.nr, 0);
	assert_int_equal(b.an.now_ns, AB_START_NS + 4);
	assert_string_equal(fake_told[FAKE_PORT].text, "+ o:a r:b og12 rf");
	ab_end(&b);
	ab_close(&b);
}

/* A full list is run before the next is taken: nothing is lost, order stays. */
static void session_full_list_is_run_first(void **state)
{
	struct analyzer_bed b;

	(void)state;
	open_bed(&b, IPPROTO_TCP, FAKE_ON_PORT);
	for (unsigned i = 0; i < 2 * ZB_DELIVERIES_MAX + 1; i++)
		push(&b, i & 1, "x");
	assert_int_equal(list.nr, 1);
	assert_int_equal(b.s->pending, 1);
	zb_session_run(&list);
	assert_int_equal(fake_told[FAKE_PORT].n, 1 + 4 * (2 * ZB_DELIVERIES_MAX + 1));
	for (unsigned i = 0; i < 2 * ZB_DELIVERIES_MAX + 1; i++)
		assert_int_equal(fake_told[FAKE_PORT].text[2 + 4 * i], i & 1 ? 'r' : 'o');
	ab_end(&b);
	ab_close(&b);
}

/* Roles swapped by one delivery hold for those that were pushed before it ran. */
static void session_flip_between_push_and_run_turns_sides(void **state)
{
	struct analyzer_bed b;

	(void)state;
	open_bed(&b, IPPROTO_TCP, FAKE_ON_PORT);
	push(&b, ZB_ORIG, "F");
	push(&b, ZB_ORIG, "a");
	push(&b, ZB_RESP, "b");
	zb_session_run(&list);
	assert_string_equal(fake_told[FAKE_PORT].text, "+ o:F ~ r:a o:b");
	push(&b, ZB_ORIG, "c");
	zb_session_run(&list);
	assert_string_equal(fake_told[FAKE_PORT].text, "+ o:F ~ r:a o:b o:c");
	ab_end(&b);
	ab_close(&b);
}

/* The same when it is a full list that runs in the middle of a push. */
static void session_flip_by_full_list_turns_the_next(void **state)
{
	struct analyzer_bed b;

	(void)state;
	open_bed(&b, IPPROTO_TCP, FAKE_ON_PORT);
	push(&b, ZB_ORIG, "F");
	for (unsigned i = 1; i < ZB_DELIVERIES_MAX; i++)
		push(&b, ZB_ORIG, "-");
	push(&b, ZB_ORIG, "last");
	zb_session_run(&list);
	assert_non_null(strstr(fake_told[FAKE_PORT].text, " r:last"));
	ab_end(&b);
	ab_close(&b);
}

/* What nobody listens to is dropped at once, and blocks handed over are freed either way. */
static void session_owned_blocks_are_freed(void **state)
{
	struct analyzer_bed b;

	(void)state;
	open_bed(&b, IPPROTO_TCP, FAKE_ON_PORT);
	for (unsigned i = 0; i < 3; i++) {
		uint8_t *own = zb_mem_get(&b.an.mem, ZB_MEM_tcp_data, 10);

		assert_non_null(own);
		own[0] = i == 1 ? 'V' : '-';
		zb_session_push(&list, &(struct zb_delivery){.session = b.s,
							     .data = own,
							     .owned = own,
							     .owned_bytes = 10,
							     .n = 1,
							     .kind = ZB_DELIVER_DATA});
		zb_session_run(&list);
		assert_int_equal(b.an.mem.bytes[ZB_MEM_tcp_data], 0);
		if (i == 1)
			zb_branch_settle(&b.s->root);
	}
	assert_string_equal(fake_told[FAKE_PORT].text, "+ o:- o:V .");
	ab_end(&b);
	ab_close(&b);
}

static void datagram(struct analyzer_bed *b, unsigned side, const char *text)
{
	struct zb_pkt p = {.data = (uint8_t *)text,
			   .payload_cap = (uint32_t)strlen(text),
			   .ts_ns = ++b->conn.last_ns};

	zb_session_datagram(&b->an, &list, &b->conn, &p, side);
	zb_session_run(&list);
}

/* Datagrams that fit nothing take no memory, and after 1 KiB of them nobody looks any more. */
static void session_unknown_datagrams_take_no_memory(void **state)
{
	uint64_t before;
	struct analyzer_bed b;
	char text[512];

	(void)state;
	memset(text, '-', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	open_bed(&b, IPPROTO_UDP, 9);
	zb_session_end(&b.conn);
	before = b.an.mem.total;
	datagram(&b, ZB_ORIG, "");
	for (unsigned i = 0; i < 3; i++)
		datagram(&b, i & 1, text);
	assert_null(b.conn.streams);
	assert_int_equal(b.an.mem.total, before);
	datagram(&b, ZB_ORIG, "one");
	assert_null(b.conn.streams);
	ab_close(&b);
}

/* A datagram that fits something, or a port that does, gets a session. */
static void session_promising_datagram_gets_a_session(void **state)
{
	struct analyzer_bed b;

	(void)state;
	open_bed(&b, IPPROTO_UDP, 9);
	zb_session_end(&b.conn);
	datagram(&b, ZB_ORIG, "-");
	assert_null(b.conn.streams);
	datagram(&b, ZB_ORIG, "one");
	assert_non_null(b.conn.streams);
	assert_string_equal(fake_told[FAKE_ONE].text, "+ o:one");
	ab_close(&b);
	open_bed(&b, IPPROTO_UDP, FAKE_ON_PORT);
	zb_session_end(&b.conn);
	fake_registry(b.an.registry);
	datagram(&b, ZB_RESP, "-");
	assert_string_equal(fake_told[FAKE_PORT].text, "+ r:-");
	ab_close(&b);
}

/* No room for a session: counted, and the connection goes on without. */
static void session_no_room_connection_goes_on_without(void **state)
{
	struct analyzer_bed b;

	(void)state;
	open_bed(&b, IPPROTO_UDP, FAKE_ON_PORT);
	zb_session_end(&b.conn);
	b.an.mem.limit[ZB_MEM_stream] = 1;
	assert_null(zb_session_get(&b.an, &b.conn));
	datagram(&b, ZB_ORIG, "x");
	assert_null(b.conn.streams);
	assert_int_equal(b.an.mem.shed[ZB_MEM_stream], 2);
	assert_int_equal(b.an.mem.bytes[ZB_MEM_stream], 0);
	ab_close(&b);
}

/* Nine words find room for eight; none stands there twice, and one can be taken out. */
static void session_services_are_few_and_different(void **state)
{
	static const char *const word[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "a"};
	struct analyzer_bed b;

	(void)state;
	open_bed(&b, IPPROTO_TCP, 9);
	for (unsigned i = 0; i < 10; i++)
		zb_session_add_service(b.s, word[i]);
	assert_int_equal(b.s->service_nr, ZB_SERVICES_MAX);
	zb_session_remove_service(b.s, "c");
	zb_session_remove_service(b.s, "x");
	assert_int_equal(b.s->service_nr, ZB_SERVICES_MAX - 1);
	assert_string_equal(b.s->service[2], "d");
	assert_string_equal(b.s->service[ZB_SERVICES_MAX - 2], "h");
	ab_end(&b);
	ab_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(session_deliveries_are_run_in_order),
		cmocka_unit_test(session_full_list_is_run_first),
		cmocka_unit_test(session_flip_between_push_and_run_turns_sides),
		cmocka_unit_test(session_flip_by_full_list_turns_the_next),
		cmocka_unit_test(session_owned_blocks_are_freed),
		cmocka_unit_test(session_unknown_datagrams_take_no_memory),
		cmocka_unit_test(session_promising_datagram_gets_a_session),
		cmocka_unit_test(session_no_room_connection_goes_on_without),
		cmocka_unit_test(session_services_are_few_and_different),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

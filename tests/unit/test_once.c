/* SPDX-License-Identifier: Apache-2.0 */
/* test_once.c - what all lcores log once: order of time over workers, first only, memory */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <pthread.h>
#include <unistd.h>

#include "log_read.h"
#include "pipeline/conn.h"
#include "pipeline/once.h"
#include "pipeline/weird.h"

#define START_NS (1700000000 * ZB_SEC_NS)
#define DAY_NS	 (86400 * ZB_SEC_NS)

struct once_bed {
	struct logs logs;
	struct zb_once *once;
};

static void once_open(struct once_bed *b, uint16_t workers)
{
	logs_open(&b->logs, ZB_ROW_JSON, ZB_SINK_FILES);
	assert_int_equal(zb_once_create(b->logs.set, workers, 0, 1, &b->once), 0);
}

static void once_close(struct once_bed *b)
{
	zb_once_destroy(b->once);
	logs_free(&b->logs);
}

/* A host's row at start + s seconds. */
static struct zb_once_row host(uint8_t last, uint64_t s)
{
	return (struct zb_once_row){
		.ts_ns = START_NS + s * ZB_SEC_NS,
		.what = last,
		.mute_ns = DAY_NS,
		.addr = {{10, 0, 0, last}},
		.stream = ZB_LOG_KNOWN_HOSTS,
		.ip_version = 4,
	};
}

static void offer(struct once_bed *b, uint16_t worker, struct zb_once_row r)
{
	zb_once_offer(zb_once_port(b->once, worker), &r);
}

static void finish(struct once_bed *b, uint16_t workers)
{
	for (uint16_t i = 0; i < workers; i++)
		zb_once_finish(zb_once_port(b->once, i));
	zb_once_merge(b->once);
}

/* The earlier of two workers' offers is written, whichever was made first. */
static void once_same_host_from_two_workers_earlier_is_logged(void **state)
{
	struct once_bed b;

	(void)state;
	once_open(&b, 2);
	offer(&b, 0, host(1, 5));
	offer(&b, 1, host(1, 3));
	finish(&b, 2);
	assert_string_equal(logs_read(&b.logs, "known_hosts"),
			    "{\"ts\":1700000003.0,\"host\":\"10.0.0.1\"}\n");
	once_close(&b);
}

/* Nothing is written that a slower worker might still precede. */
static void once_slower_worker_is_waited_for(void **state)
{
	struct once_bed b;

	(void)state;
	once_open(&b, 2);
	offer(&b, 0, host(1, 5));
	zb_once_progress(zb_once_port(b.once, 0), START_NS + 100 * ZB_SEC_NS);
	zb_once_progress(zb_once_port(b.once, 1), START_NS + 2 * ZB_SEC_NS);
	zb_once_merge(b.once);
	offer(&b, 1, host(1, 4));
	zb_once_progress(zb_once_port(b.once, 1), START_NS + 50 * ZB_SEC_NS);
	zb_once_merge(b.once);
	assert_string_equal(logs_read(&b.logs, "known_hosts"),
			    "{\"ts\":1700000004.0,\"host\":\"10.0.0.1\"}\n");
	assert_int_equal(zb_once_early(b.once), 0);
	once_close(&b);
}

/* What there is no room for any more goes early, the oldest first, and is counted. */
static void once_without_room_the_oldest_goes_early(void **state)
{
	struct once_bed b;

	(void)state;
	once_open(&b, 2);
	for (unsigned i = 0; i < ZB_ONCE_HELD_MAX + 2; i++) {
		struct zb_once_row r = host(1, i);

		r.what = i + 1;
		offer(&b, 0, r);
		if (i % 1000 == 0)
			zb_once_merge(b.once);
	}
	zb_once_merge(b.once);
	assert_string_equal(logs_read(&b.logs, "known_hosts"),
			    "{\"ts\":1700000000.0,\"host\":\"10.0.0.1\"}\n"
			    "{\"ts\":1700000001.0,\"host\":\"10.0.0.1\"}\n");
	assert_int_equal(zb_once_early(b.once), 2);
	once_close(&b);
}

static void *merge_later(void *arg)
{
	struct once_bed *b = arg;

	usleep(2000);
	zb_once_merge(b->once);
	return NULL;
}

/* Who finds the ring full waits until the reporter has been there, and counts the cycles. */
static void once_in_a_full_ring_waiting_is_counted(void **state)
{
	struct zb_once_port *port;
	struct once_bed b;
	pthread_t reporter;

	(void)state;
	once_open(&b, 1);
	port = zb_once_port(b.once, 0);
	/* Whoever stands still until the reporter has been there need not wait: then again. */
	for (unsigned tries = 0; tries < 1000 && zb_once_waited(port) == 0; tries++) {
		for (unsigned i = 0; i < ZB_ONCE_RING; i++)
			offer(&b, 0, host(1, 1));
		assert_int_equal(zb_once_waited(port), 0);
		assert_int_equal(pthread_create(&reporter, NULL, merge_later, &b), 0);
		offer(&b, 0, host(2, 2));
		assert_int_equal(pthread_join(reporter, NULL), 0);
		assert_in_range(zb_once_merge(b.once), 0, 1);
	}
	for (unsigned i = 0; i < 3; i++)
		offer(&b, 0, host(2, 2));
	assert_int_equal(zb_once_merge(b.once), 3);
	assert_true(zb_once_waited(port) > 0);
	finish(&b, 1);
	assert_string_equal(logs_read(&b.logs, "known_hosts"),
			    "{\"ts\":1700000001.0,\"host\":\"10.0.0.1\"}\n"
			    "{\"ts\":1700000002.0,\"host\":\"10.0.0.2\"}\n");
	once_close(&b);
}

/* What was logged is logged again once the time to keep quiet is over, and not before. */
static void once_after_mute_is_logged_again(void **state)
{
	struct once_bed b;
	const char *text;

	(void)state;
	once_open(&b, 1);
	offer(&b, 0, host(1, 0));
	offer(&b, 0, host(1, 86399));
	offer(&b, 0, host(1, 86400));
	finish(&b, 1);
	text = logs_read(&b.logs, "known_hosts");
	assert_string_equal(text, "{\"ts\":1700000000.0,\"host\":\"10.0.0.1\"}\n"
				  "{\"ts\":1700086400.0,\"host\":\"10.0.0.1\"}\n");
	once_close(&b);
}

static struct zb_once_row service(uint64_t s, const char *one, const char *two)
{
	struct zb_once_row r = host(1, s);

	r.stream = ZB_LOG_KNOWN_SERVICES;
	r.port[0] = 445;
	r.proto = IPPROTO_TCP;
	r.word[r.word_nr++] = one;
	if (two != NULL)
		r.word[r.word_nr++] = two;
	return r;
}

/* Of a service's names only the new ones are written, in capitals. */
static void once_service_with_a_known_name_only_the_new_is_logged(void **state)
{
	struct once_bed b;

	(void)state;
	once_open(&b, 1);
	offer(&b, 0, service(0, "krb", NULL));
	offer(&b, 0, service(1, "krb", "gssapi"));
	offer(&b, 0, service(2, "gssapi", "krb"));
	finish(&b, 1);
	assert_string_equal(logs_read(&b.logs, "known_services"),
			    "{\"ts\":1700000000.0,\"host\":\"10.0.0.1\",\"port_num\":445,"
			    "\"port_proto\":\"tcp\",\"service\":[\"KRB\"]}\n"
			    "{\"ts\":1700000001.0,\"host\":\"10.0.0.1\",\"port_num\":445,"
			    "\"port_proto\":\"tcp\",\"service\":[\"GSSAPI\"]}\n");
	once_close(&b);
}

/* What the end of traffic ends comes last, also after what is ordered behind that end. */
static void once_what_traffic_ends_comes_last(void **state)
{
	struct once_bed b;
	struct zb_once_row last = service(1, "ssh", NULL), nameless = service(0, "", NULL);

	(void)state;
	once_open(&b, 1);
	last.order_ns = last.ts_ns;
	last.flags |= ZB_ONCE_AT_END;
	offer(&b, 0, last);
	nameless.order_ns = nameless.ts_ns + 300 * ZB_SEC_NS;
	offer(&b, 0, nameless);
	zb_once_progress(zb_once_port(b.once, 0), START_NS + 2 * ZB_SEC_NS);
	zb_once_merge(b.once);
	finish(&b, 1);
	assert_string_equal(logs_read(&b.logs, "known_services"),
			    "{\"ts\":1700000000.0,\"host\":\"10.0.0.1\",\"port_num\":445,"
			    "\"port_proto\":\"tcp\",\"service\":[\"\"]}\n"
			    "{\"ts\":1700000001.0,\"host\":\"10.0.0.1\",\"port_num\":445,"
			    "\"port_proto\":\"tcp\",\"service\":[\"SSH\"]}\n");
	once_close(&b);
}

/* At the same time the end of a connection, found late, comes before a packet. */
static void once_end_comes_before_a_packet_of_the_same_time(void **state)
{
	struct once_bed b;
	struct zb_once_row end = service(1, "ssh", NULL), packet = service(1, "http", "ssh");

	(void)state;
	once_open(&b, 1);
	offer(&b, 0, packet);
	end.order_ns = end.ts_ns;
	end.flags |= ZB_ONCE_ENDED;
	offer(&b, 0, end);
	finish(&b, 1);
	assert_string_equal(logs_read(&b.logs, "known_services"),
			    "{\"ts\":1700000001.0,\"host\":\"10.0.0.1\",\"port_num\":445,"
			    "\"port_proto\":\"tcp\",\"service\":[\"SSH\"]}\n"
			    "{\"ts\":1700000001.0,\"host\":\"10.0.0.1\",\"port_num\":445,"
			    "\"port_proto\":\"tcp\",\"service\":[\"HTTP\"]}\n");
	once_close(&b);
}

/* Many offers in any order come out by time, more of them than a ring holds. */
static void once_many_offers_come_out_in_order_of_time(void **state)
{
	struct once_bed b;
	uint64_t last = 0;
	unsigned rows = 0;
	char *text, *end;

	(void)state;
	once_open(&b, 2);
	for (unsigned i = 0; i < 3 * ZB_ONCE_RING; i++) {
		struct zb_once_row r = host(1, i / 2 * 2 + (i & 1));

		r.what = i + 1;
		offer(&b, i & 1, r);
		if (i % 1000 == 0)
			zb_once_merge(b.once);
	}
	finish(&b, 2);
	text = logs_read(&b.logs, "known_hosts");
	end = text + strlen(text);
	for (char *p = text, *after; p != end; p = after + 1) {
		uint64_t ts;

		after = memchr(p, '\n', (size_t)(end - p));
		assert_non_null(after);
		*after = '\0'; /* a strict sanitizer makes strtoull() look at all of it */
		ts = strtoull(p + strlen("{\"ts\":"), NULL, 10);
		assert_true(rows == 0 || ts == last + 1);
		last = ts;
		rows++;
	}
	assert_int_equal(rows, 3 * ZB_ONCE_RING);
	once_close(&b);
}

/* Of times in any order the earlier one counts as well, and within the mute no later one. */
static void once_earlier_than_remembered_counts(void **state)
{
	struct zb_once_memory m;

	(void)state;
	assert_int_equal(zb_once_memory_init(&m, 8), 0);
	assert_true(zb_once_earliest(&m, 5, START_NS, 10));
	assert_false(zb_once_earliest(&m, 5, START_NS, 10));
	assert_false(zb_once_earliest(&m, 5, START_NS + 9, 10));
	assert_true(zb_once_earliest(&m, 5, START_NS - 1, 10));
	assert_false(zb_once_earliest(&m, 5, START_NS + 8, 10));
	assert_true(zb_once_earliest(&m, 5, START_NS + 9, 10));
	assert_true(zb_once_knows(&m, 5, START_NS + 9, START_NS + 18, 10));
	assert_false(zb_once_knows(&m, 5, START_NS + 8, START_NS + 18, 10));
	assert_false(zb_once_knows(&m, 5, START_NS + 9, START_NS + 19, 10));
	assert_false(zb_once_knows(&m, 6, START_NS + 9, START_NS + 9, 10));
	zb_once_memory_fini(&m);
}

/* A full memory forgets what would be forgotten first, and says so. */
static void once_memory_full_forgets_the_oldest(void **state)
{
	struct zb_once_memory m;

	(void)state;
	assert_int_equal(zb_once_memory_init(&m, 8), 0);
	for (uint64_t i = 1; i <= 8; i++)
		assert_true(zb_once_first(&m, i * 8, START_NS + i, DAY_NS));
	assert_int_equal(m.forgotten, 0);
	assert_true(zb_once_first(&m, 9 * 8, START_NS + 9, DAY_NS));
	assert_int_equal(m.forgotten, 1);
	assert_false(zb_once_first(&m, 2 * 8, START_NS + 10, DAY_NS));
	assert_true(zb_once_first(&m, 1 * 8, START_NS + 10, DAY_NS));
	zb_once_memory_fini(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(once_same_host_from_two_workers_earlier_is_logged),
		cmocka_unit_test(once_slower_worker_is_waited_for),
		cmocka_unit_test(once_without_room_the_oldest_goes_early),
		cmocka_unit_test(once_in_a_full_ring_waiting_is_counted),
		cmocka_unit_test(once_after_mute_is_logged_again),
		cmocka_unit_test(once_service_with_a_known_name_only_the_new_is_logged),
		cmocka_unit_test(once_what_traffic_ends_comes_last),
		cmocka_unit_test(once_end_comes_before_a_packet_of_the_same_time),
		cmocka_unit_test(once_many_offers_come_out_in_order_of_time),
		cmocka_unit_test(once_earlier_than_remembered_counts),
		cmocka_unit_test(once_memory_full_forgets_the_oldest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

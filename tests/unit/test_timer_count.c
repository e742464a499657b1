/* SPDX-License-Identifier: Apache-2.0 */
/* test_timer_count.c - timers by Zeek's names, and events, as they follow from connections */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow_bed.h"
#include "pipeline/timer_count.h"

static struct bed bed;

static struct zb_conn *create(uint8_t proto, uint16_t port)
{
	struct zb_flow_key key = {.port_a = port, .port_b = 80, .proto = proto, .ip_version = 4};
	struct zb_conn *c =
		zb_conn_set_create(&bed.set, &key, (uint32_t)zb_flow_key_hash(&key, BED_SECRET),
				   BED_START_NS);

	assert_non_null(c);
	zb_conn_set_deadline(&bed.set, c, BED_START_NS + 60 * ZB_SEC_NS);
	return c;
}

static void turn(struct zb_conn *c, enum zb_end_state orig, enum zb_end_state resp)
{
	c->end[ZB_ORIG].state = orig & 7;
	c->end[ZB_RESP].state = resp & 7;
	zb_conn_set_tcp_cell(&bed.set, c);
}

static void count(void)
{
	zb_timer_count(&bed.stat,
		       &(struct zb_timer_source){.set = &bed.set, .events = bed.an.events});
}

/* The sums in stats.log are those over the types. */
static void check_sums(void)
{
	uint64_t pending = 0, ever = 0;

	for (unsigned i = 0; i < ZB_TIMER_NR; i++) {
		assert_true(bed.stat.timer[i] <= bed.stat.timer_ever[i]);
		pending += bed.stat.timer[i];
		ever += bed.stat.timer_ever[i];
	}
	assert_int_equal(bed.stat.g[ZB_G_active_timers], pending);
	assert_int_equal(bed.stat.c[ZB_C_timers], ever);
}

/* A TCP connection goes from attempt to end: each state has the timers that Zeek has for it. */
static void timers_follow_a_tcp_connection(void **state)
{
	const uint64_t *timer = bed.stat.timer, *ever = bed.stat.timer_ever;
	struct zb_conn *c;

	(void)state;
	bed_open(&bed, 256);
	c = create(IPPROTO_TCP, 1);
	turn(c, ZB_END_SYN_SENT, ZB_END_INACTIVE);
	count();
	check_sums();
	assert_int_equal(timer[ZB_TIMER_tcp_attempt], 1);
	assert_int_equal(timer[ZB_TIMER_tcp_expire], 1);
	assert_int_equal(timer[ZB_TIMER_inactivity], 1);
	assert_int_equal(bed.stat.tcp_states[ZB_END_SYN_SENT * ZB_TCP_STATES], 1);
	assert_int_equal(bed.stat.c[ZB_C_events_proc], 1); /* new_connection */
	turn(c, ZB_END_ESTABLISHED, ZB_END_ESTABLISHED);
	count();
	check_sums();
	assert_int_equal(timer[ZB_TIMER_tcp_attempt], 0);
	assert_int_equal(ever[ZB_TIMER_tcp_attempt], 1);
	assert_int_equal(bed.stat.c[ZB_C_events_proc], 2); /* connection_established */
	turn(c, ZB_END_CLOSED, ZB_END_ESTABLISHED);
	turn(c, ZB_END_CLOSED, ZB_END_CLOSED);
	count();
	check_sums();
	assert_int_equal(timer[ZB_TIMER_conn_delete], 1);
	assert_int_equal(timer[ZB_TIMER_tcp_expire], 0);
	assert_int_equal(timer[ZB_TIMER_inactivity], 1);
	assert_int_equal(bed.stat.c[ZB_C_events_proc], 4); /* half_finished, finished */
	zb_conn_set_finish(&bed.set, c);
	count();
	check_sums();
	assert_int_equal(bed.stat.g[ZB_G_active_timers], 0);
	assert_int_equal(bed.stat.c[ZB_C_timers], 4);
	assert_int_equal(bed.stat.c[ZB_C_events_proc], 5); /* connection_state_remove */
	assert_int_equal(bed.stat.c[ZB_C_events_queued], 5);
	bed_close(&bed);
}

/* A reset, from whichever side and state, ends a connection like a close. */
static void timers_of_reset_connections_are_for_removal(void **state)
{
	(void)state;
	bed_open(&bed, 256);
	turn(create(IPPROTO_TCP, 1), ZB_END_SYN_SENT, ZB_END_RESET);
	turn(create(IPPROTO_TCP, 2), ZB_END_RESET, ZB_END_ESTABLISHED);
	turn(create(IPPROTO_TCP, 3), ZB_END_PARTIAL, ZB_END_INACTIVE);
	count();
	check_sums();
	assert_int_equal(bed.stat.timer[ZB_TIMER_conn_delete], 2);
	assert_int_equal(bed.stat.timer[ZB_TIMER_tcp_expire], 1);
	assert_int_equal(bed.stat.timer[ZB_TIMER_tcp_attempt], 0);
	bed_close(&bed);
}

/* What times out is counted, with how late it was; what was over anyway is not. */
static void timers_that_fire_are_counted(void **state)
{
	struct zb_conn *c;

	(void)state;
	bed_open(&bed, 256);
	create(IPPROTO_UDP, 1);
	c = create(IPPROTO_TCP, 2);
	c->flags |= ZB_CONN_CLOSING;
	count();
	assert_int_equal(bed.stat.timer[ZB_TIMER_inactivity], 2);
	zb_conn_set_expire(&bed.set, BED_START_NS + 62 * ZB_SEC_NS);
	assert_int_equal(bed.set.finished_nr, 2);
	assert_int_equal(bed.stat.c[ZB_C_conns_expired], 1);
	assert_int_equal(bed.stat.timer_lag_ns, 2 * ZB_SEC_NS);
	bed_close(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_follow_a_tcp_connection),
		cmocka_unit_test(timers_of_reset_connections_are_for_removal),
		cmocka_unit_test(timers_that_fire_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

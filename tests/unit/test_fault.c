/* SPDX-License-Identifier: Apache-2.0 */
/* test_fault.c - faults break what they say, and nothing else */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <rte_cycles.h>

#include "analyzer_bed.h"
#include "flow_bed.h"
#include "pipeline/fault.h"
#include "pipeline/registry.h"

static struct bed bed;
static struct analyzer_bed ab;

static struct zb_fault_conf conf_of(enum zb_fault_id id)
{
	return (struct zb_fault_conf){.on = 1u << id, .hash_bits = 2};
}

/* A UDP packet of flow i. */
static struct zb_conn *packet(uint32_t i, uint64_t ts_ns)
{
	struct fb_spec s = {.proto = IPPROTO_UDP,
			    .src = 0x0a000000 + i,
			    .dst = 0xc0000201,
			    .sport = 40000,
			    .dport = 5353};
	uint8_t frame[256];
	uint32_t len = fb_ether(frame, &s);

	return bed_frame(&bed, frame, len, ts_ns);
}

/* Without faults an engine has nothing to look at but a NULL pointer. */
static void fault_none_on_makes_no_state(void **state)
{
	struct zb_fault_conf conf = {0};
	struct zb_fault *f = (struct zb_fault *)&conf;

	(void)state;
	assert_int_equal(zb_fault_create(NULL, NULL, NULL, &f), 0);
	assert_null(f);
	conf.on = 1u << ZB_FAULT_log_stall | 1u << ZB_FAULT_one_core_hot;
	assert_int_equal(zb_fault_create(&conf, NULL, NULL, &f), 0);
	assert_null(f);
}

/* Connections whose hashes collide are found and ended as ever; few hashes are left. */
static void fault_slow_hash_collides_and_loses_nothing(void **state)
{
	struct zb_fault_conf conf = conf_of(ZB_FAULT_slow_hash);
	struct zb_burst burst = {.live_nr = 2, .live = {3, 7}};
	struct zb_fault *f;

	(void)state;
	bed_open(&bed, 1024);
	assert_int_equal(zb_fault_create(&conf, bed.an.registry, &bed.set, &f), 0);
	assert_int_equal(bed.set.hash_mask, 3);
	burst.pkts[3].hash = 0x123456789abcdef0u | 2;
	burst.pkts[7].hash = 0xfffffffffffffff1u;
	burst.pkts[8].hash = 0x55;
	zb_fault_decoded(f, &burst, &bed.set);
	assert_int_equal(burst.pkts[3].hash, 2);
	assert_int_equal(burst.pkts[7].hash, 1);
	assert_int_equal(burst.pkts[8].hash, 0x55); /* not in a connection */
	zb_fault_destroy(f);
	for (uint32_t i = 0; i < 100; i++) {
		struct zb_flow_key k = {
			.b = {192, 0, 2, 1}, .port_b = 53, .proto = 17, .ip_version = 4};
		struct zb_conn *c;

		fb_put32(k.a, 0x0a000000u + i);
		c = zb_conn_set_create(&bed.set, &k, (uint32_t)zb_flow_key_hash(&k, BED_SECRET) & 3,
				       BED_START_NS);
		assert_non_null(c);
		zb_conn_set_deadline(&bed.set, c, BED_START_NS + ZB_SEC_NS);
	}
	zb_flow_table_check(&bed.set.table);
	bed_close(&bed); /* asserts that every one has left the table */
}

/* Time is up, but nobody ends the connection; the limit on connections is held all the same. */
static void fault_conn_noexpire_keeps_what_is_due(void **state)
{
	struct zb_fault_conf conf = conf_of(ZB_FAULT_conn_noexpire);
	struct zb_burst burst = {0};
	struct zb_fault *f;

	(void)state;
	bed_open(&bed, 4 * ZB_BURST_MAX);
	assert_int_equal(zb_fault_create(&conf, bed.an.registry, &bed.set, &f), 0);
	for (uint32_t i = 0; i < 100; i++)
		assert_non_null(packet(i, BED_START_NS));
	assert_non_null(packet(100, BED_START_NS + 1000 * ZB_SEC_NS));
	assert_true(zb_fault_expire(f, &burst, &bed.set));
	assert_int_equal(bed.set.finished_nr, 0);
	assert_int_equal(bed.set.pool.used, 101);
	for (uint32_t i = 101; i < 4 * ZB_BURST_MAX; i++)
		assert_non_null(packet(i, BED_START_NS + 1000 * ZB_SEC_NS));
	assert_true(zb_fault_expire(f, &burst, &bed.set));
	assert_int_equal(bed.set.finished_nr, ZB_BURST_MAX); /* a burst's worth of room */
	zb_fault_destroy(f);
	bed_close(&bed);
}

/* A timer that leaks is counted as one that is pending, with its bytes; connections do expire. */
static void fault_timer_leak_is_counted(void **state)
{
	struct zb_fault_conf conf = conf_of(ZB_FAULT_timer_leak);
	struct zb_burst burst = {.pkt_nr = 30};
	struct zb_lcore_stat stat = {.g = {[ZB_G_active_timers] = 5, [ZB_G_timer_bytes] = 1000}};
	struct zb_fault *f;

	(void)state;
	bed_open(&bed, 1024);
	assert_int_equal(zb_fault_create(&conf, bed.an.registry, &bed.set, &f), 0);
	assert_false(zb_fault_expire(f, &burst, &bed.set));
	assert_false(zb_fault_expire(f, &burst, &bed.set));
	zb_fault_gauges(f, &stat);
	assert_int_equal(stat.g[ZB_G_active_timers], 65);
	assert_int_equal(stat.timer[ZB_TIMER_inactivity], 60);
	assert_int_equal(stat.timer_ever[ZB_TIMER_inactivity], 60);
	assert_true(stat.g[ZB_G_timer_bytes] > 1000 + 60 * sizeof(void *));
	zb_fault_destroy(f);
	bed_close(&bed);
}

/* The analyzer sees what it would have seen, later; others are left alone. */
static void fault_spin_burns_and_passes_on(void **state)
{
	struct zb_fault_conf conf = conf_of(ZB_FAULT_spin);
	const struct zb_analyzer_def *real = &zb_analyzer_http, *dns;
	struct zb_fault *f;
	uint64_t from;

	(void)state;
	conf.spin_cycles[ZB_A_http] = 300000;
	ab_open(&ab, IPPROTO_TCP, 80);
	zb_session_end(&ab.conn);
	dns = ab.an.registry->def[ZB_A_dns];
	assert_int_equal(zb_fault_create(&conf, ab.an.registry, NULL, &f), 0);
	assert_ptr_not_equal(ab.an.registry->def[ZB_A_http], real);
	assert_ptr_equal(ab.an.registry->def[ZB_A_dns], dns);
	ab.s = zb_session_get(&ab.an, &ab.conn);
	from = rte_rdtsc();
	ab_text(&ab, ZB_ORIG, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(rte_rdtsc() - from >= 300000);
	ab_text(&ab, ZB_RESP, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
	assert_true(ab_has_service(&ab, "http"));
	ab_end(&ab);
	ab_close(&ab);
	zb_fault_destroy(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fault_none_on_makes_no_state),
		cmocka_unit_test(fault_slow_hash_collides_and_loses_nothing),
		cmocka_unit_test(fault_conn_noexpire_keeps_what_is_due),
		cmocka_unit_test(fault_timer_leak_is_counted),
		cmocka_unit_test(fault_spin_burns_and_passes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_series.c - how a worker did over time */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "profiler/series.h"

static struct zb_lcore_stat stat;

static int setup(void **state)
{
	struct zb_series *s;

	memset(&stat, 0, sizeof(stat));
	if (zb_series_create(2, &s) < 0)
		return -1;
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	zb_series_destroy(*state);
	return 0;
}

/* Counters become what was added in the slot; gauges keep their peak. */
static void series_slot_has_deltas_and_peaks(void **state)
{
	struct zb_series *s = *state;
	const struct zb_series_slot *slot = zb_series_slots(s, 1);

	stat.c[ZB_C_pkts_proc] = 100;
	stat.g[ZB_G_queue_pkts] = 9;
	stat.g[ZB_G_active_tcp_conns] = 3;
	stat.g[ZB_G_active_udp_conns] = 4;
	stat.g[ZB_G_conn_bytes] = 1000;
	stat.g[ZB_G_conn_reserved_bytes] = 5000;
	zb_series_add(s, 1, 10, &stat);
	stat.c[ZB_C_pkts_proc] = 150;
	stat.c[ZB_C_pkts_dropped] = 7;
	stat.g[ZB_G_queue_pkts] = 2;
	zb_series_add(s, 1, 20, &stat);
	stat.c[ZB_C_pkts_proc] = 160;
	zb_series_add(s, 1, ZB_SERIES_SLOT_NS, &stat);
	assert_int_equal(slot[0].pkts, 150);
	assert_int_equal(slot[0].dropped, 7);
	assert_int_equal(slot[0].queue_pkts, 9);
	assert_int_equal(slot[0].conns, 7);
	assert_int_equal(slot[0].state_bytes, 1000);
	assert_int_equal(slot[1].pkts, 10);
	assert_int_equal(slot[1].dropped, 0);
	assert_false(slot[2].seen);
	assert_false(zb_series_slots(s, 0)[0].seen);
}

/* The worst lag of a slot is of its own packets, not of those before. */
static void series_lag_is_of_the_slot(void **state)
{
	struct zb_series *s = *state;
	const struct zb_series_slot *slot = zb_series_slots(s, 0);

	zb_lag_note(&stat.lag, 1000000);
	zb_series_add(s, 0, 0, &stat);
	zb_lag_note(&stat.lag, 5000);
	zb_series_add(s, 0, ZB_SERIES_SLOT_NS, &stat);
	assert_in_range(slot[0].lag_ns, 1000000, 1125000);
	assert_in_range(slot[1].lag_ns, 5000, 5625);
}

/* A run of days has no more slots than one of minutes, and all its packets in them. */
static void series_long_run_joins_slots(void **state)
{
	struct zb_series *s = *state;
	uint64_t sum = 0, hour_ns = 3600000000000u;

	for (uint64_t h = 0; h < 72; h++) {
		stat.c[ZB_C_pkts_proc] += 1000;
		zb_series_add(s, 0, h * hour_ns, &stat);
	}
	for (uint32_t i = 0; i < ZB_SERIES_SLOTS; i++)
		sum += zb_series_slots(s, 0)[i].pkts;
	assert_int_equal(sum, 72000);
	assert_true(zb_series_slot_ns(s) * ZB_SERIES_SLOTS > 71 * hour_ns);
	assert_true(zb_series_slot_ns(s) * ZB_SERIES_SLOTS <= 2 * 72 * hour_ns);
	zb_series_add(s, 0, UINT64_MAX, &stat);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(series_slot_has_deltas_and_peaks, setup, teardown),
		cmocka_unit_test_setup_teardown(series_lag_is_of_the_slot, setup, teardown),
		cmocka_unit_test_setup_teardown(series_long_run_joins_slots, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

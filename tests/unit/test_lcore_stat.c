/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_lcore_stat.c - names, sums over workers, and the accounting law
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include "profiler/lcore_stat.h"

static void check_names(const char *const *name, const char *const *help, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		assert_non_null(name[i]);
		assert_non_null(help[i]);
		assert_true(name[i][0] != '\0' && help[i][0] != '\0');
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(name[i], name[k]);
	}
}

/* Everything counted has a name of its own and a help text, at its place in the enum. */
static void lcore_stat_every_value_is_named(void **state)
{
	(void)state;
	check_names(zb_counter_name, zb_counter_help, ZB_C_NR);
	check_names(zb_gauge_name, zb_gauge_help, ZB_G_NR);
	check_names(zb_fate_name, zb_fate_help, ZB_FATE_NR);
	check_names(zb_stage_name, zb_stage_help, ZB_STAGE_NR);
	assert_string_equal(zb_counter_name[ZB_C_bytes_recv], "bytes_recv");
	assert_string_equal(zb_gauge_name[ZB_G_conn_bytes], "conn_bytes");
	assert_string_equal(zb_fate_name[ZB_FATE_arp], "arp");
	assert_string_equal(zb_stage_name[ZB_STAGE_idle], "idle");
}

/* Fills every 64-bit word of the struct, so that a member added later is not forgotten here. */
static struct zb_lcore_stat words_from(uint64_t first)
{
	struct zb_lcore_stat s;
	uint64_t *w = (uint64_t *)&s;

	for (size_t i = 0; i < sizeof(s) / sizeof(*w); i++)
		w[i] = first + i;
	return s;
}

/* Members add up; the first time-stamp is the earliest that is set, the last and both times the
 * largest. */
static void lcore_stat_add_sums_counts_and_picks_times(void **state)
{
	struct zb_lcore_stat sum = words_from(1000), more = words_from(5000);
	const struct zb_lcore_stat a = sum;

	(void)state;
	more.first_tsc = 7;
	zb_stat_add(&sum, &more);
	for (size_t i = 0; i < offsetof(struct zb_lcore_stat, first_tsc) / 8; i++)
		assert_int_equal(((uint64_t *)&sum)[i],
				 ((const uint64_t *)&a)[i] + ((uint64_t *)&more)[i]);
	assert_int_equal(sum.first_tsc, 7);
	assert_int_equal(sum.last_tsc, more.last_tsc);
	assert_int_equal(sum.net_time_ns, more.net_time_ns);
	assert_int_equal(sum.lag_ns, more.lag_ns);

	/* 0 means never, on either side. */
	more.first_tsc = 0;
	more.last_tsc = more.net_time_ns = more.lag_ns = 0;
	zb_stat_add(&sum, &more);
	assert_int_equal(sum.first_tsc, 7);
	assert_true(sum.last_tsc > 0 && sum.net_time_ns > 0 && sum.lag_ns > 0);
	sum.first_tsc = 0;
	more.first_tsc = 9;
	zb_stat_add(&sum, &more);
	assert_int_equal(sum.first_tsc, 9);
}

/* The law holds for books that balance; each term that is off shows in its residual, with its sign.
 */
static void lcore_stat_residual_shows_each_imbalance(void **state)
{
	static const struct {
		enum zb_counter counter;
		int64_t offered_pkts, offered_bytes, link_pkts, link_bytes, fate_pkts;
	} off[] = {
		{ZB_C_pkts_offered, 1, 0, 0, 0, 0},   {ZB_C_bytes_offered, 0, 1, 0, 0, 0},
		{ZB_C_pkts_unsent, -1, 0, 0, 0, 0},   {ZB_C_bytes_unsent, 0, -1, 0, 0, 0},
		{ZB_C_pkts_link, -1, 0, 1, 0, 0},     {ZB_C_bytes_link, 0, -1, 0, 1, 0},
		{ZB_C_pkts_proc, 0, 0, -1, 0, 1},     {ZB_C_bytes_recv, 0, 0, 0, -1, 0},
		{ZB_C_pkts_dropped, 0, 0, -1, 0, 0},  {ZB_C_bytes_dropped, 0, 0, 0, -1, 0},
		{ZB_C_pkts_filtered, 0, 0, -1, 0, 0}, {ZB_C_bytes_filtered, 0, 0, 0, -1, 0},
	};
	struct zb_lcore_stat s;
	struct zb_residual r;

	(void)state;
	memset(&s, 0, sizeof(s));
	s.c[ZB_C_pkts_offered] = 100;
	s.c[ZB_C_pkts_unsent] = 10;
	s.c[ZB_C_pkts_link] = 90;
	s.c[ZB_C_pkts_proc] = 60;
	s.c[ZB_C_pkts_dropped] = 20;
	s.c[ZB_C_pkts_filtered] = 7;
	s.c[ZB_C_bytes_offered] = 10000;
	s.c[ZB_C_bytes_unsent] = 1000;
	s.c[ZB_C_bytes_link] = 9000;
	s.c[ZB_C_bytes_recv] = 6000;
	s.c[ZB_C_bytes_dropped] = 2000;
	s.c[ZB_C_bytes_filtered] = 700;
	s.fate[ZB_FATE_conn] = 59;
	s.fate[ZB_FATE_no_state] = 1;
	r = zb_stat_residual(&s, 3, 300);
	assert_true(zb_residual_is_zero(&r));
	r = zb_stat_residual(&s, 0, 0);
	assert_false(zb_residual_is_zero(&r));
	assert_int_equal(r.link_pkts, 3);
	assert_int_equal(r.link_bytes, 300);
	for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
		s.c[off[i].counter]++;
		r = zb_stat_residual(&s, 3, 300);
		s.c[off[i].counter]--;
		assert_false(zb_residual_is_zero(&r));
		assert_int_equal(r.offered_pkts, off[i].offered_pkts);
		assert_int_equal(r.offered_bytes, off[i].offered_bytes);
		assert_int_equal(r.link_pkts, off[i].link_pkts);
		assert_int_equal(r.link_bytes, off[i].link_bytes);
		assert_int_equal(r.fate_pkts, off[i].fate_pkts);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lcore_stat_every_value_is_named),
		cmocka_unit_test(lcore_stat_add_sums_counts_and_picks_times),
		cmocka_unit_test(lcore_stat_residual_shows_each_imbalance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

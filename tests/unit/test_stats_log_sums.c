/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_stats_log_sums.c - deltas of stats.log partition the run, whatever lcores and writer do
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include "profiler/log_set_priv.h"
#include "stats_bed.h"

/* Of lcore_ids, and of the whole. */
static const char *const peers[LCORES + 1] = {"lcore-2", "lcore-3", "lcore-17", "zbench"};

static size_t last_of(const char *peer)
{
	size_t at = ROWS_MAX;

	for (size_t i = 0; i < bed.row_nr; i++)
		at = strcmp(peer_of(i), peer) == 0 ? i : at;
	assert_true(at < ROWS_MAX);
	return at;
}

/* Deltas and levels of stats.log that come straight from one counter or gauge. */
static const struct {
	const char *column;
	enum zb_counter counter;
} deltas[] = {
	{"pkts_proc", ZB_C_pkts_proc},
	{"bytes_recv", ZB_C_bytes_recv},
	{"pkts_dropped", ZB_C_pkts_dropped},
	{"pkts_link", ZB_C_pkts_link},
	{"pkts_filtered", ZB_C_pkts_filtered},
	{"events_proc", ZB_C_events_proc},
	{"events_queued", ZB_C_events_queued},
	{"tcp_conns", ZB_C_tcp_conns},
	{"udp_conns", ZB_C_udp_conns},
	{"icmp_conns", ZB_C_icmp_conns},
	{"timers", ZB_C_timers},
	{"files", ZB_C_files},
	{"dns_requests", ZB_C_dns_requests},
};
static const struct {
	const char *column;
	enum zb_gauge gauge;
} levels[] = {
	{"active_tcp_conns", ZB_G_active_tcp_conns},
	{"active_udp_conns", ZB_G_active_udp_conns},
	{"active_icmp_conns", ZB_G_active_icmp_conns},
	{"active_timers", ZB_G_active_timers},
	{"active_files", ZB_G_active_files},
	{"active_dns_requests", ZB_G_active_dns_requests},
	{"reassem_tcp_size", ZB_G_reassem_tcp_bytes},
	{"reassem_file_size", ZB_G_reassem_file_bytes},
	{"reassem_frag_size", ZB_G_reassem_frag_bytes},
	{"reassem_unknown_size", ZB_G_reassem_unknown_bytes},
};
#define DELTAS (sizeof(deltas) / sizeof(deltas[0]))
#define LEVELS (sizeof(levels) / sizeof(levels[0]))

static void check_totals(const struct zb_lcore_stat st[LCORES])
{
	for (size_t d = 0; d < DELTAS; d++) {
		uint64_t all = 0;

		for (unsigned i = 0; i < LCORES; i++) {
			assert_int_equal(sum_of(peers[i], deltas[d].column),
					 st[i].c[deltas[d].counter]);
			all += st[i].c[deltas[d].counter];
		}
		assert_int_equal(sum_of("zbench", deltas[d].column), all);
	}
	for (size_t k = 0; k < LEVELS; k++) {
		uint64_t all = 0;

		for (unsigned i = 0; i < LCORES; i++) {
			assert_int_equal(count_of(last_of(peers[i]), levels[k].column),
					 st[i].g[levels[k].gauge]);
			all += st[i].g[levels[k].gauge];
		}
		assert_int_equal(count_of(last_of("zbench"), levels[k].column), all);
	}
}

static void check_times_rise(void)
{
	for (unsigned p = 0; p <= LCORES; p++) {
		double ts = 0;

		for (size_t i = 0; i < bed.row_nr; i++) {
			if (strcmp(peer_of(i), peers[p]) != 0)
				continue;
			assert_true(number_of(i, "ts") >= ts);
			ts = number_of(i, "ts");
		}
	}
}

/*
 * In whatever order lcores report, skip intervals, repeat their last one or end: deltas sum to the
 * totals, last levels are the levels, time does not go back.
 */
static void stats_log_any_order_sums_to_totals(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 100; round++) {
		struct zb_lcore_stat st[LCORES];
		uint64_t interval[LCORES] = {0};
		bool last[LCORES] = {false};
		unsigned live = LCORES;

		memset(st, 0, sizeof(st));
		bed_make(ZB_ROW_JSON, LCORES);
		while (live > 0) {
			unsigned i = (unsigned)random() % LCORES;

			if (last[i])
				continue;
			advance(&st[i]);
			last[i] = random() % 20 == 0;
			live -= last[i];
			take(i, &st[i], interval[i], last[i]);
			interval[i] += (uint64_t)random() % 3;
		}
		bed_close();
		rows_read("stats.log");
		check_totals(st);
		check_times_rise();
		rows_free();
		bed_remove();
	}
}

/* A silent lcore holds back a bounded number of rows, and what it reports in the end is not lost.
 */
static void stats_log_silent_lcore_holds_bounded_rows(void **state)
{
	struct zb_lcore_stat st[LCORES];
	uint64_t k;

	(void)state;
	memset(st, 0, sizeof(st));
	bed_make(ZB_ROW_JSON, LCORES);
	advance(&st[2]);
	take(2, &st[2], 5, false);
	for (k = 0; k < 3 * ZB_STATS_LOG_HELD_MAX; k++) {
		for (unsigned i = 0; i < 2; i++) {
			advance(&st[i]);
			take(i, &st[i], k, false);
		}
	}
	advance(&st[2]);
	take(2, &st[2], 7, false); /* long past */
	for (unsigned i = 0; i < LCORES; i++) {
		advance(&st[i]);
		take(i, &st[i], k, true);
	}
	bed_close();
	rows_read("stats.log");
	check_totals(st);
	rows_free();
	bed_remove();
}

/* A row that found no buffer is made up for by the next: nothing is missing from the sums. */
static void stats_log_row_without_buffer_counts_in_next(void **state)
{
	struct zb_lcore_stat st[LCORES];
	struct zb_log_total total;
	uint64_t k;

	(void)state;
	memset(st, 0, sizeof(st));
	bed_make(ZB_ROW_JSON, LCORES);
	zb_log_set_stall(bed.set, true);
	for (k = 0; k < 2000; k++) {
		for (unsigned i = 0; i < LCORES; i++) {
			advance(&st[i]);
			take(i, &st[i], k, false);
		}
	}
	zb_log_set_stall(bed.set, false);
	for (int s = 0; s < 2; s++) { /* until there are buffers again */
		struct zb_log_port *p = zb_log_port(bed.set, (uint16_t)s, 0);

		while (zb_log_ring_count(&p->full) > 0)
			sched_yield();
	}
	for (unsigned i = 0; i < LCORES; i++) {
		advance(&st[i]);
		take(i, &st[i], k, true);
	}
	zb_stats_log_finish(bed.log);
	zb_stats_log_destroy(bed.log);
	assert_int_equal(zb_log_set_close(bed.set), 0);
	zb_log_total(bed.set, 0, &total);
	assert_true(total.rows_dropped > 0);
	zb_log_set_destroy(bed.set);
	rows_read("stats.log");
	assert_int_equal(bed.row_nr, total.rows_written);
	check_totals(st);
	rows_free();
	bed_remove();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stats_log_any_order_sums_to_totals),
		cmocka_unit_test(stats_log_silent_lcore_holds_bounded_rows),
		cmocka_unit_test(stats_log_row_without_buffer_counts_in_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

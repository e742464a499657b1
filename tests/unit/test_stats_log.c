/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_stats_log.c - what a row of stats.log has, for an lcore and for the whole; lcore.log is
 * absolute
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include "stats_bed.h"

static size_t rows_of(const char *peer)
{
	size_t n = 0;

	for (size_t i = 0; i < bed.row_nr; i++)
		n += strcmp(peer_of(i), peer) == 0;
	return n;
}

/* The file opens with exactly Zeek's columns and types. */
static void stats_log_tsv_header_is_zeeks(void **state)
{
	static const char columns[] =
		"#fields\tts\tpeer\tmem\tpkts_proc\tbytes_recv\tpkts_dropped\tpkts_link"
		"\tpkt_lag\tpkts_filtered\tevents_proc\tevents_queued\tactive_tcp_conns"
		"\tactive_udp_conns\tactive_icmp_conns\ttcp_conns\tudp_conns\ticmp_conns"
		"\ttimers\tactive_timers\tfiles\tactive_files\tdns_requests"
		"\tactive_dns_requests\treassem_tcp_size\treassem_file_size"
		"\treassem_frag_size\treassem_unknown_size\n"
		"#types\ttime\tstring\tcount\tcount\tcount\tcount\tcount\tinterval\tcount"
		"\tcount\tcount\tcount\tcount\tcount\tcount\tcount\tcount\tcount\tcount"
		"\tcount\tcount\tcount\tcount\tcount\tcount\tcount\tcount\n";
	struct zb_lcore_stat st;
	char text[4096], *body;
	FILE *f;
	size_t n;

	(void)state;
	memset(&st, 0, sizeof(st));
	bed_make(ZB_ROW_TSV, 1);
	st.net_time_ns = START_NS;
	st.c[ZB_C_pkts_proc] = 1;
	st.lag_ns = 2500000;
	take(0, &st, 0, true);
	bed_close();
	f = fopen(path_of("stats.log"), "r");
	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	assert_non_null(strstr(text, "#path\tstats\n"));
	body = strstr(text, "#fields");
	assert_non_null(body);
	assert_memory_equal(body, columns, strlen(columns));
	body = strstr(text, "1700000000.000000\tlcore-2\t");
	assert_non_null(body);
	assert_non_null(strstr(body, "\t1\t0\t0\t0\t0.002500\t0\t0\t0\t"));
	assert_non_null(strstr(body, "1700000000.000000\tzbench\t"));
	bed_remove();
}

/* The first row covers one packet and the last the remainder, for the lcore and for the whole. */
static void stats_log_rows_are_deltas(void **state)
{
	struct zb_lcore_stat st;

	(void)state;
	memset(&st, 0, sizeof(st));
	bed_make(ZB_ROW_JSON, 1);
	st.net_time_ns = START_NS;
	st.c[ZB_C_pkts_proc] = 1;
	st.g[ZB_G_active_tcp_conns] = 1;
	st.lag_ns = 5000000;
	take(0, &st, 0, false);
	st.net_time_ns = START_NS + 3 * SECOND;
	st.c[ZB_C_pkts_proc] = 136;
	st.g[ZB_G_active_tcp_conns] = 5;
	st.lag_ns = 1000000;
	take(0, &st, 1, true);
	bed_close();
	rows_read("stats.log");
	assert_int_equal(bed.row_nr, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(peer_of(i), i % 2 ? "zbench" : "lcore-2");
		assert_int_equal(count_of(i, "pkts_proc"), i < 2 ? 1 : 135);
		assert_int_equal(count_of(i, "active_tcp_conns"), i < 2 ? 1 : 5);
		assert_true(number_of(i, "pkt_lag") == (i < 2 ? 0.005 : 0.001));
		assert_true(number_of(i, "ts") == (i < 2 ? 1700000000.0 : 1700000003.0));
		assert_int_equal(json_object_size(bed.row[i]), 27);
		assert_true(count_of(i, "mem") > 0);
	}
	rows_free();
	bed_remove();
}

/* A row of the whole waits for every lcore, and has of each the levels it had by then. */
static void stats_log_whole_waits_for_all_lcores(void **state)
{
	struct zb_lcore_stat st[2];

	(void)state;
	memset(st, 0, sizeof(st));
	bed_make(ZB_ROW_JSON, 2);
	for (uint64_t k = 0; k < 3; k++) { /* lcore-2 is three intervals ahead */
		st[0].net_time_ns = START_NS + k * SECOND;
		st[0].c[ZB_C_pkts_proc] += 10;
		st[0].g[ZB_G_active_timers] = 100 * (k + 1);
		take(0, &st[0], k, false);
	}
	st[1].net_time_ns = START_NS + SECOND / 2;
	st[1].c[ZB_C_pkts_proc] += 7;
	st[1].g[ZB_G_active_timers] = 1;
	take(1, &st[1], 1, false); /* passes 0 without news, and 1 */
	st[1].c[ZB_C_pkts_proc] += 1;
	st[1].g[ZB_G_active_timers] = 2;
	take(1, &st[1], 2, true);
	take(0, &st[0], 3, true);
	bed_close();
	rows_read("stats.log");
	assert_int_equal(rows_of("zbench"), 4);
	for (size_t i = 0, w = 0; i < bed.row_nr; i++) {
		static const size_t place[4] = {4, 5, 7, 9};
		static const uint64_t pkts[4] = {10, 17, 11, 0};
		static const uint64_t timers[4] = {100, 201, 302, 302};

		if (strcmp(peer_of(i), "zbench") != 0)
			continue;
		assert_int_equal(i, place[w]);
		assert_int_equal(count_of(i, "pkts_proc"), pkts[w]);
		assert_int_equal(count_of(i, "active_timers"), timers[w]);
		assert_true(number_of(i, "ts") == 1700000000.0 + (double)(w < 3 ? w : 2));
		w++;
	}
	rows_free();
	bed_remove();
}

/* An lcore without a packet has no rows in stats.log but is seen in lcore.log. */
static void stats_log_lcore_without_packets_has_no_news(void **state)
{
	struct zb_lcore_stat st[2];

	(void)state;
	memset(st, 0, sizeof(st));
	bed_make(ZB_ROW_JSON, 2);
	advance(&st[0]);
	take(0, &st[0], 0, false);
	st[1].idle_cycles = 12;
	take(1, &st[1], 1, true);
	advance(&st[0]);
	take(0, &st[0], 1, true);
	bed_close();
	rows_read("stats.log");
	assert_int_equal(rows_of("lcore-2"), 2);
	assert_int_equal(rows_of("lcore-3"), 0);
	assert_int_equal(rows_of("zbench"), 2);
	assert_int_equal(sum_of("zbench", "pkts_proc"), st[0].c[ZB_C_pkts_proc]);
	rows_read("lcore.log");
	assert_int_equal(bed.row_nr, 3);
	assert_int_equal(count_of(1, "lcore"), 3);
	assert_int_equal(count_of(1, "idle_cycles"), 12);
	rows_free();
	bed_remove();
}

/* lcore.log has every counter, gauge, fate and stage as it stands, and ratios of the time since the
 * last row. */
static void stats_log_lcore_row_is_absolute(void **state)
{
	struct zb_lcore_stat st;
	char name[64];

	(void)state;
	memset(&st, 0, sizeof(st));
	bed_make(ZB_ROW_JSON, 1);
	st.c[ZB_C_pkts_proc] = 1;
	take(0, &st, 0, false);
	advance(&st);
	st.c[ZB_C_pkts_proc] = 101;
	st.c[ZB_C_pkts_filtered] = 28;
	st.c[ZB_C_bursts] = 16;
	st.busy_cycles = 3000;
	st.idle_cycles = 1000;
	st.first_tsc = 500;
	st.last_tsc = 2000000500;
	for (unsigned i = 0; i < ZB_FATE_NR; i++)
		st.fate[i] = 3000 + i;
	for (unsigned i = 0; i < ZB_STAGE_NR; i++)
		st.stage_cycles[i] = 4000 + i;
	for (unsigned i = 0; i < ZB_FILL_BUCKETS; i++)
		st.burst_fill[i] = 5000 + i;
	st.log_rows[0] = 40;
	st.log_rows[ZB_LOG_STREAMS_MAX - 1] = 2;
	take(0, &st, 1, true);
	bed_close();
	rows_read("lcore.log");
	assert_int_equal(bed.row_nr, 2);
	assert_int_equal(count_of(1, "lcore"), 2);
	assert_true(number_of(1, "wall_ts") == 1700000500.0);
	for (unsigned i = 0; i < ZB_C_NR; i++)
		assert_int_equal(count_of(1, zb_counter_name[i]), st.c[i]);
	for (unsigned i = 0; i < ZB_G_NR; i++)
		assert_int_equal(count_of(1, zb_gauge_name[i]), st.g[i]);
	for (unsigned i = 0; i < ZB_FATE_NR; i++) {
		snprintf(name, sizeof(name), "fate_%s", zb_fate_name[i]);
		assert_int_equal(count_of(1, name), 3000 + i);
	}
	for (unsigned i = 0; i < ZB_STAGE_NR; i++) {
		snprintf(name, sizeof(name), "stage_%s_cycles", zb_stage_name[i]);
		assert_int_equal(count_of(1, name), 4000 + i);
	}
	for (unsigned i = 0; i < 7; i++) {
		snprintf(name, sizeof(name), "burst_fill_%u", 1u << i);
		assert_int_equal(count_of(1, name), 5000 + i);
	}
	assert_true(number_of(1, "busy_ratio") == 0.75);
	assert_true(number_of(1, "cycles_per_pkt") == 30.0);
	assert_true(number_of(1, "burst_fill_mean") == 8.0);
	assert_int_equal(count_of(1, "log_rows"), 42);
	assert_true(number_of(1, "run_time") == 2.0);
	assert_null(json_object_get(bed.row[0], "busy_ratio"));
	assert_null(json_object_get(bed.row[0], "run_time"));
	assert_true(number_of(0, "cycles_per_pkt") == 0.0);
	rows_free();
	bed_remove();
}

/* Either log may be switched off. */
static void stats_log_without_ports_writes_nothing(void **state)
{
	struct zb_stats_log_conf conf = {.lcore_ids = lcore_ids, .lcore_nr = 1, .tsc_hz = 1e9};
	struct zb_snapshot snap;

	(void)state;
	memset(&snap, 0, sizeof(snap));
	snap.stat.net_time_ns = START_NS;
	snap.last = true;
	assert_int_equal(zb_stats_log_create(&conf, &bed.log), 0);
	zb_stats_log_take(bed.log, 0, &snap);
	zb_stats_log_finish(bed.log);
	zb_stats_log_destroy(bed.log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stats_log_tsv_header_is_zeeks),
		cmocka_unit_test(stats_log_rows_are_deltas),
		cmocka_unit_test(stats_log_whole_waits_for_all_lcores),
		cmocka_unit_test(stats_log_lcore_without_packets_has_no_news),
		cmocka_unit_test(stats_log_lcore_row_is_absolute),
		cmocka_unit_test(stats_log_without_ports_writes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_stats_log.c - deltas of stats.log partition the run, for each lcore and for the whole;
 * lcore.log is absolute
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "profiler/log_set.h"
#include "profiler/log_set_priv.h"
#include "profiler/stats_log.h"

#define LCORES	 3
#define ROWS_MAX 4096
#define START_NS 1700000000000000000u
#define SECOND	 1000000000ul

static const struct zb_row_def *const defs[] = {&zb_stats_log_def, &zb_lcore_log_def};
static const unsigned lcore_ids[LCORES] = {2, 3, 17};
static const char *const peers[LCORES + 1] = {"lcore-2", "lcore-3", "lcore-17", "zbench"};

struct bed {
	char dir[64];
	struct zb_log_set *set;
	struct zb_stats_log *log;
	json_t *row[ROWS_MAX]; /* of the file read last */
	size_t row_nr;
};

static struct bed bed;

static char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", bed.dir, name);
	return path;
}

static void bed_make(enum zb_row_format fmt, unsigned lcore_nr)
{
	struct zb_log_conf conf = {
		.dir = bed.dir,
		.defs = defs,
		.stream_nr = 2,
		.producer_nr = 1,
		.format = fmt,
	};
	struct zb_stats_log_conf stats = {
		.lcore_ids = lcore_ids,
		.lcore_nr = lcore_nr,
		.tsc_hz = 1e9,
	};

	strcpy(bed.dir, "/tmp/zb-test-stats-XXXXXX");
	assert_non_null(mkdtemp(bed.dir));
	assert_int_equal(zb_log_set_create(&conf, &bed.set), 0);
	stats.stats = zb_log_port(bed.set, 0, 0);
	stats.lcore = zb_log_port(bed.set, 1, 0);
	assert_int_equal(zb_stats_log_create(&stats, &bed.log), 0);
}

/* Ends the run and leaves the files. */
static void bed_close(void)
{
	zb_stats_log_finish(bed.log);
	zb_stats_log_destroy(bed.log);
	assert_int_equal(zb_log_set_close(bed.set), 0);
	zb_log_set_destroy(bed.set);
}

static void bed_remove(void)
{
	unlink(path_of("stats.log"));
	unlink(path_of("lcore.log"));
	assert_int_equal(rmdir(bed.dir), 0);
}

static void rows_free(void)
{
	for (size_t i = 0; i < bed.row_nr; i++)
		json_decref(bed.row[i]);
	bed.row_nr = 0;
}

static void rows_read(const char *name)
{
	FILE *f = fopen(path_of(name), "r");
	json_error_t err;
	json_t *row;

	rows_free();
	if (f == NULL)
		return;
	while ((row = json_loadf(f, JSON_DISABLE_EOF_CHECK, &err)) != NULL) {
		assert_true(bed.row_nr < ROWS_MAX);
		bed.row[bed.row_nr++] = row;
		assert_int_equal(fgetc(f), '\n');
	}
	assert_int_equal(fgetc(f), EOF);
	fclose(f);
}

static const char *peer_of(size_t i)
{
	return json_string_value(json_object_get(bed.row[i], "peer"));
}

static uint64_t count_of(size_t i, const char *name)
{
	json_t *v = json_object_get(bed.row[i], name);

	assert_true(json_is_integer(v));
	return (uint64_t)json_integer_value(v);
}

static double number_of(size_t i, const char *name)
{
	json_t *v = json_object_get(bed.row[i], name);

	assert_true(json_is_real(v));
	return json_real_value(v);
}

static uint64_t sum_of(const char *peer, const char *name)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < bed.row_nr; i++) {
		if (strcmp(peer_of(i), peer) == 0)
			sum += count_of(i, name);
	}
	return sum;
}

static size_t rows_of(const char *peer)
{
	size_t n = 0;

	for (size_t i = 0; i < bed.row_nr; i++)
		n += strcmp(peer_of(i), peer) == 0;
	return n;
}

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

/* Counters rise, levels go up and down, time goes on. */
static void advance(struct zb_lcore_stat *st)
{
	for (unsigned i = 0; i < ZB_C_NR; i++)
		st->c[i] += (uint64_t)random() % 1000;
	for (unsigned i = 0; i < ZB_G_NR; i++)
		st->g[i] = (uint64_t)random() % 1000;
	st->net_time_ns =
		(st->net_time_ns ? st->net_time_ns : START_NS) + (uint64_t)random() % SECOND;
	st->lag_ns = (uint64_t)random() % 1000000;
}

static void take(unsigned i, const struct zb_lcore_stat *st, uint64_t interval, bool last)
{
	struct zb_snapshot snap;

	memset(&snap, 0, sizeof(snap));
	snap.stat = *st;
	snap.interval = interval;
	snap.last = last;
	snap.wall_ns = START_NS + 500 * SECOND;
	zb_stats_log_take(bed.log, i, &snap);
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
		cmocka_unit_test(stats_log_any_order_sums_to_totals),
		cmocka_unit_test(stats_log_whole_waits_for_all_lcores),
		cmocka_unit_test(stats_log_silent_lcore_holds_bounded_rows),
		cmocka_unit_test(stats_log_lcore_without_packets_has_no_news),
		cmocka_unit_test(stats_log_row_without_buffer_counts_in_next),
		cmocka_unit_test(stats_log_lcore_row_is_absolute),
		cmocka_unit_test(stats_log_without_ports_writes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

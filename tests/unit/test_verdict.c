/* SPDX-License-Identifier: Apache-2.0 */
/* test_verdict.c - each cause has its name, with evidence; what is not certain has none */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "bench/verdict.h"

#define HZ   2e9
#define PKTS 1000000u

static const struct zb_growth_kind kinds[] = {{"timer_bytes", 0, 300}, {"dns_bytes", 1, 300}};
static struct zb_lcore_stat sum;
static struct zb_growth growth;
static struct zb_verdict_in in;
static struct zb_verdict v;

static void set_stage(unsigned stage, uint64_t cycles_per_pkt)
{
	sum.busy_cycles -= sum.stage_cycles[stage];
	sum.stage_cycles[stage] = cycles_per_pkt * PKTS;
	sum.busy_cycles += sum.stage_cycles[stage];
}

/* An office of a million packets in a closed loop: 1600 cycles each, on a quiet machine. */
static int clean(void **state)
{
	(void)state;
	memset(&sum, 0, sizeof(sum));
	memset(&growth, 0, sizeof(growth));
	growth.top = UINT_MAX;
	growth.leak = growth.conn_state = growth.shape = ZB_GROWTH_PLATEAU;
	sum.c[ZB_C_pkts_proc] = sum.c[ZB_C_pkts_link] = PKTS;
	sum.c[ZB_C_bytes_recv] = 800ull * PKTS;
	sum.c[ZB_C_tcp_conns] = PKTS / 50;
	sum.c[ZB_C_udp_conns] = PKTS / 50;
	sum.log_rows[0] = PKTS / 10;
	set_stage(ZB_STAGE_rx, 100);
	set_stage(ZB_STAGE_decode, 250);
	set_stage(ZB_STAGE_flow, 50);
	set_stage(ZB_STAGE_conn, 200);
	set_stage(ZB_STAGE_stream, 900);
	set_stage(ZB_STAGE_log, 90);
	set_stage(ZB_STAGE_expire, 10);
	in = (struct zb_verdict_in){
		.tsc_hz = HZ,
		.sum = &sum,
		.lcore_nr = 1,
		.seconds = 0.8,
		.busy_share = 1,
		.own_share_max = 1,
		.lost_ratio = 0.001,
		.state_bytes = 5e6,
		.growth = &growth,
		.kinds = kinds,
		.dearest = {"http", 0.12, 2700, 1236, 600},
	};
	return 0;
}

/* Evidence of everything found is complete: a verdict without is no verdict. */
static void assert_evidence(void)
{
	assert_true(v.nr >= 1);
	for (unsigned i = 0; i < v.nr; i++) {
		const struct zb_verdict_finding *f = &v.found[i];

		assert_true(f->because_nr >= 1);
		assert_true(f->confidence >= 0 && f->confidence < 1);
		for (unsigned k = 0; k < f->because_nr; k++) {
			assert_true(strlen(f->because[k].what) > 10);
			assert_non_null(f->because[k].see);
			assert_non_null(f->because[k].unit);
		}
	}
}

/* Judges; the verdict must be this one, and so many be found. */
static void assert_verdict(enum zb_verdict_name name, unsigned nr)
{
	zb_verdict_judge(&in, &v);
	assert_evidence();
	assert_string_equal(zb_verdict_name_of[v.found[0].name], zb_verdict_name_of[name]);
	assert_int_equal(v.nr, nr);
}

static void open_loop(uint64_t link, uint64_t dropped)
{
	in.open_loop = true;
	sum.c[ZB_C_pkts_link] = link;
	sum.c[ZB_C_pkts_dropped] = in.dropped = dropped;
	sum.c[ZB_C_pkts_proc] = link - dropped;
}

/* A closed loop is always busy, and that is no overload. */
static void verdict_clean_closed_loop_keeps_up(void **state)
{
	(void)state;
	assert_verdict(ZB_VERDICT_KEEPING_UP, 1);
	assert_true(v.found[0].confidence > 0.8);
}

static void verdict_clean_open_loop_keeps_up(void **state)
{
	(void)state;
	open_loop(PKTS, 0);
	in.busy_share = 0.4;
	assert_verdict(ZB_VERDICT_KEEPING_UP, 1);
}

/* Normal cost, more packets than can be taken. */
static void verdict_drops_at_normal_cost_are_overload(void **state)
{
	(void)state;
	open_loop(2 * PKTS, PKTS);
	assert_verdict(ZB_VERDICT_OVERLOADED, 1);
	assert_string_equal(v.found[0].stage, "stream");
	assert_true(v.found[0].confidence > 0.9);
}

/* Packets that wait ever longer are overload before the first is lost. */
static void verdict_lag_is_overload(void **state)
{
	(void)state;
	open_loop(PKTS, 0);
	for (unsigned i = 0; i < 1000; i++)
		zb_lag_note(&sum.lag, 500000000);
	assert_verdict(ZB_VERDICT_OVERLOADED, 1);
	in.busy_share = 0.5; /* it was late, but had the time: not the worker's doing */
	assert_verdict(ZB_VERDICT_KEEPING_UP, 1);
}

/* There was time on the whole: the queue is too short for the bursts. */
static void verdict_drops_of_bursts_are_overload_in_bursts(void **state)
{
	(void)state;
	open_loop(PKTS + 10000, 10000);
	in.seconds = 3;
	assert_verdict(ZB_VERDICT_OVERLOADED, 1);
	assert_non_null(strstr(v.found[0].because[1].what, "--rx-desc"));
}

/* What the machine took would have been enough for what was lost: then it was the machine. */
static void verdict_drops_for_want_of_a_cpu_are_noise(void **state)
{
	(void)state;
	open_loop(PKTS + 100000, 100000);
	in.seconds = 0.8 / 0.55;
	in.lost_ratio = 0.4;
	in.neighbour = "cc1";
	assert_verdict(ZB_VERDICT_NOISY_HOST, 1);
	assert_non_null(strstr(v.found[0].because[0].what, "cc1"));
	/* And when it would not have been, it is both. */
	open_loop(5 * PKTS, 4 * PKTS);
	assert_verdict(ZB_VERDICT_OVERLOADED, 2);
	assert_int_equal(v.found[1].name, ZB_VERDICT_NOISY_HOST);
}

/* A disturbed run that lost nothing says first that it was disturbed. */
static void verdict_noise_without_loss(void **state)
{
	(void)state;
	in.lost_ratio = 0.3;
	assert_verdict(ZB_VERDICT_NOISY_HOST, 2);
	assert_int_equal(v.found[1].name, ZB_VERDICT_KEEPING_UP);
	in.lost_ratio = 0.03; /* not clean, but no verdict */
	assert_verdict(ZB_VERDICT_KEEPING_UP, 1);
}

/* Cost far beyond the usual names stage, function and connection, with loss or without. */
static void verdict_dear_stage_is_pathological(void **state)
{
	(void)state;
	set_stage(ZB_STAGE_flow, 5000);
	strcpy(in.hot[ZB_STAGE_flow].name, "zb_flow_next");
	in.flow = "Cabc";
	assert_verdict(ZB_VERDICT_PATHOLOGICAL, 1);
	assert_string_equal(v.found[0].stage, "flow");
	assert_string_equal(v.found[0].function, "zb_flow_next");
	assert_string_equal(v.found[0].flow, "Cabc");
	assert_null(v.found[0].analyzer);
	open_loop(2 * PKTS, PKTS);
	assert_verdict(ZB_VERDICT_PATHOLOGICAL, 2);
	assert_int_equal(v.found[1].name, ZB_VERDICT_OVERLOADED);
}

/* In a run of some ms the same may be one stall that no clock of a guest tells of. */
static void verdict_short_excess_is_not(void **state)
{
	const uint64_t few = 6000; /* 5 k cycles each are 15 ms */

	(void)state;
	set_stage(ZB_STAGE_flow, 5000);
	for (unsigned i = 0; i < ZB_STAGE_NR; i++)
		sum.stage_cycles[i] = sum.stage_cycles[i] / PKTS * few;
	sum.busy_cycles = sum.busy_cycles / PKTS * few;
	sum.c[ZB_C_pkts_proc] = sum.c[ZB_C_pkts_link] = few;
	sum.c[ZB_C_bytes_recv] = 800 * few;
	sum.c[ZB_C_tcp_conns] = sum.c[ZB_C_udp_conns] = few / 50;
	sum.log_rows[0] = few / 10;
	in.state_bytes = 1e5;
	assert_verdict(ZB_VERDICT_KEEPING_UP, 1);
	sum.stage_cycles[ZB_STAGE_flow] *= 2;
	assert_verdict(ZB_VERDICT_PATHOLOGICAL, 1);
}

/* Bytes, rows and connections explain cost: what is usual for them is not pathological. */
static void verdict_cost_that_is_explained_is_not(void **state)
{
	(void)state;
	set_stage(ZB_STAGE_stream, 4000);
	sum.c[ZB_C_bytes_recv] = 1400ull * PKTS;
	assert_verdict(ZB_VERDICT_KEEPING_UP, 1);
	sum.c[ZB_C_bytes_recv] = 60ull * PKTS;
	sum.log_rows[0] = 0;
	assert_verdict(ZB_VERDICT_PATHOLOGICAL, 1);
}

/* Hashing files explains the cost of the stream stage, analyzers do not. */
static void verdict_dear_analyzers_are_not_hidden_by_files(void **state)
{
	(void)state;
	sum.c[ZB_C_bytes_recv] = 1400ull * PKTS;
	set_stage(ZB_STAGE_stream, 13000);
	strcpy(in.hot_analyzer.name, "first_common");
	in.largest = (struct zb_verdict_analyzer){"ssh", 0.5, 27000, 1300, 1600};
	in.files_share = 0.8;
	assert_verdict(ZB_VERDICT_KEEPING_UP, 1);
	in.files_share = -1; /* not metered */
	assert_verdict(ZB_VERDICT_KEEPING_UP, 1);
	in.files_share = 0.2;
	assert_verdict(ZB_VERDICT_PATHOLOGICAL, 1);
	assert_string_equal(v.found[0].stage, "stream");
	assert_string_equal(v.found[0].analyzer, "ssh");
	assert_string_equal(v.found[0].function, "first_common");
}

/* Time in which the CPU was taken away in the middle of a stage is not the stage's. */
static void verdict_stolen_cycles_are_no_cost(void **state)
{
	(void)state;
	set_stage(ZB_STAGE_flow, 5000);
	sum.gap_cycles[ZB_STAGE_flow] = 4950ull * PKTS;
	assert_verdict(ZB_VERDICT_KEEPING_UP, 1);
}

/* In a build with sanitizers everything is dear: then cost is not judged, nor called usual. */
static void verdict_of_a_slow_build_says_nothing_of_cost(void **state)
{
	(void)state;
	set_stage(ZB_STAGE_flow, 5000);
	in.dearest = (struct zb_verdict_analyzer){"dns", 0.3, 24000, 50, 200};
	in.is_slow = true;
	assert_verdict(ZB_VERDICT_KEEPING_UP, 1);
	assert_false(v.cost_judged);
	for (unsigned i = 0; i < v.found[0].because_nr; i++)
		assert_null(strstr(v.found[0].because[i].what, "usual"));
	sum.c[ZB_C_weirds] = PKTS / 2; /* counts are counts */
	assert_verdict(ZB_VERDICT_PATHOLOGICAL, 1);
}

/* Waiting for the log writer is not the cost of rows. */
static void verdict_waiting_for_logs_is_no_cost(void **state)
{
	(void)state;
	set_stage(ZB_STAGE_log, 6000);
	sum.c[ZB_C_log_wait_cycles] = 5900ull * PKTS;
	assert_verdict(ZB_VERDICT_LOG_BEHIND, 1);
	assert_string_equal(v.found[0].stage, "log");
	in.writer_starved = 0.6; /* it had no CPU: the machine's doing */
	assert_verdict(ZB_VERDICT_KEEPING_UP, 1);
	sum.c[ZB_C_log_wait_cycles] = 0; /* waiting for the reporter is told likewise */
	sum.c[ZB_C_once_wait_cycles] = 1000ull * PKTS;
	set_stage(ZB_STAGE_log, 90);
	in.writer_starved = 0;
	assert_verdict(ZB_VERDICT_LOG_BEHIND, 1);
	assert_string_equal(v.found[0].because[0].see, "totals.once_wait_cycles");
	sum.c[ZB_C_once_wait_cycles] = 0;
	set_stage(ZB_STAGE_log, 6000);
	sum.c[ZB_C_log_wait_cycles] = 5900ull * PKTS;
	sum.c[ZB_C_log_rows_lost] = 5; /* but lost rows are lost */
	assert_verdict(ZB_VERDICT_LOG_BEHIND, 1);
	sum.c[ZB_C_log_rows_lost] = sum.c[ZB_C_log_wait_cycles] = 0;
	set_stage(ZB_STAGE_log, 90);
	in.rows_failed = 7;
	assert_verdict(ZB_VERDICT_LOG_BEHIND, 1);
}

/* An analyzer whose calls are far too dear is named, though its stage as a whole is not dear. */
static void verdict_dear_analyzer_is_pathological(void **state)
{
	(void)state;
	in.dearest = (struct zb_verdict_analyzer){"dns", 0.3, 24000, 50, 200};
	strcpy(in.hot[ZB_STAGE_stream].name, "zb_file_hash_add");
	strcpy(in.hot_analyzer.name, "fault_spin");
	assert_verdict(ZB_VERDICT_PATHOLOGICAL, 1);
	assert_string_equal(v.found[0].analyzer, "dns");
	assert_string_equal(v.found[0].function, "fault_spin");
	in.dearest.calls = 5; /* too few to tell */
	assert_verdict(ZB_VERDICT_KEEPING_UP, 1);
	in.dearest = (struct zb_verdict_analyzer){"tls", 0.3, 24000, 8000, 200}; /* large calls */
	assert_verdict(ZB_VERDICT_KEEPING_UP, 1);
}

/* Much of something for little traffic: flows, oddities, rows, state. */
static void verdict_amplification_is_pathological(void **state)
{
	(void)state;
	sum.c[ZB_C_tcp_conns] = PKTS;
	assert_verdict(ZB_VERDICT_PATHOLOGICAL, 1);
	clean(NULL);
	sum.c[ZB_C_weirds] = PKTS / 2;
	in.weird = (struct zb_verdict_weird){"DNS_label_too_long", 0.9, "stream", "dns", NULL, 0};
	assert_verdict(ZB_VERDICT_PATHOLOGICAL, 1);
	assert_string_equal(v.found[0].kind, "DNS_label_too_long");
	assert_string_equal(v.found[0].analyzer, "dns");
	in.weird.share = 0.1; /* one of many accuses nobody */
	assert_verdict(ZB_VERDICT_PATHOLOGICAL, 1);
	assert_null(v.found[0].kind);
	assert_null(v.found[0].stage);
	in.weird.most_in = "decode"; /* but the stage that found most of them */
	in.weird.stage_share = 0.7;
	assert_verdict(ZB_VERDICT_PATHOLOGICAL, 1);
	assert_null(v.found[0].kind);
	assert_string_equal(v.found[0].stage, "decode");
	clean(NULL);
	sum.log_rows[3] = 2 * PKTS;
	assert_verdict(ZB_VERDICT_PATHOLOGICAL, 1);
	clean(NULL);
	sum.c[ZB_C_files] = PKTS * 3 / 5;
	assert_verdict(ZB_VERDICT_KEEPING_UP, 1);
	sum.c[ZB_C_files] = PKTS * 4 / 5;
	assert_verdict(ZB_VERDICT_PATHOLOGICAL, 1);
	clean(NULL);
	in.state_bytes = 3e9;
	assert_verdict(ZB_VERDICT_PATHOLOGICAL, 1);
	in.conns_peak = 1e6; /* 3000 bytes each: many connections, each of them usual */
	assert_verdict(ZB_VERDICT_KEEPING_UP, 1);
	clean(NULL);
	sum.c[ZB_C_udp_conns] = PKTS / 2; /* questions and answers */
	sum.c[ZB_C_tcp_conns] = 0;
	assert_verdict(ZB_VERDICT_KEEPING_UP, 1);
}

static void verdict_leak_names_its_holder(void **state)
{
	(void)state;
	growth.leak = ZB_GROWTH_LEAK;
	growth.uncounted = (struct zb_trend){true, 5e4, 4.9e4, 5.1e4, 9, 1e7, 600, 3e7};
	assert_verdict(ZB_VERDICT_LEAK, 1);
	assert_null(v.found[0].function); /* without heap dumps nobody is accused */
	in.grower = "fault_http_retain";
	in.grower_bytes = 3e7;
	assert_verdict(ZB_VERDICT_LEAK, 1);
	assert_string_equal(v.found[0].function, "fault_http_retain");
	/* It does not explain a loss: what does comes first. */
	open_loop(2 * PKTS, PKTS);
	assert_verdict(ZB_VERDICT_OVERLOADED, 2);
	assert_int_equal(v.found[1].name, ZB_VERDICT_LEAK);
}

static void verdict_state_growth_names_the_kind(void **state)
{
	(void)state;
	growth.top = 1;
	growth.kind[1].trend = (struct zb_trend){true, 5e4, 4.9e4, 5.1e4, 9, 1e7, 600, 3e7};
	growth.cap_in_s = 4000;
	in.grower = "dns_ask";
	assert_verdict(ZB_VERDICT_STATE_GROWTH, 1);
	assert_string_equal(v.found[0].kind, "dns_bytes");
	assert_string_equal(v.found[0].function, "dns_ask");
	assert_int_equal(v.found[0].because_nr, 2);
	clean(NULL);
	growth.conn_state = ZB_GROWTH_NO_EXPIRY;
	growth.overdue = 5000;
	growth.overdue_ratio = 0.9;
	assert_verdict(ZB_VERDICT_STATE_GROWTH, 1);
	assert_string_equal(v.found[0].kind, "connections");
	assert_string_equal(v.found[0].stage, "expire");
}

static void verdict_uneven_load_needs_a_busy_worker(void **state)
{
	(void)state;
	in.lcore_nr = 4;
	in.own_share_max = 0.28;
	assert_verdict(ZB_VERDICT_KEEPING_UP, 1);
	in.own_share_max = 0.9;
	in.busiest_cpu = 3;
	assert_verdict(ZB_VERDICT_UNEVEN, 1);
	assert_non_null(strstr(v.found[0].because[0].what, "CPU 3"));
	open_loop(PKTS, 0); /* with time to spare nobody minds */
	in.seconds = 100;
	assert_verdict(ZB_VERDICT_KEEPING_UP, 1);
	in.lcore_nr = 1;
	in.own_share_max = 1;
	assert_verdict(ZB_VERDICT_KEEPING_UP, 1);
}

/* Too short, broken off: nothing is claimed, not even that it kept up. */
static void verdict_without_enough_is_undecided(void **state)
{
	(void)state;
	in.broken = true;
	growth.leak = ZB_GROWTH_LEAK;
	assert_verdict(ZB_VERDICT_UNDECIDED, 1);
	assert_true(v.found[0].confidence == 0);
	clean(NULL);
	sum.c[ZB_C_pkts_proc] = 100;
	assert_verdict(ZB_VERDICT_UNDECIDED, 1);
	clean(NULL);
	open_loop(PKTS, 100); /* too few to be overload, and nothing explains them */
	assert_verdict(ZB_VERDICT_UNDECIDED, 1);
	memset(&sum, 0, sizeof(sum));
	assert_verdict(ZB_VERDICT_UNDECIDED, 1);
}

static const char *text_at(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

/* What is written for scripts and for people says the same. */
static void verdict_is_written_whole(void **state)
{
	json_t *o = json_object(), *culprit, *other;
	char text[4096];
	FILE *f;

	(void)state;
	set_stage(ZB_STAGE_flow, 5000);
	strcpy(in.hot[ZB_STAGE_flow].name, "zb_flow_next");
	open_loop(2 * PKTS, PKTS);
	zb_verdict_judge(&in, &v);
	assert_int_equal(zb_verdict_json(&v, o), 0);
	assert_string_equal(text_at(o, "name"), "pathological-traffic");
	culprit = json_object_get(o, "culprit");
	assert_string_equal(text_at(culprit, "stage"), "flow");
	assert_true(json_is_null(json_object_get(culprit, "analyzer")));
	other = json_array_get(json_object_get(o, "also"), 0);
	assert_string_equal(text_at(other, "name"), "overloaded");
	assert_true(json_array_size(json_object_get(other, "because")) >= 2);
	json_decref(o);
	f = fmemopen(text, sizeof(text), "w");
	assert_non_null(f);
	zb_verdict_print(&v, f);
	fclose(f);
	assert_ptr_equal(strstr(text, "verdict  pathological-traffic, "), text);
	assert_non_null(strstr(text, "; also overloaded\n"));
	assert_non_null(strstr(text, "culprit  zb_flow_next(), stage flow\n"));
	assert_non_null(strstr(text, "because  stage flow costs"));
}

#define CASE(f) cmocka_unit_test_setup(f, clean)
int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(verdict_clean_closed_loop_keeps_up),
		CASE(verdict_clean_open_loop_keeps_up),
		CASE(verdict_drops_at_normal_cost_are_overload),
		CASE(verdict_lag_is_overload),
		CASE(verdict_drops_of_bursts_are_overload_in_bursts),
		CASE(verdict_drops_for_want_of_a_cpu_are_noise),
		CASE(verdict_noise_without_loss),
		CASE(verdict_dear_stage_is_pathological),
		CASE(verdict_short_excess_is_not),
		CASE(verdict_cost_that_is_explained_is_not),
		CASE(verdict_dear_analyzers_are_not_hidden_by_files),
		CASE(verdict_stolen_cycles_are_no_cost),
		CASE(verdict_of_a_slow_build_says_nothing_of_cost),
		CASE(verdict_waiting_for_logs_is_no_cost),
		CASE(verdict_dear_analyzer_is_pathological),
		CASE(verdict_amplification_is_pathological),
		CASE(verdict_leak_names_its_holder),
		CASE(verdict_state_growth_names_the_kind),
		CASE(verdict_uneven_load_needs_a_busy_worker),
		CASE(verdict_without_enough_is_undecided),
		CASE(verdict_is_written_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

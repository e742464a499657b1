/* SPDX-License-Identifier: Apache-2.0 */
/* test_result.c - result.json: what is in it, how it is written and read */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/gate.h"
#include "bench/options.h"
#include "bench/result.h"
#include "pipeline/registry.h"
#include "tests/unit/caught.h"

static const char *const streams[] = {"conn", NULL, "stats"};
static const char *const files[] = {"a.pcap", "b.pcap"};
static const char *const notes[] = {"disturbed"};
static char *arguments[] = {(char *)"zbench", (char *)"--pcap", (char *)"a\xff.pcap"};
static const struct zb_log_total logs[] = {
	{.rows_written = 30, .bytes_written = 3000},
	{0},
	{.rows_written = 4, .rows_failed = 2, .write_errno = ENOSPC}};
static const uint32_t analyzers[ZB_ANALYZERS_MAX] = {[ZB_A_http] = 2};
static const uint32_t analyzers_peak[ZB_ANALYZERS_MAX] = {[ZB_A_http] = 5};
static const struct zb_mem_track over_time = {
	.point = {{.s = 0.0123, .state_bytes = 44},
		  {.s = 0.25, .heap = {.resident = 3333}, .state_bytes = 55}},
	.nr = 2,
};
static const struct zb_heap_holder holders[] = {{"conn_create", 4096, 2, 0.75}};

static struct zb_result_lcore lcores[2];
static struct zb_result result;
static char folder[64], path[96];

/* n packets of 100 bytes at 1000 cycles each, over one second, none lost. */
static void fill_lcore(struct zb_result_lcore *l, unsigned lcore, uint64_t n)
{
	memset(l, 0, sizeof(*l));
	l->lcore = lcore;
	l->cpu = lcore + 2;
	l->stat.c[ZB_C_pkts_offered] = l->stat.c[ZB_C_pkts_link] = l->stat.c[ZB_C_pkts_proc] = n;
	l->stat.c[ZB_C_bytes_offered] = l->stat.c[ZB_C_bytes_link] = n * 100;
	l->stat.c[ZB_C_bytes_recv] = n * 100;
	l->stat.fate[ZB_FATE_conn] = n;
	l->stat.busy_cycles = n * 1000;
	l->stat.idle_cycles = n * 1000;
	l->stat.stage_cycles[ZB_STAGE_decode] = n * 400;
	l->stat.stage_cycles[ZB_STAGE_idle] = n * 1000;
	l->stat.log_rows[0] = 15;
	l->stat.g[ZB_G_conn_bytes] = 512;
	l->stat.first_tsc = 1000;
	l->stat.last_tsc = 1000 + 2000000000;
	l->has_arena = true;
	l->arena.allocated = 12345;
}

static int setup(void **state)
{
	(void)state;
	fill_lcore(&lcores[0], 0, 1000);
	fill_lcore(&lcores[1], 1, 3000);
	result = (struct zb_result){
		.argc = 3,
		.argv = arguments,
		.start_unix_ns = 1767225600123456789u,
		.wall_s = 1.5,
		.startup_s = 0.25,
		.load_s = 0.125,
		.tsc_hz = 2e9,
		.input = {.kind = "pcap",
			  .files = files,
			  .file_nr = 2,
			  .pkts = 4000,
			  .bytes = 400000,
			  .has_digest = true,
			  .digest = 0xabc,
			  .loops = 1,
			  .engine = "full",
			  .division = {.datagrams = 30, .orphans = 20, .shed = 10}},
		.lcores = lcores,
		.lcore_nr = 2,
		.stream_names = streams,
		.logs = logs,
		.stream_nr = 3,
		.rows_early = 7,
		.profile = {.hz = 99, .method = "perf cpu-clock", .samples = 200, .resolved = 150},
		.memory = {.peak_rss_bytes = 9000,
			   .heap_top = holders,
			   .heap_top_nr = 1,
			   .analyzers = analyzers,
			   .analyzers_peak = analyzers_peak,
			   .over_time = &over_time},
		.notes = notes,
		.note_nr = 1,
	};
	snprintf(folder, sizeof(folder), "/tmp/zb_test_result.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/result.json", folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder); /* fails when something else was left behind */
}

/* The value at a dotted path; the test fails when there is none. */
static const json_t *at(const json_t *doc, const char *where)
{
	char copy[128];

	snprintf(copy, sizeof(copy), "%s", where);
	for (char *part = strtok(copy, "."); part != NULL; part = strtok(NULL, ".")) {
		doc = json_is_array(doc) ? json_array_get(doc, (size_t)atoi(part))
					 : json_object_get(doc, part);
		if (doc == NULL)
			fail_msg("%s: no %s", where, part);
	}
	return doc;
}

static void assert_number(const json_t *doc, const char *where, double want)
{
	double is = json_number_value(at(doc, where));

	if (!json_is_number(at(doc, where)) || is != want)
		fail_msg("%s: %.12g, not %.12g", where, is, want);
}

static void assert_text(const json_t *doc, const char *where, const char *want)
{
	assert_true(json_is_string(at(doc, where)));
	assert_string_equal(json_string_value(at(doc, where)), want);
}

/* Sums, rates and ratios follow from the lcores' counters. */
static void result_figures_follow_from_the_counters(void **state)
{
	json_t *doc = zb_result_json(&result);

	(void)state;
	assert_non_null(doc);
	assert_number(doc, "schema", 1);
	assert_number(doc, "totals.pkts_proc", 4000);
	assert_number(doc, "totals.bytes_recv", 400000);
	assert_number(doc, "totals.duration_s", 1);
	assert_number(doc, "totals.pps", 4000);
	assert_number(doc, "totals.bps", 3200000);
	assert_number(doc, "totals.cycles_per_pkt", 1000);
	assert_number(doc, "totals.busy_ratio", 0.5);
	assert_number(doc, "totals.cycles_per_pkt_by_stage.decode", 400);
	assert_null(json_object_get(at(doc, "totals.cycles_per_pkt_by_stage"), "idle"));
	assert_number(doc, "totals.residual_pkts", 0);
	assert_number(doc, "totals.fates.conn", 4000);
	assert_number(doc, "totals.gauges.conn_bytes", 1024);
	assert_number(doc, "totals.log_rows.conn", 30);
	assert_number(doc, "totals.log_rows_failed", 2);
	assert_number(doc, "lcores.1.pps", 3000);
	assert_number(doc, "lcores.1.cpu", 3);
	assert_number(doc, "lcores.0.log_rows.conn", 15);
	assert_number(doc, "profile.resolved_ratio", 0.75);
	assert_number(doc, "memory.state.conn_bytes", 1024);
	assert_number(doc, "memory.arenas.1.allocated", 12345);
	assert_text(doc, "memory.heap_top.0.function", "conn_create");
	assert_number(doc, "memory.analyzers.http.active", 2);
	assert_number(doc, "memory.analyzers.http.active_peak", 5);
	assert_number(doc, "memory.analyzers.http.bytes_peak",
		      5 * (double)zb_registry_def(ZB_A_http)->state_bytes);
	assert_int_equal(json_object_size(at(doc, "memory.analyzers")), 1);
	assert_number(doc, "memory.over_time.s.1", 0.25);
	assert_number(doc, "memory.over_time.resident.1", 3333);
	assert_number(doc, "memory.over_time.state.0", 44);
	assert_int_equal(json_array_size(at(doc, "memory.over_time.conns")), 2);
	assert_text(doc, "logs.stats.error", strerror(ENOSPC));
	assert_text(doc, "start", "2026-01-01T00:00:00.123Z");
	assert_text(doc, "command.2", "a\\xff.pcap");
	assert_text(doc, "input.digest", "0000000000000abc");
	assert_text(doc, "verdict.status", "complete");
	assert_true(json_is_true(at(doc, "verdict.law_holds")));
	json_decref(doc);
}

/* A run without a packet has figures of 0, not of infinity. */
static void result_empty_run_has_zero_rates(void **state)
{
	json_t *doc;

	(void)state;
	result.lcore_nr = 0;
	result.logs = NULL;
	doc = zb_result_json(&result);
	assert_non_null(doc);
	assert_number(doc, "totals.pps", 0);
	assert_number(doc, "totals.cycles_per_pkt", 0);
	assert_number(doc, "totals.busy_ratio", 0);
	assert_null(json_object_get(at(doc, "totals"), "log_rows_failed"));
	json_decref(doc);
}

/* What one lcore lost does not cancel what another has too much; queued packets are no leak. */
static void result_residuals_do_not_cancel(void **state)
{
	json_t *doc;

	(void)state;
	assert_true(zb_result_law_holds(&result));
	lcores[0].stat.c[ZB_C_pkts_link] += 5;
	lcores[0].stat.c[ZB_C_pkts_offered] += 5;
	lcores[1].stat.c[ZB_C_pkts_link] -= 5;
	lcores[1].stat.c[ZB_C_pkts_offered] -= 5;
	assert_false(zb_result_law_holds(&result));
	doc = zb_result_json(&result);
	assert_number(doc, "totals.residual_pkts", 10);
	assert_number(doc, "lcores.0.residual_pkts", 5);
	assert_true(json_is_false(at(doc, "verdict.law_holds")));
	json_decref(doc);

	fill_lcore(&lcores[1], 1, 3000);
	lcores[0].queued_pkts = 5;
	assert_true(zb_result_law_holds(&result));
	doc = zb_result_json(&result);
	assert_number(doc, "totals.residual_pkts", 0);
	assert_number(doc, "totals.pkts_queued", 5);
	json_decref(doc);
}

/* What is written is read back the same, by file and by folder, and passes the gate against itself.
 */
static void result_written_file_is_read_back(void **state)
{
	struct zb_gate_side old_side = {.name = "OLD"}, new_side = {.name = "NEW"};
	json_t *doc = zb_result_json(&result), *by_file = NULL, *by_folder = NULL;
	char out[128] = "";
	FILE *f = fmemopen(out, sizeof(out), "w");

	(void)state;
	assert_non_null(f);
	assert_int_equal(zb_result_write(&result, path), 0);
	assert_int_equal(zb_result_write(&result, path), 0); /* over the old one */
	assert_int_equal(zb_result_read(path, &by_file), 0);
	assert_int_equal(zb_result_read(folder, &by_folder), 0);
	assert_true(json_equal(doc, by_file));
	assert_true(json_equal(doc, by_folder));
	old_side.doc = by_file;
	new_side.doc = by_folder;
	assert_int_equal(zb_gate_compare(&old_side, &new_side, NULL, 0, f), ZB_EXIT_OK);
	fclose(f);
	assert_string_equal(out, "gate: passed, no metric moved\n");
	json_decref(by_folder);
	json_decref(by_file);
	json_decref(doc);
}

/* A result that cannot be written is said with its path; nothing is left behind. */
static void result_unwritable_path_is_said(void **state)
{
	struct caught caught;
	char bad[128], whole[256];
	int ret;

	(void)state;
	snprintf(bad, sizeof(bad), "%s/none/result.json", folder);
	catch_fd(&caught, STDERR_FILENO);
	ret = zb_result_write(&result, bad);
	release_fd(&caught);
	assert_int_equal(ret, -ENOENT);
	snprintf(whole, sizeof(whole), "zbench: %s: cannot write the result: %s\n", bad,
		 strerror(ENOENT));
	assert_string_equal(caught.text, whole);

	/* rename() over a folder fails after the new file was written. */
	assert_int_equal(mkdir(path, 0700), 0);
	catch_fd(&caught, STDERR_FILENO);
	ret = zb_result_write(&result, path);
	release_fd(&caught);
	assert_int_equal(ret, -EISDIR);
	assert_int_equal(rmdir(path), 0);
}

/* Files that are missing, cut, or hold a name twice are refused with the place. */
static void result_unreadable_files_are_said(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{"", "line 1: not JSON"},
		{"{\n\"schema\": 1,\n\"totals\": {", "line 3: not JSON"},
		{"{\"schema\": 1, \"schema\": 1}", "line 1: not JSON: duplicate object key"},
		{"[1]", "not a result of zbench: no JSON object"},
	};
	json_t *doc = NULL;
	struct caught caught;
	int ret;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		FILE *f = fopen(path, "w");

		assert_non_null(f);
		fputs(cases[i].text, f);
		fclose(f);
		catch_fd(&caught, STDERR_FILENO);
		ret = zb_result_read(path, &doc);
		release_fd(&caught);
		assert_int_equal(ret, -EINVAL);
		assert_null(doc);
		assert_non_null(strstr(caught.text, path));
		assert_non_null(strstr(caught.text, cases[i].said));
	}
	unlink(path);
	catch_fd(&caught, STDERR_FILENO);
	ret = zb_result_read(path, &doc);
	release_fd(&caught);
	assert_int_equal(ret, -ENOENT);
	assert_non_null(strstr(caught.text, strerror(ENOENT)));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(result_figures_follow_from_the_counters),
		TEST(result_empty_run_has_zero_rates),
		TEST(result_residuals_do_not_cancel),
		TEST(result_written_file_is_read_back),
		TEST(result_unwritable_path_is_said),
		TEST(result_unreadable_files_are_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

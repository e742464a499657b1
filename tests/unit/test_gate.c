/* SPDX-License-Identifier: Apache-2.0 */
/* test_gate.c - the gate: rules, metrics, what is refused, what is said */
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

#include "bench/gate.h"
#include "bench/options.h"
#include "bench/result.h"
#include "tests/unit/caught.h"

static const char base[] =
	"{'schema': 1, 'zbench': '0.1.0', 'wall_s': 1.5, 'host': {'cpu_model': 'CPU A'},"
	" 'input': {'kind': 'pcap', 'files': ['a.pcap'], 'pkts': 1000, 'bytes': 500000,"
	"  'digest': '00000000deadbeef', 'loops': 1, 'count': 0, 'duration_s': 0.0,"
	"  'rate': 'max', 'filter': null, 'tap': null,"
	"  'engine': 'full', 'same_flows': false, 'ignore_checksums': false},"
	" 'totals': {'pkts_proc': 1000, 'bytes_recv': 500000, 'pkts_dropped': 10,"
	"  'log_rows_lost': 2, 'residual_pkts': 0, 'residual_bytes': 0, 'pps': 4000000.0,"
	"  'cycles_per_pkt': 500.5, 'tcp_conns': 0, 'log_rows': {'conn': 100},"
	"  'cycles_per_pkt_by_stage': {'decode': 100.0, 'flow': 50.0}},"
	" 'lcores': [{'lcore': 0, 'pps': 4000000.0, 'cycles_per_pkt': 500.5}],"
	" 'memory': {'peak_rss_bytes': 1000000, 'rss_bytes': 900000},"
	" 'verdict': {'status': 'complete', 'law_holds': true, 'notes': []}}";

/* Both sides of a comparison and what it wrote. */
struct fixture {
	json_t *old_doc, *new_doc;
	struct zb_gate_rule rules[ZB_GATE_RULES_MAX];
	unsigned rule_nr;
	char out[4096];
	char said[8192];
};
static struct fixture fx;

static json_t *parse_quoted(const char *quoted)
{
	char *text = strdup(quoted);
	json_error_t err;
	json_t *doc;

	assert_non_null(text);
	for (char *c = text; *c != '\0'; c++)
		*c = *c == '\'' ? '"' : *c;
	doc = json_loads(text, JSON_DECODE_ANY, &err);
	free(text);
	if (doc == NULL)
		fail_msg("%s: %s", quoted, err.text);
	return doc;
}

static int setup(void **state)
{
	(void)state;
	memset(&fx, 0, sizeof(fx));
	fx.old_doc = parse_quoted(base);
	fx.new_doc = parse_quoted(base);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	json_decref(fx.old_doc);
	json_decref(fx.new_doc);
	return 0;
}

/* Sets the member at a path of one or two names to a value; NULL removes it. */
static void edit(json_t *doc, const char *object, const char *name, const char *value)
{
	json_t *o = object != NULL ? json_object_get(doc, object) : doc;

	assert_non_null(o);
	if (value != NULL)
		assert_int_equal(json_object_set_new(o, name, parse_quoted(value)), 0);
	else
		assert_int_equal(json_object_del(o, name), 0);
}

static void new_total(const char *name, const char *value)
{
	edit(fx.new_doc, "totals", name, value);
}

static void allow(const char *rule)
{
	assert_int_equal(zb_gate_rule_parse(rule, &fx.rules[fx.rule_nr++]), 0);
}

static int compare(void)
{
	struct zb_gate_side old_side = {.name = "OLD", .doc = fx.old_doc};
	struct zb_gate_side new_side = {.name = "NEW", .doc = fx.new_doc};
	FILE *out = fmemopen(fx.out, sizeof(fx.out), "w");
	struct caught caught;
	int status;

	assert_non_null(out);
	memset(fx.out, 0, sizeof(fx.out));
	catch_fd(&caught, STDERR_FILENO);
	status = zb_gate_compare(&old_side, &new_side, fx.rules, fx.rule_nr, out);
	release_fd(&caught);
	fclose(out);
	memcpy(fx.said, caught.text, sizeof(fx.said));
	return status;
}

static void assert_outcome(int status, const char *out)
{
	assert_int_equal(compare(), status);
	assert_string_equal(fx.said, "");
	assert_string_equal(fx.out, out);
}

/* Refused: exit 2, one line on stderr, nothing on stdout. */
static void assert_refused(const char *message)
{
	char whole[1024];

	assert_int_equal(compare(), ZB_EXIT_USAGE);
	assert_string_equal(fx.out, "");
	snprintf(whole, sizeof(whole), "zbench: %s\n", message);
	assert_string_equal(fx.said, whole);
}

/* Equal results pass, in silence but for the last line. */
static void gate_equal_results_pass(void **state)
{
	(void)state;
	assert_outcome(ZB_EXIT_OK, "gate: passed, no metric moved\n");
	allow("pps:±5%");
	allow("mem:+0");
	assert_outcome(ZB_EXIT_OK, "gate: passed, no metric moved\n");
}

/* Without rules: less work, more drops, more lost rows each fail. */
static void gate_default_rules_catch_regressions(void **state)
{
	(void)state;
	new_total("bytes_recv", "484750");
	new_total("pkts_proc", "999");
	new_total("pkts_dropped", "11");
	new_total("log_rows_lost", "3");
	assert_outcome(ZB_EXIT_FAILED, "FAIL bytes_recv 500000 -> 484750 (-3.05 %): may not fall\n"
				       "FAIL pkts_proc 1000 -> 999 (-0.10 %): may not fall\n"
				       "FAIL pkts_dropped 10 -> 11 (+10.00 %): may not rise\n"
				       "FAIL log_rows_lost 2 -> 3 (+50.00 %): may not rise\n"
				       "gate: FAILED, 4 metrics out of bounds, 4 metrics moved\n");
}

/* Without rules: improvements pass, and what no rule is about is only shown. */
static void gate_default_rules_let_improvements_pass(void **state)
{
	(void)state;
	new_total("bytes_recv", "500001");
	new_total("pkts_dropped", "0");
	new_total("pps", "1000000.0");
	new_total("tcp_conns", "7");
	assert_outcome(ZB_EXIT_OK, "ok   bytes_recv 500000 -> 500001 (+0.0002 %): may not fall\n"
				   "ok   pkts_dropped 10 -> 0 (-100 %): may not rise\n"
				   "info pps 4000000 -> 1000000 (-75.00 %): no rule\n"
				   "info tcp_conns 0 -> 7 (from 0): no rule\n"
				   "gate: passed, 4 metrics moved\n");
}

/* A residual fails although the old result has the same: the law holds or it does not. */
static void gate_residual_fails_even_unmoved(void **state)
{
	(void)state;
	edit(fx.old_doc, "totals", "residual_pkts", "1");
	new_total("residual_pkts", "1");
	assert_outcome(ZB_EXIT_FAILED, "FAIL residual_pkts 1 -> 1: must be 0\n"
				       "gate: FAILED, 1 metric out of bounds, no metric moved\n");
}

/* Rows that a log writer could not write count as lost; a result without logs has none. */
static void gate_failed_rows_fail_even_without_baseline(void **state)
{
	(void)state;
	new_total("log_rows_failed", "0");
	assert_int_equal(compare(), ZB_EXIT_OK);
	new_total("log_rows_failed", "5");
	assert_int_equal(compare(), ZB_EXIT_FAILED);
	assert_non_null(strstr(fx.out, "FAIL log_rows_failed (none) -> 5: may not rise\n"));
}

struct bound_case {
	const char *rule;
	const char *value; /* of pkts_proc, which was 1000 */
	int status;
};

/* Each way to write a bound holds in its directions, and the bound itself is allowed. */
static void gate_bounds_hold_in_their_directions(void **state)
{
	static const struct bound_case cases[] = {
		{"pkts_proc:±5%", "950", ZB_EXIT_OK},
		{"pkts_proc:±5%", "949", ZB_EXIT_FAILED},
		{"pkts_proc:±5%", "1050", ZB_EXIT_OK},
		{"pkts_proc:±5%", "1051", ZB_EXIT_FAILED},
		{"pkts_proc:5%", "950", ZB_EXIT_OK},
		{"pkts_proc:5%", "1051", ZB_EXIT_FAILED},
		{"pkts_proc:+-5%", "1050", ZB_EXIT_OK},
		{"pkts_proc:+/-5 %", "950", ZB_EXIT_OK},
		{"pkts_proc:+5%", "1050", ZB_EXIT_OK},
		{"pkts_proc:+5%", "1051", ZB_EXIT_FAILED},
		{"pkts_proc:+5%", "1", ZB_EXIT_OK},
		{"pkts_proc:-5%", "950", ZB_EXIT_OK},
		{"pkts_proc:-5%", "949", ZB_EXIT_FAILED},
		{"pkts_proc:-5%", "9999", ZB_EXIT_OK},
		{"pkts_proc:3", "997", ZB_EXIT_OK},
		{"pkts_proc:3", "1003", ZB_EXIT_OK},
		{"pkts_proc:3", "996", ZB_EXIT_FAILED},
		{"pkts_proc:+3", "1003", ZB_EXIT_OK},
		{"pkts_proc:+3", "1004", ZB_EXIT_FAILED},
		{"pkts_proc:-3", "997", ZB_EXIT_OK},
		{"pkts_proc:-3", "1001", ZB_EXIT_OK},
		{"pkts_proc:0", "1001", ZB_EXIT_FAILED},
		{"pkts_proc:0%", "1000", ZB_EXIT_OK},
		{"pkts_proc:0.1%", "1001", ZB_EXIT_OK},
		{"totals.pkts_proc:50%", "600", ZB_EXIT_OK}, /* replaces the default for pkts_proc
							      */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fx.rule_nr = 0;
		allow(cases[i].rule);
		new_total("pkts_proc", cases[i].value);
		if (compare() != cases[i].status)
			fail_msg("%s with %s: not %d: %s", cases[i].rule, cases[i].value,
				 cases[i].status, fx.out);
	}
}

/* A share of nothing is nothing: from 0, only an absolute bound lets a metric grow. */
static void gate_percent_from_zero_fails(void **state)
{
	(void)state;
	new_total("tcp_conns", "1");
	allow("tcp_conns:±900%");
	assert_outcome(ZB_EXIT_FAILED, "FAIL tcp_conns 0 -> 1 (from 0): not within ±900 %\n"
				       "gate: FAILED, 1 metric out of bounds, 1 metric moved\n");
	fx.rule_nr = 0;
	allow("tcp_conns:+1");
	assert_outcome(ZB_EXIT_OK, "ok   tcp_conns 0 -> 1 (from 0): within +1\n"
				   "gate: passed, 1 metric moved\n");
}

/* Counters beyond 2^53 are compared exactly. */
static void gate_large_counters_compare_exactly(void **state)
{
	(void)state;
	edit(fx.old_doc, "totals", "bytes_recv", "9007199254740993");
	new_total("bytes_recv", "9007199254740992");
	assert_int_equal(compare(), ZB_EXIT_FAILED);
	assert_non_null(strstr(fx.out, "FAIL bytes_recv 9007199254740993 -> 9007199254740992 "));
}

/* Metrics are found by name, by path from the root, by path in totals, and by the short name mem.
 */
static void gate_metrics_are_found_by_every_path(void **state)
{
	json_t *lcore = json_array_get(json_object_get(fx.new_doc, "lcores"), 0);

	(void)state;
	edit(lcore, NULL, "cycles_per_pkt", "600.6");
	edit(json_object_get(fx.new_doc, "totals"), "log_rows", "conn", "99");
	edit(json_object_get(fx.new_doc, "totals"), "cycles_per_pkt_by_stage", "decode", "104.0");
	edit(fx.new_doc, "memory", "peak_rss_bytes", "1200000");
	edit(fx.new_doc, NULL, "wall_s", "1.25");
	allow("lcores.0.cycles_per_pkt:10%");
	allow("log_rows.conn:0");
	allow("totals.cycles_per_pkt_by_stage.decode:±5%");
	allow("mem:+10%");
	allow("wall_s:20%");
	assert_outcome(
		ZB_EXIT_FAILED,
		"FAIL lcores.0.cycles_per_pkt 500.5 -> 600.6 (+20.00 %): not within ±10 %\n"
		"FAIL log_rows.conn 100 -> 99 (-1.00 %): not within ±0\n"
		"ok   totals.cycles_per_pkt_by_stage.decode 100 -> 104 (+4.00 %): within ±5 %\n"
		"FAIL mem 1000000 -> 1200000 (+20.00 %): not within +10 %\n"
		"ok   wall_s 1.5 -> 1.25 (-16.67 %): within ±20 %\n"
		"gate: FAILED, 3 metrics out of bounds, 5 metrics moved\n");
}

/* An unknown metric is refused with near names. */
static void gate_unknown_metric_names_near_ones(void **state)
{
	(void)state;
	allow("pkts_dorpped:+3");
	assert_refused(
		"--allow pkts_dorpped: no such metric in OLD or NEW; near names: pkts_dropped");
	fx.rule_nr = 0;
	allow("peak_rss:+3");
	assert_refused("--allow peak_rss: no such metric in OLD or NEW; near names: "
		       "memory.peak_rss_bytes");
	fx.rule_nr = 0;
	allow("log_rows.con:+3");
	assert_refused("--allow log_rows.con: no such metric in OLD or NEW; near names: "
		       "log_rows.conn, log_rows_lost");
	fx.rule_nr = 0;
	allow("happiness:+3");
	assert_refused(
		"--allow happiness: no such metric in OLD or NEW; give a name in totals, or a "
		"path as memory.rss_bytes");
	fx.rule_nr = 0;
	allow("lcores.9999999.pps:1");
	assert_int_equal(compare(), ZB_EXIT_USAGE);
}

/* What is no number cannot be gated, and two rules for one metric contradict each other. */
static void gate_senseless_rules_are_refused(void **state)
{
	(void)state;
	allow("log_rows:+3");
	assert_refused("--allow log_rows: not a number; give a metric that is one");
	fx.rule_nr = 0;
	allow("mem:+3");
	allow("memory.peak_rss_bytes:+4");
	assert_refused("--allow memory.peak_rss_bytes: given twice; give one rule for "
		       "memory.peak_rss_bytes");
}

/* A metric that only one result has fails its rule. */
static void gate_metric_in_one_result_fails(void **state)
{
	(void)state;
	new_total("pps", NULL);
	new_total("fresh", "3");
	allow("pps:5%");
	allow("fresh:5");
	assert_outcome(ZB_EXIT_FAILED, "FAIL pps 4000000 -> (none): only the old result has it\n"
				       "FAIL fresh (none) -> 3: only the new result has it\n"
				       "gate: FAILED, 2 metrics out of bounds, 2 metrics moved\n");
}

/* Another number of lcores is noted; figures per lcore fail, totals are compared. */
static void gate_other_core_count_fails_lcore_paths(void **state)
{
	json_t *lcores = json_object_get(fx.new_doc, "lcores");

	(void)state;
	assert_int_equal(json_array_append_new(lcores, parse_quoted("{'lcore': 1, 'pps': 3.5}")),
			 0);
	assert_outcome(ZB_EXIT_OK, "note lcores 1 -> 2: figures per lcore cannot be compared\n"
				   "gate: passed, no metric moved\n");
	allow("lcores.0.pps:5%");
	allow("lcores.1.pps:5%");
	assert_outcome(ZB_EXIT_FAILED,
		       "note lcores 1 -> 2: figures per lcore cannot be compared\n"
		       "FAIL lcores.0.pps 4000000 -> 4000000: results of 1 and 2 lcores\n"
		       "FAIL lcores.1.pps (none) -> 3.5: only the new result has it\n"
		       "gate: FAILED, 2 metrics out of bounds, 1 metric moved\n");
}

/* Another machine is noted, since times mean nothing then. */
static void gate_other_host_is_noted(void **state)
{
	(void)state;
	edit(fx.new_doc, "host", "cpu_model", "'CPU B'");
	assert_outcome(ZB_EXIT_OK, "note host CPU A -> CPU B: times and rates cannot be compared\n"
				   "gate: passed, no metric moved\n");
}

/* Results of other input or options are refused, naming all that differs; moved files are not. */
static void gate_other_work_is_refused(void **state)
{
	static const char *const changes[][3] = {
		{"digest", "'1'", "digest 00000000deadbeef -> 1"},
		{"pkts", "999", "pkts 1000 -> 999"},
		{"bytes", "1", "bytes 500000 -> 1"},
		{"loops", "2", "loops 1 -> 2"},
		{"count", "10", "count 0 -> 10"},
		{"duration_s", "2.5", "duration_s 0 -> 2.5"},
		{"engine", "'touch'", "engine full -> touch"},
		{"same_flows", "true", "same_flows false -> true"},
		{"ignore_checksums", "true", "ignore_checksums false -> true"},
		{"kind", "'synth'", "kind pcap -> synth"},
		{"digest", "null", "digest 00000000deadbeef -> (none)"},
		{"rate", "'1Mpps'", "rate max -> 1Mpps"},
		{"filter", "'tcp'", "filter (none) -> tcp"},
		{"tap", "'loss=1%'", "tap (none) -> loss=1%"},
	};
	char message[256];

	(void)state;
	edit(fx.new_doc, "input", "files", "['b.pcap']");
	edit(fx.new_doc, "input", "duration_s", "0");
	edit(fx.new_doc, "input", "rx_desc", "4096"); /* which the old one does not know of */
	assert_int_equal(compare(), ZB_EXIT_OK);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		json_t *kept = json_deep_copy(fx.new_doc);

		edit(fx.new_doc, "input", changes[i][0], changes[i][1]);
		snprintf(message, sizeof(message),
			 "NEW: not the same work as OLD: %s; compare runs of one input with the "
			 "same options",
			 changes[i][2]);
		assert_refused(message);
		json_decref(fx.new_doc);
		fx.new_doc = kept;
	}
	edit(fx.new_doc, "input", "pkts", "999");
	edit(fx.new_doc, "input", "loops", "2");
	assert_refused("NEW: not the same work as OLD: pkts 1000 -> 999, loops 1 -> 2; compare "
		       "runs of one "
		       "input with the same options");
}

/* A run that did not end by itself cannot be compared, on either side. */
static void gate_incomplete_run_is_refused(void **state)
{
	(void)state;
	edit(fx.old_doc, "verdict", "status", "'interrupted'");
	assert_refused("OLD: the run is interrupted; the gate compares complete runs only");
	edit(fx.old_doc, "verdict", "status", "'complete'");
	edit(fx.new_doc, "verdict", "status", "'broken'");
	assert_refused("NEW: the run is broken; the gate compares complete runs only");
}

/* A result without the figures that every gate needs is refused. */
static void gate_missing_totals_are_refused(void **state)
{
	(void)state;
	new_total("bytes_recv", NULL);
	assert_refused("NEW: totals.bytes_recv: missing or not a number");
	new_total("bytes_recv", "'many'");
	assert_refused("NEW: totals.bytes_recv: missing or not a number");
}

/* What is not a rule is refused. */
static void gate_rule_parse_bad_text_is_refused(void **state)
{
	static const char *const bad[] = {"pps",       "pps:",	  ":5%",       "pps:x",
					  "pps:%",     "pps:±",	  "pps:±x%",   "pps:5%%",
					  "pps:--5",   "pps:1e3", "pps:inf",   "pps:nan",
					  "pps:5 k",   "pps:.",	  "pps:1.2.3", "pps:+-+5%",
					  "pps:±5%±3", ""};
	char long_name[ZB_GATE_METRIC_MAX + 8], whole[512];
	struct zb_gate_rule rule;
	struct caught caught;
	int ret;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		catch_fd(&caught, STDERR_FILENO);
		ret = zb_gate_rule_parse(bad[i], &rule);
		release_fd(&caught);
		assert_int_equal(ret, -EINVAL);
		snprintf(whole, sizeof(whole),
			 "zbench: --allow %s: not a rule; give METRIC:±N%% or METRIC:±N, with + or "
			 "- for one "
			 "direction, as pps:±5%%\n",
			 bad[i]);
		assert_string_equal(caught.text, whole);
	}
	memset(long_name, 'm', sizeof(long_name));
	snprintf(long_name + ZB_GATE_METRIC_MAX, 8, ":5%%");
	catch_fd(&caught, STDERR_FILENO);
	ret = zb_gate_rule_parse(long_name, &rule);
	release_fd(&caught);
	assert_int_equal(ret, -EINVAL);
}

/* The parts of a document that a reader relies on are checked, one line each. */
static void gate_result_check_refuses_what_is_no_result(void **state)
{
	static const char *const cases[][3] = {
		{"schema", NULL, "X: not a result of zbench: no schema number"},
		{"schema", "2",
		 "X: schema 2: this zbench reads schema 1; write it anew with this version"},
		{"schema", "'1'", "X: not a result of zbench: no schema number"},
		{"totals", NULL, "X: not a result of zbench: no object totals"},
		{"totals", "[]", "X: not a result of zbench: no object totals"},
		{"lcores", "{}", "X: not a result of zbench: no array lcores"},
		{"input", "3", "X: not a result of zbench: no object input"},
		{"verdict", "{}", "X: not a result of zbench: no verdict.status"},
	};
	char whole[256];

	(void)state;
	assert_int_equal(zb_result_check("X", fx.old_doc), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *doc = json_deep_copy(fx.old_doc);
		struct caught caught;
		int ret;

		edit(doc, NULL, cases[i][0], cases[i][1]);
		catch_fd(&caught, STDERR_FILENO);
		ret = zb_result_check("X", doc);
		release_fd(&caught);
		json_decref(doc);
		assert_int_equal(ret, -EINVAL);
		snprintf(whole, sizeof(whole), "zbench: %s\n", cases[i][2]);
		assert_string_equal(caught.text, whole);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(gate_equal_results_pass),
		TEST(gate_default_rules_catch_regressions),
		TEST(gate_default_rules_let_improvements_pass),
		TEST(gate_residual_fails_even_unmoved),
		TEST(gate_failed_rows_fail_even_without_baseline),
		TEST(gate_bounds_hold_in_their_directions),
		TEST(gate_percent_from_zero_fails),
		TEST(gate_large_counters_compare_exactly),
		TEST(gate_metrics_are_found_by_every_path),
		TEST(gate_unknown_metric_names_near_ones),
		TEST(gate_senseless_rules_are_refused),
		TEST(gate_metric_in_one_result_fails),
		TEST(gate_other_core_count_fails_lcore_paths),
		TEST(gate_other_host_is_noted),
		TEST(gate_other_work_is_refused),
		TEST(gate_incomplete_run_is_refused),
		TEST(gate_missing_totals_are_refused),
		TEST(gate_rule_parse_bad_text_is_refused),
		TEST(gate_result_check_refuses_what_is_no_result),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

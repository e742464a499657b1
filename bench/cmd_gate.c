/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_gate.c - zbench gate: fails a build when a result is worse than its baseline
 */
#include <jansson.h>

#include "bench/gate.h"
#include "bench/options.h"
#include "bench/result.h"
#include "profiler/diag.h"

struct gate_conf {
	const char *baseline;
	struct zb_opt_list allow;
};

static const struct zb_opt opts[] = {
	{
		.name = "baseline",
		.type = ZB_OPT_STRING,
		.arg = "OLD",
		.help = "the result.json, or run folder, to compare with",
		.offset = offsetof(struct gate_conf, baseline),
	},
	{
		.name = "allow",
		.type = ZB_OPT_EACH,
		.arg = "METRIC:BOUND",
		.help = "let METRIC move by BOUND and no further: ±5%, ±300 (or plain 5%, +-5%) "
			"either way; +5% minds only growth, -5% only a fall; in place of its "
			"default rule; may be repeated",
		.offset = offsetof(struct gate_conf, allow),
	},
};

static int load_rules(const struct zb_opt_list *allow, struct zb_gate_rule *rules)
{
	for (unsigned i = 0; i < allow->nr; i++) {
		int ret = zb_gate_rule_parse(allow->v[i], &rules[i]);

		if (ret < 0)
			return ret;
	}
	return 0;
}

static int run(const void *conf, const char *const *args, unsigned arg_nr, int argc, char **argv)
{
	static struct zb_gate_rule rules[ZB_GATE_RULES_MAX];
	const struct gate_conf *c = conf;
	json_t *old_doc = NULL, *new_doc = NULL;
	int status = ZB_EXIT_USAGE;

	(void)argc;
	(void)argv;
	if (c->baseline == NULL) {
		zb_err("--baseline: missing; give the result.json to compare with");
		return ZB_EXIT_USAGE;
	}
	if (arg_nr != 1) {
		zb_err("gate: %u results to check; give one: zbench gate --baseline OLD NEW",
		       arg_nr);
		return ZB_EXIT_USAGE;
	}
	if (load_rules(&c->allow, rules) < 0 || zb_result_read(c->baseline, &old_doc) < 0)
		return ZB_EXIT_USAGE;
	if (zb_result_read(args[0], &new_doc) == 0) {
		struct zb_gate_side old_side = {.name = c->baseline, .doc = old_doc};
		struct zb_gate_side new_side = {.name = args[0], .doc = new_doc};

		status = zb_gate_compare(&old_side, &new_side, rules, c->allow.nr, stdout);
		json_decref(new_doc);
	}
	json_decref(old_doc);
	return status;
}

const struct zb_command zb_cmd_gate = {
	.name = "gate",
	.usage = "zbench gate --baseline OLD NEW [--allow METRIC:BOUND]...",
	.summary = "compare a result with a baseline and fail the build on a regression",
	.opts = opts,
	.opt_nr = sizeof(opts) / sizeof(opts[0]),
	.args = "NEW",
	.examples = "zbench gate --baseline main/result.json zbench-out/latest/result.json\n"
		    "zbench gate --baseline main new --allow pps:±5% --allow mem:+10%\n"
		    "\n"
		    "In CI (GitHub Actions), with a baseline kept in the repository:\n"
		    "  - run: zbench --pcap tests/mix.pcap --cores 0 --out new\n"
		    "  - run: zbench gate --baseline ci/result.json new --allow pps:±10%\n"
		    "\n"
		    "Without --allow: bytes_recv and pkts_proc may not fall; pkts_dropped,\n"
		    "log_rows_lost and log_rows_failed may not rise; residual_pkts and\n"
		    "residual_bytes must be 0.\n"
		    "METRIC is a name in totals, or a path: lcores.0.cycles_per_pkt,\n"
		    "memory.rss_bytes, log_rows.conn, cycles_per_pkt_by_stage.decode;\n"
		    "mem stands for memory.peak_rss_bytes.\n"
		    "Exit status: 0 passed; 1 failed; 2 cannot be compared: other input or\n"
		    "options, interrupted run, unknown metric.",
	.conf_size = sizeof(struct gate_conf),
	.run = run,
};

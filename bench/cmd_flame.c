/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_flame.c - zbench flame: pictures and exports of where the CPU time of a run went
 */
#include <errno.h>
#include <stdlib.h>

#include "bench/flame_out.h"
#include "bench/options.h"
#include "profiler/diag.h"

struct flame_conf {
	int format;
	double from_s, to_s;
	uint64_t lcore;
	bool off_cpu, diff;
	const char *out;
};

static const struct zb_opt opts[] = {
	{
		.name = "format",
		.type = ZB_OPT_CHOICE,
		.def = "svg",
		.choices = zb_flame_format_name,
		.help = "flame graph; the same with the root on top; folded stacks; text as perf "
			"script prints it; profile.proto for pprof; JSON for speedscope; page with "
			"a heat map",
		.offset = offsetof(struct flame_conf, format),
	},
	{
		.name = "diff",
		.type = ZB_OPT_FLAG,
		.help = "a picture of what changed from the first source to the second: red "
			"frames have a larger share of the time now, blue ones a smaller one",
		.offset = offsetof(struct flame_conf, diff),
	},
	{
		.name = "from",
		.type = ZB_OPT_SECONDS,
		.arg = "S",
		.def = "0",
		.help = "samples from S seconds after the beginning on",
		.offset = offsetof(struct flame_conf, from_s),
	},
	{
		.name = "to",
		.type = ZB_OPT_SECONDS,
		.arg = "S",
		.help = "and before S",
		.offset = offsetof(struct flame_conf, to_s),
	},
	{
		.name = "lcore",
		.type = ZB_OPT_U64,
		.arg = "N",
		.max = 65535,
		.help = "samples of the worker on CPU N only",
		.offset = offsetof(struct flame_conf, lcore),
	},
	{
		.name = "off-cpu",
		.type = ZB_OPT_FLAG,
		.help = "not where threads ran, but where they waited or were preempted, in "
			"microseconds",
		.offset = offsetof(struct flame_conf, off_cpu),
	},
	{
		.name = "out",
		.short_name = 'o',
		.type = ZB_OPT_STRING,
		.arg = "FILE",
		.help = "write to FILE, - being standard output (default: a name in the flame "
			"folder of the run; for other input standard output)",
		.offset = offsetof(struct flame_conf, out),
	},
};

static int apply(const struct flame_conf *c, struct zb_flame_source *src)
{
	bool ranged = c->from_s > 0 || c->to_s > 0;

	if (ranged && !src->has_times) {
		zb_err("--%s: %s: folded stacks have no times to cut a range from",
		       c->to_s > 0 ? "to" : "from", src->path);
		return -EINVAL;
	}
	if (c->to_s > 0 && c->to_s <= c->from_s) {
		zb_err("--to %g: not after --from %g", c->to_s, c->from_s);
		return -EINVAL;
	}
	if (ranged && !src->has_range) {
		src->cut.from_ns = (uint64_t)(c->from_s * 1e9);
		src->cut.to_ns = c->to_s > 0 ? (uint64_t)(c->to_s * 1e9) : UINT64_MAX;
	}
	if (c->format == ZB_FLAME_HEATMAP &&
	    (ranged || src->has_range || c->off_cpu || zb_opt_given(&zb_cmd_flame, "lcore"))) {
		zb_err("--format heatmap: the page has all there is; choose range, lcore and state "
		       "in it");
		return -EINVAL;
	}
	if (c->off_cpu)
		src->cut.states = ZB_CUT_OFF;
	if ((c->format == ZB_FLAME_PERF || c->format == ZB_FLAME_HEATMAP) && !src->has_times) {
		zb_err("--format %s: %s: folded stacks have no times",
		       zb_flame_format_name[c->format], src->path);
		return -EINVAL;
	}
	return 0;
}

static bool takes_many(int format)
{
	return format == ZB_FLAME_SVG || format == ZB_FLAME_ICICLE || format == ZB_FLAME_FOLDED;
}

static int open_all(const struct flame_conf *c, const char *const *args, unsigned nr,
		    struct zb_flame_source *src)
{
	uint64_t weight = 0;

	for (unsigned i = 0; i < nr; i++) {
		int ret = zb_flame_source_open(args[i], &src[i]);

		if (ret == 0)
			ret = apply(c, &src[i]);
		if (ret == 0 && zb_opt_given(&zb_cmd_flame, "lcore"))
			ret = zb_flame_source_lcore(&src[i], (unsigned)c->lcore);
		if (ret < 0)
			return ret;
		weight += zb_flame_source_weight(&src[i]);
	}
	if (weight == 0)
		zb_warn("%s: no samples there", args[0]);
	return 0;
}

static int run(const void *conf, const char *const *args, unsigned arg_nr, int argc, char **argv)
{
	const struct flame_conf *c = conf;
	struct zb_flame_request r = {
		.format = (enum zb_flame_format)c->format,
		.src_nr = arg_nr,
		.diff = c->diff,
		.out = c->out,
	};
	int status = ZB_EXIT_USAGE;

	(void)argc, (void)argv;
	if (arg_nr == 0) {
		zb_err("flame: nothing to read; give a run's folder or FILE.folded");
		return ZB_EXIT_USAGE;
	}
	if (c->diff &&
	    (arg_nr != 2 || (c->format != ZB_FLAME_SVG && c->format != ZB_FLAME_ICICLE))) {
		zb_err("--diff: %s; give two sources, and a picture for --format",
		       arg_nr != 2 ? "not two sources" : "not a picture");
		return ZB_EXIT_USAGE;
	}
	if (arg_nr > 1 && !takes_many(c->format)) {
		zb_err("--format %s: %u sources; give one", zb_flame_format_name[c->format],
		       arg_nr);
		return ZB_EXIT_USAGE;
	}
	r.src = calloc(arg_nr, sizeof(*r.src));
	if (r.src == NULL) {
		zb_err("flame: out of memory");
		return ZB_EXIT_BROKE;
	}
	if (open_all(c, args, arg_nr, r.src) == 0)
		status = zb_flame_write(&r);
	for (unsigned i = 0; i < arg_nr; i++)
		zb_flame_source_close(&r.src[i]);
	free(r.src);
	return status;
}

const struct zb_command zb_cmd_flame = {
	.name = "flame",
	.usage = "zbench flame DIR|FILE.folded...[@FROM-TO] [options]",
	.summary = "draw or export where the CPU time of a run went",
	.opts = opts,
	.opt_nr = sizeof(opts) / sizeof(opts[0]),
	.args = "DIR|FILE.folded...[@FROM-TO]",
	.examples = "zbench flame zbench-out/latest --from 10 --to 20 --lcore 2\n"
		    "zbench flame zbench-out/latest@10-20 --format icicle -o worst.svg\n"
		    "zbench flame --diff run@0-10 run@10-12           what was other then\n"
		    "zbench flame zbench-out/latest --format perf     for FlameScope\n"
		    "zbench flame zbench-out/latest --format pprof    go tool pprof -http : FILE\n"
		    "zbench flame *.folded -o all.svg                 several as one",
	.conf_size = sizeof(struct flame_conf),
	.run = run,
};

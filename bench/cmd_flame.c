/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_flame.c - zbench flame: pictures and exports of where the CPU time of a run, or of any
 * process, went
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/flame_out.h"
#include "bench/flame_watch.h"
#include "bench/options.h"
#include "profiler/diag.h"

struct flame_conf {
	int format;
	double from_s, to_s;
	uint64_t lcore;
	bool off_cpu, diff, threads;
	const char *out;
	uint64_t pid, cpu, hz;
	int call_graph;
	double duration_s;
};

enum { CHAIN_DWARF, CHAIN_FP };
static const char *const call_graphs[] = {"dwarf", "fp", NULL};

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
		.help = "what changed from the first source to the second: red frames have a "
			"larger share of the time now, blue ones a smaller one",
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
		.name = "threads",
		.type = ZB_OPT_FLAG,
		.help = "each thread by itself: stacks begin with its name and number",
		.offset = offsetof(struct flame_conf, threads),
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
	{.help = "Instead of a source, as perf record"},
	{
		.name = "pid",
		.short_name = 'p',
		.type = ZB_OPT_U64,
		.arg = "PID",
		.min = 1,
		.max = INT32_MAX,
		.help = "sample a process, all its threads and what it starts, and keep the "
			"samples "
			"in zbench-out/<UTC time>-pid-PID, or in DIR with -o DIR/",
		.offset = offsetof(struct flame_conf, pid),
	},
	{
		.name = "cpu",
		.short_name = 'C',
		.type = ZB_OPT_U64,
		.arg = "N",
		.max = 65535,
		.help = "sample what runs on CPU N",
		.offset = offsetof(struct flame_conf, cpu),
	},
	{
		.name = "call-graph",
		.type = ZB_OPT_CHOICE,
		.def = "dwarf",
		.choices = call_graphs,
		.help = "callers by the unwind tables of the code, from a copy of the stack; or by "
			"frame pointers, which Debian's libraries do not keep",
		.offset = offsetof(struct flame_conf, call_graph),
	},
	{
		.name = "duration",
		.type = ZB_OPT_SECONDS,
		.arg = "S",
		.def = "0",
		.help = "how long (default: until the process ends, or Ctrl-C)",
		.offset = offsetof(struct flame_conf, duration_s),
	},
	{
		.name = "hz",
		.type = ZB_OPT_U64,
		.arg = "N",
		.def = "99",
		.min = 1,
		.max = 10000,
		.help = "samples per second of CPU time",
		.offset = offsetof(struct flame_conf, hz),
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
	src->cut.by_thread = c->threads;
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

static bool is_folder(const char *path)
{
	struct stat st;
	size_t len = strlen(path);

	return (len > 0 && path[len - 1] == '/') || (stat(path, &st) == 0 && S_ISDIR(st.st_mode));
}

/* A process or a CPU for a source, with what goes with it. */
static int check_watch(const struct flame_conf *c, unsigned arg_nr, bool watches)
{
	static const char *const only[] = {"call-graph", "duration", "hz"};
	bool has_cpu = zb_opt_given(&zb_cmd_flame, "cpu");

	for (unsigned i = 0; !watches && i < sizeof(only) / sizeof(only[0]); i++) {
		if (zb_opt_given(&zb_cmd_flame, only[i])) {
			zb_err("--%s: goes with -p PID or -C CPU only", only[i]);
			return -EINVAL;
		}
	}
	if (watches && (arg_nr > 0 || c->diff || (c->pid != 0 && has_cpu))) {
		zb_err("%s: not together with %s; give one", c->pid != 0 ? "-p" : "-C",
		       arg_nr > 0 ? "other sources"
		       : c->diff  ? "--diff"
				  : "-C");
		return -EINVAL;
	}
	if (watches && zb_opt_given(&zb_cmd_flame, "lcore")) {
		zb_err("--lcore: goes with a run only; -C gives the CPU");
		return -EINVAL;
	}
	return 0;
}

static int run_watch(const struct flame_conf *c, struct zb_flame_request *r)
{
	bool to_folder = c->out != NULL && is_folder(c->out);
	const struct zb_flame_watch w = {
		.watch = {.pid = (int)c->pid,
			  .cpu = (int)c->cpu,
			  .hz = (uint32_t)c->hz,
			  .dwarf = c->call_graph == CHAIN_DWARF,
			  .off_cpu = c->off_cpu},
		.duration_s = c->duration_s,
		.keep = c->out == NULL || to_folder,
		.folder = to_folder ? c->out : NULL,
	};
	struct zb_flame_source src;
	int status = zb_flame_watch(&w, &src);

	if (to_folder)
		r->out = NULL;
	r->src = &src;
	r->src_nr = 1;
	if (status == ZB_EXIT_OK && apply(c, &src) < 0)
		status = ZB_EXIT_USAGE;
	if (status == ZB_EXIT_OK)
		status = zb_flame_write(r);
	zb_flame_source_close(&src);
	return status;
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
	bool watches = c->pid != 0 || zb_opt_given(&zb_cmd_flame, "cpu");
	int status = ZB_EXIT_USAGE;

	(void)argc, (void)argv;
	if (check_watch(c, arg_nr, watches) < 0)
		return ZB_EXIT_USAGE;
	if (watches)
		return run_watch(c, &r);
	if (arg_nr == 0) {
		zb_err("flame: nothing to read; give a run's folder, FILE.folded, -p PID or -C "
		       "CPU");
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
	.usage = "zbench flame DIR|FILE.folded...[@FROM-TO] | -p PID | -C CPU [options]",
	.summary = "draw or export where the CPU time of a run went, or of any process",
	.opts = opts,
	.opt_nr = sizeof(opts) / sizeof(opts[0]),
	.args = "DIR|FILE.folded...[@FROM-TO]",
	.examples = "zbench flame zbench-out/latest --from 10 --to 20 --lcore 2\n"
		    "zbench flame zbench-out/latest@10-20 --format icicle -o worst.svg\n"
		    "zbench flame --diff run@0-10 run@10-12           what was other then\n"
		    "zbench flame zbench-out/latest --format perf     for FlameScope\n"
		    "zbench flame zbench-out/latest --format pprof    go tool pprof FILE\n"
		    "zbench flame *.folded -o all.svg                 several as one\n"
		    "zbench flame -p $(pidof suricata) --duration 30  any process",
	.conf_size = sizeof(struct flame_conf),
	.run = run,
};

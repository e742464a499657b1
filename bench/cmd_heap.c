/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_heap.c - zbench heap: who holds the memory, by the heap dumps of any program with jemalloc
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/heap_out.h"
#include "bench/options.h"
#include "profiler/diag.h"

struct heap_conf {
	int format;
	bool diff, growth;
	uint64_t top;
	struct zb_opt_list binary;
	const char *out;
};

static const struct zb_opt opts[] = {
	{
		.name = "format",
		.type = ZB_OPT_CHOICE,
		.def = "text",
		.choices = zb_heap_format_name,
		.help = "table as jeprof prints it; folded stacks; flame graph by bytes; the same "
			"with the root on top; JSON; profile.proto for pprof",
		.offset = offsetof(struct heap_conf, format),
	},
	{
		.name = "diff",
		.type = ZB_OPT_FLAG,
		.help = "what was added from the first dump to the second; of a folder, from its "
			"first to its last",
		.offset = offsetof(struct heap_conf, diff),
	},
	{
		.name = "growth",
		.type = ZB_OPT_FLAG,
		.help = "how each code path grows over three dumps or more: a straight line "
			"through its bytes, steepest first",
		.offset = offsetof(struct heap_conf, growth),
	},
	{
		.name = "top",
		.type = ZB_OPT_U64,
		.arg = "N",
		.def = "30",
		.max = UINT32_MAX,
		.help = "rows at most, 0 being all; JSON has all unless this is given",
		.offset = offsetof(struct heap_conf, top),
	},
	{
		.name = "binary",
		.type = ZB_OPT_EACH,
		.arg = "FILE",
		.help = "take names from FILE instead of the program or library of that name: for "
			"dumps of other machines",
		.offset = offsetof(struct heap_conf, binary),
	},
	{
		.name = "out",
		.short_name = 'o',
		.type = ZB_OPT_STRING,
		.arg = "FILE",
		.help = "write to FILE instead of standard output",
		.offset = offsetof(struct heap_conf, out),
	},
};

/* Half a file helps nobody; a device (/dev/full) is not ours to remove. */
static void remove_half(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
		unlink(path);
}

static int write_out(const struct heap_conf *c, const struct zb_heap_report *r)
{
	bool to_file = c->out != NULL && strcmp(c->out, "-") != 0;
	FILE *out = to_file ? fopen(c->out, "we") : stdout;
	int ret;

	if (out == NULL) {
		zb_err("%s: cannot create: %s", c->out, strerror(errno));
		return ZB_EXIT_USAGE;
	}
	ret = zb_heap_write(r, (enum zb_heap_format)c->format, out);
	if (to_file && fclose(out) != 0 && ret == 0)
		ret = -errno;
	if (ret == 0)
		return ZB_EXIT_OK;
	zb_err("%s: %s", to_file ? c->out : "standard output", strerror(-ret));
	if (to_file)
		remove_half(c->out);
	return ZB_EXIT_BROKE;
}

/* Where most bytes have no name, the files that were mapped are not those of this machine. */
static void warn_of_no_names(const struct zb_heap_report *r)
{
	double named = 0, bare = 0;

	for (uint32_t i = 0; i < r->row_nr; i++) {
		double flat = r->row[i].flat > 0 ? r->row[i].flat : 0;

		*(r->row[i].name[0] == '[' ? &bare : &named) += flat;
	}
	if (bare > named)
		zb_warn("most bytes are held by code without a name: give the program that wrote "
			"the dump, and its libraries, by --binary");
}

static int report(const struct heap_conf *c, const char *const *args, unsigned arg_nr)
{
	enum zb_heap_mode mode = c->growth ? ZB_HEAP_GROWTH : c->diff ? ZB_HEAP_DIFF : ZB_HEAP_USE;
	const char *binary[ZB_OPT_LIST_MAX + 1] = {NULL};
	struct zb_heap_source source;
	struct zb_heap_report r;
	int ret, status = ZB_EXIT_USAGE;

	memcpy(binary, c->binary.v, c->binary.nr * sizeof(binary[0]));
	if (zb_heap_source_open(args, arg_nr, mode, &source) < 0)
		return ZB_EXIT_USAGE;
	if (zb_heap_source_load(&source, binary) < 0)
		goto close_source;
	ret = zb_heap_report_make(&source, mode, &r);
	if (ret < 0) {
		zb_err("heap: %s", strerror(-ret));
		status = ZB_EXIT_BROKE;
		goto close_source;
	}
	r.top = c->format == ZB_HEAP_JSON && !zb_opt_given(&zb_cmd_heap, "top") ? 0
										: (unsigned)c->top;
	status = write_out(c, &r);
	if (status == ZB_EXIT_OK)
		warn_of_no_names(&r);
	zb_heap_report_fini(&r);
close_source:
	zb_heap_source_close(&source);
	return status;
}

static int run(const void *conf, const char *const *args, unsigned arg_nr, int argc, char **argv)
{
	const struct heap_conf *c = conf;

	(void)argc, (void)argv;
	if (arg_nr == 0) {
		zb_err("heap: nothing to read; give a run's folder or FILE.heap");
		return ZB_EXIT_USAGE;
	}
	if (c->diff && c->growth) {
		zb_err("--growth: contradicts --diff; give one of them");
		return ZB_EXIT_USAGE;
	}
	for (unsigned i = 0; i < c->binary.nr; i++)
		if (access(c->binary.v[i], R_OK) < 0) {
			zb_err("--binary %s: %s", c->binary.v[i], strerror(errno));
			return ZB_EXIT_USAGE;
		}
	if (c->format == ZB_HEAP_PPROF && (c->out == NULL || strcmp(c->out, "-") == 0) &&
	    isatty(STDOUT_FILENO)) {
		zb_err("--format pprof: not for a terminal; give -o FILE");
		return ZB_EXIT_USAGE;
	}
	return report(c, args, arg_nr);
}

const struct zb_command zb_cmd_heap = {
	.name = "heap",
	.usage = "zbench heap DIR|FILE.heap... [options]",
	.summary = "read heap dumps: who holds the memory, and what grows",
	.opts = opts,
	.opt_nr = sizeof(opts) / sizeof(opts[0]),
	.args = "DIR|FILE.heap...",
	.examples =
		"zbench heap zbench-out/latest                    its last dump\n"
		"zbench heap zbench-out/latest --growth           what grew over all of them\n"
		"zbench heap --diff a.heap b.heap --format svg -o grown.svg\n"
		"zbench heap /opt/zeek/spool/worker-1 --growth    of Zeek with jemalloc\n"
		"zbench heap x.heap --format pprof -o x.pb.gz     go tool pprof -http : x.pb.gz\n",
	.conf_size = sizeof(struct heap_conf),
	.run = run,
};

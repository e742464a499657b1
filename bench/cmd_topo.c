/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_topo.c - zbench topo: the machine, where a run would sit on it, and what is wrong with that
 */
#include "bench/options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "profiler/diag.h"
#include "profiler/topology.h"

struct topo_conf {
	const char *cores, *svg;
};

static const struct zb_opt opts[] = {
	{.name = "cores",
	 .type = ZB_OPT_STRING,
	 .arg = "LIST",
	 .offset = offsetof(struct topo_conf, cores),
	 .help = "worker cores as the kernel numbers them: 2-5, 2,4,6-7 (default: one)"},
	{.name = "svg",
	 .type = ZB_OPT_STRING,
	 .arg = "FILE",
	 .offset = offsetof(struct topo_conf, svg),
	 .help = "write the picture to FILE too"},
};

static int place(const struct zb_topo *t, const struct topo_conf *c, struct zb_placement *p)
{
	unsigned cpus[ZB_CPUS_MAX], nr = 1;
	int ret;

	cpus[0] = zb_topo_default_core(t);
	if (c->cores != NULL) {
		ret = zb_cpu_list_parse("--cores", c->cores, cpus, &nr);
		if (ret == 0)
			ret = zb_topo_check_cores(t, "--cores", c->cores, cpus, nr);
		if (ret < 0)
			return ret;
	}
	zb_topo_place(t, cpus, nr, p);
	return 0;
}

static int write_svg(const struct zb_topo *t, const struct zb_placement *p, const char *path,
		     FILE *f)
{
	int ret = zb_topo_svg(t, p, f);
	struct stat st;

	if (fclose(f) != 0 && ret == 0)
		ret = -errno;
	if (ret == 0)
		return ZB_EXIT_OK;
	zb_err("--svg %s: cannot write: %s; the text above is complete", path, strerror(-ret));
	/* Half a picture helps nobody; a device (/dev/full) is not ours to remove. */
	if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
		unlink(path);
	return ZB_EXIT_BROKE;
}

static int show(const struct zb_topo *t, const struct zb_placement *p, const struct topo_conf *c)
{
	FILE *svg = NULL;

	if (c->svg != NULL) {
		svg = fopen(c->svg, "we");
		if (svg == NULL) {
			zb_err("--svg %s: cannot create: %s", c->svg, strerror(errno));
			return ZB_EXIT_USAGE;
		}
	}
	zb_topo_print(t, p, stdout);
	return svg != NULL ? write_svg(t, p, c->svg, svg) : ZB_EXIT_OK;
}

static int run(const void *conf, const char *const *args, unsigned arg_nr, int argc, char **argv)
{
	const struct topo_conf *c = conf;
	struct zb_placement p;
	struct zb_topo *t;
	int status = ZB_EXIT_USAGE;

	(void)args, (void)arg_nr, (void)argc, (void)argv;
	if (zb_topo_create(&t) < 0)
		return ZB_EXIT_BROKE;
	if (place(t, c, &p) == 0)
		status = show(t, &p, c);
	zb_topo_destroy(t);
	return status;
}

const struct zb_command zb_cmd_topo = {
	.name = "topo",
	.usage = "zbench topo [--cores LIST] [--svg FILE]",
	.summary = "show the machine, where a run would sit on it, and what would disturb it",
	.opts = opts,
	.opt_nr = sizeof(opts) / sizeof(opts[0]),
	.examples =
		"  zbench topo                          the core that a run without --cores takes\n"
		"  zbench topo --cores 2-5              advice on cores 2 to 5\n"
		"  zbench topo --cores 2,4 --svg t.svg  the same as a picture\n",
	.conf_size = sizeof(struct topo_conf),
	.run = run,
};

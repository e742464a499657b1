/* SPDX-License-Identifier: Apache-2.0 */
/*
 * topo_bed.h - machines that hwloc makes up, for the tests of topology
 *
 * /proc and /sys of such a machine are files in a temporary folder, written by each test.
 */
#ifndef ZB_TESTS_UNIT_TOPO_BED_H
#define ZB_TESTS_UNIT_TOPO_BED_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "profiler/topology_priv.h"

/* Two sockets, SMT: CPUs 0-15 on node 0 (core n: CPUs 2n, 2n+1), 16-31 on node 1. */
#define BIG "package:2 numa:1 l3:1 core:8 pu:2"

static char root[64];

static inline int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static inline int make_root(void **state)
{
	(void)state;
	strcpy(root, "/tmp/zb_topo_XXXXXX");
	return mkdtemp(root) == NULL ? -1 : 0;
}

static inline int remove_root(void **state)
{
	(void)state;
	return nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* Writes text to a file of the made-up machine, folders included. */
static inline void put(const char *path, const char *text)
{
	char full[256];
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *c = full + strlen(root) + 1; *c != '\0'; c++) {
		if (*c != '/')
			continue;
		*c = '\0';
		if (mkdir(full, 0755) < 0)
			assert_int_equal(errno, EEXIST);
		*c = '/';
	}
	f = fopen(full, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static inline struct zb_topo *make(const char *synthetic, const char *allowed)
{
	struct zb_topo_conf conf = {.synthetic = synthetic, .root = root, .allowed = allowed};
	struct zb_topo *t = NULL;

	assert_int_equal(zb_topo_create_from(&conf, &t), 0);
	assert_non_null(t);
	return t;
}

static inline void place(const struct zb_topo *t, const char *list, struct zb_placement *p)
{
	unsigned cpus[ZB_CPUS_MAX], nr;

	assert_int_equal(zb_cpu_list_parse("--cores", list, cpus, &nr), 0);
	zb_topo_place(t, cpus, nr, p);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, make_root, remove_root)

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eal_args.c - see eal_args_priv.h
 *
 * Memory. --in-memory with huge pages: nothing is written, and pages are taken when needed. EAL
 * would lock a mounted hugetlbfs of theirs, and fail where this user may not open it, although
 * anonymous huge pages need no mount; so it is made to find none. Pages lie in one file without a
 * name (--single-file-segments), because virtio-user hands its memory over in at most eight.
 * Without: --no-huge, whose size is only reserved, not touched. Memory that is shared with other
 * processes is in files of a hugetlbfs, by a name (eal_share.h), at the same addresses in each. EAL
 * takes low ones, which nothing else does; but there AddressSanitizer has its shadow, and what is
 * left, among the libraries, may be another process's library: then it takes some above the shadow.
 */
#include "capture/eal_args_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/diag.h"

#define LCORES_TEXT (RTE_MAX_LCORE * 12 + CPU_SETSIZE * 5)
/* Without huge pages; virtual: what nobody touches costs nothing. */
#define NO_HUGE_MIB	    "64"
#define NO_HUGE_MIB_DEVICES "512" /* mbufs */

/* Formats "0@(0,2-3),1@4,2@5": lcore 0 on the helpers, one lcore per worker. */
static void format_lcores(const struct zb_eal_conf *conf, char *buf, size_t size)
{
	const char *sep = "0@(";
	size_t len = 0;

	/* LCORES_TEXT has room for all CPUs and all lcores. */
	for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, conf->helper_cpus))
			continue;
		len += (size_t)snprintf(buf + len, size - len, "%s%u", sep, cpu);
		sep = ",";
	}
	len += (size_t)snprintf(buf + len, size - len, ")");
	for (unsigned i = 0; i < conf->worker_nr; i++)
		len += (size_t)snprintf(buf + len, size - len, ",%u@%u", i + 1,
					conf->worker_cpus[i]);
	assert(len < size);
}

static void add_arg(struct zb_eal_args *a, const char *text)
{
	char *copy = a->text[a->text_nr++]; /* getopt() wants to write */

	assert(a->text_nr <= ZB_EAL_TEXTS);
	snprintf(copy, sizeof(a->text[0]), "%s", text);
	a->v[a->nr++] = copy;
}

static void add_devices(struct zb_eal_args *a, const struct zb_eal_conf *conf)
{
	static char vdev[] = "--vdev", allow[] = "--allow";

	/* EAL copies what follows and does not write there. */
	for (unsigned i = 0; i < a->vdev_nr; i++) {
		a->v[a->nr++] = vdev;
		a->v[a->nr++] = a->vdevs[i];
	}
	for (unsigned i = 0; i < conf->allowed_nr; i++) {
		a->v[a->nr++] = allow;
		a->v[a->nr++] = (char *)(uintptr_t)conf->allowed[i];
	}
}

/* What EAL is to make of the virtual devices, and the name of the memory that they share. */
static int split_vdevs(struct zb_eal_args *a, const struct zb_eal_conf *conf)
{
	char name[ZB_SHARE_MAX];

	for (unsigned i = 0; i < conf->vdev_nr; i++) {
		int ret = zb_share_split(conf->vdevs[i], a->vdevs[a->vdev_nr], ZB_EAL_DEVICE_MAX,
					 name);

		if (ret < 0)
			return ret;
		if (*name != '\0' && a->share[0] != '\0' && strcmp(name, a->share) != 0) {
			zb_err("--port %s: share=: another device has %s; a process shares memory "
			       "under one name",
			       conf->vdevs[i], a->share);
			return -EINVAL;
		}
		if (*name != '\0')
			snprintf(a->share, sizeof(a->share), "%s", name);
		a->vdev_nr += *name == '\0' || !conf->attach;
	}
	return 0;
}

static void add_memory(struct zb_eal_args *a, const struct zb_eal_conf *conf, bool huge)
{
	if (a->share[0] != '\0') {
		add_arg(a, "--file-prefix");
		a->v[a->nr++] = a->share;
		add_arg(a, conf->attach ? "--proc-type=secondary" : "--proc-type=primary");
#ifdef __SANITIZE_ADDRESS__
		if (!conf->attach)
			add_arg(a, "--base-virtaddr=0x200000000000");
#endif
	} else if (huge) {
		add_arg(a, "--in-memory");
		add_arg(a, "--huge-dir=/dev/null"); /* no such mount: see above */
		add_arg(a, "--single-file-segments");
	} else {
		add_arg(a, "--no-huge");
		add_arg(a, "--no-shconf");
		add_arg(a, "-m");
		add_arg(a, conf->devices ? NO_HUGE_MIB_DEVICES : NO_HUGE_MIB);
	}
}

static void fill(struct zb_eal_args *a, const struct zb_eal_conf *conf, bool huge)
{
	add_arg(a, "zbench");
	add_arg(a, "--lcores");
	a->v[a->nr++] = a->lcores;
	add_arg(a, "--no-telemetry");
	if (!conf->devices || conf->allowed_nr == 0) {
		add_arg(a, "--no-pci");
		add_arg(a, "--iova-mode=va");
	}
	if (!conf->verbose)
		add_arg(a, "--log-level=error");
	add_memory(a, conf, huge);
	if (conf->devices)
		add_devices(a, conf);
	a->v[a->nr] = NULL;
}

int zb_eal_args_make(const struct zb_eal_conf *conf, bool huge, struct zb_eal_args *a)
{
	size_t device_nr = (size_t)conf->vdev_nr + conf->allowed_nr;
	int ret;

	*a = (struct zb_eal_args){.nr = 0};
	a->v = calloc(ZB_EAL_TEXTS + 2 * device_nr + 1, sizeof(*a->v));
	a->vdevs = calloc(conf->vdev_nr + 1, sizeof(*a->vdevs));
	a->lcores = malloc(LCORES_TEXT);
	if (a->v == NULL || a->vdevs == NULL || a->lcores == NULL) {
		zb_err("DPDK: cannot start: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	ret = split_vdevs(a, conf);
	if (ret < 0)
		return ret;
	if (a->share[0] != '\0' && !huge) {
		zb_err("DPDK: share=%s: no huge page is free, and no other memory can be shared",
		       a->share);
		return -ENOMEM;
	}
	format_lcores(conf, a->lcores, LCORES_TEXT);
	fill(a, conf, huge);
	return 0;
}

void zb_eal_args_free(struct zb_eal_args *a)
{
	free(a->lcores);
	free(a->vdevs);
	free(a->v);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * topology_priv.h - what the files of the topology module share, and how tests put a machine in
 * front of it
 *
 * What hwloc does not know (governor, interrupts, quota ...) is read below a root folder: "" on the
 * machine itself, a folder of a test's own, or none at all for a machine that only hwloc describes.
 */
#ifndef ZB_PROFILER_TOPOLOGY_PRIV_H
#define ZB_PROFILER_TOPOLOGY_PRIV_H

#include <hwloc.h>
#include <stdarg.h>
#include "profiler/topology.h"

struct zb_topo {
	hwloc_topology_t hw;
	hwloc_bitmap_t existing; /* CPUs that the kernel knows as present */
	hwloc_bitmap_t online;	 /* of those, running */
	hwloc_bitmap_t allowed;	 /* of those, this process may use */
	hwloc_bitmap_t cpuset;	 /* what the cgroup lets through, affinity aside */
	char *root;		 /* NULL: no /proc and /sys belong to this machine */
};

struct zb_topo_conf {
	const char *synthetic; /* hwloc's notation: "package:2 numa:1 l3:1 core:4 pu:2"; NULL: this
				  machine */
	const char *root;      /* of /proc and /sys; NULL with synthetic: none */
	const char *allowed;   /* with synthetic: CPUs the process may use, "0-3"; NULL: all */
};

int zb_topo_create_from(const struct zb_topo_conf *conf, struct zb_topo **out);

/*
 * Reads up to size - 1 bytes of a file below the root, without the last newline; length or -errno.
 */
int zb_topo_read(const struct zb_topo *t, char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Reads a list of CPUs ("0-3,8") into set (emptied first); 0 or -errno. */
int zb_topo_read_cpus(const struct zb_topo *t, hwloc_bitmap_t set, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* "2-5,7" for a bitmap; returns buf. */
char *zb_topo_set_format(hwloc_const_bitmap_t set, char *buf, size_t size);

/* CPUs that share cpu's core, cpu included; NULL when hwloc does not know the CPU. */
hwloc_const_bitmap_t zb_topo_siblings(const struct zb_topo *t, unsigned cpu);

/* What runs on cpu under p (may be NULL). */
enum zb_seat {
	ZB_SEAT_FREE,	   /* nothing of ours */
	ZB_SEAT_FORBIDDEN, /* not ours to use */
	ZB_SEAT_WORKER,
	ZB_SEAT_HELPER,
	ZB_SEAT_SHARED, /* a worker, and helpers too */
	ZB_SEAT_NR
};
enum zb_seat zb_topo_seat(const struct zb_topo *t, const struct zb_placement *p, unsigned cpu);

/* The machine as nested boxes, only the levels that a reader of a placement needs. */
enum zb_box_kind { ZB_BOX_MACHINE, ZB_BOX_PACKAGE, ZB_BOX_NUMA, ZB_BOX_L3, ZB_BOX_CORE, ZB_BOX_PU };

struct zb_box {
	enum zb_box_kind kind;
	unsigned id;	 /* as the kernel numbers it */
	char title[128]; /* "NUMA node 0, 24 GiB" */
	struct zb_box *child, *next;
	int x, y, w, h; /* topo_svg.c: pixels */
};

struct zb_box *zb_topo_boxes(const struct zb_topo *t); /* NULL: no memory */
void zb_topo_boxes_free(struct zb_box *box);

/* As zb_topo_host(), but without tsc_hz, which takes 10 ms to measure. */
void zb_topo_host_facts(const struct zb_topo *t, struct zb_host *out);

/*
 * What a reader calls the threads of a seat; "" for those that have none. lcores carry their CPU's
 * number.
 */
char *zb_topo_seat_text(enum zb_seat seat, unsigned cpu, char *buf, size_t size);

/* "24 GiB", "512 KiB"; returns buf. */
char *zb_topo_size(uint64_t bytes, char *buf, size_t size);
/* "L1d 32 KiB, L2 1 MiB per core": the caches that the boxes do not show; returns buf. */
char *zb_topo_small_caches(const struct zb_topo *t, char *buf, size_t size);
/* One line on the whole machine: "AMD EPYC, 2 CPUs in 2 cores, ..."; returns buf. */
char *zb_topo_summary(const struct zb_topo *t, char *buf, size_t size);

#endif

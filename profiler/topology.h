/* SPDX-License-Identifier: Apache-2.0 */
/*
 * topology.h - the machine, which cores a run may use, who sits where, and what is wrong with that
 *
 * Built on hwloc. CPUs are numbered as the kernel numbers them (hwloc: PU os_index).
 *
 * Threading: one thread at a time (main, before and after the run); zb_topo_pin_self() from any
 * thread. Errors:    0 or -errno, said once on stderr by zb_err where the text says "said".
 */
#ifndef ZB_PROFILER_TOPOLOGY_H
#define ZB_PROFILER_TOPOLOGY_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define ZB_CPUS_MAX CPU_SETSIZE /* 1024 */

/*
 * Parses "2-5", "2,4,6-7" into cpus (ascending, no duplicates) and *nr. -EINVAL: not a list, or
 * empty, or a CPU >= ZB_CPUS_MAX; said, naming option ("--cores").
 */
int zb_cpu_list_parse(const char *option, const char *text, unsigned cpus[ZB_CPUS_MAX],
		      unsigned *nr);

/* "2-5,7" for a set; returns buf. */
char *zb_cpu_list_format(const unsigned *cpus, unsigned nr, char *buf, size_t buf_size);

struct zb_topo; /* opaque */
int zb_topo_create(struct zb_topo **out);
void zb_topo_destroy(struct zb_topo *t);

/*
 * Checks that each CPU exists, is online, and is allowed by cgroup cpuset and affinity. -EINVAL:
 * one is not; said, naming option and CPU and what may be used instead ("zbench: --cores 2-5: CPU
 * 2: this machine has CPUs 0-1; use --cores 0-1").
 */
int zb_topo_check_cores(const struct zb_topo *t, const char *option, const char *text,
			const unsigned *cpus, unsigned nr);

/*
 * The CPU used when --cores is not given: an allowed one, by preference not CPU 0 and not a used
 * sibling.
 */
unsigned zb_topo_default_core(const struct zb_topo *t);

/* Where every thread of a run sits. helpers: the CPUs for main (reporter, sampler) and writer. */
struct zb_placement {
	unsigned worker_cpu[ZB_CPUS_MAX];
	unsigned worker_nr;
	cpu_set_t helper_cpus;
	bool helpers_share; /* no allowed CPU is left: helpers share the workers' cores */
};

/* Places workers on cpus, helpers on the other allowed CPUs (same NUMA node first). Never fails. */
void zb_topo_place(const struct zb_topo *t, const unsigned *cpus, unsigned nr,
		   struct zb_placement *p);

/* One thing that is wrong, or worth knowing, about a placement. */
struct zb_advice {
	bool warning;	/* false: just worth knowing */
	char text[192]; /* one sentence: what, which CPUs, what it costs or what to do */
};

/*
 * SMT siblings both used, more than one NUMA node, helpers on worker cores, CPU 0 in use, governor
 * not performance, no isolated CPUs, no huge pages, CPU quota of the cgroup below the cores,
 * virtual machine ... Fills at most max; returns how many.
 */
unsigned zb_topo_advise(const struct zb_topo *t, const struct zb_placement *p,
			struct zb_advice *out, unsigned max);

int zb_topo_numa_of(const struct zb_topo *t, unsigned cpu); /* NUMA node, 0 when unknown */

/*
 * Pins the calling thread and, where there are several nodes, prefers memory of the CPU's node. 0
 * or -errno.
 */
int zb_topo_pin_self(const struct zb_topo *t, unsigned cpu);
int zb_topo_pin_self_set(const cpu_set_t *cpus);

/*
 * Short facts for result.json's "host": model name, CPUs, cores, nodes, kernel, memory, virtual or
 * not.
 */
struct zb_host {
	char cpu_model[96], kernel[96], hypervisor[32];
	unsigned cpus_online, cpus_allowed, cores, packages, numa_nodes;
	uint64_t mem_total_bytes;
	double tsc_hz;
};
void zb_topo_host(const struct zb_topo *t, struct zb_host *out);

/* The machine and, when p is not NULL, who sits where and the advice; text for a terminal. */
void zb_topo_print(const struct zb_topo *t, const struct zb_placement *p, FILE *f);

/* The same as a self-contained SVG. 0 or -errno (of the stream). */
int zb_topo_svg(const struct zb_topo *t, const struct zb_placement *p, FILE *f);

#endif

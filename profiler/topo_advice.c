/* SPDX-License-Identifier: Apache-2.0 */
/* topo_advice.c - looks for what would disturb a run on the chosen cores; warnings first */
#include "profiler/topology_priv.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

struct advisor {
	const struct zb_topo *t;
	const struct zb_placement *p;
	hwloc_bitmap_t workers, helpers, tmp, tmp2;
	struct zb_advice *out;
	unsigned max, nr;
	char list[48]; /* the workers, as text */
};

static void add(struct advisor *a, bool warning, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void add(struct advisor *a, bool warning, const char *fmt, ...)
{
	va_list args;

	if (a->nr == a->max)
		return;
	a->out[a->nr].warning = warning;
	va_start(args, fmt);
	vsnprintf(a->out[a->nr].text, sizeof(a->out[a->nr].text), fmt, args);
	va_end(args);
	a->nr++;
}

static const char *plural(int n)
{
	return n == 1 ? "" : "s";
}

static void check_helpers_share(struct advisor *a)
{
	if (a->p->helpers_share)
		add(a, true,
		    "sampler, reporter and log writer share CPU%s %s with the workers and take "
		    "time from "
		    "them; leave one CPU out of --cores",
		    plural(hwloc_bitmap_weight(a->workers)), a->list);
}

/* tmp: workers that share a core with another worker; tmp2: one CPU of each worker's core. */
static void check_siblings(struct advisor *a)
{
	char both[40], one[40];

	hwloc_bitmap_zero(a->tmp);
	hwloc_bitmap_zero(a->tmp2);
	for (unsigned i = 0; i < a->p->worker_nr; i++) {
		unsigned cpu = a->p->worker_cpu[i];
		hwloc_const_bitmap_t core = zb_topo_siblings(a->t, cpu);
		bool first = true;

		for (unsigned j = 0; core != NULL && j < a->p->worker_nr; j++) {
			if (j == i || !hwloc_bitmap_isset(core, a->p->worker_cpu[j]))
				continue;
			hwloc_bitmap_set(a->tmp, cpu);
			first &= i < j;
		}
		if (first)
			hwloc_bitmap_set(a->tmp2, cpu);
	}
	if (!hwloc_bitmap_iszero(a->tmp))
		add(a, true,
		    "CPUs %s are SMT siblings: two workers on one core get little more than one "
		    "alone; use "
		    "one CPU of each core: --cores %s",
		    zb_topo_set_format(a->tmp, both, sizeof(both)),
		    zb_topo_set_format(a->tmp2, one, sizeof(one)));
}

static void check_helper_siblings(struct advisor *a)
{
	char list[48];

	if (a->p->helpers_share)
		return;
	hwloc_bitmap_zero(a->tmp);
	for (unsigned i = 0; i < a->p->worker_nr; i++) {
		hwloc_const_bitmap_t core = zb_topo_siblings(a->t, a->p->worker_cpu[i]);

		if (core != NULL)
			hwloc_bitmap_or(a->tmp, a->tmp, core);
	}
	hwloc_bitmap_and(a->tmp, a->tmp, a->helpers);
	if (!hwloc_bitmap_iszero(a->tmp))
		add(a, true,
		    "helper threads may run on CPU%s %s, SMT sibling%s of worker cores, and slow "
		    "them; "
		    "leave a whole core to the helpers",
		    plural(hwloc_bitmap_weight(a->tmp)),
		    zb_topo_set_format(a->tmp, list, sizeof(list)),
		    plural(hwloc_bitmap_weight(a->tmp)));
}

static void check_numa(struct advisor *a)
{
	char nodes[32], first[40];
	int near;

	if (a->p->worker_nr == 0)
		return;
	near = zb_topo_numa_of(a->t, a->p->worker_cpu[0]);
	hwloc_bitmap_zero(a->tmp);
	hwloc_bitmap_zero(a->tmp2);
	for (unsigned i = 0; i < a->p->worker_nr; i++) {
		int node = zb_topo_numa_of(a->t, a->p->worker_cpu[i]);

		hwloc_bitmap_set(a->tmp, (unsigned)node);
		if (node == near)
			hwloc_bitmap_set(a->tmp2, a->p->worker_cpu[i]);
	}
	if (hwloc_bitmap_weight(a->tmp) > 1)
		add(a, true,
		    "workers sit on NUMA nodes %s: packets lie in one node's memory and cost more "
		    "to read "
		    "from the others; keep to one node: --cores %s",
		    zb_topo_set_format(a->tmp, nodes, sizeof(nodes)),
		    zb_topo_set_format(a->tmp2, first, sizeof(first)));
}

static void check_governor(struct advisor *a)
{
	char governor[24] = "", other[24] = "", list[40];

	hwloc_bitmap_zero(a->tmp);
	for (unsigned i = 0; i < a->p->worker_nr; i++) {
		unsigned cpu = a->p->worker_cpu[i];

		if (zb_topo_read(a->t, governor, sizeof(governor),
				 "/sys/devices/system/cpu/cpu%u/cpufreq/scaling_governor",
				 cpu) <= 0)
			continue;
		if (strcmp(governor, "performance") == 0)
			continue;
		memcpy(other, governor, sizeof(other));
		hwloc_bitmap_set(a->tmp, cpu);
	}
	if (!hwloc_bitmap_iszero(a->tmp))
		add(a, true,
		    "frequency governor of CPU%s %s is %s, not performance: the clock changes "
		    "during a "
		    "run; cpupower frequency-set -g performance",
		    plural(hwloc_bitmap_weight(a->tmp)),
		    zb_topo_set_format(a->tmp, list, sizeof(list)), other);
}

/* CPUs' worth of time that the files in one cgroup folder allow; 0: no limit, or no such folder. */
static double folder_quota(const struct zb_topo *t, const char *base, const char *path)
{
	char text[64], *end;
	double quota, period;

	if (zb_topo_read(t, text, sizeof(text), "%s%s/cpu.max", base, path) > 0) {
		quota = strtod(text, &end); /* "max" gives 0 */
		period = strtod(end, NULL);
		return quota > 0 && period > 0 ? quota / period : 0;
	}
	if (zb_topo_read(t, text, sizeof(text), "%s%s/cpu.cfs_quota_us", base, path) <= 0)
		return 0;
	quota = strtod(text, NULL);
	if (zb_topo_read(t, text, sizeof(text), "%s%s/cpu.cfs_period_us", base, path) <= 0)
		return 0;
	period = strtod(text, NULL);
	return quota > 0 && period > 0 ? quota / period : 0;
}

/* The lowest limit from path up to the mount point: an outer cgroup binds the inner ones. */
static double path_quota(const struct zb_topo *t, const char *path)
{
	static const char *const bases[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified",
					    "/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"};
	double least = 0;
	char dir[256];

	snprintf(dir, sizeof(dir), "%s", path);
	for (;;) {
		char *slash;

		for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
			double q = folder_quota(t, bases[i], dir);

			if (q > 0 && (least == 0 || q < least))
				least = q;
		}
		slash = strrchr(dir, '/');
		if (slash == NULL)
			return least;
		*slash = '\0';
	}
}

static double cgroup_quota(const struct zb_topo *t)
{
	char text[4096], *save = NULL;
	double least = 0;

	if (zb_topo_read(t, text, sizeof(text), "/proc/self/cgroup") <= 0)
		return 0;
	/* "0::/a/b" is cgroup 2, "4:cpu,cpuacct:/a/b" the CPU controller of cgroup 1. */
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;
		double q;

		if (path == NULL)
			continue;
		*path++ = '\0';
		if (names[1] != '\0' && strncmp(names + 1, "cpu", 3) != 0 && !strstr(names, ",cpu"))
			continue;
		q = path_quota(t, path);
		if (q > 0 && (least == 0 || q < least))
			least = q;
	}
	return least;
}

static void check_quota(struct advisor *a)
{
	double quota = cgroup_quota(a->t);

	if (quota > 0 && quota <= a->p->worker_nr)
		add(a, true,
		    "the cgroup's CPU quota is worth %.2f CPUs, and %u busy worker%s plus helpers "
		    "need "
		    "more: the kernel will stop them for a while in every period; raise cpu.max",
		    quota, a->p->worker_nr, plural((int)a->p->worker_nr));
}

static void check_cpu0(struct advisor *a)
{
	if (hwloc_bitmap_isset(a->workers, 0) && hwloc_bitmap_weight(a->t->allowed) > 1)
		add(a, false,
		    "a worker runs on CPU 0, which takes most interrupts and kernel housekeeping; "
		    "use "
		    "another CPU where there is one to spare");
}

static void check_virtual(struct advisor *a)
{
	struct zb_host h;

	zb_topo_host_facts(a->t, &h);
	if (h.hypervisor[0] != '\0')
		add(a, false,
		    "this is a virtual machine (%s): its CPUs can be taken away at any time; "
		    "compare figures of one run, or medians of several",
		    h.hypervisor);
}

static void check_isolated(struct advisor *a)
{
	char isolated[40], outside[40];

	if (zb_topo_read_cpus(a->t, a->tmp, "/sys/devices/system/cpu/isolated") < 0)
		return;
	if (hwloc_bitmap_iszero(a->tmp)) {
		if (a->p->helpers_share) /* isolating every CPU would leave none for the rest */
			return;
		add(a, false,
		    "no CPU is isolated: other threads and the timer tick can interrupt a worker; "
		    "booting "
		    "with isolcpus=%s nohz_full=%s keeps them away",
		    a->list, a->list);
		return;
	}
	hwloc_bitmap_andnot(a->tmp2, a->workers, a->tmp);
	if (!hwloc_bitmap_iszero(a->tmp2))
		add(a, false,
		    "CPU%s %s of the workers are not among the isolated CPUs %s, where other "
		    "threads "
		    "cannot interrupt them",
		    plural(hwloc_bitmap_weight(a->tmp2)),
		    zb_topo_set_format(a->tmp2, outside, sizeof(outside)),
		    zb_topo_set_format(a->tmp, isolated, sizeof(isolated)));
}

static DIR *open_dir(const struct zb_topo *t, const char *path)
{
	char full[512];
	int n;

	if (t->root == NULL)
		return NULL;
	n = snprintf(full, sizeof(full), "%s%s", t->root, path);
	return n > 0 && (size_t)n < sizeof(full) ? opendir(full) : NULL;
}

static void check_huge_pages(struct advisor *a)
{
	DIR *dir = open_dir(a->t, "/sys/kernel/mm/hugepages");
	unsigned long long free_nr = 0;
	struct dirent *e;
	char text[32];

	if (dir == NULL)
		return;
	while ((e = readdir(dir)) != NULL)
		if (strncmp(e->d_name, "hugepages-", 10) == 0 &&
		    zb_topo_read(a->t, text, sizeof(text),
				 "/sys/kernel/mm/hugepages/%s/free_hugepages", e->d_name) > 0)
			free_nr += strtoull(text, NULL, 10);
	closedir(dir);
	if (free_nr == 0)
		add(a, false,
		    "no huge page is free: the trace gets transparent ones at best, which costs "
		    "TLB "
		    "misses; "
		    "sysctl vm.nr_hugepages=512 sets 1 GiB aside");
}

/* Where an interrupt goes: the kernel's choice where it tells, else all that it may choose from. */
static bool irq_hits_worker(struct advisor *a, const char *irq)
{
	if (zb_topo_read_cpus(a->t, a->tmp, "/proc/irq/%s/effective_affinity_list", irq) < 0 &&
	    zb_topo_read_cpus(a->t, a->tmp, "/proc/irq/%s/smp_affinity_list", irq) < 0)
		return false;
	return hwloc_bitmap_intersects(a->tmp, a->workers);
}

static void check_irqs(struct advisor *a)
{
	DIR *dir = open_dir(a->t, "/proc/irq");
	struct dirent *e;
	unsigned nr = 0;

	if (dir == NULL)
		return;
	while ((e = readdir(dir)) != NULL)
		if (isdigit((unsigned char)e->d_name[0]))
			nr += irq_hits_worker(a, e->d_name);
	closedir(dir);
	if (nr > 0)
		add(a, false,
		    "%u device interrupt%s may arrive on worker CPU%s %s and stop the worker for "
		    "microseconds; /proc/irq/N/smp_affinity_list moves them (stop irqbalance "
		    "first)",
		    nr, nr == 1 ? "" : "s", plural(hwloc_bitmap_weight(a->workers)), a->list);
}

static void run_checks(struct advisor *a)
{
	for (unsigned i = 0; i < a->p->worker_nr; i++)
		hwloc_bitmap_set(a->workers, a->p->worker_cpu[i]);
	for (unsigned cpu = 0; cpu < ZB_CPUS_MAX; cpu++)
		if (CPU_ISSET(cpu, &a->p->helper_cpus))
			hwloc_bitmap_set(a->helpers, cpu);
	zb_topo_set_format(a->workers, a->list, sizeof(a->list));

	check_helpers_share(a);
	check_siblings(a);
	check_helper_siblings(a);
	check_numa(a);
	check_governor(a);
	check_quota(a);
	check_cpu0(a);
	check_virtual(a);
	check_irqs(a);
	check_isolated(a);
	check_huge_pages(a);
}

unsigned zb_topo_advise(const struct zb_topo *t, const struct zb_placement *p,
			struct zb_advice *out, unsigned max)
{
	struct advisor a = {.t = t, .p = p, .out = out, .max = max};

	a.workers = hwloc_bitmap_alloc();
	a.helpers = hwloc_bitmap_alloc();
	a.tmp = hwloc_bitmap_alloc();
	a.tmp2 = hwloc_bitmap_alloc();
	if (a.workers != NULL && a.helpers != NULL && a.tmp != NULL && a.tmp2 != NULL)
		run_checks(&a);
	hwloc_bitmap_free(a.workers);
	hwloc_bitmap_free(a.helpers);
	hwloc_bitmap_free(a.tmp);
	hwloc_bitmap_free(a.tmp2);
	return a.nr;
}

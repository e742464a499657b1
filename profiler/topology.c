/* SPDX-License-Identifier: Apache-2.0 */
/*
 * topology.c - which CPUs there are, which may be used, and who gets which
 *
 * hwloc gives the tree. What counts as allowed is asked of the kernel (sched_getaffinity), which
 * has already intersected affinity with the cgroup's cpuset; hwloc's view of the cpuset only serves
 * to say why a CPU is out of bounds.
 */
#include "profiler/topology_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "profiler/diag.h"

static int load_hwloc(struct zb_topo *t, const struct zb_topo_conf *conf)
{
	if (hwloc_topology_init(&t->hw) < 0)
		return -ENOMEM;
	/* CPUs outside the cpuset stay in the tree, so that they can be shown and named. */
	if (hwloc_topology_set_flags(t->hw, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED) < 0)
		return -errno;
	if (conf->synthetic != NULL && hwloc_topology_set_synthetic(t->hw, conf->synthetic) < 0)
		return -EINVAL;
	if (hwloc_topology_load(t->hw) < 0)
		return errno ? -errno : -EIO;
	return 0;
}

static void and_affinity(hwloc_bitmap_t set)
{
	hwloc_bitmap_t affinity;
	cpu_set_t mask;

	/* Fails only on machines with more CPUs than fit the mask; the cpuset then has to do. */
	if (sched_getaffinity(0, sizeof(mask), &mask) < 0)
		return;
	affinity = hwloc_bitmap_alloc();
	if (affinity == NULL)
		return;
	for (unsigned cpu = 0; cpu < ZB_CPUS_MAX; cpu++)
		if (CPU_ISSET(cpu, &mask))
			hwloc_bitmap_set(affinity, cpu);
	hwloc_bitmap_and(set, set, affinity);
	hwloc_bitmap_free(affinity);
}

static int fill_sets(struct zb_topo *t, const struct zb_topo_conf *conf)
{
	hwloc_bitmap_t listed = hwloc_bitmap_alloc();

	if (listed == NULL)
		return -ENOMEM;
	hwloc_bitmap_copy(t->existing, hwloc_topology_get_complete_cpuset(t->hw));
	hwloc_bitmap_copy(t->online, hwloc_topology_get_topology_cpuset(t->hw));
	/* hwloc drops offline CPUs on some kernels; sysfs knows them all. */
	if (zb_topo_read_cpus(t, listed, "/sys/devices/system/cpu/present") == 0)
		hwloc_bitmap_or(t->existing, t->existing, listed);
	if (zb_topo_read_cpus(t, listed, "/sys/devices/system/cpu/online") == 0)
		hwloc_bitmap_and(t->online, t->online, listed);
	hwloc_bitmap_free(listed);

	hwloc_bitmap_copy(t->cpuset, hwloc_topology_get_allowed_cpuset(t->hw));
	hwloc_bitmap_copy(t->allowed, t->online);
	if (conf->allowed != NULL && hwloc_bitmap_list_sscanf(t->allowed, conf->allowed) < 0)
		return -EINVAL;
	hwloc_bitmap_and(t->allowed, t->allowed, t->online);
	if (conf->synthetic == NULL && hwloc_topology_is_thissystem(t->hw))
		and_affinity(t->allowed);
	return hwloc_bitmap_iszero(t->allowed) ? -ENODEV : 0;
}

int zb_topo_create_from(const struct zb_topo_conf *conf, struct zb_topo **out)
{
	const char *root = conf->synthetic == NULL && conf->root == NULL ? "" : conf->root;
	struct zb_topo *t = calloc(1, sizeof(*t));
	int ret = -ENOMEM;

	if (t == NULL)
		return ret;
	t->existing = hwloc_bitmap_alloc();
	t->online = hwloc_bitmap_alloc();
	t->allowed = hwloc_bitmap_alloc();
	t->cpuset = hwloc_bitmap_alloc();
	if (t->existing == NULL || t->online == NULL || t->allowed == NULL || t->cpuset == NULL)
		goto destroy;
	ret = load_hwloc(t, conf);
	if (ret < 0)
		goto destroy;
	/*
	 * HWLOC_XMLFILE and the like put another machine in front of us: ours has nothing to say
	 * then.
	 */
	if (conf->synthetic != NULL || hwloc_topology_is_thissystem(t->hw)) {
		t->root = root != NULL ? strdup(root) : NULL;
		if (root != NULL && t->root == NULL) {
			ret = -ENOMEM;
			goto destroy;
		}
	}
	ret = fill_sets(t, conf);
	if (ret < 0)
		goto destroy;
	*out = t;
	return 0;

destroy:
	zb_topo_destroy(t);
	return ret;
}

int zb_topo_create(struct zb_topo **out)
{
	int ret = zb_topo_create_from(&(struct zb_topo_conf){0}, out);

	if (ret < 0)
		zb_err("topology: hwloc cannot describe this machine: %s", strerror(-ret));
	return ret;
}

void zb_topo_destroy(struct zb_topo *t)
{
	if (t == NULL)
		return;
	if (t->hw != NULL)
		hwloc_topology_destroy(t->hw);
	hwloc_bitmap_free(t->existing);
	hwloc_bitmap_free(t->online);
	hwloc_bitmap_free(t->allowed);
	hwloc_bitmap_free(t->cpuset);
	free(t->root);
	free(t);
}

char *zb_topo_set_format(hwloc_const_bitmap_t set, char *buf, size_t size)
{
	unsigned cpus[ZB_CPUS_MAX], nr = 0;

	for (int cpu = hwloc_bitmap_first(set); cpu >= 0 && cpu < ZB_CPUS_MAX;
	     cpu = hwloc_bitmap_next(set, cpu))
		cpus[nr++] = (unsigned)cpu;
	return zb_cpu_list_format(cpus, nr, buf, size);
}

int zb_topo_check_cores(const struct zb_topo *t, const char *option, const char *text,
			const unsigned *cpus, unsigned nr)
{
	char among[128], has[128];

	zb_topo_set_format(t->allowed, among, sizeof(among));
	for (unsigned i = 0; i < nr; i++) {
		unsigned cpu = cpus[i];

		if (hwloc_bitmap_isset(t->allowed, cpu))
			continue;
		if (!hwloc_bitmap_isset(t->existing, cpu))
			zb_err("%s %s: CPU %u does not exist: this machine has CPUs %s; give cores "
			       "among %s",
			       option, text, cpu, zb_topo_set_format(t->existing, has, sizeof(has)),
			       among);
		else if (!hwloc_bitmap_isset(t->online, cpu))
			zb_err("%s %s: CPU %u is offline; give cores among %s, or bring it up: "
			       "echo 1 > /sys/devices/system/cpu/cpu%u/online",
			       option, text, cpu, among, cpu);
		else if (!hwloc_bitmap_isset(t->cpuset, cpu))
			zb_err("%s %s: CPU %u is outside the cpuset of this process's cgroup (%s); "
			       "give "
			       "cores among %s",
			       option, text, cpu, zb_topo_set_format(t->cpuset, has, sizeof(has)),
			       among);
		else
			zb_err("%s %s: CPU %u is outside this process's affinity (taskset, "
			       "CPUAffinity=); "
			       "give cores among %s",
			       option, text, cpu, among);
		return -EINVAL;
	}
	return 0;
}

hwloc_const_bitmap_t zb_topo_siblings(const struct zb_topo *t, unsigned cpu)
{
	hwloc_obj_t pu = hwloc_get_pu_obj_by_os_index(t->hw, cpu), core;

	if (pu == NULL)
		return NULL;
	core = hwloc_get_ancestor_obj_by_type(t->hw, HWLOC_OBJ_CORE, pu);
	return core != NULL ? core->cpuset : pu->cpuset;
}

int zb_topo_numa_of(const struct zb_topo *t, unsigned cpu)
{
	hwloc_obj_t node = NULL;

	while ((node = hwloc_get_next_obj_by_type(t->hw, HWLOC_OBJ_NUMANODE, node)) != NULL)
		if (hwloc_bitmap_isset(node->cpuset, cpu))
			return (int)node->os_index;
	return 0;
}

/*
 * Narrows set to what keep has of it, unless nothing would be left: a preference, not a condition.
 */
static void prefer(hwloc_bitmap_t set, hwloc_const_bitmap_t keep)
{
	if (hwloc_bitmap_intersects(set, keep))
		hwloc_bitmap_and(set, set, keep);
}

static void prefer_not(hwloc_bitmap_t set, hwloc_const_bitmap_t drop)
{
	if (!hwloc_bitmap_isincluded(set, drop))
		hwloc_bitmap_andnot(set, set, drop);
}

unsigned zb_topo_default_core(const struct zb_topo *t)
{
	hwloc_bitmap_t set = hwloc_bitmap_dup(t->allowed), tmp = hwloc_bitmap_alloc();
	hwloc_const_bitmap_t busy = zb_topo_siblings(t, 0);
	int cpu = hwloc_bitmap_first(t->allowed);

	if (set != NULL && tmp != NULL) {
		if (zb_topo_read_cpus(t, tmp, "/sys/devices/system/cpu/isolated") == 0)
			prefer(set, tmp);
		hwloc_bitmap_only(tmp, 0);
		prefer_not(set, tmp);
		if (busy != NULL)
			prefer_not(set, busy);
		cpu = hwloc_bitmap_first(set);
	}
	hwloc_bitmap_free(set);
	hwloc_bitmap_free(tmp);
	return (unsigned)cpu;
}

/*
 * Of the CPUs that no worker has: not isolated (nothing balances threads there), near, not a
 * sibling.
 */
static void choose_helpers(const struct zb_topo *t, const unsigned *cpus, unsigned nr,
			   hwloc_bitmap_t set, hwloc_bitmap_t tmp)
{
	if (zb_topo_read_cpus(t, tmp, "/sys/devices/system/cpu/isolated") == 0)
		prefer_not(set, tmp);

	hwloc_bitmap_zero(tmp);
	for (hwloc_obj_t node = NULL;
	     (node = hwloc_get_next_obj_by_type(t->hw, HWLOC_OBJ_NUMANODE, node)) != NULL;)
		for (unsigned i = 0; i < nr; i++)
			if (hwloc_bitmap_isset(node->cpuset, cpus[i]))
				hwloc_bitmap_or(tmp, tmp, node->cpuset);
	prefer(set, tmp);

	hwloc_bitmap_zero(tmp);
	for (unsigned i = 0; i < nr; i++) {
		hwloc_const_bitmap_t siblings = zb_topo_siblings(t, cpus[i]);

		if (siblings != NULL)
			hwloc_bitmap_or(tmp, tmp, siblings);
	}
	prefer_not(set, tmp);
}

void zb_topo_place(const struct zb_topo *t, const unsigned *cpus, unsigned nr,
		   struct zb_placement *p)
{
	hwloc_bitmap_t set = hwloc_bitmap_dup(t->allowed), tmp = hwloc_bitmap_alloc();
	hwloc_const_bitmap_t helpers = t->allowed;

	p->worker_nr = nr;
	memcpy(p->worker_cpu, cpus, nr * sizeof(*cpus));
	p->helpers_share = true;
	if (set != NULL && tmp != NULL) {
		for (unsigned i = 0; i < nr; i++)
			hwloc_bitmap_clr(set, cpus[i]);
		if (!hwloc_bitmap_iszero(set)) {
			choose_helpers(t, cpus, nr, set, tmp);
			p->helpers_share = false;
			helpers = set;
		}
	}
	CPU_ZERO(&p->helper_cpus);
	for (int cpu = hwloc_bitmap_first(helpers); cpu >= 0 && cpu < ZB_CPUS_MAX;
	     cpu = hwloc_bitmap_next(helpers, cpu))
		CPU_SET(cpu, &p->helper_cpus);
	hwloc_bitmap_free(set);
	hwloc_bitmap_free(tmp);
}

enum zb_seat zb_topo_seat(const struct zb_topo *t, const struct zb_placement *p, unsigned cpu)
{
	bool worker = false, helper = false;

	if (cpu >= ZB_CPUS_MAX || !hwloc_bitmap_isset(t->allowed, cpu))
		return ZB_SEAT_FORBIDDEN;
	if (p == NULL)
		return ZB_SEAT_FREE;
	for (unsigned i = 0; i < p->worker_nr; i++)
		worker |= p->worker_cpu[i] == cpu;
	helper = CPU_ISSET(cpu, &p->helper_cpus);
	if (worker)
		return helper ? ZB_SEAT_SHARED : ZB_SEAT_WORKER;
	return helper ? ZB_SEAT_HELPER : ZB_SEAT_FREE;
}

int zb_topo_pin_self(const struct zb_topo *t, unsigned cpu)
{
	hwloc_obj_t pu;
	cpu_set_t set;
	int ret;

	if (cpu >= ZB_CPUS_MAX)
		return -EINVAL;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	ret = zb_topo_pin_self_set(&set);
	if (ret < 0)
		return ret;
	pu = hwloc_get_pu_obj_by_os_index(t->hw, cpu);
	/*
	 * A pinned thread gets memory of its own node anyhow, unless a policy was inherited
	 * (numactl); so a refusal (seccomp in containers) costs nothing worth failing for.
	 */
	if (pu != NULL && hwloc_topology_is_thissystem(t->hw) &&
	    hwloc_get_nbobjs_by_type(t->hw, HWLOC_OBJ_NUMANODE) > 1)
		(void)hwloc_set_membind(t->hw, pu->cpuset, HWLOC_MEMBIND_BIND,
					HWLOC_MEMBIND_THREAD);
	return 0;
}

int zb_topo_pin_self_set(const cpu_set_t *cpus)
{
	return sched_setaffinity(0, sizeof(*cpus), cpus) < 0 ? -errno : 0;
}

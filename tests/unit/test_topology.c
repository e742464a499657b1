/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_topology.c - placing and advising on machines that hwloc makes up
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "caught.h"
#include "topo_bed.h"

static char *helpers_of(const struct zb_placement *p, char *buf, size_t size)
{
	unsigned cpus[ZB_CPUS_MAX], nr = 0;

	for (unsigned cpu = 0; cpu < ZB_CPUS_MAX; cpu++)
		if (CPU_ISSET(cpu, &p->helper_cpus))
			cpus[nr++] = cpu;
	return zb_cpu_list_format(cpus, nr, buf, size);
}

/* The text of the advice on list that contains word, or NULL. */
static const char *advice_with(const struct zb_topo *t, const char *list, const char *word,
			       bool *warning)
{
	static struct zb_advice advice[16];
	static struct zb_placement p;
	unsigned nr;

	place(t, list, &p);
	nr = zb_topo_advise(t, &p, advice, 16);
	for (unsigned i = 0; i < nr; i++) {
		if (strstr(advice[i].text, word) == NULL)
			continue;
		if (warning != NULL)
			*warning = advice[i].warning;
		return advice[i].text;
	}
	return NULL;
}

static void expect_advice(const struct zb_topo *t, const char *list, const char *word,
			  bool want_warning)
{
	bool warning = !want_warning;

	if (advice_with(t, list, word, &warning) == NULL)
		fail_msg("no advice on %s speaks of '%s'", list, word);
	assert_int_equal(warning, want_warning);
}

static void expect_no_advice(const struct zb_topo *t, const char *list, const char *word)
{
	const char *text = advice_with(t, list, word, NULL);

	if (text != NULL)
		fail_msg("advice on %s: %s", list, text);
}

/* Calls zb_topo_check_cores() on list and returns its result and the line that it said. */
static int check(const struct zb_topo *t, const char *list, char *said, size_t size)
{
	unsigned cpus[ZB_CPUS_MAX], nr;
	static struct caught c;
	int ret;

	assert_int_equal(zb_cpu_list_parse("--cores", list, cpus, &nr), 0);
	catch_fd(&c, STDERR_FILENO);
	ret = zb_topo_check_cores(t, "--cores", list, cpus, nr);
	release_fd(&c);
	snprintf(said, size, "%.500s", c.text);
	return ret;
}

/* A CPU that is not there is named, with what the machine has and what may be given. */
static void check_cores_missing_cpu_is_named_with_the_choice(void **state)
{
	struct zb_topo *t = make("core:2 pu:1", NULL);
	char said[512];

	(void)state;
	assert_int_equal(check(t, "2-5", said, sizeof(said)), -EINVAL);
	assert_string_equal(said,
			    "zbench: --cores 2-5: CPU 2 does not exist: this machine has CPUs 0-1; "
			    "give cores among 0-1\n");
	assert_int_equal(check(t, "0-1", said, sizeof(said)), 0);
	assert_string_equal(said, "");
	zb_topo_destroy(t);
}

/* A CPU that is there but kept from the process is told apart from one that is missing or offline.
 */
static void check_cores_offline_and_forbidden_cpus_are_told_apart(void **state)
{
	struct zb_topo *t;
	char said[512];

	(void)state;
	put("/sys/devices/system/cpu/present", "0-3\n");
	put("/sys/devices/system/cpu/online", "0-1,3\n");
	t = make("core:4 pu:1", "0-1");
	assert_int_equal(check(t, "2", said, sizeof(said)), -EINVAL);
	assert_non_null(strstr(said, "--cores 2: CPU 2 is offline"));
	assert_int_equal(check(t, "1,3", said, sizeof(said)), -EINVAL);
	assert_non_null(strstr(said, "--cores 1,3: CPU 3 is outside this process's affinity"));
	assert_non_null(strstr(said, "give cores among 0-1\n"));
	assert_int_equal(check(t, "4", said, sizeof(said)), -EINVAL);
	assert_non_null(strstr(said, "CPU 4 does not exist: this machine has CPUs 0-3"));
	zb_topo_destroy(t);
}

/* On the machine at hand: affinity narrowed to one CPU leaves just that one. */
static void check_cores_own_affinity_is_respected(void **state)
{
	cpu_set_t before, one;
	struct zb_topo *t;
	char said[512], other[16];
	int cpu = 0;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	while (!CPU_ISSET(cpu, &before))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(zb_topo_create(&t), 0);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
	assert_int_equal(zb_topo_default_core(t), cpu);
	snprintf(other, sizeof(other), "%d", cpu + 1);
	assert_int_equal(check(t, other, said, sizeof(said)), -EINVAL);
	zb_topo_destroy(t);
}

/* Without --cores a run keeps off CPU 0 and its sibling, takes isolated CPUs first, and makes do.
 */
static void default_core_keeps_off_cpu_0_and_its_sibling(void **state)
{
	struct zb_topo *t = make("core:4 pu:2", NULL);

	(void)state;
	assert_int_equal(zb_topo_default_core(t), 2);
	zb_topo_destroy(t);
	t = make("core:4 pu:2", "0-1");
	assert_int_equal(zb_topo_default_core(t), 1);
	zb_topo_destroy(t);
	t = make("core:4 pu:2", "0");
	assert_int_equal(zb_topo_default_core(t), 0);
	zb_topo_destroy(t);
	put("/sys/devices/system/cpu/isolated", "6-7\n");
	t = make("core:4 pu:2", NULL);
	assert_int_equal(zb_topo_default_core(t), 6);
	zb_topo_destroy(t);
}

/* Helpers stay on the workers' NUMA node and leave the workers' siblings alone. */
static void place_helpers_sit_near_but_not_on_siblings(void **state)
{
	struct zb_topo *t = make(BIG, NULL);
	struct zb_placement p;
	char text[64];

	(void)state;
	place(t, "2,4", &p);
	assert_false(p.helpers_share);
	assert_int_equal(p.worker_nr, 2);
	assert_string_equal(helpers_of(&p, text, sizeof(text)), "0-1,6-15");
	place(t, "16-30", &p);
	assert_string_equal(helpers_of(&p, text, sizeof(text)), "31");
	place(t, "0-15", &p);
	assert_string_equal(helpers_of(&p, text, sizeof(text)), "16-31");
	zb_topo_destroy(t);
}

/* Isolated CPUs are no place for helpers, as the kernel balances nothing there. */
static void place_helpers_avoid_isolated_cpus(void **state)
{
	struct zb_placement p;
	struct zb_topo *t;
	char text[64];

	(void)state;
	put("/sys/devices/system/cpu/isolated", "2-15\n");
	t = make(BIG, NULL);
	place(t, "2,4", &p);
	assert_string_equal(helpers_of(&p, text, sizeof(text)), "0-1");
	zb_topo_destroy(t);
}

/* When the workers take every allowed CPU, helpers share them and it says so. */
static void place_no_cpu_left_helpers_share(void **state)
{
	struct zb_topo *t = make(BIG, "4,6");
	struct zb_placement p;
	char text[64];

	(void)state;
	place(t, "4,6", &p);
	assert_true(p.helpers_share);
	assert_string_equal(helpers_of(&p, text, sizeof(text)), "4,6");
	expect_advice(t, "4,6", "share CPUs 4,6 with the workers", true);
	zb_topo_destroy(t);
}

/* Two workers on one core are warned of, with a list that avoids it. */
static void advise_smt_siblings_are_warned_of(void **state)
{
	struct zb_topo *t = make(BIG, NULL);

	(void)state;
	expect_advice(t, "2-5,8", "CPUs 2-5 are SMT siblings", true);
	expect_advice(t, "2-5,8", "--cores 2,4,8", true);
	expect_no_advice(t, "2,4,6", "sibling");
	zb_topo_destroy(t);
	t = make(BIG, "2-3");
	expect_advice(t, "2", "helper threads may run on CPU 3, SMT sibling", true);
	zb_topo_destroy(t);
}

/* Workers on two NUMA nodes are warned of; on one they are not. */
static void advise_two_numa_nodes_are_warned_of(void **state)
{
	struct zb_topo *t = make(BIG, NULL);

	(void)state;
	assert_int_equal(zb_topo_numa_of(t, 15), 0);
	assert_int_equal(zb_topo_numa_of(t, 16), 1);
	expect_advice(t, "4,6,20", "NUMA nodes 0-1", true);
	expect_advice(t, "4,6,20", "--cores 4,6", true);
	expect_no_advice(t, "18,20", "NUMA");
	zb_topo_destroy(t);
}

/* What /sys says of governor, isolation and huge pages turns into advice, and good values into
 * none. */
static void advise_system_settings_are_read(void **state)
{
	struct zb_topo *t = make(BIG, NULL);

	(void)state;
	/* A machine about which nothing is known gets no guesses. */
	expect_no_advice(t, "2", "isolated");
	expect_no_advice(t, "2", "huge");
	expect_no_advice(t, "2", "governor");

	put("/sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "powersave\n");
	put("/sys/devices/system/cpu/cpu4/cpufreq/scaling_governor", "performance\n");
	put("/sys/devices/system/cpu/isolated", "\n");
	put("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "0\n");
	expect_advice(t, "2,4", "governor of CPU 2 is powersave", true);
	expect_no_advice(t, "4", "governor");
	expect_advice(t, "2,4", "isolcpus=2,4 nohz_full=2,4", false);
	expect_advice(t, "2,4", "no huge page is free", false);

	put("/sys/devices/system/cpu/isolated", "4-15\n");
	put("/sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "3\n");
	expect_advice(t, "2,4", "CPU 2 of the workers are not among the isolated CPUs 4-15", false);
	expect_no_advice(t, "4", "isolated");
	expect_no_advice(t, "4", "huge");
	zb_topo_destroy(t);
}

/* A CPU quota counts wherever it stands between the process's cgroup and the root, in both
 * versions. */
static void advise_cpu_quota_is_found_up_the_tree(void **state)
{
	struct zb_topo *t = make(BIG, NULL);

	(void)state;
	put("/proc/self/cgroup", "0::/pod/box\n");
	put("/sys/fs/cgroup/pod/box/cpu.max", "max 100000\n");
	expect_no_advice(t, "2,4", "quota");
	put("/sys/fs/cgroup/pod/cpu.max", "150000 100000\n");
	expect_advice(t, "2,4", "quota is worth 1.50 CPUs, and 2 busy workers", true);
	expect_no_advice(t, "4", "quota");

	put("/proc/self/cgroup", "5:memory:/m\n4:cpu,cpuacct:/job\n0::/\n");
	expect_no_advice(t, "2,4", "quota");
	put("/sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "-1\n");
	put("/sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n");
	expect_no_advice(t, "2,4", "quota");
	put("/sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "50000\n");
	expect_advice(t, "2", "quota is worth 0.50 CPUs", true);
	zb_topo_destroy(t);
}

/* Interrupts count by where the kernel sends them, else by where it may. */
static void advise_interrupts_on_worker_cores_are_counted(void **state)
{
	struct zb_topo *t = make(BIG, NULL);

	(void)state;
	put("/proc/irq/default_smp_affinity", "ffffffff\n");
	put("/proc/irq/30/smp_affinity_list", "0-31\n");
	put("/proc/irq/30/effective_affinity_list", "0\n");
	expect_no_advice(t, "2,4", "interrupt");
	put("/proc/irq/31/smp_affinity_list", "2\n");
	put("/proc/irq/32/smp_affinity_list", "0-31\n");
	put("/proc/irq/32/effective_affinity_list", "4\n");
	expect_advice(t, "2,4", "2 device interrupts may arrive on worker CPUs 2,4", false);
	zb_topo_destroy(t);
}

/* CPU 0 and a hypervisor are worth a note. */
static void advise_cpu_0_and_virtual_machine_are_noted(void **state)
{
	struct zb_topo *t;

	(void)state;
	put("/proc/cpuinfo",
	    "processor\t: 0\nmodel name\t: Made Up\nflags\t\t: fpu hypervisor sse\n");
	t = make(BIG, NULL);
	expect_advice(t, "0,2", "CPU 0", false);
	expect_no_advice(t, "2", "CPU 0");
	expect_advice(t, "2", "virtual machine", false);
	put("/proc/cpuinfo", "model name\t: Made Up\nflags\t\t: fpu sse\n");
	expect_no_advice(t, "2", "virtual machine");
	zb_topo_destroy(t);
}

/* No more advice than there is room for. */
static void advise_small_array_is_not_overrun(void **state)
{
	struct zb_topo *t = make(BIG, "0-1,16");
	struct zb_advice advice[2] = {{.text = ""}, {.text = "untouched"}};
	struct zb_placement p;

	(void)state;
	place(t, "0-1,16", &p);
	assert_true(zb_topo_advise(t, &p, advice, 2) == 2);
	strcpy(advice[1].text, "untouched");
	assert_int_equal(zb_topo_advise(t, &p, advice, 1), 1);
	assert_string_equal(advice[1].text, "untouched");
	assert_int_equal(zb_topo_advise(t, &p, advice, 0), 0);
	zb_topo_destroy(t);
}

/* The facts of the host come from where the kernel tells them. */
static void host_facts_are_filled(void **state)
{
	struct zb_host h;
	struct zb_topo *t;

	(void)state;
	put("/proc/cpuinfo",
	    "processor\t: 0\nmodel name\t: Made Up 9000\nflags\t\t: fpu hypervisor\n");
	put("/proc/meminfo", "MemTotal:       1048576 kB\nMemFree: 1 kB\n");
	t = make(BIG, "0-3");
	zb_topo_host(t, &h);
	assert_string_equal(h.cpu_model, "Made Up 9000");
	assert_string_equal(h.hypervisor, "unknown");
	assert_int_equal(h.cpus_online, 32);
	assert_int_equal(h.cpus_allowed, 4);
	assert_int_equal(h.cores, 16);
	assert_int_equal(h.packages, 2);
	assert_int_equal(h.numa_nodes, 2);
	assert_int_equal(h.mem_total_bytes, 1ULL << 30);
	zb_topo_destroy(t);

	assert_int_equal(zb_topo_create(&t), 0);
	zb_topo_host(t, &h);
	assert_int_equal(h.cpus_online, sysconf(_SC_NPROCESSORS_ONLN));
	assert_true(h.cpu_model[0] != '\0' && strncmp(h.kernel, "Linux ", 6) == 0);
	assert_true(h.tsc_hz > 1e6);
	assert_true(h.mem_total_bytes > 1 << 20);
	zb_topo_destroy(t);
}

/* A pinned thread runs on its CPU and nowhere else; a CPU that does not exist is an error. */
static void pin_self_keeps_the_thread_on_its_cpu(void **state)
{
	cpu_set_t before, now;
	struct zb_topo *t;
	unsigned cpu;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	assert_int_equal(zb_topo_create(&t), 0);
	cpu = zb_topo_default_core(t);
	assert_int_equal(zb_topo_pin_self(t, cpu), 0);
	assert_int_equal(sched_getcpu(), cpu);
	assert_int_equal(sched_getaffinity(0, sizeof(now), &now), 0);
	assert_int_equal(CPU_COUNT(&now), 1);
	assert_true(zb_topo_pin_self(t, ZB_CPUS_MAX - 1) < 0);
	assert_int_equal(zb_topo_pin_self(t, ZB_CPUS_MAX), -EINVAL);
	assert_int_equal(zb_topo_pin_self_set(&before), 0);
	assert_int_equal(sched_getaffinity(0, sizeof(now), &now), 0);
	assert_true(CPU_EQUAL(&now, &before));
	zb_topo_destroy(t);
}

/* Nonsense instead of a machine is refused. */
static void create_bad_description_is_refused(void **state)
{
	struct zb_topo_conf conf = {.synthetic = "core:x"};
	struct zb_topo *t = NULL;

	(void)state;
	assert_int_equal(zb_topo_create_from(&conf, &t), -EINVAL);
	conf = (struct zb_topo_conf){.synthetic = "core:2 pu:1", .allowed = "7"};
	assert_int_equal(zb_topo_create_from(&conf, &t), -ENODEV);
	assert_null(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(check_cores_missing_cpu_is_named_with_the_choice),
		CASE(check_cores_offline_and_forbidden_cpus_are_told_apart),
		CASE(check_cores_own_affinity_is_respected),
		CASE(default_core_keeps_off_cpu_0_and_its_sibling),
		CASE(place_helpers_sit_near_but_not_on_siblings),
		CASE(place_helpers_avoid_isolated_cpus),
		CASE(place_no_cpu_left_helpers_share),
		CASE(advise_smt_siblings_are_warned_of),
		CASE(advise_two_numa_nodes_are_warned_of),
		CASE(advise_system_settings_are_read),
		CASE(advise_cpu_quota_is_found_up_the_tree),
		CASE(advise_interrupts_on_worker_cores_are_counted),
		CASE(advise_cpu_0_and_virtual_machine_are_noted),
		CASE(advise_small_array_is_not_overrun),
		CASE(host_facts_are_filled),
		CASE(pin_self_keeps_the_thread_on_its_cpu),
		CASE(create_bad_description_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

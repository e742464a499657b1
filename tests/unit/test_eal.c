/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_eal.c - EAL starts as any user, runs functions where it was told to, is silent, leaves
 * nothing
 *
 * EAL starts once per process, so each case forks; a child reports its failures on stderr and by
 * exit status.
 */
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <rte_eal.h>
#include <rte_malloc.h>
#include <cmocka.h>
#include "caught.h"
#include "capture/eal.h"

#define NOBODY	 65534
#define NO_RIGHT 77

/* In a child: says what does not hold, and ends. */
#define CHECK(cond)                                                                          \
	do {                                                                                 \
		if (!(cond)) {                                                               \
			dprintf(report_fd, "%s:%d: does not hold: %s\n", __func__, __LINE__, \
				#cond);                                                      \
			_exit(1);                                                            \
		}                                                                            \
	} while (0)

static int report_fd = STDERR_FILENO;
static cpu_set_t all_cpus;

/* The CPUs of this process, one after the other and from the start again. */
static unsigned nth_cpu(unsigned n)
{
	n %= (unsigned)CPU_COUNT(&all_cpus);
	for (unsigned cpu = 0;; cpu++)
		if (CPU_ISSET(cpu, &all_cpus) && n-- == 0)
			return cpu;
}

struct snapshot {
	char text[8192];
};

/* Everything in the places where DPDK leaves things. */
static void list_leftovers(const char *xdg, struct snapshot *s)
{
	const char *dirs[] = {"/dev/hugepages", "/var/run/dpdk", "/tmp/dpdk", xdg};
	size_t len = 0;

	memset(s, 0, sizeof(*s));
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		DIR *dir = opendir(dirs[i]);
		struct dirent *e;

		if (dir == NULL)
			continue;
		while ((e = readdir(dir)) != NULL && len < sizeof(s->text) - 300)
			len += (size_t)snprintf(s->text + len, sizeof(s->text) - len, "%s/%s\n",
						dirs[i], e->d_name);
		closedir(dir);
	}
}

struct where {
	_Atomic int cpu, cpus_allowed;
	char name[16];
	_Atomic bool go;
};

static int note_where(void *arg)
{
	struct where *w = arg;
	cpu_set_t set;

	atomic_store(&w->cpu, sched_getcpu());
	CPU_ZERO(&set);
	sched_getaffinity(0, sizeof(set), &set);
	atomic_store(&w->cpus_allowed, CPU_COUNT(&set));
	prctl(PR_GET_NAME, w->name);
	return 40 + atomic_load(&w->cpu);
}

static int wait_for_go(void *arg)
{
	struct where *w = arg;

	while (!atomic_load(&w->go))
		usleep(1000);
	return 7;
}

static void check_workers(const unsigned *cpus, unsigned nr)
{
	struct where w[2];
	char name[16];

	for (unsigned i = 0; i < nr; i++) {
		memset(&w[i], 0, sizeof(w[i]));
		CHECK(zb_eal_launch(i, note_where, &w[i]) == 0);
	}
	for (unsigned i = 0; i < nr; i++) {
		CHECK(zb_eal_wait(i) == 40 + (int)cpus[i]);
		CHECK(atomic_load(&w[i].cpu) == (int)cpus[i]);
		CHECK(atomic_load(&w[i].cpus_allowed) == 1);
		snprintf(name, sizeof(name), "lcore-%u", cpus[i]);
		CHECK(strcmp(w[i].name, name) == 0);
		CHECK(!zb_eal_running(i));
	}
}

static void check_states(void)
{
	struct where w = {.go = false};

	CHECK(zb_eal_wait(0) == -EINVAL);
	CHECK(zb_eal_launch(0, wait_for_go, &w) == 0);
	CHECK(zb_eal_running(0));
	CHECK(zb_eal_launch(0, wait_for_go, &w) == -EBUSY);
	atomic_store(&w.go, true);
	CHECK(zb_eal_wait(0) == 7);
	CHECK(!zb_eal_running(0));
	/* Finished but not waited for: the worker is free all the same. */
	CHECK(zb_eal_launch(0, wait_for_go, &w) == 0);
	while (zb_eal_running(0))
		usleep(1000);
	CHECK(zb_eal_launch(0, wait_for_go, &w) == 0);
	CHECK(zb_eal_wait(0) == 7);
	CHECK(zb_eal_launch(2, wait_for_go, &w) == -EINVAL);
	CHECK(!zb_eal_running(2));
}

/* A page that can only be huge: the size of all huge pages mapped by this process, in KiB. */
static unsigned long huge_kib(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "r");
	unsigned long kib = 0, v;
	char line[256];

	CHECK(f != NULL);
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "Private_Hugetlb: %lu kB", &v) == 1 ||
		    sscanf(line, "Shared_Hugetlb: %lu kB", &v) == 1)
			kib += v;
	fclose(f);
	return kib;
}

struct run {
	bool as_nobody, huge;	/* huge: what info must say */
	bool foreign_hugetlbfs; /* one is mounted that only root may open */
	const char *xdg;
};

/* The whole life of EAL in a child, silent on both standard streams. */
static void live(const struct run *run)
{
	unsigned cpus[2] = {nth_cpu(1), nth_cpu(0)};
	struct zb_eal_conf conf = {.worker_cpus = cpus, .worker_nr = 2, .helper_cpus = &all_cpus};
	struct zb_eal_info info;
	void *mem;

	CHECK(zb_eal_start(&conf, &info) == 0);
	CHECK(info.huge_pages == run->huge);
	check_workers(cpus, 2);
	check_states();
	mem = rte_malloc("test", 100000, 64);
	CHECK(mem != NULL);
	memset(mem, 1, 100000);
	CHECK((huge_kib() > 0) == run->huge);
	rte_free(mem);
	CHECK(getenv("RUNTIME_DIRECTORY") == NULL);
	zb_eal_stop();
	zb_eal_stop();
}

static char xdg[] = "/tmp/zb_eal_XXXXXX";

/* In a child that is still root, seen by nobody else; exits with NO_RIGHT where that is not
 * allowed. */
static void mount_foreign_hugetlbfs(const char *at)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", at, "hugetlbfs", 0, "mode=0700") < 0)
		_exit(NO_RIGHT);
}

static int in_child(void (*fn)(const struct run *), const struct run *run)
{
	pid_t pid;
	int status;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		report_fd = dup(STDERR_FILENO);
		setenv("XDG_RUNTIME_DIR", run->xdg, 1);
		unsetenv("RUNTIME_DIRECTORY");
		if (run->foreign_hugetlbfs)
			mount_foreign_hugetlbfs(run->xdg);
		if (run->as_nobody) {
			CHECK(setgroups(0, NULL) == 0);
			CHECK(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
		}
		fn(run);
		_exit(0);
	}
	assert_true(waitpid(pid, &status, 0) == pid);
	return status;
}

/* Runs live() in a child that must not use stdout and stderr; returns its exit status. */
static int expect_quiet_life(const struct run *run)
{
	static struct snapshot before, after;
	static struct caught out, err;
	int status;

	list_leftovers(run->xdg, &before);
	catch_fd(&out, STDOUT_FILENO);
	catch_fd(&err, STDERR_FILENO);
	status = in_child(live, run);
	release_fd(&err);
	release_fd(&out);
	list_leftovers(run->xdg, &after);
	assert_string_equal(err.text, "");
	assert_string_equal(out.text, "");
	assert_true(WIFEXITED(status));
	assert_string_equal(after.text, before.text);
	return WEXITSTATUS(status);
}

/* As the code under test must find out for itself: is a huge page to be had? */
static bool huge_page_free(void)
{
	void *p = mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	if (p != MAP_FAILED)
		munmap(p, 2 << 20);
	return p != MAP_FAILED;
}

/* Without free huge pages EAL starts all the same; workers run where they belong; nothing is left
 * or said. */
static void eal_without_huge_pages_runs_and_leaves_nothing(void **state)
{
	struct run run = {.huge = false, .xdg = xdg};

	(void)state;
	if (huge_page_free()) {
		print_message("skipped: this machine has free huge pages (vm.nr_hugepages=0 to run "
			      "it)\n");
		skip();
	}
	assert_int_equal(expect_quiet_life(&run), 0);
}

/* With free huge pages memory comes from them, and no file stays behind. */
static void eal_with_huge_pages_uses_them_and_leaves_nothing(void **state)
{
	struct run run = {.huge = true, .xdg = xdg};

	(void)state;
	if (!huge_page_free()) {
		print_message("skipped: no huge page is free (vm.nr_hugepages=64 to run it)\n");
		skip();
	}
	assert_int_equal(expect_quiet_life(&run), 0);
}

/* An ordinary user gets the same, with or without huge pages. */
static void eal_as_ordinary_user_runs_and_leaves_nothing(void **state)
{
	struct run run = {.as_nobody = true, .huge = huge_page_free(), .xdg = xdg};

	(void)state;
	if (getuid() != 0) {
		print_message("skipped: not root, so the other cases have shown it already\n");
		skip();
	}
	assert_int_equal(expect_quiet_life(&run), 0);
}

/* A hugetlbfs that another user mounted, and that may not be opened, does not stop EAL. */
static void eal_foreign_hugetlbfs_is_no_obstacle(void **state)
{
	struct run run = {.as_nobody = true, .huge = true, .foreign_hugetlbfs = true, .xdg = xdg};
	int status;

	(void)state;
	if (getuid() != 0 || !huge_page_free()) {
		print_message("skipped: needs root to mount, and a free huge page\n");
		skip();
	}
	status = expect_quiet_life(&run);
	if (status == NO_RIGHT) {
		print_message("skipped: this root may not mount\n");
		skip();
	}
	assert_int_equal(status, 0);
}

static void start_twice(const struct run *run)
{
	unsigned cpu = nth_cpu(0);
	struct zb_eal_conf conf = {.worker_cpus = &cpu, .worker_nr = 1, .helper_cpus = &all_cpus};
	struct zb_eal_info info;

	(void)run;
	CHECK(zb_eal_start(&conf, &info) == 0);
	CHECK(zb_eal_start(&conf, &info) == -EALREADY);
	zb_eal_stop();
}

static void start_on_missing_cpu(const struct run *run)
{
	unsigned cpu = CPU_SETSIZE - 1;
	struct zb_eal_conf conf = {.worker_cpus = &cpu, .worker_nr = 1, .helper_cpus = &all_cpus};
	struct zb_eal_info info;
	cpu_set_t now;

	(void)run;
	CHECK(zb_eal_start(&conf, &info) == -EINVAL);
	CHECK(sched_getaffinity(0, sizeof(now), &now) == 0 && CPU_EQUAL(&now, &all_cpus));
}

static void start_too_many(const struct run *run)
{
	static unsigned cpus[CPU_SETSIZE];
	struct zb_eal_conf conf = {.worker_cpus = cpus,
				   .worker_nr = CPU_SETSIZE,
				   .helper_cpus = &all_cpus};
	struct zb_eal_info info;

	(void)run;
	for (unsigned i = 0; i < CPU_SETSIZE; i++)
		cpus[i] = nth_cpu(0);
	CHECK(zb_eal_start(&conf, &info) == -EINVAL);
}

/* EAL itself refuses, as it was started behind our back: its last words become the reason. */
static void start_refused(const struct run *run)
{
	static char args[][24] = {"test",     "--no-huge",	"-m",	       "16",
				  "--no-pci", "--no-telemetry", "--no-shconf", "--log-level=emerg"};
	unsigned cpu = nth_cpu(0);
	struct zb_eal_conf conf = {.worker_cpus = &cpu, .worker_nr = 1, .helper_cpus = &all_cpus};
	struct zb_eal_info info;
	char *argv[9] = {NULL};

	(void)run;
	for (int i = 0; i < 8; i++)
		argv[i] = args[i];
	setenv("RUNTIME_DIRECTORY", "/dev/null", 1);
	CHECK(rte_eal_init(8, argv) >= 0);
	CHECK(zb_eal_start(&conf, &info) == -EALREADY);
	CHECK(strcmp(getenv("RUNTIME_DIRECTORY"), "/dev/null") == 0);
}

static void expect_one_line(void (*fn)(const struct run *), const char *line)
{
	struct run run = {.xdg = xdg};
	static struct caught err;
	int status;

	catch_fd(&err, STDERR_FILENO);
	status = in_child(fn, &run);
	release_fd(&err);
	assert_string_equal(err.text, line);
	assert_int_equal(status, 0);
}

/* What cannot be is said in one line, before EAL would abort the process over it. */
static void eal_impossible_wishes_are_refused_in_one_line(void **state)
{
	char line[128];

	(void)state;
	expect_one_line(start_on_missing_cpu,
			"zbench: DPDK: a worker cannot run on CPU 1023: Invalid argument\n");
	snprintf(
		line, sizeof(line),
		"zbench: DPDK: 1024 workers: this DPDK is built for at most %d; give fewer cores\n",
		RTE_MAX_LCORE - 1);
	expect_one_line(start_too_many, line);
	expect_one_line(start_twice, "zbench: DPDK: it starts only once in a process\n");
	expect_one_line(start_refused, "zbench: DPDK: cannot start: Operation already in progress: "
				       "already called initialization.\n");
}

/* A killed run leaves no more than one that ended well. */
static void be_killed(const struct run *run)
{
	unsigned cpu = nth_cpu(0);
	struct zb_eal_conf conf = {.worker_cpus = &cpu, .worker_nr = 1, .helper_cpus = &all_cpus};
	struct zb_eal_info info;

	(void)run;
	CHECK(zb_eal_start(&conf, &info) == 0);
	kill(getpid(), SIGKILL);
}

static void eal_killed_run_leaves_nothing(void **state)
{
	struct run run = {.xdg = xdg};
	static struct snapshot before, after;
	int status;

	(void)state;
	list_leftovers(xdg, &before);
	status = in_child(be_killed, &run);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	list_leftovers(xdg, &after);
	assert_string_equal(after.text, before.text);
}

static int set_up(void **state)
{
	(void)state;
	if (sched_getaffinity(0, sizeof(all_cpus), &all_cpus) < 0 || mkdtemp(xdg) == NULL)
		return -1;
	return getuid() == 0 ? chown(xdg, NOBODY, NOBODY) : 0;
}

static int tear_down(void **state)
{
	(void)state;
	return rmdir(xdg); /* fails when something was left in it */
}

/* PCI addresses must be told from names of virtual devices, whatever follows the comma. */
static void eal_pci_addresses_are_told_from_names(void **state)
{
	static const char *const pci[] = {"0000:03:00.0", "03:00.1", "0000:af:1f.7,arg=1", "3:0.0"};
	static const char *const not_pci[] = {"net_null0", "net_af_packet0,iface=eth1", "",	",",
					      "03:00.0x",  "virtio_user0,path=03:00.0", "03:00"};

	(void)state;
	for (size_t i = 0; i < sizeof(pci) / sizeof(pci[0]); i++)
		assert_true(zb_eal_is_pci(pci[i]));
	for (size_t i = 0; i < sizeof(not_pci) / sizeof(not_pci[0]); i++)
		assert_false(zb_eal_is_pci(not_pci[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(eal_without_huge_pages_runs_and_leaves_nothing),
		cmocka_unit_test(eal_with_huge_pages_uses_them_and_leaves_nothing),
		cmocka_unit_test(eal_as_ordinary_user_runs_and_leaves_nothing),
		cmocka_unit_test(eal_foreign_hugetlbfs_is_no_obstacle),
		cmocka_unit_test(eal_impossible_wishes_are_refused_in_one_line),
		cmocka_unit_test(eal_killed_run_leaves_nothing),
		cmocka_unit_test(eal_pci_addresses_are_told_from_names),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privileges.c - see privileges.h
 *
 * Capabilities belong to threads, and DPDK's were started before devices could be opened. So the
 * main thread drops its own with libcap-ng, and every other thread does what is left of it in a
 * signal handler, as the C library does for setuid().
 */
#include "bench/privileges.h"

#include <cap-ng.h>
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "profiler/diag.h"

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif
#ifndef CAP_BPF
#define CAP_BPF 39
#endif

#define DROP_SIGNAL (SIGRTMIN + 5)
#define WAIT_MS	    2000

/* What the handler installs, and how many threads have. */
static struct {
	struct __user_cap_data_struct caps[2];
	unsigned done, failed;
} all;

int zb_user_find(const char *name)
{
	if (getpwnam(name) != NULL)
		return 0;
	zb_err("--user %s: no such user", name);
	return -EINVAL;
}

static struct __user_cap_header_struct cap_header(void)
{
	return (struct __user_cap_header_struct){.version = _LINUX_CAPABILITY_VERSION_3};
}

/* Async-signal-safe: system calls and atomics only. */
static void drop_here(int sig)
{
	struct __user_cap_header_struct h = cap_header();
	int saved = errno;

	(void)sig;
	if (syscall(SYS_capset, &h, all.caps) < 0)
		__atomic_fetch_add(&all.failed, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&all.done, 1, __ATOMIC_RELEASE);
	errno = saved;
}

/* Sends the signal to all threads but this one; returns to how many, or -errno. */
static int signal_others(void)
{
	DIR *d = opendir("/proc/self/task");
	pid_t self = (pid_t)syscall(SYS_gettid);
	struct dirent *e;
	int sent = 0;

	if (d == NULL)
		return -errno;
	while ((e = readdir(d)) != NULL) {
		pid_t tid = (pid_t)atoi(e->d_name);

		if (tid > 0 && tid != self && syscall(SYS_tgkill, getpid(), tid, DROP_SIGNAL) == 0)
			sent++;
	}
	closedir(d);
	return sent;
}

/* Gives every other thread the capabilities of this one, or fewer. */
static int drop_in_others(void)
{
	struct sigaction sa = {.sa_handler = drop_here, .sa_flags = SA_RESTART}, before;
	struct __user_cap_header_struct h = cap_header();
	const struct timespec ms = {.tv_nsec = 1000000};
	int sent, ret = 0;

	if (syscall(SYS_capget, &h, all.caps) < 0)
		return -errno;
	sigemptyset(&sa.sa_mask);
	all.done = all.failed = 0;
	if (sigaction(DROP_SIGNAL, &sa, &before) < 0)
		return -errno;
	sent = signal_others();
	if (sent < 0)
		return sent;
	for (unsigned i = 0;
	     i < WAIT_MS && __atomic_load_n(&all.done, __ATOMIC_ACQUIRE) < (unsigned)sent; i++)
		nanosleep(&ms, NULL);
	if (__atomic_load_n(&all.done, __ATOMIC_ACQUIRE) < (unsigned)sent)
		ret = -ETIMEDOUT; /* the handler stays: one may still come to it */
	else
		sigaction(DROP_SIGNAL, &before, NULL);
	return ret == 0 && all.failed != 0 ? -EPERM : ret;
}

/*
 * Closing a DPDK device takes interfaces out of promiscuous mode and XDP programs off them, and
 * files may have to be written in a folder that is another user's.
 */
static void choose(const struct zb_privileges *p)
{
	char parent[PATH_MAX];
	struct stat st;

	snprintf(parent, sizeof(parent), "%s/..", p->dir);
	capng_clear(CAPNG_SELECT_BOTH);
	if (p->sampling)
		capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_PERFMON, CAP_SYSLOG,
			      CAP_IPC_LOCK, -1);
	if (p->ports)
		capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_ADMIN,
			      CAP_NET_RAW, CAP_SYS_ADMIN, CAP_BPF, -1);
	if (p->user == NULL && stat(parent, &st) == 0 && st.st_uid != geteuid())
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_DAC_OVERRIDE);
}

static int become(const struct zb_privileges *p)
{
	const struct passwd *pw = getpwnam(p->user);
	const char *what = NULL;

	if (pw == NULL)
		return zb_user_find(p->user);
	if (chown(p->dir, pw->pw_uid, pw->pw_gid) < 0)
		what = p->dir;
	else if (prctl(PR_SET_KEEPCAPS, 1L, 0L, 0L, 0L) < 0 ||
		 initgroups(pw->pw_name, pw->pw_gid) < 0 ||
		 setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
		 setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0)
		what = "cannot become this user";
	else if (access(p->dir, W_OK | X_OK) < 0) /* a folder above it may be closed */
		what = p->dir;
	/* Or the sampler could not read this process's own maps any more. */
	if (what == NULL && prctl(PR_SET_DUMPABLE, 1L, 0L, 0L, 0L) == 0)
		return 0;
	if (what == NULL)
		what = "cannot become this user";
	int ret = -errno;

	zb_err("--user %s: %s: %s", p->user, what, strerror(-ret));
	return ret;
}

int zb_privileges_drop(const struct zb_privileges *p)
{
	int ret = 0;

	if (p->user != NULL)
		ret = become(p);
	if (ret < 0)
		return ret;
	if (capng_get_caps_process() < 0 ||
	    capng_have_capabilities(CAPNG_SELECT_CAPS) <= CAPNG_NONE)
		return 0;
	choose(p);
	/* The bounding set goes too while it can: what is started later gets nothing back. */
	if (capng_apply(CAPNG_SELECT_BOTH) < 0 && capng_apply(CAPNG_SELECT_CAPS) < 0) {
		zb_err("privileges: they cannot be dropped");
		return -EPERM;
	}
	ret = drop_in_others();
	if (ret < 0)
		zb_err("privileges: not all threads could drop them: %s", strerror(-ret));
	return ret;
}

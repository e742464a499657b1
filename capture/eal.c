/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eal.c - starting and stopping DPDK's EAL, quietly and without a trace
 *
 * Memory: see eal_args.c and eal_huge.c.
 *
 * Leftovers. EAL wants a runtime folder (in /run for root, else XDG_RUNTIME_DIR or /tmp) even where
 * nothing is shared and nothing uses it, but starts without one. So it is pointed where no folder
 * can be made.
 *
 * Speech. EAL writes to its log and, for fatal errors, to stderr itself; glibc lets stderr be
 * assigned, so both go to a string while EAL starts. Afterwards the log's errors become zb_err
 * lines.
 *
 * Start-up. On a processor that does not tell its TSC frequency (CPUID leaf 0x15) EAL measures it
 * for 0.1 s; loading the plugins of a shared DPDK adds some 0.03 s, which keeps every driver
 * package usable.
 */
#include "capture/eal.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include "capture/eal_args_priv.h"
#include "capture/eal_huge_priv.h"
#include "profiler/diag.h"

#define LOG_LINES_MAX 32 /* errors of DPDK passed on, in a run */

struct job {
	int (*fn)(void *);
	void *arg;
	unsigned cpu;
	bool launched; /* by main, and not waited for yet */
	sem_t done;
};

static struct {
	struct job jobs[ZB_EAL_WORKERS_MAX];
	unsigned worker_nr;
	FILE *log; /* errors become zb_err lines; NULL when verbose */
	unsigned log_lines;
	char complaint[256];
	bool verbose;
	FILE *hush, *hush_saved; /* stderr as it was */
	char *hush_text;
	size_t hush_len;
	char share[ZB_SHARE_MAX]; /* name of the memory that is shared; "": it is not */
	char share_dir[PATH_MAX]; /* its files, which are ours to remove; "": they are not */
	bool started;		  /* once in a process */
	bool up;
} eal;

/*
 * EAL aborts the process when a worker may not run on its CPU, so that is tried first, on this
 * thread. Its own affinity is put back.
 */
static int try_affinity(const struct zb_eal_conf *conf)
{
	cpu_set_t before, one;
	int ret = 0;

	if (CPU_COUNT(conf->helper_cpus) == 0) {
		zb_err("DPDK: no CPU is left for the main thread");
		return -EINVAL;
	}
	if (conf->worker_nr > ZB_EAL_WORKERS_MAX) {
		zb_err("DPDK: %u workers: this DPDK is built for at most %d; give fewer cores",
		       conf->worker_nr, ZB_EAL_WORKERS_MAX);
		return -EINVAL;
	}
	if (sched_getaffinity(0, sizeof(before), &before) < 0)
		return 0; /* more CPUs than the mask holds: EAL will have to find out */
	for (unsigned i = 0; i < conf->worker_nr && ret == 0; i++) {
		CPU_ZERO(&one);
		if (conf->worker_cpus[i] < CPU_SETSIZE)
			CPU_SET(conf->worker_cpus[i], &one);
		if (sched_setaffinity(0, sizeof(one), &one) < 0) {
			ret = -errno;
			zb_err("DPDK: a worker cannot run on CPU %u: %s", conf->worker_cpus[i],
			       strerror(-ret));
		}
	}
	if (sched_setaffinity(0, sizeof(before), &before) < 0 && ret == 0)
		ret = -errno;
	return ret;
}

/* The log's stream after start-up: one zb_err per line, as long as there are not too many. */
static ssize_t log_line(void *cookie, const char *buf, size_t size)
{
	size_t len = size;

	(void)cookie;
	while (len > 0 && (buf[len - 1] == '\n' || buf[len - 1] == ' '))
		len--;
	if (len > 0 && eal.log_lines < LOG_LINES_MAX)
		zb_err("DPDK: %.*s%s", (int)(len < 512 ? len : 512), buf,
		       ++eal.log_lines == LOG_LINES_MAX
			       ? " (further messages of DPDK are not shown)"
			       : "");
	return (ssize_t)size;
}

static void log_to_diag(void)
{
	static const cookie_io_functions_t io = {.write = log_line};

	eal.log_lines = 0;
	eal.log = fopencookie(NULL, "w", io);
	if (eal.log != NULL)
		setvbuf(eal.log, NULL, _IOLBF, 1024);
	rte_openlog_stream(eal.log); /* NULL: DPDK's own choice, better than losing errors */
}

/* The message after "EAL: " of the last line that EAL left behind. */
static const char *last_words(char *text)
{
	size_t len = strlen(text);
	char *line;

	while (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	line = strrchr(text, '\n');
	line = line != NULL ? line + 1 : text;
	if (strncmp(line, "EAL: ", 5) == 0)
		line += 5;
	if (strncmp(line, "FATAL: ", 7) == 0)
		line += 7;
	return line;
}

/*
 * A device that cannot be made does not keep EAL from starting: keeps what it said first, apart
 * from the runtime folder, see Leftovers above.
 */
static void keep_complaint(char *text)
{
	char *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (strstr(line, "/dev/null") != NULL)
			continue;
		snprintf(eal.complaint, sizeof(eal.complaint), "%s", last_words(line));
		return;
	}
}

/* Calls rte_eal_init() with its log and stderr going to a string; says why when it fails. */
static int init_quietly(int argc, char **argv, const char *remedy)
{
	FILE *saved = stderr, *sink;
	char *text = NULL;
	size_t text_len;
	int ret;

	sink = open_memstream(&text, &text_len);
	if (sink == NULL) {
		ret = -errno;
		zb_err("DPDK: cannot start: %s", strerror(-ret));
		return ret;
	}
	rte_openlog_stream(sink);
	stderr = sink;
	ret = rte_eal_init(argc, argv);
	stderr = saved;
	rte_openlog_stream(NULL);
	fclose(sink);
	if (ret < 0) {
		ret = rte_errno > 0 ? -rte_errno : -EIO;
		zb_err("DPDK: cannot start: %s: %s%s", rte_strerror(-ret),
		       text != NULL && *text != '\0' ? last_words(text) : "no reason given",
		       remedy);
	} else if (text != NULL) {
		keep_complaint(text);
	}
	free(text);
	return ret < 0 ? ret : 0;
}

static int init_loudly(int argc, char **argv)
{
	int ret;

	rte_openlog_stream(stderr);
	ret = rte_eal_init(argc, argv);
	if (ret >= 0)
		return 0;
	ret = rte_errno > 0 ? -rte_errno : -EIO;
	zb_err("DPDK: cannot start: %s", rte_strerror(-ret));
	return ret;
}

static const char *remedy_of(const struct zb_eal_conf *conf)
{
	if (eal.share[0] == '\0')
		return "";
	return conf->attach ? "; start the run that shares the device first"
			    : "; to share, mount a hugetlbfs that this user may write to, and "
			      "take a name that no other run has";
}

/* The files of what is shared go with this process, or at once when nobody is there. */
static void note_share_files(const struct zb_eal_conf *conf, int ret)
{
	char config[PATH_MAX];

	if (eal.share[0] == '\0')
		return;
	snprintf(eal.share_dir, sizeof(eal.share_dir), "%s", rte_eal_get_runtime_dir());
	if (ret == 0 && !conf->attach)
		return;
	snprintf(config, sizeof(config), "%.*s/config", (int)sizeof(config) - 8, eal.share_dir);
	if (ret < 0 && eal.share_dir[0] == '/' && !rte_eal_primary_proc_alive(config))
		zb_share_clean(eal.share, eal.share_dir);
	eal.share_dir[0] = '\0';
}

/* EAL finds no place for its runtime folder, unless it is to be shared: see Leftovers above. */
static int init_where(const struct zb_eal_conf *conf, struct zb_eal_args *a)
{
	const char *env = getenv("RUNTIME_DIRECTORY");
	char *saved = env != NULL ? strdup(env) : NULL;
	int ret = env != NULL && saved == NULL ? -ENOMEM : 0;

	/* A folder below a device cannot be made; EAL says so in its log and goes on. */
	if (ret == 0 && eal.share[0] == '\0' && setenv("RUNTIME_DIRECTORY", "/dev/null", 1) < 0)
		ret = -ENOMEM;
	if (ret < 0) {
		free(saved);
		zb_err("DPDK: cannot start: %s", strerror(-ret));
		return ret;
	}
	ret = conf->verbose ? init_loudly(a->nr, a->v) : init_quietly(a->nr, a->v, remedy_of(conf));
	if (saved != NULL)
		setenv("RUNTIME_DIRECTORY", saved, 1);
	else
		unsetenv("RUNTIME_DIRECTORY");
	free(saved);
	note_share_files(conf, ret);
	return ret;
}

bool zb_eal_is_pci(const char *device)
{
	size_t len = strcspn(device, ",");
	char text[64];
	unsigned domain = 0, bus, slot, function;
	int end = -1;

	if (len >= sizeof(text))
		return false;
	memcpy(text, device, len);
	text[len] = '\0';
	if (sscanf(text, "%8x:%2x:%2x.%1x%n", &domain, &bus, &slot, &function, &end) == 4)
		return end == (int)len;
	return sscanf(text, "%2x:%2x.%1x%n", &bus, &slot, &function, &end) == 3 && end == (int)len;
}

bool zb_eal_is_shared(void)
{
	return eal.share[0] != '\0';
}

const char *zb_eal_complaint(void)
{
	return eal.complaint;
}

void zb_eal_hush(void)
{
	eal.complaint[0] = '\0';
	eal.hush = eal.verbose ? NULL : open_memstream(&eal.hush_text, &eal.hush_len);
	if (eal.hush == NULL)
		return; /* better heard than not done */
	rte_openlog_stream(eal.hush);
	eal.hush_saved = stderr;
	stderr = eal.hush;
}

void zb_eal_hush_end(void)
{
	if (eal.hush == NULL)
		return;
	stderr = eal.hush_saved;
	rte_openlog_stream(eal.log);
	fclose(eal.hush);
	eal.hush = NULL;
	keep_complaint(eal.hush_text);
	free(eal.hush_text);
	eal.hush_text = NULL;
}

/* Some drivers write to a socket whose other end has gone: that is an error, not the end. */
static void ignore_broken_pipes(void)
{
	struct sigaction sa = {.sa_handler = SIG_IGN};

	sigemptyset(&sa.sa_mask);
	sigaction(SIGPIPE, &sa, NULL);
}

/* The huge pages that are found free are still free when EAL looks for them. */
static int init_alone(const struct zb_eal_conf *conf, struct zb_eal_info *info)
{
	struct zb_eal_args args;
	int turn = zb_eal_huge_lock(), ret;

	info->huge_pages = zb_eal_huge_usable();
	ret = zb_eal_args_make(conf, info->huge_pages, &args);
	if (ret == 0) {
		snprintf(eal.share, sizeof(eal.share), "%s", args.share);
		if (conf->devices)
			ignore_broken_pipes();
		eal.started = true;
		eal.verbose = conf->verbose;
		ret = init_where(conf, &args);
	}
	zb_eal_args_free(&args);
	zb_eal_huge_unlock(turn);
	return ret;
}

int zb_eal_start(const struct zb_eal_conf *conf, struct zb_eal_info *info)
{
	int ret;

	if (eal.started) {
		zb_err("DPDK: it starts only once in a process");
		return -EALREADY;
	}
	ret = try_affinity(conf);
	if (ret == 0)
		ret = init_alone(conf, info);
	if (ret < 0)
		return ret;
	if (!conf->verbose)
		log_to_diag();
	for (unsigned i = 0; i < conf->worker_nr; i++) {
		eal.jobs[i].cpu = conf->worker_cpus[i];
		sem_init(&eal.jobs[i].done, 0, 0);
	}
	eal.worker_nr = conf->worker_nr;
	eal.up = true;
	return 0;
}

static int run_job(void *arg)
{
	struct job *j = arg;
	char name[16];
	int ret;

	/* The name that logs use for this worker, for top and perf. */
	snprintf(name, sizeof(name), "lcore-%u", j->cpu);
	pthread_setname_np(pthread_self(), name);
	ret = j->fn(j->arg);
	sem_post(&j->done);
	return ret;
}

/*
 * Sleeps until worker i has finished: rte_eal_wait_lcore() alone would spin on a CPU that others
 * need.
 */
static int collect(unsigned i)
{
	struct job *j = &eal.jobs[i];

	while (sem_wait(&j->done) < 0 && errno == EINTR)
		;
	j->launched = false;
	return rte_eal_wait_lcore(i + 1);
}

int zb_eal_launch(unsigned i, int (*fn)(void *), void *arg)
{
	struct job *j = &eal.jobs[i];
	int ret;

	if (i >= eal.worker_nr)
		return -EINVAL;
	if (zb_eal_running(i))
		return -EBUSY;
	if (j->launched) /* finished, but nobody waited for it */
		(void)collect(i);
	j->fn = fn;
	j->arg = arg;
	ret = rte_eal_remote_launch(run_job, j, i + 1);
	j->launched = ret == 0;
	return ret;
}

bool zb_eal_running(unsigned i)
{
	int done = 0;

	if (i >= eal.worker_nr || !eal.jobs[i].launched)
		return false;
	sem_getvalue(&eal.jobs[i].done, &done);
	return done == 0;
}

int zb_eal_wait(unsigned i)
{
	return i < eal.worker_nr && eal.jobs[i].launched ? collect(i) : -EINVAL;
}

void zb_eal_stop(void)
{
	if (!eal.up)
		return;
	eal.up = false;
	for (unsigned i = 0; i < eal.worker_nr; i++) {
		if (eal.jobs[i].launched)
			(void)collect(i);
		sem_destroy(&eal.jobs[i].done);
	}
	eal.worker_nr = 0;
	rte_eal_cleanup();
	if (eal.share_dir[0] != '\0')
		zb_share_clean(eal.share, eal.share_dir);
	rte_openlog_stream(NULL);
	if (eal.log != NULL)
		fclose(eal.log);
	eal.log = NULL;
}

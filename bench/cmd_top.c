/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_top.c - zbench top: what the workers of a run do, while it runs
 *
 * The run's lcore.log has all of it; the run itself knows nothing of who looks on.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/options.h"
#include "bench/top_process.h"
#include "bench/top_rows.h"
#include "bench/top_table.h"
#include "profiler/clock.h"
#include "profiler/diag.h"

#define LOOK_S	  0.1 /* between looks at the file */
#define SILENCE_S 5.0 /* without a row is worth a word */
#define LATEST	  "zbench-out/latest"

struct top_conf {
	bool once;
	double interval_s;
};

struct top {
	const struct top_conf *conf;
	const char *what; /* as the person has it */
	char folder[PATH_MAX];
	pid_t pid;   /* 0: not known */
	bool by_pid; /* it was given, and its folder is found out */
	struct zb_top_rows *rows;
	struct zb_top_table *table;
	struct zb_top_process process; /* when last drawn */
	bool drawn;
};

static const struct zb_opt options[] = {
	{"once", '1', ZB_OPT_FLAG, NULL, NULL, 0, 0, NULL, "print the table once and end",
	 offsetof(struct top_conf, once)},
	{"interval", 'i', ZB_OPT_SECONDS, "S", "1", 0, 0, NULL,
	 "between refreshes, and what rates are over", offsetof(struct top_conf, interval_s)},
};

static bool exists(const char *folder, const char *name)
{
	char path[PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return access(path, F_OK) == 0;
}

/* A run writes result.json when it is over; one that was killed does not, but is gone. */
static bool is_over(const struct top *t)
{
	if (t->folder[0] != '\0' && exists(t->folder, "result.json"))
		return true;
	return t->pid != 0 && kill(t->pid, 0) < 0 && errno == ESRCH;
}

static void nap(double s)
{
	struct timespec t = {.tv_sec = (time_t)s, .tv_nsec = (long)((s - (double)(time_t)s) * 1e9)};

	nanosleep(&t, NULL);
}

/* ---- attaching ---- */

/* A number is a process unless there is a folder of that name. */
static int find(struct top *t, const char *what)
{
	char *end;
	long pid;

	t->what = what != NULL ? what : LATEST;
	if (access(t->what, F_OK) == 0) {
		if ((size_t)snprintf(t->folder, sizeof(t->folder), "%s", t->what) <
		    sizeof(t->folder))
			return 0;
		zb_err("%s: %s", t->what, strerror(ENAMETOOLONG));
		return -ENAMETOOLONG;
	}
	pid = strtol(t->what, &end, 10);
	if (*end == '\0' && end != t->what && pid > 0 && pid <= INT_MAX) {
		t->pid = (pid_t)pid;
		t->by_pid = true;
		return 0;
	}
	zb_err("%s: no such folder or process; give the folder of a run or the number of its "
	       "process",
	       t->what);
	return -ENOENT;
}

/* One look for the log; -EAGAIN: it may still come. */
static int attach_once(struct top *t)
{
	char path[PATH_MAX + 32];
	int ret;

	if (t->by_pid && t->folder[0] == '\0') {
		ret = zb_top_folder_of(t->pid, t->folder, sizeof(t->folder));
		if (ret < 0)
			return ret == -ENOENT ? -EAGAIN : ret;
	}
	snprintf(path, sizeof(path), "%s/lcore.log", t->folder);
	ret = zb_top_rows_open(path, &t->rows);
	return ret == -ENOENT && !is_over(t) ? -EAGAIN : ret;
}

/* The log is made with its first rows, a second or so after the run has begun. */
static int attach(struct top *t)
{
	double until = zb_clock_s() + SILENCE_S;
	int ret;

	while ((ret = attach_once(t)) == -EAGAIN && zb_clock_s() < until)
		nap(LOOK_S);
	if (ret == 0)
		return 0;
	if (ret == -ENOENT || ret == -EAGAIN)
		zb_err("%s: no lcore.log; is it a run, and one whose --logs have lcore?", t->what);
	else
		zb_err("%s: %s", t->what, strerror(-ret));
	return ret;
}

/* ---- showing ---- */

static void take(void *arg, const struct zb_top_row *row)
{
	zb_top_table_take(arg, row);
}

static void print_process(struct top *t)
{
	struct zb_top_process p, before = t->process;
	double dt;

	if (t->pid == 0)
		t->pid = zb_top_process_of(t->folder);
	if (t->pid == 0 || zb_top_process_read(t->pid, &p) < 0)
		return;
	dt = p.wall_s - before.wall_s;
	printf("process %d: CPU %.0f %%, resident %.1f MB, virtual %.1f MB\n", (int)t->pid,
	       dt > 0 ? 100 * (p.cpu_s - before.cpu_s) / dt : 0, p.rss_bytes / 1e6,
	       p.virtual_bytes / 1e6);
	t->process = p;
}

static int draw(struct top *t, bool over)
{
	double silent_s = (double)time(NULL) - zb_top_table_newest_s(t->table);

	if (t->drawn)
		fputs(isatty(STDOUT_FILENO) ? "\033[H\033[J" : "\n", stdout);
	else if (!t->conf->once && isatty(STDOUT_FILENO))
		fputs("\033[H\033[J", stdout);
	t->drawn = true;
	printf("%s: %s", t->folder, over ? "over" : "running");
	if (!over && zb_top_table_newest_s(t->table) == 0)
		printf(", no figures yet");
	else if (!over && silent_s > SILENCE_S + t->conf->interval_s)
		printf(", no news for %.0f s", silent_s);
	putchar('\n');
	if (!over)
		print_process(t);
	putchar('\n');
	zb_top_table_print(t->table, stdout);
	if (over && exists(t->folder, "result.json"))
		printf("results  %s/result.json\n", t->folder);
	if (fflush(stdout) == 0)
		return 0;
	zb_err("standard output: %s", strerror(errno));
	return -EIO;
}

static int watch(struct top *t)
{
	double next = zb_clock_s();

	for (;;) {
		bool over = is_over(t); /* before the last rows are read, not after */
		int ret = zb_top_rows_read(t->rows, take, t->table);

		if (ret < 0) {
			zb_err("%s/lcore.log: %s", t->folder, strerror(-ret));
			return ret;
		}
		if (over || t->conf->once || zb_clock_s() >= next) {
			ret = draw(t, over);
			if (ret < 0 || over || t->conf->once)
				return ret;
			next += t->conf->interval_s;
		}
		nap(LOOK_S < t->conf->interval_s ? LOOK_S : t->conf->interval_s);
	}
}

static int top(const void *conf, const char *const *args, unsigned arg_nr, int argc, char **argv)
{
	struct top *t = calloc(1, sizeof(*t));
	int status = ZB_EXIT_USAGE;

	(void)argc;
	(void)argv;
	if (t == NULL) {
		zb_err("top: %s", strerror(ENOMEM));
		return ZB_EXIT_USAGE;
	}
	t->conf = conf;
	if (arg_nr > 1) {
		zb_err("top: %s: one run at a time", args[1]);
		goto free_top;
	}
	if (find(t, arg_nr == 1 ? args[0] : NULL) < 0 || attach(t) < 0)
		goto free_top;
	t->table = zb_top_table_create(t->conf->interval_s);
	if (t->table == NULL)
		zb_err("top: %s", strerror(ENOMEM));
	else
		status = watch(t) == 0 ? ZB_EXIT_OK : ZB_EXIT_BROKE;
	zb_top_table_destroy(t->table);
	zb_top_rows_close(t->rows);
free_top:
	free(t);
	return status;
}

const struct zb_command zb_cmd_top = {
	.name = "top",
	.usage = "zbench top [DIR|PID] [--once] [--interval S]",
	.summary = "watch the workers of a run, by default zbench-out/latest",
	.opts = options,
	.opt_nr = sizeof(options) / sizeof(options[0]),
	.args = "DIR|PID",
	.examples = "zbench top                          the newest run that was started here\n"
		    "zbench top --once $(pidof zbench)   for scripts\n",
	.conf_size = sizeof(struct top_conf),
	.run = top,
};

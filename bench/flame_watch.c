/* SPDX-License-Identifier: Apache-2.0 */
/* flame_watch.c - zbench flame -p PID | -C CPU: samples a process or a CPU for a while */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bench/flame_watch.h"
#include "bench/out_dir.h"
#include "profiler/clock.h"
#include "profiler/diag.h"

static volatile sig_atomic_t signalled;

static void on_signal(int sig)
{
	signalled = sig;
}

/* The first one ends sampling; a second one ends us. */
static void catch_signals(void)
{
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESETHAND};

	sigemptyset(&sa.sa_mask);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

static void sample(struct zb_watch *w, double duration_s)
{
	double end_s = duration_s > 0 ? zb_clock_s() + duration_s : 0;
	unsigned pause_ms = zb_watch_pause_ms(w);
	bool lives = true;

	while (lives && signalled == 0) {
		double left_s = end_s - zb_clock_s();
		long ms = pause_ms;
		struct timespec pause;

		if (duration_s > 0 && left_s <= 0)
			return;
		if (duration_s > 0 && left_s * 1e3 < (double)ms)
			ms = (long)(left_s * 1e3) + 1;
		pause.tv_sec = 0;
		pause.tv_nsec = ms * 1000000;
		nanosleep(&pause, NULL); /* a signal ends it */
		lives = zb_watch_poll(w);
	}
}

static int setting(const char *path)
{
	FILE *f = fopen(path, "re");
	int value = -1;

	if (f == NULL)
		return -1;
	if (fscanf(f, "%d", &value) != 1)
		value = -1;
	fclose(f);
	return value;
}

static void say_kernel(const struct zb_watch_stat *s)
{
	if (!s->kernel_frames)
		zb_warn("no kernel frames: kernel.perf_event_paranoid is %d; they need root, "
			"CAP_PERFMON, or 1 or less",
			setting("/proc/sys/kernel/perf_event_paranoid"));
	else if (!s->kernel_names)
		zb_warn("kernel frames have no names: kernel.kptr_restrict is %d; they need root, "
			"or 0 there and 1 or less in kernel.perf_event_paranoid",
			setting("/proc/sys/kernel/kptr_restrict"));
}

static void say_stat(const struct zb_watch_stat *s, const struct zb_samples *samples)
{
	fprintf(stderr, "%" PRIu64 " samples of %" PRIu32 " threads in %.1f s, by %s\n", s->samples,
		samples->lane_nr, (double)samples->duration_ns / 1e9, samples->method);
	if (s->lost > 0)
		zb_warn("%" PRIu64 " samples lost: the kernel had no room for them; take fewer "
			"with --hz, or --call-graph fp",
			s->lost);
	if (s->throttled > 0)
		zb_warn("the kernel held sampling back %" PRIu64 " times, as it took too long",
			s->throttled);
}

static int keep(const struct zb_out_dir *dir, struct zb_flame_source *out)
{
	char path[PATH_MAX + 16];
	int ret = zb_out_dir_sub(dir, "flame", out->folder);

	if (ret < 0)
		return ret;
	snprintf(out->path, sizeof(out->path), "%s", dir->path);
	snprintf(path, sizeof(path), "%s/samples.gz", out->folder);
	return zb_samples_write(out->samples, path);
}

static int watch(const struct zb_flame_watch *conf, struct zb_flame_source *out)
{
	struct zb_watch_stat stat;
	struct zb_watch *w;
	int ret = zb_watch_open(&conf->watch, &w);

	if (ret < 0)
		return ZB_EXIT_USAGE; /* said */
	zb_watch_stat(w, &stat);
	say_kernel(&stat);
	catch_signals();
	sample(w, conf->duration_s);
	ret = zb_watch_finish(w, &out->samples);
	zb_watch_stat(w, &stat);
	zb_watch_close(w);
	if (ret < 0)
		zb_warn("flame: out of memory: samples are missing");
	say_stat(&stat, out->samples);
	return ZB_EXIT_OK;
}

int zb_flame_watch(const struct zb_flame_watch *conf, struct zb_flame_source *out)
{
	bool is_pid = conf->watch.pid != 0;
	struct zb_out_dir dir;
	int status;

	*out = (struct zb_flame_source){.cut = ZB_CUT_ALL, .has_times = true};
	snprintf(out->path, sizeof(out->path), "%s%d", is_pid ? "pid-" : "cpu-",
		 is_pid ? conf->watch.pid : conf->watch.cpu);
	out->arg = out->path;
	if (conf->keep && zb_out_dir_make(&dir, conf->folder, out->path) < 0)
		return ZB_EXIT_USAGE;
	for (size_t len = conf->keep ? strlen(dir.path) : 0; len > 1 && dir.path[len - 1] == '/';)
		dir.path[--len] = '\0';
	status = watch(conf, out);
	if (conf->keep && status == ZB_EXIT_OK && keep(&dir, out) < 0)
		status = ZB_EXIT_BROKE;
	if (conf->keep && status != ZB_EXIT_OK)
		zb_out_dir_undo(&dir);
	return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* watch.c - samples any process, or a CPU, from outside */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "profiler/clock.h"
#include "profiler/diag.h"
#include "profiler/watch_priv.h"

struct zb_watch {
	struct zb_watch_conf conf;
	struct zb_watch_events events;
	struct zb_watch_people people;
	struct zb_perf_ring **ring; /* those that are there */
	uint32_t ring_nr;
	struct zb_samples *samples;
	struct zb_watch_stat stat;
	uint64_t start_ns, polled_ns;
	int pidfd; /* -1: not to be had */
	bool no_memory;
};

struct watch_sink {
	struct zb_sample_sink sink; /* first: the callee gets this one */
	struct zb_watch *w;
};

static int paranoid(void)
{
	FILE *f = fopen("/proc/sys/kernel/perf_event_paranoid", "re");
	int level = -1;

	if (f == NULL)
		return level;
	if (fscanf(f, "%d", &level) != 1)
		level = -1;
	fclose(f);
	return level;
}

static void say_why(const struct zb_watch_conf *c, int ret)
{
	char who[32];

	snprintf(who, sizeof(who), c->pid != 0 ? "-p %d" : "-C %d", c->pid != 0 ? c->pid : c->cpu);
	if (ret == -ESRCH)
		zb_err("%s: no such process", who);
	else if (ret == -ENODEV || ret == -EINVAL)
		zb_err("%s: no such CPU", who);
	else if (ret == -EACCES || ret == -EPERM)
		zb_err("%s: not allowed with kernel.perf_event_paranoid %d; be root or have "
		       "CAP_PERFMON, or set it to %d",
		       who, paranoid(),
		       c->pid == 0  ? 0
		       : c->off_cpu ? 1
				    : 2);
	else if (ret == -EMFILE)
		zb_err("%s: too many open files: one for each thread and CPU; raise ulimit -n",
		       who);
	else
		zb_err("%s: perf_event_open: %s", who, strerror(-ret));
}

/* A process that has ended and that its parent has not asked after has ended nevertheless. */
static bool lives(const struct zb_watch *w)
{
	struct pollfd p = {.fd = w->pidfd, .events = POLLIN};

	if (w->conf.pid == 0)
		return true;
	if (w->pidfd >= 0)
		return poll(&p, 1, 0) == 0;
	return kill(w->conf.pid, 0) == 0 || errno == EPERM;
}

/* Of many CPUs most rings of switches may be missing. */
static int list_rings(struct zb_watch *w)
{
	w->ring = calloc(2 * (size_t)w->events.cpu_nr, sizeof(struct zb_perf_ring *));
	if (w->ring == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < 2 * w->events.cpu_nr; i++)
		if (w->events.ring[i].page != NULL)
			w->ring[w->ring_nr++] = &w->events.ring[i];
	return 0;
}

int zb_watch_open(const struct zb_watch_conf *conf, struct zb_watch **out)
{
	struct zb_watch *w = calloc(1, sizeof(*w));
	struct timespec now;
	int ret;

	assert(conf->hz > 0);
	if (w == NULL)
		return -ENOMEM;
	w->conf = *conf;
	w->pidfd = conf->pid != 0 ? (int)syscall(SYS_pidfd_open, conf->pid, 0) : -1;
	w->conf.hz = zb_perf_allowed_hz(conf->hz);
	ret = zb_samples_create(&w->samples);
	if (ret == 0)
		ret = zb_watch_people_init(&w->people, conf->pid != 0 ? -1 : conf->cpu,
					   conf->dwarf);
	if (ret < 0) {
		zb_err("flame: %s", strerror(-ret));
		goto close;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	w->start_ns = zb_clock_ns();
	w->samples->start_unix_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	w->samples->period_ns = 1000000000u / w->conf.hz;
	ret = zb_watch_events_open(&w->events, &w->conf);
	if (ret == 0)
		ret = list_rings(w);
	/* From now on what is new is said by events. */
	if (ret == 0)
		ret = conf->pid != 0 ? zb_watch_look(&w->people, (uint32_t)conf->pid)
				     : zb_watch_look_all(&w->people);
	if (ret < 0) {
		say_why(conf, ret);
		goto close;
	}
	snprintf(w->samples->method, sizeof(w->samples->method), "%s",
		 zb_sampler_method_name(w->events.method));
	w->stat.kernel_frames = w->events.kernel_frames;
	w->stat.kernel_names = w->stat.kernel_frames && zb_symbols_know_kernel(w->people.kernel);
	*out = w;
	return 0;

close:
	zb_watch_close(w);
	return ret;
}

void zb_watch_close(struct zb_watch *w)
{
	if (w == NULL)
		return;
	zb_watch_events_close(&w->events);
	zb_watch_people_fini(&w->people);
	zb_samples_destroy(w->samples);
	if (w->pidfd >= 0)
		close(w->pidfd);
	free(w->ring);
	free(w);
}

static void add(struct zb_watch *w, uint64_t time_ns, struct zb_sample_at at)
{
	uint64_t from = w->start_ns;

	if (zb_sample_times_add(&w->samples->times, time_ns > from ? time_ns - from : 0, at) < 0)
		w->no_memory = true;
}

/* Rings of switches have odd places among all. */
static bool is_switch(const struct zb_watch *w, const struct zb_sample_sink *sink)
{
	return (w->ring[sink->ring] - w->events.ring) % 2 != 0;
}

static void take_sample(struct zb_sample_sink *sink, const struct zb_sample *sample)
{
	struct zb_watch *w = ((struct watch_sink *)sink)->w;
	struct zb_watch_thread *t = zb_watch_thread_of(&w->people, sample->pid, sample->tid);
	uint32_t stack, lane;

	if (zb_watch_lane(&w->people, w->samples, t, &lane) < 0 ||
	    zb_watch_stack(&w->people, w->samples, sample, &stack) < 0) {
		w->no_memory = true;
		return;
	}
	if (is_switch(w, sink)) {
		zb_off_cpu_stack(&t->off, stack);
		return;
	}
	w->stat.samples++;
	add(w, sample->time_ns,
	    (struct zb_sample_at){
		    .weight = 1, .stack = stack, .lane = (uint16_t)lane, .state = ZB_CPU_ON});
}

static void take_switch(struct zb_sample_sink *sink, const struct zb_switch *s)
{
	struct zb_watch *w = ((struct watch_sink *)sink)->w;
	struct zb_watch_thread *t;
	struct zb_off_time off;

	if (s->tid == 0)
		return; /* the idle thread of a CPU */
	t = zb_watch_thread_of(&w->people, s->pid, s->tid);
	if (!zb_off_cpu_switch(&t->off, s, &off) || t->lane == ZB_SAMPLES_NONE)
		return;
	off.at.lane = (uint16_t)t->lane;
	add(w, off.from_ns, off.at);
}

static void take_task(struct zb_sample_sink *sink, const struct zb_task_event *e)
{
	struct zb_watch *w = ((struct watch_sink *)sink)->w;

	if (zb_watch_task(&w->people, e) < 0)
		w->no_memory = true;
}

static void drain(struct zb_watch *w, uint64_t before_ns)
{
	struct watch_sink ws = {
		.sink = {.sample = take_sample, .switched = take_switch, .task = take_task},
		.w = w,
	};

	zb_perf_rings_drain(w->ring, w->ring_nr, before_ns, &ws.sink);
	w->stat.lost += ws.sink.lost;
	w->stat.throttled += ws.sink.throttled;
}

/*
 * A record of before the last call is in its ring by now, whatever CPU wrote it: so up to there the
 * order of all is known.
 */
bool zb_watch_poll(struct zb_watch *w)
{
	/* Asked first: what it did until then is still taken. */
	bool goes_on = lives(w);
	uint64_t now_ns = zb_clock_ns();

	drain(w, w->polled_ns);
	w->polled_ns = now_ns;
	return goes_on;
}

/* Two pauses of samples stand in a ring at a time. */
unsigned zb_watch_pause_ms(const struct zb_watch *w)
{
	return w->conf.hz <= 1000 ? 50 : w->conf.hz <= 5000 ? 20 : 10;
}

void zb_watch_stat(const struct zb_watch *w, struct zb_watch_stat *out)
{
	*out = w->stat;
}

/* Threads that are still off the CPU. */
static void end_threads(struct zb_watch *w, uint64_t now_ns)
{
	for (uint32_t i = 0; i < w->people.thread_nr; i++) {
		struct zb_watch_thread *t = &w->people.thread[i];
		struct zb_off_time off;

		if (t->tid == 0 || t->lane == ZB_SAMPLES_NONE ||
		    !zb_off_cpu_end(&t->off, now_ns, &off))
			continue;
		off.at.lane = (uint16_t)t->lane;
		add(w, off.from_ns, off.at);
	}
}

/*
 * The program, where all samples of a process are of one. A CPU has none, also where nobody else
 * was met there: whether stacks begin with a name does not hang on that.
 */
static void name_program(struct zb_samples *s)
{
	const struct zb_samples_lane *first = NULL;

	for (uint32_t i = 0; i < s->lane_nr; i++) {
		const struct zb_samples_lane *l = &s->lane[i];

		if (first != NULL && l->pid != first->pid)
			return;
		if (first == NULL || l->tid == l->pid)
			first = l;
	}
	if (first != NULL && first->pid != 0)
		snprintf(s->comm, sizeof(s->comm), "%s", first->comm);
}

int zb_watch_finish(struct zb_watch *w, struct zb_samples **out)
{
	uint64_t now_ns = zb_clock_ns(), lost = zb_watch_events_stop(&w->events);

	drain(w, UINT64_MAX);
	/* A ring says what it lost when it has room again, which may have been never. */
	w->stat.lost = lost > w->stat.lost ? lost : w->stat.lost;
	end_threads(w, now_ns);
	w->samples->duration_ns = now_ns - w->start_ns;
	zb_sample_times_settle(&w->samples->times);
	if (w->conf.pid != 0)
		name_program(w->samples);
	*out = w->samples;
	w->samples = NULL;
	return w->no_memory ? -ENOMEM : 0;
}

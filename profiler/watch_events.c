/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch_events.c - the events and rings of a watch
 *
 * An event that threads hand on to those they start may have a ring only when it is bound to a CPU.
 * So each thread has an event on each CPU, and all events of a CPU write into one ring.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "profiler/watch_priv.h"

#define RING_BYTES_MIN	(1u << 18) /* of a CPU's ring; a power of two, as all are */
#define RING_BYTES_MAX	(1u << 23)
#define ALL_RINGS_BYTES (1u << 26)
#define STACK_BYTES	16384u /* fewer where samples come so often that the ring would be full */
#define STACK_BYTES_MIN 2048u

static void raise_fd_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < l.rlim_max) {
		l.rlim_cur = l.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &l);
	}
}

static int keep_fd(struct zb_watch_events *e, int fd)
{
	if (e->fd_nr == e->fd_room) {
		uint32_t room = e->fd_room == 0 ? 64 : e->fd_room * 2;
		int *fds = reallocarray(e->fd, room, sizeof(*fds));

		if (fds == NULL) {
			close(fd);
			return -ENOMEM;
		}
		e->fd = fds;
		e->fd_room = room;
	}
	e->fd[e->fd_nr++] = fd;
	return 0;
}

/* So that a second of samples is 5 MiB; a multiple of 8. */
static uint32_t stack_bytes(uint32_t hz)
{
	uint32_t bytes = (5u << 20) / hz / 8 * 8;

	if (bytes < STACK_BYTES_MIN)
		return STACK_BYTES_MIN;
	return bytes < STACK_BYTES ? bytes : STACK_BYTES;
}

static struct perf_event_attr base_attr(const struct zb_watch_conf *conf)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.sample_type = ZB_PERF_SAMPLE_TYPE,
		.disabled = 1,
		.inherit = conf->pid != 0,
		.exclude_hv = 1,
		.exclude_idle = 1,
		.sample_id_all = 1,
		.read_format = PERF_FORMAT_LOST,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
	};

	if (conf->dwarf && ZB_PERF_USER_REGS != 0) {
		attr.sample_type |= PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER;
		attr.sample_regs_user = ZB_PERF_USER_REGS;
		attr.sample_stack_user = stack_bytes(conf->hz);
	}
	return attr;
}

static int open_fd(const struct perf_event_attr *attr, int tid, int cpu)
{
	struct perf_event_attr a = *attr; /* the kernel may write to it */
	int fd = (int)syscall(SYS_perf_event_open, &a, tid, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0 && errno == EINVAL) { /* a kernel before 6.0 has no PERF_FORMAT_LOST */
		a = *attr;
		a.read_format = 0;
		fd = (int)syscall(SYS_perf_event_open, &a, tid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	}
	return fd < 0 ? -errno : fd;
}

/* Gives the event the ring of its CPU, which is mapped for the first one. */
static int join_ring(struct zb_perf_ring *ring, int *owner, int fd, bool has_stack, uint32_t bytes)
{
	size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	int ret = -EINVAL;

	if (ring->page != NULL)
		return ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, *owner) < 0 ? -errno : 0;
	/* Ordinary users may lock kernel.perf_event_mlock_kb per CPU. */
	for (; bytes >= page_bytes; bytes /= 2) {
		ret = zb_perf_ring_map(ring, fd, bytes);
		if (ret != -EPERM && ret != -ENOMEM)
			break;
	}
	ring->has_stack = has_stack;
	*owner = fd;
	return ret;
}

struct opening {
	struct zb_watch_events *e;
	const struct zb_watch_conf *conf;
	struct perf_event_attr attr, switch_attr, task_attr;
	int *owner; /* of each ring */
	uint32_t ring_bytes;
};

static int open_into(struct opening *o, const struct perf_event_attr *attr, int tid, uint32_t cpu,
		     uint32_t ring)
{
	bool has_stack = (attr->sample_type & PERF_SAMPLE_STACK_USER) != 0;
	int fd = open_fd(attr, tid, (int)cpu);
	int ret = fd < 0 ? fd : keep_fd(o->e, fd);

	return ret < 0 ? ret
		       : join_ring(&o->e->ring[ring], &o->owner[ring], fd, has_stack,
				   o->ring_bytes);
}

/* One event of a thread on a CPU, and the one of its switches. -ENODEV: there is no such CPU. */
static int open_one(struct opening *o, int tid, uint32_t cpu)
{
	int ret = open_into(o, &o->attr, tid, cpu, 2 * cpu);

	if (ret < 0 || !o->conf->off_cpu)
		return ret;
	return open_into(o, &o->switch_attr, tid, cpu, 2 * cpu + 1);
}

/* A CPU by itself; what its processes mapped elsewhere is said by events without samples there. */
static int open_cpu(struct opening *o)
{
	int ret = (uint32_t)o->conf->cpu < o->e->cpu_nr ? open_one(o, -1, (uint32_t)o->conf->cpu)
							: -ENODEV;

	for (uint32_t cpu = 0; ret == 0 && cpu < o->e->cpu_nr; cpu++) {
		if (cpu == (uint32_t)o->conf->cpu)
			continue;
		ret = open_into(o, &o->task_attr, -1, cpu, 2 * cpu);
		if (ret == -ENODEV)
			ret = 0; /* it is off */
	}
	return ret;
}

/* A thread that is gone meanwhile, or a CPU that is off, is no error. */
static int open_thread(struct opening *o, int tid)
{
	for (uint32_t cpu = 0; cpu < o->e->cpu_nr; cpu++) {
		int ret = open_one(o, tid, cpu);

		if (ret == -ESRCH)
			return 0;
		if (ret < 0 && ret != -ENODEV)
			return ret;
	}
	return 0;
}

static int open_process(struct opening *o)
{
	struct dirent *entry;
	char path[48];
	int ret = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", o->conf->pid);
	dir = opendir(path);
	if (dir == NULL)
		return errno == ENOENT ? -ESRCH : -errno;
	while (ret == 0 && (entry = readdir(dir)) != NULL) {
		int tid = atoi(entry->d_name);

		if (tid > 0)
			ret = open_thread(o, tid);
	}
	closedir(dir);
	return ret == 0 && o->e->fd_nr == 0 ? -ESRCH : ret;
}

static void fill_attrs(struct opening *o, bool cycles, bool kernel)
{
	o->attr = o->switch_attr = base_attr(o->conf);
	o->attr.type = cycles ? PERF_TYPE_HARDWARE : PERF_TYPE_SOFTWARE;
	o->attr.config = cycles ? (uint64_t)PERF_COUNT_HW_CPU_CYCLES : PERF_COUNT_SW_CPU_CLOCK;
	o->attr.freq = 1;
	o->attr.sample_freq = o->conf->hz;
	o->attr.exclude_kernel = o->attr.exclude_callchain_kernel = !kernel;
	/* What is mapped, begun and ended is said in the same rings. */
	o->attr.mmap = o->attr.mmap2 = o->attr.comm = o->attr.comm_exec = o->attr.task = 1;
	o->task_attr = o->attr;
	o->task_attr.type = PERF_TYPE_SOFTWARE;
	o->task_attr.config = PERF_COUNT_SW_DUMMY;
	o->task_attr.freq = 0;
	o->task_attr.sample_period = 1;
	o->switch_attr.type = PERF_TYPE_SOFTWARE;
	o->switch_attr.config = PERF_COUNT_SW_CONTEXT_SWITCHES;
	o->switch_attr.sample_period = 1;
	o->switch_attr.sample_id_all = 1;
	o->switch_attr.context_switch = 1;
}

/* The best event that is allowed, as the sampler takes it; switches happen in the kernel. */
static int open_best(struct opening *o)
{
	int ret = -ENOTSUP;

	for (int i = 0; i < 4; i++) {
		bool cycles = i < 2, kernel = i % 2 == 0;

		if (o->conf->off_cpu && !kernel)
			continue;
		fill_attrs(o, cycles, kernel);
		ret = o->conf->pid != 0 ? open_process(o) : open_cpu(o);
		if (ret == 0) {
			o->e->method = cycles ? ZB_SAMPLER_PERF_CYCLES : ZB_SAMPLER_PERF_CPU_CLOCK;
			o->e->kernel_frames = kernel;
			return 0;
		}
		if (ret == -ESRCH || ret == -EMFILE || ret == -ENODEV || o->e->fd_nr > 0)
			return ret;
	}
	return ret;
}

int zb_watch_events_open(struct zb_watch_events *e, const struct zb_watch_conf *conf)
{
	struct opening o = {.e = e, .conf = conf};
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	int ret = -ENOMEM;

	*e = (struct zb_watch_events){.cpu_nr = cpus > 0 ? (uint32_t)cpus : 1};
	for (o.ring_bytes = RING_BYTES_MAX;
	     o.ring_bytes > RING_BYTES_MIN && (uint64_t)o.ring_bytes * e->cpu_nr > ALL_RINGS_BYTES;)
		o.ring_bytes /= 2;
	raise_fd_limit();
	e->ring = calloc(2 * (size_t)e->cpu_nr, sizeof(*e->ring));
	o.owner = calloc(2 * (size_t)e->cpu_nr, sizeof(*o.owner));
	if (e->ring != NULL && o.owner != NULL)
		ret = open_best(&o);
	free(o.owner);
	for (uint32_t i = 0; ret == 0 && i < e->fd_nr; i++)
		if (ioctl(e->fd[i], PERF_EVENT_IOC_ENABLE, 0) < 0)
			ret = -errno;
	if (ret < 0)
		zb_watch_events_close(e);
	return ret;
}

uint64_t zb_watch_events_stop(struct zb_watch_events *e)
{
	uint64_t lost = 0, value[2]; /* the count; what of it was lost */

	for (uint32_t i = 0; i < e->fd_nr; i++) {
		(void)ioctl(e->fd[i], PERF_EVENT_IOC_DISABLE, 0);
		if (read(e->fd[i], value, sizeof(value)) == sizeof(value))
			lost += value[1];
	}
	return lost;
}

void zb_watch_events_close(struct zb_watch_events *e)
{
	for (uint32_t i = 0; e->ring != NULL && i < 2 * e->cpu_nr; i++)
		if (e->ring[i].page != NULL)
			zb_perf_ring_unmap(&e->ring[i]);
	for (uint32_t i = 0; i < e->fd_nr; i++)
		close(e->fd[i]);
	free(e->fd);
	free(e->ring);
	*e = (struct zb_watch_events){0};
}

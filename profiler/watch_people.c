/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch_people.c - the processes and threads that a watch meets
 *
 * Both are kept in arrays, found by chains of equal hashes, and forgotten when they end. Where
 * there are more than there is room for, the ones unused for longest go.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "profiler/clock.h"
#include "profiler/watch_priv.h"

#define LANES_OWN (ZB_SAMPLES_LANES_MAX - 512u) /* beyond, threads of one name share a lane */
#define OTHERS	  "other threads"

static uint32_t hash(uint32_t id, uint32_t nr)
{
	return (uint32_t)(id * 0x9e3779b97f4a7c15u >> 32) & (nr - 1);
}

int zb_watch_people_init(struct zb_watch_people *p, int cpu, bool dwarf)
{
	int ret;

	*p = (struct zb_watch_people){
		.cpu = cpu,
		.dwarf = dwarf,
		.process = calloc(ZB_WATCH_PROCESSES, sizeof(*p->process)),
		.thread = calloc(ZB_WATCH_THREADS, sizeof(*p->thread)),
		.process_head = calloc(ZB_WATCH_PROCESSES, sizeof(*p->process_head)),
		.thread_head = calloc(ZB_WATCH_THREADS, sizeof(*p->thread_head)),
	};
	ret = zb_watch_files_init(&p->files);
	if (ret < 0 || p->process == NULL || p->thread == NULL || p->process_head == NULL ||
	    p->thread_head == NULL)
		return -ENOMEM;
	return zb_symbols_create(&p->kernel);
}

void zb_watch_people_fini(struct zb_watch_people *p)
{
	for (uint32_t i = 0; p->process != NULL && i < p->process_nr; i++)
		zb_watch_maps_fini(&p->process[i].maps);
	free(p->process);
	free(p->thread);
	free(p->process_head);
	free(p->thread_head);
	zb_watch_files_fini(&p->files);
	zb_symbols_destroy(p->kernel);
}

static struct zb_watch_process *find_process(struct zb_watch_people *p, uint32_t pid)
{
	uint32_t at = p->process_head[hash(pid, ZB_WATCH_PROCESSES)];

	while (at != 0 && p->process[at - 1].pid != pid)
		at = p->process[at - 1].next;
	return at != 0 ? &p->process[at - 1] : NULL;
}

static struct zb_watch_thread *find_thread(struct zb_watch_people *p, uint32_t tid)
{
	uint32_t at = p->thread_head[hash(tid, ZB_WATCH_THREADS)];

	while (at != 0 && p->thread[at - 1].tid != tid)
		at = p->thread[at - 1].next;
	return at != 0 ? &p->thread[at - 1] : NULL;
}

static void forget_process(struct zb_watch_people *p, struct zb_watch_process *x)
{
	uint32_t number = (uint32_t)(x - p->process) + 1;
	uint32_t *at = &p->process_head[hash(x->pid, ZB_WATCH_PROCESSES)];

	while (*at != number)
		at = &p->process[*at - 1].next;
	*at = x->next;
	zb_watch_maps_fini(&x->maps);
	*x = (struct zb_watch_process){.next = p->process_free};
	p->process_free = number;
}

static void forget_thread(struct zb_watch_people *p, struct zb_watch_thread *x)
{
	uint32_t number = (uint32_t)(x - p->thread) + 1;
	uint32_t *at = &p->thread_head[hash(x->tid, ZB_WATCH_THREADS)];

	while (*at != number)
		at = &p->thread[*at - 1].next;
	*at = x->next;
	*x = (struct zb_watch_thread){.next = p->thread_free};
	p->thread_free = number;
}

static struct zb_watch_process *new_process(struct zb_watch_people *p, uint32_t pid)
{
	uint32_t *head = &p->process_head[hash(pid, ZB_WATCH_PROCESSES)];
	struct zb_watch_process *x = NULL;

	if (p->process_free == 0 && p->process_nr == ZB_WATCH_PROCESSES) {
		for (uint32_t i = 0; i < p->process_nr; i++)
			if (x == NULL || p->process[i].used < x->used)
				x = &p->process[i];
		forget_process(p, x);
	}
	if (p->process_free != 0) {
		x = &p->process[p->process_free - 1];
		p->process_free = x->next;
	} else {
		x = &p->process[p->process_nr++];
	}
	*x = (struct zb_watch_process){.pid = pid, .next = *head, .used = ++p->clock};
	*head = (uint32_t)(x - p->process) + 1;
	return x;
}

static struct zb_watch_thread *new_thread(struct zb_watch_people *p, uint32_t pid, uint32_t tid)
{
	uint32_t *head = &p->thread_head[hash(tid, ZB_WATCH_THREADS)];
	struct zb_watch_thread *x = NULL;

	if (p->thread_free == 0 && p->thread_nr == ZB_WATCH_THREADS) {
		for (uint32_t i = 0; i < p->thread_nr; i++)
			if (x == NULL || p->thread[i].used < x->used)
				x = &p->thread[i];
		forget_thread(p, x);
	}
	if (p->thread_free != 0) {
		x = &p->thread[p->thread_free - 1];
		p->thread_free = x->next;
	} else {
		x = &p->thread[p->thread_nr++];
	}
	*x = (struct zb_watch_thread){
		.pid = pid,
		.tid = tid,
		.next = *head,
		.lane = ZB_SAMPLES_NONE,
		.used = ++p->clock,
	};
	*head = (uint32_t)(x - p->thread) + 1;
	return x;
}

static void read_comm(struct zb_watch_thread *t)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/task/%" PRIu32 "/comm", t->pid, t->tid);
	f = fopen(path, "re");
	if (f == NULL || fgets(t->comm, (int)sizeof(t->comm), f) == NULL)
		snprintf(t->comm, sizeof(t->comm), ":%" PRIu32, t->tid); /* as perf calls it */
	if (f != NULL)
		fclose(f);
	t->comm[strcspn(t->comm, "\n")] = '\0';
}

struct zb_watch_process *zb_watch_process_of(struct zb_watch_people *p, uint32_t pid)
{
	struct zb_watch_process *x = find_process(p, pid);

	if (x == NULL) {
		x = new_process(p, pid);
		x->looked_ns = zb_clock_ns();
		if (zb_watch_maps_read(&x->maps, &p->files, pid) < 0)
			return NULL;
	}
	x->used = ++p->clock;
	return x;
}

struct zb_watch_thread *zb_watch_thread_of(struct zb_watch_people *p, uint32_t pid, uint32_t tid)
{
	struct zb_watch_thread *t = find_thread(p, tid);

	if (t == NULL) {
		t = new_thread(p, pid, tid);
		read_comm(t);
	}
	t->used = ++p->clock;
	return t;
}

int zb_watch_look(struct zb_watch_people *p, uint32_t pid)
{
	struct dirent *entry;
	char path[48];
	DIR *dir;

	if (zb_watch_process_of(p, pid) == NULL)
		return -ENOMEM;
	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/task", pid);
	dir = opendir(path);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		int tid = atoi(entry->d_name);

		if (tid > 0)
			(void)zb_watch_thread_of(p, pid, (uint32_t)tid);
	}
	if (dir != NULL)
		closedir(dir);
	return 0;
}

int zb_watch_look_all(struct zb_watch_people *p)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int ret = 0;

	while (ret == 0 && dir != NULL && (entry = readdir(dir)) != NULL) {
		int pid = atoi(entry->d_name);

		if (pid > 0)
			ret = zb_watch_look(p, (uint32_t)pid);
	}
	if (dir != NULL)
		closedir(dir);
	return ret;
}

/* A thread has its parent's name, a process its parent's maps, until it says otherwise. */
static int fork_of(struct zb_watch_people *p, const struct zb_task_event *e)
{
	struct zb_watch_thread *parent = find_thread(p, e->ptid), *t = find_thread(p, e->tid);
	struct zb_watch_process *from, *to;
	char comm[sizeof(t->comm)] = "";

	if (parent != NULL)
		memcpy(comm, parent->comm, sizeof(comm));
	if (t != NULL)
		forget_thread(p, t); /* an earlier one, whose end nobody told */
	t = new_thread(p, e->pid, e->tid);
	if (comm[0] != '\0')
		memcpy(t->comm, comm, sizeof(comm));
	else
		read_comm(t);
	if (e->pid == e->ppid)
		return 0;
	to = find_process(p, e->pid);
	if (to != NULL)
		forget_process(p, to);
	from = zb_watch_process_of(p, e->ppid);
	if (from == NULL)
		return -ENOMEM;
	/* The new one may need the place of the oldest, which the parent is not: just used. */
	to = new_process(p, e->pid);
	to->looked_ns = zb_clock_ns();
	return zb_watch_maps_copy(&to->maps, &from->maps);
}

static void name(struct zb_watch_people *p, const struct zb_task_event *e)
{
	struct zb_watch_thread *t = find_thread(p, e->tid);
	struct zb_watch_process *x = find_process(p, e->pid);

	if (t == NULL)
		t = new_thread(p, e->pid, e->tid);
	if (strncmp(t->comm, e->text, sizeof(t->comm) - 1) != 0)
		t->lane = ZB_SAMPLES_NONE; /* what follows is somebody else's */
	snprintf(t->comm, sizeof(t->comm), "%s", e->text);
	if (!e->is_exec)
		return;
	if (x == NULL)
		x = new_process(p, e->pid);
	zb_watch_maps_fini(&x->maps);
	x->looked_ns = zb_clock_ns();
}

static int map(struct zb_watch_people *p, const struct zb_task_event *e)
{
	struct zb_watch_process *x = zb_watch_process_of(p, e->pid);
	struct zb_watch_map m = {
		.from = e->addr,
		.to = e->bytes <= UINT64_MAX - e->addr ? e->addr + e->bytes : UINT64_MAX,
		.file_off = e->file_off,
		.file = ZB_WATCH_FILE_NONE,
	};

	if (x == NULL)
		return -ENOMEM;
	if ((e->text[0] == '/' && e->text[1] != '/') || strcmp(e->text, "[vdso]") == 0)
		m.file = zb_watch_file(&p->files, e->text, e->inode);
	return zb_watch_maps_add(&x->maps, &m);
}

static void end(struct zb_watch_people *p, const struct zb_task_event *e)
{
	struct zb_watch_thread *t = find_thread(p, e->tid);
	struct zb_watch_process *x = find_process(p, e->pid);

	if (t != NULL)
		forget_thread(p, t);
	/* Threads may outlive the first one, which is rare: they will look at /proc again. */
	if (x != NULL && e->tid == e->pid)
		forget_process(p, x);
}

int zb_watch_task(struct zb_watch_people *p, const struct zb_task_event *e)
{
	switch (e->type) {
	case PERF_RECORD_MMAP2: return map(p, e);
	case PERF_RECORD_FORK: return fork_of(p, e);
	case PERF_RECORD_COMM: name(p, e); break;
	case PERF_RECORD_EXIT: end(p, e); break;
	default: break;
	}
	return 0;
}

/* Of the lanes beyond LANES_OWN, the one of that name. */
static bool shared_lane(const struct zb_samples *s, const char *comm, uint32_t *lane)
{
	for (uint32_t i = LANES_OWN; i < s->lane_nr; i++) {
		if (strcmp(s->lane[i].comm, comm) == 0) {
			*lane = i;
			return true;
		}
	}
	return false;
}

int zb_watch_lane(struct zb_watch_people *p, struct zb_samples *s, struct zb_watch_thread *t,
		  uint32_t *lane)
{
	struct zb_samples_lane l = {.cpu = p->cpu, .pid = t->pid, .tid = t->tid};
	int ret = 0;

	if (t->lane == ZB_SAMPLES_NONE) {
		memcpy(l.comm, t->comm, sizeof(l.comm));
		if (s->lane_nr >= LANES_OWN) {
			if (s->lane_nr >= ZB_SAMPLES_LANES_MAX - 1)
				snprintf(l.comm, sizeof(l.comm), OTHERS);
			l.pid = l.tid = 0;
		}
		if (s->lane_nr < LANES_OWN || !shared_lane(s, l.comm, &t->lane))
			ret = zb_samples_lane(s, &l, &t->lane);
	}
	*lane = t->lane;
	return ret;
}

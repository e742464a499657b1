/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch_priv.h - the parts of a watch: events and rings; files of code, maps, processes and threads
 *
 * Threading: main only.
 */
#ifndef ZB_PROFILER_WATCH_PRIV_H
#define ZB_PROFILER_WATCH_PRIV_H

#include "profiler/dso_priv.h"
#include "profiler/sampler_priv.h"
#include "profiler/watch.h"

/*
 * watch_events.c: for each CPU a ring of samples, and one of switches or none. Events of all
 * threads share them.
 */
struct zb_watch_events {
	int *fd;
	uint32_t fd_nr, fd_room;
	struct zb_perf_ring *ring; /* two for each CPU; page NULL: not there */
	uint32_t cpu_nr;
	enum zb_sampler_method method;
	bool kernel_frames;
};

/* Opens and starts all. -errno, not said. */
int zb_watch_events_open(struct zb_watch_events *e, const struct zb_watch_conf *conf);
/* Returns what all but the threads begun since have lost, as far as the kernel says so. */
uint64_t zb_watch_events_stop(struct zb_watch_events *e);
void zb_watch_events_close(struct zb_watch_events *e);

/* watch_files.c: the files that are mapped, by number; so many of them are open at a time. */
#define ZB_WATCH_FILES_MAX 16384u
#define ZB_WATCH_FILE_NONE UINT32_MAX
#define ZB_WATCH_DSOS	   256u

struct zb_watch_file {
	char *path;
	uint64_t inode;
	struct zb_dso *dso;  /* NULL: not open */
	uint64_t used;	     /* when it was last used, on a clock that counts uses */
	uint32_t failed_pid; /* whose copy could not be opened; 0: none */
	uint8_t failed_nr;
};

struct zb_watch_files {
	struct zb_watch_file *file;
	uint32_t *slot; /* open addressing, never more than half full: number + 1 */
	uint32_t nr, open_nr;
	uint64_t clock;
};

int zb_watch_files_init(struct zb_watch_files *f);
void zb_watch_files_fini(struct zb_watch_files *f);

/* The number of a file; NONE: there are too many. */
uint32_t zb_watch_file(struct zb_watch_files *f, const char *path, uint64_t inode);

/* The file as process pid sees it, from address on. NULL: it cannot be read. */
struct zb_dso *zb_watch_dso(struct zb_watch_files *f, uint32_t file, uint32_t pid, uint64_t from,
			    uint64_t to);

/* watch_maps.c: the code that a process maps, by address. */
#define ZB_WATCH_MAPS_MAX 16384u

struct zb_watch_map {
	uint64_t from, to, file_off;
	uint32_t file;
};

struct zb_watch_maps {
	struct zb_watch_map *map; /* sorted */
	uint32_t nr, room;
};

/* Takes the place of what was there; of no file, it only takes that away. 0 or -ENOMEM. */
int zb_watch_maps_add(struct zb_watch_maps *m, const struct zb_watch_map *map);
const struct zb_watch_map *zb_watch_maps_find(const struct zb_watch_maps *m, uint64_t ip);
int zb_watch_maps_copy(struct zb_watch_maps *to, const struct zb_watch_maps *from);
void zb_watch_maps_fini(struct zb_watch_maps *m);

/* As /proc/PID/maps says now; a process that is gone adds nothing. 0 or -ENOMEM. */
int zb_watch_maps_read(struct zb_watch_maps *m, struct zb_watch_files *files, uint32_t pid);

/* watch_people.c: processes and threads; the longest unused ones are forgotten. */
#define ZB_WATCH_PROCESSES 4096u
#define ZB_WATCH_THREADS   16384u

struct zb_watch_process {
	uint32_t pid; /* 0: free */
	uint32_t next;
	struct zb_watch_maps maps;
	uint64_t used, looked_ns; /* last use, and when /proc was last asked */
};

struct zb_watch_thread {
	uint32_t pid, tid; /* 0: free */
	uint32_t next;
	uint32_t lane; /* NONE: no samples yet */
	uint64_t used;
	struct zb_off_cpu off;
	char comm[32];
};

struct zb_watch_people {
	struct zb_watch_files files;
	struct zb_watch_process *process;
	struct zb_watch_thread *thread;
	uint32_t *process_head, *thread_head; /* by hash: number + 1 */
	uint32_t process_nr, thread_nr;	      /* ever used */
	uint32_t process_free, thread_free;   /* number + 1 of the first free one */
	uint64_t clock;
	struct zb_symbols *kernel; /* of this process, which knows the kernel's names */
	int cpu;		   /* of all lanes; -1: they wander */
	bool dwarf;
};

int zb_watch_people_init(struct zb_watch_people *p, int cpu, bool dwarf);
void zb_watch_people_fini(struct zb_watch_people *p);

/* Known or new. NULL: no memory. */
struct zb_watch_process *zb_watch_process_of(struct zb_watch_people *p, uint32_t pid);
struct zb_watch_thread *zb_watch_thread_of(struct zb_watch_people *p, uint32_t pid, uint32_t tid);

/*
 * What runs already, of a process and of all: it may have ended when its first sample is read. 0 or
 * -ENOMEM.
 */
int zb_watch_look(struct zb_watch_people *p, uint32_t pid);
int zb_watch_look_all(struct zb_watch_people *p);

/* What happened to them. 0 or -ENOMEM. */
int zb_watch_task(struct zb_watch_people *p, const struct zb_task_event *e);

/* The thread's lane in s; beyond a limit, that of all threads of its name. 0 or -errno. */
int zb_watch_lane(struct zb_watch_people *p, struct zb_samples *s, struct zb_watch_thread *t,
		  uint32_t *lane);

/* watch_stack.c: completes a sample and finds its names: the number of its stack. 0 or -errno. */
int zb_watch_stack(struct zb_watch_people *p, struct zb_samples *s, const struct zb_sample *sample,
		   uint32_t *stack);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch.h - samples any process, or a CPU, from outside, as perf record does
 *
 * perf_event: hardware cycles where they exist, else cpu-clock, for each thread of the process and
 * what it starts, or for a CPU; call chains by frame pointer, or by the unwind tables of the
 * process from its registers and stack. Processes are followed by what the kernel says of what they
 * map, run and begin; names are looked up at once, as a process may end.
 *
 * Threading: main only; zb_watch_poll() some ten times a second, or more often at many samples a
 *            second: every zb_watch_pause_ms().
 * Ownership: the samples are the watch's until zb_watch_finish().
 */
#ifndef ZB_PROFILER_WATCH_H
#define ZB_PROFILER_WATCH_H

#include "profiler/samples.h"

struct zb_watch; /* opaque */

struct zb_watch_conf {
	int pid;      /* 0: a CPU */
	int cpu;      /* without a pid */
	uint32_t hz;  /* samples per second of CPU time; 1..10000 */
	bool dwarf;   /* call chains by the unwind tables */
	bool off_cpu; /* times off the CPU too */
};

/* 0, or -errno, said with what to do: no such process, no right to. */
int zb_watch_open(const struct zb_watch_conf *conf, struct zb_watch **out);
void zb_watch_close(struct zb_watch *w);

/* Takes what was sampled until the call before. False: the process has ended. */
bool zb_watch_poll(struct zb_watch *w);
unsigned zb_watch_pause_ms(const struct zb_watch *w);

struct zb_watch_stat {
	uint64_t samples, lost, throttled;
	bool kernel_frames;
	bool kernel_names; /* the kernel's symbols may be read */
};

/* So far. */
void zb_watch_stat(const struct zb_watch *w, struct zb_watch_stat *out);

/* Ends sampling; the samples are the caller's to destroy. -ENOMEM: some are missing. */
int zb_watch_finish(struct zb_watch *w, struct zb_samples **out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * samples.h - named call stacks and when they were sampled: what every picture and export is made
 * of
 *
 * A run leaves one as flame/samples.gz, so that a range of time can be cut out later, on another
 * machine. Strings, frames and stacks are numbered from 0 and kept once each; a stack is a list of
 * frames, leaf first. Lanes are threads.
 *
 * The file is gzip'd text, one record a line, numbers decimal unless said:
 *   zbench-samples 1              first line
 *   start NS                      Unix time of the beginning
 *   duration NS, column NS, period NS
 *                                 of the whole; of a column of time; CPU time a sample stands for
 *   method TEXT, comm TEXT        how it was sampled; the program, unless there were several
 *   l CPU PID TID COMM            lane 0, 1 ...; CPU is -1 where a thread may wander
 *   m PATH                        module 0, 1 ...
 *   f ADDR MODULE OFFSET NAME     frame 0, 1 ...; ADDR and OFFSET (into the function) hexadecimal;
 *                                 - for an unknown module or function; kernel addresses are those
 *                                 with the highest bit
 *   s FRAME...                    stack 0, 1 ...; leaf first; none: the stack is not known
 *   t COLUMNS LANE STATE STACK*WEIGHT...
 *                                 samples so many columns after those of the t line before; *WEIGHT
 *                                 is left out for 1. STATE is 0 on a CPU, WEIGHT being samples; 1
 *                                 waiting, 2 preempted, WEIGHT being microseconds that begin there
 *   slot NS                       width of the slots that follow
 *   v SLOT LANE PKTS DROPPED LAG_NS QUEUE CONNS STATE_BYTES
 *                                 how a worker did in a slot; slots without news are left out
 *   end                           last line: what lacks it is cut off
 *
 * Threading: one thread at a time.
 * Ownership: the samples own all that is in them; pointers hold until the next addition.
 * Errors:    0 or -errno; -ENOSPC: a bound was reached.
 */
#ifndef ZB_PROFILER_SAMPLES_H
#define ZB_PROFILER_SAMPLES_H

#include <stdbool.h>
#include <stdint.h>

#include "profiler/sampler.h"
#include "profiler/sample_times.h"
#include "profiler/series.h"

#define ZB_SAMPLES_LANES_MAX  4096u
#define ZB_SAMPLES_STACKS_MAX (1u << 20)
#define ZB_SAMPLES_FRAMES_MAX (1u << 20)
#define ZB_SAMPLES_DEPTH_MAX  512u
#define ZB_SAMPLES_NONE	      UINT32_MAX /* no module, no function */

struct zb_samples_lane {
	int cpu; /* -1: may wander */
	uint32_t pid, tid;
	char comm[32];
};

struct zb_samples_frame {
	uint64_t addr;
	uint32_t module; /* a string, or NONE */
	uint32_t offset; /* into the function, or NONE when name is made up */
	uint32_t name;	 /* a string */
};

struct zb_samples_stack {
	uint32_t at, depth; /* in stack_frame */
};

struct zb_samples_value {
	uint32_t slot;
	uint32_t lane;
	struct zb_series_slot v;
};

struct zb_samples {
	uint64_t start_unix_ns, duration_ns;
	uint64_t period_ns; /* 0: weights are of an unknown kind */
	char method[32], comm[32];
	struct zb_samples_lane *lane;
	struct zb_samples_frame *frame;
	struct zb_samples_stack *stack;
	uint32_t *stack_frame;
	char **string;
	struct zb_samples_value *value;
	uint32_t lane_nr, frame_nr, stack_nr, stack_frame_nr, string_nr, value_nr;
	uint64_t slot_ns;
	struct zb_sample_times times;
	struct zb_samples_index *index; /* to find what is there already */
	uint32_t lane_room, frame_room, stack_room, stack_frame_room, string_room, value_room;
};

int zb_samples_create(struct zb_samples **out);
void zb_samples_destroy(struct zb_samples *s);

/* Each gives the number of what is new, or was there already. Lanes are not looked for. */
int zb_samples_lane(struct zb_samples *s, const struct zb_samples_lane *lane, uint32_t *out);
int zb_samples_string(struct zb_samples *s, const char *text, uint32_t *out);
int zb_samples_frame(struct zb_samples *s, const struct zb_samples_frame *frame, uint32_t *out);
int zb_samples_stack(struct zb_samples *s, const uint32_t *frames, uint32_t depth, uint32_t *out);
int zb_samples_value(struct zb_samples *s, const struct zb_samples_value *value);

static inline bool zb_samples_is_kernel(const struct zb_samples_frame *f)
{
	return f->addr >> 63;
}

/* samples_take.c: what a sampler and a series hold. They are not changed. */
struct zb_samples_source {
	struct zb_sampler *sampler; /* all workers have detached, all is drained */
	struct zb_symbols *syms;
	const char *root; /* frames that called this function are left out; NULL: none */
	const int *cpus;  /* of each lane */
	uint32_t lane_nr;
	const struct zb_series *series; /* may be NULL */
	uint32_t hz;
	uint64_t start_unix_ns, duration_ns;
};
int zb_samples_take(struct zb_samples *s, const struct zb_samples_source *from);

/* The frame of an address. */
struct zb_symbol_place;
int zb_samples_place(struct zb_samples *s, uint64_t ip, const struct zb_symbol_place *place,
		     uint32_t *out);

/* The stack of a chain of addresses, and of all those beyond a limit. */
int zb_samples_chain(struct zb_samples *s, struct zb_symbols *syms, const char *root,
		     const struct zb_stack_view *chain, uint32_t *out);
int zb_samples_beyond(struct zb_samples *s, uint32_t *out);

/*
 * samples_folded.c: the stacks of a folded file, all at the beginning of one lane. period_ns is 0:
 * what a weight means is not known. -EINVAL: said, with path.
 */
int zb_samples_read_folded(const char *path, struct zb_samples **out);

/* samples_write.c, samples_read.c: path is named in what is said. Reading: -EINVAL, said: no such
 * file. */
int zb_samples_write(const struct zb_samples *s, const char *path);
int zb_samples_write_fd(const struct zb_samples *s, int fd); /* closes fd; says nothing */
int zb_samples_read(const char *path, struct zb_samples **out);

#endif

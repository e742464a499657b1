/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unwind_priv.h - completes call chains that frame pointers alone cannot tell
 *
 * A chain by frame pointer is right where every function keeps a frame. System libraries do not,
 * nor do our own functions that call nothing (gcc gives them no frame, whatever the options say),
 * nor does any function in its first and last instructions: such a sample misses the leaf's caller.
 * One in malloc(), which uses the frame pointer for something else, misses all callers, or names
 * places that never called. With the sampled registers and the first bytes of the stack, the unwind
 * tables
 * (.eh_frame) tell the frames as far as those bytes reach; beyond them the chain by frame pointer
 * goes on, where it is sound. x86-64 only; elsewhere chains stay as they are.
 *
 * Threading: one thread at a time.
 */
#ifndef ZB_PROFILER_UNWIND_PRIV_H
#define ZB_PROFILER_UNWIND_PRIV_H

#include <elfutils/libdwfl.h>
#include <stdint.h>

#define ZB_UNWIND_STACK_BYTES 4096 /* of the stack, copied with each sample, at most */

struct zb_user_regs {
	uint64_t ip, sp, bp;
};

/* The user part of one sample. */
struct zb_user_stack {
	struct zb_user_regs regs;
	const void *stack;     /* a copy of what stands at regs.sp; 8-byte aligned */
	uint32_t stack_bytes;  /* 0: registers and stack were not sampled */
	uint32_t depth;	       /* of chain, at least 1 */
	const uint64_t *chain; /* by frame pointer; chain[0] is the leaf */
};

struct zb_unwind; /* opaque */

/* Of this process, as it is mapped at the first call of zb_unwind_chain(). -ENOMEM. */
int zb_unwind_create(struct zb_unwind **out);

/* Of one file, the only module of dwfl, which stays the caller's. -ENOMEM. */
int zb_unwind_create_file(Dwfl *dwfl, struct zb_unwind **out);
void zb_unwind_destroy(struct zb_unwind *u);

/* Writes the completed chain, at most max (at least 1) addresses, leaf first; returns how many. */
uint32_t zb_unwind_chain(struct zb_unwind *u, const struct zb_user_stack *in, uint64_t *out,
			 uint32_t max);

/* What is mapped in another process: the tables of the file at ip, and ip as they know it; or NULL.
 */
struct zb_unwind_map {
	struct zb_unwind *(*module)(const struct zb_unwind_map *map, uint64_t ip, uint64_t *vaddr);
};
/* The same of that process. */
uint32_t zb_unwind_map_chain(const struct zb_unwind_map *map, const struct zb_user_stack *in,
			     uint64_t *out, uint32_t max);

#endif

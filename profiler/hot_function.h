/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hot_function.h - the function that most samples of a kind are in
 *
 * A sample counts for the first function, from the leaf, that is the program's own: what a library
 * does (compression, hashes, copies) is done for somebody.
 *
 * Threading: one thread at a time.
 */
#ifndef ZB_PROFILER_HOT_FUNCTION_H
#define ZB_PROFILER_HOT_FUNCTION_H

#include "stack_table.h"
#include "symbols.h"

struct zb_hot_function {
	char name[128]; /* "" when there is none */
	uint64_t samples;
	uint64_t of; /* samples with below, without except */
};

/*
 * Of the samples whose stack has the function below ("zb_stage_flow"), and none of those in except,
 * NULL-terminated; either may be NULL.
 */
void zb_hot_function(const struct zb_stack_table *t, struct zb_symbols *syms, const char *below,
		     const char *const *except, struct zb_hot_function *out);

#endif

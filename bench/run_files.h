/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_files.h - what a run leaves besides logs: flame graphs per lcore, the heap's top holders
 *
 * Threading: main only, after the workers have stopped.
 */
#ifndef ZB_BENCH_RUN_FILES_H
#define ZB_BENCH_RUN_FILES_H

#include "bench/out_dir.h"
#include "bench/pass.h"

/*
 * Writes flame/lcore-N.folded and .svg for each lcore and all.*, samples.gz; finds the functions of
 * the worst seconds. 0 or -errno, said.
 */
int zb_run_flames(const struct zb_out_dir *out, const struct zb_pass_result *r, uint32_t hz,
		  struct zb_symbols *syms, struct zb_worst *worst);

/* Writes spool/lcore-N/jeprof.out.* of each dump of the run; 0 or -errno, said. */
int zb_run_spool(const struct zb_out_dir *out, const struct zb_pass_result *r,
		 const char *heap_dir);

#endif

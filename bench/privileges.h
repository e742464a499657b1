/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privileges.h - giving up the rights that opening devices took, in every thread of the process
 *
 * Threading: main only, after DPDK has started and devices are open, before packets come.
 * Errors:    0 or -errno, said.
 */
#ifndef ZB_BENCH_PRIVILEGES_H
#define ZB_BENCH_PRIVILEGES_H

#include <stdbool.h>

struct zb_privileges {
	const char *user; /* to become; NULL: stay who we are */
	const char *dir;  /* goes to the user: results are written there */
	bool sampling;	  /* keep what perf_event takes */
	bool ports;	  /* keep what DPDK's devices need to be closed */
};

/* -EINVAL: there is no such user. */
int zb_user_find(const char *name);

/* Nothing to do without rights. */
int zb_privileges_drop(const struct zb_privileges *p);

#endif

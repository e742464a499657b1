/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eal.h - starts DPDK's environment abstraction layer the way a run needs it, and leaves nothing
 * behind
 *
 * Huge pages where there are free ones (--in-memory), none otherwise (--no-huge); no PCI probing
 * and no telemetry socket for replay; as root or as an ordinary user. Workers are EAL lcores 1..n,
 * each with affinity to one CPU; the main thread is lcore 0 on the helper CPUs.
 *
 * Threading: main only, once per process.
 */
#ifndef ZB_CAPTURE_EAL_H
#define ZB_CAPTURE_EAL_H

#include <sched.h>
#include <stdbool.h>

struct zb_eal_conf {
	const unsigned *worker_cpus;
	unsigned worker_nr;
	const cpu_set_t *helper_cpus;
	bool devices; /* false: replay, probe nothing */
	bool verbose; /* let EAL log to stderr; otherwise only its errors, as zb_err lines */
};

struct zb_eal_info {
	bool huge_pages; /* memory comes from huge pages */
};

/* 0 or -errno, said. */
int zb_eal_start(const struct zb_eal_conf *conf, struct zb_eal_info *info);

/* Runs fn(arg) on worker i (0-based). -EBUSY: it still runs something; -EINVAL: no such worker. */
int zb_eal_launch(unsigned i, int (*fn)(void *), void *arg);
bool zb_eal_running(unsigned i);
/* Waits, asleep, for worker i; returns what fn returned. -EINVAL: nothing was launched on it. */
int zb_eal_wait(unsigned i);
/* Waits for workers that still run (tell them to end first) and stops EAL for good. */
void zb_eal_stop(void);

#endif

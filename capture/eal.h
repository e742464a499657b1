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
	bool devices; /* probe for devices: allowed PCI ones, and vdevs; false: replay, probe
			 nothing */
	/* "net_null0", "net_af_packet0,iface=eth1": to be made; also shared ones, see eal_share.h.
	 */
	const char *const *vdevs;
	unsigned vdev_nr;
	bool attach;		    /* shared devices are another process's, which is joined */
	const char *const *allowed; /* PCI addresses, "0000:03:00.0"; none: PCI is left alone */
	unsigned allowed_nr;
	bool verbose; /* let EAL log to stderr; otherwise only its errors, as zb_err lines */
};

struct zb_eal_info {
	bool huge_pages; /* memory comes from huge pages */
};

/* 0 or -errno, said. */
int zb_eal_start(const struct zb_eal_conf *conf, struct zb_eal_info *info);

/*
 * True when a device's name is a PCI address, with or without a domain ("03:00.0", "0000:03:00.0"),
 * what follows a comma apart; all others are vdevs.
 */
bool zb_eal_is_pci(const char *device);
/* True when other processes may join: then DPDK has no numbers for threads that are not its own. */
bool zb_eal_is_shared(void);
/*
 * What EAL logged first while it started, or DPDK and its libraries between the last hush and its
 * end; "": nothing.
 */
const char *zb_eal_complaint(void);
/*
 * In between, what DPDK, its drivers and their libraries write to their log and to stderr is kept
 * from the terminal: opening a device makes some of them talk. Not while other threads write.
 */
void zb_eal_hush(void);
void zb_eal_hush_end(void);

/* Runs fn(arg) on worker i (0-based). -EBUSY: it still runs something; -EINVAL: no such worker. */
int zb_eal_launch(unsigned i, int (*fn)(void *), void *arg);
bool zb_eal_running(unsigned i);
/* Waits, asleep, for worker i; returns what fn returned. -EINVAL: nothing was launched on it. */
int zb_eal_wait(unsigned i);
/* Waits for workers that still run (tell them to end first) and stops EAL for good. */
void zb_eal_stop(void);

#endif

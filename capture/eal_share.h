/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eal_share.h - devices in memory that several processes share: "net_ring0,share=NAME"
 *
 * The run that makes the device is DPDK's primary process and shares its memory under the name
 * (--file-prefix); a sender joins it as a secondary one, and finds the device there. That takes
 * huge pages in files of a hugetlbfs: DPDK knows no other memory that two processes can map.
 *
 * Threading: main.
 */
#ifndef ZB_CAPTURE_EAL_SHARE_H
#define ZB_CAPTURE_EAL_SHARE_H

#include <stdbool.h>
#include <stddef.h>

#define ZB_SHARE_MAX 32 /* letters of a name, and its end */

/*
 * Copies the device without its share= to out, and the name to name, "" if there is none. -EINVAL,
 * said: a name that is none, or a device too long.
 */
int zb_share_split(const char *device, char *out, size_t size, char name[ZB_SHARE_MAX]);

/* True when a device is shared. */
bool zb_share_wanted(const char *device);

/* Removes the files that a primary process of this name has left in dir, its runtime folder, and
 * in hugetlbfs; dir and its parent too, when they are empty then. */
void zb_share_clean(const char *name, const char *dir);

#endif

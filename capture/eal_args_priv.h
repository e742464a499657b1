/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eal_args_priv.h - the command line that EAL is started with
 *
 * Threading: main.
 */
#ifndef ZB_CAPTURE_EAL_ARGS_PRIV_H
#define ZB_CAPTURE_EAL_ARGS_PRIV_H

#include <rte_lcore.h>

#include "capture/eal.h"
#include "capture/eal_share.h"

#define ZB_EAL_WORKERS_MAX (RTE_MAX_LCORE - 1) /* lcore 0 is main */
#define ZB_EAL_DEVICE_MAX  1024
#define ZB_EAL_TEXTS	   16 /* beside those of devices */

struct zb_eal_args {
	char share[ZB_SHARE_MAX]; /* name of the memory that is shared; "": it is not */
	char text[ZB_EAL_TEXTS][48];
	char (*vdevs)[ZB_EAL_DEVICE_MAX];
	unsigned vdev_nr;
	char *lcores;
	char **v; /* room for the texts, two for each device, and the NULL */
	int nr, text_nr;
};

/* huge: there are huge pages. 0 or -errno, said. */
int zb_eal_args_make(const struct zb_eal_conf *conf, bool huge, struct zb_eal_args *a);
void zb_eal_args_free(struct zb_eal_args *a); /* EAL has copied what it keeps */

#endif

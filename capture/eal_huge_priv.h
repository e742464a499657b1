/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eal_huge_priv.h - whether EAL will find huge pages
 *
 * Threading: main.
 */
#ifndef ZB_CAPTURE_EAL_HUGE_PRIV_H
#define ZB_CAPTURE_EAL_HUGE_PRIV_H

#include <stdbool.h>

/* Waits some seconds at most for others that start; what is returned goes to zb_eal_huge_unlock().
 */
int zb_eal_huge_lock(void);
void zb_eal_huge_unlock(int turn);

/* True when one huge page of any size can be had now. */
bool zb_eal_huge_usable(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memif_unmap.h - net_memif takes memory away that others may be in: make it wait
 *
 * When the process at the other end leaves, DPDK 22.11's net_memif marks its port as unconnected,
 * in EAL's interrupt thread, and some microseconds later unmaps and frees what was shared. A thread
 * that receives or sends looks at that mark once a burst, and then goes on without another look
 * (drivers/net/memif/rte_eth_memif.c: eth_memif_rx(), eth_memif_tx(), memif_free_regions()); one
 * that is kept waiting in between dies. Of 227 senders that left in a flood, 3 took their receiver
 * along, and of 282 receivers 5 their sender.
 *
 * So the interrupt thread waits before it unmaps anything, long enough for any burst to end. DPDK
 * has no hook there; the program's own munmap() comes before libc's, for its libraries too.
 */
#ifndef ZB_CAPTURE_MEMIF_UNMAP_H
#define ZB_CAPTURE_MEMIF_UNMAP_H

#define ZB_MEMIF_GRACE_MS 20 /* more than a thread waits for its CPU, as a rule */

/* From now on. Before the first port of net_memif is started; any thread. */
void zb_memif_guard(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rss.h - symmetric receive-side scaling in software: which worker gets a packet
 *
 * The Toeplitz hash with the key 6d 5a repeated (Woo, Park: Scalable TCP Session Monitoring with
 * Symmetric Receive-side Scaling, 2012), as NICs compute it: over addresses and ports for
 * unfragmented TCP and UDP, over addresses for everything else, fragments included. That key has a
 * period of 16 bits, so the hash of a tuple is the hash of the XOR of its 16-bit words: both
 * directions agree.
 *
 * Threading: any.
 */
#ifndef ZB_CAPTURE_RSS_H
#define ZB_CAPTURE_RSS_H

#include "packet.h"

/*
 * The hash of a captured packet; 0 for what is not IP. Reads at most cap_len bytes, whatever they
 * are.
 */
uint32_t zb_rss_hash(enum zb_link link, const uint8_t *data, uint32_t cap_len);

/* The queue of a hash: high bits spread over queue_nr (1..ZB_CPUS_MAX) without division. */
static inline uint32_t zb_rss_queue(uint32_t hash, uint32_t queue_nr)
{
	return (uint32_t)(((uint64_t)hash * queue_nr) >> 32);
}

#endif

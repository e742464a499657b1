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
 * IP-in-IP and GRE make no connection: the hash is of the innermost packet, up to four
 * encapsulations deep. UDP tunnels do, and the hash is of the outer one.
 *
 * That is what one packet tells, and all that live capture can go by. A trace is sharded before the
 * clock starts, by what all its packets tell (shard_priv.h):
 *
 *   fragments      go where the first fragment's flow goes, however late that one comes; by
 *                  addresses when it never does.
 *   VXLAN, Geneve  their source port differs between the directions of an inner flow, so packets
 *                  of it come in several outer flows. Outer and inner flow are sharded each by its
 *                  own hash; where these name two workers, each gets the packet, the second one as
 *                  a shadow (packet.h).
 *   GTP, Teredo,   are believed only once the outer connection has confirmed them, so inner flows
 *   AYIYA          stay with the outer one. Both directions of it have the same ports.
 *   FTP            a data connection belongs to its control connection: two addresses that speak
 *                  TCP on port 21 or 2811 have all their TCP sharded by addresses only. Live
 *                  capture cannot know of it when the first connections come; there, as with
 *                  fragments and the inner flows of VXLAN, several workers see parts only.
 *
 *   DHCP           a transaction is spread over several connections, of addresses that it is about
 *                  to assign: UDP on ports 67 and 68 goes to one worker.
 *
 * A UDP tunnel inside a UDP tunnel is not parted from the packet around it.
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
/* The key repeats every 16 bits, so that both halves of a hash are the same. */
static inline uint32_t zb_rss_from_half(uint16_t half)
{
	return half * 0x10001u;
}

static inline uint32_t zb_rss_queue(uint32_t hash, uint32_t queue_nr)
{
	return (uint32_t)(((uint64_t)hash * queue_nr) >> 32);
}

#endif

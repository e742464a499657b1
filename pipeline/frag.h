/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frag.h - puts IP datagrams together from their fragments, IPv4 and IPv6
 *
 * Overlaps: the byte that came first stays, whatever a later fragment says of it; a later fragment
 * fills only what was missing. Both kinds of overlap, same bytes or others, are named in weird.log.
 * A datagram has the header of the fragment that came first; of IPv6 the fragment header is left
 * out. It is complete when all up to the end that its last fragment states is there; where
 * fragments reach beyond that end, the datagram grows with them. (Zeek: Frag.cc, Reassem.cc)
 *
 * A datagram that is not complete five minutes after its first fragment came is forgotten. Memory
 * is that of ZB_MEM_frag; at its limit the oldest datagram goes. Each fragment costs work in
 * proportion to its bytes, in whatever order they come; a datagram holds at most 64 KiB, in pages
 * of 1 KiB that are there only when needed.
 *
 * Threading: one lcore.
 * Ownership: a datagram put together is valid until zb_frag_release().
 */
#ifndef ZB_PIPELINE_FRAG_H
#define ZB_PIPELINE_FRAG_H

#include "pipeline/mem.h"
#include "pipeline/weird.h"

#define ZB_FRAG_TIMEOUT_NS (300 * ZB_SEC_NS) /* Zeek: frag_timeout */
#define ZB_FRAG_HEAD_MAX   512		     /* bytes of header in front of the fragments' data */

/* One fragment, captured whole; pointers into the packet. */
struct zb_fragment {
	const uint8_t *src, *dst;
	const uint8_t *head; /* IP header, of IPv6 up to the fragment header */
	const uint8_t *data;
	uint64_t now_ns;
	uint32_t id;
	uint32_t offset, len; /* of data in the datagram; bytes */
	uint32_t ip_len;      /* of the fragment as it came */
	uint16_t head_len;
	uint16_t next_at; /* IPv6: where head names the fragment header */
	uint8_t addr_len; /* 4 or 16 */
	uint8_t proto;	  /* of what is fragmented */
	bool more;	  /* it is not the last one */
	bool dont;	  /* it says that it must not be fragmented */
};

struct zb_frag; /* opaque */

/* -ENOMEM. weird->now_ns must be up to date when a fragment is added. */
int zb_frag_create(struct zb_mem *mem, struct zb_weird *weird, uint64_t secret,
		   struct zb_frag **out);
void zb_frag_destroy(struct zb_frag *f);

/*
 * Adds a fragment. When it completes its datagram: that, header first, with the lengths it would
 * have had whole (IPv4: without a right header checksum), *len bytes of it; else NULL.
 */
const uint8_t *zb_frag_add(struct zb_frag *f, const struct zb_fragment *x, uint32_t *len);

/* Forgets what is older than ZB_FRAG_TIMEOUT_NS, some of it: for every burst, fragments or not. */
void zb_frag_expire(struct zb_frag *f, uint64_t now_ns);

/* Gives back what zb_frag_add() returned since the last call. */
void zb_frag_release(struct zb_frag *f);

/* Datagrams under way; ever begun. */
uint32_t zb_frag_count(const struct zb_frag *f);
uint64_t zb_frag_begun(const struct zb_frag *f);

#endif

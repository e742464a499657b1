/* SPDX-License-Identifier: Apache-2.0 */
/*
 * iface_ring.h - one AF_PACKET socket with its ring: what one worker sees of one interface
 *
 * The ring (TPACKET_V3) is blocks of frames that the kernel fills and hands over as a whole, when
 * full or after ZB_RING_TIMEOUT_MS. Frames are read where they lie. A VLAN tag, which the kernel
 * has taken out, is put back by moving the two addresses in front of it into the room that was
 * reserved for that.
 *
 * The gate is a socket filter that takes nothing: closed from zb_ring_open() to zb_ring_gate(open),
 * and again when the run ends, so that no packet is counted that nobody will read. What it keeps
 * out the kernel does not count.
 *
 * Threading: opened and closed by main, driven by its worker. Errors: 0 or -errno, said.
 */
#ifndef ZB_CAPTURE_IFACE_RING_H
#define ZB_CAPTURE_IFACE_RING_H

#include <linux/if_packet.h>
#include <stddef.h>

#include "capture/packet.h"

#define ZB_RING_TIMEOUT_MS 4
#define ZB_RING_BLOCK	   (256u << 10)

enum zb_fanout { ZB_FANOUT_HASH, ZB_FANOUT_CPU, ZB_FANOUT_EBPF };

struct zb_ring {
	/* Written by the worker. */
	struct tpacket_block_desc *held; /* the block that is being read; NULL: none */
	struct tpacket3_hdr *next;	 /* its next frame */
	uint32_t left;			 /* frames from there on */
	uint32_t block;			 /* the block after it */
	uint64_t got_pkts, got_bytes;
	uint64_t kernel_pkts, kernel_drops, kernel_freezes; /* as of zb_ring_ask() */
	bool down; /* the interface has gone down, and it was said */

	/* Read-only after open. */
	const char *name;
	uint8_t *map;
	size_t map_bytes;
	uint32_t block_nr;
	int fd, ifindex;
	uint8_t link;
};

/* An interface, as the kernel describes it. */
struct zb_iface_info {
	int ifindex, mtu;
	unsigned hw_type; /* ARPHRD_ */
	bool up;
	uint8_t link; /* enum zb_link */
};

/* All but link, from the kernel. Not said. */
int zb_iface_ask(const char *name, struct zb_iface_info *out);

/* -ENODEV; -EPROTONOSUPPORT, not said: frames of a kind that only libpcap may know. */
int zb_iface_look(const char *name, struct zb_iface_info *out);

/* -EPROTONOSUPPORT, not said: this kernel has no such ring. */
int zb_ring_open(const char *name, const struct zb_iface_info *info, uint64_t bytes,
		 struct zb_ring *r);
void zb_ring_close(struct zb_ring *r);

/* Joins fanout group *group, or makes one when that is -1. */
int zb_ring_join(struct zb_ring *r, enum zb_fanout mode, int *group);

/* Asks the interface for all packets, whoever they are for; ends with the socket. */
int zb_ring_promiscuous(struct zb_ring *r);

/* Not said. */
int zb_ring_gate(struct zb_ring *r, bool open);

/* Adds to kernel_pkts (drops included), kernel_drops and kernel_freezes what has come since. */
void zb_ring_ask(struct zb_ring *r);

/* Gives a block that has been read to its end back to the kernel. */
static inline void zb_ring_release(struct zb_ring *r)
{
	if (r->held == NULL || r->left != 0)
		return;
	__atomic_store_n(&r->held->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	r->held = NULL;
}

/* True when there is a frame to read; takes the next block if need be. */
static inline bool zb_ring_ready(struct zb_ring *r)
{
	struct tpacket_block_desc *b;

	if (r->left != 0)
		return true;
	if (r->held != NULL)
		return false; /* its packets are still being looked at */
	b = (struct tpacket_block_desc *)(r->map + (size_t)r->block * ZB_RING_BLOCK);
	if (!(__atomic_load_n(&b->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
		return false;
	r->held = b;
	r->left = b->hdr.bh1.num_pkts;
	r->next = (struct tpacket3_hdr *)((uint8_t *)b + b->hdr.bh1.offset_to_first_pkt);
	r->block = r->block + 1 == r->block_nr ? 0 : r->block + 1;
	return r->left != 0;
}

static inline uint64_t zb_ring_head_ns(const struct zb_ring *r)
{
	return (uint64_t)r->next->tp_sec * 1000000000u + r->next->tp_nsec;
}

/*
 * Takes up to n frames of the block at hand whose time is below until_ns; more come with the next
 * one. late is left to the caller.
 */
uint16_t zb_ring_take(struct zb_ring *r, struct zb_pkt *pkts, uint16_t n, uint64_t until_ns);

#endif

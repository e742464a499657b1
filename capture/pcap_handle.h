/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pcap_handle.h - one interface that libpcap reads: its next packet, and what the kernel counted
 *
 * Threading: opened and closed by main, driven by its worker. Errors: 0 or -errno, said.
 */
#ifndef ZB_CAPTURE_PCAP_HANDLE_H
#define ZB_CAPTURE_PCAP_HANDLE_H

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>

struct zb_pcap_handle {
	pcap_t *pcap;
	const char *name;
	uint8_t link;	 /* enum zb_link */
	bool gated;	 /* a filter in the kernel can keep packets out */
	bool recv_drops; /* ps_recv includes ps_drop */
	bool broken;	 /* it gives no packets any more, and that was said */

	/* The next packet, in libpcap's memory until the next zb_pcap_peek(); NULL: none. */
	struct pcap_pkthdr *head;
	const uint8_t *data;

	uint64_t got_pkts, got_bytes;		   /* the reader's */
	uint64_t link_pkts, dropped_pkts, refused; /* as of zb_pcap_ask() */
	struct pcap_stat last;
};

int zb_pcap_handle_open(const char *name, uint64_t ring_bytes, bool promiscuous,
			struct zb_pcap_handle *h);
void zb_pcap_handle_close(struct zb_pcap_handle *h);

/*
 * Lets packets in or not. Closed from opening on; what came before that is nobody's. Not said. Main
 * may open it while the worker looks for packets already.
 */
int zb_pcap_gate(const struct zb_pcap_handle *h, bool open);

/* Looks for a packet, unless there is one. True when there is. */
bool zb_pcap_peek(struct zb_pcap_handle *h);

static inline uint64_t zb_pcap_head_ns(const struct zb_pcap_handle *h)
{
	/* In nanoseconds, as was asked for. */
	return (uint64_t)h->head->ts.tv_sec * 1000000000u + (uint64_t)h->head->ts.tv_usec;
}

/* Updates link_pkts (drops included), dropped_pkts and refused (by the interface). */
void zb_pcap_ask(struct zb_pcap_handle *h);

/* Adds what has come from last to now to link and drops; both counters wrap at 32 bits. */
void zb_pcap_count(struct zb_pcap_handle *h, const struct pcap_stat *now);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * port_pkt.h - packets of the engine from DPDK's buffers
 *
 * A packet in several buffers is made one: in its first buffer if there is room, else in a bounded
 * area of the reader's own; what does not fit there either is cut after its first buffer.
 *
 * Threading: one reader.
 */
#ifndef ZB_CAPTURE_PORT_PKT_H
#define ZB_CAPTURE_PORT_PKT_H

#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

#include "capture/packet.h"
#include "capture/port_dev.h"

/* Buffers in a reader's hands, until its next burst. */
struct zb_port_pkts {
	struct rte_mbuf *mbufs[64];
	uint16_t nr;
	uint32_t area_used;
	uint8_t *area;
	uint64_t segmented; /* packets in several buffers so far */
};

int zb_port_pkts_init(struct zb_port_pkts *p); /* -ENOMEM */
void zb_port_pkts_fini(struct zb_port_pkts *p);

void zb_port_join(struct zb_port_pkts *p, struct rte_mbuf *m, struct zb_pkt *out);

static inline void zb_port_free(struct zb_port_pkts *p)
{
	if (p->nr != 0)
		rte_pktmbuf_free_bulk(p->mbufs, p->nr);
	p->nr = 0;
	p->area_used = 0;
}

/* True when the device has stamped a packet: when it came, by the reader's clock of that device. */
static inline bool zb_port_stamp(const struct zb_port_dev *d, struct zb_nic_clock *c,
				 const struct rte_mbuf *m, uint64_t now_ns, uint64_t *ns)
{
	if (__builtin_expect((m->ol_flags & d->stamp_flag) == 0, 1))
		return false;
	*ns = zb_nic_clock_ns(c, *RTE_MBUF_DYNFIELD(m, d->stamp_off, const rte_mbuf_timestamp_t *),
			      now_ns);
	return true;
}

static inline void zb_port_fill(struct zb_port_pkts *p, struct rte_mbuf *m, uint64_t ts_ns,
				struct zb_pkt *out)
{
	const uint64_t good = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;

	out->data = rte_pktmbuf_mtod(m, const uint8_t *);
	out->ts_ns = ts_ns;
	out->cap_len = m->data_len;
	out->wire_len = m->pkt_len;
	out->late = 0;
	out->link = ZB_LINK_ETHERNET;
	out->flags = (m->ol_flags & good) == good ? ZB_PKT_L4_CHECKED : 0;
	out->l3_off = 0;
	__builtin_prefetch(out->data);
	if (__builtin_expect(m->nb_segs > 1, 0))
		zb_port_join(p, m, out);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* port_pkt.c - see port_pkt.h */
#include "capture/port_pkt.h"

#include <errno.h>
#include <stdlib.h>

#define AREA_BYTES (512u << 10)

int zb_port_pkts_init(struct zb_port_pkts *p)
{
	p->nr = 0;
	p->area_used = 0;
	p->segmented = 0;
	p->area = malloc(AREA_BYTES);
	return p->area != NULL ? 0 : -ENOMEM;
}

void zb_port_pkts_fini(struct zb_port_pkts *p)
{
	free(p->area);
	p->area = NULL;
}

void zb_port_join(struct zb_port_pkts *p, struct rte_mbuf *m, struct zb_pkt *out)
{
	uint32_t len = m->pkt_len;
	uint8_t *to = p->area + p->area_used;

	p->segmented++;
	if (rte_pktmbuf_linearize(m) == 0) {
		out->cap_len = m->data_len;
		return;
	}
	if (len > AREA_BYTES - p->area_used) {
		out->flags |= ZB_PKT_SNAPPED;
		return;
	}
	for (const struct rte_mbuf *s = m; s != NULL; s = s->next) {
		/* A driver that contradicts itself shall not write beyond the area. */
		uint32_t left = (uint32_t)(p->area + p->area_used + len - to),
			 n = s->data_len < left ? s->data_len : left;

		memcpy(to, rte_pktmbuf_mtod(s, const uint8_t *), n);
		to += n;
	}
	out->data = p->area + p->area_used;
	out->cap_len = (uint32_t)(to - out->data);
	p->area_used += out->cap_len;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* tcp_stream.c - see tcp_stream.h */
#include "pipeline/session.h"
#include "pipeline/tcp_seq.h"

void zb_tcp_stream_segment(struct zb_analysis *an, struct zb_delivery_list *l, struct zb_conn *c,
			   const struct zb_pkt *p, const struct zb_tcp_seg *s)
{
	unsigned side = zb_conn_side(c, p->flags & ZB_PKT_SRC_IS_A);
	struct zb_endpoint *e = &c->end[side];
	uint32_t seq = s->seq + !!(s->flags & ZB_TCP_SYN) - e->start_seq, n = s->len;
	const uint8_t *d = p->data + p->payload_off;
	struct zb_session *ses;
	struct zb_tcp_half *h;

	if (s->len == 0 || s->flags & ZB_TCP_RST || p->payload_cap < n)
		return;
	ses = zb_session_get(an, c);
	if (ses == NULL)
		return;
	h = &ses->half[side];
	if (!h->started) {
		h->started = true;
		h->next = 1;
	}
	int32_t ahead = (int32_t)(seq - (uint32_t)h->next);

	if (ahead > 0 || -(int64_t)ahead >= n)
		return;
	d += -ahead;
	n -= (uint32_t)-ahead;
	h->next += n;
	zb_session_push(l, &(struct zb_delivery){.session = ses,
						 .data = d,
						 .n = n,
						 .ts_ns = p->ts_ns,
						 .kind = ZB_DELIVER_DATA,
						 .side = (uint8_t)side});
}

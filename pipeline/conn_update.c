/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn_update.c - roles at birth, timeouts seen by the packet itself, counters, and UDP, ICMP and
 * the rest
 */
#include <netinet/in.h>
#include <stdio.h>

#include "pipeline/conn_update.h"
#include "pipeline/known.h"
#include "pipeline/likely_port.h"
#include "pipeline/tcp_conn.h"

uint64_t zb_conn_size(const struct zb_conn *c, unsigned side)
{
	return c->key.proto == IPPROTO_TCP ? zb_tcp_size(c, side) : c->end[side].bytes;
}

static bool is_broadcast(const struct zb_flow_key *k, bool src_is_a)
{
	static const uint8_t all[4] = {255, 255, 255, 255};

	return k->ip_version == 4 && memcmp(src_is_a ? k->b : k->a, all, 4) == 0;
}

struct zb_conn *zb_conn_birth(struct zb_conn_set *s, const struct zb_pkt *p,
			      const struct zb_flow_key *key)
{
	bool src_is_a = p->flags & ZB_PKT_SRC_IS_A, flip = false;
	struct zb_conn *c = zb_conn_set_create(s, key, (uint32_t)p->hash, p->ts_ns);

	if (c == NULL)
		return NULL;
	if (key->proto == IPPROTO_TCP)
		flip = zb_tcp_flip_at_birth(p->tcp_flags, p->src_port, p->dst_port);
	else if (key->proto == IPPROTO_UDP)
		flip = zb_likely_port(IPPROTO_UDP, p->src_port) &&
		       !zb_likely_port(IPPROTO_UDP, p->dst_port);
	if (src_is_a)
		c->flags |= ZB_CONN_ORIG_IS_A;
	if (flip && !is_broadcast(key, src_is_a))
		zb_conn_flip(c);
	return c;
}

/* The header says it is shorter than a TCP header is; else, if it is bad, it is cut off. */
static bool is_tcp_header_short(const struct zb_pkt *p)
{
	return p->data[p->l4_off + 12] >> 4 < 5;
}

struct zb_conn *zb_conn_for_packet(struct zb_conn_set *s, struct zb_conn *c, const struct zb_pkt *p,
				   const struct zb_flow_key *key, struct zb_weird *w)
{
	/*
	 * An earlier packet of the burst may have ended c and begun its successor, or found memory
	 * where there was none.
	 */
	if (c == NULL || c->flags & ZB_CONN_FINISHED)
		c = zb_conn_set_find(s, key, (uint32_t)p->hash);
	if (c == NULL)
		return zb_conn_birth(s, p, key);
	if (c->flags & ZB_CONN_FRESH)
		return c;
	if (zb_pkt_now_ns(p) >= c->deadline_ns) {
		zb_conn_set_timed_out(s, c, zb_pkt_now_ns(p));
	} else {
		struct zb_tcp_seg seg;

		if (key->proto != IPPROTO_TCP || !(p->tcp_flags & ZB_TCP_SYN) ||
		    is_tcp_header_short(p))
			return c;
		zb_tcp_seg_read(p, zb_conn_side(c, p->flags & ZB_PKT_SRC_IS_A), &seg);
		if (!zb_tcp_is_reuse(c, &seg, w))
			return c;
		c->deadline_ns = zb_pkt_now_ns(p); /* its end, whenever the burst is over */
	}
	zb_conn_set_finish(s, c);
	return zb_conn_birth(s, p, key);
}

/* A packet whose transport checksum is wrong: noted, and otherwise ignored. */
static void bad_checksum(struct zb_conn *c, unsigned side, struct zb_weird *w)
{
	struct zb_conn_rare *r;

	switch (c->key.proto) {
	case IPPROTO_TCP: zb_weird_conn(w, c, ZB_WEIRD_bad_TCP_checksum, NULL); break;
	case IPPROTO_UDP: zb_weird_conn(w, c, ZB_WEIRD_bad_UDP_checksum, NULL); break;
	default: zb_weird_conn(w, c, ZB_WEIRD_bad_ICMP_checksum, NULL); return;
	}
	r = zb_conn_rare(c);
	if (r != NULL && zb_conn_history_due(++r->chk_nr[side]))
		zb_conn_history_add(c, side, 'C');
}

static void udp_packet(struct zb_conn *c, unsigned side, const struct zb_pkt *p, struct zb_weird *w)
{
	const uint8_t *h = p->data + p->l4_off;
	uint32_t stated = (uint32_t)(h[4] << 8 | h[5]), len = p->payload_len + 8;

	if (stated != len) {
		char addl[32];

		snprintf(addl, sizeof(addl), "%u != %u", stated, len);
		zb_weird_conn(w, c, ZB_WEIRD_UDP_datagram_length_mismatch, addl);
	}
	c->last_ns = p->ts_ns;
	c->end[side].bytes += stated >= 8 ? stated - 8 : 0;
	c->end[side].hist |= ZB_HIST_ACTIVE;
	zb_conn_history_once(c, side, ZB_HIST_DATA, 'D');
}

/* ICMP, and protocols of which only the packets are counted. */
static void other_packet(struct zb_conn *c, unsigned side, const struct zb_pkt *p)
{
	c->last_ns = p->ts_ns;
	if (p->proto == IPPROTO_ICMP || p->proto == IPPROTO_ICMPV6)
		c->end[side].bytes += p->payload_len;
	c->end[side].hist |= ZB_HIST_ACTIVE;
}

static unsigned good_packet(struct zb_conn *c, unsigned side, const struct zb_pkt *p,
			    struct zb_analysis *an, struct zb_delivery_list *l)
{
	struct zb_tcp_step step;
	struct zb_tcp_seg seg;

	switch (c->key.proto) {
	case IPPROTO_TCP:
		zb_tcp_seg_read(p, side, &seg);
		zb_tcp_update(c, &seg, an->weird, &step);
		if (c->traits & ZB_TRAIT_ESTABLISHED) {
			c->traits &= (uint16_t)~ZB_TRAIT_ESTABLISHED;
			zb_known_host(an->known, c);
		}
		zb_tcp_stream_segment(an, l, c, p, &step);
		/* Roles may have been swapped. */
		return zb_conn_side(c, p->flags & ZB_PKT_SRC_IS_A);
	case IPPROTO_UDP:
		udp_packet(c, side, p, an->weird);
		zb_session_datagram(an, l, c, p, side);
		break;
	default: other_packet(c, side, p); break;
	}
	return side;
}

void zb_conn_packet(struct zb_conn_set *s, struct zb_conn *c, const struct zb_pkt *p,
		    struct zb_analysis *an, struct zb_delivery_list *l)
{
	unsigned side = zb_conn_side(c, p->flags & ZB_PKT_SRC_IS_A);
	struct zb_weird *w = an->weird;

	if (p->fate == ZB_FATE_conn) {
		side = good_packet(c, side, p, an, l);
		c->end[side].pkts++;
		c->end[side].ip_bytes += p->ip_len;
	} else if (p->fate == ZB_FATE_bad_transport_checksum) {
		bad_checksum(c, side, w);
	} else {
		zb_weird_conn(w, c,
			      is_tcp_header_short(p) ? ZB_WEIRD_bad_TCP_header_len
						     : ZB_WEIRD_truncated_header,
			      NULL);
	}
	if (c->key.proto == IPPROTO_TCP) {
		zb_conn_set_tcp_cell(s, c);
		zb_conn_set_deadline(s, c, zb_tcp_deadline(c));
	} else {
		zb_conn_set_deadline(s, c, zb_conn_idle_deadline(c));
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcp_conn.c - what a segment does to a TCP connection; the state machine itself is in tcp_state.c
 */
#include <stdio.h>

#include "pipeline/tcp_conn_priv.h"
#include "pipeline/tcp_seq.h"
#include "profiler/lcore_stat.h"

#define STORM_COUNT 1000
#define WSCALE_MAX  14 /* RFC 7323, 2.3 */

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The window scale among the options of a SYN, or -1. */
static int16_t find_wscale(const uint8_t *opt, const uint8_t *end)
{
	int16_t scale = -1;

	while (opt < end && *opt != 0) {
		if (*opt == 1) {
			opt++;
			continue;
		}
		if (end - opt < 2 || opt[1] == 0 || opt[1] > end - opt)
			break;
		if (*opt == 3 && opt[1] >= 3)
			scale = opt[2];
		opt += opt[1];
	}
	return scale;
}

void zb_tcp_seg_read(const struct zb_pkt *pkt, unsigned side, struct zb_tcp_seg *s)
{
	bool whole = pkt->fate != ZB_FATE_bad_transport_header;
	const uint8_t *h = pkt->data + pkt->l4_off;

	s->ts_ns = pkt->ts_ns;
	s->seq = be32(h + 4);
	s->ack = be32(h + 8);
	s->flags = pkt->tcp_flags;
	s->window = (uint16_t)(h[14] << 8 | h[15]);
	s->len = whole ? pkt->payload_len : 0;
	s->side = (uint8_t)side;
	s->wscale = -1;
	if (whole && s->flags & ZB_TCP_SYN)
		s->wscale = find_wscale(h + 20, pkt->data + pkt->payload_off);
}

/* Sequence numbers a segment takes up; data on a RST is no part of the stream. */
static uint32_t seg_span(const struct zb_tcp_seg *s)
{
	uint32_t n = s->flags & ZB_TCP_RST ? 0 : s->len;

	return n + !!(s->flags & ZB_TCP_SYN) + !!(s->flags & ZB_TCP_FIN);
}

/* Sets up the side's sequence space at its first packet, and again when a SYN begins it anew. */
static void seq_start(struct zb_conn *c, struct zb_endpoint *e, const struct zb_tcp_seg *s,
		      uint32_t past, struct zb_weird *w)
{
	bool syn = s->flags & ZB_TCP_SYN;

	switch (e->state) {
	case ZB_END_INACTIVE:
		if (syn)
			zb_seq_init(e, s->seq, s->seq, past);
		else
			/*
			 * last is the first byte, so that the packet does not count as a
			 * retransmission.
			 */
			zb_seq_init(e, s->seq - 1, s->seq - 1, s->seq);
		return;
	case ZB_END_SYN_SENT:
	case ZB_END_SYN_ACK_SENT:
		if (!syn || s->seq == e->start_seq)
			return;
		zb_weird_conn(w, c, ZB_WEIRD_SYN_seq_jump, NULL);
		break;
	case ZB_END_ESTABLISHED:
	case ZB_END_PARTIAL:
		if (!syn)
			return;
		if (zb_tcp_end_size(e, &c->end[e == &c->end[0]]) > 0)
			zb_weird_conn(w, c, ZB_WEIRD_SYN_inside_connection, NULL);
		if (s->seq != e->start_seq)
			zb_weird_conn(w, c, ZB_WEIRD_SYN_seq_jump, NULL);
		break;
	case ZB_END_RESET:
		/* A RST gave the numbers; a SYN now is the better witness. */
		if (!syn || e->prev_state != ZB_END_INACTIVE)
			return;
		break;
	default: return;
	}
	zb_seq_init(e, s->seq, s->seq, past);
}

static void history_flags(struct zb_conn *c, const struct zb_tcp_seg *s, uint64_t rel)
{
	struct zb_endpoint *e = &c->end[s->side];
	unsigned flags = s->flags & (ZB_TCP_SYN | ZB_TCP_FIN | ZB_TCP_RST);
	uint32_t at = (uint32_t)rel;

	switch (flags) {
	case 0:
		if (s->len != 0)
			zb_conn_history_once(c, s->side, ZB_HIST_DATA, 'D');
		else if (s->flags & ZB_TCP_ACK)
			zb_conn_history_once(c, s->side, ZB_HIST_ACK, 'A');
		break;
	case ZB_TCP_SYN: {
		char letter = s->flags & ZB_TCP_ACK ? 'H' : 'S';

		if (zb_conn_history_once(c, s->side, ZB_HIST_SYN, letter) && at != e->hist_syn)
			zb_conn_history_add(c, s->side, letter);
		e->hist_syn = at;
		break;
	}
	case ZB_TCP_FIN:
		at += s->len; /* a FIN stands after the data it comes with */
		if (zb_conn_history_once(c, s->side, ZB_HIST_FIN, 'F') && at + 1 != e->fin_seq)
			zb_conn_history_add(c, s->side, 'F');
		break;
	case ZB_TCP_RST:
		if (zb_conn_history_once(c, s->side, ZB_HIST_RST, 'R') && at != e->hist_rst)
			zb_conn_history_add(c, s->side, 'R');
		e->hist_rst = at;
		break;
	default:
		if ((flags & ZB_TCP_FIN) && (flags & ZB_TCP_RST))
			zb_conn_history_once(c, s->side, ZB_HIST_FINRST, 'I');
		else
			zb_conn_history_once(c, s->side, ZB_HIST_MULTI, 'Q');
	}
}

static void count_letter(struct zb_conn *c, unsigned side, uint16_t *count, char letter)
{
	if (*count == UINT16_MAX)
		return;
	if (zb_conn_history_due(++*count))
		zb_conn_history_add(c, side, letter);
}

/*
 * Zero windows go into the history; an edge that moves back by more than the scale's grain is odd.
 */
static void window_update(struct zb_conn *c, const struct zb_tcp_seg *s, struct zb_weird *w)
{
	struct zb_endpoint *e = &c->end[s->side], *peer = &c->end[!s->side];
	uint32_t window = (uint32_t)s->window << e->window_scale;

	if (window == 0 && !(s->flags & ZB_TCP_RST) && peer->state != ZB_END_CLOSED &&
	    e->state != ZB_END_RESET)
		count_letter(c, s->side, &e->zero_win, 'W');
	if (s->flags & (ZB_TCP_SYN | ZB_TCP_FIN | ZB_TCP_RST) || e->state == ZB_END_CLOSED ||
	    e->state == ZB_END_RESET)
		return;
	if (zb_seq_delta(s->seq, e->window_seq) < 0 || zb_seq_delta(s->ack, e->window_ack_seq) < 0)
		return;
	int32_t advance = zb_seq_delta(s->ack + window, e->window_ack_seq + e->window);

	if (advance < 0 && (uint32_t) - (int64_t)advance >= 1u << e->window_scale)
		zb_weird_conn(w, c, ZB_WEIRD_window_recision, NULL);
	e->window = window;
	e->window_ack_seq = s->ack;
	e->window_seq = s->seq;
}

static void window_start(struct zb_conn *c, const struct zb_tcp_seg *s, struct zb_weird *w)
{
	struct zb_endpoint *e = &c->end[s->side], *peer = &c->end[!s->side];

	if (s->wscale < 0) {
		e->window_scale = 0;
		if (s->flags & ZB_TCP_ACK)
			peer->window_scale = 0; /* the answer settles that nobody scales */
		return;
	}
	if (s->wscale > WSCALE_MAX && !(c->flags & ZB_CONN_DID_WEIRD)) {
		char addl[8];

		snprintf(addl, sizeof(addl), "%d", s->wscale);
		zb_weird_conn(w, c, ZB_WEIRD_TCP_scale_range, addl);
	}
	e->window_scale = (uint8_t)(s->wscale > WSCALE_MAX ? WSCALE_MAX : s->wscale);
	e->window_seq = s->seq;
	e->window_ack_seq = s->ack;
	peer->window_seq = s->ack;
	peer->window_ack_seq = s->seq;
}

/* FINs and RSTs beyond the first are counted only to recognise a storm of them. */
static void storm_check(struct zb_conn *c, const struct zb_tcp_seg *s, bool fin, struct zb_weird *w)
{
	struct zb_conn_rare *r = zb_conn_rare(c);

	if (r == NULL)
		return;
	if (++(fin ? r->fin_nr : r->rst_nr)[s->side] >= STORM_COUNT &&
	    s->ts_ns < c->last_ns + ZB_SEC_NS)
		zb_weird_conn(w, c, fin ? ZB_WEIRD_FIN_storm : ZB_WEIRD_RST_storm, NULL);
}

static void flag_oddities(struct zb_conn *c, const struct zb_tcp_seg *s, bool fin_before,
			  bool rst_before, struct zb_weird *w)
{
	if (s->flags & ZB_TCP_SYN) {
		if (s->flags & ZB_TCP_RST)
			zb_weird_conn(w, c, ZB_WEIRD_TCP_christmas, NULL);
		if (s->flags & ZB_TCP_URG)
			zb_weird_conn(w, c, ZB_WEIRD_baroque_SYN, NULL);
		if (s->len > 0)
			zb_weird_conn(w, c, ZB_WEIRD_SYN_with_data, NULL);
		window_start(c, s, w);
	}
	if (s->flags & ZB_TCP_FIN && fin_before)
		storm_check(c, s, true, w);
	if (s->flags & ZB_TCP_RST && rst_before)
		storm_check(c, s, false, w);
}

/* What the segment acknowledges of the other side's data: returns the position. */
static uint64_t ack_update(struct zb_conn *c, const struct zb_tcp_seg *s, struct zb_weird *w)
{
	struct zb_endpoint *e = &c->end[s->side], *peer = &c->end[!s->side];
	bool underflow;
	uint64_t rel;

	if (peer->state == ZB_END_INACTIVE) {
		/* Nothing has come from there, yet it is being acknowledged. */
		if (!(s->flags & (ZB_TCP_SYN | ZB_TCP_FIN | ZB_TCP_RST)) &&
		    (e->state == ZB_END_SYN_SENT || e->state == ZB_END_SYN_ACK_SENT ||
		     e->state == ZB_END_ESTABLISHED) &&
		    !(c->flags & ZB_CONN_DID_WEIRD))
			zb_weird_conn(w, c, ZB_WEIRD_possible_split_routing, NULL);
		zb_seq_init(peer, s->ack - 1, s->ack - 1, s->ack - 1);
		return 1;
	}
	rel = zb_seq_relative(peer, s->ack, peer->ack_seq, peer->ack_wraps, &underflow);
	if (underflow) {
		zb_weird_conn(w, c, ZB_WEIRD_TCP_ack_underflow_or_misorder, NULL);
		return 0;
	}
	if (!(s->flags & ZB_TCP_RST)) {
		int32_t delta = zb_seq_delta(s->ack, peer->ack_seq);

		if (delta > 0 && !(s->ack == 0 && delta > ZB_TCP_SEQ_JUMP))
			zb_seq_acked(peer, s->ack);
	}
	return rel;
}

/* Moves the newest number sent on; returns by how much (negative: behind it). */
static int32_t sent_update(struct zb_conn *c, const struct zb_tcp_seg *s, uint32_t past)
{
	struct zb_endpoint *e = &c->end[s->side];
	int32_t delta = zb_seq_delta(past, e->last_seq);

	if (s->flags & (ZB_TCP_SYN | ZB_TCP_RST) &&
	    (delta > ZB_TCP_SEQ_JUMP || delta < -ZB_TCP_SEQ_JUMP))
		return delta;
	if (s->flags & ZB_TCP_FIN && e->last_seq == e->start_seq + 1)
		/* Only SYN and FIN were seen; the data between may be more than 2 GB. */
		zb_seq_sent(e, past);
	else if (e->state == ZB_END_RESET)
		return delta;
	else if (delta > 0)
		zb_seq_sent(e, past);
	else if (s->len > 0)
		count_letter(c, s->side, &e->rxmit, 'T');
	return delta;
}

/* Whether the connection's beginning was seen is judged by each side's first packet. */
static void judge_partial(struct zb_conn *c, const struct zb_tcp_seg *s)
{
	bool syn = s->flags & ZB_TCP_SYN, partial;

	if (c->traits & ZB_TRAIT_SEEN_ORIG << s->side)
		return;
	if (s->side == ZB_ORIG)
		partial = !syn || s->flags & ZB_TCP_ACK;
	else
		partial = !syn || c->traits & ZB_TRAIT_PARTIAL;
	c->traits = (uint16_t)((c->traits & ~ZB_TRAIT_PARTIAL) | (partial ? ZB_TRAIT_PARTIAL : 0));
}

void zb_tcp_update(struct zb_conn *c, struct zb_tcp_seg *s, struct zb_weird *w,
		   struct zb_tcp_step *out)
{
	struct zb_endpoint *e;
	uint32_t past = s->seq + seg_span(s);
	bool underflow, fin_before, rst_before;

	zb_tcp_flip_late(c, s);
	e = &c->end[s->side];
	judge_partial(c, s);
	fin_before = e->hist & ZB_HIST_FIN;
	rst_before = e->hist & ZB_HIST_RST;
	seq_start(c, e, s, past, w);
	uint64_t rel = zb_seq_relative(e, s->seq, e->last_seq, e->seq_wraps, &underflow);

	if (underflow && !(s->flags & ZB_TCP_RST))
		zb_weird_conn(w, c, ZB_WEIRD_TCP_seq_underflow_or_misorder, NULL);
	history_flags(c, s, rel);
	window_update(c, s, w);
	if (s->flags & (ZB_TCP_SYN | ZB_TCP_FIN | ZB_TCP_RST))
		flag_oddities(c, s, fin_before, rst_before, w);
	if (!c->end[0].did_close || !c->end[1].did_close)
		c->last_ns = s->ts_ns;
	if (s->flags & ZB_TCP_FIN) {
		e->fin_seen = 1;
		e->fin_seq = (uint32_t)rel + seg_span(s);
	}
	out->seq = rel + !!(s->flags & ZB_TCP_SYN);
	out->is_before_start = underflow;
	out->ack = s->flags & ZB_TCP_ACK ? ack_update(c, s, w) : 0;
	int32_t delta = sent_update(c, s, past);

	zb_tcp_state_update(c, s, delta, w, out);
	c->traits |= (uint16_t)(ZB_TRAIT_SEEN_ORIG << s->side);
}

bool zb_tcp_is_reuse(struct zb_conn *c, const struct zb_tcp_seg *s, struct zb_weird *w)
{
	struct zb_endpoint *orig = &c->end[ZB_ORIG], *resp = &c->end[ZB_RESP], *first = orig;
	bool reset = orig->state == ZB_END_RESET || resp->state == ZB_END_RESET;

	if (!(s->flags & ZB_TCP_SYN))
		return false;
	if (s->flags & ZB_TCP_ACK) {
		if (orig->state != ZB_END_INACTIVE)
			return false;
		first = resp;
	}
	if (!orig->did_close && !resp->did_close) {
		if (s->seq == first->start_seq)
			return false;
		/* SYN and SYN-ACK in the wrong order, as two taps deliver them. */
		if (!(s->flags & ZB_TCP_ACK) && first->state == ZB_END_SYN_ACK_SENT &&
		    resp->state == ZB_END_INACTIVE && s->seq == resp->start_seq)
			return false;
		zb_weird_conn(w, c,
			      first->state == ZB_END_SYN_SENT ? ZB_WEIRD_SYN_seq_jump
							      : ZB_WEIRD_active_connection_reuse,
			      NULL);
	} else if (!reset && (zb_tcp_end_active(orig) || zb_tcp_end_active(resp))) {
		zb_weird_conn(w, c, ZB_WEIRD_active_connection_reuse, NULL);
	} else if (!reset && s->ts_ns < c->last_ns + ZB_TCP_LINGER_NS) {
		zb_weird_conn(w, c, ZB_WEIRD_premature_connection_reuse, NULL);
	}
	return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcp_state.c - the state machine of a TCP connection: states, closing, deadline, conn_state, size,
 * roles
 */
#include "pipeline/likely_port.h"
#include "pipeline/session.h"
#include "pipeline/tcp_conn_priv.h"
#include "pipeline/tcp_seq.h"

static void set_state(struct zb_endpoint *e, enum zb_end_state state)
{
	if (e->state == (unsigned)state)
		return;
	e->prev_state = e->state;
	e->state = (unsigned)state & 7;
}

static bool is_handshake(unsigned state)
{
	return state == ZB_END_INACTIVE || state == ZB_END_SYN_SENT || state == ZB_END_SYN_ACK_SENT;
}

/* Ports whose connections Zeek keeps for an hour: FTP, SSH, telnet, rlogin. */
static bool is_long_idle_port(uint16_t port)
{
	return port == 21 || port == 22 || port == 23 || port == 513;
}

static void established(struct zb_conn *c)
{
	if (is_long_idle_port(zb_conn_port(c, ZB_RESP)))
		c->flags |= ZB_CONN_LONG_IDLE;
}

static void flip(struct zb_conn *c)
{
	struct zb_session *s = zb_session_of(c);

	zb_conn_flip(c);
	if (s != NULL)
		zb_session_flip(s);
}

/* Returns the side of the sender after a flip that a reordered handshake may need. */
static unsigned inactive_syn(struct zb_conn *c, const struct zb_tcp_seg *s, struct zb_weird *w)
{
	struct zb_endpoint *e = &c->end[s->side], *peer = &c->end[!s->side];
	unsigned side = s->side;

	if (side == ZB_ORIG) {
		if (s->flags & ZB_TCP_ACK)
			zb_weird_conn(w, c, ZB_WEIRD_connection_originator_SYN_ack, NULL);
		set_state(e, s->flags & ZB_TCP_ACK ? ZB_END_SYN_ACK_SENT : ZB_END_SYN_SENT);
		c->flags |= ZB_CONN_ATTEMPT;
		c->special_ns = s->ts_ns + ZB_TCP_ATTEMPT_NS;
		return side;
	}
	if (s->flags & ZB_TCP_ACK) {
		if (peer->state != ZB_END_INACTIVE && peer->state != ZB_END_PARTIAL &&
		    s->ack - peer->start_seq > peer->last_seq - peer->start_seq)
			zb_weird_conn(w, c, ZB_WEIRD_bad_SYN_ack, NULL);
	} else if (peer->state == ZB_END_SYN_ACK_SENT && s->seq == e->start_seq) {
		flip(c);
		c->traits |= ZB_TRAIT_SEEN_ORIG;
		side = !side;
		e = &c->end[side];
		peer = &c->end[!side];
		set_state(peer, ZB_END_ESTABLISHED);
	} else {
		zb_weird_conn(w, c, ZB_WEIRD_simultaneous_open, NULL);
	}
	if (peer->state == ZB_END_SYN_SENT)
		set_state(peer, ZB_END_ESTABLISHED);
	else if (peer->state == ZB_END_INACTIVE)
		zb_weird_conn(w, c, ZB_WEIRD_unsolicited_SYN_response, NULL);
	set_state(e, ZB_END_ESTABLISHED);
	if (peer->state != ZB_END_PARTIAL)
		established(c);
	if (peer->state == ZB_END_ESTABLISHED)
		c->traits |= ZB_TRAIT_ESTABLISHED;
	return side;
}

/* A packet without control flags from a side that had not spoken. */
static void inactive_plain(struct zb_conn *c, const struct zb_tcp_seg *s)
{
	struct zb_endpoint *e = &c->end[s->side], *peer = &c->end[!s->side];

	if (s->side == ZB_RESP && s->len == 0 && peer->state == ZB_END_SYN_SENT)
		return; /* some stacks ack a SYN before they answer it */
	if (s->flags & ZB_TCP_ACK && peer->state == ZB_END_ESTABLISHED) {
		c->traits &= (uint16_t)~ZB_TRAIT_PARTIAL;
		set_state(e, ZB_END_ESTABLISHED); /* its SYN was missed */
	} else {
		set_state(e, ZB_END_PARTIAL);
	}
}

static bool from_inactive(struct zb_conn *c, const struct zb_tcp_seg *s, struct zb_weird *w)
{
	unsigned side = s->side;
	bool close = false;

	if (s->flags & ZB_TCP_SYN)
		side = inactive_syn(c, s, w);
	struct zb_endpoint *e = &c->end[side], *peer = &c->end[!side];

	if (s->flags & ZB_TCP_FIN) {
		set_state(e, ZB_END_CLOSED);
		close = true;
		if (peer->state != ZB_END_PARTIAL && !(s->flags & ZB_TCP_SYN))
			zb_weird_conn(w, c, ZB_WEIRD_spontaneous_FIN, NULL);
	}
	if (s->flags & ZB_TCP_RST) {
		bool reject = s->side == ZB_ORIG ? peer->state == ZB_END_ESTABLISHED
						 : peer->state == ZB_END_SYN_SENT ||
							   peer->state == ZB_END_SYN_ACK_SENT;

		set_state(e, ZB_END_RESET);
		close = true;
		if (!reject && peer->state == ZB_END_INACTIVE)
			zb_weird_conn(w, c, ZB_WEIRD_spontaneous_RST, NULL);
	}
	if (e->state == ZB_END_INACTIVE)
		inactive_plain(c, s);
	return close;
}

static bool from_syn_sent(struct zb_conn *c, const struct zb_tcp_seg *s, struct zb_weird *w)
{
	struct zb_endpoint *e = &c->end[s->side], *peer = &c->end[!s->side];
	bool close = false;

	if (s->flags & ZB_TCP_SYN) {
		if (s->side == ZB_ORIG) {
			if (s->flags & ZB_TCP_ACK && !(s->flags & (ZB_TCP_FIN | ZB_TCP_RST)) &&
			    e->state != ZB_END_SYN_ACK_SENT)
				zb_weird_conn(w, c, ZB_WEIRD_repeated_SYN_with_ack, NULL);
		} else if (!(s->flags & ZB_TCP_ACK) && e->state != ZB_END_SYN_SENT) {
			zb_weird_conn(w, c, ZB_WEIRD_repeated_SYN_reply_wo_ack, NULL);
		}
	}
	if (s->flags & ZB_TCP_FIN) {
		if (peer->state == ZB_END_INACTIVE || peer->state == ZB_END_SYN_SENT)
			zb_weird_conn(w, c, ZB_WEIRD_inappropriate_FIN, NULL);
		set_state(e, ZB_END_CLOSED);
		close = true;
	}
	if (s->flags & ZB_TCP_RST) {
		set_state(e, ZB_END_RESET);
		c->flags |= ZB_CONN_INACTIVE;
		close = true;
	} else if (s->len > 0) {
		zb_weird_conn(w, c, ZB_WEIRD_data_before_established, NULL);
	}
	return close;
}

static bool from_established(struct zb_conn *c, const struct zb_tcp_seg *s, struct zb_weird *w)
{
	struct zb_endpoint *e = &c->end[s->side], *peer = &c->end[!s->side];
	bool close = false;

	if (s->flags & ZB_TCP_SYN && !(s->flags & ZB_TCP_ACK) && e->state == ZB_END_PARTIAL &&
	    peer->state == ZB_END_INACTIVE) {
		zb_weird_conn(w, c, ZB_WEIRD_SYN_after_partial, NULL);
		set_state(e, ZB_END_SYN_SENT);
	}
	if (s->flags & ZB_TCP_FIN && !(s->flags & ZB_TCP_RST)) {
		set_state(e, ZB_END_CLOSED);
		/* The peer's FIN was followed by a RST: a normal end after all. */
		if (peer->state == ZB_END_RESET && peer->prev_state == ZB_END_CLOSED)
			set_state(peer, ZB_END_CLOSED);
		close = true;
	}
	if (s->flags & ZB_TCP_RST) {
		set_state(e, ZB_END_RESET);
		close = true;
		if (peer->state != ZB_END_RESET || peer->prev_state != ZB_END_ESTABLISHED)
			c->flags |= ZB_CONN_INACTIVE;
	}
	return close;
}

static bool from_closed(struct zb_conn *c, const struct zb_tcp_seg *s, int32_t delta,
			struct zb_weird *w)
{
	struct zb_endpoint *e = &c->end[s->side], *peer = &c->end[!s->side];

	if (s->flags & ZB_TCP_SYN)
		zb_weird_conn(w, c, ZB_WEIRD_SYN_after_close, NULL);
	if (s->flags & ZB_TCP_FIN && delta > 0)
		zb_weird_conn(w, c, ZB_WEIRD_FIN_advanced_last_seq, NULL);
	if (!(s->flags & ZB_TCP_RST) || peer->state == ZB_END_CLOSED)
		return false;
	set_state(e, ZB_END_RESET);
	if (!(c->flags & (ZB_CONN_CLOSING | ZB_CONN_INACTIVE))) {
		c->flags |= ZB_CONN_CLOSING;
		c->special_ns = s->ts_ns + ZB_TCP_CLOSE_DELAY_NS;
	}
	return !e->did_close;
}

static void from_reset(struct zb_conn *c, const struct zb_tcp_seg *s, struct zb_weird *w)
{
	if (s->flags & ZB_TCP_SYN)
		zb_weird_conn(w, c, ZB_WEIRD_SYN_after_reset, NULL);
	if (s->flags & ZB_TCP_FIN)
		zb_weird_conn(w, c, ZB_WEIRD_FIN_after_reset, NULL);
	if (s->len > 0 && !(s->flags & ZB_TCP_RST))
		zb_weird_conn(w, c, ZB_WEIRD_data_after_reset, NULL);
}

void zb_tcp_side_closed(struct zb_conn *c, unsigned side)
{
	struct zb_endpoint *e = &c->end[side];
	const struct zb_endpoint *peer = &c->end[!side];

	if (e->did_close)
		return;
	e->did_close = 1;
	if (e->state == ZB_END_RESET || peer->did_close || peer->state == ZB_END_INACTIVE) {
		c->flags = (uint8_t)((c->flags & ~ZB_CONN_ATTEMPT) | ZB_CONN_CLOSING);
		c->special_ns = c->last_ns + ZB_TCP_CLOSE_DELAY_NS;
	}
}

void zb_tcp_state_update(struct zb_conn *c, const struct zb_tcp_seg *s, int32_t delta,
			 struct zb_weird *w, struct zb_tcp_step *out)
{
	bool orig_was_a = c->flags & ZB_CONN_ORIG_IS_A, close = false;
	unsigned side = s->side;

	switch (c->end[side].state) {
	case ZB_END_INACTIVE: close = from_inactive(c, s, w); break;
	case ZB_END_SYN_SENT:
	case ZB_END_SYN_ACK_SENT: close = from_syn_sent(c, s, w); break;
	case ZB_END_ESTABLISHED:
	case ZB_END_PARTIAL:
		if (s->flags & (ZB_TCP_SYN | ZB_TCP_FIN | ZB_TCP_RST))
			close = from_established(c, s, w);
		break;
	case ZB_END_CLOSED: close = from_closed(c, s, delta, w); break;
	default: from_reset(c, s, w);
	}
	if (orig_was_a != !!(c->flags & ZB_CONN_ORIG_IS_A))
		side = !side;
	out->side = (uint8_t)side;
	out->close = close;
}

/*
 * First check at or after base, in steps of six seconds, that finds the connection idle for five.
 */
static uint64_t session_check(uint64_t base, uint64_t last)
{
	uint64_t idle = last + ZB_TCP_LINGER_NS;

	return idle <= base ? base
			    : base + (idle - base + ZB_TCP_SESSION_NS - 1) / ZB_TCP_SESSION_NS *
					      ZB_TCP_SESSION_NS;
}

uint64_t zb_tcp_deadline(const struct zb_conn *c)
{
	const struct zb_endpoint *o = &c->end[ZB_ORIG], *r = &c->end[ZB_RESP];
	bool past =
		!is_handshake(o->state) || !is_handshake(r->state) || !is_handshake(o->prev_state);
	uint64_t d = c->last_ns + (c->flags & ZB_CONN_LONG_IDLE ? ZB_LONG_INACTIVITY_NS
				   : past			? ZB_TCP_INACTIVITY_NS
								: ZB_SHORT_INACTIVITY_NS);

	if (c->flags & ZB_CONN_CLOSING)
		return c->special_ns < d ? c->special_ns : d;
	if (c->flags & ZB_CONN_INACTIVE)
		return d;
	if (c->flags & ZB_CONN_ATTEMPT && r->state == ZB_END_INACTIVE &&
	    (o->state == ZB_END_SYN_SENT || o->state == ZB_END_SYN_ACK_SENT) && c->special_ns < d)
		return c->special_ns;
	bool quiet = o->state == ZB_END_INACTIVE || r->state == ZB_END_INACTIVE;
	bool reset = o->state == ZB_END_RESET || r->state == ZB_END_RESET;

	if (((o->did_close || r->did_close) &&
	     (quiet || reset || (o->did_close && r->did_close))) ||
	    (o->state == ZB_END_INACTIVE && r->state == ZB_END_INACTIVE)) {
		uint64_t t = session_check(c->first_ns + ZB_TCP_ATTEMPT_NS, c->last_ns);

		d = t < d ? t : d;
	}
	return d;
}

uint64_t zb_tcp_end_size(const struct zb_endpoint *e, const struct zb_endpoint *peer)
{
	uint64_t last = zb_seq_wide(e->last_seq, e->seq_wraps),
		 ack = zb_seq_wide(e->ack_seq, e->ack_wraps);
	uint64_t acked = ack - e->start_seq, size;

	/* A half-open connection that was found out and aborted: its numbers mean nothing. */
	if (e->prev_state == ZB_END_SYN_SENT && e->state == ZB_END_RESET &&
	    peer->state == ZB_END_INACTIVE && acked > 1)
		return 0;
	size = (last > ack ? last : ack) - e->start_seq;
	if (size != 0)
		size--; /* the SYN */
	if (e->fin_seen && size != 0)
		size--;
	return size;
}

uint64_t zb_tcp_size(const struct zb_conn *c, unsigned side)
{
	return zb_tcp_end_size(&c->end[side], &c->end[!side]);
}

/*
 * "S", optionally after "^", and then none of HAFGIQ from the originator before its R; after that,
 * anything.
 */
static bool is_syn_then_rst(const struct zb_conn *c)
{
	const char *h = zb_conn_history(c), *end = h + c->history_len;

	if (h < end && *h == '^')
		h++;
	if (h == end || *h++ != 'S')
		return false;
	for (; h < end; h++) {
		if (*h == 'R')
			return true;
		if (memchr("HAFGIQ", *h, 6) != NULL)
			return false;
	}
	return false;
}

const char *zb_tcp_conn_state(const struct zb_conn *c)
{
	const struct zb_endpoint *oe = &c->end[ZB_ORIG], *re = &c->end[ZB_RESP];
	unsigned o = oe->state, r = re->state;
	bool o_quiet = o == ZB_END_INACTIVE || o == ZB_END_PARTIAL;
	bool r_quiet = r == ZB_END_INACTIVE || r == ZB_END_PARTIAL;

	if (r == ZB_END_RESET) {
		if (o == ZB_END_SYN_SENT || o == ZB_END_SYN_ACK_SENT ||
		    (o == ZB_END_RESET && zb_tcp_size(c, ZB_ORIG) == 0 &&
		     zb_tcp_size(c, ZB_RESP) == 0))
			return "REJ";
		return o_quiet ? "RSTRH" : "RSTR";
	}
	if (o == ZB_END_RESET) {
		if (r_quiet)
			return is_syn_then_rst(c) ? "RSTOS0" : "OTH";
		return "RSTO";
	}
	if (o == ZB_END_CLOSED)
		return r == ZB_END_CLOSED ? "SF" : r_quiet ? "SH" : "S2";
	if (r == ZB_END_CLOSED)
		return o_quiet ? "SHR" : "S3";
	if (o == ZB_END_SYN_SENT && r == ZB_END_INACTIVE)
		return "S0";
	return o == ZB_END_ESTABLISHED && r == ZB_END_ESTABLISHED ? "S1" : "OTH";
}

bool zb_tcp_flip_at_birth(uint8_t tcp_flags, uint16_t src_port, uint16_t dst_port)
{
	bool syn = tcp_flags & ZB_TCP_SYN, ack = tcp_flags & ZB_TCP_ACK;

	if ((syn && !ack) || !zb_likely_port(IPPROTO_TCP, src_port))
		return false;
	/*
	 * Both ends look like servers: a SYN-ACK may be a stealth scan, else the lower port serves.
	 */
	return !zb_likely_port(IPPROTO_TCP, dst_port) || (!syn && src_port < dst_port);
}

void zb_tcp_flip_late(struct zb_conn *c, struct zb_tcp_seg *s)
{
	if (c->history_len != 1 || c->history[0] != 'H' ||
	    s->flags & (ZB_TCP_SYN | ZB_TCP_FIN | ZB_TCP_RST))
		return;
	c->history_len = 0;
	flip(c);
	c->history[c->history_len++] = 'h';
	s->side = !s->side;
	c->traits |=
		ZB_TRAIT_SEEN_ORIG; /* only its SYN was missed: it is not judged by what comes */
}

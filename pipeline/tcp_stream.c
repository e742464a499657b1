/* SPDX-License-Identifier: Apache-2.0 */
/* tcp_stream.c - see tcp_stream.h */
#include "pipeline/session.h"
#include "pipeline/tcp_seq.h"
#include "pipeline/tcp_stream_store.h"

/* init-bare.zeek: tcp_max_initial_window, tcp_max_above_hole_without_any_acks, ... */
#define UNACKED_FROM_START_MAX 16384
#define ABOVE_HOLE_MAX	       16384
#define UNACKED_MAX	       (10 * 1048576)

/*
 * A side of a connection while one packet is taken. A push may run analyzers, and they may swap the
 * roles: after a push, side, half and endpoint are to be asked for again.
 */
struct flow {
	struct zb_analysis *an;
	struct zb_delivery_list *list;
	struct zb_conn *c;
	struct zb_session *s;
	uint64_t now_ns;
	uint8_t side_then, flips_then;
};

static unsigned side_of(const struct flow *f)
{
	return (f->side_then ^ f->flips_then ^ f->s->flips) & 1u;
}

static struct zb_tcp_half *half_of(const struct flow *f)
{
	return &f->s->half[side_of(f)];
}

static struct zb_endpoint *end_of(const struct flow *f)
{
	return &f->c->end[side_of(f)];
}

/* The session is made if need be; false: there is none, so nothing of c is reassembled any more. */
static bool flow_open(struct flow *f, struct zb_analysis *an, struct zb_delivery_list *l,
		      struct zb_conn *c, unsigned side, uint64_t now_ns)
{
	struct zb_session *s = zb_session_get(an, c);

	if (s == NULL) {
		c->traits |= ZB_TRAIT_NO_STREAM;
		return false;
	}
	*f = (struct flow){.an = an,
			   .list = l,
			   .c = c,
			   .s = s,
			   .now_ns = now_ns,
			   .side_then = (uint8_t)side,
			   .flips_then = s->flips};
	return true;
}

static void push(const struct flow *f, enum zb_delivery_kind kind, const uint8_t *d, uint64_t n,
		 struct zb_tcp_piece *owned)
{
	if (owned == NULL && !zb_session_listens(f->s))
		return;
	zb_session_push(f->list,
			&(struct zb_delivery){
				.session = f->s,
				.data = d,
				.owned = owned,
				.now_ns = f->now_ns,
				.n = n,
				.owned_bytes = owned != NULL ? zb_tcp_piece_bytes(owned) : 0,
				.kind = (uint8_t)kind,
				.side = (uint8_t)side_of(f),
			});
}

static bool is_clean(const struct zb_endpoint *e)
{
	return e->state == ZB_END_ESTABLISHED ||
	       (e->state == ZB_END_CLOSED && e->prev_state == ZB_END_ESTABLISHED);
}

/*
 * The next n bytes will not come. They count only while both sides are in good order: numbers of
 * partial or reset connections often mean nothing.
 */
static void give_up(const struct flow *f, uint64_t n)
{
	struct zb_tcp_half *h = half_of(f);

	if (is_clean(&f->c->end[0]) && is_clean(&f->c->end[1])) {
		h->missed += n;
		if (h->gap_nr < INT32_MAX)
			h->gap_nr++;
		if (zb_conn_history_due(h->gap_nr))
			zb_conn_history_add(f->c, side_of(f), 'G');
	}
	h->next += n;
	push(f, ZB_DELIVER_GAP, NULL, n, NULL);
}

static void drop_store(const struct flow *f)
{
	struct zb_tcp_half *h = half_of(f);

	zb_tcp_store_destroy(&f->an->mem, h->store);
	h->store = NULL;
}

static void advance(struct zb_tcp_half *h, uint32_t n)
{
	h->next += n;
	h->unacked += (int32_t)n;
}

/* The first piece behind the hole, or NULL. */
static const struct zb_tcp_piece *first_piece(const struct flow *f)
{
	const struct zb_tcp_store *store = half_of(f)->store;

	return store != NULL ? store->first : NULL;
}

/* Delivers the pieces that are in order now. */
static void drain(const struct flow *f)
{
	const struct zb_tcp_piece *first;

	while ((first = first_piece(f)) != NULL && first->seq == half_of(f)->next) {
		struct zb_tcp_half *h = half_of(f);
		struct zb_tcp_piece *p = zb_tcp_store_take(h->store);

		if (h->store->first == NULL)
			drop_store(f);
		advance(h, p->n);
		if (p->has_data)
			push(f, ZB_DELIVER_DATA, p->data, p->n, p);
		else
			zb_mem_put(&f->an->mem, ZB_MEM_tcp_data, p, sizeof(*p));
	}
}

static bool nothing_acked(const struct zb_endpoint *e)
{
	uint64_t acked = zb_seq_wide(e->ack_seq, e->ack_wraps);

	return acked == e->start_seq || acked == (uint64_t)e->start_seq + 1;
}

/*
 * Something was delivered. When much was sent and nothing of it acknowledged, the acknowledgements
 * probably take another way: they are not waited for.
 */
static void after_delivery(const struct flow *f)
{
	const struct zb_endpoint *e = end_of(f);

	if (nothing_acked(e) && zb_tcp_size(f->c, side_of(f)) > UNACKED_FROM_START_MAX)
		half_of(f)->unacked = 0;
}

/* What has not come up to a position will not come: delivers what lies between the holes. */
static void skip_to(const struct flow *f, uint64_t seq)
{
	const struct zb_tcp_piece *first;

	/*
	 * The beginning of a partial connection was assumed: the first acknowledgement, or that of
	 * a keep-alive, finds it missing without reason.
	 */
	if (seq <= 2 && f->c->traits & ZB_TRAIT_PARTIAL)
		return;
	if (half_of(f)->is_given_up) {
		half_of(f)->next = seq;
		return;
	}
	while ((first = first_piece(f)) != NULL && first->seq < seq) {
		give_up(f, first->seq - half_of(f)->next);
		drain(f);
		after_delivery(f);
	}
	if (seq > half_of(f)->next)
		give_up(f, seq - half_of(f)->next);
}

/* The peer has got everything before seq, which is ahead of all that was delivered. */
static void acked_unseen(const struct flow *f, uint64_t seq)
{
	int64_t unacked;

	skip_to(f, seq);
	if (first_piece(f) != NULL && first_piece(f)->seq == half_of(f)->next) {
		drain(f);
		after_delivery(f);
	}
	unacked = (int64_t)(half_of(f)->next - seq);
	if (unacked < half_of(f)->unacked || seq == half_of(f)->next)
		half_of(f)->unacked = (int32_t)unacked;
}

/* Position behind a side's FIN. */
static uint64_t fin_position(const struct zb_endpoint *e)
{
	uint64_t last = zb_seq_wide(e->last_seq, e->seq_wraps) - e->start_seq;

	return last + (uint64_t)(int64_t)zb_seq_delta(e->fin_seq, (uint32_t)last);
}

static bool has_data(const struct zb_conn *c, unsigned side)
{
	const struct zb_session *s = zb_session_of(c);

	return s != NULL && (s->half[side].store != NULL || s->half[side].unacked > 0);
}

/* Is there something of this side, or acknowledgements of it, that its end must wait for? */
static bool is_data_pending(const struct zb_conn *c, unsigned side)
{
	const struct zb_session *s = zb_session_of(c);
	const struct zb_endpoint *e = &c->end[side];
	uint64_t delivered, last = zb_seq_wide(e->last_seq, e->seq_wraps);

	if (c->traits & ZB_TRAIT_NO_STREAM || (s != NULL && s->half[side].is_given_up))
		return false;
	delivered = e->start_seq + (s != NULL ? s->half[side].next : 1);
	if (last < delivered)
		return false;				/* numbers that were never good */
	if (delivered != last && delivered != last - 1) /* a FIN takes up one, a RST none */
		return true;
	return e->state != ZB_END_RESET && has_data(c, !side);
}

static void close_side(struct zb_conn *c, unsigned side)
{
	if (is_data_pending(c, side)) {
		c->traits |= ZB_TRAIT_CLOSE_DEFERRED;
		return;
	}
	c->traits &= (uint16_t)~ZB_TRAIT_CLOSE_DEFERRED;
	zb_tcp_side_closed(c, side);
}

/* A side that has ended and has nothing pending is done: once. */
static void check_end(struct zb_analysis *an, struct zb_delivery_list *l, struct zb_conn *c,
		      unsigned side, uint64_t now_ns)
{
	const struct zb_endpoint *e = &c->end[side];
	struct flow f;

	if (!e->fin_seen && e->state != ZB_END_CLOSED && e->state != ZB_END_RESET)
		return;
	if (c->traits & ZB_TRAIT_DONE_ORIG << side || is_data_pending(c, side))
		return;
	c->traits |= (uint16_t)(ZB_TRAIT_DONE_ORIG << side);
	if (c->traits & ZB_TRAIT_CLOSE_DEFERRED) {
		close_side(c, side);
		c->traits &= (uint16_t)~ZB_TRAIT_CLOSE_DEFERRED;
	}
	if (zb_session_of(c) != NULL && flow_open(&f, an, l, c, side, now_ns))
		push(&f, ZB_DELIVER_FIN, NULL, 0, NULL);
}

/* side's data have been acknowledged up to ack. */
static void take_ack(struct zb_analysis *an, struct zb_delivery_list *l, struct zb_conn *c,
		     unsigned side, uint64_t ack, uint64_t now_ns)
{
	const struct zb_endpoint *e = &c->end[side];
	struct zb_session *s = zb_session_of(c);
	struct flow f;

	if (e->fin_seen && ack >= fin_position(e))
		ack = fin_position(e) - 1;
	if (s == NULL ? ack <= 1 : ack <= s->half[side].next - (uint64_t)s->half[side].unacked)
		return;
	if (s != NULL && ack <= s->half[side].next) {
		s->half[side].unacked = (int32_t)(s->half[side].next - ack);
		check_end(an, l, c, side, now_ns);
		return;
	}
	if (!flow_open(&f, an, l, c, side, now_ns))
		return;
	acked_unseen(&f, ack);
	check_end(an, l, c, side_of(&f), now_ns);
}

/* Delivers data of which the first byte is the next one, together with what lies behind them. */
static void deliver(const struct flow *f, const uint8_t *d, uint32_t n)
{
	uint64_t seq = half_of(f)->next, end = seq + n;

	while (seq < end) {
		const struct zb_tcp_piece *first = first_piece(f);
		uint64_t stop = first != NULL && first->seq < end ? first->seq : end;
		uint32_t part = (uint32_t)(stop - seq);

		if (part != 0) {
			advance(half_of(f), part);
			push(f, ZB_DELIVER_DATA, d, part, NULL);
		}
		drain(f);
		uint64_t skip = half_of(f)->next - seq;

		seq += skip;
		if (seq < end)
			d += skip;
	}
	after_delivery(f);
}

/* Keeps data that lie beyond a hole; without room for them the holes are given up. */
static void store(const struct flow *f, uint64_t seq, const uint8_t *d, uint32_t n)
{
	struct zb_tcp_half *h = half_of(f);

	if (h->store == NULL)
		h->store = zb_tcp_store_create(&f->an->mem, f->an->secret ^ f->c->uid_seq);
	if (h->store != NULL &&
	    zb_tcp_store_add(&f->an->mem, h->store, seq, zb_session_listens(f->s) ? d : NULL, n))
		return;
	zb_mem_shed(&f->an->mem, ZB_MEM_tcp_data);
	if (h->store != NULL && h->store->first == NULL)
		drop_store(f);
	skip_to(f, seq);
	h = half_of(f);
	if (h->next < seq) /* the assumed beginning of a partial connection */
		give_up(f, seq - h->next);
	h->unacked = 0;
	uint64_t skip = half_of(f)->next - seq;

	if (skip < n)
		deliver(f, d + skip, n - (uint32_t)skip);
}

/* Bytes up to the last one that is kept, holes included. */
static uint64_t above_hole(const struct zb_tcp_half *h)
{
	return h->store != NULL ? zb_tcp_piece_end(h->store->last) - h->next : 0;
}

static void abandon(const struct flow *f, enum zb_weird_name why)
{
	zb_weird_conn(f->an->weird, f->c, why, NULL);
	drop_store(f);
	half_of(f)->unacked = 0;
	half_of(f)->is_given_up = 1;
}

static void check_limits(const struct flow *f)
{
	struct zb_tcp_half *h = half_of(f);
	uint64_t kept = h->store != NULL ? h->store->payload : 0;

	if (above_hole(h) > ABOVE_HOLE_MAX && nothing_acked(end_of(f)))
		abandon(f, ZB_WEIRD_above_hole_data_without_any_acks);
	else if ((int64_t)kept + h->unacked > UNACKED_MAX)
		abandon(f, ZB_WEIRD_excessive_data_without_further_acks);
}

/* The payload of p, whose first byte has position seq in side's stream. */
static void take_data(struct zb_analysis *an, struct zb_delivery_list *l, struct zb_conn *c,
		      const struct zb_pkt *p, unsigned side, uint64_t seq)
{
	const struct zb_endpoint *e = &c->end[side];
	uint64_t end = seq + p->payload_len, from, trim;
	const uint8_t *d = p->data + p->payload_off;
	struct zb_tcp_half *h;
	struct flow f;

	if (p->payload_cap < p->payload_len) {
		zb_weird_conn(an->weird, c, ZB_WEIRD_truncated_tcp_payload, NULL);
		return;
	}
	if (!flow_open(&f, an, l, c, side, zb_pkt_now_ns(p)))
		return;
	h = &f.s->half[side];
	if (h->is_given_up)
		return;
	/* What was acknowledged is of no more interest, whether it was seen or not. */
	from = zb_seq_wide(e->ack_seq, e->ack_wraps) - e->start_seq;
	trim = h->next - (uint64_t)(int64_t)h->unacked;
	from = from > trim ? from : trim;
	from = from > h->next || seq > h->next ? from : h->next;
	from = from > seq ? from : seq;
	if (from >= end)
		return;
	if (from == h->next)
		deliver(&f, d + (from - seq), (uint32_t)(end - from));
	else
		store(&f, from, d + (from - seq), (uint32_t)(end - from));
	check_limits(&f);
}

/* Where the side now stands that was side when end a was the originator, or was not. */
static uint8_t side_now(const struct zb_conn *c, bool orig_was_a, uint8_t side)
{
	return side ^ (orig_was_a != !!(c->flags & ZB_CONN_ORIG_IS_A));
}

void zb_tcp_stream_segment(struct zb_analysis *an, struct zb_delivery_list *l, struct zb_conn *c,
			   const struct zb_pkt *p, const struct zb_tcp_step *step)
{
	bool orig_is_a = c->flags & ZB_CONN_ORIG_IS_A;
	uint8_t side = step->side; /* follows the roles */

	if (!(c->traits & ZB_TRAIT_NO_STREAM)) {
		if (p->tcp_flags & ZB_TCP_ACK)
			take_ack(an, l, c, !step->side, step->ack, zb_pkt_now_ns(p));
		side = side_now(c, orig_is_a, step->side);
		if (p->payload_len != 0 && !(p->tcp_flags & ZB_TCP_RST) && !step->is_before_start)
			take_data(an, l, c, p, side, step->seq);
		side = side_now(c, orig_is_a, step->side);
	}
	check_end(an, l, c, side, zb_pkt_now_ns(p));
	if (step->close)
		close_side(c, side_now(c, orig_is_a, step->side));
}

void zb_tcp_stream_end(struct zb_session *s)
{
	for (unsigned side = ZB_ORIG; side <= ZB_RESP; side++) {
		zb_tcp_store_destroy(&s->an->mem, s->half[side].store);
		s->half[side].store = NULL;
	}
}

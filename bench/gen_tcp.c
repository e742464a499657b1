/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_tcp.c - a TCP connection as a monitor near the client sees it
 *
 *   SYN -> SYN_ACK -> OPEN -> DATA (messages in turn) -> FIN -> FIN_ACK? -> FIN_BACK -> LAST_ACK
 *    |        |                 |
 *    |        RST (rejected)    RST (broken off)
 *    repeated, then given up
 *
 * A receiver acknowledges every second segment; what is left over is acknowledged by the answer.
 */
#include "bench/gen_session_priv.h"
#include "bench/gen_world.h"

#define SYN_TRIES	3
#define RETRANSMIT_RATE 300 /* one segment in so many is sent twice */
#define RTO_NS		(220 * ZB_GEN_MS)

enum phase { SYN, SYN_ACK, OPEN, DATA, FIN, FIN_ACK, FIN_BACK, LAST_ACK, RST };

static zb_gen_next_msg *app_of(const struct zb_gen_tcp_conn *c)
{
	static zb_gen_next_msg *const apps[] = {
		[ZB_GEN_HTTP] = zb_gen_http_msg,
		[ZB_GEN_TLS] = zb_gen_tls_msg,
		[ZB_GEN_FILE] = zb_gen_file_msg,
		[ZB_GEN_CONNECT] = zb_gen_connect_msg,
	};

	return apps[c->app];
}

static void emit(struct zb_gen_session *s, struct zb_gen_frame *f, unsigned from, unsigned flags)
{
	struct zb_gen_tcp_conn *c = &s->tcp;
	struct zb_gen_ip ip = zb_gen_next_ip(s, from);
	struct zb_gen_tcp tcp = {
		.seq = c->seq[from],
		.ack = flags & ZB_GEN_ACK ? c->seq[!from] : 0,
		.window = flags & ZB_GEN_SYN ? 64240 : 501,
		.flags = (uint8_t)flags,
	};

	zb_gen_seal_tcp(f, &ip, &tcp, (struct zb_gen_payload){0});
}

/* Passes a time between lo and hi microseconds. */
static void pass_us(struct zb_gen_session *s, uint32_t lo, uint32_t hi)
{
	s->next_ns += zb_gen_rand_between(&s->rand, lo * 1000, hi * 1000);
}

/* The time until `to` answers `from`'s packet: far for the server, near for the client. */
static void pass_answer(struct zb_gen_session *s, unsigned to)
{
	pass_us(s, 30, 200);
	if (to == 1)
		s->next_ns += s->rtt_ns;
}

/* Takes the next message, or begins to close (or to break off). */
static void next_message(struct zb_gen_session *s)
{
	struct zb_gen_tcp_conn *c = &s->tcp;
	unsigned last_from = c->msg.from;

	c->sent = 0;
	if (c->fate == ZB_GEN_RESET && c->msg_nr == c->reset_at) {
		c->phase = RST;
		pass_us(s, 500, 20000);
		return;
	}
	if (!zb_gen_msg_plan(s, app_of(c), c->msg_nr, &c->msg)) {
		c->phase = FIN;
		pass_us(s, 100, 3000);
		return;
	}
	if (c->msg_nr > 0 && c->msg.from != last_from)
		pass_answer(s, c->msg.from);
	c->msg_nr++;
	c->phase = DATA;
}

static void emit_segment(struct zb_gen_session *s, struct zb_gen_frame *f, bool again)
{
	struct zb_gen_tcp_conn *c = &s->tcp;
	uint32_t total = c->msg.head_len + c->msg.body_len;
	uint32_t mss = zb_gen_mss(&s->wire), left = total - c->sent;
	struct zb_gen_ip ip = zb_gen_next_ip(s, c->msg.from);
	struct zb_gen_tcp tcp = {.window = 501, .flags = ZB_GEN_ACK};

	if (again) {
		c->sent -= c->segment;
		c->seq[c->msg.from] -= c->segment;
	} else {
		c->segment = (uint16_t)(left < mss ? left : mss);
	}
	tcp.seq = c->seq[c->msg.from];
	tcp.ack = c->seq[!c->msg.from];
	if (c->sent + c->segment == total)
		tcp.flags |= ZB_GEN_PSH;
	if (f != NULL) {
		const struct zb_gen_part part = {app_of(c), &c->msg, c->msg_nr - 1, c->sent,
						 c->segment};
		uint64_t sum = zb_gen_msg_write(s, &part, zb_gen_tcp_payload(f, &s->wire));

		zb_gen_seal_tcp(f, &ip, &tcp, (struct zb_gen_payload){c->segment, sum});
	}
	c->sent += c->segment;
	c->seq[c->msg.from] += c->segment;
}

/* With a bandwidth, a segment takes its time, and losses do not slow it down. */
static bool paced(const struct zb_gen_session *s)
{
	return s->shape != NULL && s->shape->byte_q16 != 0;
}

static void step_paced(struct zb_gen_session *s, struct zb_gen_frame *f)
{
	struct zb_gen_tcp_conn *c = &s->tcp;

	if (c->unacked >= 2) {
		emit(s, f, !c->msg.from, ZB_GEN_ACK);
		c->unacked = 0;
		return;
	}
	emit_segment(s, f, false);
	c->unacked++;
	s->next_ns += c->segment * s->shape->byte_q16 >> 16;
}

static void step_data(struct zb_gen_session *s, struct zb_gen_frame *f)
{
	struct zb_gen_tcp_conn *c = &s->tcp;

	if (paced(s)) {
		step_paced(s, f);
	} else if (c->unacked >= 2 && !c->again) {
		emit(s, f, !c->msg.from, ZB_GEN_ACK);
		c->unacked = 0;
		pass_us(s, 10, 60);
	} else {
		bool was_again = c->again;

		emit_segment(s, f, was_again);
		c->again = !was_again && c->fate != ZB_GEN_BRIEF &&
			   zb_gen_rand_one_in(&s->rand, RETRANSMIT_RATE);
		c->unacked = was_again ? 2 : (uint8_t)(c->unacked + 1);
		if (c->again)
			s->next_ns += RTO_NS;
		pass_us(s, 12, 80);
	}
	if (c->again || c->unacked >= 2 || c->sent < c->msg.head_len + c->msg.body_len)
		return;
	next_message(s);
	c->unacked = 0; /* what comes next acknowledges the odd segment */
}

static bool step_syn(struct zb_gen_session *s, struct zb_gen_frame *f)
{
	struct zb_gen_tcp_conn *c = &s->tcp;

	emit(s, f, 0, ZB_GEN_SYN);
	c->tries++;
	if (c->fate == ZB_GEN_NO_ANSWER) {
		s->next_ns += ZB_GEN_S << (c->tries - 1);
		return c->tries < SYN_TRIES;
	}
	c->seq[0]++;
	c->phase = SYN_ACK;
	pass_answer(s, 1);
	return true;
}

static bool step_syn_ack(struct zb_gen_session *s, struct zb_gen_frame *f)
{
	struct zb_gen_tcp_conn *c = &s->tcp;

	if (c->fate == ZB_GEN_REJECTED) {
		c->seq[1] = 0;
		emit(s, f, 1, ZB_GEN_RST | ZB_GEN_ACK);
		return false;
	}
	emit(s, f, 1, ZB_GEN_SYN | ZB_GEN_ACK);
	c->seq[1]++;
	c->phase = OPEN;
	pass_answer(s, 0);
	return true;
}

static bool step_close(struct zb_gen_session *s, struct zb_gen_frame *f)
{
	struct zb_gen_tcp_conn *c = &s->tcp;

	switch (c->phase) {
	case FIN:
		emit(s, f, c->closer, ZB_GEN_FIN | ZB_GEN_ACK);
		c->seq[c->closer]++;
		c->phase = c->fate != ZB_GEN_BRIEF && zb_gen_rand_one_in(&s->rand, 2) ? FIN_ACK
										      : FIN_BACK;
		pass_answer(s, !c->closer);
		return true;
	case FIN_ACK:
		emit(s, f, !c->closer, ZB_GEN_ACK);
		c->phase = FIN_BACK;
		pass_us(s, 50, 2000);
		return true;
	case FIN_BACK:
		emit(s, f, !c->closer, ZB_GEN_FIN | ZB_GEN_ACK);
		c->seq[!c->closer]++;
		c->phase = LAST_ACK;
		pass_answer(s, c->closer);
		return true;
	default: emit(s, f, c->closer, ZB_GEN_ACK); return false;
	}
}

static bool step(struct zb_gen_session *s, struct zb_gen_frame *f)
{
	struct zb_gen_tcp_conn *c = &s->tcp;

	switch (c->phase) {
	case SYN: return step_syn(s, f);
	case SYN_ACK: return step_syn_ack(s, f);
	case OPEN:
		emit(s, f, 0, ZB_GEN_ACK);
		next_message(s);
		return true;
	case DATA: step_data(s, f); return true;
	case RST: emit(s, f, c->closer, ZB_GEN_RST | ZB_GEN_ACK); return false;
	default: return step_close(s, f);
	}
}

void zb_gen_tcp_make(struct zb_gen_session *s, enum zb_gen_fate fate, enum zb_gen_app app)
{
	struct zb_gen_tcp_conn *c = &s->tcp;

	s->step = step;
	c->app = (uint8_t)app;
	c->fate = (uint8_t)fate;
	c->phase = SYN;
	c->seq[0] = (uint32_t)zb_gen_rand_u64(&s->rand);
	c->seq[1] = (uint32_t)zb_gen_rand_u64(&s->rand);
	c->closer = (uint8_t)zb_gen_rand_below(&s->rand, 2);
	c->reset_at = (uint8_t)zb_gen_rand_between(&s->rand, 1, 3);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* attack_talk.c - TCP connections in which somebody says something, cut into segments */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bench/attack_priv.h"

enum phase { SYN, SYN_ACK, OPEN, TALK, SEGMENT };

static void emit(struct zb_attack_gen *g, unsigned side, struct zb_at_seg *s, const uint8_t *data,
		 uint32_t len)
{
	const struct zb_at_flow *f = &g->talk.flow;

	s->flow = *f;
	if (side == 1)
		s->flow = (struct zb_at_flow){f->dst, f->src, f->dport, f->sport};
	if (s->flags & AT_ACK)
		s->ack += g->talk.seq[!side];
	s->seq += g->talk.seq[side];
	zb_at_tcp(g, s, data, len);
}

static void emit_flags(struct zb_attack_gen *g, unsigned side, uint8_t flags)
{
	struct zb_at_seg s = {.window = 65000, .flags = flags};

	emit(g, side, &s, NULL, 0);
}

static void begin(struct zb_attack_gen *g)
{
	struct zb_at_talk *t = &g->talk;
	uint64_t dice = zb_at_dice(g, t->conn);
	uint16_t port = t->flow.dport;

	t->flow = zb_at_spoofed(g, t->conn, port);
	t->conn++;
	t->seq[0] = (uint32_t)dice & 0x3fffffff; /* so that jumps do not wrap by chance */
	t->seq[1] = (uint32_t)(dice >> 32) & 0x3fffffff;
	t->nr = 0;
	t->unacked = 0;
	emit_flags(g, 0, AT_SYN);
	t->seq[0]++;
	t->phase = t->one_sided ? OPEN : SYN_ACK;
}

/* The next segment of what is being said. */
static void segment(struct zb_attack_gen *g)
{
	struct zb_at_talk *t = &g->talk;
	const struct zb_at_said *m = &t->said;
	uint32_t left = m->len - t->sent, len = left < t->mss ? left : t->mss;
	struct zb_at_seg s = {
		.seq = m->apart ? (uint32_t)(m->skip + t->sent) : 0,
		.ack = m->ack_add,
		.window = m->window == 0   ? 65000
			  : m->window == 1 ? 0
					   : m->window,
		.urgent = m->urgent,
		.flags = (uint8_t)(AT_ACK | m->flags | (len > 0 && len == left ? AT_PSH : 0)),
		.bad_sum = m->bad_sum,
	};

	emit(g, m->side, &s, len > 0 ? m->data + t->sent : NULL, len);
	if (!m->apart)
		t->seq[m->side] += len + ((m->flags & AT_FIN) != 0);
	t->sent += len;
	t->unacked += len > 0;
	t->phase = t->sent < m->len ? SEGMENT : TALK;
}

static void talk(struct zb_attack_gen *g)
{
	struct zb_at_talk *t = &g->talk;

	if (t->ack_every != 0 && t->unacked >= t->ack_every && !t->one_sided) {
		emit_flags(g, !t->said.side, AT_ACK);
		t->unacked = 0;
		return;
	}
	if (t->phase == TALK) {
		t->said = (struct zb_at_said){0};
		t->sent = 0;
		if (g->attack->say(g, t->nr++) == 0) {
			begin(g);
			return;
		}
	}
	segment(g);
}

void zb_at_talk(struct zb_attack_gen *g, uint64_t n)
{
	struct zb_at_talk *t = &g->talk;

	(void)n;
	switch (t->phase) {
	case SYN: begin(g); return;
	case SYN_ACK:
		emit_flags(g, 1, AT_SYN | AT_ACK);
		t->seq[1]++;
		t->phase = OPEN;
		return;
	case OPEN:
		emit_flags(g, 0, AT_ACK);
		t->phase = TALK;
		return;
	default: talk(g); return;
	}
}

void zb_at_msg(struct zb_attack_gen *g)
{
	g->msg_len = 0;
}

void zb_at_add(struct zb_attack_gen *g, const void *data, size_t len)
{
	assert(g->msg_len + len <= ZB_AT_MSG_BYTES);
	memcpy(g->msg + g->msg_len, data, len);
	g->msg_len += (uint32_t)len;
}

void zb_at_add_fill(struct zb_attack_gen *g, int byte, size_t len)
{
	assert(g->msg_len + len <= ZB_AT_MSG_BYTES);
	memset(g->msg + g->msg_len, byte, len);
	g->msg_len += (uint32_t)len;
}

void zb_at_add_text(struct zb_attack_gen *g, const char *fmt, ...)
{
	size_t room = ZB_AT_MSG_BYTES - g->msg_len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf((char *)g->msg + g->msg_len, room, fmt, ap);
	va_end(ap);
	assert(n >= 0 && (size_t)n < room);
	g->msg_len += (uint32_t)n;
}

void zb_at_add_be(struct zb_attack_gen *g, uint64_t v, unsigned bytes)
{
	assert(g->msg_len + bytes <= ZB_AT_MSG_BYTES);
	g->msg_len += bytes;
	zb_at_patch_be(g, g->msg_len - bytes, v, bytes);
}

void zb_at_patch_be(struct zb_attack_gen *g, size_t at, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		g->msg[at + i] = (uint8_t)(v >> (8 * (bytes - 1 - i)));
}

int zb_at_say(struct zb_attack_gen *g, unsigned side)
{
	g->talk.said.data = g->msg;
	g->talk.said.len = g->msg_len;
	g->talk.said.side = side;
	return 1;
}

int zb_at_say_text(struct zb_attack_gen *g, unsigned side, const char *text)
{
	zb_at_msg(g);
	zb_at_add(g, text, strlen(text));
	return zb_at_say(g, side);
}

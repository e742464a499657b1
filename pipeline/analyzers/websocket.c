/* SPDX-License-Identifier: Apache-2.0 */
/*
 * websocket.c - WebSocket: frames of a connection that HTTP has upgraded, and what runs in them
 * (RFC 6455)
 *
 *     FIN, opcode | MASK, length (7 bits, or 16 or 64 more) | mask (4) | payload
 *
 * A message is one frame or more, the last with FIN. What text and binary messages carry is a
 * stream of its own, in which content detection begins anew; it is handed on in pieces of up to
 * PIECE_BYTES, each when it is whole, as Zeek does (src/analyzer/protocol/websocket). It is
 * attached by HTTP only.
 *
 * A frame that is refused is stepped over, and a new message begins behind it. Zeek drops what is
 * left of the segment instead, which is the same where a frame is a segment.
 */
#include <stdio.h>
#include <string.h>

#include "pipeline/analyzer.h"

#define HEAD_MAX      14
#define PIECE_BYTES   8192 /* Zeek: WebSocket::payload_chunk_size */
#define CONTROL_BYTES 125  /* RFC 6455, 5.5 */

enum opcode { CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PONG = 10 };

struct ws_side {
	uint64_t left; /* of the frame's payload */
	uint64_t mask_at;
	uint8_t *piece; /* PIECE_BYTES of room, or NULL */
	uint32_t piece_n;
	uint8_t head[HEAD_MAX], head_n;
	uint8_t mask[4];
	uint8_t opcode; /* of the message */
	bool in_message, in_payload, is_masked, is_last;
	bool is_refused; /* the frame: to be stepped over */
};

struct websocket {
	struct zb_analyzer base;
	struct ws_side side[2];
	struct zb_branch *inner;
	bool is_over; /* where frames begin is not known any more */
};

static struct zb_mem *mem_of(struct websocket *w)
{
	return &zb_analyzer_analysis(&w->base)->mem;
}

static void piece_free(struct websocket *w, struct ws_side *s)
{
	zb_mem_put(mem_of(w), ZB_MEM_analyzer, s->piece, PIECE_BYTES);
	s->piece = NULL;
	s->piece_n = 0;
}

/* Bytes of the header, as far as its first two tell. */
static unsigned head_bytes(const uint8_t *head)
{
	unsigned len = head[1] & 0x7fu;

	return 2 + (len < 126 ? 0 : len == 126 ? 2 : 8) + (head[1] & 0x80 ? 4 : 0);
}

static uint64_t payload_bytes(const uint8_t *head)
{
	unsigned len = head[1] & 0x7fu, more = len < 126 ? 0 : len == 126 ? 2 : 8;
	uint64_t n = 0;

	for (unsigned i = 0; i < more; i++)
		n = n << 8 | head[2 + i];
	return more == 0 ? len : n;
}

/* False: the analyzer is removed. */
static bool refuse(struct websocket *w, struct ws_side *s)
{
	s->is_refused = true;
	s->in_message = false;
	return !zb_analyzer_violate(&w->base);
}

static void frame_end(struct websocket *w, struct ws_side *s)
{
	s->in_payload = false;
	if (s->is_refused) {
		s->is_refused = false;
		return;
	}
	s->in_message = !s->is_last;
	if (!s->is_last)
		return;
	zb_analysis_event(zb_analyzer_analysis(&w->base));
	zb_analyzer_confirm(&w->base);
}

/* False: the analyzer is removed. */
static bool head_end(struct websocket *w, struct ws_side *s)
{
	unsigned opcode = s->head[0] & 0x0f, n = head_bytes(s->head);

	s->head_n = 0;
	s->is_last = s->head[0] & 0x80;
	if (!s->in_message)
		s->opcode = (uint8_t)opcode;
	s->left = payload_bytes(s->head);
	s->is_masked = s->head[1] & 0x80;
	if (s->is_masked)
		memcpy(s->mask, s->head + n - 4, 4);
	s->mask_at = 0;
	s->in_payload = true;
	if (!s->is_refused && s->opcode >= CLOSE && s->opcode <= PONG && s->left > CONTROL_BYTES) {
		char addl[48];

		snprintf(addl, sizeof(addl), "%llu > %u", (unsigned long long)s->left,
			 CONTROL_BYTES);
		zb_analyzer_weird(&w->base, ZB_WEIRD_websocket_control_frame_size_exceeded, addl);
	}
	/* A status has two bytes. */
	if (!s->is_refused && s->opcode == CLOSE && s->left == 1 && !refuse(w, s))
		return false;
	if (s->left == 0)
		frame_end(w, s);
	return true;
}

/* Takes bytes of a header; false: the analyzer is removed. */
static bool take_head(struct websocket *w, struct ws_side *s, const uint8_t *d, size_t n,
		      size_t *used)
{
	*used = 0;
	while (*used < n) {
		s->head[s->head_n++] = d[(*used)++];
		if (s->head_n == 2 && ((s->head[0] & 0x0f) == CONTINUATION) != s->in_message &&
		    !refuse(w, s))
			return false;
		if (s->head_n >= 2 && s->head_n == head_bytes(s->head))
			return head_end(w, s);
	}
	return true;
}

/* A whole piece of what text and binary messages carry. */
static void hand_on(struct websocket *w, unsigned side, const uint8_t *d, size_t n)
{
	struct ws_side *s = &w->side[side];
	uint8_t clear[PIECE_BYTES];

	if (s->is_masked) {
		for (size_t i = 0; i < n; i++)
			clear[i] = d[i] ^ s->mask[(s->mask_at + i) & 3];
		s->mask_at += n;
		d = clear;
	}
	if (w->inner == NULL)
		w->inner = zb_branch_open(&w->base, true);
	if (w->inner != NULL)
		zb_branch_data(w->inner, side, d, n);
	else
		w->is_over = true;
}

/* Takes bytes of a payload that is of interest; pieces that come whole are not copied. */
static size_t take_stream(struct websocket *w, unsigned side, const uint8_t *d, size_t n)
{
	struct ws_side *s = &w->side[side];
	uint64_t whole = s->left + s->piece_n;
	size_t want = whole < PIECE_BYTES ? (size_t)whole : PIECE_BYTES, part;

	if (s->piece_n == 0 && n >= want) {
		s->left -= want;
		hand_on(w, side, d, want);
		return want;
	}
	if (s->piece == NULL) {
		s->piece = zb_mem_get_raw(mem_of(w), ZB_MEM_analyzer, PIECE_BYTES);
		if (s->piece == NULL) {
			zb_mem_shed(mem_of(w), ZB_MEM_analyzer);
			w->is_over = true;
			return n;
		}
	}
	part = want - s->piece_n < n ? want - s->piece_n : n;
	memcpy(s->piece + s->piece_n, d, part);
	s->piece_n += (uint32_t)part;
	s->left -= part;
	if (s->piece_n == want) {
		s->piece_n = 0;
		hand_on(w, side, s->piece, want);
	}
	return part;
}

static void websocket_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct websocket *w = (struct websocket *)a;
	struct ws_side *s = &w->side[side];

	while (n != 0 && !w->is_over) {
		size_t used;

		if (!s->in_payload) {
			if (!take_head(w, s, d, n, &used))
				return;
		} else {
			if (!s->is_refused && (s->opcode == TEXT || s->opcode == BINARY)) {
				used = take_stream(w, side, d, n);
			} else {
				used = s->left < n ? (size_t)s->left : n;
				s->left -= used;
			}
			if (s->left == 0 && s->piece_n == 0)
				frame_end(w, s);
		}
		d += used;
		n -= used;
	}
}

/* Zeek reads neither side any further. */
static void websocket_gap(struct zb_analyzer *a, unsigned side, uint64_t n)
{
	struct websocket *w = (struct websocket *)a;

	(void)side;
	(void)n;
	w->is_over = true;
}

static void websocket_fin(struct zb_analyzer *a, unsigned side)
{
	struct websocket *w = (struct websocket *)a;

	if (w->inner != NULL)
		zb_branch_fin(w->inner, side);
}

static void websocket_flip(struct zb_analyzer *a)
{
	struct websocket *w = (struct websocket *)a;
	struct ws_side s = w->side[ZB_ORIG];

	w->side[ZB_ORIG] = w->side[ZB_RESP];
	w->side[ZB_RESP] = s;
	if (w->inner != NULL)
		zb_branch_flip(w->inner);
}

static void websocket_end(struct zb_analyzer *a)
{
	struct websocket *w = (struct websocket *)a;

	zb_branch_close(w->inner);
	w->inner = NULL;
	piece_free(w, &w->side[ZB_ORIG]);
	piece_free(w, &w->side[ZB_RESP]);
}

const struct zb_analyzer_def zb_analyzer_websocket = {
	.name = "websocket",
	.state_bytes = sizeof(struct websocket),
	.mem = ZB_MEM_analyzer,
	.data = websocket_data,
	.gap = websocket_gap,
	.fin = websocket_fin,
	.flip = websocket_flip,
	.end = websocket_end,
};

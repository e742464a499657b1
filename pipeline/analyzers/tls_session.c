/* SPDX-License-Identifier: Apache-2.0 */
/* tls_session.c - state of a TLS or DTLS session, and when it is logged; see tls_priv.h */
#include <string.h>

#include "pipeline/analyzers/tls_priv.h"
#include "pipeline/session.h"

static struct zb_mem *mem_of(const struct zb_tls *t)
{
	return &zb_analyzer_analysis(&t->a)->mem;
}

void zb_tls_seen(struct zb_tls *t)
{
	if (t->flags & ZB_TLS_SEEN)
		return;
	t->flags |= ZB_TLS_SEEN;
	t->ts_ns = zb_analyzer_now_ns(&t->a);
}

void zb_tls_history(struct zb_tls *t, bool is_client, char letter)
{
	zb_tls_seen(t);
	if (t->history_len >= ZB_TLS_HISTORY_MAX)
		return;
	t->history[t->history_len++] = is_client ? (char)(letter - 'a' + 'A') : letter;
	if (t->history_len == ZB_TLS_HISTORY_MAX)
		zb_analyzer_weird(&t->a, ZB_WEIRD_SSL_max_ssl_history_length_reached, NULL);
}

void zb_tls_direction(struct zb_tls *t, bool desired_client, unsigned side)
{
	if (zb_tls_is_client(t, side) == desired_client)
		return;
	t->flags ^= ZB_TLS_FLIPPED;
	zb_tls_seen(t);
	/* Marks are not among the letters that are limited. */
	if (t->history_len < sizeof(t->history))
		t->history[t->history_len++] = '^';
	if (!(t->flags & (ZB_TLS_FLIPPED | ZB_TLS_UNCLEAR))) {
		t->flags |= ZB_TLS_UNCLEAR;
		zb_analyzer_weird(&t->a, ZB_WEIRD_SSL_unclear_connection_direction, NULL);
	}
}

static void log_once(struct zb_tls *t)
{
	if ((t->flags & (ZB_TLS_SEEN | ZB_TLS_LOGGED)) != ZB_TLS_SEEN)
		return;
	t->flags |= ZB_TLS_LOGGED;
	zb_tls_log(t);
}

void zb_tls_violate(struct zb_tls *t)
{
	log_once(t);
	if (zb_analyzer_violate(&t->a))
		t->flags |= ZB_TLS_STOPPED;
}

void zb_tls_stop(struct zb_tls *t)
{
	t->flags |= ZB_TLS_STOPPED;
	zb_analyzer_done(&t->a);
}

void zb_tls_established(struct zb_tls *t)
{
	zb_tls_seen(t);
	t->flags |= ZB_TLS_ESTABLISHED;
	t->a.branch->session->flags |= ZB_SESSION_TLS;
	log_once(t);
	zb_tls_stop(t);
}

void zb_tls_flip(struct zb_analyzer *a)
{
	struct zb_tls *t = (struct zb_tls *)a;
	struct zb_tls_buf message = t->message[0];
	uint32_t both = ZB_TLS_CIPHERED_ORIG | ZB_TLS_CIPHERED_RESP, now = t->flags & both;

	t->message[0] = t->message[1];
	t->message[1] = message;
	if (now != 0 && now != both)
		t->flags ^= both;
}

bool zb_tls_buf_add(struct zb_tls *t, struct zb_tls_buf *b, const uint8_t *d, size_t n)
{
	size_t room = b->room != 0 ? b->room : 1024;
	uint8_t *p;

	if (n == 0)
		return true;
	if (n > ZB_TLS_MESSAGE_MAX || b->n + n > ZB_TLS_MESSAGE_MAX)
		goto shed;
	while (room < b->n + n)
		room *= 2;
	if (room != b->room) {
		p = zb_mem_resize(mem_of(t), ZB_MEM_tls, b->p, b->room, room);
		if (p == NULL)
			goto shed;
		b->p = p;
		b->room = (uint32_t)room;
	}
	memcpy(b->p + b->n, d, n);
	b->n += (uint32_t)n;
	return true;
shed:
	zb_mem_shed(mem_of(t), ZB_MEM_tls);
	return false;
}

void zb_tls_buf_free(struct zb_tls *t, struct zb_tls_buf *b)
{
	zb_mem_put(mem_of(t), ZB_MEM_tls, b->p, b->room);
	*b = (struct zb_tls_buf){0};
}

void zb_tls_buf_set(struct zb_tls *t, struct zb_tls_buf *b, const uint8_t *d, size_t n)
{
	zb_tls_buf_free(t, b);
	/* An empty text is a text: it has a block all the same. */
	b->p = zb_mem_get_raw(mem_of(t), ZB_MEM_tls, n + 1);
	if (b->p == NULL) {
		zb_mem_shed(mem_of(t), ZB_MEM_tls);
		return;
	}
	b->room = (uint32_t)n + 1;
	b->n = (uint32_t)n;
	memcpy(b->p, d, n);
}

void zb_tls_end(struct zb_analyzer *a)
{
	struct zb_tls *t = (struct zb_tls *)a;

	log_once(t);
	for (unsigned i = 0; i < 2; i++) {
		zb_tls_buf_free(t, &t->message[i]);
		zb_mem_put(mem_of(t), ZB_MEM_tls, t->chain[i].sha256,
			   (size_t)t->chain[i].room * 32);
	}
	zb_tls_buf_free(t, &t->name);
	zb_tls_buf_free(t, &t->alpn);
}

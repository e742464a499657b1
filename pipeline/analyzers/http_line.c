/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_line.c - the stream of a side: lines, and bytes that are no lines
 *
 * Lines that lie whole in a chunk are read where they are; CR, LF and CR LF end one. Bodies whose
 * length is known are not cut into lines, but pass through (Zeek:
 * src/analyzer/protocol/tcp/ContentLine.cc).
 */
#include <string.h>

#include "pipeline/analyzers/http_priv.h"

#define KEEP_ROOM 4096 /* a larger buffer goes back when what was in it has been read */

bool http_buf_add(struct http *h, struct http_buf *b, const char *d, size_t n)
{
	if (n > HTTP_LINE_MAX - b->len)
		return false;
	if (n > b->room - b->len) {
		uint32_t room = b->room == 0 ? 256 : b->room;
		char *p;

		while (room - b->len < n)
			room *= 2;
		p = zb_mem_resize(http_mem(h), ZB_MEM_http, b->p, b->room, room);
		if (p == NULL) {
			zb_mem_shed(http_mem(h), ZB_MEM_http);
			return false;
		}
		b->p = p;
		b->room = room;
	}
	if (n != 0)
		memcpy(b->p + b->len, d, n);
	b->len += (uint32_t)n;
	return true;
}

void http_buf_free(struct http *h, struct http_buf *b)
{
	zb_mem_put(http_mem(h), ZB_MEM_http, b->p, b->room);
	*b = (struct http_buf){NULL, 0, 0};
}

void http_buf_clear(struct http *h, struct http_buf *b)
{
	b->len = 0;
	if (b->room > KEEP_ROOM)
		http_buf_free(h, b);
}

/* A line of which at bytes lie at d, and perhaps its beginning in the buffer. */
static void emit(struct http *h, unsigned side, const char *d, size_t at)
{
	struct http_buf *b = &h->side[side].lines.line;
	uint32_t len;

	if (b->len == 0) {
		http_take(h, side, d, at, true);
		return;
	}
	if (!http_buf_add(h, b, d, at)) /* the buffer is full: what has room is the line */
		http_buf_add(h, b, d, HTTP_LINE_MAX - b->len);
	len = b->len;
	b->len = 0;
	http_take(h, side, b->p, len, true);
	http_buf_clear(h, b);
}

/* Keeps the beginning of a line; one that is too long is taken as it is. */
static void keep(struct http *h, unsigned side, const char *d, size_t n)
{
	struct http_buf *b = &h->side[side].lines.line;

	if (http_buf_add(h, b, d, n))
		return;
	zb_analyzer_weird(&h->base, ZB_WEIRD_contentline_size_exceeded, NULL);
	emit(h, side, d, n < HTTP_LINE_MAX - b->len ? n : HTTP_LINE_MAX - b->len);
}

static void single_cr(struct http *h)
{
	if (!h->single_cr)
		zb_analyzer_weird(&h->base, ZB_WEIRD_line_terminated_with_single_CR, NULL);
	h->single_cr = true;
}

/* Bytes of d before the end of the line. */
static size_t find_end(const struct http_lines *l, const char *d, size_t n)
{
	size_t at = 0;

	if (!l->crlf_only) {
		while (at < n && d[at] != '\n' && d[at] != '\r')
			at++;
		return at;
	}
	for (;; at++) {
		const char *cr = memchr(d + at, '\r', n - at);

		at = cr == NULL ? n : (size_t)(cr - d);
		/* A CR at the end is kept, and found there again with its LF. */
		if (at == n || (at + 1 < n && d[at + 1] == '\n'))
			return at;
	}
}

/* With crlf_only, CR and LF may lie in two chunks. */
static bool ends_kept(const struct http_lines *l, const char *d)
{
	return l->crlf_only && l->line.len != 0 && l->line.p[l->line.len - 1] == '\r' &&
	       d[0] == '\n';
}

/* Hands over a line, or keeps its beginning; returns the bytes taken. */
static size_t take_line(struct http *h, unsigned side, const char *d, size_t n)
{
	struct http_lines *l = &h->side[side].lines;
	size_t at, used;

	if (ends_kept(l, d)) {
		l->line.len--;
		l->behind = (uint32_t)(n - 1);
		emit(h, side, d, 0);
		return 1;
	}
	at = find_end(l, d, n);
	if (at != 0 && l->after_cr && !l->crlf_only)
		single_cr(h);
	l->after_cr = false;
	if (at == n) {
		l->behind = 0;
		keep(h, side, d, n);
		return n;
	}
	used = at + 1;
	if (d[at] == '\r' && used < n && d[used] == '\n')
		used++;
	else
		l->after_cr = d[at] == '\r';
	l->behind = (uint32_t)(n - used);
	emit(h, side, d, at);
	return used;
}

/* What nobody reads is looked at only for its line ends, as long as they may matter. */
static bool is_ignored(const struct http *h, unsigned side)
{
	const struct http_side *s = &h->side[side];

	return s->expect == HTTP_NOTHING && h->single_cr && s->lines.line.len == 0;
}

static void deliver(struct http *h, unsigned side, const char *d, size_t n)
{
	struct http_lines *l = &h->side[side].lines;

	while (n != 0 && !l->skip) {
		size_t used;

		if (l->after_cr && d[0] == '\n') {
			l->after_cr = false;
			d++;
			n--;
			continue;
		}
		if (h->tunnel != NULL || h->upgraded) {
			http_tunnel_data(h, side, d, n);
			return;
		}
		if (is_ignored(h, side))
			return;
		if (l->plain > 0) {
			used = l->plain < (int64_t)n ? (size_t)l->plain : n;
			l->after_cr = false;
			l->plain -= (int64_t)used;
			l->behind = (uint32_t)(n - used);
			http_take(h, side, d, used, false);
		} else if (http_entity_is_text(h, side)) {
			http_entity_text(h, side, d, n);
			return;
		} else {
			used = take_line(h, side, d, n);
		}
		d += used;
		n -= used;
	}
}

void http_lines_data(struct http *h, unsigned side, const char *d, size_t n)
{
	struct http_lines *l = &h->side[side].lines;

	if (l->skip)
		return;
	if (l->is_raw) {
		http_take(h, side, d, n, true);
		return;
	}
	if (l->delivery > 0)
		l->delivery -= (int64_t)n;
	deliver(h, side, d, n);
	if (l->delivery != 0)
		return;
	if (l->line.len != 0) {
		zb_analyzer_weird(&h->base, ZB_WEIRD_line_terminated_without_CRLF, NULL);
		deliver(h, side, "\r\n", 2);
	}
	l->delivery = -1;
}

void http_lines_fin(struct http *h, unsigned side)
{
	struct http_lines *l = &h->side[side].lines;

	if (l->line.len == 0 || l->skip || l->is_raw)
		return;
	l->crlf_only = false;
	deliver(h, side, "\n", 1);
}

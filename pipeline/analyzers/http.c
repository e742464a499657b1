/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.c - HTTP/0.9 to 1.1: what each side says, line by line and body by body
 *
 * Lines that lie whole in a chunk are read where they are; bodies pass through. What a side may say
 * next follows from what it and the other side have said (RFC 9112; Zeek:
 * src/analyzer/protocol/http).
 */
#include <string.h>

#include "pipeline/analyzers/http_priv.h"

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
	memcpy(b->p + b->len, d, n);
	b->len += (uint32_t)n;
	return true;
}

void http_buf_free(struct http *h, struct http_buf *b)
{
	zb_mem_put(http_mem(h), ZB_MEM_http, b->p, b->room);
	*b = (struct http_buf){NULL, 0, 0};
}

static void message_begin(struct http_side *s)
{
	s->in_message = true;
	s->expect = HTTP_HEADERS;
	s->content_length = s->range_length = -1;
	s->body_len = s->offset = s->instance_length = 0;
	s->chunked = s->gzip = s->deflate = s->zip_failed = s->partial = s->multipart = false;
	s->filename.len = s->header.len = 0;
}

/* 101: the connection speaks another protocol from here on. */
static void upgraded(struct http *h)
{
	h->upgraded = true;
	h->side[ZB_ORIG].expect = h->side[ZB_RESP].expect = HTTP_NOTHING;
}

static void reply_end(struct http *h)
{
	bool final = h->reply_code < 100 || h->reply_code >= 200;

	if (final && h->unanswered != 0) {
		h->unanswered--;
		h->head_requests >>= 1;
	}
	if (h->reply_code == 101 && h->unanswered == 1 && h->upgrade && h->has_upgrade_protocol)
		upgraded(h);
	h->reply_code = 0;
	h->upgrade = h->has_upgrade_protocol = false;
}

void http_message_end(struct http *h, unsigned side, bool interrupted)
{
	struct http_side *s = &h->side[side];

	if (!s->in_message)
		return;
	s->in_message = false;
	http_body_end(h, side);
	http_info_done(h, side, s->body_len);
	s->expect = interrupted ? HTTP_NOTHING : HTTP_LINE;
	if (side == ZB_RESP)
		reply_end(h);
}

/* The headers are over. */
static void headers_end(struct http *h, unsigned side)
{
	struct http_side *s = &h->side[side];

	if (s->header.len != 0)
		http_header(h, side, s->header.p, s->header.len);
	s->header.len = 0;
	if (side == ZB_RESP && h->connect && h->reply_code == 200) {
		h->tunnel = zb_branch_open(&h->base, true);
		s->no_body = true;
	}
	http_body_begin(h, side);
}

static void header_line(struct http *h, unsigned side, const char *d, size_t n)
{
	struct http_side *s = &h->side[side];
	bool folded = n != 0 && (d[0] == ' ' || d[0] == '\t') && s->header.len != 0;

	if (n == 0) {
		headers_end(h, side);
		return;
	}
	if (!folded) {
		if (s->header.len != 0)
			http_header(h, side, s->header.p, s->header.len);
		s->header.len = 0;
	}
	http_buf_add(h, &s->header, d, n);
}

static void chunk_size(struct http *h, unsigned side, const char *d, size_t n)
{
	struct http_side *s = &h->side[side];
	int64_t size = 0;
	size_t at = 0;

	for (; at < n && at < 15; at++) {
		char c = d[at];
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;

		if (digit < 0)
			break;
		size = size << 4 | digit;
	}
	if (at == 0)
		zb_analyzer_weird(&h->base, ZB_WEIRD_HTTP_bad_chunk_size, NULL);
	s->left = size;
	s->expect = size > 0 ? HTTP_CHUNK_DATA : HTTP_TRAILER;
}

static void request_begins(struct http *h, const char *d, size_t n)
{
	if (n == 0) {
		zb_analyzer_weird(&h->base, ZB_WEIRD_empty_http_request, NULL);
		return;
	}
	if (http_request_line(h, d, n) > 0) {
		message_begin(&h->side[ZB_ORIG]);
		if (h->http09)
			h->side[ZB_RESP].expect = HTTP_TO_END;
		return;
	}
	h->side[ZB_ORIG].expect = HTTP_NOTHING;
	zb_analyzer_violate(&h->base);
}

static void reply_begins(struct http *h, const char *d, size_t n)
{
	if (http_status_line(h, d, n)) {
		if (h->connect && h->reply_code != 200)
			h->connect = false;
		message_begin(&h->side[ZB_RESP]);
	} else if (n != 0) {
		h->side[ZB_RESP].expect = HTTP_NOTHING;
		zb_analyzer_violate(&h->base);
	}
}

static void line(struct http *h, unsigned side, const char *d, size_t n)
{
	struct http_side *s = &h->side[side];

	switch (s->expect) {
	case HTTP_LINE:
		if (side == ZB_ORIG)
			request_begins(h, d, n);
		else
			reply_begins(h, d, n);
		break;
	case HTTP_HEADERS: header_line(h, side, d, n); break;
	case HTTP_CHUNK_SIZE: chunk_size(h, side, d, n); break;
	case HTTP_CHUNK_END: s->expect = HTTP_CHUNK_SIZE; break;
	case HTTP_TRAILER:
		if (n == 0)
			http_message_end(h, side, false);
		break;
	default: break;
	}
}

static bool takes_lines(const struct http_side *s)
{
	return s->expect == HTTP_LINE || s->expect == HTTP_HEADERS ||
	       s->expect == HTTP_CHUNK_SIZE || s->expect == HTTP_CHUNK_END ||
	       s->expect == HTTP_TRAILER;
}

/* Hands over one line, put together with what was kept of it; CR, LF and CR LF end one. */
static size_t take_line(struct http *h, unsigned side, const char *d, size_t n)
{
	struct http_side *s = &h->side[side];
	size_t at = 0;

	if (s->cr_pending) { /* the CR that ended the last line may have its LF here */
		s->cr_pending = false;
		if (d[0] == '\n')
			return 1;
		zb_analyzer_weird(&h->base, ZB_WEIRD_line_terminated_with_single_CR, NULL);
	}
	while (at < n && d[at] != '\n' && d[at] != '\r')
		at++;
	if (at == n || s->line.len != 0) {
		if (!http_buf_add(h, &s->line, d, at)) {
			http_message_end(h, side, true);
			s->expect = HTTP_NOTHING;
			return n;
		}
		if (at == n)
			return n;
	}
	s->cr_pending = d[at] == '\r';
	if (s->line.len != 0) {
		struct http_buf whole = s->line;

		s->line = (struct http_buf){NULL, 0, 0};
		line(h, side, whole.p, whole.len);
		http_buf_free(h, &whole);
	} else {
		line(h, side, d, at);
	}
	return at + 1;
}

/* HTTP/0.9: what the server sends is the body. */
static void begin_09(struct http *h)
{
	struct http_side *s = &h->side[ZB_RESP];

	if (h->unanswered == 0)
		zb_analyzer_weird(&h->base, ZB_WEIRD_http_09_reply_before_request, NULL);
	message_begin(s);
	s->expect = HTTP_TO_END;
	http_info_reply(h);
}

static size_t take_body(struct http *h, unsigned side, const char *d, size_t n)
{
	struct http_side *s = &h->side[side];
	bool to_end = s->expect == HTTP_TO_END;
	size_t part = to_end || s->left > (int64_t)n ? n : (size_t)s->left;

	if (to_end && !s->in_message)
		begin_09(h);
	http_body_data(h, side, (const uint8_t *)d, part);
	if (to_end)
		return part;
	s->left -= (int64_t)part;
	if (s->left == 0) {
		if (s->expect == HTTP_BODY)
			http_message_end(h, side, false);
		else
			s->expect = HTTP_CHUNK_END;
	}
	return part;
}

static void http_data(struct zb_analyzer *a, unsigned side, const uint8_t *bytes, size_t n)
{
	struct http *h = (struct http *)a;
	const char *d = (const char *)bytes;

	if (zb_analyzer_is_partial(a))
		return;
	while (n != 0) {
		struct http_side *s = &h->side[side];
		size_t used;

		if (h->tunnel != NULL) {
			if (s->cr_pending && d[0] == '\n') {
				s->cr_pending = false;
				d++;
				n--;
			}
			s->cr_pending = false;
			zb_branch_data(h->tunnel, side, (const uint8_t *)d, n);
			return;
		}
		if (a->flags & ZB_ANALYZER_REMOVED || s->expect == HTTP_NOTHING)
			return;
		if (!takes_lines(s) && s->cr_pending) {
			s->cr_pending = false;
			used = d[0] == '\n';
		} else {
			used = takes_lines(s) ? take_line(h, side, d, n) : take_body(h, side, d, n);
		}
		d += used;
		n -= used;
	}
}

static bool gap_is_in_body(const struct http_side *s, uint64_t n)
{
	if (!s->in_message || s->body_len == 0)
		return false;
	return s->expect == HTTP_TO_END
		       ? false
		       : (s->expect == HTTP_BODY || s->expect == HTTP_CHUNK_DATA) &&
				 (uint64_t)s->left >= n;
}

static void http_gap(struct zb_analyzer *a, unsigned side, uint64_t n)
{
	struct http *h = (struct http *)a;
	struct http_side *s = &h->side[side];

	if (h->tunnel != NULL) {
		zb_branch_gap(h->tunnel, side, n);
		return;
	}
	if (gap_is_in_body(s, n)) {
		http_body_gap(h, side, n);
		s->left -= (int64_t)n;
		if (s->left == 0 && s->expect == HTTP_BODY)
			http_message_end(h, side, false);
		else if (s->left == 0)
			s->expect = HTTP_CHUNK_END;
		return;
	}
	/* Whether a reply has a body depends on its request: without one, neither is read on. */
	if (s->in_message && s->body_len != 0)
		zb_file_gap(s->file, n);
	if (side == ZB_ORIG) {
		http_message_end(h, ZB_ORIG, true);
		http_message_end(h, ZB_RESP, true);
	} else {
		http_message_end(h, ZB_RESP, true);
	}
	s->expect = HTTP_NOTHING;
}

static void http_fin(struct zb_analyzer *a, unsigned side)
{
	struct http *h = (struct http *)a;
	struct http_side *s = &h->side[side];

	if (h->tunnel != NULL) {
		zb_branch_fin(h->tunnel, side);
		return;
	}
	if (s->line.len != 0 && takes_lines(s)) { /* the last line had no end */
		struct http_buf whole = s->line;

		s->line = (struct http_buf){NULL, 0, 0};
		line(h, side, whole.p, whole.len);
		http_buf_free(h, &whole);
	}
	http_message_end(h, side, false);
}

static void http_flip(struct zb_analyzer *a)
{
	struct http *h = (struct http *)a;

	if (h->tunnel != NULL)
		zb_branch_flip(h->tunnel);
}

static void http_end(struct zb_analyzer *a)
{
	struct http *h = (struct http *)a;

	zb_branch_close(h->tunnel);
	h->tunnel = NULL;
	for (unsigned side = ZB_ORIG; side <= ZB_RESP; side++)
		http_message_end(h, side, true);
	http_info_flush(h);
	for (unsigned side = ZB_ORIG; side <= ZB_RESP; side++) {
		http_buf_free(h, &h->side[side].line);
		http_buf_free(h, &h->side[side].header);
		http_buf_free(h, &h->side[side].filename);
	}
}

/* A known method in front, blanks before it allowed. */
static enum zb_match request_match(const uint8_t *d, size_t n)
{
	static const char *const methods[] = {"GET",	  "HEAD",     "POST",	 "PUT",
					      "OPTIONS",  "TRACE",    "CONNECT", "DELETE",
					      "PROPFIND", "PROPPATCH"};
	size_t at = 0;

	while (at < n && (d[at] == ' ' || (d[at] >= '\t' && d[at] <= '\r')))
		at++;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		size_t len = strlen(methods[i]), part = n - at < len ? n - at : len;

		if (memcmp(d + at, methods[i], part) == 0)
			return part == len ? ZB_MATCH_YES : ZB_MATCH_MORE;
	}
	return ZB_MATCH_NO;
}

static const uint16_t http_ports[] = {80, 81, 631, 1080, 3128, 8000, 8080, 8888, 0};

const struct zb_analyzer_def zb_analyzer_http = {
	.name = "http",
	.state_bytes = sizeof(struct http),
	.mem = ZB_MEM_http,
	.tcp_ports = http_ports,
	.match_over = ZB_OVER_TCP,
	.match = {request_match, NULL},
	.data = http_data,
	.gap = http_gap,
	.fin = http_fin,
	.flip = http_flip,
	.end = http_end,
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_body.c - bodies: by length, in chunks, by lines, to the end (RFC 9112, 6 and 7)
 *
 * A body whose length is known, or that ends with the connection, passes through without a copy.
 * One that could end with any line is read line by line, and every line counts as one that ends
 * with CR and LF, as in Zeek (src/analyzer/protocol/http, .../mime).
 */
#include <string.h>

#include "pipeline/analyzers/http_priv.h"
#include "pipeline/fault.h"

#define TEXT_BYTES 4096

void http_entity_init(struct http_entity *e, enum http_has_body has_body)
{
	struct http_buf header = e->header, filename = e->filename, boundary = e->boundary;

	header.len = filename.len = boundary.len = 0;
	*e = (struct http_entity){
		.header = header,
		.filename = filename,
		.boundary = boundary,
		.in_header = true,
		.has_body = (uint8_t)has_body,
		.content_length = -1,
		.range_length = -1,
	};
}

void http_entity_free(struct http *h, struct http_entity *e)
{
	http_file_release(e);
	http_buf_free(h, &e->header);
	http_buf_free(h, &e->filename);
	http_buf_free(h, &e->boundary);
}

void http_entity_begin(struct http *h, unsigned side, enum http_has_body has_body)
{
	struct http_side *s = &h->side[side];

	http_file_release(&s->top);
	http_entity_init(&s->top, has_body);
	s->current = &s->top;
	s->has_message = true;
	http_info_entity(h, side, true);
}

/* Bytes of a leaf's body. */
static void leaf(struct http *h, unsigned side, struct http_entity *e, const char *d, size_t n,
		 bool is_line)
{
	bool in_multipart = e->parent != NULL && e->parent->kind == HTTP_MULTIPART;
	struct zb_fault *fault = zb_analyzer_analysis(&h->base)->fault;

	if (__builtin_expect(fault != NULL, 0))
		zb_fault_body(fault, d, n);
	if (e->line_end_waits)
		http_file_data(h, side, e, "\r\n", 2);
	e->line_end_waits = is_line && in_multipart;
	http_file_data(h, side, e, d, n);
	if (is_line && !in_multipart)
		http_file_data(h, side, e, "\r\n", 2);
}

void http_entity_clear(struct http *h, unsigned side, struct http_entity *e, const char *d,
		       size_t n, bool is_line)
{
	e->body_len += n + (is_line ? 2 : 0);
	if (e->kind == HTTP_LEAF)
		leaf(h, side, e, d, n, is_line);
	else
		http_part_take(h, side, e, d, n, is_line);
}

static void body(struct http *h, unsigned side, struct http_entity *e, const char *d, size_t n,
		 bool is_line)
{
	if (e->zipped)
		http_zip_data(h, side, e, (const uint8_t *)d, n);
	else
		http_entity_clear(h, side, e, d, n, is_line);
}

void http_entity_end(struct http *h, unsigned side, struct http_entity *e)
{
	if (e->is_over)
		return;
	e->is_over = true;
	if (e->in_header)
		http_header_flush(h, side, e);
	e->in_header = false;
	http_part_end(h, side, e);
	http_zip_end(h, e);
	http_info_entity(h, side, false);
	http_file_end(h, side, e);
	if (e->parent == NULL) {
		http_message_end(h, side, false);
		return;
	}
	h->side[side].current = e->parent;
	if (e->parent->kind == HTTP_MULTIPART)
		h->side[side].lines.crlf_only = false;
}

/* The headers are over: what comes now? */
static void headers_end(struct http *h, unsigned side, struct http_entity *e)
{
	struct http_lines *l = &h->side[side].lines;

	e->in_header = false;
	if (e->parent != NULL && e->parent->kind == HTTP_MULTIPART)
		l->crlf_only = true;
	if (e->content_length >= 0)
		l->delivery = e->content_length;
	if (e->chunk == HTTP_TRAILER) {
		e->chunk = HTTP_CHUNKS_OVER;
		http_entity_end(h, side, e);
	} else if (e->has_body == HTTP_BODY_NO) {
		http_entity_end(h, side, e);
	} else if (e->kind != HTTP_LEAF) {
		if (e->chunk != HTTP_NO_CHUNKS)
			zb_analyzer_weird(&h->base,
					  ZB_WEIRD_HTTP_chunked_transfer_for_multipart_message,
					  NULL);
		e->left = e->content_length;
		if (e->content_length == 0 && e->depth == 0)
			http_entity_end(h, side, e);
	} else if (e->chunk != HTTP_NO_CHUNKS) {
		e->chunk = HTTP_CHUNK_SIZE;
	} else if (e->content_length >= 0) {
		e->left = e->content_length;
		if (e->left == 0)
			http_entity_end(h, side, e);
		else
			l->plain = e->left;
	} else if (h->close || e->zipped) {
		e->left = l->plain = HTTP_TO_END;
	} else if (e->has_body != HTTP_BODY_YES) {
		http_entity_end(h, side, e);
	}
	if (!e->is_over && e->kind == HTTP_IN_MESSAGE)
		http_part_begin(h, side, e);
}

/* A number in hexadecimal; false: none. What is too large is as large as can be. */
static bool read_size(const char *d, size_t n, int64_t *out)
{
	bool negative = n != 0 && d[0] == '-';
	size_t at = negative;
	int64_t v = 0;

	for (; at < n; at++) {
		int digit = zb_text_hex_digit((uint8_t)d[at]);

		if (digit < 0)
			break;
		v = v > INT64_MAX >> 5 ? INT64_MAX : v << 4 | digit;
	}
	*out = negative ? -v : v;
	return at > negative;
}

static void take_chunk(struct http *h, unsigned side, struct http_entity *e, const char *d,
		       size_t n)
{
	switch (e->chunk) {
	case HTTP_CHUNK_SIZE:
		if (!read_size(d, n, &e->left)) {
			http_weird(h, ZB_WEIRD_HTTP_bad_chunk_size, d, n);
			e->left = 0;
		}
		if (e->left > 0) {
			e->chunk = HTTP_CHUNK_DATA;
			h->side[side].lines.plain = e->left;
		} else { /* the last one */
			e->chunk = HTTP_TRAILER;
			e->in_header = true;
		}
		break;
	case HTTP_CHUNK_DATA:
		e->left -= (int64_t)n;
		if (e->left <= 0) {
			h->side[side].lines.plain = 0;
			e->chunk = HTTP_CHUNK_END;
		}
		body(h, side, e, d, n, false);
		break;
	case HTTP_CHUNK_END: e->chunk = HTTP_CHUNK_SIZE; break;
	default: break;
	}
}

/* What the message's length says is more than it had. */
static void take_counted(struct http *h, unsigned side, struct http_entity *e, size_t n)
{
	struct http_lines *l = &h->side[side].lines;

	e->left -= (int64_t)n;
	if (e->left > 0)
		return;
	l->plain = 0;
	if (e->kind == HTTP_LEAF)
		l->delivery = -1;
	http_entity_end(h, side, e);
}

void http_entity_take(struct http *h, unsigned side, struct http_entity *e, const char *d, size_t n,
		      bool is_line)
{
	if (e->is_over)
		return;
	if (e->in_header) {
		if (!is_line)
			zb_analyzer_weird(&h->base, ZB_WEIRD_http_no_crlf_in_header_list, NULL);
		if (n != 0 && d[0] != '\0') {
			http_header_line(h, side, e, d, n);
			return;
		}
		http_header_flush(h, side, e);
		headers_end(h, side, e);
	} else if (e->kind != HTTP_LEAF) {
		body(h, side, e, d, n, is_line);
		if (!e->is_over && e->depth == 0 && e->content_length > 0)
			take_counted(h, side, e, n + (is_line ? 2 : 0));
	} else if (e->chunk != HTTP_NO_CHUNKS) {
		take_chunk(h, side, e, d, n);
	} else if (e->content_length >= 0) {
		body(h, side, e, d, n, false);
		take_counted(h, side, e, n);
	} else {
		body(h, side, e, d, n, is_line);
	}
}

bool http_entity_is_text(const struct http *h, unsigned side)
{
	const struct http_side *s = &h->side[side];
	const struct http_entity *e = &s->top;

	return s->expect == HTTP_MESSAGE && !e->in_header && !e->is_over && e->kind == HTTP_LEAF &&
	       e->chunk == HTTP_NO_CHUNKS && e->content_length < 0 && !h->connect;
}

/* Lines put together, so that not each of them is a piece of its own. */
struct collected {
	size_t n;
	char d[TEXT_BYTES];
};

static void collect(struct http *h, unsigned side, struct collected *c, const char *d, size_t n)
{
	if (n > sizeof(c->d) - c->n) {
		body(h, side, &h->side[side].top, c->d, c->n, false);
		c->n = 0;
	}
	if (n > sizeof(c->d)) {
		body(h, side, &h->side[side].top, d, n, false);
		return;
	}
	if (n != 0)
		memcpy(c->d + c->n, d, n);
	c->n += n;
}

/*
 * Bytes of d before the end of the line. *lf: where the next LF is, or end; it is looked for only
 * once d has come to it, as many lines may end in CR before it.
 */
static size_t line_bytes(const char *d, const char *end, const char **lf)
{
	const char *cr;

	if (*lf < d) {
		*lf = memchr(d, '\n', (size_t)(end - d));
		*lf = *lf != NULL ? *lf : end;
	}
	cr = memchr(d, '\r', (size_t)(*lf - d));
	return (size_t)((cr != NULL ? cr : *lf) - d);
}

void http_entity_text(struct http *h, unsigned side, const char *d, size_t n)
{
	struct http_lines *l = &h->side[side].lines;
	struct collected c = {.n = 0};
	const char *end = d + n, *lf = memchr(d, '\n', n);

	lf = lf != NULL ? lf : end;
	while (n != 0) {
		size_t at, used;

		if (l->after_cr && d[0] == '\n') {
			l->after_cr = false;
			d++;
			n--;
			continue;
		}
		at = line_bytes(d, end, &lf);
		if (at != 0 && l->after_cr && !h->single_cr) {
			h->single_cr = true;
			zb_analyzer_weird(&h->base, ZB_WEIRD_line_terminated_with_single_CR, NULL);
		}
		l->after_cr = false;
		if (at == n && http_buf_add(h, &l->line, d, n))
			break;
		collect(h, side, &c, l->line.p, l->line.len);
		l->line.len = 0;
		collect(h, side, &c, d, at);
		if (at == n) /* too long to wait for its end */
			break;
		collect(h, side, &c, "\r\n", 2);
		l->after_cr = d[at] == '\r';
		used = at + 1;
		d += used;
		n -= used;
	}
	if (c.n != 0)
		body(h, side, &h->side[side].top, c.d, c.n, false);
}

bool http_entity_gap(struct http *h, unsigned side, uint64_t n)
{
	struct http_side *s = &h->side[side];
	struct http_entity *e = s->current;
	bool in_chunk;

	if (!s->has_message || e->body_len == 0 || n > INT64_MAX)
		return false;
	http_file_gap(h, side, e, n);
	in_chunk = e->chunk == HTTP_CHUNK_DATA;
	if ((e->chunk != HTTP_NO_CHUNKS && !in_chunk) || (!in_chunk && e->content_length < 0) ||
	    e->left < (int64_t)n)
		return false;
	e->body_len += n;
	e->left -= (int64_t)n;
	s->lines.plain = e->left;
	if (e->left != 0)
		return true;
	if (in_chunk)
		e->chunk = HTTP_CHUNK_END;
	else
		http_entity_end(h, side, e);
	return true;
}

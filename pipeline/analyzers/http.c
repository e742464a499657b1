/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.c - HTTP/0.9 to 1.1: what each side says, and what is expected next
 *
 * What a side may say next follows from what it and the other side have said (RFC 9112; Zeek:
 * src/analyzer/protocol/http). After CONNECT or Upgrade another protocol runs through.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "pipeline/analyzers/http_priv.h"

#define ADDL_BYTES 256

void http_weird(struct http *h, enum zb_weird_name name, const char *d, size_t n)
{
	char addl[ADDL_BYTES];

	snprintf(addl, sizeof(addl), "%.*s", (int)(n < sizeof(addl) ? n : sizeof(addl) - 1), d);
	zb_analyzer_weird(&h->base, name, addl);
}

static void reply_end(struct http *h)
{
	bool final = h->reply_code < 100 || h->reply_code >= 200;

	if (final && h->unanswered != 0) {
		h->unanswered--;
		h->head_requests >>= 1;
	}
	if (h->reply_code == 101 && h->unanswered == 1 && h->wants_upgrade && h->upgrade.len != 0)
		http_upgraded(h);
	h->reply_code = 0;
	h->wants_upgrade = false;
	h->upgrade.len = 0;
}

void http_message_end(struct http *h, unsigned side, bool interrupted)
{
	struct http_side *s = &h->side[side];

	if (!s->ongoing)
		return;
	s->ongoing = false;
	http_entity_end(h, side, &s->top);
	http_info_done(h, side, s->top.body_len);
	/* Behind a reply of HTTP/0.9 there are no lines to find another one by. */
	s->expect = interrupted || s->lines.is_raw ? HTTP_NOTHING : HTTP_LINE;
	if (side == ZB_RESP) {
		reply_end(h);
		if (h->upgraded)
			s->expect = HTTP_NOTHING;
	}
}

/* A request without a version: what the server sends is the body, from its first byte. */
static void expect_09(struct http *h)
{
	struct http_side *s = &h->side[ZB_RESP];

	if (s->has_message) {
		zb_analyzer_weird(&h->base, ZB_WEIRD_http_09_reply_before_request, NULL);
		http_message_end(h, ZB_RESP, false);
		s->has_message = false;
	}
	s->expect = HTTP_09;
	s->lines.is_raw = true;
	s->lines.line.len = 0;
}

/* Whether it may be more than what trails the last request. */
static bool expects_request(const struct http *h)
{
	return h->request_nr == 0 || h->keep_alive;
}

static void request_begins(struct http *h, const char *d, size_t n)
{
	struct http_side *s = &h->side[ZB_ORIG];

	if (http_request_line(h, d, n)) {
		s->expect = HTTP_MESSAGE;
		s->ongoing = true;
		http_entity_begin(h, ZB_ORIG, HTTP_BODY_MAYBE);
		if (s->major == 0 && s->minor == 9)
			expect_09(h);
	} else if (!expects_request(h)) {
		return;
	} else if (n == 0) {
		zb_analyzer_weird(&h->base, ZB_WEIRD_empty_http_request, NULL);
	} else {
		s->expect = HTTP_NOTHING;
		zb_analyzer_violate(&h->base);
	}
}

static enum http_has_body reply_has_body(const struct http *h)
{
	if (h->unanswered != 0 && h->head_requests & 1)
		return HTTP_BODY_NO;
	return (h->reply_code >= 100 && h->reply_code < 200) || h->reply_code == 204 ||
			       h->reply_code == 304
		       ? HTTP_BODY_NO
		       : HTTP_BODY_YES;
}

static void reply_begins(struct http *h, const char *d, size_t n)
{
	struct http_side *s = &h->side[ZB_RESP];

	if (http_status_line(h, d, n)) {
		s->expect = HTTP_MESSAGE;
		s->ongoing = true;
		if (h->reply_code != 200)
			h->connect = false;
		http_entity_begin(h, ZB_RESP, reply_has_body(h));
	} else if (n != 0) {
		s->expect = HTTP_NOTHING;
		zb_analyzer_violate(&h->base);
	}
}

/* HTTP/0.9: the first bytes of a reply. */
static void begin_09(struct http *h)
{
	struct http_side *s = &h->side[ZB_RESP];

	s->major = 0;
	s->minor = 9;
	if (h->unanswered != 0) {
		zb_analyzer_confirm(&h->base);
		h->unanswered--;
		h->head_requests >>= 1;
	}
	h->close = true;
	s->ongoing = true;
	http_reply_begins(h, NULL, 0);
	http_entity_begin(h, ZB_RESP, reply_has_body(h));
	http_entity_take(h, ZB_RESP, &s->top, "", 0, true);
}

/* Bytes that are no line, and should be of a message. */
static void take_plain(struct http *h, unsigned side, const char *d, size_t n)
{
	struct http_side *s = &h->side[side];

	if (s->has_message)
		http_entity_take(h, side, &s->top, d, n, false);
	else
		zb_analyzer_weird(&h->base,
				  side == ZB_ORIG ? ZB_WEIRD_unexpected_client_HTTP_data
						  : ZB_WEIRD_unexpected_server_HTTP_data,
				  NULL);
}

void http_take(struct http *h, unsigned side, const char *d, size_t n, bool is_line)
{
	struct http_side *s = &h->side[side];

	if (s->expect == HTTP_09) {
		if (!s->has_message)
			begin_09(h);
		take_plain(h, side, d, n);
	} else if (!is_line) {
		take_plain(h, side, d, n);
	} else if (s->expect == HTTP_MESSAGE) {
		http_entity_take(h, side, &s->top, d, n, true);
		if (side == ZB_RESP && h->connect && n == 0 && h->tunnel == NULL)
			http_connected(h);
	} else if (s->expect == HTTP_LINE) {
		if (side == ZB_ORIG)
			request_begins(h, d, n);
		else
			reply_begins(h, d, n);
	}
}

void http_tunnel_data(struct http *h, unsigned side, const char *d, size_t n)
{
	if (h->tunnel != NULL)
		zb_branch_data(h->tunnel, side, (const uint8_t *)d, n);
}

static void http_begin(struct zb_analyzer *a)
{
	struct http *h = (struct http *)a;

	for (unsigned side = ZB_ORIG; side <= ZB_RESP; side++)
		h->side[side].lines.delivery = -1;
}

static void http_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct http *h = (struct http *)a;

	if (!zb_analyzer_is_partial(a))
		http_lines_data(h, side, (const char *)d, n);
}

static void http_gap(struct zb_analyzer *a, unsigned side, uint64_t n)
{
	struct http *h = (struct http *)a;

	if (h->tunnel != NULL) {
		zb_branch_gap(h->tunnel, side, n);
		return;
	}
	if (http_entity_gap(h, side, n))
		return;
	/* Whether a reply has a body depends on its request: without one, neither is read on. */
	if (side == ZB_ORIG)
		http_message_end(h, ZB_ORIG, true);
	http_message_end(h, ZB_RESP, true);
	h->side[side].lines.skip = true;
}

static void http_fin(struct zb_analyzer *a, unsigned side)
{
	struct http *h = (struct http *)a;
	bool is_reset = zb_analyzer_conn(a)->end[side].state == ZB_END_RESET;

	if (h->tunnel != NULL)
		zb_branch_fin(h->tunnel, side);
	else if (!is_reset)
		http_lines_fin(h, side);
	if (!is_reset) {
		http_message_end(h, side, false);
		return;
	}
	http_message_end(h, ZB_ORIG, true);
	http_message_end(h, ZB_RESP, true);
}

/* Once anything was understood, nothing can be any more. */
static void http_flip(struct zb_analyzer *a)
{
	struct http *h = (struct http *)a;
	struct http_lines l = h->side[ZB_ORIG].lines;

	if (h->tunnel != NULL || h->request_nr + h->reply_nr != 0)
		zb_analyzer_weird(a, ZB_WEIRD_HTTP_late_flip_roles, NULL);
	if (h->tunnel != NULL) {
		zb_branch_flip(h->tunnel);
	} else if (h->request_nr + h->reply_nr != 0) {
		h->side[ZB_ORIG].lines.skip = h->side[ZB_RESP].lines.skip = true;
	} else {
		h->side[ZB_ORIG].lines = h->side[ZB_RESP].lines;
		h->side[ZB_RESP].lines = l;
	}
}

static void http_end(struct zb_analyzer *a)
{
	struct http *h = (struct http *)a;

	for (unsigned side = ZB_ORIG; side <= ZB_RESP; side++) {
		h->side[side].lines.skip = true;
		http_message_end(h, side, true);
	}
	zb_branch_close(h->tunnel);
	h->tunnel = NULL;
	http_info_flush(h);
	for (unsigned side = ZB_ORIG; side <= ZB_RESP; side++) {
		http_entity_free(h, &h->side[side].top);
		http_buf_free(h, &h->side[side].lines.line);
	}
	http_buf_free(h, &h->upgrade);
}

/* A known method in front, blanks before it allowed. */
static enum zb_match request_match(const uint8_t *d, size_t n)
{
	static const char *const methods[] = {"GET",	  "HEAD",     "POST",	 "PUT",
					      "OPTIONS",  "TRACE",    "CONNECT", "DELETE",
					      "PROPFIND", "PROPPATCH"};
	size_t at = 0;

	while (at < n && zb_text_is_space(d[at]))
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
	.begin = http_begin,
	.data = http_data,
	.gap = http_gap,
	.fin = http_fin,
	.flip = http_flip,
	.end = http_end,
};

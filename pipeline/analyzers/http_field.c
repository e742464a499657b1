/* SPDX-License-Identifier: Apache-2.0 */
/* http_field.c - headers (RFC 9110, 5 to 8; RFC 9112, 5 to 7; read as Zeek reads them) */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "pipeline/analyzers/http_priv.h"
#include "pipeline/analyzers/mime.h"

/* A piece of a line. */
struct text {
	const char *d;
	size_t n;
};

static bool is(struct text t, const char *word)
{
	return strlen(word) == t.n && strncasecmp(t.d, word, t.n) == 0;
}

/* Bytes of blanks and comments in front; comments may lie in one another. */
static size_t blanks(const char *d, size_t n)
{
	size_t at = 0;

	for (unsigned depth = 0; at < n; at++) {
		if (d[at] == '(')
			depth++;
		else if (depth == 0 && !zb_text_is_blank((uint8_t)d[at]))
			break;
		else if (depth != 0 && d[at] == ')')
			depth--;
		else if (depth != 0 && d[at] == '\\')
			at++;
	}
	return at < n ? at : n;
}

static bool is_token_char(char c)
{
	return c >= 33 && c <= 126 && strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

/* The first token of a value; what is behind it goes to rest. n 0: there is none. */
static struct text first_token(struct text v, struct text *rest)
{
	struct text t = {NULL, 0};
	size_t at = 0;

	while (at < v.n && !is_token_char(v.d[at])) {
		size_t skip = blanks(v.d + at, v.n - at);

		at += skip != 0 ? skip : 1;
	}
	t.d = v.d + at;
	while (at < v.n && is_token_char(v.d[at]))
		at++;
	t.n = (size_t)(v.d + at - t.d);
	if (rest != NULL)
		*rest = (struct text){v.d + at, v.n - at};
	return t;
}

/* Digits at the front, perhaps negative; false: there are none, or too many. */
static bool read_number(struct text t, int64_t *out)
{
	bool negative = t.n != 0 && t.d[0] == '-';
	size_t at = negative;
	int64_t v = 0;

	for (; at < t.n && zb_text_is_digit((uint8_t)t.d[at]); at++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, t.d[at] - '0', &v))
			return false;
	*out = negative ? -v : v;
	return at > negative;
}

static void odd(struct http *h, enum zb_weird_name name)
{
	zb_analyzer_weird(&h->base, name, NULL);
}

/* First and last byte, and bytes of the whole, of "0-99/200". */
static bool read_range(struct http *h, struct http_entity *e, struct text t)
{
	const char *slash = memchr(t.d, '/', t.n);
	const char *dash = slash != NULL ? memchr(t.d, '-', (size_t)(slash - t.d)) : NULL;
	struct text whole;
	int64_t first, last, len = 0;

	if (dash == NULL) {
		odd(h, ZB_WEIRD_HTTP_content_range_cannot_parse);
		return false;
	}
	if (!read_number((struct text){t.d, (size_t)(dash - t.d)}, &first) ||
	    !read_number((struct text){dash + 1, (size_t)(slash - dash) - 1}, &last)) {
		http_weird(h, ZB_WEIRD_HTTP_content_range_cannot_parse, t.d, t.n);
		return false;
	}
	if (first < 0 || last < first || last - first == INT64_MAX) {
		enum zb_weird_name name = first < 0 || last < 0
						  ? ZB_WEIRD_HTTP_content_range_invalid
					  : last < first ? ZB_WEIRD_HTTP_non_positive_content_range
							 : ZB_WEIRD_HTTP_content_range_overflow;

		http_weird(h, name, t.d, t.n);
		return false;
	}
	whole = (struct text){slash + 1, t.n - (size_t)(slash + 1 - t.d)};
	if (!is(whole, "*") && !read_number(whole, &len))
		http_weird(h, ZB_WEIRD_HTTP_content_range_invalid_instance, t.d, t.n);
	e->instance_length = len > 0 ? (uint64_t)len : 0;
	e->offset = (uint64_t)first;
	e->range_length = last - first + 1;
	return true;
}

static void max_of_lengths(struct http *h, struct http_entity *e)
{
	odd(h, ZB_WEIRD_HTTP_range_not_matching_len);
	if (e->range_length > e->content_length)
		e->content_length = e->range_length;
}

/* "bytes 0-99/200" (RFC 9110, 14.4) */
static void content_range(struct http *h, struct http_entity *e, struct text v)
{
	struct text rest, unit = first_token(v, &rest);
	char range[128];
	size_t n = 0;

	if (e->chunk != HTTP_NO_CHUNKS)
		odd(h, ZB_WEIRD_HTTP_content_range_and_chunked);
	if (unit.n != 5 || memcmp(unit.d, "bytes", 5) != 0) {
		odd(h, ZB_WEIRD_HTTP_content_range_unknown_byte_unit);
		return;
	}
	for (size_t at = 0; at < rest.n && n < sizeof(range); at++)
		if (rest.d[at] != ' ')
			range[n++] = rest.d[at];
	if (!read_range(h, e, (struct text){range, n}))
		return;
	e->is_partial = true;
	if (e->content_length > 0 && e->content_length != e->range_length)
		max_of_lengths(h, e);
	else
		e->content_length = e->range_length;
}

static void odd_expectation(struct http *h, const struct http_entity *e)
{
	if (e->content_length == 0 && e->expects_100)
		odd(h, ZB_WEIRD_HTTP_content_length_0_and_expect_100_cont);
}

static void content_length(struct http *h, struct http_entity *e, struct text v)
{
	struct text t = first_token(v, NULL);
	int64_t n;

	if (e->chunk != HTTP_NO_CHUNKS)
		odd(h, ZB_WEIRD_HTTP_content_length_and_chunked);
	if (t.n == 0)
		return;
	if (!read_number(t, &n) || n < 0) {
		http_weird(h, ZB_WEIRD_HTTP_bad_content_length, t.d, t.n);
		e->content_length = 0;
		return;
	}
	if (n > 0 && t.d[0] == '0')
		http_weird(h, ZB_WEIRD_HTTP_content_length_leading_zeros, t.d, t.n);
	e->content_length = n;
	if (e->is_partial && e->range_length != n)
		max_of_lengths(h, e);
	odd_expectation(h, e);
}

static void expect(struct http *h, struct http_entity *e, struct text v)
{
	struct text t = first_token(v, NULL);

	if (!is(t, "100-continue"))
		http_weird(h, ZB_WEIRD_HTTP_expect_not_100_continue, t.d, t.n);
	e->expects_100 = true;
	odd_expectation(h, e);
}

static void transfer_encoding(struct http *h, struct http_entity *e, struct text v)
{
	/* Zeek asks for the request's version as long as the request goes on. */
	const struct http_side *of = &h->side[h->side[ZB_ORIG].ongoing ? ZB_ORIG : ZB_RESP];
	struct text rest, t = first_token(v, &rest);

	if (e->depth != 0) {
		odd(h, ZB_WEIRD_HTTP_nested_transfer_encoding_header);
		return;
	}
	if (!is(t, "chunked") || of->major != 1 || of->minor != 1)
		return;
	e->chunk = HTTP_CHUNKS_TO_COME;
	if (rest.n != 0)
		http_weird(h, ZB_WEIRD_HTTP_chunked_multi, rest.d, rest.n);
	if (e->content_length >= 0)
		odd(h, ZB_WEIRD_HTTP_content_length_and_chunked);
}

static bool is_boundary_char(char c)
{
	return c >= 33 && c <= 126 && c != '"';
}

/* The value of parameter boundary: a quoted string, or all up to a blank or a quote. */
static struct text find_boundary(struct text v)
{
	for (size_t at = 0; at + 9 < v.n; at++) {
		size_t from = at + 8;
		struct text t;

		if (strncasecmp(v.d + at, "boundary", 8) != 0 ||
		    (at != 0 && is_token_char(v.d[at - 1])))
			continue;
		from += blanks(v.d + from, v.n - from);
		if (from >= v.n || v.d[from] != '=') {
			at = from - 1; /* a comment is looked through once */
			continue;
		}
		from++;
		while (from < v.n && v.d[from] != '"' && !is_boundary_char(v.d[from]))
			from++;
		if (from < v.n && v.d[from] == '"') {
			const char *end = memchr(v.d + from + 1, '"', v.n - from - 1);

			t.d = v.d + from + 1;
			t.n = end != NULL ? (size_t)(end - t.d) : 0;
			return t;
		}
		t.d = v.d + from;
		while (from < v.n && is_boundary_char(v.d[from]))
			from++;
		t.n = (size_t)(v.d + from - t.d);
		return t;
	}
	return (struct text){NULL, 0};
}

static void content_type(struct http *h, struct http_entity *e, struct text v)
{
	struct text rest, t = first_token(v, &rest), boundary;
	size_t at = blanks(rest.d, rest.n);

	if (at == rest.n || rest.d[at] != '/')
		return;
	e->kind = HTTP_LEAF;
	if (is(t, "message"))
		e->kind = HTTP_IN_MESSAGE;
	if (!is(t, "multipart"))
		return;
	boundary = find_boundary(rest);
	e->boundary.len = 0;
	if (boundary.n != 0 && boundary.n <= HTTP_BOUNDARY_MAX &&
	    http_buf_add(h, &e->boundary, boundary.d, boundary.n))
		e->kind = HTTP_MULTIPART;
}

static void file_name(struct http *h, struct http_entity *e, struct text v, bool is_disposition)
{
	uint8_t name[ZB_FILE_NAME_MAX];
	int n = zb_mime_file_name(zb_text((const uint8_t *)v.d, v.n), is_disposition, name,
				  sizeof(name));

	if (n < 0)
		return;
	e->filename.len = 0;
	http_buf_add(h, &e->filename, (const char *)name, (size_t)n);
}

/* Of "Basic dXNlcjpwYXNz" the name; the password is not kept. */
static void user_name(struct http *h, struct http_info *i, struct text v)
{
	char out[1024];
	size_t at = http_skip_blanks(v.d, 5, v.n), len = 0;
	struct http_str part;
	const char *colon;
	uint32_t bits = 0;
	unsigned bit_nr = 0;

	for (; at < v.n && len < sizeof(out); at++) {
		int digit = zb_text_base64_digit((uint8_t)v.d[at]);

		if (digit < 0)
			break;
		bits = bits << 6 | (uint32_t)digit;
		bit_nr += 6;
		if (bit_nr >= 8)
			out[len++] = (char)(bits >> (bit_nr -= 8));
	}
	colon = memchr(out, ':', len);
	if (colon != NULL) {
		http_info_set(h, i, &i->username, out, (size_t)(colon - out));
		return;
	}
	http_info_set(h, i, &i->username, "<problem-decoding> (", 20);
	http_info_set(h, i, &part, v.d, v.n);
	http_info_set(h, i, &part, ")", 1);
	i->username.len = i->text_len - i->username.at;
}

static bool is_proxy_header(struct text name)
{
	static const char *const names[] = {
		"FORWARDED", "X-FORWARDED-FOR",	 "X-FORWARDED-FROM", "CLIENT-IP",
		"VIA",	     "XROXY-CONNECTION", "PROXY-CONNECTION"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (is(name, names[i]))
			return true;
	return false;
}

static void request_header(struct http *h, struct http_info *i, struct text name, struct text v)
{
	struct http_str *s = NULL;

	if (is(name, "connection")) {
		h->keep_alive |= is(first_token(v, NULL), "keep-alive");
		return;
	}
	if (i == NULL)
		return;
	if (is(name, "host"))
		s = &i->host;
	else if (is(name, "user-agent"))
		s = &i->user_agent;
	else if (is(name, "referer"))
		s = &i->referrer;
	else if (is(name, "origin"))
		s = &i->origin;
	if (s != NULL)
		http_info_set(h, i, s, v.d, v.n);
	else if (is(name, "range"))
		i->is_range_request = true;
	else if ((is(name, "authorization") || is(name, "proxy-authorization")) && v.n > 5 &&
		 strncasecmp(v.d, "basic ", 6) == 0)
		user_name(h, i, v);
	else if (is(name, "sec-websocket-key"))
		http_websocket_header(h, ZB_ORIG, v.d, v.n);
	else if (is_proxy_header(name))
		http_info_proxied(h, i, name.d, name.n, v.d, v.n);
}

static void reply_header(struct http *h, struct text name, struct text v)
{
	struct text t;

	if (is(name, "connection")) {
		t = first_token(v, NULL);
		h->close |= is(t, "close");
		h->wants_upgrade |= is(t, "upgrade");
	} else if (is(name, "upgrade")) {
		t = first_token(v, NULL);
		h->upgrade.len = 0;
		http_buf_add(h, &h->upgrade, t.d, t.n);
	} else if (is(name, "sec-websocket-accept")) {
		http_websocket_header(h, ZB_RESP, v.d, v.n);
	}
}

static void entity_header(struct http *h, struct http_entity *e, struct text name, struct text v)
{
	if (is(name, "content-length")) {
		content_length(h, e, v);
	} else if (is(name, "transfer-encoding")) {
		transfer_encoding(h, e, v);
	} else if (is(name, "content-encoding")) {
		struct text t = first_token(v, NULL);

		e->zipped |= is(t, "gzip") || is(t, "x-gzip") || is(t, "deflate");
	} else if (is(name, "content-type")) {
		content_type(h, e, v);
		file_name(h, e, v, false);
	} else if (is(name, "content-disposition")) {
		file_name(h, e, v, true);
	} else if (is(name, "content-range") && h->reply_code == 206) {
		content_range(h, e, v);
	} else if (is(name, "expect")) {
		expect(h, e, v);
	}
}

static void header(struct http *h, unsigned side, struct http_entity *e, const char *d, size_t n)
{
	size_t at = blanks(d, n), end;
	struct http_info *i;
	struct text name, v;

	while (at < n && (d[at] < 33 || d[at] > 126 || d[at] == ':'))
		at++;
	for (end = at; end < n && d[end] >= 33 && d[end] <= 126 && d[end] != ':';)
		end++;
	name = (struct text){d + at, end - at};
	at = end + blanks(d + end, n - end);
	if (name.n == 0 || at == n || d[at] != ':')
		return;
	at++;
	while (at < n && zb_text_is_space((uint8_t)d[at]))
		at++;
	v = (struct text){d + at, n - at};
	zb_analysis_event(zb_analyzer_analysis(&h->base));
	if (e->header_lines > 1 && e->depth == 0)
		http_weird(h, ZB_WEIRD_HTTP_obsolete_line_folding, name.d, name.n);
	i = http_info_of(h, side);
	if (i != NULL && !i->has_entity)
		odd(h, ZB_WEIRD_missing_HTTP_entity);
	entity_header(h, e, name, v);
	if (side == ZB_ORIG)
		request_header(h, i, name, v);
	else
		reply_header(h, name, v);
}

void http_header_flush(struct http *h, unsigned side, struct http_entity *e)
{
	if (e->header_lines != 0)
		header(h, side, e, e->header.p, e->header.len);
	http_buf_clear(h, &e->header);
	e->header_lines = 0;
}

void http_header_line(struct http *h, unsigned side, struct http_entity *e, const char *d, size_t n)
{
	if (n != 0 && zb_text_is_blank((uint8_t)d[0]) && e->header_lines == 0) {
		size_t at = http_skip_blanks(d, 0, n);

		d += at;
		n -= at;
	} else if (n == 0 || !zb_text_is_blank((uint8_t)d[0])) {
		http_header_flush(h, side, e);
	}
	if (n == 0)
		return;
	if (!http_buf_add(h, &e->header, d, n))
		return; /* of a header that is too long, the beginning is read */
	e->header_lines = (uint16_t)(e->header_lines + (e->header_lines < UINT16_MAX));
}

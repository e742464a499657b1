/* SPDX-License-Identifier: Apache-2.0 */
/* http_head.c - request line, status line, headers (RFC 9112, 3 to 6, read as Zeek reads them) */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "pipeline/analyzers/http_priv.h"

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

static size_t skip_space(const char *d, size_t at, size_t n)
{
	while (at < n && is_space(d[at]))
		at++;
	return at;
}

static bool is_token(char c)
{
	return c > 31 && c < 127 && strchr(" \t()<>@,;:\\\"/[]?={}", c) == NULL;
}

static bool is_uri(char c)
{
	return isalnum((unsigned char)c) ||
	       (c != '\0' && strchr(":/?#[]@!$&'()*+,;=-_.~%", c) != NULL);
}

static bool has_prefix(const char *d, size_t n, const char *prefix)
{
	size_t len = strlen(prefix);

	return n >= len && memcmp(d, prefix, len) == 0;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* "1.1" in front of what is left of a line. */
static bool read_version(const char *d, size_t n, struct http_side *s)
{
	if (n < 3 || !isdigit((unsigned char)d[0]) || d[1] != '.' || !isdigit((unsigned char)d[2]))
		return false;
	s->major = (uint8_t)(d[0] - '0');
	s->minor = (uint8_t)(d[2] - '0');
	return true;
}

static void note_version(struct http *h, const struct http_side *s)
{
	if (s->major > 1 || (s->major == 1 && s->minor > 0))
		h->keep_alive = true;
}

/* Writes the URI with its %-escapes undone. */
static void set_uri(struct http *h, struct http_info *i, const char *d, size_t n)
{
	char *text;
	uint32_t out = 0;

	http_info_set(h, i, &i->uri, d, n);
	if (!i->uri.is_set)
		return;
	text = i->text + i->uri.at;
	for (uint32_t k = 0; k < i->uri.len; k++) {
		if (text[k] == '%' && k + 2 < i->uri.len && hex_digit(text[k + 1]) >= 0 &&
		    hex_digit(text[k + 2]) >= 0) {
			text[out++] = (char)(hex_digit(text[k + 1]) << 4 | hex_digit(text[k + 2]));
			k += 2;
		} else if (text[k] == '%' && k + 1 < i->uri.len && text[k + 1] == '%') {
			text[out++] = '%';
			k++;
		} else {
			text[out++] = text[k];
		}
	}
	i->uri.len = out;
}

static bool is_known_method(const char *d, size_t n)
{
	static const char *const methods[] = {"GET",	  "POST",      "HEAD",	 "OPTIONS",
					      "PUT",	  "DELETE",    "TRACE",	 "CONNECT",
					      "PROPFIND", "PROPPATCH", "MKCOL",	 "COPY",
					      "MOVE",	  "LOCK",      "UNLOCK", "POLL",
					      "REPORT",	  "SUBSCRIBE", "BMOVE",	 "SEARCH"};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strlen(methods[i]) == n && memcmp(methods[i], d, n) == 0)
			return true;
	return false;
}

static void request_taken(struct http *h, const char *method, size_t method_n, const char *uri,
			  size_t uri_n)
{
	struct http_info *i;
	char addl[48];

	zb_analysis_event(zb_analyzer_analysis(&h->base));
	zb_analyzer_confirm(&h->base);
	snprintf(addl, sizeof(addl), "%.*s", (int)(method_n < 40 ? method_n : 40), method);
	if (++h->request_nr > 1 && !h->keep_alive)
		zb_analyzer_weird(&h->base, ZB_WEIRD_unexpected_multiple_HTTP_requests, NULL);
	if (h->unanswered < 64 && method_n == 4 && strncasecmp(method, "HEAD", 4) == 0)
		h->head_requests |= 1ull << h->unanswered;
	h->unanswered++;
	h->connect = method_n == 7 && strncasecmp(method, "CONNECT", 7) == 0;
	i = http_info_request(h);
	if (i != NULL) {
		http_info_set(h, i, &i->method, method, method_n);
		set_uri(h, i, uri, uri_n);
	}
	if (!is_known_method(method, method_n))
		zb_analyzer_weird(&h->base, ZB_WEIRD_unknown_HTTP_method, addl);
}

int http_request_line(struct http *h, const char *d, size_t n)
{
	struct http_side *s = &h->side[ZB_ORIG];
	size_t method = 0, uri, uri_end, version;
	char addl[48];

	while (method < n && is_token(d[method]))
		method++;
	uri = skip_space(d, method, n);
	if (method == 0 || uri == method) {
		bool has_version =
			method == 0 && n >= 9 && strncasecmp(d + n - 9, " HTTP/", 6) == 0;

		zb_analyzer_weird(&h->base,
				  has_version ? ZB_WEIRD_bad_HTTP_request_with_version
					      : ZB_WEIRD_bad_HTTP_request,
				  NULL);
		return 0;
	}
	for (uri_end = uri; uri_end < n && is_uri(d[uri_end]);)
		uri_end++;
	if (uri_end == n && has_prefix(d + uri, n - uri, "HTTP/")) {
		zb_analyzer_weird(&h->base, ZB_WEIRD_missing_HTTP_uri, NULL);
		uri_end = uri;
	}
	for (version = uri_end; version < n; version++) {
		uri_end = version;
		version = skip_space(d, version, n);
		if (has_prefix(d + version, n - version, "HTTP/"))
			break;
	}
	s->major = 0;
	s->minor = 9;
	if (version < n && version + 8 <= n)
		read_version(d + version + 5, n - version - 5, s);
	if (version >= n) {
		if (method < 3 || uri_end == uri) {
			zb_analyzer_weird(&h->base, ZB_WEIRD_bad_HTTP_request, NULL);
			return 0;
		}
		if (method != 3 || strncasecmp(d, "GET", 3) != 0) {
			snprintf(addl, sizeof(addl), "%.*s", (int)(method < 40 ? method : 40), d);
			zb_analyzer_weird(&h->base, ZB_WEIRD_invalid_http_09_request_method, addl);
		}
		h->http09 = true;
	}
	note_version(h, s);
	request_taken(h, d, method, d + uri, uri_end - uri);
	return 1;
}

static bool expects_no_body(const struct http *h)
{
	return (h->unanswered != 0 && h->head_requests & 1) ||
	       (h->reply_code >= 100 && h->reply_code < 200) || h->reply_code == 204 ||
	       h->reply_code == 304;
}

bool http_status_line(struct http *h, const char *d, size_t n)
{
	struct http_side *s = &h->side[ZB_RESP];
	struct http_info *i;
	char version[4];
	size_t at = 5;

	if (!has_prefix(d, n, "HTTP/"))
		return false;
	s->major = s->minor = 0;
	read_version(d + at, n - at, s);
	note_version(h, s);
	while (at < n && !is_space(d[at]))
		at++;
	at = skip_space(d, at, n);
	if (n - at < 3)
		return false;
	h->reply_code = 0;
	if (isdigit((unsigned char)d[at]) && isdigit((unsigned char)d[at + 1]) &&
	    isdigit((unsigned char)d[at + 2]))
		h->reply_code = (uint16_t)((d[at] - '0') * 100 + (d[at + 1] - '0') * 10 +
					   (d[at + 2] - '0'));
	at += 3;
	while (at < n && !is_space(d[at]))
		at++;
	zb_analysis_event(zb_analyzer_analysis(&h->base));
	if (h->unanswered != 0)
		zb_analyzer_confirm(&h->base);
	s->no_body = expects_no_body(h);
	i = http_info_reply(h);
	if (i == NULL)
		return true;
	i->status = h->reply_code;
	i->has_status = true;
	version[0] = (char)('0' + s->major);
	version[1] = '.';
	version[2] = (char)('0' + s->minor);
	http_info_set(h, i, &i->version, version, 3);
	if (at < n) {
		at = skip_space(d, at, n);
		http_info_set(h, i, &i->status_msg, d + at, n - at);
	} else {
		http_info_set(h, i, &i->status_msg, "<empty>", 7);
	}
	if (h->reply_code >= 100 && h->reply_code <= 199) {
		i->has_info = true;
		i->info_code = h->reply_code;
		i->info_msg = i->status_msg;
	}
	return true;
}

/* The first word of a value, up to a separator. */
static bool value_is(const char *v, size_t n, const char *word)
{
	size_t len = strlen(word);

	return n >= len && strncasecmp(v, word, len) == 0 &&
	       (n == len || is_space(v[len]) || v[len] == ';' || v[len] == ',');
}

static int64_t read_number(const char *d, size_t n)
{
	int64_t v = 0;
	size_t at = 0;

	for (; at < n && isdigit((unsigned char)d[at]); at++) {
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, d[at] - '0', &v))
			return -1;
	}
	return at == 0 ? -1 : v;
}

/* "bytes 0-99/200" (RFC 9110, 14.4) */
static void content_range(struct http *h, struct http_side *s, const char *v, size_t n)
{
	const char *dash, *slash;
	int64_t first, last;
	size_t at = 5;

	if (h->reply_code != 206)
		return;
	if (!value_is(v, n, "bytes")) {
		zb_analyzer_weird(&h->base, ZB_WEIRD_HTTP_content_range_unknown_byte_unit, NULL);
		return;
	}
	at = skip_space(v, at, n);
	slash = memchr(v + at, '/', n - at);
	dash = slash != NULL ? memchr(v + at, '-', (size_t)(slash - v) - at) : NULL;
	if (dash == NULL) {
		zb_analyzer_weird(&h->base, ZB_WEIRD_HTTP_content_range_cannot_parse, NULL);
		return;
	}
	first = read_number(v + at, (size_t)(dash - v) - at);
	last = read_number(dash + 1, (size_t)(slash - dash) - 1);
	if (first < 0 || last < 0 || last == INT64_MAX) {
		char addl[48];
		size_t len = n - at < 44 ? n - at : 44;

		snprintf(addl, sizeof(addl), "%.*s", (int)len, v + at);
		zb_analyzer_weird(&h->base,
				  last == INT64_MAX ? ZB_WEIRD_HTTP_content_range_overflow
						    : ZB_WEIRD_HTTP_content_range_invalid,
				  addl);
		return;
	}
	if (last < first) {
		char addl[48];
		size_t len = n - at < 44 ? n - at : 44;

		snprintf(addl, sizeof(addl), "%.*s", (int)len, v + at);
		zb_analyzer_weird(&h->base, ZB_WEIRD_HTTP_non_positive_content_range, addl);
		return;
	}
	s->partial = true;
	s->offset = (uint64_t)first;
	s->range_length = last - first + 1;
	if (slash[1] != '*') {
		int64_t whole = read_number(slash + 1, n - (size_t)(slash - v) - 1);

		s->instance_length = whole > 0 ? (uint64_t)whole : 0;
	}
	if (s->content_length > 0 && s->content_length != s->range_length)
		zb_analyzer_weird(&h->base, ZB_WEIRD_HTTP_range_not_matching_len, NULL);
	if (s->content_length < s->range_length)
		s->content_length = s->range_length;
}

static void content_length(struct http *h, struct http_side *s, const char *v, size_t n)
{
	int64_t len = read_number(v, n);

	s->content_length = len >= 0 ? len : 0;
	if (s->partial && s->range_length != s->content_length) {
		zb_analyzer_weird(&h->base, ZB_WEIRD_HTTP_range_not_matching_len, NULL);
		if (s->range_length > s->content_length)
			s->content_length = s->range_length;
	}
}

/* The name in: attachment; filename="report.pdf" */
static void file_name(struct http *h, struct http_side *s, const char *v, size_t n)
{
	for (size_t at = 0; at + 9 < n; at++) {
		size_t from, to;

		if (strncasecmp(v + at, "filename", 8) != 0)
			continue;
		from = skip_space(v, at + 8, n);
		from += from < n && v[from] == '*';
		if (from >= n || v[from] != '=')
			continue;
		from = skip_space(v, from + 1, n);
		if (from < n && v[from] == '"') {
			const char *end;

			from++;
			end = memchr(v + from, '"', n - from);

			to = end != NULL ? (size_t)(end - v) : n;
		} else {
			for (to = from; to < n && v[to] != ';' && !is_space(v[to]);)
				to++;
		}
		s->filename.len = 0;
		http_buf_add(h, &s->filename, v + from, to - from);
		return;
	}
}

static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Of "Basic dXNlcjpwYXNz" the name; the password is not kept. */
static void user_name(struct http *h, struct http_info *i, const char *v, size_t n)
{
	char out[256];
	size_t at = skip_space(v, 5, n), len = 0;
	uint32_t bits = 0;
	unsigned bit_nr = 0;

	for (; at < n && base64_digit(v[at]) >= 0 && len < sizeof(out); at++) {
		bits = bits << 6 | (uint32_t)base64_digit(v[at]);
		bit_nr += 6;
		if (bit_nr >= 8)
			out[len++] = (char)(bits >> (bit_nr -= 8));
	}
	const char *colon = memchr(out, ':', len);

	if (colon != NULL)
		http_info_set(h, i, &i->username, out, (size_t)(colon - out));
}

static bool is_proxy_header(const char *name, size_t n)
{
	static const char *const names[] = {
		"FORWARDED", "X-FORWARDED-FOR",	 "X-FORWARDED-FROM", "CLIENT-IP",
		"VIA",	     "XROXY-CONNECTION", "PROXY-CONNECTION"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == n && strncasecmp(names[i], name, n) == 0)
			return true;
	return false;
}

static void request_header(struct http *h, const char *name, size_t name_n, const char *v, size_t n)
{
	struct http_info *i = http_info_of(h, ZB_ORIG);
	struct http_str *s = NULL;

	if (i == NULL)
		return;
#define NAME_IS(text) (name_n == sizeof(text) - 1 && strncasecmp(name, text, name_n) == 0)
	if (NAME_IS("host"))
		s = &i->host;
	else if (NAME_IS("user-agent"))
		s = &i->user_agent;
	else if (NAME_IS("referer"))
		s = &i->referrer;
	else if (NAME_IS("origin"))
		s = &i->origin;
	if (s != NULL)
		http_info_set(h, i, s, v, n);
	else if (NAME_IS("connection") && value_is(v, n, "keep-alive"))
		h->keep_alive = true;
	else if ((NAME_IS("authorization") || NAME_IS("proxy-authorization")) &&
		 value_is(v, n, "basic"))
		user_name(h, i, v, n);
	else if (is_proxy_header(name, name_n))
		http_info_proxied(h, i, name, name_n, v, n);
}

static void reply_header(struct http *h, const char *name, size_t name_n, const char *v, size_t n)
{
	if (NAME_IS("connection")) {
		h->close |= value_is(v, n, "close");
		h->upgrade |= value_is(v, n, "upgrade");
	} else if (NAME_IS("upgrade")) {
		h->has_upgrade_protocol = n != 0;
	} else if (NAME_IS("content-range")) {
		content_range(h, &h->side[ZB_RESP], v, n);
	}
}

static void entity_header(struct http *h, struct http_side *s, const char *name, size_t name_n,
			  const char *v, size_t n)
{
	if (NAME_IS("content-length")) {
		content_length(h, s, v, n);
	} else if (NAME_IS("transfer-encoding")) {
		if (value_is(v, n, "chunked") && s->major == 1 && s->minor == 1)
			s->chunked = true;
	} else if (NAME_IS("content-encoding")) {
		s->gzip = value_is(v, n, "gzip") || value_is(v, n, "x-gzip");
		s->deflate = value_is(v, n, "deflate");
	} else if (NAME_IS("content-type")) {
		s->multipart = n >= 10 && strncasecmp(v, "multipart/", 10) == 0;
	} else if (NAME_IS("content-disposition")) {
		file_name(h, s, v, n);
	}
}

void http_header(struct http *h, unsigned side, const char *d, size_t n)
{
	const char *colon = memchr(d, ':', n);
	size_t name_n, at;

	if (colon == NULL)
		return;
	name_n = (size_t)(colon - d);
	while (name_n != 0 && is_space(d[name_n - 1]))
		name_n--;
	at = skip_space(d, (size_t)(colon - d) + 1, n);
	while (n > at && is_space(d[n - 1]))
		n--;
	zb_analysis_event(zb_analyzer_analysis(&h->base));
	if (side == ZB_ORIG)
		request_header(h, d, name_n, d + at, n - at);
	else
		reply_header(h, d, name_n, d + at, n - at);
	entity_header(h, &h->side[side], d, name_n, d + at, n - at);
}

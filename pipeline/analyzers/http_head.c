/* SPDX-License-Identifier: Apache-2.0 */
/* http_head.c - request line and status line (RFC 9112, 3 and 4, read as Zeek reads them) */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "pipeline/analyzers/http_priv.h"
#include "pipeline/tunnel.h"

static bool is_token(char c)
{
	return c > 31 && c < 127 && strchr(" \t()<>@,;:\\\"/[]?={}", c) == NULL;
}

/* Zeek takes NUL for one, too. */
static bool is_uri(char c)
{
	return zb_text_is_alnum((uint8_t)c) || strchr(":/?#[]@!$&'()*+,;=-_.~%", c) != NULL;
}

/* "HTTP/" at the front, in capitals or not; the latter is odd. */
static bool is_http(struct http *h, const char *d, size_t n)
{
	if (n < 5 || strncasecmp(d, "HTTP/", 5) != 0)
		return false;
	if (memcmp(d, "HTTP", 4) != 0)
		zb_analyzer_weird(&h->base, ZB_WEIRD_lowercase_HTTP_keyword, NULL);
	return true;
}

static bool are_hex(const char *d, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (zb_text_hex_digit((uint8_t)d[i]) < 0)
			return false;
	return true;
}

static char hex_byte(const char *d)
{
	return (char)zb_text_hex_byte((uint8_t)d[0], (uint8_t)d[1]);
}

/* Digit, point, digit in front of what is left of a line; anything else is version 0.0. */
static void set_version(struct http *h, struct http_side *s, unsigned major, unsigned minor)
{
	if ((s->major != 0 || s->minor != 0) && (s->major != major || s->minor != minor))
		zb_analyzer_weird(&h->base, ZB_WEIRD_HTTP_version_mismatch, NULL);
	s->major = (uint8_t)major;
	s->minor = (uint8_t)minor;
	if (major > 1 || (major == 1 && minor > 0))
		h->keep_alive = true;
}

static void read_version(struct http *h, struct http_side *s, const char *d, size_t n)
{
	if (n >= 3 && zb_text_is_digit((uint8_t)d[0]) && d[1] == '.' &&
	    zb_text_is_digit((uint8_t)d[2]))
		set_version(h, s, (unsigned)(d[0] - '0'), (unsigned)(d[2] - '0'));
	else
		set_version(h, s, 0, 0);
}

/* What an escape at in of n bytes stands for; writes it to out, returns the bytes written. */
static size_t unescape(struct http *h, const char *d, size_t n, size_t *in, char *out)
{
	enum zb_weird_name odd;
	size_t left = n - *in - 1; /* behind the per cent */

	d += *in + 1;
	if (left == 0) {
		odd = ZB_WEIRD_illegal_pct_at_end_of_URI;
	} else if (left == 1) {
		odd = ZB_WEIRD_partial_escape_at_end_of_URI;
	} else if (d[0] == '%') {
		odd = ZB_WEIRD_double_pct_in_URI;
		*in += 1;
		zb_analyzer_weird(&h->base, odd, NULL);
		return 0;
	} else if (are_hex(d, 2)) {
		out[0] = hex_byte(d);
		*in += 3;
		return 1;
	} else if (left >= 5 && d[0] == 'u' && are_hex(d + 1, 4)) {
		bool wide = d[1] != '0' || d[2] != '0';

		if (wide)
			out[0] = hex_byte(d + 1);
		out[wide] = hex_byte(d + 3);
		*in += 6;
		return 1u + wide;
	} else {
		odd = ZB_WEIRD_unescaped_pct_in_URI;
	}
	zb_analyzer_weird(&h->base, odd, NULL);
	out[0] = '%';
	out[1] = left != 0 ? d[0] : '\0';
	*in += left != 0 ? 2 : 1;
	return left != 0 ? 2 : 1;
}

/* Writes the URI with its escapes undone, which never makes it longer. */
static void set_uri(struct http *h, struct http_info *i, const char *d, size_t n)
{
	uint32_t out = 0;
	char *text;

	http_info_set(h, i, &i->uri, d, n);
	if (!i->uri.is_set)
		return;
	text = i->text + i->uri.at;
	n = i->uri.len;
	for (size_t in = 0; in < n;) {
		char piece[2];
		size_t piece_n;

		if (text[in] != '%') {
			text[out++] = text[in++];
			continue;
		}
		piece_n = unescape(h, text, n, &in, piece);
		memcpy(text + out, piece, piece_n);
		out += (uint32_t)piece_n;
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

/* Zeek is content with a beginning of the word. */
static bool is_method(const char *d, size_t n, const char *word)
{
	return n <= strlen(word) && strncasecmp(d, word, n) == 0;
}

static void request_taken(struct http *h, const char *method, size_t method_n, const char *uri,
			  size_t uri_n)
{
	struct http_info *i;

	if (++h->request_nr > 1 && !h->keep_alive)
		zb_analyzer_weird(&h->base, ZB_WEIRD_unexpected_multiple_HTTP_requests, NULL);
	if (h->unanswered < 64 && is_method(method, method_n, "HEAD"))
		h->head_requests |= 1ull << h->unanswered;
	h->unanswered++;
	zb_analysis_event(zb_analyzer_analysis(&h->base));
	zb_analyzer_confirm(&h->base);
	h->connect |= is_method(method, method_n, "CONNECT");
	i = http_info_request(h);
	if (i != NULL) {
		http_info_set(h, i, &i->method, method, method_n);
		set_uri(h, i, uri, uri_n);
	}
	if (!is_known_method(method, method_n))
		http_weird(h, ZB_WEIRD_unknown_HTTP_method, method, method_n);
}

/* Offset behind the URI in d, n: it may hold anything, blanks included, until HTTP/ comes. */
static size_t find_uri_end(struct http *h, const char *d, size_t n, size_t *version)
{
	size_t end = 0;
	bool is_version = is_http(h, d, n);

	while (end < n && is_uri(d[end]))
		end++;
	if (end == n && is_version) {
		zb_analyzer_weird(&h->base, ZB_WEIRD_missing_HTTP_uri, NULL);
		end = 0;
	}
	for (*version = end; *version < n; (*version)++) {
		end = *version;
		*version = http_skip_blanks(d, *version, n);
		if (is_http(h, d + *version, n - *version))
			break;
	}
	return end;
}

bool http_request_line(struct http *h, const char *d, size_t n)
{
	struct http_side *s = &h->side[ZB_ORIG];
	size_t method = 0, uri, uri_n, version;

	while (method < n && is_token(d[method]))
		method++;
	uri = http_skip_blanks(d, method, n);
	if (method == 0 || uri == method) {
		bool has_version =
			method == 0 && n >= 9 && strncasecmp(d + n - 9, " HTTP/", 6) == 0;

		zb_analyzer_weird(&h->base,
				  has_version ? ZB_WEIRD_bad_HTTP_request_with_version
					      : ZB_WEIRD_bad_HTTP_request,
				  NULL);
		return false;
	}
	uri_n = find_uri_end(h, d + uri, n - uri, &version);
	version += uri;
	if (version >= n)
		set_version(h, s, 0, 9);
	else if (version + 8 <= n)
		read_version(h, s, d + version + 5, n - version - 5);
	if (s->major == 0 && s->minor == 9 && (method < 3 || uri_n == 0)) {
		zb_analyzer_weird(&h->base, ZB_WEIRD_bad_HTTP_request, NULL);
		return false;
	}
	request_taken(h, d, method, d + uri, uri_n);
	if (s->major == 0 && s->minor == 9 && (method != 3 || memcmp(d, "GET", 3) != 0))
		http_weird(h, ZB_WEIRD_invalid_http_09_request_method, d, method);
	return true;
}

static void set_version_text(struct http *h, struct http_info *i)
{
	char text[4] = {(char)('0' + h->side[ZB_RESP].major), '.',
			(char)('0' + h->side[ZB_RESP].minor)};

	http_info_set(h, i, &i->version, text, 3);
}

void http_reply_begins(struct http *h, const char *reason, size_t n)
{
	struct zb_analysis *an = zb_analyzer_analysis(&h->base);
	struct http_info *i = http_info_reply(h);

	zb_analysis_event(an);
	if (i == NULL)
		return;
	i->status = h->reply_code;
	i->has_status = true;
	set_version_text(h, i);
	if (reason != NULL)
		http_info_set(h, i, &i->status_msg, reason, n);
	else
		http_info_set(h, i, &i->status_msg, "<empty>", 7);
	if (h->reply_code >= 100 && h->reply_code <= 199) {
		i->has_info = true;
		i->info_code = h->reply_code;
		i->info_msg = i->status_msg;
	}
	if (h->reply_code == 200 && i->method.is_set && i->method.len == 7 &&
	    memcmp(i->text + i->method.at, "CONNECT", 7) == 0 && an->tunnels != NULL)
		zb_tunnels_relay(an->tunnels, zb_analyzer_conn(&h->base), ZB_TUN_HTTP);
}

bool http_status_line(struct http *h, const char *d, size_t n)
{
	size_t at = 5;

	if (!is_http(h, d, n))
		return false;
	read_version(h, &h->side[ZB_RESP], d + at, n - at);
	while (at < n && !zb_text_is_blank((uint8_t)d[at]))
		at++;
	at = http_skip_blanks(d, at, n);
	if (n - at < 3)
		return false;
	h->reply_code = 0;
	if (zb_text_is_digit((uint8_t)d[at]) && zb_text_is_digit((uint8_t)d[at + 1]) &&
	    zb_text_is_digit((uint8_t)d[at + 2]))
		h->reply_code = (uint16_t)((d[at] - '0') * 100 + (d[at + 1] - '0') * 10 +
					   (d[at + 2] - '0'));
	at += 3;
	while (at < n && !zb_text_is_blank((uint8_t)d[at]))
		at++;
	h->reply_nr++;
	if (h->unanswered != 0)
		zb_analyzer_confirm(&h->base);
	if (at == n) {
		http_reply_begins(h, NULL, 0);
	} else {
		at = http_skip_blanks(d, at, n);
		http_reply_begins(h, d + at, n - at);
	}
	return true;
}

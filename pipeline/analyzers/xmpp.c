/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xmpp.c - XMPP: recognised by the stream that the client opens; follows STARTTLS (RFC 6120, 4.2,
 * 5.4; Zeek: src/analyzer/protocol/xmpp)
 *
 * Of the XML only the names of tags are read; text between tags is stepped over.
 */
#include <string.h>

#include "pipeline/analyzers/text_line.h"

#define NAME_BYTES_MAX 16 /* longer names are none of those that matter */

enum { IN_TEXT, IN_NAME, IN_REST };

struct xmpp_half {
	uint8_t state;
	uint8_t name_bytes;
	char name[NAME_BYTES_MAX + 1];
};

struct xmpp {
	struct zb_analyzer base;
	struct xmpp_half half[2];
	bool client_wants_tls;
};

/* Whether TLS cannot come any more once this tag is seen. */
static bool ends_setup(const char *name)
{
	static const char *const names[] = {"success", "message", "db:result", "db:verify",
					    "presence"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* A tag is complete; true: it hands the connection over to TLS. */
static bool tag(struct zb_analyzer *a, struct xmpp *s, unsigned side)
{
	struct xmpp_half *h = &s->half[side];
	const char *name = h->name;

	h->name[h->name_bytes] = '\0';
	zb_analysis_event(zb_analyzer_analysis(a));
	if (side == ZB_ORIG && strcmp(name, "stream:stream") == 0)
		zb_analyzer_confirm(a);
	if (ends_setup(name))
		zb_analyzer_done(a);
	if (side == ZB_ORIG && strcmp(name, "starttls") == 0)
		s->client_wants_tls = true;
	return side == ZB_RESP && s->client_wants_tls && strcmp(name, "proceed") == 0;
}

static bool is_name(uint8_t c)
{
	return zb_text_is_alnum(c) || c == ':' || c == '?' || c == '/';
}

/* False: what stands there cannot be XMPP. */
static bool text_byte(const struct zb_analyzer *a, struct xmpp_half *h, uint8_t c)
{
	if (c == '<') {
		h->state = IN_NAME;
		h->name_bytes = 0;
		return true;
	}
	return a->flags & ZB_ANALYZER_CONFIRMED || zb_text_is_space(c);
}

static void name_byte(struct xmpp_half *h, uint8_t c)
{
	if (!is_name(c))
		h->state = IN_REST;
	else if (h->name_bytes < NAME_BYTES_MAX)
		h->name[h->name_bytes++] = (char)c;
}

static void start_tls(struct zb_analyzer *a, const uint8_t *d, size_t n)
{
	struct zb_analyzer *tls = zb_analyzer_attach(a, ZB_A_tls);

	zb_analyzer_done(a);
	if (tls != NULL)
		zb_analyzer_feed(tls, ZB_RESP, d, n);
}

static void xmpp_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct xmpp *s = (struct xmpp *)a;
	struct xmpp_half *h = &s->half[side];

	if (zb_analyzer_is_partial(a))
		return;
	for (size_t i = 0; i < n && !(a->flags & ZB_ANALYZER_REMOVED); i++) {
		if (h->state == IN_TEXT) {
			if (!text_byte(a, h, d[i])) {
				if (!zb_analyzer_violate(a))
					zb_analyzer_done(a);
				return;
			}
			continue;
		}
		if (h->state == IN_NAME)
			name_byte(h, d[i]);
		if (d[i] != '>')
			continue;
		h->state = IN_TEXT;
		if (tag(a, s, side)) {
			start_tls(a, d + i + 1, n - i - 1);
			return;
		}
	}
}

static void xmpp_gap(struct zb_analyzer *a, unsigned side, uint64_t n)
{
	(void)side;
	(void)n;
	zb_analyzer_done(a);
}

static void xmpp_flip(struct zb_analyzer *a)
{
	struct xmpp *s = (struct xmpp *)a;
	struct xmpp_half half = s->half[0];

	s->half[0] = s->half[1];
	s->half[1] = half;
}

/* An XML declaration may come first, then the opening of a stream of Jabber. */
static enum zb_match xmpp_match(const uint8_t *d, size_t n)
{
	static const char open[] = "<stream:stream ", space[] = "xmlns='jabber:";
	size_t at = 0, tag_end;

	if (n < 2 || (d[1] == '?' && memchr(d, '>', n) == NULL))
		return d[0] == '<' || zb_text_is_space(d[0]) ? ZB_MATCH_MORE : ZB_MATCH_NO;
	if (d[1] == '?') {
		if (n < 5 || memcmp(d, "<?xml", 5) != 0)
			return ZB_MATCH_NO;
		at = (size_t)((const uint8_t *)memchr(d, '>', n) - d) + 1;
	}
	while (at < n && zb_text_is_space(d[at]))
		at++;
	for (size_t i = 0; i < sizeof(open) - 1; i++, at++) {
		if (at == n)
			return ZB_MATCH_MORE;
		if (d[at] != (uint8_t)open[i])
			return ZB_MATCH_NO;
	}
	for (tag_end = at; tag_end < n && d[tag_end] != '>'; tag_end++) {
		if (n - tag_end >= sizeof(space) - 1 &&
		    memcmp(d + tag_end, space, sizeof(space) - 1) == 0)
			return ZB_MATCH_YES;
	}
	return tag_end == n ? ZB_MATCH_MORE : ZB_MATCH_NO;
}

static const uint16_t xmpp_ports[] = {5222, 5269, 0};

const struct zb_analyzer_def zb_analyzer_xmpp = {
	.name = "xmpp",
	.state_bytes = sizeof(struct xmpp),
	.mem = ZB_MEM_analyzer,
	.tcp_ports = xmpp_ports,
	.match_over = ZB_OVER_TCP,
	.match = {xmpp_match, xmpp_match},
	.data = xmpp_data,
	.gap = xmpp_gap,
	.flip = xmpp_flip,
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sip.c - SIP over UDP: recognised by a reply that holds together (RFC 3261, 7)
 *
 * As in Zeek, what a datagram begins with says whether it is a request or a reply, whoever sends
 * it; messages of a kind follow one another like a stream, so that a body may go on in the next
 * datagram (src/analyzer/protocol/sip).
 */
#include <string.h>

#include "pipeline/analyzers/text_line.h"

#define LINE_BYTES_MAX 65535
#define ADDL_BYTES_MAX 256

enum { REQUEST, REPLY };

struct sip {
	struct zb_analyzer base;
	struct zb_text_line line[2]; /* of requests and replies */
	int64_t content_length[2];   /* last said; holds for messages that do not say any */
	int64_t body[2];	     /* bytes still to come */
	bool in_headers[2];
	bool broken; /* the rest of this datagram means nothing */
};

static bool is_token(uint8_t c)
{
	return zb_text_is_alnum(c) || (c != '\0' && strchr("_.!%*+`'~-", c) != NULL);
}

static bool is_graph(uint8_t c)
{
	return c > ' ' && c < 0x7f;
}

static bool is_not_token(uint8_t c)
{
	return !is_token(c);
}

static bool is_name(uint8_t c)
{
	return c != ':' && !zb_text_is_blank(c);
}

/* Takes the characters of a kind off the front. */
static struct zb_text take(struct zb_text *t, bool (*is)(uint8_t))
{
	struct zb_text head = zb_text(t->d, 0);

	while (head.n < t->n && is(t->d[head.n]))
		head.n++;
	*t = zb_text(t->d + head.n, t->n - head.n);
	return head;
}

/* "SIP/2.0" */
static bool take_version(struct zb_text *t)
{
	if (t->n < 4 || memcmp(t->d, "SIP/", 4) != 0)
		return false;
	*t = zb_text(t->d + 4, t->n - 4);
	if (take(t, zb_text_is_digit).n == 0 || t->n == 0 || *t->d != '.')
		return false;
	*t = zb_text(t->d + 1, t->n - 1);
	return take(t, zb_text_is_digit).n != 0;
}

/* As a terminated string, \xHH for what cannot be printed; cut when it is too long. */
static const char *printable(struct zb_text t, char buf[ADDL_BYTES_MAX])
{
	static const char hex[] = "0123456789abcdef";
	size_t len = 0;

	for (size_t i = 0; i < t.n && len + 5 <= ADDL_BYTES_MAX; i++) {
		if (is_graph(t.d[i]) || t.d[i] == ' ') {
			buf[len++] = (char)t.d[i];
			continue;
		}
		buf[len++] = '\\';
		buf[len++] = 'x';
		buf[len++] = hex[t.d[i] >> 4];
		buf[len++] = hex[t.d[i] & 15];
	}
	buf[len] = '\0';
	return buf;
}

static bool is_known_method(struct zb_text method)
{
	static const char *const known[] = {"REGISTER", "INVITE",  "ACK",    "CANCEL",
					    "BYE",	"OPTIONS", "NOTIFY", "SUBSCRIBE"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (method.n == strlen(known[i]) && memcmp(method.d, known[i], method.n) == 0)
			return true;
	return false;
}

static bool request_line(struct zb_analyzer *a, struct zb_text t)
{
	struct zb_text junk = take(&t, is_not_token), method = take(&t, is_token), uri;
	char addl[ADDL_BYTES_MAX];

	take(&t, zb_text_is_blank);
	uri = take(&t, is_graph);
	take(&t, zb_text_is_blank);
	if (method.n == 0 || uri.n == 0 || !take_version(&t))
		return false;
	if (junk.n != 0)
		zb_analyzer_weird(a, ZB_WEIRD_sip_junk_before_request, printable(junk, addl));
	if (!is_known_method(method))
		zb_analyzer_weird(a, ZB_WEIRD_unknown_SIP_method, printable(method, addl));
	return true;
}

static bool reply_line(struct zb_analyzer *a, struct zb_text t)
{
	if (!take_version(&t))
		return false;
	take(&t, zb_text_is_blank);
	if (zb_text_code(t) < 0)
		return false;
	zb_analyzer_confirm(a);
	return true;
}

/* A number at the front, blanks and a sign before it; 0: none. */
static int64_t number(struct zb_text t)
{
	int64_t v = 0;
	bool negative;

	take(&t, zb_text_is_blank);
	negative = t.n != 0 && *t.d == '-';
	if (t.n != 0 && (*t.d == '-' || *t.d == '+'))
		t = zb_text(t.d + 1, t.n - 1);
	for (size_t i = 0; i < t.n && zb_text_is_digit(t.d[i]) && v <= INT32_MAX; i++)
		v = v * 10 + t.d[i] - '0';
	return negative ? -v : v;
}

static bool header(struct sip *s, unsigned kind, struct zb_text t)
{
	struct zb_text name = take(&t, is_name);

	take(&t, zb_text_is_blank);
	if (name.n == 0 || t.n == 0 || *t.d != ':')
		return false;
	t = zb_text(t.d + 1, t.n - 1);
	if ((name.n == 14 && memcmp(name.d, "Content-Length", 14) == 0) ||
	    (name.n == 1 && *name.d == 'L'))
		s->content_length[kind] = number(t);
	return true;
}

static bool line(struct zb_analyzer *a, unsigned kind, const uint8_t *d, size_t n)
{
	struct sip *s = (struct sip *)a;
	struct zb_text t = zb_text(d, n);
	bool ok;

	if (!s->in_headers[kind]) {
		ok = kind == REQUEST ? request_line(a, t) : reply_line(a, t);
		s->in_headers[kind] = ok;
	} else if (n == 0) {
		s->in_headers[kind] = false;
		s->body[kind] = s->content_length[kind];
		ok = s->body[kind] >= 0;
		if (ok)
			return s->body[kind] == 0;
	} else {
		ok = header(s, kind, t);
	}
	if (ok)
		return true;
	s->broken = true;
	s->in_headers[kind] = false;
	s->body[kind] = 0;
	zb_analyzer_violate(a);
	return false;
}

static void sip_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	static const struct zb_text_line_kind lines = {line, LINE_BYTES_MAX, true};
	struct sip *s = (struct sip *)a;
	unsigned kind = n > 6 && memcmp(d, "SIP/", 4) == 0 ? REPLY : REQUEST;

	(void)side;
	/* Keeps a binding alive. */
	if (n == 2 && d[0] == '\r')
		return;
	s->broken = false;
	while (n != 0 && !s->broken) {
		size_t part = (size_t)s->body[kind] < n ? (size_t)s->body[kind] : n;

		if (part != 0) {
			/* The LF of the empty line before it may still be to come. */
			if (s->line[kind].after_cr && *d == '\n')
				part = 1;
			else
				s->body[kind] -= (int64_t)part;
			s->line[kind].after_cr = false;
		} else {
			part = zb_text_line_data(&s->line[kind], &lines, a, kind, d, n);
		}
		d += part;
		n -= part;
	}
}

static void sip_end(struct zb_analyzer *a)
{
	struct sip *s = (struct sip *)a;

	zb_text_line_free(&s->line[0], a);
	zb_text_line_free(&s->line[1], a);
}

static bool is_version_at(const uint8_t *d)
{
	return memcmp(d, "SIP/", 4) == 0 && zb_text_is_digit(d[4]) && d[5] == '.' &&
	       zb_text_is_digit(d[6]);
}

/* A reply at the front, or a line of the datagram that ends as a request's does. */
static enum zb_match sip_match(const uint8_t *d, size_t n)
{
	size_t front = d[0] == ' ';
	const uint8_t *lf = d;

	if (n == 1)
		return ZB_MATCH_MORE;
	if (n >= front + 9 && is_version_at(d + front)) {
		const uint8_t *p = d + front + 7;

		if (p[0] == '\r' && p[1] == '\n')
			return ZB_MATCH_YES;
		if (p[0] == ' ' && n >= front + 12 && p[4] == ' ' &&
		    zb_text_code(zb_text(p + 1, 3)) >= 0)
			return ZB_MATCH_YES;
	}
	while ((lf = memchr(lf, '\n', n - (size_t)(lf - d))) != NULL) {
		if (lf - d >= 9 && lf[-1] == '\r' && lf[-9] == ' ' && is_version_at(lf - 8))
			return ZB_MATCH_YES;
		lf++;
	}
	return ZB_MATCH_NO;
}

static const uint16_t sip_ports[] = {5060, 0};

const struct zb_analyzer_def zb_analyzer_sip = {
	.name = "sip",
	.state_bytes = sizeof(struct sip),
	.mem = ZB_MEM_analyzer,
	.udp_ports = sip_ports,
	.match_over = ZB_OVER_UDP,
	.match = {sip_match, sip_match},
	.data = sip_data,
	.end = sip_end,
};

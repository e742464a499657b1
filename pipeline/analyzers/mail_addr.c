/* SPDX-License-Identifier: Apache-2.0 */
/* mail_addr.c - see mail_addr.h */
#include <arpa/inet.h>
#include <string.h>

#include "pipeline/analyzers/mail_addr.h"

/* May stand in front of an address, and not in its first half. */
static bool is_lead(uint8_t c)
{
	return c == '<' || c == ',' || c == ':' || zb_text_is_blank(c);
}

static bool ends_domain(uint8_t c)
{
	return c == '>' || c == ',' || c == ';' || zb_text_is_blank(c);
}

bool zb_mail_command_addr(struct zb_text *rest, struct zb_text *found)
{
	const uint8_t *d = rest->d;
	size_t n = rest->n, at = 0;

	while (at < n) {
		size_t begin = at, local = at + is_lead(d[at]), end = local, domain;

		while (end < n && !is_lead(d[end]) && d[end] != '@')
			end++;
		if (end == n || d[end] != '@') {
			at = end > at ? end : at + 1;
			continue;
		}
		domain = at = end + 1;
		if (end == local)
			continue;
		while (at < n && !ends_domain(d[at]))
			at++;
		if (at == domain)
			continue;
		at += at < n;
		*found = zb_text(d + begin, at - begin);
		*rest = zb_text(d + at, n - at);
		return true;
	}
	return false;
}

size_t zb_mail_bare_addr(struct zb_text found, char *out, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < found.n && n < room; i++)
		if (!is_lead(found.d[i]) && !ends_domain(found.d[i]))
			out[n++] = (char)found.d[i];
	return n;
}

/* What is known of the part up to the next comma at or behind from; from never goes back. */
static void look(const struct zb_text *t, struct zb_mail_segment *s, size_t from)
{
	const uint8_t *p;

	if (s->is_known && s->comma >= from)
		return;
	p = memchr(t->d + from, ',', t->n - from);
	s->comma = p != NULL ? (size_t)(p - t->d) : t->n;
	p = s->comma > from + 1 ? memrchr(t->d + from, '@', s->comma - 1 - from) : NULL;
	s->last_at = p != NULL ? (size_t)(p - t->d) : 0;
	s->is_known = true;
}

/* Where an address that begins at h->at ends; 0: none begins there. */
static size_t header_addr_end(struct zb_mail_header *h)
{
	const struct zb_text *t = &h->text;
	size_t at = h->at;

	if (t->d[at] == '"') {
		const uint8_t *q;

		if (h->quote <= at) {
			q = memchr(t->d + at + 1, '"', t->n - at - 1);
			h->quote = q != NULL ? (size_t)(q - t->d) : t->n;
		}
		if (h->quote + 1 < t->n) {
			look(t, &h->quoted, h->quote + 1);
			if (h->quoted.last_at > h->quote + 1)
				return h->quoted.comma;
		}
	}
	look(t, &h->plain, at);
	return h->plain.last_at > at ? h->plain.comma : 0;
}

bool zb_mail_header_addr(struct zb_mail_header *h, struct zb_text *found)
{
	for (; h->at < h->text.n; h->at++) {
		size_t from = h->at, end = header_addr_end(h);

		if (end == 0)
			continue;
		h->at = end;
		while (from < end && zb_text_is_space(h->text.d[from]))
			from++;
		while (from < end && zb_text_is_space(h->text.d[end - 1]))
			end--;
		*found = zb_text(h->text.d + from, end - from);
		return true;
	}
	return false;
}

static bool is_hex(uint8_t c)
{
	return zb_text_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Digits of a number up to 255 at the front, as many as can be. */
static size_t octet(struct zb_text t)
{
	unsigned v = 0;
	size_t n = 0;

	while (n < 3 && n < t.n && zb_text_is_digit(t.d[n])) {
		v = v * 10 + t.d[n] - '0';
		if (v > 255)
			break;
		n++;
	}
	return n;
}

static struct zb_text from(struct zb_text t, size_t at)
{
	return zb_text(t.d + at, t.n - at);
}

/* Bytes of an IPv4 address at the front, or 0. */
static size_t ip4(struct zb_text t)
{
	size_t at = 0;

	for (unsigned i = 0; i < 4; i++) {
		size_t n;

		if (i != 0 && (at == t.n || t.d[at++] != '.'))
			return 0;
		n = octet(from(t, at));
		if (n == 0)
			return 0;
		at += n;
	}
	return at;
}

/* Bytes of an IPv6 address at the front, as many as can be, or 0. */
static size_t ip6(struct zb_text t)
{
	bool is_short = t.n >= 2 && t.d[0] == ':' && t.d[1] == ':';
	size_t at = is_short ? 2 : 0, best = at;

	for (unsigned groups = 0; groups < 8;) {
		size_t n = 0, v4 = 0;

		if ((is_short && at >= 2 && t.d[at - 2] == ':') || (!is_short && groups == 6))
			v4 = ip4(from(t, at));
		if (v4 != 0 && at + v4 > best)
			best = at + v4;
		while (n < 4 && at + n < t.n && is_hex(t.d[at + n]))
			n++;
		if (n == 0)
			break;
		at += n;
		groups++;
		if (groups == 8 ? !is_short : is_short)
			best = at > best ? at : best;
		if (t.n - at < 2 || t.d[at] != ':')
			break;
		if (t.d[at + 1] == ':') {
			if (is_short || groups == 8)
				break;
			is_short = true;
			at += 2;
			best = at > best ? at : best;
		} else {
			at++;
		}
		if (is_short && groups == 7)
			break;
	}
	return best;
}

/* The characters around are a pair, or there is nothing else at all (Zeek). */
static bool has_wrapping(struct zb_text t, size_t begin, size_t n)
{
	static const char pairs[] = "[](){}  ";
	size_t end = begin + n;

	if (begin == 0 || end == t.n)
		return begin == 0 && end == t.n;
	for (unsigned i = 0; pairs[i] != '\0'; i += 2)
		if (t.d[begin - 1] == pairs[i] && t.d[end] == pairs[i + 1])
			return true;
	return false;
}

/* As inet_ntop() writes it; zeros in front of an octet are allowed. */
static bool write_host(struct zb_text t, char out[INET6_ADDRSTRLEN])
{
	char text[INET6_ADDRSTRLEN];
	uint8_t addr[16];
	unsigned v[4] = {0}, k = 0;

	if (t.n >= sizeof(text))
		return false;
	if (memchr(t.d, ':', t.n) != NULL) {
		memcpy(text, t.d, t.n);
		text[t.n] = '\0';
		return inet_pton(AF_INET6, text, addr) == 1 &&
		       inet_ntop(AF_INET6, addr, out, INET6_ADDRSTRLEN) != NULL;
	}
	for (size_t i = 0; i < t.n; i++) {
		if (t.d[i] == '.')
			k++;
		else
			v[k & 3] = v[k & 3] * 10 + t.d[i] - '0';
	}
	for (unsigned i = 0; i < 4; i++)
		addr[i] = (uint8_t)v[i];
	return inet_ntop(AF_INET, addr, out, INET6_ADDRSTRLEN) != NULL;
}

bool zb_mail_host(struct zb_text t, size_t *at, bool is_wrapped, char out[INET6_ADDRSTRLEN])
{
	while (*at < t.n) {
		size_t begin = *at, n4 = 0, n6 = 0, n;

		if (is_hex(t.d[begin]) || t.d[begin] == ':') {
			n4 = ip4(from(t, begin));
			n6 = ip6(from(t, begin));
		}
		n = n4 > n6 ? n4 : n6;
		*at += n != 0 ? n : 1;
		if (n != 0 && (!is_wrapped || has_wrapping(t, begin, n)) &&
		    write_host(zb_text(t.d + begin, n), out))
			return true;
	}
	return false;
}

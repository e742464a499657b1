/* SPDX-License-Identifier: Apache-2.0 */
/* ftp_path.c - paths: put together, shortened, found in a text; numbers in a text */
#include <string.h>

#include "pipeline/analyzers/ftp_priv.h"

/* "/" or "C:\" */
static bool is_absolute(struct zb_text t)
{
	if (t.n != 0 && *t.d == '/')
		return true;
	return t.n >= 3 && zb_text_is_letter(t.d[0]) && t.d[1] == ':' &&
	       (t.d[2] == '/' || t.d[2] == '\\');
}

static bool is_word(const uint8_t *d, size_t n, const char *word)
{
	return n == strlen(word) && memcmp(d, word, n) == 0;
}

/* The components in place, parted and ended by slashes; ".." takes the one before it away. */
struct components {
	uint8_t *begin; /* behind a leading slash */
	uint8_t *end;
};

static uint8_t *last_of(const struct components *c)
{
	uint8_t *at = c->end - 1;

	while (at > c->begin && at[-1] != '/')
		at--;
	return at;
}

static void push(struct components *c, const uint8_t *d, size_t n)
{
	memmove(c->end, d, n);
	c->end[n] = '/';
	c->end += n + 1;
}

static void up(struct components *c)
{
	uint8_t *last;
	size_t n;

	if (c->end == c->begin) {
		push(c, (const uint8_t *)"..", 2);
		return;
	}
	last = last_of(c);
	n = (size_t)(c->end - last) - 1;
	if (is_word(last, n, "~") || is_word(last, n, "..")) {
		push(c, (const uint8_t *)"..", 2);
		return;
	}
	c->end = last;
	if (is_word(last, n, "."))
		push(c, (const uint8_t *)"..", 2);
}

/*
 * Shortens n bytes at d in place; there is room for one more byte. What is written never overtakes
 * what is read: a component and its slash replace themselves, and ".." at least "." and a slash.
 */
static size_t shorten(uint8_t *d, size_t n)
{
	struct components c = {.begin = d, .end = d};
	bool rooted = n != 0 && *d == '/';

	if (memmem(d, n, "/.", 2) == NULL && memmem(d, n, "//", 2) == NULL)
		return n > 1 && d[n - 1] == '/' ? n - 1 : n;
	if (rooted)
		c.begin = c.end = d + 1;
	for (size_t at = 0; at < n;) {
		const uint8_t *slash = memchr(d + at, '/', n - at);
		size_t len = slash != NULL ? (size_t)(slash - (d + at)) : n - at, from = at;

		at += len + 1;
		if (len == 0 || (is_word(d + from, len, ".") && from != 0))
			continue;
		if (is_word(d + from, len, ".."))
			up(&c);
		else
			push(&c, d + from, len);
	}
	n = (size_t)(c.end - d);
	return n > 1 && d[n - 1] == '/' ? n - 1 : n;
}

size_t ftp_path(struct zb_text dir, struct zb_text name, uint8_t *out)
{
	size_t n = 0;

	if (!is_absolute(name) && dir.n != 0) {
		memcpy(out, dir.d, dir.n);
		n = dir.n;
		if (out[n - 1] != '/')
			out[n++] = '/';
	}
	if (name.n != 0)
		memcpy(out + n, name.d, name.n);
	return shorten(out, n + name.n);
}

/* In quotes, to the closing one. */
static bool quoted_path(struct zb_text t, struct zb_text *out)
{
	for (size_t i = 0; i < t.n; i++) {
		const uint8_t *end;

		if (t.d[i] != '"' || !is_absolute(zb_text(t.d + i + 1, t.n - i - 1)))
			continue;
		end = memchr(t.d + i + 1, '"', t.n - i - 1);
		if (end == NULL)
			return false;
		*out = zb_text(t.d + i + 1, (size_t)(end - (t.d + i + 1)));
		return true;
	}
	return false;
}

struct zb_text ftp_path_in(struct zb_text t)
{
	struct zb_text out = zb_text(t.d, 0);
	size_t at = 0, end;

	if (quoted_path(t, &out))
		return out;
	while (at < t.n && !is_absolute(zb_text(t.d + at, t.n - at)))
		at++;
	for (end = at; end < t.n;) {
		if (t.d[end] == '\\' && end + 1 < t.n && t.d[end + 1] == ' ')
			end += 2; /* a blank that belongs to the name */
		else if (t.d[end] != ' ' && t.d[end] != '"')
			end++;
		else
			break;
	}
	return zb_text(t.d + at, end - at);
}

uint64_t ftp_number_in(struct zb_text t)
{
	size_t end = t.n, at;
	uint64_t v = 0;

	while (end != 0 && !zb_text_is_digit(t.d[end - 1]))
		end--;
	for (at = end; at != 0 && zb_text_is_digit(t.d[at - 1]);)
		at--;
	for (; at < end; at++)
		if (__builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, t.d[at] - '0', &v))
			return UINT64_MAX;
	return v;
}

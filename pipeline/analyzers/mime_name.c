/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mime_name.c - names of files in Content-Disposition and Content-Type
 * (Zeek: base/utils/files.zeek, base/protocols/{smtp,http}/entities.zeek)
 */
#include <string.h>

#include "pipeline/analyzers/mime_priv.h"

/* Where the value of a parameter whose name ends in "name" begins, at the word's offset; 0: none.
 */
static size_t value_at(struct zb_text t, size_t at, bool takes_star)
{
	at += 4;
	while (at < t.n && zb_text_is_blank(t.d[at]))
		at++;
	if (takes_star && at < t.n && t.d[at] == '*')
		at++;
	if (at >= t.n || t.d[at] != '=')
		return 0;
	for (at++; at < t.n && zb_text_is_blank(t.d[at]);)
		at++;
	return at;
}

static bool is_word(struct zb_text t, size_t at, const char *word)
{
	return at <= t.n && zb_text_begins(zb_text(t.d + at, t.n - at), word);
}

/* Whether the header speaks of a name at all. */
static bool has_name(struct zb_text t, bool is_disposition)
{
	for (size_t at = 0; at + 4 < t.n; at++)
		if (is_word(t, at, "NAME") && value_at(t, at, is_disposition) != 0 &&
		    (!is_disposition || (at >= 4 && is_word(t, at - 4, "FILE"))))
			return true;
	return false;
}

/* What stands behind the last "name=". */
static struct zb_text last_value(struct zb_text t)
{
	for (size_t at = t.n; at-- != 0;) {
		size_t from = is_word(t, at, "NAME") ? value_at(t, at, true) : 0;

		if (from != 0)
			return zb_text(t.d + from, t.n - from);
	}
	return t;
}

static bool is_charset_char(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '+' && c <= '^') ||
	       (c != 0 && strchr("!#$%&_`{}~", c) != NULL);
}

/* Without "utf-8'en'" in front of it: up to the last of its quotes, as Zeek cuts it. */
static struct zb_text without_charset(struct zb_text t)
{
	size_t at = 0;

	while (at < t.n && is_charset_char(t.d[at]))
		at++;
	if (at == 0 || at == t.n || t.d[at] != '\'')
		return t;
	for (at++; at < t.n && is_charset_char(t.d[at]);)
		at++;
	if (at == t.n || t.d[at] != '\'')
		return t;
	at = t.n;
	while (t.d[at - 1] != '\'')
		at--;
	return zb_text(t.d + at, t.n - at);
}

/* The byte that %41 at the offset stands for; negative: it stands for itself. */
static int escaped(struct zb_text t, size_t at)
{
	if (t.d[at] != '%' || at + 2 >= t.n)
		return -1;
	return zb_text_hex_byte(t.d[at + 1], t.d[at + 2]);
}

int zb_mime_file_name(struct zb_text value, bool is_disposition, uint8_t *out, size_t room)
{
	struct zb_text t;
	size_t n = 0;

	if (!has_name(value, is_disposition))
		return -1;
	t = last_value(value);
	if (t.n != 0 && *t.d == '"') {
		const uint8_t *end;

		t = zb_text(t.d + 1, t.n - 1);
		end = memchr(t.d, '"', t.n);
		if (end != NULL)
			t.n = (size_t)(end - t.d);
	}
	t = without_charset(t);
	for (size_t i = 0; i < t.n && n < room; i++) {
		int c = escaped(t, i);

		out[n++] = c < 0 ? t.d[i] : (uint8_t)c;
		i += c < 0 ? 0 : 2;
	}
	return (int)n;
}

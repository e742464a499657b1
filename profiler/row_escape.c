/* SPDX-License-Identifier: Apache-2.0 */
/*
 * row_escape.c - strings with bytes that a log cannot hold as they are: the slow path of row.c
 *
 * Zeek keeps UTF-8 readable but all or nothing: when one character of a stretch is not fit to
 * print, every byte of that stretch beyond ASCII becomes \xHH, so that a reader never takes half a
 * binary blob for text. The stretch is the whole string in JSON; in TSV it is what lies between two
 * bytes that are escaped on their own account (backslash, tab and, in a set, comma).
 */
#include <string.h>
#include "profiler/row_priv.h"

static const char hex_digit[16] = "0123456789abcdef";

static bool is_printable(uint8_t c)
{
	return c >= 0x20 && c <= 0x7e;
}

/* How many of the len bytes at s make up a UTF-8 character, and its code point; 0: malformed. */
static unsigned utf8_decode(const uint8_t *s, size_t len, uint32_t *code)
{
	static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned n = s[0] < 0x80   ? 1
		     : s[0] < 0xc0 ? 0
		     : s[0] < 0xe0 ? 2
		     : s[0] < 0xf0 ? 3
		     : s[0] < 0xf8 ? 4
				   : 0;
	uint32_t c;

	if (n == 0 || n > len)
		return 0;
	c = n == 1 ? s[0] : s[0] & (0x7fu >> n);
	for (unsigned i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	/* Longer than need be, beyond Unicode, or half of a UTF-16 pair. */
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*code = c;
	return n;
}

/* Zeek lets no control character, private use or special through. */
static bool is_fit(uint32_t code)
{
	return code >= 0x20 && !(code >= 0x7f && code <= 0x9f) &&
	       !(code >= 0xe000 && code <= 0xf8ff) && !(code >= 0xfff0 && code <= 0xffff);
}

/* JSON has its own spelling for these, so they pass there. */
static char json_short_escape(uint8_t c)
{
	switch (c) {
	case '\b': return 'b';
	case '\f': return 'f';
	case '\n': return 'n';
	case '\r': return 'r';
	case '\t': return 't';
	default: return 0;
	}
}

/* True when the stretch can stay as it is. */
static bool is_fit_stretch(const uint8_t *s, size_t len, bool json)
{
	for (size_t i = 0; i < len;) {
		uint32_t code = 0;
		unsigned n = utf8_decode(s + i, len - i, &code);

		if (n == 0 || (!is_fit(code) && !(json && json_short_escape(s[i]) != 0)))
			return false;
		i += n;
	}
	return true;
}

/* \xHH */
static char *put_hex(char *at, uint8_t c)
{
	*at++ = '\\';
	*at++ = 'x';
	*at++ = hex_digit[c >> 4];
	*at++ = hex_digit[c & 15];
	return at;
}

char *zb_row_escape_json(char *at, const char *str, size_t len)
{
	const uint8_t *s = (const uint8_t *)str;
	bool fit = is_fit_stretch(s, len, true);

	for (size_t i = 0; i < len; i++) {
		uint8_t c = s[i];

		if (c == '"' || c == '\\') {
			*at++ = '\\';
			*at++ = (char)c;
		} else if (json_short_escape(c) != 0) {
			*at++ = '\\';
			*at++ = json_short_escape(c);
		} else if (fit || is_printable(c)) {
			*at++ = (char)c;
		} else {
			*at++ = '\\'; /* the text \xHH, whose backslash JSON doubles */
			at = put_hex(at, c);
		}
	}
	return at;
}

static char *escape_stretch(char *at, const uint8_t *s, size_t len)
{
	if (is_fit_stretch(s, len, false)) {
		memcpy(at, s, len);
		return at + len;
	}
	for (size_t i = 0; i < len; i++) {
		if (is_printable(s[i]))
			*at++ = (char)s[i];
		else
			at = put_hex(at, s[i]);
	}
	return at;
}

char *zb_row_escape_tsv(char *at, const char *str, size_t len, bool in_set)
{
	const uint8_t *s = (const uint8_t *)str;
	size_t from = 0;

	for (size_t i = 0; i <= len; i++) {
		if (i < len && s[i] != '\\' && s[i] != '\t' && !(in_set && s[i] == ','))
			continue;
		at = escape_stretch(at, s + from, i - from);
		from = i + 1;
		if (i == len)
			break;
		if (s[i] == '\\') {
			*at++ = '\\';
			*at++ = '\\';
		} else {
			at = put_hex(at, s[i]);
		}
	}
	return at;
}

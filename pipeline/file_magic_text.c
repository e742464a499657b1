/* SPDX-License-Identifier: Apache-2.0 */
/* file_magic_text.c - JSON, scripts, plain text; see file_magic.h */
#include "pipeline/file_magic_priv.h"

#define PLAIN_BYTES 10 /* of printable text that make a text */

/* Behind a string that is not empty; NULL: there is none. */
static const uint8_t *after_string(const uint8_t *p, const uint8_t *end)
{
	const uint8_t *q;

	if (p == end || *p != '"')
		return NULL;
	q = memchr(p + 1, '"', (size_t)(end - p - 1));
	return q != NULL && q != p + 1 ? q + 1 : NULL;
}

static const uint8_t *after_identifier(const uint8_t *p, const uint8_t *end)
{
	if (p == end || !zb_text_is_letter(*p))
		return NULL;
	while (p < end &&
	       (zb_text_is_letter(*p) || zb_text_is_digit(*p) || *p == '_' || *p == '\\'))
		p++;
	return p;
}

/* "name": and the beginning of a value, the brace being behind us. */
static bool is_json_object(const uint8_t *p, const uint8_t *end)
{
	const uint8_t *q;

	p = zb_file_after_blanks(p, end);
	q = after_string(p, end);
	if (q == NULL)
		q = after_identifier(p, end);
	if (q == NULL)
		return false;
	q = zb_file_after_blanks(q, end);
	if (q == end || *q != ':')
		return false;
	q = zb_file_after_blanks(q + 1, end);
	return q < end && (*q == '"' || *q == '[' || *q == '{' || zb_text_is_digit(*q) ||
			   ZB_FILE_HAS(q, end, "true") || ZB_FILE_HAS(q, end, "false"));
}

static const uint8_t *after_number(const uint8_t *p, const uint8_t *end)
{
	const uint8_t *q = p;

	while (q < end && zb_text_is_digit(*q))
		q++;
	if (q == p)
		return NULL;
	if (end - q > 1 && *q == '.' && zb_text_is_digit(q[1]))
		for (q++; q < end && zb_text_is_digit(*q);)
			q++;
	return q;
}

/* A first value and a comma, or a nested container, the bracket being behind us. */
static bool is_json_array(const uint8_t *p, const uint8_t *end)
{
	const uint8_t *q;

	p = zb_file_after_blanks(p, end);
	if (p == end)
		return false;
	if (*p == '{' || *p == '[')
		return true;
	q = after_string(p, end);
	if (q == NULL)
		q = after_number(p, end);
	if (q == NULL && ZB_FILE_HAS(p, end, "true"))
		q = p + 4;
	if (q == NULL && ZB_FILE_HAS(p, end, "false"))
		q = p + 5;
	if (q == NULL)
		return false;
	q = zb_file_after_blanks(q, end);
	return q < end && *q == ',';
}

static void json(struct zb_file_guess *g, const uint8_t *d, const uint8_t *end)
{
	const uint8_t *p = zb_file_after_blanks(zb_file_after_bom(d, end), end);

	if (p == end)
		return;
	if ((*p == '{' && is_json_object(p + 1, end)) || (*p == '[' && is_json_array(p + 1, end)))
		zb_file_guess(g, 1, "text/json");
}

/* A section in brackets on the first line that is not empty. */
static bool is_ini(const uint8_t *d, const uint8_t *end)
{
	const uint8_t *p = zb_file_after_bom(d, end), *close;

	while (p < end && (zb_text_is_blank(*p) || *p == '\r' || *p == '\n' || *p == 0))
		p++;
	if (p == end || *p != '[')
		return false;
	for (close = p; close < end && *close != '\r' && *close != '\n'; close++)
		;
	if (close == end)
		return false;
	while (zb_text_is_blank(close[-1]) || close[-1] == 0)
		close--;
	return close - p > 2 && close[-1] == ']';
}

/* p: a name of an interpreter, as behind "bin/". */
static void interpreter(struct zb_file_guess *g, const uint8_t *p, const uint8_t *end)
{
	static const struct {
		const char *name, *mime;
		int strength;
	} list[] = {
		{"sh", "text/x-shellscript", 250},
		{"bash", "text/x-shellscript", 250},
		{"tcsh", "text/x-shellscript", 250},
		{"csh", "text/x-shellscript", 250},
		{"zsh", "text/x-shellscript", 250},
		{"fash", "text/x-shellscript", 250},
		{"aesh", "text/x-shellscript", 250},
		{"ksh", "text/x-shellscript", 250},
		{"perl", "text/x-perl", 60},
		{"ruby", "text/x-ruby", 60},
		{"python", "text/x-python", 60},
		{"awk", "text/x-awk", 60},
		{"gawk", "text/x-awk", 60},
		{"nawk", "text/x-awk", 60},
		{"wish", "text/x-tcl", 60},
		{"tcl", "text/x-tcl", 60},
		{"lua", "text/x-lua", 49},
		{"php", "text/x-php", 60},
		{"node", "application/javascript", 60},
	};

	for (unsigned i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (zb_file_has(p, end, list[i].name, strlen(list[i].name)))
			zb_file_guess(g, list[i].strength, list[i].mime);
}

/* "#!", up to 15 characters, "bin/", perhaps "env", an interpreter. */
static void script(struct zb_file_guess *g, const uint8_t *d, const uint8_t *end)
{
	const uint8_t *p, *q;

	if (!ZB_FILE_HAS(d, end, "#!"))
		return;
	for (p = d + 2; p < end && p <= d + 17 && (p == d + 2 || p[-1] != '\n'); p++) {
		if (p == d + 2 || !ZB_FILE_HAS(p, end, "bin/"))
			continue;
		interpreter(g, p + 4, end);
		if (!ZB_FILE_HAS(p, end, "bin/env"))
			continue;
		for (q = p + 7; q < end && zb_text_is_space(*q); q++)
			;
		if (q != p + 7)
			interpreter(g, q, end);
	}
}

#define HAS_NAME(p, end, literal)                        \
	((size_t)((end) - (p)) >= sizeof(literal) - 1 && \
	 strncasecmp((const char *)(p), literal, sizeof(literal) - 1) == 0)

/* <script type="text/javascript">, with quotes and "text/" as may be. */
static bool is_script_tag(const uint8_t *p, const uint8_t *end)
{
	const uint8_t *q;

	if (!HAS_NAME(p, end, "<script"))
		return false;
	for (q = p + 7; q < end && zb_text_is_blank(*q); q++)
		;
	if (q == p + 7)
		return false;
	if (HAS_NAME(q, end, "type="))
		q += 5;
	else if (HAS_NAME(q, end, "language="))
		q += 9;
	else
		return false;
	if (q < end && (*q == '"' || *q == '\''))
		q++;
	if (HAS_NAME(q, end, "text/"))
		q += 5;
	return HAS_NAME(q, end, "javascript");
}

static bool is_javascript(const uint8_t *d, const uint8_t *end)
{
	const uint8_t *p = zb_file_after_blanks(d, end), *q;

	if (ZB_FILE_HAS(p, end, "for (;;);") || is_script_tag(p, end))
		return true;
	if (ZB_FILE_HAS(p, end, "document.write")) {
		q = p + 14;
		q += ZB_FILE_HAS(q, end, "ln") ? 2 : 0;
		q += q < end && zb_text_is_blank(*q) ? 1 : 0;
		return q < end && *q == '(';
	}
	if (ZB_FILE_HAS(p, end, "<script>")) {
		q = zb_file_after_blanks(p + 8, end);
		return ZB_FILE_HAS(q, end, "var ") || ZB_FILE_HAS(q, end, "function ");
	}
	if (ZB_FILE_HAS(d, end, "(function()")) {
		for (q = d + 11; q < end && (zb_text_is_blank(*q) || *q == '\n'); q++)
			;
		return q < end && *q == '{';
	}
	return false;
}

/* Commands that DOS batch files begin with, unechoed. */
static void batch(struct zb_file_guess *g, const uint8_t *d, const uint8_t *end)
{
	const uint8_t *p = d + 1;

	if (*d != '@')
		return;
	if (HAS_NAME(p, end, "rem"))
		zb_file_guess(g, 60, "text/x-msdos-batch");
	if (HAS_NAME(p, end, "set "))
		zb_file_guess(g, 70, "text/x-msdos-batch");
	while (p < end && *p == ' ')
		p++;
	if (!HAS_NAME(p, end, "echo "))
		return;
	for (p += 5; p < end && *p == ' ';)
		p++;
	if (HAS_NAME(p, end, "off"))
		zb_file_guess(g, 110, "text/x-msdos-batch");
}

/* What stands behind the next s; NULL: there is none. */
static const uint8_t *behind(const uint8_t *p, const uint8_t *end, const char *s)
{
	size_t len = strlen(s);
	const uint8_t *at = p != NULL && p < end ? memmem(p, (size_t)(end - p), s, len) : NULL;

	return at != NULL ? at + len : NULL;
}

/*
 * The same for two equal bytes, and for "<?php": searched for by a byte that is rare in text,
 * several times as fast as memmem().
 */
static const uint8_t *behind_pair(const uint8_t *p, const uint8_t *end, uint8_t c)
{
	while (p != NULL && end - p > 1 && (p = memchr(p, c, (size_t)(end - p) - 1)) != NULL) {
		if (p[1] == c)
			return p + 2;
		p++;
	}
	return NULL;
}

static bool holds_php(const uint8_t *d, const uint8_t *end)
{
	const uint8_t *p = d + 1;

	while (p < end && (p = memchr(p, '\?', (size_t)(end - p))) != NULL) {
		if (ZB_FILE_HAS(p - 1, end, "<\?php"))
			return true;
		p++;
	}
	return false;
}

/* A unified diff: its two headers and a hunk, in this order. */
static bool is_diff(const uint8_t *d, const uint8_t *end)
{
	const uint8_t *p;

	if (behind_pair(d, end, '@') == NULL)
		return false;
	p = behind(behind(behind(behind(d, end, "--- "), end, "\n"), end, "+++ "), end, "\n");
	return behind_pair(p, end, '@') != NULL;
}

static void plain(struct zb_file_guess *g, const uint8_t *d, const uint8_t *end)
{
	static const struct {
		uint8_t mark[4], n;
	} boms[] = {
		{{0xef, 0xbb, 0xbf}, 3}, {{0xfe, 0xff}, 2},	  {{0, 0, 0xfe, 0xff}, 4},
		{{0xff, 0xfe}, 2},	 {{0xff, 0xfe, 0, 0}, 4},
	};
	unsigned skip = 0;

	for (unsigned i = 0; i < sizeof(boms) / sizeof(boms[0]); i++)
		if ((size_t)(end - d) >= boms[i].n && memcmp(d, boms[i].mark, boms[i].n) == 0)
			skip = boms[i].n;
	d += skip;
	if (end - d < PLAIN_BYTES)
		return;
	for (unsigned i = 0; i < PLAIN_BYTES; i++)
		if (!zb_text_is_space(d[i]) && (d[i] < 0x20 || d[i] > 0x7e))
			return;
	zb_file_guess(g, -20, "text/plain");
}

void zb_file_magic_text(struct zb_file_guess *g, const uint8_t *d, size_t n)
{
	const uint8_t *end = d + n;

	json(g, d, end);
	if (is_ini(d, end))
		zb_file_guess(g, 20, "text/ini");
	script(g, d, end);
	if (is_javascript(d, end))
		zb_file_guess(g, 60, "application/javascript");
	batch(g, d, end);
	if ((d[0] == 'd' || d[0] == 'D') && HAS_NAME(d, end, "delivered-to:"))
		zb_file_guess(g, 160, "message/rfc822");
	if ((d[0] == 'r' || d[0] == 'R') && HAS_NAME(d, end, "return-path:"))
		zb_file_guess(g, 150, "message/rfc822");
	/* MARC 21: a record's length, status and type. */
	if (n >= 7 && zb_text_is_digit(d[0]) && zb_text_is_digit(d[1]) && zb_text_is_digit(d[2]) &&
	    zb_text_is_digit(d[3]) && zb_text_is_digit(d[4]) && d[5] != 0 &&
	    strchr("acdn", d[5]) != NULL && d[6] == 'w')
		zb_file_guess(g, 50, "application/marc");
	plain(g, d, end);
	/* These read all of it, so only where nothing stronger is known. */
	if (g->strength < 40 && holds_php(d, end))
		zb_file_guess(g, 40, "text/x-php");
	if (g->strength < 55 && is_diff(d, end))
		zb_file_guess(g, 55, "text/x-diff");
}

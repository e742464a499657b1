/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_magic_markup.c - HTML, XML and what is written in XML; see file_magic.h
 *
 * What tells the type is the first element, which blanks, comments and an XML declaration may
 * precede. A comment or a declaration is taken to end at any of the ends that follow, so that one
 * pass over these, each looked at once, finds every place where the element may begin.
 */
#include "pipeline/file_magic_priv.h"

#define HAS_NAME(p, end, literal) has_name(p, end, literal, sizeof(literal) - 1)

/* Without regard to case. */
static bool has_name(const uint8_t *p, const uint8_t *end, const char *s, size_t len)
{
	return (size_t)(end - p) >= len && strncasecmp((const char *)p, s, len) == 0;
}

/* "<!DOCTYPE", one space or more, name. */
static bool is_word_pair(const uint8_t *p, const uint8_t *end, const char *first,
			 const char *second)
{
	size_t n = strlen(first);

	if (!has_name(p, end, first, n) || p + n == end || p[n] != ' ')
		return false;
	for (p += n; p < end && *p == ' '; p++)
		;
	return has_name(p, end, second, strlen(second));
}

/* s stands inside the tag that begins at p. */
static bool tag_holds(const uint8_t *p, const uint8_t *end, const char *s)
{
	const uint8_t *close = memchr(p, '>', (size_t)(end - p)), *at;
	size_t len = strlen(s);

	at = memmem(p, (size_t)(end - p), s, len);
	return at != NULL && (close == NULL || at < close);
}

static bool is_atom(const uint8_t *p, const uint8_t *end)
{
	if (HAS_NAME(p, end, "<rss"))
		return tag_holds(p, end, "xmlns:atom");
	return HAS_NAME(p, end, "<feed") &&
	       (tag_holds(p, end, "xmlns=\"http://www.w3.org/2005/Atom") ||
		tag_holds(p, end, "xmlns='http://www.w3.org/2005/Atom") ||
		tag_holds(p, end, "xmlns=http://www.w3.org/2005/Atom"));
}

static bool is_flash_manifest(const uint8_t *p, const uint8_t *end)
{
	const uint8_t *q;

	if (!HAS_NAME(p, end, "<manifest"))
		return false;
	q = zb_file_after_blanks(p + 9, end);
	return q != p + 9 && ZB_FILE_HAS(q, end, "xmlns=\"http://ns.adobe.com/f4m/");
}

static void doctype(struct zb_file_guess *g, const uint8_t *p, const uint8_t *end)
{
	if (is_word_pair(p, end, "<!doctype", "html"))
		zb_file_guess(g, 100, "text/html");
	if (is_word_pair(p, end, "<!doctype", "cross-domain-policy"))
		zb_file_guess(g, 49, "text/x-cross-domain-policy");
}

static void html(struct zb_file_guess *g, const uint8_t *p, const uint8_t *end)
{
	if (HAS_NAME(p, end, "<html") || is_word_pair(p, end, "<meta", "http-equiv"))
		zb_file_guess(g, 100, "text/html");
	if (HAS_NAME(p, end, "<head") || HAS_NAME(p, end, "<title") || HAS_NAME(p, end, "<body"))
		zb_file_guess(g, 20, "text/html");
}

static void feed(struct zb_file_guess *g, const uint8_t *p, const uint8_t *end)
{
	if (HAS_NAME(p, end, "<rss"))
		zb_file_guess(g, 90, "text/rss");
	if (is_atom(p, end))
		zb_file_guess(g, 100, "text/atom");
}

static void soap(struct zb_file_guess *g, const uint8_t *p, const uint8_t *end)
{
	if (HAS_NAME(p, end, "<soap:envelope") || HAS_NAME(p, end, "<soap-env:envelope"))
		zb_file_guess(g, 49, "application/soap+xml");
}

static void element(struct zb_file_guess *g, const uint8_t *p, const uint8_t *end)
{
	if (end - p < 2 || *p != '<')
		return;
	switch (p[1] | 0x20) {
	case '!': /* 0x21 has the bit already */ doctype(g, p, end); break;
	case 'h':
	case 't':
	case 'b': html(g, p, end); break;
	case 'r':
	case 'f': feed(g, p, end); break;
	case 's': soap(g, p, end); break;
	case 'm':
		html(g, p, end);
		if (HAS_NAME(p, end, "<methodresponse>"))
			zb_file_guess(g, 49, "application/xml-rpc");
		if (is_flash_manifest(p, end))
			zb_file_guess(g, 49, "application/f4m");
		break;
	case 'c':
		if (HAS_NAME(p, end, "<cross-domain-policy"))
			zb_file_guess(g, 49, "text/x-cross-domain-policy");
		if (ZB_FILE_HAS(p, end, "<CFPARAM") || ZB_FILE_HAS(p, end, "<CFSET") ||
		    ZB_FILE_HAS(p, end, "<CFIF"))
			zb_file_guess(g, 20, "magnus-internal/cold-fusion");
		break;
	default: break;
	}
}

/* The next place after an end (of a comment, a declaration) where something may begin. */
static const uint8_t *next_after(const uint8_t *p, const uint8_t *end, const char *mark)
{
	size_t len = strlen(mark);
	const uint8_t *at = p < end ? memmem(p, (size_t)(end - p), mark, len) : NULL;

	return at != NULL ? zb_file_after_blanks(at + len, end) : NULL;
}

/* UTF-16 puts a zero beside each of these letters. */
static bool is_wide_declaration(const uint8_t *p, const uint8_t *end)
{
	static const char letter[] = "<\?xml ";

	for (unsigned i = 0; i < sizeof(letter) - 1; i++) {
		p += p < end && *p == 0;
		if (p == end || *p++ != (uint8_t)letter[i])
			return false;
	}
	return true;
}

/* Whether a declaration begins at p in one byte a letter, as what follows it is looked for in. */
static bool is_declaration(struct zb_file_guess *g, const uint8_t *p, const uint8_t *end)
{
	if (is_wide_declaration(p, end))
		zb_file_guess(g, 10, "application/xml");
	return ZB_FILE_HAS(p, end, "<\?xml ");
}

/* What may follow an XML declaration at p. */
static void declared(struct zb_file_guess *g, const uint8_t *p, const uint8_t *end)
{
	const uint8_t *comment = NULL, *q = p + 6;

	while ((q = next_after(q, end, "\?>")) != NULL) {
		element(g, q, end);
		if (comment == NULL && ZB_FILE_HAS(q, end, "<!--"))
			comment = q;
	}
	if (comment == NULL)
		return;
	for (q = comment + 4; (q = next_after(q, end, "-->")) != NULL;)
		element(g, q, end);
}

/* Types of documents told by an element anywhere, behind a declaration at the very beginning. */
static void inside_xml(struct zb_file_guess *g, const uint8_t *d, const uint8_t *end)
{
	static const char kml[] = " xmlns=";
	const uint8_t *p = d + 20;

	if (end - d < 24)
		return;
	while (p < end && (p = memmem(p, (size_t)(end - p), kml, sizeof(kml) - 1)) != NULL) {
		p += sizeof(kml) - 1;
		if (p == end || (*p != '"' && *p != '\''))
			continue;
		if (ZB_FILE_HAS(p + 1, end, "http://earth.google.com/kml"))
			zb_file_guess(g, 61, "application/vnd.google-earth.kml+xml");
		if (ZB_FILE_HAS(p + 1, end, "http://www.opengis.net/kml"))
			zb_file_guess(g, 60, "application/vnd.google-earth.kml+xml");
	}
	if (!ZB_FILE_HAS(d, end, "<\?xml version=\"") || d[15] == 0)
		return;
	if (next_after(d + 19, end, "<svg") != NULL)
		zb_file_guess(g, 38, "image/svg+xml");
	if (next_after(d + 19, end, "<urlset") != NULL)
		zb_file_guess(g, 37, "application/xml-sitemap");
	if (next_after(d + 19, end, "<gnc-v2") != NULL)
		zb_file_guess(g, 37, "application/x-gnucash");
	if (next_after(d + 20, end, "<!DOCTYPE X3D") != NULL ||
	    next_after(d + 20, end, "<!DOCTYPEX3D") != NULL)
		zb_file_guess(g, 43, "model/x3d");
}

void zb_file_magic_markup(struct zb_file_guess *g, const uint8_t *d, size_t n)
{
	const uint8_t *end = d + n, *declaration = NULL;
	const uint8_t *p = zb_file_after_blanks(zb_file_after_bom(d, end), end);

	if (p == end || (*p != '<' && *p != 0))
		return;
	element(g, p, end);
	if (is_declaration(g, p, end))
		declaration = p;
	if (ZB_FILE_HAS(p, end, "<!--")) {
		for (p += 4; (p = next_after(p, end, "-->")) != NULL;) {
			element(g, p, end);
			if (is_declaration(g, p, end) && declaration == NULL)
				declaration = p;
		}
	}
	if (declaration != NULL)
		declared(g, declaration, end);
	if (ZB_FILE_HAS(d, end, "<\?xml"))
		inside_xml(g, d, end);
}

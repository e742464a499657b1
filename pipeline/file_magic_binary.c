/* SPDX-License-Identifier: Apache-2.0 */
/* file_magic_binary.c - types of binary files that no fixed number tells; see file_magic.h */
#include "pipeline/file_magic_priv.h"

#define ZIP_NAME 30 /* offset of the first member's name */

static bool find(const uint8_t *p, const uint8_t *end, const char *s, size_t len)
{
	return p < end && memmem(p, (size_t)(end - p), s, len) != NULL;
}

/* Whether a member after the first has a name that begins with dir. */
static bool zip_has_dir(const uint8_t *p, const uint8_t *end, const char *dir)
{
	size_t len = strlen(dir);

	while (p < end && (p = memmem(p, (size_t)(end - p), "PK\x03\x04", 4)) != NULL) {
		if (end - p < ZIP_NAME)
			return false;
		if (zb_file_has(p + ZIP_NAME, end, dir, len))
			return true;
		p += 4;
	}
	return false;
}

/* Office Open XML (ECMA-376): the parts of a document lie in a folder named after its kind. */
static void office(struct zb_file_guess *g, const uint8_t *d, const uint8_t *end)
{
	static const struct {
		const char *dir, *mime;
	} kinds[] = {
		{"word/",
		 "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
		{"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
		{"ppt/",
		 "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
	};
	const uint8_t *name = d + ZIP_NAME;
	bool generic = ZB_FILE_HAS(name, end, "[Content_Types].xml") ||
		       ZB_FILE_HAS(name, end, "_rels/.rels");

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t len = strlen(kinds[i].dir);

		if ((generic || zb_file_has(name, end, kinds[i].dir, len)) &&
		    zip_has_dir(name, end, kinds[i].dir))
			zb_file_guess(g, 80, kinds[i].mime);
	}
}

/* OpenDocument and EPUB: the first member is called mimetype, stored, and holds the type. */
static void typed_zip(struct zb_file_guess *g, const uint8_t *d, const uint8_t *end)
{
#define ODF(kind) "application/vnd.oasis.opendocument." kind
	static const struct {
		const char *mime;
		int strength;
	} kinds[] = {
		{ODF("text"), 110},	      {ODF("text-template"), 120},
		{ODF("text-web"), 70},	      {ODF("text-master"), 100},
		{ODF("graphics"), 110},	      {ODF("graphics-template"), 120},
		{ODF("presentation"), 110},   {ODF("presentation-template"), 120},
		{ODF("spreadsheet"), 110},    {ODF("spreadsheet-template"), 120},
		{ODF("chart"), 110},	      {ODF("chart-template"), 120},
		{ODF("formula"), 110},	      {ODF("formula-template"), 120},
		{ODF("database"), 110},	      {ODF("image"), 110},
		{ODF("image-template"), 120}, {"application/epub+zip", 110},
	};
	const uint8_t *type = d + 38;

	if (!ZB_FILE_HAS(d + 26, end, "\x08\0\0\0mimetypeapplication/"))
		return;
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t len = strlen(kinds[i].mime);

		/* "-template" and the like make it another kind, which stands in the list, too. */
		if (zb_file_has(type, end, kinds[i].mime, len) &&
		    (type + len == end || type[len] != '-'))
			zb_file_guess(g, kinds[i].strength, kinds[i].mime);
	}
}

static void zip(struct zb_file_guess *g, const uint8_t *d, size_t n)
{
	static const char manifest[] = "META-INF/MANIFEST.MF";
	const uint8_t *end = d + n, *p = d + 9;

	if (n <= ZIP_NAME)
		return;
	office(g, d, end);
	typed_zip(g, d, end);
	/* A JAR's manifest is among the first members. */
	if (end - d > 208 + (ptrdiff_t)sizeof(manifest))
		end = d + 208 + sizeof(manifest) - 1;
	while ((p = memmem(p, (size_t)(end - p), manifest, sizeof(manifest) - 1)) != NULL) {
		if (p[-4] == 0x14 && p[-3] == 0)
			zb_file_guess(g, 100, "application/java-archive");
		p++;
	}
}

/* Digits, spaces and, if nul, zero bytes. */
static bool octal(const uint8_t *p, unsigned n, bool nul)
{
	for (; n != 0; p++, n--)
		if (!(zb_text_is_digit(*p) || *p == ' ' || (nul && *p == 0)))
			return false;
	return true;
}

/* POSIX.1 ustar and older: name, then numbers in octal text. */
static void tar(struct zb_file_guess *g, const uint8_t *d, size_t n)
{
	if (n < 157 || !octal(d + 100, 7, false) || d[107] != 0)
		return;
	for (unsigned i = 0; i < 100; i++)
		if (d[i] != 0 && (d[i] < 0x20 || d[i] > 0x7e))
			return;
	if (octal(d + 108, 7, false) && d[115] == 0 && octal(d + 116, 7, false) && d[123] == 0 &&
	    octal(d + 124, 11, false) && d[135] == 0 && octal(d + 136, 11, false) && d[147] == 0 &&
	    octal(d + 148, 7, true) && (d[155] == ' ' || d[155] == 0) &&
	    (d[156] == 0 || (d[156] >= '0' && d[156] <= '7')))
		zb_file_guess(g, 100, "application/x-tar");
}

/* The method of an LHA archive's first member: -lh5- and the like. */
static void lha(struct zb_file_guess *g, const uint8_t *d, size_t n)
{
	if (n < 7 || d[2] != '-' || d[6] != '-' || d[5] == 0)
		return;
	if ((d[3] == 'l' && d[4] == 'h' && strchr(" abcdex0123456789", d[5]) != NULL) ||
	    (d[3] == 'l' && d[4] == 'z' && strchr("s2345678", d[5]) != NULL) ||
	    (d[3] == 'p' && d[4] == 'm' && strchr("s012", d[5]) != NULL) ||
	    (d[3] == 'p' && d[4] == 'c' && d[5] == '1'))
		zb_file_guess(g, 80, "application/x-lzh");
}

/* CPython: a version number of 16 bits, then carriage return and newline. */
static void python(struct zb_file_guess *g, const uint8_t *d, size_t n)
{
	unsigned v;

	if (n < 4 || d[2] != '\r' || d[3] != '\n')
		return;
	v = d[0] | (unsigned)d[1] << 8;
	if ((v >= 3000 && v <= 3627) || (v >= 62011 && v <= 62217) || v == 20121 || v == 50428 ||
	    v == 50823 || v == 60717)
		zb_file_guess(g, 80, "application/x-python-bytecode");
}

/* OCSP (RFC 6960) by the object identifier near its beginning: SHA-1, or the basic response. */
static void ocsp(struct zb_file_guess *g, const uint8_t *d, size_t n)
{
	for (const uint8_t *p = d + 11, *end = d + n; p <= d + 19 && p < end; p++) {
		if (*p != 0x06)
			continue;
		if (ZB_FILE_HAS(p, end, "\x06\x05\x2b\x0e\x03\x02\x1a"))
			zb_file_guess(g, 71, "application/ocsp-request");
		if (ZB_FILE_HAS(p, end, "\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x01"))
			zb_file_guess(g, 71, "application/ocsp-response");
	}
}

/* Matroska (RFC 9559): the document type within the EBML header. */
static void matroska(struct zb_file_guess *g, const uint8_t *d, size_t n)
{
	const uint8_t *p = d + 4, *end = d + n;

	while (p < end && (p = memmem(p, (size_t)(end - p), "B\x82", 2)) != NULL) {
		if (end - p > 3 && ZB_FILE_HAS(p + 3, end, "webm"))
			zb_file_guess(g, 70, "video/webm");
		if (end - p > 3 && ZB_FILE_HAS(p + 3, end, "matroska"))
			zb_file_guess(g, 110, "video/x-matroska");
		p++;
	}
}

void zb_file_magic_binary(struct zb_file_guess *g, const uint8_t *d, size_t n)
{
	if (n < 4)
		return;
	if (memcmp(d, "PK\x03\x04", 4) == 0)
		zip(g, d, n);
	else if (memcmp(d, "\x1a\x45\xdf\xa3", 4) == 0)
		matroska(g, d, n);
	else if (memcmp(d, ";ELC", 4) == 0 && n > 4 && (d[4] < 0x20 || d[4] >= 0x80))
		zb_file_guess(g, 10, "application/x-elc");
	else if (memcmp(d, "MIME", 4) == 0 && ZB_FILE_HAS(d, d + n, "MIME-Version:") &&
		 find(d + 13, d + n, "protocol=\"application/pkcs7-signature\"", 38))
		zb_file_guess(g, 100, "application/pkcs7-signature");
	if (d[3] == 0x1a && d[0] < 0x80 && d[1] < 0x80 &&
	    ((d[2] >= 2 && d[2] <= 10) || d[2] == 0x14 || d[2] == 0x48))
		zb_file_guess(g, 70, "application/x-arc");
	/* MPEG-2 transport stream: packets of 188 bytes. */
	if (d[0] == 0x47 && n >= 752 && d[188] == 0x47 && d[376] == 0x47 && d[564] == 0x47)
		zb_file_guess(g, 40, "video/mp2t");
	tar(g, d, n);
	lha(g, d, n);
	python(g, d, n);
	ocsp(g, d, n);
}

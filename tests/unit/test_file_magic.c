/* SPDX-License-Identifier: Apache-2.0 */
/* test_file_magic.c - types of files by their first bytes */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/file_magic.h"

static const char *magic(const void *d, size_t n)
{
	uint16_t index[ZB_FILE_MAGIC_INDEX];
	/* A block of exactly this size, so that reading past its end is found. */
	uint8_t *copy = malloc(n + !n);
	const char *mime;

	assert_non_null(copy);
	memcpy(copy, d, n);
	zb_file_magic_index(index);
	mime = zb_file_magic(index, copy, n);
	free(copy);
	return mime;
}

#define assert_type(literal, mime) assert_string_equal(magic(literal, sizeof(literal) - 1), mime)
#define assert_no_type(literal)	   assert_null(magic(literal, sizeof(literal) - 1))

/* The index covers every row: sorted by first byte, then the rows for any byte. */
static void index_is_built_over_all_first_bytes(void **state)
{
	uint16_t index[ZB_FILE_MAGIC_INDEX];

	(void)state;
	zb_file_magic_index(index);
	for (unsigned b = 0; b < 256; b++)
		assert_true(index[b] <= index[b + 1]);
	assert_int_equal(index[0], 0);
	/* The last first byte in use, and what stands behind all of them. */
	assert_true(index[0xff] < index[256]);
	assert_type("\xff\xd8\xff\xe0", "image/jpeg");
	assert_type("....ftypisom", "video/mp4");
	assert_type("--"
		    "---BEGIN PGP PUBLIC KEY BLOCK-",
		    "application/pgp-keys");
}

/* Numbers of common formats are known. */
static void magic_of_common_formats_is_named(void **state)
{
	(void)state;
	assert_type("\x89PNG\r\n\x1a\n", "image/png");
	assert_type("GIF89a", "image/gif");
	assert_type("RIFF\1\2\3\4WEBP", "image/webp");
	assert_type("RIFF\1\2\3\4WAVE", "audio/x-wav");
	assert_type("\0\0\1\0", "image/x-icon");
	assert_type("%PDF-1.4", "application/pdf");
	assert_type("\x1f\x8b\x08", "application/x-gzip");
	assert_type("BZh91", "application/x-bzip2");
	assert_type("7z\xbc\xaf'\x1c", "application/x-7z-compressed");
	assert_type("Rar!\x1a", "application/x-rar");
	assert_type("MZ\x90\0", "application/x-dosexec");
	assert_type("OggS", "application/ogg");
	assert_type("CWS\x06", "application/x-shockwave-flash");
	assert_type("\xca\xfe\xba\xbe\0\0\0\x34", "application/x-java-applet");
	assert_type("\x7f"
		    "ELF\x02\x01\1\0\0\0\0\0\0\0\0\0\2\0",
		    "application/x-executable");
	assert_type("\xff\xfb\x90\x44", "audio/mpeg");
	assert_type("PK\3\4\x0a\0", "application/zip");
}

/* Where several rules hold, the strongest decides; between equals the first by name. */
static void magic_of_several_rules_is_the_strongest(void **state)
{
	(void)state;
	/* PNG's number (110) against nothing; ELF text that is also plain. */
	assert_type("%!PS-Adobe-3.0 and more", "application/postscript");
	assert_type("PK\3\4\x14\0\6\0", "application/vnd.openxmlformats-officedocument");
	assert_type("#!/bin/sh\n# comment", "text/x-shellscript");
	assert_type("<\?xml version=\"1.0\"\?><html>", "text/html");
	assert_type("<feed xmlns=\"http://www.w3.org/2005/Atom\">", "text/atom");
	assert_type("From: someone@example.net", "message/rfc822");
}

/* Ten printable bytes make a text, nine do not, a byte order mark may come first. */
static void magic_of_ten_printable_bytes_is_plain_text(void **state)
{
	(void)state;
	assert_type("abcdefgh\r\n", "text/plain");
	assert_no_type("abcdefghi");
	assert_no_type("abcdefgh\x80\n");
	assert_type("\xef\xbb\xbf"
		    "0123456789",
		    "text/plain");
	assert_no_type("");
}

/* The first element tells HTML, whatever comments and declarations come before. */
static void magic_of_markup_is_told_by_first_element(void **state)
{
	(void)state;
	assert_type("\r\n <!DOCTYPE  HTML PUBLIC", "text/html");
	assert_type("<!-- a --> text --><HTML>", "text/html");
	assert_type("<!-- <html> never closed", "text/plain");
	assert_type("<body >text text", "text/html");
	assert_type("<p>no element that counts", "text/plain");
	assert_type("<\?xml version='1.0'\?><root/>", "application/xml");
	assert_type("<!-- c --><\?xml version='1.0'\?><rss version=2>", "text/rss");
	assert_type("\xff\xfe<\0\?\0x\0m\0l\0 \0v", "application/xml");
	assert_no_type("\xff\xfe<\0\?\0x\0m\0l\0");
	assert_type("<rss xmlns:atom=\"x\">", "text/atom");
	assert_type("<rss version=\"2.0\"><a xmlns:atom=\"x\">", "text/rss");
	assert_type("<\?xml version=\"1.0\"\?><svg/>", "image/svg+xml");
	assert_type("<\?xml version=\"1.0\" encoding=\"utf-8\"\?><soap:Envelope ",
		    "application/soap+xml");
}

/* JSON is told by its first member. */
static void magic_of_json_is_told_by_first_member(void **state)
{
	(void)state;
	assert_type("{\"a\":1}", "text/json");
	assert_type("{ \"a\" : [ ] }", "text/json");
	assert_type("[1.5, 2]", "text/json");
	assert_type("[{}]", "text/json");
	assert_no_type("{}");
	assert_no_type("{\"a\":nul");
	assert_type("{ \"\" : \"empty name\" }", "text/plain");
	assert_type("{window.a=1;window.b", "text/plain");
}

/* Scripts are told by their interpreter. */
static void magic_of_scripts_is_told_by_interpreter(void **state)
{
	(void)state;
	assert_type("#!/usr/bin/env python3\n", "text/x-python");
	assert_type("#! /usr/bin/perl -w", "text/x-perl");
	assert_type("#!/a/very/long/path/bin/sh", "text/plain");
	assert_type("@echo off\r\n", "text/x-msdos-batch");
	assert_type("text text <\?php echo 1;", "text/x-php");
	assert_type("\r\n[section] \r\n", "text/ini");
	assert_type("[]\r\n0123456789", "text/plain");
	assert_type("(function() {", "application/javascript");
	assert_type("--- a\n+++ b\n@@ -1 +1 @@\n", "text/x-diff");
	assert_type("@@ a --- a\n+++ b\n", "text/plain");
}

/* Office documents are told by the folders of the archive that they are. */
static void magic_of_zip_is_told_by_members(void **state)
{
	uint8_t d[256] = "PK\3\4";

	(void)state;
	memcpy(d + 30, "[Content_Types].xml", 19);
	memcpy(d + 100, "PK\3\4", 4);
	memcpy(d + 130, "xl/workbook.xml", 15);
	assert_string_equal(magic(d, sizeof(d)),
			    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
	assert_string_equal(magic(d, 131), "application/zip");
	memset(d + 4, 0, sizeof(d) - 4);
	memcpy(d + 26, "\x08\0\0\0mimetypeapplication/vnd.oasis.opendocument.text-template", 60);
	assert_string_equal(magic(d, sizeof(d)),
			    "application/vnd.oasis.opendocument.text-template");
	memset(d + 4, 0, sizeof(d) - 4);
	memcpy(d + 40, "\x14\0\1\2META-INF/MANIFEST.MF", 24);
	assert_string_equal(magic(d, sizeof(d)), "application/java-archive");
	assert_string_equal(magic(d, 63), "application/zip");
}

/* A tar header's numbers are octal text at fixed places. */
static void magic_of_tar_is_told_by_its_numbers(void **state)
{
	uint8_t d[512] = "name.txt";

	(void)state;
	memcpy(d + 100,
	       "0000644\0"
	       "0001750\0"
	       "0001750\0"
	       "00000000012\0"
	       "14371234567\0"
	       "012345\0 0",
	       57);
	assert_string_equal(magic(d, sizeof(d)), "application/x-tar");
	d[101] = 'x';
	assert_null(magic(d, sizeof(d)));
}

/* OCSP messages are told by an object identifier near their beginning. */
static void magic_of_ocsp_is_told_by_identifier(void **state)
{
	uint8_t d[64] = {0x30};

	(void)state;
	memcpy(d + 13, "\x06\x05\x2b\x0e\x03\x02\x1a", 7);
	assert_string_equal(magic(d, sizeof(d)), "application/ocsp-request");
	assert_null(magic(d, 19));
	memcpy(d + 13, "\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x01", 11);
	assert_string_equal(magic(d, sizeof(d)), "application/ocsp-response");
}

/* No beginning of anything, however short, is read past its end. */
static void magic_of_every_prefix_stays_inside(void **state)
{
	static const char *const samples[] = {
		"<!-- --><\?xml version=\"1.0\"\?><!-- x --><feed xmlns=\"http://www.w3.org/2005/A",
		"{ \"name\" : true, \"other\": [1.5, false]}",
		"[ \"name\" , true ]",
		" [section \t\n",
		"#!/usr/bin/env \t perl",
		" <script type=\"text/javascript\">",
		"document.writeln (",
		"<manifest xmlns=\"http://ns.adobe.com/f4m/1.0\">",
		"@ echo   off",
		"<\?xml version=\"1.0\"  xmlns=\"http://earth.google.com/kml",
		"--- a\n+++ b\n@@ ",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		for (size_t n = 0; n <= strlen(samples[i]); n++)
			magic(samples[i], n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(index_is_built_over_all_first_bytes),
		cmocka_unit_test(magic_of_common_formats_is_named),
		cmocka_unit_test(magic_of_several_rules_is_the_strongest),
		cmocka_unit_test(magic_of_ten_printable_bytes_is_plain_text),
		cmocka_unit_test(magic_of_markup_is_told_by_first_element),
		cmocka_unit_test(magic_of_json_is_told_by_first_member),
		cmocka_unit_test(magic_of_scripts_is_told_by_interpreter),
		cmocka_unit_test(magic_of_zip_is_told_by_members),
		cmocka_unit_test(magic_of_tar_is_told_by_its_numbers),
		cmocka_unit_test(magic_of_ocsp_is_told_by_identifier),
		cmocka_unit_test(magic_of_every_prefix_stays_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

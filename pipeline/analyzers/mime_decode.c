/* SPDX-License-Identifier: Apache-2.0 */
/* mime_decode.c - base64 and quoted-printable, as lenient as Zeek (RFC 2045, 6.7, 6.8) */
#include <stdio.h>

#include "pipeline/analyzers/mime_priv.h"

/* Of the first oddity only. */
static void err(struct zb_mime *m, struct zb_mime_base64 *b, const char *text)
{
	if (!b->has_erred)
		zb_analyzer_weird(m->a, ZB_WEIRD_base64_illegal_encoding, text);
	b->has_erred = true;
}

/* Four digits are there. */
static void group(struct zb_mime *m, struct zb_mime_base64 *b)
{
	uint32_t bits = (uint32_t)b->digit[0] << 18 | (uint32_t)b->digit[1] << 12 |
			(uint32_t)b->digit[2] << 6 | b->digit[3];
	uint8_t out[3] = {(uint8_t)(bits >> 16), (uint8_t)(bits >> 8), (uint8_t)bits};

	b->digit_nr = 0;
	if (b->is_over) {
		err(m, b, "extra base64 groups after '=' padding are ignored");
		return;
	}
	zb_mime_put(m, out, b->padding < 3 ? 3u - b->padding : 0);
	b->is_over = b->padding != 0;
	b->padding = 0;
}

void zb_mime_base64(struct zb_mime *m, struct zb_mime_base64 *b, const uint8_t *d, size_t n)
{
	char text[48];

	for (size_t i = 0; i < n; i++) {
		int digit = d[i] == '=' ? 0 : zb_text_base64_digit(d[i]);

		if (d[i] == '=' && b->padding < 4)
			b->padding++;
		if (digit < 0) {
			if (b->has_erred)
				continue;
			snprintf(text, sizeof(text), "character %d ignored by Base64 decoding",
				 (int8_t)d[i]);
			err(m, b, text);
			continue;
		}
		b->digit[b->digit_nr++] = (uint8_t)digit;
		if (b->digit_nr == 4)
			group(m, b);
	}
}

void zb_mime_base64_end(struct zb_mime *m, struct zb_mime_base64 *b)
{
	static const uint8_t padding[3] = "===";
	char text[64];

	if (b->digit_nr == 0)
		return;
	snprintf(text, sizeof(text), "incomplete base64 group, padding with %d bits of 0",
		 (4 - b->digit_nr) * 6);
	zb_analyzer_weird(m->a, ZB_WEIRD_base64_illegal_encoding, text);
	zb_mime_base64(m, b, padding, 4u - b->digit_nr);
}

void zb_mime_quoted(struct zb_mime *m, const uint8_t *d, size_t n)
{
	size_t end = n, from = 0;
	bool is_soft = false;

	while (end != 0 && zb_text_is_blank(d[end - 1]))
		end--;
	for (size_t i = 0; i < end; i++) {
		uint8_t byte;
		int c;

		if (d[i] != '=')
			continue;
		if (i + 1 == end) {
			zb_mime_put(m, d + from, i - from);
			is_soft = true;
			break;
		}
		c = i + 2 < n ? zb_text_hex_byte(d[i + 1], d[i + 2]) : -1;
		if (c < 0)
			continue; /* it stands for itself */
		byte = (uint8_t)c;
		zb_mime_put(m, d + from, i - from);
		zb_mime_put(m, &byte, 1);
		i += 2;
		from = i + 1;
	}
	if (is_soft)
		return;
	if (from < end)
		zb_mime_put(m, d + from, end - from);
	zb_mime_put(m, (const uint8_t *)"\r\n", 2);
}

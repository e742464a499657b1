/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text_char.h - kinds of ASCII characters, and what digits stand for; the locale has no say
 *
 * Threading: any.
 */
#ifndef ZB_PIPELINE_TEXT_CHAR_H
#define ZB_PIPELINE_TEXT_CHAR_H

#include <stdbool.h>
#include <stdint.h>

static inline bool zb_text_is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static inline bool zb_text_is_letter(uint8_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static inline bool zb_text_is_alnum(uint8_t c)
{
	return zb_text_is_digit(c) || zb_text_is_letter(c);
}

/* A small letter's capital; else c. */
static inline uint8_t zb_text_upper(uint8_t c)
{
	return c >= 'a' && c <= 'z' ? (uint8_t)(c - 'a' + 'A') : c;
}

/* Blank or tab. */
static inline bool zb_text_is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* Blank, tab, or a line's end. */
static inline bool zb_text_is_space(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* 0 to 15, or -1: it is none. */
static inline int zb_text_hex_digit(uint8_t c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* The byte that two hex digits stand for, or -1. */
static inline int zb_text_hex_byte(uint8_t high, uint8_t low)
{
	int h = zb_text_hex_digit(high), l = zb_text_hex_digit(low);

	return h < 0 || l < 0 ? -1 : h << 4 | l;
}

/* 0 to 63 (RFC 4648, 4), or -1: it is none; so is '=', the padding. */
static inline int zb_text_base64_digit(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (zb_text_is_digit(c))
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

#endif

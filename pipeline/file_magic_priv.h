/* SPDX-License-Identifier: Apache-2.0 */
/* file_magic_priv.h - what the parts of file_magic.c share */
#ifndef ZB_PIPELINE_FILE_MAGIC_PRIV_H
#define ZB_PIPELINE_FILE_MAGIC_PRIV_H

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "pipeline/file_magic.h"
#include "pipeline/text_char.h"

/* The strongest guess so far. */
struct zb_file_guess {
	const char *mime;
	int strength; /* INT_MIN: none */
};

static inline void zb_file_guess(struct zb_file_guess *g, int strength, const char *mime)
{
	if (strength > g->strength || (strength == g->strength && strcmp(mime, g->mime) < 0)) {
		g->mime = mime;
		g->strength = strength;
	}
}

/* Bytes p to end hold s (len bytes) at p. */
static inline bool zb_file_has(const uint8_t *p, const uint8_t *end, const char *s, size_t len)
{
	return (size_t)(end - p) >= len && memcmp(p, s, len) == 0;
}
#define ZB_FILE_HAS(p, end, literal) zb_file_has(p, end, literal, sizeof(literal) - 1)

/* Behind a byte order mark (UTF-8 or UTF-16), if there is one. */
static inline const uint8_t *zb_file_after_bom(const uint8_t *p, const uint8_t *end)
{
	if (ZB_FILE_HAS(p, end, "\xef\xbb\xbf"))
		return p + 3;
	return ZB_FILE_HAS(p, end, "\xff\xfe") || ZB_FILE_HAS(p, end, "\xfe\xff") ? p + 2 : p;
}

static inline const uint8_t *zb_file_after_blanks(const uint8_t *p, const uint8_t *end)
{
	while (p < end && (zb_text_is_blank(*p) || *p == '\r' || *p == '\n'))
		p++;
	return p;
}

/* Rules for HTML, XML and their kin. */
void zb_file_magic_markup(struct zb_file_guess *g, const uint8_t *d, size_t n);

/* Rules for other text: JSON, scripts, plain. */
void zb_file_magic_text(struct zb_file_guess *g, const uint8_t *d, size_t n);

/* Rules for binary formats that need more than two numbers. */
void zb_file_magic_binary(struct zb_file_guess *g, const uint8_t *d, size_t n);

#endif

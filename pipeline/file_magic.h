/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_magic.h - tells the type of a file by its first bytes
 *
 * A table of magic numbers, found by the first byte, and a few rules for what no number tells:
 * text, HTML, JSON, scripts, office documents. Every rule has a strength; the strongest one that
 * holds wins, between equals the name that comes first in the alphabet. Names and strengths are
 * those that Zeek reports (base/frameworks/files/magic), the numbers those of the formats.
 *
 * Threading: pure functions.
 */
#ifndef ZB_PIPELINE_FILE_MAGIC_H
#define ZB_PIPELINE_FILE_MAGIC_H

#include <stddef.h>
#include <stdint.h>

#define ZB_FILE_MAGIC_INDEX 257

/* index[b]: first row of the table for first byte b; index[256]: first row for any byte. */
void zb_file_magic_index(uint16_t index[ZB_FILE_MAGIC_INDEX]);

/* The MIME type of the n bytes that a file begins with, a literal; NULL: none fits. */
const char *zb_file_magic(const uint16_t *index, const uint8_t *d, size_t n);

#endif

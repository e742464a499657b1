/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_in.h - reads the numbers and vectors that TLS messages are made of, within bounds
 *
 * Threading: pure functions.
 */
#ifndef ZB_PIPELINE_ANALYZERS_TLS_IN_H
#define ZB_PIPELINE_ANALYZERS_TLS_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A reader of bytes that stops at their end: then everything reads as 0, and bad is set. */
struct zb_tls_in {
	const uint8_t *p;
	size_t n;
	bool bad;
};

/* A big-endian number of 1 to 4 bytes. */
static inline uint32_t zb_tls_int(struct zb_tls_in *in, unsigned bytes)
{
	uint32_t v = 0;

	if (in->n < bytes) {
		in->bad = true;
		in->n = 0;
		return 0;
	}
	for (unsigned i = 0; i < bytes; i++)
		v = v << 8 | in->p[i];
	in->p += bytes;
	in->n -= bytes;
	return v;
}

/* The next n bytes as a reader of their own. */
static inline struct zb_tls_in zb_tls_sub(struct zb_tls_in *in, size_t n)
{
	struct zb_tls_in sub = {.p = in->p, .n = n};

	if (in->n < n) {
		in->bad = true;
		in->n = 0;
		sub.n = 0;
		sub.bad = true;
		return sub;
	}
	in->p += n;
	in->n -= n;
	return sub;
}

/* The values that extensions use to keep peers tolerant (RFC 8701). */
static inline bool zb_tls_is_grease(uint32_t v)
{
	return (v & 0x0f0f) == 0x0a0a && (v >> 8 & 0xff) == (v & 0xff);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_memo.h - fingerprints of client hellos that were made lately, by what they are made of
 *
 * Clients are few, and say the same again and again; to sort, print and hash it anew costs more
 * than all the rest of a hello. Entries are found by a keyed hash of 128 bits, so that nobody can
 * make up a hello that has another one's fingerprint. A new entry takes the place of an old one.
 *
 * Threading: one lcore.
 */
#ifndef ZB_PIPELINE_TLS_MEMO_H
#define ZB_PIPELINE_TLS_MEMO_H

#include <stdbool.h>
#include <stdint.h>

struct zb_analysis;
struct zb_tls_memo; /* opaque */

#define ZB_TLS_MEMO_JA4 40 /* room for a JA4 and its end */

struct zb_tls_prints {
	uint64_t key[2];
	uint8_t ja3[16];
	char ja4[ZB_TLS_MEMO_JA4];
	bool is_set;
};

/* The lcore's, made when first asked for; NULL: no room. */
struct zb_tls_memo *zb_tls_memo(struct zb_analysis *an);
void zb_tls_memo_free(struct zb_analysis *an);

/* Begins a key; then goes on with n bytes. */
void zb_tls_memo_key(const struct zb_tls_memo *m, uint64_t key[2]);
void zb_tls_memo_add(uint64_t key[2], const void *d, uint32_t n);

/* Where the key's prints are, or, if is_set is false, are to be put, is_set last. */
struct zb_tls_prints *zb_tls_memo_at(struct zb_tls_memo *m, const uint64_t key[2]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_hash.h - MD5, SHA-1 and SHA-256 of one file, computed on the way
 *
 * libcrypto's incremental calls are used directly: their state is plain memory that lies in the
 * file itself, while an EVP context costs an allocation and a look-up per file and hash. Both run
 * the same code for the blocks (SHA extensions, AVX where the processor has them).
 *
 * Threading: one lcore.
 * Errors:    none: the functions cannot fail.
 */
#ifndef ZB_PIPELINE_FILE_HASH_H
#define ZB_PIPELINE_FILE_HASH_H

/* The calls are deprecated since 3.0 in favour of EVP; this asks for the interface of 1.1. */
#ifndef OPENSSL_API_COMPAT
#define OPENSSL_API_COMPAT 0x10100000L
#endif
#include <openssl/md5.h>
#include <openssl/sha.h>
#include <stddef.h>
#include <stdint.h>

enum zb_file_sum { ZB_SUM_MD5, ZB_SUM_SHA1, ZB_SUM_SHA256, ZB_SUM_NR };

/* A hash under way, then its result. */
struct zb_file_hashes {
	union {
		MD5_CTX ctx;
		uint8_t out[16];
	} md5;
	union {
		SHA_CTX ctx;
		uint8_t out[20];
	} sha1;
	union {
		SHA256_CTX ctx;
		uint8_t out[32];
	} sha256;
};

/*
 * mask: 1 << enum zb_file_sum, as enum zb_file_hash. Those that get the same data to the end are
 * begun together; some may end earlier.
 */
void zb_file_hash_begin(struct zb_file_hashes *h, unsigned mask);
void zb_file_hash_add(struct zb_file_hashes *h, unsigned mask, const uint8_t *d, size_t n);
void zb_file_hash_end(struct zb_file_hashes *h, unsigned mask);

/* A finished hash in hexadecimal digits, no terminator; returns how many (64 at most). */
unsigned zb_file_hash_text(const struct zb_file_hashes *h, enum zb_file_sum sum, char *buf);

#endif

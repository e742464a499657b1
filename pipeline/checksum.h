/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checksum.h - the Internet checksum (RFC 1071)
 *
 * Threading: pure functions.
 */
#ifndef ZB_PIPELINE_CHECKSUM_H
#define ZB_PIPELINE_CHECKSUM_H

#include <stdint.h>
#include <string.h>

/*
 * Adds len bytes to a running sum; only the last piece may have an odd length. Order of bytes is
 * the host's.
 */
static inline uint64_t zb_checksum_add(uint64_t sum, const uint8_t *p, uint32_t len)
{
	uint64_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
	uint32_t w[4];

	/*
	 * Four independent sums, so that loads and adds overlap; 2^32 words cannot carry out of 64
	 * bits.
	 */
	for (; len >= 16; p += 16, len -= 16) {
		memcpy(w, p, 16);
		s0 += w[0];
		s1 += w[1];
		s2 += w[2];
		s3 += w[3];
	}
	for (; len >= 2; p += 2, len -= 2) {
		uint16_t h;

		memcpy(&h, p, 2);
		s0 += h;
	}
	if (len != 0) {
		uint8_t last[2] = {*p, 0};
		uint16_t h;

		memcpy(&h, last, 2);
		s1 += h;
	}
	return sum + (s0 & UINT32_MAX) + (s0 >> 32) + s1 + s2 + s3;
}

/* Folds a sum to 16 bits; 0xffff when a checksum over data that holds it is right. */
static inline uint16_t zb_checksum_fold(uint64_t sum)
{
	sum = (sum & UINT32_MAX) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* A 16- or 32-bit field of the pseudo header, given in host order. */
static inline uint64_t zb_checksum_host16(uint16_t v)
{
	return __builtin_bswap16(v);
}

#endif

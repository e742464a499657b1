/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ber.h - reads tag, length, value of ASN.1's basic encoding (X.690, 8.1), never past the end
 *
 * One-byte tags and definite lengths of up to four bytes: what SNMP, Kerberos and LDAP use.
 *
 * Threading: pure functions.
 */
#ifndef ZB_PIPELINE_ANALYZERS_BER_H
#define ZB_PIPELINE_ANALYZERS_BER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zb_ber {
	const uint8_t *at;
	size_t left;
};

struct zb_ber_item {
	uint8_t tag;
	struct zb_ber value;
};

/* The next item, which r then stands behind. False: there is none, or it does not fit. */
static inline bool zb_ber_next(struct zb_ber *r, struct zb_ber_item *out)
{
	size_t head = 2, len;

	if (r->left < 2 || (r->at[0] & 0x1f) == 0x1f)
		return false;
	len = r->at[1];
	if (len & 0x80) {
		unsigned bytes = len & 0x7f;

		head += bytes;
		if (bytes == 0 || bytes > 4 || r->left < head)
			return false;
		len = 0;
		for (unsigned i = 0; i < bytes; i++)
			len = len << 8 | r->at[2 + i];
	}
	if (len > r->left - head)
		return false;
	*out = (struct zb_ber_item){r->at[0], {r->at + head, len}};
	r->at += head + len;
	r->left -= head + len;
	return true;
}

/* The same, and its tag must be this one. */
static inline bool zb_ber_expect(struct zb_ber *r, uint8_t tag, struct zb_ber *value)
{
	struct zb_ber_item item;

	if (!zb_ber_next(r, &item) || item.tag != tag)
		return false;
	*value = item.value;
	return true;
}

/* An INTEGER (tag 2) that fits 32 bits; false when the next item is none. */
static inline bool zb_ber_integer(struct zb_ber *r, int32_t *out)
{
	struct zb_ber v;
	int64_t n;

	if (!zb_ber_expect(r, 2, &v) || v.left == 0 || v.left > 4)
		return false;
	n = (int8_t)v.at[0];
	for (size_t i = 1; i < v.left; i++)
		n = n * 256 + v.at[i];
	*out = (int32_t)n;
	return true;
}

#endif

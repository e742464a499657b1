/* SPDX-License-Identifier: Apache-2.0 */
/* gss_token.c - see gss_token.h */
#include <string.h>

#include "pipeline/analyzers/gss_token.h"

/* 1.2.840.113554.1.2.2, with its tag and length. */
static const uint8_t krb5_oid[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
				   0xf7, 0x12, 0x01, 0x02, 0x02};

/* Behind the mechanism's name: the kind of token, and the message's own tag. */
static bool is_krb_token(const uint8_t *d, size_t n)
{
	if (n < 3 || d[1] != 0)
		return false;
	return (d[0] == 1 && d[2] == 0x6e) || (d[0] == 2 && d[2] == 0x6f) ||
	       (d[0] == 3 && d[2] == 0x7e);
}

static bool has_krb(const uint8_t *d, size_t n)
{
	const uint8_t *end = d + n, *at;

	while ((at = memmem(d, (size_t)(end - d), krb5_oid, sizeof(krb5_oid))) != NULL) {
		d = at + sizeof(krb5_oid);
		if (is_krb_token(d, (size_t)(end - d)))
			return true;
	}
	return false;
}

void zb_gss_token(struct zb_analyzer *a, const uint8_t *d, size_t n)
{
	if (n >= 2 && (d[0] == 0x60 || d[0] == 0xa1))
		zb_analyzer_add_service(a, "gssapi");
	else if (n < 7 || memcmp(d, "NTLMSSP", 7) != 0)
		return;
	if (memmem(d, n, "NTLMSSP", 8) != NULL)
		zb_analyzer_add_service(a, "ntlm");
	else if (has_krb(d, n))
		zb_analyzer_add_service(a, "krb");
}

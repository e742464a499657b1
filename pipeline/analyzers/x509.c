/* SPDX-License-Identifier: Apache-2.0 */
/* x509.c - see x509.h */
#include <string.h>

#include "pipeline/analyzers/x509.h"

enum {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_OID = 0x06,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_VERSION = 0xa0,    /* [0] of a certificate */
	DER_ISSUER_ID = 0x81,  /* [1] */
	DER_SUBJECT_ID = 0x82, /* [2] */
	DER_DNS_NAME = 0x82,   /* [2] of an alternative name */
	DER_EXTENSIONS = 0xa3, /* [3] */
};

struct der {
	const uint8_t *p;
	size_t n;
};

/* Takes an element off in: its tag and its content. False: none that is whole is there. */
static bool take(struct der *in, uint8_t *tag, struct der *content)
{
	size_t at = 2, len, bytes;

	if (in->n < 2 || (in->p[0] & 0x1f) == 0x1f) /* no tags of several bytes in certificates */
		return false;
	*tag = in->p[0];
	len = in->p[1];
	if (len >= 0x80) {
		bytes = len & 0x7f;
		if (bytes == 0 || bytes > 4 || in->n - at < bytes)
			return false;
		len = 0;
		for (; bytes != 0; bytes--)
			len = len << 8 | in->p[at++];
	}
	if (in->n - at < len)
		return false;
	*content = (struct der){in->p + at, len};
	in->p += at + len;
	in->n -= at + len;
	return true;
}

static bool take_a(struct der *in, uint8_t tag, struct der *content)
{
	uint8_t got;

	return take(in, &got, content) && got == tag;
}

/* Skips an element that may be there or not; false: malformed. */
static bool skip_optional(struct der *in, uint8_t tag)
{
	struct der content;

	return in->n == 0 || in->p[0] != tag || take_a(in, tag, &content);
}

/* The subject and the list of extensions (empty: none) of a certificate. */
static bool parts(struct der cert, struct der *subject, struct der *extensions)
{
	struct der tbs, x;

	*extensions = (struct der){0};
	if (!take_a(&cert, DER_SEQUENCE, &x) || !take_a(&x, DER_SEQUENCE, &tbs) ||
	    !take_a(&x, DER_SEQUENCE, &cert) || !take_a(&x, DER_BIT_STRING, &cert))
		return false;
	if (!skip_optional(&tbs, DER_VERSION) || !take_a(&tbs, DER_INTEGER, &x) || /* serial */
	    !take_a(&tbs, DER_SEQUENCE, &x) ||	    /* signature algorithm */
	    !take_a(&tbs, DER_SEQUENCE, &x) ||	    /* issuer */
	    !take_a(&tbs, DER_SEQUENCE, &x) ||	    /* validity */
	    !take_a(&tbs, DER_SEQUENCE, subject) || /* subject */
	    !take_a(&tbs, DER_SEQUENCE, &x) ||	    /* public key */
	    !skip_optional(&tbs, DER_ISSUER_ID) || !skip_optional(&tbs, DER_SUBJECT_ID))
		return false;
	if (tbs.n == 0)
		return true;
	return take_a(&tbs, DER_EXTENSIONS, &x) && take_a(&x, DER_SEQUENCE, extensions);
}

size_t zb_x509_size(const uint8_t *d, size_t n)
{
	struct der cert = {d, n}, rest = cert, subject, extensions;
	uint8_t tag;

	if (!parts(cert, &subject, &extensions) || !take(&rest, &tag, &cert))
		return 0;
	return n - rest.n;
}

static bool is_oid(struct der oid, const char *bytes)
{
	return oid.n == 3 && memcmp(oid.p, bytes, 3) == 0;
}

static bool matches(struct der name, const uint8_t *host, size_t host_n)
{
	const uint8_t *dot;
	size_t label;

	if (name.n == host_n && memcmp(name.p, host, host_n) == 0)
		return true;
	if (name.n < 2 || name.p[0] != '*' || name.p[1] != '.')
		return false;
	dot = memchr(host, '.', host_n);
	if (dot == NULL || dot == host)
		return false;
	label = (size_t)(dot - host);
	return name.n - 1 == host_n - label && memcmp(name.p + 1, dot, name.n - 1) == 0;
}

static bool in_alt_names(struct der value, const uint8_t *host, size_t host_n)
{
	struct der names, name;
	uint8_t tag;

	if (!take_a(&value, DER_SEQUENCE, &names))
		return false;
	while (take(&names, &tag, &name))
		if (tag == DER_DNS_NAME && matches(name, host, host_n))
			return true;
	return false;
}

static bool in_extensions(struct der list, const uint8_t *host, size_t host_n)
{
	struct der one, oid, value;

	while (take_a(&list, DER_SEQUENCE, &one)) {
		if (!take_a(&one, DER_OID, &oid) || !skip_optional(&one, DER_BOOLEAN) ||
		    !take_a(&one, DER_OCTET_STRING, &value))
			return false;
		if (is_oid(oid, "\x55\x1d\x11")) /* 2.5.29.17 */
			return in_alt_names(value, host, host_n);
	}
	return false;
}

static bool in_subject(struct der subject, const uint8_t *host, size_t host_n)
{
	struct der set, pair, oid, value;
	uint8_t tag;

	while (take_a(&subject, DER_SET, &set)) {
		while (take_a(&set, DER_SEQUENCE, &pair)) {
			if (!take_a(&pair, DER_OID, &oid) || !take(&pair, &tag, &value))
				return false;
			if (is_oid(oid, "\x55\x04\x03") && /* 2.5.4.3 */
			    matches(value, host, host_n))
				return true;
		}
	}
	return false;
}

bool zb_x509_is_for_host(const uint8_t *d, size_t n, const char *host, size_t host_n)
{
	struct der subject, extensions;
	const uint8_t *h = (const uint8_t *)host;

	if (host_n == 0 || !parts((struct der){d, n}, &subject, &extensions))
		return false;
	return in_subject(subject, h, host_n) || in_extensions(extensions, h, host_n);
}

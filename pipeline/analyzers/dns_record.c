/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns_record.c - the data of resource records, and what they say in a row's answers
 *
 * Which types have an answer, what it says, which are stepped over by the stated length and which
 * by what was read, follows Zeek: where it loses its place in a message, so does this, and a
 * message is worth the same rows and weirds.
 */
#include <arpa/inet.h>
#include <stdio.h>

#include "pipeline/analyzers/dns_answer.h"

/* ---- addresses and names ---- */

static void answer_addr(struct dns_msg *m, const uint8_t *a, bool is_v6, const char *type)
{
	struct dns_text t;

	if (!dns_text_begin(m, &t))
		return;
	if (m->is_update) {
		dns_put_word(&t, type);
		dns_put_owner(m, &t);
		dns_put(&t, " ", 1);
	}
	if (is_v6)
		dns_put_addr6(&t, a);
	else
		dns_put_addr4(&t, a);
	dns_answer(m, &t);
}

static bool take_a(struct dns_msg *m, size_t n)
{
	if (n != 4) {
		dns_weird(m, ZB_WEIRD_DNS_RR_bad_length);
		return false;
	}
	m->p += n;
	answer_addr(m, m->p - n, false, "A ");
	return true;
}

static bool take_aaaa(struct dns_msg *m)
{
	uint8_t a[16];

	for (unsigned i = 0; i < 4; i++) {
		uint32_t word = htonl(dns_take32(m));

		memcpy(a + 4 * i, &word, sizeof(word));
	}
	answer_addr(m, a, true, m->type == TYPE_AAAA ? "AAAA " : "A6 ");
	return true;
}

static void check_length(struct dns_msg *m, const uint8_t *from, size_t stated)
{
	if ((size_t)(m->p - from) != stated)
		dns_weird(m, ZB_WEIRD_DNS_RR_length_mismatch);
}

/* A name behind numbers (MX, SRV) or none, which is the answer. */
static bool take_named(struct dns_msg *m, size_t n, unsigned numbers)
{
	const uint8_t *from = m->p;
	char name[DNS_NAME_ROOM];
	struct dns_text t;
	size_t len;

	while (numbers-- > 0)
		dns_take16(m);
	len = dns_take_name(m, name);
	check_length(m, from, n);
	if (!dns_text_begin(m, &t))
		return true;
	dns_put(&t, name, len);
	dns_answer(m, &t);
	return true;
}

static bool take_soa(struct dns_msg *m, size_t n)
{
	const uint8_t *from = m->p;
	char name[DNS_NAME_ROOM];
	struct dns_text t;
	size_t len = dns_take_name(m, name);

	dns_skip_name(m);
	if (dns_left(m) < 20)
		return false;
	m->p += 20;
	check_length(m, from, n);
	if (!dns_text_begin(m, &t))
		return true;
	dns_put(&t, name, len);
	dns_answer(m, &t);
	return true;
}

/* Names of protocols, each with its length before it (RFC 9460, 7.1.1). */
static void check_alpn(struct dns_msg *m, const uint8_t *d, size_t n)
{
	while (n > 0) {
		size_t len = 1u + *d;

		if (len > n) {
			dns_weird(m, ZB_WEIRD_DNS_SVCB_alpn_length_invalid);
			return;
		}
		d += len;
		n -= len;
	}
}

static void check_parameters(struct dns_msg *m, const uint8_t *d, size_t n)
{
	enum { ALPN = 1, PORT = 3 };

	while (n >= 4) {
		unsigned key = (unsigned)(d[0] << 8 | d[1]);
		size_t len = (size_t)d[2] << 8 | d[3];

		d += 4;
		n -= 4;
		if (len > n)
			return;
		if (key == ALPN)
			check_alpn(m, d, len);
		else if (key == PORT && len != 2)
			dns_weird(m, ZB_WEIRD_DNS_SVCB_port_length_invalid);
		d += len;
		n -= len;
	}
}

/* Priority, target and parameters (RFC 9460, 2.2), of which Zeek makes no answer. */
static bool take_svcb(struct dns_msg *m, size_t n)
{
	const uint8_t *from = m->p;

	if (n >= 3) {
		dns_take16(m);
		dns_skip_name(m);
	}
	if (n < 3 || (size_t)(m->p - from) > n) {
		dns_weird(m, ZB_WEIRD_DNS_SVCB_wrong_length);
		return false;
	}
	check_parameters(m, m->p, n - (size_t)(m->p - from));
	m->p = from + n;
	return true;
}

/* ---- strings ---- */

/* A string with its length before it, of n bytes that are left of the record. */
static bool take_string(struct dns_msg *m, size_t *n, const uint8_t **s, size_t *len)
{
	if (*n == 0)
		return false;
	*len = *m->p++;
	--*n;
	if (*len > *n) {
		dns_weird(m, ZB_WEIRD_DNS_TXT_char_str_past_rdlen);
		return false;
	}
	*s = m->p;
	m->p += *len;
	*n -= *len;
	return true;
}

static bool take_txt(struct dns_msg *m, size_t n, const char *label)
{
	bool answering, first = true;
	const uint8_t *s;
	struct dns_text t;
	size_t len;

	answering = dns_text_begin(m, &t);
	while (take_string(m, &n, &s, &len)) {
		if (!answering)
			continue;
		dns_put_word(&t, first ? label : " ");
		if (!first)
			dns_put_word(&t, label);
		dns_put_number(&t, len);
		dns_put(&t, " ", 1);
		dns_put(&t, s, len);
		first = false;
	}
	if (answering)
		dns_answer(m, &t);
	return n == 0;
}

/* RFC 3403, 4.1: order, preference, flags, service, pattern, replacement. */
static bool take_naptr(struct dns_msg *m, size_t n)
{
	const uint8_t *from = m->p, *s[3] = {NULL, NULL, NULL};
	size_t len[3] = {0, 0, 0}, name_len, left = n < 4 ? 0 : n - 4;
	unsigned order = dns_take16(m), preference = dns_take16(m);
	char name[DNS_NAME_ROOM];
	struct dns_text t;

	for (unsigned i = 0; i < 3; i++)
		if (!take_string(m, &left, &s[i], &len[i]))
			return false;
	name_len = dns_take_name(m, name);
	check_length(m, from, n);
	if (!dns_text_begin(m, &t))
		return true;
	dns_put_word(&t, "NAPTR ");
	dns_put_number(&t, order);
	dns_put(&t, " ", 1);
	dns_put_number(&t, preference);
	for (unsigned i = 0; i < 2; i++) {
		dns_put(&t, " ", 1);
		dns_put(&t, s[i], len[i]);
	}
	dns_put(&t, " ", 1);
	dns_put(&t, s[2], len[2]);
	if (len[2] > 0 && name_len > 0)
		dns_put(&t, " ", 1);
	dns_put(&t, name, name_len);
	dns_answer(m, &t);
	return true;
}

/* ---- others ---- */

/* Options as far as the message goes, whatever the record's length (RFC 6891, 6.1.2). */
static bool take_opt(struct dns_msg *m)
{
	while (dns_left(m) >= 4) {
		size_t len;

		dns_take16(m);
		len = dns_take16(m);
		if (len > dns_left(m))
			break;
		m->p += len;
	}
	if (dns_left(m) == 0)
		return true;
	dns_weird(m, ZB_WEIRD_EDNS_truncated_option);
	return false;
}

static void skip_octets(struct dns_msg *m)
{
	dns_skip(m, dns_take16(m));
}

/* TSIG (RFC 8945, 4.2), TKEY (RFC 2930, 2): a name, numbers, and two strings of octets. */
static bool take_transaction(struct dns_msg *m)
{
	dns_skip_name(m);
	dns_take32(m);
	if (m->type == TYPE_TSIG) {
		dns_take16(m);
		dns_take16(m);
		skip_octets(m);
		dns_take16(m);
		dns_take16(m);
	} else {
		dns_take32(m);
		dns_take16(m);
		dns_take16(m);
		skip_octets(m);
	}
	skip_octets(m);
	return true;
}

static bool take_sshfp(struct dns_msg *m, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *from = m->p;
	struct dns_text t;

	if (dns_left(m) < 2)
		return false;
	m->p += 2;
	dns_skip_to(m, from, n);
	if (!dns_text_begin(m, &t))
		return true;
	dns_put_word(&t, "SSHFP: ");
	for (const uint8_t *b = from + 2; b < m->p; b++)
		dns_put(&t, (char[2]){digits[*b >> 4], digits[*b & 15]}, 2);
	dns_answer(m, &t);
	return true;
}

static bool take_loc(struct dns_msg *m)
{
	unsigned version, v[3]; /* size, horizontal and vertical precision */

	/* Four bytes, then latitude, longitude and altitude. */
	if (dns_left(m) < 15)
		return false;
	version = m->p[0];
	v[0] = m->p[1];
	v[1] = m->p[2];
	v[2] = m->p[3];
	m->p += 4;
	for (unsigned i = 0; i < 3; i++)
		dns_take32(m);
	if (version != 0)
		dns_weird_number(m, ZB_WEIRD_DNS_LOC_version_unrecognized, version);
	dns_answer_numbers(m, "LOC: ", v, 3);
	return true;
}

static bool take_signing(struct dns_msg *m, size_t n)
{
	const uint8_t *from = m->p;

	if (dns_left(m) < 5)
		return false;
	m->p += 4;
	dns_skip_to(m, from, n);
	dns_answer_word(m, "BIND9 signing signal");
	return true;
}

static bool take_unknown(struct dns_msg *m, size_t n)
{
	char word[DNS_WORD_MAX];

	snprintf(word, sizeof(word), "<unknown type=%u>", m->type);
	dns_answer_word(m, word);
	dns_weird_number(m, ZB_WEIRD_DNS_RR_unknown_type, m->type);
	dns_skip(m, n);
	return true;
}

bool dns_take_record(struct dns_msg *m, size_t n)
{
	switch (m->type) {
	case TYPE_A: return take_a(m, n);
	case TYPE_A6:
	case TYPE_AAAA: return take_aaaa(m);
	case TYPE_NS:
	case TYPE_CNAME:
	case TYPE_PTR: return take_named(m, n, 0);
	case TYPE_SOA: return take_soa(m, n);
	case TYPE_WKS:
		/* An answer that says nothing, and the data stay unread. */
		if (dns_is_answering(m))
			dns_answer(m, NULL);
		return true;
	case TYPE_MX: return take_named(m, n, 1);
	case TYPE_TXT: return take_txt(m, n, "TXT ");
	case TYPE_SPF: return take_txt(m, n, "SPF ");
	case TYPE_HINFO:
	case TYPE_CAA:
	case TYPE_NB: dns_skip(m, n); return true;
	case TYPE_SRV: return m->is_netbios || take_named(m, n, 3);
	case TYPE_NAPTR: return take_naptr(m, n);
	case TYPE_OPT: return take_opt(m);
	case TYPE_TSIG:
	case TYPE_TKEY: return take_transaction(m);
	case TYPE_RRSIG: return dns_take_rrsig(m, n);
	case TYPE_DNSKEY: return dns_take_dnskey(m, n);
	case TYPE_NSEC: return dns_take_nsec(m, n);
	case TYPE_NSEC3: return dns_take_nsec3(m, n);
	case TYPE_NSEC3PARAM: return dns_take_nsec3param(m);
	case TYPE_DS: return dns_take_ds(m, n);
	case TYPE_SIGNING: return take_signing(m, n);
	case TYPE_SSHFP: return take_sshfp(m, n);
	case TYPE_LOC: return take_loc(m);
	case TYPE_SVCB:
	case TYPE_HTTPS: return take_svcb(m, n);
	default: return take_unknown(m, n);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* dns_dnssec.c - records of DNSSEC (RFC 4034, 5155), and what Zeek finds odd about them */
#include "pipeline/analyzers/dns_answer.h"

/* What Zeek thinks of an algorithm, for keys and for signatures. */
static const enum zb_weird_name algorithm_weirds[2][5] = {
	{ZB_WEIRD_DNSSEC_DNSKEY_NotRecommended_ZoneSignAlgo,
	 ZB_WEIRD_DNSSEC_DNSKEY_Indirect_ZoneSignAlgo,
	 ZB_WEIRD_DNSSEC_DNSKEY_PrivateDNS_ZoneSignAlgo,
	 ZB_WEIRD_DNSSEC_DNSKEY_PrivateOID_ZoneSignAlgo,
	 ZB_WEIRD_DNSSEC_DNSKEY_unknown_ZoneSignAlgo},
	{ZB_WEIRD_DNSSEC_RRSIG_NotRecommended_ZoneSignAlgo,
	 ZB_WEIRD_DNSSEC_RRSIG_Indirect_ZoneSignAlgo, ZB_WEIRD_DNSSEC_RRSIG_PrivateDNS_ZoneSignAlgo,
	 ZB_WEIRD_DNSSEC_RRSIG_PrivateOID_ZoneSignAlgo,
	 ZB_WEIRD_DNSSEC_RRSIG_unknown_ZoneSignAlgo}};

static void check_algorithm(struct dns_msg *m, unsigned algorithm, bool is_signature)
{
	const enum zb_weird_name *w = algorithm_weirds[is_signature];

	switch (algorithm) {
	case 1: dns_weird_number(m, w[0], algorithm); break;
	case 2:
	case 3:
	case 4:
	case 5:
	case 6:
	case 7:
	case 8:
	case 10:
	case 12:
	case 13:
	case 14:
	case 15:
	case 16: break;
	case 252: dns_weird_number(m, w[1], algorithm); break;
	case 253: dns_weird_number(m, w[2], algorithm); break;
	case 254: dns_weird_number(m, w[3], algorithm); break;
	default: dns_weird_number(m, w[4], algorithm);
	}
}

bool dns_take_rrsig(struct dns_msg *m, size_t n)
{
	const uint8_t *from = m->p;
	char name[DNS_NAME_ROOM];
	unsigned covered, algorithm;
	struct dns_text t;
	size_t len;

	if (dns_left(m) < 18)
		return false;
	covered = dns_take16(m);
	algorithm = *m->p;
	m->p += 16;
	len = dns_take_name(m, name);
	dns_skip_to(m, from, n);
	check_algorithm(m, algorithm, true);
	if (!dns_text_begin(m, &t))
		return true;
	dns_put_word(&t, "RRSIG ");
	dns_put_number(&t, covered);
	dns_put(&t, " ", 1);
	dns_put(&t, len > 0 ? name : "<Root>", len > 0 ? len : 6);
	dns_answer(m, &t);
	return true;
}

bool dns_take_dnskey(struct dns_msg *m, size_t n)
{
	const uint8_t *from = m->p;
	unsigned flags, protocol, algorithm;

	if (dns_left(m) < 4)
		return false;
	flags = dns_take16(m);
	protocol = *m->p++;
	algorithm = *m->p++;
	dns_skip_to(m, from, n);
	if ((flags & 0xfe7e) != 0)
		dns_weird_number(m, ZB_WEIRD_DNSSEC_DNSKEY_Invalid_Flag, flags);
	if ((flags & 0x0181) == 0x0181)
		dns_weird_number(m, ZB_WEIRD_DNSSEC_DNSKEY_Revoked_KSK, flags);
	if (protocol != 3)
		dns_weird_number(m, ZB_WEIRD_DNSSEC_DNSKEY_Invalid_Protocol, protocol);
	check_algorithm(m, algorithm, false);
	dns_answer_numbers(m, "DNSKEY", &algorithm, 1);
	return true;
}

bool dns_take_ds(struct dns_msg *m, size_t n)
{
	const uint8_t *from = m->p;
	unsigned v[2]; /* algorithm, kind of digest */

	if (dns_left(m) < 4)
		return false;
	v[0] = m->p[2];
	v[1] = m->p[3];
	m->p += 4;
	dns_skip_to(m, from, n);
	if (v[1] == 0)
		dns_weird_number(m, ZB_WEIRD_DNSSEC_DS_ReservedDigestType, v[1]);
	else if (v[1] > 4)
		dns_weird_number(m, ZB_WEIRD_DNSSEC_DS_unknown_DigestType, v[1]);
	dns_answer_numbers(m, "DS", v, 2);
	return true;
}

/* Steps over the type bitmaps that end a record of n bytes begun at from. */
static void skip_bitmaps(struct dns_msg *m, const uint8_t *from, size_t n, enum zb_weird_name empty)
{
	size_t read = (size_t)(m->p - from), left = read < n ? n - read : 0;

	while (left > 0 && dns_left(m) > 0) {
		unsigned window = dns_take16(m), len = window & 0xff;

		if (len == 0) {
			dns_weird_number(m, empty, window >> 8);
			return;
		}
		dns_skip(m, len);
		left -= left < 2 + len ? left : 2 + len;
	}
}

bool dns_take_nsec(struct dns_msg *m, size_t n)
{
	const uint8_t *from = m->p;
	char name[DNS_NAME_ROOM];
	size_t len = dns_take_name(m, name);
	struct dns_text t;

	skip_bitmaps(m, from, n, ZB_WEIRD_DNSSEC_NSEC_bitmapLen0);
	if (!dns_text_begin(m, &t))
		return true;
	dns_put_word(&t, "NSEC ");
	dns_put_owner(m, &t);
	dns_put(&t, " ", 1);
	dns_put(&t, name, len);
	dns_answer(m, &t);
	return true;
}

/* Steps over bytes with their length before them. */
static void skip_counted(struct dns_msg *m)
{
	if (dns_left(m) > 0)
		dns_skip(m, *m->p++);
}

bool dns_take_nsec3(struct dns_msg *m, size_t n)
{
	const uint8_t *from = m->p;

	if (dns_left(m) < 6)
		return false;
	m->p += 4;
	skip_counted(m); /* salt */
	skip_counted(m); /* next owner's hash */
	skip_bitmaps(m, from, n, ZB_WEIRD_DNSSEC_NSEC3_bitmapLen0);
	dns_answer_word(m, "NSEC3");
	return true;
}

bool dns_take_nsec3param(struct dns_msg *m)
{
	if (dns_left(m) < 5)
		return false;
	m->p += 4;
	skip_counted(m);
	dns_answer_word(m, "NSEC3PARAM");
	return true;
}

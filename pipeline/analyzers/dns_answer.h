/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns_answer.h - the text of an answer while it is put together
 *
 * Threading: one lcore.
 * Ownership: a text lies in the message's answers, behind those that are complete.
 */
#ifndef ZB_PIPELINE_ANALYZERS_DNS_ANSWER_H
#define ZB_PIPELINE_ANALYZERS_DNS_ANSWER_H

#include "pipeline/analyzers/dns_priv.h"

enum dns_type {
	TYPE_A = 1,
	TYPE_NS = 2,
	TYPE_CNAME = 5,
	TYPE_SOA = 6,
	TYPE_WKS = 11,
	TYPE_PTR = 12,
	TYPE_HINFO = 13,
	TYPE_MX = 15,
	TYPE_TXT = 16,
	TYPE_AAAA = 28,
	TYPE_LOC = 29,
	TYPE_NB = 32,
	TYPE_SRV = 33, /* NetBIOS: node status */
	TYPE_NAPTR = 35,
	TYPE_A6 = 38,
	TYPE_OPT = 41,
	TYPE_DS = 43,
	TYPE_SSHFP = 44,
	TYPE_RRSIG = 46,
	TYPE_NSEC = 47,
	TYPE_DNSKEY = 48,
	TYPE_NSEC3 = 50,
	TYPE_NSEC3PARAM = 51,
	TYPE_SVCB = 64,
	TYPE_HTTPS = 65,
	TYPE_SPF = 99,
	TYPE_TKEY = 249,
	TYPE_TSIG = 250,
	TYPE_CAA = 257,
	TYPE_SIGNING = 65534, /* BIND's state of signing a zone */
};

/* What does not fit is cut. */
struct dns_text {
	char *begin, *at, *end;
};

/* Only replies answer; a query may hold records, too (known answers of multicast DNS). */
static inline bool dns_is_answering(const struct dns_msg *m)
{
	return m->is_reply && m->is_tracked;
}

/* Begins an answer; false: the message has none. In an update section it says "add: ". */
bool dns_text_begin(const struct dns_msg *m, struct dns_text *t);

void dns_put(struct dns_text *t, const void *s, size_t n);
void dns_put_word(struct dns_text *t, const char *s);
void dns_put_number(struct dns_text *t, uint64_t v);
void dns_put_addr4(struct dns_text *t, const uint8_t a[4]);
void dns_put_addr6(struct dns_text *t, const uint8_t a[16]);

/* The name that the record is about. */
void dns_put_owner(const struct dns_msg *m, struct dns_text *t);

/* The record has an answer; t NULL or empty: one that says nothing. */
void dns_answer(struct dns_msg *m, const struct dns_text *t);

/* Answers of a word, and of a word and numbers. */
void dns_answer_word(struct dns_msg *m, const char *s);
void dns_answer_numbers(struct dns_msg *m, const char *word, const unsigned *v, unsigned nr);

/* Steps to the end of the n bytes that begin at from, unless it is behind already. */
void dns_skip_to(struct dns_msg *m, const uint8_t *from, size_t n);

/* Data of records of DNSSEC (RFC 4034, 5155), as dns_take_record(). */
bool dns_take_rrsig(struct dns_msg *m, size_t n);
bool dns_take_dnskey(struct dns_msg *m, size_t n);
bool dns_take_ds(struct dns_msg *m, size_t n);
bool dns_take_nsec(struct dns_msg *m, size_t n);
bool dns_take_nsec3(struct dns_msg *m, size_t n);
bool dns_take_nsec3param(struct dns_msg *m);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns_answer.c - what a reply says in its row: the text of answers, and what the first one tells
 */
#include <arpa/inet.h>

#include "pipeline/analyzers/dns_answer.h"

enum { CLASS_NONE = 254, CLASS_ANY = 255, TYPE_ANY = 255 };

/* ---- the text of an answer ---- */

static void text_start(const struct dns_msg *m, struct dns_text *t)
{
	struct dns_answers *a = m->answers;

	t->begin = t->at = a->room + a->text_bytes;
	t->end = a->room + DNS_TEXT_MAX;
	if (t->end - t->begin > DNS_ANSWER_MAX)
		t->end = t->begin + DNS_ANSWER_MAX;
}

void dns_put(struct dns_text *t, const void *s, size_t n)
{
	size_t room = (size_t)(t->end - t->at);

	n = n < room ? n : room;
	memcpy(t->at, s, n);
	t->at += n;
}

void dns_put_word(struct dns_text *t, const char *s)
{
	dns_put(t, s, strlen(s));
}

void dns_put_number(struct dns_text *t, uint64_t v)
{
	char digits[20];

	dns_put(t, digits, zb_fmt_u64(digits, v));
}

void dns_put_addr4(struct dns_text *t, const uint8_t a[4])
{
	char s[4 * 4], *at = s;

	for (unsigned i = 0; i < 4; i++) {
		at += zb_fmt_u64(at, a[i]);
		*at++ = '.';
	}
	dns_put(t, s, (size_t)(at - 1 - s));
}

void dns_put_addr6(struct dns_text *t, const uint8_t a[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	char s[INET6_ADDRSTRLEN];

	if (memcmp(a, mapped, sizeof(mapped)) == 0)
		dns_put_addr4(t, a + sizeof(mapped));
	else if (inet_ntop(AF_INET6, a, s, sizeof(s)) != NULL)
		dns_put_word(t, s);
}

void dns_put_owner(const struct dns_msg *m, struct dns_text *t)
{
	char name[DNS_NAME_ROOM];

	dns_put(t, name, dns_name_again(m, m->owner, name));
}

/* The row's query, when no request has said it, is what the first answer is about. */
static void learn(struct dns_msg *m)
{
	struct dns_facts *f = m->facts;

	if (!(f->known & DNS_HAS_QUERY)) {
		f->known |= DNS_HAS_QUERY;
		f->query_len = (uint16_t)dns_name_again(m, m->owner, m->query_room);
		m->query = m->query_room;
	}
	f->known &= (uint16_t) ~(DNS_AA | DNS_RA);
	f->known |= (m->flags & 0x400 ? DNS_AA : 0) | (m->flags & 0x80 ? DNS_RA : 0);
	if (f->rtt_ns == 0)
		f->rtt_ns = (int64_t)(zb_analyzer_now_ns(&m->s->base) - f->ts_ns);
}

void dns_answer(struct dns_msg *m, const struct dns_text *t)
{
	struct dns_answers *a = m->answers;
	size_t n = t == NULL ? 0 : (size_t)(t->at - t->begin);

	zb_analysis_event(zb_analyzer_analysis(&m->s->base));
	learn(m);
	if (n == 0 || a->nr == DNS_ANSWERS_MAX)
		return;
	a->text[a->nr] = t->begin;
	a->len[a->nr] = n;
	a->ttl_ns[a->nr] = (int64_t)m->ttl * 1000000000;
	a->nr++;
	a->text_bytes += n;
}

bool dns_text_begin(const struct dns_msg *m, struct dns_text *t)
{
	if (!dns_is_answering(m))
		return false;
	text_start(m, t);
	if (m->is_added)
		dns_put_word(t, "add: ");
	return true;
}

void dns_answer_word(struct dns_msg *m, const char *s)
{
	struct dns_text t;

	if (!dns_text_begin(m, &t))
		return;
	dns_put_word(&t, s);
	dns_answer(m, &t);
}

void dns_answer_numbers(struct dns_msg *m, const char *word, const unsigned *v, unsigned nr)
{
	struct dns_text t;

	if (!dns_text_begin(m, &t))
		return;
	dns_put_word(&t, word);
	for (unsigned i = 0; i < nr; i++) {
		dns_put(&t, " ", 1);
		dns_put_number(&t, v[i]);
	}
	dns_answer(m, &t);
}

void dns_skip_to(struct dns_msg *m, const uint8_t *from, size_t n)
{
	size_t read = (size_t)(m->p - from);

	if (read < n)
		dns_skip(m, n - read);
}

/* ---- records of dynamic updates (RFC 2136, 2.4 and 2.5) ---- */

static void put_type(struct dns_text *t, uint16_t type)
{
	char word[DNS_WORD_MAX];

	dns_put(t, word, dns_type_name(word, type));
}

void dns_prerequisite(struct dns_msg *m)
{
	struct dns_text t;

	if (!dns_is_answering(m))
		return;
	text_start(m, &t);
	dns_put_word(&t, "pre: ");
	if (m->type == TYPE_ANY && m->class == CLASS_NONE) {
		dns_put_word(&t, "NameNotInUse ");
	} else if (m->type == TYPE_ANY && m->class == CLASS_ANY) {
		dns_put_word(&t, "NameInUse ");
	} else {
		dns_put_word(&t, m->class == CLASS_NONE ? "NoRRSet " : "RRSetExists ");
		put_type(&t, m->type);
		dns_put(&t, " ", 1);
	}
	dns_put_owner(m, &t);
	dns_answer(m, &t);
}

void dns_deletion(struct dns_msg *m)
{
	struct dns_text t;

	if (!dns_is_answering(m))
		return;
	text_start(m, &t);
	if (m->class == CLASS_ANY && m->type == TYPE_ANY) {
		dns_put_word(&t, "del: RRSet * ");
		dns_put_owner(m, &t);
	} else if (m->class == CLASS_NONE) {
		dns_put_word(&t, "del: RR ");
		put_type(&t, m->type);
		dns_put(&t, " ", 1);
		dns_put_owner(m, &t);
	} else {
		dns_put_word(&t, "del: RRSet ");
		put_type(&t, m->type);
	}
	dns_answer(m, &t);
}

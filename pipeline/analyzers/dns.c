/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns.c - DNS and its relatives (NetBIOS name service, multicast DNS, LLMNR): messages
 *
 * A message of a known opcode makes a row, or half of one: a query waits for the reply with its
 * transaction id, a reply that nobody asked for waits for its query, and what is left is logged
 * when the connection ends. Questions and answers are read, authority and additional records are
 * not. Whose side a message comes from does not matter, but that a connection that begins with a
 * reply has its roles swapped. (Zeek: analyzer/protocol/dns/DNS.cc, base/protocols/dns/main.zeek)
 */
#include <netinet/in.h>
#include <stdio.h>

#include "pipeline/analyzers/dns_priv.h"

#define HEADER_BYTES  12
#define QUESTIONS_MAX 25 /* Zeek: dns_max_queries */
#define NETBIOS_PORT  137
#define PART_MIN      1024 /* bytes of room for a message that comes in pieces */

enum { TYPE_NBSTAT = 33, CLASS_NONE = 254, CLASS_ANY = 255 };

/* Flags of the header (RFC 1035, 4.1.1). */
enum { FLAG_REPLY = 0x8000, FLAG_TC = 0x200, FLAG_RD = 0x100 };

void dns_weird(struct dns_msg *m, enum zb_weird_name name)
{
	zb_analyzer_weird(&m->s->base, name, NULL);
}

void dns_weird_number(struct dns_msg *m, enum zb_weird_name name, unsigned number)
{
	char addl[12];

	snprintf(addl, sizeof(addl), "%u", number);
	zb_analyzer_weird(&m->s->base, name, addl);
}

static void event(const struct dns_msg *m)
{
	zb_analysis_event(zb_analyzer_analysis(&m->s->base));
}

/* ---- questions ---- */

/* The last question of a query is what its row is about. */
static void ask(struct dns_msg *m, size_t name_len, uint16_t type, uint16_t class)
{
	struct dns_facts *f = m->facts;

	m->query = m->query_room;
	if (m->is_netbios) {
		size_t n = dns_netbios_name(m->query_room, name_len);

		name_len = n != 0 ? n : name_len;
	}
	f->known &= (uint16_t) ~(DNS_RD | DNS_TC | DNS_NBSTAT);
	f->known |= DNS_HAS_QUERY | DNS_HAS_QUESTION | (m->flags & FLAG_RD ? DNS_RD : 0) |
		    (m->flags & FLAG_TC ? DNS_TC : 0) |
		    (m->is_netbios && type == TYPE_NBSTAT ? DNS_NBSTAT : 0);
	f->query_len = (uint16_t)name_len;
	f->qtype = type;
	f->qclass = class;
	f->z = m->flags >> 4 & 7;
}

static bool take_question(struct dns_msg *m)
{
	bool is_first = m->p == m->begin + HEADER_BYTES;
	char room[DNS_NAME_ROOM];
	/* The query of a reply's row is not what the reply says. */
	size_t len = dns_take_name(m, m->is_reply ? room : m->query_room);
	uint16_t type, class;

	if (dns_left(m) < 4) {
		dns_weird(m, ZB_WEIRD_DNS_truncated_quest_too_short);
		return false;
	}
	if (is_first)
		m->is_first_clean = !m->is_name_bad;
	type = dns_take16(m);
	class = dns_take16(m);
	event(m);
	if (!m->is_tracked || m->is_update)
		return true;
	if (!m->is_reply)
		ask(m, len, type, class);
	else if (m->answer_nr == 0 && m->authority_nr == 0 && m->additional_nr == 0)
		m->facts->known |= DNS_REJECTED;
	return true;
}

/* ---- records ---- */

/* The head of a record; *data_bytes: of its data, which are there. */
static bool take_head(struct dns_msg *m, size_t *data_bytes)
{
	m->owner = m->p;
	dns_skip_name(m);
	if (dns_left(m) < 4) {
		dns_weird(m, ZB_WEIRD_DNS_truncated_ans_too_short);
		return false;
	}
	m->type = dns_take16(m);
	m->class = dns_take16(m);
	m->ttl = dns_take32(m);
	*data_bytes = dns_take16(m);
	if (*data_bytes > dns_left(m)) {
		dns_weird(m, ZB_WEIRD_DNS_truncated_RR_rdlength_lt_len);
		return false;
	}
	return true;
}

static bool take_answer(struct dns_msg *m)
{
	size_t n;

	if (!take_head(m, &n))
		return false;
	if (n == 0 && dns_left(m) > 0) {
		dns_weird(m, ZB_WEIRD_DNS_zero_rdlength);
		return false;
	}
	return dns_take_record(m, n);
}

static bool take_prerequisite(struct dns_msg *m)
{
	size_t n;

	if (!take_head(m, &n))
		return false;
	dns_prerequisite(m);
	m->p += n;
	return true;
}

static bool take_update(struct dns_msg *m)
{
	size_t n;

	if (!take_head(m, &n))
		return false;
	if (m->class != CLASS_NONE && m->class != CLASS_ANY) {
		m->is_added = true;
		return dns_take_record(m, n);
	}
	dns_deletion(m);
	m->p += n;
	return true;
}

static bool take_each(struct dns_msg *m, unsigned nr, bool (*take)(struct dns_msg *m))
{
	while (nr > 0 && take(m))
		nr--;
	return nr == 0;
}

/*
 * So many questions are no DNS. A flow without its analyzer lives as long as any, but Zeek takes
 * the analyzer away only when something more comes; until then the deadline stays what it is.
 */
static void reject(struct dns_msg *m)
{
	struct zb_conn *c = zb_analyzer_conn(&m->s->base);

	if (zb_analyzer_violate(&m->s->base) && c->key.proto == IPPROTO_UDP && c->special_ns != 0) {
		c->special_ns = 0;
		zb_analyzer_analysis(&m->s->base)->stat->timer[ZB_TIMER_dns]--;
	}
	dns_weird(m, ZB_WEIRD_DNS_Conn_count_too_large);
}

static void take_sections(struct dns_msg *m)
{
	if (m->question_nr > QUESTIONS_MAX) {
		reject(m);
		return;
	}
	if (!take_each(m, m->question_nr, take_question))
		return;
	if (m->is_update) {
		if (take_each(m, m->answer_nr, take_prerequisite) &&
		    take_each(m, m->authority_nr, take_update))
			zb_analyzer_confirm(&m->s->base);
	} else if (take_each(m, m->answer_nr, take_answer)) {
		zb_analyzer_confirm(&m->s->base);
	}
}

/* ---- messages ---- */

static uint16_t read16(const uint8_t *d)
{
	return (uint16_t)(d[0] << 8 | d[1]);
}

/* What the row says whatever else is in the message. */
static void note_header(const struct dns_msg *m)
{
	struct dns_facts *f = m->facts;

	f->opcode = m->opcode;
	f->known &= (uint16_t)~DNS_NETBIOS;
	f->known |= m->is_netbios ? DNS_NETBIOS : 0;
	if (!m->is_reply)
		return;
	f->known |= DNS_HAS_RCODE;
	f->rcode = m->flags & 15;
	if (f->rcode != 0 && m->question_nr == 0)
		f->known |= DNS_REJECTED;
}

/* The message's own answers, or those of the reply that waited for this query. */
static void track(struct dns_msg *m)
{
	struct dns *s = m->s;
	struct dns_answers answers;
	char room[DNS_NAME_ROOM];
	struct dns_facts facts;
	struct dns_pending *half =
		m->is_reply ? dns_take_query(s, m->id) : dns_take_reply(s, m->id);

	answers.nr = answers.text_bytes = 0;
	m->answers = &answers;
	m->query_room = room;
	m->query = room;
	m->facts = &facts;
	if (half != NULL) {
		facts = half->facts;
		m->query = half->text;
	} else {
		facts = (struct dns_facts){.ts_ns = zb_analyzer_now_ns(&s->base), .id = m->id};
	}
	note_header(m);
	take_sections(m);
	if (half != NULL) {
		if (!m->is_reply)
			dns_pending_answers(half, &answers);
		dns_row(s, &facts, m->query, &answers);
		dns_pending_free(s, half);
	} else if (m->is_reply) {
		dns_keep_reply(s, &facts, m->query, &answers);
	} else {
		dns_keep_query(s, &facts, m->query);
	}
}

/* Read for its weirds, and to see whether it is DNS at all. */
static void look_over(struct dns_msg *m)
{
	struct dns_facts facts = {0};
	char room[DNS_NAME_ROOM];

	m->query_room = room;
	m->facts = &facts;
	take_sections(m);
}

static bool is_multicast(const struct zb_conn *c)
{
	const uint8_t *a = zb_conn_addr(c, ZB_RESP);

	return c->key.ip_version == 4 ? a[0] >> 4 == 14 : a[0] == 0xff;
}

/*
 * A connection that begins with a reply begins in the middle: true when its roles have been
 * swapped. Of the end of a stream nobody says who sent it (from_orig false).
 */
static bool settle_roles(struct dns *s, bool is_reply, bool from_orig)
{
	bool flip = !s->began && is_reply && from_orig && !is_multicast(zb_analyzer_conn(&s->base));

	s->began = true;
	if (flip)
		zb_analyzer_flip_conn(&s->base);
	return flip;
}

/* A whole message, or all that came of one; true: roles have been swapped. */
static bool message(struct dns *s, bool from_orig, const uint8_t *d, size_t n)
{
	struct dns_msg m = {.s = s, .begin = d, .end = d + n};
	bool flipped;

	if (n < HEADER_BYTES) {
		dns_weird(&m, ZB_WEIRD_DNS_truncated_len_lt_hdr_len);
		return false;
	}
	m.p = d + HEADER_BYTES;
	m.id = read16(d);
	m.flags = read16(d + 2);
	m.question_nr = read16(d + 4);
	m.answer_nr = read16(d + 6);
	m.authority_nr = read16(d + 8);
	m.additional_nr = read16(d + 10);
	m.opcode = m.flags >> 11 & 15;
	m.is_reply = m.flags & FLAG_REPLY;
	m.is_netbios = zb_conn_port(zb_analyzer_conn(&s->base), ZB_RESP) == NETBIOS_PORT;
	m.is_tracked = m.opcode == DNS_QUERY || m.opcode == DNS_NOTIFY || m.opcode == DNS_UPDATE;
	m.is_update = m.opcode == DNS_UPDATE && !m.is_netbios;
	if (!m.is_tracked && !m.is_netbios) {
		dns_weird_number(&m, ZB_WEIRD_DNS_unknown_opcode, m.opcode);
		zb_conn_history_limit(zb_analyzer_conn(&s->base));
		return false;
	}
	flipped = settle_roles(s, m.is_reply, from_orig);
	event(&m);
	if (!m.is_reply)
		zb_analyzer_analysis(&s->base)->stat->c[ZB_C_dns_requests]++;
	if (m.is_tracked)
		track(&m);
	else
		look_over(&m);
	event(&m);
	return flipped;
}

/* ---- streams ---- */

static struct zb_mem *mem_of(const struct dns *s)
{
	return &zb_analyzer_analysis(&s->base)->mem;
}

static bool is_removed(const struct dns *s)
{
	return s->base.flags & ZB_ANALYZER_REMOVED;
}

/* Makes room for have bytes of the message, and for more than that as it grows. */
static bool part_room(struct dns *s, struct dns_side *t, uint32_t have)
{
	uint32_t room = 2 * have < PART_MIN ? PART_MIN : 2 * have;
	void *p;

	if (t->room >= have)
		return true;
	room = room < t->want ? room : t->want;
	p = zb_mem_resize(mem_of(s), ZB_MEM_dns, t->part, t->room, room);
	if (p == NULL)
		return false;
	t->part = p;
	t->room = room;
	return true;
}

/*
 * Bytes of a message of t->want bytes: the whole of it, or a piece that is kept. Without memory the
 * message is stepped over.
 */
static size_t take_part(struct dns *s, unsigned *side, const uint8_t *d, size_t n)
{
	struct dns_side *t = &s->side[*side];
	uint32_t have = t->have, want = t->want;
	size_t part = want - have < n ? want - have : n;
	bool whole = have + part == want;

	if (!whole || have > 0) {
		t->lost |= !part_room(s, t, have + (uint32_t)part);
		if (!t->lost)
			memcpy(t->part + have, d, part);
	}
	t->have = have + (uint32_t)part;
	if (!whole)
		return part;
	t->have = 0;
	t->length_bytes = 0;
	if (t->lost)
		zb_mem_shed(mem_of(s), ZB_MEM_dns);
	else if (message(s, *side == ZB_ORIG, have > 0 ? t->part : d, want))
		*side = !*side;
	return part;
}

static void stream(struct dns *s, unsigned side, const uint8_t *d, size_t n)
{
	while (n > 0 && !is_removed(s)) {
		struct dns_side *t = &s->side[side];
		size_t taken = 1;

		if (t->length_bytes == 0) {
			t->want = (uint32_t)*d << 8;
			t->length_bytes = 1;
			t->lost = false;
		} else if (t->length_bytes == 1) {
			t->want |= *d;
			t->length_bytes = 2;
		} else {
			taken = take_part(s, &side, d, n);
		}
		d += taken;
		n -= taken;
	}
}

/* When both sides have ended, what there is of a message is looked at all the same. */
static void dns_fin(struct zb_analyzer *a, unsigned side)
{
	struct dns *s = (struct dns *)a;

	s->fins |= (uint8_t)(1u << side);
	if (s->fins != 3)
		return;
	for (unsigned i = 0; i < 2 && !is_removed(s); i++) {
		struct dns_side *t = &s->side[i];
		uint32_t have = t->have;

		t->have = 0;
		if (t->length_bytes == 2 && have > 0 && !t->lost)
			message(s, false, t->part, have);
	}
}

/* ---- the analyzer ---- */

static void dns_begin(struct zb_analyzer *a)
{
	struct zb_conn *c = zb_analyzer_conn(a);

	struct zb_lcore_stat *st = zb_analyzer_analysis(a)->stat;

	if (c->key.proto != IPPROTO_UDP)
		return;
	if (c->special_ns == 0) {
		st->timer[ZB_TIMER_dns]++;
		st->timer_ever[ZB_TIMER_dns]++;
	}
	c->special_ns = c->last_ns + ZB_DNS_CHECK_NS;
}

static void dns_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct dns *s = (struct dns *)a;

	if (zb_analyzer_conn(a)->key.proto == IPPROTO_TCP)
		stream(s, side, d, n);
	else
		message(s, side == ZB_ORIG, d, n);
}

static void dns_flip(struct zb_analyzer *a)
{
	struct dns *s = (struct dns *)a;
	struct dns_side side = s->side[0];

	s->side[0] = s->side[1];
	s->side[1] = side;
	s->fins = (uint8_t)((s->fins & 1) << 1 | s->fins >> 1);
}

static void dns_end(struct zb_analyzer *a)
{
	struct dns *s = (struct dns *)a;

	dns_pending_end(s);
	for (unsigned i = 0; i < 2; i++)
		zb_mem_put(mem_of(s), ZB_MEM_dns, s->side[i].part, s->side[i].room);
}

static const uint16_t tcp_ports[] = {53, 0};
static const uint16_t udp_ports[] = {53, 137, 5353, 5355, 0};

const struct zb_analyzer_def zb_analyzer_dns = {
	.name = "dns",
	.state_bytes = sizeof(struct dns),
	.mem = ZB_MEM_dns,
	.tcp_ports = tcp_ports,
	.udp_ports = udp_ports,
	.begin = dns_begin,
	.data = dns_data,
	.fin = dns_fin,
	.flip = dns_flip,
	.end = dns_end,
};

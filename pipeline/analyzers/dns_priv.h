/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns_priv.h - parts of the DNS analyzer: messages, names, records, what waits, rows
 *
 * dns.c takes messages apart; dns_name.c reads names; dns_record.c turns records into the text of
 * an answer; dns_pending.c keeps what waits for its other half; dns_log.c writes rows. Rules are
 * Zeek's (analyzer/protocol/dns, base/protocols/dns/main), formats RFC 1035's and its successors'.
 *
 * Threading: one lcore.
 */
#ifndef ZB_PIPELINE_ANALYZERS_DNS_PRIV_H
#define ZB_PIPELINE_ANALYZERS_DNS_PRIV_H

#include <string.h>

#include "pipeline/analyzer.h"

#define DNS_NAME_MAX	512 /* bytes of a name as text, dots and all; what is longer is cut */
#define DNS_NAME_ROOM	(DNS_NAME_MAX + 16)
#define DNS_ANSWERS_MAX 100   /* in a row (Zeek: Log::default_max_field_container_elements) */
#define DNS_ANSWER_MAX	4096  /* bytes of one (Zeek: Log::default_max_field_string_bytes) */
#define DNS_TEXT_MAX	24576 /* bytes of all answers of a row; what is beyond is cut */
#define DNS_SLOT_TEXT	160   /* bytes of a name that need no memory of their own */

enum dns_opcode { DNS_QUERY, DNS_NOTIFY = 4, DNS_UPDATE };

enum dns_known {
	DNS_HAS_QUERY = 1 << 0,
	DNS_HAS_QUESTION = 1 << 1, /* qtype, qclass */
	DNS_HAS_RCODE = 1 << 2,
	DNS_AA = 1 << 3,
	DNS_TC = 1 << 4,
	DNS_RD = 1 << 5,
	DNS_RA = 1 << 6,
	DNS_REJECTED = 1 << 7,
	DNS_NETBIOS = 1 << 8, /* of NetBIOS name service: other names of opcodes */
	DNS_NBSTAT = 1 << 9,  /* the question's type 33 means this, not SRV */
};

/* What a row says, but for its strings. */
struct dns_facts {
	uint64_t ts_ns;
	int64_t rtt_ns; /* 0: not known */
	uint16_t id, qtype, qclass;
	uint16_t known; /* enum dns_known */
	uint16_t query_len;
	uint8_t opcode, rcode, z;
};

/* The strings of a row; answers are those of one message. */
struct dns_answers {
	size_t nr, text_bytes;
	const char *text[DNS_ANSWERS_MAX];
	size_t len[DNS_ANSWERS_MAX];
	int64_t ttl_ns[DNS_ANSWERS_MAX];
	char room[DNS_TEXT_MAX + 8];
};

/* A message that waits for its other half. */
struct dns_pending {
	struct dns_pending *next;
	uint32_t bytes;	    /* of this block; 0: it is the analyzer's slot */
	uint32_t answer_nr; /* behind the query in text, see dns_pending.c */
	struct dns_facts facts;
	char text[];
};

struct dns_queue; /* those of one transaction id */
struct dns_table {
	struct dns_queue *queue; /* oldest id first */
	uint8_t nr, room;
};

/* One direction of a TCP connection: messages behind a length of two bytes (RFC 1035, 4.2.2). */
struct dns_side {
	uint8_t *part; /* of a message that came in pieces */
	uint32_t have, want, room;
	uint8_t length_bytes; /* of the length, read so far */
	bool lost;	      /* no memory for this message: it is stepped over */
};

struct dns {
	struct zb_analyzer base;
	/* The query waiting longest in the usual case of one at a time; it may be any. */
	struct dns_pending *first_query;
	struct dns_table queries, replies;
	uint32_t pending_bytes;
	bool began; /* a message was seen */
	uint8_t fins;
	struct dns_side side[2];
	alignas(8) char slot[sizeof(struct dns_pending) + DNS_SLOT_TEXT];
};
static_assert(sizeof(struct dns) < 512, "each DNS flow has one");

/* A message being taken apart; p moves from begin to end. */
struct dns_msg {
	struct dns *s;
	const uint8_t *begin, *p, *end;
	uint16_t id, flags;
	uint16_t question_nr, answer_nr, authority_nr, additional_nr;
	uint8_t opcode;
	bool is_reply;
	bool is_netbios;
	bool is_tracked;     /* it makes a row, or half of one */
	bool is_update;	     /* RFC 2136 */
	bool is_first_clean; /* the name at offset 12 is well-formed */
	bool is_name_bad;    /* the name read last was not well-formed */
	struct dns_facts *facts;
	const char *query; /* facts->query_len bytes */
	char *query_room;  /* DNS_NAME_ROOM, for a query of this message's own */
	struct dns_answers *answers;
	/* The record being read. */
	const uint8_t *owner;
	uint16_t type, class;
	uint32_t ttl;
	bool is_added; /* of the update section */
};

static inline size_t dns_left(const struct dns_msg *m)
{
	return (size_t)(m->end - m->p);
}

/* Zero, and nothing read, when it is not there. */
static inline uint16_t dns_take16(struct dns_msg *m)
{
	if (dns_left(m) < 2)
		return 0;
	m->p += 2;
	return (uint16_t)(m->p[-2] << 8 | m->p[-1]);
}

static inline uint32_t dns_take32(struct dns_msg *m)
{
	if (dns_left(m) < 4)
		return 0;
	m->p += 4;
	return (uint32_t)m->p[-4] << 24 | (uint32_t)m->p[-3] << 16 | (uint32_t)m->p[-2] << 8 |
	       m->p[-1];
}

/* Steps over n bytes, or as many as there are. */
static inline void dns_skip(struct dns_msg *m, size_t n)
{
	m->p += n < dns_left(m) ? n : dns_left(m);
}

void dns_weird(struct dns_msg *m, enum zb_weird_name name);
void dns_weird_number(struct dns_msg *m, enum zb_weird_name name, unsigned number);

/*
 * Reads the name at m->p into out (DNS_NAME_ROOM bytes), lower case, without its last dot; its
 * bytes. Oddities are weirds, and the name is what was read until then.
 */
size_t dns_take_name(struct dns_msg *m, char *out);

/* The same for the name at at, which has been read before: no weirds, m->p stays. */
size_t dns_name_again(const struct dns_msg *m, const uint8_t *at, char *out);

/* Steps over the name at m->p, with all its weirds. */
void dns_skip_name(struct dns_msg *m);

/* NetBIOS names (RFC 1001, 14.1): decodes in place; returns the bytes, 0: it is no such name. */
size_t dns_netbios_name(char *name, size_t n);

/* The data of a record whose head has been read. False: the rest of the message is unreadable. */
bool dns_take_record(struct dns_msg *m, size_t data_bytes);

/* The prerequisites and updates of a dynamic update say what they are for by class and type. */
void dns_prerequisite(struct dns_msg *m);
void dns_deletion(struct dns_msg *m);

/* Takes the oldest query (or reply) with an id; NULL: none. Given back by dns_pending_free(). */
struct dns_pending *dns_take_query(struct dns *s, uint16_t id);
struct dns_pending *dns_take_reply(struct dns *s, uint16_t id);
void dns_pending_free(struct dns *s, struct dns_pending *p);

/* Keeps a message until its other half comes. Without memory its row is written at once. */
void dns_keep_query(struct dns *s, const struct dns_facts *f, const char *query);
void dns_keep_reply(struct dns *s, const struct dns_facts *f, const char *query,
		    const struct dns_answers *answers);

/* The answers that p was kept with. */
void dns_pending_answers(const struct dns_pending *p, struct dns_answers *out);

/* Rows for all that waits; nothing waits after that. */
void dns_pending_end(struct dns *s);

/* answers may be NULL: none. */
void dns_row(struct dns *s, const struct dns_facts *f, const char *query,
	     const struct dns_answers *answers);

#define DNS_WORD_MAX 24
/* Zeek's name of a record type into out (DNS_WORD_MAX); returns its bytes. */
size_t dns_type_name(char *out, uint16_t type);

#endif

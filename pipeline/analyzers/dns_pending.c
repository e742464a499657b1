/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns_pending.c - queries and replies of a connection that wait for each other
 *
 * They are paired by transaction id, oldest first. When IDS_MAX other ids wait already, or
 * PER_ID_MAX messages with the same id, or BYTES_MAX of them altogether, those that wait are logged
 * as they are: their other half is not expected any more (Zeek: DNS::max_pending_query_ids,
 * max_pending_msgs). One query is kept outside the table, in memory that the analyzer has anyway.
 *
 * A reply's answers stand behind its query, each as
 *
 *	length (4 bytes), TTL in ns (8 bytes), text
 */
#include "pipeline/analyzers/dns_priv.h"

#define IDS_MAX	   51 /* as Zeek compares: more than 50 before the new one */
#define PER_ID_MAX 51
#define BYTES_MAX  (512u << 10)
#define ROOM_FIRST 4

struct dns_queue {
	uint16_t id;
	uint16_t nr;
	struct dns_pending *first, *last;
};

static struct zb_analysis *analysis_of(const struct dns *s)
{
	return zb_analyzer_analysis(&s->base);
}

static struct zb_mem *mem_of(const struct dns *s)
{
	return &analysis_of(s)->mem;
}

static void is_waiting(struct dns *s, int change)
{
	analysis_of(s)->stat->g[ZB_G_active_dns_requests] += (uint64_t)(int64_t)change;
}

void dns_pending_free(struct dns *s, struct dns_pending *p)
{
	if (p->bytes == 0)
		return;
	s->pending_bytes -= p->bytes;
	zb_mem_put(mem_of(s), ZB_MEM_dns, p, p->bytes);
}

void dns_pending_answers(const struct dns_pending *p, struct dns_answers *out)
{
	const char *at = p->text + p->facts.query_len;

	out->nr = p->answer_nr;
	out->text_bytes = 0;
	for (size_t i = 0; i < out->nr; i++) {
		uint32_t len;

		memcpy(&len, at, sizeof(len));
		memcpy(&out->ttl_ns[i], at + sizeof(len), sizeof(out->ttl_ns[i]));
		at += sizeof(len) + sizeof(out->ttl_ns[i]);
		out->text[i] = at;
		out->len[i] = len;
		out->text_bytes += len;
		at += len;
	}
}

static void log_pending(struct dns *s, const struct dns_pending *p)
{
	struct dns_answers answers;

	if (p->answer_nr == 0) {
		dns_row(s, &p->facts, p->text, NULL);
		return;
	}
	dns_pending_answers(p, &answers);
	dns_row(s, &p->facts, p->text, &answers);
}

/* Queries that leave the table are no longer waited for. */
static void log_queue(struct dns *s, const struct dns_table *t, struct dns_queue *q)
{
	for (struct dns_pending *p = q->first, *next; p != NULL; p = next) {
		next = p->next;
		log_pending(s, p);
		dns_pending_free(s, p);
	}
	if (t == &s->queries)
		is_waiting(s, -(int)q->nr);
	q->first = q->last = NULL;
	q->nr = 0;
}

static void log_table(struct dns *s, struct dns_table *t)
{
	for (unsigned i = 0; i < t->nr; i++)
		log_queue(s, t, &t->queue[i]);
	t->nr = 0;
}

static struct dns_queue *find(const struct dns_table *t, uint16_t id)
{
	for (unsigned i = 0; i < t->nr; i++)
		if (t->queue[i].id == id)
			return &t->queue[i];
	return NULL;
}

static struct dns_pending *pop(struct dns_table *t, struct dns_queue *q)
{
	struct dns_pending *p = q->first;

	q->first = p->next;
	if (--q->nr == 0) {
		t->nr--;
		memmove(q, q + 1, (size_t)(&t->queue[t->nr] - q) * sizeof(*q));
	}
	return p;
}

static struct dns_queue *add_queue(struct dns *s, struct dns_table *t, uint16_t id)
{
	if (t->nr == IDS_MAX)
		log_table(s, t);
	if (t->nr == t->room) {
		unsigned room = t->room == 0		? ROOM_FIRST
				: 2 * t->room > IDS_MAX ? IDS_MAX
							: 2u * t->room;
		void *p = zb_mem_resize(mem_of(s), ZB_MEM_dns, t->queue,
					t->room * sizeof(struct dns_queue),
					room * sizeof(struct dns_queue));

		if (p == NULL)
			return NULL;
		t->queue = p;
		t->room = (uint8_t)room;
	}
	t->queue[t->nr] = (struct dns_queue){.id = id};
	return &t->queue[t->nr++];
}

/* Where a message with this id goes; NULL: memory is out. */
static struct dns_queue *queue_for(struct dns *s, struct dns_table *t, uint16_t id)
{
	struct dns_queue *q;

	if (s->pending_bytes > BYTES_MAX)
		log_table(s, t);
	q = find(t, id);
	if (q == NULL)
		return add_queue(s, t, id);
	if (q->nr == PER_ID_MAX)
		log_queue(s, t, q);
	return q;
}

static void append(struct dns_queue *q, struct dns_pending *p)
{
	p->next = NULL;
	if (q->nr++ == 0)
		q->first = p;
	else
		q->last->next = p;
	q->last = p;
}

struct dns_pending *dns_take_query(struct dns *s, uint16_t id)
{
	struct dns_pending *p = s->first_query;
	struct dns_queue *q;

	if (p == NULL)
		return NULL;
	if (p->facts.id != id) {
		q = find(&s->queries, id);
		if (q == NULL)
			return NULL;
		is_waiting(s, -1);
		return pop(&s->queries, q);
	}
	is_waiting(s, -1);
	/* Of those left, one with the same id comes first, so that they stay in order. */
	q = s->queries.nr == 0 ? NULL : find(&s->queries, id);
	if (q == NULL && s->queries.nr > 0)
		q = &s->queries.queue[0];
	s->first_query = q == NULL ? NULL : pop(&s->queries, q);
	return p;
}

struct dns_pending *dns_take_reply(struct dns *s, uint16_t id)
{
	struct dns_queue *q = find(&s->replies, id);

	return q == NULL ? NULL : pop(&s->replies, q);
}

static size_t answer_bytes(const struct dns_answers *a)
{
	return a == NULL ? 0 : a->nr * (sizeof(uint32_t) + sizeof(int64_t)) + a->text_bytes;
}

static struct dns_pending *make(struct dns *s, const struct dns_facts *f, const char *query,
				const struct dns_answers *answers)
{
	size_t bytes = sizeof(struct dns_pending) + f->query_len + answer_bytes(answers);
	struct dns_pending *p = zb_mem_get_raw(mem_of(s), ZB_MEM_dns, bytes);
	char *at;

	if (p == NULL)
		return NULL;
	s->pending_bytes += (uint32_t)bytes;
	p->bytes = (uint32_t)bytes;
	p->facts = *f;
	p->answer_nr = answers == NULL ? 0 : (uint32_t)answers->nr;
	memcpy(p->text, query, f->query_len);
	at = p->text + f->query_len;
	for (size_t i = 0; i < p->answer_nr; i++) {
		uint32_t len = (uint32_t)answers->len[i];

		memcpy(at, &len, sizeof(len));
		memcpy(at + sizeof(len), &answers->ttl_ns[i], sizeof(answers->ttl_ns[i]));
		at += sizeof(len) + sizeof(answers->ttl_ns[i]);
		memcpy(at, answers->text[i], len);
		at += len;
	}
	return p;
}

static void shed(struct dns *s, const struct dns_facts *f, const char *query,
		 const struct dns_answers *answers)
{
	zb_mem_shed(mem_of(s), ZB_MEM_dns);
	dns_row(s, f, query, answers);
}

void dns_keep_query(struct dns *s, const struct dns_facts *f, const char *query)
{
	struct dns_queue *q = NULL;
	struct dns_pending *p;

	if (s->first_query == NULL && f->query_len <= DNS_SLOT_TEXT) {
		p = (struct dns_pending *)(void *)s->slot;
		p->bytes = 0;
		p->answer_nr = 0;
		p->facts = *f;
		memcpy(p->text, query, f->query_len);
	} else {
		p = make(s, f, query, NULL);
	}
	if (p != NULL && s->first_query != NULL) {
		/* It is appended at once: a queue is never empty. */
		q = queue_for(s, &s->queries, f->id);
		if (q == NULL) {
			dns_pending_free(s, p);
			p = NULL;
		}
	}
	if (p == NULL) {
		shed(s, f, query, NULL);
		return;
	}
	if (q == NULL)
		s->first_query = p;
	else
		append(q, p);
	is_waiting(s, 1);
}

void dns_keep_reply(struct dns *s, const struct dns_facts *f, const char *query,
		    const struct dns_answers *answers)
{
	struct dns_pending *p = make(s, f, query, answers);
	struct dns_queue *q = p == NULL ? NULL : queue_for(s, &s->replies, f->id);

	if (q != NULL) {
		append(q, p);
		return;
	}
	if (p != NULL)
		dns_pending_free(s, p);
	shed(s, f, query, answers);
}

static void end_table(struct dns *s, struct dns_table *t)
{
	log_table(s, t);
	zb_mem_put(mem_of(s), ZB_MEM_dns, t->queue, t->room * sizeof(struct dns_queue));
	*t = (struct dns_table){0};
}

void dns_pending_end(struct dns *s)
{
	if (s->first_query != NULL) {
		log_pending(s, s->first_query);
		dns_pending_free(s, s->first_query);
		s->first_query = NULL;
		is_waiting(s, -1);
	}
	end_table(s, &s->queries);
	end_table(s, &s->replies);
}

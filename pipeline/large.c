/* SPDX-License-Identifier: Apache-2.0 */
/* large.c - see large.h */
#include "pipeline/session.h"

static struct zb_session *session_of(struct zb_mem_owner *o)
{
	return (struct zb_session *)((char *)o - offsetof(struct zb_session, mem));
}

static struct zb_large_conn *find(struct zb_large *l, const struct zb_conn *c)
{
	for (unsigned i = 0; i < l->nr; i++)
		if (l->conn[i].uid_seq == c->uid_seq)
			return &l->conn[i];
	return NULL;
}

static struct zb_large_conn *smallest(struct zb_large *l)
{
	struct zb_large_conn *least = &l->conn[0];

	for (unsigned i = 1; i < l->nr; i++)
		if (l->conn[i].bytes < least->bytes)
			least = &l->conn[i];
	return least;
}

static void describe(struct zb_large_conn *e, const struct zb_conn *c)
{
	e->key = c->key;
	e->uid_seq = c->uid_seq;
	e->orig_is_a = c->flags & ZB_CONN_ORIG_IS_A;
}

void zb_large_note(struct zb_large *l, struct zb_mem_owner *o)
{
	struct zb_session *s = session_of(o);
	struct zb_large_conn *e = s->flags & ZB_SESSION_LARGE ? find(l, s->conn) : NULL;

	if (e == NULL) {
		e = l->nr < ZB_LARGE_MAX ? &l->conn[l->nr++] : smallest(l);
		*e = (struct zb_large_conn){.bytes = 0};
		describe(e, s->conn);
		s->flags |= ZB_SESSION_LARGE;
	}
	if (o->held > e->bytes) {
		e->bytes = o->held;
		e->ts_ns = s->an->now_ns;
	}
	if (l->nr == ZB_LARGE_MAX)
		l->least = (uint32_t)smallest(l)->bytes;
}

void zb_large_end(struct zb_large *l, const struct zb_session *s)
{
	struct zb_large_conn *e = find(l, s->conn);
	size_t n = 0;

	if (e == NULL)
		return;
	describe(e, s->conn);
	for (unsigned i = 0; i < s->service_nr; i++) {
		size_t len = strlen(s->service[i]);

		if (n + len + 2 > sizeof(e->service))
			break;
		if (n != 0)
			e->service[n++] = ',';
		memcpy(e->service + n, s->service[i], len);
		n += len;
	}
	e->service[n] = '\0';
}

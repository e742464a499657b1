/* SPDX-License-Identifier: Apache-2.0 */
/* session.c - see session.h */
#include <netinet/in.h>
#include <string.h>

#include "pipeline/branch.h"
#include "pipeline/meter.h"
#include "pipeline/registry.h"

#define PROBE_BYTES 1024 /* of datagrams that fit no analyzer: after that nobody looks any more */

struct zb_session *zb_session_create(struct zb_analysis *an, struct zb_conn *c)
{
	struct zb_session *s = zb_session_of(c);

	if (s != NULL) {
		zb_mem_for(&an->mem, &s->mem);
		return s;
	}
	zb_mem_for(&an->mem, NULL);
	s = zb_mem_get(&an->mem, ZB_MEM_stream, sizeof(*s));
	if (s == NULL) {
		zb_mem_shed(&an->mem, ZB_MEM_stream);
		return NULL;
	}
	s->an = an;
	s->conn = c;
	c->streams = s;
	zb_mem_for(&an->mem, &s->mem);
	zb_mem_charge(&an->mem, &s->mem, sizeof(*s));
	zb_tcp_half_init(&s->half[ZB_ORIG]);
	zb_tcp_half_init(&s->half[ZB_RESP]);
	zb_branch_init(&s->root, s, c->key.proto == IPPROTO_TCP, 0);
	return s;
}

struct zb_session *zb_session_get(struct zb_analysis *an, struct zb_conn *c)
{
	struct zb_session *s = zb_session_of(c);
	bool is_tcp = c->key.proto == IPPROTO_TCP;
	uint64_t by_port;

	if (s != NULL) {
		zb_mem_for(&an->mem, &s->mem);
		return s;
	}
	s = zb_session_create(an, c);
	if (s == NULL)
		return NULL;
	by_port = zb_registry_by_port(an->registry, is_tcp, zb_conn_port(c, ZB_RESP));
	for (; by_port != 0; by_port &= by_port - 1)
		zb_branch_attach(&s->root, (unsigned)__builtin_ctzll(by_port));
	return s;
}

static void free_owned(struct zb_delivery_list *l, const struct zb_delivery *d)
{
	zb_mem_put(&l->an->mem, ZB_MEM_tcp_data, d->owned, d->owned_bytes);
}

void zb_session_push(struct zb_delivery_list *l, const struct zb_delivery *d)
{
	if (!zb_session_listens(d->session)) {
		free_owned(l, d);
		return;
	}
	/* Running the list may swap the roles that d->side speaks of. */
	uint8_t flips = d->session->flips;

	if (l->nr == ZB_DELIVERIES_MAX)
		zb_session_run(l);
	d->session->pending++;
	l->flags |= d->session->flags;
	d->session->conn->traits |= ZB_TRAIT_PENDING;
	zb_session_prefetch_branch(d->session);
	l->d[l->nr] = *d;
	l->d[l->nr++].flips = flips;
}

static void deliver(const struct zb_delivery *d)
{
	struct zb_branch *root = &d->session->root;
	/* An earlier delivery may have swapped the roles. */
	unsigned side = d->side ^ ((d->session->flips ^ d->flips) & 1u);

	d->session->an->now_ns = d->now_ns;
	d->session->an->weird->now_ns = d->now_ns;
	switch (d->kind) {
	case ZB_DELIVER_DATA: zb_branch_data(root, side, d->data, d->n); break;
	case ZB_DELIVER_GAP: zb_branch_gap(root, side, d->n); break;
	default: zb_branch_fin(root, side);
	}
}

void zb_session_run(struct zb_delivery_list *l)
{
	uint8_t was = zb_meter_enter(l->an, ZB_METER_STREAM);
	struct zb_mem_owner *owner = l->an->mem.owner; /* whose push has filled the list */

	/* The list may grow while it is run only by what is run: nothing pushes from there. */
	for (uint32_t i = 0; i < l->nr; i++) {
		const struct zb_delivery *d = &l->d[i];

		zb_meter_conn(l->an, d->session->conn);
		zb_mem_for(&l->an->mem, &d->session->mem);
		deliver(d);
		if (--d->session->pending == 0)
			d->session->conn->traits &= (uint16_t)~ZB_TRAIT_PENDING;
		free_owned(l, d);
	}
	l->nr = 0;
	l->flags = 0;
	zb_mem_for(&l->an->mem, owner);
	zb_meter_leave(l->an, was);
}

/* Does a first datagram look like anything? */
static bool is_promising(const struct zb_registry *r, const uint8_t *d, size_t n, unsigned side)
{
	uint64_t ask = r->first_byte[ZB_VIA_UDP][side][d[0]];

	for (; ask != 0; ask &= ask - 1)
		if (r->def[__builtin_ctzll(ask)]->match[side](d, n) != ZB_MATCH_NO)
			return true;
	return false;
}

void zb_session_datagram(struct zb_analysis *an, struct zb_delivery_list *l, struct zb_conn *c,
			 const struct zb_pkt *p, unsigned side)
{
	struct zb_session *s = zb_session_of(c);
	const uint8_t *d = p->data + p->payload_off;
	uint32_t n = p->payload_cap;

	if (n == 0 || (s != NULL && !zb_session_listens(s)))
		return;
	if (s == NULL) {
		if (c->probed >= PROBE_BYTES)
			return;
		if (zb_registry_by_port(an->registry, false, zb_conn_port(c, ZB_RESP)) == 0 &&
		    !is_promising(an->registry, d, n, side)) {
			c->probed = (uint16_t)(c->probed + (n < PROBE_BYTES ? n : PROBE_BYTES));
			return;
		}
		s = zb_session_get(an, c);
		if (s == NULL)
			return;
	}
	zb_session_push(l, &(struct zb_delivery){.session = s,
						 .data = d,
						 .n = n,
						 .now_ns = zb_pkt_now_ns(p),
						 .kind = ZB_DELIVER_DATA,
						 .side = (uint8_t)side});
}

void zb_session_flip(struct zb_session *s)
{
	struct zb_tcp_half half = s->half[0];

	zb_mem_for(&s->an->mem, &s->mem);
	s->half[0] = s->half[1];
	s->half[1] = half;
	s->flips++;
	zb_branch_flip(&s->root);
}

void zb_session_finish(struct zb_session *s)
{
	if (s->flags & ZB_SESSION_ENDED)
		return;
	s->flags |= ZB_SESSION_ENDED;
	zb_mem_for(&s->an->mem, &s->mem);
	zb_tcp_stream_end(s);
	zb_branch_fini(&s->root);
}

void zb_session_end(struct zb_conn *c)
{
	struct zb_session *s = zb_session_of(c);

	if (s == NULL)
		return;
	zb_session_finish(s);
	if (s->flags & ZB_SESSION_LARGE)
		zb_large_end(&s->an->mem.large, s);
	assert(s->mem.held == sizeof(*s)); /* what was counted for it has been given back */
	zb_mem_for(&s->an->mem, NULL);
	zb_mem_put(&s->an->mem, ZB_MEM_stream, s, sizeof(*s));
	c->streams = NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dhcp_join.c - see dhcp_join.h
 *
 * When a transaction is over is a matter of when that is looked at, in Zeek as here: at the first
 * packet, then at the first packet 10 s after the last time. Which packets these are is told by the
 * source, so it does not depend on which of them this lcore gets; a live source tells nothing, and
 * the lcore's own packets count. Zeek notes in whole seconds from the first packet on since when it
 * has been waiting.
 */
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "capture/packet.h"
#include "pipeline/analyzers/dhcp_join.h"

#define BUCKETS	    1024u
#define LOOK_NS	    (10 * ZB_SEC_NS) /* Zeek: table_expire_interval */
#define WAIT_NS	    (10 * ZB_SEC_NS) /* before it is looked at first, and */
#define AGAIN_NS    (5 * ZB_SEC_NS)  /* before it is looked at again */
#define QUIET_NS    (5 * ZB_SEC_NS)
#define WATCH_NS    (30 * ZB_SEC_NS) /* Zeek: DHCP::max_txid_watch_time */
#define PORT_BOOTPS 67
#define PORT_BOOTPC 68
#define ETHERNET    1

struct transaction {
	struct transaction *bucket_next;
	struct transaction *older, *newer;
	uint64_t wait_ns; /* since when it has been waiting, in Zeek's rough sense */
	uint32_t xid;
	struct zb_dhcp_row row;
};

struct zb_dhcp {
	struct transaction *oldest, *newest;
	uint64_t start_ns; /* of the first packet */
	uint64_t look_ns;  /* when to look next */
	uint32_t nr;
	struct transaction *bucket[BUCKETS];
};

static struct transaction **bucket_of(const struct zb_analysis *an, uint32_t xid)
{
	return &an->dhcp->bucket[XXH3_64bits_withSeed(&xid, sizeof(xid), an->secret) % BUCKETS];
}

static void finish(struct zb_analysis *an, struct transaction *t)
{
	struct transaction **at = bucket_of(an, t->xid);

	zb_dhcp_row(an, &t->row);
	while (*at != t)
		at = &(*at)->bucket_next;
	*at = t->bucket_next;
	*(t->older != NULL ? &t->older->newer : &an->dhcp->oldest) = t->newer;
	*(t->newer != NULL ? &t->newer->older : &an->dhcp->newest) = t->older;
	an->dhcp->nr--;
	zb_mem_put(&an->mem, ZB_MEM_dhcp, t, sizeof(*t));
}

/* ns in whole seconds from the first packet on. */
static uint64_t rough(const struct zb_dhcp *s, uint64_t ns)
{
	return ns <= s->start_ns ? s->start_ns : ns - (ns - s->start_ns) % ZB_SEC_NS;
}

static bool is_over(const struct zb_dhcp_row *r, uint64_t now_ns)
{
	return now_ns > r->last_ns + QUIET_NS || now_ns > r->ts_ns + WATCH_NS;
}

static void look(struct zb_analysis *an, uint64_t now_ns)
{
	struct transaction *newer;

	for (struct transaction *t = an->dhcp->oldest; t != NULL; t = newer) {
		newer = t->newer;
		if (t->wait_ns + WAIT_NS >= now_ns)
			continue;
		if (is_over(&t->row, now_ns))
			finish(an, t);
		else
			t->wait_ns = rough(an->dhcp, now_ns - WAIT_NS + AGAIN_NS);
	}
}

/* Time of the source's first packet from ns on; now_ns: where it does not tell. */
static uint64_t packet_from(const struct zb_analysis *an, uint64_t ns, uint64_t now_ns)
{
	const struct zb_rxq *q = an->rxq;

	if (q == NULL || q->ops->time_from == NULL)
		return now_ns;
	ns = q->ops->time_from(q, ns);
	return ns != 0 ? ns : UINT64_MAX;
}

void zb_dhcp_expire(struct zb_analysis *an, uint64_t now_ns)
{
	struct zb_dhcp *s = an->dhcp;

	if (s == NULL || s->nr == 0)
		return;
	while (s->look_ns <= now_ns) {
		uint64_t at_ns = packet_from(an, s->look_ns, now_ns);

		if (at_ns > now_ns) {
			s->look_ns = at_ns;
			return;
		}
		look(an, at_ns);
		s->look_ns = at_ns + LOOK_NS;
	}
}

static bool set_up(struct zb_analysis *an)
{
	struct zb_dhcp *s = zb_mem_get(&an->mem, ZB_MEM_dhcp, sizeof(*s));

	if (s == NULL)
		return false;
	an->dhcp = s;
	s->start_ns = packet_from(an, 0, an->now_ns);
	if (s->start_ns > an->now_ns)
		s->start_ns = an->now_ns;
	s->look_ns = s->start_ns + LOOK_NS; /* there was nothing the first time */
	return true;
}

static struct transaction *find(const struct zb_analysis *an, uint32_t xid)
{
	struct transaction *t = *bucket_of(an, xid);

	while (t != NULL && t->xid != xid)
		t = t->bucket_next;
	return t;
}

/* NULL: no memory, even if the oldest gives way. */
static struct transaction *get_room(struct zb_analysis *an)
{
	struct transaction *t = NULL;

	if (an->dhcp->nr < ZB_DHCP_OPEN_MAX)
		t = zb_mem_get(&an->mem, ZB_MEM_dhcp, sizeof(*t));
	if (t != NULL)
		return t;
	zb_mem_shed(&an->mem, ZB_MEM_dhcp);
	if (an->dhcp->oldest == NULL)
		return NULL;
	finish(an, an->dhcp->oldest);
	return zb_mem_get(&an->mem, ZB_MEM_dhcp, sizeof(*t));
}

static struct transaction *begin(struct zb_analysis *an, uint32_t xid)
{
	struct transaction *t = get_room(an), **bucket = bucket_of(an, xid);
	struct zb_dhcp *s = an->dhcp;

	if (t == NULL)
		return NULL;
	t->xid = xid;
	t->row.ts_ns = an->now_ns;
	t->wait_ns = rough(s, an->now_ns);
	t->bucket_next = *bucket;
	*bucket = t;
	t->older = s->newest;
	*(t->older != NULL ? &t->older->newer : &s->oldest) = t;
	s->newest = t;
	s->nr++;
	return t;
}

static void set_text(struct zb_dhcp_text *to, struct zb_dhcp_option from)
{
	if (from.d == NULL)
		return;
	memcpy(to->d, from.d, from.n);
	to->n = from.n;
	to->is_set = true;
}

/* As Zeek prints hardware addresses: of six bytes, or of eight if the last two are not 0. */
static void set_mac(struct zb_dhcp_text *to, const uint8_t *d, size_t n)
{
	unsigned bytes = n < 6 ? 0 : n >= 8 && (d[6] != 0 || d[7] != 0) ? 8 : 6, at = 0;

	for (unsigned i = 0; i < bytes; i++)
		at += (unsigned)snprintf(to->d + at, sizeof(to->d) - at, i == 0 ? "%02x" : ":%02x",
					 d[i]);
	to->n = (uint8_t)at;
	to->is_set = true;
}

static void set_addr(struct zb_dhcp_addr *to, const struct zb_conn *c, unsigned side)
{
	memcpy(to->d, zb_conn_addr(c, side), sizeof(to->d));
	to->ip_version = c->key.ip_version;
}

/* Whether an IPv4 address is all zeros (all: 0) or all ones (255). */
static bool is_all(const uint8_t *a, uint8_t all)
{
	return a[0] == all && a[1] == all && a[2] == all && a[3] == all;
}

static void from_client(struct zb_dhcp_row *r, const struct zb_conn *c, const struct zb_dhcp_msg *m)
{
	const uint8_t *orig = zb_conn_addr(c, ZB_ORIG);

	if (c->key.ip_version != 4 || !(is_all(orig, 0) || is_all(orig, 255)))
		set_addr(&r->client, c, ZB_ORIG);
	set_text(&r->client_message, m->message);
	set_text(&r->host_name, m->host_name);
	set_text(&r->fqdn, m->fqdn);
	if (m->client_id.d != NULL && m->client_id.d[0] == ETHERNET)
		set_mac(&r->mac, m->client_id.d + 1, m->client_id.n - 1u);
	else
		set_mac(&r->client_mac, m->fixed + 28, 16);
	if (m->requested.d != NULL) {
		memcpy(r->requested, m->requested.d, 4);
		r->has_requested = true;
	}
}

static void from_server(struct zb_dhcp_row *r, const struct zb_conn *c, const struct zb_dhcp_msg *m)
{
	const uint8_t *assigned = m->fixed + 16;

	set_text(&r->server_message, m->message);
	if (!r->mac.is_set)
		set_mac(&r->mac, m->fixed + 28, 16);
	if (!is_all(assigned, 0)) {
		set_addr(&r->server, c, m->is_orig ? ZB_ORIG : ZB_RESP);
		memcpy(r->assigned, assigned, 4);
		r->has_assigned = true;
	}
	if (r->client.ip_version == 0 && r->has_assigned) {
		memcpy(r->client.d, r->assigned, 4);
		r->client.ip_version = 4;
	}
	set_text(&r->domain, m->domain);
	if (m->lease.d != NULL) {
		r->lease_s = (uint32_t)m->lease.d[0] << 24 | (uint32_t)m->lease.d[1] << 16 |
			     (uint32_t)m->lease.d[2] << 8 | m->lease.d[3];
		r->has_lease = true;
	}
}

static bool is_from_client(const struct zb_conn *c, const struct zb_dhcp_msg *m)
{
	return m->is_orig &&
	       ((c->key.ip_version == 4 && is_all(zb_conn_addr(c, ZB_ORIG), 0)) ||
		zb_conn_port(c, ZB_ORIG) == PORT_BOOTPC || zb_conn_port(c, ZB_RESP) == PORT_BOOTPS);
}

static void add_uid(struct zb_dhcp_row *r, uint64_t seq)
{
	for (unsigned i = 0; i < r->uid_nr; i++)
		if (r->uid_seq[i] == seq)
			return;
	r->uid_seq[r->uid_nr++] = seq;
}

void zb_dhcp_join(struct zb_analyzer *a, const struct zb_dhcp_msg *m)
{
	struct zb_analysis *an = zb_analyzer_analysis(a);
	const struct zb_conn *c = zb_analyzer_conn(a);
	struct transaction *t;
	uint32_t xid;

	if (an->port[ZB_LOG_DHCP] == NULL)
		return;
	if (an->dhcp == NULL && !set_up(an)) {
		zb_mem_shed(&an->mem, ZB_MEM_dhcp);
		return;
	}
	zb_dhcp_expire(an, an->now_ns);
	memcpy(&xid, m->fixed + 4, sizeof(xid));
	t = find(an, xid);
	if (t == NULL)
		t = begin(an, xid);
	if (t == NULL)
		return;
	t->row.last_ns = an->now_ns;
	add_uid(&t->row, c->uid_seq);
	t->row.type[t->row.type_nr++] = m->type;
	if (is_from_client(c, m))
		from_client(&t->row, c, m);
	else
		from_server(&t->row, c, m);
	if (t->row.uid_nr == ZB_DHCP_UIDS_MAX || t->row.type_nr == ZB_DHCP_TYPES_MAX)
		finish(an, t);
}

void zb_dhcp_end(struct zb_analysis *an)
{
	if (an->dhcp == NULL)
		return;
	while (an->dhcp->oldest != NULL)
		finish(an, an->dhcp->oldest);
	zb_mem_put(&an->mem, ZB_MEM_dhcp, an->dhcp, sizeof(*an->dhcp));
	an->dhcp = NULL;
}

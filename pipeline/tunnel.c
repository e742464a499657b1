/* SPDX-License-Identifier: Apache-2.0 */
/* tunnel.c - see tunnel.h: the table of tunnels, and the rows it gives rise to */
#include <errno.h>
#include <string.h>

#include "pipeline/tunnel_priv.h"

#define BUCKETS 16384u /* or as many as the limit allows */

/* IP tunnels and relays are found by address; those of UDP by their connection. */
struct zb_tunnels {
	struct zb_analysis *an;
	struct zb_tunnel *active[2]; /* by when they were last used: oldest, youngest */
	struct zb_tunnel *table[2];  /* those in the buckets, by when they were last seen */
	uint64_t begun;		     /* times that one became active */
	uint32_t bucket_nr, active_nr;
	struct zb_tunnel *bucket[]; /* bucket_nr */
};

int zb_tunnels_create(struct zb_analysis *an, struct zb_tunnels **out)
{
	uint32_t nr = zb_mem_buckets(&an->mem, ZB_MEM_tunnel, BUCKETS);
	struct zb_tunnels *t =
		zb_mem_get(&an->mem, ZB_MEM_tunnel, sizeof(*t) + nr * sizeof(t->bucket[0]));

	if (t == NULL)
		return -ENOMEM;
	t->bucket_nr = nr;
	t->an = an;
	*out = t;
	return 0;
}

struct zb_analysis *zb_tunnels_analysis(const struct zb_tunnels *t)
{
	return t->an;
}

static void unlink_from(struct zb_tunnel *ends[2], struct zb_tunnel *x, unsigned list)
{
	struct zb_tunnel_link *l = &x->link[list];

	if (l->older != NULL)
		l->older->link[list].younger = l->younger;
	else
		ends[0] = l->younger;
	if (l->younger != NULL)
		l->younger->link[list].older = l->older;
	else
		ends[1] = l->older;
}

static void append_to(struct zb_tunnel *ends[2], struct zb_tunnel *x, unsigned list)
{
	x->link[list] = (struct zb_tunnel_link){.older = ends[1]};
	if (ends[1] != NULL)
		ends[1]->link[list].younger = x;
	else
		ends[0] = x;
	ends[1] = x;
}

static void drop(struct zb_tunnels *t, struct zb_tunnel *x)
{
	if (x->is_active) {
		unlink_from(t->active, x, ZB_TUNNEL_ACTIVE);
		t->active_nr--;
	}
	if (x->owner != NULL) {
		x->owner->tunnel = NULL;
	} else {
		struct zb_tunnel **at = &t->bucket[x->bucket];

		while (*at != x)
			at = &(*at)->next;
		*at = x->next;
		unlink_from(t->table, x, ZB_TUNNEL_TABLE);
	}
	zb_mem_put(&t->an->mem, ZB_MEM_tunnel, x, sizeof(*x));
}

uint32_t zb_tunnels_active(const struct zb_tunnels *t, uint64_t *begun)
{
	*begun = t->begun;
	return t->active_nr;
}

void zb_tunnels_destroy(struct zb_tunnels *t)
{
	if (t == NULL)
		return;
	while (t->table[0] != NULL)
		drop(t, t->table[0]);
	while (t->active[0] != NULL)
		drop(t, t->active[0]);
	zb_mem_put(&t->an->mem, ZB_MEM_tunnel, t, sizeof(*t) + t->bucket_nr * sizeof(t->bucket[0]));
}

/* n bytes, zeroed; at the limit the tunnels unseen for longest are forgotten. */
void *zb_tunnels_get(struct zb_tunnels *t, size_t n)
{
	struct zb_mem *m = &t->an->mem;
	void *p = zb_mem_get(m, ZB_MEM_tunnel, n);

	while (p == NULL && t->table[0] != NULL) {
		drop(t, t->table[0]);
		zb_mem_shed(m, ZB_MEM_tunnel);
		p = zb_mem_get(m, ZB_MEM_tunnel, n);
	}
	if (p == NULL)
		zb_mem_shed(m, ZB_MEM_tunnel);
	return p;
}

static bool same_ends(const struct zb_tunnel *x, const struct zb_tunnel *y)
{
	bool there = memcmp(x->addr, y->addr, sizeof(x->addr)) == 0 &&
		     memcmp(x->port, y->port, sizeof(x->port)) == 0;
	bool back = memcmp(x->addr[0], y->addr[1], 16) == 0 &&
		    memcmp(x->addr[1], y->addr[0], 16) == 0 && x->port[0] == y->port[1] &&
		    x->port[1] == y->port[0];

	return x->ip_version == y->ip_version && (there || back);
}

static uint64_t end_hash(const struct zb_tunnel *x, unsigned side, uint64_t secret)
{
	uint8_t text[18];

	memcpy(text, x->addr[side], 16);
	memcpy(text + 16, &x->port[side], 2);
	return XXH3_64bits_withSeed(text, sizeof(text), secret);
}

/* The same whichever end is named first. */
static uint64_t hash_of(const struct zb_tunnel *x, uint64_t secret)
{
	return end_hash(x, 0, secret) + end_hash(x, 1, secret);
}

/*
 * The tunnel between the two ends of want, made if need be; want says what it is if it is new.
 * Those forgotten meanwhile go first, a few at a time.
 */
static struct zb_tunnel *find(struct zb_tunnels *t, const struct zb_tunnel *want, uint64_t now_ns)
{
	uint64_t hash = hash_of(want, t->an->secret);
	uint32_t bucket = (uint32_t)(hash & (t->bucket_nr - 1));
	struct zb_tunnel *x;

	for (unsigned i = 0; i < 2 && t->table[0] != NULL; i++)
		if (now_ns >= t->table[0]->seen_ns + ZB_TUNNEL_FORGET_NS && !t->table[0]->is_active)
			drop(t, t->table[0]);
	for (x = t->bucket[bucket]; x != NULL; x = x->next)
		if (same_ends(x, want))
			break;
	if (x == NULL) {
		x = zb_tunnels_get(t, sizeof(*x));
		if (x == NULL)
			return NULL;
		*x = *want;
		x->bucket = bucket;
		x->next = t->bucket[bucket];
		t->bucket[bucket] = x;
		/* All workers come to the same. The top bit keeps clear of connections. */
		if (want->uid_seq != ZB_UID_SEQ_NONE)
			x->uid_seq = (hash | 1ull << 63) & ~1ull;
	} else {
		unlink_from(t->table, x, ZB_TUNNEL_TABLE);
	}
	x->seen_ns = now_ns;
	append_to(t->table, x, ZB_TUNNEL_TABLE);
	return x;
}

static struct zb_tunnel *find_layer(struct zb_tunnels *t, const struct zb_layer *l, uint64_t now_ns)
{
	struct zb_tunnel want = {.type = l->type, .ip_version = l->addr_len == 4 ? 4 : 6};

	memcpy(want.addr[0], l->src, l->addr_len);
	memcpy(want.addr[1], l->dst, l->addr_len);
	return find(t, &want, now_ns);
}

void zb_tunnels_touch(struct zb_tunnels *t, struct zb_layer *l, uint64_t now_ns)
{
	struct zb_tunnel *x = find_layer(t, l, now_ns);

	if (x == NULL)
		return;
	l->type = x->type;
	l->uid_seq = x->uid_seq;
}

static void log_it(struct zb_tunnels *t, const struct zb_tunnel *x, enum zb_tunnel_action action,
		   uint64_t ts_ns)
{
	struct zb_analysis *an = t->an;
	struct zb_once_row r = {
		.ts_ns = ts_ns,
		.what = hash_of(x, an->secret) + action + 1,
		.mute_ns = ZB_TUNNEL_EXPIRE_NS,
		.uid_seq = x->uid_seq,
		.peer = "",
		.port = {x->port[0], x->port[1]},
		.name = (uint16_t)action,
		.stream = ZB_LOG_TUNNEL,
		.ip_version = x->ip_version,
		.flags = ZB_ONCE_HAS_ADDRS,
		.type = x->type,
	};

	if (an->port[ZB_LOG_TUNNEL] == NULL)
		return;
	memcpy(r.addr, x->addr, sizeof(r.addr));
	/* What is a connection is logged by its worker alone. */
	if (an->once != NULL && x->owner == NULL)
		zb_once_offer(an->once, &r);
	else
		zb_once_write(an->port[ZB_LOG_TUNNEL], &r, an->secret);
}

static void begin_use(struct zb_tunnels *t, const struct zb_tunnel *x, uint64_t ts_ns)
{
	t->active_nr++;
	t->begun++;
	log_it(t, x, ZB_TUNNEL_DISCOVER, ts_ns);
}

/* A connection has begun in it, or moved into it. */
static void use(struct zb_tunnels *t, struct zb_tunnel *x, uint64_t ts_ns, uint64_t now_ns)
{
	if (x->is_active)
		unlink_from(t->active, x, ZB_TUNNEL_ACTIVE);
	else
		begin_use(t, x, ts_ns);
	x->is_active = true;
	x->used_ns = now_ns;
	append_to(t->active, x, ZB_TUNNEL_ACTIVE);
}

void zb_tunnels_use_layer(struct zb_tunnels *t, const struct zb_layer *l, uint64_t now_ns)
{
	struct zb_tunnel *x = find_layer(t, l, now_ns);

	if (x != NULL)
		use(t, x, t->an->now_ns, now_ns);
}

void zb_tunnels_use_conn(struct zb_tunnels *t, const struct zb_conn *c, struct zb_conn_tunnel *part,
			 uint64_t now_ns)
{
	struct zb_tunnel *x = part->tunnel;

	if (x == NULL) {
		x = zb_tunnels_get(t, sizeof(*x));
		if (x == NULL)
			return;
		x->owner = part;
		x->uid_seq = c->uid_seq;
		x->type = part->type;
		x->ip_version = c->key.ip_version;
		for (unsigned side = ZB_ORIG; side <= ZB_RESP; side++) {
			memcpy(x->addr[side], zb_conn_addr(c, side), 16);
			x->port[side] = zb_conn_port(c, side);
		}
		part->tunnel = x;
	}
	use(t, x, t->an->now_ns, now_ns);
}

void zb_tunnels_relay(struct zb_tunnels *t, const struct zb_conn *c, enum zb_tun_type type)
{
	struct zb_tunnel want = {.type = (uint8_t)type,
				 .ip_version = c->key.ip_version,
				 .uid_seq = ZB_UID_SEQ_NONE};
	uint64_t now_ns = t->an->now_ns;
	struct zb_tunnel *x;

	memcpy(want.addr[0], zb_conn_addr(c, ZB_ORIG), 16);
	memcpy(want.addr[1], zb_conn_addr(c, ZB_RESP), 16);
	want.port[1] = zb_conn_port(c, ZB_RESP);
	x = find(t, &want, now_ns);
	if (x != NULL)
		use(t, x, now_ns, now_ns);
}

void zb_tunnels_close(struct zb_tunnels *t, struct zb_tunnel *x, uint64_t ts_ns)
{
	uint64_t end_ns = x->used_ns + ZB_TUNNEL_EXPIRE_NS;

	/* Both at once: Zeek sees to what expires first. */
	if (x->is_active)
		log_it(t, x, ts_ns >= end_ns ? ZB_TUNNEL_EXPIRE : ZB_TUNNEL_CLOSE, ts_ns);
	drop(t, x);
}

/* As Zeek's clock goes: the time of the first packet that comes later. */
static uint64_t first_after(const struct zb_tunnels *t, const struct zb_burst *b, uint64_t end_ns)
{
	const struct zb_rxq *q = t->an->rxq;
	uint64_t ns = q != NULL && q->ops->time_from != NULL ? q->ops->time_from(q, end_ns) : 0;

	for (uint16_t i = 0; ns == 0 && i < b->pkt_nr; i++)
		if (zb_pkt_now_ns(&b->pkts[i]) >= end_ns)
			ns = zb_pkt_now_ns(&b->pkts[i]);
	return ns != 0 ? ns : end_ns;
}

void zb_tunnels_expire(struct zb_tunnels *t, const struct zb_burst *b, uint64_t now_ns)
{
	struct zb_tunnel *x = t->active[0];

	for (; x != NULL && now_ns >= x->used_ns + ZB_TUNNEL_EXPIRE_NS; x = t->active[0]) {
		log_it(t, x, ZB_TUNNEL_EXPIRE, first_after(t, b, x->used_ns + ZB_TUNNEL_EXPIRE_NS));
		unlink_from(t->active, x, ZB_TUNNEL_ACTIVE);
		t->active_nr--;
		x->is_active = false;
		if (x->owner != NULL)
			drop(t, x);
	}
}

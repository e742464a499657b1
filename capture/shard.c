/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shard.c - places fragments, tunnelled packets, FTP and DHCP; see shard_priv.h
 *
 *   seen, by key                        datagrams, in order of appearance
 *   +----------------------------+      +----------------------------------+
 *   | key, last time, bytes, ... |----->| place of its first fragment, or  |
 *   +----------------------------+      | none yet; the one before         |
 *                                       +----------------------------------+
 *
 * The first table forgets, the second does not: what place() reads there was found out by learn(),
 * perhaps from fragments later in the trace.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>
#include "capture/rss_priv.h"
#include "capture/shard_priv.h"
#include "capture/shard_ties_priv.h"

#define ID_REUSE_NS   30000000000ull /* without a fragment of it: another datagram */
#define WAYS	      4u
#define BUCKET_NR     (1u << 16)
#define DATAGRAMS_MAX (1u << 24)
#define FTP_BITS      (1u << 23)
#define DHCP_HASH     0u /* all of it, whatever its addresses */

/* Where a packet goes, as far as its own headers tell. */
enum spot_kind {
	SPOT_HASH,    /* v is a hash */
	SPOT_DATAGRAM /* v is a datagram's number: where that goes */
};
struct spot {
	uint64_t key; /* of what has this hash; 0 when nobody is tied to anybody */
	uint32_t v;
	uint32_t kind; /* enum spot_kind */
};
struct course {
	struct spot flow;
	struct spot inner; /* when split */
	bool split;
};

/* One that fragments were seen of lately. */
struct seen {
	uint64_t key[2];
	uint64_t last_ns;
	uint32_t datagram;
	uint32_t have, total; /* bytes, headers of fragments not counted; total 0: not known */
	struct spot first;    /* of its first fragment's flow, when has_first */
	bool has_first;
	bool used;
};

struct datagram {
	struct course first; /* when has_first */
	struct spot by_addr;
	uint32_t before; /* number of an earlier one that has a first, when has_before */
	bool has_first, has_before;
};

struct sighting {
	XXH128_hash_t key;
	uint64_t ts_ns;
	struct spot by_addr;
	struct zb_ip_fragment frag;
};

struct zb_sharder {
	struct seen *seen; /* BUCKET_NR * WAYS, from the first fragment on */
	struct datagram *datagrams;
	uint32_t datagram_nr, datagram_max;
	bool placing;	 /* datagrams are complete; nothing is added to them */
	bool out_of_mem; /* in this call */
	bool has_ftp;
	struct zb_ties ties;
	uint64_t shed;
	uint64_t ftp[FTP_BITS / 64];
};

struct zb_sharder *zb_sharder_create(void)
{
	return calloc(1, sizeof(struct zb_sharder));
}

void zb_sharder_destroy(struct zb_sharder *s)
{
	if (s == NULL)
		return;
	zb_ties_fini(&s->ties);
	free(s->seen);
	free(s->datagrams);
	free(s);
}

bool zb_sharder_decides_all(const struct zb_sharder *s)
{
	return s->has_ftp || s->ties.nr != 0;
}

void zb_sharder_stat(const struct zb_sharder *s, struct zb_trace_division *out)
{
	*out = (struct zb_trace_division){.datagrams = s->datagram_nr,
					  .shed = s->shed + s->ties.shed};
	for (uint32_t i = 0; i < s->datagram_nr; i++)
		out->orphans += !s->datagrams[i].has_first && !s->datagrams[i].has_before;
}

/* FTP. */

static uint32_t addr_len(const struct zb_ip_walk *w)
{
	return w->version == 4 ? 4 : 16;
}

static const uint8_t *addrs(const uint8_t *d, const struct zb_ip_walk *w)
{
	return d + w->ip_off + (w->version == 4 ? 12 : 8);
}

/* The bit of two addresses, in either order. */
static uint32_t pair_bit(const uint8_t *d, const struct zb_ip_walk *w)
{
	const uint8_t *a = addrs(d, w);
	uint32_t n = addr_len(w);

	return (uint32_t)(XXH3_64bits(a, n) + XXH3_64bits(a + n, n)) % FTP_BITS;
}

static bool is_ftp_pair(const struct zb_sharder *s, const uint8_t *d, const struct zb_ip_walk *w)
{
	uint32_t bit;

	if (!s->has_ftp || w->proto != IPPROTO_TCP)
		return false;
	bit = pair_bit(d, w);
	return s->ftp[bit / 64] >> bit % 64 & 1;
}

/* Spots by hash. */

/* Keys are of use while flows are being tied to each other, and if some have been. */
static bool wants_key(const struct zb_sharder *s)
{
	return !s->placing || s->ties.nr != 0;
}

/* Of addresses and ports, 0 for none, in either direction. */
static uint64_t key_of(const uint8_t *d, const struct zb_ip_walk *w, const uint8_t *ports)
{
	uint8_t end[2][16 + 2] = {{0}};
	uint32_t n = addr_len(w);

	for (unsigned i = 0; i < 2; i++) {
		memcpy(end[i], addrs(d, w) + i * n, n);
		if (ports != NULL)
			memcpy(end[i] + 16, ports + i * 2, 2);
	}
	return XXH3_64bits(end[0], sizeof(end[0])) + XXH3_64bits(end[1], sizeof(end[1]));
}

static struct spot addr_spot(const struct zb_sharder *s, const uint8_t *d,
			     const struct zb_ip_walk *w)
{
	return (struct spot){wants_key(s) ? key_of(d, w, NULL) : 0, zb_rss_addr_hash(d, w),
			     SPOT_HASH};
}

static struct spot flow_spot(const struct zb_sharder *s, const uint8_t *d, uint32_t len,
			     const struct zb_ip_walk *w)
{
	const uint8_t *ports = zb_rss_has_ports(len, w) ? d + w->l4_off : NULL;

	if (is_ftp_pair(s, d, w))
		return addr_spot(s, d, w);
	if (zb_rss_is_dhcp(d, len, w))
		return (struct spot){wants_key(s) ? key_of(d, w, ports) : 0, DHCP_HASH, SPOT_HASH};
	return (struct spot){wants_key(s) ? key_of(d, w, ports) : 0, zb_rss_flow_hash(d, len, w),
			     SPOT_HASH};
}

/* Datagrams. */

static struct seen *find_seen(struct zb_sharder *s, const struct sighting *g)
{
	struct seen *bucket = &s->seen[(uint32_t)(g->key.low64 % BUCKET_NR) * WAYS];
	struct seen *oldest = bucket;

	for (uint32_t i = 0; i < WAYS; i++) {
		struct seen *e = &bucket[i];

		if (!e->used)
			return e;
		if (e->key[0] == g->key.low64 && e->key[1] == g->key.high64)
			return e;
		if (e->last_ns < oldest->last_ns)
			oldest = e;
	}
	if (!s->placing && g->ts_ns - oldest->last_ns < ID_REUSE_NS)
		s->shed++;
	oldest->used = false;
	return oldest;
}

static bool is_stale(const struct seen *e, uint64_t ts_ns)
{
	return ts_ns > e->last_ns && ts_ns - e->last_ns > ID_REUSE_NS;
}

static bool begins_another(const struct seen *e, const struct sighting *g, const struct course *c)
{
	if (!e->used || is_stale(e, g->ts_ns))
		return true;
	if (e->total != 0 && e->have >= e->total)
		return true;
	return c != NULL && e->has_first && memcmp(&e->first, &c->flow, sizeof(e->first)) != 0;
}

/* False: there are too many, or no memory. */
static bool room_for_datagram(struct zb_sharder *s)
{
	uint32_t max = s->datagram_max != 0 ? s->datagram_max * 2 : 1024;
	struct datagram *d;

	if (s->placing || s->datagram_nr < s->datagram_max)
		return s->datagram_nr < s->datagram_max;
	if (max > DATAGRAMS_MAX) {
		s->shed++;
		return false;
	}
	d = realloc(s->datagrams, max * sizeof(*d));
	if (d == NULL) {
		s->out_of_mem = true;
		return false;
	}
	s->datagrams = d;
	s->datagram_max = max;
	return true;
}

/* The datagram that a fragment begins: a new one, or in the third round the same one again. */
static bool begin_datagram(struct zb_sharder *s, struct seen *e, const struct sighting *g)
{
	struct datagram d = {.by_addr = g->by_addr};

	if (!room_for_datagram(s))
		return false;
	if (e->used && !is_stale(e, g->ts_ns)) {
		const struct datagram *old = &s->datagrams[e->datagram];

		d.has_before = old->has_first || old->has_before;
		d.before = old->has_first ? e->datagram : old->before;
	}
	*e = (struct seen){.key = {g->key.low64, g->key.high64},
			   .datagram = s->datagram_nr,
			   .used = true};
	if (!s->placing)
		s->datagrams[s->datagram_nr] = d;
	s->datagram_nr++;
	return true;
}

/* Counts a fragment to its datagram; c: it is the first one and goes there. False: no room. */
static bool count_fragment(struct zb_sharder *s, const struct sighting *g, const struct course *c,
			   uint32_t *number)
{
	struct seen *e = find_seen(s, g);

	if (begins_another(e, g, c) && !begin_datagram(s, e, g))
		return false;
	if (c != NULL && !e->has_first) {
		e->has_first = true;
		e->first = c->flow;
		if (!s->placing) {
			s->datagrams[e->datagram].has_first = true;
			s->datagrams[e->datagram].first = *c;
		}
	}
	if (e->last_ns < g->ts_ns)
		e->last_ns = g->ts_ns;
	if (__builtin_add_overflow(e->have, g->frag.len, &e->have))
		e->have = UINT32_MAX;
	if (g->frag.last)
		e->total = g->frag.from + g->frag.len;
	*number = e->datagram;
	return true;
}

/* c: where the packet goes by what is inside; becomes where the whole datagram goes. */
static void by_datagram(struct zb_sharder *s, const struct zb_trace_pkt *p,
			const struct zb_ip_walk *w, struct course *c)
{
	struct sighting g = {.ts_ns = p->ts_ns, .by_addr = addr_spot(s, p->data, w)};
	uint8_t key[2 * 16 + 4 + 1] = {0};
	uint32_t n = addr_len(w) * 2, number;

	zb_ip_fragment(p->data, w, &g.frag);
	memcpy(key, addrs(p->data, w), n);
	memcpy(key + 32, &g.frag.id, 4);
	key[36] = w->version;
	g.key = XXH3_128bits(key, sizeof(key));
	if (s->seen == NULL)
		s->seen = calloc((size_t)BUCKET_NR * WAYS, sizeof(*s->seen));
	if (s->seen == NULL) {
		s->out_of_mem = true;
		return;
	}
	if (count_fragment(s, &g, g.frag.from == 0 ? c : NULL, &number))
		*c = (struct course){.flow = {0, number, SPOT_DATAGRAM}};
	else
		*c = (struct course){.flow = g.by_addr};
}

/* Packets. */

enum link {
	LINK_SAME,  /* an IP tunnel: the inner flow alone counts */
	LINK_SPLIT, /* two flows, each for itself */
	LINK_TIED   /* two flows that must stay together */
};

/* IP headers of a packet, from the outermost to the innermost that sharding goes by. */
struct levels {
	struct zb_ip_walk w[ZB_IP_LEVELS_MAX];
	enum link to_next[ZB_IP_LEVELS_MAX];
	uint32_t nr;
};

static enum link link_of(enum zb_tunnel kind, bool in_udp)
{
	switch (kind) {
	case ZB_TUNNEL_IP:
	case ZB_TUNNEL_GRE: return LINK_SAME;
	case ZB_TUNNEL_VXLAN:
	case ZB_TUNNEL_GENEVE: return in_udp ? LINK_TIED : LINK_SPLIT;
	default: return LINK_TIED;
	}
}

static void find_levels(const struct zb_trace_pkt *p, struct levels *l)
{
	bool in_udp = false;

	l->nr = 0;
	if (!zb_ip_walk((enum zb_link)p->link, p->data, p->cap_len, &l->w[0]))
		return;
	for (l->nr = 1; l->nr < ZB_IP_LEVELS_MAX; l->nr++) {
		enum zb_tunnel kind =
			zb_tunnel_walk(p->data, p->cap_len, &l->w[l->nr - 1], &l->w[l->nr]);

		if (kind == ZB_TUNNEL_NONE)
			return;
		l->to_next[l->nr - 1] = link_of(kind, in_udp);
		in_udp = in_udp || l->to_next[l->nr - 1] != LINK_SAME;
	}
}

static void tie(struct zb_sharder *s, const struct spot *a, const struct spot *b)
{
	struct zb_tied_flow flow[2] = {{a->key, a->v, 0}, {b->key, b->v, 0}};

	if (!s->placing && zb_ties_add(&s->ties, &flow[0], &flow[1]) < 0)
		s->out_of_mem = true;
}

/* From the inside out, since a fragment speaks for all of what it holds the beginning of. */
static void find_course(struct zb_sharder *s, const struct zb_trace_pkt *p, struct course *c)
{
	struct spot inner = {0, 0, SPOT_HASH};
	struct levels l;

	*c = (struct course){.flow = inner};
	find_levels(p, &l);
	for (uint32_t i = l.nr; i-- > 0;) {
		if (i == l.nr - 1 || l.to_next[i] != LINK_SAME) {
			struct spot own = flow_spot(s, p->data, p->cap_len, &l.w[i]);

			if (i != l.nr - 1 && l.to_next[i] == LINK_TIED) {
				tie(s, &own, &inner);
			} else if (i != l.nr - 1) {
				c->inner = c->flow;
				c->split = true;
			}
			c->flow = inner = own;
		}
		if (l.w[i].fragment)
			by_datagram(s, p, &l.w[i], c);
	}
}

void zb_sharder_note(struct zb_sharder *s, const struct zb_trace_pkt *p)
{
	struct levels l;
	uint32_t bit;

	find_levels(p, &l);
	if (l.nr == 0 || !zb_rss_is_ftp(p->data, p->cap_len, &l.w[l.nr - 1]))
		return;
	bit = pair_bit(p->data, &l.w[l.nr - 1]);
	s->ftp[bit / 64] |= 1ull << bit % 64;
	s->has_ftp = true;
}

int zb_sharder_learn(struct zb_sharder *s, const struct zb_trace_pkt *p)
{
	struct course c;

	s->out_of_mem = false;
	find_course(s, p, &c);
	return s->out_of_mem ? -ENOMEM : 0;
}

void zb_sharder_rewind(struct zb_sharder *s)
{
	s->placing = true;
	s->datagram_max = s->datagram_nr;
	s->datagram_nr = 0;
	if (s->seen != NULL)
		memset(s->seen, 0, (size_t)BUCKET_NR * WAYS * sizeof(*s->seen));
}

/*
 * Follows datagrams to a hash. A first fragment that holds a fragment leads on; as often as there
 * are headers, since forged ones may lead in a circle.
 */
static struct course settle(const struct zb_sharder *s, struct course c)
{
	for (unsigned i = 0; i < ZB_IP_LEVELS_MAX && c.flow.kind == SPOT_DATAGRAM; i++) {
		const struct datagram *d = &s->datagrams[c.flow.v];

		if (d->has_first)
			c = d->first;
		else if (d->has_before)
			c = s->datagrams[d->before].first;
		else
			c = (struct course){.flow = d->by_addr};
	}
	if (c.flow.kind == SPOT_DATAGRAM)
		c = (struct course){.flow = s->datagrams[c.flow.v].by_addr};
	return c;
}

static uint32_t hash_of(struct zb_sharder *s, const struct spot *at)
{
	return zb_ties_hash(&s->ties, at->key, at->v);
}

void zb_sharder_place(struct zb_sharder *s, const struct zb_trace_pkt *p,
		      struct zb_shard_place *out)
{
	struct course c;

	find_course(s, p, &c);
	c = settle(s, c);
	*out = (struct zb_shard_place){.hash = hash_of(s, &c.flow), .split = c.split};
	if (c.split) {
		c = settle(s, (struct course){.flow = c.inner});
		out->inner = hash_of(s, &c.flow);
	}
}

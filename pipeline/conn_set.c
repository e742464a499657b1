/* SPDX-License-Identifier: Apache-2.0 */
/* conn_set.c - see conn_set.h; the pool's slot is recognised as in use by key.ip_version != 0 */
#include <netinet/in.h>

#include "pipeline/conn_set.h"

#define SAMPLES 64u
#define SAMPLE_STEP \
	2654435761u /* a prime near the golden part of 2^32: far apart, and all in turn */
#define OVERDUE_NS (2 * ZB_SEC_NS)

static_assert(ZB_END_NR == ZB_TCP_STATES, "as many as statistics have");

#define ROW(orig, inactive, syn, syn_ack, partial, established, closed, reset)           \
	[ZB_END_##orig * ZB_END_NR] = ZB_TCP_##inactive, ZB_TCP_##syn, ZB_TCP_##syn_ack, \
			 ZB_TCP_##partial, ZB_TCP_##established, ZB_TCP_##closed, ZB_TCP_##reset
const uint8_t zb_tcp_phase_of[ZB_END_NR * ZB_END_NR] = {
	ROW(INACTIVE, OTHER, ATTEMPT, ATTEMPT, OTHER, OTHER, OVER, WAS_RESET),
	ROW(SYN_SENT, ATTEMPT, OTHER, OTHER, OTHER, OTHER, HALF_CLOSED, WAS_RESET),
	ROW(SYN_ACK_SENT, ATTEMPT, OTHER, OTHER, OTHER, OTHER, HALF_CLOSED, WAS_RESET),
	ROW(PARTIAL, OTHER, OTHER, OTHER, PARTIAL, OTHER, HALF_CLOSED, WAS_RESET),
	ROW(ESTABLISHED, OTHER, OTHER, OTHER, OTHER, ESTABLISHED, HALF_CLOSED, WAS_RESET),
	ROW(CLOSED, OVER, HALF_CLOSED, HALF_CLOSED, HALF_CLOSED, HALF_CLOSED, OVER, WAS_RESET),
	ROW(RESET, WAS_RESET, WAS_RESET, WAS_RESET, WAS_RESET, WAS_RESET, WAS_RESET, WAS_RESET),
};
#undef ROW

int zb_conn_set_init(struct zb_conn_set *s, uint32_t conns_max, uint64_t uid_base, uint64_t secret,
		     uint64_t start_ns, struct zb_lcore_stat *stat)
{
	int ret;

	memset(s, 0, sizeof(*s));
	ret = zb_flow_table_init(&s->table);
	if (ret < 0)
		return ret;
	ret = zb_conn_pool_init(&s->pool, conns_max);
	if (ret < 0) {
		zb_flow_table_fini(&s->table);
		return ret;
	}
	zb_wheel_init(&s->wheel, &s->pool, start_ns);
	s->stat = stat;
	s->uid_next = uid_base;
	s->secret = secret;
	s->hash_mask = UINT32_MAX;
	return 0;
}

void zb_conn_set_fini(struct zb_conn_set *s)
{
	zb_wheel_fini(&s->wheel);
	zb_conn_pool_fini(&s->pool);
	zb_flow_table_fini(&s->table);
}

/*
 * The counter of a protocol's connections ever created; its gauge stands at the same place in the
 * gauges.
 */
static unsigned kind_of(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_TCP: return 0;
	case IPPROTO_UDP: return 1;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6: return 2;
	default: return 3;
	}
}

static const uint16_t kind_counter[] = {ZB_C_tcp_conns, ZB_C_udp_conns, ZB_C_icmp_conns,
					ZB_C_other_conns};
static const uint16_t kind_gauge[] = {ZB_G_active_tcp_conns, ZB_G_active_udp_conns,
				      ZB_G_active_icmp_conns, ZB_G_active_other_conns};

struct zb_conn *zb_conn_set_find(const struct zb_conn_set *s, const struct zb_flow_key *key,
				 uint32_t hash)
{
	struct zb_flow_pos pos;
	uint32_t id = zb_flow_first(&s->table, hash, &pos);

	for (; id != ZB_FLOW_NONE; id = zb_flow_next(&s->table, hash, &pos)) {
		struct zb_conn *c = zb_conn_at(&s->pool, id);

		if (zb_flow_key_equal(&c->key, key))
			return c;
	}
	return NULL;
}

struct zb_conn *zb_conn_set_create(struct zb_conn_set *s, const struct zb_flow_key *key,
				   uint32_t hash, uint64_t ts_ns)
{
	uint32_t id;
	struct zb_conn *c = zb_conn_pool_get(&s->pool, &id);

	if (c == NULL)
		return NULL;
	if (zb_flow_insert(&s->table, hash, id) < 0) {
		zb_conn_pool_put(&s->pool, id);
		return NULL;
	}
	c->key = *key;
	c->id = id;
	c->flags = ZB_CONN_FRESH;
	c->first_ns = c->last_ns = ts_ns;
	c->uid_seq = s->uid_next++;
	s->stat->c[kind_counter[kind_of(key->proto)]]++;
	s->stat->g[kind_gauge[kind_of(key->proto)]]++;
	if (key->proto == IPPROTO_TCP)
		s->tcp_cells[0]++;
	return c;
}

void zb_conn_set_deadline(struct zb_conn_set *s, struct zb_conn *c, uint64_t deadline_ns)
{
	uint64_t before = c->deadline_ns;

	c->deadline_ns = deadline_ns;
	if (c->flags & ZB_CONN_FRESH) {
		c->flags &= (uint8_t)~ZB_CONN_FRESH;
		if (zb_wheel_add(&s->wheel, c->id, deadline_ns) < 0) {
			c->flags |= ZB_CONN_FRESH; /* without a timer it cannot stay */
			zb_conn_set_finish(s, c);
			s->stat->c[ZB_C_conns_evicted]++;
		}
	} else if (deadline_ns < before) {
		zb_wheel_hasten(&s->wheel, c->id, deadline_ns);
	}
}

static uint32_t hash_of(const struct zb_conn_set *s, const struct zb_conn *c)
{
	return (uint32_t)zb_flow_key_hash(&c->key, s->secret) & s->hash_mask;
}

void zb_conn_set_finish(struct zb_conn_set *s, struct zb_conn *c)
{
	zb_flow_remove(&s->table, hash_of(s, c), c->id);
	if (!(c->flags & ZB_CONN_FRESH))
		zb_wheel_remove(&s->wheel, c->id);
	c->flags |= ZB_CONN_FINISHED;
	s->stat->g[kind_gauge[kind_of(c->key.proto)]]--;
	if (c->key.proto == IPPROTO_TCP)
		s->tcp_cells[c->tcp_cell]--;
	else if (c->special_ns != 0)
		s->stat->timer[ZB_TIMER_dns]--;
	assert(s->finished_nr < ZB_FINISHED_MAX);
	s->finished[s->finished_nr++] = c->id;
}

void zb_conn_set_timed_out(struct zb_conn_set *s, const struct zb_conn *c, uint64_t now_ns)
{
	s->stat->c[ZB_C_conns_expired] += !(c->flags & (ZB_CONN_CLOSING | ZB_CONN_ATTEMPT));
	s->stat->timer_lag_ns = now_ns - c->deadline_ns;
}

/* Off the wheel already: the rest of finishing. */
static void finish_expired(struct zb_conn_set *s, uint32_t id, uint64_t now_ns)
{
	struct zb_conn *c = zb_conn_at(&s->pool, id);

	c->flags |= ZB_CONN_FRESH; /* not on the wheel */
	zb_conn_set_timed_out(s, c, now_ns);
	zb_conn_set_finish(s, c);
}

void zb_conn_set_expire(struct zb_conn_set *s, uint64_t now_ns)
{
	uint32_t ids[ZB_EXPIRE_MAX];
	uint32_t room = ZB_FINISHED_MAX - ZB_BURST_MAX - s->finished_nr;
	uint32_t n = zb_wheel_advance(&s->wheel, now_ns, ids,
				      room < ZB_EXPIRE_MAX ? room : ZB_EXPIRE_MAX);

	for (uint32_t i = 0; i < n; i++) {
		const struct zb_conn *c = zb_conn_at(&s->pool, ids[i]);

		zb_flow_prefetch(&s->table, hash_of(s, c));
		for (unsigned line = 1; line < 4; line++)
			__builtin_prefetch((const char *)c + line * 64); /* for the row */
	}
	for (uint32_t i = 0; i < n; i++)
		finish_expired(s, ids[i], now_ns);
	zb_conn_set_make_room(s);
}

void zb_conn_set_make_room(struct zb_conn_set *s)
{
	/*
	 * The finished are still in the pool until they are released; what they leave must hold a
	 * burst.
	 */
	uint32_t left = s->pool.used - s->finished_nr + ZB_BURST_MAX;

	if (left > s->pool.max)
		zb_conn_set_shed(s, left - s->pool.max);
}

uint32_t zb_conn_set_shed(struct zb_conn_set *s, uint32_t n)
{
	uint32_t done = 0;

	n = n < ZB_BURST_MAX ? n : ZB_BURST_MAX;
	for (; done < n && s->finished_nr < ZB_FINISHED_MAX; done++) {
		uint32_t victim = zb_wheel_first(&s->wheel);

		if (victim == UINT32_MAX)
			break;
		zb_conn_set_finish(s, zb_conn_at(&s->pool, victim));
	}
	s->stat->c[ZB_C_conns_evicted] += done;
	return done;
}

uint64_t zb_conn_set_bytes(const struct zb_conn_set *s)
{
	/* What is in use: chunks that were once taken are kept for the next peak. */
	return (uint64_t)s->pool.used * sizeof(struct zb_conn) + zb_flow_table_bytes(&s->table) +
	       zb_wheel_bytes(&s->wheel);
}

bool zb_conn_set_drain(struct zb_conn_set *s, uint32_t *cursor)
{
	uint32_t n = 0;

	for (; *cursor < s->pool.fresh && n < ZB_EXPIRE_MAX; ++*cursor) {
		struct zb_conn *c = zb_conn_at(&s->pool, *cursor);

		if (c->key.ip_version == 0)
			continue;
		zb_conn_set_finish(s, c);
		n++;
	}
	return n != 0;
}

void zb_conn_set_release(struct zb_conn_set *s)
{
	for (uint32_t i = 0; i < s->finished_nr; i++) {
		zb_conn_at(&s->pool, s->finished[i])->key.ip_version = 0;
		zb_conn_pool_put(&s->pool, s->finished[i]);
	}
	s->finished_nr = 0;
}

uint64_t zb_conn_set_overdue(struct zb_conn_set *s, uint64_t now_ns)
{
	uint32_t nr = s->pool.fresh < SAMPLES ? s->pool.fresh : SAMPLES, seen = 0, overdue = 0;

	for (uint32_t i = 0; i < nr; i++) {
		const struct zb_conn *c;

		s->sample_at = nr < SAMPLES ? i
					    : (uint32_t)(((uint64_t)s->sample_at + SAMPLE_STEP) %
							 s->pool.fresh);
		c = zb_conn_at(&s->pool, s->sample_at);
		if (c->key.ip_version == 0 || c->flags & (ZB_CONN_FINISHED | ZB_CONN_FRESH))
			continue;
		seen++;
		overdue += c->deadline_ns + OVERDUE_NS < now_ns;
	}
	return seen != 0 ? (uint64_t)s->pool.used * overdue / seen : 0;
}

void zb_conn_set_gauges(const struct zb_conn_set *s)
{
	uint64_t *g = s->stat->g;

	g[ZB_G_conn_bytes] = (uint64_t)s->pool.used * sizeof(struct zb_conn);
	g[ZB_G_conn_reserved_bytes] = zb_conn_pool_bytes(&s->pool);
	g[ZB_G_flow_table_bytes] = zb_flow_table_bytes(&s->table);
	g[ZB_G_timer_bytes] = zb_wheel_bytes(&s->wheel);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * known.c - see known.h
 *
 * A service counts when its server has answered: a TCP handshake, or a datagram. It is offered when
 * an analyzer confirms, else when the connection ends; without a name only five minutes after that,
 * as another connection may still name it. Connections end in another order than they are found to
 * have ended, so their offers are ordered by the time they say. (Zeek:
 * policy/protocols/conn/known-hosts, known-services)
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "capture/packet.h"
#include "pipeline/known.h"
#include "pipeline/local_net.h"
#include "pipeline/once.h"

#define DAY_NS	     (86400 * ZB_SEC_NS)
#define NAMELESS_NS  (300 * ZB_SEC_NS)
#define SEEN_ENTRIES 65536u /* 1 MiB, or as many as the limit has room for */

struct zb_known {
	struct zb_analysis *an;
	struct zb_once_memory seen; /* no table: everything is offered */
};

static size_t seen_bytes(const struct zb_known *k)
{
	return (k->seen.mask + 1ull) * sizeof(*k->seen.seen);
}

int zb_known_create(struct zb_analysis *an, struct zb_known **out)
{
	struct zb_known *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return -ENOMEM;
	k->an = an;
	k->seen.mask = SEEN_ENTRIES - 1;
	while (k->seen.mask >= ZB_ONCE_ENTRIES_MIN && seen_bytes(k) > an->mem.limit[ZB_MEM_known])
		k->seen.mask >>= 1;
	k->seen.seen = zb_mem_get(&an->mem, ZB_MEM_known, seen_bytes(k));
	*out = k;
	return 0;
}

void zb_known_destroy(struct zb_known *k)
{
	if (k == NULL)
		return;
	zb_mem_put(&k->an->mem, ZB_MEM_known, k->seen.seen, seen_bytes(k));
	free(k);
}

static uint64_t mute_ns(const struct zb_known *k)
{
	return k->an->once != NULL ? ZB_ONCE_REPEAT_NS : DAY_NS;
}

/* Has this not been offered of late? */
static bool is_first(struct zb_known *k, uint64_t what, uint64_t now_ns)
{
	bool first;

	if (k->seen.seen == NULL) {
		zb_mem_shed(&k->an->mem, ZB_MEM_known);
		return true;
	}
	first = zb_once_earliest(&k->seen, what, now_ns, mute_ns(k));
	k->an->mem.shed[ZB_MEM_known] = k->seen.forgotten;
	return first;
}

/* Has it been offered before c ended, whenever that was? Spares the search for that. */
static bool is_old(const struct zb_known *k, const struct zb_conn *c, uint64_t now_ns,
		   uint64_t what)
{
	uint64_t from_ns = c->deadline_ns < now_ns ? c->deadline_ns : now_ns;
	uint64_t to_ns = now_ns > k->an->over_ns ? now_ns : k->an->over_ns;

	return k->seen.seen != NULL && zb_once_knows(&k->seen, what, from_ns, to_ns, mute_ns(k));
}

static void offer(struct zb_known *k, const struct zb_once_row *r)
{
	struct zb_log_port *port = k->an->port[r->stream];

	zb_analysis_event(k->an);
	if (port == NULL)
		return;
	if (k->an->once != NULL)
		zb_once_offer(k->an->once, r);
	else
		zb_once_write(port, r, k->an->secret);
}

void zb_known_host(struct zb_known *k, const struct zb_conn *c)
{
	for (unsigned side = ZB_ORIG; side <= ZB_RESP; side++) {
		const uint8_t *addr = zb_conn_addr(c, side);
		struct zb_once_row r = {
			.ts_ns = k->an->now_ns,
			.what = XXH3_64bits_withSeed(addr, 16, k->an->secret),
			.mute_ns = DAY_NS,
			.stream = ZB_LOG_KNOWN_HOSTS,
			.ip_version = c->key.ip_version,
		};

		if (!zb_local_net(addr, c->key.ip_version) || !is_first(k, r.what, r.ts_ns))
			continue;
		memcpy(r.addr[0], addr, 16);
		offer(k, &r);
	}
}

static bool has_answered(const struct zb_conn *c)
{
	unsigned state = c->end[ZB_RESP].state;

	switch (c->key.proto) {
	case IPPROTO_TCP:
		return state == ZB_END_ESTABLISHED || state == ZB_END_CLOSED ||
		       state == ZB_END_PARTIAL ||
		       memchr(zb_conn_history(c), 'h', c->history_len) != NULL;
	case IPPROTO_UDP: return c->end[ZB_RESP].hist & ZB_HIST_ACTIVE;
	default: return false;
	}
}

/*
 * A connection that ended says what it was: when that was, and whether it may. Without a name it
 * counts only five minutes later, as another one may still name the service; the end of traffic
 * does not wait for that, nor does it do so for what it ends itself.
 */
static bool date_end(struct zb_known *k, const struct zb_conn *c, uint64_t now_ns,
		     struct zb_once_row *r)
{
	struct zb_conn_end end = zb_analysis_conn_end(k->an, c, now_ns);

	r->ts_ns = r->order_ns = end.ns;
	r->flags |= end.is_last ? ZB_ONCE_AT_END : ZB_ONCE_ENDED;
	if (r->word_nr != 0)
		return true;
	r->word[r->word_nr++] = "";
	r->order_ns += NAMELESS_NS;
	return !end.is_last;
}

/* Offers the service behind c as it is known now. */
static void service(struct zb_known *k, struct zb_conn *c, uint64_t now_ns, bool ended)
{
	const struct zb_session *s = zb_session_of(c);
	const uint8_t *host = zb_conn_addr(c, ZB_RESP);
	struct {
		uint8_t host[16];
		uint16_t port;
		uint8_t proto, version;
	} id = {.port = zb_conn_port(c, ZB_RESP), .proto = c->key.proto};
	struct zb_once_row r = {
		.mute_ns = DAY_NS,
		.port = {id.port},
		.stream = ZB_LOG_KNOWN_SERVICES,
		.ip_version = c->key.ip_version,
		.proto = c->key.proto,
	};
	uint64_t all;

	if (!has_answered(c) || !zb_local_net(host, c->key.ip_version))
		return;
	if (s != NULL && s->service_nr == 1 &&
	    (strcmp(s->service[0], "ftp-data") == 0 ||
	     (strcmp(s->service[0], "dns") == 0 && zb_conn_size(c, ZB_RESP) == 0)))
		return;
	c->traits |= ZB_TRAIT_SERVICE_KNOWN;
	memcpy(id.host, host, 16);
	memcpy(r.addr[0], host, 16);
	r.what = all = XXH3_64bits_withSeed(&id, sizeof(id), k->an->secret);
	for (unsigned i = 0; s != NULL && i < s->service_nr && i < ZB_ONCE_WORDS_MAX; i++) {
		r.word[r.word_nr++] = s->service[i];
		all = (all ^ (uintptr_t)s->service[i]) * 0x9e3779b97f4a7c15u;
	}
	if (ended && is_old(k, c, now_ns, all))
		return;
	r.ts_ns = now_ns;
	if ((!ended || date_end(k, c, now_ns, &r)) && is_first(k, all, r.ts_ns))
		offer(k, &r);
}

void zb_known_service(struct zb_known *k, const struct zb_session *s)
{
	service(k, s->conn, k->an->now_ns, false);
}

void zb_known_conn_end(struct zb_known *k, struct zb_conn *c, uint64_t now_ns)
{
	if (!(c->traits & ZB_TRAIT_SERVICE_KNOWN))
		service(k, c, now_ns, true);
}

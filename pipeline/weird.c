/* SPDX-License-Identifier: Apache-2.0 */
/* weird.c - see weird.h */
#include <netinet/in.h>
#include <string.h>

#include "pipeline/once.h"
#include "pipeline/row_id.h"
#include "pipeline/weird.h"

enum policy { IGNORE, LOG, PER_ORIG, PER_CONN };

#define TEXT(name, policy, source)	     [ZB_WEIRD_##name] = #name,
#define POLICY(name, policy, source)	     [ZB_WEIRD_##name] = policy,
#define SOURCE(name, policy, source)	     [ZB_WEIRD_##name] = source,
#define TEXT_N(name, policy, source, text)   [ZB_WEIRD_##name] = text,
#define POLICY_N(name, policy, source, text) [ZB_WEIRD_##name] = policy,
#define SOURCE_N(name, policy, source, text) [ZB_WEIRD_##name] = source,
const char *const zb_weird_text[ZB_WEIRD_NR] = {ZB_WEIRD_LIST(TEXT)
							ZB_WEIRD_LIST_HTTP_NAMED(TEXT_N)};
static const uint8_t weird_policy[ZB_WEIRD_NR] = {ZB_WEIRD_LIST(POLICY)
							  ZB_WEIRD_LIST_HTTP_NAMED(POLICY_N)};
const char *const zb_weird_source[ZB_WEIRD_NR] = {ZB_WEIRD_LIST(SOURCE)
							  ZB_WEIRD_LIST_HTTP_NAMED(SOURCE_N)};

#define DAY_NS	(86400 * ZB_SEC_NS)
#define MUTE_NS (600 * ZB_SEC_NS)

static const struct zb_row_field weird_fields[] = {
	{"ts", ZB_T_TIME},	 ZB_ROW_ID_FIELDS,	{"name", ZB_T_STRING},
	{"addl", ZB_T_STRING},	 {"notice", ZB_T_BOOL}, {"peer", ZB_T_STRING},
	{"source", ZB_T_STRING},
};
const struct zb_row_def zb_weird_log_def = {
	.path = "weird",
	.fields = weird_fields,
	.field_nr = sizeof(weird_fields) / sizeof(weird_fields[0]),
};

int zb_weird_init(struct zb_weird *w, struct zb_log_port *port, const char *peer, uint64_t secret)
{
	memset(w, 0, sizeof(*w));
	w->port = port;
	w->peer = peer;
	w->secret = secret;
	return zb_once_memory_init(&w->seen, ZB_WEIRD_MEMORY);
}

void zb_weird_fini(struct zb_weird *w)
{
	zb_once_memory_fini(&w->seen);
}

static uint64_t what_of(const struct zb_weird *w, enum zb_weird_name name, const void *id,
			size_t len)
{
	return XXH3_64bits_withSeed(id, len, w->secret + name + 1);
}

/* proto: of the transport that raises it, 0: as listed. */
static const char *source_of(enum zb_weird_name name, uint8_t proto)
{
	switch (proto) {
	case IPPROTO_TCP: return "TCP";
	case IPPROTO_UDP: return "UDP";
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6: return "ICMP";
	default: return zb_weird_source[name];
	}
}

/* The fields from name on. */
static void put_tail(struct zb_row *r, enum zb_weird_name name, const char *addl, const char *peer,
		     const char *source)
{
	const char *text = zb_weird_text[name];

	zb_row_word(r, text, strlen(text));
	if (addl != NULL && addl[0] != '\0')
		zb_row_string(r, addl, strlen(addl));
	else
		zb_row_unset(r);
	zb_row_bool(r, false);
	zb_row_word(r, peer, strlen(peer));
	if (source[0] != '\0')
		zb_row_word(r, source, strlen(source));
	else
		zb_row_unset(r);
}

void zb_weird_row(struct zb_row *row, const struct zb_once_row *r, uint64_t secret)
{
	char uid[ZB_UID_MAX];

	if (r->flags & ZB_ONCE_HAS_UID)
		zb_row_word(row, uid, zb_uid_format(uid, 'C', r->uid_seq, secret));
	else
		zb_row_unset(row);
	for (unsigned side = 0; side < 2; side++) {
		if (r->flags & ZB_ONCE_HAS_ADDRS) {
			zb_row_addr(row, r->addr[side], r->ip_version);
			zb_row_port(row, r->port[side]);
		} else {
			zb_row_unset(row);
			zb_row_unset(row);
		}
	}
	put_tail(row, r->name, r->addl, r->peer, source_of(r->name, r->proto));
}

/*
 * What other lcores may find as well: one of them logs it. What they repeat within a millisecond is
 * not worth an offer: too short a time to move the row after the mute by much.
 */
static void log_once(struct zb_weird *w, struct zb_once_row *r)
{
	uint64_t local_ns = w->once != NULL ? ZB_ONCE_REPEAT_NS : r->mute_ns;

	r->ts_ns = w->now_ns;
	r->peer = w->peer;
	r->stream = ZB_LOG_WEIRD;
	if (!zb_once_first(&w->seen, r->what, w->now_ns, local_ns))
		return;
	if (w->once != NULL)
		zb_once_offer(w->once, r);
	else
		zb_once_write(w->port, r, w->secret);
}

static bool count_it(struct zb_weird *w, enum zb_weird_name name)
{
	w->total++;
	w->count[name]++;
	return w->port != NULL && weird_policy[name] != IGNORE;
}

static void conn_once(struct zb_weird *w, const struct zb_conn *c, enum zb_weird_name name,
		      const char *addl)
{
	struct zb_once_row r = {
		.what = what_of(w, name, zb_conn_addr(c, ZB_ORIG), 16),
		.mute_ns = DAY_NS,
		.uid_seq = c->uid_seq,
		.name = (uint16_t)name,
		.ip_version = c->key.ip_version,
		.flags = ZB_ONCE_HAS_ADDRS | ZB_ONCE_HAS_UID,
	};

	for (unsigned side = ZB_ORIG; side <= ZB_RESP; side++) {
		memcpy(r.addr[side], zb_conn_addr(c, side), 16);
		r.port[side] = zb_conn_port(c, side);
	}
	if (addl != NULL)
		memcpy(r.addl, addl, strnlen(addl, sizeof(r.addl) - 1));
	log_once(w, &r);
}

void zb_weird_conn(struct zb_weird *w, struct zb_conn *c, enum zb_weird_name name, const char *addl)
{
	struct zb_row r;
	uint64_t what;

	c->flags |= ZB_CONN_DID_WEIRD;
	if (!count_it(w, name))
		return;
	if (weird_policy[name] == PER_ORIG) {
		conn_once(w, c, name, addl);
		return;
	}
	what = what_of(w, name, &c->key, sizeof(c->key));
	if (!zb_once_first(&w->seen, what, w->now_ns, weird_policy[name] == LOG ? MUTE_NS : DAY_NS))
		return;
	if (!zb_log_row(w->port, ZB_ROW_ID_BYTES + (addl != NULL ? strlen(addl) : 0) + 64, &r))
		return;
	zb_row_time(&r, w->now_ns);
	zb_row_id(&r, c, w->secret);
	put_tail(&r, name, addl, w->peer,
		 source_of(name, name == ZB_WEIRD_truncated_header ? c->key.proto : 0));
	zb_log_commit(w->port, &r);
}

/* With what is in r already: addl, proto. */
static void flow_once(struct zb_weird *w, struct zb_once_row *r, const uint8_t *src,
		      const uint8_t *dst, unsigned addr_len)
{
	enum zb_weird_name name = r->name;
	uint8_t id[33] = {(uint8_t)addr_len};

	if (!count_it(w, name))
		return;
	r->mute_ns = weird_policy[name] == LOG ? MUTE_NS : DAY_NS;
	r->ip_version = addr_len == 4 ? 4 : 6;
	r->flags = ZB_ONCE_HAS_ADDRS;
	memcpy(id + 1, src, addr_len);
	if (weird_policy[name] != PER_ORIG)
		memcpy(id + 17, dst, addr_len);
	r->what = what_of(w, name, id, sizeof(id));
	memcpy(r->addr[0], src, addr_len);
	memcpy(r->addr[1], dst, addr_len);
	log_once(w, r);
}

void zb_weird_flow_addl(struct zb_weird *w, enum zb_weird_name name, const uint8_t *src,
			const uint8_t *dst, unsigned addr_len, const char *addl)
{
	struct zb_once_row r = {.name = (uint16_t)name};

	memcpy(r.addl, addl, strnlen(addl, sizeof(r.addl) - 1));
	flow_once(w, &r, src, dst, addr_len);
}

void zb_weird_transport(struct zb_weird *w, enum zb_weird_name name, const uint8_t *src,
			const uint8_t *dst, unsigned addr_len, uint8_t proto)
{
	struct zb_once_row r = {.name = (uint16_t)name, .proto = proto};

	flow_once(w, &r, src, dst, addr_len);
}

void zb_weird_flow(struct zb_weird *w, enum zb_weird_name name, const uint8_t *src,
		   const uint8_t *dst, unsigned addr_len)
{
	zb_weird_flow_addl(w, name, src, dst, addr_len, "");
}

void zb_weird_net_addl(struct zb_weird *w, enum zb_weird_name name, const char *addl)
{
	/* Nobody to tell them apart by: the name alone is muted. */
	struct zb_once_row r = {.what = what_of(w, name, "", 0),
				.mute_ns = MUTE_NS,
				.name = (uint16_t)name};

	if (!count_it(w, name))
		return;
	memcpy(r.addl, addl, strnlen(addl, sizeof(r.addl) - 1));
	log_once(w, &r);
}

void zb_weird_net(struct zb_weird *w, enum zb_weird_name name)
{
	zb_weird_net_addl(w, name, "");
}

enum zb_weird_name zb_weird_in_tunnel(enum zb_weird_name name)
{
#define TUNNELLED(name) \
	case ZB_WEIRD_##name: return ZB_WEIRD_##name##_in_tunnel
	switch (name) {
		TUNNELLED(truncated_link_header);
		TUNNELLED(truncated_IP);
		TUNNELLED(unknown_ip_version);
		TUNNELLED(ip_hdr_len_zero);
		TUNNELLED(truncated_IP_len);
		TUNNELLED(invalid_IP_header_size);
		TUNNELLED(internally_truncated_header);
		TUNNELLED(IPv4_min_header_size);
		TUNNELLED(bad_IP_checksum);
		TUNNELLED(ipv6_no_next);
		TUNNELLED(truncated_header);
	default: break;
	}
#undef TUNNELLED
	/* Elsewhere one follows the other. */
	return name >= ZB_WEIRD_truncated_ethernet_frame &&
			       name < ZB_WEIRD_ayiya_empty_packet_in_tunnel
		       ? name + 1
		       : name;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* weird.c - see weird.h */
#include <errno.h>
#include <stdlib.h>

#include "pipeline/uid.h"
#include "pipeline/weird.h"

enum policy { IGNORE, LOG, PER_ORIG, PER_CONN };

#define TEXT(name, policy, source)   [ZB_WEIRD_##name] = #name,
#define POLICY(name, policy, source) [ZB_WEIRD_##name] = policy,
#define SOURCE(name, policy, source) [ZB_WEIRD_##name] = source,
const char *const zb_weird_text[ZB_WEIRD_NR] = {ZB_WEIRD_LIST(TEXT)};
static const uint8_t weird_policy[ZB_WEIRD_NR] = {ZB_WEIRD_LIST(POLICY)};
static const char *const weird_source[ZB_WEIRD_NR] = {ZB_WEIRD_LIST(SOURCE)};

#define DAY_NS	    (86400 * ZB_SEC_NS)
#define MUTE_NS	    (600 * ZB_SEC_NS)
#define SEEN_PROBES 8

static const struct zb_row_field weird_fields[] = {
	{"ts", ZB_T_TIME},	  {"uid", ZB_T_STRING},	    {"id.orig_h", ZB_T_ADDR},
	{"id.orig_p", ZB_T_PORT}, {"id.resp_h", ZB_T_ADDR}, {"id.resp_p", ZB_T_PORT},
	{"name", ZB_T_STRING},	  {"addl", ZB_T_STRING},    {"notice", ZB_T_BOOL},
	{"peer", ZB_T_STRING},	  {"source", ZB_T_STRING},
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
	w->seen = calloc(ZB_WEIRD_MEMORY, sizeof(*w->seen));
	return w->seen == NULL ? -ENOMEM : 0;
}

void zb_weird_fini(struct zb_weird *w)
{
	free(w->seen);
	w->seen = NULL;
}

/* Remembers what until for_ns from now; false when it is remembered already. */
static bool first_time(struct zb_weird *w, uint64_t what, uint64_t for_ns)
{
	struct zb_weird_seen *victim = NULL;

	for (unsigned i = 0; i < SEEN_PROBES; i++) {
		struct zb_weird_seen *s = &w->seen[(what + i) % ZB_WEIRD_MEMORY];

		if (s->what == what && s->until_ns > w->now_ns)
			return false;
		if (victim == NULL || s->until_ns < victim->until_ns)
			victim = s;
	}
	victim->what = what;
	victim->until_ns = w->now_ns + for_ns;
	return true;
}

static uint64_t what_of(const struct zb_weird *w, enum zb_weird_name name, const void *id,
			size_t len)
{
	return XXH3_64bits_withSeed(id, len, w->secret + name + 1);
}

static void put_addr(struct zb_row *r, const uint8_t *a, unsigned ip_version)
{
	if (ip_version == 4)
		zb_row_addr4(r, a);
	else
		zb_row_addr6(r, a);
}

static void put_tail(struct zb_weird *w, struct zb_row *r, enum zb_weird_name name,
		     const char *addl)
{
	const char *text = zb_weird_text[name], *source = weird_source[name];

	zb_row_word(r, text, strlen(text));
	if (addl != NULL)
		zb_row_string(r, addl, strlen(addl));
	else
		zb_row_unset(r);
	zb_row_bool(r, false);
	zb_row_word(r, w->peer, strlen(w->peer));
	if (source[0] != '\0')
		zb_row_word(r, source, strlen(source));
	else
		zb_row_unset(r);
	zb_log_commit(w->port, r);
}

static bool count_it(struct zb_weird *w, enum zb_weird_name name)
{
	w->total++;
	w->count[name]++;
	return w->port != NULL && weird_policy[name] != IGNORE;
}

void zb_weird_conn(struct zb_weird *w, struct zb_conn *c, enum zb_weird_name name, const char *addl)
{
	const uint8_t *orig = zb_conn_addr(c, ZB_ORIG);
	char uid[ZB_UID_MAX];
	struct zb_row r;
	uint64_t what;

	c->flags |= ZB_CONN_DID_WEIRD;
	if (!count_it(w, name))
		return;
	what = weird_policy[name] == PER_ORIG ? what_of(w, name, orig, 16)
					      : what_of(w, name, &c->key, sizeof(c->key));
	if (!first_time(w, what, weird_policy[name] == LOG ? MUTE_NS : DAY_NS))
		return;
	if (!zb_log_row(w->port, ZB_UID_MAX + (addl != NULL ? strlen(addl) : 0) + 64, &r))
		return;
	zb_row_time(&r, w->now_ns);
	zb_row_word(&r, uid, zb_uid_format(uid, 'C', c->uid_seq, w->secret));
	put_addr(&r, orig, c->key.ip_version);
	zb_row_port(&r, zb_conn_port(c, ZB_ORIG));
	put_addr(&r, zb_conn_addr(c, ZB_RESP), c->key.ip_version);
	zb_row_port(&r, zb_conn_port(c, ZB_RESP));
	put_tail(w, &r, name, addl);
}

void zb_weird_flow(struct zb_weird *w, enum zb_weird_name name, const uint8_t *src,
		   const uint8_t *dst, unsigned addr_len)
{
	uint8_t id[33] = {(uint8_t)addr_len};
	struct zb_row r;
	uint64_t what;

	if (!count_it(w, name))
		return;
	memcpy(id + 1, src, addr_len);
	if (weird_policy[name] != PER_ORIG)
		memcpy(id + 17, dst, addr_len);
	what = what_of(w, name, id, sizeof(id));
	if (!first_time(w, what, weird_policy[name] == LOG ? MUTE_NS : DAY_NS))
		return;
	if (!zb_log_row(w->port, 64, &r))
		return;
	zb_row_time(&r, w->now_ns);
	zb_row_unset(&r);
	put_addr(&r, src, addr_len == 4 ? 4 : 6);
	zb_row_port(&r, 0);
	put_addr(&r, dst, addr_len == 4 ? 4 : 6);
	zb_row_port(&r, 0);
	put_tail(w, &r, name, NULL);
}

void zb_weird_net(struct zb_weird *w, enum zb_weird_name name)
{
	struct zb_row r;

	if (!count_it(w, name))
		return;
	/* Nobody to tell them apart by: the name alone is muted. */
	if (!first_time(w, what_of(w, name, "", 0), MUTE_NS))
		return;
	if (!zb_log_row(w->port, 64, &r))
		return;
	zb_row_time(&r, w->now_ns);
	for (unsigned i = 0; i < 5; i++)
		zb_row_unset(&r);
	put_tail(w, &r, name, NULL);
}

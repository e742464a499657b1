/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_hello.c - client and server hello with their extensions; see tls_priv.h
 *
 * RFC 5246 7.4.1, RFC 8446 4.1 and 4.2, RFC 6347 4.2.1. What an extension tells counts even when a
 * later one is malformed; the hello itself then does not (Zeek: tls-handshake-protocol).
 */
#include <stdio.h>
#include <string.h>

#include "pipeline/analyzers/tls_memo.h"
#include "pipeline/analyzers/tls_priv.h"

#define SID_BYTES      32
#define NAME_MAX_BYTES 4096 /* Zeek: Log::default_max_field_string_bytes */

enum {
	EXT_SERVER_NAME = 0,
	EXT_GROUPS = 10,
	EXT_POINT_FORMATS = 11,
	EXT_ALPN = 16,
	EXT_TICKET = 35,
	EXT_KEY_SHARE_OLD = 40,
	EXT_PRE_SHARED_KEY = 41,
	EXT_VERSIONS = 43,
	EXT_PSK_MODES = 45,
	EXT_KEY_SHARE = 51,
};

/* RFC 8446 4.1.3: the random of a hello retry request. */
static const uint8_t retry_random[32] = {
	0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
	0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
	0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

static bool is_known_version(uint16_t v)
{
	switch (v) {
	case ZB_TLS_SSL2:
	case ZB_TLS_SSL3:
	case ZB_TLS_1_0:
	case ZB_TLS_1_1:
	case ZB_TLS_1_2:
	case ZB_DTLS_1_0:
	case ZB_DTLS_1_2:
	case ZB_DTLS_1_3: return true;
	default: return zb_tls_is_1_3(v);
	}
}

static void set_version(struct zb_tls *t, uint16_t v)
{
	t->version = v;
	t->flags |= ZB_TLS_HAS_VERSION;
}

static void set_curve(struct zb_tls *t, uint32_t curve)
{
	t->curve = (uint16_t)curve;
	t->flags |= ZB_TLS_HAS_CURVE;
}

static bool server_names(struct zb_tls *t, bool is_client, struct zb_tls_in *in)
{
	struct zb_tls_in list = zb_tls_sub(in, zb_tls_int(in, 2)), first = {0}, name;
	unsigned nr = 0;

	while (list.n != 0) {
		uint32_t type = zb_tls_int(&list, 1);

		if (type != 0) {
			char addl[8];

			snprintf(addl, sizeof(addl), "%u", type & 0xff);
			zb_analyzer_weird(&t->a, ZB_WEIRD_ssl_ext_unknown_server_name_type, addl);
			break;
		}
		name = zb_tls_sub(&list, zb_tls_int(&list, 2));
		if (list.bad)
			return false;
		if (nr++ == 0)
			first = name;
	}
	if (in->bad)
		return false;
	if (nr != 0 && is_client) {
		zb_tls_buf_set(t, &t->name, first.p,
			       first.n < NAME_MAX_BYTES ? first.n : NAME_MAX_BYTES);
		if (nr > 1)
			zb_analyzer_weird(&t->a, ZB_WEIRD_SSL_many_server_names, NULL);
	}
	return true;
}

static bool protocols(struct zb_tls *t, bool is_client, struct zb_tls_in *in)
{
	struct zb_tls_in list = zb_tls_sub(in, zb_tls_int(in, 2)), first = {0}, name;
	unsigned nr = 0;

	while (list.n != 0) {
		name = zb_tls_sub(&list, zb_tls_int(&list, 1));
		if (nr++ == 0)
			first = name;
	}
	if (in->bad || list.bad)
		return false;
	if (nr != 0 && !is_client)
		zb_tls_buf_set(t, &t->alpn, first.p, first.n);
	return true;
}

/* in_client_hello: by the message, while is_client is who sends. */
static bool key_share(struct zb_tls *t, bool is_client, bool in_client_hello, struct zb_tls_in *in)
{
	struct zb_tls_in list;
	uint32_t group = 0;
	unsigned nr = 0;

	if (!in_client_hello) {
		bool is_retry = in->n == 2;

		group = zb_tls_int(in, 2);
		if (!is_retry)
			zb_tls_sub(in, zb_tls_int(in, 2));
		if (!in->bad && !is_client)
			set_curve(t, group);
		return !in->bad;
	}
	list = zb_tls_sub(in, zb_tls_int(in, 2));
	while (list.n != 0) {
		group = zb_tls_int(&list, 2);
		zb_tls_sub(&list, zb_tls_int(&list, 2));
		nr++;
	}
	if (in->bad || list.bad)
		return false;
	/* Crossed roles: what a server offers once is what it chose. */
	if (!is_client && nr == 1)
		set_curve(t, group);
	return true;
}

static bool versions(struct zb_tls *t, bool is_client, struct zb_tls_in *in)
{
	uint16_t v;

	if (is_client) {
		struct zb_tls_in list = zb_tls_sub(in, zb_tls_int(in, 1));

		return !in->bad && list.n % 2 == 0;
	}
	v = (uint16_t)zb_tls_int(in, 2);
	if (in->bad)
		return false;
	/* The first version a server names is the one that decides how messages are read. */
	if (t->negotiated == 0)
		t->negotiated = v;
	set_version(t, v);
	return true;
}

static bool pre_shared_keys(bool in_client_hello, struct zb_tls_in *in)
{
	struct zb_tls_in list;

	if (!in_client_hello) {
		zb_tls_int(in, 2);
		return !in->bad;
	}
	list = zb_tls_sub(in, zb_tls_int(in, 2));
	while (list.n != 0) {
		zb_tls_sub(&list, zb_tls_int(&list, 2));
		zb_tls_int(&list, 4);
	}
	if (in->bad || list.bad)
		return false;
	list = zb_tls_sub(in, zb_tls_int(in, 2));
	while (list.n != 0)
		zb_tls_sub(&list, zb_tls_int(&list, 1));
	return !in->bad && !list.bad;
}

/* The parts of an extension that are understood; an empty one is never malformed. */
static bool extension(struct zb_tls *t, bool is_client, bool in_client_hello, uint32_t type,
		      struct zb_tls_in in)
{
	if (in.n == 0)
		return true;
	switch (type) {
	case EXT_SERVER_NAME: return server_names(t, is_client, &in);
	case EXT_ALPN: return protocols(t, is_client, &in);
	case EXT_KEY_SHARE:
	case EXT_KEY_SHARE_OLD: return key_share(t, is_client, in_client_hello, &in);
	case EXT_VERSIONS: return versions(t, is_client, &in);
	case EXT_PRE_SHARED_KEY: return pre_shared_keys(in_client_hello, &in);
	case EXT_GROUPS: zb_tls_sub(&in, zb_tls_int(&in, 2) & ~1u); return !in.bad;
	case EXT_POINT_FORMATS:
	case EXT_PSK_MODES: zb_tls_sub(&in, zb_tls_int(&in, 1)); return !in.bad;
	default: return true;
	}
}

/* That an extension is there at all. */
static void extension_seen(struct zb_tls *t, bool is_client, uint32_t type, size_t n)
{
	zb_tls_seen(t);
	if (type == EXT_TICKET && is_client && n != 0)
		t->flags |= ZB_TLS_TICKET;
	if (type != EXT_PRE_SHARED_KEY)
		return;
	if (is_client)
		t->flags |= ZB_TLS_PSK;
	else if (t->flags & ZB_TLS_PSK)
		t->flags |= ZB_TLS_RESUMED;
}

/* All that is left of a hello; the length in front is not relied on, nor need it be there. */
static bool extensions(struct zb_tls *t, unsigned side, bool in_client_hello, struct zb_tls_in *in)
{
	bool is_client = zb_tls_is_client(t, side);

	if (in->n != 0)
		zb_tls_int(in, 2);
	while (in->n != 0) {
		uint32_t type = zb_tls_int(in, 2);
		struct zb_tls_in data = zb_tls_sub(in, zb_tls_int(in, 2));

		if (in->bad || !extension(t, is_client, in_client_hello, type, data))
			return false;
		extension_seen(t, is_client, type, data.n);
	}
	return !in->bad;
}

void zb_tls_client_session(struct zb_tls *t, const uint8_t *sid, size_t n)
{
	uint8_t padded[SID_BYTES] = {0};
	static const uint8_t none[SID_BYTES];

	zb_tls_seen(t);
	if (n != 0 && n <= SID_BYTES)
		memcpy(padded, sid, n);
	if (memcmp(padded, none, SID_BYTES) == 0)
		return;
	memcpy(t->sid, padded, SID_BYTES);
	t->flags |= ZB_TLS_HAS_SID;
	t->flags &= ~(uint32_t)ZB_TLS_TICKET;
}

void zb_tls_server_session(struct zb_tls *t, uint16_t version, const uint8_t *sid, size_t n)
{
	uint8_t padded[SID_BYTES] = {0};

	zb_tls_seen(t);
	if (!(t->flags & ZB_TLS_HAS_VERSION))
		set_version(t, version);
	t->flags |= ZB_TLS_HAS_CIPHER;
	if (n != 0 && n <= SID_BYTES)
		memcpy(padded, sid, n);
	/* TLS 1.3 echoes the id for show. */
	if (t->flags & ZB_TLS_HAS_SID && memcmp(padded, t->sid, SID_BYTES) == 0 &&
	    !zb_tls_is_1_3(t->version))
		t->flags |= ZB_TLS_RESUMED;
}

bool zb_tls_client_hello(struct zb_tls *t, unsigned side, const uint8_t *d, size_t n)
{
	struct zb_tls_in in = {.p = d, .n = n}, sid;
	uint16_t version;

	zb_tls_direction(t, true, side);
	version = (uint16_t)zb_tls_int(&in, 2);
	zb_tls_sub(&in, 32);
	sid = zb_tls_sub(&in, zb_tls_int(&in, 1));
	if (version == ZB_DTLS_1_0 || version == ZB_DTLS_1_2)
		zb_tls_sub(&in, zb_tls_int(&in, 1)); /* cookie */
	zb_tls_sub(&in, zb_tls_int(&in, 2) & ~1u);
	zb_tls_sub(&in, zb_tls_int(&in, 1));
	if (in.bad || !extensions(t, side, true, &in))
		return false;
	if (is_known_version(version)) {
		zb_analyzer_confirm(&t->a);
	} else {
		zb_tls_violate(t);
		zb_tls_stop(t);
	}
	zb_tls_client_session(t, sid.p, sid.n);
	if (!(t->flags & ZB_TLS_HAS_JA3))
		zb_tls_print_client(t, zb_tls_memo(zb_analyzer_analysis(&t->a)), d, n);
	return true;
}

bool zb_tls_server_hello(struct zb_tls *t, unsigned side, const uint8_t *d, size_t n)
{
	struct zb_tls_in in = {.p = d, .n = n}, random, sid = {0};
	uint16_t version;
	uint32_t cipher;

	zb_tls_direction(t, false, side);
	version = (uint16_t)zb_tls_int(&in, 2);
	random = zb_tls_sub(&in, sizeof(retry_random));
	/* Drafts of TLS 1.3 that name it here have no session id and no compression. */
	if (version == ZB_TLS_1_3 || version >> 8 == 0x7f) {
		cipher = zb_tls_int(&in, 2);
	} else {
		sid = zb_tls_sub(&in, zb_tls_int(&in, 1));
		cipher = zb_tls_int(&in, 2);
		zb_tls_int(&in, 1);
	}
	if (in.bad || !extensions(t, side, false, &in))
		return false;
	if (t->negotiated == 0)
		t->negotiated = version;
	if (!is_known_version(version)) {
		zb_tls_violate(t);
		zb_tls_stop(t);
	}
	t->cipher = cipher;
	zb_tls_server_session(t, version, sid.p, sid.n);
	if (memcmp(random.p, retry_random, sizeof(retry_random)) == 0)
		t->flags |= ZB_TLS_RETRY;
	else if (!(t->flags & ZB_TLS_HAS_JA3S))
		zb_tls_print_server(t, d, n);
	return true;
}

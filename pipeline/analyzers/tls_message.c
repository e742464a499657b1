/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_message.c - handshake messages: what each tells, certificates and stapled OCSP responses as
 * files; see tls_priv.h
 *
 * RFC 5246 7.4, RFC 4492 5.4 (server key exchange), RFC 6066 8 (certificate status).
 */
#include <string.h>

#include "pipeline/analyzers/tls_priv.h"
#include "pipeline/analyzers/x509.h"
#include "pipeline/file.h"

enum {
	HELLO_REQUEST = 0,
	CLIENT_HELLO = 1,
	SERVER_HELLO = 2,
	HELLO_VERIFY_REQUEST = 3,
	SESSION_TICKET = 4,
	CERTIFICATE = 11,
	SERVER_KEY_EXCHANGE = 12,
	CERTIFICATE_REQUEST = 13,
	SERVER_HELLO_DONE = 14,
	CERTIFICATE_VERIFY = 15,
	CLIENT_KEY_EXCHANGE = 16,
	FINISHED = 20,
	CERTIFICATE_URL = 21,
	CERTIFICATE_STATUS = 22,
};

/* Letters of ssl_history by message type; 0 is 'z'. */
static const char letters[256] = {
	[HELLO_REQUEST] = 'h',
	[CLIENT_HELLO] = 'c',
	[SERVER_HELLO] = 's',
	[HELLO_VERIFY_REQUEST] = 'v',
	[SESSION_TICKET] = 't',
	[5] = 'e', /* end of early data */
	[6] = 'j', /* hello retry request, in drafts of TLS 1.3 */
	[8] = 'o', /* encrypted extensions */
	[CERTIFICATE] = 'x',
	[SERVER_KEY_EXCHANGE] = 'k',
	[CERTIFICATE_REQUEST] = 'r',
	[SERVER_HELLO_DONE] = 'n',
	[CERTIFICATE_VERIFY] = 'y',
	[CLIENT_KEY_EXCHANGE] = 'g',
	[FINISHED] = 'f',
	[CERTIFICATE_URL] = 'w',
	[CERTIFICATE_STATUS] = 'u',
	[23] = 'a',  /* supplemental data */
	[24] = 'p',  /* key update */
	[254] = 'm', /* message hash */
};

static const char *source_of(const struct zb_tls *t)
{
	return t->flags & ZB_TLS_IS_DTLS ? "DTLS" : "SSL";
}

static bool chain_add(struct zb_tls *t, struct zb_tls_chain *c, const uint8_t sha256[32])
{
	struct zb_mem *mem = &zb_analyzer_analysis(&t->a)->mem;

	if (c->nr == ZB_TLS_CHAIN_MAX) {
		zb_mem_shed(mem, ZB_MEM_tls);
		return false;
	}
	if (c->nr == c->room) {
		uint32_t room = c->room != 0 ? c->room * 2 : 4;
		void *p = zb_mem_resize(mem, ZB_MEM_tls, c->sha256, (size_t)c->room * 32,
					(size_t)room * 32);

		if (p == NULL) {
			zb_mem_shed(mem, ZB_MEM_tls);
			return false;
		}
		c->sha256 = p;
		c->room = room;
	}
	memcpy(c->sha256[c->nr++], sha256, 32);
	return true;
}

/* What counts is the server's first certificate and the name that the client asked for. */
static void match_name(struct zb_tls *t, const uint8_t *d, size_t n)
{
	t->flags |= ZB_TLS_SNI_DONE;
	if (n == 0 || t->name.p == NULL)
		return;
	t->flags |= ZB_TLS_HAS_SNI_MATCH;
	if (zb_x509_is_for_host(d, n, (const char *)t->name.p, t->name.n))
		t->flags |= ZB_TLS_SNI_MATCHES;
}

void zb_tls_certificate(struct zb_tls *t, unsigned side, unsigned index, const uint8_t *d, size_t n)
{
	bool is_client = zb_tls_is_client(t, side), have;
	const struct zb_file_conf conf = {
		.source = source_of(t),
		.mime = index == 0 ? "application/x-x509-user-cert" : "application/x-x509-ca-cert",
		.total_bytes = ZB_FILE_SIZE_UNSET,
		.is_orig = is_client,
		.no_log = true,
	};
	struct zb_file *f;
	uint8_t sha256[32];
	size_t der;

	if (n == 0) {
		zb_analyzer_weird(&t->a, ZB_WEIRD_zero_length_certificate, NULL);
		return;
	}
	f = zb_file_begin(&t->a, &conf);
	zb_file_data(f, d, n);
	/* The fingerprint is of the certificate as such, not of what may trail it. */
	der = zb_x509_size(d, n);
	have = der == n && zb_file_sha256(f, sha256);
	zb_file_end(f);
	/* A certificate before anything else has no session that it could belong to. */
	if (!(t->flags & ZB_TLS_SEEN))
		return;
	t->flags |= ZB_TLS_HAS_CERTS;
	if (!is_client && !(t->flags & ZB_TLS_SNI_DONE))
		match_name(t, d, der);
	if (der == 0)
		return;
	if (!have)
		zb_tls_sha256(d, der, sha256);
	chain_add(t, &t->chain[is_client], sha256);
}

static bool certificates(struct zb_tls *t, unsigned side, struct zb_tls_in *in)
{
	struct zb_tls_in list = zb_tls_sub(in, zb_tls_int(in, 3)), all = list, one;

	while (list.n != 0)
		zb_tls_sub(&list, zb_tls_int(&list, 3));
	if (in->bad || list.bad)
		return false;
	for (unsigned i = 0; all.n != 0; i++) {
		one = zb_tls_sub(&all, zb_tls_int(&all, 3));
		zb_tls_certificate(t, side, i, one.p, one.n);
	}
	return true;
}

static bool certificate_status(struct zb_tls *t, struct zb_tls_in *in)
{
	const struct zb_file_conf conf = {
		.source = source_of(t),
		.mime = "application/ocsp-response",
		.total_bytes = ZB_FILE_SIZE_UNSET,
	};
	uint32_t type = zb_tls_int(in, 1);
	struct zb_file *f;

	zb_tls_int(in, 3);
	if (in->bad)
		return false;
	if (in->n == 0) {
		zb_analyzer_weird(&t->a, ZB_WEIRD_SSL_zero_length_stapled_OCSP_message, NULL);
	} else if (type == 1) {
		f = zb_file_begin(&t->a, &conf);
		zb_file_data(f, in->p, in->n);
		zb_file_end(f);
	}
	return true;
}

/* From TLS 1.2 on the algorithm of a signature is named. */
static bool names_algorithm(const struct zb_tls *t)
{
	return t->negotiated > ZB_TLS_1_1 && t->negotiated != ZB_DTLS_1_0;
}

static bool signature(const struct zb_tls *t, struct zb_tls_in *in)
{
	if (names_algorithm(t))
		zb_tls_int(in, 2);
	zb_tls_sub(in, zb_tls_int(in, 2));
	return !in->bad;
}

enum exchange {
	EXCHANGE_OTHER,
	EXCHANGE_ECDHE,
	EXCHANGE_ECDH_ANON,
	EXCHANGE_DHE,
	EXCHANGE_DH_ANON
};

/* How the server's share is written, by the cipher's name; newer drafts and PSK ones are not. */
static enum exchange exchange_of(uint32_t cipher)
{
	char room[ZB_TLS_NAME_MAX + 1];
	const char *name;

	if (cipher > 0xcc00 && (cipher < 0xcca8 || cipher > 0xccaa))
		return EXCHANGE_OTHER;
	name = zb_tls_cipher_name(cipher, room);
	if (strncmp(name, "TLS_ECDHE_", 10) == 0)
		return EXCHANGE_ECDHE;
	if (strncmp(name, "TLS_ECDH_ANON_", 14) == 0)
		return EXCHANGE_ECDH_ANON;
	if (strncmp(name, "TLS_DHE_", 8) == 0 || strncmp(name, "TLS_PSK_DHE_", 12) == 0)
		return EXCHANGE_DHE;
	if (strncmp(name, "TLS_DH_ANON_", 12) == 0)
		return EXCHANGE_DH_ANON;
	return EXCHANGE_OTHER;
}

static bool server_key_exchange(struct zb_tls *t, struct zb_tls_in *in)
{
	enum exchange e = t->flags & ZB_TLS_HAS_CIPHER ? exchange_of(t->cipher) : EXCHANGE_OTHER;
	uint32_t curve;

	switch (e) {
	case EXCHANGE_ECDHE:
	case EXCHANGE_ECDH_ANON:
		if (zb_tls_int(in, 1) != 3) /* a named curve */
			return !in->bad;
		curve = zb_tls_int(in, 2);
		zb_tls_sub(in, zb_tls_int(in, 1));
		if (in->bad || (e == EXCHANGE_ECDHE && !signature(t, in)))
			return false;
		zb_tls_seen(t);
		t->curve = (uint16_t)curve;
		t->flags |= ZB_TLS_HAS_CURVE;
		return true;
	case EXCHANGE_DHE:
	case EXCHANGE_DH_ANON:
		for (unsigned i = 0; i < 3; i++)
			zb_tls_sub(in, zb_tls_int(in, 2));
		return !in->bad && (e == EXCHANGE_DH_ANON || signature(t, in));
	default: return true;
	}
}

static bool certificate_request(const struct zb_tls *t, struct zb_tls_in *in)
{
	struct zb_tls_in list;

	zb_tls_sub(in, zb_tls_int(in, 1));
	if (names_algorithm(t))
		zb_tls_sub(in, zb_tls_int(in, 2));
	list = zb_tls_sub(in, zb_tls_int(in, 2));
	while (list.n != 0)
		zb_tls_sub(&list, zb_tls_int(&list, 2));
	return !in->bad && !list.bad;
}

static bool body(struct zb_tls *t, unsigned side, uint8_t type, struct zb_tls_in *in)
{
	switch (type) {
	case HELLO_REQUEST: zb_tls_direction(t, false, side); return true;
	case CLIENT_HELLO: return zb_tls_client_hello(t, side, in->p, in->n);
	case SERVER_HELLO: return zb_tls_server_hello(t, side, in->p, in->n);
	case HELLO_VERIFY_REQUEST:
		zb_tls_int(in, 2);
		zb_tls_sub(in, zb_tls_int(in, 1));
		return !in->bad;
	case SESSION_TICKET: zb_tls_int(in, 4); return !in->bad;
	case CERTIFICATE: return certificates(t, side, in);
	case SERVER_KEY_EXCHANGE: return server_key_exchange(t, in);
	case CERTIFICATE_REQUEST: return certificate_request(t, in);
	case CERTIFICATE_STATUS: return certificate_status(t, in);
	case SERVER_HELLO_DONE:
	case CERTIFICATE_VERIFY:
	case CLIENT_KEY_EXCHANGE:
	case FINISHED:
	case CERTIFICATE_URL: return true;
	default: zb_tls_violate(t); return true;
	}
}

void zb_tls_message(struct zb_tls *t, unsigned side, uint8_t type, const uint8_t *d, size_t n)
{
	struct zb_tls_in in = {.p = d, .n = n};
	char letter = letters[type] != 0 ? letters[type] : 'z';
	bool is_client;

	if (!body(t, side, type, &in)) {
		zb_tls_violate(t);
		return;
	}
	is_client = zb_tls_is_client(t, side);
	if (is_client && type == CLIENT_KEY_EXCHANGE)
		t->flags |= ZB_TLS_KEY_EXCHANGE;
	if (type == SERVER_HELLO && t->flags & ZB_TLS_RETRY) {
		t->flags &= ~(uint32_t)ZB_TLS_RETRY;
		letter = 'j';
	}
	zb_tls_history(t, is_client, letter);
}

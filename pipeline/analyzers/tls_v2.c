/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_v2.c - messages of SSLv2, whose client hello may also open a later version; see tls_priv.h
 *
 * The header is two bytes of length; of the message, type and two more bytes are in head.
 */
#include "pipeline/analyzers/tls_priv.h"

enum { V2_ERROR = 0, V2_CLIENT_HELLO = 1, V2_CLIENT_MASTER_KEY = 2, V2_SERVER_HELLO = 4 };

static bool client_hello(struct zb_tls *t, struct zb_tls_in *in)
{
	uint32_t ciphers = zb_tls_int(in, 2), session = zb_tls_int(in, 2),
		 challenge = zb_tls_int(in, 2);
	struct zb_tls_in sid;

	zb_tls_sub(in, ciphers);
	sid = zb_tls_sub(in, session);
	zb_tls_sub(in, challenge);
	if (in->bad)
		return false;
	zb_analyzer_confirm(&t->a);
	zb_tls_client_session(t, sid.p, sid.n);
	zb_tls_history(t, true, 'c');
	return true;
}

static bool server_hello(struct zb_tls *t, unsigned side, struct zb_tls_in *in)
{
	uint32_t version = zb_tls_int(in, 2), cert_n = zb_tls_int(in, 2),
		 ciphers_n = zb_tls_int(in, 2), id_n = zb_tls_int(in, 2);
	struct zb_tls_in cert = zb_tls_sub(in, cert_n), ciphers = zb_tls_sub(in, ciphers_n);

	zb_tls_sub(in, id_n);
	if (in->bad)
		return false;
	if (version != ZB_TLS_SSL2) {
		zb_tls_violate(t);
		zb_tls_stop(t);
		return true;
	}
	t->cipher = ciphers_n >= 3 ? zb_tls_int(&ciphers, 3) : 0;
	zb_tls_server_session(t, ZB_TLS_SSL2, NULL, 0);
	zb_tls_history(t, false, 's');
	zb_tls_certificate(t, side, 0, cert.p, cert.n);
	return true;
}

static bool master_key(struct zb_tls *t, struct zb_tls_in *in)
{
	uint32_t n;

	zb_tls_int(in, 1); /* the cipher's last byte */
	n = zb_tls_int(in, 2);
	n += zb_tls_int(in, 2);
	n += zb_tls_int(in, 2);
	zb_tls_sub(in, n);
	if (in->bad)
		return false;
	t->flags |= ZB_TLS_CIPHERED_ORIG | ZB_TLS_CIPHERED_RESP;
	zb_tls_established(t);
	return true;
}

static bool message(struct zb_tls *t, unsigned side, const uint8_t head[5], struct zb_tls_in *in)
{
	switch (head[2]) {
	case V2_ERROR:
		zb_tls_history(t, zb_tls_is_client(t, side), 'l');
		t->alert = (uint16_t)(head[3] << 8 | head[4]);
		t->flags |= ZB_TLS_HAS_ALERT;
		return true;
	case V2_CLIENT_HELLO: return client_hello(t, in);
	case V2_CLIENT_MASTER_KEY: return master_key(t, in);
	case V2_SERVER_HELLO: return server_hello(t, side, in);
	default: return false;
	}
}

bool zb_tls_v2_record(struct zb_tls *t, unsigned side, const uint8_t head[5], const uint8_t *d,
		      size_t n)
{
	struct zb_tls_in in = {.p = d, .n = n};
	bool ok;

	if (t->flags & zb_tls_ciphered(side)) {
		zb_tls_cipher_record(t, side);
		return true;
	}
	ok = message(t, side, head, &in);
	if (ok)
		zb_tls_seen(t);
	return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* tls_record.c - what complete records other than handshake messages do; see tls_priv.h */
#include <stdio.h>

#include "pipeline/analyzers/tls_priv.h"

#define ALERTS_MAX 10 /* in a record (Zeek: SSL::max_alerts_per_record) */

bool zb_tls_is_cipher_record(struct zb_tls *t, unsigned side, unsigned type)
{
	if (t->flags & zb_tls_ciphered(side))
		return true;
	if (type != ZB_TLS_APPLICATION_DATA)
		return false;
	/* From TLS 1.3 on application data are encrypted, and nothing need announce that. */
	switch (t->negotiated) {
	case ZB_TLS_SSL2:
	case ZB_TLS_SSL3:
	case ZB_TLS_1_0:
	case ZB_TLS_1_1:
	case ZB_TLS_1_2: return false;
	default: t->flags |= zb_tls_ciphered(side); return true;
	}
}

void zb_tls_cipher_record(struct zb_tls *t, unsigned side)
{
	uint32_t both = ZB_TLS_CIPHERED_ORIG | ZB_TLS_CIPHERED_RESP;

	(void)side;
	if ((t->flags & both) == both && !(t->flags & ZB_TLS_ESTABLISHED))
		zb_tls_established(t);
}

static void change_cipher_spec(struct zb_tls *t, unsigned side)
{
	bool is_client = zb_tls_is_client(t, side);

	/* In TLS 1.3 it means nothing. */
	if (!zb_tls_is_1_3(t->negotiated))
		t->flags |= zb_tls_ciphered(side);
	zb_tls_history(t, is_client, 'i');
	/* A ticket taken without a new key exchange: resumed (RFC 5077). */
	if (is_client && t->flags & ZB_TLS_TICKET && !(t->flags & ZB_TLS_KEY_EXCHANGE))
		t->flags |= ZB_TLS_RESUMED;
}

static void alerts(struct zb_tls *t, unsigned side, const uint8_t *d, size_t n)
{
	size_t most = zb_tls_is_1_3(t->negotiated) ? 2 : 2 * ALERTS_MAX;

	if (n > most) {
		char addl[24];

		snprintf(addl, sizeof(addl), "%zu", n / 2);
		zb_analyzer_weird(&t->a, ZB_WEIRD_SSL_excessive_alerts_in_record, addl);
		n = most;
	}
	for (; n >= 2; d += 2, n -= 2) {
		zb_tls_history(t, zb_tls_is_client(t, side), 'l');
		t->alert = d[1];
		t->flags |= ZB_TLS_HAS_ALERT;
	}
	if (n != 0)
		zb_tls_violate(t);
}

void zb_tls_plain_record(struct zb_tls *t, unsigned side, unsigned type, const uint8_t *d, size_t n)
{
	switch (type) {
	case ZB_TLS_CCS:
		/* A byte each; what follows the first is encrypted, but for TLS 1.3. */
		change_cipher_spec(t, side);
		if (n > 1 && t->flags & zb_tls_ciphered(side))
			zb_tls_cipher_record(t, side);
		break;
	case ZB_TLS_ALERT: alerts(t, side, d, n); break;
	case ZB_TLS_HEARTBEAT:
		if (n < 3)
			zb_tls_violate(t);
		else
			zb_tls_history(t, zb_tls_is_client(t, side), 'b');
		break;
	case ZB_TLS_APPLICATION_DATA: break;
	default: zb_tls_violate(t); break;
	}
}

void zb_tls_record_done(struct zb_tls *t, unsigned type)
{
	zb_tls_seen(t);
	if (type == ZB_TLS_APPLICATION_DATA && t->flags & ZB_TLS_HAS_VERSION &&
	    !(t->flags & ZB_TLS_ESTABLISHED))
		zb_analyzer_weird(&t->a, ZB_WEIRD_ssl_early_application_data, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* ssl_log.c - ssl.log: fields and rows (Zeek: base/protocols/ssl; ja3, ja3s and ja4 are ours) */
#include <string.h>

#include "pipeline/analyzers/tls_priv.h"
#include "pipeline/row_id.h"

static const struct zb_row_field fields[] = {
	{"ts", ZB_T_TIME},
	ZB_ROW_ID_FIELDS,
	{"version", ZB_T_STRING},
	{"cipher", ZB_T_STRING},
	{"curve", ZB_T_STRING},
	{"server_name", ZB_T_STRING},
	{"resumed", ZB_T_BOOL},
	{"last_alert", ZB_T_STRING},
	{"next_protocol", ZB_T_STRING},
	{"established", ZB_T_BOOL},
	{"ssl_history", ZB_T_STRING},
	{"cert_chain_fps", ZB_T_VECTOR_STRING},
	{"client_cert_chain_fps", ZB_T_VECTOR_STRING},
	{"sni_matches_cert", ZB_T_BOOL},
	{"ja3", ZB_T_STRING},
	{"ja3s", ZB_T_STRING},
	{"ja4", ZB_T_STRING},
};
const struct zb_row_def zb_ssl_log_def = {
	.path = "ssl",
	.fields = fields,
	.field_nr = sizeof(fields) / sizeof(fields[0]),
};

#define FIXED_STRING_BYTES 512 /* names, history and fingerprints of hellos together */

static void hex(char *out, const uint8_t *d, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = "0123456789abcdef"[d[i] >> 4];
		out[2 * i + 1] = "0123456789abcdef"[d[i] & 15];
	}
}

static void put_text(struct zb_row *r, bool is_set, const char *text)
{
	if (is_set)
		zb_row_string(r, text, strlen(text));
	else
		zb_row_unset(r);
}

static void put_buf(struct zb_row *r, const struct zb_tls_buf *b)
{
	if (b->p != NULL)
		zb_row_string(r, (const char *)b->p, b->n);
	else
		zb_row_unset(r);
}

static void put_chain(struct zb_row *r, const struct zb_tls *t, const struct zb_tls_chain *c)
{
	char text[ZB_TLS_CHAIN_MAX][64];
	const char *s[ZB_TLS_CHAIN_MAX];
	size_t len[ZB_TLS_CHAIN_MAX];

	if (!(t->flags & ZB_TLS_HAS_CERTS)) {
		zb_row_unset(r);
		return;
	}
	for (uint32_t i = 0; i < c->nr; i++) {
		hex(text[i], c->sha256[i], 32);
		s[i] = text[i];
		len[i] = sizeof(text[i]);
	}
	zb_row_strings(r, s, len, c->nr);
}

static void put_md5(struct zb_row *r, bool is_set, const uint8_t md5[16])
{
	char text[32];

	if (!is_set) {
		zb_row_unset(r);
		return;
	}
	hex(text, md5, 16);
	zb_row_word(r, text, sizeof(text));
}

static void put_flag(struct zb_row *r, const struct zb_tls *t, enum zb_tls_flag flag)
{
	zb_row_bool(r, (t->flags & (uint32_t)flag) != 0);
}

void zb_tls_log(struct zb_tls *t)
{
	uint32_t has = t->flags;
	char room[ZB_TLS_NAME_MAX + 1];
	struct zb_row r;
	size_t bytes = FIXED_STRING_BYTES + t->name.n + t->alpn.n +
		       64 * (size_t)(t->chain[0].nr + t->chain[1].nr);

	if (!zb_analyzer_row(&t->a, ZB_LOG_SSL, t->ts_ns, bytes, &r))
		return;
	put_text(&r, has & ZB_TLS_HAS_VERSION, zb_tls_version_name(t->version, room));
	put_text(&r, has & ZB_TLS_HAS_CIPHER, zb_tls_cipher_name(t->cipher, room));
	put_text(&r, has & ZB_TLS_HAS_CURVE, zb_tls_curve_name(t->curve, room));
	put_buf(&r, &t->name);
	put_flag(&r, t, ZB_TLS_RESUMED);
	put_text(&r, has & ZB_TLS_HAS_ALERT, zb_tls_alert_name(t->alert, room));
	put_buf(&r, &t->alpn);
	put_flag(&r, t, ZB_TLS_ESTABLISHED);
	zb_row_string(&r, t->history, t->history_len);
	put_chain(&r, t, &t->chain[0]);
	put_chain(&r, t, &t->chain[1]);
	if (has & ZB_TLS_HAS_SNI_MATCH)
		put_flag(&r, t, ZB_TLS_SNI_MATCHES);
	else
		zb_row_unset(&r);
	put_md5(&r, has & ZB_TLS_HAS_JA3, t->ja3);
	put_md5(&r, has & ZB_TLS_HAS_JA3S, t->ja3s);
	if (has & ZB_TLS_HAS_JA3)
		zb_row_word(&r, t->ja4, sizeof(t->ja4));
	else
		zb_row_unset(&r);
	zb_analyzer_row_end(&t->a, ZB_LOG_SSL, &r);
}

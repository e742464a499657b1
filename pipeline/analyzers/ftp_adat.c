/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ftp_adat.c - security tokens after AUTH GSSAPI (RFC 2228): those of GridFTP are TLS records
 *
 * Tokens come in base64, from the client as ADAT, from the server in replies. When the handshake
 * that they make is complete, it is GridFTP.
 */
#include <string.h>

#include "pipeline/analyzers/ftp_priv.h"

/* Writes at most 3/4 of t.n bytes; -1: it is not base64. */
static int64_t decode(struct zb_text t, uint8_t *out)
{
	uint32_t bits = 0;
	unsigned have = 0;
	int64_t n = 0;

	for (size_t i = 0; i < t.n && t.d[i] != '='; i++) {
		int v = zb_text_base64_digit(t.d[i]);

		if (v < 0)
			return -1;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = (uint8_t)(bits >> have);
		}
	}
	return n;
}

static void stop(struct ftp *f)
{
	zb_branch_close(f->adat);
	f->adat = NULL;
}

/* What the client sends first must be one whole TLS handshake record. */
static bool is_handshake(const uint8_t *d, int64_t n)
{
	return n >= 5 && d[0] == 0x16 && n - 5 == (d[3] << 8 | d[4]);
}

static void token(struct ftp *f, unsigned side, struct zb_text t)
{
	const struct zb_session *s = f->base.branch->session;
	uint8_t *d = zb_mem_get_raw(ftp_mem(f), ZB_MEM_analyzer, t.n);
	int64_t n;

	if (d == NULL) {
		zb_mem_shed(ftp_mem(f), ZB_MEM_analyzer);
		return;
	}
	n = decode(t, d);
	if (side == ZB_ORIG && !f->adat_begun) {
		if (n < 0)
			zb_analyzer_weird(&f->base, ZB_WEIRD_ftp_adat_bad_first_token_encoding,
					  NULL);
		if (!is_handshake(d, n)) {
			stop(f);
			n = -1;
		}
	}
	f->adat_begun |= side == ZB_ORIG;
	if (n > 0) {
		zb_branch_data(f->adat, side, d, (size_t)n);
		if (s->flags & ZB_SESSION_TLS && f->gss_said)
			zb_analyzer_add_service(&f->base, "gridftp");
	}
	zb_mem_put(ftp_mem(f), ZB_MEM_analyzer, d, t.n);
}

static void client_line(struct ftp *f, struct zb_text t)
{
	struct zb_text word = zb_text_word(&t);

	if (word.n <= 4 && memcmp(word.d, "ADAT", word.n) == 0)
		token(f, ZB_ORIG, t);
	else if (word.n <= 4 && memcmp(word.d, "AUTH", word.n) == 0)
		stop(f); /* it begins anew */
}

static void server_line(struct ftp *f, struct zb_text t)
{
	int code = zb_text_code(t);

	switch (code) {
	case 235: /* complete, perhaps with a last token */
	case 334:
	case 335:
		t = zb_text(t.d + 3, t.n - 3);
		if (t.n != 0 && *t.d == '-')
			t = zb_text(t.d + 1, t.n - 1);
		while (t.n != 0 && zb_text_is_blank(*t.d))
			t = zb_text(t.d + 1, t.n - 1);
		if (t.n >= 5 && memcmp(t.d, "ADAT=", 5) == 0)
			token(f, ZB_RESP, zb_text(t.d + 5, t.n - 5));
		if (code == 235)
			stop(f);
		break;
	case 232:
	case 234:
	case 421: /* refused */
	case 431:
	case 500:
	case 501:
	case 503:
	case 535:
	case 631: /* protected replies: it has succeeded */
	case 632:
	case 633: stop(f); break;
	default:;
	}
}

void ftp_adat_line(struct ftp *f, unsigned side, struct zb_text line)
{
	if (side == ZB_ORIG)
		client_line(f, line);
	else
		server_line(f, line);
}

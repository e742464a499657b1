/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_print.c - fingerprints of hellos: JA3, JA3S, JA4; see tls_priv.h
 *
 * JA3 (Salesforce): MD5 of the numbers of version, ciphers, extensions, groups and point formats,
 * in order; JA3S the same of the server's choice. JA4 (FoxIO, JA4 TLS client): what a reader can
 * see, and two SHA-256 of the sorted lists. GREASE values are left out of all of them.
 */
/* OpenSSL 3 deprecates what hashes without looking up and allocating a context each time. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/md5.h>
#include <openssl/sha.h>
#include <string.h>

#include "pipeline/analyzers/tls_memo.h"
#include "pipeline/analyzers/tls_priv.h"
#include "pipeline/text_char.h"
#include "profiler/row.h"

static_assert(ZB_TLS_JA4_BYTES <= ZB_TLS_MEMO_JA4, "a JA4 fits");

#define VALUES_MAX 256 /* of a list; a hello with longer ones has no fingerprint */

struct values {
	uint32_t nr;
	uint16_t v[VALUES_MAX];
};

struct hello {
	uint16_t version, best_version;
	bool has_name, too_long;
	struct values ciphers, extensions, groups, signatures;
	struct zb_tls_in points, alpn;
};

static void add(struct hello *h, struct values *l, uint32_t v)
{
	if (zb_tls_is_grease(v))
		return;
	if (l->nr == VALUES_MAX)
		h->too_long = true;
	else
		l->v[l->nr++] = (uint16_t)v;
}

static void add_all(struct hello *h, struct values *l, struct zb_tls_in in)
{
	while (in.n >= 2)
		add(h, l, zb_tls_int(&in, 2));
}

/* Of TLS the highest number is the latest, of DTLS the lowest. */
static void best_of(struct hello *h, struct zb_tls_in in)
{
	h->best_version = 0;
	while (in.n >= 2) {
		uint16_t v = (uint16_t)zb_tls_int(&in, 2), best = h->best_version;

		if (!zb_tls_is_grease(v) && (best == 0 || (v >> 8 == 0xfe ? v < best : v > best)))
			h->best_version = v;
	}
}

static void extension(struct hello *h, uint32_t type, struct zb_tls_in in)
{
	add(h, &h->extensions, type);
	switch (type) {
	case 0: h->has_name = true; break;
	case 10: add_all(h, &h->groups, zb_tls_sub(&in, zb_tls_int(&in, 2))); break;
	case 11: h->points = zb_tls_sub(&in, zb_tls_int(&in, 1)); break;
	case 13: add_all(h, &h->signatures, zb_tls_sub(&in, zb_tls_int(&in, 2))); break;
	case 16:
		zb_tls_int(&in, 2);
		h->alpn = zb_tls_sub(&in, zb_tls_int(&in, 1));
		break;
	case 43: best_of(h, zb_tls_sub(&in, zb_tls_int(&in, 1))); break;
	default: break;
	}
}

static void read_extensions(struct hello *h, struct zb_tls_in *in)
{
	if (in->n != 0)
		zb_tls_int(in, 2);
	while (in->n >= 4) {
		uint32_t type = zb_tls_int(in, 2);

		extension(h, type, zb_tls_sub(in, zb_tls_int(in, 2)));
	}
}

static void read_client(struct hello *h, struct zb_tls_in *in)
{
	h->version = h->best_version = (uint16_t)zb_tls_int(in, 2);
	zb_tls_sub(in, 32);
	zb_tls_sub(in, zb_tls_int(in, 1));
	if (h->version == ZB_DTLS_1_0 || h->version == ZB_DTLS_1_2)
		zb_tls_sub(in, zb_tls_int(in, 1));
	add_all(h, &h->ciphers, zb_tls_sub(in, zb_tls_int(in, 2)));
	zb_tls_sub(in, zb_tls_int(in, 1));
	read_extensions(h, in);
}

static char *put_list(char *at, const uint16_t *v, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (i != 0)
			*at++ = '-';
		at += zb_fmt_u64(at, v[i]);
	}
	return at;
}

void zb_tls_sha256(const void *d, size_t n, uint8_t out[32])
{
	SHA256_CTX c;

	SHA256_Init(&c);
	SHA256_Update(&c, d, n);
	SHA256_Final(out, &c);
}

static void md5(const char *text, const char *end, uint8_t out[16])
{
	MD5_CTX c;

	MD5_Init(&c);
	MD5_Update(&c, text, (size_t)(end - text));
	MD5_Final(out, &c);
}

static void ja3(struct zb_tls *t, const struct hello *h)
{
	char text[5 + 3 * (1 + 6 * VALUES_MAX) + 1 + 4 * 256], *at = text;

	at += zb_fmt_u64(at, h->version);
	*at++ = ',';
	at = put_list(at, h->ciphers.v, h->ciphers.nr);
	*at++ = ',';
	at = put_list(at, h->extensions.v, h->extensions.nr);
	*at++ = ',';
	at = put_list(at, h->groups.v, h->groups.nr);
	*at++ = ',';
	for (size_t i = 0; i < h->points.n; i++) {
		if (i != 0)
			*at++ = '-';
		at += zb_fmt_u64(at, h->points.p[i]);
	}
	md5(text, at, t->ja3);
}

static const char *version_letters(uint16_t v)
{
	switch (v) {
	case ZB_TLS_1_3: return "13";
	case ZB_TLS_1_2: return "12";
	case ZB_TLS_1_1: return "11";
	case ZB_TLS_1_0: return "10";
	case ZB_TLS_SSL3: return "s3";
	case ZB_TLS_SSL2: return "s2";
	case ZB_DTLS_1_0: return "d1";
	case ZB_DTLS_1_2: return "d2";
	case ZB_DTLS_1_3: return "d3";
	default: return "00";
	}
}

/* Lists are short and mostly sorted badly: by insertion, with a bound from VALUES_MAX. */
static void sort(struct values *l)
{
	for (uint32_t i = 1; i < l->nr; i++) {
		uint16_t v = l->v[i];
		uint32_t j = i;

		for (; j != 0 && l->v[j - 1] > v; j--)
			l->v[j] = l->v[j - 1];
		l->v[j] = v;
	}
}

static char *put_hex_byte(char *at, uint32_t v)
{
	at[0] = "0123456789abcdef"[v >> 4 & 15];
	at[1] = "0123456789abcdef"[v & 15];
	return at + 2;
}

static char *put_hex_list(char *at, const struct values *l)
{
	for (uint32_t i = 0; i < l->nr; i++) {
		if (i != 0)
			*at++ = ',';
		at = put_hex_byte(put_hex_byte(at, l->v[i] >> 8), l->v[i]);
	}
	return at;
}

/* The first twelve digits of a text's hash; of no text zeros. */
static char *put_hash(char *at, const char *text, const char *end)
{
	uint8_t sha256[32] = {0};

	if (end != text)
		zb_tls_sha256(text, (size_t)(end - text), sha256);
	for (unsigned i = 0; i < 6; i++)
		at = put_hex_byte(at, sha256[i]);
	return at;
}

static char *put_count(char *at, uint32_t nr)
{
	if (nr > 99)
		nr = 99;
	*at++ = (char)('0' + nr / 10);
	*at++ = (char)('0' + nr % 10);
	return at;
}

/* First and last letter of the first protocol offered, or of its hexadecimal form. */
static char *put_alpn(char *at, const struct zb_tls_in *alpn)
{
	uint8_t first, last;
	char hex[4];

	if (alpn->n == 0) {
		memcpy(at, "00", 2);
		return at + 2;
	}
	first = alpn->p[0];
	last = alpn->p[alpn->n - 1];
	if (zb_text_is_alnum(first) && zb_text_is_alnum(last)) {
		*at++ = (char)first;
		*at++ = (char)last;
	} else {
		put_hex_byte(put_hex_byte(hex, first), last);
		*at++ = hex[0];
		*at++ = hex[3];
	}
	return at;
}

/* Sorts h's lists, so nothing may need their order after it. */
static void ja4(struct zb_tls *t, struct hello *h)
{
	char text[2 * (1 + 5 * VALUES_MAX)], *at = t->ja4;
	struct values kept;
	char *end;

	kept.nr = 0;
	*at++ = t->flags & ZB_TLS_IS_DTLS ? 'd' : 't';
	memcpy(at, version_letters(h->best_version), 2);
	at += 2;
	*at++ = h->has_name ? 'd' : 'i';
	at = put_count(at, h->ciphers.nr);
	at = put_count(at, h->extensions.nr);
	at = put_alpn(at, &h->alpn);
	*at++ = '_';
	sort(&h->ciphers);
	at = put_hash(at, text, put_hex_list(text, &h->ciphers));
	*at++ = '_';
	for (uint32_t i = 0; i < h->extensions.nr; i++)
		if (h->extensions.v[i] != 0 && h->extensions.v[i] != 16)
			kept.v[kept.nr++] = h->extensions.v[i];
	sort(&kept);
	end = put_hex_list(text, &kept);
	if (h->extensions.nr != 0 && h->signatures.nr != 0) {
		*end++ = '_';
		end = put_hex_list(end, &h->signatures);
	}
	put_hash(at, text, end);
}

/* All that the fingerprints are made of. */
static void key_of(const struct zb_tls *t, const struct zb_tls_memo *m, const struct hello *h,
		   uint64_t key[2])
{
	const struct values *lists[] = {&h->ciphers, &h->extensions, &h->groups, &h->signatures};
	bool has_alpn = h->alpn.n != 0;
	struct {
		uint16_t version, best_version;
		uint8_t has_name, is_dtls, alpn[3], pad;
	} head = {
		.version = h->version,
		.best_version = h->best_version,
		.has_name = h->has_name,
		.is_dtls = (t->flags & ZB_TLS_IS_DTLS) != 0,
		.alpn = {has_alpn, has_alpn ? h->alpn.p[0] : 0,
			 has_alpn ? h->alpn.p[h->alpn.n - 1] : 0},
	};

	zb_tls_memo_key(m, key);
	zb_tls_memo_add(key, &head, sizeof(head));
	for (unsigned i = 0; i < 4; i++)
		zb_tls_memo_add(key, lists[i]->v, lists[i]->nr * (uint32_t)sizeof(uint16_t));
	zb_tls_memo_add(key, h->points.n != 0 ? h->points.p : (const uint8_t *)"",
			(uint32_t)h->points.n);
}

static void print(struct zb_tls *t, struct hello *h)
{
	ja3(t, h);
	ja4(t, h);
}

static void print_by_memo(struct zb_tls *t, struct zb_tls_memo *memo, struct hello *h)
{
	struct zb_tls_prints *e;
	uint64_t key[2];

	key_of(t, memo, h, key);
	e = zb_tls_memo_at(memo, key);
	if (!e->is_set) {
		print(t, h);
		memcpy(e->ja3, t->ja3, sizeof(e->ja3));
		memcpy(e->ja4, t->ja4, sizeof(t->ja4));
		e->is_set = true;
		return;
	}
	memcpy(t->ja3, e->ja3, sizeof(t->ja3));
	memcpy(t->ja4, e->ja4, sizeof(t->ja4));
}

void zb_tls_print_client(struct zb_tls *t, struct zb_tls_memo *memo, const uint8_t *d, size_t n)
{
	struct zb_tls_in in = {.p = d, .n = n};
	struct hello h;

	h.has_name = h.too_long = false;
	h.ciphers.nr = h.extensions.nr = h.groups.nr = h.signatures.nr = 0;
	h.points.n = h.alpn.n = 0;
	read_client(&h, &in);
	if (h.too_long)
		return;
	t->flags |= ZB_TLS_HAS_JA3;
	if (memo != NULL)
		print_by_memo(t, memo, &h);
	else
		print(t, &h);
}

void zb_tls_print_server(struct zb_tls *t, const uint8_t *d, size_t n)
{
	struct zb_tls_in in = {.p = d, .n = n};
	char text[16 + 6 * VALUES_MAX], *at = text;
	uint16_t version = (uint16_t)zb_tls_int(&in, 2), extensions[VALUES_MAX];
	uint32_t nr = 0;

	zb_tls_sub(&in, 32);
	if (version != ZB_TLS_1_3 && version >> 8 != 0x7f)
		zb_tls_sub(&in, zb_tls_int(&in, 1));
	at += zb_fmt_u64(at, version);
	*at++ = ',';
	at += zb_fmt_u64(at, zb_tls_int(&in, 2));
	*at++ = ',';
	if (version != ZB_TLS_1_3 && version >> 8 != 0x7f)
		zb_tls_int(&in, 1);
	if (in.n != 0)
		zb_tls_int(&in, 2);
	while (in.n >= 4 && nr < VALUES_MAX) {
		extensions[nr++] = (uint16_t)zb_tls_int(&in, 2);
		zb_tls_sub(&in, zb_tls_int(&in, 2));
	}
	if (in.n != 0)
		return;
	md5(text, put_list(at, extensions, nr), t->ja3s);
	t->flags |= ZB_TLS_HAS_JA3S;
}

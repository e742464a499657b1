/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_build.h - builds TLS messages, records and certificates, for tests
 *
 * Include after cmocka.h.
 */
#ifndef ZB_TESTS_UNIT_TLS_BUILD_H
#define ZB_TESTS_UNIT_TLS_BUILD_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	size_t n;
	uint8_t d[8192];
};

static inline void put_int(struct bytes *b, unsigned size, uint64_t v)
{
	assert_true(b->n + size <= sizeof(b->d));
	for (unsigned i = 0; i < size; i++)
		b->d[b->n++] = (uint8_t)(v >> 8 * (size - 1 - i));
}

static inline void put_data(struct bytes *b, const void *d, size_t n)
{
	assert_true(b->n + n <= sizeof(b->d));
	if (n != 0)
		memcpy(b->d + b->n, d, n);
	b->n += n;
}

static inline void put_bytes(struct bytes *b, const struct bytes *more)
{
	put_data(b, more->d, more->n);
}

static inline void put_fill(struct bytes *b, uint8_t v, size_t n)
{
	assert_true(b->n + n <= sizeof(b->d));
	memset(b->d + b->n, v, n);
	b->n += n;
}

/* A length of some bytes, then that much. */
static inline void put_sized(struct bytes *b, unsigned size, const void *d, size_t n)
{
	put_int(b, size, n);
	put_data(b, d, n);
}

static inline void put_message(struct bytes *b, uint8_t type, const struct bytes *body)
{
	put_int(b, 1, type);
	put_sized(b, 3, body->d, body->n);
}

static inline void put_record(struct bytes *b, uint8_t type, const struct bytes *content)
{
	put_int(b, 1, type);
	put_int(b, 2, 0x0303);
	put_sized(b, 2, content->d, content->n);
}

/* A record of one handshake message. */
static inline void put_handshake(struct bytes *b, uint8_t type, const struct bytes *body)
{
	struct bytes m = {.n = 0};

	put_message(&m, type, body);
	put_record(b, 22, &m);
}

static inline void put_simple(struct bytes *b, uint8_t type, const void *d, size_t n)
{
	struct bytes content = {.n = 0};

	put_data(&content, d, n);
	put_record(b, type, &content);
}

static inline void put_extension(struct bytes *b, uint16_t type, const void *d, size_t n)
{
	put_int(b, 2, type);
	put_sized(b, 2, d, n);
}

static inline void put_server_name(struct bytes *extensions, const char *name)
{
	struct bytes x = {.n = 0};

	put_int(&x, 2, strlen(name) + 3);
	put_int(&x, 1, 0);
	put_sized(&x, 2, name, strlen(name));
	put_extension(extensions, 0, x.d, x.n);
}

static inline void put_protocol(struct bytes *extensions, const char *name)
{
	struct bytes x = {.n = 0};

	put_int(&x, 2, strlen(name) + 1);
	put_sized(&x, 1, name, strlen(name));
	put_extension(extensions, 16, x.d, x.n);
}

struct hello {
	uint16_t version;
	uint8_t sid[32];
	uint8_t sid_len;
	const uint8_t *random; /* of 32 bytes; NULL: any */
	uint16_t ciphers[32];
	unsigned cipher_nr;
	bool has_cookie; /* DTLS */
	struct bytes extensions;
};

static inline void put_client_hello(struct bytes *b, const struct hello *h)
{
	put_int(b, 2, h->version);
	put_fill(b, 0x11, 32);
	put_sized(b, 1, h->sid, h->sid_len);
	if (h->has_cookie)
		put_sized(b, 1, "cookie", 6);
	put_int(b, 2, 2 * h->cipher_nr);
	for (unsigned i = 0; i < h->cipher_nr; i++)
		put_int(b, 2, h->ciphers[i]);
	put_sized(b, 1, "\0", 1);
	put_sized(b, 2, h->extensions.d, h->extensions.n);
}

static inline void put_server_hello(struct bytes *b, const struct hello *h)
{
	put_int(b, 2, h->version);
	if (h->random != NULL)
		put_data(b, h->random, 32);
	else
		put_fill(b, 0x22, 32);
	put_sized(b, 1, h->sid, h->sid_len);
	put_int(b, 2, h->ciphers[0]);
	put_int(b, 1, 0);
	put_sized(b, 2, h->extensions.d, h->extensions.n);
}

/* An element of DER. */
static inline void put_der(struct bytes *b, uint8_t tag, const void *d, size_t n)
{
	put_int(b, 1, tag);
	if (n >= 0x100)
		put_int(b, 1, 0x82);
	else if (n >= 0x80)
		put_int(b, 1, 0x81);
	put_sized(b, n >= 0x100 ? 2 : 1, d, n);
}

/* A certificate for a common name and up to three DNS names; any may be NULL. */
static inline void put_certificate(struct bytes *b, const char *common_name,
				   const char *const dns[3])
{
	struct bytes pair = {.n = 0}, subject = {.n = 0}, tbs = {.n = 0}, x = {.n = 0},
		     y = {.n = 0}, whole = {.n = 0};

	put_der(&pair, 0x06, "\x55\x04\x03", 3);
	if (common_name != NULL)
		put_der(&pair, 0x0c, common_name, strlen(common_name));
	put_der(&x, 0x30, pair.d, pair.n);
	put_der(&subject, 0x31, x.d, x.n);
	put_der(&tbs, 0xa0, "\x02\x01\x02", 3);
	put_der(&tbs, 0x02, "\x05", 1);
	put_der(&tbs, 0x30, "\x06\x01\x2a", 3);
	put_der(&tbs, 0x30, NULL, 0);
	put_der(&tbs, 0x30, NULL, 0);
	put_der(&tbs, 0x30, common_name != NULL ? subject.d : NULL,
		common_name != NULL ? subject.n : 0);
	put_der(&tbs, 0x30, NULL, 0);
	if (dns != NULL) {
		x.n = 0;
		put_der(&x, 0x81, "a@example.com", 13);
		for (unsigned i = 0; i < 3 && dns[i] != NULL; i++)
			put_der(&x, 0x82, dns[i], strlen(dns[i]));
		put_der(&y, 0x30, x.d, x.n);
		x.n = 0;
		put_der(&x, 0x06, "\x55\x1d\x11", 3);
		put_der(&x, 0x01, "\xff", 1);
		put_der(&x, 0x04, y.d, y.n);
		y.n = 0;
		put_der(&y, 0x30, x.d, x.n);
		x.n = 0;
		put_der(&x, 0x30, y.d, y.n);
		put_der(&tbs, 0xa3, x.d, x.n);
	}
	put_der(&whole, 0x30, tbs.d, tbs.n);
	put_der(&whole, 0x30, "\x06\x01\x2a", 3);
	put_der(&whole, 0x03, "\0\x01", 2);
	put_der(b, 0x30, whole.d, whole.n);
}

#endif

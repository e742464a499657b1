/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_quic_seal.c - keys from a connection id, AES-128-GCM over the frames, a mask over the header
 *
 *   | first byte, version, ids, token, length | packet number | frames ... | tag |
 *   '-------- authenticated ------------------+---------------' encrypted
 *     first byte and packet number are masked last; the mask comes from 16 encrypted bytes
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "bench/gen_hello.h"
#include "bench/gen_quic_seal.h"

#define SECRET_BYTES 32
#define KEY_BYTES    16
#define IV_BYTES     12
#define SAMPLE_AT    4 /* after where the packet number begins, as if it had four bytes */

struct zb_gen_quic_seal {
	EVP_CIPHER_CTX *seal, *mask;
	EVP_CIPHER *gcm, *ecb;
	EVP_MD *sha256;
};

struct keys {
	uint8_t key[KEY_BYTES], iv[IV_BYTES], header[KEY_BYTES];
};

static const uint8_t salt[] = {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
			       0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a};

void zb_gen_quic_seal_free(struct zb_gen_quic_seal *q)
{
	if (q == NULL)
		return;
	EVP_CIPHER_CTX_free(q->seal);
	EVP_CIPHER_CTX_free(q->mask);
	EVP_CIPHER_free(q->gcm);
	EVP_CIPHER_free(q->ecb);
	EVP_MD_free(q->sha256);
	free(q);
}

int zb_gen_quic_seal_create(struct zb_gen_quic_seal **out)
{
	struct zb_gen_quic_seal *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return -ENOMEM;
	q->seal = EVP_CIPHER_CTX_new();
	q->mask = EVP_CIPHER_CTX_new();
	q->gcm = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
	q->ecb = EVP_CIPHER_fetch(NULL, "AES-128-ECB", NULL);
	q->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (q->seal == NULL || q->mask == NULL || q->gcm == NULL || q->ecb == NULL ||
	    q->sha256 == NULL) {
		zb_gen_quic_seal_free(q);
		return -EIO;
	}
	*out = q;
	return 0;
}

static bool hmac(const struct zb_gen_quic_seal *q, const uint8_t *key, int key_len,
		 const uint8_t *text, size_t len, uint8_t out[static SECRET_BYTES])
{
	return HMAC(q->sha256, key, key_len, text, len, out, NULL) != NULL;
}

/* HKDF-Expand-Label (RFC 8446 7.1) of at most a hash, without a context. */
static bool expand(const struct zb_gen_quic_seal *q, const uint8_t secret[static SECRET_BYTES],
		   const char *label, uint8_t *out, uint32_t out_len)
{
	uint8_t info[64], hash[SECRET_BYTES];
	size_t len = strlen(label);

	assert(len + 5 <= sizeof(info) && out_len <= SECRET_BYTES);
	info[0] = 0;
	info[1] = (uint8_t)out_len;
	info[2] = (uint8_t)len;
	memcpy(info + 3, label, len);
	info[3 + len] = 0;
	info[4 + len] = 1;
	if (!hmac(q, secret, SECRET_BYTES, info, len + 5, hash))
		return false;
	memcpy(out, hash, out_len);
	return true;
}

static bool make_keys(const struct zb_gen_quic_seal *q, const struct zb_gen_quic_packet *p,
		      struct keys *k)
{
	uint8_t initial[SECRET_BYTES], secret[SECRET_BYTES];

	return hmac(q, salt, sizeof(salt), p->id, ZB_GEN_QUIC_ID_BYTES, initial) &&
	       expand(q, initial, p->from_server ? "tls13 server in" : "tls13 client in", secret,
		      SECRET_BYTES) &&
	       expand(q, secret, "tls13 quic key", k->key, KEY_BYTES) &&
	       expand(q, secret, "tls13 quic iv", k->iv, IV_BYTES) &&
	       expand(q, secret, "tls13 quic hp", k->header, KEY_BYTES);
}

static bool encrypt(struct zb_gen_quic_seal *q, const struct zb_gen_quic_packet *p, struct keys *k)
{
	uint32_t body_at = p->number_at + ZB_GEN_QUIC_NUMBER_BYTES;
	int body = (int)(p->len - body_at - ZB_GEN_QUIC_TAG_BYTES), n;
	uint8_t *tag = p->at + p->len - ZB_GEN_QUIC_TAG_BYTES;

	for (uint32_t i = 0; i < ZB_GEN_QUIC_NUMBER_BYTES; i++)
		k->iv[IV_BYTES - ZB_GEN_QUIC_NUMBER_BYTES + i] ^= p->at[p->number_at + i];
	return EVP_EncryptInit_ex2(q->seal, q->gcm, k->key, k->iv, NULL) == 1 &&
	       EVP_EncryptUpdate(q->seal, NULL, &n, p->at, (int)body_at) == 1 &&
	       EVP_EncryptUpdate(q->seal, p->at + body_at, &n, p->at + body_at, body) == 1 &&
	       n == body && EVP_EncryptFinal_ex(q->seal, tag, &n) == 1 &&
	       EVP_CIPHER_CTX_ctrl(q->seal, EVP_CTRL_AEAD_GET_TAG, ZB_GEN_QUIC_TAG_BYTES, tag) == 1;
}

static bool mask_header(struct zb_gen_quic_seal *q, const struct zb_gen_quic_packet *p,
			const struct keys *k)
{
	uint8_t mask[2 * KEY_BYTES]; /* the cipher may want a block to spare */
	int n;

	if (EVP_EncryptInit_ex2(q->mask, q->ecb, k->header, NULL, NULL) != 1 ||
	    EVP_EncryptUpdate(q->mask, mask, &n, p->at + p->number_at + SAMPLE_AT, KEY_BYTES) != 1)
		return false;
	p->at[0] ^= mask[0] & 0x0f;
	for (uint32_t i = 0; i < ZB_GEN_QUIC_NUMBER_BYTES; i++)
		p->at[p->number_at + i] ^= mask[1 + i];
	return true;
}

int zb_gen_quic_seal(struct zb_gen_quic_seal *q, const struct zb_gen_quic_packet *p)
{
	struct keys k;

	assert(p->len >= p->number_at + SAMPLE_AT + KEY_BYTES &&
	       p->len >= p->number_at + ZB_GEN_QUIC_NUMBER_BYTES + ZB_GEN_QUIC_TAG_BYTES);
	return make_keys(q, p, &k) && encrypt(q, p, &k) && mask_header(q, p, &k) ? 0 : -EIO;
}

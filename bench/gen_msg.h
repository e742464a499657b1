/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_msg.h - the messages of a TCP session: planned when their turn comes, written when they are
 * sent
 *
 * A message is a head, made by the application, and a body out of the world's text or noise. What
 * is kept of it is lengths and where its random numbers begin; so a session is small, and nothing
 * is copied twice. The application's function is called again to write the head, and draws the same
 * numbers again.
 *
 * Threading: as the session's.
 */
#ifndef ZB_BENCH_GEN_MSG_H
#define ZB_BENCH_GEN_MSG_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "bench/gen_rand.h"

#define ZB_GEN_HEAD_MAX 704u /* fits a segment */

struct zb_gen_session;

enum zb_gen_body {
	ZB_GEN_BODY_TEXT,  /* words */
	ZB_GEN_BODY_BYTES, /* noise */
	ZB_GEN_BODY_TLS,   /* records of application data, headers counted in body_len */
};

struct zb_gen_msg {
	struct zb_gen_rand rand; /* before the first draw */
	uint32_t body_at;	 /* where in the world's text or noise the body begins */
	uint32_t body_len;
	uint32_t made_s; /* packet time when its turn came */
	uint16_t head_len;
	uint8_t from; /* end that sends it */
	uint8_t body; /* enum zb_gen_body */
};

/* Where a head goes; at NULL: it is only counted. */
struct zb_head {
	uint8_t *at;
	uint32_t len;
};

/*
 * Plans message number nr and writes its head; false when there is none. What passes before it,
 * apart from the round trip, is added to the session's next_ns. When h has a place to write to, m
 * says what it said of this message before, and time does not count.
 */
typedef bool zb_gen_next_msg(struct zb_gen_session *s, uint32_t nr, struct zb_gen_msg *m,
			     struct zb_head *h);

/* Plans message number nr. */
bool zb_gen_msg_plan(struct zb_gen_session *s, zb_gen_next_msg *next_msg, uint32_t nr,
		     struct zb_gen_msg *m);

/* Bytes of a message, and their sum as zb_checksum_add() has it. */
struct zb_gen_part {
	zb_gen_next_msg *next_msg;
	const struct zb_gen_msg *msg;
	uint32_t nr, from, len; /* message number; 0 or behind the head; at most a segment */
};

uint64_t zb_gen_msg_write(struct zb_gen_session *s, const struct zb_gen_part *part, uint8_t *dst);

/* Lengths of constants are known to the compiler: then this is a store or two. */
static inline void zb_head_put(struct zb_head *h, const void *bytes, uint32_t len)
{
	assert(h->len + len <= ZB_GEN_HEAD_MAX);
	if (h->at != NULL)
		memcpy(h->at + h->len, bytes, len);
	h->len += len;
}

#define ZB_HEAD_PUT(h, literal) zb_head_put(h, literal, sizeof(literal) - 1)

static inline void zb_head_put_decimal(struct zb_head *h, uint64_t v)
{
	char digits[20];
	uint32_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	zb_head_put(h, digits + i, (uint32_t)sizeof(digits) - i);
}

/* The low `bytes` bytes of v, most significant first. */
static inline void zb_head_put_be(struct zb_head *h, uint64_t v, unsigned bytes)
{
	uint64_t be = __builtin_bswap64(v << (64 - 8 * bytes));

	zb_head_put(h, &be, bytes);
}

static inline void zb_head_put_noise(struct zb_head *h, struct zb_gen_rand *r, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i += 8)
		zb_head_put_be(h, zb_gen_rand_u64(r), bytes - i < 8 ? bytes - i : 8);
}

/* Reserves a length field of so many bytes; the returned position goes to zb_head_close_len(). */
static inline uint32_t zb_head_open_len(struct zb_head *h, unsigned bytes)
{
	zb_head_put_be(h, 0, bytes);
	return h->len;
}

static inline void zb_head_close_len(struct zb_head *h, uint32_t at, unsigned bytes)
{
	uint64_t be = __builtin_bswap64((uint64_t)(h->len - at) << (64 - 8 * bytes));

	if (h->at != NULL)
		memcpy(h->at + at - bytes, &be, bytes);
}

#endif

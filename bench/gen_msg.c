/* SPDX-License-Identifier: Apache-2.0 */
/* gen_msg.c - see gen_msg.h */
#include "bench/gen_msg.h"
#include "bench/gen_session_priv.h"
#include "bench/gen_world.h"
#include "pipeline/checksum.h"

#define TLS_HEADER     5u
#define TLS_RECORD_MAX 16384u
#define TLS_STRIDE     (TLS_HEADER + TLS_RECORD_MAX)

bool zb_gen_msg_plan(struct zb_gen_session *s, zb_gen_next_msg *next_msg, uint32_t nr,
		     struct zb_gen_msg *m)
{
	struct zb_head h = {NULL, 0};

	memset(m, 0, sizeof(*m));
	m->rand = s->rand;
	m->made_s = (uint32_t)(s->next_ns / ZB_GEN_S);
	if (!next_msg(s, nr, m, &h))
		return false;
	m->head_len = (uint16_t)h.len;
	return true;
}

/* Draws as the plan did; neither the plan nor the session is any different after it. */
static void write_head(struct zb_gen_session *s, const struct zb_gen_part *part, uint8_t *dst)
{
	struct zb_head h = {dst, 0};
	struct zb_gen_msg m = *part->msg;
	struct zb_gen_rand rand = s->rand;
	uint64_t next_ns = s->next_ns;

	s->rand = m.rand;
	part->next_msg(s, part->nr, &m, &h);
	s->rand = rand;
	s->next_ns = next_ns;
	assert(h.len == part->msg->head_len);
}

uint32_t zb_gen_tls_body_len(uint32_t text_len)
{
	return text_len + (text_len + TLS_RECORD_MAX - 1) / TLS_RECORD_MAX * TLS_HEADER;
}

/* What a byte adds to a sum at an even or odd place. */
static uint32_t weight(uint8_t byte, uint32_t place)
{
	return (uint32_t)byte << 8 * (place & 1);
}

/*
 * Puts the record headers over noise: every TLS_RECORD_MAX bytes, and the last record is what is
 * left. Returns by how much the sum is different.
 */
static uint64_t put_tls_headers(const struct zb_gen_msg *m, uint32_t off, uint8_t *dst,
				uint32_t len)
{
	uint64_t sum = 0;

	for (uint32_t at = off / TLS_STRIDE * TLS_STRIDE; at < off + len; at += TLS_STRIDE) {
		uint32_t rest = m->body_len - at - TLS_HEADER;
		uint32_t n = rest < TLS_RECORD_MAX ? rest : TLS_RECORD_MAX;
		const uint8_t h[TLS_HEADER] = {23, 3, 3, (uint8_t)(n >> 8), (uint8_t)n};

		for (uint32_t i = 0; i < TLS_HEADER; i++) {
			uint32_t place = at + i - off;

			if (at + i < off || place >= len)
				continue;
			sum += weight(h[i], place) + (0xffff - weight(dst[place], place));
			dst[place] = h[i];
		}
	}
	return sum;
}

/* A sum over bytes that begin at an odd place. */
static uint64_t sum_at_odd(uint64_t sum)
{
	return __builtin_bswap16(zb_checksum_fold(sum));
}

static uint64_t write_body(const struct zb_gen_session *s, const struct zb_gen_msg *m, uint32_t off,
			   uint8_t *dst, uint32_t len)
{
	const struct zb_gen_pool *pool =
		m->body == ZB_GEN_BODY_TEXT ? &s->world->text : &s->world->noise;
	uint32_t at = (m->body_at + off) & (ZB_GEN_POOL_BYTES - 1);
	uint64_t sum = zb_gen_pool_sum(pool, at, len);

	memcpy(dst, pool->bytes + at, len);
	if (m->body == ZB_GEN_BODY_TLS)
		sum += put_tls_headers(m, off, dst, len);
	return sum;
}

uint64_t zb_gen_msg_write(struct zb_gen_session *s, const struct zb_gen_part *part, uint8_t *dst)
{
	const struct zb_gen_msg *m = part->msg;
	uint32_t head = part->from == 0 ? m->head_len : 0;
	uint64_t sum = 0, body;

	if (head != 0) {
		write_head(s, part, dst);
		sum = zb_checksum_add(0, dst, head);
	}
	if (part->len == head)
		return sum;
	body = write_body(s, m, part->from + head - m->head_len, dst + head, part->len - head);
	return sum + (head % 2 != 0 ? sum_at_odd(body) : body);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_quic.c - connections of QUIC, version 1 (RFC 9000), as HTTP/3 makes them
 *
 *   client   Initial: ClientHello, padded to 1200 bytes
 *   server   Initial: acknowledgement, ServerHello | Handshake
 *            Handshake
 *   client   Initial: acknowledgement | Handshake
 *   server   1-RTT: handshake done
 *            requests, answers, acknowledgements, and the client's close: all 1-RTT
 *
 * The Initial packets are sealed as the standard says, so the server's name can be read; what
 * stands in packets of other types is noise, as it is for all who do not have the keys.
 */
#include <string.h>

#include "bench/gen_hello.h"
#include "bench/gen_quic_seal.h"
#include "bench/gen_session_priv.h"
#include "bench/gen_world.h"

#define ID	      ZB_GEN_QUIC_ID_BYTES
#define INITIAL_BYTES 1200u /* the least that a datagram with an Initial may have */
#define FULL_BYTES    1350u /* a datagram full of an answer */
#define ACK_BYTES     35u
#define REQUEST_LO    60u
#define REQUEST_HI    400u

enum phase { HELLO, ANSWER, REST, FINISHED, DONE, REQUEST, RESPONSE, CLOSE };

/* One of the connection's ids: what the client first sends to, its own, the server's own. */
enum which { FIRST_ID, CLIENT_ID, SERVER_ID };

static void make_id(const struct zb_gen_session *s, enum which which, uint8_t id[static ID])
{
	uint64_t v = zb_gen_mix(s->quic.secret + which);

	memcpy(id, &v, ID);
}

static void put_id(struct zb_head *h, const struct zb_gen_session *s, enum which which)
{
	uint8_t id[ID];

	make_id(s, which, id);
	zb_head_put(h, id, ID);
}

/* Noise for the datagram from a place that is the datagram's own. */
static void put_noise(const struct zb_gen_session *s, uint8_t *at, uint32_t len)
{
	uint64_t where = zb_gen_mix(s->quic.secret ^ s->next_ns) & (ZB_GEN_POOL_BYTES - 1);

	memcpy(at, s->world->noise.bytes + where, len);
}

/* A header of two ids; the type's two low bits are a packet number of two bytes. */
static void put_long_header(struct zb_head *h, const struct zb_gen_session *s, uint8_t type,
			    unsigned from)
{
	zb_head_put_be(h, type | 1, 1);
	ZB_HEAD_PUT(h, "\x00\x00\x00\x01");
	zb_head_put_be(h, ID, 1);
	put_id(h, s, from == 1 ? CLIENT_ID : s->quic.phase == HELLO ? FIRST_ID : SERVER_ID);
	zb_head_put_be(h, ID, 1);
	put_id(h, s, from == 1 ? SERVER_ID : CLIENT_ID);
}

/* A length of two bytes, of all that follows. */
static void put_length(struct zb_head *h, uint32_t len)
{
	zb_head_put_be(h, 0x4000 | len, 2);
}

static void put_crypto(struct zb_head *h, struct zb_gen_session *s, unsigned from)
{
	struct zb_gen_rand r = {zb_gen_mix(~s->quic.secret)};
	uint8_t id[ID];
	struct zb_gen_hello hello = {.site = s->site, .quic_id = id};
	uint32_t at;

	make_id(s, CLIENT_ID, id);
	ZB_HEAD_PUT(h, "\x06\x00");
	at = zb_head_open_len(h, 2);
	if (from == 0)
		zb_head_put_client_hello(h, &r, &hello);
	else
		zb_head_put_server_hello(h, &r, &hello);
	zb_head_close_len(h, at, 2);
	h->at[at - 2] |= 0x40;
}

/*
 * An Initial of len bytes, filled up with padding; 0: as long as it needs. Returns how long it is.
 */
static uint32_t put_initial(struct zb_gen_session *s, uint8_t *at, unsigned from, uint32_t len)
{
	struct zb_head h = {at, 0};
	uint8_t id[ID];
	struct zb_gen_quic_packet p = {.at = at, .id = id, .from_server = from == 1};
	uint32_t length_at;
	int ret = 0;

	put_long_header(&h, s, 0xc0, from);
	ZB_HEAD_PUT(&h, "\x00"); /* no token */
	length_at = h.len;
	put_length(&h, 0);
	p.number_at = h.len;
	zb_head_put_be(&h, s->quic.phase == FINISHED, ZB_GEN_QUIC_NUMBER_BYTES);
	if (s->quic.phase != HELLO)
		ZB_HEAD_PUT(&h, "\x02\x00\x10\x00\x00"); /* packet 0 has come */
	if (s->quic.phase != FINISHED)
		put_crypto(&h, s, from);
	p.len = len != 0 ? len : h.len + ZB_GEN_QUIC_TAG_BYTES;
	memset(at + h.len, 0, p.len - h.len);
	h.len = length_at;
	put_length(&h, p.len - p.number_at);
	make_id(s, FIRST_ID, id);
	if (s->world->quic == NULL)
		ret = zb_gen_quic_seal_create(&s->world->quic);
	if (ret == 0)
		ret = zb_gen_quic_seal(s->world->quic, &p);
	if (ret < 0)
		s->world->error = ret;
	return p.len;
}

/* A Handshake packet of len bytes. */
static void put_handshake(struct zb_gen_session *s, uint8_t *at, unsigned from, uint32_t len)
{
	struct zb_head h = {at, 0};

	put_long_header(&h, s, 0xe0, from);
	put_length(&h, len - h.len - 2);
	put_noise(s, at + h.len, len - h.len);
	at[0] = (uint8_t)(0xe0 | (at[h.len] & 0x0f)); /* masked, as the number is */
}

/* The datagram of the phase, of len bytes. */
static void put_datagram(struct zb_gen_session *s, uint8_t *at, unsigned from, uint32_t len)
{
	uint32_t initial = 0;

	switch ((enum phase)s->quic.phase) {
	case HELLO: put_initial(s, at, from, len); return;
	case ANSWER:
		initial = put_initial(s, at, from, 0);
		put_handshake(s, at + initial, from, len - initial);
		return;
	case REST: put_handshake(s, at, from, len); return;
	case FINISHED:
		/* Finished and its acknowledgement are some 90 bytes, the rest is padding. */
		initial = put_initial(s, at, from, len - 90);
		put_handshake(s, at + initial, from, 90);
		return;
	case DONE:
	case REQUEST:
	case RESPONSE:
	case CLOSE: break;
	}
	put_noise(s, at, len);
	at[0] = (uint8_t)(0x40 | (at[0] & 0x3f));
	make_id(s, from == 1 ? CLIENT_ID : SERVER_ID, at + 1);
}

static void emit(struct zb_gen_session *s, struct zb_gen_frame *f, unsigned from, uint32_t len)
{
	struct zb_gen_ip ip = zb_gen_next_ip(s, from);
	uint8_t *at = zb_gen_udp_payload(f, &s->wire);

	if (at == NULL)
		return;
	put_datagram(s, at, from, len);
	zb_gen_seal_udp(f, &ip, zb_gen_payload_of(at, len));
}

static void pass_us(struct zb_gen_session *s, uint32_t lo, uint32_t hi)
{
	s->next_ns += zb_gen_rand_between(&s->rand, lo * 1000, hi * 1000);
}

static void begin_request(struct zb_gen_session *s)
{
	struct zb_gen_quic_conn *c = &s->quic;

	c->phase = c->exchanges-- > 0 ? REQUEST : CLOSE;
}

static bool step_handshake(struct zb_gen_session *s, struct zb_gen_frame *f)
{
	struct zb_gen_quic_conn *c = &s->quic;

	switch ((enum phase)c->phase) {
	case HELLO:
		emit(s, f, 0, INITIAL_BYTES);
		s->next_ns += s->rtt_ns;
		pass_us(s, 200, 4000);
		c->phase = ANSWER;
		break;
	case ANSWER:
		emit(s, f, 1, INITIAL_BYTES);
		pass_us(s, 12, 80);
		c->phase = REST;
		break;
	case REST:
		emit(s, f, 1, zb_gen_rand_between(&s->rand, INITIAL_BYTES / 2, INITIAL_BYTES));
		pass_us(s, 100, 900);
		c->phase = FINISHED;
		break;
	default:
		emit(s, f, 0, INITIAL_BYTES);
		s->next_ns += s->rtt_ns;
		pass_us(s, 30, 200);
		c->phase = DONE;
	}
	return true;
}

static void step_response(struct zb_gen_session *s, struct zb_gen_frame *f)
{
	struct zb_gen_quic_conn *c = &s->quic;
	uint32_t len;

	if (c->unacked == 2 || c->left == 0) {
		emit(s, f, 0, ACK_BYTES);
		c->unacked = 0;
		pass_us(s, 10, 60);
		if (c->left == 0) {
			begin_request(s);
			if (c->phase == REQUEST)
				s->next_ns += zb_gen_draw_think(s, 5 * ZB_GEN_MS, 800 * ZB_GEN_MS);
		}
		return;
	}
	len = c->left < FULL_BYTES ? c->left : FULL_BYTES;
	c->left -= len;
	c->unacked++;
	emit(s, f, 1, len < ACK_BYTES ? ACK_BYTES : len);
	if (s->shape != NULL && s->shape->byte_q16 != 0)
		s->next_ns += len * s->shape->byte_q16 >> 16;
	else
		pass_us(s, 12, 80);
}

static bool step_quic(struct zb_gen_session *s, struct zb_gen_frame *f)
{
	struct zb_gen_quic_conn *c = &s->quic;

	switch ((enum phase)c->phase) {
	case DONE:
		emit(s, f, 1, zb_gen_rand_between(&s->rand, 90, 600));
		pass_us(s, 30, 3000);
		begin_request(s);
		break;
	case REQUEST:
		emit(s, f, 0, zb_gen_rand_between(&s->rand, REQUEST_LO, REQUEST_HI));
		s->next_ns += s->rtt_ns;
		pass_us(s, 300, 30000);
		c->left = zb_gen_has_size(s) ? zb_gen_draw_size(s, 0)
					     : zb_gen_rand_tail(&s->rand, 8, 17);
		c->left += c->left == 0;
		c->phase = RESPONSE;
		break;
	case RESPONSE: step_response(s, f); break;
	case CLOSE: emit(s, f, 0, ACK_BYTES); return false;
	default: return step_handshake(s, f);
	}
	return true;
}

void zb_gen_quic_make(struct zb_gen_session *s)
{
	struct zb_gen_path path;

	zb_gen_client(s, &path);
	zb_gen_server_site(s, &path, 443);
	zb_gen_wire_init(&s->wire, &path, ZB_GEN_UDP);
	s->step = step_quic;
	s->quic.secret = zb_gen_rand_u64(&s->rand);
	s->quic.exchanges = zb_gen_draw_requests(s, 1, 5);
}

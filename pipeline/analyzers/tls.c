/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls.c - the analyzer of SSLv2, SSLv3 and TLS over a stream: records, and messages across them
 *
 * RFC 5246 6.2, RFC 8446 5.1; which versions are taken for what: Zeek's ssl-protocol. A record is
 * looked at when it is complete; one that comes in pieces is kept only when its content matters.
 * Encrypted content is never copied. After the handshake the analyzer is done.
 */
#include "pipeline/analyzers/tls_priv.h"

#define HEAD_BYTES 5
#define V2_TYPE	   300 /* and the type of the message */

/* A side's stream. */
struct stream {
	uint8_t head[HEAD_BYTES];
	uint8_t head_n;
	bool is_v2;
	bool keep;	 /* the record's content is looked at */
	uint32_t length; /* of the record's content */
	uint32_t left;	 /* of that, still to come */
	struct zb_tls_buf body;
};

struct tls {
	struct zb_tls s;
	uint16_t record_version; /* 0: not known yet */
	struct stream stream[2];
};
static_assert(sizeof(struct tls) <= 640, "one for each connection to a TLS port");

static bool is_record_version(uint16_t v)
{
	return v >= ZB_TLS_SSL3 && v <= ZB_TLS_1_2;
}

/* Which kind of record begins with these bytes; false: none. */
static bool classify(struct tls *t, unsigned side, const uint8_t h[HEAD_BYTES], bool *is_v2)
{
	uint16_t version = (uint16_t)(h[1] << 8 | h[2]);

	*is_v2 = t->record_version == ZB_TLS_SSL2;
	if (*is_v2)
		return true;
	if (t->record_version == 0 && h[0] & 0x80) {
		uint16_t hello = (uint16_t)(h[3] << 8 | h[4]);

		*is_v2 = true;
		if (h[2] == 1 && side == ZB_ORIG) /* a client hello, perhaps of a later version */
			return hello == ZB_TLS_SSL2 || is_record_version(hello);
		if (h[2] != 4 || h[4] > 1 || side == ZB_ORIG)
			return false;
		t->record_version = ZB_TLS_SSL2; /* a server hello: SSLv2 it is */
		return true;
	}
	if (!is_record_version(version))
		return false;
	if (t->record_version == 0) {
		if (h[0] < 20 || h[0] > 30)
			return false;
		t->record_version = version;
	}
	return true;
}

static bool is_looked_at(unsigned type)
{
	return type == ZB_TLS_HANDSHAKE || type == ZB_TLS_ALERT || type == ZB_TLS_CCS ||
	       type == ZB_TLS_HEARTBEAT;
}

static bool begin_record(struct tls *t, unsigned side)
{
	struct stream *s = &t->stream[side];
	const uint8_t *h = s->head;

	if (!classify(t, side, h, &s->is_v2))
		return false;
	s->length = (uint32_t)h[3] << 8 | h[4];
	s->keep = is_looked_at(h[0]) && !(t->s.flags & zb_tls_ciphered(side));
	if (s->is_v2) {
		s->length = ((uint32_t)(h[0] & 0x7f) << 8 | h[1]);
		if (s->length < 3)
			return false;
		s->length -= 3; /* type and two bytes are in the header's room */
		s->keep = true;
	}
	s->left = s->length;
	return true;
}

/* Puts handshake messages together; false: cannot. */
static bool handshake(struct zb_tls *t, unsigned side, const uint8_t *d, size_t n)
{
	struct zb_tls_buf *b = &t->message[side];

	while (n != 0 && !(t->flags & ZB_TLS_STOPPED)) {
		const uint8_t *m = b->n != 0 ? b->p : d;
		size_t have = b->n != 0 ? b->n : n, want = 4, part;

		if (have >= 4)
			want += (size_t)m[1] << 16 | (size_t)m[2] << 8 | m[3];
		if (b->n == 0 && n >= 4 && n >= want) {
			zb_tls_message(t, side, d[0], d + 4, want - 4);
			d += want;
			n -= want;
			continue;
		}
		if (want > ZB_TLS_MESSAGE_MAX) {
			zb_mem_shed(&zb_analyzer_analysis(&t->a)->mem, ZB_MEM_tls);
			return false;
		}
		part = n < want - b->n ? n : want - b->n;
		if (!zb_tls_buf_add(t, b, d, part))
			return false;
		d += part;
		n -= part;
		if (b->n < 4 || b->n < 4 + ((size_t)b->p[1] << 16 | (size_t)b->p[2] << 8 | b->p[3]))
			continue;
		zb_tls_message(t, side, b->p[0], b->p + 4, b->n - 4);
		zb_tls_buf_free(t, b);
	}
	return true;
}

/* A complete record: of d only as much is there as is looked at. */
static bool record(struct tls *t, unsigned side, const uint8_t *d)
{
	struct stream *s = &t->stream[side];
	unsigned type = s->head[0];
	bool ok = true;

	if (s->is_v2)
		return zb_tls_v2_record(&t->s, side, s->head, d, s->length);
	if (s->length == 0)
		return true;
	if (zb_tls_is_cipher_record(&t->s, side, type)) {
		zb_tls_cipher_record(&t->s, side);
		return true;
	}
	if (type == ZB_TLS_HANDSHAKE)
		ok = handshake(&t->s, side, d, s->length);
	else
		zb_tls_plain_record(&t->s, side, type, d, s->length);
	zb_tls_record_done(&t->s, type);
	if (!ok)
		zb_tls_stop(&t->s);
	return true;
}

/* Takes what belongs to the record's header off d; false: the bytes are no record. */
static bool feed_head(struct tls *t, unsigned side, const uint8_t **d, size_t *n)
{
	struct stream *s = &t->stream[side];

	while (s->head_n < HEAD_BYTES && *n != 0) {
		s->head[s->head_n++] = *(*d)++;
		(*n)--;
	}
	return s->head_n < HEAD_BYTES || begin_record(t, side);
}

/* Takes what belongs to the record's content off d; false: the record is malformed. */
static bool feed_body(struct tls *t, unsigned side, const uint8_t **d, size_t *n)
{
	struct stream *s = &t->stream[side];
	size_t part = *n < s->left ? *n : s->left;
	const uint8_t *from = *d;
	bool ok = true;

	*d += part;
	*n -= part;
	s->left -= (uint32_t)part;
	if (s->keep && (s->left != 0 || s->body.n != 0)) {
		if (!zb_tls_buf_add(&t->s, &s->body, from, part)) {
			zb_tls_stop(&t->s);
			return true;
		}
		from = s->body.p;
	}
	if (s->left != 0)
		return true;
	s->head_n = 0;
	ok = record(t, side, from);
	zb_tls_buf_free(&t->s, &s->body);
	return ok;
}

static void data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct tls *t = (struct tls *)a;
	struct stream *s = &t->stream[side];

	/* Of a connection without a beginning nothing is read; whether it is one may yet change. */
	if (zb_analyzer_is_partial(a))
		return;
	while (!(t->s.flags & ZB_TLS_STOPPED)) {
		if (s->head_n < HEAD_BYTES) {
			if (n == 0)
				return;
			if (!feed_head(t, side, &d, &n)) {
				/* Out of step with the stream: there is no way back. */
				zb_tls_violate(&t->s);
				zb_tls_stop(&t->s);
				return;
			}
			if (s->head_n < HEAD_BYTES)
				return;
		}
		if (n == 0 && s->left != 0)
			return;
		if (!feed_body(t, side, &d, &n))
			zb_tls_violate(&t->s);
	}
}

static void gap(struct zb_analyzer *a, unsigned side, uint64_t n)
{
	struct tls *t = (struct tls *)a;

	(void)side;
	(void)n;
	zb_tls_stop(&t->s);
}

static void flip(struct zb_analyzer *a)
{
	struct tls *t = (struct tls *)a;
	struct stream s = t->stream[0];

	t->stream[0] = t->stream[1];
	t->stream[1] = s;
	zb_tls_flip(a);
}

static void end(struct zb_analyzer *a)
{
	struct tls *t = (struct tls *)a;

	zb_tls_buf_free(&t->s, &t->stream[0].body);
	zb_tls_buf_free(&t->s, &t->stream[1].body);
	zb_tls_end(a);
}

/* Compares byte i, of which there are n, with a range; "more" ends the match. */
#define IN_RANGE(i, low, high)                     \
	do {                                       \
		if (n <= (i))                      \
			return ZB_MATCH_MORE;      \
		if (d[i] < (low) || d[i] > (high)) \
			return ZB_MATCH_NO;        \
	} while (0)

/* A hello in the first record, of either side; or the server's after an alert (Zeek: dpd.sig). */
static enum zb_match match(const uint8_t *d, size_t n)
{
	bool after_alert = d[0] == ZB_TLS_ALERT;

	if (after_alert) {
		IN_RANGE(1, 3, 3);
		IN_RANGE(2, 0, 3);
		if (n < 8)
			return ZB_MATCH_MORE;
		d += 7;
		n -= 7;
	}
	IN_RANGE(0, ZB_TLS_HANDSHAKE, ZB_TLS_HANDSHAKE);
	IN_RANGE(1, 3, 3);
	IN_RANGE(2, 0, 3);
	IN_RANGE(5, after_alert ? 2 : 1, 2);
	if (n < 11)
		return ZB_MATCH_MORE;
	if (d[5] == 1)
		return d[9] == 3 && d[10] <= 3 ? ZB_MATCH_YES : ZB_MATCH_NO;
	return (d[9] == 3 && d[10] <= 4) || (d[9] == 0x7f && d[10] <= 0x50) ? ZB_MATCH_YES
									    : ZB_MATCH_NO;
}

static const uint16_t ports[] = {443, 563, 585, 614, 636, 989, 990, 992, 993, 995, 5223, 0};

const struct zb_analyzer_def zb_analyzer_tls = {
	.name = "ssl",
	.state_bytes = sizeof(struct tls),
	.mem = ZB_MEM_tls,
	.tcp_ports = ports,
	.match_over = ZB_OVER_TCP,
	.match = {match, match},
	.data = data,
	.gap = gap,
	.flip = flip,
	.end = end,
};

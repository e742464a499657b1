/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dtls.c - the analyzer of DTLS: records of datagrams, fragments of messages
 *
 * RFC 6347 4.1 and 4.2, RFC 9147 4 (the short header of encrypted records in DTLS 1.3). Messages
 * are worked on in the order of arrival, repeated ones as often as they come, as Zeek does; a
 * message in fragments is put together for each side one at a time.
 */
#include <string.h>

#include "pipeline/analyzers/tls_priv.h"

#define BAD_VERSIONS_MAX \
	10		 /* records of no known version in a row (Zeek: dtls_max_version_errors) */
#define FRAGMENTS_MAX 30 /* of a message */

/* Fragments of a side's message; the bytes are in zb_tls.message. */
struct fragments {
	uint32_t length; /* of the message */
	uint32_t got;	 /* bytes of it that came */
	uint16_t seq;	 /* of the message */
	uint8_t nr;
	bool active; /* seq and length say which message it is */
	uint16_t at[FRAGMENTS_MAX];
};

struct dtls {
	struct zb_tls s;
	struct fragments fragments[2];
	uint16_t bad_versions;
	bool complained; /* about one of those, once confirmed */
};
static_assert(sizeof(struct dtls) <= 640, "one for each connection to a DTLS port");

static bool is_version_known(struct dtls *t, uint32_t version)
{
	bool confirmed = t->s.a.flags & ZB_ANALYZER_CONFIRMED;

	if (version == ZB_DTLS_1_0 || version == ZB_DTLS_1_2) {
		if (confirmed)
			t->bad_versions = 0;
		return true;
	}
	if (confirmed && !t->complained) {
		t->complained = true;
		zb_tls_violate(&t->s);
	}
	if (++t->bad_versions > BAD_VERSIONS_MAX)
		zb_tls_stop(&t->s);
	return false;
}

static bool has_fragment(const struct fragments *f, uint32_t at)
{
	for (unsigned i = 0; i < f->nr; i++)
		if (f->at[i] == at)
			return true;
	return false;
}

/* Room for the message up to some byte; what never came reads as 0. */
static bool grow(struct dtls *t, struct zb_tls_buf *b, uint32_t n)
{
	uint8_t *p;

	if (n <= b->room)
		return true;
	p = zb_mem_resize(&zb_analyzer_analysis(&t->s.a)->mem, ZB_MEM_tls, b->p, b->room, n);
	if (p == NULL) {
		zb_mem_shed(&zb_analyzer_analysis(&t->s.a)->mem, ZB_MEM_tls);
		return false;
	}
	memset(p + b->room, 0, n - b->room);
	b->p = p;
	b->room = b->n = n;
	return true;
}

struct fragment {
	uint8_t type;
	uint16_t seq;
	uint32_t length, at;
	struct zb_tls_in data;
};

static void add_fragment(struct dtls *t, unsigned side, const struct fragment *in)
{
	struct fragments *f = &t->fragments[side];
	struct zb_tls_buf *b = &t->s.message[side];
	uint32_t end = in->at + (uint32_t)in->data.n; /* both below 2^24 */

	if (in->length > ZB_TLS_MESSAGE_MAX || end > in->length) {
		zb_tls_violate(&t->s);
		return;
	}
	if (!f->active || f->seq != in->seq || f->length != in->length) {
		zb_tls_buf_free(&t->s, b);
		*f = (struct fragments){.active = true, .seq = in->seq, .length = in->length};
	}
	if (f->got >= f->length || has_fragment(f, in->at))
		return;
	if (f->nr == FRAGMENTS_MAX) {
		zb_tls_violate(&t->s);
		return;
	}
	if (!grow(t, b, end))
		return;
	if (in->data.n != 0) /* else there may be no buffer yet */
		memcpy(b->p + in->at, in->data.p, in->data.n);
	f->at[f->nr++] = (uint16_t)in->at;
	f->got += (uint32_t)in->data.n;
	if (f->got < f->length)
		return;
	/* Fragments that overlap may add up to less than the message. */
	if (b->n == f->length)
		zb_tls_message(&t->s, side, in->type, b->p, f->length);
	zb_tls_buf_free(&t->s, b);
}

/* The messages, or fragments of them, in a record; false: malformed. */
static bool handshake(struct dtls *t, unsigned side, struct zb_tls_in in)
{
	while (in.n != 0 && !(t->s.flags & ZB_TLS_STOPPED)) {
		struct fragment f;

		f.type = (uint8_t)zb_tls_int(&in, 1);
		f.length = zb_tls_int(&in, 3);
		f.seq = (uint16_t)zb_tls_int(&in, 2);
		f.at = zb_tls_int(&in, 3);
		f.data = zb_tls_sub(&in, zb_tls_int(&in, 3));
		if (in.bad)
			return false;
		if (f.at == 0 && f.data.n == f.length)
			zb_tls_message(&t->s, side, f.type, f.data.p, f.data.n);
		else
			add_fragment(t, side, &f);
	}
	return true;
}

/* An encrypted record of DTLS 1.3, which is the last of its datagram. */
static bool short_record(struct dtls *t, unsigned side, struct zb_tls_in *in)
{
	uint32_t first = zb_tls_int(in, 1);

	if (!(first & 0x10)) { /* the length of a connection id is not known */
		zb_tls_int(in, first & 0x08 ? 2 : 1);
		if (first & 0x04)
			zb_tls_int(in, 2);
	}
	if (in->bad)
		return false;
	in->n = 0;
	t->s.flags |= zb_tls_ciphered(side);
	zb_tls_cipher_record(&t->s, side);
	return true;
}

static bool record(struct dtls *t, unsigned side, struct zb_tls_in *in)
{
	uint32_t type, version, epoch, length;
	struct zb_tls_in content;
	bool ok = true;

	if (t->s.negotiated == ZB_DTLS_1_3 && (in->p[0] & 0xe0) == 0x20)
		return short_record(t, side, in);
	type = zb_tls_int(in, 1);
	version = zb_tls_int(in, 2);
	epoch = zb_tls_int(in, 2);
	zb_tls_sub(in, 6);
	length = zb_tls_int(in, 2);
	if (in->bad)
		return false;
	if (!is_version_known(t, version)) {
		in->n = 0;
		return true;
	}
	content = zb_tls_sub(in, length);
	if (in->bad)
		return false;
	if (content.n == 0)
		return true;
	if (epoch != 0) {
		zb_tls_cipher_record(&t->s, side);
		return true;
	}
	if (type == ZB_TLS_HANDSHAKE)
		ok = handshake(t, side, content);
	else
		zb_tls_plain_record(&t->s, side, type, content.p, content.n);
	zb_tls_record_done(&t->s, type);
	return ok;
}

static void data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct dtls *t = (struct dtls *)a;
	struct zb_tls_in in = {.p = d, .n = n};

	/* STUN's magic number: it shares the ports of DTLS (RFC 7983). */
	if (n > 20 && memcmp(d + 4, "\x21\x12\xa4\x42", 4) == 0)
		return;
	while (in.n != 0 && !(t->s.flags & ZB_TLS_STOPPED)) {
		if (record(t, side, &in))
			continue;
		zb_tls_violate(&t->s);
		return;
	}
}

static void begin(struct zb_analyzer *a)
{
	((struct zb_tls *)a)->flags = ZB_TLS_IS_DTLS;
}

static void flip(struct zb_analyzer *a)
{
	struct dtls *t = (struct dtls *)a;
	struct fragments f = t->fragments[0];

	t->fragments[0] = t->fragments[1];
	t->fragments[1] = f;
	zb_tls_flip(a);
}

/* A client hello, not fragmented away, in the first record of either side (Zeek: dpd.sig). */
static enum zb_match match(const uint8_t *d, size_t n)
{
	static const uint8_t zeros[7];

	if (d[0] != ZB_TLS_HANDSHAKE)
		return ZB_MATCH_NO;
	if (n < 27)
		return ZB_MATCH_MORE;
	if (d[1] != 0xfe || (d[2] != 0xff && d[2] != 0xfd) || memcmp(d + 3, zeros, 7) != 0)
		return ZB_MATCH_NO;
	return d[13] == 1 && d[25] == 0xfe && (d[26] == 0xff || d[26] == 0xfd) ? ZB_MATCH_YES
									       : ZB_MATCH_NO;
}

static const uint16_t ports[] = {443, 0};

const struct zb_analyzer_def zb_analyzer_dtls = {
	.name = "dtls",
	.state_bytes = sizeof(struct dtls),
	.mem = ZB_MEM_tls,
	.udp_ports = ports,
	.match_over = ZB_OVER_UDP,
	.match = {match, match},
	.begin = begin,
	.data = data,
	.flip = flip,
	.end = zb_tls_end,
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quic.c - QUIC: recognised by a client's Initial that the server answers with the same version,
 * or with the versions it knows (RFC 8999, RFC 9000 17.2, RFC 9369)
 *
 * Nothing is decrypted: the invariants of all versions and the connection ids that echo are enough.
 */
#include <string.h>

#include "pipeline/analyzer.h"

#define INITIAL_BYTES 1200 /* a client's first datagram is padded to this */
#define ID_MAX	      20

struct quic {
	struct zb_analyzer base;
	uint32_t version;
	uint8_t id_bytes; /* of the client's own connection id */
	uint8_t id[ID_MAX];
	bool asked;
};

struct long_header {
	const uint8_t *to, *from;
	uint32_t version;
	uint8_t to_bytes, from_bytes, first;
};

static bool read_header(const uint8_t *d, size_t n, struct long_header *h)
{
	if (n < 7 || !(d[0] & 0x80))
		return false;
	h->first = d[0];
	h->version = (uint32_t)d[1] << 24 | (uint32_t)d[2] << 16 | (uint32_t)d[3] << 8 | d[4];
	h->to_bytes = d[5];
	h->to = d + 6;
	if (h->to_bytes > ID_MAX || n < 6u + h->to_bytes + 1u)
		return false;
	h->from_bytes = d[6 + h->to_bytes];
	h->from = d + 7 + h->to_bytes;
	return h->from_bytes <= ID_MAX && n >= 7u + h->to_bytes + h->from_bytes;
}

/* Version 1, version 2, or a draft. */
static bool is_version(uint32_t v)
{
	return v == 1 || v == 0x6b3343cf || v >> 8 == 0xff0000;
}

/* The type of an Initial is 0, in version 2 it is 1. */
static bool is_initial(const struct long_header *h)
{
	unsigned type = h->first >> 4 & 3;

	return h->first & 0x40 && is_version(h->version) &&
	       type == (h->version == 0x6b3343cf ? 1u : 0u);
}

static void quic_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct quic *s = (struct quic *)a;
	struct long_header h;

	if (!read_header(d, n, &h)) {
		if (!s->asked)
			zb_analyzer_violate(a);
		return;
	}
	if (side == ZB_ORIG) {
		if (!s->asked && !(is_initial(&h) && n >= INITIAL_BYTES && h.to_bytes >= 8)) {
			zb_analyzer_violate(a);
			return;
		}
		s->asked = true;
		s->version = h.version;
		s->id_bytes = h.from_bytes;
		memcpy(s->id, h.from, h.from_bytes);
		return;
	}
	if (!s->asked || (h.version != 0 && h.version != s->version) || h.to_bytes != s->id_bytes ||
	    memcmp(h.to, s->id, s->id_bytes) != 0)
		return;
	zb_analysis_event(zb_analyzer_analysis(a));
	zb_analyzer_confirm(a);
	zb_analyzer_done(a);
}

static enum zb_match quic_match(const uint8_t *d, size_t n)
{
	struct long_header h;

	if (n == 1)
		return (d[0] & 0xc0) == 0xc0 ? ZB_MATCH_MORE : ZB_MATCH_NO;
	return n >= INITIAL_BYTES && read_header(d, n, &h) && is_initial(&h) && h.to_bytes >= 8
		       ? ZB_MATCH_YES
		       : ZB_MATCH_NO;
}

const struct zb_analyzer_def zb_analyzer_quic = {
	.name = "quic",
	.state_bytes = sizeof(struct quic),
	.mem = ZB_MEM_analyzer,
	.match_over = ZB_OVER_UDP,
	.match = {quic_match, NULL},
	.data = quic_data,
};

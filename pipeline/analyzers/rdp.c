/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rdp.c - RDP: recognised by the client's settings behind the connection request; TLS when server
 * and client agree on it (MS-RDPBCGR 1.3.1.1, 2.2.1; RFC 1006 for the frames)
 */
#include <string.h>

#include "pipeline/analyzers/records.h"

#define TPKT_BYTES   4
#define MESSAGE_MAX  65535
#define X224_REQUEST 0xe0
#define X224_CONFIRM 0xd0
#define X224_DATA    0xf0
#define NEG_RESPONSE 2
#define CORE_DATA    0xc001

struct rdp {
	struct zb_analyzer base;
	struct zb_records half[2];
	bool asked;
};

static int64_t tpkt_length(const uint8_t *d, size_t n)
{
	int64_t len;

	if (d[0] != 3 || (n > 1 && d[1] != 0))
		return -1;
	if (n < TPKT_BYTES)
		return 0;
	len = (int64_t)d[2] << 8 | d[3];
	return len >= TPKT_BYTES + 3 ? len : -1;
}

/* The client's core data among the user data of the conference's creation: "Duca", then blocks. */
static bool has_core_data(const uint8_t *d, size_t n)
{
	const uint8_t *at = memmem(d, n, "Duca", 4);

	if (at == NULL)
		return false;
	at += 4;
	/* Behind the length, in one or two bytes, stands the first block. */
	for (size_t skip = 1; skip <= 2; skip++)
		if (at + skip + 2 <= d + n && (at[skip + 1] << 8 | at[skip]) == CORE_DATA)
			return true;
	return false;
}

/* The answer to the request: with TLS or what is on top of it, that is what follows. */
static void confirmed(struct zb_analyzer *a, const uint8_t *d, size_t n)
{
	if (n < TPKT_BYTES + 7 + 8 || d[TPKT_BYTES + 7] != NEG_RESPONSE)
		return;
	if (d[TPKT_BYTES + 11] == 0)
		return; /* RDP's own security */
	zb_analyzer_attach(a, ZB_A_tls);
	zb_analyzer_done(a);
}

static bool rdp_record(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct rdp *s = (struct rdp *)a;
	uint8_t type = d[TPKT_BYTES + 1] & 0xf0;

	zb_analysis_event(zb_analyzer_analysis(a));
	if (!s->asked) {
		s->asked = side == ZB_ORIG && type == X224_REQUEST;
		return s->asked;
	}
	if (side == ZB_RESP && type == X224_CONFIRM)
		confirmed(a, d, n);
	if (side == ZB_ORIG && type == X224_DATA && has_core_data(d, n)) {
		zb_analyzer_confirm(a);
		zb_analyzer_done(a);
	}
	return true;
}

static const struct zb_record_kind rdp_records = {tpkt_length, rdp_record, MESSAGE_MAX};

static void rdp_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct rdp *s = (struct rdp *)a;

	if (!zb_records_data(&s->half[side], &rdp_records, a, side, d, n) &&
	    !zb_analyzer_violate(a))
		zb_analyzer_done(a);
}

static void rdp_gap(struct zb_analyzer *a, unsigned side, uint64_t n)
{
	(void)side;
	(void)n;
	zb_analyzer_done(a);
}

static void rdp_end(struct zb_analyzer *a)
{
	struct rdp *s = (struct rdp *)a;

	zb_records_free(&s->half[ZB_ORIG], a);
	zb_records_free(&s->half[ZB_RESP], a);
}

/* A frame with a connection request in it. */
static enum zb_match rdp_match(const uint8_t *d, size_t n)
{
	if (d[0] != 3 || (n > 1 && d[1] != 0) || (n > 5 && d[5] != X224_REQUEST))
		return ZB_MATCH_NO;
	return n < 6 ? ZB_MATCH_MORE : ZB_MATCH_YES;
}

static const uint16_t rdp_ports[] = {3389, 0};

const struct zb_analyzer_def zb_analyzer_rdp = {
	.name = "rdp",
	.state_bytes = sizeof(struct rdp),
	.mem = ZB_MEM_analyzer,
	.tcp_ports = rdp_ports,
	.match_over = ZB_OVER_TCP,
	.match = {rdp_match, NULL},
	.data = rdp_data,
	.gap = rdp_gap,
	.end = rdp_end,
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dce_rpc.c - DCE/RPC over TCP: recognised by a whole fragment on any port (The Open Group C706,
 * 12.6; MS-RPCE 2.2.2)
 */
#include "pipeline/analyzers/dce_rpc.h"
#include "pipeline/analyzers/gss_token.h"
#include "pipeline/analyzers/records.h"

#define TYPE_MAX	  19
#define AUTH_HEADER_BYTES 8
enum { AUTH_SPNEGO = 9, AUTH_NTLM = 10, AUTH_KRB = 16 };

struct dce_rpc {
	struct zb_analyzer base;
	struct zb_records half[2];
};

static uint16_t read16(const uint8_t *d, bool little)
{
	return (uint16_t)(little ? d[1] << 8 | d[0] : d[0] << 8 | d[1]);
}

bool zb_dce_header_read(const uint8_t *d, struct zb_dce_header *h)
{
	bool little = d[4] >> 4;

	*h = (struct zb_dce_header){.type = d[2],
				    .frag_bytes = read16(d + 8, little),
				    .auth_bytes = read16(d + 10, little)};
	return d[0] == 5 && d[1] <= 1 && d[2] <= TYPE_MAX && h->frag_bytes >= ZB_DCE_HEADER_BYTES &&
	       (h->auth_bytes == 0 ||
		h->frag_bytes - ZB_DCE_HEADER_BYTES >= h->auth_bytes + AUTH_HEADER_BYTES);
}

static int64_t dce_length(const uint8_t *d, size_t n)
{
	struct zb_dce_header h;

	if (n < ZB_DCE_HEADER_BYTES)
		return d[0] == 5 ? 0 : -1;
	return zb_dce_header_read(d, &h) ? h.frag_bytes : -1;
}

static bool dce_record(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct zb_dce_header h;

	(void)side;
	zb_dce_header_read(d, &h);
	zb_analysis_event(zb_analyzer_analysis(a));
	zb_analyzer_confirm(a);
	if (h.auth_bytes != 0) {
		const uint8_t *token = d + n - h.auth_bytes;
		uint8_t type = token[-AUTH_HEADER_BYTES];

		if (type == AUTH_SPNEGO || type == AUTH_NTLM)
			zb_gss_token(a, token, h.auth_bytes);
	}
	return true;
}

static const struct zb_record_kind dce_records = {dce_length, dce_record, UINT16_MAX};

static void dce_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct dce_rpc *s = (struct dce_rpc *)a;

	if (!zb_records_data(&s->half[side], &dce_records, a, side, d, n) &&
	    !zb_analyzer_violate(a))
		zb_analyzer_done(a);
}

static void dce_gap(struct zb_analyzer *a, unsigned side, uint64_t n)
{
	(void)side;
	(void)n;
	zb_analyzer_done(a);
}

static void dce_end(struct zb_analyzer *a)
{
	struct dce_rpc *s = (struct dce_rpc *)a;

	zb_records_free(&s->half[ZB_ORIG], a);
	zb_records_free(&s->half[ZB_RESP], a);
}

/* Version 5.0 or 5.1, and a type there is. */
static enum zb_match dce_match(const uint8_t *d, size_t n)
{
	if (d[0] != 5 || (n > 1 && d[1] > 1) || (n > 2 && d[2] > TYPE_MAX))
		return ZB_MATCH_NO;
	return n < 3 ? ZB_MATCH_MORE : ZB_MATCH_YES;
}

static const uint16_t dce_ports[] = {135, 0};

const struct zb_analyzer_def zb_analyzer_dce_rpc = {
	.name = "dce_rpc",
	.state_bytes = sizeof(struct dce_rpc),
	.mem = ZB_MEM_analyzer,
	.tcp_ports = dce_ports,
	.match_over = ZB_OVER_TCP,
	.match = {dce_match, dce_match},
	.data = dce_data,
	.gap = dce_gap,
	.end = dce_end,
};

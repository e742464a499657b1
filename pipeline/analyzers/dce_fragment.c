/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dce_fragment.c - fragments of DCE/RPC calls (The Open Group C706, 12.6; MS-RPCE 2.2.2)
 *
 * Nothing reads what a call carries, so that of fragments only the bytes are counted, as Zeek would
 * keep them (Zeek: src/analyzer/protocol/dce-rpc/dce_rpc-protocol.pac, dce_rpc-auth.pac).
 */
#include <stdio.h>

#include "pipeline/analyzers/dce_rpc.h"
#include "pipeline/analyzers/gss_token.h"

#define AUTH_HEADER_BYTES 8
enum {
	AUTH_SPNEGO = 0x09,
	AUTH_NTLM = 0x0a,
	AUTH_TLS = 0x0e,
	AUTH_KRB = 0x10,
	AUTH_NETLOGON = 0x44
};
enum { FLAG_FIRST = 1, FLAG_LAST = 2 };

static uint16_t read16(const uint8_t *d, bool little)
{
	return (uint16_t)(little ? d[1] << 8 | d[0] : d[0] << 8 | d[1]);
}

bool zb_dce_header_read(const uint8_t *d, struct zb_dce_header *h)
{
	bool little = d[4] >> 4;

	*h = (struct zb_dce_header){.type = d[2],
				    .first = d[3] & FLAG_FIRST,
				    .last = d[3] & FLAG_LAST,
				    .frag_bytes = read16(d + 8, little),
				    .auth_bytes = read16(d + 10, little),
				    .call_id = (uint32_t)read16(d + 12, little) << 16 |
					       read16(d + 14, little)};
	return d[0] == 5 && h->frag_bytes >= ZB_DCE_HEADER_BYTES &&
	       (h->auth_bytes == 0 ||
		h->frag_bytes - ZB_DCE_HEADER_BYTES >= h->auth_bytes + AUTH_HEADER_BYTES);
}

int64_t zb_dce_length(const uint8_t *d, size_t n)
{
	struct zb_dce_header h;

	if (n < ZB_DCE_HEADER_BYTES)
		return d[0] == 5 ? 0 : -1;
	return zb_dce_header_read(d, &h) ? h.frag_bytes : -1;
}

static void authentication(struct zb_analyzer *a, const uint8_t *token, size_t n)
{
	uint8_t type = token[-AUTH_HEADER_BYTES];
	char text[4];

	snprintf(text, sizeof(text), "%u", type);
	switch (type) {
	case AUTH_SPNEGO:
	case AUTH_NTLM: zb_gss_token(a, token, n); break;
	case AUTH_KRB: break;
	case AUTH_TLS: zb_analyzer_weird(a, ZB_WEIRD_tls_dce_rpc_auth_type, text); break;
	case AUTH_NETLOGON: zb_analyzer_weird(a, ZB_WEIRD_netlogon_dce_rpc_auth_type, text); break;
	default: zb_analyzer_weird(a, ZB_WEIRD_unknown_dce_rpc_auth_type, text); break;
	}
}

static struct zb_dce_call *call_find(struct zb_dce_half *h, uint32_t id)
{
	for (uint32_t i = 0; i < h->call_nr; i++)
		if (h->call[i].id == id)
			return &h->call[i];
	return NULL;
}

/* A fragment of a call that is not alone: bytes are what it adds. */
static void count_call(struct zb_dce *dce, struct zb_analyzer *a, struct zb_dce_half *h,
		       const struct zb_dce_header *head, uint32_t bytes)
{
	struct zb_dce_call *call = call_find(h, head->call_id);

	if (head->first && call != NULL) {
		zb_analyzer_weird(a, ZB_WEIRD_multiple_first_fragments_in_dce_rpc_reassembly, NULL);
		dce->skip = true;
		return;
	}
	if (head->first && !head->last && h->call_nr <= ZB_DCE_CALLS_MAX) {
		call = &h->call[h->call_nr++];
		*call = (struct zb_dce_call){.id = head->call_id};
		if (h->call_nr > ZB_DCE_CALLS_MAX) {
			zb_analyzer_weird(a, ZB_WEIRD_too_many_dce_rpc_msgs_in_reassembly, NULL);
			dce->skip = true;
		}
	}
	if (call == NULL)
		return;
	call->bytes += bytes;
	if (call->bytes > ZB_DCE_CALL_BYTES_MAX) {
		zb_analyzer_weird(a, ZB_WEIRD_too_much_dce_rpc_fragment_data, NULL);
		dce->skip = true;
	}
	if (head->last || dce->skip)
		*call = h->call[--h->call_nr];
}

void zb_dce_fragment(struct zb_dce *dce, struct zb_analyzer *a, unsigned side, const uint8_t *d,
		     size_t n)
{
	struct zb_dce_header h;
	size_t bytes = n - ZB_DCE_HEADER_BYTES;

	zb_dce_header_read(d, &h);
	zb_analysis_event(zb_analyzer_analysis(a));
	if (h.auth_bytes != 0) {
		authentication(a, d + n - h.auth_bytes, h.auth_bytes);
		bytes -= h.auth_bytes + AUTH_HEADER_BYTES;
	}
	if (!dce->skip)
		count_call(dce, a, &dce->half[side], &h, (uint32_t)bytes);
}

void zb_dce_free(struct zb_dce *dce, struct zb_analyzer *a)
{
	zb_records_free(&dce->half[ZB_ORIG].records, a);
	zb_records_free(&dce->half[ZB_RESP].records, a);
}

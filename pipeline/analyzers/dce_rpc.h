/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dce_rpc.h - DCE/RPC fragments, as they come over TCP (dce_rpc.c) and in pipes (smb_pipe.c)
 *
 * Threading: one lcore.
 */
#ifndef ZB_PIPELINE_ANALYZERS_DCE_RPC_H
#define ZB_PIPELINE_ANALYZERS_DCE_RPC_H

#include "pipeline/analyzers/records.h"

#define ZB_DCE_HEADER_BYTES   16
#define ZB_DCE_CALLS_MAX      20    /* in fragments at a time (Zeek: DCE_RPC::max_cmd_reassembly) */
#define ZB_DCE_CALL_BYTES_MAX 30000 /* of one call's fragments (Zeek: DCE_RPC::max_frag_data) */

struct zb_dce_header {
	uint16_t frag_bytes; /* of the whole fragment */
	uint16_t auth_bytes; /* of the token at its end; 0: none */
	uint32_t call_id;
	uint8_t type;
	bool first, last; /* fragment of its call */
};

/* A call of which more fragments are to come. */
struct zb_dce_call {
	uint32_t id, bytes;
};

/* What one side says. */
struct zb_dce_half {
	struct zb_records records;
	uint32_t call_nr;
	struct zb_dce_call call[ZB_DCE_CALLS_MAX + 1];
};

struct zb_dce {
	struct zb_dce_half half[2];
	bool skip; /* too odd to be followed any further */
};

/*
 * Reads the header at d (ZB_DCE_HEADER_BYTES); false: it is none (C706, 12.6.3.1). frag_bytes is
 * then at least the header's, and has room for the token.
 */
bool zb_dce_header_read(const uint8_t *d, struct zb_dce_header *h);

/* The length of a fragment, for zb_records_data(). */
int64_t zb_dce_length(const uint8_t *d, size_t n);

/*
 * A whole fragment: counts its call's, and shows how it authenticates. Raises weirds of a, and sets
 * skip, when a side has too many calls or bytes under way.
 */
void zb_dce_fragment(struct zb_dce *dce, struct zb_analyzer *a, unsigned side, const uint8_t *d,
		     size_t n);

void zb_dce_free(struct zb_dce *dce, struct zb_analyzer *a);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dce_rpc.h - the header of a DCE/RPC fragment, as dce_rpc.c and smb.c find it
 *
 * Threading: pure functions.
 */
#ifndef ZB_PIPELINE_ANALYZERS_DCE_RPC_H
#define ZB_PIPELINE_ANALYZERS_DCE_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZB_DCE_HEADER_BYTES 16

struct zb_dce_header {
	uint16_t frag_bytes; /* of the whole fragment */
	uint16_t auth_bytes; /* of the token at its end; 0: none */
	uint8_t type;
};

/*
 * Reads the header at d (ZB_DCE_HEADER_BYTES); false: it is none (C706, 12.6.3.1). frag_bytes is
 * then at least the header's, and has room for the token.
 */
bool zb_dce_header_read(const uint8_t *d, struct zb_dce_header *h);

#endif

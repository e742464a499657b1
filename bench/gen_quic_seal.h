/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_quic_seal.h - protection of QUIC's Initial packets, version 1 (RFC 9001 5), so that whoever
 * looks for a server's name in them finds it
 *
 * Keys follow from the first connection id that the client chose, so anybody can make them.
 *
 * Threading: a struct zb_gen_quic_seal belongs to one thread at a time.
 * Errors:    -ENOMEM, or -EIO when libcrypto cannot do AES-128-GCM or SHA-256.
 */
#ifndef ZB_BENCH_GEN_QUIC_SEAL_H
#define ZB_BENCH_GEN_QUIC_SEAL_H

#include <stdbool.h>
#include <stdint.h>

#define ZB_GEN_QUIC_TAG_BYTES	 16u
#define ZB_GEN_QUIC_NUMBER_BYTES 2u /* of a packet number */

struct zb_gen_quic_seal; /* opaque */

int zb_gen_quic_seal_create(struct zb_gen_quic_seal **out);
void zb_gen_quic_seal_free(struct zb_gen_quic_seal *q); /* NULL is fine */

struct zb_gen_quic_packet {
	uint8_t *at;	    /* header, packet number, frames, and room for the tag */
	uint32_t len;	    /* all of that; at least 20 bytes after number_at */
	uint32_t number_at; /* where the packet number is, in the clear so far */
	const uint8_t *id;  /* ZB_GEN_QUIC_ID_BYTES: the first that the client sent to */
	bool from_server;
};

/* Seals the packet where it is. */
int zb_gen_quic_seal(struct zb_gen_quic_seal *q, const struct zb_gen_quic_packet *p);

#endif

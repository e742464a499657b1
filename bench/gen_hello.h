/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_hello.h - the hello messages of TLS 1.3 (RFC 8446 4.1), which QUIC carries too (RFC 9001 4)
 *
 * Threading: as the session's whose numbers are drawn.
 */
#ifndef ZB_BENCH_GEN_HELLO_H
#define ZB_BENCH_GEN_HELLO_H

#include "bench/gen_msg.h"

#define ZB_GEN_QUIC_ID_BYTES 8u

struct zb_gen_hello {
	uint32_t site;
	/*
	 * The client's connection id, ZB_GEN_QUIC_ID_BYTES of it, which goes into its transport
	 * parameters; NULL: over TCP, where there are session ids for the sake of middleboxes.
	 */
	const uint8_t *quic_id;
};

/* The messages with their four bytes of header; the server's has no extension but the least. */
void zb_head_put_client_hello(struct zb_head *h, struct zb_gen_rand *r,
			      const struct zb_gen_hello *hello);
void zb_head_put_server_hello(struct zb_head *h, struct zb_gen_rand *r,
			      const struct zb_gen_hello *hello);

#endif

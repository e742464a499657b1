/* SPDX-License-Identifier: Apache-2.0 */
/* gen_hello.c - what a browser and a server open a connection of TLS 1.3 with */
#include "bench/gen_hello.h"
#include "bench/gen_world.h"

#define SESSION_ID_BYTES 32

static void put_random(struct zb_head *h, struct zb_gen_rand *r, const struct zb_gen_hello *hello)
{
	ZB_HEAD_PUT(h, "\x03\x03");
	zb_head_put_noise(h, r, 32);
	if (hello->quic_id != NULL) {
		ZB_HEAD_PUT(h, "\x00");
		return;
	}
	zb_head_put_be(h, SESSION_ID_BYTES, 1);
	zb_head_put_noise(h, r, SESSION_ID_BYTES);
}

static void put_server_name(struct zb_head *h, uint32_t site)
{
	uint32_t len = zb_gen_names[site].len;

	zb_head_put_be(h, 0, 2);
	zb_head_put_be(h, len + 5, 2);
	zb_head_put_be(h, len + 3, 2);
	zb_head_put_be(h, 0, 1);
	zb_head_put_be(h, len, 2);
	zb_head_put_site(h, site);
}

/* RFC 9000 18.2 */
static void put_transport_parameters(struct zb_head *h, const uint8_t *id)
{
	uint32_t ext;

	ZB_HEAD_PUT(h, "\x00\x39");
	ext = zb_head_open_len(h, 2);
	ZB_HEAD_PUT(h, "\x01\x04\x80\x00\x75\x30" /* max_idle_timeout: 30 s */
		       "\x04\x04\x80\x10\x00\x00" /* initial_max_data: 1 MiB */
		       "\x05\x04\x80\x04\x00\x00" /* of a stream the client opens: 256 KiB */
		       "\x08\x02\x40\x64"	  /* initial_max_streams_bidi: 100 */
		       "\x0f\x08");		  /* initial_source_connection_id */
	zb_head_put(h, id, ZB_GEN_QUIC_ID_BYTES);
	zb_head_close_len(h, ext, 2);
}

void zb_head_put_client_hello(struct zb_head *h, struct zb_gen_rand *r,
			      const struct zb_gen_hello *hello)
{
	uint32_t msg, ext;

	ZB_HEAD_PUT(h, "\x01");
	msg = zb_head_open_len(h, 3);
	put_random(h, r, hello);
	/* The three usual cipher suites, no compression. */
	ZB_HEAD_PUT(h, "\x00\x06\x13\x01\x13\x02\x13\x03\x01\x00");
	ext = zb_head_open_len(h, 2);
	put_server_name(h, hello->site);
	ZB_HEAD_PUT(h, "\x00\x0a\x00\x04\x00\x02\x00\x1d"	    /* supported_groups: x25519 */
		       "\x00\x0d\x00\x06\x00\x04\x04\x03\x08\x04"); /* signature_algorithms:
								       ecdsa_secp256r1_sha256,
								       rsa_pss_rsae_sha256 */
	if (hello->quic_id != NULL)
		ZB_HEAD_PUT(h, "\x00\x10\x00\x05\x00\x03\x02h3"); /* ALPN */
	else
		ZB_HEAD_PUT(h, "\x00\x10\x00\x0e\x00\x0c\x02h2\x08http/1.1");
	ZB_HEAD_PUT(h, "\x00\x2b\x00\x03\x02\x03\x04"		    /* supported_versions: 1.3 */
		       "\x00\x33\x00\x26\x00\x24\x00\x1d\x00\x20"); /* key_share: x25519 */
	zb_head_put_noise(h, r, 32);
	if (hello->quic_id != NULL)
		put_transport_parameters(h, hello->quic_id);
	zb_head_close_len(h, ext, 2);
	zb_head_close_len(h, msg, 3);
}

void zb_head_put_server_hello(struct zb_head *h, struct zb_gen_rand *r,
			      const struct zb_gen_hello *hello)
{
	uint32_t msg;

	ZB_HEAD_PUT(h, "\x02");
	msg = zb_head_open_len(h, 3);
	put_random(h, r, hello);
	ZB_HEAD_PUT(h, "\x13\x01\x00"			    /* TLS_AES_128_GCM_SHA256 */
		       "\x00\x2e"			    /* extensions */
		       "\x00\x2b\x00\x02\x03\x04"	    /* supported_versions: 1.3 */
		       "\x00\x33\x00\x24\x00\x1d\x00\x20"); /* key_share: x25519 */
	zb_head_put_noise(h, r, 32);
	zb_head_close_len(h, msg, 3);
}

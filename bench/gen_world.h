/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_world.h - the network the sessions live in: clients, servers and their names, text and noise
 * to send
 *
 *   10.20.0.0/16, 2001:db8:20::/48    1,000 clients, the last 250 of them on VLAN 30; resolver,
 * clock, log host 198.18.0.0/15, 2001:db8:f::/48    512 sites beyond the gateway, each with a name
 *
 * All address blocks are private or reserved for tests and examples.
 */
#ifndef ZB_BENCH_GEN_WORLD_H
#define ZB_BENCH_GEN_WORLD_H

#include "bench/gen_session_priv.h"

#define ZB_GEN_SITES	  512u
#define ZB_GEN_POOL_BYTES 65536u /* a power of two */
#define ZB_GEN_NAME_MAX	  64u

struct zb_gen_world {
	char text[ZB_GEN_POOL_BYTES];
	uint8_t noise[ZB_GEN_POOL_BYTES];
};

enum zb_gen_service { ZB_GEN_RESOLVER = 53, ZB_GEN_CLOCK = 123, ZB_GEN_LOG_HOST = 514 };

void zb_gen_world_init(struct zb_gen_world *w, uint64_t seed);

/*
 * The originator: no two of the first 28 million session numbers share address and port. Sets v6
 * and vlan.
 */
void zb_gen_client(struct zb_gen_session *s);
/* A random site, as popular as the session's shape has it. */
uint32_t zb_gen_draw_site(struct zb_gen_session *s);
/* The responder: a random site, or an inside service, and the round-trip time to it. */
void zb_gen_server_site(struct zb_gen_session *s, uint16_t port);
void zb_gen_server_inside(struct zb_gen_session *s, enum zb_gen_service service);

/* The site's host name and address; ip has 16 bytes, the first 4 count for IPv4. */
void zb_gen_site_name(uint32_t site, char name[static ZB_GEN_NAME_MAX]);
void zb_gen_site_ip(uint32_t site, bool v6, uint8_t ip[static 16]);

/* Copies bytes off..off+len of a message, head and body. */
void zb_gen_msg_copy(const struct zb_gen_world *w, const struct zb_gen_msg *m, uint32_t off,
		     uint8_t *dst, uint32_t len);

/* The body_len that holds text_len bytes of application data in TLS records. */
uint32_t zb_gen_tls_body_len(uint32_t text_len);

#endif

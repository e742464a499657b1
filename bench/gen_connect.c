/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_connect.c - connections that are set up, used once and closed, in eight packets
 *
 *   SYN, SYN ACK, ACK, request, answer, FIN, FIN, ACK
 *
 * Address and port of the client are a permutation of the session number, so the first 2^32
 * differ. Neither VLAN nor IPv6: what costs is to be the connection.
 */
#include "bench/gen_session_priv.h"
#include "bench/gen_world.h"

#define FIRST_PORT  1024u
#define SERVER_PORT 80

bool zb_gen_connect_msg(struct zb_gen_session *s, uint32_t nr, struct zb_gen_msg *m,
			struct zb_head *h)
{
	if (nr == 0) {
		ZB_HEAD_PUT(h, "GET / HTTP/1.1\r\nHost: ");
		zb_head_put_site(h, s->site);
		ZB_HEAD_PUT(h, "\r\n\r\n");
	} else {
		m->from = 1;
		ZB_HEAD_PUT(h, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	}
	return nr < 2;
}

void zb_gen_connect_make(struct zb_gen_session *s)
{
	/* 24 bits are the address in 10.0.0.0/8, 8 bits the port. */
	uint32_t n = zb_gen_permute((uint32_t)s->id);
	struct zb_gen_path path = {
		.end[0] = {
			.mac = {2, 0, 0, 1, 0, 1},
			.ip = {10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n},
			.port = (uint16_t)(FIRST_PORT + (n >> 24)),
			.ttl = 64,
		}};

	s->ip_id[0] = (uint16_t)(n >> 8);
	s->ip_id[1] = (uint16_t)n;
	zb_gen_server_site(s, &path, SERVER_PORT);
	zb_gen_wire_init(&s->wire, &path, ZB_GEN_TCP);
	zb_gen_tcp_make(s, ZB_GEN_BRIEF, ZB_GEN_CONNECT);
}

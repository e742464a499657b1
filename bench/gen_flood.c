/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_flood.c - profiles "flood" and "syn": every packet is a flow of its own, to measure tables
 *
 * flood: UDP datagrams of 18 bytes in minimum-size frames. syn: TCP connection attempts that nobody
 * answers. Address and port of the source are a permutation of the session number, so the first
 * 2^32 flows differ.
 */
#include <string.h>

#include "bench/gen_session_priv.h"
#include "bench/gen_world.h"

#define DATAGRAM_BYTES 18u
#define FIRST_PORT     1024u

/* 24 bits of the number become the host in 10.0.0.0/8, 8 bits the port. */
static void set_path(struct zb_gen_session *s, unsigned proto, uint16_t server_port)
{
	uint32_t n = zb_gen_permute((uint32_t)s->id);
	const struct zb_gen_path path = {
		.end = {
			{
				.mac = {2, 0, 0, 0, 0, 1},
				.ip = {10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n},
				.port = (uint16_t)(FIRST_PORT + (n >> 24)),
				.ttl = 57,
			},
			{
				.mac = {2, 0, 0, 0, 0, 2},
				.ip = {198, 18, 0, 1},
				.port = server_port,
				.ttl = 64,
			},
		}};

	zb_gen_wire_init(&s->wire, &path, proto);
	s->ip_id[0] = (uint16_t)zb_gen_rand_u64(&s->rand);
}

static bool step_datagram(struct zb_gen_session *s, struct zb_gen_frame *f)
{
	struct zb_gen_ip ip = zb_gen_next_ip(s, 0);
	uint8_t *p = zb_gen_udp_payload(f, &s->wire);

	if (p != NULL) {
		memset(p, 0, DATAGRAM_BYTES);
		zb_gen_seal_udp(f, &ip, (struct zb_gen_payload){DATAGRAM_BYTES, 0});
	}
	return false;
}

static bool step_syn(struct zb_gen_session *s, struct zb_gen_frame *f)
{
	struct zb_gen_ip ip = zb_gen_next_ip(s, 0);
	struct zb_gen_tcp tcp = {
		.seq = (uint32_t)zb_gen_rand_u64(&s->rand),
		.window = 64240,
		.flags = ZB_GEN_SYN,
	};

	zb_gen_seal_tcp(f, &ip, &tcp, (struct zb_gen_payload){0});
	return false;
}

static void make_flood(struct zb_gen_session *s)
{
	set_path(s, ZB_GEN_UDP, 9); /* discard */
	s->step = step_datagram;
}

static void make_syn(struct zb_gen_session *s)
{
	set_path(s, ZB_GEN_TCP, 443);
	s->step = step_syn;
}

const struct zb_gen_profile zb_gen_profile_flood = {
	.name = "flood",
	.make = make_flood,
	.make_single = make_flood,
};

const struct zb_gen_profile zb_gen_profile_syn = {
	.name = "syn",
	.make = make_syn,
	.make_single = make_syn,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* gen_tap_flow.c - the flow and the direction of a frame, of any link type */
#include "bench/gen_tap_priv.h"
#include "pipeline/decode.h"
#include "pipeline/local_net.h"

#define PROTO_TCP  6
#define PROTO_UDP  17
#define PROTO_SCTP 132

static uint64_t mix_bytes(uint64_t h, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i += 4) {
		uint32_t v;

		memcpy(&v, p + i, 4);
		h = zb_gen_mix(h ^ v) + 0x9e3779b97f4a7c15ull;
	}
	return h;
}

static bool has_ports(unsigned proto)
{
	return proto == PROTO_TCP || proto == PROTO_UDP || proto == PROTO_SCTP;
}

static void decide(struct zb_tap_flow *out, const uint8_t *addr, unsigned version,
		   const uint8_t *ports)
{
	size_t n = version == 4 ? 4 : 16;
	bool from_local = zb_local_net(addr, version), to_local = zb_local_net(addr + n, version);
	int order = memcmp(addr, addr + n, n);

	if (order == 0 && ports != NULL)
		order = memcmp(ports, ports + 2, 2);
	if (from_local != to_local)
		out->way = from_local ? ZB_TAP_OUT : ZB_TAP_IN;
	else
		out->way = order <= 0 ? ZB_TAP_OUT : ZB_TAP_IN;
	out->key = mix_bytes(version, addr, 2 * n);
	if (ports != NULL)
		out->key = mix_bytes(out->key, ports, 4);
	out->key |= 1;
}

void zb_tap_flow_of(enum zb_link link, const struct zb_gen_frame *f, struct zb_tap_flow *out)
{
	struct zb_pkt p = {
		.data = zb_gen_frame_bytes(f),
		.cap_len = f->len,
		.wire_len = f->len + f->cut_len,
		.link = (uint8_t)link,
	};
	const uint8_t *ip, *ports = NULL;
	size_t room;

	*out = (struct zb_tap_flow){.way = ZB_TAP_BOTH};
	if (zb_decode_link(&p, NULL) != ZB_FATE_conn || p.l3_off >= p.cap_len)
		return;
	ip = p.data + p.l3_off;
	room = p.cap_len - p.l3_off;
	if (ip[0] >> 4 == 4 && room >= 20) {
		size_t header = 4u * (ip[0] & 15);
		bool later_part = ((ip[6] & 0x1f) | ip[7]) != 0;

		if (has_ports(ip[9]) && !later_part && header >= 20 && room >= header + 4)
			ports = ip + header;
		decide(out, ip + 12, 4, ports);
	} else if (ip[0] >> 4 == 6 && room >= 40) {
		if (has_ports(ip[6]) && room >= 44)
			ports = ip + 40;
		decide(out, ip + 8, 6, ports);
	}
}
